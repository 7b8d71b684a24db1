"""Batches: what they hold is a function of (seed, epoch, index), and each step does what plain NumPy says."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netc.compiler import compile_source
from netc.data import DataError, ShareError, prepare
from netc.syntax.source import Source
from tests.data_samples import N, folder_of_classes, gathered, pictures, same, spec, streams

pytest.importorskip("tensorflow")
np = pytest.importorskip("numpy")
randomness = pytest.importorskip("netc.data.randomness")
transforms = pytest.importorskip("netc.data.transforms")
statistics = pytest.importorskip("netc.data.statistics")
splitting = pytest.importorskip("netc.data.splitting")


def close(first: list[Any], second: list[Any]) -> None:
    """Equal but for the last digits, in which kernels differ with the size of a batch."""
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


# -- what batches depend on ---------------------------------------------------------------------------------------


def test_an_epoch_is_a_function_of_seed_and_epoch() -> None:
    train = streams().train
    first = gathered(train.batches(0))
    assert same(first, gathered(streams().train.batches(0)))
    assert not same(first, gathered(train.batches(1)))
    assert not same(first, gathered(streams(seed=4).train.batches(0)))
    assert len(first[0]) == N == train.images


def test_batches_do_not_depend_on_where_they_are_entered() -> None:
    train = streams().train
    for first in (1, train.steps - 1):
        whole = list(train.batches(2).as_numpy_iterator())[first:]
        entered = list(train.batches(2, first).as_numpy_iterator())
        assert len(whole) == len(entered)
        assert all(same(one, other) for one, other in zip(whole, entered, strict=True))
    assert list(train.batches(2, train.steps)) == []


def test_endless_goes_through_the_epochs() -> None:
    train = streams().train
    running = train.endless(1, 2).as_numpy_iterator()
    for epoch, first in ((1, 2), (2, 0)):
        for batch in train.batches(epoch, first).as_numpy_iterator():
            assert same(next(running), batch)


def test_images_do_not_depend_on_the_size_of_batches() -> None:
    close(gathered(streams(batch=8).train.batches(1)), gathered(streams(batch=20).train.batches(1)))


@pytest.mark.parametrize("workers", [2, 4])
def test_workers_together_see_what_one_alone_would(workers: int) -> None:
    train = streams().train
    alone = list(train.batches(1, 1).as_numpy_iterator())
    shares = [train.batches(1, 1, worker, workers).as_numpy_iterator() for worker in range(workers)]
    for batch, *parts in zip(alone, *shares, strict=True):
        close(batch, [np.concatenate(each) for each in zip(*parts, strict=True)])
    with pytest.raises(ShareError, match="evenly"):
        train.batches(0, workers=3)
    with pytest.raises(ShareError, match="the last batch of an epoch has 5 of 53 images"):
        train.batches(0, workers=8)


def test_evaluation_has_no_chance_and_keeps_the_order() -> None:
    data = "data { center; flip; crop 8x8 pad=2; cutout 3; mixup 0.2; validation 13 }"
    held = streams(data, image="8x8x1")
    images, labels = gathered(held.validation.batches())
    raw, rows = pictures(N), held.validation.part.rows
    np.testing.assert_allclose(images, raw[rows] / 255 - held.statistics.arrays["center"], atol=1e-6)
    assert list(labels.argmax(1)) == list(rows % 3)
    assert same(gathered(held.validation.batches(0)), gathered(held.validation.batches(7)))


def test_shuffle_false_keeps_the_order() -> None:
    held = streams("data { shuffle false }", image="8x8x1")
    assert list(gathered(held.train.batches(5))[1].argmax(1)) == list(np.arange(N) % 3)


def test_each_epoch_sees_each_image_once() -> None:
    held = streams("data", image="8x8x1")
    for epoch in range(3):
        images, _ = gathered(held.train.batches(epoch))
        assert sorted(map(bytes, images)) == sorted(map(bytes, (pictures(N) / np.float32(255)).astype(np.float32)))


def test_files_and_arrays_give_the_same_batches(tmp_path: Path) -> None:
    from PIL import Image

    folder_of_classes(tmp_path, {"a": 7, "b": 6, "c": 8})
    paths = sorted(tmp_path.rglob("*.png"))
    arrays = np.stack([np.asarray(Image.open(path)) for path in paths])
    labels = np.asarray([("a", "b", "c").index(path.parent.name) for path in paths])
    data = "data { center; crop 6x6 pad=1; flip; mixup 0.3; validation 0.2 stratified }"
    from_files, from_arrays = (
        prepare(spec(data, image="6x6x3"), source=source, seed=1, batch=4) for source in (tmp_path, (arrays, labels))
    )
    for part in ("train", "validation"):
        one, other = (getattr(held, part) for held in (from_files, from_arrays))
        for epoch in range(2):
            for ours, theirs in zip(gathered(one.batches(epoch)), gathered(other.batches(epoch)), strict=True):
                np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert from_files.classes == ("a", "b", "c")


def test_the_interface_imports_nothing_heavy() -> None:
    heavy = "{'numpy', 'tensorflow', 'keras', 'PIL'} & set(sys.modules)"
    code = f"import sys, netc.data; from netc.data import DataError; sys.exit(str({heavy} or ''))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""


# -- random numbers -----------------------------------------------------------------------------------------------


def test_bits_are_those_of_splitmix64() -> None:
    # The first outputs of the published generator for the seed 1234567 (Vigna's splitmix64.c): the k-th output is the
    # finaliser of seed + (k - 1) * gamma, which is one part of a key.
    gamma = 0x9E3779B97F4A7C15
    states = [(1234567 + k * gamma) % 2**64 for k in range(3)]
    assert [int(randomness.bits(np.uint64(state))) for state in states] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ]


def test_uniform_numbers_are_uniform_and_independent() -> None:
    u = randomness.uniform(0, 0, np.arange(20_000), 4)
    assert u.dtype == np.float32
    assert u.min() >= 0
    assert u.max() < 1
    counts = np.histogram(u, 20, (0, 1))[0]
    assert ((counts - counts.mean()) ** 2 / counts.mean()).sum() < 45  # chi-squared, 19 degrees of freedom
    assert np.abs(np.corrcoef(u.T) - np.eye(4)).max() < 0.03
    assert abs(np.corrcoef(u[:-1, 0], u[1:, 0])[0, 1]) < 0.03
    other = randomness.uniform(0, 1, np.arange(20_000), 4)
    assert abs(np.corrcoef(u[:, 0], other[:, 0])[0, 1]) < 0.03


@given(st.integers(0, 2**32 - 1), st.integers(0, 1000), st.integers(0, 300))
@settings(max_examples=30, deadline=None)
def test_orders_are_permutations(seed: int, epoch: int, count: int) -> None:
    assert sorted(randomness.order(seed, epoch, count)) == list(range(count))


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_splits(data: st.DataObject) -> None:
    labels = np.asarray(data.draw(st.lists(st.integers(0, 4), min_size=2, max_size=200)))
    kept, seed = data.draw(st.integers(1, len(labels) - 1)), data.draw(st.integers(0, 9))
    for stratified in (None, labels):
        train, validation = splitting.split(len(labels), kept, seed, stratified)
        assert len(validation) == kept
        assert sorted([*train, *validation]) == list(range(len(labels)))
        assert all(np.array_equal(each, np.sort(each)) for each in (train, validation))
    for label in np.unique(labels):
        exact = (labels == label).sum() * kept / len(labels)
        assert abs((labels[validation] == label).sum() - exact) < 1


# -- targets ------------------------------------------------------------------------------------------------------


def test_labels_come_as_the_loss_wants_them() -> None:
    images, labels = pictures(N), np.arange(N) % 2
    for end, loss, wanted in (
        ("fc 2 softmax", "categorical_crossentropy", np.eye(2)[labels]),
        ("fc 2 softmax", "sparse_categorical_crossentropy", labels),
        ("fc 1 sigmoid", "binary_crossentropy", labels[:, None]),
        ("fc 2", "mse", np.eye(2)[labels]),
        ("fc 1", "mse", labels[:, None]),
    ):
        program = spec("data { shuffle false }", end=end, loss=loss)
        found = gathered(prepare(program, source=(images, labels), seed=0, batch=16).train.batches())[1]
        np.testing.assert_array_equal(found, wanted)


def test_several_inputs_and_outputs_are_matched_by_name(tmp_path: Path) -> None:
    text = (
        "left: input 8x8x1\nright: input 4x4x1\nconv 4x3; gap\nb: identity\nfrom left\nconv 4x3; gap\nadd b\n"
        "kind: fc 3 softmax\nfrom b\nangle: fc 2\noutput kind angle\n"
        'data "both.npz" { shuffle false }\n'
        "train { loss categorical_crossentropy; loss mse of=angle weight=0.1; optimizer adam }\n"
    )
    program = compile_source(Source(str(tmp_path / "net.net"), text))
    assert not program.report.failed, [found.message for found in program.report]
    left, right, kind, angle = pictures(9), pictures(9, 4, 4), np.arange(9) % 3, np.random.rand(9, 2)
    np.savez(tmp_path / "both.npz", left=left, right=right, kind=kind, angle=angle)
    ((images, labels),) = prepare(program, seed=0, batch=9).train.batches().as_numpy_iterator()
    assert {name: array.shape for name, array in images.items()} == {"left": (9, 8, 8, 1), "right": (9, 4, 4, 1)}
    np.testing.assert_array_equal(labels["kind"], np.eye(3)[kind])
    np.testing.assert_allclose(labels["angle"], angle, rtol=1e-6)


def test_pixels_of_every_type_go_from_0_to_1() -> None:
    raw, labels = pictures(N), np.arange(N) % 3
    program = spec("data { shuffle false }")
    for images, wanted in (
        (raw, raw / 255),
        (raw.astype(np.int64), raw / 255),
        (raw.astype(np.uint16) * 257, raw / 255),
        (raw.astype(np.int32) * 257, raw / 255),
        (raw / 255, raw / 255),
        (raw > 127, raw > 127),
    ):
        found = gathered(prepare(program, source=(images, labels), seed=0, batch=16).train.batches())[0]
        np.testing.assert_allclose(found, wanted, atol=1e-6)
    nan = raw / 255
    nan[3, 0, 0] = np.nan
    for images, said in (
        (raw.astype(np.int16) - 5, "from -5 to 250"),
        (raw.astype(np.int64) * 10**6, "from 0 to 255000000"),
        (raw.astype(str), "pixels are numbers"),
        (nan, "image 3 holds something that is no number"),
    ):
        with pytest.raises(DataError, match=said):
            prepare(spec(), source=(images, labels), seed=0, batch=16)


def test_targets_a_pixel_move_with_the_images() -> None:
    """An image that is its mask stays it, whatever is done to both; in from outside comes class 0."""
    masks = np.random.default_rng(0).integers(0, 3, (N, 8, 8))
    same = (masks[..., None] / 2).astype("float32")
    text = "input {}x1\nconv 3x1 softmax\ndata {{ {} }}\ntrain {{ loss categorical_crossentropy; optimizer adam }}\n"
    for step, size in (
        *(("flip both", "8x8"), ("shift 0.3 p=1", "8x8"), ("crop 8x8 pad=2; flip", "8x8"), ("pad 1; crop 6x6", "6x6")),
        *(("crop 4x6", "4x6"), ("resize 4x4 nearest; flip vertical", "4x4")),
    ):
        program = compile_source(Source("<test>", text.format(size, step)))
        held = prepare(program, source=(same, masks), seed=0, batch=16)
        for stream in (held.train, replace(held.train, training=False)):
            images, labels = gathered(stream.batches())
            assert images.shape[1:3] == labels.shape[1:3] == tuple(map(int, size.split("x")))
            np.testing.assert_array_equal(labels.argmax(-1), np.round(images[..., 0] * 2))
            np.testing.assert_array_equal(labels.sum(-1), 1)


def test_turned_masks_are_those_of_turned_images() -> None:
    half = np.zeros((N, 16, 16), int)
    half[:, :, 8:] = 1
    text = "input 16x16x1\nconv 1x1 sigmoid\ndata { rotate 40 p=1 }\ntrain { loss dice; optimizer adam }\n"
    program = compile_source(Source("<test>", text))
    held = prepare(program, source=(half[..., None].astype("float32"), half), seed=0, batch=16)
    images, labels = gathered(held.train.batches())
    inside = abs(images - 0.5) > 0.3  # where bilinear interpolation leaves no doubt
    assert inside.mean() > 0.8
    np.testing.assert_array_equal(labels[inside], images[inside] > 0.5)
    assert (labels != half[..., None]).any()


def test_targets_that_are_no_pixel_of_the_images_do_not_move() -> None:
    masks = np.random.default_rng(0).integers(0, 3, (N, 4, 4))
    text = "input 8x8x1\npool 2; conv 3x1 softmax\ndata {{ {} }}\ntrain {{ loss categorical_crossentropy; optimizer adam }}\n"

    def found(step: str) -> Any:
        program = compile_source(Source("<test>", text.format(step)))
        return gathered(prepare(program, source=(pictures(N), masks), seed=0, batch=16).train.batches())

    assert found("shuffle false; center; jitter contrast=0.3")[1].argmax(-1).tolist() == masks.tolist()
    for step in ("flip", "rotate 5", "shift 0.1", "crop 8x8 pad=1", "resize 8x8"):
        with pytest.raises(DataError, match="moves the pixels of images"):
            found(step)


@pytest.mark.parametrize(
    ("classes", "labels", "message"),
    [
        (4, np.arange(N) % 3, "the data have 3 classes, and the network has 4 outputs"),
        (3, np.arange(N) % 3 - 1, "class numbers begin at 0"),
        (3, np.zeros((N, 5), np.float32), "targets are 5, and the output"),
    ],
)
def test_targets_that_contradict_the_network(classes: int, labels: np.ndarray[Any, Any], message: str) -> None:
    program = spec("data", classes=classes)
    with pytest.raises(DataError) as error:
        prepare(program, source=(pictures(N), labels), seed=0, batch=8)
    (found,) = error.value.diagnostics
    assert message in found.message
    assert found.code in ("NET405", "NET406")
    assert found.span is not None
    assert program.report.failed


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("data { validation 53 }", "nothing is left to train on"),
        ("data { validation 0.001 }", "no image is left to validate on"),
        ("data { validation test }", "the data set has no test images"),
        ("data { validation own }", "the data set has no validation images of its own"),
        ("data { classes 3 }", "there is a class number 3"),
    ],
)
def test_lines_that_contradict_the_data(data: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        prepare(spec(data), source=(pictures(N), np.arange(N) % (4 if "classes" in data else 3)), seed=0, batch=8)
    assert message in str(error.value)
    assert "<test>:5:8" in str(error.value)  # the line in `data`
