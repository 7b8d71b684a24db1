"""The metric of a run, of what any function of batches makes of a stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from netc.precision.forms import named
from netc.sections.lowering import units
from netc.sections.metrics import Accuracy, TopK
from netc.sections.model import loss_of, output_of
from netc.targets.errors import ExportError
from netc.targets.keras.calls import make

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.data.stream import Stream
    from netc.precision.forms import Run
    from netc.program import Program


@dataclass(frozen=True, slots=True)
class Measured:
    """What a metric came to on so many images, with the labels and outputs that it was computed from where there is
    one row of them an image."""

    value: float
    images: int
    labels: NDArray[Any] | None
    outputs: NDArray[Any] | None


class Metric:
    """The first metric of `train` of which more is better, as Keras computes it.

    `counts` says whether it is a share of images, each right or wrong. Raises `ExportError` where there is none.
    """

    def __init__(self, program: Program) -> None:
        train, net, labels = program.sections.train, program.net, program.expansion.labels
        if train is None:
            raise ExportError(
                "the spec has no `train` section: its metric is what may fall by no more than `--max-drop`"
            )
        line = next((line for line in train.metrics if line.value.best == "max"), None)
        output = None if line is None else output_of(line.value.of, net, labels)
        loss = None if output is None else loss_of(program, output)
        if line is None or output is None or loss is None:
            raise ExportError(
                "`train` has no metric that is a share, such as accuracy, which could fall by percentage points"
            )
        self._inputs, self._output = net.inputs, output
        self._single = len(net.shapes[output]) == 1
        self.name = line.value.key
        wide = units(net, output)
        self.counts = self._single and (
            isinstance(line.value, TopK)
            or (isinstance(line.value, Accuracy) and (loss.labels != "binary" or wide == 1))
        )
        self._metric = make(line.value.lower(loss, wide))

    def measure(self, stream: Stream, run: Run) -> Measured:
        """What it comes to on the images of a stream."""
        held: list[tuple[NDArray[Any], NDArray[Any]]] = []
        self._metric.reset_state()
        for images, labels in stream.batches():
            wanted = (labels[self._output] if isinstance(labels, Mapping) else labels).numpy()
            made = run(named(images, self._inputs))[self._output]
            self._metric.update_state(wanted, made)
            if self._single:
                held.append((wanted, made))
        every = [np.concatenate(arrays) for arrays in zip(*held, strict=True)] if held else [None, None]
        return Measured(float(self._metric.result()), stream.images, *every)

    def of(self, labels: NDArray[Any], outputs: NDArray[Any]) -> float:
        """What it comes to on labels and outputs."""
        self._metric.reset_state()
        self._metric.update_state(labels, outputs)
        return float(self._metric.result())
