"""Targets in the form that the loss of each output wants."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from netc.data.errors import CLASSES, SHAPE, unfit
from netc.data.sources import Array, is_classes
from netc.ir.shape import Shape, fits, show_shape
from netc.program import Program
from netc.sections.model import output_of
from netc.sections.preprocessing import Step

Tensor = Any
INTEGER, ONE_HOT, BINARY, REAL, GROUP, NONE = "integer", "one_hot", "binary", "real", "group", "none"
ROUNDING = 1e-2  # of shares that add up to 1


@dataclass(frozen=True, slots=True)
class Target:
    """The targets of one output: an array of the whole set, and to how many classes its numbers are spread out. Where
    they are a pixel of the images they are `placed`, and go where steps move these."""

    output: str
    array: Array
    depth: int = 0
    form: str = ""
    placed: bool = False

    def encode(self, found: Tensor) -> Tensor:
        """A batch of rows of the array as the loss wants it."""
        import tensorflow as tf  # noqa: PLC0415 - seconds

        return tf.one_hot(found, self.depth) if self.depth else found


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an output makes, and the form in which its loss takes labels (`Loss.labels`)."""

    output: str
    label: str  # what a user calls it
    form: str
    shape: Shape


def wanted(program: Program) -> list[Wanted]:
    """What each output wants; class numbers where no loss says otherwise."""
    net, train = program.net, program.sections.train
    forms = {}
    for line in train.losses if train else ():
        forms[output_of(line.value.of, net, program.expansion.labels)] = line.value.labels
    called = {node: label for label, node in program.expansion.labels.items()}
    return [
        Wanted(output, called.get(output, output), forms.get(output, INTEGER), net.shapes[output])
        for output in net.outputs
    ]


@dataclass(frozen=True, slots=True)
class Moving:
    """How the steps of `data` move the pixels of images, of a shape, which targets a pixel have to follow."""

    image: Shape
    steps: Sequence[Step]

    def follows(self, array: Array) -> bool:
        """Whether targets are a pixel of the images."""
        return array.ndim > 2 and array.shape[1:3] == self.image[:2]

    def shape(self, array: Array) -> tuple[int, ...]:
        """The shape of targets after the steps."""
        sizes: Shape = array.shape[1:]
        if not self.follows(array):
            return array.shape[1:]
        image: Shape = (*sizes[:2], 1)
        for step in self.steps:
            image = step.shape(image)
        return (*(size or 0 for size in image[:2]), *array.shape[3:])


def targets(
    outputs: list[Wanted], given: Mapping[str, Array], classes: int, images: int, moving: Moving
) -> list[Target]:
    """The targets of each output, for a set of so many images; raises `Unfit` where they contradict it."""
    found = _targets(outputs, given, classes, images, moving)
    forms = {output.output: output.form for output in outputs}
    return [replace(one, form=forms[one.output], placed=moving.follows(one.array)) for one in found]


def _targets(
    outputs: list[Wanted], given: Mapping[str, Array], classes: int, images: int, moving: Moving
) -> Iterator[Target]:
    for output in outputs:
        if output.form == NONE:
            yield Target(output.output, np.zeros((images, 1), np.float32))
            continue
        array = given.get(output.label, given.get(output.output, given.get("")))
        if array is None:
            have = ", ".join(f"`{name}`" for name in given)
            raise unfit(SHAPE, f"there are no targets for the output `{output.label}`, only {have}")
        yield _classes(output, array, classes) if is_classes(array) else _dense(output, array, moving)


def _classes(output: Wanted, array: Array, classes: int) -> Target:
    """Class numbers, one an image."""
    units = output.shape[-1]
    classes = classes or max(units or 0, 2)  # nobody says how many there are
    if output.form == GROUP:
        classes = max(classes, int(array.max(initial=0)) + 1)
    numbers = _numbers(output, array, classes)
    if len(output.shape) != 1:
        message = f"each image has one label, and the output `{output.label}` is {show_shape(output.shape)}"
        raise unfit(CLASSES, message, "`gap` or `fc` in front of the end makes one prediction an image")
    if output.form == GROUP:
        return Target(output.output, numbers)
    if units == 1 and output.form not in (INTEGER, ONE_HOT):
        if output.form == BINARY and classes != 2:
            raise _count(output, classes)
        return Target(output.output, numbers.astype(np.float32)[:, None])
    if units != classes:
        raise _count(output, classes)
    return Target(output.output, numbers, 0 if output.form == INTEGER else classes)


def _numbers(output: Wanted, array: Array, classes: int) -> Array:
    """Class numbers as TensorFlow takes them; raises `Unfit` for one that is none."""
    if array.size and not 0 <= int(array.min()) <= int(array.max()) < classes:
        found, units = f"from {array.min()} to {array.max()}", output.shape[-1]
        raise unfit(CLASSES, f"class numbers are {found}, and the output `{output.label}` has {units} classes")
    return array.astype(np.int32)


def _count(output: Wanted, classes: int) -> Exception:
    units = output.shape[-1]
    have = f"{classes} class{'es' * (classes != 1)}"
    message = f"the data have {have}, and the network has {units} output{'s' * (units != 1)}"
    help = [f"end the network in `fc {classes}`"] if classes > 1 else []
    if units and units > classes:
        help.append(f"`classes {units}` in `data` says that there are more than appear in it")
    return unfit(CLASSES, message, *help, output=output.output)


def _dense(output: Wanted, array: Array, moving: Moving) -> Target:
    """Targets in the shape of the output, as the steps leave them, or class numbers a position."""
    shape, units = moving.shape(array), output.shape[-1]
    if output.form == GROUP:
        help = "class numbers, one an image, say which belong together: `labels.astype(int)`"
        have = f"{show_shape(shape) if shape else 'a number'} an image"
        message = f"targets of `{output.label}` are {have}, and its loss takes class numbers"
        raise unfit(CLASSES, message, help, output=output.output)
    integers = bool(np.issubdtype(array.dtype, np.integer))
    places = shape[:-1] if shape and shape[-1] == 1 else shape
    if integers and output.form in (INTEGER, ONE_HOT) and fits(places, output.shape[:-1]):
        flat = array.reshape(array.shape[:-1]) if len(places) < len(shape) else array
        numbers = _numbers(output, flat, units or 0)
        return Target(output.output, numbers, 0 if output.form == INTEGER else units or 0)
    if units == 1 and fits(shape, output.shape[:-1]):  # a number an image, a mask without channels
        array, shape = array[..., None], (*shape, 1)
    if not fits(shape, output.shape):
        raise _shape(output, shape, array)
    _check_values(output, array)
    if output.form == INTEGER:
        return Target(output.output, array.argmax(-1).astype(np.int32))
    return Target(output.output, array.astype(np.float32))


def _shape(output: Wanted, shape: tuple[int, ...], array: Array) -> Exception:
    have = show_shape(shape) if shape else "one number an image"
    help = []
    if not shape and output.form in (INTEGER, ONE_HOT) and bool((array == np.round(array)).all()):
        help.append("class numbers are integers: `labels.astype(int)`")
    message = f"targets are {have}, and the output `{output.label}` is {show_shape(output.shape)}"
    return unfit(SHAPE, message, *help, output=output.output)


def _check_values(output: Wanted, array: Array) -> None:
    """Numbers that the loss gives a meaning to: Keras computes with any, and the network learns nonsense."""
    if output.form == REAL or not array.size:
        return
    low, high = array.min(), array.max()
    if not 0 <= low <= high <= 1:
        help = "bytes that stand for 0 and 1 are divided by 255, and -1 and 1 are written as 0 and 1"
        message = f"targets of `{output.label}` are from {low:g} to {high:g}, and its loss takes 0 to 1"
        raise unfit(CLASSES, message, help, output=output.output)
    if output.form == BINARY:
        return
    sums = array.sum(-1, dtype=np.float64)
    wrong = np.flatnonzero(abs(sums - 1).reshape(len(array), -1).max(-1) > ROUNDING)
    if wrong.size:
        index = int(wrong[0])
        help = "where several classes, or none, can be right: end in `sigmoid`, with `loss binary_crossentropy`"
        found = sums[index].flat[abs(sums[index] - 1).argmax()]
        message = f"targets of `{output.label}` are shares of classes, and those of image {index} add up to {found:g}"
        raise unfit(CLASSES, message, help, output=output.output)
    if output.form == INTEGER and array.max(-1).min() < 1 - ROUNDING:
        message = f"targets of `{output.label}` are shares of classes, and its loss takes class numbers"
        raise unfit(CLASSES, message, "`categorical_crossentropy` takes shares", output=output.output)
