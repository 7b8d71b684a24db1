"""Runs whose files someone changed, and the commands that read them: words and exit code 0, 1 or 2, nothing else.

python -m tests.tampered [seed ...]       every file, every change, every command, on a run that is in the tests
"""

from __future__ import annotations

import io
import json
import random
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

ARCHIVE = Path(__file__).with_name("old_runs") / "first_format.zip"
Change = Callable[[Path], None]


def unpacked(into: Path) -> Path:
    """A fresh run, stopped in its middle, with a picture beside it."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(into)
    run = into / "first"
    (run / "checkpoints/step-00000030.npz").unlink()
    return run


FILES = ("run.json", "log.csv", "statistics.npz", "model.keras", "spec/first.net", "checkpoints/best.npz")
FILES += ("checkpoints/step-00000015.npz",)
ODD_VALUES: tuple[Any, ...] = (None, -1, 3, 1e308, 10**30, True, "x", "../x", "\0", [], [[1]], {}, {"a": [None]})


def changes(file: str, draw: random.Random) -> Iterator[tuple[str, Change]]:
    """Ways to spoil a file, with names."""
    yield from _bytes(draw)
    if file == "run.json":
        yield from _json(draw)
    if file == "log.csv":
        for text in (
            "",
            "\n",
            "step,epoch\n1\n",
            "step,epoch\nx,y\n",
            "step\n1\n",
            "step,epoch\n1e999,nan\n",
            'a,"b\n1\n',
        ):
            yield f"log {text!r}", lambda path, text=text: _write(path, text.encode())
        yield "log of many columns", lambda path: _write(path, path.read_bytes() + b"1,2,3,4,5,6,7,8,9,9,9,9,9,9\n")
        yield "log of a long field", lambda path: _write(path, path.read_bytes() + b"1" * 200_000 + b",1\n")
    if file.endswith(".npz"):
        yield from _arrays(file, draw)
    if file == "model.keras":
        yield from _model(draw)


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _bytes(draw: random.Random) -> Iterator[tuple[str, Change]]:
    yield "removed", lambda path: path.unlink()
    yield "a folder", lambda path: (path.unlink(), path.mkdir())[1]
    yield "empty", lambda path: _write(path, b"")
    yield "random", lambda path: _write(path, draw.randbytes(len(path.read_bytes())))
    yield "zeros", lambda path: _write(path, bytes(len(path.read_bytes())))
    for share in (0.1, 0.5, 0.95):
        yield (
            f"cut at {share}",
            lambda path, share=share: _write(path, path.read_bytes()[: int(share * path.stat().st_size)]),
        )
    for number in range(4):
        yield f"some bytes {number}", _flip(draw.randrange(1 << 30))
    yield "another file", lambda path: _write(path, Path(__file__).read_bytes())
    yield "doubled", lambda path: _write(path, path.read_bytes() * 2)


def _flip(seed: int) -> Change:
    def change(path: Path) -> None:
        draw, content = random.Random(seed), bytearray(path.read_bytes())
        for _ in range(draw.choice((1, 3, 30))):
            content[draw.randrange(len(content))] = draw.randrange(256)
        path.write_bytes(content)

    return change


def _json(draw: random.Random) -> Iterator[tuple[str, Change]]:
    def edited(edit: Callable[[dict[str, Any]], object]) -> Change:
        def change(path: Path) -> None:
            said = json.loads(path.read_text())
            edit(said)
            path.write_text(json.dumps(said))

        return change

    with zipfile.ZipFile(ARCHIVE) as archive:
        keys = list(json.loads(archive.read("first/run.json")))
    for key in keys:
        yield f"without {key}", edited(lambda said, key=key: said.pop(key))
        for value in draw.sample(ODD_VALUES, 5):
            yield f"{key} is {value!r}", edited(lambda said, key=key, value=value: said.update({key: value}))
    for text in ("null", "[" * 100_000, '{"format": 1}', '{"format": 1e400}', '{"format": 1, "format": 2}', "\ufeff{}"):
        yield text[:20], lambda path, text=text: _write(path, text.encode())


def _arrays(file: str, draw: random.Random) -> Iterator[tuple[str, Change]]:
    """Archives that are whole, and hold something else."""

    def saved(edit: Callable[[dict[str, Any]], object]) -> Change:
        def change(path: Path) -> None:
            with np.load(path) as held:
                arrays = dict(held)
            edit(arrays)
            if file == "statistics.npz":
                np.savez(path, **arrays)
            else:
                _checkpoint(path, arrays)

        return change

    def another(arrays: dict[str, Any], kind: str) -> None:
        name = draw.choice([name for name in arrays if name not in ("state", "digest")])
        old = arrays[name]
        arrays[name] = {
            "text": np.array(["a"] * 3),
            "objects": np.array([None, {}], dtype=object),
            "shape": np.zeros((3, *old.shape), old.dtype),
            "nothing": np.zeros(0, old.dtype),
            "number": np.zeros((), old.dtype),
            "type": np.zeros(old.shape, "complex64"),
            "integers": np.zeros(old.shape, "int64" if old.dtype.kind == "f" else "float32"),
            "nan": np.full(old.shape, np.nan, "float32"),
        }[kind]

    for kind in ("text", "objects", "shape", "nothing", "number", "type", "integers", "nan"):
        yield f"an array of {kind}", saved(lambda arrays, kind=kind: another(arrays, kind))
    yield "no arrays", saved(lambda arrays: arrays.clear())
    yield "an array more", saved(lambda arrays: arrays.update(more=np.zeros(3)))
    yield "an array less", saved(lambda arrays: arrays.pop(draw.choice([*arrays])))
    if file == "statistics.npz":
        return

    def state(arrays: dict[str, Any], edit: Callable[[Any], Any]) -> None:
        said = json.loads(arrays["state"].tobytes())
        arrays["state"] = np.frombuffer(json.dumps(edit(said)).encode(), np.uint8)

    for value in ODD_VALUES:
        yield f"state {value!r}", saved(lambda arrays, value=value: state(arrays, lambda _: value))
        for key in ("step", "best", "fresh", "monitors", "stopping", "log"):
            edit = lambda said, key=key, value=value: {**said, key: value}  # noqa: E731
            yield f"{key} {value!r}", saved(lambda arrays, edit=edit: state(arrays, edit))


def _checkpoint(path: Path, arrays: dict[str, Any]) -> None:
    """Written as netc writes it, with a checksum that is right."""
    from hashlib import sha256

    from netc.storage import checkpoint

    digest = sha256()
    arrays.pop("digest", None)
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            checkpoint._add(digest, name, array)
            held = io.BytesIO()
            np.save(held, array)
            archive.writestr(f"{name}.npy", held.getvalue())
        held = io.BytesIO()
        np.save(held, np.frombuffer(digest.hexdigest().encode(), np.uint8))
        archive.writestr("digest.npy", held.getvalue())


def _model(draw: random.Random) -> Iterator[tuple[str, Change]]:
    def members(edit: Callable[[dict[str, bytes]], object]) -> Change:
        def change(path: Path) -> None:
            with zipfile.ZipFile(path) as archive:
                held = {name: archive.read(name) for name in archive.namelist()}
            edit(held)
            with zipfile.ZipFile(path, "w") as archive:
                for name, content in held.items():
                    archive.writestr(name, content)

        return change

    for name in ("config.json", "model.weights.h5", "metadata.json"):
        yield f"without {name}", members(lambda held, name=name: held.pop(name))
        for share in (0.0, 0.3, 0.9):
            cut = lambda held, name=name, share=share: held.update({name: held[name][: int(share * len(held[name]))]})  # noqa: E731
            yield f"{name} cut at {share}", members(cut)
    for value in (*ODD_VALUES, {"config": 3}, {"config": {"layers": [3, None, {"config": []}, {"class_name": 5}]}}):
        yield (
            f"config {value!r}",
            members(lambda held, value=value: held.update({"config.json": json.dumps(value).encode()})),
        )

    def hdf5(edit: Callable[[Any], object]) -> Change:
        def change(held: dict[str, bytes]) -> None:
            import h5py

            file = io.BytesIO(held["model.weights.h5"])
            with h5py.File(file, "r+") as opened:
                edit(opened)
            held["model.weights.h5"] = file.getvalue()

        return members(change)

    for seed in range(12):
        yield f"weights changed {seed}", hdf5(_odd_group(random.Random(draw.randrange(1 << 30))))


def _odd_group(draw: random.Random) -> Callable[[Any], object]:
    """Replace a group or an array by something that HDF5 allows there."""

    def edit(file: Any) -> None:
        import h5py

        names: list[str] = []
        file.visit(names.append)
        name = draw.choice([name for name in names if name.startswith("layers/")])
        kind = draw.choice(["link", "soft", "circle", "text", "objects", "shape", "group", "empty", "virtual", "huge"])
        del file[name]
        if kind == "link":
            file[name] = h5py.ExternalLink("/etc/passwd", "x")
        elif kind == "soft":
            file[name] = h5py.SoftLink("/layers")
        elif kind == "circle":
            file[name] = file["layers"]
        elif kind == "text":
            file[name] = "text"
        elif kind == "objects":
            file.create_dataset(name, data=["a", "b"], dtype=h5py.string_dtype())
        elif kind == "shape":
            file[name] = np.zeros((2, 3, 5))
        elif kind == "group":
            file.create_group(name)
        elif kind == "empty":
            file[name] = h5py.Empty("f")
        elif kind == "virtual":
            layout = h5py.VirtualLayout((4,), "f4")
            layout[:] = h5py.VirtualSource("other.h5", "x", shape=(4,))
            file.create_virtual_dataset(name, layout)
        else:
            file.create_dataset(name, (1 << 20, 1 << 20), "f4", chunks=(1024, 1024))

    return edit


# -- commands --------------------------------------------------------------------------------------------------


def commands(run: Path, picture: Path) -> list[list[str]]:
    """Every command that reads a run."""
    return [
        ["runs", str(run)],
        ["runs", str(run.parent)],
        ["evaluate", str(run)],
        ["evaluate", str(run), "--weights", "best"],
        ["predict", str(run), str(picture)],
        ["train", str(run), "--resume"],
    ]


def told(arguments: list[str]) -> tuple[int, str]:
    """The exit code of a command and what it says."""
    from netc.cli import main

    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said), mock.patch.dict("os.environ", NETC_TRACEBACK="1"):
        return main(arguments), said.getvalue()


def all_of_it(seed: int, files: Sequence[str]) -> int:
    """Every change and command; prints what is not words, and counts it."""
    from PIL import Image

    wrong = tried = 0
    for file in files:
        draw = random.Random(f"{file} {seed}")
        for name, change in changes(file, draw):
            with tempfile.TemporaryDirectory() as folder:
                run, picture = unpacked(Path(folder)), Path(folder) / "zero.png"
                Image.new("L", (8, 8)).save(picture)
                change(run / file)
                kept = Path(folder) / "kept"
                shutil.copytree(run, kept)
                for command in commands(run, picture):
                    code, said = told(command)
                    tried += 1
                    if code not in (0, 1, 2) or (code and not said.strip()):
                        wrong += 1
                        print(f"{file}, {name}: netc {command[0]} gives {code}\n{said[-1500:]}\n", flush=True)
    print(f"{tried} commands, {wrong} wrong")
    return wrong


if __name__ == "__main__":
    seeds = [int(text) for text in sys.argv[1:] if text.isdigit()] or [0]
    files = [text for text in sys.argv[1:] if not text.isdigit()] or FILES
    sys.exit(sum(all_of_it(seed, files) for seed in seeds) > 0)
