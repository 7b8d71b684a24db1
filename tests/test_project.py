"""`[tool.netc]` in `pyproject.toml`: found, obeyed by every command, overruled by the command line, never a surprise."""

from __future__ import annotations

import io
import os
import re
import time
import tomllib
from dataclasses import fields
from pathlib import Path
from random import Random

import pytest

from netc.cli import COMMANDS, main
from netc.diagnostics.levels import Level
from netc.limits import Limits
from netc.project import DOTS, FILE, KEYS, LARGEST, Project, ProjectError
from tests.test_docs import ROOT, fences

LINT = "input 32x32x3\nconv 16x3 relu\npool 1/2\ngap\nfc 10 softmax\n"


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lint.net").write_text(LINT)


def table(text: str, folder: str = ".") -> None:
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder, FILE).write_text(f"[tool.netc]\n{text}\n")


# -- which file ----------------------------------------------------------------------------------------------


def test_the_nearest_table_upwards_counts() -> None:
    """A file without one is passed over, as a package inside a project has one of its own."""
    table("limits.layers = 1", "a")
    table("limits.layers = 2", "a/b/c")
    Path("a/b", FILE).write_text("[tool.other]\nname = 'netc'\n")
    layers = {
        path: Project.of(path).limits.layers for path in ("a/x.net", "a/b/x.net", "a/b/c/x.net", "a/b/c", "x.net")
    }
    assert layers == {"a/x.net": 1, "a/b/x.net": 1, "a/b/c/x.net": 2, "a/b/c": 2, "x.net": Limits().layers}
    assert Project.of("a/b/x.net").file == Path("a", FILE).absolute()


def test_without_a_table_nothing_is_said() -> None:
    assert Project.of("x.net") == Project.of() == Project()
    Path(FILE).write_text("this is no TOML, and nothing to do with us")
    assert Project.of("x.net") == Project()
    Path(FILE).unlink()
    Path(FILE).mkdir()
    assert Project.of("x.net") == Project()
    assert Project.of("a\0b.net") == Project()


def test_a_change_is_seen() -> None:
    for layers in (1, 2, 12):
        table(f"limits.layers = {layers}")
        os.utime(FILE, ns=(layers, layers))
        assert Project.of("x.net").limits.layers == layers
    Path(FILE).unlink()
    assert Project.of("x.net") == Project()


@pytest.mark.parametrize(
    "text", ["tool.netc.limits.layers = 7", "tool = {netc = {limits = {layers = 7}}}", "[tool.netc.limits]\nlayers = 7"]
)
def test_toml_has_several_ways_to_say_it(text: str) -> None:
    Path(FILE).write_text(text.replace("\n", "\r\n"))
    assert Project.of("x.net").limits.layers == 7


# -- every command obeys -------------------------------------------------------------------------------------

OBEYING = {
    "check": "check F",
    "compile": "compile F -o -",
    "draw": "draw F -o -",
    "summary": "summary F",
    "sizes": "sizes F",
    "diff": "diff F F",
    "fmt": "fmt --check F",
    "export": "export F --random-weights 0 -o a.npz --force",
    "bench": "bench F --engines numpy --seconds 0.01 --rounds 1",
}
OF_TENSORFLOW = {"train": "train F", "evaluate": "evaluate F --weights F", "predict": "predict F F --weights F"}
# These read no spec, or those that an editor sends (tests/test_lsp.py).
WITHOUT = {"explain", "ops", "runs", "completion", "lsp"}
SAYINGS = {
    "limits.layers = 2": "--limit layers=2",
    "limits.statement = 9": "--limit statement=9",
    'deny = ["warnings"]': "--deny warnings",
    'allow = ["window-under-stride"]': "--allow NET301",
}


def outcome(line: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = main(line.split())
    return code, *capsys.readouterr()


@pytest.mark.parametrize("command", OBEYING)
@pytest.mark.parametrize("said", SAYINGS)
def test_a_table_is_what_options_say(command: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The same code, the same words; and `--isolated` has it all unsaid. Times of `bench` are its own."""
    option, line = SAYINGS[said], OBEYING[command].replace("F", "sub/lint.net")
    if command in ("fmt", "diff") and not option.startswith("--limit"):
        pytest.skip("it tells no lints but those that its options ask for")
    if command == "bench":
        pytest.importorskip("psutil", reason="needs netc[weights]")
        if said != "limits.layers = 2":
            pytest.skip("it reads specs as `summary` does, and takes seconds for each")
    Path("sub").mkdir()
    Path("sub/lint.net").write_text(LINT)
    plain, asked = outcome(line, capsys), outcome(f"{line} {option}", capsys)
    table(said)
    found, isolated = outcome(line, capsys), outcome(f"{line} --isolated", capsys)
    if command == "bench":
        plain, asked, found, isolated = ((one[0], "", one[2]) for one in (plain, asked, found, isolated))
    assert (found, isolated) == (asked, plain)
    if (option.startswith("--limit") and command != "fmt") or (command in ("check", "compile") and "deny" in said):
        assert found != plain


def test_every_command_that_reads_specs_is_tried() -> None:
    assert {*OBEYING, *OF_TENSORFLOW, *WITHOUT, "import"} == set(COMMANDS)


@pytest.mark.parametrize("line", [*OBEYING.values(), *OF_TENSORFLOW.values()])
def test_a_wrong_table_ends_every_command(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before anything is written, with the place; not one that was told to leave it alone."""
    table("alow = []")
    said = f"netc: {Path(FILE).absolute()}:2: [tool.netc] has no key `alow`; did you mean `allow`?\n"
    code, out, err = outcome(line.replace("F", "lint.net"), capsys)
    assert code == 2
    assert out == ""
    if line not in OF_TENSORFLOW.values() or said in err:  # else TensorFlow or a part of the run was asked for first
        assert err == said
    assert sorted(path.name for path in Path().iterdir()) == ["lint.net", FILE]
    assert "alow" not in outcome(f"{line.replace('F', 'lint.net')} --isolated", capsys)[2]


def test_the_command_line_counts(capsys: pytest.CaptureFixture[str]) -> None:
    table('deny = ["all"]\nlimits.layers = 2')
    for options in ("--warn 301 --limit layers=99", "--allow warnings --limit layers=99"):
        assert main(["check", "lint.net", *options.split()]) == 0
    assert main(["check", "lint.net", "--warn", "301"]) == 1
    assert main(["check", "lint.net", "--limit", "layers=99"]) == 1


def test_each_file_has_its_own_project(capsys: pytest.CaptureFixture[str]) -> None:
    for folder, level in {"strict": "deny", "easy": "allow", "plain": "warn"}.items():
        table(f'{level} = ["NET301"]', folder)
        Path(folder, "a.net").write_text(LINT)
    assert main(["check", "--format", "concise", "strict", "easy", "plain"]) == 1
    found = re.findall(r"^(\w+)/a.net:3:1: (\w+)\[NET301\]", capsys.readouterr().out, re.MULTILINE)
    assert found == [("strict", "error"), ("plain", "warning")]


def test_standard_input_is_where_its_name_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table('deny = ["NET301"]', "sub")
    for arguments, code in ((["-"], 0), (["-", "--stdin-filename", "sub/a.net"], 1)):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LINT.encode()), encoding="utf-8"))
        assert main(["check", *arguments]) == code
    monkeypatch.chdir("sub")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(LINT.encode()), encoding="utf-8"))
    assert main(["check", "-"]) == 1


# -- where results go ----------------------------------------------------------------------------------------


def test_results_without_a_name_go_where_the_project_says(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Into a folder that is made for the first of them, from wherever the command runs; a name that is given counts."""
    table('out = "build/net"')
    Path("bad.net").write_text("conv")
    assert main(["draw", "bad.net"]) == main(["compile", "bad.net"]) == 1
    assert not Path("build").exists()
    capsys.readouterr()
    assert main(["draw", "lint.net", "--allow", "all"]) == main(["compile", "lint.net", "--allow", "all"]) == 0
    assert capsys.readouterr().err == f"wrote {Path('build/net/lint.svg')}\nwrote {Path('build/net/lint.py')}\n"
    assert main(["draw", "lint.net", "-o", "here.svg"]) == main(["draw", "lint.net", "-o", "-"]) == 0
    Path("sub").mkdir()
    monkeypatch.chdir("sub")
    assert main(["draw", "../lint.net"]) == 0
    assert list(Path().iterdir()) == []
    monkeypatch.chdir("..")
    made = sorted(str(path) for path in Path().rglob("*.*") if path.suffix != ".net")
    assert made == ["build/net/lint.py", "build/net/lint.svg", "here.svg", FILE]


@pytest.mark.skipif(os.name != "posix", reason="needs links")
def test_no_table_writes_outside_its_project(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever wrote it may be somebody else than who runs netc."""
    Path("away").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    for named in ("..", "../x", "/tmp", "a/../../x", "away", "away/x", "a\u0000", "\u202e"):
        table(
            f"out = '{named}'"
            if named.isprintable()
            else f"out = {named!a}".replace("'", '"').replace("\\x00", "\\u0000")
        )
        with pytest.raises(ProjectError, match="`out` got"):
            Project.of("x.net")


# -- errors --------------------------------------------------------------------------------------------------

WRONG = {
    'deny = "NET301"': (2, '`deny` got "NET301", expected a list of lints'),
    "deny = [301]": (2, "`deny` got [301], expected a list of lints"),
    '# NET401\ndeny = [\n  "NET301",\n  "NET999",\n]': (5, "`deny`: there is no code `NET999`"),
    '# window-undr-stride\ndeny = ["window-undr-stride"]': (3, "did you mean `window-under-stride`?"),
    'deny = ["NET204"]': (2, "is an error, and only lints have a level"),
    'allow = ["301"]\n\ndeny = ["NET301"]': (4, "`NET301` stands in `allow` and in `deny`"),
    'warn = ["all"]\ndeny = ["warnings"]': (3, "`warnings` stands in `warn` and in `deny`"),
    "limits = 3": (2, "`tool.netc.limits` got 3, expected a table"),
    "\n[tool.netc.limits]\n# layer\nlayer = 3": (5, "[tool.netc.limits] has no key `layer`; did you mean `layers`?"),
    "limits.layers = true": (2, "`limits.layers`: got `true`, expected a whole number of at least 1"),
    'limits.layers = "many"': (2, '`limits.layers`: got `"many"`, expected a whole number'),
    "limits.layers = 0": (2, "expected a whole number of at least 1"),
    "limits.layers = 1.5": (2, "got `1.5`, expected a whole number"),
    f"limits.layers = {10**18}": (2, "expected at most 999,999,999,999,999,999"),
    "limits.nesting = 1001": (2, "expected at most 1,000: each level takes a part of the stack"),
    "out = 3": (2, "`out` got 3, expected the name of a folder"),
    "out = ''": (2, "expected the name of a folder"),
    "netc = 1": (2, "[tool.netc] has no key `netc`; expected one of allow, warn, deny, limits, out"),
    "quiet = 1": (2, "[tool.netc] has no key `quiet`; expected one of"),
    "deny = [\n": (2, "is no TOML: "),
    "deny = []\ndeny = []": (3, "is no TOML: cannot overwrite a value"),
    "a = " + "9" * 9999: (None, "is no TOML: exceeds the limit"),
    "a." * 101 + "a = 1": (2, "got 101 dots in a line, expected 100 at most"),
    "#" * LARGEST: (None, "is larger than 250,000 bytes"),
    "'\\u001b[31m' = 1": (2, "has no key `\\u001b[31m`"),
    '"\\u001b[31m" = 1': (None, "has no key `\x1b[31m`"),
    "out = '\ud800'": (2, "is not UTF-8: byte 19 is 0xed"),
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: ascii(text[:40]))
def test_what_is_wrong_is_said_with_its_line(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    line, said = WRONG[text]
    Path(FILE).write_bytes(f"[tool.netc]\n{text}\n".encode(errors="surrogatepass"))
    with pytest.raises(ProjectError) as caught:
        Project.of("x.net")
    assert (caught.value.file, caught.value.line) == (Path(FILE).absolute(), line)
    assert said in caught.value.message
    assert main(["check", "lint.net"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"netc: {Path(FILE).absolute()}:")
    assert err.rstrip("\n").isprintable()


def test_brackets_in_brackets_are_refused() -> None:
    """By tomllib of newer Pythons itself, with a place."""
    table("a = " + "[" * 9999)
    with pytest.raises(ProjectError, match=r"pyproject\.toml(:2)?: is no TOML: "):
        Project.of("x.net")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_said() -> None:
    table("")
    os.chmod(FILE, 0)
    with pytest.raises(ProjectError, match="cannot be read: permission denied"):
        Project.of("x.net")


def test_any_text_is_obeyed_or_refused() -> None:
    """Mutated tables give a project or a `ProjectError` in bounded time, and no other exception."""
    whole = '[tool.netc]\nallow = ["NET501"]\ndeny = ["warnings"]\nout = "a/b"\n[tool.netc.limits]\nlayers = 500_000\n'
    random, pieces = (
        Random(15),
        [*"[]{}\"'=.,\n #\\\0-", "netc", "tool", "limits", "deny", "1e9", "true", "2020-01-01", '"""', "inf"],
    )
    begin, refused = time.process_time(), list[tuple[int, int]]()
    for _ in range(400):
        text = whole
        for _ in range(random.randint(1, 4)):
            start = random.randrange(len(text) + 1)
            text = text[:start] + random.choice(pieces) + text[start + random.randint(0, 5) :]
        Path(FILE).write_bytes(text.encode())
        try:
            Project.of("x.net")
        except ProjectError as error:
            refused.append((error.line or 1, text.count("\n") + 1))
    assert 150 < len(refused) < 400
    assert all(1 <= line <= lines for line, lines in refused)
    assert time.process_time() - begin < 20


def test_the_time_to_read_is_bounded() -> None:
    """Dotted keys take tomllib the square of their parts: a file of one took minutes. These are the worst that pass."""
    line = "a." * DOTS + "k{} = 1\n"
    Path(FILE).write_text("[tool.netc]\n" + "".join(map(line.format, range(LARGEST // len(line) - 30))))
    begin = time.process_time()
    with pytest.raises(ProjectError, match="has no key `a`"):
        Project.of("x.net")
    assert time.process_time() - begin < 20


# -- what is written of it -----------------------------------------------------------------------------------


def test_the_page_has_every_key_and_its_example_is_obeyed() -> None:
    page = (ROOT / "docs" / "project.md").read_text(encoding="utf-8")
    (example,) = fences(ROOT / "docs" / "project.md", "toml")
    Path(FILE).write_text(example.text)
    project = Project.of("x.net")
    assert project.out == Path("figures").absolute()
    assert project.limits == Limits(layers=500_000)
    assert project.levels.changed["NET503"] is Level.ALLOW
    assert Level.DENY in project.levels.changed.values()
    assert set(tomllib.loads(example.text)["tool"]["netc"]) <= set(KEYS)
    for key in KEYS:
        assert f"| `{key}` |" in page
    for limit in fields(Limits):
        assert f"`{limit.name}`" in page
