"""What a reader makes of somebody's model: a flat network of netc's own layers, or all reasons why there is none.

A reader adds layers to a `Sketch`, in topological order, as a spec would say them. What it cannot say exactly it
refuses with its place in the source; layers after a refused one are looked at as far as that goes, so that one look
at a model lists all that is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from netc.ir.net import Net, Node, Origin
from netc.ir.shape import Shape, rank_of
from netc.layers.base import LAYERS
from netc.lift.arguments import accepted
from netc.params import Refused
from netc.rewrites.canonical import single_pixel_pool
from netc.syntax.source import NOWHERE
from netc.syntax.tree import RESERVED

if TYPE_CHECKING:
    from netc.ir.weights import Weights

MOST_SHOWN = 20  # reasons in a message


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a part of a model is no network of netc: `place` is where in the source (`layer `conv2d_3` (Conv2D)`)."""

    place: str
    why: str


class Unsaid(Exception):
    """A part of a model that netc cannot say exactly, for a reader that knows its place. The text says why."""


class ImportRefused(ValueError):
    """A model that netc cannot say exactly. The text is for the user, one reason a line."""

    def __init__(self, reasons: Sequence[Reason]) -> None:
        self.reasons = tuple(dict.fromkeys(reasons))
        lines = [f"{reason.place}: {reason.why}" for reason in self.reasons[:MOST_SHOWN]]
        if (more := len(self.reasons) - MOST_SHOWN) > 0:
            lines.append(f"and {more} more")
        super().__init__("\n".join(lines))


@dataclass(slots=True)
class Imported:
    """A model that was read: `net` is flat, one node a layer of the source, each named after it.

    `sources` holds the source's own name of each node, with the scopes it stands in (`layer1.0.conv1`,
    `conv2_block1_1_conv`). `weights` reads the arrays, by the names of nodes, channels last; None where the source has
    none. `left_out` are parts of the source that are not in the network, `remarks` what else a reader of the spec has
    to know (batch norms that were folded); both are sentences without a full stop. `layout` says of inputs and outputs
    whose axes the source has in another order, by node, which of its axes those of the node are, batch first; None
    where it has none of an axis of size 1.
    """

    net: Net
    sources: Mapping[str, str]
    weights: Callable[[], Weights] | None = None
    left_out: Sequence[str] = ()
    remarks: Sequence[str] = ()
    layout: Mapping[str, Sequence[int | None]] = field(default_factory=dict)


Tensor = str | None  # a node's name; None for what comes of a layer that was refused


@dataclass(slots=True)
class Sketch:
    """A network while a reader makes it."""

    name: str
    net: Net = field(init=False)
    sources: dict[str, str] = field(default_factory=dict)
    reasons: list[Reason] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)  # of the sources that would have one name

    def __post_init__(self) -> None:
        self.net = Net(self.name)

    def add(
        self,
        source: str,
        op: str,
        operands: Sequence[Tensor] = (),
        *,
        place: str = "",
        shares: str | None = None,
        **values: Any,
    ) -> Tensor:
        """Add a layer that the source calls `source`, and give the name of its node; None where it was refused.

        `values` are parameters of netc's operation `op` as its class stores them (`kernel=(3, 3)`, `pad="same"`),
        checked here by their kinds, as a spec's are. `shares` is the node whose weights it uses. `place` is what
        reasons call it, else the source's name.
        """
        known = [operand for operand in operands if operand is not None]
        shapes = [self.net.shapes[operand] for operand in known]
        cls = LAYERS[op]
        try:
            layer = cls(**accepted(cls, values, rank_of(shapes[0]) if shapes else 0))
            least, most = layer.reads
            if not least <= len(operands) <= (len(operands) if most is None else most):
                raise Refused("NET117", f"`{op}` reads {len(operands)} tensors, expected {least if most else 'more'}")
            if len(known) < len(operands):
                layer.validate(None)
                return None
            node = single_pixel_pool(Node(self._free(source), layer, Origin(NOWHERE), shares))
            shape = layer.infer(shapes)
        except Refused as error:
            self.refuse(place or f"`{source}`", error.message)
            return None
        self.sources[node.name] = source
        return self.net.add(node, known, shape)

    def refuse(self, place: str, why: str) -> None:
        """Note why a part of the source is no network of netc."""
        self.reasons.append(Reason(place, why))

    def shape(self, tensor: Tensor) -> Shape | None:
        """The shape of a tensor, channels last and without the batch; None where that is not known."""
        return None if tensor is None else self.net.shapes[tensor]

    def finish(self, outputs: Sequence[Tensor]) -> Net:
        """The network, of which layers that no output depends on are left out. Raises `ImportRefused`."""
        self.net.outputs = [output for output in outputs if output is not None]
        if not self.reasons and not self.net.outputs:
            self.refuse("the model", "it has no outputs")
        if self.reasons:
            raise ImportRefused(self.reasons)
        used = self.net.used() | set(self.net.inputs)
        used |= {shares for node in self.net if node.name in used and (shares := node.shares)}
        made = Net(self.name)
        for node in self.net:
            if node.name in used:
                made.add(node, self.net.operands(node.name), self.net.shapes[node.name])
        made.outputs = self.net.outputs
        return made

    def _free(self, source: str) -> str:
        """A name for a node that is a name of the language, and no other node's."""
        plain = re.sub(r"\W+", "_", source, flags=re.ASCII).strip("_") or "layer"
        if not plain[0].isalpha() or plain in RESERVED or (plain in LAYERS and plain.isalpha()):
            plain = f"layer_{plain}"
        name, count = plain, self._counts.get(plain, 1)
        while name in self.net:
            count += 1
            name = f"{plain}_{count}"
        self._counts[plain] = count
        return name
