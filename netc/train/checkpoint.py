"""The checkpoints of a run: the last ones, and the best."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.files import TEMPORARY
from netc.storage.checkpoint import Checkpoint, CheckpointError, read, write

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIX = ".npz"
PREFIX = "step-"
BEST = f"best{SUFFIX}"


@dataclass(frozen=True, slots=True)
class Store:
    """The folder of a run's checkpoints: the last `keep` of them, and the best."""

    folder: Path
    keep: int

    def path(self, step: int) -> Path:
        """Where the checkpoint after a step stands."""
        return self.folder / f"{PREFIX}{step:08d}{SUFFIX}"

    @property
    def best(self) -> Path:
        """Where the best weights stand."""
        return self.folder / BEST

    def saved(self) -> list[Path]:
        """The checkpoints that are there, oldest first."""
        return sorted(self.folder.glob(f"{PREFIX}*{SUFFIX}"))

    def save(self, step: int, state: Mapping[str, Any], arrays: Iterable[tuple[str, NDArray[Any]]]) -> Path:
        """Write the checkpoint after a step, then remove those that are too old."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(step)
        write(path, state, arrays)
        for old in self.saved()[: -self.keep]:
            with suppress(OSError):
                old.unlink()
        return path

    def latest(self, note: Any) -> tuple[Path, Checkpoint] | None:
        """The newest intact checkpoint; `note` hears of broken ones.

        Where the best weights are broken too, one from before they were found is taken: the way from there to here
        finds them again, bit for bit.
        """
        for left in [*self.folder.glob(f"{TEMPORARY}*"), *self.folder.glob(".*.tmp")]:  # what a killed writer left
            with suppress(OSError):
                left.unlink()
        best_is_broken = self._broken_best(note)
        fallback = None
        for path in reversed(self.saved()):
            try:
                found = path, read(path)
            except CheckpointError as error:
                note(f"{error}; the one before is used")
                continue
            best = found[1].state.get("best")
            if not (best_is_broken and best):
                return found
            fallback = fallback or found
        return fallback

    def _broken_best(self, note: Any) -> bool:
        try:
            read(self.best)
        except FileNotFoundError:
            return True
        except CheckpointError as error:
            note(str(error))
            return True
        return False
