"""Batches, as `tf.data`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from netc.data import randomness
from netc.data.errors import Unfit
from netc.data.labels import Target
from netc.data.pipeline import Pipeline
from netc.data.sources import Images, Part
from netc.data.statistics import Statistics

Tensor = Any
AHEAD = tf.data.AUTOTUNE


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
        of the image). Of several workers each gets its share of every batch, one behind the other: together they see
        what one alone would.
        """
        if self.batch % workers:
            raise ValueError(f"a batch of {self.batch} images cannot be shared out evenly to {workers} workers")
        rows, size = self._rows(epoch, first, worker, workers)
        u = None
        if self.training and self.pipeline.draws:
            u = randomness.uniform(self.seed, epoch, rows, self.pipeline.draws)
        read = self._from_memory if self._in_memory else self._one_by_one
        return read(rows, u, size).prefetch(AHEAD)

    def _rows(self, epoch: int, first: int, worker: int, workers: int) -> tuple[NDArray[np.int64], list[int]]:
        """The images in the order they are read, and how many each batch reads: with `mixup` one more than it gives."""
        rows = self.part.rows
        if self.shuffled:
            rows = rows[randomness.order(self.seed, epoch, len(rows))]
        more = int(self.training and self.pipeline.mixes)
        circle = np.concatenate([rows, rows[:more]])
        read, sizes = [], []
        for step in range(first, self.steps):
            start, stop = step * self.batch, min((step + 1) * self.batch, len(rows))
            low, high = (start + (stop - start) * index // workers for index in (worker, worker + 1))
            read.append(circle[low : high + more])
            sizes.append(high - low + more)
        return np.concatenate(read) if read else rows[:0], sizes

    # -- reading ----------------------------------------------------------------------------------------------

    @cached_property
    def _in_memory(self) -> bool:
        return all(images.in_memory for images in self.part.inputs.values())

    def _from_memory(self, rows: NDArray[np.int64], u: NDArray[np.float32] | None, sizes: list[int]) -> Tensor:
        """Whole batches are gathered at once."""
        with tf.device("cpu"):
            ends = tf.constant(np.cumsum([0, *sizes]), tf.int64)
            order = tf.constant(rows, tf.int64)
            drawn = tf.zeros([len(rows), 0]) if u is None else tf.constant(u)

        def pick(step: Tensor) -> tuple[Tensor, Tensor]:
            return order[ends[step] : ends[step + 1]], drawn[ends[step] : ends[step + 1]]

        return tf.data.Dataset.range(len(sizes)).map(pick).map(self._whole, num_parallel_calls=AHEAD)

    def _one_by_one(self, rows: NDArray[np.int64], u: NDArray[np.float32] | None, sizes: list[int]) -> Tensor:
        """Images are read one by one and meet in batches as soon as they have one size."""
        with tf.device("cpu"):
            drawn = np.zeros((len(rows), 0), np.float32) if u is None else u
            found = tf.data.Dataset.from_tensor_slices((rows, drawn)).map(self._single, num_parallel_calls=AHEAD)
        return found.batch(max(sizes, default=1)).map(self._rest, num_parallel_calls=AHEAD)

    # -- functions that are traced once -----------------------------------------------------------------------

    @cached_property
    def _held(self) -> list[Tensor]:
        with tf.device("cpu"):
            return [tf.constant(target.array) for target in self.targets]

    @cached_property
    def _whole(self) -> Any:
        signature = [tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, self.pipeline.draws * self.training])]

        def whole(rows: Tensor, u: Tensor) -> Tensor:
            inputs = {name: images.gather(rows) for name, images in self.part.inputs.items()}
            return self._finished(inputs, rows, u, self.pipeline)

        return tf.function(whole, input_signature=signature, autograph=False)

    @cached_property
    def _apart(self) -> tuple[Pipeline, Pipeline]:
        """The steps for one image, and those for a batch."""
        at = 0
        for images in self.part.inputs.values():
            at = self.pipeline.apart(images.shape) or 0
        return self.pipeline.split(at)

    @cached_property
    def _single(self) -> Any:
        before, _ = self._apart

        def single(row: Tensor, u: Tensor) -> Tensor:
            inputs = {}
            for name, images in self.part.inputs.items():
                image = _read(images, row)[None]
                image, _ = before.run(image, [], u[None] if self._drawing else None)
                inputs[name] = image[0]
            return inputs, row, u[before.draws if self._drawing else 0 :]

        return single

    @cached_property
    def _rest(self) -> Any:
        _, behind = self._apart
        return lambda inputs, rows, u: self._finished(inputs, rows, u, behind)

    @property
    def _drawing(self) -> bool:
        return self.training and self.pipeline.draws > 0

    def _finished(self, inputs: dict[str, Tensor], rows: Tensor, u: Tensor, pipeline: Pipeline) -> Tensor:
        """Batches of raw images through the steps, with their labels."""
        labels = [target.encode(tf.gather(held, rows)) for target, held in zip(self.targets, self._held, strict=True)]
        if len(inputs) == 1:
            images, labels = pipeline.run(next(iter(inputs.values())), labels, u if self._drawing else None)
        else:
            images = inputs
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

    image = tf.numpy_function(read, [row], tf.float32, stateful=False)
    return tf.ensure_shape(image, images.shape)


@dataclass(frozen=True, slots=True)
class Datasets:
    """The data of a run. `classes` are the names of the classes in order, () where targets are no classes."""

    classes: tuple[str, ...]
    train: Stream
    validation: Stream | None
    test: Stream | None
    statistics: Statistics

    def __iter__(self) -> Iterator[Stream | None]:
        """Training, validation and test images, to be unpacked."""
        return iter((self.train, self.validation, self.test))
