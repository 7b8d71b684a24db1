"""The notebook of the documents: its cells run in order, without network and TensorFlow, and show figures."""

from __future__ import annotations

import ast
import json
import re
import socket
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.test_docs import ROOT, _anchors

NOTEBOOK = ROOT / "docs" / "tour.ipynb"
CELLS: list[dict[str, Any]] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]


def run(source: str, name: str, names: dict[str, Any]) -> object:
    """What a cell shows: the value of its last line where that is an expression, as in IPython."""
    tree = ast.parse(source, name)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    return None if last is None else eval(compile(ast.Expression(last.value), name, "eval"), names)


def test_cells_run_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    def refused(*_: object) -> None:
        raise AssertionError("the notebook asks the network")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # importing it raises
    names: dict[str, Any] = {"__name__": "__main__"}
    figures, printed = [], dict[str, str]()
    for cell in CELLS:
        if cell["cell_type"] == "code":
            shown = run("".join(cell["source"]), cell["id"], names)
            printed[cell["id"]] = capsys.readouterr().out
            assert shown is not None or printed[cell["id"]], f"{cell['id']} shows nothing"
            if hasattr(shown, "_repr_svg_"):
                figures.append(ElementTree.fromstring(shown._repr_svg_()))
    assert len(figures) >= 4
    assert all(len(list(figure.iter())) > 30 for figure in figures)
    assert "did you mean `relu`?" in printed["errors"]
    compile(printed["source"], "source", "exec")
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_a_notebook_without_results() -> None:
    """What cells print stands nowhere twice, and a change of a figure is none of this file."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    ids = [cell["id"] for cell in CELLS]
    assert len(set(ids)) == len(ids)
    for cell in CELLS:
        assert re.fullmatch(r"[\w-]{1,64}", cell["id"])
        keys = {"cell_type", "id", "metadata", "source"}
        if cell["cell_type"] == "code":
            keys |= {"execution_count", "outputs"}
            assert (cell["execution_count"], cell["outputs"]) == (None, [])
        assert set(cell) == keys


def test_links_of_the_notebook_lead_somewhere() -> None:
    text = "".join("".join(cell["source"]) for cell in CELLS if cell["cell_type"] == "markdown")
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    assert len(targets) > 5
    for target in targets:
        file, _, anchor = target.partition("#")
        assert (NOTEBOOK.parent / file).exists(), target
        assert not anchor or anchor in _anchors(NOTEBOOK.parent / file), target
