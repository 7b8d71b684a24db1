"""Small files that claim to be large, or are when unpacked: refused in words, before memory is taken for them.

All are read by one process, whose largest memory is measured.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("PIL")
pytest.importorskip("resource")

import numpy as np

from tests.data_samples import folder_of_classes, idx, pictures

FREE = 6 << 30  # bytes that the process is told are free
MORE = 250 << 20  # bytes that refusing all of them may take
READS = """
import json, resource, sys
from pathlib import Path
from types import SimpleNamespace
import psutil
psutil.virtual_memory = lambda: SimpleNamespace(available={free})
from netc.data import DataError, prepare
from tests.data_samples import spec

def told(path):
    try:
        prepare(spec('data "x"', image="8x8x1", classes=3), source=path, seed=0, batch=2)
    except DataError as error:
        return str(error)
    return "read"

assert told(sys.argv[1]) == "read"
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = {{Path(path).name: told(path) for path in sys.argv[2:]}}
print(json.dumps([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, found]))
"""


def npy(shape: tuple[int, ...], data: bytes = b"", dtype: str = "|u1") -> bytes:
    head = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape!r}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head + data


def archive(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as held:
        for name, content in members.items():
            held.writestr(f"{name}.npy", content)


LABELS = npy((4,), bytes(4))


def claims(path: Path) -> None:
    """Headers of terabytes, and no data."""
    archive(path, x=npy((1 << 30, 8, 8, 1)), y=npy((1 << 30,)))


def unpacks(path: Path) -> None:
    """A gigabyte of zeros in a megabyte, of images that the network does not take."""
    head = npy((4, 1 << 14, 1 << 14, 1))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as held:
        with held.open("x.npy", "w") as member:
            member.write(head)
            for _ in range(1 << 10):
                member.write(bytes(1 << 20))
        held.writestr("y.npy", LABELS)


def header(path: Path) -> None:
    """A header of a gigabyte."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as held, held.open("x.npy", "w") as member:
        member.write(b"\x93NUMPY\x02\x00" + struct.pack("<I", 1 << 30))
        for _ in range(1 << 10):
            member.write(bytes(1 << 20))


def objects(path: Path) -> None:
    np.savez(path, x=np.array([{}], dtype=object), y=np.zeros(1, np.int64))


def far_label(path: Path) -> None:
    np.savez(path, x=pictures(4), y=np.array([0, 1, 2, 30_000_000]))


def hdf5(**options: object) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        import h5py

        with h5py.File(path, "w") as file:
            file.create_dataset("x", **options)
            file["y"] = np.zeros(4, np.int64)

    return write


def linked(path: Path) -> None:
    import h5py

    with h5py.File(path, "w") as file:
        file["x"] = h5py.ExternalLink("other.h5", "x")
        file["y"] = np.zeros(4, np.int64)


def virtual(path: Path) -> None:
    import h5py

    layout = h5py.VirtualLayout((4, 8, 8, 1), "u1")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(4, 8, 8, 1))
    with h5py.File(path, "w") as file:
        file.create_virtual_dataset("x", layout)
        file["y"] = np.zeros(4, np.int64)


def record(path: Path, label: int, length: int | None = None) -> None:
    """A TFRecord of one image; its length is said to be another."""
    import io

    import tensorflow as tf
    from PIL import Image

    picture = io.BytesIO()
    Image.fromarray(pictures(1)[0, ..., 0]).save(picture, "PNG")
    feature = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[picture.getvalue()])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
    }
    example = tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(example)
    if length is not None:
        path.write_bytes(struct.pack("<Q", length) + path.read_bytes()[8:])


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def picture(rows: int, columns: int) -> bytes:
    """A PNG of one colour, without making its pixels."""
    packer, pixels = zlib.compressobj(9), b""
    for _ in range(min(rows, 4000)):
        pixels += packer.compress(bytes(columns // 8 + 1))
    head = struct.pack(">IIBBBBB", columns, rows, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels + packer.flush()) + chunk(b"IEND", b"")


def folder(path: Path) -> None:
    folder_of_classes(path, {"a": 1, "b": 1, "c": 1})
    (path / "a/huge.png").write_bytes(picture(30_000, 30_000))


def digits(path: Path) -> None:
    """An idx file of 2 GiB in a few bytes."""
    path.mkdir()
    idx(path / "train-labels-idx1-ubyte", np.zeros(4, np.uint8))
    head = bytes((0, 0, 8, 3)) + b"".join(size.to_bytes(4, "big") for size in (1 << 20, 1 << 6, 1 << 6))
    (path / "train-images-idx3-ubyte").write_bytes(head)


def cifar(path: Path) -> None:
    """Files of the right kind that are terabytes of nothing."""
    path.mkdir()
    for number in range(1, 6):
        with (path / f"data_batch_{number}.bin").open("wb") as file:
            file.truncate(3073 * 10**9)


def sparse_list(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


BOMBS: dict[str, tuple[Callable[[Path], None], str]] = {
    "claims.npz": (claims, "`x` says it has 68,719,476,736 bytes, and there are 0"),
    "unpacks.npz": (unpacks, "images come as 16384x16384x1, and the network takes 8x8x1"),
    "header.npz": (header, "`x` has a header of 1,073,741,824 bytes"),
    "objects.npz": (objects, "holds Python objects"),
    "label.npz": (far_label, "class number 30,000,000 is too large"),
    "claims.h5": (
        hdf5(shape=(4, 1 << 20, 1 << 20, 1), dtype="u1", chunks=(1, 1024, 1024, 1)),
        "is read 1,099,511,627,776 bytes at a time",
    ),
    "small.h5": (hdf5(shape=(4, 8192, 8192, 1), dtype="u1", chunks=(1, 64, 64, 1)), "more than the file can hold"),
    "objects.h5": (hdf5(data=["a", "b", "c", "d"]), "`x` holds object, and numbers are expected"),
    "external.h5": (hdf5(shape=(4, 8, 8, 1), dtype="u1", external=[("/etc/passwd", 0, 256)]), "lies in another file"),
    "linked.h5": (linked, "holds `y`"),
    "virtual.h5": (virtual, "`x` lies in another file"),
    "label.tfrecord": (lambda path: record(path, 30_000_000), "class number 30,000,000 is too large"),
    "below.tfrecord": (lambda path: record(path, -1), "class numbers begin at 0, and there is a -1"),
    "length.tfrecord": (lambda path: record(path, 1, 1 << 40), "record 0 ends after the end of the file"),
    "folder": (folder, "huge.png` has more than the 67,108,864 pixels"),
    "digits": (digits, "bytes, more than fit into memory"),
    "cifar": (cifar, "bytes, more than fit into memory"),
    "list.txt": (sparse_list, "no list of images"),
    "data.pkl": (lambda path: path.write_bytes(b"\x80\x04\x95\0c\nos\nsystem\n"), "is no text"),
}


def test_bombs_are_refused_before_memory_is_taken(tmp_path: Path) -> None:
    right = folder_of_classes(tmp_path / "right", {"a": 2, "b": 2, "c": 2})
    for name, (write, _) in BOMBS.items():
        write(tmp_path / name)
    arguments = [str(right), *(str(tmp_path / name) for name in BOMBS)]
    command = [sys.executable, "-c", READS.format(free=FREE), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    kilobytes, found = json.loads(done.stdout)
    wrong = {name: found[name] for name, (_, words) in BOMBS.items() if words not in found[name]}
    assert wrong == {}
    assert kilobytes << 10 < MORE


STAT = "anon 300\nactive_file 100\ninactive_file 500\n"
CONTAINERS = {
    "no group": ("", {}, None),
    "no bound": ("0::/a\n", {"a/memory.max": "max", "a/memory.current": "900", "a/memory.stat": STAT}, None),
    "files that were read give way": (
        "0::/a\n",
        {"a/memory.max": "1000", "a/memory.current": "900", "a/memory.stat": STAT},
        700,
    ),
    "more is used than there may be": (
        "0::/a\n",
        {"a/memory.max": "1000", "a/memory.current": "9000", "a/memory.stat": STAT},
        0,
    ),
    "the group around has less left": (
        "0::/a/b\n",
        {f"{at}/memory.{what}": text for at, most in (("a", "500"), ("a/b", "1000"))
         for what, text in (("max", most), ("current", "900"), ("stat", STAT))},
        200,
    ),
    "a container that sees itself as the root": (
        "0::/somewhere/else\n",
        {"memory.max": "1000", "memory.current": "900", "memory.stat": STAT},
        700,
    ),
    "one that shows its bound alone": ("0::/\n", {"memory.max": "1000"}, 1000),
    "one that shows less": (
        "0::/\n",
        {"memory.max": "1000", "memory.current": "900", "memory.stat": "anon 300\n"},
        100,
    ),
    "the first version": (
        "5:cpu:/a\n4:memory:/a\n0::/\n",
        {
            "memory/a/memory.limit_in_bytes": "1000",
            "memory/a/memory.usage_in_bytes": "900",
            "memory/a/memory.stat": STAT + "total_active_file 150\ntotal_inactive_file 550\n",
            "memory/memory.limit_in_bytes": "9223372036854771712",
        },
        800,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTAINERS)
def test_what_is_free_is_what_containers_leave(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from netc.storage import memory

    own, files, left = CONTAINERS[name]
    (tmp_path / "own").write_text(own)
    for path, text in files.items():
        (tmp_path / "groups" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "groups" / path).write_text(text + "\n" * (not text.endswith("\n")))
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(available=10**9))
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    monkeypatch.setattr(memory, "OWN", tmp_path / "own")
    assert memory.affordable() == (10**9 if left is None else left) // memory.SHARE
