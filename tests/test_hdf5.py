"""HDF5 files read in a process of their own: whatever the library does over a damaged one, netc says it in words."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from netc.ir.weights import WeightsError, random_weights
from netc.storage import hdf5
from netc.storage.stored import StorageError
from netc.targets.keras.weights import read
from tests.keras_reading import archived, functional, image, layer, stored

np = pytest.importorskip("numpy")
h5py = pytest.importorskip("h5py")
pytest.importorskip("psutil")

from netc.api import loads  # noqa: E402

NET = loads("input 8x8x3; conv1: conv 4x3; gap; fc1: fc 3").program.net
SHAPES = {key: array.shape for key, array in random_weights(NET, 0).items()}
SEEDS = range(12)
ENDED = ("import os; os.abort()", "it ends with SIGABRT"), ("import time; time.sleep(60)", "does not come to an end")
MARKS = (b"TREE", b"HEAP", b"SNOD", b"GCOL", b"OHDR", b"FRHP", b"FHDB", b"BTHD", b"BTLF", b"layer_names")


def legacy(path: Path, **options: Any) -> Path:
    """Weights of `NET`, as Keras 2 lists them."""
    weights = random_weights(NET, 0)
    with h5py.File(path, "w", **options) as file:
        file.attrs["layer_names"] = ["conv1", "fc1"]
        for at in range(10):  # of more than 8, new files have a heap and a tree
            file.create_group(f"other{at}")
        for layer in ("conv1", "fc1"):
            group = file.create_group(layer)
            group.attrs["weight_names"] = [f"{layer}/{role}:0" for role in ("kernel", "bias")]
            for role in ("kernel", "bias"):
                group[f"{layer}/{role}:0"] = weights[layer, role]
    return path


def damaged(content: bytes, seed: int) -> bytes:
    """A few bytes changed, mostly near what the library finds its way by."""
    draw, made = random.Random(seed), bytearray(content)
    near = [at for mark in MARKS if (at := content.find(mark, draw.randrange(len(content)))) >= 0]

    def place() -> int:
        return min(draw.choice([*near, draw.randrange(len(made))]) + draw.randrange(200), len(made) - 9)

    kind = draw.randrange(4)
    if kind == 0:
        for _ in range(draw.choice([1, 2, 8, 64])):
            made[place()] ^= 1 << draw.randrange(8)
    elif kind == 1:
        at = place() // 8 * 8
        made[at : at + 8] = draw.randrange(len(made)).to_bytes(8, "little")
    elif kind == 2:
        one, other = place() // 8 * 8, place() // 8 * 8
        made[one : one + 8], made[other : other + 8] = made[other : other + 8], made[one : one + 8]
    else:
        at = place()
        made[at : at + 8] = draw.choice([b"\0", b"\xff"]) * 8
    return bytes(made)


@pytest.mark.parametrize(("code", "said"), ENDED)
def test_a_library_that_dies_or_goes_on_for_ever_is_said(
    code: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hdf5, "START", code)
    monkeypatch.setattr(hdf5, "PATIENCE", 0.5)
    with pytest.raises(WeightsError, match=f"cannot read weights from .*: HDF5 .*{said}"):
        read(legacy(tmp_path / "w.h5"), NET)


def test_memory_of_the_process_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a file that HDF5 takes for larger than it is takes the machine with it."""
    if sys.platform != "linux":
        pytest.skip("only there the process knows what it has taken already")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.create_dataset("x", (1 << 26,), "f4", chunks=(1 << 26,), compression="gzip")[:] = 0
    monkeypatch.setattr(hdf5, "affordable", lambda: 1 << 25)
    with hdf5.opened(tmp_path / "w.h5") as file, pytest.raises(StorageError, match="allocate"):
        hdf5.datasets(file)["x"].read()


@pytest.mark.parametrize("seed", SEEDS)
def test_damaged_files_are_read_or_refused(seed: int, tmp_path: Path) -> None:
    """HDF5 1.14 crashes over most of those whose groups have a heap and a tree of their own."""
    version = ("earliest", "latest")[seed % 2]
    path = legacy(tmp_path / "w.h5", libver=version)
    path.write_bytes(damaged(path.read_bytes(), seed))
    with suppress(WeightsError):
        weights, _ = read(path, NET)
        assert {key: array.shape for key, array in weights.items()} == SHAPES


def test_rows_and_whole_arrays_are_what_hdf5_reads(tmp_path: Path) -> None:
    """However they are stored: types, orders of bytes, chunks, none at all."""
    draw = np.random.default_rng(0)
    arrays = {kind: (draw.normal(size=(5, 3, 2)) * 50).astype(kind) for kind in ("<f4", ">f8", "i1", ">u2", "f2", "?")}
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for kind, array in arrays.items():
            file.create_dataset(f"plain {kind}", data=array)
            file.create_dataset(f"packed {kind}", data=array, chunks=(2, 3, 1), compression="gzip", shuffle=True)
        file["none"], file["one"], file["nothing"] = np.zeros((0, 4)), 3.5, h5py.Empty("f4")
    with h5py.File(tmp_path / "x.h5") as there, hdf5.opened(tmp_path / "x.h5") as file:
        found = hdf5.datasets(file)
        assert found.keys() == there.keys()
        for name, dataset in found.items():
            if name == "nothing":
                with pytest.raises(StorageError, match="`nothing` holds nothing"):
                    hdf5.array(dataset, name)
                continue
            made, expected = hdf5.array(dataset, name).read(), there[name][()]
            assert (made.dtype, made.shape) == (there[name].dtype, expected.shape)
            assert np.array_equal(made, expected)
            if made.ndim == 3:
                assert np.array_equal(dataset.read(3), expected[3])


COMMANDS = """
import h5py
from netc.cli import main
del h5py.File  # nothing can be opened in this process
for line in {lines!r}:
    assert main(line.split()) == 0, line
"""


def test_no_command_that_reads_weights_has_hdf5_in_its_own_process(tmp_path: Path) -> None:
    """So none can be ended by it."""
    pytest.importorskip("PIL.Image").new("RGB", (8, 8)).save(tmp_path / "x.png")
    legacy(tmp_path / "w.h5")
    config = functional(
        image(),
        layer("Conv2D", "conv1", "image", filters=4, kernel_size=3, padding="same"),
        layer("GlobalAveragePooling2D", "gap", "conv1"),
        layer("Dense", "fc1", "gap", units=3),
    )
    with h5py.File(tmp_path / "w.h5", "r+") as file:
        file.attrs["model_config"] = json.dumps(config)
    with h5py.File(tmp_path / "w.h5") as file:
        kernels = [file[f"{name}/{name}/{role}:0"][()] for name in ("conv1", "fc1") for role in ("kernel", "bias")]
    places = ("conv2d/vars/0", "conv2d/vars/1", "dense/vars/0", "dense/vars/1")
    held = stored({f"layers/{place}": array for place, array in zip(places, kernels, strict=True)})
    archived(tmp_path, json.dumps(config), held)
    (tmp_path / "n.net").write_text(
        'input 8x8x3; conv1: conv 4x3; gap; fc1: fc 3 softmax\ndata "d.h5"; train { optimizer adam; loss categorical_crossentropy; metrics accuracy }'
    )
    with h5py.File(tmp_path / "d.h5", "w") as file:
        file["x_test"], file["y_test"] = np.zeros((4, 8, 8, 3), "u1"), np.arange(4) % 3
        file["x_train"], file["y_train"] = np.zeros((4, 8, 8, 3), "u1"), np.arange(4) % 3
    lines = [
        "import w.h5 -o a.net",
        "import m.keras -o b.net",
        "import m.keras --weights-only a.net -o c.safetensors",
        "summary w.h5",
        "export n.net --weights m.keras -o o.npz",
        "predict n.net --weights w.h5 x.png --engine numpy",
    ]
    if find_spec("tensorflow"):  # which reads the images
        lines.append("evaluate n.net --weights w.h5 --engine numpy")
    made = subprocess.run(
        [sys.executable, "-c", COMMANDS.format(lines=lines)], cwd=tmp_path, capture_output=True, check=False, text=True
    )
    assert made.returncode == 0, made.stderr
