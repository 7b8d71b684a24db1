"""`netc export --precision`: what is promised holds, what harms returns to float32, and nothing else is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import netc
from netc.cli import main
from netc.cli.endings import CLEAN, ERRORS, USAGE
from tests.needs import needs_tensorflow

np = pytest.importorskip("numpy")
onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")
from netc.precision.intervals import bootstrap, wilson  # noqa: E402 - imports NumPy
from netc.precision.search import fewest  # noqa: E402

SPEC = """input 8x8x1
conv 16x8 pad=valid relu
drop: dropout 0.1
fc 10 softmax

data digits {
    validation 0.2 stratified
}
train {
    loss categorical_crossentropy
    optimizer adam lr=0.01
    batch 64
    epochs 6
}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("keras")
    pytest.importorskip("sklearn")
    folder = tmp_path_factory.mktemp("precision")
    (folder / "small.net").write_text(SPEC)
    assert main(["train", str(folder / "small.net"), "--out", str(folder / "run")]) == CLEAN
    return folder / "run"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.net").write_text("input 8x8x3\nconv 4x3 bn relu\nlrn\ngap\nfc 3 softmax\n")
    return tmp_path


def export(*arguments: object) -> int:
    return main(["export", *map(str, arguments)])


def promise_of(path: str) -> dict[str, Any]:
    said = {prop.key: prop.value for prop in onnx.load(path).metadata_props}
    promise: dict[str, Any] = json.loads(said["netc_promise"])
    return promise | {"precision": said["netc_precision"]}


def accuracy(path: str, run: Path) -> float:
    """Of a file, on the images that the run kept, by nothing of what made the file."""
    data = netc.load(run / "spec/small.net").datasets()
    assert data.validation is not None
    session = ort.InferenceSession(path)
    right = []
    for images, labels in data.validation.batches():
        (made,) = session.run(None, {"input1": images.numpy()})
        right.extend(made.argmax(1) == labels.numpy().argmax(1))
    return float(np.mean(right))


def planted(run: Path, *layers: str) -> dict[str, Any]:
    """The weights of the run, of which some layers cannot be in 8 bits, and are as they were in float32: a weight for
    what is always 0 is so large that all others are less than half a step of it."""
    weights = {
        f"{name}/{role}": array.copy() for (name, role), array in netc.load(run / "spec/small.net").weights(run).items()
    }
    weights["conv1/kernel"][..., 0] = 0
    weights["conv1/bias"][0] = 0  # so that this unit is always 0, as is the pixel in the corner of a digit
    if "conv1" in layers:
        weights["conv1/kernel"][0, 0, 0, :] = 5e3
    if "fc1" in layers:
        weights["fc1/kernel"][0, :] = 5e3
    return weights


@needs_tensorflow
def test_the_promise_of_int8_is_what_others_find(run: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(run, "-o", "a.onnx") == CLEAN
    assert export(run, "-o", "b.onnx", "--precision", "int8", "--max-drop", "1") == CLEAN
    said = capsys.readouterr().err
    assert "promised: accuracy" in said
    assert "no test images" in said
    promise = promise_of("b.onnx")
    assert promise["float32"] == pytest.approx(accuracy("a.onnx", run), abs=1e-5)
    assert promise["int8"] == pytest.approx(accuracy("b.onnx", run), abs=1e-5)
    assert promise["float32"] - promise["int8"] <= 0.01
    assert promise["images"] == 359
    assert promise["float32_layers"] == []
    types = {held.data_type for held in onnx.load("b.onnx").graph.initializer if "kernel" in held.name}
    assert onnx.TensorProto.INT8 in types
    assert export(run, "-o", "b.onnx", "--precision", "fp16") == CLEAN  # netc's own file is replaced
    assert promise_of("b.onnx")["precision"] == "fp16"


@needs_tensorflow
def test_the_layer_that_harms_returns_to_float32(run: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("w.npz", **planted(run, "fc1"))
    assert export(run, "--weights", "w.npz", "-o", "a.onnx", "--precision", "int8", "--max-drop", "2") == CLEAN
    promise = promise_of("a.onnx")
    assert promise["float32_layers"] == ["fc1"]
    assert promise["int8"] == pytest.approx(accuracy("a.onnx", run), abs=1e-5)
    lines = capsys.readouterr().err.splitlines()
    head = next(number for number, line in enumerate(lines) if line.split()[:2] == ["layer", "line"])
    assert lines[head + 1].startswith("  fc1 (Gemm)")
    assert "small.net:4 " in lines[head + 1]
    (kernel,) = (
        held for held in onnx.load("a.onnx").graph.initializer if held.name.startswith("fc1") and "kernel" in held.name
    )
    assert kernel.data_type == onnx.TensorProto.FLOAT


@needs_tensorflow
def test_where_every_layer_harms_nothing_is_written(run: Path, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    np.savez("w.npz", **planted(run, "conv1", "fc1"))
    Path("a.onnx").write_bytes(b"")
    assert export(run, "--weights", "w.npz", "-o", "a.onnx", "--precision", "int8", "--max-drop", "2") == ERRORS
    said = capsys.readouterr().err
    assert "int8 breaks the promise: accuracy is 0." in said
    assert "at most 2 allowed, on 359 images that the run kept for validation" in said
    assert "fc1 (Gemm)" in said
    assert "small.net:2 " in said
    assert "allow more with --max-drop" in said
    assert Path("a.onnx").read_bytes() == b""
    assert sorted(path.name for path in here.iterdir()) == ["a.net", "a.onnx", "w.npz"]


@needs_tensorflow
def test_a_drop_of_nothing_is_none(run: Path, here: Path) -> None:
    """Or there is no file."""
    code = export(run, "-o", "a.onnx", "--precision", "int8", "--max-drop", "0")
    if code == CLEAN:
        promise = promise_of("a.onnx")
        assert promise["int8"] >= promise["float32"]
    else:
        assert code == ERRORS
        assert not Path("a.onnx").exists()


@needs_tensorflow
def test_images_are_for_one_purpose_each(run: Path) -> None:
    from netc.precision.shares import SCALES, shares

    for text, said in (
        (SPEC, "kept for validation"),
        (SPEC.replace("    validation 0.2 stratified\n", ""), "learnt from"),
    ):
        found = shares(netc.loads(text).program, None, None, 0)
        promise, scales = set(found.promise.part.rows), set(found.scales.part.rows)
        assert said in found.kept
        assert not promise & scales
        assert len(promise) == 359
        assert len(scales) == SCALES
        assert set(found.probe.part.rows) <= scales
        assert not found.promise.training


def needs_bfloat16() -> None:
    if "BF16" not in pytest.importorskip("openvino").Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor does not compute in bfloat16")


def test_what_may_crash_openvino_is_not_run_there_in_bfloat16_either(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    needs_bfloat16()
    Path("b.net").write_text("input 1x2\npad before=0 after=1\nconv 6x1")
    assert export("b.net", "--random-weights", "1", "-o", "b.onnx", "--precision", "bf16") == ERRORS
    assert "may crash at `conv1" in capsys.readouterr().err
    assert not Path("b.onnx").exists()


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_16_bits_need_no_run(here: Path, precision: str, capsys: pytest.CaptureFixture[str]) -> None:
    if precision == "bf16":
        needs_bfloat16()
    assert export("a.net", "--random-weights", "1", "-o", "a.onnx") == CLEAN
    assert export("a.net", "--random-weights", "1", "-o", "b.onnx", "--precision", precision) == CLEAN
    assert f"{precision} differs from float32 by " in capsys.readouterr().err
    inputs = {"input1": np.random.default_rng(0).normal(size=(9, 8, 8, 3)).astype("float32")}
    (full,), (made,) = (ort.InferenceSession(path).run(None, inputs) for path in ("a.onnx", "b.onnx"))
    assert made.dtype == np.float32
    assert 0 < abs(made - full).max() < 5e-3
    held = {
        tensor.data_type for tensor in onnx.load("b.onnx").graph.initializer if tensor.name.startswith("conv1_bn/k")
    }
    assert held == {{"fp16": onnx.TensorProto.FLOAT16, "bf16": onnx.TensorProto.BFLOAT16}[precision]}


def test_numbers_that_16_bits_cannot_hold_are_refused(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("b.net").write_text("input 4\nfc 4\nfc 2\n")
    weights = {
        "fc1/kernel": np.full((4, 4), 1e5),
        "fc1/bias": np.zeros(4),
        "fc2/kernel": np.full((4, 2), 1e-5),
        "fc2/bias": np.zeros(2),
    }
    np.savez("w.npz", **{name: array.astype("float32") for name, array in weights.items()})
    assert export("b.net", "--weights", "w.npz", "-o", "b.onnx") == CLEAN
    assert export("b.net", "--weights", "w.npz", "-o", "c.onnx", "--precision", "fp16") == ERRORS
    assert "fp16 is too far from float32" in capsys.readouterr().err
    assert not Path("c.onnx").exists()


def test_int8_of_nothing_is_refused() -> None:
    from netc.ir.weights import random_weights
    from netc.precision.forms import form
    from netc.targets.errors import ExportError
    from netc.targets.onnx.model import model

    program = netc.loads("input 4x4x2\nrelu\nmaxpool 2\n").program
    with pytest.raises(ExportError, match="nothing in this network computes in int8"):
        form("int8", model(program, random_weights(program.net, 0)).proto.SerializeToString())


@needs_tensorflow
def test_python_promises_too(run: Path, here: Path) -> None:
    from netc.targets.errors import ExportError

    network: Any = netc.load(run / "spec/small.net")
    weights = network.weights(run)
    assert "fp16 differs from float32 by " in network.export("a.onnx", weights, precision="fp16")
    assert "promised: accuracy" in network.export("b.onnx", weights, precision="int8", run=run, max_drop=1)
    assert promise_of("b.onnx")["max_drop_points"] == 1
    with pytest.raises(ExportError, match="int8 needs a run"):
        network.export("c.onnx", weights, precision="int8")
    with pytest.raises(ValueError, match="expected one of fp32"):
        network.export("c.onnx", weights, precision="int4")
    with pytest.raises(ValueError, match="expected a name that ends in"):
        network.export("c.npz", weights, precision="fp16")
    with pytest.raises(ValueError, match="got max_drop=-1, expected"):
        network.export("c.onnx", weights, precision="int8", run=run, max_drop=-1)
    with pytest.raises(TypeError, match="got `run` in fp32"):
        network.export("c.onnx", weights, run=run)
    assert not Path("c.onnx").exists()


RANDOM = ["a.net", "--random-weights", "1", "-o", "a.onnx"]
WRONG: dict[str, tuple[list[str], str]] = {
    "no run": ([*RANDOM, "--precision", "int8"], "int8 needs a run"),
    "a drop of a spec": ([*RANDOM, "--precision", "fp16", "--max-drop", "1"], "are for a run"),
    "a drop of float32": ([*RANDOM, "--max-drop", "1"], "are for --precision bf16, fp16 or int8"),
    "less than nothing": ([*RANDOM, "--max-drop", "-1"], "expected a number from 0 to 100"),
    "no number": ([*RANDOM, "--max-drop", "nan"], "expected a number from 0 to 100"),
    "another precision": ([*RANDOM, "--precision", "int4"], "invalid choice"),
    "another ending": ([*RANDOM[:-1], "a.npz", "--precision", "fp16"], "is for .onnx, and -o says .npz"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_uses(here: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    arguments, words = WRONG[name]
    assert export(*arguments) == USAGE
    assert words in capsys.readouterr().err
    assert [path.name for path in here.iterdir()] == ["a.net"]


def test_rounding_to_bfloat16_is_that_of_others() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    pytest.importorskip("openvino")
    from netc.precision.bfloat16 import _rounded

    bits = np.random.default_rng(0).integers(0, 2**32, 10_000, dtype=np.uint32)
    ties = np.array([0x3F808000, 0x3F818000, 0x3F808001, 0x80000000, 0], np.uint32)
    values = np.concatenate([bits, ties]).view(np.float32)
    values = values[np.isfinite(values)]
    found = np.frombuffer(_rounded(onnx.numpy_helper.from_array(values)).raw_data, "<u2")
    assert (found == values.astype(ml_dtypes.bfloat16).view(np.uint16)).all()


def test_fewest_is_the_fewest() -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        most = int(random.integers(0, 30))
        needed = int(random.integers(0, 40))
        tried: list[int] = []
        found = fewest(most, lambda count, tried=tried, needed=needed: tried.append(count) or count >= needed)  # type: ignore[misc]
        assert found == (needed if needed <= most else None)
        assert len(tried) == len(set(tried)) <= 12


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_intervals_are_the_published_ones(right: int, count: int, low: float, high: float) -> None:
    """Newcombe 1998, "Two-sided confidence intervals for the single proportion", table I, method 3."""
    assert wilson(right / count, count) == pytest.approx((low, high), abs=5e-5)


def test_a_bootstrap_finds_the_error_of_a_mean() -> None:
    sample = np.random.default_rng(0).normal(size=400)
    low, high = bootstrap(len(sample), lambda rows: float(sample[rows].mean()))
    error = 1.96 * sample.std() / 20
    assert (low, high) == pytest.approx((sample.mean() - error, sample.mean() + error), abs=0.15 * error)
