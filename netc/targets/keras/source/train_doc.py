"""The docstring of the emitted `train`: what it is given, and what the spec asks of the data."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from netc.ir.shape import show_shape
from netc.program import Program
from netc.sections.data_sets import DataSet
from netc.sections.model import Data, output_of
from netc.targets.keras.source.comments import WIDTH, clean

LABELS = {
    "one_hot": "one-hot",
    "integer": "class numbers",
    "binary": "0 or 1 for each unit",
    "real": "numbers",
    "group": "class numbers",
    "none": "zeros, which nothing is compared with,",
}  # as losses want them


def describe(program: Program, arguments: Sequence[str]) -> list[str]:
    """The lines, wrapped; `arguments` are those besides `data` and `validation`, with their meaning."""
    known = [
        f"data: a pair (images, labels) of arrays, or a `tf.data.Dataset` of batches of such pairs. {_ends(program)}",
        "validation: the same, to validate on.",
        *arguments,
    ]
    text = ["Train a new model as the spec says and return it; its `history` holds the log.", ""]
    data = program.sections.data
    if data is not None:
        text += [*_wrapped(_preparation(data)), ""]
    return [*text, "Args:", *(line for argument in known for line in _wrapped(argument, 4))]


def _wrapped(text: str, indent: int = 0) -> list[str]:
    """Lines that fit a docstring inside a function; those after the first stand further in below `Args:`."""
    further = " " * (2 * indent)
    return wrap(text, WIDTH - 4, initial_indent=" " * indent, subsequent_indent=further, break_long_words=False)


def _ends(program: Program) -> str:
    """Shapes of the images, and how each output's labels come."""
    net, train = program.net, program.sections.train
    assert train is not None
    images = " and ".join(show_shape(net.shapes[name]) for name in net.inputs)
    kinds = {output_of(line.value.of, net, program.expansion.labels): line.value.labels for line in train.losses}
    if len(net.outputs) == 1:
        shape = show_shape(net.shapes[net.outputs[0]])
        return f"Images are {images}, labels {LABELS[kinds[net.outputs[0]]]} (the output is {shape})."
    each = ", ".join(f"{LABELS[kinds[output]]} for {output}" for output in net.outputs if output in kinds)
    return f"Images are {images}; labels are a tuple of arrays, one an output: {each}."


def _preparation(data: Data) -> str:
    """What the `data` section says, which is the caller's to do."""
    name = "the caller's own" if data.source is None else clean(str(data.source))
    if isinstance(data.source, DataSet):
        name = f"{data.source.name} ({data.source.doc})"
    steps = "; ".join(clean(line.span.text) for line in data.lines)
    return f"The spec's data, which the caller prepares: {name}{': ' if steps else ''}{steps}."
