"""Early stopping and plateau reduction: Keras' own callbacks, whose counters travel in checkpoints.

Keras saves none of them (`BackupAndRestore` restarts the count), which is why its resumed runs differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from netc.target import Call

if TYPE_CHECKING:
    from numpy.typing import NDArray

COUNTERS = ("best", "wait", "cooldown_counter", "best_epoch", "stopped_epoch")
WEIGHTS = "best_weights"


class Monitors:
    """The callbacks that watch a quantity, in the order of the spec."""

    def __init__(self, calls: Iterable[Call], model: Any) -> None:
        from netc.backends.calls import make  # noqa: PLC0415 - imports Keras

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

    def state(self) -> list[dict[str, Any]]:
        """The counters, as JSON can hold them."""
        return [{name: _plain(getattr(callback, name, None)) for name in COUNTERS} for callback in self.callbacks]

    def arrays(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """The weights that early stopping would go back to."""
        for number, callback in enumerate(self.callbacks):
            for index, array in enumerate(getattr(callback, WEIGHTS, None) or ()):
                yield f"monitor/{number}/{index}", array

    def restore(
        self, state: Sequence[Mapping[str, Any]], arrays: Mapping[str, NDArray[Any]], *, stopping: bool
    ) -> None:
        """Set everything as `state` and `arrays` gave it."""
        self.model.stop_training = stopping
        for number, (callback, counters) in enumerate(zip(self.callbacks, state, strict=True)):
            for name, value in counters.items():
                if hasattr(callback, name):
                    setattr(callback, name, value)
            prefix = f"monitor/{number}/"
            kept = {int(name.removeprefix(prefix)): array for name, array in arrays.items() if name.startswith(prefix)}
            if kept:
                setattr(callback, WEIGHTS, [kept[index] for index in range(len(kept))])


def _plain(value: Any) -> float | int | None:
    if value is None or isinstance(value, int):
        return value
    return float(value)
