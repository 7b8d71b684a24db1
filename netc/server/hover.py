"""What stands at a place: what it means, what it made, and what that costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from netc.analysis.cost import Cost
from netc.ir.shape import SIZES, axes_of
from netc.layers import LAYERS
from netc.layers.base import Layer
from netc.lower.index import Named
from netc.params import Signature
from netc.report.reference import gist, usage
from netc.report.summary import show_field
from netc.server import words
from netc.server.around import path
from netc.server.around import statement as statement_at
from netc.server.document import Document, Snapshot
from netc.server.places import made
from netc.server.ran import Run
from netc.server.signature import signature_of
from netc.server.written import SECTIONS, Written
from netc.syntax.source import Span
from netc.syntax.tree import Definition, Keyword, Node, Operation, Reference, Repeat
from netc.values import Value, show

ROWS = 8  # copies that are told one by one
VALUES = 12
NAMES = {
    "parameter": "a parameter of the file",
    "formal": "a parameter of the definition",
    "index": "the index of a `repeat`, which begins at 0",
    "label": "a label",
}


@dataclass(frozen=True, slots=True)
class Hover:
    """What there is to say of a range of the text, in Markdown; numbers are those of an older version where `old`."""

    start: int
    end: int
    text: str
    old: bool = False


def hover(document: Document, offset: int) -> Hover | None:
    """What there is to say of a place; None where there is nothing."""
    now = document.now
    named = now.index.definition_at(offset)
    if named is not None and named.kind != "definition":
        return _of_name(document, named, offset)
    around = path(now.file, offset)
    statement = next((node for node in reversed(around) if isinstance(node, Operation | Repeat | Definition)), None)
    if statement is None:
        return None
    for node in reversed(around):
        if node is statement:
            break
        word = _of_word(now, around, statement, node, offset) or _of_size(document, around, node, offset)
        if word is not None:
            return word
    return _of_statement(document, around, statement, offset)


def _of_name(document: Document, named: Named, offset: int) -> Hover:
    """A name is told with what it is worth: a parameter of a definition in each of its calls, a label its tensor."""
    span = document.now.index.words_at(named, offset)
    good, worth = document.good, ""
    if good is not None:
        then = good.index.definition_at(document.before(offset))
        worth = _worth(good, then) if then is not None and then.name == named.name else ""
    return Hover(span.start, span.end, worth or f"`{named.name}`: {NAMES[named.kind]}", bool(worth) and document.is_old)


# -- meaning -------------------------------------------------------------------------------------------------


def _section(around: Sequence[Node]) -> str | None:
    return next((one.name for one in around if isinstance(one, Operation) and one.name in SECTIONS), None)


def _of_word(now: Snapshot, around: Sequence[Node], statement: Node, node: Node, offset: int) -> Hover | None:
    """An option, or a word of the statement."""
    if not isinstance(statement, Operation):
        return None
    section = _section(around)
    begins = [statement.name, *_first_words(statement)]
    if isinstance(node, Keyword) and _at(node.key_span, offset):
        known = _signature(now, section, begins)
        param = known.params.get(node.key) if known else None
        return Hover(*node.key_span[1:], words.option_page(known, param)) if known and param else None
    if isinstance(node, Reference):
        chosen = begins[1:] == [node.name] and section and words.page_of_setting(section, begins)
        known = None if chosen else _signature(now, section, begins)
        text = chosen or (known and words.word_page(known, node.name))
        return Hover(*node.span[1:], text) if text else None
    return None


def _of_size(document: Document, around: Sequence[Node], node: Node, offset: int) -> Hover | None:
    """What a size of the current tensor, such as `channels`, is in each run of the statement that names it."""
    good = document.good
    if good is None or not isinstance(node, Reference) or node.name not in SIZES or _is_choice(around, node):
        return None
    values = []
    for run in _runs_at(good, document.before(offset)):
        axes = axes_of(good.program.net.shapes[run.source]) if run.source is not None else ()
        if run.source is None or node.name not in axes:
            return None
        values.append(f"`{good.facts.shape(run.source).split('×')[axes.index(node.name)]}`")
    text = f"`{node.name}` = {folded(values)}, of the tensor before this statement"
    return Hover(*node.span[1:], text, document.is_old) if values else None


def _is_choice(around: Sequence[Node], node: Node) -> bool:
    """Whether a name is a word of an option, as in `gap over=channels`."""
    option = next((one for one in around if isinstance(one, Keyword) and one.value is node), None)
    operation = next((one for one in reversed(around) if isinstance(one, Operation)), None)
    if option is None or operation is None or operation.name not in LAYERS:
        return False
    param = LAYERS[operation.name].signature(operation.name).params.get(option.key)
    return param is not None and option.value.span.text in param.kind.words()


def _at(span: Span, offset: int) -> bool:
    return span.start <= offset <= span.end


def _signature(now: Snapshot, section: str | None, begins: Sequence[str]) -> Signature | None:
    found = signature_of(now, Written([*begins], blocks=(section,) if section else ()))
    return None if found is None else found[0]


def _first_words(statement: Operation) -> Iterator[str]:
    for argument in statement.arguments[:1]:
        if isinstance(argument.value, Reference) and not isinstance(argument, Keyword):
            yield argument.value.name


def _of_statement(
    document: Document, around: Sequence[Node], statement: Operation | Repeat | Definition, offset: int
) -> Hover | None:
    """What a statement made and costs, with its meaning where its name is."""
    name = statement.keyword_span if isinstance(statement, Repeat) else statement.name_span
    span, meaning = name, ""
    if not _at(name, offset):
        span = around[-1].span
    elif isinstance(statement, Repeat):
        meaning = words.page("repeat") or ""
    elif isinstance(statement, Definition):
        meaning = words.definition_page(statement)
    else:
        meaning = _of_operation(document.now, statement, _section(around))
    numbers = _numbers(document, offset)
    text = "\n\n---\n\n".join(filter(None, [numbers, meaning]))
    return Hover(span.start, span.end, text, bool(numbers) and document.is_old) if text else None


def _of_operation(now: Snapshot, statement: Operation, section: str | None) -> str:
    if section is not None and statement.name not in SECTIONS:
        return words.page_of_setting(section, [statement.name, *_first_words(statement)]) or ""
    called = now.index.definition(statement.name)
    if called is not None and called.definition is not None:
        return words.definition_page(called.definition)
    if statement.name in LAYERS and statement.name not in words.STATEMENTS:
        return _short(LAYERS[statement.name])
    return words.page(statement.name) or ""


def _short(cls: type[Layer]) -> str:
    return f"{words.code(usage(cls))}\n\n{gist(cls)}."


# -- numbers -------------------------------------------------------------------------------------------------


def _numbers(document: Document, offset: int) -> str:
    good = document.good
    if good is None:
        return ""
    before = document.before(offset)
    names = made(good, before)
    return _costs(good, names, _runs_at(good, before)) if names else ""


def _runs_at(good: Snapshot, offset: int) -> list[Run]:
    """The runs of the innermost statement around a place."""
    around = statement_at(good.file, offset)
    return [] if around is None else good.ran.runs.get((around.span.start, around.span.end), [])


def _costs(good: Snapshot, names: Sequence[str], runs: Sequence[Run]) -> str:
    """What layers are and cost: of each copy, where a statement ran several times."""
    facts = good.facts
    total = facts.cost.total
    rows = [run for run in runs if run.nodes][:ROWS] if len(runs) > 1 else []
    own = sum((facts.cost.layers[name] for name in names), Cost())
    ends = [run.result for run in runs] or [names[-1]]
    shapes = folded([facts.shape(end) for end in ends])
    fields = folded([show_field(facts.fields[end]) for end in ends])
    lines = [f"**{shapes}**"]
    count = [f"{own.parameters:,} parameters{share(own.parameters, total.parameters)}"] if own.parameters else []
    if macs := facts.macs(names):
        count.append(f"{macs} MACs{share(own.macs, total.macs)}")
    lines += [" · ".join([*count, f"receptive field {fields}"])]
    if len(names) > 1:
        lines.append(_layers(good, names, runs if len(runs) > 1 else []))
    if len(rows) > 1:
        lines.append(_table(good, rows, len(runs)))
    return "\n\n".join(lines)


def _layers(good: Snapshot, names: Sequence[str], runs: Sequence[Run]) -> str:
    """`9 × (conv, bn, relu)` where the runs of a statement made the same layers, else how many there are."""
    made = {tuple(good.program.net.node(name).layer.op for name in run.nodes) for run in runs}
    if len(made) != 1 or sum(len(run.nodes) for run in runs) != len(names):
        return f"{len(names)} layers"
    ops = ", ".join(*made)
    return f"{len(runs)} × ({ops})" if "," in ops else f"{len(runs)} × {ops}"


def share(part: int | None, whole: int | None) -> str:
    """A share of something, in percent: `100 %` only of the whole. Empty where there is none, or it is not known."""
    if not part or not whole:
        return ""
    percent = 100 * part / whole
    if part == whole or 1 <= percent < 99:
        return f" ({percent:.0f} %)"
    return " (< 0.1 %)" if percent < 0.1 else " (> 99.9 %)" if percent >= 99.95 else f" ({percent:.1f} %)"


def _table(good: Snapshot, rows: Sequence[Run], count: int) -> str:
    facts = good.facts
    lines = ["| copy | output | parameters | MACs |", "|---|---|---:|---:|"]
    for run in rows:
        parameters = sum(facts.cost.layers[name].parameters for name in run.nodes)
        lines.append(f"| {run.nodes[0]} | {facts.shape(run.result)} | {parameters:,} | {facts.macs(run.nodes)} |")
    if count > len(rows):
        lines.append(f"| and {count - len(rows)} more | | | |")
    return "\n".join(lines)


def _worth(good: Snapshot, named: Named) -> str:
    """What a name is worth: a parameter of a definition in each of its calls, a label its tensor."""
    start = named.spans[0].start, named.spans[0].end
    if named.kind == "parameter" and named.name in good.program.parameters:
        return f"`{named.name}` = `{show(good.program.parameters[named.name])}`"
    if named.kind == "formal":
        whose = next((one for one in good.index.named if named in one.formals.values()), None)
        calls = good.ran.calls.get((whose.spans[0].start, whose.spans[0].end), []) if whose else []
        values = [arguments[named.name] for arguments in calls if named.name in arguments]
        return f"`{named.name}` = {folded(_shown(values))}" if values else ""
    if named.kind == "label":
        ends = good.ran.labels.get(start, [])
        return f"`{named.name}` is **{folded([good.facts.shape(end) for end in ends])}**" if ends else ""
    if named.kind == "index":
        counts = good.ran.indices.get(start, [])
        return f"`{named.name}` = {folded([_passes(count) for count in counts])}" if counts else ""
    return ""


def _passes(count: int) -> str:
    return f"`0` to `{count - 1}`" if count > 1 else "`0`" if count else "no value: no pass"


def _shown(values: Sequence[Value]) -> list[str]:
    return [f"`{show(value)}`" for value in values]


def folded(texts: Sequence[str], most: int = VALUES) -> str:
    """Texts in a row, equal neighbours once with their count: `64, 128 ×2, 256`."""
    runs = [(text, len([*same])) for text, same in groupby(texts)]
    shown = [text if count == 1 else f"{text} ×{count}" for text, count in runs]
    return ", ".join(shown[:most] + ["…"] * (len(shown) > most))
