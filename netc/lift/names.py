"""Names of definitions: what the source calls its blocks, else what they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from netc.layers.base import LAYERS
from netc.lift.definitions import TENSORS, strides
from netc.lift.scopes import Scopes, parts_of
from netc.lift.vectors import Call, Definition, Item, Layer, Loop, Series, inner, layers_of
from netc.lower.definitions import shipped
from netc.lower.names import NAMELESS
from netc.syntax.tree import RESERVED

_SHORTEST = 3  # letters of a name
_VAGUE = frozenset({"model", "module", "net", "network", "features", "functional", "sequential", "body", "layers"})
_OTHERS = frozenset({"channels", "rows", "columns", "frames", "with", *TENSORS})  # what means something else in a body
_GATED = frozenset({"squeeze", "project"})
_LOOKED = 12  # executions of a definition that are looked at


def name_definitions(definitions: Sequence[Definition], scopes: Scopes, network: str) -> None:
    """Give definitions their names, no two the same, none that of an operation or a shipped block, and none a word of
    the name of the network."""
    whole = {part.lower() for part in parts_of(network)}
    taken: set[str] = set()
    traits: dict[str, list[dict[str, bool]]] = {}  # of the definitions that are called alike
    for one in definitions:
        base = _of_source(one, scopes)
        if base is None or base in whole:
            base = _of_kind(one.body)
        own, others = _traits(one.body), traits.setdefault(base, [])
        name, count = base, 0
        if name in taken and (trait := _of_its_own(own, others)) is not None:
            name = f"{base}_{trait}"
        while name in taken or not _is_free(name):  # by letters: a number would be taken for that of a call
            count += 1
            name = f"{base}_{chr(ord('a') + count % 26) * (1 + count // 26)}"
        others.append(own)
        taken.add(name)
        one.name = name


def _traits(body: Series) -> dict[str, bool]:
    """What may tell a block from others of its name, what says most first."""
    words = {word for item in body.items for word in _all_words(item)}
    families = {LAYERS[word].family for word in words if word in LAYERS}
    first = next((word for item in body.items for word in _words(item)), "")
    return {
        "down": any(map(strides, body.items)),
        "up": bool(words & {"deconv", "upsample", "resize"}),
        "preact": first in LAYERS and LAYERS[first].family in ("norm", "activation"),
        "gated": "mul" in words,
        "joined": "concat" in words,
        "residual": "add" in words,
        "separable": bool(words & {"sepconv", "dwconv"}),
        "factorized": any(map(_has_lines, body.items)),
        "pooled": "pool" in families,
    }


def _of_its_own(own: Mapping[str, bool], others: Sequence[Mapping[str, bool]]) -> str | None:
    """What a block has that no other one of its name has; `plain`, if each of these has what it has not."""
    for trait, has in own.items():
        if has and not any(other[trait] for other in others):
            return trait
    return "plain" if any(all(other[trait] for other in others) for trait, has in own.items() if not has) else None


def _is_free(name: str) -> bool:
    return (
        name not in _OTHERS
        and name not in LAYERS
        and name not in RESERVED
        and name not in NAMELESS
        and shipped(name) is None
    )


def _of_source(one: Definition, scopes: Scopes) -> str | None:
    """The word of the scope that each execution is: `block` of `conv2_block1_1_conv` and `conv2_block1_2_conv`."""
    words: set[str] = set()
    for run in range(min(one.body.times, _LOOKED)):
        layers = [
            (layer.word, path) for layer, at in layers_of(one.body, run) if (path := scopes.path(layer.names[at]))
        ]
        weighted = [
            path for word, path in layers if LAYERS[word].weighted
        ]  # what joins tensors may stand in the next scope
        paths = weighted if len(weighted) > 1 else [path for _, path in layers]
        if len(paths) < 2:
            return None
        scope = _common(paths)
        if any(len(path) > len(scope) and path[len(scope)].isdecimal() for path in paths):
            scope = scope[:-1]  # several of that name
        named = [part for part in scope if not part.isdecimal()]
        if not named:
            return None
        words.add(named[-1].lower())
    word = words.pop() if len(words) == 1 else ""
    return word if word.isalpha() and len(word) >= _SHORTEST and word not in _VAGUE and _is_free(word) else None


def _common(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The parts that all paths begin with."""
    least, most = min(paths), max(paths)
    same = next((at for at, part in enumerate(least) if at == len(most) or part != most[at]), len(least))
    return least[:same]


def _of_kind(body: Series) -> str:
    """A word for what a block does."""
    items = body.items
    words = [word for item in items for word in _words(item)]
    inside = [word for item in items for word in _all_words(item)]
    loop = any(isinstance(item, Loop) and not item.may_be for item in items)
    stages = [item for item in items if isinstance(item, Call) and item.definition.name.startswith("stage")]
    if stages and strides(items[-1]) and items[-1] not in stages:
        return "stage_down"
    calls_only = all(isinstance(item, Call | Loop) for item in items) and any(isinstance(item, Call) for item in items)
    if calls_only or (loop and (len(items) > 1 or "add" in inside or "concat" in inside)):
        return "stage"
    if words[-1:] == ["mul"] and "gap" in inside and words.count("conv") < 2:
        return "squeeze"
    if words == ["mul"] and "sigmoid" in inside and "gap" not in inside:
        return "gated"
    combiners = [item for item in items if isinstance(item, Layer) and item.branches]
    if any(item.word == "concat" and len(item.branches) > 2 for item in combiners):
        return "mixed"
    if (
        len(items) == len(combiners) == 1
        and words == ["concat"]
        and all(branch.items for branch in combiners[0].branches)
    ):
        return "split"
    if any(item.word == "concat" and any(not branch.items for branch in item.branches) for item in combiners):
        return "dense"
    if combiners and all(item.word == "add" for item in combiners):
        return "unit"
    if "deconv" in words or "upsample" in words:
        return "up"
    if words[:1] in (["pool"], ["avgpool"]) and words.count("conv") == 1 and not combiners:
        return "pooled"
    if words and words[-1] in ("pool", "avgpool"):
        return "down" if "concat" not in inside else "transition"
    gated = "mul" in words or any(isinstance(item, Call) and item.definition.name in _GATED for item in items)
    if gated and "conv" in words:
        return "mbconv" if "dwconv" in words else "project"
    if "dwconv" in words:
        return "separable" if words.count("conv") < 2 else "mobile"
    if _is_fused(items):
        return "fused"
    if words.count("conv") == 2 and not combiners:
        return "head" if words[-1] == "conv" and "bn" in words else "double"  # others are normalised, outputs are not
    if words.count("conv") == 3 and not combiners and any(map(_is_line, items)):
        return "factorized"
    return "block"


def _is_fused(items: Sequence[Item]) -> bool:
    """Whether it is the fused inverted residual of EfficientNetV2: a window of several pixels that widens, and one of a
    pixel without activation that narrows."""
    convs = [item for item in items if isinstance(item, Layer) and "filters" in item.values]
    last = items[-1]
    if len(convs) != 2 or not isinstance(last, Layer) or LAYERS[last.word].family != "norm":
        return False
    widths = zip(*(item.values["filters"] for item in convs), strict=True)
    pixels = [[own == 1 for own in item.values.get("kernel", ())] for item in convs]
    return not any(pixels[0]) and all(pixels[1]) and all(one > other for one, other in widths)


def _has_lines(item: Item) -> bool:
    if isinstance(item, Call):
        return any(map(_has_lines, item.bodies()[0].items))
    return _is_line(item) or any(_has_lines(each) for series in inner(item) for each in series.items)


def _is_line(item: Item) -> bool:
    """Whether it is a convolution of 1x7 or the like."""
    kernels = item.values.get("kernel", []) if isinstance(item, Layer) else []
    return any(isinstance(own, tuple) and 1 in own and max(own) > 1 for own in kernels)


def _words(item: Item) -> Iterator[str]:
    if isinstance(item, Layer):
        yield item.word
    elif isinstance(item, Loop):
        for each in item.body.items:
            yield from _words(each)


def _all_words(item: Item) -> Iterator[str]:
    if isinstance(item, Layer):
        yield item.word
        for branch in item.branches:
            for each in branch.items:
                yield from _all_words(each)
    elif isinstance(item, Loop):
        for each in item.body.items:
            yield from _all_words(each)
    elif isinstance(item, Call):
        for each in item.bodies()[0].items:
            yield from _all_words(each)
