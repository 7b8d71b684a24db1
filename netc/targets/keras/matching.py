"""Which layer of a file is which of a network: by name, else by shapes and order, where these leave no choice.

A file lists its layers, or those of each class, after what they read. Where of the layers of one shape each stands
before the next on every way through the network, all such orders of it are the same, and the file's is taken. Where two
stand beside each other, as the last convolution of a residual unit and the projection of its shortcut do, it depends on
how the file's program was written: then names have to say which is which, or the file is refused.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, product

from netc.ir.net import Net
from netc.ir.shape import show_shape
from netc.layers.base import Weight
from netc.storage.keras import snake
from netc.storage.stored import Layers, StorageError, Stored
from netc.targets.keras.known import order_of
from netc.targets.keras.order import depths, in_order

SHOWN = 8

# Names of layers beside the longest path, where a file has them: the projections of shortcuts in keras.applications'
# ResNet and ResNetV2, which are the number 0 of their unit. (DenseNet has a `_0_bn` too, and no `_0_conv` with it.) In
# its Xception they are the layers that its program gives no names, beside others that are known by theirs.
BESIDE = re.compile(r"(conv\d+_block\d+_0_)(conv|bn)")
UNNAMED, XCEPTION = re.compile(r"(conv2d|batch_normalization)(_\d+)?"), ("block13_sepconv2", "block14_sepconv2_bn")

Needed = Mapping[str, Sequence[Weight]]
Held = Mapping[str, Sequence[Stored]]
Kind = tuple[str, tuple[tuple[int, ...], ...], bool]  # class, shapes, and whether beside the longest path


@dataclass(slots=True)
class Pairs:
    """The layer of the file for each of the network, and whether their names are the same."""

    of: Mapping[str, str]
    by_name: bool


@dataclass(slots=True)
class _Alike:
    """Layers matched by their shapes: those that have one match, and in words those that have more."""

    of: dict[str, str] = field(default_factory=dict)
    unclear: dict[str, str] = field(default_factory=dict)


def pairs(net: Net, needed: Needed, layers: Layers, held: Held, skip: Collection[str]) -> Pairs:
    """The layer of the file for each of the network: by name, or by shape and order where that matches more of them.

    The networks of keras.applications have names of their own, of which one or two may be ours too (`fc1`). Raises
    `StorageError` where names differ and another match would be as good.
    """
    named = {name: name for name in needed if name in held}
    if len(named) == len(held):
        return Pairs(named, True)
    wanted = [name for name in needed if name not in skip]
    fitting = [name for name in wanted if name in named and fits(held[name], needed[name], layers)]
    alike = _alike(net, needed, layers, held)
    matched = [name for name in wanted if name in alike.of]
    unclear = [alike.unclear[name] for name in wanted if name in alike.unclear]
    if unclear and 2 * len(fitting) <= len(wanted) and len(matched) + len(unclear) > len(fitting):
        raise StorageError(f"its names are not those of the network, and {unclear[0]}")
    if unclear or len(matched) <= max(len(fitting), min(len(needed), len(held)) // 2):
        return Pairs(named, True)
    taken = set(alike.of.values())
    ours = sorted((name for name in wanted if name not in alike.of), key=lambda name: _largest(needed[name]))
    theirs = sorted((name for name in held if name not in taken), key=lambda name: _largest(held[name]))
    differing = {
        here: there for here, there in zip(ours, theirs, strict=False) if not fits(held[there], needed[here], layers)
    }
    return Pairs({**alike.of, **differing}, False)


def _largest(arrays: Sequence[Stored] | Sequence[Weight]) -> tuple[int, tuple[int, ...]]:
    """The shape of a layer's kernel: by it layers that differ are told beside those most like them."""
    return max(((len(one.shape), one.shape) for one in arrays), default=(0, ()))


def _alike(net: Net, needed: Needed, layers: Layers, held: Held) -> _Alike:
    ours, theirs = _kinds(net, needed, layers, held)
    in_line = _in_line(net, [same for same in ours.values() if len(same) > 1]) if layers.order != "none" else set()
    made = order_of(net)
    found = _Alike()
    for kind, same in ours.items():
        near = [name for name in theirs.get(kind, ()) if fits(held[name], needed[same[0]], layers)]
        if len(near) == len(same) and (len(same) == 1 or tuple(same) in in_line):
            found.of.update(zip(same, near, strict=True))
        elif made and len(near) == len(same) and None not in (places := {name: made(name) for name in near}).values():
            found.of.update(zip(same, sorted(near, key=lambda name: places[name] or ()), strict=True))
        elif near:
            found.unclear.update(dict.fromkeys(same, _unclear(same, near, needed[same[0]], layers)))
    return found


def _unclear(ours: Sequence[str], theirs: Sequence[str], weights: Sequence[Weight], layers: Layers) -> str:
    if len(ours) == len(theirs) or layers.order == "none":
        return f"{listed(theirs)} fit {listed(ours)} equally well: rename its layers"
    shapes = ", ".join(f"{weight.name} {show_shape(weight.shape)}" for weight in weights)
    counts = f"{len(theirs)} such as `{theirs[0]}`, the network {len(ours)} such as `{ours[0]}`"
    return f"of layers with {shapes} it has {counts}"


def _kinds(
    net: Net, needed: Needed, layers: Layers, held: Held
) -> tuple[Mapping[Kind, list[str]], Mapping[Kind, list[str]]]:
    """The layers of the network and those of the file, by what can be seen of them on both sides."""
    projections = {name for name in held if (parts := BESIDE.fullmatch(name)) and f"{parts[1]}conv" in held}
    if all(name in held for name in XCEPTION):
        projections = {name for name in held if UNNAMED.fullmatch(name)}
    beside = _beside(net) if projections else set()
    by_class = layers.order == "class"
    classes = _classes(net) if by_class else {}
    ours: dict[Kind, list[str]] = {}
    for name, weights in needed.items():
        shapes = tuple(sorted(weight.shape for weight in weights))
        ours.setdefault((classes.get(name, ""), shapes, name in beside), []).append(name)
    theirs: dict[Kind, list[str]] = {}
    for (name, arrays), layer in zip(held.items(), layers.found, strict=True):
        shapes = tuple(sorted(stored.shape for stored in arrays))
        theirs.setdefault((layer.kind if by_class else "", shapes, name in projections), []).append(name)
    for kind, same in ours.items():
        others = [other for other in theirs if other not in ours and _also(other, kind, needed[same[0]])]
        if kind not in theirs and len(others) == 1:
            theirs[kind] = theirs.pop(others[0])
    return ours, theirs


def _also(theirs: Kind, ours: Kind, weights: Sequence[Weight]) -> bool:
    """Whether layers of one kind have the numbers of the other in other shapes, as a dense layer has those of a 1x1
    convolution."""
    shapes = ([weight.shape, *weight.also] for weight in weights)
    return theirs[2] == ours[2] and theirs[1] in {tuple(sorted(chosen)) for chosen in product(*shapes)}


def _classes(net: Net) -> Mapping[str, str]:
    """The class of the layer that makes a node's weights, as files name it."""
    calls = ((name, call) for name, call in in_order(net) if not call.suffix)
    return {name: snake(call.path.rpartition(".")[2]).replace("_", "") for name, call in calls}


def _beside(net: Net) -> set[str]:
    """Layers that are on none of the longest paths through the network."""
    above, below = depths(net), dict.fromkeys((node.name for node in net), 0)
    for node in reversed(list(net)):
        for operand in net.operands(node.name):
            below[operand] = max(below[operand], below[node.name] + 1)
    longest = max(above[name] + below[name] for name in above)
    return {name for name in above if above[name] + below[name] < longest}


def _in_line(net: Net, groups: Sequence[Sequence[str]]) -> set[tuple[str, ...]]:
    """The groups of layers of which each comes before the next wherever that is applied."""
    bits = {name: 1 << number for number, name in enumerate(name for group in groups for name in group)}
    before: dict[str, int] = {}  # layers before each in the groups, as bits
    reaching: dict[str, int] = {}  # and those before each node, itself included, as long as one is to read it
    readers = {node.name: len(net.consumers(node.name)) for node in net}
    for node in net:
        met = 0
        for operand in net.operands(node.name):
            met |= reaching[operand]
            readers[operand] -= 1
            if not readers[operand]:
                del reaching[operand]
        before[node.layer_name] = met & before.get(node.layer_name, -1)
        reaching[node.name] = met | bits.get(node.layer_name, 0)
    return {tuple(group) for group in groups if all(before[two] & bits[one] for one, two in pairwise(group))}


# -- one layer ------------------------------------------------------------------------------------------------


def arranged(arrays: Sequence[Stored], weights: Sequence[Weight], layers: Layers) -> Sequence[Stored]:
    """The arrays of a layer in the order of its weights: by their roles, as they are where Keras arranged them, else by
    their shapes, each of which must be another."""
    roles = {weight.name: [stored for stored in arrays if _is_role(stored.name, weight.name)] for weight in weights}
    if len(arrays) == len(weights) and all(len(found) == 1 for found in roles.values()):
        return [roles[weight.name][0] for weight in weights]
    if layers.arranged or len(arrays) != len(weights):
        return arrays
    shapes = {stored.shape: stored for stored in arrays}
    if len(shapes) == len(arrays) and all(weight.shape in shapes for weight in weights):
        return [shapes[weight.shape] for weight in weights]
    return arrays if len(arrays) == 1 else []


def _is_role(name: str, role: str) -> bool:
    """Whether the name of an array ends in a role, of one part or of more: `attention1/query/kernel`."""
    return f"/{name.replace('.', '/').partition(':')[0]}".endswith(f"/{role}")


def _role(name: str) -> str:
    return name.replace(".", "/").rpartition("/")[2].partition(":")[0]


def difference(arrays: Sequence[Stored], weights: Sequence[Weight]) -> str:
    """What keeps arranged arrays from being the values of weights, naming both sides."""
    if len(arrays) != len(weights):
        wanted = ", ".join(f"{weight.name} {show_shape(weight.shape)}" for weight in weights)
        ours, theirs = ({_role(one.name): one.shape for one in side} for side in (weights, arrays))
        if theirs == {**ours, "bias": theirs.get("bias")}:
            return "the file has a bias for it, and the network none"
        if ours == {**theirs, "bias": ours.get("bias")}:
            return "the network has a bias for it, and the file none"
        if not arrays:
            return f"its arrays in the file cannot be told apart, and the network has {wanted}"
        given = ", ".join(f"{_role(stored.name)} {show_shape(stored.shape)}".strip() for stored in arrays)
        return f"the file has {given}, the network {wanted}"
    for stored, weight in zip(arrays, weights, strict=True):
        if stored.shape not in (weight.shape, *weight.also):
            return f"the file has {show_shape(stored.shape) or 'one number'}, the network {show_shape(weight.shape)}"
    return ""


def fits(arrays: Sequence[Stored], weights: Sequence[Weight], layers: Layers) -> bool:
    """Whether arrays can be the values of weights."""
    return not difference(arranged(arrays, weights, layers), weights)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence, the first of many."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more
