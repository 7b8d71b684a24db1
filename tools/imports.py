"""The page of models that were read: `python -m tools.imports docs/import-table.md FAMILY...` renews the tables of some
families in place.

Models are made with random weights by the modules of `tools.models`, read and lifted, each in a process of its own
(`tools.lifting`), and run. The tables of other families stay as they are.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from netc.report.reference import table
from netc.targets.proof import ROUNDING, TOLERANCE, difference
from tools.lifting import Row, lines, rows
from tools.models import Made

_PART = re.compile(r"(?<=<!-- )(?!end)(\w+)( -->\n)(.*?)(?=<!-- end -->)", re.DOTALL)
Arrays = Mapping[str, Any]
SHOWN = 160  # characters of a refusal


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a model."""

    name: str
    row: Row
    nodes: int | None = None  # of its file, where that has nodes
    trainable: int | None = None  # parameters, as its own program counts them
    difference: float | None = None  # of its own program from NumPy
    rounding: float = 0.0  # by which NumPy differs in float32 and in float64, where that is more than the difference
    unmade: str = ""  # why its own program wrote no file

    @property
    def wrong(self) -> bool:
        """Whether another network was read."""
        off = self.difference is not None and not self.difference <= max(TOLERANCE, ROUNDING * self.rounding)
        return off or (not self.unmade and self.nodes is None and self.trainable not in (None, self.row.trainable))

    def cells(self) -> tuple[str, ...]:
        """A row of the table."""
        made = self.row
        if self.unmade:
            return self.name, *("",) * 7, f"not exported: {_short(self.unmade)}"
        cost = f"{made.seconds:.2f}", f"{made.megabytes:,.0f}"
        nodes = "" if self.nodes is None else f"{self.nodes:,}"
        if made.refused:
            return self.name, nodes, "", "", "", "", *cost, f"refused: {_short(made.refused)}"
        counts = f"{made.nodes:,}", str(lines(made.text)), str(len(made.heads)), f"{made.formals:.1f}"
        return self.name, nodes, *counts, *cost, self._said() + (" (flat)" if made.flat_because else "")

    def _said(self) -> str:
        if self.wrong:
            return "**another network**"
        if self.difference is not None and self.rounding:
            return f"differs by {self.difference:.0e}, float32 from float64 in NumPy by {self.rounding:.0e}"
        if self.difference is not None:
            return f"equal to {self.difference:.0e}"
        return "read" if self.trainable is None else f"its {self.trainable:,} parameters"


HEADS = ("network", "nodes", "layers", "lines", "definitions", "parameters each", "s", "MB", "outcome")


def _short(refused: str) -> str:
    """The first reason, and how many there are."""
    first, *more = refused.splitlines()
    said = first if len(first) <= SHOWN else first[:SHOWN] + "..."
    return said.replace("|", "\\|") + (f" (and {len(more)} more)" if more else "")


def made(family: str, name: str, folder: Path) -> Made | str:
    """The file of a model, or why its own program writes none."""
    try:
        return import_module(f"tools.models.{family}").make(name, folder)  # type: ignore[no-any-return]
    except Exception as error:  # whatever an exporter raises
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


def _nodes(path: Path) -> int:
    """How many nodes an ONNX file has."""
    import onnx  # noqa: PLC0415 - for those who have it

    return len(onnx.load(path, load_external_data=False).graph.node)


def compared(path: Path) -> tuple[float, float]:
    """By how much of the largest output NumPy and the program of a model differ on noise of seed 0. Where it is more
    than a network may differ by, they are compared in float64, and by how much float32 differs from it is given too."""
    from netc.lift.lifting import flat  # noqa: PLC0415 - for those who have what it takes
    from netc.targets.importing import read, source_engine  # noqa: PLC0415
    from netc.targets.noise import noise  # noqa: PLC0415
    from netc.targets.numpy.run import run  # noqa: PLC0415

    found = read(path)
    weights, engine = source_engine(path, found, flat(found.net))
    inputs = noise(found.net, 1, 0)
    expected, single = engine.outputs(inputs), run(found.net, weights, inputs)
    if (off := _most(single, expected)) <= TOLERANCE:
        return off, 0.0
    exact = run(found.net, weights, {name: array.astype("float64") for name, array in inputs.items()})
    return _most(expected, exact), _most(single, exact)


def _most(made: Arrays, expected: Arrays) -> float:
    return max(difference(made[name], array) for name, array in expected.items())


def outcomes(family: str) -> Iterator[Outcome]:
    """What comes of the models of a family, one after the other."""
    alone = get_context("spawn")
    with ProcessPoolExecutor(1, alone) as maker, ProcessPoolExecutor(1, alone) as runner:
        for name in import_module(f"tools.models.{family}").NAMES:
            with TemporaryDirectory() as folder:
                file = maker.submit(made, family, name, Path(folder)).result()
                if isinstance(file, str):
                    yield Outcome(name, Row(name, 0, 0), unmade=file)
                    continue
                path, trainable = file
                (found,) = rows([str(path)])
                nodes = runner.submit(_nodes, path).result() if path.suffix == ".onnx" else None
                compares = nodes is not None and not found.refused
                off = runner.submit(compared, path).result() if compares else (None, 0.0)
                yield Outcome(name, found, nodes, trainable, *off)


def renewed(text: str, tables: Mapping[str, str]) -> str:
    """The page with other tables of some families."""
    return _PART.sub(lambda match: f"{match[1]}{match[2]}{tables.get(match[1], match[3])}", text)


def page(found: Sequence[Outcome]) -> str:
    """The table of a family, and how many of it were read."""
    cells = [one.cells() for one in found]
    found, unmade = [one for one in found if not one.unmade], sum(bool(one.unmade) for one in found)
    refused, wrong = sum(bool(one.row.refused) for one in found), sum(one.wrong for one in found)
    counts = f"{len(found) - refused} of {len(found)} read, {refused} refused, {wrong} read as another network"
    counts += f"; {unmade} not exported.\n" if unmade else ".\n"
    return f"{table(HEADS, cells)}\n{counts}"


def main(path: Path, families: Sequence[str]) -> None:
    for family in families:
        found = list[Outcome]()
        for one in outcomes(family):
            found.append(one)
            print(" | ".join(one.cells()), flush=True)
            path.write_text(renewed(path.read_text(encoding="utf-8"), {family: page(found)}), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
