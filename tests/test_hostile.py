"""What a spec or a file name holds never reaches a terminal as it is, and never too much of it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from urllib.parse import unquote_to_bytes

import pytest

from netc.compiler import compile_source, judge
from netc.diagnostics import render_concise, render_github, render_json, render_sarif, render_text
from netc.diagnostics.model import MOST, Diagnostic
from netc.syntax.source import Source
from tests.cases import check_file

RENDERERS = {
    "text": render_text.render,
    "colour": lambda findings: render_text.render(findings, colour=True),
    "concise": render_concise.render,
    "json": render_json.render,
    "sarif": render_sarif.render,
    "github": render_github.render,
}
NAMES = (
    "\x1b[31mred.net",
    "a\nerror[NET000]: b.net",
    "\u202egpj.net",
    "a\rb.net",
    "\udcff\udcfe.net",
    "b\x9b2J.net",
    "漢.net",
)
PIECES = ("\x1b]0;title\x07", "\x1b[2J", "\r", "\x9b31m", "\u202e", "\u2028", "\x00", "\ufeff", "\udc80", "\x7f")
TEXTS = (
    "conv{}v 8x3",
    'input 8x8x3\nconv 8x3 act="{}"',
    'input 8x8x3\nnet "{}"',
    'input 8x8x3\nuse "{}.net"',
    "input 8x8x3 # netc: allow {}",
    'input 8x8x3\nconv 8x3\ndata "{}" {{ {} }}',
    'param p = "{}"\ninput 8x8x3\nconv (p)x3',
    "input 8x8x3\nadd {{ | conv {} | identity }}",
    'input 8x8x3\nfc 10\ntrain {{ loss "{}"; optimizer "{}" lr="{}" }}',
    "input 8x8x3\n\tconv 8 x {} 3",
)


def judged(text: str, name: str = "hostile.net") -> list[Diagnostic]:
    return judge(compile_source(Source(name, text)))


@pytest.mark.parametrize("form", RENDERERS)
def test_nothing_but_what_prints(form: str) -> None:
    rendered = 0
    for piece in PIECES:
        for text in TEXTS:
            for name in NAMES:
                findings = judged(text.replace("{}", piece).replace("{{", "{").replace("}}", "}"), name)
                shown = RENDERERS[form](findings)
                rendered += bool(findings)
                if form == "colour":
                    shown = re.sub(r"\x1b\[(?:0|1|36|1;3[134])m", "", shown)
                assert "".join(shown.split("\n")).isprintable(), (piece, text, name, shown)
                if form in ("json", "sarif"):
                    json.loads(shown)
    assert rendered > 500


@pytest.mark.parametrize("name", NAMES)
def test_files_with_such_names(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    try:
        path.write_bytes(b"input 8x8x3\nconvv 8x3\n")
    except (OSError, UnicodeEncodeError):
        pytest.skip("no file may have this name here")
    for findings in (check_file(path), check_file(Path(f"{path}.missing"))):
        assert findings
        for render in RENDERERS.values():
            render(findings).encode("utf-8")
        assert "".join(render_text.render(findings).split("\n")).isprintable()
    uri = json.loads(render_sarif.render(check_file(path)))["runs"][0]["results"][0]["locations"][0]
    assert os.fsencode(name) in unquote_to_bytes(uri["physicalLocation"]["artifactLocation"]["uri"])


def test_warnings_have_a_cap() -> None:
    findings = judged("input 32x32x3\n" + "relu; relu\n" * (MOST + 200))
    more = len(findings) - MOST
    assert more > 200
    told = f"this is the last of {MOST:,} warnings that are shown, there are {more:,} more"
    assert render_text.render(findings).count("warning[") == MOST
    assert told in render_text.render(findings)
    assert render_text.summary(findings, ["a.net"]) == f"{len(findings)} warnings in a.net"
    assert render_concise.render(findings).splitlines()[MOST:] == [f"netc: {more:,} more warnings"]
    listed = json.loads(render_json.render(findings))
    assert len(listed) == MOST
    assert told in listed[-1]["notes"]
    results = json.loads(render_sarif.render(findings))["runs"][0]["results"]
    assert len(results) == MOST
    assert told in results[-1]["message"]["text"]
    assert render_github.render(findings).count("\n") == MOST
    assert told in render_github.render(findings).splitlines()[-1]
    assert told not in render_text.render(findings[:MOST])
