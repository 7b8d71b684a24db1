"""Whether images, the steps of `data` and the network fit each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from netc.data.errors import BROKEN, MISSING, SHAPE, unfit
from netc.data.files import Files
from netc.data.sources import Images, Part
from netc.data.statistics import Statistics, arrays_of, needed
from netc.ir.shape import Shape, fits, show_shape
from netc.params import Refused
from netc.program import Program
from netc.sections.preprocessing import Channels, Scale, Step


def check_images(program: Program, steps: Sequence[Step], part: Part) -> None:
    """The images against the inputs of the network, after the steps."""
    net = program.net
    if not len(part):
        raise unfit(MISSING, "there are no images")
    names = net.inputs if "" in part.inputs else list(part.inputs)
    if len(net.inputs) != len(part.inputs) or set(names) != set(net.inputs):
        have = f"{len(part.inputs)} set{'s' * (len(part.inputs) != 1)} of images"
        raise unfit(SHAPE, f"the data hold {have}, and the network takes {', '.join(net.inputs)}")
    if len(net.inputs) > 1 and steps:
        raise unfit(SHAPE, "the steps of `data` are for networks of one input", about=steps[0].name)
    for name, images in zip(names, part.inputs.values(), strict=True):
        wanted = net.shapes[name]
        shapes = set(shapes_of(images))
        for index, step in enumerate(steps):
            if needed(step) and len({shape_after(shape, steps[:index]) for shape in shapes}) > 1:
                message = f"`{step.name}` needs images of one size to compute statistics of"
                raise unfit(SHAPE, message, f"put `resize` above `{step.name}`", about=step.name)
        shapes = {shape_after(shape, steps) for shape in shapes}
        if len(shapes) > 1:
            some, others = min(shapes, key=str), max(shapes, key=str)
            one = show_shape(wanted[:2]) if len(wanted) == 3 and None not in wanted else "224x224"
            message = f"images have different sizes, such as {show_shape(some)} and {show_shape(others)}"
            raise unfit(SHAPE, message, f"`resize {one}` in `data` gives all of them one size")
        for shape in shapes:
            if not fits(shape, wanted):
                _refuse(shape, wanted, name)


def shapes_of(images: Images) -> Iterator[Shape]:
    """The shapes that images have, each once."""
    if isinstance(images, Files):
        yield from ((*size, images.channels) for size in images.sizes)
    else:
        yield images.shape


def shape_after(shape: Shape, steps: Sequence[Step]) -> Shape:
    """The shape of an image after the steps."""
    for step in steps:
        try:
            shape = step.shape(shape)
        except Refused as error:
            raise unfit(error.code, error.message, *error.help, about=step.name) from None
    return shape


def _refuse(shape: Shape, wanted: Shape, name: str) -> None:
    help = []
    if len(wanted) == len(shape) == 3:
        if shape[:2] != wanted[:2] and None not in wanted[:2]:
            help.append(f"`resize {show_shape(wanted[:2])}` in `data` scales them")
        if shape[-1] != wanted[-1]:
            help.append(f"`channels {wanted[-1]}` in `data` converts them")
    message = f"images come as {show_shape(shape)}, and the network takes {show_shape(wanted)}"
    raise unfit(SHAPE, message, *help, output=name)


def check_statistics(steps: Sequence[Step], statistics: Statistics, shape: Shape) -> None:
    """The statistics against images of a shape: those of an earlier run may be of others, and files change."""
    for index, step in enumerate(steps):
        for name, place in arrays_of(step, shape_after(shape, steps[:index])).items():
            array = statistics.arrays.get(name)
            if array is None:
                message = f"`{step.name}` needs the statistics of the training images, and there are none of it"
                raise unfit(MISSING, message, "they lie in the folder of the run", about=step.name)
            if not fits(array.shape, place):
                message = f"the statistics of `{step.name}` are {show_shape(array.shape)}, and images need"
                raise unfit(SHAPE, f"{message} {show_shape(place)}", about=step.name)
            if not np.isfinite(array).all() or (isinstance(step, Scale) and not array.all()):
                raise unfit(BROKEN, f"the statistics of `{step.name}` hold what is no number, or 0", about=step.name)


def channels(program: Program) -> int | None:
    """With how many channels image files are read: as the network takes them, or as they are for `channels`."""
    data, net = program.sections.data, program.net
    converted = [line.value.count for line in data.all(Channels)] if data else []
    if converted:
        return max(converted) if max(converted) in (2, 4) else None
    shape = net.shapes[net.inputs[0]]
    return shape[-1] if len(shape) == 3 and shape[-1] in (1, 2, 3, 4) else None
