"""An ONNX file in fewer bits, and what proves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.precision import MAX_DROP
from netc.precision.forms import Form, batches, checked, form, in_onnxruntime
from netc.targets.errors import ExportError
from netc.targets.onnx.export import export as in_float32
from netc.train.run import Run

if TYPE_CHECKING:
    from netc.data.statistics import Statistics
    from netc.ir.weights import Weights
    from netc.program import Program

NO_RUN = (
    "int8 needs a run: its scales are seen on training images, and its metric says what they cost; `netc train` makes "
    "one, and fp16 and bf16 go without"
)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the images of a run are: what `netc.data.prepare` takes, and its statistics."""

    data: Any
    statistics: Statistics | None
    seed: int

    @classmethod
    def of(cls, folder: Path) -> Source:
        """That of the folder of a run; raises `netc.train.run.RunError`."""
        run = Run(folder)
        record = run.read()
        return cls(record.data, run.read_statistics(), record.seed)


def exported(
    program: Program,
    weights: Weights,
    precision: str,
    source: Source | None,
    most: float = MAX_DROP,
    more: Mapping[str, str] | None = None,
) -> tuple[bytes, str]:
    """The content of an ONNX file, once the network in float32 is proved, and what proves that fewer bits do: the
    promise on the images of a run, or without one a tolerance on noise. `more` is what the file says besides.

    Raises `ExportError` where that does not hold, `netc.ir.weights.WeightsError` for weights of another network,
    `netc.data.DataError` for data that do not fit.
    """
    weights.check(program.net)
    if source is None and precision == "int8":
        raise ExportError(NO_RUN)
    content, proof = in_float32(program, weights, more or {})
    if source is None:
        return _near(program, form(precision, content), content, proof.text())
    return _promised(program, precision, content, source, most, proof.text())


def _near(program: Program, made: Form, content: bytes, proof: str) -> tuple[bytes, str]:
    from netc.precision.tolerance import near  # noqa: PLC0415 - without a run alone

    found = near(made, content, program.net)
    return _file(made, (), found.metadata()), f"{proof}\n  {found.text()}"


def _promised(
    program: Program, precision: str, content: bytes, source: Source, most: float, proof: str
) -> tuple[bytes, str]:
    from netc.precision.shares import shares  # noqa: PLC0415 - of a run alone

    parts = shares(program, source.data, source.statistics, source.seed)
    from netc.precision.metric import Metric  # noqa: PLC0415 - Keras, once TensorFlow is quiet
    from netc.precision.promise import look, promised  # noqa: PLC0415

    inputs = program.net.inputs
    metric, full = Metric(program), in_onnxruntime(content)
    made = form(precision, content, batches(parts.scales, inputs))
    promise = promised(made, full, metric, parts, inputs, most)
    file = _file(made, promise.names, promise.metadata())
    tested = look(metric, parts.test, full, made.ready(file), precision)
    seen = f"scales of tensors were seen on {parts.scales.images} other training images" if precision == "int8" else ""
    return file, "\n  ".join(filter(None, [proof, seen, promise.text(), tested]))


def _file(made: Form, floats: Any, metadata: Mapping[str, str]) -> bytes:
    """The bytes of a form, which say what was promised."""
    model = made.model(floats)
    for key, value in metadata.items():
        model.metadata_props.add(key=key, value=value)
    return checked(model.SerializeToString(deterministic=True))
