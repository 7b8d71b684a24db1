"""How many answers are right, of images with labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from netc.sections.model import loss_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.data.statistics import Statistics
    from netc.program import Program


@dataclass(frozen=True, slots=True)
class Labelled:
    """The images of a run that `netc evaluate` takes, at most the first so many of them: where they are, the statistics
    of the run, and its seed."""

    data: Any
    statistics: Statistics | None
    seed: int
    most: int


@dataclass(frozen=True, slots=True)
class Judge:
    """Compares answers of a network's first output with labels, as Keras' accuracy does for the loss that they are
    for."""

    output: str
    labels: str
    logits: bool

    @classmethod
    def of(cls, program: Program) -> Judge | None:
        """That of a program, where its labels are classes."""
        output = program.net.outputs[0]
        loss = loss_of(program, output)
        if loss is None or loss.labels == "real":
            return None
        return cls(output, loss.labels, loss.logits)

    def right(self, answers: NDArray[Any], wanted: NDArray[Any]) -> float:
        """How many answers are right; of several units that are each right or wrong, their share."""
        count = len(wanted)
        answers = answers[:count]
        if self.labels == "binary":
            said = answers > (0.0 if self.logits else 0.5)
            return float((said.reshape(wanted.shape) == (wanted > 0.5)).reshape(count, -1).mean(axis=1).sum())
        classes = wanted if self.labels == "integer" else wanted.argmax(axis=-1)
        right = answers.argmax(axis=-1).reshape(count, -1) == classes.reshape(count, -1)
        return float(right.mean(axis=1).sum())
