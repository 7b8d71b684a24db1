"""Which sizes of its inputs a network takes, and the nearest that fit where one does not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from operator import ge, le

from netc.analysis.sizes.formula import Formula
from netc.analysis.sizes.rules import Rule, Trial, most_tried, rule
from netc.analysis.sizes.trace import Equation, Extents, Formulas, formulas, start, symbols
from netc.ir.net import Net
from netc.ir.shape import Shape, fits, show_shape

Shapes = Mapping[str, Shape]  # of inputs or outputs, by name


@dataclass(frozen=True, slots=True)
class Fit:
    """What a network makes of shapes of its inputs.

    Where it `works`, `outputs` are the shapes of its outputs and `macs` the multiply-accumulates for one sample. Else
    `reason` says why not, and `layer` which one refuses, if it is one. `larger` and `smaller` are the nearest shapes
    that work of which no size is smaller, or larger; None where there are no such.
    """

    inputs: Shapes
    outputs: Shapes
    macs: int | None = None
    reason: str = ""
    layer: str | None = None
    larger: Shapes | None = None
    smaller: Shapes | None = None

    @property
    def works(self) -> bool:
        """Whether the network takes the sizes."""
        return not self.reason


@dataclass(frozen=True, slots=True)
class Fitting:
    """What works for open sizes that have to be equal, mostly a single one: a rule, or single sizes."""

    symbols: tuple[str, ...]
    works: Rule | tuple[int, ...]

    def above(self, size: int) -> int | None:
        """The smallest size from this one on that works."""
        found = self.works.above(size) if isinstance(self.works, Rule) else [one for one in self.works if one >= size]
        return min(found, default=None)

    def below(self, size: int) -> int | None:
        """The largest size up to this one that works."""
        found = self.works.below(size) if isinstance(self.works, Rule) else [one for one in self.works if one <= size]
        return max(found, default=None)

    def __str__(self) -> str:
        if isinstance(self.works, Rule):
            return str(self.works)
        return ", ".join(map(str, self.works[:8])) + (", ..." if len(self.works) > 8 else "")


class OpenSizes:
    """The open sizes of a network (`input ?x?x3`): `symbols` names each by input and axis, as formulas do."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.symbols = symbols(net)

    @cached_property
    def _trial(self) -> Trial:
        return Trial(self.net)

    @cached_property
    def formulas(self) -> Formulas | None:
        """All sizes and MACs as formulas; None where no size works, or none was found for several inputs."""
        return formulas(self.net)

    @property
    def shapes(self) -> Mapping[str, Extents]:
        """The output shape of each layer, open sizes as formulas; None for a size that is none."""
        return self.net.shapes if self.formulas is None else self.formulas.shapes

    @property
    def equations(self) -> tuple[Equation, ...]:
        """Sizes that have to be equal where they meet."""
        return () if self.formulas is None else self.formulas.equations

    @cached_property
    def fittings(self) -> tuple[Fitting, ...]:
        """What works, axes apart. Empty without open sizes, and for inputs whose sizes have to be matched by hand."""
        trial = self._trial
        begin = start(self.net, self.symbols, trial) if self.symbols else None
        if begin is None:
            return ()
        sizes = {symbol: begin[name][axis] or 0 for (name, axis), symbol in self.symbols.items()}
        most = most_tried(trial)

        def works(group: tuple[str, ...], size: int) -> bool:
            return self._run(self._shapes({**sizes, **dict.fromkeys(group, size)}))[1] is None

        found = []
        for group in self._tied():
            if trial.base() is not None:
                found.append(Fitting(group, rule(trial, partial(works, group))))
            elif len(group) == 1:
                tried = sorted({*range(1, most + 1), sizes[group[0]]})
                found.append(Fitting(group, tuple(size for size in tried if works(group, size))))
        return tuple(found)

    def _tied(self) -> list[tuple[str, ...]]:
        """The symbols, in groups of those that stand in one equation."""
        groups: dict[str, tuple[str, ...]] = {symbol: (symbol,) for symbol in self.symbols.values()}
        for equation in self.equations:
            both = tuple(dict.fromkeys(symbol for name in equation.names for symbol in groups[name]))
            groups |= dict.fromkeys(both, both)
        return list(dict.fromkeys(groups.values()))

    def _shapes(self, sizes: Mapping[str, int]) -> dict[str, Shape]:
        """The shapes of the open inputs with these sizes."""
        return {
            name: tuple(
                sizes[self.symbols[name, axis]] if size is None else size
                for axis, size in enumerate(self.net.shapes[name])
            )
            for name in self._trial.inputs
        }

    def _run(self, inputs: Shapes) -> tuple[Shapes, tuple[str, str] | None]:
        """The shapes of all layers for shapes of the open inputs, and why they do not work: the layer and its reason.

        The equations count too: where one does not hold, a rule may take the sizes as something else than the formulas
        say, as `mul` takes a map that happens to be a single pixel for one factor a channel.
        """
        shapes, failure = self._trial.run(inputs)
        if failure is not None:
            return shapes, (failure.node.name, failure.error.message)
        sizes = self._values(inputs)
        for equation in self.equations:
            if not equation.holds(sizes):
                found = f"{equation.left.at(sizes)} and {equation.right.at(sizes)}"
                return shapes, (equation.name, f"it needs {equation}, got {found}")
        return shapes, None

    # -- given sizes -----------------------------------------------------------------------------------------

    def fit(self, *space: int, **spaces: Sequence[int]) -> Fit:
        """What the network makes of inputs with these spatial sizes, or of one size for all open axes; by the names of
        inputs where they differ. Raises `ValueError` for what is no size of an input.

        >>> net.sizes.fit(420, 560).larger
        {'input1': (432, 560, 3)}
        >>> net.sizes.fit(left=(64, 64), right=(32, 32)).works
        True
        """
        wanted = self._trial.inputs or self.net.inputs
        if unknown := sorted(spaces.keys() - set(wanted)):
            raise ValueError(f"there is no input `{unknown[0]}` to size: expected one of {', '.join(wanted)}")
        return self._fit({name: self._shape(name, spaces.get(name, space)) for name in wanted})

    def _shape(self, name: str, space: Sequence[int]) -> Shape:
        shape = self.net.shapes[name]
        rank = len(shape) - 1
        if not rank:
            raise ValueError(f"`{name}`, {show_shape(shape)}, is a vector: expected no size for it")
        if not space:
            raise ValueError(f"`{name}` has no size: expected {rank}, or one for all")
        if len(space) == 1 and rank > 1:
            return tuple(space[0] if size is None else size for size in shape)
        if len(space) != rank or min(space) < 1:
            given = "x".join(map(str, space))
            raise ValueError(f"got {given} for `{name}`, {show_shape(shape)}: expected {_count(rank)} of at least 1")
        return (*space, shape[-1])

    def _fit(self, inputs: Shapes) -> Fit:
        reason, layer, shapes = "", None, inputs
        for name, shape in inputs.items():
            if not fits(shape, self.net.shapes[name]):
                reason = f"`{name}` is {show_shape(self.net.shapes[name])}"
        if not reason:
            shapes, failure = self._run(inputs)
            layer, reason = failure or (None, "")
        if reason:
            near = (self._near(inputs, *way) for way in ((Fitting.above, max, ge), (Fitting.below, min, le)))
            return Fit(inputs, {}, None, reason, layer, *near)
        total = None if self.formulas is None else self.formulas.total.macs
        macs = total.at(self._values(inputs)) if isinstance(total, Formula) else total
        return Fit(inputs, {name: shapes[name] for name in self.net.outputs}, macs)

    def _values(self, inputs: Shapes) -> dict[str, int]:
        return {symbol: inputs[name][axis] or 0 for (name, axis), symbol in self.symbols.items()}

    def _near(
        self,
        inputs: Shapes,
        nearest: Callable[[Fitting, int], int | None],
        extreme: Callable[[Iterable[int]], int],
        ordered: Callable[[int, int], bool],
    ) -> Shapes | None:
        """The nearest shapes that work on one side of these."""
        given, sizes = self._values(inputs), dict[str, int]()
        for fitting in self.fittings:
            size = nearest(fitting, extreme(given[symbol] for symbol in fitting.symbols))
            if size is None:
                return None
            sizes |= dict.fromkeys(fitting.symbols, size)
        if len(sizes) < len(given):
            return None
        found = {name: self.net.shapes[name] for name in inputs} | self._shapes(sizes)
        beside = all(
            ordered(near or 0, size or 0)
            for name, shape in inputs.items()
            for near, size in zip(found[name], shape, strict=True)
        )
        return found if beside and self._run(found)[1] is None else None


def _count(rank: int) -> str:
    return f"{rank} size{'s' * (rank != 1)}"
