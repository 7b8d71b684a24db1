"""Early stopping and plateau reduction: Keras' own callbacks, whose counters travel in checkpoints.

Keras saves none of them (`BackupAndRestore` restarts the count), which is why its resumed runs differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from netc.target import Call
from netc.train.record import Count

if TYPE_CHECKING:
    from numpy.typing import NDArray

WEIGHTS = "best_weights"


class Counters(Struct):
    """What a callback remembers; None is what it has not, and a `best` that was not found yet."""

    best: float | None = None
    wait: Count | None = None
    cooldown_counter: Count | None = None
    best_epoch: Count | None = None
    stopped_epoch: Count | None = None


class Monitors:
    """The callbacks that watch a quantity, in the order of the spec."""

    def __init__(self, calls: Iterable[Call], model: Any) -> None:
        from netc.targets.keras.calls import make  # noqa: PLC0415 - imports Keras

        self.model = model
        self.callbacks = [make(call) for call in calls]
        model.stop_training = False
        for callback in self.callbacks:
            callback.set_model(model)
            callback.on_train_begin()

    def epoch_ended(self, epoch: int, quantities: Mapping[str, float]) -> None:
        """Show the callbacks what an epoch (from 0) came to; one that watches what was not measured is passed over."""
        for callback in self.callbacks:
            if callback.monitor in quantities:
                callback.on_epoch_end(epoch, dict(quantities))

    @property
    def stopping(self) -> bool:
        """Whether early stopping wants training to end."""
        return bool(self.model.stop_training)

    def finish(self) -> None:
        """Go back to the best weights where the spec asks for that."""
        for callback in self.callbacks:
            callback.on_train_end()

    def state(self) -> list[Counters]:
        """The counters of each callback."""
        return [_counters(callback) for callback in self.callbacks]

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """The weights that early stopping would go back to."""
        for number, callback in enumerate(self.callbacks):
            for index, array in enumerate(getattr(callback, WEIGHTS, None) or ()):
                yield f"monitor/{number}/{index}", array

    def restore(self, state: Sequence[Counters], arrays: Mapping[str, NDArray[Any]], *, stopping: bool) -> None:
        """Set everything as `state` and `arrays` gave it; raises `ValueError` where they are of another network."""
        self.model.stop_training = stopping
        shapes = [tuple(variable.shape) for variable in self.model.weights]
        for number, (callback, counters) in enumerate(zip(self.callbacks, state, strict=True)):
            for name in counters.__struct_fields__:
                value = getattr(counters, name)
                if hasattr(callback, name) and (value is not None or name == "best"):
                    setattr(callback, name, value)
            names = [f"monitor/{number}/{index}" for index in range(len(shapes))]
            kept = [arrays[name] for name in names if name in arrays]
            if kept and [array.shape for array in kept] != shapes:
                raise ValueError("the weights that early stopping goes back to are of other shapes")
            if kept:
                setattr(callback, WEIGHTS, kept)


def _counters(callback: Any) -> Counters:
    found = {name: getattr(callback, name, None) for name in Counters.__struct_fields__}
    found["best"] = None if found["best"] is None else float(found["best"])  # a number of NumPy's
    return Counters(**found)
