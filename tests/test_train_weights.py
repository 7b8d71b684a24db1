"""Weights of files put into networks, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from netc.api import loads

np = pytest.importorskip("numpy")
keras = pytest.importorskip("keras")
h5py = pytest.importorskip("h5py")

NET = "net n; input 8x8x3; def stage(ch) { conv (ch)x3 relu; pool 2 }; stage 4; stage 8; fc 5 relu; fc 3 softmax"
SKIP = NET + "\ntrain { loss categorical_crossentropy; optimizer sgd; skip fc2 }"


def official(path: Path, classes: int = 3) -> Any:
    """A file as keras.applications offers them: written by Keras 1 and 2, layers under names of their own."""
    layers = keras.layers
    model = keras.Sequential(
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
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{layer.name}_{part}_1:0" for part in ("W", "b")][: len(layer.weights)]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, weight in zip(names, layer.weights, strict=True):
                group[name] = np.asarray(weight)
    return model


def outputs(model: Any) -> Any:
    return np.asarray(model(np.random.default_rng(0).random((2, 8, 8, 3), np.float32)))


def test_official_weights_load_in_order(tmp_path: Path) -> None:
    from netc.train.weights import load_into

    theirs, net = official(tmp_path / "w.h5"), loads(NET)
    model = net.to_keras()
    found = load_into(model, net.program, tmp_path / "w.h5")
    assert (found.by_name, len(found.loaded), found.missing) == (False, 4, [])
    assert outputs(model) == pytest.approx(outputs(theirs), abs=1e-6)


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


def test_files_that_hold_no_weights_are_told(tmp_path: Path) -> None:
    from netc.train.weights import WeightsError, load_into

    (tmp_path / "broken.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (tmp_path / "broken.keras").write_bytes(b"PK")
    (tmp_path / "weights.txt").write_text("")
    for name, said in (
        ("broken.h5", "cannot read weights"),
        ("broken.keras", "cannot read weights"),
        ("weights.txt", "expected weights: .keras"),
        ("none.h5", "there is no file"),
    ):
        with pytest.raises(WeightsError, match=said):
            load_into(loads(NET).to_keras(), loads(NET).program, tmp_path / name)
    other = loads("net o; input 8x8x3; a: conv 4x3; gap; b: fc 9").to_keras()
    other.save(tmp_path / "other.keras")
    with pytest.raises(WeightsError, match=r"(?s)no layer .* the file has a, b.*the network has stage1_conv1"):
        load_into(loads(NET).to_keras(), loads(NET).program, tmp_path / "other.keras")
