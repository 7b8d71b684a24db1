"""Files of models that are not read, by the endings of their names, and what of the same model is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_EXPORT = (
    '`torch.onnx.export(model.eval(), (x,), "model.onnx", optimize=False)` writes the model (docs/from-pytorch.md)'
)
_SAVE = '`model.save("model.keras")` of Keras writes the model (docs/import.md)'
_PICKLE = (
    "a pickle of PyTorch: opening one runs what is in it, which netc does not, and a state_dict has weights alone, "
    f"which are no network. {_EXPORT}"
)
UNREAD: Mapping[str, str] = {
    **dict.fromkeys((".pt", ".pth", ".ckpt"), _PICKLE),
    ".pkl": "a pickle: opening one runs what is in it, which netc does not",
    ".safetensors": f"weights alone, which are no network. In PyTorch, {_EXPORT}",
    ".npz": "arrays alone, which are no network",
    ".pb": f"a graph of TensorFlow, which is not read. {_SAVE}",
    ".tflite": f"a model of LiteRT, which is not read. {_SAVE}",
    ".caffemodel": "weights of Caffe, which are not read. The network is in the `.prototxt`",
    ".weights": "weights of Darknet, which are not read. The network is in the `.cfg`",
}


def unread(path: str | Path) -> str | None:
    """What a file is that holds no network for netc, and what to do, as a part of a sentence; None for another one."""
    return UNREAD.get(Path(path).suffix.lower())
