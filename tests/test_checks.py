"""The passes: copies counted, fixes that mend, shares and sizes against brute force, and cost that grows linearly."""

import sys
from collections.abc import Callable
from dataclasses import replace
from itertools import product

import pytest

from netc.analysis.sizes.rules import LIMIT, Trial, rule_of
from netc.compiler import PASSES, compile_source, run
from netc.diagnostics import Diagnostic, Severity
from netc.diagnostics.explain import page
from netc.diagnostics.fixes import apply_fixes
from netc.ir.shape import Dim
from netc.ir.window import Window, read_share, skips
from netc.layers import LAYERS
from netc.program import Program
from netc.syntax.source import Source
from tests.cases import paths, read_case


def compiled(text: str) -> Program:
    return compile_source(Source("example.net", text))


def found(text: str) -> list[Diagnostic]:
    return list(compiled(text).report)


def calls(function: Callable[[], object]) -> int:
    """Python and C functions that one calls: what its time depends on, on any machine."""
    count = 0

    def profile(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        function()
    finally:
        sys.setprofile(before)
    return count


# -- activations -------------------------------------------------------------------------------------------------

PLAIN = {"conv": "conv 4x3", "dwconv": "dwconv 3", "sepconv": "sepconv 4x3", "deconv": "deconv 4x3", "fc": "fc 4"}


@pytest.mark.parametrize("word", ["tanh", "softplus", "prelu", "leakyrelu"])
@pytest.mark.parametrize("op", [name for name, layer in LAYERS.items() if "act" in layer.signature(name).params])
def test_what_the_help_writes_is_without_the_activation_of_a_default(op: str, word: str) -> None:
    head, plain = f"default {op} act=relu\ninput 8x8x3\n", PLAIN.get(op, "dense 4")
    (warning,) = (one for one in found(f"{head}{plain} {word}") if one.code == "NET502")
    (help,) = warning.help
    program = compiled(head + help.split("`")[1])
    assert "NET502" not in {one.code for one in program.report}
    *_, layer, after = program.net
    assert (layer.layer.activation, after.layer.op) == (None, LAYERS[word].op)


# -- copies --------------------------------------------------------------------------------------------------

UNITS = """\
input 64x64x16
def unit(ch) {{
    add {{
        | conv (ch)x1
        | {first}; conv (ch)x3
    }}
}}
repeat {count} {{ unit 16 }}
unit 32
"""


@pytest.mark.parametrize(
    ("count", "note"), [(54, "and in 54 other copies"), (1, "and in 1 other copy"), (1234, "and in 1,234 other copies")]
)
def test_one_finding_for_a_statement(count: int, note: str) -> None:
    (one,) = found(UNITS.format(first="conv (ch)x3; bn; relu", count=count))
    assert (one.code, one.span.line if one.span else 0) == ("NET501", 5)
    assert note in one.notes
    assert one.frame is not None


def test_one_copy_has_no_note() -> None:
    (one,) = found("input 64x64x16\nconv 16x3\nbn\n")
    assert not any("other cop" in note for note in one.notes)


def test_copies_with_other_windows_are_other_findings() -> None:
    both = found("input 64x64x16\ndef down(s) { avgpool 1/(s) }\ndown 2\ndown 4\ndown 2\n")
    assert [one.message.split(": ")[1] for one in both] == [
        "its window is 1x1, its stride is 2x2",
        "its window is 1x1, its stride is 4x4",
    ]
    assert [len([note for note in one.notes if "other copy" in note]) for one in both] == [1, 0]


def test_issue_of_tflearn_is_named() -> None:
    (one,) = found("input 32x32x16\navgpool 1/2\n")
    assert "75 %" in one.message
    told = " ".join((*one.notes, *one.help))
    for part in ("stride must be less than or equal to kernel size", "issue 331", "1.4.0", "subsample 2", "592"):
        assert part in told
    assert "    stride must be less than or equal to kernel size\n" in page("NET301").body


def test_max_pools_are_told_nothing_of_the_gradient_of_averages() -> None:
    (one,) = found("input 32x32x16\npool 2/4\n")
    told = " ".join((*one.notes, *one.help))
    assert "between the windows have no influence" in told
    assert "TFLearn" not in told


def test_ends_of_a_failed_network_are_no_findings() -> None:
    assert {one.code for one in found("input 8x8x3\na: conv 8x3\nconv 8x3 wrong\nfrom a\nbn\n")} == {"NET104", "NET501"}


# -- fixes ---------------------------------------------------------------------------------------------------


def with_fixes() -> list[tuple[str, str, str]]:
    """Code, span and text of everything with a fix in the case files and pages of the passes."""
    texts = ["\n".join(read_case(path).lines) for path in paths() if path.parent.name in ("windows", "lints", "shapes")]
    texts += [page(code).examples[0].text for code in ("NET301", "NET501", "NET509", "NET514", "NET515")]
    texts += [
        "input 8x8x4\nadd { | part 1 of=2; left: conv 8x1/2 relu | conv 8x3/2 }\nadd left\n",
        "input 9x9x4\nparam s = 3\navgpool 1/(s) pad=valid; conv 8x3; identity; conv 8x3\n",
        "input 8x8x4\nadd { | identity; conv 4x3 | identity }\n",
        "input 8x9x4\npool 1/1x3; conv (2*4)x1/(1+1) bn relu\n",
    ]
    return [
        (one.code, str(one.span.start), text)
        for text in texts
        for one in found(text)
        if one.fix is not None and one.span is not None and one.code[3] in "235"
    ]


@pytest.mark.parametrize(("code", "start", "text"), with_fixes())
def test_fix_removes_its_finding_and_adds_none(code: str, start: str, text: str) -> None:
    source = Source("example.net", text)
    before = list(compile_source(source).report)
    one = next(found for found in before if found.code == code and found.span and str(found.span.start) == start)
    assert one.fix is not None
    forced = replace(one, fix=replace(one.fix, safe=True))
    fixed = apply_fixes(source, [forced])
    assert fixed != text
    left = [other.code for other in found(fixed)]
    expected = [other.code for other in before]
    expected.remove(code)
    assert sorted(left) == sorted(expected), fixed


def test_there_are_fixes_to_test() -> None:
    assert {code for code, _, _ in with_fixes()} >= {"NET301", "NET501", "NET509", "NET514", "NET515"}


def test_safe_fix_keeps_the_network() -> None:
    text = "input 9x8x4\ndef down(s) { avgpool 1/(s) pad=valid }\ndown 2\npool 1/2x1\nconv 8x3\n"
    before = compiled(text)
    after = compiled(apply_fixes(before.file.source, before.report))
    assert not list(after.report)
    assert [(node.layer, before.net.shapes[node.name]) for node in before.net] == [
        (node.layer, after.net.shapes[node.name]) for node in after.net
    ]


# -- windows -------------------------------------------------------------------------------------------------


def counted(size: int, window: Window) -> float:
    count = (size + window.before + window.after - window.extent) // window.stride + 1
    taps = {
        index * window.stride - window.before + tap * window.dilation
        for index in range(count)
        for tap in range(window.size)
    }
    return len(taps & set(range(size))) / size


def test_read_share_by_counting() -> None:
    for size, taps, stride, gap, before, after in product(
        range(1, 14), range(1, 5), range(1, 6), range(1, 4), range(3), range(3)
    ):
        window = Window(taps, stride, gap, before, after)
        if size + before + after >= window.extent:
            assert read_share(size, window) == counted(size, window), (size, window)


def test_skips_by_counting() -> None:
    for taps, stride, gap in product(range(1, 7), range(1, 7), range(1, 5)):
        window = Window(taps, stride, gap)
        inner = counted(3000, window)
        assert skips(window) == (inner < 0.98)
        assert read_share(None, window) == pytest.approx(inner, abs=0.02)


def test_read_share_of_hostile_sizes_takes_little_work() -> None:
    def shares() -> None:
        read_share(2**31 - 1, Window(10**9, 10**9 + 1))
        read_share(2**31 - 1, Window(10**9, 10**9 + 7, 2))

    assert calls(shares) < 500_000


# -- unknown sizes -------------------------------------------------------------------------------------------

OPEN = [
    "input ?x3\nconv 8x3\n",
    "input ?x3\nconv 8x5/2 pad=valid\nconv 8x3 pad=valid\n",
    "input ?x3\na: conv 8x3\npool 2\nconv 8x3\nupsample 2\nconcat a\n",
    "input ?x3\na: conv 8x3\npool 2\nb: conv 8x3\npool 3\nconv 8x3\nupsample 3\nconcat b\nupsample 2\nconcat a\n",
    "input ?x3\na: conv 8x3\npool 2 pad=valid\nconv 8x3 pad=valid\nupsample 2\ncrop 1\nconv 8x3 pad=valid\n",
    "input ?x3\na: conv 8x3\npool 2 pad=valid\nupsample 2\npad before=0 after=1\nconv 8x3\nconcat a\n",
    "input ?x3\nconv 8x7/4 pad=valid\npool 3/2 pad=valid\nconv 8x3\npool 3/2 pad=valid\n",
    "input ?x3\nconv 8x3/2\nmax { | conv 8x3/2 | avgpool 2 pad=valid; conv 8x1 }\n",
    "input ?x3\nadd { | conv 8x3 pad=1 | conv 8x5/1 pad=2 }\ndeconv 8x3/2\npool 4\n",
]


def works(text: str, size: int) -> bool:
    report = compiled(text.replace("?", str(size))).report
    return not any(one.severity is Severity.ERROR for one in report)


@pytest.mark.parametrize("text", OPEN)
def test_rule_of_sizes_by_trying_each(text: str) -> None:
    trial = Trial(compiled(text).net)
    base = trial.base()
    assert base is not None
    rule = rule_of(trial, 0, base)
    truth = {size: works(text, size) for size in range(1, 101)}
    assert {size: rule.works(size) for size in truth} == truth
    assert rule.minimum == min(size for size, good in truth.items() if good)
    clean = all(truth.values())
    assert clean == ("NET302" not in {one.code for one in found(text)})
    if rule.divisor is not None:
        good = [size for size, fits in truth.items() if fits and size >= rule.threshold]
        assert good == list(range(good[0], 101, rule.divisor))


def test_single_sizes_by_trying_each() -> None:
    text = "a: input 9x4\nfixed: conv 4x3\ninput ?x4\npool 2\nmax fixed\n"
    (one,) = [one for one in found(text) if one.code == "NET302"]
    assert ": 17, 18 (all" in one.message
    assert [size for size in range(1, 60) if works(text, size)] == [17, 18]


def test_input_that_no_size_fits_is_an_error() -> None:
    text = "input ?x4\nmax { | identity | conv 4x3 pad=valid }\n"
    (one,) = found(text)
    assert (one.code, one.severity, str(LIMIT) in one.message) == ("NET213", Severity.ERROR, True)
    assert not any(works(text, size) for size in range(1, 60))


# -- the tuple -----------------------------------------------------------------------------------------------


def test_hook_sees_every_pass_in_order() -> None:
    seen: list[Callable[[Program], None]] = []
    program = compiled("input 8x8x3\nconv 8x3\n")
    run(program, lambda step, _: seen.append(step))
    assert tuple(seen) == PASSES


def test_checks_do_not_repeat_themselves() -> None:
    """Running them again finds the same things, which count once; only what became canonical says nothing more."""
    program = compiled("input 33x33x3\nconv 64x3/2\nbn; relu; relu\ndropout 0\nfc 10\ndropout 0.5\n")
    codes = [one.code for one in program.report]
    run(program)
    assert [one.code for one in program.report] == codes


def chain(length: int) -> str:
    unit = "conv 8x3 bn relu\nadd { | identity | conv 8x3 }\n"
    return "input 32x32x8\n" + unit * (length // 5) + "gap\nfc 10\n"


def work(text: str) -> int:
    program = compiled(text)
    return calls(lambda: run(program))


def test_work_grows_linearly() -> None:
    assert work(chain(4_000)) < 4.2 * work(chain(1_000))


@pytest.mark.parametrize(("window", "dilation"), [(2, 1), (3, 1), (4, 1), (5, 1), (8, 1), (2, 3), (3, 2)])
def test_the_pad_that_is_advised_leaves_the_same_windows(window: int, dilation: int) -> None:
    """Those of `same`, and nothing is rounded any more, for each stride and size."""
    advised = 0
    for stride, rows, step in product(range(2, 8), range(7, 16), range(2)):
        columns = rows + step
        head, conv = f"input {rows}x{columns}x1\n", f"dwconv {window}/{stride} dilation={dilation}"
        for warning in found(head + conv):
            if warning.code != "NET504":
                continue
            pad = warning.help[1].split("`")[1]
            padded = compiled(f"{head}{pad}\n{conv}")
            assert not {"NET504", "NET301"} & {one.code for one in padded.report}
            assert begins(padded, 2) == begins(compiled(head + conv), 1), (head, conv, pad)
            advised += 1
    assert advised


def begins(program: Program, position: int) -> list[tuple[int, Dim]]:
    """Where the first window of a layer begins on the input, and how many there are, in each dimension."""
    net, nodes = program.net, [*program.net]
    node = nodes[position]
    (source,) = net.operands(node.name)
    before = [0, 0] if position == 1 else [first for first, _ in nodes[1].layer.pairs(2)]
    windows = zip(before, node.layer.windows((net.shapes[source],)), net.shapes[node.name], strict=False)
    return [(-written - window.before, count) for written, window, count in windows]


def branches_round_one_size(count: int) -> str:
    """A long chain after which many branches round the same odd size."""
    text = "input 33x33x8\n" + "conv 8x3 relu\n" * 2 * count + "top: conv 8x3\nconv 8x3\n"
    text += "".join(f"p{n}: pool 2\nfrom top\n" for n in range(count))
    return text + "pool 2\n" + "".join(f"add p{n}\n" for n in range(count))


def test_from_one_label_many_times_is_linear() -> None:
    """The origin of the branches is looked up once."""
    assert work(branches_round_one_size(800)) < 4.2 * work(branches_round_one_size(200))
    assert sum(one.code == "NET504" for one in found(branches_round_one_size(50))) == 51
