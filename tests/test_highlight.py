"""The lexer for Pygments: what it calls the words of a text is what the tree has there."""

from pathlib import Path

import pytest
from pygments.token import Comment, Error, Keyword, Literal, Name, String, _TokenType

from netc.diagnostics.model import Diagnostics
from netc.limits import Limits
from netc.report.highlight import NetLexer
from netc.report.vocabulary import vocabulary
from netc.syntax import tree
from netc.syntax.parser import parse
from netc.syntax.source import Source
from tests.first_edition import corpus
from tests.specs import SPECS

STD = SPECS.parent / "netc" / "std"
FILES = sorted([*SPECS.glob("*.net"), *STD.glob("*.net")])


def _kinds(text: str) -> list[_TokenType]:
    """The kind of the token at each place."""
    tokens = list(NetLexer().get_tokens_unprocessed(text))
    assert "".join(value for _, _, value in tokens) == text
    return [kind for _, kind, value in tokens for _ in value]


def _expected(file: tree.File) -> dict[int, _TokenType]:
    """Where words stand whose kind the tree knows."""
    found = {comment.span.start: Comment for comment in file.comments}
    for node in tree.descend(file.statements):
        match node:
            case tree.Operation(label=tree.Name(span=span)):
                found[span.start] = Name.Label
            case tree.Keyword(key_span=span):
                found[span.start] = Name.Attribute
            case tree.Definition(name_span=span):
                found[span.start] = Name.Function
            case tree.Parameter(name_span=span):
                found[span.start] = Name.Attribute  # it is followed by `=`
            case tree.Literal(value=bool(), span=span):
                found[span.start] = Keyword.Constant
            case tree.Literal(value=str(), span=span):
                found[span.start] = String
            case tree.Literal(value=int() | float(), span=span):
                found[span.start] = Literal.Number
            case tree.Repeat(keyword_span=span):
                found[span.start] = Keyword
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_words_of_a_file_are_what_the_tree_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    kinds = _kinds(text)
    assert Error not in kinds
    file = parse(Source(path.name, text), Limits(), Diagnostics())
    wrong = {
        text[at : at + 20]: kinds[at]
        for at, kind in _expected(file).items()
        if not (text[at] in "+-" or kinds[at] in kind)  # a sign is an operator of its own
    }
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_operations_are_told_from_other_names(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    kinds, known = _kinds(text), vocabulary()
    file = parse(Source(path.name, text), Limits(), Diagnostics())
    for node in tree.descend(file.statements):
        if isinstance(node, tree.Operation):
            kind = kinds[node.name_span.start]
            if node.name in {*known.operations, *known.blocks} - {*known.statements}:
                assert kind is Name.Builtin, node.name
            elif node.name in {*known.statements, "data", "train"}:
                assert kind is Keyword.Declaration, node.name


def test_any_text_is_coloured_whole() -> None:
    """Also a wrong one: a character that is none of the language is an error there, and no end."""
    for text in (
        *(each["text"] for each in corpus().values()),
        "input 32×32×3\nconv 64 §",
        '"open',
        "conv 64x3 #",
        "\x00\n\r",
    ):
        _kinds(text)


def test_pygments_finds_it() -> None:
    from pygments.lexers import get_lexer_by_name, get_lexer_for_filename

    assert isinstance(get_lexer_by_name("net"), NetLexer)
    assert isinstance(get_lexer_for_filename("resnet.net"), NetLexer)
