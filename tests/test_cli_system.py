"""The command line and the system it runs on: streams that are closed or full, names of all kinds, files in the way."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from netc import files
from netc.cli import COMMANDS, main
from netc.cli.output import write

NET = "input 8x8x3\nconv 4x3 relu\ngap\nfc 2 softmax\n"
BROKEN = "input 8x8x3\nconv 4x3 rleu\n"
posix = pytest.mark.skipif(os.name != "posix", reason="needs a shell")


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.net").write_text(NET)
    Path("bad.net").write_text(BROKEN)


def shell(line: str) -> subprocess.CompletedProcess[bytes]:
    """A line of bash, in which `netc` is this one."""
    netc = f'netc() {{ {shlex.quote(sys.executable)} -m netc "$@"; }}\n'
    return subprocess.run(["bash", "-c", netc + line], capture_output=True, check=False, timeout=120)


# -- standard streams ----------------------------------------------------------------------------------------

PRINTING = [
    "--help",
    "--version",
    *(f"{command} --help" for command in COMMANDS),
    *(
        f"check {name}.net --format {form}"
        for name in ("a", "bad")
        for form in ("text", "concise", "json", "sarif", "github")
    ),
    *(f"summary a.net --format {form}" for form in ("text", "json", "csv", "md")),
    *(f"compile a.net -o - --target {target}" for target in ("keras", "json", "dot")),
    "check bad.net --diff",
    "check bad.net --fix --diff",
    "summary a.net --plot -",
    "draw a.net -o -",
    "fmt a.net --diff",
    "explain",
    "explain NET301",
    "ops conv",
    "runs none",
    "sizes a.net",
    "completion zsh --parameters a.net",
]


@contextmanager
def printing_to(target: int) -> Iterator[None]:
    """Standard output is this file, for code in this process."""
    with pytest.MonkeyPatch.context() as patch, os.fdopen(target, "w") as stream:
        patch.setattr("sys.stdout", stream)
        yield


@posix
@pytest.mark.parametrize("line", PRINTING)
def test_what_cannot_be_printed_is_said_or_ends_quietly(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Full: 2 with one line. The reader left: 141, as of the signal, without a word."""
    usual = main(line.split())
    prints = capsys.readouterr().out != ""
    with printing_to(os.open("/dev/full", os.O_WRONLY)):
        assert main(line.split()) == (2 if prints else usual)
    complaint = "netc: cannot write to standard output: no space left on device\n"
    assert (capsys.readouterr().err == complaint) == prints
    reader, writer = os.pipe()
    os.close(reader)
    with printing_to(writer):
        assert main(line.split()) == (141 if prints else usual)
    assert not prints or capsys.readouterr().err == ""


@posix
@pytest.mark.parametrize("line", ["--help", "check a.net", "compile a.net -o -", "fmt -"])
def test_the_interpreter_adds_nothing_when_it_ends(line: str) -> None:
    full = shell(f"netc {line} < a.net > /dev/full")
    closed = shell(f"netc {line} < a.net >&-")
    left = shell(f"mkfifo p; exec 3<>p 4>p 3<&-; netc {line} < a.net >&4")
    said = "netc: cannot write to standard output: "
    assert (full.returncode, full.stderr.decode()) == (2, f"{said}no space left on device\n")
    assert (closed.returncode, closed.stderr.decode()) == (2, f"{said}bad file descriptor\n")
    assert (left.returncode, left.stderr) == (141, b"")


@posix
def test_closed_input_and_full_errors() -> None:
    done = shell("netc check - <&-")
    assert (done.returncode, done.stderr) == (2, b"")
    assert done.stdout.startswith(b"error[NET005]: cannot read <stdin>: ")
    for how in ("2> /dev/full", "2>&-"):
        assert shell(f"netc compile bad.net {how}").returncode == 1
        assert shell(f"netc compile nowhere.net {how}").returncode == 2
        assert shell(f"netc compile a.net {how}").returncode == 0  # "wrote a.py" is lost, a.py is there
        assert "build_model" in Path("a.py").read_text()
        Path("a.py").unlink()


@posix
def test_files_do_not_get_the_number_of_a_closed_stream() -> None:
    """Else what is printed by a library would land in the file."""
    assert shell("netc compile a.net <&- >&- 2>&-").returncode == 0
    compile(Path("a.py").read_text(), "a.py", "exec")


@posix
def test_a_folder_that_is_gone() -> None:
    done = shell("mkdir gone; cd gone; rmdir ../gone; netc check ../a.net")
    assert (done.returncode, done.stderr) == (2, b"netc: the current directory does not exist any more\n")


# -- names ---------------------------------------------------------------------------------------------------

NAMES = [b"\x1b[31mred", b"two\nlines", b"right\xe2\x80\xaeleft", b"\xff\xfe", b"a b", b"-D", b"[a]*", b"quote'\"\\"]


LINES = """
check F
check F --format concise
check F --format json
check F --format sarif
check F --format github
check F --fix
check dir F.none
fmt --check F F.none
fmt F
summary F
summary F --plot F.svg
summary F --plot F
sizes F
sizes F --size 32
sizes F --size F=32
compile F -o F.py --force
compile F -o F
compile F --target json -o F/x
compile F
draw F
draw F -o F.html
draw F -o F
draw F --unknown=F
draw F F
train F.none
evaluate F.none
evaluate F --weights F
predict F F
export F --random-weights 0 -o F.onnx
export F --random-weights F -o F.npz
export F --weights F -o F.npz
bench F --engines F
bench F -o F
bench F.none --engines numpy
runs F.none
ops F
lsp F
explain F
import F
import F.json
import F.json -o F
completion F
completion bash --parameters F
diff F F
diff F.none F
diff F F.json
F
check a.net -D F
check a.net --limit=F
check a.net --deny F
check a.net --stdin-filename F
"""


@posix
@pytest.mark.parametrize("name", NAMES, ids=ascii)
@pytest.mark.parametrize("text", [NET.replace("conv 4", "conv  4"), BROKEN], ids=["right", "wrong"])
def test_no_name_steers_the_terminal(name: bytes, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever a file is called, all that does not print in its name is an escape, and it never breaks a line."""
    path = os.fsdecode(b"dir/" + name + b".net")
    Path("dir").mkdir()
    Path(path).write_text(text)
    for line in LINES.strip().splitlines():
        code = main([word.replace("F", path) for word in line.split()])
        out, err = capsys.readouterr()
        assert code in (0, 1, 2), (line, err)
        for said in (out + err).splitlines():
            assert said.isprintable(), (line, said)
            assert not said.startswith("lines"), (line, said)


# -- which files ---------------------------------------------------------------------------------------------


def test_folders_and_patterns(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder is all specs below it, sorted, hidden ones left out; a pattern is what a shell makes of it."""
    for name in ("specs/b.net", "specs/a.net", "specs/in/c.net", "specs/.hidden.net", "specs/.git/d.net"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(NET.replace("conv 4", "conv  4"))
    Path("specs/no.txt").write_text("nothing")
    inside = [os.path.join("specs", name) for name in ("a.net", "b.net", os.path.join("in", "c.net"))]
    for texts, expected in {
        ("specs",): inside,
        ("specs", inside[1]): inside,
        ("specs/*.net",): inside[:2],
        ("specs/**/*.net",): inside,
        (inside[2], "specs"): [inside[2], *inside[:2]],
        ("spec?",): inside,
    }.items():
        assert main(["fmt", "--check", *texts]) == 1
        assert capsys.readouterr().err.splitlines() == [f"would change {name}" for name in expected]
        assert main(["check", *texts]) == 0
        assert capsys.readouterr().out == f"no errors or warnings in {len(expected)} files\n"
    assert main(["draw", "specs", "--style", "table", "-o", "all.md"]) == 0
    assert Path("all.md").read_text().splitlines()[0].count("|") == 5


def test_a_file_that_looks_like_a_pattern(capsys: pytest.CaptureFixture[str]) -> None:
    Path("[a].net").write_text(NET)
    assert main(["check", "[a].net"]) == 0
    assert capsys.readouterr().out == "no errors or warnings in [a].net\n"


@pytest.mark.parametrize("command", ["check", "fmt", "draw"])
def test_nothing_to_be_found(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    for name, said in {
        "empty": "there is no .net file below the folder `empty`",
        "no*.net": "no file matches `no*.net`",
    }.items():
        assert main([command, name]) == 2
        assert capsys.readouterr() == ("", f"netc: {said}\n")


# -- standard input by a name --------------------------------------------------------------------------------


@posix
def test_standard_input_by_a_name() -> None:
    """As if the file stood there: in messages, for `use`, and for the name of the network."""
    Path("sub").mkdir()
    Path("sub/blocks.net").write_text("def block() { conv 4x3 relu }\n")
    Path("s.net").write_text('use "blocks.net"\ninput 8x8x3\nblock\nfc 2 softmax\n')
    named = "--stdin-filename sub/mine.net - < s.net"
    assert shell(f"netc check {named}").stdout == b"no errors or warnings in sub/mine.net\n"
    assert (
        b"sub/mine.net:2:10: error[NET104]"
        in shell(f"netc check --format concise {named.replace('s.', 'bad.')}").stdout
    )
    assert b'"file": "sub/mine.net"' in shell(f"netc compile --target json {named}").stdout
    assert b"Written by netc from mine.net." in shell(f"netc compile {named}").stdout
    assert b'"name": "mine"' in shell(f"netc summary --format json {named}").stdout
    assert b"</svg>" in shell(f"netc draw {named}").stdout
    assert shell(f"netc fmt {named}").stdout == Path("s.net").read_bytes()
    assert b"sub/mine.net" in shell("netc fmt --stdin-filename sub/mine.net - <<< 'conv {'").stderr
    assert shell("netc check - < s.net").returncode == 1  # there is no blocks.net here
    for command in ("check", "fmt", "summary", "compile", "draw"):
        assert main([command, "a.net", "--stdin-filename", "x.net"]) == 2


# -- files in the way ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["compile", "a.net"], ["compile", "a.net", "--target", "json", "-o", "a.py"]])
def test_a_source_that_netc_did_not_write_stays(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.py").write_text("print('mine')\n")
    assert main(arguments) == 2
    assert (
        capsys.readouterr().err
        == "netc: `a.py` was not written by netc: --force replaces it, -o and another name keep it\n"
    )
    assert Path("a.py").read_text() == "print('mine')\n"
    assert main([*arguments, "--force"]) == 0
    written = Path("a.py").read_text()
    assert main(arguments) == 0  # it has netc's head now
    assert Path("a.py").read_text() == written


@pytest.mark.parametrize("title", ["", "# A title of the spec\n", '# with """quotes""" and \\ in it\n'])
@pytest.mark.parametrize("more", [[], ["--flat"]])
def test_what_netc_wrote_is_known_again(title: str, more: list[str]) -> None:
    Path("a.net").write_text(title + NET)
    Path("other.net").write_text(NET)
    assert main(["compile", "a.net", "-o", "made.py", *more]) == 0
    assert main(["compile", "other.net", "-o", "made.py"]) == 0
    Path("made.py").write_bytes(Path("made.py").read_bytes().replace(b"\n", b"\r\n"))  # as git has it on Windows
    assert main(["compile", "a.net", "-o", "made.py", *more]) == 0


@pytest.mark.parametrize("name", ["mine.net", "mine.keras", "mine.h5", "mine.npz", "mine.py", "mine.json", "mine"])
def test_sources_and_models_are_kept(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(name).write_bytes(b"PK\x03\x04 mine")
    for arguments in (["compile", "a.net", "-o", name], ["compile", "a.net", "--target", "json", "-o", name]):
        assert main(arguments) == 2
        assert Path(name).read_bytes() == b"PK\x03\x04 mine"


def test_figures_and_tables_are_replaced() -> None:
    for name in ("x.svg", "x.html", "x.dot", "X.SVG"):
        Path(name).write_text("old")
        assert main(["draw", "a.net", "-o", name]) == 0
        assert Path(name).read_text() != "old"
    for style, name in (("table", "x.tex"), ("graph", "x.tikz")):
        Path(name).write_text("a paper of somebody's")
        arguments = ["draw", "a.net", "--style", style, "-o", name]
        assert main(arguments) == (2 if name == "x.tex" else 0)
        assert main([*arguments, "--force"]) == 0
        assert main(arguments) == 0  # what netc wrote
    assert main(["summary", "a.net", "--plot", "x.svg"]) == 0


@posix
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_no_input_is_written_over(force: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever it is called: also through a link, and where it is only used by the file that is named."""
    Path("blocks.net").write_text("def block() { conv 4x3 }\n")
    Path("user.svg").write_text('use "blocks.net"\ninput 8x8x3\nblock\n')
    Path("link.svg").symlink_to("user.svg")
    os.link("blocks.net", "same.svg")
    before = Path("user.svg").read_text()
    for output in ("user.svg", "link.svg", "same.svg"):
        for arguments in (["compile", *force], ["draw"], ["summary"]):
            option = "--plot" if arguments == ["summary"] else "-o"
            assert main([*arguments, "user.svg", option, output]) == 2
            assert f"`{output}` is read by this command" in capsys.readouterr().err
    assert Path("user.svg").read_text() == before


# -- one way to write a file ---------------------------------------------------------------------------------


def leftovers() -> list[Path]:
    return [path for path in Path().iterdir() if path.name.startswith(files.TEMPORARY)]


@posix
def test_a_new_file_has_the_usual_permissions_and_an_old_one_its_own() -> None:
    before = os.umask(0o027)
    try:
        files.replace("new", "text")
        assert stat.S_IMODE(os.stat("new").st_mode) == 0o640
        os.chmod("new", 0o751)
        files.replace("new", b"other")
        assert stat.S_IMODE(os.stat("new").st_mode) == 0o751
        assert Path("new").read_bytes() == b"other"
    finally:
        os.umask(before)


@posix
def test_links_are_written_through() -> None:
    Path("there").mkdir()
    Path("link").symlink_to("there/file")
    files.replace("link", "made")  # it pointed to nothing
    files.replace("link", "again")
    assert Path("link").is_symlink()
    assert Path("there/file").read_text() == "again"


def test_a_planted_link_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even whoever guesses the name of the file that is being written gets an error, not what its link points to."""
    monkeypatch.setattr("os.urandom", bytes)
    Path("victim").write_text("whole")
    Path(f"{files.TEMPORARY}{bytes(8).hex()}.py").symlink_to("victim")
    with pytest.raises(FileExistsError):
        files.replace("a.py", "text")
    assert Path("victim").read_text() == "whole"
    assert not Path("a.py").exists()


def test_temporary_names_cannot_be_known_before() -> None:
    names = set()
    for _ in range(20):
        with files.replacing("x.keras") as file:
            names.add(file.name)
            assert file.name.endswith(".keras")
            assert not Path("x.keras").exists() or len(names) > 1
    assert len(names) == 20
    assert leftovers() == []


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), MemoryError()])
def test_whatever_goes_wrong_the_old_file_stays_and_nothing_is_left(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("old").write_text("old")

    def failing(handle: int) -> None:
        raise error

    with monkeypatch.context() as patch, pytest.raises(type(error)):  # noqa: PT012 - the patch ends with the block
        patch.setattr("os.fsync", failing)
        files.replace("old", "new")
    with pytest.raises(type(error)), files.replacing("old") as file:  # noqa: PT012 - the error comes from within
        file.write(b"half")
        raise error
    assert Path("old").read_text() == "old"
    assert leftovers() == []


class Failing:
    """A function of the disk, which fails after so many calls that went well."""

    def __init__(self, function: str, fine: int) -> None:
        self.calls = 0
        real = os.fsync if function == "os.fsync" else Path.rename

        def call(*given: object) -> object:
            self.calls += 1
            if self.calls == fine + 1:
                raise OSError(28, "No space left on device")
            return real(*given)  # type: ignore[arg-type]

        self.call = call  # a function, so that it is a method where it stands in a class


@pytest.mark.parametrize("there", [[], ["a.xml"], ["a.bin"], ["a.xml", "a.bin"]])
@pytest.mark.parametrize("function", ["os.fsync", "pathlib.Path.rename"])
@pytest.mark.parametrize("fine", range(4))
def test_files_that_belong_together_are_written_all_or_none(
    there: list[str], function: str, fine: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails after so many calls that went well."""
    for name in there:
        Path(name).write_text("old")
    before = {name: Path(name).stat().st_ino for name in there}
    failing = Failing(function, fine)
    contents = {Path("a.xml"): b"new", Path("a.bin"): b"new"}
    with monkeypatch.context() as patch:
        patch.setattr(function, failing.call)
        try:
            files.replace_all(contents)
        except OSError:
            assert {path.name: path.stat().st_ino for path in Path().glob("a.[xb]*")} == before
        else:
            assert failing.calls <= fine or function == "os.fsync"  # putting the folder on disk may fail
            assert all(path.read_bytes() == b"new" for path in contents)
    assert leftovers() == []


@pytest.mark.parametrize("there", [[], ["s.pb"], ["s.pb", "variables"]])
@pytest.mark.parametrize("function", ["os.fsync", "pathlib.Path.rename"])
@pytest.mark.parametrize("fine", range(4))
def test_a_folder_is_replaced_whole_or_not_at_all(
    there: list[str], function: str, fine: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk fails after so many calls that went well."""
    if there:
        Path("m").mkdir()
    for name in there:
        (Path("m") / name).write_text("old")
    before = {name: (Path("m") / name).stat().st_ino for name in there}
    failing = Failing(function, fine)
    contents = {"s.pb": b"new", "variables/a": b"new"}
    with monkeypatch.context() as patch:
        patch.setattr(function, failing.call)
        try:
            files.replace_folder("m", contents, ("s.pb", "variables"))
        except OSError:
            assert {path.name: path.stat().st_ino for path in Path("m").glob("*")} == before
            assert Path("m").exists() == bool(there)
        else:
            assert failing.calls <= fine or function == "os.fsync"  # putting the folder on disk may fail
            assert all((Path("m") / name).read_bytes() == b"new" for name in contents)
    assert leftovers() == []


@pytest.mark.parametrize("holds", [["mine"], ["s.pb", "mine"], ["variables"]])
def test_a_folder_that_holds_something_else_is_kept(holds: list[str]) -> None:
    Path("m").mkdir()
    for name in holds:
        (Path("m") / name).write_text("old")
    with pytest.raises(FileExistsError):
        files.replace_folder("m", {"s.pb": b"new"}, ("s.pb", "variables"))
    assert sorted(path.name for path in Path("m").iterdir()) == sorted(holds)
    assert leftovers() == []


def test_a_process_killed_between_two_files_leaves_no_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whenever it is: the file by which the others are found is beside its own, or is not there."""
    for name in ("a.xml", "a.bin"):
        Path(name).write_text("old")
    seen = []
    real = Path.rename

    def watched(path: Path, target: Path) -> Path:
        made = real(path, target)
        seen.append({one.name: one.read_text() for one in Path().glob("a.[xb]*")})
        return made

    monkeypatch.setattr(Path, "rename", watched)
    files.replace_all({Path("a.xml"): b"new", Path("a.bin"): b"new"})
    assert len(seen) == 4
    assert all(len(set(found.values())) == 1 for found in seen if "a.xml" in found)
    assert seen[-1] == {"a.xml": "new", "a.bin": "new"}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("no/folder/a.py", "there is no folder `no/folder`"),
        ("sub", "is a directory"),
        ("a.net/x.py", "there is no folder `a.net`"),
        ("x" * 300, "file name too long"),
    ],
)
def test_places_that_cannot_be_written(path: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("sub").mkdir()
    assert main(["compile", "a.net", "-o", path]) == 2
    assert said in capsys.readouterr().err
    assert leftovers() == []


@posix
def test_devices_are_written_to(capsys: pytest.CaptureFixture[str]) -> None:
    write("/dev/null", "text")
    assert shell("netc compile a.net -o /dev/stdout | tail -1").stdout == b"    build_model().summary()\n"
    assert main(["compile", "a.net", "-o", "/dev/full"]) == 2
    assert "no space left on device" in capsys.readouterr().err


@posix
def test_a_full_disk_is_said() -> None:
    """A limit on the size of files stands for the disk."""
    done = shell("trap '' XFSZ; ulimit -f 1; netc compile a.net --target json")
    assert done.returncode == 2
    assert b"netc: cannot write `a.json`: file too large\n" in done.stderr
    assert leftovers() == []
    assert not Path("a.json").exists()


def test_a_file_that_may_not_be_written_stays(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Renaming would replace it all the same. (Root may write everything, so the answer of the system is made up.)"""
    Path("a.svg").write_text("old")
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert main(["draw", "a.net"]) == 2
    assert capsys.readouterr().err == "netc: cannot write `a.svg`: permission denied\n"
    assert Path("a.svg").read_text() == "old"


def test_every_command_is_tried_here() -> None:
    """A command that is added prints something, and this file is to see it."""
    assert set(COMMANDS) <= {line.split()[0] for line in LINES.strip().splitlines()}
