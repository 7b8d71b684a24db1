"""`%%net`: a cell is a spec."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import netc

pytest.importorskip("IPython", reason="without IPython: pip install ipython")

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

CELL = "param n = 1\ninput 8x8x3\nrepeat n { conv 4x3 relu }\ngap; fc 2 softmax\n"


@pytest.fixture(scope="module")
def shell() -> Iterator[Any]:
    made: Any = InteractiveShell.instance()
    made.run_line_magic("load_ext", "netc.notebook")
    yield made
    InteractiveShell.clear_instance()


def test_cell_is_a_network_and_its_figure(shell: Any) -> None:
    with capture_output() as shown:
        shell.run_cell_magic("net", "small -D n=3 --theme light", CELL)
    (figure,) = shown.outputs
    assert "<svg" in figure.data["image/svg+xml"]
    small = shell.user_ns["small"]
    assert isinstance(small, netc.Network)
    assert small.cost.total.parameters == netc.loads(CELL, n=3).cost.total.parameters


def test_cell_shows_its_table(shell: Any) -> None:
    with capture_output() as shown:
        shell.run_cell_magic("net", "--summary", CELL)
    (table,) = shown.outputs
    assert "3x3 conv, 4" in table.data["text/html"]


def test_lints_are_said_and_the_figure_is_shown(shell: Any) -> None:
    with capture_output() as shown:
        shell.run_cell_magic("net", "", "input 8x8x3\navgpool 1/2\ngap; fc 2 softmax\n")
    assert "NET301" in shown.stderr
    assert len(shown.outputs) == 1


def test_errors_are_shown_without_a_traceback_and_name_nothing(shell: Any) -> None:
    shell.user_ns.pop("wrong", None)
    with capture_output() as shown:
        done = shell.run_cell("%%net wrong\ninput 8x8x3\nconv 4x3 rleu")
    assert isinstance(done.error_in_exec, netc.SpecError)
    assert "did you mean `relu`?" in shown.stdout
    assert "Traceback" not in shown.stdout
    assert "wrong" not in shell.user_ns


@pytest.mark.parametrize("line", ["--style none", "2x", "-D n", "a b", "-D n=3 -D n=x("])
def test_wrong_use_is_said(shell: Any, line: str) -> None:
    with capture_output() as shown:
        done = shell.run_cell(f"%%net {line}\n{CELL}")
    assert done.error_in_exec is not None
    assert "UsageError: %%net:" in shown.stderr + shown.stdout


def test_help_teaches(shell: Any) -> None:
    with capture_output() as shown:
        shell.run_line_magic("net", "--help")
    assert "--style" in shown.stdout


def test_a_line_is_no_cell(shell: Any) -> None:
    with capture_output() as shown:
        done = shell.run_cell("%net small")
    assert done.error_in_exec is not None
    assert "`%%net` on the first line" in shown.stderr + shown.stdout
