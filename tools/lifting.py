"""The table of what the lifter makes of the shipped specs, or of model files: `python -m tools.lifting [SPEC|FILE...]`.

Each is read and lifted in a process of its own: seconds are those that the processor took for it, after the modules of
netc were there, and megabytes the most memory that the process had. With `+` after a name it prints the text too."""

from __future__ import annotations

import re
import resource
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import netc
from netc.analysis.cost import measure
from netc.ir.net import Net
from netc.layers.regularise import DropPath
from netc.lift.arguments import given
from netc.lift.lifting import lifted
from netc.lift.source import ImportRefused, Sketch
from netc.rewrites.canonical import plain
from netc.targets.importing import is_keras, read, suffix_of

SPECS = Path("specs")
WORSE = 1.3  # times its own lines, that a spec has at most when it was lifted from its network


@dataclass(frozen=True, slots=True)
class Row:
    """What came of a network: of its text, or why there is none."""

    name: str
    seconds: float  # of the processor, to read and to lift it
    megabytes: float  # the most that the process had
    text: str = ""
    nodes: int = 0
    trainable: int = 0  # parameters
    least: int | None = None  # lines of the spec that the network is of
    flat_because: str = ""
    refused: str = ""  # one reason a line

    @property
    def heads(self) -> list[str]:
        """The parameters of each definition, as they are written."""
        return re.findall(r"^(?:shared )?def \w+\((.*?)\)", self.text, flags=re.MULTILINE)

    @property
    def formals(self) -> float:
        """Parameters a definition."""
        heads = self.heads
        return sum(len(head.split(",")) for head in heads if head) / max(len(heads), 1)

    def shown(self) -> str:
        """The line of the table."""
        cost = f"{self.seconds:6.2f} s {self.megabytes:6,.0f} MB"
        if self.refused:
            return f"{self.name:24}{cost}  refused: {self.refused.splitlines()[0]}"
        own = "" if self.least is None else f"{self.least:4} "
        flat = f"  flat: {self.flat_because[:80]}" if self.flat_because else ""
        worse = "  more" if self.least is not None and lines(self.text) > WORSE * self.least else ""
        counts = f"{own}{lines(self.text):4} lines {len(self.heads):3} definitions {self.formals:4.1f} parameters"
        return f"{self.name:24}{counts} {self.nodes:6,} nodes {cost}{worse}{flat}"


def bare(text: str) -> str:
    """A spec without its sections, which are no part of the network."""
    return re.sub(r"^(data|train)\b[^\n{]*(\{.*?^\})?", "", text, flags=re.MULTILINE | re.DOTALL)


def lines(text: str) -> int:
    """Lines without comments, blank ones and sections."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in bare(text).splitlines())


def sketched(net: Net) -> Net:
    """A network as a reader would make it of its layers."""
    sketch, made = Sketch(net.name), dict[str, str | None]()
    for node in net:
        layer = plain(node.layer)
        values = {"rate": layer.share} if isinstance(layer, DropPath) else given(layer)
        operands = [made[name] for name in net.operands(node.name)]
        shares = made[node.shares] if node.shares else None
        made[node.name] = sketch.add(node.name, layer.op, operands, shares=shares, **values)
    return sketch.finish([made[name] for name in net.outputs])


def spec(name: str) -> Net:
    """The network of a spec, as a reader would make it."""
    return sketched(netc.loads(bare((SPECS / f"{name}.net").read_text())).net)


def row(name: str) -> Row:
    """What comes of a spec or a model file, here and now."""
    path = Path(name)
    known = None if suffix_of(path) is not None else spec(name)
    start = time.process_time()
    try:
        net, sources = _read(path) if known is None else (known, {node.name: node.name for node in known})
        found = lifted(net, sources)
    except ImportRefused as error:
        return Row(path.stem, time.process_time() - start, _most(), refused=str(error))
    seconds, megabytes = time.process_time() - start, _most()
    least = None if known is None else lines((SPECS / f"{name}.net").read_text())
    trainable = measure(found.program.net).total.trainable
    return Row(path.stem, seconds, megabytes, found.text, len(net), trainable, least, found.flat_because)


def _read(path: Path) -> tuple[Net, Mapping[str, str]]:
    made = read(path, **({"preprocessing": False} if is_keras(path) else {}))
    return made.net, made.sources


def _most() -> float:
    """The most memory that this process had, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def rows(names: Iterable[str]) -> Iterator[Row]:
    """What comes of specs and model files, each in a process of its own."""
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
        for name in names:
            yield processes.submit(row, name).result()


def main(names: list[str]) -> None:
    wanted = names or sorted(path.stem for path in SPECS.glob("*.net"))
    for name, made in zip(wanted, rows(name.rstrip("+") for name in wanted), strict=True):
        print(made.shown(), flush=True)
        if name.endswith("+"):
            print(made.text)


if __name__ == "__main__":
    main(sys.argv[1:])
