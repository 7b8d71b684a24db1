"""Pictures to predict: of the size that the network learnt from, or scaled as its images were."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("tensorflow")
pytest.importorskip("PIL")

import numpy as np

from netc.data import DataError, images
from netc.data.statistics import Statistics
from tests.data_samples import pictures, save, spec


def shape_of(program: object, path: Path, **more: object) -> tuple[int, ...]:
    (batch,) = images([path], program, **more).batches()  # type: ignore[arg-type]
    return tuple(batch.shape)


@pytest.mark.parametrize(("rows", "columns"), [(8, 8), (5, 30), (100, 61)])
def test_a_picture_is_scaled_as_the_images_of_the_run_were(rows: int, columns: int, tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", pictures(1, rows, columns)[0])
    assert shape_of(spec('data "x" { resize 10x10; crop 8x8 }'), path) == (1, 8, 8, 1)
    assert shape_of(spec('data "x" { resize 8x8 }'), path, usual=(20, 20, 1)) == (1, 8, 8, 1)


@pytest.mark.parametrize("section", ['data "x"', 'data "x" { crop 8x8 pad=2 }', 'data "x" { pad 2; crop 8x8 }'])
def test_another_size_is_refused_and_both_are_named(section: str, tmp_path: Path) -> None:
    right, wrong = (save(tmp_path / f"{size}.png", pictures(1, size, size + 2)[0]) for size in (8, 12))
    with pytest.raises(DataError) as told:
        images([right, wrong], spec(section), usual=(8, 10, 1))
    said = str(told.value)
    assert "12.png` is 12x14, and the network learnt from images of 8x10" in said
    assert "`resize 8x10` in `data`" in said


def test_a_size_that_fits_by_a_crop_alone_is_not_taken_for_the_right_one(tmp_path: Path) -> None:
    """The middle of a photograph is not what a network for small images was trained on."""
    program = spec('data "x" { crop 8x8 pad=2 }')
    photo = save(tmp_path / "photo.png", pictures(1, 200, 300)[0])
    with pytest.raises(DataError, match=r"photo\.png` is 200x300, and the network learnt from images of 8x8"):
        images([photo], program, usual=(8, 8, 1))


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({}, "needs the statistics of the training images"),
        ({"center": np.zeros((4, 4, 1), np.float32)}, "the statistics of `center` are 4x4x1, and images need 8x8x1"),
        ({"center": np.zeros(8, np.float32)}, "the statistics of `center` are 8, and images need 8x8x1"),
        ({"center": np.full((8, 8, 1), np.nan, np.float32)}, "hold what is no number"),
    ],
)
def test_statistics_of_other_images_are_refused(arrays: dict[str, object], said: str, tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", pictures(1)[0])
    with pytest.raises(DataError, match=said):
        images([path], spec('data "x" { center per_pixel }'), Statistics(arrays))  # type: ignore[arg-type]
