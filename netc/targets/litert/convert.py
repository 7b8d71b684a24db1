"""The bytes of a `.tflite` file, made of a Keras model by TensorFlow's converter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from netc.targets.errors import ExportError
from netc.targets.keras.quiet import silence
from netc.targets.keras.saved import archive
from netc.targets.proof import place_of

if TYPE_CHECKING:
    from netc.program import Program
    from netc.targets.keras.build import Built

LACKING = re.compile(r"""'tf\.(\w+)' op is neither a custom op nor a flex op|fused\["(TensorList\w+):\"""")
SCOPE = re.compile(r'fused\["\w+:", "([^"]+)/')  # model/layer/operation, and models in models


def converted(program: Program, built: Built, model: Any, outputs: Sequence[str]) -> bytes:
    """The file of a Keras model that gives the outputs of some layers. The converter reads a SavedModel: of functions
    alone, TensorFlow 2.21 leaves the weights out without a word.

    Raises `ExportError`, which names the layer, for what LiteRT has no operation for.
    """
    import tensorflow as tf  # noqa: PLC0415 - seconds

    with TemporaryDirectory() as folder:
        archive(program.net, model, outputs, Path(folder))
        try:
            with silence():  # it prints the whole network before it raises
                content: bytes = tf.lite.TFLiteConverter.from_saved_model(folder).convert()
        except Exception as error:  # its own class is in no public module
            raise ExportError(_refusal(program, built, str(error))) from None
    return content


def _refusal(program: Program, built: Built, said: str) -> str:
    lacking, scope = LACKING.search(said), SCOPE.search(said)
    if lacking is None:
        reason, _, _ = said.strip().partition("\n")
        return f"TensorFlow's converter makes no .tflite of the network: {reason}"
    of = {layer.name: name for name, layers in built.layers.items() for layer in layers}
    scopes = scope[1].split("/")[1:] if scope else []
    names = [name for one in scopes for name in (one, re.sub(r"_\d+$", "", one))]  # numbered by TensorFlow
    name = next((of[one] for one in names if one in of), None)
    where = f" for `{name}` ({program.net.node(name).layer.op}), {place_of(program, name)}" if name else ""
    return f"LiteRT has no operation{where}: it becomes {lacking[1] or lacking[2]}, which is in TensorFlow alone"
