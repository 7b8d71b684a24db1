"""Small data for the tests of netc.data, written by the tests themselves."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from netc.compiler import compile_source
from netc.data import prepare
from netc.program import Program
from netc.syntax.source import Source


def spec(data: str = "data", *, image: str = "8x8x1", classes: int = 3, name: str = "<test>", **ends: str) -> Program:
    """A small classifier with a `data` section."""
    end, loss = ends.get("end", f"fc {classes} softmax"), ends.get("loss", "categorical_crossentropy")
    text = f"input {image}\nconv 4x3 relu\ngap\n{end}\n{data}\ntrain {{ loss {loss}; optimizer adam }}\n"
    program = compile_source(Source(name, text))
    assert not program.report.failed, [found.message for found in program.report]
    return program


def pictures(count: int, rows: int = 8, columns: int = 8, channels: int = 1, seed: int = 0) -> np.ndarray[Any, Any]:
    """Random images of bytes."""
    return np.random.default_rng(seed).integers(0, 256, (count, rows, columns, channels), dtype=np.uint8)


def save(path: Path, pixels: np.ndarray[Any, Any], **options: Any) -> Path:
    """Write one image file."""
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(path, **options)
    return path


def folder_of_classes(root: Path, classes: dict[str, int], size: int = 8) -> Path:
    """A folder of PNG images for each class."""
    for number, (name, count) in enumerate(classes.items()):
        for index, pixels in enumerate(pictures(count, size, size, 3, seed=number)):
            save(root / name / f"{index:03}.png", pixels)
    return root


def idx(path: Path, array: np.ndarray[Any, Any]) -> None:
    """Write an idx file, compressed for a name in .gz."""
    head = bytes((0, 0, 8, array.ndim)) + b"".join(size.to_bytes(4, "big") for size in array.shape)
    data = head + array.astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def cifar(path: Path, images: np.ndarray[Any, Any], *labels: np.ndarray[Any, Any]) -> None:
    """Write records of the binary CIFAR sets: the columns of labels, then red, green and blue planes."""
    planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
    path.write_bytes(np.concatenate([*(each[:, None].astype(np.uint8) for each in labels), planes], 1).tobytes())


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
