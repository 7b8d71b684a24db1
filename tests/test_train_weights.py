"""Weights of files put into networks, and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from netc.api import loads

np = pytest.importorskip("numpy")
keras = pytest.importorskip("keras")
h5py = pytest.importorskip("h5py")

NET = "net n; input 8x8x3; def stage(ch) { conv (ch)x3 relu; pool 2 }; stage 4; stage 8; fc 5 relu; fc 3 softmax"
SKIP = NET + "\ntrain { loss categorical_crossentropy; optimizer sgd; skip fc2 }"


def small(classes: int = 3) -> Any:
    """NET in Keras, its layers named as those of keras.applications."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, padding="same", activation="relu", name="block1_conv1"),
            layers.MaxPooling2D(2, name="block1_pool"),
            layers.Conv2D(8, 3, padding="same", activation="relu", name="block2_conv1"),
            layers.MaxPooling2D(2, name="block2_pool"),
            layers.Flatten(name="flatten"),
            layers.Dense(5, activation="relu", name="fc1"),
            layers.Dense(classes, activation="softmax", name="predictions"),
        ]
    )


LAYOUTS = {"keras1": "{layer}_{first}_1:0", "keras2": "{layer}/{part}:0", "keras3": ""}
PARTS = (("W", "kernel"), ("b", "bias"))


def official(model: Any, path: Path, layout: str) -> Path:
    """A file of weights as each Keras wrote them; those that keras.applications offers are of the first two."""
    if layout == "keras3":
        path = path.with_suffix(".weights.h5")
        model.save_weights(path)
        return path
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [LAYOUTS[layout].format(layer=layer.name, first=first, part=part) for first, part in PARTS]
            names = names[: len(layer.weights)]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights, strict=True):
                group[name] = np.asarray(weight)
    return path


def outputs(model: Any) -> Any:
    return np.asarray(model(np.random.default_rng(0).random((2, 8, 8, 3), np.float32)))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_official_weights_load_in_order(layout: str, tmp_path: Path) -> None:
    """`fc1` is a name on both sides: one that is the same does not make the names ours."""
    from netc.train.weights import load_into

    theirs, net = small(), loads(NET)
    model = net.to_keras()
    found = load_into(model, net.program, official(theirs, tmp_path / "w.h5", layout))
    assert (found.by_name, len(found.loaded), found.missing) == (False, 4, [])
    assert outputs(model) == pytest.approx(outputs(theirs), abs=1e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_another_number_of_classes_is_named_and_can_be_skipped(layout: str, tmp_path: Path) -> None:
    from netc.train.weights import WeightsError, load_into

    path = official(small(7), tmp_path / "w.h5", layout)
    with pytest.raises(WeightsError, match=r"(?s)fc2: the file has 5x7, the network 5x3 \(`predictions` there\).*skip"):
        load_into(loads(NET).to_keras(), loads(NET).program, path)
    found = load_into(loads(NET).to_keras(), loads(SKIP).program, path)
    assert (found.by_name, len(found.loaded), found.skipped) == (False, 3, ["fc2"])


def test_features_need_no_weights_after_their_layer(tmp_path: Path) -> None:
    """As of VGG without its top, for transfer of style or learning."""
    from netc.train.predict import features
    from netc.train.weights import WeightsError

    pillow = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 255, (8, 8, 3), np.uint8)
    pillow.fromarray(pixels).save(tmp_path / "image.png")
    whole = small()
    top = next(number for number, layer in enumerate(whole.layers) if layer.name == "flatten")
    theirs = keras.Sequential([keras.Input((8, 8, 3)), *whole.layers[:top]])
    expected = np.asarray(theirs(pixels[None] / np.float32(255)))
    for layout in LAYOUTS:
        path = official(theirs, tmp_path / "notop.h5", layout)
        found = features(loads(NET).program, path, [tmp_path / "image.png"], "stage2_pool1")
        assert found == pytest.approx(expected, abs=1e-6)
        with pytest.raises(WeightsError, match="lacks weights of the network: fc1"):
            features(loads(NET).program, path, [tmp_path / "image.png"], "fc1")


def test_arrays_that_are_not_in_the_file_are_not_read(tmp_path: Path) -> None:
    """One that claims 4 TB, and one that lies in another file."""
    from netc.train.weights import WeightsError, load_into

    (tmp_path / "raw").write_bytes(bytes(32 * 5 * 4))
    for name, said in (("huge", "more than the file can hold"), ("linked", "lies in another file")):
        path = official(small(), tmp_path / f"{name}.h5", "keras2")
        with h5py.File(path, "a") as file:
            group = file["fc1"]
            del group["fc1"]
            if name == "huge":
                group.create_dataset("fc1/kernel:0", shape=(10**6, 10**6), dtype="float32", chunks=(1000, 1000))
            else:
                group.create_dataset("fc1/kernel:0", (32, 5), "float32", external=[(str(tmp_path / "raw"), 0, 640)])
        with pytest.raises(WeightsError, match=said):
            load_into(loads(NET).to_keras(), loads(NET).program, path)


@pytest.mark.parametrize("name", ["m.keras", "m.weights.h5", "m.h5"])
def test_files_of_keras_load_by_name(name: str, tmp_path: Path) -> None:
    from netc.train.weights import load_into

    first, second = loads(NET).to_keras(), loads(NET).to_keras()
    (first.save_weights if "weights" in name else first.save)(tmp_path / name)
    found = load_into(second, loads(NET).program, tmp_path / name, strict=True)
    assert found.by_name
    assert np.array_equal(outputs(first), outputs(second))


def test_other_shapes_name_both_sides_and_skip_leaves_a_layer_fresh(tmp_path: Path) -> None:
    from netc.train.weights import WeightsError, load_into

    other = loads(NET.replace("fc 3", "fc 7")).to_keras()
    other.save(tmp_path / "m.keras")
    with pytest.raises(WeightsError, match=r"(?s)fc2: the file has 5x7, the network 5x3.*`skip fc2`"):
        load_into(loads(NET).to_keras(), loads(NET).program, tmp_path / "m.keras")
    found = load_into(loads(NET).to_keras(), loads(SKIP).program, tmp_path / "m.keras")
    assert (len(found.loaded), found.skipped) == (3, ["fc2"])
    assert "kept fresh by `skip`: fc2" in found.text()


def test_what_is_skipped_at_the_beginning_has_its_weights_at_the_end(tmp_path: Path) -> None:
    from netc.train.weights import load_into

    trained, model = loads(SKIP).to_keras(), loads(SKIP).to_keras()
    trained.save(tmp_path / "model.keras")
    assert load_into(model, loads(SKIP).program, tmp_path / "model.keras", strict=True).skipped == []  # as evaluated
    assert np.array_equal(outputs(model), outputs(trained))


def test_files_that_hold_no_weights_are_told(tmp_path: Path) -> None:
    from netc.train.weights import WeightsError, load_into

    (tmp_path / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (tmp_path / "broken.keras").write_bytes(b"PK")
    (tmp_path / "weights.txt").write_text("")
    for name, said in (
        ("broken.h5", "cannot read weights"),
        ("broken.keras", "cannot read weights"),
        ("weights.txt", "expected .keras"),
        ("none.h5", "there is no file"),
    ):
        with pytest.raises(WeightsError, match=said):
            load_into(loads(NET).to_keras(), loads(NET).program, tmp_path / name)
    other = loads("net o; input 8x8x3; a: conv 4x3; gap; b: fc 9").to_keras()
    other.save(tmp_path / "other.keras")
    with pytest.raises(WeightsError, match=r"(?s)no layer .* the file has a, b.*the network has stage1_conv1"):
        load_into(loads(NET).to_keras(), loads(NET).program, tmp_path / "other.keras")


def test_weights_of_a_run_go_out_and_come_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Trained, exported, and trained on by steps that are too small to change a number."""
    from netc.cli import main

    pytest.importorskip("safetensors")
    pytest.importorskip("sklearn")
    pillow = pytest.importorskip("PIL.Image")

    def told(*arguments: str) -> tuple[str, str]:
        code = main([*arguments])
        out, said = capsys.readouterr()
        assert code == 0, said
        return out, said

    spec, first, again = (str(tmp_path / name) for name in ("d.net", "first", "again"))
    Path(spec).write_text(
        "input 8x8x1; conv 4x3 relu; gap; fc 10 softmax; data digits\n"
        "train { loss categorical_crossentropy; optimizer sgd lr=0.1; batch 64; steps 20 }"
    )
    told("train", spec, "--out", first)
    for suffix in (".safetensors", ".npz", ".weights.h5"):
        told("export", first, "-o", f"{first}{suffix}")
    small = ("--set", "train.steps=1", "--set", "train.optimizer.lr=1e-30")
    _, said = told("train", spec, "--out", again, "--weights", f"{first}.safetensors", *small)
    assert "2 layers set by name" in said
    told("export", again, "-o", f"{again}.npz")
    with np.load(f"{first}.npz") as before, np.load(f"{again}.npz") as after:
        assert before.files == after.files
        assert all(np.array_equal(before[name], after[name]) for name in before.files)

    digit = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    pillow.fromarray(digit).save(tmp_path / "digit.png")
    wanted, _ = told("predict", first, str(tmp_path / "digit.png"), "--format", "json")
    shares = dict(json.loads(wanted)[0]["classes"])
    for suffix in (".safetensors", ".npz", ".weights.h5"):
        made, _ = told(
            "predict", spec, str(tmp_path / "digit.png"), "--weights", f"{first}{suffix}", "--format", "json"
        )
        assert dict(json.loads(made)[0]["classes"]) == shares, suffix
    Path(spec).write_text("input 8x8x1; conv 4x3 relu; gap; fc 10 softmax")
    _, said = told("predict", spec, str(tmp_path / "digit.png"), "--weights", f"{first}.npz")
    assert "no `data` section: the network is given pixels from 0 to 1" in said
