"""The parser: what good text is read as, what is said of bad text and where, and that one mistake is one error."""

from dataclasses import fields, is_dataclass
from operator import attrgetter

import pytest
from lark import Lark, TextSlice, Tree, UnexpectedInput

from netc.diagnostics.fixes import apply_fixes
from netc.diagnostics.model import Diagnostic
from netc.syntax.grammar import fingerprint
from netc.syntax.parser import size_typo
from netc.syntax.tree import RESERVED, Comment, Lost, Operation, children, descend, is_name
from tests.syntax_samples import BLOCKS, EVERYTHING, INCEPTION, RESNET, VGG16, nodes, read, shape


def statement(text: str) -> object:
    file, report = read(text)
    assert not list(report), [found.message for found in report]
    assert len(file.statements) == 1
    return shape(file.statements[0])


def operation(*arguments: object, label: str | None = None, block: object = None, branches: object = ()) -> object:
    return "Operation", label, "f", arguments, block, branches


def test_lark_is_as_the_recovery_needs_it() -> None:
    """Parts of Lark that it does not document, in a grammar of words that end with `;`."""
    words = Lark('start: lines\nlines: | lines WORD ";"\nWORD: /[a-z]+/\n%ignore " "', parser="lalr")

    def recover(error: UnexpectedInput) -> bool:
        parser = error.interactive_parser
        for path in ("parser_state.state_stack", "parser_state.value_stack", "lexer_thread.state.line_ctr.char_pos"):
            assert attrgetter(path)(parser) is not None, f"a parser that stopped has no `{path}` any more"
        states, values = parser.parser_state.state_stack, parser.parser_state.value_stack
        assert [type(value).__name__ for value in values] == ["Tree", "Token"], "`value_stack` is not what was read"
        assert len(states) == len(values) + 1, "`state_stack` has not the start and a state for each value"
        del values[:], states[1:]
        assert parser.choices().keys() > {"lines", "$END"}, "`choices` is not of the state on top, rules included"
        values.append(Tree("lines", []))
        states.append(parser.choices()["lines"][1])
        assert parser.accepts() == {"WORD", "$END"}, "the parser does not go on from the top of its stacks"
        lexer = parser.lexer_thread.state
        assert lexer.text == TextSlice("a; b c; d;", 0, 10), "the lexer does not keep its text as a `TextSlice`"
        lexer.text, lexer.line_ctr.char_pos = TextSlice("???????? e;", 0, 11), 9
        return True

    tree = words.parse("a; b c; d;", on_error=recover)
    assert [*tree.scan_values(lambda token: token.type == "WORD")] == ["e"], "the lexer does not read on at `char_pos`"


def test_tables_are_those_of_the_grammar() -> None:
    tables = pytest.importorskip("netc.syntax.tables", reason="an installation makes the parser's tables")
    assert fingerprint() == tables.MADE_FROM, "run `python -m netc.syntax.grammar`"


# -- good text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("f", ()),
        ("f relu 3 -3 +3 .5 -.5 1e-4 2E+3 1.", ("relu", 3, -3, 3, 0.5, -0.5, 1e-4, 2e3, 1.0)),
        ("f true false", (True, False)),
        (r'f "a b" "q\"b\\n\n\t"', ("'a b'", repr('q"b\\n\n\t'))),
        ("f k=3 k = relu k=-1", ({"k": 3}, {"k": "relu"}, {"k": -1})),
        ("f n -1", ("n", -1)),
        ("f (n) (n -1)", (["n"], [("Binary", "-", "n", 1)])),
        ("f(n)", (["n"],)),
        ("f 64x3", (("Size", 64, 3),)),
        ("f 64x3x5/2x1", (("Size", 64, 3, 5, "/", 2, 1),)),
        ("f 3/2 8/2", (("Size", 3, "/", 2), ("Size", 8, "/", 2))),
        ("f ? ?x?x3", (("Size", None), ("Size", None, None, 3))),
        ("f (ch)x3/(stride)", (("Size", ["ch"], 3, "/", ["stride"]),)),
        ("f 64x(k)x3", (("Size", 64, ["k"], 3),)),
        ("f 64x3/(s)x2", (("Size", 64, 3, "/", ["s"], 2),)),
        ("f (a)x(b)x(c)/(d)x(e)", (("Size", ["a"], ["b"], ["c"], "/", ["d"], ["e"]),)),
        ("f (k)/2 3/(s)", (("Size", ["k"], "/", 2), ("Size", 3, "/", ["s"]))),
        ("f p=3x3 p=(a)x1", ({"p": ("Size", 3, 3)}, {"p": ("Size", ["a"], 1)})),
        ("f (4*ch)x1 relu", (("Size", [("Binary", "*", 4, "ch")], 1), "relu")),
        ("f (8/2)x3", (("Size", [("Binary", "/", 8, 2)], 3),)),
        ("f (\n  a +\n  # why\n  b\n)x3", (("Size", [("Binary", "+", "a", "b")], 3),)),
        ("f chx3", ("chx3",)),
    ],
)
def test_arguments(text: str, arguments: tuple[object, ...]) -> None:
    assert statement(text) == operation(*arguments)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8/2", ("Binary", "/", 8, 2)),
        ("1 + 2 * 3", ("Binary", "+", 1, ("Binary", "*", 2, 3))),
        ("1 - 2 - 3", ("Binary", "-", ("Binary", "-", 1, 2), 3)),
        ("a-1", ("Binary", "-", "a", 1)),
        ("-2 ** 2", ("Unary", "-", ("Binary", "**", 2, 2))),
        ("2 ** -1 ** 2", ("Binary", "**", 2, ("Unary", "-", ("Binary", "**", 1, 2)))),
        ("a // 2 % 3", ("Binary", "%", ("Binary", "//", "a", 2), 3)),
        ("not a == b", ("Unary", "not", ("Binary", "==", "a", "b"))),
        ("a or b and not c", ("Binary", "or", "a", ("Binary", "and", "b", ("Unary", "not", "c")))),
        ("a < 1 and b >= 2", ("Binary", "and", ("Binary", "<", "a", 1), ("Binary", ">=", "b", 2))),
        ("1 if a else 2 if b else 3", ("Conditional", 1, "a", ("Conditional", 2, "b", 3))),
        ("(1)", [1]),
        ('"text"', "'text'"),
    ],
)
def test_expressions(text: str, value: object) -> None:
    assert statement(f"param x = {text}") == ("Parameter", "x", value)


F = operation()


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("f { f; f }", operation(block=("Block", (F, F)))),
        ("f {\n\n f\n ; f;\n}", operation(block=("Block", (F, F)))),
        ("f { }", operation(block=("Block", ()))),
        ("f { | f; f | | f\n }", operation(branches=(("Branch", (F, F)), ("Branch", ()), ("Branch", (F,))))),
        ("f {\n| f\n f\n| f\n}", operation(branches=(("Branch", (F, F)), ("Branch", (F,))))),
        ("a: f 1", operation(1, label="a")),
        ("a : f", operation(label="a")),
        ("repeat n-1 { f }", ("Repeat", None, ("Binary", "-", "n", 1), None, ("Block", (F,)))),
        ("a: repeat 2 as i { f }", ("Repeat", "a", 2, "i", ("Block", (F,)))),
        ("if a { f }", ("If", (("Arm", "a", ("Block", (F,))),))),
        (
            "if a { f } else if b { f }\n# between\n\nelse { f }",
            ("If", tuple(("Arm", condition, ("Block", (F,))) for condition in ("a", "b", None))),
        ),
        ("def g() { f }", ("Definition", "g", (), (), ("Block", (F,)), False)),
        ("def g() with with a { f }", ("Definition", "g", (), ("with", "a"), ("Block", (F,)), False)),
        (
            "shared def g(\n  a, b=1,  # one\n  c=a+1 if a else 2\n) { f }",
            (
                "Definition",
                "g",
                (
                    ("Formal", "a", None),
                    ("Formal", "b", 1),
                    ("Formal", "c", ("Conditional", ("Binary", "+", "a", 1), "a", 2)),
                ),
                (),
                ("Block", (F,)),
                True,
            ),
        ),
    ],
)
def test_statements(text: str, tree: object) -> None:
    assert statement(text) == tree


@pytest.mark.parametrize(
    "name", ["net", "input", "output", "from", "default", "use", "data", "train", "definition", "iff"]
)
def test_operation_names_are_not_reserved(name: str) -> None:
    assert statement(f"{name} a") == ("Operation", None, name, ("a",), None, ())


@pytest.mark.parametrize("text", [VGG16, RESNET, BLOCKS, INCEPTION, EVERYTHING])
def test_examples_are_read(text: str) -> None:
    file, report = read(text)
    assert not list(report)
    assert not any(isinstance(node, Lost) for node in nodes(file))


def test_vgg16_is_read_as_it_stands() -> None:
    file, _ = read(VGG16)
    names = [node.name for node in file.statements if isinstance(node, Operation)]
    assert names == ["net", "input", *["stage"] * 5, "fc", "train"]
    assert shape(file.statements[3]) == (
        *("Definition", "stage", (("Formal", "n", None), ("Formal", "ch", None)), ()),
        (
            "Block",
            (
                (
                    *("Repeat", None, "n", None),
                    ("Block", (("Operation", None, "conv", (("Size", ["ch"], 3), "relu"), None, ()),)),
                ),
                ("Operation", None, "pool", (2,), None, ()),
            ),
        ),
        False,
    )


@pytest.mark.parametrize("text", ["f 1\r\nf 2\r\n", "\ufefff 1\nf 2", "\tf\t1;\n;;f 2\f", "f 1 # c\r\nf 2"])
def test_line_ends_tabs_and_byte_order_mark(text: str) -> None:
    file, report = read(text)
    assert not list(report)
    assert shape(file.statements) == (operation(1), operation(2))


def test_comments() -> None:
    file, _ = read('# own\nf 1 #after \n  # indented\nf (a # inside\n)\ng "# no comment"\n#')
    assert [(comment.text, comment.own_line) for comment in file.comments] == [
        *(("own", True), ("after", False), ("indented", True), ("inside", False), ("", True))
    ]
    assert [comment.span.text for comment in file.comments][:2] == ["# own", "#after"]


def test_spans() -> None:
    text = "a: f (n+1)x3/2 k=(m) {\n  | g\n}"
    file, _ = read(text)
    node = file.statements[0]
    assert isinstance(node, Operation)
    assert node.span.text == text
    assert [argument.span.text for argument in node.arguments] == ["(n+1)x3/2", "k=(m)"]
    assert (node.name_span.text, node.branches[0].span.text) == ("f", "| g")
    assert [part.span.text for part in nodes(node.arguments[0])][-1] in text


@pytest.mark.parametrize(
    "text", [*sorted(RESERVED), "iff", "nota", "If", "_", "x3", "3x", "a b", "a-b", "a\n", "é", "aé", "", "a;"]
)
def test_names_are_those_of_the_grammar(text: str) -> None:
    file, report = read(f"f {text}=1")
    as_key = [shape(each) for each in file.statements] == [operation({text: 1})]
    assert is_name(text) == (as_key and not report.failed)


# -- bad text ------------------------------------------------------------------------------------------------

BAD = [  # text, code, line, column, what is underlined, part of the message
    ("conv 16x3 @ relu", "NET001", 1, 11, "@", "expected an argument or the end of the line"),
    ("f\n@", "NET001", 2, 1, "@", "expected a statement"),
    ("conv 16x3, relu", "NET001", 1, 10, ",", "between arguments"),
    ("f )", "NET001", 1, 3, ")", "closes nothing"),
    ("f\n}\ng", "NET001", 2, 1, "}", "closes nothing"),
    ("| f", "NET001", 1, 1, "|", "expected a statement"),
    ("repeat 2 { | f }", "NET001", 1, 12, "|", "statements, not branches"),
    ("add { f | g }", "NET001", 1, 7, "f", "before the first `|`"),
    ("a { b } c", "NET001", 1, 9, "c", "expected the end of the line"),
    ("{ f }", "NET001", 1, 1, "{", "expected a statement"),
    ("else { f }", "NET001", 1, 1, "else", "without an `if`"),
    ("if a { f } else b { f }", "NET001", 1, 17, "b", "expected `{`"),
    ("if a = b { f }", "NET001", 1, 6, "=", "expected `{`"),
    ("repeat 2\n{ f }", "NET001", 1, 9, "\n", "where `{` must stand"),
    ("repeat a < b < c { f }", "NET001", 1, 14, "<", "expected `{`"),
    ("repeat { f }", "NET001", 1, 8, "{", "expected a value"),
    ("param x", "NET001", 1, 8, "", "the file ends where `=` must stand"),
    ("param x =\nf", "NET001", 1, 10, "\n", "the line ends where a value must stand"),
    ("param x = 64x3", "NET001", 1, 11, "64x3", "is a size"),
    ("param 3 = 3", "NET001", 1, 7, "3", "expected a name"),
    ("f l2=\ng", "NET001", 1, 6, "\n", "a value for `l2`"),
    ("def f(a b) { g }", "NET001", 1, 9, "b", "expected `=`, `,` or `)`"),
    ("def f { g }", "NET001", 1, 7, "{", "expected `(`"),
    ("shared f() { g }", "NET001", 1, 8, "f", "expected `def`"),
    ("a: param x = 3", "NET001", 1, 4, "param", "a label cannot name `param`"),
    ("f repeat 2 { g }", "NET001", 1, 3, "repeat", "cannot stand here"),
    ("f (1 2)", "NET001", 1, 6, "2", "expected `)`"),
    ("f ()", "NET001", 1, 4, ")", "expected a value"),
    ("f 3/2/2", "NET001", 1, 6, "/", "one `/`"),
    ("f 3/?", "NET001", 1, 5, "?", "cannot be unknown"),
    ("f 'a'", "NET001", 1, 3, "'", "`'` cannot stand here"),
    ("größe: f", "NET001", 1, 1, "größe", "is no name"),
    ("f \x1b[31m", "NET001", 1, 3, "\x1b", "U+001B"),
    ("f \x00", "NET001", 1, 3, "\x00", "U+0000"),
    ("f\ng \ufeff3", "NET001", 2, 3, "\ufeff", "U+FEFF"),
    ("f\u00a03", "NET001", 1, 2, "\u00a0", "no-break space"),
    ("f {\n  g\nh", "NET002", 1, 3, "{", "never closed"),
    ("def f() {\n  repeat 2 {\n    g\n}\nh", "NET002", 2, 12, "{", "never closed"),
    ("f (1\ng", "NET002", 1, 3, "(", "never closed"),
    ("f ((1)\ng", "NET002", 1, 3, "(", "never closed"),
    ("def f(a {\n  g\n}\nh", "NET002", 1, 6, "(", "never closed"),
    ("f l2=1e", "NET003", 1, 6, "1e", "neither a number nor a size"),
    ("f 1_000", "NET003", 1, 3, "1_000", "neither a number nor a size"),
    ("f 1.2.3", "NET003", 1, 3, "1.2.3", "neither a number nor a size"),
    ("f 16x3x", "NET003", 1, 3, "16x3x", "neither a number nor a size"),
    ("param x = 3px", "NET003", 1, 11, "3px", "no number"),
    ("conv 64 x 3 relu", "NET004", 1, 6, "64 x 3", "with spaces"),
    ("conv 64x 3", "NET004", 1, 6, "64x 3", "with spaces"),
    ("conv 64 x3", "NET004", 1, 6, "64 x3", "with spaces"),
    ("conv (ch) x 3", "NET004", 1, 6, "(ch) x 3", "with spaces"),
    ("conv 64 x 3 x 3/2", "NET004", 1, 6, "64 x 3 x 3/2", "with spaces"),
    ("conv 16x3 /2", "NET004", 1, 6, "16x3 /2", "with spaces"),
    ("conv 16x3/ 2", "NET004", 1, 6, "16x3/ 2", "with spaces"),
    ("conv kernel=3 x 3", "NET004", 1, 13, "3 x 3", "with spaces"),
    ("conv 64xk relu", "NET004", 1, 6, "64xk", "is no size"),
    ("conv chx3/2", "NET004", 1, 6, "chx3/2", "is no size"),
    ("conv (n)xk", "NET004", 1, 6, "(n)xk", "is no size"),
    ('net "small', "NET006", 1, 5, '"small', "does not end on its line"),
    (r'net "a \q b"', "NET006", 1, 8, r"\q", "is no escape"),
    ("conv 4*ch x3", "NET007", 1, 6, "4*ch", "more than one token"),
    ("f n=n-1 relu", "NET007", 1, 5, "n-1", "more than one token"),
    ("f n - 1", "NET007", 1, 3, "n - 1", "more than one token"),
    ("f k=not a", "NET007", 1, 5, "not a", "more than one token"),
    ("f a if b else c", "NET007", 1, 3, "a if b else c", "more than one token"),
    ("f k=-n", "NET007", 1, 5, "-n", "more than one token"),
    ("f a == 1", "NET007", 1, 3, "a == 1", "more than one token"),
    ("f 2*(n+1)*3", "NET007", 1, 3, "2*(n+1)*3", "more than one token"),
    ("param if = 3", "NET124", 1, 7, "if", "reserved word, expected a name"),
    ("def f(or) { g }", "NET124", 1, 7, "or", "reserved word"),
    ("repeat 2 as as { g }", "NET124", 1, 13, "as", "reserved word"),
    ("repeat: f", "NET124", 1, 1, "repeat", "cannot be a label"),
    ("f if=3", "NET124", 1, 3, "if", "reserved word"),
    ("not f", "NET124", 1, 1, "not", "reserved word"),
    ("f 9007199254740993", "NET607", 1, 3, "9007199254740993", "larger than 9007199254740992"),
    ("f 1x99999999999999999999", "NET607", 1, 5, "9" * 20, "larger than"),
    ("f " + "9" * 6000, "NET607", 1, 3, "9" * 6000, "larger than"),
    ("f -1e999", "NET607", 1, 3, "-1e999", "too large for a real number"),
]


def only(text: str, **limits: int) -> Diagnostic:
    _, report = read(text, **limits)
    found = list(report)
    assert len(found) == 1, [one.message for one in found]
    return found[0]


@pytest.mark.parametrize(("text", "code", "line", "column", "underlined", "message"), BAD)
def test_one_mistake_is_one_error(text: str, code: str, line: int, column: int, underlined: str, message: str) -> None:
    found = only(text)
    assert found.span is not None
    assert found.code == code
    assert found.span.source.position(found.span.start) == (line, column)
    assert found.span.text == underlined.strip("\n")
    assert message in found.message


@pytest.mark.parametrize("text", [text for text, *_ in BAD])
def test_statements_around_a_mistake_are_read(text: str) -> None:
    """Whatever stands before it, and after it where its braces are closed."""
    _, report = read(text)
    swallows = {found.code for found in report} == {"NET002"} and "{" in text and "(" not in text.partition("{")[0]
    file, report = read(f"before 1\n{text}\nafter 2")
    assert len(list(report)) == 1
    assert shape(file.statements[0]) == ("Operation", None, "before", (1,), None, ())
    assert swallows or "()" in text or shape(file.statements[-1]) == ("Operation", None, "after", (2,), None, ())


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("conv 64 x 3 relu", "conv 64x3 relu"),
        ("conv 16x3 /2", "conv 16x3/2"),
        ("conv (ch) x 3", "conv (ch)x3"),
        ("conv 64xk relu", "conv 64x(k) relu"),
        ("conv chx3/2", "conv (ch)x3/2"),
        ("conv chx3/s", "conv (ch)x3/(s)"),
        ("conv (n)xk", "conv (n)x(k)"),
        ("conv 4*ch x3 relu", "conv (4*ch)x3 relu"),
        ("conv 2*16x3", "conv (2*16)x3"),
        ("f n=n-1 relu", "f n=(n-1) relu"),
        ("f a if b else c", "f (a if b else c)"),
        ("f k=-n", "f k=(-n)"),
        ("f n -k", "f n -k"),  # `n (-k)` or `(n-k)`: not for us to say
        ("fc 10,softmax", "fc 10 softmax"),
        ("conv 16x3, relu", "conv 16x3 relu"),
        ("f\u00a03", "f 3"),
        ("f 3×3", "f 3x3"),
    ],
)
def test_safe_fixes(text: str, fixed: str) -> None:
    file, report = read(text)
    assert apply_fixes(file.source, report) == fixed
    if fixed != text:
        assert not list(read(fixed)[1])


def test_sizes_with_spaces_are_read_as_they_were_meant() -> None:
    file, _ = read("f 64 x 3 relu\nf k=3 x 3/2\nf 1 x3 x (n)")
    size = ("Size", 64, 3)
    assert shape(file.statements[0]) == operation(size, "relu")


@pytest.mark.parametrize("text", ["param x = 1\nf 3 x 4", "def g(x) { f 3 x 4 }", "repeat 2 as x { f 3 x 4 }"])
def test_a_parameter_named_x_is_no_size(text: str) -> None:
    assert not list(read(text)[1])


@pytest.mark.parametrize(
    ("name", "size"),
    [("chx3", "(ch)x3"), ("chx3x1", "(ch)x3x1"), ("n_1x3", "(n_1)x3"), ("relu", None), ("x3", None), ("maxpool", None)],
)
def test_size_typo(name: str, size: str | None) -> None:
    assert size_typo(name) == size


# -- going on ------------------------------------------------------------------------------------------------


def test_every_error_of_a_file_is_found() -> None:
    text = "input 3\nconv 16x3 @ relu\nrepeat n m {\n  conv 1e\n  add { | f 'a' | g }\n} \nparam if = 3\nf 2*3\nlast"
    file, report = read(text)
    assert [(found.code, found.span.line) for found in report if found.span] == [
        ("NET001", 2),
        ("NET001", 3),
        ("NET003", 4),
        ("NET001", 5),
        ("NET124", 7),
        ("NET007", 8),
    ]
    assert [type(node).__name__ for node in file.statements] == ["Operation", *["Lost"] * 4, "Operation"]


def test_statements_beside_an_error_in_a_block_stay() -> None:
    file, _ = read("repeat 2 {\n  a\n  @\n  b; c @; d\n}")
    assert shape(file.statements[0])[4] == (  # type: ignore[index]
        "Block",
        tuple(("Operation", None, name, (), None, ()) if name else ("Lost",) for name in ("a", "", "b", "", "d")),
    )


def test_arms_after_an_error_are_read() -> None:
    _, report = read("if a b { x @ } else if { y @ } else { z @ }")
    assert [found.span.start for found in report if found.span] == [5, 11, 27, 40]


def test_an_unclosed_brace_makes_everything_after_it_unknown() -> None:
    file, report = read("a\nrepeat 2 {\n  b\nc @\nd")
    assert [(found.code, found.span.line) for found in report if found.span] == [("NET002", 2), ("NET001", 4)]
    assert shape(file.statements) == (("Operation", None, "a", (), None, ()), ("Lost",))


def test_a_closing_brace_that_is_indented_less_shows_which_one_is_missing() -> None:
    found = only("def f() {\n    repeat 2 {\n        g\n}\nh")
    assert [(label.span.line, label.span.text) for label in found.secondary] == [(4, "}")]


def test_errors_are_counted() -> None:
    _, report = read("@\n" * 5000)
    found = list(report)
    assert len(found) == 1000
    assert [one for one in found if one.notes] == [found[-1]]
    assert "the rest of the file was not read" in found[-1].notes[0]


# -- bounds --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "f " + "(" * 20000 + "1" + ")" * 20000,
        "f " + "(" * 20000,
        "f { " * 20000 + "}" * 20000,
        "f {" * 20000,
        "param x = 1" + "+1" * 2000,
        "param x = 1" + " ** 1" * 2000,
        "param x = " + "not " * 2000 + "a",
        "f (" + "-" * 2000 + "1)",
        "repeat " + "1 if a else " * 1500 + "1 { f }",
        "if " + "a and " * 200 + "a { f }",
        "def f(a=1" + "-1" * 200 + ") { f }",
    ],
    ids=range(11),
)
def test_nesting_is_bounded(text: str) -> None:
    found = only(text)
    assert found.code == "NET602"
    assert "--limit nesting=1000" in found.help[0]


def test_bounds_can_be_moved() -> None:
    assert not list(read("f " + "(" * 120 + "1" + ")" * 120, nesting=150)[1])
    assert only("f ((1))", nesting=1).code == "NET602"
    assert only("f (1+1+1)", nesting=1).code == "NET602"
    assert only("f 11", number=10).code == "NET607"
    assert only("f -11", number=10).code == "NET607"


def test_a_flat_chain_of_arms_is_not_deep() -> None:
    assert not list(read("if a { f }" + " else if a { f }" * 1000)[1])


def test_children_are_all_parts_in_text_order() -> None:
    """As the fields of the classes say, so that a new class or field cannot be forgotten."""
    file, _ = read(EVERYTHING)
    for node in nodes(file):
        if isinstance(node, Comment):
            continue
        inside = children(node)
        assert [child.span.start for child in inside] == sorted(child.span.start for child in inside)
        values = [getattr(node, field.name) for field in fields(node)]
        parts = [part for value in values for part in (value if type(value) is tuple else (value,))]
        assert {*map(id, inside)} == {id(part) for part in parts if is_dataclass(part)}
    assert {*map(id, descend(file.statements))} == {id(node) for node in nodes(file) if not isinstance(node, Comment)}
