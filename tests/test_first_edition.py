"""Old files keep their meaning: each text of the first edition is the network that it was (docs/compatibility.md)."""

from __future__ import annotations

import pytest

from netc.diagnostics.model import Severity
from tests.first_edition import compiled, corpus, digest

CORPUS = corpus()


@pytest.mark.parametrize("name", CORPUS)
def test_text_is_the_network_that_it_was(name: str) -> None:
    program = compiled(CORPUS[name]["text"])
    assert [found.message for found in program.report if found.severity is Severity.ERROR] == []
    assert digest(program) == CORPUS[name]["digest"]


def test_corpus_has_what_its_names_say() -> None:
    kinds = {"case", "random", "example", "definition", "parameter", "label", "index", "activation"}
    assert kinds <= {name.split()[0] for name in CORPUS}
    assert len(CORPUS) == 545


def test_digest_sees_a_parameter_an_edge_and_a_setting() -> None:
    text = CORPUS["resnet32"]["text"]
    first = digest(compiled(text))
    for old, new in (("16x3", "16x5"), ("batch 128", "batch 64"), ("net resnet32", "net another")):
        assert (digest(compiled(text.replace(old, new, 1))) == first) == (new == "net another"), old
