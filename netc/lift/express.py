"""Which parameters a definition has, and by which expression of them each value in its body is said.

Relations hold among values of one kind: widths (numbers of channels) among widths, strides among strides. The cheapest
text wins: a constant, a parameter, a multiple of one, a multiple of `channels`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from netc.lift.numbers import shortest
from netc.lift.padding import Same, number
from netc.lift.vectors import Layer, Loop, Series
from netc.syntax.source import NOWHERE
from netc.syntax.tree import Binary, Conditional, Expr, Literal, Reference

WIDTH, COUNT, FACTOR, FLAG = "width", "count", "times", "if"
ACT = "act"
_WIDTHS = frozenset({"filters", "units", "total"})
_NAMES = {WIDTH: "ch", COUNT: "n", FACTOR: "expand", "kernel": "k", "stride": "stride"}
RESIDUAL = "residual"
_PARTS = {"add": RESIDUAL, "mul": "gated", "concat": "joined", "droppath": "drop", "pool": "pooled", "bn": "normed"}
_MOST = 64  # of a factor between two widths
_FACTORS = 3  # values of a factor that is a parameter, at most
_UNIT = 8  # channels that widths are multiples of where papers round them
_USUAL = 0.75  # share of the executions from which on a value is the default of a width, a number or a switch
_KNOWN = 3  # pairs of widths that show how one is rounded

Key = tuple[int, str]  # an item by its identity, and what of it


@dataclass(slots=True, eq=False)
class Column:
    """Values at one place of a body, one an execution of it. `owner` has the execution of the definition that each is
    in (None where the two are one), `index` the pass of the `repeat`."""

    key: Key
    kind: str
    values: list[Any]
    channels: list[int]
    owner: list[int] | None
    index: list[int] | None
    called: str = ""  # its parameter, if it gets one


@dataclass(slots=True, eq=False)
class Formal:
    """A parameter: its value in each execution, and its default, an expression."""

    name: str
    kind: str
    values: list[Any]
    default: Expr | None = None
    default_values: list[Any] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Solution:
    """The parameters of a definition, and the expression for each value in it."""

    formals: list[Formal]
    texts: dict[Key, Any]
    indices: set[int] = field(default_factory=set)  # the repeats whose index is needed


def kind_of(name: str) -> str:
    return WIDTH if name in _WIDTHS else name


def columns(series: Series, owner: list[int] | None = None, index: list[int] | None = None) -> Iterator[Column]:
    """All values of a body in the order of its text."""
    for item in series.items:
        if isinstance(item, Layer):
            for branch in item.branches:
                yield from columns(branch, owner, index)
            channels = [each for _, each in item.before]
            for name, values in item.values.items():
                kind = WIDTH if name == "groups" and values == channels else kind_of(name)
                yield Column((id(item), name), kind, values, channels, owner, index)
            if item.acts:
                yield Column((id(item), ACT), ACT, item.acts, [], owner, index)
        elif isinstance(item, Loop):
            counts = [count for _, count in item.spans]
            if item.may_be:
                yield Column((id(item), COUNT), FLAG, item.may_be, [], owner, index, _part(item.body))
            else:
                yield Column((id(item), COUNT), COUNT, counts, [], owner, index)
            outer = [0] * item.body.times
            passes = [0] * item.body.times
            for run, (start, count) in enumerate(item.spans):
                for each in range(count):
                    outer[start + each] = run if owner is None else owner[run]
                    passes[start + each] = each
            yield from columns(item.body, outer, passes)
        else:
            for formal in item.definition.solution.formals:
                values = [formal.values[run] for run in item.runs]
                channels = [each for _, each in item.before]
                yield Column((id(item), formal.name), formal.kind, values, channels, owner, index)


def _part(body: Series) -> str:
    """What a part is that some blocks have."""
    words = [item.word for item in body.items if isinstance(item, Layer)]
    return next((name for word, name in _PARTS.items() if word in words), "more")


def solve(body: Series, entry: Sequence[int], most: int = 64) -> Solution | None:
    """The parameters that say all values of a body that is given tensors with `entry` channels; None where there are
    more than `most`, or no expression is known."""
    found = Solution([], {})
    open_ = _open(body, found)
    if open_ is None:
        return None
    open_ = _completed(open_)
    flags = [each for each in open_ if each[0].kind == FLAG]
    later = [each for each in open_ if each[0].kind in _LATER]
    pending = [each for each in open_ if each[0].kind != FLAG and each[0].kind not in _LATER]
    while True:
        pending = [each for each in pending if not _said(each, found, entry, found.texts)]
        if not pending and (flags or later):
            pending = [each for each in flags if not _condition(each, found, entry)]
            pending += [each for each in later if not _of_another(each, found)]
            flags, later = [], []
            if any(column.called == RESIDUAL for column, _ in pending):
                return None  # units that would be the same but for the shortcut are two kinds of blocks
            continue
        if not pending:
            break
        if len(found.formals) == most:
            return None
        column, vector = _best(pending)
        if not all(isinstance(own, bool | int | float | str) for own in vector if own is not None):
            return None
        if column.kind == "kernel" and 1 in vector and any(own not in (1, None) for own in vector):
            return None  # a layer that sees one pixel is another one than a layer that sees more
        if column.kind == WIDTH and (factors := _factors(vector, open_, _given(column, entry), flags)):
            found.formals.append(Formal("", FACTOR, factors))
            continue
        known = sum(formal.name.startswith(column.called) for formal in found.formals) if column.called else 0
        called = f"{column.called}{known + 1}" if known else column.called
        found.formals.append(Formal(called, column.kind, _filled(column.kind, vector, entry, flags)))
    _named(found, [column.key for column, _ in open_])
    return found


def _open(body: Series, found: Solution) -> list[tuple[Column, tuple[Any, ...]]] | None:
    """The values that differ, by executions; the others are noted. None where no expression is known."""
    pending: list[tuple[Column, tuple[Any, ...]]] = []
    for column in (part for each in columns(body) for part in _parts(each, found)):
        if column.kind == "pad":
            column.values = _padding(column.values)
        first = column.values[0] if column.values else None
        if all(own == first and type(own) is type(first) for own in column.values):
            found.texts[column.key] = first
            continue
        if any(own is None for own in column.values):
            return None
        if (vector := _reduced(column, body.times)) is not None:
            pending.append((column, vector))
            continue
        said = _by_channels(column) or _by_index(column)
        if said is not None:
            found.texts[column.key] = said
            if _uses_index(said):
                found.indices.add(column.key[0])
            continue
        base = _base(column, body.times)
        if base is None:
            return None
        found.indices.add(column.key[0])
        own = replace(column, key=(column.key[0], f"{column.key[1]} from"))
        found.texts[column.key] = Stepped(own.key)
        if len(set(base) - {None}) == 1:
            found.texts[own.key] = next(each for each in base if each is not None)
        else:
            pending.append((own, base))
    return pending


def _parts(column: Column, found: Solution) -> Iterator[Column]:
    """The values at a place; where they are sizes of several numbers and differ, these one by one.

    The last number of a shape is a width, and so is one that is the width of what the layer is given. Where a single
    other one differs, it is left to be worked out (`?`)."""
    lengths = {len(own) if isinstance(own, tuple) else 0 for own in column.values}
    if len({*column.values}) == 1 or len(lengths) > 1 or lengths == {0}:
        yield column
        return
    (item, name), (length,) = column.key, lengths
    parts = [
        replace(column, key=(item, f"{name} {place}"), values=[own[place] for own in column.values])
        for place in range(length)
    ]
    found.texts[column.key] = Sized([part.key for part in parts])
    if name == "shape":
        for part in (*(part for part in parts[:-1] if part.values == column.channels), parts[-1]):
            part.kind = WIDTH
        others = [part for part in parts if part.kind != WIDTH and len({*part.values}) > 1]
        if len(others) == 1 and not any(None in own for own in column.values):
            found.texts[others[0].key] = None
            parts.remove(others[0])
    yield from parts


CIN = "cin"
_LATER = frozenset({"pad", "before", "after"})  # what may follow from other parameters


def _completed(pending: Sequence[tuple[Column, tuple[Any, ...]]]) -> list[tuple[Column, tuple[Any, ...]]]:
    """Values with what they are where they do not run, if values of their kind that do are the same elsewhere."""
    made: list[tuple[Column, tuple[Any, ...]]] = []
    for column, vector in pending:
        own = vector
        if None in own and column.kind == WIDTH:
            for other, values in pending:
                both = [(a, b) for a, b in zip(own, values, strict=True) if a is not None and b is not None]
                if other.kind == WIDTH and len({*both}) > 1 and all(a == b for a, b in both):
                    own = tuple(b if a is None else a for a, b in zip(own, values, strict=True))
        made.append((column, own))
    return made


def _filled(
    kind: str, vector: Sequence[Any], entry: Sequence[int], flags: Sequence[tuple[Column, tuple[Any, ...]]]
) -> list[Any]:
    """The values of a parameter, with some where none is needed: such as say there that a part is left out."""
    depths = kind == "rate" and all(own is None or type(own) is int for own in vector)
    if None not in vector or not (kind == WIDTH or depths):
        fill = next(own for own in vector if own is not None)
        return [fill if own is None else own for own in vector]
    if _is_wider(vector, entry, flags):
        return [given if own is None else own for own, given in zip(vector, entry, strict=True)]
    return [0 if own is None else own for own in vector]


def _condition(each: tuple[Column, tuple[Any, ...]], found: Solution, entry: Sequence[int]) -> bool:
    """Note the condition for a part that is not always there, where one follows from the other parameters."""
    column, there = each
    conditions: list[tuple[Test, list[bool]]] = []
    widths = [formal for formal in found.formals if formal.kind == WIDTH and formal.name != CIN]
    for formal in found.formals:
        if formal.kind == FACTOR:
            conditions.append((Test(formal, ">", 1), [own > 1 for own in formal.values]))
        if formal.kind == "stride" and all(type(own) is int for own in formal.values):
            conditions += [(Test(formal, ">", 1), [own > 1 for own in formal.values])]
            conditions += [(Test(formal, "==", 1), [own == 1 for own in formal.values])]
    for formal in widths:
        if 0 in formal.values:
            conditions.append((Test(formal, ">", 0), [own > 0 for own in formal.values]))
    same = [*conditions]
    for formal in widths[::-1]:
        pairs = [*zip(formal.values, entry, strict=True)]
        for operator, holds in ((">", [a > b for a, b in pairs]), ("!=", [a != b for a, b in pairs])):
            same.append((Test(formal, operator, CIN), holds))
        same.append((Test(formal, "==", CIN), [a == b for a, b in pairs]))
    same += [
        (Test(one.formal, one.operator, one.other, two), [a and b for a, b in zip(holds, also, strict=True)])
        for one, holds in conditions
        for two, also in same[len(conditions) :]
    ]
    for test, holds in same:
        if all(own is None or own == here for own, here in zip(there, holds, strict=True)):
            for part in (test, test.also):
                if part is not None and part.other == CIN:
                    part.other = _entry(found, entry)
            found.texts[column.key] = test
            return True
    return False


def _of_another(each: tuple[Column, tuple[Any, ...]], found: Solution) -> bool:
    """Note how padding follows from the window or the stride, where it does."""
    column, vector = each
    for formal in found.formals:
        if not all(type(own) is int for own in formal.values):
            continue
        pairs = [(own, other) for own, other in zip(vector, formal.values, strict=True) if own is not None]
        if formal.kind == "kernel" and all(type(own) is int for own, _ in pairs):
            for less in (0, 1):
                if all(own == other // 2 - less for own, other in pairs):
                    found.texts[column.key] = Said(formal, (1, 2), less=less)
                    return True
        if formal.kind == "stride" and column.kind == "pad":
            large, small = {own for own, other in pairs if other > 1}, {own for own, other in pairs if other == 1}
            if len(large) == len(small) == 1:
                found.texts[column.key] = Test(formal, ">", 1, choice=(large.pop(), small.pop()))
                return True
    return False


def _padding(values: Sequence[Any]) -> list[Any]:
    """Paddings as `same`, or all in pixels where some have to be."""
    pixels = any(type(own) is int for own in values)
    return [number(own) if pixels else "same" if isinstance(own, Same) else own for own in values]


def _reduced(column: Column, times: int) -> tuple[Any, ...] | None:
    """The values by executions of the definition (None where there is none), where they depend on these alone."""
    if column.owner is None:
        return tuple(column.values)
    made: list[Any] = [None] * times
    for run, own in zip(column.owner, column.values, strict=True):
        if made[run] is None:
            made[run] = own
        elif made[run] != own or type(made[run]) is not type(own):
            return None
    return tuple(made)


def _related(target: Sequence[Any], source: Sequence[Any]) -> tuple[int, int] | None:
    """`(k, 1)` where the target is k times the source everywhere, `(1, k)` where it is the source `// k`."""
    pairs = [(one, other) for one, other in zip(target, source, strict=True) if one is not None]
    if not pairs or any(type(one) is not int or type(other) is not int or one < 1 or other < 1 for one, other in pairs):
        return None
    one, other = pairs[0]
    if one % other == 0 and (factor := one // other) <= _MOST and all(a == factor * b for a, b in pairs):
        return factor, 1
    if other % one == 0 and (part := other // one) <= _MOST and all(b // part == a for a, b in pairs):
        return 1, part
    return None


def _rounded(target: Sequence[Any], source: Sequence[Any]) -> tuple[int, int] | None:
    """`(k, m)` where the target is `(source//k+m)//8*8`: a share to the nearest multiple of 8, or the next."""
    pairs = {(one, other) for one, other in zip(target, source, strict=True) if one is not None}
    if len({one for one, _ in pairs}) < _KNOWN or any(
        type(one) is not int or type(other) is not int for one, other in pairs
    ):
        return None
    for part in range(2, _MOST + 1):
        for more in (_UNIT // 2, _UNIT - 1):
            if all((other // part + more) // _UNIT * _UNIT == one for one, other in pairs):
                return part, more
    return None


def _equal(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return all(a is None or (a == b and type(a) is type(b)) for a, b in zip(one, other, strict=True))


def scaled(name: str, relation: tuple[int, int]) -> Expr:
    """`k*name`, `name//k`, or the name alone."""
    factor, part = relation
    own = Reference(name, NOWHERE)
    if factor > 1:
        return Binary("*", Literal(factor, NOWHERE), own, NOWHERE)
    return own if part == 1 else Binary("//", own, Literal(part, NOWHERE), NOWHERE)


@dataclass(slots=True, eq=False)
class Stepped:
    """What another value is, and one more in each pass."""

    base: Key


@dataclass(slots=True, eq=False)
class Sized:
    """A size of several numbers, each of which is said by itself."""

    parts: Sequence[Key]


@dataclass(slots=True, eq=False)
class Said:
    """An expression of a parameter, which may get its name later."""

    formal: Formal
    relation: tuple[int, int] = (1, 1)
    times: Formal | Reference | None = None  # a width that it is a factor of
    here: bool = False  # which is that of the tensor that the layer is given, and not that of the definition
    less: int = 0  # than that
    rounded: int = 0  # to a multiple of `_UNIT`, after so many more


@dataclass(slots=True, eq=False)
class Test:
    """A condition: `stride == 1 and ch == cin`; with a `choice`, the one of two values where it holds and where not."""

    formal: Formal
    operator: str
    other: Formal | int | str
    also: Test | None = None
    choice: tuple[Any, Any] | None = None

    def formals(self) -> Iterator[Formal]:
        """The parameters in it."""
        yield self.formal
        if isinstance(self.other, Formal):
            yield self.other
        if self.also is not None:
            yield from self.also.formals()

    def expression(self) -> Expr:
        """It as it is written."""
        other = self.other
        right: Expr = Reference(other.name, NOWHERE) if isinstance(other, Formal) else to_expr(other)
        made: Expr = Binary(self.operator, Reference(self.formal.name, NOWHERE), right, NOWHERE)
        if self.also is not None:
            made = Binary("and", made, self.also.expression(), NOWHERE)
        if self.choice is None:
            return made
        then, otherwise = map(to_expr, self.choice)
        return Conditional(then, made, otherwise, NOWHERE)


def _said(each: tuple[Column, tuple[Any, ...]], found: Solution, entry: Sequence[int], texts: dict[Key, Any]) -> bool:
    """Note the expression for a value, where there is one without another parameter."""
    column, vector = each
    for formal in found.formals:
        if formal.kind == column.kind and formal.name != CIN and _equal(vector, formal.values):
            texts[column.key] = Said(formal)
            return True
    if column.kind not in (WIDTH, "shape"):
        return False
    for formal in found.formals:
        if formal.kind == FACTOR and _equal(
            vector, [own * each for own, each in zip(formal.values, entry, strict=True)]
        ):
            here = column.owner is None and column.channels == [*entry]
            texts[column.key] = Said(formal, times=Reference("channels", NOWHERE) if here else _entry(found, entry))
            return True
        if formal.kind == FACTOR and column.owner is not None and column.channels:
            rows = zip(column.values, column.channels, column.owner, strict=True)
            if all(own == formal.values[run] * given for own, given, run in rows):
                texts[column.key] = Said(formal, times=Reference("channels", NOWHERE), here=True)
                return True
    best: Said | None = None
    for formal in found.formals:
        if formal.kind == WIDTH and formal.name != CIN and (relation := _related(vector, formal.values)):
            made = Said(formal, relation)
            if best is None or relation[1] == 1 < best.relation[1]:
                best = made
    if best is not None:
        texts[column.key] = best
        return True
    if not any(formal.kind == WIDTH and formal.name != CIN for formal in found.formals):
        return False
    if said := _by_channels(column):
        texts[column.key] = said
        return True
    if relation := _related(vector, entry):
        texts[column.key] = Said(_entry(found, entry), relation)
        return True
    for formal in found.formals:
        if formal.kind == WIDTH and formal.name != CIN and (rounded := _rounded(vector, formal.values)):
            part, more = rounded
            texts[column.key] = Said(formal, (1, part), rounded=more)
            return True
    return False


def _entry(found: Solution, entry: Sequence[int]) -> Formal:
    """The parameter that is the width of the tensor that a definition is given."""
    cin = next((formal for formal in found.formals if formal.name == CIN), None)
    if cin is None:
        cin = Formal(CIN, WIDTH, list(entry), Reference("channels", NOWHERE), list(entry))
        found.formals.append(cin)
    return cin


def _factors(
    vector: Sequence[Any],
    every: Sequence[tuple[Column, tuple[Any, ...]]],
    entry: Sequence[int],
    flags: Sequence[tuple[Column, tuple[Any, ...]]],
) -> list[int] | None:
    """By how much widths are more than what a definition is given, where that is one of few numbers: a unit is wider
    by 4 or 6 wherever it stands, as papers say it. Where nothing is widened, the number is 1."""
    last = next((values for column, values in reversed(every) if column.kind == WIDTH), vector)
    if _is_wider(vector, entry, flags):
        vector = [each if own is None else own for own, each in zip(vector, entry, strict=True)]
    elif None in vector or vector == last:
        return None
    if vector == last or any(not each or own % each for own, each in zip(vector, entry, strict=True)):
        return None
    found = [own // each for own, each in zip(vector, entry, strict=True)]
    few = 1 < len(set(found)) <= _FACTORS and len(set(found)) < len(set(vector))
    return found if few and (min(found) > 1 or _is_wider(vector, entry, flags)) else None


def _given(column: Column, entry: Sequence[int]) -> Sequence[Any]:
    """The widths of the tensors that a layer in a `repeat` is given in the executions of a definition, where each of
    these has one; those that the definition is given for other layers."""
    if column.owner is None or not column.channels:
        return entry
    found = _reduced(replace(column, values=column.channels), len(entry))
    return entry if found is None or None in found else found


def _is_wider(vector: Sequence[Any], entry: Sequence[int], flags: Sequence[tuple[Column, tuple[Any, ...]]]) -> bool:
    """Whether widths are more than what a definition is given exactly where it has an optional part."""
    for _, there in flags:
        rows = [*zip(vector, there, entry, strict=True)]
        if None not in there and all(
            own is not None and own > given if here else own in (None, given) for own, here, given in rows
        ):
            return True
    return False


def _by_channels(column: Column) -> Expr | None:
    if column.kind != WIDTH or not column.channels:
        return None
    relation = _related(column.values, column.channels)
    return relation and scaled("channels", relation)


def is_said(column: Column, times: int) -> bool:
    """Whether the values in the passes of a `repeat` are said by what is said once for it, or by the pass."""
    if _reduced(column, times) is not None:
        return True
    return _by_channels(column) is not None or _by_index(column) is not None or _base(column, times) is not None


def _base(column: Column, times: int) -> tuple[Any, ...] | None:
    """The values in the first passes, where each pass has one more."""
    if column.index is None or any(type(own) is not int for own in column.values):
        return None
    values = [own - index for own, index in zip(column.values, column.index, strict=True)]
    return _reduced(replace(column, values=values), times)


def _by_index(column: Column) -> Expr | None:
    """`a+b*i`, `a*2**i`, with `i%n` for `i`: of values that depend on the pass alone."""
    if column.index is None or any(type(own) is not int for own in column.values):
        return None
    by: dict[int, int] = {}
    for index, own in zip(column.index, column.values, strict=True):
        if by.setdefault(index, own) != own:
            return None
    i: Expr = Reference("i", NOWHERE)
    if (parts := _period(by)) is not None:
        by = {index: by[index] for index in range(parts)}
        i = Binary("%", i, Literal(parts, NOWHERE), NOWHERE)
    if len(by) < 2:
        return None
    first, second = by[0], by[1]
    if all(own == first * 2**index for index, own in by.items()):
        power = Binary("**", Literal(2, NOWHERE), i, NOWHERE)
        return power if first == 1 else Binary("*", Literal(first, NOWHERE), power, NOWHERE)
    step = second - first
    if all(own == first + step * index for index, own in by.items()) and step > 0:
        part = i if step == 1 else Binary("*", Literal(step, NOWHERE), i, NOWHERE)
        return Binary("+", Literal(first, NOWHERE), part, NOWHERE) if first else part
    return None


def _period(by: Mapping[int, int]) -> int | None:
    """After how many passes values begin again, two or more, at least once as a whole."""
    values = [by[index] for index in range(len(by))]
    for parts in range(2, len(values) // 2 + 1):
        if values[parts:] == values[:-parts]:
            return parts
    return None


def _uses_index(said: Any) -> bool:
    if isinstance(said, Binary):
        return _uses_index(said.left) or _uses_index(said.right)
    return isinstance(said, Reference) and said.name == "i"


def _best(pending: Sequence[tuple[Column, tuple[Any, ...]]]) -> tuple[Column, tuple[Any, ...]]:
    """The value that makes most others expressible; of widths, rather the last one, which is that of the output."""
    weights = Counter((column.kind, vector) for column, vector in pending)
    last = next((vector for column, vector in reversed(pending) if column.kind == WIDTH), None)
    best: tuple[float, tuple[Any, ...], str] | None = None
    for kind, vector in list(weights)[:40]:
        known = not any(own is None for own in vector)
        score = (0.5 if kind == WIDTH else 0.0) + (0.4 if kind == WIDTH and vector == last else 0.0) - 3 * (not known)
        for (other, values), weight in weights.items():
            if other != kind:
                continue
            if _equal(values, vector):
                score += 1.1 * weight
            elif kind == WIDTH and known and (relation := _related(values, vector)):
                score += weight * (0.8 if relation[1] > 1 else 1.0 if relation[0] <= 8 else 0.7)
        if best is None or score > best[0]:
            best = score, vector, kind
    assert best is not None
    _, vector, kind = best
    return next((column, own) for column, own in pending if column.kind == kind and own == vector)


def _named(found: Solution, order: Sequence[Key]) -> None:
    """Give names and defaults, in the order of the text, those without a default first."""
    used: dict[Formal, None] = {}
    for key in order:
        said = found.texts.get(key)
        if isinstance(said, Said):
            used.setdefault(said.formal)
            if isinstance(said.times, Formal):
                used.setdefault(said.times)
        if isinstance(said, Test):
            used.update(dict.fromkeys(said.formals()))
    if (cin := next((formal for formal in used if formal.name == CIN), None)) is not None:
        for said in found.texts.values():
            if isinstance(said, Said) and said.times is not None and not said.here:
                said.times = cin
    kinds = {WIDTH: 0, COUNT: 1}
    found.formals = sorted(used, key=lambda formal: (formal.name == CIN, kinds.get(formal.kind, 2)))
    before: list[Formal] = []
    for formal in found.formals:
        if formal.default is None and 0 in formal.values and formal.kind == "rate":
            formal.default, formal.default_values = to_expr(0), [0] * len(formal.values)  # of no stochastic depth
        elif formal.default is None:
            _default(formal, before)
            before.append(formal)
    found.formals.sort(key=lambda formal: formal.default is not None)
    widths = [formal for formal in found.formals if formal.kind == WIDTH and not formal.name]
    taken = Counter(formal.name for formal in found.formals if formal.name)
    for formal in found.formals:
        if formal.name:
            continue
        base = _NAMES.get(formal.kind, formal.kind)
        if formal.kind == "rate" and all(type(own) is int for own in formal.values):
            base = "depth"  # of a block, of which its rate of stochastic depth is a share
        if formal.kind == WIDTH and len(widths) > 1:
            base = "c"
        taken[base] += 1
        formal.name = base if taken[base] == 1 and base != "c" else f"{base}{taken[base]}"


def _default(formal: Formal, before: Sequence[Formal]) -> None:
    """Give a parameter the value that most executions have as its default, or that of a parameter before it."""
    times = len(formal.values)
    (value, count), *_ = Counter((type(own), own) for own in formal.values).most_common(1)
    if formal.kind == FLAG and value[1] and count < _USUAL * times:
        value, count = (bool, False), times  # a switch says more where it is on
    share = _USUAL if formal.kind in (WIDTH, COUNT) else 0.5
    if count >= share * times and times > 1 and count > 1:
        formal.default = to_expr(value[1])
        formal.default_values = [value[1]] * times


class Quoted(str):
    """A string that is no word: it stands in quotes."""

    __slots__ = ()


def to_expr(value: Any) -> Expr:
    """A single value as an expression; words bare."""
    if isinstance(value, Quoted):
        return Literal(str(value), NOWHERE)
    return Reference(value, NOWHERE) if isinstance(value, str) else shortest(value)


def resolved(said: Any, texts: dict[Key, Any]) -> Any:
    """What was noted for a value, as an expression or a value."""
    if isinstance(said, Stepped):
        base, i = resolved(texts[said.base], texts), Reference("i", NOWHERE)
        if base == 0:
            return i
        return Binary("+", base if isinstance(base, Expr) else to_expr(base), i, NOWHERE)
    if isinstance(said, Sized):
        return tuple(resolved(texts[part], texts) for part in said.parts)
    if isinstance(said, Test):
        return said.expression()
    if not isinstance(said, Said):
        return said
    text = scaled(said.formal.name, said.relation)
    if said.less:
        text = Binary("-", text, Literal(said.less, NOWHERE), NOWHERE)
    if said.rounded:
        unit = Literal(_UNIT, NOWHERE)
        more = Binary("+", text, Literal(said.rounded, NOWHERE), NOWHERE)
        text = Binary("*", Binary("//", more, unit, NOWHERE), unit, NOWHERE)
    return text if said.times is None else Binary("*", text, Reference(said.times.name, NOWHERE), NOWHERE)
