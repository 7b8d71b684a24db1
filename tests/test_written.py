"""Classes of Keras that are written from what an operation computes: the same numbers, and code that can be read."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from netc.layers import LAYERS
from netc.layers.base import Layer, OperationError, operation
from netc.targets.keras.source.customs import shipped
from netc.targets.keras.written import source, written
from tests.layer_samples import OPERATIONS, SAMPLES, Sample
from tests.needs import needs_tensorflow
from tests.one_layer import difference, given, net_of, weights_of


def _can_be_written(op: str) -> bool:
    try:
        source(op)
    except OperationError:
        return False
    return True


WRITABLE = [cls.op for cls in OPERATIONS if not cls.train_only and _can_be_written(cls.op)]


def test_what_has_no_lowering_can_be_written() -> None:
    """Most operations have one, as Keras has them itself; a third could do without."""
    assert len(WRITABLE) > 20
    assert {"gelu", "relu", "lrn", "glu", "part", "shuffle", "l2norm"} <= set(WRITABLE)
    assert all(map(source, written().values()))


@needs_tensorflow
@pytest.mark.parametrize(
    "sample", [sample for sample in SAMPLES if sample.layer.op in WRITABLE and sample.inputs], ids=str
)
def test_a_written_class_computes_what_numpy_does(sample: Sample) -> None:
    """Written though there is a lowering, with other parameters than the defaults, in each number of dimensions."""
    from netc.targets.keras.quiet import import_tensorflow
    from netc.targets.keras.written import made
    from netc.targets.numpy.run import run

    import_tensorflow()
    import keras

    net = net_of(sample)
    inputs = given(net)
    (expected,) = run(net, weights_of(net), inputs).values()
    layer = made(sample.layer.op)(**vars(sample.layer))
    again = type(layer).from_config(layer.get_config())
    ends = [keras.Input(net.shapes[name]) for name in net.inputs]
    model = keras.Model(ends, again(ends if len(ends) > 1 else ends[0]))
    found = model.predict_on_batch(list(inputs.values()) if len(ends) > 1 else inputs["input1"])
    assert difference(found, expected) < 1e-5


# -- what cannot be written is said --------------------------------------------------------------------------


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Any:
    def register(cls: type[Layer], op: str) -> str:
        source.cache_clear()
        monkeypatch.setattr("netc.layers.base.LAYERS", dict(LAYERS))
        made = operation(op, family="shape")(cls)
        monkeypatch.setitem(LAYERS, op, made)
        return op

    yield register
    source.cache_clear()


class _Keeps(Layer):
    def infer(self, inputs: Any) -> Any:
        return inputs[0]


HIDDEN: Any = object()


class ByHelper(_Keeps):
    def compute(self, f: Any, xs: Any, w: Any) -> Any:
        return HIDDEN(xs[0])


class ByProperty(_Keeps):
    def compute(self, f: Any, xs: Any, w: Any) -> Any:
        return xs[0] * self.example


class ByCompound(_Keeps):
    def compute(self, f: Any, xs: Any, w: Any) -> Any:
        return f.standardize_channels(xs[0], 1e-3)


class ByWeight(_Keeps):
    def compute(self, f: Any, xs: Any, w: Any) -> Any:
        return xs[0] * w["gamma"]


class Plain(_Keeps):
    """Twice and a half."""

    def compute(self, f: Any, xs: Any, w: Any) -> Any:
        """Not this."""
        return f.mean(xs[0], (-1,), keep=True) + f.sum(xs[0], (1,))


@pytest.mark.parametrize(
    ("cls", "words"),
    [
        (ByHelper, "uses `HIDDEN`"),
        (ByProperty, "uses `self.example`, which is no parameter"),
        (ByCompound, "uses `f.standardize_channels`, which is no single function there"),
        (ByWeight, "uses weights, which train"),
    ],
)
def test_what_cannot_be_written_says_why(cls: type[Layer], words: str, registered: Any) -> None:
    with pytest.raises(OperationError, match=rf"{words}; say what it becomes in netc/targets/keras/lowering.py"):
        source(registered(cls, "odd"))


def test_an_operation_without_a_lowering_is_among_what_emitted_code_carries(registered: Any) -> None:
    registered(Plain, "plain")
    assert written()["Plain"] == "plain"
    text, _ = shipped()["Plain"]
    ast.parse(text)
    assert "return ops.mean(inputs, axis=(-1,), keepdims=True) + ops.sum(inputs, axis=(1,))" in text
    assert "Not this" not in text
    assert "__init__" not in text


def test_weights_and_training_have_to_be_said(registered: Any) -> None:
    from netc.layers.base import Weight
    from netc.targets.keras.lowering import to_keras

    class Gain(Plain):
        def weights(self, inputs: Any) -> Any:
            return (Weight("gamma", (inputs[0][-1],)),)

    class Jiggle(Plain):
        train_only = True

    for cls, words in ((Gain, "`odd` has weights"), (Jiggle, "`odd` is another one in training")):
        cls.op = "odd"
        with pytest.raises(OperationError, match=words):
            to_keras(cls(), ((8, 8, 3),))
