"""What each step of `data` does to a batch of images: float32 tensors of batch x rows x columns x channels.

A random step reads its numbers from `u`, in [0, 1), a row an image and a column a draw, and makes no others; without
`u` it does what it does in evaluation. A whole batch goes through each operation at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from netc.sections.preprocessing import (
    LUMA,
    Blur,
    Channels,
    Crop,
    Cutout,
    Flip,
    Jitter,
    Pad,
    Resize,
    Rotate,
    Shift,
    Step,
)

Tensor = Any  # TensorFlow has no types
Function = Callable[[Any, Tensor, Tensor | None], Tensor]
F = TypeVar("F", bound=Function)

QUANTILES = 4096


@dataclass(frozen=True, slots=True)
class Transform:
    """A step as a function of the step, the images and their random numbers, of which it takes `draws` an image."""

    draws: int
    function: Function


TRANSFORMS: dict[type[Step], Transform] = {}


def _transform(step: type[Step], draws: int = 0) -> Callable[[F], F]:
    def register(function: F) -> F:
        TRANSFORMS[step] = Transform(draws, function)
        return function

    return register


def _wide(numbers: Tensor) -> Tensor:
    """One number an image, ready to meet its pixels."""
    return numbers[:, None, None, None]


def _between(u: Tensor, low: float, high: float) -> Tensor:
    return low + u * (high - low)


def _sizes(images: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns, as numbers where they are known."""
    dynamic = tf.shape(images)
    rows, columns = images.shape[1:3]
    return (dynamic[1] if rows is None else rows), (dynamic[2] if columns is None else columns)


def _padded(images: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    return tf.pad(images, [[0, 0], [rows, rows], [columns, columns], [0, 0]])


def _window(images: Tensor, top: Tensor, left: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """A window of each image, at a corner of its own."""
    found = tf.gather(images, top[:, None] + tf.range(rows)[None], axis=1, batch_dims=1)
    return tf.gather(found, left[:, None] + tf.range(columns)[None], axis=2, batch_dims=1)


def _pick(u: Tensor, count: Tensor) -> Tensor:
    """Integers from 0 to count - 1."""
    return tf.minimum(tf.cast(u * tf.cast(count, tf.float32), tf.int32), count - 1)


# -- sizes and channels ---------------------------------------------------------------------------------------


@_transform(Resize)
def _resize(step: Resize, images: Tensor, u: Tensor | None) -> Tensor:
    """Scaling down takes the mean of what becomes one pixel (as Pillow does), `nearest` none."""
    smooth = step.method in ("bilinear", "bicubic")
    return tf.image.resize(images, step.to, method=step.method, antialias=smooth)


@_transform(Crop, draws=2)
def _crop(step: Crop, images: Tensor, u: Tensor | None) -> Tensor:
    rows, columns = step.to
    if u is None or step.where == "central":
        high, wide = _sizes(images)
        top, left = (high - rows) // 2, (wide - columns) // 2
        return images[:, top : top + rows, left : left + columns]
    images = _padded(images, step.pad, step.pad)
    high, wide = _sizes(images)
    return _window(images, _pick(u[:, 0], high - rows + 1), _pick(u[:, 1], wide - columns + 1), rows, columns)


@_transform(Pad)
def _pad(step: Pad, images: Tensor, u: Tensor | None) -> Tensor:
    return _padded(images, *step.by)


@_transform(Channels)
def _channels(step: Channels, images: Tensor, u: Tensor | None) -> Tensor:
    """Grey is the luma of ITU-R BT.601; opacity is dropped, and complete where it is added."""
    before = images.shape[-1]
    colour = images[..., :3] if before in (3, 4) else images[..., :1]
    if step.count < 3:
        grey = colour if colour.shape[-1] == 1 else tf.linalg.matvec(colour, tf.constant(LUMA))[..., None]
        return grey if step.count == 1 else tf.concat([grey, _opacity(images)], -1)
    colour = tf.repeat(colour, 3, axis=-1) if colour.shape[-1] == 1 else colour
    colour = tf.reverse(colour, [-1]) if step.order == "bgr" else colour
    return colour if step.count == 3 else tf.concat([colour, _opacity(images)], -1)


def _opacity(images: Tensor) -> Tensor:
    return images[..., -1:] if images.shape[-1] in (2, 4) else tf.ones_like(images[..., :1])


# -- geometry -------------------------------------------------------------------------------------------------


@_transform(Flip, draws=2)
def _flip(step: Flip, images: Tensor, u: Tensor | None) -> Tensor:
    if u is None:
        return images
    for column, axis in ((0, 2), (1, 1)):
        if step.direction in ("both", "horizontal" if axis == 2 else "vertical"):
            images = tf.where(_wide(u[:, column] < step.p), tf.reverse(images, [axis]), images)
    return images


@_transform(Rotate, draws=2)
def _rotate(step: Rotate, images: Tensor, u: Tensor | None, interpolation: str = "BILINEAR") -> Tensor:
    """About the centre, counter-clockwise; what comes in from outside is zero."""
    if u is None:
        return images
    angle = _between(u[:, 1], -step.angle, step.angle) * (np.pi / 180)
    angle = tf.where(u[:, 0] < step.p, angle, tf.zeros_like(angle))
    high, wide = _sizes(images)
    cos, sin, none = tf.cos(angle), tf.sin(angle), tf.zeros_like(angle)
    x, y = (tf.cast(size - 1, tf.float32) / 2 for size in (wide, high))
    # A pixel (x, y) of the result is read at (cos x - sin y + a, sin x + cos y + b), the centre staying where it is.
    matrix = tf.stack([cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y, none, none], 1)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=matrix,
        output_shape=tf.stack([high, wide]),
        fill_value=0.0,
        interpolation=interpolation,
        fill_mode="CONSTANT",
    )


@_transform(Shift, draws=3)
def _shift(step: Shift, images: Tensor, u: Tensor | None) -> Tensor:
    """By whole pixels, so that nothing is blurred."""
    if u is None:
        return images
    high, wide = _sizes(images)
    moved = u[:, 0] < step.p
    down, right = (tf.cast(tf.floor(step.share * tf.cast(size, tf.float32)), tf.int32) for size in (high, wide))
    top, left = (tf.where(moved, _pick(u[:, column], 2 * most + 1), most) for column, most in ((1, down), (2, right)))
    return _window(_padded(images, down, right), top, left, high, wide)


@_transform(Blur, draws=2)
def _blur(step: Blur, images: Tensor, u: Tensor | None) -> Tensor:
    """The weights of what lies outside fall away, so that borders do not darken."""
    if u is None:
        return images
    sigma = u[:, 1] * step.sigma
    blurred = u[:, 0] < step.p
    high, wide = _sizes(images)
    images = tf.einsum("bij,bjwc->biwc", _gaussian(high, sigma, blurred), images)
    return tf.einsum("bij,bhjc->bhic", _gaussian(wide, sigma, blurred), images)


def _gaussian(size: Tensor, sigma: Tensor, blurred: Tensor) -> Tensor:
    """For each image the matrix that blurs a line of pixels: each row sums to 1."""
    at = tf.range(tf.cast(size, tf.float32))
    distance = tf.square(at[:, None] - at[None, :])
    sigma = tf.maximum(sigma, 1e-3)  # a width of 0 leaves the image as it is
    weights = tf.exp(-distance[None] / (2 * tf.square(sigma))[:, None, None])
    weights /= tf.reduce_sum(weights, 2, keepdims=True)
    return tf.where(blurred[:, None, None], weights, tf.eye(size)[None])


@_transform(Cutout, draws=3)
def _cutout(step: Cutout, images: Tensor, u: Tensor | None) -> Tensor:
    """The centre lies anywhere in the image, so that a part of the square may lie outside."""
    if u is None:
        return images
    inside = []
    for column, size, hole in zip((1, 2), _sizes(images), step.hole, strict=True):
        first = _pick(u[:, column], size) - hole // 2
        at = tf.range(size)[None]
        inside.append((at >= first[:, None]) & (at < first[:, None] + hole))
    hole = inside[0][:, :, None] & inside[1][:, None, :] & (u[:, 0] < step.p)[:, None, None]
    return tf.where(hole[..., None], tf.zeros_like(images), images)


# -- targets a pixel -------------------------------------------------------------------------------------------


def follow(step: Step, targets: Tensor, u: Tensor | None, between: bool) -> Tensor:
    """Targets a pixel, batch x rows x columns (x channels), where a step moves the pixels of their images. Where there
    is nothing `between` two of them, as between classes, each pixel takes the nearest; what comes in is 0."""
    if not step.moves:
        return targets
    wide = tf.cast(targets if len(targets.shape) == 4 else targets[..., None], tf.float32)
    if isinstance(step, Rotate) and not between:
        moved = _rotate(step, wide, u, "NEAREST")
    elif isinstance(step, Resize) and not between:
        moved = _resize(replace(step, method="nearest"), wide, u)
    else:
        moved = TRANSFORMS[type(step)].function(step, wide, u)
    return tf.cast(moved if len(targets.shape) == 4 else moved[..., 0], targets.dtype)


# -- colour ---------------------------------------------------------------------------------------------------


@_transform(Jitter, draws=4)
def _jitter(step: Jitter, images: Tensor, u: Tensor | None) -> Tensor:
    """Brightness, contrast, saturation, hue, in this order; all linear, and nothing is clipped.

    Contrast moves away from the mean grey of the image, saturation from the grey of each pixel, and hue turns the
    colours about the axis of greys, in YIQ, which leaves their luma as it is.
    """
    if u is None:
        return images
    images *= _wide(_between(u[:, 0], 1 - step.brightness, 1 + step.brightness))
    if step.contrast:
        mean = tf.reduce_mean(_grey(images), [1, 2, 3], keepdims=True)
        images = mean + (images - mean) * _wide(_between(u[:, 1], 1 - step.contrast, 1 + step.contrast))
    if step.saturation:
        grey = _grey(images)
        images = grey + (images - grey) * _wide(_between(u[:, 2], 1 - step.saturation, 1 + step.saturation))
    if step.hue:
        images = tf.einsum("bij,bhwj->bhwi", _turned(_between(u[:, 3], -step.hue, step.hue)), images)
    return images


def _grey(images: Tensor) -> Tensor:
    return images if images.shape[-1] != 3 else tf.linalg.matvec(images, tf.constant(LUMA))[..., None]


YIQ = np.array([LUMA, (0.596, -0.274, -0.322), (0.211, -0.523, 0.312)], np.float32)  # NTSC 1953


def _turned(turns: Tensor) -> Tensor:
    """For each image the matrix that turns its hue."""
    cos, sin = tf.cos(2 * np.pi * turns), tf.sin(2 * np.pi * turns)
    none, one = tf.zeros_like(cos), tf.ones_like(cos)
    rows = [(one, none, none), (none, cos, -sin), (none, sin, cos)]
    turn = tf.stack([tf.stack(row, -1) for row in rows], 1)
    return tf.constant(np.linalg.inv(YIQ)) @ turn @ tf.constant(YIQ)


# -- mixup, which changes labels too --------------------------------------------------------------------------


@cache
def beta_quantiles(alpha: float) -> NDArray[np.float32]:
    """Quantiles of the beta distribution (alpha, alpha) at 0, 1/4096 .. 1, by bisection."""
    with tf.init_scope(), tf.device("cpu"):
        wanted = tf.constant(np.linspace(0, 1, QUANTILES + 1))
        low, high = tf.zeros_like(wanted), tf.ones_like(wanted)
        parameter = tf.fill(wanted.shape, tf.constant(alpha, tf.float64))
        for _ in range(60):
            middle = (low + high) / 2
            below = tf.math.betainc(parameter, parameter, middle) < wanted
            low, high = tf.where(below, middle, low), tf.where(below, high, middle)
        return np.asarray(((low + high) / 2).numpy(), np.float32)


def beta(alpha: float, u: Tensor) -> Tensor:
    """Numbers distributed as the beta distribution (alpha, alpha), between the tabled quantiles linearly."""
    table = tf.constant(beta_quantiles(alpha))
    at = u * QUANTILES
    left = tf.minimum(tf.cast(at, tf.int32), QUANTILES - 1)
    share = at - tf.cast(left, tf.float32)
    return tf.gather(table, left) * (1 - share) + tf.gather(table, left + 1) * share


def blend(first: Tensor, second: Tensor, share: Tensor) -> Tensor:
    """share * first + (1 - share) * second, for one share an image."""
    share = tf.reshape(share, [-1] + [1] * (len(first.shape) - 1))
    return share * first + (1 - share) * second
