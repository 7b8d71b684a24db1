"""Models with layers of netc's own, loaded by plain Keras in a process that knows one import of netc."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from netc.api import loads

keras = pytest.importorskip("keras")
np = pytest.importorskip("numpy")

NET = """net own
input 8x8x4
conv 8x3; lrn; padchannels 12; shuffle groups=3; scale init=0.5
pool 3/2 pad=1; abs
add { | part 1 of=2 | part 2 of=2 }
conv 8x1; glu
gap
fc 3 softmax
"""
LOADS = """
import sys
import keras
import numpy as np
{imports}
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[2], model.predict(np.load(sys.argv[3]), verbose=0))
assert not [name for name in sys.modules if name.startswith(("netc.syntax", "netc.lower", "netc.train"))]
"""


def test_every_class_is_registered_by_the_import() -> None:
    import netc.keras_layers
    from netc.targets.keras import custom, custom_training

    own = {
        name
        for module in (custom, custom_training)
        for name, one in vars(module).items()
        if inspect.isclass(one) and one.__module__ == module.__name__
    }
    assert set(netc.keras_layers.__all__) == own
    assert own <= {name.removeprefix("netc>") for name in keras.saving.get_custom_objects()}


def test_each_class_that_code_carries_has_its_imports() -> None:
    """Emitted code imports what it takes attributes of."""
    from netc.targets.keras.source.customs import shipped

    for name, (text, _) in shipped().items():
        tree = ast.parse(text)
        read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        taken = (node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute))
        owners = {node.id for node in taken if isinstance(node, ast.Name)}
        assert read & {"h5py", "keras", "layers", "math", "ops"} <= owners, name


def test_plain_keras_computes_the_same(tmp_path: Path) -> None:
    from netc.targets.keras.custom_training import Warmup
    from netc.train.finish import own_classes

    model = loads(NET).to_keras()
    rate = Warmup(keras.optimizers.schedules.CosineDecay(0.1, 9), steps=5, start=0.01, target=0.1)
    model.compile(keras.optimizers.SGD(rate), "categorical_crossentropy")
    images = np.random.default_rng(0).random((2, 8, 8, 4), np.float32)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "images.npy", images)
    arguments = [str(tmp_path / name) for name in ("model.keras", "found.npy", "images.npy")]
    own = own_classes(tmp_path / "model.keras")
    layers = ["AbsoluteValue", "ChannelPadding", "ChannelPart", "ChannelShuffle", "LayerScale"]
    assert own == [*layers, "LocalResponseNormalization", "MaxPoolPadding", "ParametricActivation", "Warmup"]
    for imports, code in (("", 1), ("import netc.keras_layers", 0)):
        command = [sys.executable, "-c", LOADS.format(imports=imports), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == code, done.stderr
    assert np.load(tmp_path / "found.npy") == pytest.approx(np.asarray(model(images)), abs=1e-6)
