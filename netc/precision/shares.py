"""Which images of a run are for what: the promise, the scales, and the one look at the end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from netc.data import prepare
from netc.sections.settings import Validation
from netc.targets.errors import ExportError
from netc.targets.keras.quiet import import_tensorflow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.data.statistics import Statistics
    from netc.data.stream import Stream
    from netc.program import Program

BATCH = 64
PART, MOST = 5, 5000  # where validation keeps none of the training images: one in so many, and at most
SCALES = 512  # images on which scales are seen
PROBE = 256  # of these, on which the harm of each layer is seen


@dataclass(frozen=True, slots=True)
class Shares:
    """Images of the training data on which the promise is kept (`kept` says which they are), others on which scales are
    seen, a few of these, and the test images, where there are any. All go through the steps of evaluation."""

    promise: Stream
    kept: str
    scales: Stream
    probe: Stream
    test: Stream | None


def shares(program: Program, data: Any, statistics: Statistics | None, seed: int) -> Shares:
    """The images of a run. Raises `netc.data.DataError`, and `ExportError` for too few of them."""
    import_tensorflow()
    from netc.data.splitting import split  # noqa: PLC0415 - imports NumPy

    found = prepare(program, source=data, seed=seed, batch=BATCH, statistics=statistics)
    train, section = found.train, program.sections.data
    validation = section.value(Validation) if section else None
    if found.validation is not None and validation is not None and not isinstance(validation.part, str):
        promise, rest, kept = found.validation, train.part.rows, "that the run kept for validation"
    else:
        count = min(train.images // PART, MOST)
        if not count:
            raise ExportError(f"{train.images} training images are too few to keep some of them for the promise")
        others, own = split(train.images, count, seed)
        promise, rest = _only(train, train.part.rows[own]), train.part.rows[others]
        kept = f"of the training data, drawn by seed {seed}: the run learnt from them too"
    _, few = split(len(rest), min(len(rest), SCALES), seed)
    scales = rest[few]
    return Shares(
        _only(promise, promise.part.rows), kept, _only(train, scales), _only(train, scales[:PROBE]), found.test
    )


def _only(stream: Stream, rows: NDArray[Any]) -> Stream:
    """Some images of a stream, as evaluation sees them, in their order."""
    return replace(stream, part=stream.part.at(rows), training=False, shuffled=False)
