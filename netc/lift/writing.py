"""From the tree with its definitions to the text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count as count_from
from itertools import pairwise
from typing import Any

from netc.layers.base import LAYERS
from netc.lift.aligned import LEARNING
from netc.lift.arguments import SAID, Unwritable, declared_by, written
from netc.lift.definitions import TENSORS, outside, plain
from netc.lift.express import ACT, COUNT, Formal, Said, Sized, Solution, Stepped, Test, resolved, solve, to_expr
from netc.lift.labels import Taken, label_of
from netc.lift.roles import call_widths
from netc.lift.scopes import Scopes
from netc.lift.text import operation
from netc.lift.vectors import COLLECTED, Before, Call, Definition, Item, Layer, Loop, Series, inner, result, results
from netc.lower.bind import trailing_words
from netc.lower.special import LEGAL
from netc.params import REQUIRED, Param
from netc.syntax.printer import Line, Printer, Trivia
from netc.syntax.source import NOWHERE
from netc.syntax.tree import (
    RESERVED,
    Argument,
    Arm,
    Binary,
    Block,
    Branch,
    Expr,
    Group,
    If,
    Keyword,
    Literal,
    Name,
    Operation,
    Positional,
    Reference,
    Repeat,
    Starred,
    Statement,
    is_name,
)
from netc.syntax.tree import Definition as Written
from netc.syntax.tree import Formal as Parameter

WIDTH = 100  # columns of a line
ROW = 2  # statements of a line
_BY_OPTIONS = frozenset({"shape", "merge", "gap", "gmp", "rescale", "droppath"})  # say nothing without their options
_USUAL = 4  # layers with the same words after them that are worth a `default`


# -- lines ---------------------------------------------------------------------------------------------------


class Packed(Trivia):
    """Two statements a line where the two are plain, and on one line with their braces what is short."""

    def __init__(self) -> None:
        self._beside: set[int] = set()
        self._closed: set[int] = set()

    def beside(self, one: Statement, other: Statement) -> bool:
        return id(other) in self._beside

    def closed(self, statement: Statement, opening: int) -> bool:
        return id(statement) in self._closed

    def pack(self, statements: Sequence[Statement], indent: int = 0) -> None:
        """Decide for statements, and for all inside them, what stands on one line."""
        printer = Printer(self)
        for statement in statements:
            bodies = _bodies(statement)
            if not bodies:
                continue
            for body in bodies:
                self.pack(body, indent + (6 if isinstance(statement, Operation) else 4))
            if all(_length(body) <= ROW and all(_flat(each, self) for each in body) for body in bodies):
                self._closed.add(id(statement))
                if indent + len(_single(printer, statement)) > WIDTH:
                    self._closed.discard(id(statement))
        self._pair(statements, [indent + len(_single(printer, statement)) for statement in statements], indent)

    def _pair(self, statements: Sequence[Statement], widths: Sequence[int], indent: int) -> None:
        """Put statements on lines by two, on as few lines as there can be, those together that belong together."""
        best: list[tuple[float, bool]] = [(0.0, False)]  # of the first ones: what it is worth, and whether two end it
        for at in range(1, len(statements) + 1):
            found = best[at - 1][0], False
            if at > 1 and widths[at - 2] + 2 + widths[at - 1] - indent <= WIDTH:
                pair = _affinity(statements[at - 2], statements[at - 1])
                if pair and best[at - 2][0] + pair > found[0]:
                    found = best[at - 2][0] + pair, True
            best.append(found)
        at = len(statements)
        while at:
            if best[at][1]:
                self._beside.add(id(statements[at - 1]))
            at -= 1 + best[at][1]


def _length(body: Sequence[Statement]) -> int:
    """How many statements a body has: `from` is one with what goes on there, and `bn` with an activation."""
    words = [each.name if isinstance(each, Operation) else "" for each in body]
    families = [LAYERS[word].family if word in LAYERS else word for word in words]
    return len(body) - sum(pair == ("norm", "activation") or pair[0] == "from" for pair in pairwise(families))


def _affinity(one: Statement, other: Statement) -> float:
    """What it is worth that two statements stand on one line; 0 where they may not."""
    if not (_plain(one) and _plain(other)) or not isinstance(one, Operation) or not isinstance(other, Operation):
        return 0.0
    if other.name == "from" or (one.name == "default") != (other.name == "default"):
        return 0.0
    if one.name == "from":
        return 104.0
    worth = 100.0 - 2 * (other.label is not None)
    families = [LAYERS[each.name].family if each.name in LAYERS else each.name for each in (one, other)]
    if families == ["norm", "activation"]:
        return worth + 4
    if families[0] == "activation":
        return worth - 5  # it belongs to what stands before it
    if families[0] == "norm":
        return worth - 1
    if one.name != other.name and not {one.name, other.name} <= LAYERS.keys():
        return worth - 3  # a call stands alone, or with others of its definition
    if families[1] == "dense" and (one.name in _ENDS or families[0] == "regularise"):
        return worth + 4
    if families[1] in ("norm", "activation"):
        return worth - 1
    return worth + 2 * (one.name == other.name) + 3 * (families[1] == "pool" and other.name not in _ENDS)


def _single(printer: Printer, statement: Statement) -> str:
    (line, *more) = printer.lines((statement,), 0)
    return line.text if not more else line.text + " " * WIDTH


def _bodies(statement: Statement) -> list[tuple[Statement, ...]]:
    if isinstance(statement, Operation):
        return [branch.statements for branch in statement.branches]
    if isinstance(statement, Repeat | Written):
        return [statement.body.statements]
    if isinstance(statement, If):
        return [arm.body.statements for arm in statement.arms]
    return []


def _flat(statement: Statement, packed: Packed) -> bool:
    return not _bodies(statement) or (id(statement) in packed._closed and not isinstance(statement, Written))


def _plain(statement: Statement) -> bool:
    """Whether another statement may stand beside it."""
    return isinstance(statement, Operation) and not statement.branches and statement.name not in _ALONE


_ENDS = frozenset({"gap", "gmp"})  # begin what comes after the maps
_DEFINES = ("def", "shared")  # words that definitions begin with
_ALONE = frozenset({"net", "input", "output"})


# -- labels --------------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class _Frame:
    """The executions of a file, a definition or a body of `repeat`, and where a tensor that a label names is made."""

    outer: _Frame | None
    owner: list[int]
    homes: dict[str, tuple[int, Item]] = field(default_factory=dict)

    def find(self, run: int, name: str) -> tuple[Item | None, bool]:
        """What makes a tensor that is seen here, and whether the pass before this one did."""
        frame: _Frame | None = self
        while frame is not None:
            made, item = frame.homes.get(name, (None, None))
            if made == run:
                return item, False
            if frame.outer is None:
                break
            if made is not None and made == run - 1 and frame.owner[made] == frame.owner[run]:
                return item, True
            run, frame = frame.owner[run], frame.outer
        return None, False


GIVEN = "x"  # what a definition or a pass calls the tensor that it is given, where it reads it by a label
ALL = "z"  # what is collected of all passes


class _Body:
    """What is known of a file or a definition while it is written."""

    def __init__(
        self,
        series: Series,
        used: Mapping[str, int],
        tensors: Sequence[Sequence[str]],
        scopes: Scopes,
        taken: set[str],
        made: Mapping[Definition, Collection[str]],
        before: Sequence[Before] = (),
    ) -> None:
        self.before, self.given = [name for name, _ in before], False
        self.used = used
        self.tensors = [*zip(TENSORS, tensors, strict=False)]
        self.labels: dict[Item, str] = {}
        self.read: dict[tuple[int, int], Item | str] = {}
        self.firsts: dict[Item, Item] = {}  # of what passes carry on, what stands above the `repeat`
        self.carried: dict[str, Item] = {}  # what makes a tensor that passes carry on
        self.all_passes: set[Item] = set()  # items that make what is collected of passes
        self.passing: dict[str, list[tuple[Item, dict[int, list[str]]]]] = {}  # what items of passes make, by the first
        frame = _Frame(None, [])
        self._find(series, frame)
        self._label(series, frame, [*range(series.times)])
        self._named(series, scopes, taken | {*TENSORS}, made)

    def name(self, item: Item, place: int) -> str:
        """The label of a tensor that an item reads."""
        home = self.read[id(item), place]
        return home if isinstance(home, str) else self.labels[home]

    def _find(self, series: Series, frame: _Frame) -> None:
        for item in series.items:
            for each in inner(item) if isinstance(item, Layer) else ():
                self._find(each, frame)
            if isinstance(item, Layer) and item.word in ("from", "output"):
                continue
            for run in range(series.times):
                name = result(item, run)
                if name is not None and name in self.used:
                    frame.homes[name] = run, item

    def _label(self, series: Series, frame: _Frame, owner: list[int]) -> None:
        for item in series.items:
            if frame.outer is not None:
                self._pass(item, owner)
            if isinstance(item, Layer):
                for branch in item.branches:
                    self._label(branch, frame, owner)
                for place, (key, vector) in enumerate(item.reads):
                    named = self._collected if key == COLLECTED else self._name
                    self.read[id(item), place] = named(vector, frame, owner)
            elif isinstance(item, Loop):
                outer, passes = [0] * item.body.times, [0] * item.body.times
                for run, (start, count) in enumerate(item.spans):
                    outer[start : start + count] = [run] * count
                    passes[start : start + count] = [owner[run]] * count
                within = _Frame(frame, outer)
                self._find(item.body, within)
                self._label(item.body, within, passes)
            else:
                for place, tensor in enumerate(item.definition.tensors):
                    vector = [tensor[run] for run in item.runs]
                    self.read[id(item), place] = self._name(vector, frame, owner)

    def _name(self, vector: Sequence[str], frame: _Frame, owner: Sequence[int]) -> Item | str:
        found = [frame.find(run, name) for run, name in enumerate(vector)]
        homes = {item or self.carried.get(name) for (item, _), name in zip(found, vector, strict=True)}
        passed = {item for item, before in found if before and item is not None}
        if None not in homes and len(homes) == 1 + (len(passed) == 1):
            for home in passed:
                self._carry(home, *(homes - passed))
            one = next(iter(passed or homes))
            assert one is not None
            self.labels.setdefault(one, "")
            return one
        if self.before and all(self.before[run] == own for run, own in zip(owner, vector, strict=True)):
            self.given = True
            return GIVEN
        for name, tensor in self.tensors:
            if all(tensor[run] == own for run, own in zip(owner, vector, strict=True)):
                return name
        raise Unwritable(f"`{vector[0]}` is read where no label of it is seen")

    def _pass(self, item: Item, owner: Sequence[int]) -> None:
        """Note what an item makes in passes, by the executions of the body."""
        made: dict[int, list[str]] = {}
        for run, each in enumerate(owner):
            made.setdefault(each, []).append(result(item, run) or "")
        if made and (first := next(iter(made.values()))[0]) in self.used:
            self.passing.setdefault(first, []).append((item, made))

    def _collected(self, vector: Sequence[Sequence[str]], frame: _Frame, owner: Sequence[int]) -> Item:
        for item, made in self.passing.get(vector[0][0], ()):
            if all(made.get(run) == [*names] for run, names in zip(owner, vector, strict=True)):
                self.labels.setdefault(item, "")
                self.all_passes.add(item)
                return item
        raise Unwritable(f"`{vector[0][0]}` is read with what other passes make, and no label names them all")

    def _carry(self, item: Item, first: Item | None) -> None:
        """Give what a pass makes the label of what stands above the `repeat`."""
        assert first is not None
        self.labels.setdefault(first, "")
        self.firsts[item] = first
        self.carried.update((name, item) for name in results(item) if name is not None)

    def _named(
        self, series: Series, scopes: Scopes, taken: set[str], made: Mapping[Definition, Collection[str]]
    ) -> None:
        """Name the labels in the order of the text: `x` what a pass is given, `z` what is collected of all passes, and
        others by the source, else `a`, `b`. Layers of those in a `repeat` get numbers."""
        letters = filter(lambda name: name not in RESERVED and name not in LAYERS, map(_letters, count_from()))
        known, special = Taken(taken | {GIVEN, ALL}), {GIVEN, ALL} - taken
        again: dict[Item, list[Item]] = {}  # what passes carry on, by what stands above the `repeat`
        for item, first in self.firsts.items():
            again.setdefault(first, []).append(item)
        for item, times, repeated in _in_order(series, repeated=False):
            if item not in self.labels:
                continue
            if item in self.firsts:
                self.labels[item] = self.labels[self.firsts[item]]
                continue
            within = self._within([item, *again.get(item, ())], made)
            counted = repeated or item in again or isinstance(item, Loop)
            given = isinstance(item, Layer) and item.word == "identity"
            name = GIVEN if given and not self.given else ALL if item in self.all_passes else ""
            if name not in special:
                nodes = [node for run in range(times) if (node := result(item, run)) is not None]
                name = label_of(nodes, scopes, known, within, repeated=repeated, counted=counted) or ""
                name = name or next(each for each in letters if known.is_free(each, within, counted=counted))
            special.discard(name)
            known.take(name, within, counted=counted)
            self.labels[item] = name

    @staticmethod
    def _within(items: Sequence[Item], made: Mapping[Definition, Collection[str]]) -> Collection[str] | None:
        """The names of layers within statements; None where these are not known."""
        found = set[str]()
        for item in items:
            if isinstance(item, Loop) or (isinstance(item, Call) and item.definition not in made):
                return None
            found.update(made[item.definition] if isinstance(item, Call) else ())
        return found


def _in_order(series: Series, *, repeated: bool) -> Iterator[tuple[Item, int, bool]]:
    """Items in the order of the text, with how often they run and whether they are in a `repeat`."""
    for item in series.items:
        for each in inner(item):
            yield from _in_order(each, repeated=repeated or isinstance(item, Loop))
        yield item, series.times, repeated


def _letters(count: int) -> str:
    """`a` to `z`, then `aa`."""
    text = ""
    while count >= 0:
        text, count = chr(ord("a") + count % 26) + text, count // 26 - 1
    return text


# -- statements ----------------------------------------------------------------------------------------------


def ordered(whole: Series) -> list[Definition]:
    """The definitions that a series comes to, those first that others call."""
    found: dict[Definition, None] = {}

    def visit(series: Series) -> None:
        for item in series.items:
            for each in inner(item):
                visit(each)
            if isinstance(item, Call) and item.definition.places is None and item.definition not in found:
                visit(item.definition.body)
                found.setdefault(item.definition)

    visit(whole)
    return [*found]


class Writer:
    """Writes a tree."""

    def __init__(
        self,
        name: str,
        whole: Series,
        used: Mapping[str, int],
        scopes: Scopes,
        scale: tuple[float, int] | None = None,
    ) -> None:
        self.name, self.used, self.scopes, self.scale = name, used, scopes, scale
        self.whole = plain(whole)
        self.definitions = ordered(whole)
        for one in self.definitions:
            one.body = plain(one.body)
            solution = solve(one.body, [channels for _, channels in one.before])
            tensors = outside(one.body, one.before)
            if solution is None or tensors is None or (one.shared and solution.formals):
                raise Unwritable("a definition says no longer what it stands for")
            _count_first(one.body, solution)
            call_widths(one.body, solution)
            one.solution, one.tensors = solution, tensors
        solution = solve(self.whole, [0])
        if solution is None or solution.formals:
            raise Unwritable("the file has no parameters")
        self.solution = solution
        self.defaults = self._defaults()
        self.words = self._words()

    def _words(self) -> dict[str, tuple[str, ...]]:
        """The words that most layers of an operation have after them, by operation."""
        counted: dict[str, Counter[tuple[str, ...]]] = {}
        for series in (self.whole, *(one.body for one in self.definitions)):
            for phrase in _phrases_in(series, self.used, self.defaults):
                head, *rest = phrase
                if LAYERS[head.word].trailing:
                    counted.setdefault(head.word, Counter())[tuple(word.word * (not word.acts) for word in rest)] += 1
        made: dict[str, tuple[str, ...]] = {}
        for word, values in counted.items():
            words, count = values.most_common(1)[0]
            if words and all(words) and count >= _USUAL and count >= 0.7 * values.total():
                made[word] = words
        return made

    # -- defaults --------------------------------------------------------------------------------------------

    def _defaults(self) -> dict[str, dict[str, Any]]:
        """Options that most layers of an operation have, by operation, where that is not what the language has."""
        counted: dict[tuple[str, str], Counter[Any]] = {}
        bodies = [(self.whole, self.solution), *((one.body, one.solution) for one in self.definitions)]
        for series, solution in bodies:
            for phrase in _phrases_in(series, self.used, None):
                item = phrase[0]
                for name, param in _options(item):
                    text = solution.texts.get((id(item), name))
                    if not _is_constant(text):
                        continue
                    default = False if name == "bias" and _takes_bias(phrase) else param.default
                    counted.setdefault((item.word, name), Counter())[type(text), text, text == default] += 1
        made: dict[str, dict[str, Any]] = {}
        for (word, name), values in counted.items():
            saved: Counter[Any] = Counter()
            for (kind, value, is_default), count in values.items():
                if value is not None and not is_default:
                    saved[kind, value] += count
            lost = sum(count for (_, _, is_default), count in values.items() if is_default)
            if not saved or any(value is None for _, value, _ in values):  # what is worked out has no text
                continue
            (_, value), count = saved.most_common(1)[0]
            if name == "bias":
                lost = sum(count for (_, own, is_default), count in values.items() if is_default and own != value)
            if count >= (3 if value is True else 2) and count > lost + 1:
                made.setdefault(word, {})[name] = value
        return made

    def _default_lines(self) -> list[Statement]:
        made: list[Statement] = []
        for word in dict.fromkeys((*self.words, *self.defaults)):
            bare = [Positional(Reference(each, NOWHERE), NOWHERE) for each in (word, *self.words.get(word, ()))]
            made.append(operation("default", *bare, *_keyed(word, self.defaults.get(word, {}))))
        return made

    # -- bodies ----------------------------------------------------------------------------------------------

    def text(self) -> str:
        """The text."""
        head = [operation("net", _word(self.name))] if LEGAL.match(self.name) else []
        known = {one.name for one in self.definitions}
        made: list[Statement] = []
        within: dict[Definition, Collection[str]] = {}  # the names of layers in each
        for one in self.definitions:
            solution, tensors = one.solution, one.tensors
            taken = {formal.name for formal in solution.formals} | {"i"} | known
            own = _Body(one.body, self.used, tensors, self.scopes, taken, within, one.before)
            within[one] = {*known, *own.labels.values()}
            statements = self._series(one.body, solution, own)
            if own.given:
                statements.insert(0, operation("identity", label=GIVEN))
            formals = tuple(Parameter(each.name, each.default, NOWHERE) for each in solution.formals)
            names = tuple(Name(name, NOWHERE) for name, _ in own.tensors)
            block = Block(tuple(statements), NOWHERE)
            made.append(Written(one.name, formals, names, block, one.shared, NOWHERE, NOWHERE))
        body = self._series(self.whole, self.solution, _Body(self.whole, self.used, (), self.scopes, {*known}, within))
        at = next((place for place, each in enumerate(body) if not _is_input(each)), 0)
        statements = [*head, *body[:at], *self._default_lines(), *made, *body[at:]]
        packed = Packed()
        packed.pack(statements)
        return _spaced(Printer(packed).lines(statements, 0))

    def _series(self, series: Series, solution: Solution, body: _Body) -> list[Statement]:
        made: list[Statement] = []
        for phrase in _phrases(series.items, body.labels, self.defaults):
            made.append(self._statement(phrase, solution, body))
        return made

    def _statement(self, phrase: Sequence[Item], solution: Solution, body: _Body) -> Statement:
        item, label = phrase[0], body.labels.get(phrase[-1])
        if isinstance(item, Loop):
            if item.may_be:
                condition = as_expr(solution.texts[id(item), COUNT], solution)
                arm = Block(tuple(self._series(item.body, solution, body)), NOWHERE)
                return If((Arm(condition, arm, NOWHERE),), NOWHERE)
            count = resolved_count(solution.texts[id(item), COUNT], solution)
            index = Name("i", NOWHERE) if id(item) in _indexed(item, solution) else None
            inside = Block(tuple(self._series(item.body, solution, body)), NOWHERE)
            return Repeat(label and Name(label, NOWHERE), count, index, inside, NOWHERE, NOWHERE)  # type: ignore[arg-type]
        if isinstance(item, Call):
            arguments = self._call(item, solution)
            tensors = [body.name(item, place) for place in range(len(item.definition.tensors))]
            if tensors:
                arguments += [Positional(Reference("with", NOWHERE), NOWHERE)]
                arguments += [Positional(Reference(name, NOWHERE), NOWHERE) for name in tensors]
            return operation(item.definition.name, *arguments, label=label)
        branches = [Branch(tuple(self._series(each, solution, body)), NOWHERE) for each in item.branches]
        arguments = self._arguments(item, solution, phrase) if item.word in LAYERS else []
        for place, (key, _) in enumerate(item.reads):
            name = body.name(item, place)
            said = Starred(name, NOWHERE) if key == COLLECTED else Reference(name, NOWHERE)
            keyed = key and key != COLLECTED
            arguments.append(Keyword(key, said, NOWHERE, NOWHERE) if keyed else Positional(said, NOWHERE))
        if isinstance(item, Layer) and item.acts:
            raise Unwritable("activations that differ are no words of a layer")
        words = tuple(_act(word, solution) for word in phrase[1:] if isinstance(word, Layer))
        if (usual := self.words.get(item.word)) is not None:
            words = () if words == usual else words or ("linear",)
        trailing = [Positional(to_expr(word) if isinstance(word, str) else word, NOWHERE) for word in words]
        learning = [each for each in arguments if trailing and isinstance(each, Keyword) and each.key in LEARNING]
        computing = [each for each in arguments if each not in learning]
        return operation(item.word, *computing, *trailing, *learning, label=label, branches=branches)

    def _call(self, item: Call, solution: Solution) -> list[Argument]:
        made: list[Argument] = []
        formals: Sequence[Formal] = item.definition.solution.formals
        keyed = False
        for formal in formals:
            values = [formal.values[run] for run in item.runs]
            said = solution.texts[id(item), formal.name]
            if formal.default is not None:
                keyed = True
                implied = formal.default_values
                if all(
                    own == implied[run] and type(own) is type(implied[run])
                    for own, run in zip(values, item.runs, strict=True)
                ):
                    continue
            if said is True and keyed:
                made.append(Positional(Reference(formal.name, NOWHERE), NOWHERE))
                continue
            text = as_expr(said, solution)
            made.append(Keyword(formal.name, text, NOWHERE, NOWHERE) if keyed else Positional(text, NOWHERE))
        return made

    def _arguments(self, item: Layer, solution: Solution, phrase: Sequence[Item]) -> list[Argument]:
        own = self.defaults.get(item.word, {})
        values: dict[str, Any] = {}
        params = declared_by(LAYERS[item.word])
        for name in item.values:
            text = solution.texts[id(item), name]
            default = own.get(name, params[name].default)
            if name == "bias" and name not in own and _takes_bias(phrase):
                default = False
            same = _is_constant(text) and type(text) is type(default) and text == default
            if same and SAID.get(item.word) != name:
                continue
            if text is None:
                raise Unwritable(f"`{item.word}` has no `{name}`, and others have one")
            values[name] = text if _is_constant(text) else resolved(text, solution.texts)
            if item.word == "droppath" and name == "rate" and self.scale is not None:
                values[name] = _share(values[name], self.scale)
        return written(LAYERS[item.word], values)


def _act(word: Layer, solution: Solution) -> str | Expr:
    """A word after a layer; a parameter stands in parentheses, so that it is none."""
    if not word.acts:
        return word.word
    said = solution.texts[id(word), ACT]
    return said if isinstance(said, str) else Group(as_expr(said, solution), NOWHERE)


def _takes_bias(phrase: Sequence[Item]) -> bool:
    """Whether the word after a layer takes its bias away."""
    return len(phrase) > 1 and isinstance(phrase[1], Layer) and LAYERS[phrase[1].word].removes_bias


def _phrases(
    items: Sequence[Item], labels: Mapping[Item, str], defaults: Mapping[str, Mapping[str, Any]]
) -> Iterator[list[Item]]:
    """Items as statements: a layer with the words after it."""
    at = 0
    while at < len(items):
        phrase = [items[at]]
        head = items[at]
        at += 1
        if isinstance(head, Layer) and head.word in LAYERS and LAYERS[head.word].trailing and not head.branches:
            while at < len(items) and phrase[-1] not in labels and _trails(items[at], defaults):
                phrase.append(items[at])
                at += 1
        yield phrase


def _trails(item: Item, defaults: Mapping[str, Mapping[str, Any]]) -> bool:
    if not isinstance(item, Layer) or item.word not in trailing_words() or item.reads:
        return False
    params, own = declared_by(LAYERS[item.word]), defaults.get(item.word, {})
    for name, values in item.values.items():
        default = own.get(name, params[name].default)
        if any(each != default or type(each) is not type(default) for each in values):
            return False
    return True


def _phrases_in(
    series: Series, used: Mapping[str, int], defaults: Mapping[str, Mapping[str, Any]] | None
) -> Iterator[list[Layer]]:
    """The layers of a body and of all in it, each with the words after it; without `defaults`, with those that may
    become words by a `default` of their own options."""
    for item in series.items:
        for each in inner(item):
            yield from _phrases_in(each, used, defaults)
    at, items = 0, series.items
    while at < len(items):
        head = items[at]
        at += 1
        if not isinstance(head, Layer) or head.word not in LAYERS:
            continue
        phrase = [head]
        while LAYERS[head.word].trailing and at < len(items):
            after = items[at]
            if not isinstance(after, Layer) or after.word not in trailing_words() or _is_read(phrase[-1], used):
                break
            if defaults is not None and not _trails(after, defaults):
                break
            phrase.append(after)
            at += 1
        yield phrase
        if defaults is None:
            yield from ([word] for word in phrase[1:])


def _is_read(item: Layer, used: Mapping[str, int]) -> bool:
    return any(name in used for name in item.names)


def _options(item: Layer) -> Iterator[tuple[str, Param]]:
    """The parameters of a layer that a `default` may say."""
    cls = LAYERS[item.word]
    params = declared_by(cls)
    if item.word in _BY_OPTIONS or cls.family in _BY_OPTIONS:
        return
    for name in item.values:
        if name not in cls.size and name not in cls.positional and params[name].default is not REQUIRED:
            yield name, params[name]


def _keyed(word: str, values: Mapping[str, Any]) -> list[Argument]:
    made: list[Argument] = []
    params = declared_by(LAYERS[word])
    for name, value in values.items():
        made.append(Keyword(params[name].key, to_expr(value), NOWHERE, NOWHERE))
    return made


def _is_constant(text: Any) -> bool:
    return not isinstance(text, Said | Sized | Stepped | Test | Expr)


def _share(place: Any, scale: tuple[float, int]) -> Any:
    """The rate of stochastic depth that a whole number stands for: `c*place/N`."""
    most, parts = Literal(scale[0], NOWHERE), Literal(scale[1], NOWHERE)
    if place == 0:
        return 0
    if place == 1:
        return Binary("/", most, parts, NOWHERE)
    times = place if isinstance(place, Expr) else Literal(place, NOWHERE)
    return Binary("/", Binary("*", most, times, NOWHERE), parts, NOWHERE)


def as_expr(text: Any, solution: Solution) -> Expr:
    text = resolved(text, solution.texts)
    return text if isinstance(text, Expr) else to_expr(text)


@dataclass(slots=True, eq=False)
class _LessOne:
    """A count that includes the block before the `repeat`."""

    said: Said


def resolved_count(text: Any, solution: Solution) -> Expr:
    if isinstance(text, _LessOne):
        return Binary("-", as_expr(text.said, solution), Literal(1, NOWHERE), NOWHERE)
    return as_expr(text, solution)


def _count_first(body: Series, solution: Solution) -> None:
    """Count the block before a `repeat` with its passes: `stage 3` is one and `repeat n-1`."""
    after: list[tuple[Loop, bool]] = []

    def visit(series: Series) -> None:
        before: Item | None = None
        for item in series.items:
            for each in inner(item):
                visit(each)
            if isinstance(item, Loop):
                after.append((item, before is not None and _weighted(series.items, item)))
            before = item

    visit(body)
    for formal in solution.formals:
        if formal.kind != COUNT:
            continue
        said = {key for key, text in solution.texts.items() if isinstance(text, Said) and text.formal is formal}
        loops = [(id(item), COUNT) for item, is_after in after if is_after and (id(item), COUNT) in said]
        if said and len(loops) == len(said):
            formal.values = [own + 1 for own in formal.values]
            if formal.default is not None:
                formal.default_values = [own + 1 for own in formal.default_values]
                if isinstance(formal.default, Literal):
                    formal.default = Literal(formal.default.value + 1, NOWHERE)  # type: ignore[operator]
            for key in said:
                solution.texts[key] = _LessOne(solution.texts[key])


def _weighted(items: Sequence[Item], loop: Loop) -> bool:
    """Whether as many layers with weights stand before a `repeat` as in it, so that both are blocks."""
    return sum(map(_weights, items[: items.index(loop)])) >= sum(map(_weights, loop.body.items))


def _weights(item: Item) -> int:
    """How many layers with weights an item has, one for each statement."""
    if isinstance(item, Layer):
        own = item.word in LAYERS and LAYERS[item.word].weighted
        return own + sum(_weights(each) for branch in item.branches for each in branch.items)
    body = item.body if isinstance(item, Loop) else item.bodies()[0]
    return sum(map(_weights, body.items))


def _indexed(loop: Loop, solution: Solution) -> set[int]:
    """The `repeat` by its identity, where something in it needs its index."""
    found: set[int] = set()

    def visit(series: Series) -> bool:
        for item in series.items:
            if id(item) in solution.indices:
                return True
            if any(visit(each) for each in inner(item)):
                return True
        return False

    if visit(loop.body):
        found.add(id(loop))
    return found


def _is_input(statement: Statement) -> bool:
    return isinstance(statement, Operation) and statement.name == "input"


def _word(name: str) -> Positional:
    value = Reference(name, NOWHERE) if is_name(name) else Literal(name, NOWHERE)
    return Positional(value, NOWHERE)


def _spaced(lines: Iterable[Line]) -> str:
    """Lines, with blank ones around definitions and after the input."""
    made: list[str] = []
    before = ""
    for line in lines:
        outer = not line.indent and line.text != "}"
        word = line.text.split(" ")[0]
        if outer:
            begins = word in _DEFINES or (before in ("input", "default", *_DEFINES) and word != before)
            if begins and made and made[-1]:
                made.append("")
            before = word
        line.put(made)
    return "".join(f"{line}\n" for line in made)
