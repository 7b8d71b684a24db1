"""Sizes that are known only when a network runs, in what a model computes of them: a factor times one open size."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netc.lift.source import Unsaid

OPEN = "computes with a size that is known only when it runs: a model that is exported for one size can be read"


@dataclass(frozen=True, slots=True)
class Size:
    """`factor` times the size of the axis `axis` of what the layer `node` gives; of the batch where that is ""."""

    node: str
    axis: int
    factor: int = 1

    def __mul__(self, other: Any) -> Size:
        if isinstance(other, Size) or float(other) != int(other):
            raise Unsaid(OPEN)
        return Size(self.node, self.axis, self.factor * int(other))

    __rmul__ = __mul__

    def __floordiv__(self, other: Any) -> Size:
        if isinstance(other, Size) or self.factor % int(other):
            raise Unsaid(OPEN)
        return Size(self.node, self.axis, self.factor // int(other))

    __truediv__ = __floordiv__

    def __add__(self, other: Any) -> Size:
        if isinstance(other, Size) or other != 0:
            raise Unsaid(OPEN)
        return self

    __radd__ = __add__
    __sub__ = __add__


def is_batch(size: Size) -> bool:
    return not size.node
