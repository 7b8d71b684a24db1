"""The command line: what it prints where, exit codes, and that it leaves files whole."""

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from netc import __version__
from netc.cli import COMMANDS, main
from netc.cli.options import coloured
from netc.cli.output import write
from netc.lower.overrides import parse_override
from netc.values import Word
from tests.needs import needs_tensorflow

CLEAN = "net small\nparam width = 16\ninput 32x32x3\nconv (width)x3 relu\ngap\nfc 10 softmax\n"
BROKEN = "input 32x32x3\nconv 16x3 rleu\ngap\nfc 10 softmax\n"
LINT = "input 32x32x3\nconv 16x3 relu\npool 1/2\ngap\nfc 10 softmax\n"
UGLY = "input 32x32x3\nconv   16x3   relu\ngap\nfc 10 softmax\n"


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in {"clean": CLEAN, "broken": BROKEN, "lint": LINT, "ugly": UGLY}.items():
        Path(f"{name}.net").write_text(text)


def stdin(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode()), encoding="utf-8"))


def process(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


# -- check ---------------------------------------------------------------------------------------------------


def test_check_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "clean.net"]) == 0
    assert capsys.readouterr() == ("no errors or warnings in clean.net\n", "")


def test_check_reports_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "broken.net"]) == 1
    out, err = capsys.readouterr()
    assert out.startswith("error[NET104]: ")
    assert "  --> broken.net:2:11\n   |\n 2 | conv 16x3 rleu\n   |           ^^^^" in out
    assert out.endswith("\n1 error in broken.net\n")
    assert err == ""


def test_check_several_files_each_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "broken.net", "clean.net", "lint.net", "broken.net"]) == 1
    assert capsys.readouterr().out.endswith("1 error, 1 warning in 3 files\n")


def test_check_formats(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "lint.net", "--format", "concise"]) == 0
    assert capsys.readouterr().out.startswith("lint.net:3:")
    assert main(["check", "lint.net", "--format", "json"]) == 0
    assert [found["code"] for found in json.loads(capsys.readouterr().out)] == ["NET301"]
    assert main(["check", "lint.net", "--format", "sarif"]) == 0
    assert json.loads(capsys.readouterr().out)["runs"][0]["results"][0]["ruleId"] == "NET301"


def test_check_levels(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "lint.net", "--deny", "window-under-stride"]) == 1
    assert main(["check", "lint.net", "--deny", "warnings", "--allow", "301"]) == 0
    assert main(["check", "lint.net", "--allow", "301", "--deny", "NET301"]) == 1
    capsys.readouterr()
    assert main(["check", "lint.net", "--allow", "NET204"]) == 2
    assert "is an error" in capsys.readouterr().err


def test_check_override_and_limit(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "clean.net", "-D", "width=8", "--limit", "layers=10"]) == 0
    assert main(["check", "clean.net", "-D", "widht=8"]) == 1
    assert "error[NET112]" in capsys.readouterr().out
    assert main(["check", "clean.net", "-D", "width=relu"]) == 1
    assert main(["check", "clean.net", "--limit", "layers=2"]) == 1
    assert "error[NET604]" in capsys.readouterr().out


def test_check_reads_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(monkeypatch, BROKEN)
    assert main(["check", "-", "--format", "concise"]) == 1
    assert ":2:11: error[NET104]" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["check", "summary", "draw", "import", "fmt"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("real.pt", "torch.onnx.export"),
        ("real.PTH", "state_dict"),
        ("real.ckpt", "pickle"),
        ("real.safetensors", "weights alone"),
        ("real.pb", "TensorFlow"),
        ("real.tflite", "LiteRT"),
    ],
)
def test_files_with_a_model_that_is_not_read_are_told_by_their_endings(
    command: str, name: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(name).write_bytes(b"PK\x03\x04\0\0\x08\x80")
    assert main([command, name]) == 2
    out, err = capsys.readouterr()
    (line,) = [line for line in (out + err).splitlines() if name in line and "error in" not in line]
    assert said in line
    assert "UTF-8" not in line


def test_binary_files_are_no_text_and_others_may_be_saved_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    Path("picture.net").write_bytes(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    assert main(["check", "picture.net"]) == 1
    out = capsys.readouterr().out
    assert out.startswith("error[NET005]: picture.net is no text, but binary data\n")
    assert "PNG" not in out
    for encoding in ("latin-1", "utf-16"):
        Path("old.net").write_bytes("input 8x8x3  # \xe9\n".encode(encoding))
        assert main(["check", "old.net"]) == 1
        assert "help: save the file as UTF-8" in capsys.readouterr().out


def test_check_missing_file_is_an_error_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    """It has no position, the others are checked all the same, and the exit code is that of wrong use."""
    assert main(["check", "nowhere.net", "broken.net"]) == 2
    out = capsys.readouterr().out
    assert out.startswith("error[NET005]: cannot read nowhere.net: no such file or directory\n\nerror[NET104]: ")
    assert out.endswith("2 errors in 2 files\n")
    assert main(["fmt", "--check", "nowhere.net", "ugly.net"]) == 2
    assert capsys.readouterr().err.endswith("would change ugly.net\n")
    for command in ("compile", "summary", "draw"):
        assert main([command, "nowhere.net"]) == 2
        assert capsys.readouterr() == ("", "netc: cannot read nowhere.net: no such file or directory\n")


def test_check_fix_mends_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("spaced.net").write_text(CLEAN.replace("(width)x3", "(width) x 3"))
    assert main(["check", "--diff", "spaced.net"]) == 1
    shown = capsys.readouterr()
    assert "\n-conv (width) x 3 relu\n+conv (width)x3 relu\n" in shown.out
    assert "(width) x 3" in Path("spaced.net").read_text()
    assert main(["check", "--fix", "spaced.net"]) == 0
    assert capsys.readouterr().err == "fixed 1 finding, none remain in spaced.net\n"
    assert Path("spaced.net").read_text() == CLEAN
    assert main(["check", "--diff", "spaced.net"]) == 0


def test_check_fix_leaves_what_it_cannot_mend(capsys: pytest.CaptureFixture[str]) -> None:
    Path("bad.net").write_text("input 8x8x3\npool 9 pad=valid\n")
    before = Path("bad.net").stat().st_mtime_ns
    assert main(["check", "--fix", "bad.net"]) == 1
    assert capsys.readouterr().err == ""
    assert Path("bad.net").stat().st_mtime_ns == before


def test_check_fix_of_standard_input_prints_the_text(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stdin(monkeypatch, CLEAN.replace("(width)x3", "(width) x 3"))
    assert main(["check", "--fix", "-"]) == 0
    assert capsys.readouterr().out == CLEAN


# -- the other commands --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [["compile", "clean.net", "--verify"], ["train", "clean.net"], ["evaluate", "x"]],
)
def test_what_needs_tensorflow_says_so(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert main(arguments) == 2
    assert "needs TensorFlow" in capsys.readouterr().err
    assert not Path("clean.py").exists()


def test_compile_writes_a_module_named_after_the_spec(capsys: pytest.CaptureFixture[str]) -> None:
    Path("specs").mkdir()
    Path("specs/2-small net.net").write_text(CLEAN)
    assert main(["compile", "specs/2-small net.net"]) == 0
    assert capsys.readouterr() == ("", "wrote _2_small_net.py\n")
    compile(Path("_2_small_net.py").read_text(), "_2_small_net.py", "exec")


def test_compile_to_standard_output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "clean.net", "-o", "-"]) == 0
    named = capsys.readouterr()
    assert named.err == ""
    assert "keras" in named.out
    stdin(monkeypatch, CLEAN)
    assert main(["compile", "-"]) == 0
    assert "import keras" in capsys.readouterr().out
    assert not list(Path().glob("*.py"))


@pytest.mark.parametrize(("target", "begin"), [("json", "{"), ("dot", "digraph")])
def test_compile_targets(target: str, begin: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compile", "clean.net", "--target", target]) == 0
    assert begin in Path(f"clean.{target}").read_text()[:200]
    assert main(["compile", "clean.net", "--target", target, "--flat"]) == 2


def test_compile_of_a_wrong_spec_keeps_the_old_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.py").write_text("old")
    assert main(["compile", "broken.net"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "error[NET104]" in err
    assert Path("broken.py").read_text() == "old"


@needs_tensorflow
def test_compile_writes_nothing_that_verification_refuses(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from netc.targets.keras.verify import Verified

    differing = Verified(["the shapes of `conv1` differ"])
    monkeypatch.setattr("netc.targets.keras.verify.verify", lambda program, source, runner: differing)
    assert main(["compile", "clean.net", "--verify"]) == 3
    assert "the code is not the network: the shapes of `conv1` differ" in capsys.readouterr().err
    assert not Path("clean.py").exists()


@needs_tensorflow
def test_compile_verifies_and_says_nothing_of_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    done = process(sys.executable, "-m", "netc", "compile", "clean.net", "--verify")
    verified = "verified: the code builds the network that was checked, with the same weights and outputs"
    assert (done.returncode, done.stdout) == (0, "")
    assert re.fullmatch(rf"{verified}\nproved: Keras .* on tensorflow .*\nwrote clean.py\n", done.stderr)
    assert Path("clean.py").exists()


def test_what_tensorflow_says_is_kept_where_it_fails() -> None:
    """Whatever it printed from C++, and its exception."""
    code = (
        "import os, sys; from netc.targets.keras.quiet import import_keras\n"
        "class Broken:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'keras': os.write(2, b'the driver is broken\\n'); raise ImportError('no keras')\n"
        "sys.meta_path.insert(0, Broken())\n"
        "import_keras()\n"
    )
    done = process(sys.executable, "-c", code)
    assert done.stderr.startswith("the driver is broken\nTraceback")
    assert done.stderr.endswith("ImportError: no keras\n")


@needs_tensorflow
@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_what_is_neither_a_spec_nor_a_run_is_said(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    images = ["a.png"] if command == "predict" else []
    for name, said in {"none": "there is no none", "empty": "empty holds no run", "clean.net": "--weights"}.items():
        assert main([command, name, *images]) == 2
        assert said in capsys.readouterr().err


def test_definitions_alone_can_be_checked_but_not_compiled(capsys: pytest.CaptureFixture[str]) -> None:
    Path("blocks.net").write_text("def block(ch) { conv (ch)x3 relu }\n")
    assert main(["check", "blocks.net"]) == 0
    assert main(["compile", "blocks.net", "-o", "-"]) == 1
    assert "error[NET125]" in capsys.readouterr().err


@pytest.mark.parametrize("format", ["text", "json", "csv", "md"])
def test_summary(format: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["summary", "clean.net", "--format", format]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "448" in out  # 3*3*3*16 + 16
    if format == "json":
        assert json.loads(out)["parameters"]["total"] == 618


UNET = (
    "net u\ninput ?x?x3\ntop: conv 4x3\npool 2\nmid: conv 4x3\npool 2\nupsample 2\nconcat mid\nupsample 2\nconcat top\n"
)


@pytest.mark.parametrize(
    ("text", "options", "code", "said"),
    [
        (UNET, "", 0, "u takes HxWx3 and gives HxWx12\nsizes        H and W: multiples of 4, at least 4\nbecause      `concat1` (line 8) needs 2·⌈H/4⌉ = ⌈H/2⌉, 2·⌈W/4⌉ = ⌈W/2⌉\n"),
        (UNET, "--layers", 0, "\nconcat1    concat        H/2xW/2x8 "),
        (UNET, "--size 16x8", 0, "16x8: works, and gives 16x8x12, with 18,432 MACs\n"),
        (UNET, "--size 18x21", 1, "18x21: pad to 20x24, or crop to 16x20\n       does not work: `concat1` (line 8): `concat` needs"),
        (UNET, "--size 3", 1, "3x3: pad to 4x4\n"),
        (UNET, "--size 18×16", 1, "18x16: pad to 20x16, or crop to 16x16\n"),
        ("input ?x80x3; conv 4x5/2 pad=valid", "--size 20x80", 0, "20x80: works, and gives 8x38x4"),
        ("input ?x80x3; conv 4x5/2 pad=valid", "--size 20", 0, "20x80: works, and gives 8x38x4"),
        ("input ?x80x3; conv 4x5/2 pad=valid", "--size 2x60", 1, "2x60: pad to 5x80\n      does not work: `input1` is ?x80x3\n"),
        ("input ?x80x3; conv 4x5/2 pad=valid", "--size 1x1x1", 2, "--size: got 1x1x1 for `input1`, ?x80x3: expected 2 sizes"),
        ("input ?x?x3; crop 2x3; conv 4x3 pad=valid", "", 0, "takes HxWx3 and gives (H-6)x(W-8)x4\nsizes        H: all from 7 on\n             W: all from 9 on\n"),
        ("a: input 9x4; fixed: conv 4x3; input ?x4; pool 2; add fixed", "--size 30", 1, "30: crop to 18\n"),
        ("l: input ?x4; pool 2; p: conv 4x1; r: input ?x4; add p", "", 0, "takes l.L x 4 and r.L x 4 and gives r.L x 4\nsizes        to be matched where they meet\nbecause      `add1` (line 1) needs r.L = ⌈l.L/2⌉\n"),
        ("l: input ?x4; pool 2; p: conv 4x1; r: input ?x4; add p", "--size l=9 --size r=5", 0, "l 9, r 5: works, and gives 5x4"),
        ("l: input ?x4; pool 2; p: conv 4x1; r: input ?x4; add p", "--size l=9", 2, "--size: `r` has no size: expected 1"),
        ("l: input ?x4; pool 2; p: conv 4x1; r: input ?x4; add p", "--size 9 --size x=5", 2, "--size: there is no input `x` to size: expected one of l, r"),
        (CLEAN, "", 0, "sizes        the input is fixed"),
        (CLEAN, "--size 32", 0, "32x32: works, and gives 10, with 442,528 MACs\n"),
        (CLEAN, "--size 16x30", 1, "16x30: pad to 32x32\n       does not work: `input1` is 32x32x3\n"),
        (BROKEN, "", 1, "NET104"),
        (CLEAN, "--size 32y3", 2, "expected a size such as 420x560"),
        (CLEAN, "--size =32", 2, "got '=32', expected a size such as 420x560"),
        ("input 10; fc 2", "--size 5", 2, "--size: `input1`, 10, is a vector: expected no size for it"),
        (CLEAN, "--size 0", 2, "expected a size such as 420x560"),
        (CLEAN, "--size 3 --size 4", 2, "--size is given twice"),
        (CLEAN, "--size 3 --layers", 2, "--layers goes with neither"),
    ],
)  # fmt: skip
def test_sizes(text: str, options: str, code: int, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("open.net").write_text(text)
    assert main(["sizes", "open.net", *options.split()]) == code
    out, err = capsys.readouterr()
    assert said in (out if code == 0 or "\n" in said else err)
    assert "NET302" not in err
    if code == 2:
        assert not out


def test_sizes_as_data(capsys: pytest.CaptureFixture[str]) -> None:
    Path("open.net").write_text(UNET)
    assert main(["sizes", "open.net", "--format", "json", "--size", "18x21"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["inputs"] == {"input1": ["H", "W", 3]}
    assert data["outputs"] == {"concat2": ["H", "W", 12]}
    assert data["sizes"][0] == {
        **{"symbols": ["H"], "text": "multiples of 4, at least 4", "period": 4, "smallest": {"0": 4}, "complete": True}
    }
    assert data["equations"][0] == {"layer": "concat1", "left": "2·⌈H/4⌉", "right": "⌈H/2⌉"}
    assert data["macs"] == "144·H·W"
    assert data["layers"][2] == {"name": "pool1", "output_shape": ["H/2", "W/2", 4], "macs": 0, "line": 4}
    fit = data["fit"]
    assert (fit["works"], fit["layer"], fit["larger"], fit["smaller"]) == (
        *(False, "concat1", {"input1": [20, 24, 3]}, {"input1": [16, 20, 3]}),
    )


def test_fmt(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "--check", "ugly.net"]) == 1
    assert main(["fmt", "--diff", "ugly.net"]) == 1
    assert "\n-conv   16x3   relu\n+conv 16x3 relu\n" in capsys.readouterr().out
    assert Path("ugly.net").read_text() == UGLY
    assert main(["fmt", "ugly.net"]) == 0
    assert Path("ugly.net").read_text() == UGLY.replace("   ", " ")
    assert main(["fmt", "--check", "ugly.net"]) == 0


def test_fmt_of_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stdin(monkeypatch, UGLY)
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr().out == UGLY.replace("   ", " ")


def test_fmt_takes_the_bounds_that_its_errors_name(capsys: pytest.CaptureFixture[str]) -> None:
    text = f"input 8x8x3\nconv {'(' * 150}4{')' * 150}x3\n"
    Path("deep.net").write_text(text)
    assert main(["fmt", "deep.net"]) == 1
    assert "--limit nesting=" in capsys.readouterr().err
    assert main(["fmt", "deep.net", "--limit", "nesting=200"]) == 0


@needs_tensorflow
def test_options_that_would_do_nothing_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for more in (["-o", "classes.csv"], ["--force"]):
        assert main(["predict", "a", "b", *more]) == 2
        assert "go with --layer" in capsys.readouterr().err
    Path("run").mkdir()
    Path("run/run.json").write_text("{}")
    for command in (["evaluate", "run"], ["predict", "run", "clean.net"]):
        assert main([*command, "-D", "n=3"]) == 2
        assert "-D does not go with a run" in capsys.readouterr().err


def test_fmt_refuses_what_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    Path("open.net").write_text("input 3 {\n")
    assert main(["fmt", "open.net"]) == 1
    assert Path("open.net").read_text() == "input 3 {\n"
    assert "error[" in capsys.readouterr().err


@pytest.mark.parametrize("code", ["NET301", "301", "window-under-stride"])
def test_explain(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", code]) == 0
    assert capsys.readouterr().out.startswith("# NET301: a window smaller than its stride\n")


def test_explain_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "window-under"]) == 2
    assert capsys.readouterr().err == "netc: there is no code `window-under`; did you mean `window-under-stride`?\n"


def test_ops(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ops"]) == 0
    assert "\n  conv  " in capsys.readouterr().out
    assert main(["ops", "maxpool"]) == 0
    assert "# `pool`" in capsys.readouterr().out
    assert main(["ops", "resblock"]) == 0
    assert "\ndef resblock(n, ch" in capsys.readouterr().out
    assert main(["ops", "cnv"]) == 2
    assert "did you mean `conv`?" in capsys.readouterr().err


# -- usage, bugs, interruptions ------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert f"examples:\n  netc {command}" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"netc {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "first steps:"),
        (["chek", "a.net"], "did you mean `netc check`?"),
        (["clean.net"], "did you mean `netc check clean.net`?"),
        (["check"], "FILE"),
        (["check", "clean.net", "-D", "n"], "expected `name=value` such as `n=9`"),
        (["check", "clean.net", "-D", "n=("], "expected a number"),
        (["check", "clean.net", "-D", "width=1", "-D", "width=2"], "-D width is given twice"),
        (["check", "clean.net", "--limit", "layer=2"], "did you mean `layers`?"),
        (["check", "clean.net", "--limit", "layers=0"], "a whole number of at least 1"),
        (["check", "clean.net", "--deny", "NET999"], "there is no code `NET999`"),
        (["check", "clean.net", "--fix", "--diff"], "not allowed with"),
        (["check", "--fromat", "json", "clean.net"], "`netc check` has no option '--fromat'; did you mean `--format`?"),
        (["compile", "clean.net", "-x"], "`netc compile` has no option '-x'"),
        (["compile", "clean.net", "lint.net"], "`netc compile` does not take 'lint.net' too"),
        (["summary", "clean.net", "--plot", "a.svg", "--format", "json"], "ask for one of them"),
        (["compile", "clean.net", "-o", "no/folder/a.py"], "cannot write `no/folder/a.py`"),
        (["compile", "clean.net", "-o", "."], "cannot write `.`"),
    ],
)
def test_wrong_use(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err


def test_bug_is_short_and_says_how_to_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom \x1b[31m")

    monkeypatch.setattr("netc.cli.explain.run", broken)
    assert main(["explain", "NET301"]) == 3
    err = capsys.readouterr().err
    assert f"netc {__version__}: this is a bug of netc" in err
    assert "Traceback" not in err
    assert "\x1b" not in err
    assert main(["explain", "NET301", "--traceback"]) == 3
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("NETC_TRACEBACK", "1")
    assert main(["explain", "NET301"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_interruption_is_silent() -> None:
    pipe = subprocess.PIPE
    running = subprocess.Popen(
        [sys.executable, "-m", "netc", "check", "-"],
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - a shell may ignore it
    )
    time.sleep(2)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert (running.returncode, out, err) == (130, b"", b"")


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_closed_pipe_gives_no_traceback() -> None:
    Path("many.net").write_text("input 8x8x3\n" + "foo\n" * 5000)
    done = process("bash", "-c", f"{sys.executable} -m netc check many.net | head -1")
    assert done.stdout.startswith("error[")
    assert done.stderr == ""


def test_check_summary_fmt_and_compile_need_no_tensorflow() -> None:
    code = (
        "import sys; from netc.cli import main\n"
        "codes = [main(line.split()) for line in ('check clean.net', 'summary clean.net', 'fmt --check clean.net',"
        " 'compile clean.net', 'compile clean.net --flat')]\n"
        "assert codes == [0] * 5, codes\n"
        "heavy = {'tensorflow', 'keras', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = process(sys.executable, "-c", code)
    assert done.returncode == 0, done.stderr


def test_check_imports_nothing_that_it_does_not_need() -> None:
    code = "import sys; from netc.cli import main; main(['check', 'clean.net'])\nprint(*sys.modules)"
    loaded = set(process(sys.executable, "-c", code).stdout.split())
    assert "netc.compiler" in loaded
    assert not loaded & {"rich", "black", "graphviz", "difflib", "netc.cli.compile"}


# -- output --------------------------------------------------------------------------------------------------


def test_failed_write_keeps_the_old_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("out.py").write_text("old")

    def full(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", full)
    with contextlib.suppress(KeyboardInterrupt):
        write("out.py", "new")
    assert Path("out.py").read_text() == "old"
    assert not list(Path().glob(".netc*"))


def test_write_keeps_permissions_links_and_devices() -> None:
    Path("real.py").write_text("old")
    Path("real.py").chmod(0o640)
    Path("link.py").symlink_to("real.py")
    write("link.py", "new")
    assert Path("link.py").is_symlink()
    assert Path("real.py").read_text() == "new"
    assert Path("real.py").stat().st_mode & 0o777 == 0o640
    write(os.devnull, "gone")
    assert not Path(os.devnull).is_file()


def test_colour_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for name in ("NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert coloured("auto", Terminal())
    assert not coloured("auto", io.StringIO())
    assert coloured("always", io.StringIO())
    assert not coloured("never", Terminal())
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert coloured("auto", io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured("auto", Terminal())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not coloured("auto", Terminal())


# -- overrides -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("n=9", 9),
        ("n=-9", -9),
        (" n = 9 ", 9),
        ("n=0.5", 0.5),
        ("n=1e-4", 1e-4),
        ("n=.5", 0.5),
        ("n=true", True),
        ("n=false", False),
        ("n=relu", Word("relu")),
        ('n="a b"', "a b"),
    ],
)
def test_override(text: str, value: object) -> None:
    name, made = parse_override(text)
    assert (name, made, type(made)) == ("n", value, type(value))


@pytest.mark.parametrize(
    "text", ["n", "=9", "1n=9", "n=", "n=1x3", "n=1+1", "n=1e999", "n=٣", "n=" + "9" * 5000, 'n="a', 'n="a\x1b"']
)
def test_override_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="got") as refused:
        parse_override(text)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "draw clean.net --style foo",
            "`netc draw`: argument --style: invalid choice: 'foo' (choose from 'auto', 'graph'",
        ),
        ("check", "`netc check`: the following arguments are required: FILE"),
        ("summary clean.net -D", "expected one argument"),
    ],
)
def test_wrong_options_are_told_in_a_line(capsys: pytest.CaptureFixture[str], line: str, said: str) -> None:
    assert main(line.split()) == 2
    told = capsys.readouterr()
    assert (told.out, told.err.count("\n")) == ("", 1)
    assert said in told.err
    assert told.err.endswith("--help` says more\n")
