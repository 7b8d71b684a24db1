"""Stages of a network: what papers draw and count together, such as three convolutions and the pooling after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile

from netc.analysis.structure import Layers, Series
from netc.figures.facts import sizes
from netc.figures.trunk import Unit, short
from netc.ir.shape import rank_of


@dataclass(frozen=True, slots=True)
class Stage:
    """Consecutive units: some with outputs of one spatial size, then the pooling that ends them.

    `first` is the index of the first one in the trunk, `call` the call in the spec that made it, if any.
    """

    units: Sequence[Unit]
    first: int
    call: str

    @property
    def body(self) -> Sequence[Unit]:
        """The units without the pooling at the end; all of them, if there is nothing else."""
        return [unit for unit in self.units if not is_pool(unit)] or self.units

    @property
    def is_vector(self) -> bool:
        """Whether the outputs have no spatial dimensions."""
        return not rank_of(self.units[0].shape)

    def name(self) -> str:
        """What the spec calls it: the call that made it, what its layers' names begin with, or its layers."""
        names = [unit.node.name for unit in self.body]
        prefix = "_".join(_beginning([name.split("_") for name in names]))
        if self.call or (prefix and len(names) > 1):
            return self.call or prefix
        return ", ".join(names) if len(names) < 4 else f"{names[0]} ... {names[-1]}"

    def layers(self) -> str:
        """Its layers: `3 × (3×3, 256)`."""
        return counted([short(unit.layer, unit.shape) for unit in self.body])

    def size(self) -> str:
        """The shape of its output, before the pooling: `56×56×256`."""
        return sizes(self.body[-1].joined)


def is_pool(unit: Unit) -> bool:
    """Whether it makes a map smaller without weights."""
    return unit.layer.family == "pool" and bool(rank_of(unit.shape))


def group(units: Sequence[Unit], whole: Series) -> list[Stage]:
    """The stages of a network of the structure `whole`, in order."""
    calls = _calls(units, whole)
    made: list[Stage] = []
    start = 0
    for at in range(1, len(units) + 1):
        if at == len(units) or _begins(units[at - 1], units[at], calls[at - 1] != calls[at]):
            made.append(Stage(units[start:at], start, calls[start]))
            start = at
    return made


def _begins(before: Unit, unit: Unit, elsewhere: bool) -> bool:
    """Whether a stage begins with a unit; `elsewhere`: another call made it."""
    if before.layer.is_input:
        return True
    if is_pool(unit):
        return False
    return is_pool(before) or before.shape[:-1] != unit.shape[:-1] or (elsewhere and bool(rank_of(unit.shape)))


def _calls(units: Sequence[Unit], whole: Series) -> list[str]:
    """For each unit the outermost call it was made by; not counting those that made the whole network."""
    paths: dict[str, tuple[str, ...]] = {}
    todo: list[tuple[Series, tuple[str, ...]]] = [(whole, ())]
    while todo:
        series, path = todo.pop()
        for item in series.items:
            if isinstance(item, Layers):
                paths.update(dict.fromkeys(item.names, path))
                todo += [(branch, path) for branch in item.branches]
            else:
                inner = (*path, item.name) if item.definition else path
                todo += [(each, inner) for each in item.passes]
    found = [paths[unit.node.name] for unit in units]
    common = len(_beginning([path for unit, path in zip(units, found, strict=True) if not unit.layer.is_input]))
    return ["".join(path[common : common + 1]) for path in found]


def _beginning(rows: Sequence[Sequence[str]]) -> list[str]:
    """What all rows begin with."""
    return [level[0] for level in takewhile(lambda level: len(set(level)) == 1, zip(*rows, strict=False))]


def counted(parts: Sequence[str]) -> str:
    """Repeated parts with their number: `2 × (3×3, 64), 1×1, 64`, or `3 × (1×1, 64; 3×3, 64; 1×1, 256)`."""
    period = next(step for step in range(1, len(parts) + 1) if _repeats(parts, step))
    if 1 < period < len(parts):
        return f"{len(parts) // period} × ({'; '.join(parts[:period])})"
    runs = [(part, len(list(run))) for part, run in groupby(parts)]
    plain = len(runs) == 1 or not any(", " in part for part in parts)
    return ", ".join(_times(part, count, plain) for part, count in runs)


def _times(part: str, count: int, plain: bool) -> str:
    text = f"({part})" if ", " in part and not (plain and count == 1) else part
    return f"{count} × {text}" if count > 1 else text


def _repeats(parts: Sequence[str], period: int) -> bool:
    return len(parts) % period == 0 and all(part == parts[at % period] for at, part in enumerate(parts))
