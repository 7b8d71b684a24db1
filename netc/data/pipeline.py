"""The steps of a `data` section in order, as functions of batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from netc.data.labels import REAL, Target
from netc.data.statistics import Moments, Statistics, needed, whitening
from netc.data.transforms import TRANSFORMS, beta, blend, follow
from netc.ir.shape import Shape
from netc.sections.preprocessing import ZCA, Center, Mixup, Scale, Step

Tensor = Any
Batches = Callable[["Pipeline"], Any]  # the training images, in batches, after a pipeline without chance


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The steps, with the statistics that they need."""

    steps: Sequence[Step]
    statistics: Statistics

    @property
    def draws(self) -> int:
        """Random numbers an image."""
        return sum(map(_draws, self.steps))

    @property
    def mixes(self) -> bool:
        """Whether images are blended with others."""
        return any(isinstance(step, Mixup) for step in self.steps)

    def apart(self, shape: Shape) -> int | None:
        """How many steps have to be run image by image, until all images have one size. None if they never have."""
        for done, step in enumerate(self.steps):
            if None not in shape:
                return done
            shape = step.shape(shape)
        return None if None in shape else len(self.steps)

    def shape(self, shape: Shape) -> Shape:
        """Shape of an image after all steps."""
        for step in self.steps:
            shape = step.shape(shape)
        return shape

    def split(self, at: int) -> tuple[Pipeline, Pipeline]:
        """The first steps, and the others."""
        return Pipeline(self.steps[:at], self.statistics), Pipeline(self.steps[at:], self.statistics)

    def run(
        self, images: Tensor, labels: Sequence[Tensor], u: Tensor | None, targets: Sequence[Target] = ()
    ) -> tuple[Tensor, list[Tensor]]:
        """A batch through the steps; without `u` as in evaluation. `labels` are rows of the arrays of `targets`, and
        come out as losses want them: those a pixel go where their pixels go.

        In training a `mixup` takes one image more than it gives: each is blended with the one after it.
        """
        column, mixed, encoded = 0, list(labels), False
        for step in self.steps:
            drawn = None if u is None else u[:, column : column + _draws(step)]
            column += _draws(step)
            if isinstance(step, Mixup):
                if drawn is not None:
                    mixed, encoded = [one.encode(each) for one, each in zip(targets, mixed, strict=True)], True
                    share = beta(step.alpha, drawn[:-1, 0])
                    images, *mixed = (blend(tensor[:-1], tensor[1:], share) for tensor in (images, *mixed))
                    u = u[:-1]  # type: ignore[index]
                continue
            images = self._one(step, images, drawn)
            mixed = [
                follow(step, each, drawn, one.form == REAL) if one.placed else each
                for one, each in zip(targets, mixed, strict=True)
            ]
        if not encoded:
            mixed = [one.encode(each) for one, each in zip(targets, mixed, strict=True)]
        return images, mixed

    def _one(self, step: Step, images: Tensor, drawn: Tensor | None) -> Tensor:
        if isinstance(step, Center | Scale):
            return _standardised(step, images, self._constant(step))
        if isinstance(step, ZCA):
            mean, matrix = (tf.constant(self.statistics.arrays[name]) for name in ("zca_mean", "zca"))
            flat = tf.reshape(images - mean, [-1, int(np.prod(mean.shape))])
            return tf.reshape(flat @ matrix, tf.shape(images))
        return TRANSFORMS[type(step)].function(step, images, drawn)

    def _constant(self, step: Center | Scale) -> Tensor | None:
        if step.how == "samplewise":
            return None
        given = np.asarray(step.values, np.float32) if step.values else self.statistics.arrays[step.name]
        return tf.constant(given)


def _draws(step: Step) -> int:
    if isinstance(step, Mixup):
        return 1
    return TRANSFORMS[type(step)].draws if type(step) in TRANSFORMS else 0


def _standardised(step: Center | Scale, images: Tensor, array: Tensor | None) -> Tensor:
    if array is None:
        mean = tf.reduce_mean(images, [1, 2, 3], keepdims=True)
        if isinstance(step, Center):
            return images - mean
        array = tf.sqrt(tf.reduce_mean(tf.square(images - mean), [1, 2, 3], keepdims=True))
        array = tf.where(array > np.finfo(np.float32).eps, array, tf.ones_like(array))
    return images - array if isinstance(step, Center) else images / array


def computed(steps: Sequence[Step], batches: Batches) -> Statistics:
    """The statistics that steps need, each on the training images as the steps above it leave them without chance.

    A `center` and a `scale` that stand together take one pass over the images; `zca` takes another.
    """
    arrays: dict[str, NDArray[np.float32]] = {}
    moments: Moments | None = None
    for index, step in enumerate(steps):
        above = Pipeline(steps[:index], Statistics(arrays))
        if not needed(step):
            moments = None
            continue
        if moments is None:
            moments = Moments.of(batches(above))
        if isinstance(step, ZCA):
            arrays["zca_mean"] = moments.center("per_pixel").astype(np.float32)
            arrays["zca"] = whitening(batches(above), moments.center("per_pixel"), step.epsilon)
            moments = None
            continue
        assert isinstance(step, Center | Scale)
        found = moments.center(step.how) if isinstance(step, Center) else moments.deviation(step.how)
        arrays[step.name] = found.astype(np.float32)
        moments = moments.after(step, found)
    return Statistics(arrays)
