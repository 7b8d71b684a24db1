"""What netc answers to habits of Keras, PyTorch, Python, YAML, C and papers: `tests/cases/habits`, and nothing more."""

from __future__ import annotations

import time

import pytest

from netc.habits.table import HABITS
from netc.layers import LAYERS
from netc.suggest import nearest
from tests.cases import ROOT, check_text, paths, read_case
from tests.fuzz import ROOT as PROJECT

TABLE = [path for path in paths() if path.parent == ROOT / "habits"]


def test_each_answer_says_what_to_write() -> None:
    answers = [one for path in TABLE for there in read_case(path).expected.values() for one in there]
    assert len(answers) > 120
    assert [one for one in answers if not one.text or not one.help] == []


def test_each_habit_has_an_input() -> None:
    lines = [line for path in TABLE for line in read_case(path).lines]
    unseen = [
        habit.pattern.pattern
        for habit in HABITS
        if not any(match for line in lines if (match := habit.pattern.search(line)) and habit.words(match) is not None)
    ]
    assert not unseen, unseen


def test_right_texts_are_no_habits() -> None:
    """Whatever else is wrong in a line, nothing in it that is right is called a habit."""
    files = [*(PROJECT / "specs").glob("*.net"), *(PROJECT / "netc" / "std").glob("*.net")]
    for path in files:
        text = path.read_text(encoding="utf-8")
        for habit in HABITS:
            for match in habit.pattern.finditer(text):
                assert "#" in text[text.rfind("\n", 0, match.start("it")) + 1 : match.start("it")] or (
                    habit.words(match) is None
                ), (path.name, match["it"], habit)


def test_an_error_beside_a_habit_keeps_its_own_words() -> None:
    (found,) = check_text("input 8x8x3\nconv 8x3; stage (2-1)\n")
    assert found.message == "there is no operation `stage`"


@pytest.mark.parametrize(
    ("word", "known"),
    [
        ("attention", ["transition", "concat"]),
        ("maxout", ["maxpool", "max"]),
        ("position", ["transition"]),
        ("norm", ["noise", "conv"]),
        ("embed", ["add"]),
    ],
)
def test_words_of_another_meaning_are_not_suggested(word: str, known: list[str]) -> None:
    assert nearest(word, known) is None


@pytest.mark.parametrize("name", sorted(LAYERS))
def test_slips_are_recognised(name: str) -> None:
    known = [other for other in LAYERS if other != name]
    if len(name) > 5 and nearest(name, known) is None:
        middle = len(name) // 2
        for slip in (name[:middle] + name[middle + 1 :], name[:middle] + name[middle] + name[middle:], name.upper()):
            assert nearest(slip, LAYERS) == name


@pytest.mark.parametrize(
    "part", ["(", "a.", "x = ", "3x3 ", "f(a, ", "input 1, ", "- ", "/* ", '"""', "a: ", "if a = ", "[1, "]
)
def test_long_lines_take_no_time(part: str) -> None:
    start = time.process_time()
    check_text("input 8x8x3\n" + part * (18_000 // len(part)) + "\n" + f"{part}\n" * 100)
    assert time.process_time() - start < 5
