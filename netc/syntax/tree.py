"""The syntax tree of a `.net` file.

Never changed once made (the classes are not frozen because that costs a millisecond each at import), compared by
identity, and close to the text: parentheses are kept (`(relu)` is not `relu`), so that the formatter and the
emitted code can follow what was written. Every part has its span. The depth of the tree is bounded by the
parser, so code over it may recurse.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass

from netc.syntax.source import NOWHERE, Source, Span

RESERVED = frozenset(("def", "shared", "param", "if", "else", "repeat", "as", "and", "or", "not", "true", "false"))


def is_name(text: str) -> bool:
    """Whether the grammar reads a text as a name."""
    return text.isascii() and text.isidentifier() and text not in RESERVED


# -- expressions ---------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Literal:
    """A number, a string (unquoted value) or `true`/`false`."""

    value: int | float | str | bool
    span: Span


@dataclass(slots=True, eq=False)
class Reference:
    """A bare name: a parameter, `channels`, or one of an operation's words (`relu`, `same`)."""

    name: str
    span: Span


@dataclass(slots=True, eq=False)
class Group:
    """A parenthesised expression."""

    inner: Expr
    span: Span


@dataclass(slots=True, eq=False)
class Unary:
    """`-x`, `+x` or `not x`."""

    operator: str
    operand: Expr
    span: Span


@dataclass(slots=True, eq=False)
class Binary:
    """`+ - * / // % **`, `== != < <= > >=`, `and`, `or`."""

    operator: str
    left: Expr
    right: Expr
    span: Span


@dataclass(slots=True, eq=False)
class Conditional:
    """`then if condition else otherwise`."""

    then: Expr
    condition: Expr
    otherwise: Expr
    span: Span


@dataclass(slots=True, eq=False)
class Starred:
    """`z*`: what the label `z` names in all passes of a `repeat`. It stands as an argument, and has no value."""

    name: str
    span: Span


Expr = Literal | Reference | Group | Unary | Binary | Conditional | Starred


# -- arguments -----------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Size:
    """`64x3`, `(4*ch)x1x7/2x1`, `?x?x3`: extents joined by `x`, then the stride after `/`.

    A part is a `Literal` with an integer, a `Group`, or None for `?`. `stride` is empty where none is written.
    A lone number is not a `Size` but an expression (`pool 2`); `3/2` is a `Size` with one part.
    """

    parts: tuple[Expr | None, ...]
    stride: tuple[Expr, ...]
    span: Span


@dataclass(slots=True, eq=False)
class Positional:
    """An argument without a key: an expression (a `Reference` for a word) or a size."""

    value: Expr | Size
    span: Span


@dataclass(slots=True, eq=False)
class Keyword:
    """`key=value`."""

    key: str
    value: Expr | Size
    key_span: Span
    span: Span


Argument = Positional | Keyword


# -- statements ----------------------------------------------------------------------------------------------


@dataclass(slots=True, eq=False)
class Name:
    """A name where one is defined: a label, a loop index, a parameter."""

    text: str
    span: Span


@dataclass(slots=True, eq=False)
class Block:
    """`{ statements }`. The span includes the braces."""

    statements: tuple[Statement, ...]
    span: Span


@dataclass(slots=True, eq=False)
class Branch:
    """`| statements` of a combiner; the span starts at the bar."""

    statements: tuple[Statement, ...]
    span: Span


@dataclass(slots=True, eq=False)
class Operation:
    """`[label:] name argument... [{ statements }]` or `[label:] name argument... { | branch | branch }`.

    Layers, combiners, calls of definitions, and everything else without syntax of its own: `net`, `input`,
    `output`, `from`, `default`, `use`, `data`, `train` and the lines inside the last two. At most one of
    `block` and `branches` is present.
    """

    label: Name | None
    name: str
    arguments: tuple[Argument, ...]
    block: Block | None
    branches: tuple[Branch, ...]
    name_span: Span
    span: Span


@dataclass(slots=True, eq=False)
class Repeat:
    """`[label:] repeat count [as index] { statements }`."""

    label: Name | None
    count: Expr
    index: Name | None
    body: Block
    keyword_span: Span
    span: Span


@dataclass(slots=True, eq=False)
class Arm:
    """One arm of an `if`; the condition is None for `else`."""

    condition: Expr | None
    body: Block
    span: Span


@dataclass(slots=True, eq=False)
class If:
    """`if c { } else if d { } else { }` as a flat list of arms."""

    arms: tuple[Arm, ...]
    span: Span


@dataclass(slots=True, eq=False)
class Formal:
    """A parameter of a definition, with its default."""

    name: str
    default: Expr | None
    span: Span

    @property
    def name_span(self) -> Span:
        """Where its name stands."""
        return Span(self.span.source, self.span.start, self.span.start + len(self.name))


@dataclass(slots=True, eq=False)
class Definition:
    """`[shared] def name(parameters) [with tensor...] { statements }`."""

    name: str
    formals: tuple[Formal, ...]
    tensors: tuple[Name, ...]
    body: Block
    shared: bool
    name_span: Span
    span: Span


@dataclass(slots=True, eq=False)
class Parameter:
    """`param name = expression` at the top of a file."""

    name: str
    value: Expr
    name_span: Span
    span: Span


@dataclass(slots=True, eq=False)
class Lost:
    """Text that could not be read, and was reported; what it would have done is unknown."""

    span: Span


Statement = Operation | Repeat | If | Definition | Parameter | Lost
Node = Expr | Size | Argument | Name | Block | Branch | Arm | Formal | Statement

_PARTS: dict[type[Node], tuple[str, ...]] = {
    Group: ("inner",),
    Unary: ("operand",),
    Binary: ("left", "right"),
    Conditional: ("then", "condition", "otherwise"),
    Size: ("parts", "stride"),
    Positional: ("value",),
    Keyword: ("value",),
    Block: ("statements",),
    Branch: ("statements",),
    Operation: ("label", "arguments", "block", "branches"),
    Repeat: ("label", "count", "index", "body"),
    Arm: ("condition", "body"),
    If: ("arms",),
    Formal: ("default",),
    Definition: ("formals", "tensors", "body"),
    Parameter: ("value",),
}


IDENTITY = Operation(None, "identity", (), None, (), NOWHERE, NOWHERE)  # what an empty branch is


def children(node: Node) -> list[Node]:
    """The nodes directly inside one, in text order."""
    found: list[Node] = []
    for name in _PARTS.get(type(node), ()):
        part = getattr(node, name)
        if isinstance(part, tuple):
            found.extend(each for each in part if each is not None)
        elif part is not None:
            found.append(part)
    return found


def descend(nodes: Iterable[Node]) -> Iterator[Node]:
    """Nodes and all inside them, at any depth, in text order."""
    waiting = [*nodes][::-1]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(children(node)))


def alike(one: object, other: object) -> bool:
    """Whether trees, or tuples of them, say the same, wherever they stand in a text."""
    waiting = [(one, other)]
    while waiting:
        one, other = waiting.pop()
        if isinstance(one, Branch) and isinstance(other, Branch):
            one, other = one.statements or (IDENTITY,), other.statements or (IDENTITY,)
        if type(one) is not type(other):
            return False
        if isinstance(one, Span | Source):
            continue
        if isinstance(one, tuple) and isinstance(other, tuple):
            if len(one) != len(other):
                return False
            waiting.extend(zip(one, other, strict=True))
        elif is_dataclass(one):
            waiting.extend((getattr(one, field.name), getattr(other, field.name)) for field in fields(one))
        elif one != other:
            return False
    return True


@dataclass(slots=True, eq=False)
class Comment:
    """`# text`, without the `#`; `own_line` where nothing else stands on its line."""

    text: str
    own_line: bool
    span: Span


@dataclass(slots=True, eq=False)
class File:
    """A whole text. Comments are in text order beside the statements."""

    source: Source
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...]
