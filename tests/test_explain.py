"""Every code has a page, whose failing example gives exactly that code and whose corrected examples are clean."""

import subprocess
import sys
from pathlib import Path

import pytest

from netc.diagnostics import CODES, Diagnostic
from netc.diagnostics.explain import PAGES, Example, Page, index, page
from tests.cases import check_file
from tools.errors import document

ROOT = Path(__file__).parent.parent
WITH_EXAMPLES = [code for code in CODES if not page(code).without_example]


def findings(example: Example, folder: Path) -> list[Diagnostic]:
    path = folder / "example.net"
    path.write_text(example.text)
    return check_file(path, example.options)


def test_every_page_has_a_code() -> None:
    assert {path.name.removesuffix(".md") for path in PAGES.iterdir() if path.name.endswith(".md")} == set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_page_is_complete(code: str) -> None:
    explained = page(code)
    assert explained.title == CODES[code].title
    assert len(explained.body.split("```")[0].split()) >= 15
    assert explained.without_example or len(explained.examples) >= 2
    assert explained.body.count("```") % 2 == 0


def test_few_pages_are_without_example() -> None:
    assert set(CODES) - set(WITH_EXAMPLES) == {"NET005", "NET410", "NET411"}  # what lies outside a spec


@pytest.mark.parametrize("code", WITH_EXAMPLES)
def test_failing_example_gives_exactly_its_code(code: str, tmp_path: Path) -> None:
    assert {found.code for found in findings(page(code).examples[0], tmp_path)} == {code}


@pytest.mark.parametrize(
    ("code", "number"), [(code, number) for code in WITH_EXAMPLES for number in range(1, len(page(code).examples))]
)
def test_corrected_example_is_clean(code: str, number: int, tmp_path: Path) -> None:
    assert findings(page(code).examples[number], tmp_path) == []


def test_options_of_examples_are_read() -> None:
    text = "why\n\noptions: --limit layers=3 -D n=2\n```net\ninput 3\n```\n\nthen\n\n```net\ninput 4\n```\n"
    first, second = Page(CODES["NET001"], "t", text).examples
    assert (first.text, first.options) == ("input 3\n", ("--limit", "layers=3", "-D", "n=2"))
    assert (second.text, second.options) == ("input 4\n", ())


def test_index_lists_every_code() -> None:
    assert [line.split()[0] for line in index().splitlines()] == list(CODES)


def test_error_document_is_fresh() -> None:
    command = [sys.executable, "-m", "tools.errors"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    assert made.stdout == document() == (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
