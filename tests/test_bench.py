"""`netc bench`: what is measured, what is made of it, and that one engine that dies takes no other with it."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import netc
from netc.bench.accuracy import Judge
from netc.bench.machine import Machine
from netc.bench.measure import Plan, measure
from netc.bench.report import Report
from netc.bench.rows import Case, Row, fastest, ratios
from netc.bench.statistics import interval, percentile, ratio
from netc.cli import main
from netc.cli.endings import CLEAN, ERRORS, INTERRUPTED, USAGE
from netc.ir.weights import random_weights
from tests.needs import needs_tensorflow

np = pytest.importorskip("numpy")
pytest.importorskip("h5py")
pytest.importorskip("safetensors")
psutil = pytest.importorskip("psutil")

TEXT = "input 8x8x3\nconv 4x3 bn relu\ngap\nfc 3 softmax\n"
QUICK = ["--rounds", "6", "--seconds", "0.06"]
PLAN = Plan(seconds=0.06, rounds=6)


def measured(*makes: str, plan: Plan = PLAN, batch: int = 1) -> list[Row]:
    """Rows of subjects of these tests, by the names of their functions."""
    program = netc.loads(TEXT).program
    rows = [Row(Case(f"{make}{at}", batch, f"tests.bench_subjects:{make}")) for at, make in enumerate(makes)]
    measure(program, random_weights(program.net, 0), rows, plan, lambda what, done, whole: None)
    return rows


# -- statistics ----------------------------------------------------------------------------------------------


RANKS = {6: (1, 6), 8: (1, 8), 9: (2, 8), 10: (2, 9), 12: (3, 10), 20: (6, 15)}
RANKS |= {25: (8, 18), 30: (10, 21), 40: (14, 27), 50: (18, 33), 100: (40, 61)}


@pytest.mark.parametrize(("count", "ranks"), RANKS.items())
def test_the_interval_is_that_of_published_tables(count: int, ranks: tuple[int, int]) -> None:
    """Ranks of the 95 % interval of a median: Altman et al., Statistics with Confidence, 2nd edition, table 18.4."""
    assert interval([float(count - at) for at in range(count)]) == ranks


def test_five_values_have_no_interval() -> None:
    assert interval([1.0] * 5) is None


def test_the_interval_holds_the_median_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    draws = np.exp(random.normal(size=(2000, 20)))  # the median is 1, far from the mean
    found = [interval(list(values)) for values in draws]
    share = sum(bool(each and each[0] <= 1 <= each[1]) for each in found) / len(found)
    assert 0.95 <= share <= 0.97  # 0.9586 by the binomial distribution


def test_percentiles_are_of_the_nearest_rank() -> None:
    values = [35.0, 20, 15, 50, 40]
    assert [percentile(values, share) for share in (0.05, 0.3, 0.4, 0.5, 1)] == [15, 20, 20, 35, 50]


def test_a_ratio_is_of_the_rounds_in_which_both_had_a_turn() -> None:
    slower = {0: 1.0, 1: 1.0, 2: 1.0, 3: 5.0, 4: 5.0, 5: 5.0, 6: 5.0}  # what else the machine does from round 3 on
    reference = {number: [2 * factor, 1 * factor, 9 * factor] for number, factor in slower.items()}  # the median is 2
    times = {number: [3 * factor] for number, factor in slower.items()}
    found = ratio(times, reference)
    assert found is not None
    assert (found.median, found.interval) == (1.5, (1.5, 1.5))
    seldom = ratio({0: [2.0], 3: [20.0], 9: [1.0]}, reference)
    assert seldom is not None
    assert (seldom.median, seldom.interval) == (1.5, None)  # of 1 and 2; there is no round 9
    assert ratio({9: [1.0]}, reference) is None


def test_rows_are_compared_within_their_batch() -> None:
    rows = [
        Row(Case("a", 1), times={at: [0.004, 0.002, 0.002] for at in range(6)}),
        Row(Case("b", 1), times={at: [0.001] for at in range(6)}),
        Row(Case("a", 8), times={at: [0.008] for at in range(6)}),
        Row(Case("c", 8)),
    ]
    assert fastest(rows) == {1: rows[1], 8: rows[2]}
    assert [found and (found.median, found.interval) for found in ratios(rows)] == [
        (2, (2, 2)),
        (1, (1, 1)),
        (1, (1, 1)),
        None,
    ]
    assert (rows[0].median, rows[0].slow) == (0.002, 0.004)
    assert [row.rate and round(row.rate) for row in rows] == [375, 1000, 1000, None]


# -- processes -----------------------------------------------------------------------------------------------


def test_one_process_works_at_a_time_and_each_has_its_turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    monkeypatch.setenv("NETC_BENCH_LOG", str(log))
    rows = measured("noting", "noting", "noting")
    assert [(row.name, sorted(row.times), row.size, row.error) for row in rows] == [
        ("noting 1.0", [*range(6)], 7, "")
    ] * 3
    calls = [(name, float(begun), float(ended)) for name, begun, ended in map(str.split, log.read_text().splitlines())]
    for (_, _, ended), (_, begun, _) in pairwise(calls):
        assert ended <= begun
    turns = [calls[0][0]] + [name for (before, *_), (name, *_) in pairwise(calls) if name != before]
    assert turns[:3] == ["noting0", "noting1", "noting2"]  # they are started one after the other
    assert len({*pairwise(turns)}) > 3  # and no one always follows the same
    for row in rows:
        assert row.median is not None
        assert row.slow is not None
        assert row.first is not None
        assert 0.001 <= row.median <= row.slow < row.first
        assert all(len(turn) >= 1 for turn in row.times.values())


def test_what_takes_too_long_has_as_many_turns_as_an_interval_needs() -> None:
    (row,) = measured("killed", plan=Plan(seconds=0.05, rounds=20))  # 20 ms a call, of which it survives 50
    assert (len(row.times), len(row.calls), row.error) == (7, 7, "")


def test_processes_that_die_are_rows_that_say_why() -> None:
    dying = {
        "refusing": "no engine takes this",
        "unready": "RuntimeError: broken",
        "leaving": "the process ended with code 7: terminate called",
        "killed": "the system ended the process, as it does where memory runs out",
        "nothing": "AttributeError: module 'tests.bench_subjects' has no attribute 'nothing'",
    }
    *dead, alive = measured(*dying, "chatty", plan=Plan(seconds=3, rounds=6))
    assert [row.error for row in dead] == [*dying.values()]
    assert all(len(row.times) < 6 for row in dead)
    assert (alive.error, len(alive.times), alive.name) == ("", 6, "chatty")
    text = Report("net", "weights", [*dead, alive], PLAN, Machine.this(), {}).render("text")
    for at, (make, words) in enumerate(dying.items()):
        assert f"\n{make}{at}, batch 1: {words}\n" in text


def test_no_answer_is_an_answer_after_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netc.bench.process.PATIENCE", 0.01)
    (row,) = measured("small")
    assert row.error == "no answer for 0 s"


def test_threads_are_told_to_the_engine_and_in_the_environment() -> None:
    assert measured("threads", plan=Plan(0.06, 6, threads=3))[0].name == "3 3"
    own = os.environ.get("OMP_NUM_THREADS")
    assert measured("threads")[0].name == f"None {own}"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says it exactly")
def test_memory_is_that_of_the_process_alone() -> None:
    mine = np.ones(400_000_000, np.uint8)  # of which a process that is started here has no part
    large, small = measured("large", "small")
    del mine
    assert small.memory is not None
    assert large.memory is not None
    assert small.memory < 150e6
    assert 190e6 < large.memory - small.memory < 220e6


def test_answers_that_are_not_the_same_are_said() -> None:
    rows = measured("small", "other", "chatty")
    assert [row.difference for row in rows] == [0, pytest.approx(0.1), 0]
    (note,) = Report("net", "weights", rows, PLAN, Machine.this(), {}).notes()
    assert note.startswith("other1, batch 1: its answers differ from those of small by 1.0e-01 of the largest")


# -- the command ---------------------------------------------------------------------------------------------


def test_a_table_of_engines(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnx")
    line = ["bench", "a.net", "--engines", "onnxruntime,numpy", "--batch", "1,3", *QUICK]
    assert main([*line, "-o", "a.svg"]) == CLEAN
    out, err = capsys.readouterr()
    what, where, _, header, _, *rows = out.splitlines()
    assert what.startswith("a: 8x8x3 -> 3, 139 parameters, ")
    assert what.endswith(", random weights of seed 0")
    assert Machine.this().text in where
    assert "as many threads as each engine takes" in where
    assert header.split("  ") != []
    names = ["engine", "batch", "p50", "p95", "images/s", "times the fastest", "first result", "memory", "file"]
    assert [name.strip() for name in header.split("  ") if name] == names
    assert [row.split()[0] for row in rows] == ["onnxruntime", "NumPy"] * 2
    assert [row.split()[2] for row in rows] == ["1", "1", "3", "3"]
    assert "wrote a.svg" in err
    drawn = ElementTree.parse("a.svg").getroot()
    assert len([each for each in drawn.iter() if each.tag.endswith("ellipse") or each.tag.endswith("circle")]) == 4 + 2
    said = " ".join(each.text or "" for each in drawn.iter())
    assert all(word in said for word in ("onnxruntime", "numpy", "batch 1", "batch 3", "MB", "ms an image"))


def test_json_and_csv_hold_the_same(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["bench", "a.net", "--engines", "numpy", "--random-weights", "5", "--threads", "1", *QUICK]
    assert main([*line, "--format", "json"]) == CLEAN
    said = json.loads(capsys.readouterr().out)
    assert said["weights"] == "random weights of seed 5"
    assert said["plan"] == {"seconds": 0.06, "rounds": 6, "threads": 1}
    assert said["machine"]["netc"] == netc.__version__
    assert said["whole"] is True
    (row,) = said["rows"]
    assert (row["engine"], row["precision"], row["batch"], row["rounds"]) == ("numpy", "fp32", 1, 6)
    assert (row["ratio"], row["error"], row["difference"], row["accuracy"]) == (1, "", 0, None)
    assert row["images_per_second"] == pytest.approx(1 / row["p50"], rel=0.9)
    assert row["file_size"] == 4 * 139
    assert main([*line, "--format", "csv"]) == CLEAN
    (again,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert list(again) == list(row)
    assert [again[key] for key in ("engine", "batch", "rounds", "error")] == ["numpy", "1", "6", ""]
    assert float(again["p50"]) > 0


def test_fewer_bits_are_rows(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnxruntime")
    line = ["bench", "a.net", "--engines", "onnxruntime", "--precision", "fp32,int8,fp16", "--format", "json", *QUICK]
    assert main(line) == CLEAN
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["precision"] for row in rows] == ["fp32", "int8", "fp16"]
    assert all(row["p50"] > 0 for row in rows)
    assert 0 < rows[2]["difference"] < 1e-2
    assert [Case("onnxruntime", 1, precision=one).answers for one in ("fp32", "int8", "fp16")] == [True, False, True]


def test_weights_of_a_file_are_those_that_run(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = netc.load(spec)
    network.save_weights("w.npz", random_weights(network.net, 3))
    assert main(["bench", "a.net", "--weights", "w.npz", "--engines", "numpy", *QUICK]) == CLEAN
    assert "weights of w.npz" in capsys.readouterr().out.splitlines()[0]


def test_an_open_input_needs_a_size(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec.write_text("input ?x?x3\nconv 4x3\npool 2\nupsample 2\n")
    line = ["bench", "a.net", "--engines", "numpy", *QUICK]
    assert main(line) == USAGE
    assert "the input of a is ?x?x3: --size says at which size it is run" in capsys.readouterr().err
    assert main([*line, "--size", "8x12"]) == CLEAN
    assert "a: 8x12x3 -> 8x12x4" in capsys.readouterr().out
    assert main([*line, "--size", "8x12x3"]) == USAGE
    assert "got 3 sizes for ?x?x3" in capsys.readouterr().err


WRONG: dict[str, tuple[list[str], int, str]] = {
    "an engine that there is not": (["--engines", "onnxruntim"], USAGE, "did you mean `onnxruntime`?"),
    "nothing like one": (["--engines", "x"], USAGE, "expected some of onnxruntime, openvino, numpy, keras.predict"),
    "no engine": (["--engines", ""], USAGE, "there is no engine ''"),
    "batch": (["--batch", "1,0"], USAGE, "got '0', expected a whole number"),
    "a precision that there is not": (["--precision", "int4"], USAGE, "got 'int4', expected some of fp32, bf16"),
    "a precision without its engine": (
        ["--precision", "int8"],
        USAGE,
        "int8 runs in onnxruntime, which is not measured",
    ),
    "rounds": (["--rounds", "0"], USAGE, "expected a whole number"),
    "seconds": (["--seconds", "nan"], USAGE, "expected a number of seconds above 0"),
    "size": (["--size", "8"], USAGE, "no size of it is open"),
    "seed and weights": (["--random-weights", "1", "--weights", "w.npz"], USAGE, "without --weights"),
    "no weights file": (["--weights", "w.npz"], USAGE, "there is no file w.npz"),
    "plot": (["-o", "a.txt"], USAGE, "expected a name that ends in one of .svg, .png, .pdf, .tikz"),
    "plot nowhere": (["-o", "no/a.svg"], USAGE, "there is no folder of that name"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_said_before_anything_is_measured(
    spec: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, code, words = WRONG[name]
    engines = [] if "--engines" in arguments else ["--engines", "numpy"]
    assert main(["bench", "a.net", *engines, *arguments]) == code
    out, err = capsys.readouterr()
    assert words in err
    assert out == ""


def test_an_engine_that_refuses_all_is_exit_1(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One that runs out of patience, as every engine does that does not take the network."""
    spec.write_text("input 8x8x3\nfc 3\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("netc.bench.process.PATIENCE", 0.01)
        assert main(["bench", "a.net", "--engines", "numpy", *QUICK]) == ERRORS
    assert "numpy, batch 1: no answer for 0 s" in capsys.readouterr().out


def _python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def test_absent_engines_are_named_with_what_installs_them(spec: Path) -> None:
    code = (
        "import sys; sys.modules.update(dict.fromkeys(('openvino', 'tensorflow', 'onnx')));"
        "from netc.cli import main; code = main(sys.argv[1:]);"
        "assert not {'keras', 'onnxruntime'} & sys.modules.keys(); sys.exit(code)"
    )
    here = {**os.environ, "PYTHONPATH": str(Path(netc.__file__).parents[1])}
    done = subprocess.run(
        _python(code, "bench", "a.net", *QUICK), check=False, capture_output=True, text=True, env=here
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "not installed: onnxruntime (pip install 'netc[onnx]'); openvino (pip install 'netc[openvino]'); "
        "keras.predict, keras.predict_on_batch, tf.function (pip install 'netc[tensorflow]')\n"
    )
    assert len(done.stdout.splitlines()) == 6
    line = _python(code, "bench", "a.net", "--engines", "numpy,openvino")
    done = subprocess.run(line, check=False, capture_output=True, text=True, env=here)
    assert done.returncode == USAGE
    assert done.stderr.endswith("which are not installed: pip install 'netc[openvino]'\n")


@pytest.mark.skipif(os.name != "posix", reason="signals are of POSIX")
def test_ctrl_c_shows_what_was_measured_and_leaves_no_process(spec: Path) -> None:
    here = {**os.environ, "PYTHONPATH": str(Path(netc.__file__).parents[1])}
    line = [sys.executable, "-m", "netc", "bench", "a.net", "--engines", "numpy", "--batch", "1,2", "--seconds", "600"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=here) as process:
        parent = psutil.Process(process.pid)
        deadline = time.monotonic() + 60
        while not (workers := parent.children()) and time.monotonic() < deadline:
            time.sleep(0.05)
        while workers[0].cpu_times().user < 1.5 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == INTERRUPTED, err
    assert err == ""
    assert "random weights of seed 0" in out
    assert out.endswith("stopped: this is what was measured so far\n")
    assert not any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in workers)


# -- accuracy ------------------------------------------------------------------------------------------------


def test_answers_are_right_as_the_loss_reads_them() -> None:
    answers = np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2], [9, 9, 9]], np.float32)  # the last fills the batch
    assert Judge("o", "one_hot", False).right(answers, np.array([[0, 1, 0], [0, 0, 1]])) == 1
    assert Judge("o", "integer", False).right(answers, np.array([[1], [0]])) == 2
    assert Judge("o", "binary", False).right(answers, np.array([[0, 1, 0], [0, 1, 0]])) == pytest.approx(1 + 2 / 3)
    single = np.array([[-0.1], [0.4], [2]], np.float32)
    assert Judge("o", "binary", True).right(single, np.array([[0], [1], [1]])) == 3
    assert Judge("o", "binary", False).right(single, np.array([[0], [1], [1]])) == 2
    maps = np.zeros((1, 2, 2, 3), np.float32)
    maps[0, 0, 0, 2] = maps[0, 0, 1, 1] = 1
    assert Judge("o", "integer", False).right(maps, np.array([[[2, 0], [0, 1]]])) == 0.5


DIGITS = """input 8x8x1; conv 4x3 relu; gap; fc 10 softmax
data digits { validation 0.2 }
train { loss categorical_crossentropy; optimizer adam lr=0.01; epochs 1; batch 64 }"""


@needs_tensorflow
def test_the_accuracy_of_a_run_is_that_of_evaluate(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    text = DIGITS
    netc.loads(text, "a.net").train("run", quiet=True)
    assert main(["evaluate", "run", "--format", "json"]) == CLEAN
    expected = json.loads(capsys.readouterr().out)
    line = ["bench", "run", "--engines", "numpy", "--batch", "1,50", "--format", "json", *QUICK]
    assert main([*line, "-o", "a.svg"]) == CLEAN
    said = json.loads(capsys.readouterr().out)
    assert said["judged"] == f"accuracy is of {expected['images']} validation images"
    assert [row["accuracy"] for row in said["rows"]] == [pytest.approx(expected["accuracy"], abs=1e-6)] * 2
    words = [each.text for each in ElementTree.parse("a.svg").getroot().iter() if each.text]
    assert "%" in words
    assert "MB" not in words
    assert main([*line, "--images", "7"]) == CLEAN
    said = json.loads(capsys.readouterr().out)
    assert said["judged"] == f"accuracy is of the first 7 of {expected['images']} validation images"
    assert 7 * said["rows"][0]["accuracy"] == pytest.approx(round(7 * said["rows"][0]["accuracy"]))
    assert main([*line, "--images", "0"]) == CLEAN
    said = json.loads(capsys.readouterr().out)
    assert (said["judged"], said["rows"][0]["accuracy"]) == ("", None)


def test_a_model_has_its_own_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    import onnx

    from netc.bench import measure as measuring
    from netc.targets.onnx.model import model

    monkeypatch.chdir(tmp_path)
    program = netc.loads("input 8x8x3; conv 4x3; gap; fc 2").program
    weights = random_weights(program.net, 7)
    onnx.save(model(program, weights).proto, "m.onnx")
    Path("m.cfg").write_text("[net]\nheight=8\nwidth=8\nchannels=3\n[convolutional]\nfilters=4\n")
    given: list[Any] = []

    def taken(program: object, weights: object, *more: object) -> str:
        given.append(weights)
        return ""

    monkeypatch.setattr(measuring, "measure", taken)
    for line in ("m.onnx", "m.onnx --random-weights 3", "m.cfg"):
        main(["bench", *line.split(), "--engines", "numpy"])
    said = capsys.readouterr().out
    assert [text in said for text in ("weights of m.onnx", "random weights of seed 3", "random weights of seed 0")] == [
        True
    ] * 3
    own, drawn, _ = given
    for (name, role), array in weights.items():
        assert np.array_equal(own[name, role], array), name
    assert not np.array_equal(drawn["conv1", "kernel"], weights["conv1", "kernel"])


@needs_tensorflow
def test_the_calls_of_keras_users_are_rows(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["numpy", "keras.predict", "keras.predict_on_batch", "tf.function"]
    code = (
        "import sys; from netc.cli import main; code = main(sys.argv[1:]);"
        "assert not {'tensorflow', 'keras'} & sys.modules.keys(); sys.exit(code)"
    )
    line = _python(code, "bench", "a.net", "--engines", ",".join(names), "--format", "json", *QUICK)
    here = {**os.environ, "PYTHONPATH": str(Path(netc.__file__).parents[1])}
    done = subprocess.run(line, check=False, capture_output=True, text=True, env=here)
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["rows"]
    assert [row["engine"] for row in rows] == names
    assert all(row["error"] == "" and row["rounds"] == 6 for row in rows)
    assert all(row["difference"] < 1e-5 for row in rows)
    assert rows[1]["name"].startswith("keras.predict (Keras ")
    assert rows[1]["peak_memory"] > 3 * rows[0]["peak_memory"]
