"""What is installed only by those who ask for it, and the words where it is missing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import util

# What each extra of pyproject.toml brings, by the name that is imported, beside what those bring that it includes.
EXTRAS = {
    "weights": {"numpy": "NumPy", "h5py": "h5py", "safetensors": "safetensors", "psutil": "psutil"},
    "onnx": {"onnx": "ONNX", "onnxruntime": "onnxruntime"},
    "openvino": {"openvino": "OpenVINO"},
    "keras": {"keras": "Keras"},
    "jax": {"jax": "JAX"},
    "torch": {"torch": "Torch"},
    "tensorflow": {"tensorflow": "TensorFlow"},
    "litert": {"ai_edge_litert": "ai-edge-litert"},
    "predict": {"PIL": "Pillow"},
    "train": {"PIL": "Pillow", "sklearn": "scikit-learn", "filelock": "filelock"},
    "tfds": {"tensorflow_datasets": "tensorflow-datasets"},
    "lsp": {"pygls": "pygls", "lsprotocol": "lsprotocol"},
    "figures": {"resvg_py": "resvg-py", "reportlab": "ReportLab"},
    "completion": {"shtab": "shtab"},
}
INCLUDED = {
    "onnx": ("weights",),
    "openvino": ("onnx",),
    "keras": ("weights",),
    "jax": ("keras",),
    "torch": ("keras",),
    "tensorflow": ("weights",),
    "litert": ("tensorflow",),
    "predict": ("onnx",),
    "train": ("tensorflow",),
    "tfds": ("train",),
}
WEIGHTS = ("numpy", "h5py", "safetensors", "psutil")
EXPORTING = ("numpy", "h5py", "safetensors", "psutil", "onnx", "onnxruntime")
OPENVINO = (*WEIGHTS, "onnx", "openvino")
BUILDING = ("tensorflow",)
PREDICTING = (*WEIGHTS, "PIL")  # beside an engine
BACKENDS: Mapping[str, tuple[str, ...]] = {  # of Keras, which comes with TensorFlow
    "tensorflow": BUILDING,
    "jax": ("keras", "jax"),
    "torch": ("keras", "torch"),
}
COMPLETING = ("shtab",)
READING = ("tensorflow", "PIL", "psutil")  # images, for a network that runs
TRAINING = (*READING, "filelock")


def require(what: str, *modules: str) -> None:
    """Raises ModuleNotFoundError where `what` needs modules that are not installed: it names each, and the extra that
    brings all of them, or those that do together."""
    missing = [module for module in modules if util.find_spec(module) is None]
    if not missing:
        return
    whole = (extra for extra in EXTRAS if brought(extra).keys() >= set(missing))
    several = dict.fromkeys(next(one for one in EXTRAS if module in EXTRAS[one]) for module in missing)
    extra = next(whole, ",".join(several))
    known = {module: name for each in EXTRAS.values() for module, name in each.items()}
    *more, last = (known[module] for module in missing)
    names = f"{', '.join(more)} and {last}, which are" if more else f"{last}, which is"
    raise ModuleNotFoundError(f"{what} needs {names} not installed: pip install 'netc[{extra}]'", name=missing[0])


def brought(extra: str) -> dict[str, str]:
    """All that an extra brings, by the name that is imported, with what those bring that it includes."""
    found = dict(EXTRAS[extra])
    for inner in INCLUDED.get(extra, ()):
        found |= brought(inner)
    return found
