"""What netc prints today, frozen in a folder outside the repository, and what has changed since.

`python -m tools.golden freeze FOLDER` copies the specs, the case files and 500 random networks to FOLDER/inputs and
what every command prints of them to FOLDER/outputs. `python -m tools.golden compare FOLDER` runs the commands again on
the frozen inputs, prints each line that differs, and ends with 1 if there is one. A change that is meant to change
nothing is made between the two.
"""

from __future__ import annotations

import contextlib
import difflib
import io
import os
import random
import shutil
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from netc import cli

RANDOM = 500
MOST_LINES = 12  # of one difference that are printed

SPEC = {
    "py": ("compile", "-o", "-"),
    "flat.py": ("compile", "--flat", "-o", "-"),
    "json": ("compile", "--target", "json", "-o", "-"),
    "dot": ("compile", "--target", "dot", "-o", "-"),
    "txt": ("summary",),
    "summary.json": ("summary", "--format", "json"),
    "csv": ("summary", "--format", "csv"),
    "graph.svg": ("draw", "-o", "-"),
    "every.svg": ("draw", "--collapse", "none", "--expand", "-o", "-"),
    "volumes.svg": ("draw", "--style", "volumes", "-o", "-"),
    "column.svg": ("draw", "--style", "column", "-o", "-"),
    "table.svg": ("draw", "--style", "table", "-o", "-"),
    "net": ("fmt", "--diff"),
}
NET = {name: SPEC[name] for name in ("py", "flat.py", "json", "txt", "graph.svg", "volumes.svg")}
CASE = {f"check.{form}": ("check", "--format", form) for form in ("text", "concise", "json", "sarif", "github")}


def run(command: Sequence[str]) -> str:
    """What a command line prints, and how it ends."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = cli.main(command)
    return f"{out.getvalue()}{err.getvalue()}exit {code}\n"


def outputs() -> Iterator[tuple[str, str]]:
    """The name and text of everything that is printed of the inputs in the current directory."""
    for folder, commands in (("specs", {**SPEC, **CASE}), ("random", NET), ("cases", CASE)):
        for path in sorted(Path(folder).rglob("*.net")):
            for name, command in commands.items():
                yield f"{path}.{name}", run([command[0], str(path), *command[1:]])


def freeze(folder: Path) -> None:
    """Make the corpus."""
    from hypothesis import HealthCheck, Phase, given, seed, settings  # noqa: PLC0415 - to compare needs none of it

    from tests.random_networks import networks  # noqa: PLC0415

    inputs = folder / "inputs"
    shutil.copytree("specs", inputs / "specs")
    shutil.copytree("tests/cases", inputs / "cases", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (inputs / "random").mkdir()
    texts: dict[str, None] = {}

    @seed(0)
    @settings(
        max_examples=RANDOM * 2,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(networks())
    def collect(text: str) -> None:
        texts[text] = None

    collect()
    for number, text in enumerate(random.Random(0).sample(list(texts), min(RANDOM, len(texts)))):
        (inputs / "random" / f"{number:03}.net").write_text(text, encoding="utf-8")
    os.chdir(inputs)
    for name, text in outputs():
        target = Path("..") / "outputs" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def compare(folder: Path) -> int:
    """Print what has changed; the number of outputs that differ."""
    os.chdir(folder / "inputs")
    changed = 0
    for name, text in outputs():
        before = (Path("..") / "outputs" / name).read_text(encoding="utf-8")
        if text != before:
            changed += 1
            lines = list(difflib.unified_diff(before.splitlines(), text.splitlines(), name, name, "", "", 0, ""))
            print("\n".join(line[:200] for line in lines[:MOST_LINES]))
    print(f"{changed} outputs differ")
    return changed


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["freeze", target]:
            freeze(Path(target).resolve())
        case ["compare", target]:
            sys.exit(compare(Path(target).resolve()) > 0)
        case _:
            sys.exit(__doc__)
