"""The lowering: names, labels, definitions, options, sharing, bounds, and the tree of what ran."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from time import process_time

import pytest

from netc.compiler import compile_source
from netc.layers import LAYERS
from netc.layers.regularise import DropPath
from netc.limits import Limits
from netc.lower.expansion import CallStep, IfStep, LayerStep, RepeatStep
from netc.lower.expected import Amount, Expected
from netc.lower.special import SPECIAL
from netc.params import declared
from netc.program import Program
from netc.sections.optimizers import Adam
from netc.sections.settings import FAMILIES, lines
from netc.suggest import ELSEWHERE, PERHAPS, nearest
from netc.syntax.source import Source


def program(text: str, limits: Limits | None = None, *, speculate: bool = False, **overrides: object) -> Program:
    return compile_source(Source("test.net", text), overrides, limits, speculate=speculate)  # type: ignore[arg-type]


def good(text: str, **overrides: object) -> Program:
    made = program(text, **overrides)
    assert not made.report.failed, [(found.code, found.message) for found in made.report]
    return made


def names(text: str, **overrides: object) -> list[str]:
    return [node.name for node in good(text, **overrides).net][1:]


def codes(text: str, limits: Limits | None = None, **overrides: object) -> list[str]:
    return [found.code for found in program(text, limits, **overrides).report if found.severity.value == "error"]


# -- names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("conv 8x3; pool 2; conv 8x3", "conv1 pool1 conv2"),
        ("repeat 3 { conv 8x3 }; conv 8x3", "conv1 conv2 conv3 conv4"),
        ("repeat 2 { a: conv 8x3 }", "a1 a2"),
        ("block: repeat 2 { conv 8x3; conv 8x3 }", "block1_conv1 block1_conv2 block2_conv1 block2_conv2"),
        ("enc1: conv 8x3 bn relu", "enc1 enc1_bn enc1_relu"),
        ("conv 8x3 bn relu bn", "conv1 conv1_bn conv1_relu conv1_bn2"),
        ("add { | conv 16x3 | conv 16x1 }; conv 8x3", "conv1 conv2 add1 conv3"),
        ("if false { conv 8x3; conv 8x3 }; conv 8x3", "conv3"),
        ("if true { conv 8x3 } else { conv 8x3; conv 8x3 }; conv 8x3", "conv1 conv3"),
        ("if true { repeat 3 { conv 8x3 } } else { conv 8x3 }; conv 8x3", "conv1 conv2 conv3 conv4"),
    ],
)
def test_names_follow_labels_and_counts(text: str, expected: str) -> None:
    assert names("input 8x8x16\n" + text) == expected.split()


def test_names_go_through_definitions() -> None:
    text = "def stage(n, ch) { repeat n { conv (ch)x3 relu }; pool 2 }\ninput 32x32x3\nstage 2 8; deep: stage 1 16"
    assert names(text) == ["stage1_conv1", "stage1_conv2", "stage1_pool1", "deep_conv1", "deep_pool1"]


def test_names_do_not_depend_on_the_arm_taken() -> None:
    text = (
        "param big = false\ninput 8x8x3\nif big { conv 8x5; conv 8x5 } else { conv 8x3 }\nlast: conv 8x1; conv 8x1 relu"
    )
    assert names(text)[-2:] == names(text, big=True)[-2:] == ["last", "conv3"]


def test_clashing_names_are_an_error() -> None:
    assert codes("input 8x8x3\nconv1: conv 8x3\nconv 8x3") == ["NET121"]


# -- labels --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("add nothing", "NET114"),
        ("add later\nlater: conv 3x3", "NET115"),
        ("a: conv 3x1\na: conv 3x1", "NET113"),
        ("if true { a: conv 3x1 }\nadd a", "NET115"),
        ("repeat 2 { a: conv 3x1 }\nadd a", "NET114"),
    ],
)
def test_labels_that_are_not_there(text: str, code: str) -> None:
    assert codes("input 8x8x3\n" + text) == [code]


def test_a_label_of_both_arms_is_there_after_the_if() -> None:
    good("param p = true\ninput 8x8x3\nif p { a: conv 3x1 } else { a: conv 3x5 }\nconv 3x3; add a")


def test_from_goes_on_from_a_label() -> None:
    net = good("input 8x8x3\na: conv 4x3\nconv 5x3\nb: conv 6x3\nfrom a\nconcat b").net
    assert net.operands("concat1") == ("a", "b")
    assert net.shapes["concat1"] == (8, 8, 10)


# -- definitions, words, options -----------------------------------------------------------------------------


def test_defaults_of_definitions_see_the_parameters_before_them_and_channels() -> None:
    net = good("def d(k, out=channels*k) { conv (out)x1 }\ninput 8x8x3\nd 2\nd 2").net
    assert [net.shapes[node.name][-1] for node in net] == [3, 6, 12]


def test_sizes_are_those_of_the_current_tensor() -> None:
    text = (
        "def d(k=rows) { conv (k)x1 }\ninput 2x4x6x3\nconv (100*frames + 10*rows + columns)x1\npool 1x2x1; d\n"
        "reshape 6x?\nconv (rows)x1; fc rows\nreshape 3x2x1; conv (10*rows + columns)x1"
    )
    net = good(text).net
    assert [net.shapes[node.name][-1] for node in net if node.layer.weighted] == [246, 2, 6, 6, 32]


def test_parameters_and_labels_named_as_a_size_are_what_they_were() -> None:
    text = "param rows = 3\ndef d(columns) { conv (columns)x1 }\ninput 8x8x4\nframes: conv 4x3\nadd frames\nconv (rows)x1\nd 5"
    net = good(text + "\nrepeat 2 as frames { conv (frames+1)x1 }").net
    assert [net.shapes[node.name][-1] for node in net if node.layer.weighted] == [4, 3, 5, 1, 2]


def test_a_flag_a_word_and_a_parameter_that_holds_one() -> None:
    text = (
        "def d(ch, act=relu, wide=false) { conv ((2*ch if wide else ch))x3 act }\ninput 8x8x3\nd 4 wide\nd 4 act=tanh"
    )
    net = good(text).net
    first, second = net.node("d1_conv1").layer, net.node("d2_conv1").layer
    assert (first.filters, first.act, second.filters, second.act) == (8, "relu", 4, "tanh")  # type: ignore[attr-defined]


def test_bn_after_removes_the_bias_unless_told_otherwise() -> None:
    net = good("input 8x8x3\nconv 4x3 bn\nconv 4x3 bn bias=true\nconv 4x3\nbn").net
    assert [node.layer.bias for node in net if node.layer.op == "conv"] == [False, True, True]  # type: ignore[attr-defined]


def test_default_reaches_what_follows_in_its_braces_and_no_shipped_block() -> None:
    text = """
input 8x8x16
conv 4x3
default conv l2=1e-3
repeat 1 { default conv l2=1e-2; conv 4x3 }
conv 16x3
resblock 1 16
"""
    net = good(text).net
    found = [node.layer.l2 for node in net if node.name.startswith("conv")]  # type: ignore[attr-defined]
    assert found == [None, 1e-2, 1e-3]
    assert all(node.layer.l2 != 1e-3 for node in net if node.name.startswith("resblock") and node.layer.op == "conv")  # type: ignore[attr-defined]


def test_words_of_a_default_are_those_of_layers_that_have_none() -> None:
    """The same network as with the words at each layer, under the same names; no block of netc's own has them."""
    shared = "input 8x8x16\nparam nl = tanh\ndef two(ch, act) {{ conv (ch)x3{0}; {1}conv (ch)x3{2} }}\n"
    once = shared.replace("param nl", "default conv bn relu\nparam nl").format("", "default conv bn act; ", "") + (
        "two 4 elu\nconv 4x3\nconv 4x3 linear\nconv 4x3 bn\nconv 16x3 (nl)\nresblock 1 16\nfc 8\n"
        "repeat 2 { default conv l2=0.1 (nl); conv 4x3; add { | conv 4x3 | default conv linear; conv 4x1 } }\nconv 4x3"
    )
    each = shared.format(" bn relu", "", " bn act") + (
        "two 4 elu\nconv 4x3 bn relu\nconv 4x3 linear\nconv 4x3 bn\nconv 16x3 tanh\nresblock 1 16\nfc 8\n"
        "repeat 2 { conv 4x3 tanh l2=0.1; add { | conv 4x3 tanh l2=0.1 | conv 4x1 l2=0.1 } }\nconv 4x3 bn relu"
    )
    one, other = ([(node.name, node.layer) for node in good(text.replace("fc 8", "")).net] for text in (once, each))
    assert one == other


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("conv 8x3 filterz=3", "NET102"),
        ("conv 8x3 stride=1 stride=2", "NET103"),
        ("conv 8x3/2 stride=2", "NET103"),
        ("conv 8x3 rellu", "NET104"),
        ("conv 8x3 0.5", "NET107"),
        ("conv 8", "NET106"),
        ("conv 0x3", "NET109"),
        ("conv 8x3 dilation=true", "NET108"),
        ("conv (missing)x3", "NET110"),
        ("conv (1/0)x3", "NET111"),
        ("conv (4/2)x3", "NET108"),
        ("konv 8x3", "NET101"),
        ("later 3\ndef later(n) { conv (n)x3 }", "NET116"),
        ("repeat 1 { def d() { conv 8x3 } }", "NET117"),
        ("add { | conv 8x3 }", "NET120"),
        ("conv 8x3 { | pool 2 }", "NET126"),
        ("repeat (-1) { conv 8x3 }", "NET109"),
        ("repeat 1000000000 { conv 8x3 }", "NET603"),
        ("conv 999999999x3", "NET605"),
        ("net a; net b", "NET113"),
        ("net a language=2", "NET008"),
    ],
)
def test_bad_statements_have_exactly_one_error(text: str, code: str) -> None:
    assert codes("input 32x32x3\n" + text) == [code]


def test_a_word_that_could_be_both_is_an_error_and_parentheses_mean_the_parameter() -> None:
    assert codes("param relu = 3\ninput 8x8x3\nconv 8x3 relu") == ["NET105"]
    assert codes("def d(relu) { conv 8x(relu) }\ninput 8x8x3\nd 3") == []


def test_every_error_of_a_file_in_one_run_and_none_that_follow_from_another() -> None:
    text = "input 4x4x3\nconv 8x3 rellu\npool 2\nadd { | conv 8x3 | konv 8x3 }\nfc classes"
    assert codes(text) == ["NET104", "NET101", "NET104"]


def test_layers_before_any_input() -> None:
    assert codes("conv 8x3\nconv 8x3") == ["NET118"]


def test_overrides() -> None:
    text = "param n = 2\nparam rate = 0.5\ninput 8x8x3\nrepeat n { conv 8x3 }\ndropout rate"
    assert names(text, n=3) == ["conv1", "conv2", "conv3", "dropout1"]
    assert good(text, rate=0).parameters == {"n": 2, "rate": 0.0}
    assert codes(text, m=3) == ["NET112"]
    assert codes(text, n=2.5) == ["NET108"]


# -- ramps ---------------------------------------------------------------------------------------------------

RAMPS = """
param n = 2
def unit(rate) { add { | identity | conv 4x3; droppath (rate) ramp } }
input 8x8x4
repeat n { unit 0.2; droppath 0.3 }
if n > 1 { add { | droppath 0.1 ramp | unit 0.4 } } else { unit 0.9 }
"""


@pytest.mark.parametrize(
    ("n", "rates"), [(2, [0, 0.2 / 3, 0.1 * 2 / 3, 0.4]), (1, [0, 0.9]), (3, [0, 0.05, 0.1, 0.075, 0.4])]
)
def test_rates_with_a_ramp_rise_over_the_whole_network(n: int, rates: list[float]) -> None:
    net = compile_source(Source("a.net", RAMPS), {"n": n}).net
    found = [node.layer for node in net if isinstance(node.layer, DropPath)]
    assert [layer.share for layer in found if layer.ramp] == pytest.approx(rates)
    assert {layer.share for layer in found if not layer.ramp} == {0.3}
    assert net.node("unit1_droppath1").layer == DropPath(
        rate=0.2, ramp=True
    )  # copies differ in nothing but their place


def test_a_single_ramp_has_its_whole_rate_and_a_parameter_of_that_name_is_a_value() -> None:
    net = good("param ramp = 0.25\ninput 8x8x4\ndroppath ramp\ndroppath 0.2 ramp=true").net
    assert [node.layer.share for node in net if isinstance(node.layer, DropPath)] == [0.25, 0.2]


def test_uses_of_one_shared_ramp_have_its_rate() -> None:
    text = (
        "shared def f() { conv 4x3; droppath 0.4 ramp }\ninput 8x8x4\ndroppath 0.1 ramp\nf\nf\ndroppath 0.4 ramp; relu"
    )
    net = good(text).net
    rates = [node.layer.share for node in net if isinstance(node.layer, DropPath)]
    assert rates == pytest.approx([0, 0.4 / 3, 0.4 / 3, 0.4])


# -- sharing -------------------------------------------------------------------------------------------------

SIAMESE = """
shared def tower() { conv 8x3 relu; pool 2; fc 4 }
left: input 8x8x3
a: tower
right: input 8x8x3
tower
sub a
"""


def test_a_shared_definition_makes_its_weights_once() -> None:
    net = good(SIAMESE).net
    assert [(node.name, node.shares) for node in net if "tower" in node.name or node.shares] == [
        ("tower_conv1", None),
        ("tower_pool1", None),
        ("tower_fc1", None),
        ("tower1_conv1", "tower_conv1"),
        ("tower1_pool1", "tower_pool1"),
        ("tower1_fc1", "tower_fc1"),
    ]


def test_a_shared_definition_fits_maps_of_several_sizes_where_its_weights_do() -> None:
    other = SIAMESE.replace("right: input 8x8x3", "right: input 9x7x3")
    assert codes(other) == ["NET122"]
    net = good(other.replace("pool 2; fc 4", "bn; gap; fc 4")).net
    assert [net.shapes[name] for name in ("tower_conv1", "tower1_conv1")] == [(8, 8, 8), (9, 7, 8)]
    assert [node.shares for node in net if node.name.startswith("tower1_")] == [
        "tower_conv1",
        "tower_bn1",
        "tower_gap1",
        "tower_fc1",
    ]
    assert good(SIAMESE.replace("right: input 8x8x3", "right: input 16x4x3")).net.shapes["tower1_fc1"] == (4,)


@pytest.mark.parametrize(
    ("body", "there", "message"),
    [
        ("conv 8x3; fc 4", "9x8x3", "the kernel of `fc` is 576x4 here and 512x4 at the first call"),
        ("conv 8x3", "8x8x4", "different input channels"),
        ("gap; fc 4", "8x3", "different input shapes"),
        ("conv 8x3; if rows > 8 { conv 8x3 }", "9x9x3", "makes other layers than the first one"),
        ("conv 8x3; if rows < 9 { conv 8x3 }", "9x9x3", "makes fewer layers than the first one"),
        ("if rows > 8 { a: conv 8x3 } else { b: conv 8x3 }", "9x9x3", "makes other layers than the first one"),
        ("conv (rows)x3", "9x9x3", "makes other layers than the first one"),
        ("prelu; conv 8x(rows)", "9x9x3", "makes other layers than the first one"),
    ],
)
def test_calls_that_cannot_share_their_weights_say_why(body: str, there: str, message: str) -> None:
    text = (
        f"shared def tower() {{ {body} }}\ninput 8x8x3\ntower; gap keep; one: fc 2\ninput {there}\ntower; fc 2\nadd one"
    )
    found = [one for one in compile_source(Source("a.net", text)).report if one.code == "NET122"]
    assert [message in one.message for one in found] == [True]


# -- files ---------------------------------------------------------------------------------------------------


def test_use_brings_definitions_and_stays_inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.net").write_text('use "b.net"\ndef one() { two }')
    (tmp_path / "b.net").write_text("def two() { conv 8x3 }")
    (tmp_path / "loop.net").write_text('use "loop.net"\ndef three() { conv 8x3 }')
    assert names('use "a.net"\ninput 8x8x3\none') == ["one1_two1_conv1"]
    for bad in ("loop.net", "../a.net", "/etc/passwd", "missing.net", "."):
        assert "NET123" in codes(f'use "{bad}"\ninput 8x8x3\nconv 8x3'), bad


# -- bounds --------------------------------------------------------------------------------------------------


def test_expansion_is_bounded() -> None:
    doubling = "def d0() { conv 8x1 }\n" + "".join(f"def d{i}() {{ d{i - 1}; d{i - 1} }}\n" for i in range(1, 40))
    assert codes(doubling + "input 8x8x8\nd39", Limits(layers=500)) == ["NET604"]
    assert codes("input 8x8x3\nrepeat 100 { repeat 100 { identity } }", Limits(steps=500)) == ["NET608"]
    chain = "def d0() { conv 8x1 }\n" + "".join(f"def d{i}() {{ d{i - 1} }}\n" for i in range(1, 5000))
    assert codes(chain + "input 8x8x8\nd4999") == ["NET602"]


# -- what ran ------------------------------------------------------------------------------------------------


def test_the_expansion_tree_follows_the_text() -> None:
    text = "def d(n) { repeat n { conv 8x3 relu } }\ninput 8x8x3\nif true { d 2 }\nadd { | identity | conv 8x3 }"
    steps = good(text).expansion.steps
    assert [type(step) for step in steps] == [LayerStep, IfStep, LayerStep]
    branch, add = steps[1], steps[2]
    assert isinstance(branch, IfStep)
    assert branch.taken == 0
    body = branch.arms[0]
    assert body is not None
    call = body.steps[0]
    assert isinstance(call, CallStep)
    assert (call.prefix, call.arguments) == ("d1", {"n": 2})
    inner = call.body.steps[0]
    assert isinstance(inner, RepeatStep)
    assert [step.nodes for each in inner.passes for step in each.steps if isinstance(step, LayerStep)] == [
        ["d1_conv1"],
        ["d1_conv2"],
    ]
    assert isinstance(add, LayerStep)
    assert [branch.result for branch in add.branches] == ["d1_conv2", "conv1"]


def test_what_does_not_run_is_expanded_aside_when_asked() -> None:
    text = "param aux = false\ninput 8x8x3\nconv 8x3\nif aux { conv 8x3 bn }\nrepeat 0 { conv 4x3 }\nfc 2"
    made = program(text, speculate=True)
    assert not made.report.failed
    branch, loop = made.expansion.steps[2:4]
    assert isinstance(branch, IfStep)
    assert isinstance(loop, RepeatStep)
    assert branch.arms[0] is not None
    assert branch.arms[0].ghost
    step = branch.arms[0].steps[0]
    assert isinstance(step, LayerStep)
    ghost = made.ghosts.node(step.nodes[0])
    assert ghost.name.startswith("conv2~")
    assert made.ghosts.operand_shapes(ghost.name) == ((8, 8, 8),)
    assert loop.ghost is not None
    assert [node.name for node in made.net] == ["input1", "conv1", "fc1"]


def test_an_error_inside_copies_carries_the_chain() -> None:
    made = program("def d() { pool 2 pad=valid }\ninput 5x5x3\nrepeat 3 { d }")
    (found,) = (found for found in made.report if found.code == "NET204")
    assert found.frame is not None
    assert [frame.title for frame in found.frame.chain()] == ["copy 3 of 3 of `d`"]


def test_names_of_others_lead_to_names_that_exist() -> None:
    params = {name for op, cls in LAYERS.items() for name in cls.signature(op).params}
    sections = {*lines("train"), *(name for family in FAMILIES.values() for name in family), *declared(Adam)}
    assert {*ELSEWHERE, *PERHAPS} <= {*LAYERS, *SPECIAL, *params, *sections, "def", "param", "repeat"}
    assert nearest("MaxPooling2D", ["pool", "part"]) == "pool"
    for theirs, ours in (
        ("kernel_size", "kernel"),
        ("Conv2DTranspose", "deconv"),
        ("batch_normalization", "bn"),
        ("eps", "epsilon"),
    ):
        assert nearest(theirs, [*LAYERS, *params]) == ours


# -- work --------------------------------------------------------------------------------------------------------------

INPUT = "input 8x8x3\n"
# What takes as long as the square of its length where something is copied, walked or counted anew for each statement.
SQUARES: dict[str, Callable[[int], str]] = {
    "labels": lambda n: INPUT + "".join(f"l{i}: bn\n" for i in range(n)),
    "labels and combiners": lambda n: INPUT + "".join(f"l{i}: add {{ | identity | bn }}\n" for i in range(n)),
    "labels and arms": lambda n: INPUT + "".join(f"l{i}: bn\nif true {{ relu }}\n" for i in range(n)),
    "definitions": lambda n: "".join(f"def f{i}() {{ bn }}\n" for i in range(n)) + INPUT + "f1; f2",
    "parameters": lambda n: "".join(f"param p{i} = {i}\n" for i in range(n)) + INPUT + "conv (p1+1)x3",
    "shared calls": lambda n: "shared def f() { bn }\n" + INPUT + "f\n" * n,
    "else if": lambda n: INPUT + "if false { bn } " + "else if false { bn } " * n,
}


@pytest.mark.parametrize("name", SQUARES)
def test_time_grows_with_the_length_of_the_text_and_not_with_its_square(name: str) -> None:
    def seconds(length: int) -> float:
        text, started = SQUARES[name](length), process_time()
        program(text, speculate=True)
        return process_time() - started

    # Four times the text takes 16 times as long where it is the square.
    assert any(seconds(2000) < 8 * seconds(500) for _ in range(4))


# Short texts whose statements run, or are passed over, more often than anyone would wait for.
ENDLESS = {
    "a long arm that never runs": "repeat 100000 { if false {\n" + "bn\n" * 5000 + "} }",
    "arms aside": "param n = 9000\nrepeat n { if false { repeat 9000 { if false { } } } }",
    "layers aside": "param n = 9000\nrepeat n { if false { repeat n { bn } } }",
    "operands": "a: bn\nrepeat 20000 { add " + "a " * 9000 + "}",
    "a long expression": "repeat 100000 { dropout (0" + "+0*1" * 900 + ") }",
    "passes of passes": "param n = 1000\nrepeat n { repeat n { repeat n { if false { bn } } } }",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_work_is_bounded(name: str) -> None:
    started = process_time()
    program(INPUT + ENDLESS[name], Limits(steps=20_000, layers=20_000, nesting=2000), speculate=True)
    assert process_time() - started < 10


def test_a_name_that_no_value_needed_is_used() -> None:
    text = "param p = true; param q = false; param n = 4\ninput 8x8x3\nif p or q { conv (3 if p else n)x3 }"
    assert not [found.code for found in good(text).report]
    assert [found.code for found in good("param p = true\ninput 8x8x3\nbn").report] == ["NET511"]


def repeats(random: Random, depth: int = 0, indices: tuple[str, ...] = ()) -> str:
    """Statements with `repeat`s by numbers, parameters, channels and indices, some of them over the bound."""
    made = []
    for _ in range(random.randint(1, 2)):
        kind = random.choice(("relu", "add { | identity | relu }", "unit 2", "unit n", "if", "repeat", "repeat"))
        if depth < 4 and kind == "if":
            made.append(f"if {random.choice(('n > 1', 'm == 3'))} {{ {repeats(random, depth + 1, indices)} }}")
        elif depth < 4 and kind == "repeat":
            index = random.choice(("i", "n", "j", ""))  # an index may hide a parameter
            count = random.choice(("0", "2", "3", "7", "n", "m", "(n * m)", "(n - 2)", "channels", *indices))
            inner = repeats(random, depth + 1, (*indices, *filter(None, (index,))))
            made.append(f"repeat {count}{index and ' as ' + index} {{ {inner} }}")
        elif kind not in ("if", "repeat"):
            made.append(kind)
    return "; ".join(made or ["relu"])


def test_what_is_refused_before_it_runs_is_what_would_be_when_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    limits, random = Limits(steps=60, layers=20, repeat=6), Random(0)
    bounds, early, ended = {"NET603", "NET604", "NET608"}, 0, 0
    for _ in range(600):
        head = f"param n = {random.randint(0, 4)}; param m = {random.randint(1, 4)}"
        text = f"{head}\ndef unit(k=1) {{ repeat k {{ relu }} }}\ninput 4x4x3\n{repeats(random)}\n"
        told = program(text, limits)
        with monkeypatch.context() as patched:
            for estimate in ("passes", "call"):
                patched.setattr(Expected, estimate, lambda *_: Amount(0, 0))
            ran = program(text, limits)
        found, later = (
            {one.code for one in each.report if one.severity.value == "error"} & bounds for each in (told, ran)
        )
        assert bool(found) == bool(later), text
        assert told.report.failed == ran.report.failed, text
        assert found or [node.name for node in told.net] == [node.name for node in ran.net]
        early += len(told.net) < len(ran.net)
        ended += bool(found)
    assert early > 15
    assert 60 < ended < 400
