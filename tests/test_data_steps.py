"""Each step does what plain NumPy says, and statistics are those of the training images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netc.data import prepare
from netc.sections.preprocessing import DATA, Mixup, Step
from tests.data_samples import N, gathered, pictures, same, spec, streams

tf = pytest.importorskip("tensorflow")
np = pytest.importorskip("numpy")
randomness = pytest.importorskip("netc.data.randomness")
transforms = pytest.importorskip("netc.data.transforms")
statistics = pytest.importorskip("netc.data.statistics")

# -- each step against plain NumPy --------------------------------------------------------------------------------


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
    clear = batch(channels=4)
    np.testing.assert_array_equal(applied(line("channels 4 bgr"), clear, None), clear[..., [2, 1, 0, 3]])
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


# -- statistics ---------------------------------------------------------------------------------------------------


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


def test_pixels_of_the_vgg_weights_are_those_of_keras_applications() -> None:
    keras = pytest.importorskip("keras")
    lines = "shuffle false; scale (1/255); channels 3 bgr; center 103.939 116.779 123.68"
    held = prepare(
        spec(f"data {{ {lines} }}", image="8x8x3"), source=(pictures(N, channels=3), np.arange(N) % 3), seed=0, batch=16
    )
    wanted = keras.applications.vgg16.preprocess_input(pictures(N, channels=3).astype(np.float32))
    np.testing.assert_allclose(gathered(held.train.batches())[0], wanted, atol=1e-4)


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
