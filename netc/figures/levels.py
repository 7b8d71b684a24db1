"""Output sizes along a path: layers of one size stand in one row of a table and have one hue in a column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import prod

from netc.analysis.sizes.trace import Extents
from netc.figures.facts import Facts, show_extents
from netc.figures.trunk import Trunk
from netc.ir.net import Net
from netc.ir.shape import rank_of


@dataclass(frozen=True, slots=True)
class Size:
    """A spatial size: in pixels, or as `scale`: by how much the input is larger, one factor a dimension."""

    pixels: Extents = ()
    scale: tuple[Fraction, ...] = ()

    def __str__(self) -> str:
        """As figures write it: `56×56`, `⌈H/4⌉×⌈W/4⌉`, `input / 4`, `input × 2`, `vector`."""
        if not self.scale:
            return show_extents(self.pixels) or "vector"
        factors = self.scale[:1] if len(set(self.scale)) == 1 else self.scale
        if set(factors) == {Fraction(1)}:
            return "input size"
        smaller = all(factor >= 1 for factor in factors)
        return f"input {'/' if smaller else '×'} " + "×".join(str(part if smaller else 1 / part) for part in factors)

    @property
    def rank(self) -> tuple[float, ...]:
        """What orders sizes, the largest first and vectors last; open ones as if they were large."""
        if self.scale:
            return 0.0, float(prod(self.scale))
        known = [part if isinstance(part, int) else 1e4 if part is None else part.at(10_000) for part in self.pixels]
        return (1.0, -float(prod(known))) if known else (2.0,)


def levels(facts: Facts, trunk: Trunk, relative: bool) -> list[Size]:
    """The spatial size after each unit of a path; `relative`: to the input, where it has any positions left."""
    known = scales(trunk.net) if relative else {}
    names = [unit.node.name for unit in trunk.units]
    return [Size(scale=scale) if (scale := known.get(name)) else Size(facts.extents(name)[:-1]) for name in names]


def are_relative(trunks: Sequence[Trunk]) -> bool:
    """Whether the sizes of networks compare as parts of their inputs only, because these differ."""
    return len({trunk.units[0].shape[:-1] for trunk in trunks}) > 1


def scales(net: Net) -> dict[str, tuple[Fraction, ...] | None]:
    """By how much the input is larger than each tensor, going by the strides between them, one factor a spatial
    dimension; None where all of it was read at once."""
    found: dict[str, tuple[Fraction, ...] | None] = {}
    for node in net:
        rank = rank_of(net.shapes[node.name])
        windows = node.layer.windows(net.operand_shapes(node.name))
        before = next((scale for name in net.operands(node.name) if (scale := found[name]) is not None), None)
        if node.layer.is_input:
            found[node.name] = (Fraction(1),) * rank or None
        elif before is None or windows is None or len(before) != rank:
            found[node.name] = None
        else:
            steps = [Fraction(window.stride, window.up) for window in windows] or [Fraction(1)] * rank
            found[node.name] = tuple(scale * step for scale, step in zip(before, steps, strict=True))
    return found
