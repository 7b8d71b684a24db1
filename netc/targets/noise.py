"""Inputs to try a network on: seeded noise, at sizes that work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from math import prod
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from netc.analysis.sizes.rules import Trial
    from netc.ir.net import Net
    from netc.ir.shape import Shape

MOST = 1_000_000  # numbers of an input whose size is matched to another one's: its solution may be large
SEEN = 9  # from this size on, windows have an inside and two borders


def noise(net: Net, batch: int, seed: int) -> dict[str, NDArray[Any]]:
    """A batch for each input by its name, as `drawn` makes it. What is open gets sizes that work, another on each axis
    where that works too. Raises `ValueError` where none is found."""
    import numpy  # noqa: PLC0415 - networks need none

    random = numpy.random.default_rng(seed)
    closed = _closed(net) if net.is_open else {}
    shapes = {name: [size or 1 for size in closed.get(name, net.shapes[name])] for name in net.inputs}
    return {name: drawn(net, name, (batch, *shape), random) for name, shape in shapes.items()}


def drawn(net: Net, name: str, shape: Sequence[int], random: Generator) -> NDArray[Any]:
    """Numbers for an input in float32: normal ones, or ids where a layer reads such."""
    ids = net.ids(name)
    made = random.normal(size=shape) if ids is None else random.integers(ids, size=shape)
    return made.astype("float32")


def _closed(net: Net) -> Mapping[str, Shape]:
    """Shapes for the open inputs."""
    from netc.analysis.sizes.rules import LIMIT, Trial  # noqa: PLC0415 - few networks are open
    from netc.analysis.sizes.trace import start, symbols  # noqa: PLC0415

    trial = Trial(net)
    working = _working(trial)
    first = next(working, None)
    if first is None:
        matched = start(net, symbols(net), trial)
        if matched is None or any(prod(size or 1 for size in shape) > MOST for shape in matched.values()):
            raise ValueError(f"no size up to {LIMIT} works for all open inputs of {net.name}")
        return matched
    second = next(working, first)
    for other in (second, first):
        sizes = [first if axis % 2 == 0 else other for axis in range(max(trial.axes) + 1)]
        if trial.failure(sizes) is None:
            break
    return trial.shapes(sizes)


def _working(trial: Trial) -> Iterator[int]:
    """Sizes that work when they are the same on every axis."""
    from netc.analysis.sizes.rules import LIMIT  # noqa: PLC0415

    candidates = chain(range(SEEN, LIMIT + 1), range(SEEN - 1, 0, -1))
    return filter(trial.works, candidates)
