"""Protocol buffers in their text form, as far as Caffe's files use it: fields with values or messages, which may come
again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput, UnexpectedToken

from netc.lift.source import ImportRefused, Reason

_GRAMMAR = r"""
    start: _field*
    _field: (pair | message) (";" | ",")?
    pair: NAME ":" (_value | "[" [_value ("," _value)*] "]")
    message: NAME ":"? ("{" _field* "}" | "<" _field* ">")
    _value: STRING+ | WORD | NAME
    NAME: /[A-Za-z_][A-Za-z0-9_]*/
    WORD: /[-+.0-9][-+.0-9A-Za-z]*/
    STRING: /"(\\.|[^"\\\n])*"|'(\\.|[^'\\\n])*'/
    %ignore /#[^\n]*/
    %ignore /[ \t\r\n\f]+/
"""
DEEPEST = 50  # messages inside each other


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it is written, without quotes."""

    text: str
    line: int


@dataclass(slots=True)
class Message:
    """Fields in their order; `line` is where it begins."""

    line: int
    fields: list[tuple[str, Value | Message]] = field(default_factory=list)

    def values(self, name: str) -> list[Value]:
        """The values of a field."""
        return [value for key, value in self.fields if key == name and isinstance(value, Value)]

    def messages(self, name: str) -> list[Message]:
        """The messages of a field."""
        return [value for key, value in self.fields if key == name and isinstance(value, Message)]


def parse(text: str) -> Message:
    """The message that a text is. Raises `ImportRefused` with the line where it is none."""
    try:
        tree = _PARSER.parse(text)
    except UnexpectedInput as error:
        token = error.token if isinstance(error, UnexpectedToken) else text[error.pos_in_stream or 0 :][:20]
        ended = isinstance(token, Token) and token.type == "$END"
        got = "the end of the file" if ended else repr(str(token)[:40])
        place = f"line {text.count(chr(10)) + 1 if ended or error.line < 1 else error.line}"
        raise ImportRefused([Reason(place, f"got {got}, expected `field: value` or `field {{ ... }}`")]) from None
    whole = Message(1)
    todo: list[tuple[Tree[Token], Message, int]] = [(tree, whole, 0)]
    while todo:
        found, into, depth = todo.pop()
        if depth > DEEPEST:
            raise ImportRefused([Reason(f"line {into.line}", f"messages stand in each other more than {DEEPEST} deep")])
        for name, child in _fields(found):
            if child.data == "pair":
                into.fields += [(str(name), _value(token)) for token in child.children[1:] if isinstance(token, Token)]
            else:
                inner = Message(name.line or 0)
                into.fields.append((str(name), inner))
                todo.append((child, inner, depth + 1))
    return whole


def _fields(tree: Tree[Token]) -> Iterator[tuple[Token, Tree[Token]]]:
    for child in tree.children:
        if isinstance(child, Tree):
            name = child.children[0]
            assert isinstance(name, Token)
            yield name, child


def _value(token: Token) -> Value:
    text = str(token)
    return Value(text[1:-1] if token.type == "STRING" else text, token.line or 0)


_PARSER = Lark(_GRAMMAR, parser="lalr")
