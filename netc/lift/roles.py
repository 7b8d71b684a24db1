"""What the widths of a definition are called: by what the layers do that have them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from netc.layers.base import LAYERS
from netc.lift.express import CIN, WIDTH, Formal, Said, Solution
from netc.lift.vectors import Call, Item, Layer, Loop, Series, inner

_MOST = 3  # widths that have roles; more are numbered
_OUT = "ch"
_PASSES = frozenset({"norm", "activation", "regularise", "pool"})  # families that keep the channels


def call_widths(body: Series, solution: Solution) -> None:
    """Call the width of the output `ch`, and that of a window of one pixel before other layers `reduce` or `expand`."""
    widths = [formal for formal in solution.formals if formal.kind == WIDTH and formal.name != CIN]
    if not 1 < len(widths) <= _MOST:
        return
    others = {formal.name for formal in solution.formals if formal not in widths}
    names: dict[Formal, str] = {}
    if (out := _output(body.items, solution)) is not None:
        names[out] = _OUT
    for formal, role in _roles(body, solution):
        if formal in widths and role not in others:
            names.setdefault(formal, role)
    rest = [formal for formal in widths if formal not in names]
    if len(rest) == 1 and out is None:
        names[rest[0]] = _OUT
    if all(formal in names for formal in widths) and len(set(names.values())) == len(names) == len(widths):
        for formal, name in names.items():
            formal.name = name


def _said(item: Item, name: str, solution: Solution) -> Formal | None:
    """The parameter that a value is, as it is."""
    said = solution.texts.get((id(item), name))
    return said.formal if isinstance(said, Said) and said.relation == (1, 1) and not said.times else None


def _output(items: Sequence[Item], solution: Solution) -> Formal | None:
    """The parameter that is the width of the tensor that a body gives."""
    for item in reversed(items):
        if isinstance(item, Loop) and item.may_be:
            if _changes(item.body.items):
                return None
            continue
        if isinstance(item, Loop):
            return _output(item.body.items, solution)
        if isinstance(item, Call):
            return _said(item, _OUT, solution)
        if "filters" in item.values:
            return _said(item, "filters", solution)
        if item.branches:
            if item.word == "concat" or not all(branch.items for branch in item.branches):
                return None
            return _output(item.branches[-1].items, solution)
        if item.word not in LAYERS or LAYERS[item.word].family not in _PASSES:
            return None
    return None


def _changes(items: Sequence[Item]) -> bool:
    """Whether there are layers that may have another number of channels than they are given."""
    return any(not isinstance(item, Layer) or "filters" in item.values or item.word == "concat" for item in items)


def _roles(series: Series, solution: Solution, goes_on: bool = False) -> Iterator[tuple[Formal, str]]:
    """Parameters with what they do, in the order of the text; `goes_on`, where layers with windows come after it."""
    for at, item in enumerate(series.items):
        more = goes_on or any(map(_weighs, series.items[at + 1 :]))
        for each in inner(item):
            yield from _roles(each, solution, more and isinstance(item, Loop) and bool(item.may_be))
        if isinstance(item, Call):
            for own in item.definition.solution.formals:
                formal = _said(item, own.name, solution)
                if formal is not None and own.name in ("reduce", "expand"):
                    yield formal, own.name
        if not isinstance(item, Layer) or not more:
            continue
        formal = _said(item, "filters", solution)
        if formal is None or any(own != 1 for own in item.values.get("kernel", ())):
            continue
        pairs = [(own, before) for own, (_, before) in zip(item.values["filters"], item.before, strict=True)]
        if all(own < before for own, before in pairs):
            yield formal, "reduce"
        elif all(own > before for own, before in pairs):
            yield formal, "expand"


def _weighs(item: Item) -> bool:
    """Whether it has layers with windows."""
    return not isinstance(item, Layer) or "kernel" in item.values
