"""Blocks that netc ships, recognised: what equals a call of one, for some arguments, becomes that call.

A shipped block is compiled for a few arguments, which shows its forms (with a projection, without) and which value in
it follows which parameter. A part of a network of such a form gives the arguments; the call is compiled with them and
has to be the part exactly. Groups, which say how many units they have, are found of units in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import islice, product
from typing import Any

from netc.compiler import compile_source
from netc.layers.base import LAYERS
from netc.lift.alike import SPLIT, parting
from netc.lift.arguments import declared_by
from netc.lift.express import COUNT, WIDTH, Formal, Quoted, Solution, kind_of, to_expr
from netc.lift.tree import Tree
from netc.lift.vectors import Before, Call, Definition, Item, Layer, Loop, Series, all_series, inner
from netc.lower.definitions import shipped, shipped_names
from netc.syntax.printer import print_tree
from netc.syntax.source import NOWHERE, Source
from netc.syntax.tree import Definition as Written
from netc.syntax.tree import Expr, Keyword, Literal, Operation, Reference

Form = tuple[Any, ...]
Place = tuple[Any, ...]  # of a value in forms
_CHANNELS = 8  # that a form is given, unless they matter
_WIDE = 16  # the width that forms have
_OTHERS: Mapping[str, tuple[Any, ...]] = {"stride": (1, 2), "expand": (6, 1), "shortcut": (Quoted("B"), Quoted("A"))}
_TRIED = 16  # combinations of arguments, of one form
_TRIED_AGAIN = 2  # times that arguments are bettered
_LOOKED = 3  # units of a group that are compared
_COUNTS = "n"  # the parameter of a group that counts its units


# -- forms ---------------------------------------------------------------------------------------------------


def forms(series: Series, run: int) -> list[Form]:
    """What an execution of a series says, `repeat`s written out: words and branches, and all values."""
    made: list[Form] = []
    for item in series.items:
        made += _forms(item, run)
    return made


def _forms(item: Item, run: int) -> list[Form]:
    if isinstance(item, Layer):
        values = tuple((name, own[run]) for name, own in sorted(item.values.items()) if _is_given(item, name, own[run]))
        reads = tuple(key for key, _ in item.reads)
        return [(item.word, values, reads, tuple(tuple(forms(branch, run)) for branch in item.branches))]
    if isinstance(item, Loop):
        start, count = item.spans[run]
        return [form for each in range(start, start + count) for form in forms(item.body, each)]
    body, own_run = item.definition.at(item.runs[run])
    return forms(body, own_run)


def _is_given(item: Layer, name: str, own: Any) -> bool:
    """Whether a value is not what a layer has without."""
    default = declared_by(LAYERS[item.word])[name].default
    return own != default or isinstance(own, bool) is not isinstance(default, bool)


def outline(forms: Sequence[Form]) -> Form:
    """Forms without their values."""
    return tuple((word, reads, tuple(map(outline, branches))) for word, _, reads, branches in forms)


def _values(forms: Sequence[Form], path: tuple[int, ...] = ()) -> Iterator[tuple[Place, Any]]:
    """All values in forms, by their places."""
    for place, (word, values, _, branches) in enumerate(forms):
        for name, own in values:
            yield (*path, place, word, name), own
        for number, branch in enumerate(branches):
            yield from _values(branch, (*path, place, number))


# -- shipped blocks ------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Block:
    """A shipped block: its parameters with the values that stand for their defaults, None for `channels`."""

    name: str
    written: Written
    defaults: dict[str, Any] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)


@cache
def _blocks() -> dict[str, _Block]:
    made: dict[str, _Block] = {}
    for name in shipped_names():
        known = shipped(name)
        assert known is not None
        block = _Block(name, known.definition)
        for formal in known.definition.formals:
            if formal.default is None:
                block.required.append(formal.name)
            else:
                block.defaults[formal.name] = _value(formal.default)
        made[name] = block
    return made


def _value(default: Expr) -> Any:
    if isinstance(default, Literal):
        return Quoted(default.value) if isinstance(default.value, str) else default.value
    if isinstance(default, Reference) and default.name != "channels":
        return default.name
    return None


@cache
def _made(name: str, arguments: tuple[tuple[str, Any], ...], channels: int) -> tuple[Form, ...] | None:
    """The forms of a call; None for one that has errors."""
    given = tuple(Keyword(key, to_expr(value), NOWHERE, NOWHERE) for key, value in arguments)
    call = Operation(None, name, given, None, (), NOWHERE, NOWHERE)
    program = compile_source(Source("std.net", f"input 32x32x{channels}\n{print_tree((call,))}"))
    if program.report.failed or len(program.net) < 2:
        return None
    return tuple(forms(Tree(program.net).series, 0)[1:])


@dataclass(slots=True, eq=False)
class _Trace:
    """What became of the value at a place when a parameter was `other` and not `own`."""

    place: Place
    before: Any
    after: Any
    own: Any
    other: Any

    def solve(self, there: Any, scale: float) -> list[Any]:
        """The arguments that may give a value, for `scale` times as many channels."""
        if there == self.before and there == self.after:
            return []
        if isinstance(self.own, bool):
            return [self.other if there == self.after else self.own]
        if there is None:
            return []
        if not isinstance(self.own, int | float):
            return [there] if isinstance(there, str) else []
        if self.after == self.other and not isinstance(there, str | tuple):
            return [there]
        if isinstance(there, str) or not there or not self.before:
            return []
        rises = self.after > self.before
        found = self.own * there / self.before if rises else self.own * self.before / there
        both = (found, found / scale if rises else found * scale)
        if isinstance(self.own, float):
            return [*both]
        return [int(each) for each in both if each == int(each) and each >= 1]


@dataclass(slots=True, eq=False)
class _Shape:
    """A form of a block, the arguments that give it, and the channels of its input."""

    block: _Block
    arguments: dict[str, Any]
    channels: int
    forms: tuple[Form, ...]
    _follows: dict[str, list[_Trace]] | None = None

    def follows(self) -> dict[str, list[_Trace]]:
        """Which values follow each parameter, the surest first."""
        if self._follows is None:
            self._follows = self._found()
        return self._follows

    def _found(self) -> dict[str, list[_Trace]]:
        before = dict(_values(self.forms))
        found: dict[str, list[_Trace]] = {}
        touched: dict[Place, int] = {}
        for name, own in self.arguments.items():
            other = _other(own)
            made = None if other is None else self._varied(name, other)
            after = dict(_values(made)) if made is not None else before
            for place in {**before, **after}:
                one, two = _at(before, place), _at(after, place)
                if one != two:
                    touched[place] = touched.get(place, 0) + 1
                    found.setdefault(name, []).append(_Trace(place, one, two, own, other))
        for traces in found.values():
            traces.sort(key=lambda trace: (trace.after != trace.other, touched[trace.place]))
        return found

    def _varied(self, name: str, other: Any) -> tuple[Form, ...] | None:
        """The form with another argument; if that alone makes another one, with more channels too."""
        for channels in (self.channels, 2 * self.channels):
            made = _made(self.block.name, tuple({**self.arguments, name: other}.items()), channels)
            if made is not None and outline(made) == outline(self.forms):
                return made
        return None


def _other(value: Any) -> Any:
    """Another value for a parameter; None where none tells anything."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return 2 * value
    if isinstance(value, float):
        return value / 2
    if isinstance(value, Quoted) or value is None:
        return None
    return "glorot_normal"


@cache
def _shapes(name: str) -> tuple[_Shape, ...]:
    """The forms of a shipped unit."""
    block = _blocks()[name]
    names = [*block.required, *(name for name, own in block.defaults.items() if own is not None)]
    choices = [_OTHERS.get(name, (block.defaults.get(name, _WIDE),)) for name in names]
    made: list[_Shape] = []
    for values in product(*choices):
        arguments = dict(zip(names, values, strict=True))
        for channels in (_CHANNELS, 4 * _WIDE if "bottleneck" in name or "resnext" in name else _WIDE):
            built = _made(name, tuple(arguments.items()), channels)
            known = built is None or any(
                each.arguments == arguments and outline(each.forms) == outline(built) for each in made
            )
            if built is not None and not known:
                made.append(_Shape(block, arguments, channels, built))
    return tuple(made)


def _units() -> list[str]:
    """The shipped blocks that are no groups of others."""
    return [name for name, block in _blocks().items() if _COUNTS not in block.required and name != "residual_shortcut"]


# -- recognition ---------------------------------------------------------------------------------------------


class Standard:
    """The shipped blocks that a network has calls of."""

    def __init__(self) -> None:
        self.definitions: dict[str, Definition] = {}

    def recognise(self, whole: Series) -> None:
        """Replace what equals a shipped block by its call, in a series and in all inside it."""
        words = {item.word for series in all_series(whole) for item in series.items if isinstance(item, Layer)}
        shapes: dict[Form, list[_Shape]] = {}
        for name in _units():
            for shape in _shapes(name) if _least(name) <= words else ():
                if _words(shape.forms) <= words:
                    shapes.setdefault(outline(shape.forms), []).append(shape)
        lengths = sorted({len(key) for key in shapes}, reverse=True)
        self._recognise(whole, shapes, lengths)

    def _recognise(self, series: Series, shapes: Mapping[Form, list[_Shape]], lengths: Sequence[int]) -> None:
        self._units(series, shapes, lengths)
        self._groups(series)
        for item in series.items:
            for each in inner(item):
                self._recognise(each, shapes, lengths)

    def _units(self, series: Series, shapes: Mapping[Form, list[_Shape]], lengths: Sequence[int]) -> None:
        at = 0
        outlines = [_outline(item) for item in series.items]
        while at < len(series.items):
            for length in lengths:
                if at + length > len(outlines) or any(each is None for each in outlines[at : at + length]):
                    continue
                if parting(series.items, at + length) >= SPLIT:  # the last layer has more words than those of the block
                    continue
                found = shapes.get(tuple(outlines[at : at + length]))
                call = found and self._unit(Series(series.items[at : at + length], series.times), found)
                if call:
                    series.items[at : at + length] = [call]
                    outlines[at : at + length] = [None]
                    break
            at += 1

    def _unit(self, part: Series, found: Sequence[_Shape]) -> Call | None:
        before = entries(part)
        channels = [each for _, each in before]
        parts = [tuple(forms(part, run)) for run in range(part.times)]
        for shape in found:
            given = [_arguments(shape, parts[run], channels[run]) for run in range(part.times)]
            if all(each is not None for each in given):
                return self._call(shape.block, part, [each for each in given if each is not None], before)
        return None

    def _call(self, block: _Block, part: Series, given: Sequence[Mapping[str, Any]], before: Sequence[Before]) -> Call:
        one = self.definitions.get(block.name)
        if one is None:
            one = self.definitions[block.name] = Definition(Series([], 0), [], block.name, places=[])
            formals = [Formal(each.name, _kind(each.name), [], each.default, []) for each in block.written.formals]
            one.solution, one.tensors = Solution(formals, {}), []
        assert one.places is not None
        runs = []
        for run in range(part.times):
            runs.append(len(one.places))
            one.places.append((part, run))
            one.before.append(before[run])
            for formal in one.solution.formals:
                implied = block.defaults.get(formal.name)
                implied = before[run][1] if implied is None and formal.default is not None else implied
                formal.values.append(given[run].get(formal.name, implied))
                if formal.default is not None:
                    formal.default_values.append(implied)
        return Call(one, runs, [*before])

    # -- groups ----------------------------------------------------------------------------------------------

    def _groups(self, series: Series) -> None:
        """Replace units that follow one another by a call of their group: all but the first one the same."""
        at = 0
        while at < len(series.items):
            end = at + 1
            while end < len(series.items) and self._goes_on(series.items, at, end):
                end += 1
            call = self._group(Series(series.items[at:end], series.times)) if end > at + 1 else None
            if call is not None:
                series.items[at:end] = [call]
            at += 1

    def _goes_on(self, items: Sequence[Item], start: int, at: int) -> bool:
        first, item = items[start], items[at]
        if not isinstance(first, Call) or not isinstance(item, Call) or item.definition is not first.definition:
            return False
        last = items[at - 1]
        if not isinstance(last, Call) or first.definition.places is None:
            return False
        for formal in first.definition.solution.formals:
            one, other = formal.values[last.runs[0]], formal.values[item.runs[0]]
            if formal.name == "stride" and other != 1:
                return False
            if formal.name != "cin" and one != other and (at > start + 1 or formal.name == "ch"):
                return False
        return True

    def _group(self, part: Series) -> Call | None:
        first, count = part.items[0], len(part.items)
        if not isinstance(first, Call) or part.times > 1:
            return None
        values = {formal.name: formal.values[first.runs[0]] for formal in first.definition.solution.formals}
        channels = first.before[0][1]
        wanted = tuple(forms(Series(part.items[:_LOOKED], 1), 0))
        for block in _blocks().values():
            if _COUNTS not in block.required or not _calls(block.written, first.definition.name):
                continue
            given: dict[str, Any] = {_COUNTS: count}
            for name in (*block.required, *block.defaults):
                if name in values and name != "stride" and values[name] is not None:
                    given[name] = values[name]
            if "downsample" in block.defaults and values.get("stride", 1) > 1:
                given |= {"downsample": True, "stride": values["stride"]}
            if any(name not in given for name in block.required):
                continue
            few = given | {_COUNTS: min(count, _LOOKED)}  # all but the first are the same
            if _equals(block, few, channels, wanted):
                return self._call(block, part, [given], first.before)
        return None


def _calls(written: Written, name: str) -> bool:
    """Whether a definition calls another one."""
    return f"{name} " in print_tree((written,))


def _kind(name: str) -> str:
    if name == _COUNTS:
        return COUNT
    return WIDTH if name in ("ch", "growth", "cin", "b1", "r3", "b3", "r5", "b5", "pp") else kind_of(name)


def _words(forms: Sequence[Form]) -> set[str]:
    return {word for word, _, _, _ in forms}.union(*(_words(branch) for *_, inner in forms for branch in inner))


@cache
def _least(name: str) -> frozenset[str]:
    """Words that a shipped block has whatever its arguments are."""
    block = _blocks()[name]
    found: frozenset[str] | None = None
    for other in (0, -1):
        arguments = dict.fromkeys(block.required, _WIDE)
        arguments |= {key: choices[other] for key, choices in _OTHERS.items() if key in block.defaults}
        built = _made(name, tuple(arguments.items()), 4 * _WIDE)
        words = frozenset(_words(built or ()))
        found = words if found is None else found & words
    return found or frozenset()


def _outline(item: Item) -> Form | None:
    """The outline of an item; None for what no unit has."""
    if not isinstance(item, Layer) or item.reads:
        return None
    branches = [[_outline(each) for each in branch.items] for branch in item.branches]
    if any(each is None for branch in branches for each in branch):
        return None
    return item.word, (), tuple(map(tuple, branches))


def entries(part: Series) -> list[Before]:
    """The tensor that each execution of a series is given."""
    first = part.items[0]
    assert not isinstance(first, Loop)
    return list(first.before)


def _arguments(shape: _Shape, part: tuple[Form, ...], channels: int) -> dict[str, Any] | None:
    """The arguments for which a block is what is there, without those that are its defaults; None if none are."""
    there = dict(_values(part))
    names, choices = [], []
    for name, traces in shape.follows().items():
        scale = channels / shape.channels
        found = (trace.solve(_at(there, trace.place), scale) for trace in traces)
        options: list[Any] = next(filter(None, found), [])
        names.append(name)
        choices.append(options or [shape.arguments[name]])
    defaults = shape.block.defaults
    for values in islice(product(*choices), _TRIED):
        given = shape.arguments | dict(zip(names, values, strict=True))
        for _ in range(_TRIED_AGAIN):
            given = {name: own for name, own in given.items() if name not in defaults or own != defaults[name]}
            if _equals(shape.block, given, channels, part):
                return given
            given = _nearer(shape, given, channels, there)
    return None


def _at(values: Mapping[Place, Any], place: Place) -> Any:
    """The value at a place: where none is given, what the layer has without."""
    *_, word, name = place
    return values[place] if place in values else declared_by(LAYERS[word])[name].default


def _nearer(shape: _Shape, given: Mapping[str, Any], channels: int, there: Mapping[Place, Any]) -> dict[str, Any]:
    """Arguments of which those that are factors of a product make up for what the others left."""
    made = _made(shape.block.name, tuple(given.items()), channels)
    here = dict(_values(made or ()))
    better = dict(given)
    for name, traces in shape.follows().items():
        own, now, wanted = given.get(name), here.get(traces[0].place), there.get(traces[0].place)
        if type(own) is int and type(now) is int and type(wanted) is int and now and own * wanted % now == 0:
            better[name] = own * wanted // now
    return better


def _equals(block: _Block, given: Mapping[str, Any], channels: int, part: tuple[Form, ...]) -> bool:
    return _made(block.name, tuple(given.items()), channels) == part
