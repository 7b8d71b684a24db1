"""What every engine is once it is ready: a function of batches, which are looked at before it gets them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from netc.ir.shape import show_shape
from netc.targets.trace import fitting

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.analysis.sizes.rules import Trial
    from netc.ir.net import Net

    Arrays = Mapping[str, NDArray[Any]]
    Run = Callable[[Arrays], Arrays]


class EngineError(Exception):
    """What an engine does not take, or cannot run. The text is for the user."""


class Engine:
    """A network with its weights, ready to run; `name` says the engine and its version."""

    def __init__(self, name: str, net: Net, run: Run, batch: int | None = None) -> None:
        self.name = name
        self._run = run
        self._net = net
        self._batch = batch
        self._trial: Trial | None = None
        if net.is_open:
            from netc.analysis.sizes.rules import Trial  # noqa: PLC0415 - few networks are open

            self._trial = Trial(net)

    def __call__(self, inputs: Arrays) -> dict[str, NDArray[Any]]:
        """The outputs by their names, batch x shape, channels last, of float32.

        `inputs` are batches of any real numbers by the names of the inputs. Raises ValueError for arrays that do not
        fit, `EngineError` where the engine cannot go on.
        """
        import numpy as np  # noqa: PLC0415 - the names of engines are asked for without

        given = {name: np.ascontiguousarray(array, np.float32) for name, array in inputs.items()}
        self._look(given)
        try:
            return dict(self._run(given))
        except MemoryError:
            raise EngineError(f"{self.name} runs out of memory with {_said(given)}: take a smaller batch") from None

    def _look(self, inputs: Arrays) -> None:
        if unknown := sorted(inputs.keys() - set(self._net.inputs)):
            raise ValueError(f"there is no input {unknown[0]}: expected {', '.join(self._net.inputs)}")
        fitting(self._net, inputs)
        counts = {len(array) for array in inputs.values()}
        if len(counts) > 1 or counts == {0}:
            raise ValueError(f"got batches of {' and '.join(map(str, sorted(counts)))}, expected as many of each input")
        if self._batch is not None and counts != {self._batch}:
            raise ValueError(f"got a batch of {counts.pop()}, and the engine was made for batches of {self._batch}")
        if self._trial is not None:
            shapes = {name: inputs[name].shape[1:] for name in self._trial.inputs}
            if (failure := self._trial.failure_of(shapes)) is not None:
                raise ValueError(f"{_said(inputs)} does not work: {failure.node.name}: {failure.error.message}")


def _said(inputs: Arrays) -> str:
    return ", ".join(show_shape(array.shape) for array in inputs.values())
