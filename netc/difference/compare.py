"""The difference of two networks: the edits between them, and what these come to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from netc.analysis.cost import measure
from netc.analysis.receptive import Axis, figure, net_field, receptive_fields
from netc.analysis.sizes.trace import formulas
from netc.difference.edits import Changed, Edit, Replaced, Rewired
from netc.difference.finding import edits_of
from netc.difference.matching import Matching, match
from netc.difference.settings import settings_of
from netc.difference.side import Side
from netc.ir.net import Net
from netc.ir.shape import show_shape


@dataclass(frozen=True, slots=True)
class Figures:
    """What a network comes to; None where an unknown size leaves it open, which `macs_formula` then says as a formula
    of it, where there is one. A field of None sees the whole input."""

    parameters: int
    trainable: int
    macs: int | None
    macs_formula: str | None
    depth: int
    receptive_field: object
    inputs: Sequence[str]
    outputs: Sequence[str]

    @classmethod
    def of(cls, net: Net) -> Figures:
        """Those of a network."""
        cost = measure(net)
        field = figure(net_field(net, receptive_fields(net)), _size)
        inputs, outputs = ([show_shape(net.shapes[name]) for name in names] for names in (net.inputs, net.outputs))
        total, opened = cost.total, formulas(net) if net.is_open else None
        said = None if opened is None or opened.total.macs is None else str(opened.total.macs)
        return cls(total.parameters, total.trainable, total.macs, said, cost.depth, field, inputs, outputs)


def _size(axis: Axis) -> int:
    return axis.size


@dataclass
class Difference:
    """What changed from one network to another; printed, it is told in words."""

    matching: Matching
    edits: Sequence[Edit]

    @property
    def same(self) -> bool:
        """Whether both are one network, with the same `data` and `train`."""
        return not self.edits

    @property
    def common(self) -> int:
        """How many layers match: they are in both networks, read the same there, and have the same parameters, but for
        those that changed in all layers of an operation."""
        others = set[str]()
        for edit in self.edits:
            match edit:
                case Changed(every=False):
                    others |= {name for _, name in edit.layers}
                case Rewired():
                    others.add(edit.layer[1])
                case Replaced():
                    others |= set(edit.layers[1])
        return len(self.matching.back.keys() - others)

    @cached_property
    def figures(self) -> tuple[Figures, Figures]:
        """What both networks come to."""
        return Figures.of(self.matching.before.whole), Figures.of(self.matching.after.whole)

    @property
    def data(self) -> dict[str, Any]:
        """The difference as plain data (docs/diff.md)."""
        from netc.difference.data import data  # noqa: PLC0415

        return data(self)

    @property
    def json(self) -> str:
        """`data` as JSON."""
        from netc.difference.data import dump  # noqa: PLC0415

        return dump(self)

    @property
    def text(self) -> str:
        """The difference in words: a line an edit, and one in the place of many where networks have little in common or
        blocks became others (docs/diff.md)."""
        return str(self)

    def __str__(self) -> str:
        from netc.difference.words import text  # noqa: PLC0415

        return text(self)

    def __repr__(self) -> str:
        return str(self).rstrip("\n")

    def __bool__(self) -> bool:
        return not self.same


def compare(before: Side, after: Side) -> Difference:
    """The difference of two networks; those of one name are named so that they are told apart."""
    if before.name == after.name:
        before.tell_from(after.file)
        after.tell_from(before.file)
    if before.program is None or after.program is None:
        before.forget_beginnings()
        after.forget_beginnings()
    made = match(before, after)
    return Difference(made, [*edits_of(made), *settings_of(made)])
