"""What is read from official formats, arrays and records, and what is wrong with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from netc.data.errors import BROKEN, MISSING, SHAPE
from tests.data_reading import everything, read, refused
from tests.data_samples import cifar, idx, pictures, save, spec

tf = pytest.importorskip("tensorflow")
np = pytest.importorskip("numpy")
Image = pytest.importorskip("PIL.Image")
named = pytest.importorskip("netc.data.named")


# -- official formats ---------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where named sets are looked for, and nothing else."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("NETC_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("end", ["", ".gz"])
def test_idx(root: Path, end: str) -> None:
    train, test, labels = pictures(12, 28, 28), pictures(5, 28, 28, seed=1), np.arange(12) % 10
    (root / "mnist").mkdir()
    idx(root / f"mnist/train-images-idx3-ubyte{end}", train[..., 0])
    idx(root / f"mnist/train-labels-idx1-ubyte{end}", labels)
    idx(root / f"mnist/t10k-images-idx3-ubyte{end}", test[..., 0])
    idx(root / f"mnist/t10k-labels-idx1-ubyte{end}", labels[:5])
    held = read(spec("data mnist { shuffle false; validation test }", image="28x28x1", classes=10))
    for stream, pixels in ((held.train, train), (held.validation, test)):
        found, numbers = everything(stream)
        np.testing.assert_allclose(found, pixels / 255, atol=1e-7)
        assert list(numbers) == list(labels[: len(pixels)])
    assert held.classes == tuple("0123456789")


def test_cifar10(root: Path) -> None:
    folder = root / "cifar-10-batches-bin"
    folder.mkdir()
    pixels, labels = pictures(20, 32, 32, 3), np.arange(20) % 10
    for number in range(5):
        part = slice(number * 4, number * 4 + 4)
        cifar(folder / f"data_batch_{number + 1}.bin", pixels[part], labels[part])
    cifar(folder / "test_batch_first1000.bin", pixels[:3], labels[:3])
    held = read(spec("data cifar10 { shuffle false }", image="32x32x3", classes=10))
    found, numbers = everything(held.train)
    np.testing.assert_allclose(found, pixels / 255, atol=1e-7)
    assert list(numbers) == list(labels)
    assert (held.classes[0], held.classes[9], held.test.images) == ("airplane", "truck", 3)
    (folder / "data_batch_3.bin").unlink()
    assert "data_batch_3.bin` is not there" in refused(MISSING, spec("data cifar10", image="32x32x3", classes=10))
    cifar(folder / "data_batch_3.bin", pixels[:4], np.asarray([1, 2, 11, 3]))
    said = refused(BROKEN, spec("data cifar10", image="32x32x3", classes=10))
    assert "data_batch_3.bin`: label 2 is 11" in said


def test_a_given_folder_is_the_set_or_holds_it(root: Path) -> None:
    folder = root / "elsewhere/cifar-100-binary"
    folder.mkdir(parents=True)
    cifar(folder / "train.bin", pictures(8, 32, 32, 3), np.zeros(8), np.arange(8))
    for data in ("data cifar100", "data { classes 100 }"):
        assert read(spec(data, image="32x32x3", classes=100), folder).train.images == 8
    assert read(spec("data cifar100", image="32x32x3", classes=100), folder.parent).train.images == 8


def test_cifar100_has_fine_labels(root: Path) -> None:
    folder = root / "cifar-100-binary"
    folder.mkdir()
    pixels, fine = pictures(8, 32, 32, 3), np.arange(8) * 12
    cifar(folder / "train.bin", pixels, np.zeros(8), fine)
    held = read(spec("data cifar100 { shuffle false }", image="32x32x3", classes=100))
    found, numbers = everything(held.train)
    np.testing.assert_allclose(found, pixels / 255, atol=1e-7)
    assert list(numbers) == list(fine)
    assert (len(set(held.classes)), held.classes[0], held.classes[99]) == (100, "apple", "worm")
    assert list(held.classes) == sorted(held.classes)


def test_flowers_are_numbered(root: Path) -> None:
    for number in (1, 80, 81, 1360):
        save(root / f"17flowers/jpg/image_{number:04}.jpg", pictures(1, 9, 9, 3)[0])
    held = read(spec("data flowers17 { shuffle false }", image="9x9x3", classes=17))
    assert list(everything(held.train)[1]) == [0, 0, 1, 16]
    assert (held.classes[0], held.classes[16]) == ("daffodil", "pansy")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda data: data[:-1], "there are 9,407"),
        (lambda data: data + b"x", "there are more"),
        (lambda data: b"\0\0\x08\x01" + data[4:], "is no idx file of bytes in 3 dimensions"),
        (lambda data: data[:3], "is no idx file"),
        (lambda data: data[:4] + b"\xff" * 12 + data[16:], "more than fit into memory"),
        (lambda data: data[:4] + (13).to_bytes(4, "big") + data[8:] + bytes(784), "13 images, and"),
    ],
)
def test_broken_idx(root: Path, change: Any, message: str) -> None:
    idx(root / "train-images-idx3-ubyte", pictures(12, 28, 28)[..., 0])
    idx(root / "train-labels-idx1-ubyte", np.arange(12) % 10)
    path = root / "train-images-idx3-ubyte"
    path.write_bytes(change(path.read_bytes()))
    assert message in refused(BROKEN, spec("data mnist", image="28x28x1", classes=10), root)


def test_broken_gzip(root: Path) -> None:
    idx(root / "train-images-idx3-ubyte.gz", pictures(12, 28, 28)[..., 0])
    idx(root / "train-labels-idx1-ubyte.gz", np.arange(12) % 10)
    path = root / "train-images-idx3-ubyte.gz"
    for data in (path.read_bytes()[:-200], b"no gzip", path.read_bytes()[:-900] + b"damage" + path.read_bytes()[-894:]):
        path.write_bytes(data)
        assert "is broken" in refused(BROKEN, spec("data mnist", image="28x28x1", classes=10), root)


def test_a_named_set_is_fetched_and_compared_with_its_sum(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import hashlib
    import tarfile
    from dataclasses import replace

    folder, there = root / "made/cifar-100-binary", root / "there"
    folder.mkdir(parents=True)
    there.mkdir()
    cifar(folder / "train.bin", pictures(8, 32, 32, 3), np.zeros(8), np.arange(8))
    with tarfile.open(there / "cifar-100-binary.tar.gz", "w:gz") as archive:
        archive.add(folder, "cifar-100-binary")
    md5 = hashlib.md5((there / "cifar-100-binary.tar.gz").read_bytes()).hexdigest()
    program = spec("data cifar100", image="32x32x3", classes=100)
    for sum_, works in (("0" * 32, False), (md5, True)):
        local = replace(named.SETS["cifar100"], origin=there.as_uri() + "/", sums={"cifar-100-binary.tar.gz": sum_})
        monkeypatch.setitem(named.SETS, "cifar100", local)
        if works:
            assert read(program, folder=root / "fresh").train.images == 8
            monkeypatch.setitem(named.SETS, "cifar100", replace(local, origin="file:///nowhere/"))
            assert read(program, folder=root / "fresh").train.images == 8  # it stays
        else:
            assert "cannot be fetched" in refused(MISSING, program, folder=root / "fresh")


def test_a_set_that_is_nowhere_is_told_with_places_and_files(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    monkeypatch.setitem(named.SETS, "mnist", replace(named.SETS["mnist"], origin="file:///nowhere/"))
    said = refused(MISSING, spec("data mnist", image="28x28x1", classes=10))
    assert all(part in said for part in (str(root / "mnist"), str(root / "keras/datasets/mnist"), "idx3", "<test>:5:6"))


def test_digits_need_no_download() -> None:
    pytest.importorskip("sklearn")
    held = read(spec("data digits { validation 0.2 stratified }", classes=10))
    assert (held.train.images, held.validation.images) == (1438, 359)
    counts = np.bincount(held.validation.labels)
    assert counts.min() >= 34
    assert counts.max() <= 37


# -- arrays and records -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["data.npz", "data.h5"])
def test_arrays(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = {
        "x_train": pictures(9)[..., 0],
        "y_train": (np.arange(9) % 3)[:, None],
        "x_test": pictures(4, seed=1),
        "y_test": np.arange(4) % 3,
    }
    write_arrays(tmp_path / name, arrays)
    found = []
    for limit in (1 << 30, 0):  # at once, and row by row
        monkeypatch.setattr("netc.data.arrays.IN_MEMORY", limit)
        held = read(spec("data { shuffle false; center; flip }"), tmp_path / name)
        assert (held.classes, held.train.images, held.test.images) == (("0", "1", "2"), 9, 4)
        found.append(everything(held.test))
        np.testing.assert_allclose(found[-1][0], arrays["x_test"] / 255 - arrays["x_train"].mean() / 255, atol=1e-6)
    assert np.array_equal(found[0][1], found[1][1])


def write_arrays(path: Path, arrays: dict[str, Any]) -> None:
    import h5py

    if path.suffix == ".npz":
        np.savez(path, **arrays)
        return
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array


@pytest.mark.parametrize(
    ("arrays", "code", "message"),
    [
        ({"x": pictures(4)}, SHAPE, "holds `x`"),
        ({"x": pictures(4), "y": np.arange(3)}, SHAPE, "differ in number: 3, 4"),
        ({"x": pictures(0), "y": np.arange(0)}, MISSING, "has no images"),
        ({"x": pictures(4, 9, 9), "y": np.arange(4) % 3}, SHAPE, "images come as 9x9x1, and the network takes 8x8x1"),
        ({"x": np.zeros((4, 64)), "y": np.arange(4) % 3}, SHAPE, "images come as 64"),
        ({"x": pictures(4), "y": np.asarray([{}, 1, 2, 0], object)}, BROKEN, "holds Python objects"),
    ],
)
def test_broken_npz(tmp_path: Path, arrays: dict[str, Any], code: str, message: str) -> None:
    np.savez(tmp_path / "data.npz", allow_pickle=True, **arrays)
    assert message in refused(code, spec(), tmp_path / "data.npz")


@pytest.mark.parametrize("name", ["data.npz", "data.h5"])
def test_damaged_arrays(tmp_path: Path, name: str) -> None:
    write_arrays(tmp_path / name, {"x": pictures(40), "y": np.arange(40) % 3})
    data = (tmp_path / name).read_bytes()
    for damaged in (data[: len(data) // 2], b"no", b""):
        (tmp_path / name).write_bytes(damaged)
        assert "cannot be read" in refused(BROKEN, spec(), tmp_path / name)


def test_arrays_larger_than_memory_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_arrays(tmp_path / "data.npz", {"x": pictures(40), "y": np.arange(40) % 3})
    monkeypatch.setattr("netc.storage.stored.affordable", lambda: 1000)
    monkeypatch.setattr("netc.storage.stored.TRIFLE", 999)
    assert "more than a third of the 3,000 that are free" in refused(BROKEN, spec(), tmp_path / "data.npz")


def test_hdf5_may_not_reach_into_other_files(tmp_path: Path) -> None:
    import h5py

    write_arrays(tmp_path / "other.h5", {"x": pictures(4), "y": np.arange(4) % 3})
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["y"] = np.arange(4) % 3
        file["x"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "x")
    assert "holds `y`" in refused(SHAPE, spec(), tmp_path / "data.h5")


def test_records(tmp_path: Path) -> None:
    pixels = pictures(7, channels=3)
    paths = [tmp_path / "a-00000.tfrecord", tmp_path / "a-00001.tfrecord"]
    for path, part in zip(paths, (range(4), range(4, 7)), strict=True):
        with tf.io.TFRecordWriter(str(path)) as writer:
            for index in part:
                encoded = tf.io.encode_png(pixels[index]).numpy()
                writer.write(example(image=encoded, label=index % 3))
    for source in (tmp_path, paths[0]):
        count = 7 if source == tmp_path else 4
        held = read(spec("data { shuffle false }", image="8x8x3"), source)
        found, labels = everything(held.train)
        np.testing.assert_allclose(found, pixels[:count] / 255, atol=1e-6)
        assert list(labels) == [index % 3 for index in range(count)]
    data = paths[1].read_bytes()
    paths[1].write_bytes(data[:200] + b"damage" + data[206:])
    assert "a-00001.tfrecord` is broken" in refused(BROKEN, spec(image="8x8x3"), tmp_path)
    with tf.io.TFRecordWriter(str(paths[1])) as writer:
        writer.write(example(image=b"no image", label=1))
    assert "record 4 in" in refused(BROKEN, spec(image="8x8x3"), tmp_path)
    with tf.io.TFRecordWriter(str(paths[1])) as writer:
        writer.write(example(other=1))
    assert "holds `other`" in refused(BROKEN, spec(image="8x8x3"), tmp_path)


def example(**features: Any) -> bytes:
    made = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        if isinstance(value, bytes)
        else tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))
        for name, value in features.items()
    }
    return bytes(tf.train.Example(features=tf.train.Features(feature=made)).SerializeToString())
