"""Training: what a run learns, leaves, and refuses."""

from __future__ import annotations

import io
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from netc.cli import main

np = pytest.importorskip("numpy")
keras = pytest.importorskip("keras")
pytest.importorskip("sklearn")

SMALL = """net small
param width = 8
input 8x8x1
conv (width)x3 bn relu
features: pool 2  # netc: allow NET508
fc 10 softmax

data digits {
    center per_pixel
    validation 0.2 stratified
}
train {
    loss categorical_crossentropy
    optimizer adam lr=0.03
    batch 64
    epochs 3
    checkpoint every=10 keep=2 best
}
"""


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("train")
    (folder / "small.net").write_text(SMALL)
    return folder


def netc(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def run(here: Path) -> Path:
    folder = here / "run"
    assert netc("train", here / "small.net", "--out", folder) == 0
    return folder


def test_a_run_learns_and_holds_everything(run: Path) -> None:
    record = json.loads((run / "run.json").read_text())
    assert (record["status"], record["seed"], len(record["classes"])) == ("finished", 0, 10)
    assert (run / "spec/small.net").read_text() == SMALL
    saved = sorted(path.name for path in (run / "checkpoints").iterdir())
    assert saved == ["best.npz", "step-00000060.npz", "step-00000069.npz"]
    rows = (run / "log.csv").read_text().splitlines()
    assert rows[0] == "step,epoch,learning_rate,loss,accuracy,val_loss,val_accuracy"
    last = dict(zip(rows[0].split(","), map(float, rows[-1].split(",")), strict=True))
    assert last["val_accuracy"] > 0.8
    model = keras.models.load_model(run / "model.keras")  # compiled: plain Keras can go on with it
    assert model.count_params() == 1394


def test_keras_measures_the_same(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from netc.compiler import compile_source
    from netc.data import prepare
    from netc.syntax.source import Source

    assert netc("evaluate", run, "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    data = prepare(compile_source(Source("small.net", SMALL)), seed=0, batch=64)
    assert data.validation is not None
    model = keras.models.load_model(run / "model.keras")
    loss, accuracy = model.evaluate(data.validation.batches(), verbose=0)
    assert (found["loss"], found["accuracy"]) == pytest.approx((loss, accuracy), rel=1e-5)


def test_the_loop_takes_the_steps_of_fit(here: Path) -> None:
    """The loss of the first epoch equals that of `fit`, up to the rounding of the fused normalisation."""
    import tensorflow as tf

    from netc.compiler import compile_source
    from netc.data import prepare
    from netc.sections.base import Clock
    from netc.sections.override import parse_setting
    from netc.syntax.source import Source
    from netc.train.trainee import Trainee

    more = ["train.clip=norm=1", "train.ema=0.9", "train.class_weights=balanced", "train.weight_decay=0.001"]
    changes = [*more, "train.optimizer=momentum lr=0.05", "train.epochs=2"]
    arguments = [part for change in changes for part in ("--set", change)]
    assert netc("train", here / "small.net", "--out", here / "beside_fit", *arguments) == 0
    program = compile_source(Source("small.net", SMALL), changes=[parse_setting(text) for text in changes])
    data = prepare(program, seed=0, batch=64)
    trainee = Trainee(program, Clock(data.train.steps, 2 * data.train.steps), 0, tf.distribute.get_strategy())
    model = trainee.model
    model.compile(optimizer=trainee.optimizer, loss=trainee.heads[0].loss, metrics=["accuracy"])
    counts = np.bincount(data.train.labels)
    weights = {number: len(data.train.labels) / (10 * count) for number, count in enumerate(counts)}
    losses = model.fit(data.train.batches(0), verbose=0, class_weight=weights).history["loss"]
    rows = (here / "beside_fit/log.csv").read_text().splitlines()
    assert float(rows[1].split(",")[3]) == pytest.approx(losses[0], rel=1e-4)


@pytest.mark.parametrize("number", ["bfloat16", "float16"])
def test_every_metric_is_measured_in_half_precision(here: Path, number: str) -> None:
    metrics = "train.metrics=accuracy topk=2 precision recall f1 auc mean_iou mse"
    changes = (metrics, f"train.precision={number}", "train.epochs=1")
    arguments = [part for change in changes for part in ("--set", change)]
    assert netc("train", here / "small.net", "--out", here / number, *arguments) == 0
    first, last = ((here / number / "log.csv").read_text().splitlines()[at].split(",") for at in (0, -1))
    row = dict(zip(first, map(float, last), strict=True))
    assert 0.5 < row["val_accuracy"] <= row["val_top2"] <= 1
    assert all(np.isfinite(value) for value in row.values())


NOISY = """net noisy
input 8x8x1
conv 16x3 bn relu
dropout 0.3
conv 32x3/2 bn relu
gap
fc 10 softmax

data digits {
    center per_pixel
    shift 0.125
    rotate 10
    cutout 2
    validation 0.2 stratified
}
train {
    loss categorical_crossentropy label_smoothing=0.1
    optimizer momentum lr=0.05
    weight_decay 1e-4
    batch 32
    epochs 1
}
"""


@pytest.mark.parametrize(("spec", "tolerance"), [("digits", 1e-5), ("noisy", 0.02)])
def test_the_emitted_module_takes_the_same_steps(spec: str, tolerance: float, tmp_path: Path) -> None:
    """Under one seed: the same to a bit or two once its normalisation is fused as well, else up to rounding."""
    import netc as package
    from netc.train.normalise import fused

    path = Path(__file__).parents[1] / "specs/digits.net"
    net = package.load(path) if spec == "digits" else package.loads(NOISY)
    ours = net.train(tmp_path / "run", settings=["train.epochs=1"], seed=7, quiet=True).row
    data = net.datasets(seed=7)
    assert data.validation is not None
    module: dict[str, Any] = {"__name__": "emitted"}
    exec(net.source(), module)
    build = module["build_model"]
    with ExitStack() as held:

        def build_fused() -> Any:
            model = build()
            held.enter_context(fused(model))
            return model

        module["build_model"] = build_fused if spec == "digits" else build
        trained = module["train"](data.train.batches(0), data.validation.batches(), epochs=1, seed=7)
    for name, values in trained.history.history.items():
        assert ours[name] == pytest.approx(values[0], rel=tolerance), name


def test_weight_decay_is_half_lambda_times_the_squares_of_kernels(here: Path) -> None:
    """As in the papers: He et al. 2015, section 3.4. At a rate of nearly 0 the log shows what is added to the loss."""
    logged = {}
    for strength in ("0", "0.5"):
        folder = here / f"decay{strength}"
        changes = ["train.optimizer=sgd lr=1e-12", "train.epochs=1", f"train.weight_decay={strength}"]
        arguments = [part for change in changes for part in ("--set", change)]
        assert netc("train", here / "small.net", "--out", folder, *arguments) == 0
        names, values = (line.split(",") for line in (folder / "log.csv").read_text().splitlines())
        logged[strength] = dict(zip(names, map(float, values), strict=True))
    kernels = [one.numpy() for one in keras.models.load_model(folder / "model.keras").weights if one.name == "kernel"]
    added = 0.5 / 2 * sum(float(np.square(kernel).sum()) for kernel in kernels)
    assert len(kernels) == 2
    assert added > 1
    for name in ("loss", "val_loss"):
        assert logged["0.5"][name] - logged["0"][name] == pytest.approx(added, rel=1e-3), name


def test_a_seed_is_the_whole_difference(here: Path) -> None:
    logs = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert netc("train", here / "small.net", "--out", here / name, "--seed", seed, "--epochs", 1) == 0
        logs.append((here / name / "log.csv").read_text())
    assert logs[0] == logs[1] != logs[2]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--set", "train.bacth=3"], "did you mean `batch`"),
        (["--set", "train.batch=0"], "NET109"),
        (["--set", "train.momentum.lr=1"], "no setting `momentum`"),
        (["--set", "train.plateau.factor=0.1"], "no setting `plateau`"),
        (["--set", "train.ema.decay=0.1"], "has no line `ema`"),
        (
            ["--set", "train.schedule=cosine", "--set", "train.early_stopping=patience=1 monitor=val_acc"],
            "val_accuracy",
        ),
        (["--data", "no/such/folder"], "no/such/folder"),
        (["--data", "cifar100"], "100 classes need 100 outputs"),
        (["--distribute", "multiworker"], "TF_CONFIG"),
        (["--distribute", "multiworker", "--workers", "a:1,b", "--index", "0"], "`b`, expected `host:port`"),
        (["--index", "1"], "--distribute multiworker"),
        (["--weights", "nothing.h5"], "there is no file nothing.h5"),
        (["--resume"], "there is no run"),
        (["--seed", "-1"], "expected a whole number"),
    ],
)
def test_what_cannot_be_is_said_before_the_first_step(
    here: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(here)
    assert netc("train", "small.net", *arguments) in (1, 2)
    assert said in capsys.readouterr().err


def test_a_loss_that_explodes_stops_the_run(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    extreme = ["--set", "train.optimizer=sgd lr=1e30", "--set", "train.loss=mse"]
    assert netc("train", here / "small.net", "--out", here / "exploded", *extreme) == 1
    assert "is not a number any more at step" in capsys.readouterr().err


def test_a_full_disk_leaves_the_last_checkpoint(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    from netc.storage import checkpoint

    member = checkpoint._member

    def full(archive: Any, name: str, array: Any) -> None:
        if "kernel" in name and len(list((here / "full/checkpoints").glob("step-*"))) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        member(archive, name, array)

    monkeypatch.setattr(checkpoint, "_member", full)
    assert netc("train", here / "small.net", "--out", here / "full") == 2
    assert "no space left on device" in capsys.readouterr().err
    saved = sorted(path.name for path in (here / "full/checkpoints").glob("*"))
    assert [name for name in saved if name.startswith("step")] == ["step-00000010.npz", "step-00000020.npz"]
    assert not [name for name in saved if name.startswith(".")]
    for path in (here / "full/checkpoints").glob("step*"):
        checkpoint.read(path)


def test_broken_checkpoints_are_named(run: Path, tmp_path: Path) -> None:
    from netc.storage.checkpoint import CheckpointError, read

    whole = (run / "checkpoints/step-00000069.npz").read_bytes()
    intact, said = read(run / "checkpoints/step-00000069.npz").arrays, []
    for place in range(0, len(whole), len(whole) // 40):
        broken = bytearray(whole)
        broken[place] ^= 1
        (tmp_path / "broken.npz").write_bytes(broken)
        try:
            arrays = read(tmp_path / "broken.npz").arrays
        except CheckpointError as error:
            said.append(str(error))
        else:  # a bit that carries nothing, such as the date of a member
            assert all(np.array_equal(arrays[name], array) for name, array in intact.items())
    assert len(said) > 30
    assert all("broken.npz is broken" in one for one in said)


def test_kill_and_resume(tmp_path: Path) -> None:
    from tests.kill_and_resume import differences, lose_power, points, train

    def choose(kills: list[Any]) -> list[Any]:
        middle = [kill for kill in kills if "in a checkpoint" in kill.name]
        return [middle[-1], next(kill for kill in kills[len(kills) // 2 :] if "a row of the log" in kill.name)]

    expected, kills = points(tmp_path, choose)
    kills.append(lose_power(kills[1], "step-*"))
    for kill in kills:
        train(kill.folder, tmp_path / "tiny.net", resume=True)
        assert differences(expected, kill.folder) == [], kill.name


def test_features_and_classes(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pillow = pytest.importorskip("PIL.Image")
    from sklearn.datasets import load_digits

    digits = load_digits()
    names = []
    for index in range(20):
        image = pillow.fromarray((digits.images[index] / 16 * 255).round().astype("uint8"))
        names.append(tmp_path / f"{index}.png")
        image.save(names[-1])
    capsys.readouterr()
    assert netc("predict", run, *names, "--top", 1, "--format", "json") == 0
    found = json.loads(capsys.readouterr().out)
    right = [one["classes"][0][0] == str(digits.target[index]) for index, one in enumerate(found)]
    assert sum(right) >= 15
    out = tmp_path / "features.npz"
    assert netc("predict", run, *names, "--layer", "features", "-o", out) == 0
    assert np.load(out)["features"].shape == (20, 4, 4, 8)


def test_an_image_comes_from_standard_input(
    run: Path, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its class, its features to standard output, and what is wrong with it: no line of the spec is."""
    pillow = pytest.importorskip("PIL.Image")
    from sklearn.datasets import load_digits

    held = io.BytesIO()
    pillow.fromarray((load_digits().images[3] / 16 * 255).round().astype("uint8")).save(held, "PNG")

    def given(data: bytes, *arguments: str) -> tuple[int, bytes, bytes]:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        code = netc("predict", run, "-", *arguments)
        return code, *capfdbinary.readouterr()

    capfdbinary.readouterr()
    code, out, _ = given(held.getvalue(), "--top", "1")
    assert (code, out[:5]) == (0, b"-  3 ")
    code, out, _ = given(held.getvalue(), "--layer", "features", "-o", "-")
    assert (code, np.load(io.BytesIO(out))["features"].shape) == (0, (1, 4, 4, 8))
    code, out, err = given(held.getvalue()[:50])
    assert (code, out) == (1, b"")
    assert b"standard input is" in err
    assert b"-->" not in err
    code, _, err = given(held.getvalue(), "--layer", "features", "-o", str(tmp_path / "no/f.npz"))
    assert (code, b"there is no folder" in err) == (2, True)


def test_other_data_stands_in_place_of_what_the_spec_names(here: Path) -> None:
    """A network of two classes, which the ten of `data digits` do not fit; resuming and evaluating know it too."""
    (here / "two.net").write_text(SMALL.replace("fc 10", "fc 2"))
    generator, folder = np.random.default_rng(0), here / "on two classes"
    np.savez(here / "two.npz", x=generator.random((40, 8, 8, 1), np.float32), y=np.arange(40) % 2)
    assert netc("train", here / "two.net", "--out", here / "never", "--epochs", 1) == 1
    assert netc("train", here / "two.net", "--out", folder, "--epochs", 1, "--data", here / "two.npz") == 0
    assert netc("train", folder, "--resume") == 0
    assert netc("evaluate", folder) == 0


def test_a_path_of_a_spec_is_beside_it_for_its_runs_too(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "with").mkdir()
    path = here / "with/own.net"
    path.write_text(SMALL.replace("fc 10", "fc 2").replace("data digits", 'data "images/own.npz"'))
    (here / "with/images").mkdir()
    generator = np.random.default_rng(0)
    np.savez(here / "with/images/own.npz", x=generator.random((40, 8, 8, 1), np.float32), y=np.arange(40) % 2)
    monkeypatch.chdir(here)
    assert netc("train", "with/own.net", "--out", "own", "--epochs", 1) == 0
    monkeypatch.chdir(here / "with")
    assert netc("train", "../own", "--resume") == 0
    assert netc("evaluate", "../own") == 0
    (here / "with/images").rename(here / "with/moved")
    assert netc("evaluate", "../own") == 1
    assert netc("evaluate", "../own", "--data", "moved/own.npz") == 0


def test_all_images_of_other_data_are_evaluated(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    shown = slice(100)
    images = (digits.images[shown, ..., None] / 16).astype(np.float32)
    np.savez(tmp_path / "others.npz", x=images, y=digits.target[shown])
    found = {}
    for on in ("all", "validation", "train"):
        capsys.readouterr()
        assert netc("evaluate", run, "--data", tmp_path / "others.npz", "--on", on, "--format", "json") == 0
        found[on] = json.loads(capsys.readouterr().out)
    assert [found[on]["images"] for on in found] == [100, 20, 80]
    shares = 0.2 * found["validation"]["accuracy"] + 0.8 * found["train"]["accuracy"]
    assert found["all"]["accuracy"] == pytest.approx(shares)


def test_runs_are_listed_and_compared(here: Path, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert netc("train", here / "small.net", "--out", here / "wide", "-D", "width=16", "--epochs", 1) == 0
    capsys.readouterr()
    assert netc("runs", run, here / "wide") == 0
    table = capsys.readouterr().out
    assert [line.split() for line in table.splitlines() if line.startswith(("width", "epochs.count"))] == [
        ["width", "8", "16"],
        ["epochs.count", "3", "1"],
    ]
    assert netc("runs", here, "--format", "json") == 0
    assert {Path(one["run"]).name for one in json.loads(capsys.readouterr().out)} >= {"run", "wide"}


def test_python_trains_and_goes_on(here: Path) -> None:
    import netc as package

    net = package.load(str(here / "small.net"), width=4)
    batches = list(net.datasets().train.batches(epoch=0))
    assert (len(batches), batches[0][0].shape) == (23, (64, 8, 8, 1))
    outcome = net.train(here / "python", settings=["train.epochs=1"], quiet=True)
    assert outcome.finished
    assert outcome.row["val_accuracy"] > 0.3
    assert outcome.model.predict(batches[0][0], verbose=0).shape == (64, 10)
    images, labels = np.random.default_rng(0).random((40, 8, 8, 1), np.float32), np.arange(40) % 10
    assert net.train(here / "arrays", data=(images, labels), settings=["train.epochs=1"], quiet=True).finished
