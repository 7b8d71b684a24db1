"""Networks of keras.applications in whose branches layers of one shape stand beside each other.

Files of weights do not say how layers are joined, but names in them count up as the program makes the layers. So a file
can be read into a network that is known to be that program's, made in the order of its program, as the specs are: any
other one, with two branches exchanged, is not known and is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256

from netc.ir.net import Net
from netc.layers.dense import Dense

Order = tuple[int, ...]
COUNTED = re.compile(r"(?:conv2d|batch_normalization)(?:_(\d+))?")
STAGE = re.compile(
    r"convnext_[a-z]+_(?:(head)|stem|downsampling_(?:conv|layernorm)_(\d)|stage_(\d)_block_(\d+))(?:_[a-z]\w*)?"
)
CELL = re.compile(
    r"(?:adjust_(?P<adjust>bn|conv_(?:\w+?))|(?:normal|reduction)_(?:conv|bn)_1|separable_conv_(?P<which>[12])(?:_bn)?"
    r"_(?:normal|reduction)_(?P<side>left|right)(?P<slot>\d))_(?P<kind>stem_|reduce_)?(?P<cell>\d+)"
)


def _counted(name: str) -> Order | None:
    """Of layers without names of their own: the number that Keras gives them."""
    return (int(found[1] or 0),) if (found := COUNTED.fullmatch(name)) else None


def _stage(name: str) -> Order | None:
    """Of layers in ConvNeXt: the stage, which begins with its downsampling, and the block."""
    if not (found := STAGE.fullmatch(name)):
        return None
    head, downsampling, stage, block = found.groups()
    if stage:
        return int(stage), 1 + int(block)
    return (9, 0) if head else (int(downsampling) + 1 if downsampling else 0, 0)


def _cell(name: str) -> Order | None:
    """Of layers in NASNet: the cell, then its two inputs, then its sums, the left side of each first."""
    if not (found := CELL.fullmatch(name)):
        return None
    stem, reduce = found["kind"] == "stem_", found["kind"] == "reduce_"
    cell = (not stem, int(found["cell"]), reduce)
    if found["slot"]:
        return (*cell, 2, int(found["slot"]), found["side"] == "right", int(found["which"]))
    return (*cell, 0 if found["adjust"] else 1)


ORDERS: dict[str, Callable[[str], Order | None]] = {
    "25e48cda064a6170": _counted,  # InceptionV3
    "52747c5ede001445": _counted,  # InceptionResNetV2
    "64ffc5386e7decf7": _cell,  # NASNetMobile
    "a9abf36b7871eb0b": _stage,  # ConvNeXtTiny, whose files have models in models
}


def order_of(net: Net) -> Callable[[str], Order | None] | None:
    """When the program of keras.applications that a network is that of makes the layer of a name; None for other
    networks. What the function gives is None for names that are not of its layers."""
    return ORDERS.get(skeleton(net))


def skeleton(net: Net) -> str:
    """Operations, shapes of weights and edges, in the order of the text, as a digest; without what acts in training
    alone, and without dense layers, whose units are the classes."""
    place: dict[str, int] = {}
    lines: list[object] = []
    for node in net:
        operands = [place[name] for name in net.operands(node.name)]
        if node.layer.train_only or isinstance(node.layer, Dense):
            place[node.name] = operands[0]
            continue
        place[node.name] = len(lines)
        shapes = [weight.shape for weight in node.layer.weights(net.operand_shapes(node.name))]
        lines.append((node.layer.op, shapes, operands))
    return sha256(repr(lines).encode()).hexdigest()[:16]
