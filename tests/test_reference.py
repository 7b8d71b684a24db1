"""The reference of the operations says what their classes say."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from netc.layers import LAYERS, Layer
from netc.lower.definitions import shipped_names
from netc.report.reference import block_page, index, operation_page, usage
from tools.operations import document

ROOT = Path(__file__).parent.parent
CLASSES = list(dict.fromkeys(LAYERS.values()))


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.op)
def test_page_tells_all_that_the_class_says(cls: type[Layer]) -> None:
    page = operation_page(cls)
    assert (cls.__doc__ or "").split("\n")[0] in page
    assert f"\n{cls.op}" in page
    for name in cls.aliases:
        assert f"`{name}`" in page
    for param in cls.signature(cls.op).params.values():
        assert param.doc.replace("|", "\\|") in page
        assert f"| `{param.key}`" in page


def test_usage_shows_how_arguments_are_written() -> None:
    assert usage(LAYERS["conv"]) == "conv FILTERSxKERNEL[/STRIDE] [OPTION=VALUE ...] [bn] [ACTIVATION]"
    assert usage(LAYERS["dropout"]) == "dropout [RATE]"
    assert usage(LAYERS["add"]) == "add LABEL ...\nadd { | BRANCH | BRANCH ... }"


def test_index_is_a_line_an_operation() -> None:
    lines = [line for line in index().splitlines() if line.startswith("  ")]
    assert sorted(line.split()[0] for line in lines) == sorted([*(cls.op for cls in CLASSES), *shipped_names()])
    assert max(map(len, lines)) < 160


@pytest.mark.parametrize("name", list(shipped_names()))
def test_page_of_a_block_is_its_definition(name: str) -> None:
    page = block_page(name)
    code = page.split("```net\n")[1].split("```")[0]
    assert re.search(rf"^(shared )?def {name}\(", code, re.MULTILINE)
    assert code.rstrip().endswith("}")


def test_tables_are_padded() -> None:
    rows = [line for line in operation_page(LAYERS["conv"]).splitlines() if line.startswith("|")]
    assert len(set(map(len, rows))) == 1


def test_operations_document_is_fresh() -> None:
    command = [sys.executable, "-m", "tools.operations"]
    made = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert made == document() == (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
