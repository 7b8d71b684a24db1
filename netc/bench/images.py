"""A process that prepares the images on which accuracy is measured, batch by batch: it alone imports TensorFlow for
them."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from netc.bench.worker import serve


def main() -> None:
    """Write as many batches as are asked for."""
    serve(_replies)


def _replies(requests: IO[str]) -> Iterator[dict[str, Any]]:
    import numpy  # noqa: PLC0415 - what is lacking is an answer too

    from netc.data import prepare  # noqa: PLC0415
    from netc.targets.keras.quiet import import_tensorflow  # noqa: PLC0415
    from netc.train.evaluate import PARTS  # noqa: PLC0415

    job = json.loads(next(requests))
    program, labelled = pickle.loads(Path(job["images"]).read_bytes())
    import_tensorflow()
    found = prepare(
        program, source=labelled.data, seed=labelled.seed, batch=job["batch"], statistics=labelled.statistics
    )
    part, stream = next((part, stream) for part in PARTS if (stream := getattr(found, part)) is not None)
    yield {"part": part, "images": stream.images}
    for images, labels in replace(stream, training=False, shuffled=False).batches():
        next(requests)
        inputs = images if isinstance(images, dict) else {program.net.inputs[0]: images}
        wanted = labels[program.net.outputs[0]] if isinstance(labels, dict) else labels
        held: dict[str, Any] = {name: _filled(array.numpy(), job["batch"]) for name, array in inputs.items()}
        numpy.savez(job["inputs"], **held)
        numpy.save(job["labels"], wanted.numpy())
        yield {"count": len(wanted)}


def _filled(array: Any, batch: int) -> Any:
    """A whole batch: engines may be made for no other. The last image is repeated, and what is made of that dropped."""
    import numpy  # noqa: PLC0415

    return numpy.concatenate([array, numpy.repeat(array[-1:], batch - len(array), axis=0)])
