"""Batches, as `tf.data`."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from netc.data import randomness
from netc.data.errors import ShareError, Unfit
from netc.data.labels import Target
from netc.data.pipeline import Pipeline
from netc.data.sources import Images, Part
from netc.data.statistics import Statistics

Tensor = Any
AHEAD = tf.data.AUTOTUNE
AT_ONCE = min(os.cpu_count() or 1, 16)  # batches of files that are read at the same time, at most
FOREVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Stream:
    """Images in batches: one input, or several by name; targets of one output, or of several by name.

    A batch is `(images, labels)`, or the images alone where no targets are wanted: float32 of batch x rows x columns x
    channels (a dictionary by input where the network has several), and the labels as the loss wants them (a dictionary
    by output where it has several). The last batch of an epoch holds what is left.
    """

    part: Part
    pipeline: Pipeline
    targets: tuple[Target, ...]
    batch: int
    seed: int = 0
    training: bool = False
    shuffled: bool = False

    @property
    def images(self) -> int:
        """Images an epoch."""
        return len(self.part)

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return -(-self.images // self.batch)

    @property
    def labels(self) -> NDArray[np.int64] | None:
        """Class numbers of the images, where they have any; for class weights and counts."""
        return self.part.labels

    def batches(self, epoch: int = 0, first: int = 0, worker: int = 0, workers: int = 1) -> tf.data.Dataset:
        """The batches of an epoch (from 0), entered at batch `first`: those before are neither read nor decoded.

        In training the order is a function of (seed, epoch), the augmentation of an image one of (seed, epoch, index
        of the image). Of several workers each gets its share of every batch, one after the other: together they see
        what one alone would. Raises `ShareError` for a batch that leaves one without images.
        """
        return self._dataset(epoch * self.steps + first, (epoch + 1) * self.steps, worker, workers)

    def check_shares(self, workers: int) -> None:
        """Every worker needs a part of every batch, the last one too; raises `ShareError`."""
        if self.batch % workers:
            raise ShareError(
                f"a batch of {self.batch} images cannot be shared out evenly to {workers} workers: "
                f"choose a `batch` that {workers} divides"
            )
        last = self.images % self.batch
        if 0 < last < workers:
            raise ShareError(
                f"the last batch of an epoch has {last} of {self.images:,} images, too few for {workers} workers: "
                "choose another `batch`, or keep others for validation"
            )

    def endless(self, epoch: int = 0, first: int = 0, worker: int = 0, workers: int = 1) -> tf.data.Dataset:
        """The same, going on with the next epoch after the last batch of one, without end."""
        return self._dataset(epoch * self.steps + first, FOREVER, worker, workers)

    def _dataset(self, start: int, stop: int, worker: int, workers: int) -> tf.data.Dataset:
        """Batches from one number to another, counted through all epochs."""
        self.check_shares(workers)

        def pick(number: Any) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
            return self._pick(int(number), worker, workers)

        def picked(number: Tensor) -> tuple[Tensor, Tensor]:
            rows, u = tf.numpy_function(pick, [number], [tf.int64, tf.float32], stateful=False)
            return tf.ensure_shape(rows, [None]), tf.ensure_shape(u, [None, self._draws])

        with tf.device("cpu"):
            order = tf.data.Dataset.range(start, stop).map(picked)
            if all(images.in_memory for images in self.part.inputs.values()):
                return order.map(self._whole, num_parallel_calls=AHEAD).prefetch(AHEAD)
            read = order.interleave(self._one_by_one, cycle_length=AT_ONCE, num_parallel_calls=AHEAD)
            return read.map(self._rest, num_parallel_calls=AHEAD).prefetch(AHEAD)

    # -- which images, with which random numbers ---------------------------------------------------------------

    @cached_property
    def _draws(self) -> int:
        return self.pipeline.draws if self.training else 0

    def _pick(self, number: int, worker: int, workers: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The images of a batch, with `mixup` one more than it gives, and their random numbers."""
        epoch, step = divmod(number, self.steps)
        more = int(self.training and self.pipeline.mixes)
        order = self._order(epoch)
        start, stop = step * self.batch, min((step + 1) * self.batch, len(order))
        low, high = (start + (stop - start) * index // workers for index in (worker, worker + 1))
        rows = np.take(order, np.arange(low, high + more), mode="wrap")
        return rows, randomness.uniform(self.seed, epoch, rows, self._draws)

    @cached_property
    def _order(self) -> Any:
        rows = self.part.rows

        @lru_cache(maxsize=2)  # reading ahead reaches into the next epoch
        def order(epoch: int) -> NDArray[np.int64]:
            return rows[randomness.order(self.seed, epoch, len(rows))] if self.shuffled else rows

        return order

    # -- from there to batches; these functions are traced once ------------------------------------------------

    @cached_property
    def _whole(self) -> Any:
        """Batches from memory."""
        signature = [tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, self._draws])]

        def whole(rows: Tensor, u: Tensor) -> Tensor:
            inputs = {name: images.gather(rows) for name, images in self.part.inputs.items()}
            return self._finished(inputs, rows, u, self.pipeline)

        return tf.function(whole, input_signature=signature, autograph=False)

    @cached_property
    def _apart(self) -> tuple[Pipeline, Pipeline]:
        """The steps for one image, and those for a batch."""
        images = next(iter(self.part.inputs.values()))
        return self.pipeline.split(self.pipeline.apart(images.shape) or 0)

    @cached_property
    def _one_by_one(self) -> Any:
        """Images are read one by one and meet in a batch as soon as they have one size."""
        before, _ = self._apart

        def single(row: Tensor, u: Tensor) -> Tensor:
            inputs = {name: _read(images, row)[None] for name, images in self.part.inputs.items()}
            if before.steps:
                inputs = {name: before.run(image, [], self._drawn(u[None]))[0] for name, image in inputs.items()}
            return {name: image[0] for name, image in inputs.items()}, row, u[before.draws if self._draws else 0 :]

        def batch(rows: Tensor, u: Tensor) -> tf.data.Dataset:
            return tf.data.Dataset.from_tensor_slices((rows, u)).map(single).batch(self.batch + 1)

        return batch

    @cached_property
    def _rest(self) -> Any:
        _, after = self._apart
        return lambda inputs, rows, u: self._finished(inputs, rows, u, after)

    @cached_property
    def _held(self) -> list[Tensor]:
        with tf.init_scope(), tf.device("cpu"):
            return [tf.constant(target.array) for target in self.targets]

    def _drawn(self, u: Tensor) -> Tensor | None:
        return u if self._draws else None

    def _finished(self, inputs: dict[str, Tensor], rows: Tensor, u: Tensor, pipeline: Pipeline) -> Tensor:
        """Raw images through the steps, with their labels."""
        images: Tensor = inputs
        labels = [tf.gather(held, rows) for held in self._held]
        if len(inputs) == 1:
            images, labels = pipeline.run(next(iter(inputs.values())), labels, self._drawn(u), self.targets)
        else:
            labels = [target.encode(each) for target, each in zip(self.targets, labels, strict=True)]
        if not self.targets:
            return images
        named = dict(zip((target.output for target in self.targets), labels, strict=True))
        return images, named if len(named) > 1 else labels[0]


def _read(images: Images, row: Tensor) -> Tensor:
    """One image as a tensor; what cannot be read stops with a message that `as_data_error` knows."""

    def read(index: Any) -> NDArray[np.float32]:
        try:
            return np.ascontiguousarray(images.one(int(index)), np.float32)
        except Unfit as problem:
            raise ValueError(problem.marked()) from None

    return tf.ensure_shape(tf.numpy_function(read, [row], tf.float32, stateful=False), images.shape)


@dataclass(frozen=True, slots=True)
class Datasets:
    """The data of a run. `classes` are the names of the classes in order, () where targets are no classes."""

    classes: tuple[str, ...]
    train: Stream
    validation: Stream | None
    test: Stream | None
    statistics: Statistics
