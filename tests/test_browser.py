"""What a page is told of a text (netc/server/browser.py), without a page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from netc.server.browser import Units, answer

BLOCKS = """net blocks
def unit(ch) {
    conv (ch)x3 bn relu
}
input 32x32x3
conv 8x3; repeat 3 { unit 8 }
resblock 2 8
gap; fc 10 softmax
"""


def ask(question: str, /, **takes: object) -> Any:
    return json.loads(answer(json.dumps({"ask": question, **takes})))


def check(text: str, opened: int = 0, name: str = "test.net", **overrides: str) -> Any:
    return ask("check", name=name, opened=opened, text=text, style="auto", theme="light", overrides=overrides)


@pytest.fixture(autouse=True)
def _forget() -> None:
    """What another test checked."""
    check("", opened=-1)


def units(text: str) -> list[int]:
    """A text as a page holds it."""
    data = text.encode("utf-16-le")
    return [int.from_bytes(data[at : at + 2], "little") for at in range(0, len(data), 2)]


def words(text: str, start: int, end: int) -> str:
    """The words of a range, which are counted in UTF-16."""
    return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")


def test_places_are_counted_as_a_page_counts() -> None:
    text = "a\N{GRINNING FACE}\u0634b\N{GRINNING FACE}\N{GRINNING FACE}c"
    places = Units(text)
    for offset in range(len(text) + 1):
        assert places.at(offset) == len(units(text[:offset]))
        assert places.offset(places.at(offset)) == offset
    assert [places.offset(at) for at in range(len(units(text)))] == [0, 1, 1, 2, 3, 4, 4, 5, 5, 6]


def test_shapes_stand_after_their_statements() -> None:
    """Also while the text is broken, where they go with their words."""
    text = f"# \N{GRINNING FACE}\n{BLOCKS}"
    shapes = [("conv (ch)x3 bn relu", "32×32×8, ×3"), ("input 32x32x3", "32×32×3"), ("conv 8x3", "32×32×8")]
    shapes += [("unit 8", "32×32×8, ×3"), ("resblock 2 8", "32×32×8"), ("gap", "8"), ("fc 10 softmax", "10")]
    for shown, old in ((text, False), (text.replace("gap", "} \N{GRINNING FACE} gap"), True)):
        found = check(shown, opened=7)["hints"]
        assert [(hint["text"], hint["old"]) for hint in found] == [(shape, old) for _, shape in shapes]
        for hint, (statement, _) in zip(found, shapes, strict=True):
            assert words(shown, 0, hint["at"]).endswith(statement)
    assert check("conv x", opened=8)["hints"] == []


def test_a_finding_comes_with_its_place_and_its_fix() -> None:
    text = "# \N{GRINNING FACE}\ninput 32x32x3\nconv 64 x 3 relu\ngap; fc 10\n"
    told = check(text)
    found = {each["code"]: each for each in told["findings"]}
    assert {each["severity"] for each in told["findings"]} == {"error"}
    assert found["NET004"]["line"] == 3
    assert words(text, found["NET004"]["start"], found["NET004"]["end"]) == "64 x 3"
    (edit,) = found["NET004"]["fix"]["edits"]
    assert (words(text, edit["start"], edit["end"]), edit["text"]) == ("64 x 3", "64x3")
    assert told["figure"]["svg"] == ""
    mended = ask("fix")["text"]
    assert "conv 64x3 relu" in mended
    assert check(mended)["findings"] == []


def test_objects_of_a_figure_know_their_places_also_inside_blocks() -> None:
    """Each object that is drawn has one, and what it says are the words that made it and the calls around them."""
    figure = check(BLOCKS)["figure"]
    drawn = set(re.findall(r'<g id="([^"]+)"[^>]* data-line', figure["svg"]))
    assert drawn == figure["places"].keys()
    said = {name: [words(BLOCKS, *place) for place in places] for name, places in figure["places"].items()}
    assert said["conv1"] == ["conv 8x3"]
    assert said["unit1_conv1"] == ["conv (ch)x3 bn relu", "unit 8", "bn", "relu"], "with what is drawn in its box"
    assert said["resblock1_preact_unit1_bn1-frame"] == ["resblock 2 8"]
    assert said["resblock1_preact_unit1_conv1"] == ["resblock 2 8"], "the words in netc/std are not in this text"
    assert said["fc1-output"] == ["fc 10 softmax"]


def test_what_was_right_last_is_old_while_the_text_is_broken() -> None:
    check(BLOCKS)
    good = ask("summary")
    broken = BLOCKS.replace("gap; fc 10", "\ngapp; fc 10")
    told = check(broken)
    assert told["figure"]["old"]
    assert told["figure"]["error"].startswith("NET101: ")
    assert told["figure"]["places"] == {}
    old = ask("summary")
    assert (good["old"], old["old"]) == (False, True)
    assert [row["cells"] for row in old["rows"]] == [row["cells"] for row in good["rows"]]
    assert ask("code")["error"]
    assert check("input 8x8x1; gapp", opened=1)["figure"]["svg"] == "", "what another text was is not shown"
    assert ask("summary") is None
    assert ask("code")["text"] == ""


def test_the_summary_is_that_of_the_command() -> None:
    from netc.compiler import compile_source
    from netc.report.summary import render
    from netc.syntax.source import Source

    check(BLOCKS)
    told = ask("summary")
    text = render(compile_source(Source("test.net", BLOCKS)))
    lines = [line for line in text.splitlines() if line]
    assert len(told["rows"]) + len(told["totals"]) + 2 == len(lines)
    for row, line in zip(told["rows"], lines[2:], strict=False):
        assert [cell for cell in map(str.strip, row["cells"]) if cell] == re.split(r"\s{2,}", line.strip())
    assert dict(told["totals"])["network"] == "blocks, 9 weighted layers deep"
    named = {row["cells"][0].strip(): words(BLOCKS, *row["place"]) for row in told["rows"] if row["place"]}
    assert named["fc1"] == "gap; fc 10 softmax", "the line of a row"


def test_code_is_that_of_the_command(tmp_path: Path) -> None:
    import netc

    (tmp_path / "resnet.net").write_text(text := Path("specs/resnet-cifar.net").read_text(encoding="utf-8"))
    check(text, name="resnet.net")
    told = ask("code")
    assert told["error"] == ""
    from netc.cli import main

    main(["compile", str(tmp_path / "resnet.net"), "-o", str(tmp_path / "resnet.py")])
    assert told["text"] == (tmp_path / "resnet.py").read_text(encoding="utf-8")
    assert netc.__version__


def test_another_value_of_a_parameter_is_that_of_the_command(tmp_path: Path) -> None:
    from netc.cli import main

    text = Path("specs/resnet-cifar.net").read_text(encoding="utf-8")
    told = check(text, name="resnet.net")
    assert told["parameters"] == [{"name": "n", "value": "3"}]
    assert dict(ask("summary")["totals"])["network"] == "resnet_cifar, 20 weighted layers deep"
    assert check(text, name="resnet.net", n="9")["findings"] == []
    assert dict(ask("summary")["totals"])["network"] == "resnet_cifar, 56 weighted layers deep"
    (tmp_path / "resnet.net").write_text(text)
    main(["compile", str(tmp_path / "resnet.net"), "-D", "n=9", "-o", str(tmp_path / "resnet.py")])
    assert ask("code")["text"] == (tmp_path / "resnet.py").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "value", "code", "words", "place"),
    [
        ("ch", "8.5", "NET108", "`-D ch=8.5` gives a real", "4"),
        ("ch", "two words", "NET108", "`-D ch`: got the value `two words`, expected a number", "4"),
        ("ch", "", "NET108", "`-D ch`: got the value ``, expected a number", "4"),
        ("width", "2", "NET112", "`-D width=...` names no parameter of the file", ""),
        ("a b", "2", "NET108", "`-D a b`: got `a b=2`, expected `name=value`", ""),
    ],
)
def test_a_value_that_cannot_be_is_an_error(name: str, value: str, code: str, words: str, place: str) -> None:
    """And what was right last stays as what is old."""
    text = "param ch = 4\ninput 8x8x1; conv (ch)x3; fc 2\n"
    check(text)
    told = check(text, **{name: value})
    (found,) = told["findings"]
    assert found["code"] == code
    assert found["message"].startswith(words)
    assert text[found["start"] : found["end"]] == place
    assert told["figure"]["old"]
    assert told["parameters"] == [{"name": "ch", "value": "4"}]
    assert ask("code")["error"]
    assert ask("fix")["text"] == text
    assert check(text, ch="6")["findings"] == []


def test_hover_and_completion_are_in_the_pages_places() -> None:
    text = "# \N{GRINNING FACE}\ninput 32x32x3\nconv 64x3 \ngap; fc 10\n"
    check(text)
    at = len(units(text[: text.index("conv") + 2]))
    told = ask("hover", at=at)
    assert words(text, told["start"], told["end"]) == "conv"
    assert "1,792" in told["text"]
    assert ask("hover", at=1) is None
    offered = ask("complete", at=len(units(text[: text.index("conv 64x3 ") + 10])))
    assert offered["start"] == offered["end"]
    relu = next(item for item in offered["options"] if item["label"] == "relu")
    assert ask("about", kind=relu["kind"], label="relu", of=relu["of"])["text"]


def test_formatting_is_that_of_the_command() -> None:
    check("input   8x8x1 ;conv 4x3")
    assert ask("format")["text"].splitlines() == ["input 8x8x1; conv 4x3"]
    check("input 8x8x1; conv {{{")
    assert ask("format")["text"] == "input 8x8x1; conv {{{", "what cannot be read stays"


@pytest.mark.parametrize(
    "text", ["", "\n", "def a() { conv 4x3 }", "}{", '"', "input 8x8x1; conv 4x3; \ud800", 'use "/etc/passwd"']
)
def test_no_text_is_too_bad(text: str) -> None:
    told = check(text)
    assert told["figure"]["svg"] == "" or told["findings"] == []
    assert ask("summary") is None or told["figure"]["svg"]
    for at in range(len(text) + 1):
        ask("hover", at=at)
        ask("complete", at=at)
    ask("code"), ask("format"), ask("fix")


def test_a_question_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="got the question 'draw', expected one of check, "):
        ask("draw")
