"""Parameters and comments in emitted code: comments change nothing, names of parameters only names, and other arguments
build the network of these parameters or are refused."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from netc.compiler import compile_source
from netc.program import Program
from netc.syntax.source import Source
from netc.targets.keras.source import emit
from netc.values import Value, Word
from tests.effort import unshrunk
from tests.random_networks import SMALL, networks

HEAD = "net sample\ninput 8x8x4\n"


def compiled(text: str, **parameters: Value) -> Program:
    program = compile_source(Source("sample.net", text), parameters, SMALL, speculate=True)
    assert not program.report.failed, [(found.message, found.span and found.span.line) for found in program.report]
    return program


# -- comments and names --------------------------------------------------------------------------------------

COMMENTS = (
    "the weights start from q1, q2, q3 and init",
    "we run once(per call), once=once",
    "inputs.append(x); inputs=inputs; layers.Conv2D(q1)",
    "\"\"\"quotes''' and \\ backslashes \\n {q1}",
    "first_of_each_name() and passes, i, name=name, steps_per_epoch",
)
NAMES = ("stddev", "name", "x", "inputs", "layers", "once", "outputs", "units", "keras", "first_of_each_name", "passes")
NAMES += ("build_model", "shortcut", "ChannelPadding", "conv_count", "self", "sum", "lambda", "i", "made", "activation")


def plain(text: str) -> list[ast.stmt]:
    """The code of a module without docstrings and messages, which quote comments and names."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef):
            node.body = [part for part in node.body if not _is_text(part)]
        elif isinstance(node, ast.Raise):
            node.exc = None
    return tree.body


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def anonymous(body: list[ast.stmt]) -> list[str]:
    """Code in which the names of each function are numbered as they come, and keywords of its own functions too."""
    functions = {part.name for part in body if isinstance(part, ast.FunctionDef)}
    parameters = {node.arg for part in body for node in ast.walk(part) if isinstance(node, ast.arg)}
    for part in body:
        numbers: dict[str, str] = {}
        for node in ast.walk(part):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
                for keyword in node.keywords:
                    keyword.arg = "own" if keyword.arg in parameters else keyword.arg
            elif isinstance(node, ast.arg):
                node.arg = numbers.setdefault(node.arg, f"v{len(numbers)}")
            if isinstance(node, ast.Name):
                node.id = numbers.setdefault(node.id, f"v{len(numbers)}")
    return [*map(ast.dump, body)]


@unshrunk(15)
@given(st.data(), networks(lifting=True))
def test_comments_change_nothing(data: st.DataObject, text: str) -> None:
    lines = []
    for line in text.splitlines():
        comment = data.draw(st.sampled_from(["", "", *COMMENTS]))
        own = data.draw(st.booleans())
        lines += [f"# {comment}"] if comment and own else []
        lines.append(f"{line}  # {comment}" if comment and not own and line else line)
    one, other = (plain(emit(compiled(part))) for part in (text, "\n".join(lines)))
    assert [*map(ast.dump, one)] == [*map(ast.dump, other)]


@unshrunk(15)
@given(st.data(), networks(lifting=True))
def test_names_of_parameters_change_only_names(data: st.DataObject, text: str) -> None:
    names = sorted(set(re.findall(r"\b[qnp]\d+\b", text)))
    assume(names)
    others = dict(zip(names, data.draw(st.permutations(NAMES)), strict=False))
    renamed = re.sub(r"\b[qnp]\d+\b", lambda match: others.get(match[0], match[0]), text)
    program = compile_source(Source("sample.net", renamed), {}, SMALL, speculate=True)
    assume(not program.report.failed)  # `units`, say, may be a word of an operation
    assert anonymous(plain(emit(program))) == anonymous(plain(emit(compiled(text))))


def test_a_class_that_the_module_carries_is_not_hidden() -> None:
    text = emit(compiled(f"{HEAD}ChannelPadding: padchannels 8\nconv 8x1\nadd ChannelPadding"))
    assert "ChannelPadding_2 = ChannelPadding(8" in text


# -- other arguments -----------------------------------------------------------------------------------------

SAME, REFUSED = "equal", "refused by the code"
CASES = [
    # a comment, a name: nothing hides a guard
    ("param init=he_normal\n# the weights start from init\nconv 8x3 init=init", {"init": Word("normal")}, REFUSED),
    ("param init=he_normal\nconv 8x3 init=init", {"init": Word("lecun_normal")}, SAME),
    ("param stddev=truncated_normal\nconv 8x3 init=stddev", {"stddev": Word("he_normal")}, REFUSED),
    ("def d() {\n# we run once(per call)\nconv 8x3\n}\nparam n=1\nrepeat n { d }", {"n": 3}, SAME),
    # arguments that became something else than themselves
    ("param k=2\npool (k)/2", {"k": 3}, SAME),
    ("param k=3\npool (k)/2", {"k": 2}, SAME),
    ("param m=2\nconv (m)x1\npool (m)/3", {"m": 1}, SAME),
    ("param m=1\nconv (m)x1\navgpool (m)/3", {"m": 2}, SAME),
    ("param s=2\navgpool 1/(s)", {"s": 1}, SAME),
    ("param p=1\nconv 4x3 pad=(p)", {"p": 2}, SAME),
    ("param p=1\nconv 4x3 pad=(p)", {"p": 0}, REFUSED),
    ("param p=0\nconv (p+1)x3 pad=(p)", {"p": 1}, REFUSED),
    ("param n=8\nparam m=8\nconv (n)x(m//8)\nreshape (n)x(m)x?", {"n": 16, "m": 8}, SAME),
    ("param b=true\nconv 4x3 bias=b bias_init=0.1", {"b": False}, SAME),
    ("param g=1.0\nbn gamma=g", {"g": 0.5}, REFUSED),
    ("param a=1.0\ncelu (a)", {"a": 0.5}, REFUSED),
    ("param a=0.5\ncelu (a)", {"a": 0.25}, SAME),
    ("param a=relu\nconv 4x3 a", {"a": Word("tanh")}, SAME),
    ("param a=relu\nconv 4x3 a", {"a": Word("leaky_relu")}, REFUSED),
    ("param a=relu\nconv 4x3 bn a\nconv 4x1 act=a", {"a": Word("tanh")}, SAME),
    ("param a=relu\nconv 4x3 bn a", {"a": Word("hard_swish")}, REFUSED),
    ("param a=relu\nconv 4x3 bn a", {"a": Word("leakyrelu")}, REFUSED),
    ("param a=relu\nconv 4x3 bn a", {"a": Word("bn")}, REFUSED),
    ("param a=hard_swish\nconv 4x3 bn a", {"a": Word("hard_silu")}, SAME),
    ("param a=swish\nif a == swish { conv 4x3 bn a }\nconv 4x3 bn a", {"a": Word("silu")}, REFUSED),
    ("param a=relu\nparam b=tanh\nconv 4x3 bn a b", {"b": Word("relu")}, REFUSED),
    ("param f=relu\ndef c(act) { conv 4x3 bn act }\nc f\nconv 4x1 act=f", {"f": Word("tanh")}, SAME),
    ("param f=swish\nparam g=f\ndef c(act=silu) { conv 4x3 bn act }\nc; c g\nc f", {"f": Word("tanh")}, SAME),
    ("param t=true\ndef c(act) { conv 4x3 bn act }\nc (relu if t else hard_swish)\nconv 8x1", {"t": False}, SAME),
    # what cannot run is not there, what other arguments lead to is
    (
        "param t=false\ndef c(a, b=false) { if a or b { conv 4x3 } else { conv 4x1 } }\nc t\nc false\nc true",
        {"t": True},
        SAME,
    ),
    ('param n=2\ndef c(m, s="B") { repeat m-1 { if s == "B" { conv 4x3 } } }\nc 1; c n; conv 8x1', {"n": 4}, SAME),
    ("param n=1\nrepeat n as i { if i > 0 { relu }; conv 4x3 }\nconv 8x1", {"n": 3}, SAME),
    (
        "param n=1\ndef c(ch) { if ch != channels { conv (ch)x1 }; relu }\nrepeat n { conv 8x1 }\nc 4; c 4",
        {"n": 0},
        SAME,
    ),
    ("param a=swish\nif a == silu { relu }\nconv 4x3 act=a", {"a": Word("silu")}, SAME),
    ("param a=silu\nif a == swish { relu }\nconv 4x3 act=a", {"a": Word("swish")}, SAME),
    ("param i=xavier\nif i == glorot_uniform { relu }\nconv 4x3 init=i", {"i": Word("glorot_uniform")}, REFUSED),
    # options of `default`
    ("param rate=0.1\ndefault conv l2=rate\nconv 4x1\ndropout (rate)", {"rate": 0.2}, SAME),
    ("param rate=0.1\ndefault conv l2=rate\ndef d() { conv 4x1 }\nd\ndropout (rate)", {"rate": 0.2}, REFUSED),
    ("param act=relu\ndefault conv act=act\nconv 4x1 act=act\nconv 4x1", {"act": Word("tanh")}, SAME),
    ("param a=relu\ndefault conv a\nconv 4x3\nconv 4x1 act=linear a", {"a": Word("tanh")}, REFUSED),
    ("param a=relu\ndefault conv bn (a)\ndef d() { conv 4x1 }\nd", {"a": Word("tanh")}, REFUSED),
    ("param n=2\ndefault conv bn relu\nrepeat n { conv 4x1 }\nconv 4x1 linear", {"n": 3}, SAME),
    # rates that rise over the network
    *(
        (
            "param n=2\nparam d=true\ndef u(k=1) { repeat k { conv 4x3; droppath 0.2 ramp } }\nrepeat n { u }\n"
            "if d { u n } else { u }\ndroppath 0.1 ramp; conv 4x1",
            arguments,
            SAME,
        )
        for arguments in ({"n": 4}, {"n": 1, "d": False}, {"d": False})
    ),
    (
        "param c=4\nparam m=2\nconv (c)x1\nif channels == 4 { droppath 0.2 ramp }\ndroppath 0.2 ramp\nconv (m)x1",
        {"m": 3},
        SAME,
    ),
    (
        "param c=4\nparam m=2\nconv (c)x1\nif channels == 4 { droppath 0.2 ramp }\ndroppath 0.2 ramp\nconv (m)x1",
        {"c": 8},
        REFUSED,
    ),
    (
        "param n=2\nrepeat n as i { if i > 0 { droppath 0.2 ramp }; conv 4x1 }\ndroppath 0.2 ramp; conv 4x1",
        {"n": 3},
        REFUSED,
    ),
    # sizes
    ("param s=1\npad (s)\nconv (rows)x1\npool (rows//5)x(columns//2)", {"s": 2}, SAME),
    ("param k=2\npool (k)\nconv (rows)x1\nrepeat columns { conv 4x1 }", {"k": 4}, SAME),
    ("param deep=false\nif deep { reshape 2x2x2x? }\nconv (rows)x1", {"deep": True}, REFUSED),
    ("param m=4\nconv (m)x1\ngap over=channels\nconv 4x1", {"m": 6}, SAME),
    ("param n=2\nparam m=n*channels\nconv (m)x1", {"n": 3}, REFUSED),
    # the rank of a tensor
    ("param head=true\nif head { gap }\nfc 8", {"head": False}, REFUSED),
    ("param head=false\nif head { gap }\ndroppath 0.1", {"head": True}, REFUSED),
    ("param head=false\nif head { gap }\ndropout 0.1", {"head": True}, SAME),
    ("param keep=true\ngap keep=(keep)\nfc 8", {"keep": False}, REFUSED),
    ("param n=2\nrepeat n { fc 8 }\nfc 2", {"n": 4}, SAME),
    ("param n=2\nrepeat n { fc 8 }\nfc 2", {"n": 0}, REFUSED),
    ("param n=1\nrepeat n { fc 8 }\nfc 2", {"n": 2}, REFUSED),
    ("param n=3\nrepeat n as i { conv 4x3 pad=(i) }\nconv 1x1", {"n": 1}, REFUSED),
    (
        "param c=true\nif c { gap; a: relu } else { a: conv 4x1; gap }\nb: fc 8\nfrom a\nfc 8\nadd b",
        {"c": False},
        REFUSED,
    ),
    ("param n=2\nz: identity\nrepeat n { from z; z: fc 8 }\nfrom z\nfc 2", {"n": 4}, SAME),
    ("param n=2\nz: identity\nrepeat n { from z; z: fc 8 }\nfrom z\nfc 2", {"n": 0}, REFUSED),
    ("param n=1\nz: identity\nrepeat n { from z; fc 8; z: identity }\nfrom z\nfc 2", {"n": 2}, REFUSED),
    ("param c=false\nz: identity\nrepeat 1 { if c { z: gap } }\nfrom z\nfc 2", {"c": True}, REFUSED),
    # labels of all passes
    ("param n=3\nconv 4x1\nrepeat n { z: conv 4x3 }\nadd z*", {"n": 5}, SAME),
    ("param n=3\nparam k=1\nrepeat n as i { conv 4x3; if i >= k { z: relu } }\nconcat z*", {"n": 5, "k": 2}, SAME),
    (
        "param n=3\nz: conv 4x1\nrepeat n { h: identity; conv 4x3; add z; y: identity; z: from h; from y }\nadd z",
        {"n": 0},
        SAME,
    ),
    # names, and code that runs
    ("param two=false\nif two { input 8x8x4; conv 4x1 }\nconv 8x1", {"two": False}, SAME),
    ("param aux=true\nif not aux { repeat 2 { conv 4x3 } }\nconv 8x1", {"aux": False}, SAME),
    ("param aux=false\nparam n=2\nif aux { repeat n { conv 4x3 } } else { conv 4x1 }\nconv 8x1", {"aux": True}, SAME),
    ("param aux=false\nparam n=2\nif aux { repeat n { conv 4x3 } }\nconv 8x1", {"n": 5}, SAME),
    (
        "param aux=true\nparam n=2\nif aux { repeat n { add { | identity | relu } } }\n"
        "add { | identity | add { | identity | tanh }; relu }",
        {"n": 3, "aux": False},
        SAME,
    ),
    *(
        (
            "param aux=true\nparam n=2\nif aux { repeat n { add { | identity | relu } } }\n"
            + around.replace("BODY", "add { | identity | add { | identity | tanh }; relu }"),
            {"n": 3, "aux": False},
            SAME,
        )
        for around in (
            "repeat 2 {\nBODY\n}",
            "repeat 2 {\nrepeat 2 {\nBODY\n}\n}",
            "if not aux {\nBODY\n} else {\nrelu\n}",
        )
    ),
]


@pytest.mark.parametrize(("text", "arguments", "outcome"), CASES)
def test_other_arguments(text: str, arguments: dict[str, Value], outcome: str) -> None:
    pytest.importorskip("keras")
    from tests.other_parameters import Module, compare

    module = Module(HEAD + text)
    assert compare(HEAD + text, module, {}) == SAME
    assert compare(HEAD + text, module, arguments) == outcome


def test_random_arguments_build_the_network_of_these_parameters_or_are_refused() -> None:
    pytest.importorskip("keras")
    from tests.other_parameters import EQUAL, tried

    counts, differences = tried(100)
    assert differences == []
    assert counts[EQUAL] > 40  # the others are refused: the fewer are equal, the less is proved


# -- names ---------------------------------------------------------------------------------------------------

ARMS = [
    ("repeat 2 { conv 4x3 }", "conv 4x1"),
    ("repeat n { conv 4x3; relu }", "conv 4x1; conv 4x1; conv 4x1"),
    ("s: repeat n { conv 4x3 }", "repeat 2 { s: conv 4x3 }"),
    ("repeat n { repeat 2 { conv 4x3 }; if n > 5 { conv 4x1; conv 4x1 } }", ""),
    ("add { | repeat n { conv 4x3 } | conv 4x1 }", "repeat n - n { conv 4x3 }"),
]


@pytest.mark.parametrize(("one", "other"), ARMS)
def test_names_after_an_if_do_not_depend_on_the_arm_that_runs(one: str, other: str) -> None:
    text = f"{HEAD}param c=true\nparam n=3\nif c {{ {one} }} else {{ {other} }}\nconv 2x1; relu\nrepeat 2 {{ s: bn }}"
    named = [[node.name for node in compiled(text, c=c).net][-4:] for c in (True, False)]
    assert named[0] == named[1]
