"""After a line that is wrong the tensor is unknown: what needs no shape is still reported, what needs one is silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, islice, product
from pathlib import Path

import pytest

from netc.diagnostics.model import Diagnostic, Diagnostics
from netc.layers import LAYERS
from netc.layers.base import Layer
from netc.limits import Limits
from netc.syntax.parser import parse
from netc.syntax.source import Source
from netc.syntax.tree import Operation
from tests.cases import ROOT, check_text, paths, read_case

# One line of each way to be wrong: an unknown name, a wrong word, a text that cannot be read.
BROKEN = {"NET101": "brokn 3", "NET104": "conv 8x3 rellu", "NET001": "conv 8x3 = 2"}

# What is known only with the network: shapes, sizes, what it ends in, what nothing reads.
NEEDS_NETWORK = (
    *("NET119", "NET201", "NET202", "NET204", "NET205", "NET206", "NET208", "NET209", "NET212", "NET213"),
    "NET214",
    *("NET301", "NET404", "NET503", "NET605"),
)
NEEDS_NETWORK_TOO = (
    ("NET107", "without a key, got 16"),  # the channels of the tensor
    ("NET109", "channels of its input"),
    ("NET109", "to mirror"),
    ("NET109", "positions, expected from"),
    ("NET114", "no layer has the label or name"),
    ("NET122", "channels of the tensors"),
    ("NET203", "the input has"),
    ("NET405", "outputs"),
    ("NET405", "and this is one"),
    ("NET405", "images have one label each"),
    ("NET405", "10 classes need 10 weights"),  # where the outputs say how many classes there are
    ("NET407", "outputs always hold the right one"),
    ("NET407", "there is no class"),  # of those that the outputs say
    ("NET407", "nothing is measured under the name"),
    ("NET408", ""),
)

Places = Counter[tuple[str, int]]


def needs_network(found: Diagnostic) -> bool:
    its = any(found.code == code and words in found.message for code, words in NEEDS_NETWORK_TOO)
    return found.code in NEEDS_NETWORK or its


def errors(text: str, options: Sequence[str] = (), name: str = "example.net") -> list[Diagnostic]:
    return [found for found in check_text(text, options, name) if found.severity.value == "error"]


def places(found: Iterable[Diagnostic]) -> Places:
    return Counter((one.code, one.span.line if one.span else 0) for one in found)


def after_each_input(text: str, line: str) -> tuple[str, int]:
    """A text with a line after each of its inputs, on the same line so that all others keep their numbers."""
    file = parse(Source("example.net", text), Limits(), Diagnostics())
    ends = [each.span.end for each in file.statements if isinstance(each, Operation) and each.name == "input"]
    for end in reversed(ends):
        text = f"{text[:end]}; {line}{text[end:]}"
    return text, len(ends)


def wrong_cases() -> list[Path]:
    small = [path for path in paths() if path.stat().st_size < 50_000]
    return [path for path in small if any(chain.from_iterable(read_case(path).expected.values()))]


@pytest.mark.parametrize("path", wrong_cases(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_what_needs_no_shape_is_told_after_a_broken_line_and_nothing_else(path: Path) -> None:
    case = read_case(path)
    text = "\n".join(case.lines)
    before = errors(text, case.options, str(path))
    for code, line in BROKEN.items():
        planted, inputs = after_each_input(text, line)
        after = places(errors(planted, case.options, str(path)))
        assert not places(one for one in before if not needs_network(one)) - after, line
        more = after - places(before)
        assert {its for its, _ in more} <= {code}
        assert more.total() <= inputs


WRONG_VALUES = ("-1", "0", "true", "nonsense", '"text"', "1e9", "2x2x2x2", "0x3")


@pytest.mark.parametrize("cls", dict.fromkeys(LAYERS.values()), ids=lambda cls: cls.op)
def test_every_wrong_value_is_told_with_and_without_a_shape(cls: type[Layer]) -> None:
    params = cls.signature(cls.op).params
    for name, value in islice(product(params, WRONG_VALUES), 0, None, 3):
        given = [f"{other.name}=1" for other in params.values() if other.required and other.name != name]
        line = " ".join((cls.op, *given, f"{name}={value}"))
        known = errors(f"input 32x32x16\n{line}")
        unknown = errors(f"input 32x32x16; brokn 3\n{line}")
        assert places(one for one in known if not needs_network(one)) <= places(unknown), line
        assert places(unknown) <= places(known) + Counter([("NET101", 1)]), line


# Arguments that contradict each other whatever the input is.
CONTRADICTIONS = {
    "conv 8x3 stride=9 dilation=2": "NET207",
    "conv 8x3x3 stride=1x1x1": "NET108",
    "conv 8x3x3 pad=causal": "NET202",
    "conv 9x3 groups=2": "NET203",
    "deconv 8x3/2 dilation=2": "NET207",
    "dwconv 3/1x2": "NET210",
    "pool 2 pad=2": "NET109",
    "reshape ?x?x3": "NET209",
    "pad": "NET106",
    "part 3 of=2": "NET109",
    "dropout 1.5": "NET109",
    "conv 8x3 filterz=3": "NET102",
    "conv 8x3 relu stride=1 stride=2": "NET103",
    "conv (nowhere)x3": "NET110",
    "conv (1/0)x3": "NET111",
    "add { | identity }": "NET120",
    "fc": "NET106",
    "from nowhere": "NET114",
    "default conv filterz=3": "NET102",
    "repeat (-1) { bn }": "NET109",
    "if 3 { bn }": "NET111",
}
# Where such a statement can stand, after a tensor that is unknown.
AFTER = {
    "a line with an unknown name": "{inside}; brokn 3\n{line}",
    "a call without its argument": "def f(n) {{ {line} }}\n{inside}; f",
    "a call with a wrong argument": "def f(n) {{ {line} }}\n{inside}; f nowhere",
    "a branch": "{inside}\nbrokn 3; add {{ | identity | {line} }}",
    "a branch of what is no combiner": "{inside}\nadt {{ | identity | {line} }}",
    "a branch of a wrong combiner": "{inside}\nadd nowhere {{ | identity | {line} }}",
    "a pass": "{inside}; brokn 3\nrepeat 2 {{ {line} }}",
    "an arm": "{inside}; brokn 3\nif true {{ {line} }}",
    "a definition": "def f() {{ {line} }}\n{inside}; brokn 3; f",
    "a definition in a definition": "def g() {{ {line} }}\ndef f(n) {{ g }}\n{inside}; f nowhere",
    "a shared definition": "shared def f(n) {{ {line} }}\n{inside}; brokn 3; f 2",
    "no input": "{line}",
}


@pytest.mark.parametrize("place", AFTER)
def test_contradictions_are_told_wherever_the_tensor_is_unknown(place: str) -> None:
    for line, code in CONTRADICTIONS.items():
        found = errors(AFTER[place].format(inside="input 32x32x16", line=line))
        assert [one.code for one in found].count(code) >= 1, line
        assert len(found) <= 2, (line, found)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("shared def f(n) { conv (n)x3 }\ninput 8x8x3\na: brokn\nf 3\nb: input 8x8x3\nf 3", "NET101"),
        ("shared def f(n) { conv (n)x3 }\ninput 8x8x3\na: brokn\nf 3\nb: input 8x8x3\nf 4", "NET101 NET122"),
        ("input 8x8x3\nbrokn\nupsample 2x2x2 bilinear", "NET101 NET202"),
        ("input 8x8x3\nbrokn\ndwconv 3x3x3", "NET101 NET202"),
        ("input 8x8x3\nbrokn\nconv1: conv 8x3\nconv 8x3", "NET101 NET121"),
        ("default conv stride=1x1x1\ninput 4x4x4x3\nconv 3x3", ""),
        ("default conv stride=1x1x1\ninput 4x4x3\nconv 3x3; conv 4x3", "NET108"),
        ("input 8x8x3\nadt { | a: conv 8x3 | identity }\nfrom a", "NET101"),
        ("input 8x8x3\nconv 8x3 == 3; fc; konv 3", "NET007 NET101 NET106"),
        ("input 8x8x3\ndefault fc = units=3; fc", "NET001"),
    ],
)
def test_one_cause_is_one_error(text: str, codes: str) -> None:
    assert sorted(one.code for one in errors(text)) == codes.split()


@pytest.mark.parametrize("lost", ["loss =", "optimizer sgd lr==0.1"])
def test_a_line_of_a_section_that_cannot_be_read_is_not_missing(lost: str) -> None:
    lines = ["loss categorical_crossentropy", "optimizer sgd lr=0.1"]
    lines = [lost if lost.startswith(line.split()[0]) else line for line in lines]
    text = "input 8x8x3\ngap; fc 3 softmax\ntrain {\n" + "\n".join(lines) + "\n}"
    assert [one.code for one in errors(text)] in (["NET001"], ["NET007"])


SHAPE_CASES = [path for path in wrong_cases() if path.parent.name in ("shapes", "windows", "names")]
CHAIN = "conv 8x3 bn relu; pool 2; add {{ | identity | dropout 0.1 }}; reshape 5x7; fc 10; lab{n}: tanh"


@pytest.mark.parametrize("path", SHAPE_CASES, ids=lambda path: path.name)
def test_what_reads_an_unknown_tensor_is_silent(path: Path) -> None:
    case = read_case(path)
    text = "\n".join(case.lines)
    before = errors(text, case.options, str(path))
    lines = {one.span.line for one in before if one.span is not None and one.code.startswith("NET20")}
    ends = [
        each.span.end
        for each in parse(Source(str(path), text), Limits(), Diagnostics()).statements
        if isinstance(each, Operation) and each.span.line in lines and each.name != "input"
    ]
    for number, end in reversed(list(enumerate(ends))):
        text = f"{text[:end]}; {CHAIN.format(n=number)}{text[end:]}"
    found = places(errors(text, case.options, str(path)))
    assert found == places(before)
