"""What the documents say is so: examples, commands, names of files, links, and the help of every command."""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import netc
from netc.cli import COMMANDS, main, parser
from netc.diagnostics.codes import CODES
from netc.diagnostics.model import Diagnostics
from netc.layers import LAYERS
from netc.layers.defaults import TABLE
from netc.limits import Limits
from netc.lower.definitions import shipped_names
from netc.syntax.format import format_file
from netc.syntax.parser import parse
from netc.syntax.source import Source
from tests.cases import check_text
from tests.needs import needs_tensorflow
from tools.language import renewed

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
LANGUAGE = ROOT / "docs" / "language.md"
DOCUMENTS = [README, *sorted((ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\S*)([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Fence(NamedTuple):
    """A fenced part of a document: where, its language, the words after that, and its text."""

    place: str
    language: str
    words: tuple[str, ...]
    text: str


def fences(path: Path, language: str) -> Iterator[Fence]:
    text = path.read_text(encoding="utf-8")
    for found in _FENCE.finditer(text):
        if found[1] == language:
            line = text.count("\n", 0, found.start()) + 1
            yield Fence(f"{path.name}:{line}", found[1], tuple(found[2].split()), found[3])


# -- examples of the language --------------------------------------------------------------------------------

TUTORIAL = ROOT / "docs" / "tutorial.md"
ARRIVALS = sorted((ROOT / "docs").glob("from-*.md"))
EXAMPLES = [fence for path in (README, LANGUAGE, TUTORIAL, *ARRIVALS) for fence in fences(path, "net")]
FILES = {word[5:]: fence.text for fence in EXAMPLES for word in fence.words if word.startswith("file=")}


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.place)
def test_example_gives_exactly_the_codes_at_its_head(
    example: Fence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in FILES.items():
        Path(name).write_text(text)
    claimed = sorted(word for word in example.words if word in CODES)
    assert all(word in CODES or word.startswith("file=") for word in example.words)
    text = example.text
    if not re.search(r"^(?:\w+: )?input ", text, re.MULTILINE) and not any("file=" in word for word in example.words):
        text = "input 32x32x16\n" + text
    Path("example.net").write_text(text)
    assert sorted(found.code for found in check_text(text)) == claimed, text


GUIDES = [README, TUTORIAL, *ARRIVALS]


@pytest.mark.parametrize("path", GUIDES, ids=lambda path: path.name)
def test_examples_to_start_from_are_as_fmt_leaves_them(path: Path) -> None:
    """So that what is copied does not change with the first `netc fmt`. The reference sets its remarks in columns."""
    for example in fences(path, "net"):
        file = parse(Source(path.name, example.text), Limits(), Diagnostics())
        assert format_file(file) == example.text, example.place


def test_language_reference_has_an_example_of_every_construct() -> None:
    code = "".join(example.text for example in EXAMPLES if example.place.startswith(LANGUAGE.name))
    statements = ("net", "param", "input", "def", "shared def", "repeat", "if", "default", "use", "data", "train")
    for word in (*statements, "from", "output", "add", "concat", "mul", "sub", "identity"):
        assert re.search(rf"(?:^|[;{{|:]) *{word}\b", code, re.MULTILINE), word


def test_generated_parts_of_the_language_reference_are_fresh() -> None:
    """`python -m tools.language docs/language.md` renews them."""
    text = LANGUAGE.read_text(encoding="utf-8")
    assert renewed(text) == text
    assert all(f"| `{one.param}`" in text for one in TABLE)


# -- names and links -----------------------------------------------------------------------------------------


def _anchors(path: Path) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", _FENCE.sub("", path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"`[^`\n]*`", "", _FENCE.sub("", path.read_text(encoding="utf-8")))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        there = path.parent / file if file else path
        assert there.exists(), target
        assert not anchor or anchor in _anchors(there), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_are_named_exist(path: Path) -> None:
    text = _FENCE.sub("", path.read_text(encoding="utf-8"))
    for name in re.findall(r"`((?:netc|docs|tools|tests|specs|grammar|benchmarks)/[\w./*-]*)`", text):
        assert any(ROOT.glob(name.rstrip("/").replace("NETxxx", "NET*"))), name


@pytest.mark.parametrize("path", [README, LANGUAGE], ids=lambda path: path.name)
def test_operations_that_are_named_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    known = {*LAYERS, *shipped_names()}
    assert set(re.findall(r"netc ops (\w+)", text)) <= known
    assert set(re.findall(r"\bNET\d{3}\b", text)) <= set(CODES)


# -- the README's commands -----------------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of what the README's commands read, and a `bin` with the programs that they name."""
    shutil.copytree(ROOT / "specs", tmp_path / "specs")
    (tmp_path / "bin").mkdir()
    for name, words in (("netc", "-m netc "), ("python", "")):
        program = tmp_path / "bin" / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {words}"$@"\n')
        program.chmod(0o755)
    return tmp_path


def _run(script: str, there: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{there / 'bin'}:{os.environ['PATH']}"}
    command = ["bash", "-c", script]
    return subprocess.run(command, check=False, cwd=there, env=environment, capture_output=True, text=True, timeout=300)


def _commands() -> list[str]:
    """The lines of the README that run netc or what it made, without the parts that install and test it."""
    lines = "\n".join(fence.text for fence in fences(README, "sh")).splitlines()
    shortened = [[part.strip() for part in line.split("&&") if not _INSTALLS.search(part)] for line in lines]
    return [" && ".join(parts) for parts in shortened if parts]


_INSTALLS = re.compile(r"\bpip\b|\bvenv\b|\bpytest\b|\.venv")


@needs_tensorflow
def test_commands_of_the_readme_run_as_written(copy: Path) -> None:
    commands = _commands()
    assert len(commands) > 5
    for command in commands:
        done = _run(command, copy)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


@needs_tensorflow
def test_python_of_the_readme_runs_as_written(copy: Path) -> None:
    (code,) = [fence.text for fence in fences(README, "python") if "import netc" in fence.text]
    (copy / "example.py").write_text(code + "\nassert model.count_params() == 859114, model.count_params()\n")
    done = _run("python example.py", copy)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("tensorflow", [False, pytest.param(True, marks=needs_tensorflow)])
def test_python_of_the_interface_runs_as_written(tensorflow: bool, copy: Path) -> None:
    """Comments after `print` are what it prints."""
    parts = fences(ROOT / "docs" / "python.md", "python")
    code = "".join(part.text for part in parts if tensorflow or not part.words)
    (copy / "example.py").write_text(code)
    done = _run("python example.py", copy)
    assert done.returncode == 0, done.stderr
    for shown in re.findall(r"^ *print\(.*\)  # (.*)$", code, re.MULTILINE):
        assert shown in done.stdout, (shown, done.stdout)


@pytest.mark.parametrize("tensorflow", [False, pytest.param(True, marks=needs_tensorflow)])
def test_tutorial_goes_as_it_says(tensorflow: bool, copy: Path) -> None:
    """Its files are written and its commands run in their order; what it shows after them is what they print."""
    text, printed = TUTORIAL.read_text(encoding="utf-8"), ""
    for found in _FENCE.finditer(text):
        language, words, content = found[1], found[2].split(), found[3]
        if language == "net":
            (name,) = (word.removeprefix("file=") for word in words if word.startswith("file="))
            (copy / name).write_text(content)
        elif language == "sh" and (tensorflow or not words):
            done = _run("set -e\n" + content, copy)
            assert done.returncode == 0, f"{content}\n{done.stdout}\n{done.stderr}"
            printed = done.stdout
        elif not language:
            assert content in printed, (content, printed)
    assert (copy / "runs" / "my").is_dir() == tensorflow


def _pair(name: str, language: str) -> tuple[str, str]:
    """The first example of a page for those who come from elsewhere, in their language and in netc's."""
    (path,) = [path for path in ARRIVALS if path.stem == f"from-{name}"]
    *_, theirs = [fence for fence in fences(path, language) if "Sequential" in fence.text or language != "python"]
    return theirs.text, next(fences(path, "net")).text


@pytest.mark.parametrize(
    ("name", "language", "suffix"), [("caffe", "protobuf", ".prototxt"), ("darknet", "ini", ".cfg")]
)
def test_examples_side_by_side_are_one_network(name: str, language: str, suffix: str, tmp_path: Path) -> None:
    theirs, ours = _pair(name, language)
    (tmp_path / f"theirs{suffix}").write_text(theirs)
    (tmp_path / "ours.net").write_text(ours)
    model, spec = tmp_path / f"theirs{suffix}", tmp_path / "ours.net"
    assert main(["diff", str(model), str(spec)]) == 0


@needs_tensorflow
def test_example_of_keras_is_one_network() -> None:
    theirs, ours = _pair("keras", "python")
    made: dict[str, Any] = {}
    exec(compile(theirs, "from-keras.md", "exec"), made)
    assert netc.diff(netc.from_keras(made["model"]), netc.loads(ours)).same


def test_example_of_pytorch_has_as_many_parameters() -> None:
    """Its outputs cannot be compared by way of ONNX, which has no batch normalisation after a convolution."""
    pytest.importorskip("torch", reason="without PyTorch: pip install 'netc[interop]'")
    theirs, ours = _pair("pytorch", "python")
    made: dict[str, Any] = {}
    exec(compile(theirs, "from-pytorch.md", "exec"), made)
    count = sum(weight.numel() for weight in made["model"].parameters())
    assert count == netc.loads(ours).cost.total.trainable
    assert f"{count:,} trainable" in (ROOT / "docs" / "from-pytorch.md").read_text(encoding="utf-8")


_USES_THE_LAYER = """
from __future__ import annotations  # as in the modules that it comes into
from netc.api import load
from netc.layers import norm
from netc.targets.keras import lowering
exec(compile(open("standardize.py").read(), "standardize.py", "exec"), vars(norm))
open("example.net", "w").write("param f = 2.0\\ninput 8x8x3\\nstandardize f std=0.5\\n")
open("wrong.net", "w").write("input 8x8x3\\nstandardize 2 sdt=3\\n")
net = load("example.net")
assert "class Standardize(layers.Layer):" in net.source()
assert "return (inputs - self.mean) / self.std" in net.source()
assert "Standardize(mean=f, std=0.5" in net.source(), net.source()
from netc.cli import main
assert main(["ops", "standardize"]) == 0
assert main(["check", "wrong.net", "--color", "never"]) == 1
from importlib.util import find_spec
if find_spec("onnxruntime"):
    assert main(["export", "example.net", "--random-weights", "0", "-o", "example.onnx"]) == 0
assert main(["draw", "example.net"]) == 0
if find_spec("tensorflow"):
    assert main(["compile", "example.net", "--verify"]) == 0
    assert main(["export", "example.net", "--random-weights", "0", "-o", "example.keras"]) == 0
    import keras, netc.keras_layers, numpy
    assert keras.models.load_model("example.keras")(numpy.ones((1, 8, 8, 3))).numpy().max() == -2.0
exec(compile({lowering!r}, "adding-a-layer.md", "exec"), vars(lowering))
assert "layers.Normalization(None, mean=f, variance=0.25" in net.source(), net.source()
"""


def test_layer_of_the_guide_is_all_that_a_layer_needs(copy: Path) -> None:
    layer, lowering = [fence.text for fence in fences(ROOT / "docs" / "adding-a-layer.md", "python")]
    (copy / "standardize.py").write_text(layer)
    (copy / "layer.py").write_text(_USES_THE_LAYER.format(lowering=lowering))
    done = _run("python layer.py", copy)
    assert done.returncode == 0, done.stderr
    assert "what is subtracted" in done.stdout
    assert "did you mean `std`?" in done.stdout


# -- editors -------------------------------------------------------------------------------------------------

_ASKS_NEOVIM = """
local function until_it(holds) assert(vim.wait(60000, holds, 50), "nothing came") end
local lines = {}
until_it(function() return #vim.diagnostic.get(0) > 0 end)
table.insert(lines, vim.diagnostic.get(0)[1].message)
vim.api.nvim_win_set_cursor(0, { 3, 1 })
vim.api.nvim_feedkeys("K", "x", false)
until_it(function()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= "" then
      vim.list_extend(lines, vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false))
      return true
    end
  end
end)
vim.api.nvim_exec_autocmds("InsertLeave", { buffer = 0 })
until_it(function() return #vim.lsp.codelens.get(0) > 0 end)
for _, lens in ipairs(vim.lsp.codelens.get(0)) do table.insert(lines, lens.command.title) end
vim.fn.writefile(lines, "told.txt")
"""


def test_neovim_is_set_up_as_the_help_says(copy: Path) -> None:
    """By the recipe for its version; with the keys of the guide."""
    pytest.importorskip("pygls", reason="the language server needs `pip install 'netc[lsp]'`")
    if (nvim := shutil.which("nvim")) is None:
        pytest.skip("needs Neovim")
    said = subprocess.run([nvim, "--version"], check=True, capture_output=True, text=True).stdout
    version = re.match(r"NVIM v(\d+)\.(\d+)", said)
    assert version
    if (number := (int(version[1]), int(version[2]))) < (0, 7):
        pytest.skip("needs Neovim 0.7 or later")
    recipes = dict(re.findall(r"^Neovim (before )?.*:\n((?:  .*\n)+)", _help("lsp"), re.MULTILINE))
    (keys,) = fences(ROOT / "docs" / "editor.md", "lua")
    (copy / "init.lua").write_text(textwrap.dedent(recipes["" if number >= (0, 11) else "before "]) + keys.text)
    (copy / "ask.lua").write_text(_ASKS_NEOVIM)
    (copy / "mine.net").write_text("param unused = 1\ninput 8x8x3\nconv 4x3 bn relu\n")
    home = {f"XDG_{kind}_HOME": str(copy / kind) for kind in ("CONFIG", "DATA", "STATE", "CACHE")}
    done = subprocess.run(
        [nvim, "--clean", "--headless", "-u", "init.lua", "mine.net", "-c", "luafile ask.lua", "-c", "qa!"],
        check=False,
        cwd=copy,
        env={**os.environ, **home, "PATH": f"{copy / 'bin'}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (copy / "told.txt").is_file(), done.stderr
    told = (copy / "told.txt").read_text(encoding="utf-8")
    assert "`unused` is never used" in told
    assert "8×8×4" in told
    assert "124 parameters" in told
    assert "draw" in told.splitlines()


# -- help ----------------------------------------------------------------------------------------------------


def _help(command: str) -> str:
    (commands,) = (one for one in parser([command])._actions if isinstance(one, argparse._SubParsersAction))
    return str(commands.choices[command].epilog)


def _help_examples() -> list[str]:
    texts = [parser([]).epilog or "", *map(_help, COMMANDS)]
    return [line.strip() for text in texts for line in text.splitlines() if line.startswith("  netc ")]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_examples(command: str) -> None:
    assert "examples:\n  netc " + command in _help(command)


@pytest.mark.parametrize("line", _help_examples())
def test_examples_of_help_parse(line: str) -> None:
    words = shlex.split(re.split(r" {2,}| [|<>] ", line)[0])[1:]
    assert parser(words).parse_args(words).command == words[0]
