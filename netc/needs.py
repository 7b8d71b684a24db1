"""What is installed only by those who ask for it, and the words where it is missing."""

from __future__ import annotations

from importlib import util

# What each extra of pyproject.toml brings, by the name that is imported; one includes those above it, but
# for `figures`; `onnx` is in `openvino` alone, and `litert` in none.
EXTRAS = {
    "weights": {"numpy": "NumPy", "h5py": "h5py", "safetensors": "safetensors", "psutil": "psutil"},
    "onnx": {"onnx": "ONNX", "onnxruntime": "onnxruntime"},
    "openvino": {"openvino": "OpenVINO"},
    "tensorflow": {"tensorflow": "TensorFlow"},
    "litert": {"ai_edge_litert": "ai-edge-litert"},
    "train": {"PIL": "Pillow", "sklearn": "scikit-learn", "filelock": "filelock"},
    "tfds": {"tensorflow_datasets": "tensorflow-datasets"},
    "figures": {"resvg_py": "resvg-py", "reportlab": "ReportLab"},
}
WEIGHTS = ("numpy", "h5py", "safetensors", "psutil")
EXPORTING = ("numpy", "h5py", "safetensors", "psutil", "onnx", "onnxruntime")
OPENVINO = (*WEIGHTS, "onnx", "openvino")
BUILDING = ("tensorflow",)
READING = ("tensorflow", "PIL", "psutil")  # images, for a network that runs
TRAINING = (*READING, "filelock")


def require(what: str, *modules: str) -> None:
    """Raises ModuleNotFoundError where `what` needs modules that are not installed: it names each, and the extra that
    brings all of them."""
    missing = [module for module in modules if util.find_spec(module) is None]
    if not missing:
        return
    extra = [extra for extra, brought in EXTRAS.items() if brought.keys() & set(missing)][-1]
    *more, last = (brought[module] for module in missing for brought in EXTRAS.values() if module in brought)
    names = f"{', '.join(more)} and {last}, which are" if more else f"{last}, which is"
    raise ModuleNotFoundError(f"{what} needs {names} not installed: pip install 'netc[{extra}]'", name=missing[0])
