"""Image files, read by Pillow.

Pillow rather than `tf.io`: it honours the rotation that cameras write (EXIF), reads palettes, CMYK, 16 bits and TIFF,
tells a truncated file from a whole one, and its messages can be given the name of the file. It is asked for the listed
formats alone, none of which runs a program.
"""

from __future__ import annotations

import io
import os
import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from netc.data.errors import BROKEN, SHAPE, Unfit, shown, unfit
from netc.data.sources import to_unit
from netc.storage.memory import SHARE, affordable

warnings.filterwarnings("ignore", module="PIL")  # remarks on odd files that it can read

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
READ = "BMP, GIF, JPEG, PNG, PPM, TIFF and WebP"
SUFFIXES = (".bmp", ".gif", ".jpg", ".jpeg", ".png", ".pbm", ".pgm", ".pnm", ".ppm", ".tif", ".tiff", ".webp")
LARGEST = 1 << 26  # pixels of one image: 67 million
LARGE = 1 << 22  # pixels of an image that is decoded alone: a file of a kilobyte can hold it
TRIFLE = 1 << 16  # pixels of an image for which it is not asked how much memory there is
DECODING = 24  # bytes a pixel while it is decoded: as Pillow holds it, turned upright, and as float32
_ONE = Lock()
GREY = ("1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L")
MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_VIRIDIS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)  # EXIF: values that swap rows and columns


@dataclass(frozen=True, slots=True)
class Header:
    """What the head of a file says of its image."""

    rows: int
    columns: int
    grey: bool


Where = str | os.PathLike[str] | bytes  # a path, or the bytes of a file


def header(source: Where, name: str | None = None) -> Header:
    """Size and kind of an image, without reading its pixels. Raises `Unfit` for what is no image that is read."""
    try:
        with _open(source) as image:
            columns, rows = image.size
            turned = image.format in ("JPEG", "MPO", "TIFF", "WEBP") and image.getexif().get(_ORIENTATION) in _TURNED
            grey = image.mode in GREY
    except Unfit:
        raise
    except Exception as error:  # decoders raise whatever a broken file makes them stumble over
        raise _broken(source, name, error) from None
    if rows * columns > LARGEST:
        message = f"{name or _name(source)} has {columns}x{rows} pixels, more than the {LARGEST:,} that are read"
        raise unfit(BROKEN, message, "scale it down, or take it away")
    return Header(columns, rows, grey) if turned else Header(rows, columns, grey)


def decode(source: Where, channels: int, name: str | None = None) -> NDArray[np.float32]:
    """The pixels of an image, rows x columns x channels from 0 to 1, upright. Raises `Unfit`.

    Of an animation it is the first picture. Opacity is dropped unless 2 or 4 channels are asked for.
    """
    head = header(source, name)
    pixels = head.rows * head.columns
    if pixels > TRIFLE and pixels * DECODING > SHARE * affordable():
        message = f"{name or _name(source)} has {head.columns}x{head.rows} pixels, more than fit into memory"
        raise unfit(BROKEN, message, "scale it down, or take it away")
    try:
        with _ONE if pixels > LARGE else nullcontext(), _open(source) as image:
            image.load()
            return _pixels(ImageOps.exif_transpose(image), channels)
    except Exception as error:
        raise _broken(source, name, error) from None


def mask(source: Where, sizes: tuple[int, int]) -> NDArray[np.uint8]:
    """The class numbers of a mask, rows x columns: grey values or numbers of a palette, black and white as 0 and 1.
    Raises `Unfit` for colours, and for another size than that of its image."""
    head = header(source)
    if (head.rows, head.columns) != sizes:
        here, there = f"{head.rows}x{head.columns}", f"{sizes[0]}x{sizes[1]}"
        raise unfit(SHAPE, f"{_name(source)} is {here}, and its image {there}", "a mask has the size of its image")
    try:
        with _open(source) as image:
            image.load()
            upright = ImageOps.exif_transpose(image)
            if upright.mode not in ("1", "L", "P"):
                help = "a mask holds a class number a pixel: grey values from 0, or a palette"
                raise unfit(BROKEN, f"{_name(source)} is in colour or of more than 8 bits ({upright.mode})", help)
            found = np.asarray(upright).astype(np.uint8)
    except Unfit:
        raise
    except Exception as error:
        raise _broken(source, None, error) from None
    return np.minimum(found, 1) if set(np.unique(found)) <= {0, 255} else found


def scaled(source: Where, rows: int, columns: int, channels: int) -> bytes:
    """An image as the PNG of one of another size, as it is scaled for a network. Raises `Unfit`."""
    pixels = decode(source, channels)
    image = Image.fromarray(np.round(pixels * 255).astype(np.uint8).squeeze(), MODES[channels])
    return _png(image.resize((columns, rows), Image.Resampling.BILINEAR))


def coloured(values: NDArray[np.float32], largest: int) -> bytes:
    """A map of values as a PNG at most `largest` pixels long, from dark blue for the smallest to yellow for the largest
    (the stops of Matplotlib's viridis)."""
    low, high = float(values.min()), float(values.max())
    share = (values - low) / (high - low or 1.0)
    stops = np.linspace(0, 1, len(_VIRIDIS))
    hues = np.stack([np.interp(share, stops, [stop[at] for stop in _VIRIDIS]) for at in range(3)], axis=-1)
    image = Image.fromarray(np.round(hues).astype(np.uint8), "RGB")
    image.thumbnail((largest, largest), Image.Resampling.BOX)
    return _png(image)


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return file.getvalue()


def _pixels(image: Image.Image, channels: int) -> NDArray[np.float32]:
    if image.mode.startswith("I") or image.mode == "F":
        pixels: NDArray[Any] = np.asarray(image)
        deep = pixels.astype(np.float32) / np.float32(1 if image.mode == "F" else 65535)
        grey = deep[..., None]
        if channels in (1, 3):
            return np.repeat(grey, channels, axis=2)
        return np.concatenate([np.repeat(grey, channels - 1, axis=2), np.ones_like(grey)], axis=2)
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    found = np.asarray(image.convert(MODES[channels]))
    return to_unit(found if found.ndim == 3 else found[..., None])


def _open(source: Where) -> Image.Image:
    Image.preinit()  # the formats that most files have; Pillow loads all others when it meets one
    if isinstance(source, bytes):
        return Image.open(io.BytesIO(source), formats=FORMATS)
    if not os.path.isfile(source):  # a pipe would wait for ever
        raise unfit(BROKEN, f"{shown(source)} is not a file")
    return Image.open(source, formats=FORMATS)


def _name(source: Where) -> str:
    return "an image" if isinstance(source, bytes) else shown(source)


def _broken(source: Where, name: str | None, error: Exception) -> Unfit:
    name = name or _name(source)
    if isinstance(error, PermissionError | FileNotFoundError):
        return unfit(BROKEN, f"cannot read {name}: {(error.strerror or 'it cannot be read').lower()}")
    if isinstance(error, UnidentifiedImageError):
        empty = not isinstance(source, bytes) and os.path.getsize(source) == 0
        what = "is empty" if empty else "is not an image that is read"
        return unfit(BROKEN, f"{name} {what}", f"images are {READ}; take other files away")
    if isinstance(error, Image.DecompressionBombError):
        return unfit(BROKEN, f"{name} has more than the {LARGEST:,} pixels that are read", "scale it down")
    said = str(error) or type(error).__name__
    return unfit(BROKEN, f"{name} is broken: {said[0].lower() + said[1:]}", "replace it, or take it away")
