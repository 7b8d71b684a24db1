"""16 bits without a run: how far outputs may go on noise."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import onnx

from netc.precision.forms import Form, in_onnxruntime
from netc.targets.errors import ExportError
from netc.targets.noise import noise
from netc.targets.proof import difference

if TYPE_CHECKING:
    from netc.ir.net import Net
    from netc.precision.forms import Arrays, Run

TOLERANCES: Mapping[str, float] = {"fp16": 1e-2, "bf16": 5e-2}  # of the largest number; both have room for depth
BATCH = 32


@dataclass(frozen=True, slots=True)
class Near:
    """How far a form is from float32 on noise, and of how many samples the largest output is the same one."""

    precision: str
    engine: str
    error: float
    same: int
    samples: int

    def metadata(self) -> dict[str, str]:
        """What the file says of itself."""
        return {"netc_precision": self.precision, "netc_tolerance": f"{TOLERANCES[self.precision]:g}"}

    def text(self) -> str:
        """The report, of one line."""
        said = (
            f"{self.precision} differs from float32 by {self.error:.1e} of the largest output before a softmax "
            f"(allowed {TOLERANCES[self.precision]:.1e}), in {self.engine}, on noise"
        )
        return (
            f"{said}; the largest output is the same of {self.same} of {self.samples} samples" if self.samples else said
        )


def near(form: Form, content: bytes, net: Net, seed: int = 0) -> Near:
    """Compare a form with the model in float32 that it was made of. Raises `ExportError` where it is too far."""
    inputs = noise(net, BATCH, seed)
    before, expected = _opened(onnx.load_from_string(content), net, in_onnxruntime, inputs)
    ours, found = _opened(form.model(()), net, form.ready, inputs)
    error = max(difference(ours[name].astype(np.float32), before[name]) for name in before)
    if not error <= TOLERANCES[form.name]:
        raise ExportError(
            f"{form.name} is too far from float32: outputs differ by {error:.1e} of the largest before a softmax, "
            f"allowed are {TOLERANCES[form.name]:.1e}, in {form.engine}, on noise; a run is held to its metric instead"
        )
    choices = [name for name in expected if expected[name].ndim == 2 and expected[name].shape[1] > 1]
    same = sum(int((found[name].argmax(1) == expected[name].argmax(1)).sum()) for name in choices)
    return Near(form.name, form.engine, error, same, BATCH * len(choices))


def _opened(model: onnx.ModelProto, net: Net, ready: Callable[[bytes], Run], inputs: Arrays) -> tuple[Arrays, Arrays]:
    """What each output is before the softmax that it ends in, and the outputs."""
    made_by = {node.output[0]: node for node in model.graph.node}
    ends = {}
    for name in net.outputs:
        node = made_by.get(name)
        while node is not None and node.op_type in ("Cast", "Transpose"):
            node = made_by.get(node.input[0])
        ends[name] = node.input[0] if node is not None and node.op_type == "Softmax" else name
    wider = onnx.ModelProto()
    wider.CopyFrom(model)
    for value in sorted(set(ends.values()) - set(net.outputs)):
        wider.graph.output.add(name=value)
    made = ready(wider.SerializeToString())(inputs)
    return {name: made[value] for name, value in ends.items()}, {name: made[name] for name in net.outputs}
