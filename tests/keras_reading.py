"""What tests of the reader of Keras models share."""

from __future__ import annotations

import json
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from netc.ir.net import Net
from netc.lift.source import Imported
from netc.targets.keras.lowering import to_keras
from netc.targets.numpy.run import run


def lowered(name: str, net: Net) -> object:
    """What a layer is in Keras; of a padding, what the windows read of it on this size."""
    layer, shapes = net.node(name).layer, net.operand_shapes(name)
    pad = getattr(layer, "pad", None)
    if pad is None or pad == "causal" or layer.op == "deconv":
        return to_keras(layer, shapes)
    bare = type(layer)(**{**vars(layer), "pad": "valid"})
    return to_keras(bare, shapes), layer.windows(shapes), pad == "same" and layer.op == "avgpool"


def randomised(model: Any, seed: int = 0) -> Any:
    """A model with weights with which numbers neither die out nor overflow."""
    random = np.random.default_rng(seed)
    for variable in model.weights:
        shape, name = variable.shape, variable.name
        if "variance" in name or "gamma" in name:
            made = random.uniform(0.5, 1.5, shape)
        elif name in ("kernel", "pointwise_kernel", "depthwise_kernel"):
            terms = np.prod(shape[:-2] if name == "depthwise_kernel" else shape[:-1])
            made = random.normal(0, (1.7 / terms) ** 0.5, shape)
        else:
            made = random.normal(0, 0.2, shape)
        if np.dtype(variable.dtype).kind == "f":
            variable.assign(made.astype("float32"))
    return model


def far(model: Any, read: Imported, seed: int = 0) -> float:
    """How far the outputs of the network that was read are from Keras', relative to the largest."""
    random = np.random.default_rng(seed)
    net = read.net
    assert read.weights is not None
    shapes = [[size or 33 for size in net.shapes[name]] for name in net.inputs]
    given = [random.normal(size=(2, *shape)).astype("float32") for shape in shapes]
    made = model.predict_on_batch(given if len(given) > 1 else given[0])
    found = run(net, read.weights(), dict(zip(net.inputs, given, strict=True)))
    pairs = zip(net.outputs, made if isinstance(made, list | tuple) else [made], strict=True)
    return max(float(np.abs(found[name] - one).max() / max(np.abs(one).max(), 1e-30)) for name, one in pairs)


# -- files that are written without Keras ----------------------------------------------------------------------


def layer(kind: str, name: str, *reads: str, module: str = "keras.layers", **options: Any) -> dict[str, Any]:
    """A layer of a functional model, which is called on what others make, all in one list where they are several."""
    tensors = [
        {"class_name": "__keras_tensor__", "config": {"shape": [], "dtype": "float32", "keras_history": [one, 0, 0]}}
        for one in reads
    ]
    args = [tensors] if len(tensors) > 1 else tensors
    return {
        "module": module,
        "class_name": kind,
        "config": {"name": name, **options},
        "registered_name": None,
        "name": name,
        "inbound_nodes": [{"args": args, "kwargs": {}}] if reads else [],
    }


def functional(*layers: dict[str, Any], outputs: tuple[str, ...] = (), name: str = "made") -> dict[str, Any]:
    """A functional model, which ends with its last layer unless `outputs` are named."""
    ends = [[one, 0, 0] for one in outputs or (layers[-1]["name"],)]
    inputs = [[one["name"], 0, 0] for one in layers if one["class_name"] == "InputLayer"]
    config = {"name": name, "layers": list(layers), "input_layers": inputs, "output_layers": ends}
    return {"module": "keras.src.models.functional", "class_name": "Functional", "config": config}


def image(name: str = "image", *shape: int | None) -> dict[str, Any]:
    return layer("InputLayer", name, batch_shape=[None, *(shape or (8, 8, 3))])


def written(folder: Path, model: Any, name: str = "m.json") -> Path:
    path = folder / name
    path.write_text(model if isinstance(model, str) else json.dumps(model))
    return path


def archived(folder: Path, config: str, weights: bytes = b"", name: str = "m.keras") -> Path:
    """A `.keras` file."""
    with zipfile.ZipFile(folder / name, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", weights)
    return folder / name


def stored(arrays: dict[str, Any]) -> bytes:
    """HDF5 with arrays by their paths."""
    import h5py

    held = BytesIO()
    with h5py.File(held, "w") as file:
        for path, array in arrays.items():
            file[path] = array
    return held.getvalue()
