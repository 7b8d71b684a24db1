"""Batches: what they hold is a function of (seed, epoch, index), and each step does what plain NumPy says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netc.compiler import compile_source
from netc.data import DataError, ShareError, prepare
from netc.sections.preprocessing import DATA, Mixup, Step
from netc.syntax.source import Source
from tests.data_samples import folder_of_classes, pictures, spec

tf = pytest.importorskip("tensorflow")
np = pytest.importorskip("numpy")
randomness = pytest.importorskip("netc.data.randomness")
transforms = pytest.importorskip("netc.data.transforms")
statistics = pytest.importorskip("netc.data.statistics")
splitting = pytest.importorskip("netc.data.splitting")

EVERYTHING = """data {
    pad 1; channels 3; center per_channel; scale per_pixel; flip both; rotate 30; shift 0.2; blur 1
    jitter brightness=0.2 contrast=0.2 saturation=0.2 hue=0.1; cutout 3; crop 8x8 pad=1; mixup 0.4
}"""
N = 53  # no multiple of a batch


def streams(data: str = EVERYTHING, *, batch: int = 8, seed: int = 3, image: str = "8x8x3", **options: Any) -> Any:
    labels = np.arange(N) % 3
    return prepare(spec(data, image=image), source=(pictures(N), labels), seed=seed, batch=batch, **options)


def gathered(dataset: Any) -> list[np.ndarray[Any, Any]]:
    images, labels = zip(*dataset.as_numpy_iterator(), strict=True)
    return [np.concatenate(images), np.concatenate(labels)]


def same(first: list[Any], second: list[Any]) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(first, second, strict=True))


def close(first: list[Any], second: list[Any]) -> None:
    """Equal but for the last digits, in which kernels differ with the size of a batch."""
    for one, other in zip(first, second, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


# -- what batches depend on -------------------------------------------------------------------------------------


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


# -- each step against plain NumPy ---------------------------------------------------------------------------------


def applied(step: Step, images: np.ndarray[Any, Any], u: np.ndarray[Any, Any] | None) -> np.ndarray[Any, Any]:
    function = transforms.TRANSFORMS[type(step)].function
    graph = tf.function(lambda images, u: function(step, images, u), autograph=False)
    wide = tf.TensorSpec([None, None, None, images.shape[-1]])  # sizes that are known only when it runs
    known = graph(tf.constant(images), None if u is None else tf.constant(u)).numpy()
    if u is not None:
        open_ = tf.function(
            lambda images, u: function(step, images, u),
            input_signature=[wide, tf.TensorSpec([None, u.shape[1]])],
            autograph=False,
        )
        np.testing.assert_allclose(open_(images, u).numpy(), known, atol=1e-6)
    return np.asarray(known)


def batch(rows: int = 7, columns: int = 9, channels: int = 3, count: int = 6) -> np.ndarray[Any, Any]:
    return (pictures(count, rows, columns, channels) / np.float32(255)).astype(np.float32)


def numbers(draws: int, count: int = 6) -> np.ndarray[Any, Any]:
    return randomness.uniform(1, 2, np.arange(count), draws)


def line(text: str) -> Step:
    """The step of a line of `data`."""
    image = f"?x?x{text.split()[1]}" if text.startswith("channels") else "?x?x3"
    data = spec(f"data {{ {text} }}", image=image).sections.data
    assert data is not None
    return data.steps[0]


def test_every_step_is_covered() -> None:
    steps = {setting for setting in DATA.values() if issubclass(setting, Step)}
    pipeline = {"center", "scale", "zca"}
    assert {step.name for step in steps} == {step.name for step in transforms.TRANSFORMS} | pipeline | {Mixup.name}


def test_crop() -> None:
    images, u = batch(), numbers(2)
    found = applied(line("crop 5x6 pad=2"), images, u)
    for image, (a, b), out in zip(images, u, found, strict=True):
        padded = np.pad(image, [(2, 2), (2, 2), (0, 0)])
        top, left = int(a * (11 - 5 + 1)), int(b * (13 - 6 + 1))
        np.testing.assert_array_equal(out, padded[top : top + 5, left : left + 6])
    np.testing.assert_array_equal(applied(line("crop 5x6 pad=2"), images, None), images[:, 1:6, 1:7])
    np.testing.assert_array_equal(applied(line("crop 5x6 central"), images, u), images[:, 1:6, 1:7])


def test_crops_reach_every_place_equally() -> None:
    u = randomness.uniform(0, 0, np.arange(9000), 2)
    place = np.arange(81, dtype=np.float32).reshape(1, 9, 9, 1).repeat(9000, 0)
    found = applied(line("crop 7x7"), place, u)[:, 0, 0, 0]
    counts = np.unique(found, return_counts=True)[1]
    assert len(counts) == 9
    assert ((counts - 1000) ** 2 / 1000).sum() < 27  # chi-squared, 8 degrees of freedom


def test_pad_and_channels() -> None:
    images = batch()
    np.testing.assert_array_equal(
        applied(line("pad 2"), images, None), np.pad(images, [(0, 0), (2, 2), (2, 2), (0, 0)])
    )
    grey = applied(line("channels 1"), images, None)
    np.testing.assert_allclose(grey[..., 0], images @ np.float32([0.299, 0.587, 0.114]), atol=1e-6)
    np.testing.assert_array_equal(applied(line("channels 3"), grey, None), grey.repeat(3, -1))
    assert (applied(line("channels 4"), images, None)[..., 3] == 1).all()
    np.testing.assert_array_equal(applied(line("channels 3"), batch(channels=4), None), batch(channels=4)[..., :3])


@pytest.mark.parametrize(("text", "axes"), [("horizontal", (1,)), ("vertical", (0,)), ("both", (1, 0))])
def test_flip(text: str, axes: tuple[int, ...]) -> None:
    images, u = batch(), numbers(2)
    for image, drawn, out in zip(images, u, applied(line(f"flip {text} p=0.4"), images, u), strict=True):
        flipped = [axis for axis in axes if drawn[1 - axis] < np.float32(0.4)]
        np.testing.assert_array_equal(out, np.flip(image, flipped))
    np.testing.assert_array_equal(applied(line("flip"), images, None), images)


def test_rotate() -> None:
    images, u = batch(), numbers(2)
    step = line("rotate 40 p=0.7")
    found = applied(step, images, u)
    turned = 0
    for image, drawn, out in zip(images, u, found, strict=True):
        angle = np.deg2rad(-40 + drawn[1] * 80) if drawn[0] < 0.7 else 0
        np.testing.assert_allclose(out, rotated(image, angle), atol=2e-3)
        turned += angle != 0
    assert 0 < turned < len(images)
    square = batch(5, 5)
    quarter = applied(line("rotate 90 p=1"), square, np.float32([[0, 1 - 2**-24]] * 6))
    np.testing.assert_allclose(quarter, np.rot90(square, 1, (1, 2)), atol=1e-3)


def rotated(image: np.ndarray[Any, Any], angle: float) -> np.ndarray[Any, Any]:
    """Counter-clockwise about the centre, between four pixels linearly, zero outside."""
    rows, columns, _ = image.shape
    padded = np.pad(image, [(1, 1), (1, 1), (0, 0)])
    found = np.zeros_like(image)
    y0, x0 = (rows - 1) / 2, (columns - 1) / 2
    for row in range(rows):
        for column in range(columns):
            x, y = column - x0, row - y0
            at_x = np.cos(angle) * x - np.sin(angle) * y + x0
            at_y = np.sin(angle) * x + np.cos(angle) * y + y0
            left, top = int(np.floor(at_x)), int(np.floor(at_y))
            for r in (top, top + 1):
                for c in (left, left + 1):
                    if -1 <= r <= rows and -1 <= c <= columns:
                        found[row, column] += (1 - abs(at_y - r)) * (1 - abs(at_x - c)) * padded[r + 1, c + 1]
    return found


def test_shift() -> None:
    images, u = batch(), numbers(3)
    for image, drawn, out in zip(images, u, applied(line("shift 0.3 p=0.8"), images, u), strict=True):
        down, right = int(0.3 * 7), int(0.3 * 9)
        top, left = (
            (int(drawn[1] * (2 * down + 1)), int(drawn[2] * (2 * right + 1))) if drawn[0] < 0.8 else (down, right)
        )
        padded = np.pad(image, [(down, down), (right, right), (0, 0)])
        np.testing.assert_array_equal(out, padded[top : top + 7, left : left + 9])


def test_blur() -> None:
    images, u = batch(), numbers(2)
    for image, drawn, out in zip(images, u, applied(line("blur 2 p=0.6"), images, u), strict=True):
        wanted = image
        if drawn[0] < 0.6:
            for axis, size in ((0, 7), (1, 9)):
                at = np.arange(size)
                weights = np.exp(-((at[:, None] - at) ** 2) / (2 * (drawn[1] * 2) ** 2))
                wanted = np.moveaxis(np.tensordot(weights / weights.sum(1, keepdims=True), wanted, (1, axis)), 0, axis)
        np.testing.assert_allclose(out, wanted, atol=1e-5)
    flat = np.full((6, 7, 9, 3), 0.5, np.float32)
    np.testing.assert_allclose(applied(line("blur 3 p=1"), flat, u), flat, atol=1e-6)  # borders do not darken


def test_cutout() -> None:
    images, u = batch(), numbers(3)
    for image, drawn, out in zip(images, u, applied(line("cutout 3x4 p=0.7"), images, u), strict=True):
        wanted = image.copy()
        if drawn[0] < 0.7:
            top, left = int(drawn[1] * 7) - 1, int(drawn[2] * 9) - 2
            wanted[max(top, 0) : top + 3, max(left, 0) : left + 4] = 0
        np.testing.assert_array_equal(out, wanted)


def test_jitter() -> None:
    images, u = batch(), numbers(4)
    luma = np.float32([0.299, 0.587, 0.114])
    step = line("jitter brightness=0.3 contrast=0.4 saturation=0.5")
    for image, drawn, out in zip(images, u, applied(step, images, u), strict=True):
        factors = [1 - most + share * 2 * most for share, most in zip(drawn, (0.3, 0.4, 0.5), strict=False)]
        wanted = image * factors[0]
        mean = (wanted @ luma).mean()
        wanted = mean + (wanted - mean) * factors[1]
        grey = (wanted @ luma)[..., None]
        np.testing.assert_allclose(out, grey + (wanted - grey) * factors[2], atol=1e-5)


def test_hue_turns_about_the_greys() -> None:
    step = line("jitter hue=0.5")
    images, still = batch(), np.float32([[0, 0, 0, 0.5]] * 6)
    np.testing.assert_allclose(applied(step, images, still), images, atol=1e-5)
    u = numbers(4)
    grey = np.full_like(images, 0.3)
    np.testing.assert_allclose(applied(step, grey, u), grey, atol=2e-3)
    turned = applied(step, images, u)
    luma = np.float32([0.299, 0.587, 0.114])
    np.testing.assert_allclose(turned @ luma, images @ luma, atol=1e-5)
    half = applied(step, images, np.float32([[0, 0, 0, 0]] * 6))  # half a turn, twice, is none
    np.testing.assert_allclose(applied(step, half, np.float32([[0, 0, 0, 0]] * 6)), images, atol=1e-4)


def test_resize_is_that_of_pillow() -> None:
    from PIL import Image

    images = batch(12, 10)
    for method, filter_ in (("bilinear", Image.Resampling.BILINEAR), ("nearest", Image.Resampling.NEAREST)):
        found = applied(line(f"resize 5x4 method={method}"), images, None)
        for image, out in zip(images, found, strict=True):
            for channel in range(3):
                wanted = Image.fromarray(image[..., channel], "F").resize((4, 5), filter_)
                if method == "bilinear":
                    np.testing.assert_allclose(out[..., channel], np.asarray(wanted), atol=1e-4)
                else:
                    assert np.isin(out[..., channel], image[..., channel]).all()


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_of_mixup_have_the_beta_distribution(alpha: float) -> None:
    beta = pytest.importorskip("scipy.stats").beta(alpha, alpha)
    u = np.linspace(0, 1, 999, endpoint=False, dtype=np.float32)
    np.testing.assert_allclose(transforms.beta(alpha, tf.constant(u)).numpy(), beta.ppf(u), atol=2e-3)


def test_mixup_blends_images_and_labels_alike() -> None:
    plain = streams("data", image="8x8x1").train
    mixed = streams("data { mixup 0.4 }", image="8x8x1").train
    images, labels = gathered(plain.batches(1))
    both, blended = gathered(mixed.batches(1))
    order = randomness.order(3, 1, N)
    share = transforms.beta(0.4, tf.constant(randomness.uniform(3, 1, order, 1)[:, 0])).numpy()[:, None]
    np.testing.assert_allclose(blended, share * labels + (1 - share) * np.roll(labels, -1, 0), atol=1e-6)
    share = share[..., None, None]
    np.testing.assert_allclose(both, share * images + (1 - share) * np.roll(images, -1, 0), atol=1e-6)


# -- statistics ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["per_channel", "per_pixel", "overall", "samplewise"])
def test_center_and_scale(how: str) -> None:
    raw = np.random.default_rng(0).random((N, 6, 5, 3)).astype(np.float32)
    raw[:, 0, 0] = 0.25  # nothing varies here
    program = spec(f"data {{ shuffle false; center {how}; scale {how} }}", image="6x5x3")
    images = gathered(prepare(program, source=(raw, np.arange(N) % 3), seed=0, batch=16).train.batches())[0]
    axis = {"per_channel": (0, 1, 2), "per_pixel": 0, "overall": None, "samplewise": (1, 2, 3)}[how]
    double = raw.astype(np.float64)
    centred = double - double.mean(axis, keepdims=axis is not None)
    deviation = centred.std(axis, keepdims=axis is not None)
    np.testing.assert_allclose(images, centred / np.where(deviation > 1e-6, deviation, 1), atol=1e-4)


def test_statistics_are_of_the_training_images_as_steps_above_leave_them() -> None:
    program = spec("data { crop 4x4; flip; center; scale; validation 13 }", image="4x4x1")
    held = prepare(program, source=(pictures(N), np.arange(N) % 3), seed=0, batch=16)
    seen = pictures(N)[held.train.part.rows][:, 2:6, 2:6] / 255
    np.testing.assert_allclose(held.statistics.arrays["center"].ravel(), seen.mean(), rtol=1e-5)
    np.testing.assert_allclose(held.statistics.arrays["scale"].ravel(), seen.std(), rtol=1e-5)


def test_given_values_are_taken() -> None:
    program = spec("data { shuffle false; center 0.5 0.4 0.3; scale 0.2 }", image="8x8x3")
    held = prepare(program, source=(pictures(N, channels=3), np.arange(N) % 3), seed=0, batch=16)
    wanted = (pictures(N, channels=3) / 255 - [0.5, 0.4, 0.3]) / 0.2
    np.testing.assert_allclose(gathered(held.train.batches())[0], wanted, atol=1e-5)
    assert held.statistics.arrays == {}


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_moments_of_parts_are_those_of_the_whole(seed: int) -> None:
    generator = np.random.default_rng(seed)
    values = 1000 + generator.random((40, 2, 3, 1)) * 1e-3  # a mean far from zero, where sums of squares fail
    cuts = np.sort(generator.integers(1, 40, 3))
    moments = statistics.Moments.of(part for part in np.split(values, cuts) if len(part))
    np.testing.assert_allclose(moments.mean, values.mean(0), rtol=1e-12)
    np.testing.assert_allclose(moments.squares / 40, values.var(0), rtol=1e-6)


def test_zca_makes_pixels_uncorrelated() -> None:
    generator = np.random.default_rng(0)
    raw = (generator.normal(size=(400, 8)) @ generator.normal(size=(8, 8))).reshape(400, 2, 2, 2).astype(np.float32)
    program = spec("data { shuffle false; zca epsilon=1e-9 }", image="2x2x2")
    images = gathered(prepare(program, source=(raw, np.arange(400) % 3), seed=0, batch=64).train.batches())[0]
    np.testing.assert_allclose(np.cov(images.reshape(400, 8).T, bias=True), np.eye(8), atol=1e-2)
    np.testing.assert_allclose(images.mean(0), 0, atol=1e-3)


def test_statistics_survive_a_file(tmp_path: Path) -> None:
    held = streams()
    held.statistics.save(tmp_path / "statistics.npz")
    read = statistics.Statistics.load(tmp_path / "statistics.npz")
    assert {name: array.tolist() for name, array in read.arrays.items()} == {
        name: array.tolist() for name, array in held.statistics.arrays.items()
    }
    assert same(gathered(held.train.batches(1)), gathered(streams(statistics=read).train.batches(1)))
    assert [path.name for path in tmp_path.iterdir()] == ["statistics.npz"]


# -- targets -------------------------------------------------------------------------------------------------------


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


def test_targets_a_pixel_do_not_move_with_the_images() -> None:
    masks = np.random.default_rng(0).integers(0, 3, (N, 8, 8))
    text = "input 8x8x1\nconv 3x1 softmax\ndata {{ {} }}\ntrain {{ loss categorical_crossentropy; optimizer adam }}\n"

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
