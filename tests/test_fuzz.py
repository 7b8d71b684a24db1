"""The beginning of the long fuzzing (`python -m tests.fuzz`), and what it has found."""

from __future__ import annotations

from random import Random

import pytest

from tests.fuzz import check, mutated, texts

CORPUS = texts()


@pytest.mark.parametrize("seed", range(8))
def test_whatever_text_comes(seed: int) -> None:
    random = Random(seed)
    for _ in range(8):
        text = mutated(random, CORPUS)
        try:
            check(text)
        except Exception as error:
            error.add_note(f"of the text {text!r}")
            raise


FOUND = {
    "an input alone, emitted and drawn": "input 784",
    "a size after an operation without a blank": "param a = 8; input 8x8x1; conv(a) x3/2",
    "a fix that uncovers another error of its statement": "fc 10<script\ufffd",
}


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_what_was_found(text: str) -> None:
    check(text)
