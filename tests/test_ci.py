"""netc in continuous integration: annotations that nothing can forge, hooks that run, and the page that tells of them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from netc.cli import main
from netc.diagnostics.escape import harmless
from netc.diagnostics.render_github import render
from tests.test_docs import ROOT, fences
from tests.test_hostile import NAMES, PIECES, TEXTS, judged

LINT = "input 32x32x3\nconv 16x3 relu\npool 1/2\ngap\nfc 10 softmax\n"
BROKEN = "input 8x8x3\nconv 8x3 rleu\nadd {\n  | conv 8x3\n"
INJECTED = (
    "::error::x",
    "%0A::add-mask::x",
    "\r::set-env name=a::b",
    "\n::stop-commands::x",
    ",line=1::",
    "##[error]x",
    "%25",
)


class Command(NamedTuple):
    """A workflow command, as GitHub's runner reads a line."""

    name: str
    properties: dict[str, str]
    message: str


def command(line: str) -> Command | None:
    """After the runner's `ActionCommand.TryParseV2`, written anew: the first `::` opens it, the next one closes it."""
    line = line.lstrip()
    if not line.startswith("::") or "::" not in line[2:]:
        return None
    head, _, data = line[2:].partition("::")
    name, _, said = head.partition(" ")
    properties = dict(pair.split("=", 1) for pair in said.split(",") if "=" in pair)
    return Command(name, {key: unescaped(value, ":%3A", ",%2C") for key, value in properties.items()}, unescaped(data))


def unescaped(text: str, *more: str) -> str:
    for pair in (*more, "\r%0D", "\n%0A", "%%25"):
        text = text.replace(pair[1:], pair[0])
    return text


def test_an_annotation_is_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert render(judged("input 8x8x3\n  conv 8x3 rleu\n", "specs/a.net")).startswith(
        "::error file=specs/a.net,line=2,col=12,endLine=2,endColumn=15,title=NET104::"
    )
    assert render(judged(LINT, "a.net")).startswith(
        "::warning file=a.net,line=3,col=1,endLine=3,endColumn=8,title=NET301::"
    )
    assert main(["check", "--format", "github", "nowhere.net"]) == 2
    assert capsys.readouterr().out == "::error title=NET005::cannot read nowhere.net: no such file or directory\n"


def test_a_file_is_called_as_in_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wherever in it the command runs, and however the file is named."""
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    for root, expected in ((str(tmp_path), "sub/a.net"), ("", "a.net"), ("/elsewhere", "a.net")):
        monkeypatch.setenv("GITHUB_WORKSPACE", root)
        assert f"file={expected}," in render(judged(LINT, "a.net"))
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    assert "file=b.net," in render(judged(LINT, str(tmp_path / "b.net")))
    assert "file=<stdin>," not in render([])


def test_no_text_and_no_name_makes_another_command() -> None:
    """A finding is one line, which the runner reads back as exactly that finding."""
    tried = 0
    names = (*NAMES, "a,line=9:.net", "::error::.net", "100%.net")
    cases = [*product((*PIECES, *INJECTED), TEXTS, ("a.net",)), *product(INJECTED, TEXTS[:1], names)]
    for piece, text, name in cases:
        findings = judged(text.replace("{}", piece).replace("{{", "{").replace("}}", "}"), name)
        lines = render(findings).split("\n")
        assert lines.pop() == ""
        assert "".join(lines).isprintable()
        for line, found in zip(lines, findings, strict=True):
            read = command(line)
            assert read is not None
            assert (read.name, read.properties["title"]) == (found.severity.value, found.code)
            assert read.message.split("\n")[0] == harmless(found.message)
            assert set(read.properties) <= {"file", "line", "col", "endLine", "endColumn", "title"}
            if found.span:
                assert read.properties["line"] == str(found.span.line)
                assert Path(read.properties["file"]).name == harmless(os.path.basename(name))
            tried += 1
    assert tried > 200


# -- hooks of pre-commit -------------------------------------------------------------------------------------

HOOKS = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8")


def test_hooks_run_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their entries get the files that their pattern finds, as pre-commit gives them."""
    monkeypatch.chdir(tmp_path)
    hooks = {
        found["id"]: found
        for found in re.finditer(
            r"- id: (?P<id>\S+)\n(?:.*\n)*?  entry: (?P<entry>.+)\n(?:.*\n)*?  files: (?P<files>.+)\n", HOOKS
        )
    }
    assert set(hooks) == {"netc-check", "netc-fmt"}
    (tmp_path / "good.net").write_text(LINT)
    (tmp_path / "ugly.net").write_text(LINT.replace("conv 16x3", "conv   16x3"))
    (tmp_path / "bad.net").write_text(BROKEN)
    for name, (code, changed) in {"good.net": (0, 0), "ugly.net": (0, 1), "bad.net": (1, 0)}.items():
        for hook in hooks.values():
            assert re.search(hook["files"], f"specs/{name}")
            assert not re.search(hook["files"], f"{name}.txt")
            program, *arguments = shlex.split(hook["entry"])
            assert program == "netc"
            before = (tmp_path / name).read_text()
            assert main([*arguments, name]) == code
            assert ((tmp_path / name).read_text() != before) == (hook["id"] == "netc-fmt" and changed)


def test_hooks_are_as_pre_commit_wants_them() -> None:
    pytest.importorskip("pre_commit", reason="needs pre-commit (netc[dev])")
    check = [sys.executable, "-m", "pre_commit", "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")]
    assert subprocess.run(check, check=False).returncode == 0


# -- the page ------------------------------------------------------------------------------------------------


def test_commands_of_the_page_run_as_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = "".join(fence.text for fence in fences(ROOT / "docs" / "ci.md", "yaml"))
    lines = re.findall(r"- run: (netc .*)$", page, re.MULTILINE)
    assert len(lines) == 3
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/a.net").write_text(LINT)
    for line in lines:
        assert main(shlex.split(line.partition(" > ")[0])[1:]) == 0
        capsys.readouterr()
    assert {*re.findall(r"- id: (\S+)", page)} == {*re.findall(r"- id: (\S+)", HOOKS)}
