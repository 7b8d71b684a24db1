"""Files of weights that lie, loop, or hold what netc does not read: words, at once, in little memory."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from netc.api import loads

np = pytest.importorskip("numpy")
h5py = pytest.importorskip("h5py")
pytest.importorskip("safetensors")

from netc.ir.weights import Weights, WeightsError, random_weights  # noqa: E402
from netc.targets.keras.weights import read  # noqa: E402

NET = loads("input 8x8x3; a: conv 4x3; b: conv 5x1; fc 3").program.net
KERNEL = np.zeros((3, 3, 3, 4), np.float32)
Hostile = Callable[[Path], Path]


def in_hdf5(edit: Callable[[Any], object], name: str = "w.weights.h5") -> Hostile:
    def write(folder: Path) -> Path:
        with h5py.File(folder / name, "w", libver="latest") as file:
            edit(file)
        return folder / name

    return write


def in_keras(config: str, packed: int = zipfile.ZIP_DEFLATED, held: bytes = b"") -> Hostile:
    def write(folder: Path) -> Path:
        weights = io.BytesIO()
        with h5py.File(weights, "w") as file:
            file["layers/conv2d/vars/0"] = KERNEL
        with zipfile.ZipFile(folder / "w.keras", "w", packed) as archive:
            archive.writestr("config.json", config)
            archive.writestr("model.weights.h5", held or weights.getvalue())
        return folder / "w.keras"

    return write


def in_safetensors(header: Any, data: bytes = b"") -> Hostile:
    def write(folder: Path) -> Path:
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        (folder / "w.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + data)
        return folder / "w.safetensors"

    return write


def part(kind: str, shape: list[int], *places: int) -> dict[str, Any]:
    return {"dtype": kind, "shape": shape, "data_offsets": places}


def in_npz(packed: int, spoil: slice = slice(0)) -> Hostile:
    def write(folder: Path) -> Path:
        held = io.BytesIO()
        np.save(held, KERNEL)
        with zipfile.ZipFile(folder / "w.npz", "w", packed) as archive:
            archive.writestr("a/kernel.npy", held.getvalue())
        content = bytearray((folder / "w.npz").read_bytes())
        content[spoil] = b"\xff" * len(content[spoil])
        (folder / "w.npz").write_bytes(content)
        return folder / "w.npz"

    return write


def many_ways(file: Any) -> None:
    """2^60 of them to one group."""
    group = file.create_group("layers/model")
    for _ in range(60):
        inner = group.create_group("one")
        group["other"] = inner
        group = inner
    group["vars/0"] = KERNEL


def circle(file: Any) -> None:
    inner = file.create_group("layers/model")
    inner["again"] = file["layers"]


def many_names(file: Any) -> None:
    """A list of 3,000 equal names, of a layer that lists 3,000: nine million arrays."""
    file.attrs["layer_names"] = [b"a"] * 3000
    file.create_group("a").attrs["weight_names"] = [b"w"] * 3000
    file["a/w"] = KERNEL


def names_elsewhere(file: Any) -> None:
    file.attrs["layer_names"] = [b"../../etc"]


def linked(link: Any) -> Callable[[Any], None]:
    def edit(file: Any) -> None:
        file.attrs["layer_names"] = [b"a"]
        file.create_group("a").attrs["weight_names"] = [b"kernel"]
        file["a/kernel"] = link

    return edit


def of_type(data: Any, kind: Any = None) -> Callable[[Any], None]:
    return lambda file: file.create_dataset("layers/conv2d/vars/0", data=data, dtype=kind)


WITH_NAMES = json.dumps({"config": {"layers": [{"class_name": "Conv2D", "config": {"name": 5}}]}})
CASES: dict[str, tuple[Hostile, str]] = {
    "ways without end": (in_hdf5(many_ways), "the group `/layers/model/one/.*` is in it more than once"),
    "a circle": (in_hdf5(circle), "is in it more than once"),
    "names without end": (in_hdf5(many_names, "w.h5"), "its attribute `layer_names` has a name twice"),
    "a number for names": (in_hdf5(lambda file: file.attrs.update(layer_names=3), "w.h5"), "no list of names"),
    "nothing for names": (in_hdf5(lambda file: file.attrs.update(layer_names=h5py.Empty("S3")), "w.h5"), "no list of"),
    "names that are elsewhere": (in_hdf5(names_elsewhere, "w.h5"), r"it names `\.\./\.\./etc`, and does not hold it"),
    "a link to another file": (in_hdf5(linked(h5py.ExternalLink("/etc/passwd", "x")), "w.h5"), "`kernel` is a link"),
    "a link in the file": (in_hdf5(linked(h5py.SoftLink("/a")), "w.h5"), "`kernel` is a link"),
    "truth": (in_hdf5(of_type(KERNEL.astype(bool))), "no layer of"),
    "complex numbers": (in_hdf5(of_type(KERNEL.astype(complex))), "holds complex64|holds complex128"),
    "text": (in_hdf5(of_type(["a"], h5py.string_dtype())), "holds object, and numbers are expected"),
    "a configuration of 64 MiB in 64 KiB": (in_keras(f"[{'{},' * 22_000_000}{{}}]"), "config.json is said to have"),
    "a configuration that is deep": (in_keras("[" * 100_000), "recursion|too deep"),
    "a configuration of other things": (in_keras(WITH_NAMES), "the file has .*conv2d"),
    "weights that are none": (in_keras("{}", held=b"no"), "cannot read weights"),
    "weights of 70 MiB in 70 KiB": (in_keras("{}", held=bytes(70 << 20)), "model.weights.h5 is said to have"),
    "arrays one in another": (
        in_safetensors({"a/kernel": part("F32", [2], 0, 8), "a/bias": part("F32", [2], 4, 12)}, bytes(12)),
        "invalid offset",
    ),
    "a shape below 0": (in_safetensors({"a/kernel": part("F32", [-2], 0, 8)}, bytes(8)), "cannot read weights"),
    "a shape beyond all": (
        in_safetensors({"a/kernel": part("F32", [1 << 40] * 3, 0, 8)}, bytes(8)),
        "cannot read weights",
    ),
    "an array that ends early": (
        in_safetensors({"a/kernel": part("BF16", [8], 0, 16)}, bytes(8)),
        "cannot read weights",
    ),
    "a type that NumPy has not": (
        in_safetensors({"a/kernel": part("F8_E4M3", [8], 0, 8)}, bytes(8)),
        "of the type F8_E4M3",
    ),
    "a header of brackets": (in_safetensors(b"[" * 100_000), "cannot read weights"),
    "what LZMA cannot unpack": (in_npz(zipfile.ZIP_LZMA, slice(60, 80)), "cannot read weights"),
    "what bzip2 cannot unpack": (in_npz(zipfile.ZIP_BZIP2, slice(60, 80)), "cannot read weights"),
}


@pytest.mark.parametrize("case", CASES)
def test_words_for(case: str, tmp_path: Path) -> None:
    write, said = CASES[case]
    path = write(tmp_path)
    with pytest.raises(WeightsError, match=said) as raised:
        read(path, NET)
    assert len(str(raised.value)) < 600
    path.unlink()  # pytest keeps folders


def test_names_of_files_reach_no_terminal_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from netc.cli import main

    np.savez(tmp_path / "w.npz", **{"\x1b[2J\nnetc: all is well/kernel": KERNEL})
    (tmp_path / "n.net").write_text("input 8x8x3\nconv 4x3\n")
    pytest.importorskip("onnxruntime")
    code = main(
        ["export", str(tmp_path / "n.net"), "--weights", str(tmp_path / "w.npz"), "-o", str(tmp_path / "o.npz")]
    )
    said = capsys.readouterr().err
    assert (code, "\x1b" in said, "\nnetc: all is well" in said, "\\x1b[2J" in said) == (1, False, False, True)


# -- types ------------------------------------------------------------------------------------------------------------


def flat(weights: Weights) -> dict[str, Any]:
    return {f"{name}/{role}": array for (name, role), array in weights.items()}


@pytest.mark.parametrize("kind", ["float16", "float64"])
@pytest.mark.parametrize("suffix", [".safetensors", ".npz"])
def test_other_real_numbers_become_float32_and_it_is_said(suffix: str, kind: str, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    weights, path = random_weights(NET, 0), tmp_path / f"w{suffix}"
    arrays = {name: array.astype(kind) for name, array in flat(weights).items()}
    if suffix == ".npz":
        np.savez(path, **{name: array.astype(array.dtype.newbyteorder()) for name, array in arrays.items()})
    else:
        save_file(arrays, path)
    made, found = read(path, NET)
    assert {array.dtype for array in made.values()} == {np.dtype("float32")}
    assert all(np.array_equal(array, weights[key].astype(kind).astype("float32")) for key, array in made.items())
    assert found.text().splitlines()[1:] == [f"  {kind} in the file, float32 here: a, b, fc1"]


def test_bfloat16_of_safetensors(tmp_path: Path) -> None:
    """Its bits are the upper half of those of float32."""
    weights = random_weights(NET, 0)
    header, data = {}, b""
    for name, array in flat(weights).items():
        bits = (array.view(np.uint32) >> 16).astype("<u2").tobytes()
        header[name], data = part("BF16", list(array.shape), len(data), len(data) + len(bits)), data + bits
    made, found = read(in_safetensors({"__metadata__": {"format": "pt"}, **header}, data)(tmp_path), NET)
    assert all(
        np.array_equal(array.view(np.uint32), weights[key].view(np.uint32) & 0xFFFF0000) for key, array in made.items()
    )
    assert "bfloat16 in the file, float32 here: a, b, fc1" in found.text()


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
@pytest.mark.parametrize("kind", ["float16", "bfloat16", "float64"])
def test_types_of_keras(kind: str, suffix: str, tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(4, 3, dtype=kind, name="a")])
    (model.save if suffix == ".keras" else model.save_weights)(tmp_path / f"w{suffix}")
    made, found = read(tmp_path / f"w{suffix}", loads("input 8x8x3; a: conv 4x3").program.net)
    assert np.array_equal(made["a", "kernel"], keras.ops.convert_to_numpy(model.layers[0].kernel).astype("float32"))
    assert f"{kind} in the file" in found.text()


def test_what_float32_cannot_hold_is_refused_and_what_is_no_number_is_said(tmp_path: Path) -> None:
    weights = random_weights(NET, 0)
    arrays = {name: array.astype("float64") for name, array in flat(weights).items()}
    arrays["b/kernel"][0, 0, 0, 0] = 1e300
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(WeightsError, match="`b/kernel` holds numbers of float64 that are too large for float32"):
        read(tmp_path / "w.npz", NET)
    weights["b", "kernel"][0, 0, 0, 0] = np.nan
    np.savez(tmp_path / "w.npz", **flat(weights))
    assert "infinity or NaN among their numbers: b" in read(tmp_path / "w.npz", NET)[1].text()
