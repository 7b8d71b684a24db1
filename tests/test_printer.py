"""The printer: whatever tree it prints is read again as the same tree, without the text that it came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netc.limits import Limits
from netc.syntax import tree
from netc.syntax.format import format_file
from netc.syntax.printer import WIDTH, print_tree
from netc.syntax.source import NOWHERE, Span
from netc.syntax.tree import (
    Arm,
    Binary,
    Block,
    Branch,
    Conditional,
    Definition,
    Expr,
    Formal,
    Group,
    If,
    Keyword,
    Literal,
    Name,
    Operation,
    Parameter,
    Positional,
    Reference,
    Repeat,
    Size,
    Starred,
    Statement,
    Unary,
    alike,
    descend,
)
from tests.syntax_samples import EVERYTHING, read

MOST = Limits().number
OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "==", "!=", "<", "<=", ">", ">=", "and", "or")

names = st.sampled_from(("n", "ch", "_a", "relu", "Conv2", "identity", "iff", "nota", "x_1", "order"))
numbers = st.one_of(
    st.integers(0, MOST), st.sampled_from((0.0, 1e-4, 1e-300, 1e22, 1.5)), st.floats(0, allow_infinity=False)
)
strings = st.text(st.one_of(st.sampled_from('"\\\n\t #{}();|'), st.characters(exclude_categories=())), max_size=6)
atoms = st.one_of(
    st.builds(Literal, st.one_of(numbers, strings, st.booleans()), st.just(NOWHERE)),
    st.builds(Reference, names, st.just(NOWHERE)),
)


def _operators(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    return st.one_of(
        st.builds(Group, inner, st.just(NOWHERE)),
        st.builds(Unary, st.sampled_from(("-", "+", "not")), inner, st.just(NOWHERE)),
        st.builds(Binary, st.sampled_from(OPERATORS), inner, inner, st.just(NOWHERE)),
        st.builds(Conditional, inner, inner, inner, st.just(NOWHERE)),
    )


expressions = st.recursive(atoms, _operators, max_leaves=8)
extents = st.one_of(
    st.builds(Literal, st.integers(0, MOST), st.just(NOWHERE)), st.builds(Group, expressions, st.just(NOWHERE))
)
sizes = st.builds(
    Size,
    st.lists(st.none() | extents, min_size=2, max_size=4).map(tuple),
    st.lists(extents, max_size=3).map(tuple),
    st.just(NOWHERE),
)
signed = st.builds(Literal, st.one_of(st.integers(-MOST, -1), st.floats(-1e9, -1e-9)), st.just(NOWHERE))
values = st.one_of(expressions, sizes, signed)
labels = st.none() | st.builds(Name, names, st.just(NOWHERE))
arguments = st.lists(
    st.one_of(
        st.builds(Positional, values | st.builds(Starred, names, st.just(NOWHERE)), st.just(NOWHERE)),
        st.builds(Keyword, names, values, st.just(NOWHERE), st.just(NOWHERE)),
    ),
    max_size=3,
).map(tuple)
operations = st.builds(Operation, labels, names, arguments, st.none(), st.just(()), st.just(NOWHERE), st.just(NOWHERE))


def _blocks(inner: st.SearchStrategy[Statement]) -> st.SearchStrategy[Statement]:
    bodies = st.lists(inner, max_size=3).map(tuple)
    blocks = st.builds(Block, bodies, st.just(NOWHERE))
    branches = st.lists(st.builds(Branch, bodies, st.just(NOWHERE)), min_size=1, max_size=3).map(tuple)
    arms = st.builds(Arm, expressions, blocks, st.just(NOWHERE))
    last = st.lists(st.builds(Arm, st.none(), blocks, st.just(NOWHERE)), max_size=1)
    tensors = st.lists(st.builds(Name, names, st.just(NOWHERE)), max_size=2).map(tuple)
    formals = st.lists(st.builds(Formal, names, st.none() | expressions, st.just(NOWHERE)), max_size=3).map(tuple)
    place = st.just(NOWHERE)
    return st.one_of(
        st.builds(Operation, labels, names, arguments, blocks, st.just(()), place, place),
        st.builds(Operation, labels, names, arguments, st.none(), branches, place, place),
        st.builds(Repeat, labels, expressions, st.none() | st.builds(Name, names, place), blocks, place, place),
        st.builds(lambda some, end: If((*some, *end), NOWHERE), st.lists(arms, min_size=1, max_size=3), last),
        st.builds(Definition, names, formals, tensors, blocks, st.booleans(), place, place),
    )


parameters = st.builds(Parameter, names, expressions, st.just(NOWHERE), st.just(NOWHERE))
statements = st.recursive(operations, _blocks, max_leaves=6)
files = st.lists(st.one_of(statements, parameters), max_size=4).map(tuple)


def again(text: str) -> tuple[Statement, ...]:
    """The tree of a text in canonical style."""
    file, report = read(text)
    assert not list(report), (text, [found.message for found in report])
    assert format_file(file) == text
    return file.statements


def changed(node: Any, change: Any) -> Any:
    """A tree in which every part, from the inside out, is what `change` makes of it."""
    if isinstance(node, Span):
        return NOWHERE
    if isinstance(node, tuple):
        return tuple(changed(part, change) for part in node)
    if not is_dataclass(node) or isinstance(node, type):
        return node
    return change(replace(node, **{f.name: changed(getattr(node, f.name), change) for f in fields(node)}))


def placeless(statements: Sequence[Statement]) -> Any:
    return changed(tuple(statements), lambda node: node)


def ungrouped(statements: Sequence[Statement]) -> Any:
    return changed(tuple(statements), lambda node: node.inner if isinstance(node, Group) else node)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(files)
def test_a_tree_is_read_as_it_was_printed(file: tuple[Statement, ...]) -> None:
    """But for parentheses, which are added where the text would be another tree without them, and then stay. What is
    printed is in canonical style already."""
    text = print_tree(file)
    read_again = again(text)
    assert alike(ungrouped(file), ungrouped(read_again)), text
    assert print_tree(read_again) == text
    assert alike(read_again, again(print_tree(placeless(read_again))))


def test_random_trees_have_every_node() -> None:
    """So that a class that is added to the tree is among them."""
    found: set[type] = set()

    @settings(max_examples=50, deadline=None, derandomize=True, database=None)
    @given(files)
    def collect(file: tuple[Statement, ...]) -> None:
        found.update(map(type, descend(file)))

    collect()
    assert found == {*get_args(tree.Node)} - {tree.Lost}


TEXTS = sorted(str(path) for folder in ("specs", "netc/std", "tests/cases") for path in Path(folder).rglob("*.net"))


@pytest.mark.parametrize("name", ["", *TEXTS])
def test_a_text_is_said_again_without_its_places(name: str) -> None:
    file, _ = read(Path(name).read_text(encoding="utf-8") if name else EVERYTHING)
    if not any(isinstance(node, tree.Lost) for node in descend(file.statements)):
        assert alike(file.statements, again(print_tree(placeless(file.statements))))


def test_the_style_of_trees_without_a_text() -> None:
    """One statement a line, whatever the text had, and simple combiners on one line where they fit."""
    text = """\
param a = (1+2)*3 if b and not c else -d**2
shared def f(x, y=1) {
    k: conv 64x(x)x3/2 relu note="a\\"b\\\\\\n" l2=1e-4
}
repeat n as i {
    add { | identity | f 2 }
}
if a {
    relu
} else if b {
    tanh
} else {
}
concat {
    | identity
    | conv 8x1
      relu
    | add { | a | b }
}
data x {
    crop 32x32
}
"""
    assert print_tree(again(text)) == text
    joined, _ = read(text.replace("\n", ";").replace("{;", "{").replace(";}", "}"))
    assert print_tree(joined.statements) == text
    for more in (0, 1):
        wide = f'add {{ | identity | f "{"-" * (WIDTH - 25 + more)}" }}'
        assert len(wide) == WIDTH + more
        assert print_tree(read(wide)[0].statements).count("\n") == (4 if more else 1)


@pytest.mark.parametrize(
    ("start", "middle", "end"),
    [
        ("repeat 1 {\n", "relu\n", "}\n"),
        ("repeat 1 { ", "relu", " }"),
        ("if a {\n", "relu\n", "}\n"),
        ("if a { relu } else { ", "relu", " }"),
        ("add {\n| identity\n| ", "relu\n", "}\n"),
        ("add { | identity | ", "relu", " }"),
    ],
)
def test_what_is_nested_as_deeply_as_it_may_be_is_printed(start: str, middle: str, end: str) -> None:
    depth = Limits().nesting
    file, report = read(start * depth + middle + end * depth)
    assert not list(report)
    assert alike(again(print_tree(file.statements)), file.statements)
    format_file(file)


def test_parentheses_are_added_where_they_are_needed() -> None:
    one, two, n = (Literal(1, NOWHERE), Literal(2, NOWHERE), Reference("n", NOWHERE))
    total = Binary("+", one, n, NOWHERE)
    for expr, text in (
        (Binary("*", total, two, NOWHERE), "(1+n)*2"),
        (Binary("-", two, total, NOWHERE), "2-(1+n)"),
        (Binary("+", total, two, NOWHERE), "1+n+2"),
        (Binary("**", Literal(-1, NOWHERE), Literal(-2, NOWHERE), NOWHERE), "(-1)**-2"),
        (Unary("not", Binary("or", n, n, NOWHERE), NOWHERE), "not (n or n)"),
        (Unary("-", Conditional(one, n, two, NOWHERE), NOWHERE), "-(1 if n else 2)"),
    ):
        assert print_tree([Parameter("p", expr, NOWHERE, NOWHERE)]) == f"param p = {text}\n"
        argument = Positional(expr, NOWHERE)
        assert print_tree([Operation(None, "f", (argument,), None, (), NOWHERE, NOWHERE)]) == f"f ({text})\n"
    size = Positional(Size((n, Literal(-3, NOWHERE), None), (total,), NOWHERE), NOWHERE)
    assert print_tree([Operation(None, "f", (size,), None, (), NOWHERE, NOWHERE)]) == "f (n)x(-3)x?/(1+n)\n"
