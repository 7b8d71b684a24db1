"""Segmentation: masks in a folder beside their images, and a small U-Net that learns from them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from netc.cli import main

np = pytest.importorskip("numpy")
pytest.importorskip("tensorflow")
Image = pytest.importorskip("PIL.Image")

UNET = """input 32x32x1
def level(ch) { conv (ch)x3 bn relu; conv (ch)x3 bn relu }

level 8
outer: identity
pool 2
level 16
inner: identity
pool 2
level 32
deconv 16x2/2 relu; concat inner
level 16
deconv 8x2/2 relu; concat outer
level 8
conv 3x1 softmax

data "shapes" {
    flip both
}
train {
    loss categorical_crossentropy
    optimizer adam lr=0.01
    batch 16
    epochs 10
    metrics mean_iou iou iou=2
}
"""


def drawn(count: int, seed: int) -> Any:
    """Noisy images of a circle and a square each, and their masks: 0 is neither, 1 the circle, 2 the square."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:32, :32]
    masks = np.zeros((count, 32, 32), np.uint8)
    for mask in masks:
        (y, x, r), (top, left, side) = (random.integers(low, high) for low, high in (((6, 6, 4), (26, 26, 8)),) * 2)
        mask[(rows - y) ** 2 + (columns - x) ** 2 <= r**2] = 1
        mask[top - 4 : top + side, left - 4 : left + side] = 2
    shade = np.array([0.2, 0.6, 0.6])[masks] + random.normal(0, 0.08, masks.shape)
    return (shade.clip(0, 1) * 255).astype(np.uint8), masks


def written(folder: Path, images: Any, masks: Any) -> None:
    for name, arrays in (("images", images), ("masks", masks)):
        (folder / name).mkdir(parents=True)
        for number, array in enumerate(arrays):
            Image.fromarray(array).save(folder / name / f"{number:03}.png")


def test_a_small_unet_learns_circles_and_squares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of one shade, so that only their outlines tell them apart. IoU on images that were not learnt is that of NumPy."""
    import netc
    from netc.targets.numpy.run import run

    written(tmp_path / "shapes/train", *drawn(192, 0))
    images, masks = drawn(48, 1)
    written(tmp_path / "shapes/test", images, masks)
    (tmp_path / "unet.net").write_text(UNET)
    assert main(["train", str(tmp_path / "unet.net"), "--out", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    arguments = ["--data", str(tmp_path / "shapes"), "--format", "json"]
    assert main(["evaluate", str(tmp_path / "run"), *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    network = netc.load(tmp_path / "unet.net")
    (name,) = network.program.net.inputs
    weights = network.weights(tmp_path / "run")
    (made,) = run(network.program.net, weights, {name: images[..., None] / np.float32(255)}).values()
    overlaps = [
        ((made.argmax(-1) == k) & (masks == k)).sum() / ((made.argmax(-1) == k) | (masks == k)).sum() for k in range(3)
    ]
    assert [found["iou"], found["iou2"]] == pytest.approx(overlaps[1:], rel=1e-3)
    assert found["mean_iou"] == pytest.approx(np.mean(overlaps), rel=1e-3)
    assert found["mean_iou"] > 0.75


def prepared(folder: Path) -> Any:
    from netc.compiler import compile_source
    from netc.data import prepare
    from netc.syntax.source import Source

    text = "input 8x8x1\nconv 1x1 sigmoid\ntrain { loss binary_crossentropy; optimizer adam }\n"
    return prepare(compile_source(Source("<test>", text)), source=folder, seed=0, batch=8)


def test_black_and_white_are_no_and_yes(tmp_path: Path) -> None:
    masks = np.random.default_rng(0).integers(0, 2, (5, 8, 8)).astype(np.uint8)
    written(tmp_path, masks * 200, masks * 255)
    ((images, labels),) = prepared(tmp_path).test or prepared(tmp_path).train.batches().as_numpy_iterator()
    np.testing.assert_array_equal(labels, (images > 0).astype("float32"))
    palette = Image.fromarray(masks[0])
    palette.putpalette([0, 0, 0, 128, 0, 0])
    palette.save(tmp_path / "masks/000.png")
    assert prepared(tmp_path).train.images == 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda here: (here / "masks/002.png").unlink(), "images/002.png` has no mask of its name"),
        (lambda here: (here / "images/001.png").unlink(), "masks/001.png` has no image of its name"),
        (lambda here: Image.new("L", (8, 9)).save(here / "masks/001.png"), "001.png` is 9x8, and its image 8x8"),
        (lambda here: Image.new("RGB", (8, 8)).save(here / "masks/001.png"), "001.png` is in colour"),
        (lambda here: (here / "masks/001.png").write_bytes(b"none"), "001.png` is not an image that is read"),
        (lambda here: Image.new("L", (9, 8)).save(here / "images/001.png"), "images with masks have one size"),
    ],
)
def test_masks_that_fit_no_image_are_named(change: Any, said: str, tmp_path: Path) -> None:
    from netc.data import DataError

    written(tmp_path, *(np.zeros((4, 8, 8), np.uint8) for _ in range(2)))
    change(tmp_path)
    with pytest.raises(DataError) as error:
        prepared(tmp_path)
    assert said in str(error.value)
