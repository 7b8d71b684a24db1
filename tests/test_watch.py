"""`--watch`: a round for each change of what is read, none for anything else, and an end that leaves files whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from netc.cli import main, watching
from netc.project import FILE

NET = "input 8x8x3\nconv 4x3 relu\ngap\nfc 2 softmax\n"
USING = 'use "blocks.net"\ninput 8x8x3\nblock\ngap\nfc 2 softmax\n'
BLOCK = "def block() { conv 4x3 relu }\n"
BROKEN = "input 8x8x3\nconv 4x3 rleu\n"
LINT = "input 8x8x3\npool 1/2\ngap\nfc 2 softmax\n"
Step = Callable[[], object]


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.net").write_text(NET)


def put(name: str, text: str) -> Step:
    """A change in place. Its time is another one, as file systems count in ticks that tests fall into."""

    def step() -> None:
        Path(name).write_text(text)
        os.utime(name, ns=(0, next(_TIMES)))

    return step


def save(name: str, text: str) -> Step:
    """A change as editors make it: a new file takes the place of the old one."""

    def step() -> None:
        Path("new~").write_text(text)
        os.replace("new~", name)

    return step


_TIMES: Iterator[int] = iter(range(10**9, 10**18, 10**9))


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., list[tuple[str, str]]]:
    """What a command prints in each round: before anything happens, and after each step.

    A step happens while netc waits; when it waits with all steps done, Ctrl-C is pressed.
    """

    def watched(line: str, *steps: Step) -> list[tuple[str, str]]:
        waiting, printed = iter(steps), list[tuple[str, str]]()

        def sleep(seconds: float) -> None:
            if seconds == watching.INTERVAL:
                printed.append(capsys.readouterr())
                try:
                    next(waiting)()
                except StopIteration:
                    raise KeyboardInterrupt from None

        monkeypatch.setattr(watching, "sleep", sleep)
        assert main([*line.split(), "--watch"]) == 130
        return printed

    return watched


CLEAN = ("no errors or warnings in a.net\n", "")


def test_each_change_is_a_round_and_nothing_else_is(rounds: Callable[..., list[tuple[str, str]]]) -> None:
    """Broken texts are said and gone on from; a file that is away is waited for, then said."""
    nothing, reads = (lambda: None), Path("a.net").read_text
    other = put("other.net", NET)
    found = rounds(
        "check a.net --format concise",
        put("a.net", BROKEN),
        nothing,
        save("a.net", NET),
        reads,
        other,
        save("a.net", BROKEN),
        Path("a.net").unlink,
        save("a.net", NET),
    )
    broken = "a.net:2:10: error[NET104]"
    gone = "netc: error[NET005] cannot read a.net"
    expected = ["", broken, "", "", "", "", broken, gone, ""]
    assert [out[: len(says)] if says else out for (out, _), says in zip(found, expected, strict=True)] == expected
    assert all(err == "" for _, err in found)


def test_files_that_are_used_count(rounds: Callable[..., list[tuple[str, str]]]) -> None:
    """Also one that is not there yet, and what it uses itself; once it is used no more, it counts no more."""
    Path("a.net").write_text(USING)
    found = rounds(
        "check a.net",
        put("blocks.net", 'use "more.net"\ndef block() { deeper }\n'),
        put("more.net", "def deeper() { conv 4x3 rleu }\n"),
        put("more.net", "def deeper() { conv 4x3 relu }\n"),
        save("blocks.net", BLOCK),
        put("more.net", "nonsense {"),
    )
    assert ["NET123" in found[0][0], "NET123" in found[1][0], "NET104" in found[2][0]] == [True] * 3
    assert [found[3], found[4], found[5]] == [CLEAN, CLEAN, ("", "")]


def test_the_settings_of_the_project_count(rounds: Callable[..., list[tuple[str, str]]]) -> None:
    """A `pyproject.toml` that comes, changes, is broken for a while and goes."""
    Path("a.net").write_text(LINT)
    found = rounds(
        "check a.net --format concise",
        put(FILE, '[tool.netc]\ndeny = ["warnings"]\n'),
        put(FILE, "[tool.netc]\nalow = []\n"),
        put(FILE, '[tool.netc]\nallow = ["warnings"]\n'),
        Path(FILE).unlink,
    )
    assert [out.count("warning[NET301]") for out, _ in found] == [1, 0, 0, 0, 1]
    assert "error[NET301]" in found[1][0]
    assert found[2][1] == f"netc: {Path(FILE).absolute()}:2: [tool.netc] has no key `alow`; did you mean `allow`?\n"
    assert found[3] == ("", "")


def test_new_files_of_a_folder_count(rounds: Callable[..., list[tuple[str, str]]]) -> None:
    found = rounds("check .", put("b.net", BROKEN), put("c.txt", BROKEN), Path("b.net").unlink)
    assert [out.splitlines()[-1:] for out, _ in found] == [
        ["no errors or warnings in ./a.net"],
        ["1 error in 2 files"],
        [],
        ["no errors or warnings in ./a.net"],
    ]


@pytest.mark.parametrize(("line", "made"), [("draw a.net", "a.svg"), ("compile a.net", "a.py")])
def test_the_last_good_result_stays(line: str, made: str, rounds: Callable[..., list[tuple[str, str]]]) -> None:
    """Each round is what the command makes of the text by itself."""
    held = list[str]()

    def then(step: Step) -> Step:
        def both() -> None:
            held.append(Path(made).read_text())
            step()

        return both

    wider = NET.replace("conv 4", "conv 64")
    found = rounds(line, then(save("a.net", BROKEN)), then(save("a.net", wider)), then(lambda: None))
    assert [err.startswith(f"wrote {made}\n") for _, err in found] == [True, False, True, False]
    assert held[0] == held[1] != held[2]
    assert main(line.split()) == 0
    assert Path(made).read_text() == held[2]


def test_figures_beside_count(rounds: Callable[..., list[tuple[str, str]]]) -> None:
    Path("b.net").write_text(NET)
    found = rounds("draw a.net --style column --beside b.net", put("b.net", BROKEN), put("a.net", NET))
    assert ["NET104" in err for _, err in found] == [False, True, True]


@pytest.mark.parametrize(
    "line", ["check -", "draw -", "compile -", "check nowhere.net", "draw nowhere.net", "check a.net --fix"]
)
def test_a_wrong_command_line_ends_at_once(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*line.split(), "--watch"]) == 2
    out, err = capsys.readouterr()
    assert "--watch" in err or "cannot read nowhere.net" in out + err


@pytest.mark.skipif(os.name != "posix", reason="needs signals and a pseudo-terminal")
def test_a_terminal_is_told_the_time_and_a_signal_ends_it() -> None:
    """In a process of its own, with real files and a real Ctrl-C; a pipe gets what the command prints and no more."""
    import pty

    primary, secondary = pty.openpty()
    command = [sys.executable, "-m", "netc", "check", "a.net", "--watch", "--color", "never"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=secondary, text=True) as process:
        assert process.stdout
        os.close(secondary)
        assert process.stdout.readline() == CLEAN[0]
        told = os.read(primary, 1000)
        save("a.net", NET + "# more\n")()
        assert process.stdout.readline() == CLEAN[0]
        while told.count(b"\n") < 2:
            told += os.read(primary, 1000)
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == ""
        assert process.wait(60) == 130
    os.close(primary)
    lines = told.decode().split("\r\n")
    assert [line[8:] for line in lines] == [
        " waiting for changes; Ctrl-C ends it",
        f" {Path('a.net').absolute()} changed",
        "",
    ]
    assert "\x1b" not in told.decode()
