"""`netc completion`: what TAB makes of a line, in the shells themselves."""

from __future__ import annotations

import argparse
import os
import re
import select
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import pytest

from netc.cli import COMMANDS, main
from netc.cli.completion import SHELLS, _whole

posix = pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
needs_shtab = pytest.mark.skipif(find_spec("shtab") is None, reason="shtab is not installed")

SPEC = "param width = 16\nparam depth = 2\ninput 8x8x3\nconv (width)x3 relu\n"
# What is typed, `⇥` for TAB, and the words that netc then gets.
LINES = {
    "summ⇥ a⇥": "summary a.net",
    "check one⇥": "check one.net",
    "check sub/⇥": "check sub/inner.net",
    "draw a.net --style vol⇥": "draw a.net --style volumes",
    "check a.net --form⇥ gi⇥": "check a.net --format github",
    "check a.net --deny NET301⇥": "check a.net --deny NET301",
    "check a.net --deny warn⇥": "check a.net --deny warnings",
    "explain NET301⇥": "explain NET301",
    "ops resb⇥": "ops resblock",
    "ops dwc⇥": "ops dwconv",
    "compile a.net -D wid⇥8": "compile a.net -D width=8",
    "diff a.net one.net -B dep⇥3": "diff a.net one.net -B depth=3",
    "import mo⇥": "import model.keras",
    "diff a.net mo⇥": "diff a.net model.keras",
    "draw mo⇥": "draw model.keras",
    "completion fi⇥": "completion fish",
}
START: Mapping[str, tuple[list[str], str]] = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "bind 'set enable-bracketed-paste off'; source ./script"),
    "zsh": (
        ["zsh", "-f", "-i"],
        "unset zle_bracketed_paste; mkdir zfunc; cp script zfunc/_netc; fpath+=$PWD/zfunc; autoload -Uz compinit; compinit -u -D",
    ),
    "fish": (["fish", "--no-config", "-i"], "source ./script"),
}


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("sub").mkdir()
    for name in ("a.net", "one.net", "sub/inner.net"):
        Path(name).write_text(SPEC)
    for name in ("a.txt", "one.svg", "sub/other.txt", "model.keras", "model.txt"):
        Path(name).touch()


def script(shell: str, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["completion", shell]) == 0
    return capsys.readouterr().out


_OWNING = "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execvp(sys.argv[1], sys.argv[1:])"


class Shell:
    """An interactive shell on a pseudo-terminal, in which `netc` shows the words that it gets."""

    def __init__(self, shell: str) -> None:
        import pty

        program = Path("bin/netc")
        program.parent.mkdir()
        asked = f'case "$*" in *--parameters*) exec {shlex.quote(sys.executable)} -m netc "$@";; esac'
        program.write_text(f'#!/bin/sh\n{asked}\necho "<$*>"\n')
        program.chmod(0o755)
        command, start = START[shell]
        self._terminal, secondary = pty.openpty()
        kept = {"PYTHONPATH", "LANG", "LC_ALL", "TMPDIR"}
        environment = {name: value for name, value in os.environ.items() if name in kept}
        environment |= {
            "PATH": f"{Path('bin').absolute()}:{os.environ['PATH']}",
            "TERM": "dumb",
            "HOME": str(Path.cwd()),
            "PS1": "$ ",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-c", _OWNING, *command],
            stdin=secondary,
            stdout=secondary,
            stderr=secondary,
            env=environment,
            start_new_session=True,
        )
        os.close(secondary)
        self.type(f"{start}; echo rea''dy\n", "ready")

    def type(self, text: str, awaited: str) -> str:
        """Type a text; what the shell shows until it shows a pattern."""
        os.write(self._terminal, text.encode())
        shown, end = "", time.monotonic() + 20
        while not re.search(awaited, shown):
            assert time.monotonic() < end, shown
            if select.select([self._terminal], [], [], 1)[0]:
                shown += os.read(self._terminal, 10_000).decode(errors="replace")
        return shown

    def completed(self, line: str) -> str:
        """The words that netc gets from a line in which TAB is pressed."""
        found = re.search(r"<(.*)>", self.type(line.replace("⇥", "\t") + "\n", r"<.*>\r?\n"))
        assert found
        return found[1].strip()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)


@posix
@needs_shtab
@pytest.mark.parametrize("shell", SHELLS)
def test_the_tab_key_completes(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}")
    Path("script").write_text(script(shell, capsys))
    opened = Shell(shell)
    try:
        for typed, words in LINES.items():
            assert opened.completed(f"netc {typed}") == words, typed
    finally:
        opened.close()


# What takes a number, a name or a text of one's own.
FREE = {"B,B", "E,E", "H", "I", "HOST:PORT,...", "K", "LAYER", "LINE=VALUE", "N", "N,N", "NAME", "NAME=V,V", "POINTS"}
FREE |= {"P,P", "S", "SEED", "TEXT", "URL", "W", "[INPUT=]SIZE"}


@needs_shtab
def test_every_argument_is_completed_or_free() -> None:
    """An option that is added says what it takes."""
    whole = _whole("bash")
    (commands,) = (one for one in whole._actions if isinstance(one, argparse._SubParsersAction))
    assert set(commands.choices) == set(COMMANDS)
    for name, command in commands.choices.items():
        for action in command._actions:
            if action.nargs != 0 and action.choices is None and not hasattr(action, "complete"):
                assert action.metavar in FREE, (name, action.dest, action.metavar)


def test_parameters_are_those_of_the_text_whatever_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Also of a broken one. They are names, of which a shell runs nothing."""
    Path("broken.net").write_text(
        "param a = 1\nparam $(touch x) = 2\nparam `b` = 3\nconv {{\nparam c = 4\nparam a = 5\n"
    )
    Path("bytes.net").write_bytes(b"\xff\xfe")
    files = ["broken.net", "a.net", "nowhere.net", "bytes.net", "sub", "~nobody/x.net"]
    assert main(["completion", "zsh", "--parameters", *files]) == 0
    shown = capsys.readouterr().out.split()
    assert {"a=", "width=", "depth="} <= set(shown)
    assert len(set(shown)) == len(shown)
    assert all(name[:-1].isidentifier() and name.isascii() for name in shown)


def test_without_shtab_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(["completion", "bash"]) == 2
    said = "netc: `completion` needs shtab, which is not installed: pip install 'netc[completion]'\n"
    assert capsys.readouterr() == ("", said)
