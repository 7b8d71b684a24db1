"""The table of what the lifter makes of the shipped specs, or of model files: `python -m tools.lifting [SPEC|FILE...]`.

With `+` after a name it prints the text too."""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

import netc
from netc.ir.net import Net
from netc.lift.lifting import Lifted, lifted
from netc.targets.importing import is_keras, read, suffix_of
from tests.test_lift import sketched

SPECS = Path("specs")
WORSE = 1.3  # times its own lines, that a spec has at most when it was lifted from its network


def bare(text: str) -> str:
    """A spec without its sections, which are no part of the network."""
    return re.sub(r"^(data|train)\b[^\n{]*(\{.*?^\})?", "", text, flags=re.MULTILINE | re.DOTALL)


def lines(text: str) -> int:
    """Lines without comments, blank ones and sections."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in bare(text).splitlines())


def spec(name: str) -> Net:
    """The network of a spec, as a reader would make it."""
    return sketched(netc.loads(bare((SPECS / f"{name}.net").read_text())).net)


def row(name: str, found: Lifted, nodes: int, seconds: float, least: int | None = None) -> str:
    """A line of the table; `least` are the lines to compare with."""
    heads = re.findall(r"^(?:shared )?def \w+\((.*?)\)", found.text, flags=re.MULTILINE)
    formals = sum(len(head.split(",")) for head in heads if head) / max(len(heads), 1)
    own = "" if least is None else f"{least:4} "
    flat = f"  flat: {found.flat_because[:80]}" if found.flat_because else ""
    worse = "  more" if least is not None and lines(found.text) > WORSE * least else ""
    counts = f"{own}{lines(found.text):4} lines {len(heads):3} definitions {formals:4.1f} parameters"
    return f"{name:24}{counts} {nodes:6,} nodes {seconds:6.2f} s{worse}{flat}"


def main(names: list[str]) -> None:
    for each in names or sorted(path.stem for path in SPECS.glob("*.net")):
        name = each.rstrip("+")
        if suffix_of(Path(name)) is not None:
            made = read(Path(name), **({"preprocessing": False} if is_keras(Path(name)) else {}))
            net, sources, least = made.net, made.sources, None
        else:
            net = spec(name)
            sources, least = {node.name: node.name for node in net}, lines((SPECS / f"{name}.net").read_text())
        start = time.perf_counter()
        found = lifted(net, sources)
        seconds = time.perf_counter() - start
        print(row(Path(name).stem, found, len(net), seconds, least), flush=True)
        if each != name:
            print(found.text)


if __name__ == "__main__":
    main(sys.argv[1:])
