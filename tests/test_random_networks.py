"""Random valid networks against Keras: what netc says of a text is what Keras makes of it."""

from __future__ import annotations

import ast
from math import prod
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from netc.analysis.cost import measure
from netc.analysis.receptive import is_placed, receptive_fields
from netc.diagnostics.codes import CODES
from netc.ir.net import Node
from netc.ir.shape import Shape, rank_of
from netc.layers.base import Layer, OperationError
from netc.params import Refused, declared
from netc.program import Program
from netc.targets.keras.source import emit
from netc.values import SizeValue, Word
from tests.effort import effort
from tests.random_networks import COMBINERS, SINGLE, compiled, inputs, networks, value
from tests.test_layers_keras import build as build_layer

keras = pytest.importorskip("keras")
np = pytest.importorskip("numpy")
tf = pytest.importorskip("tensorflow")

BATCH = 2


def checked(text: str) -> Program:
    program = compiled(text)
    assert program is not None, text
    return program


def tensors(built: Any, program: Program) -> dict[str, Any]:
    """The output of each node that has a layer of its own, those in models in the model among them."""
    return {name: tensor for name, tensor in built.tensors().items() if program.net.node(name).shares is None}


def everywhere(program: Program) -> bool:
    """Whether TensorFlow has all kernels on every CPU, as netc says it."""
    return not any(CODES[found.code].name.startswith("target-") for found in program.report)


def numbers(shapes: list[Any], seed: int = 0) -> list[Any]:
    random = np.random.default_rng(seed)
    return [random.normal(size=(BATCH, *shape)).astype("float32") for shape in shapes]


def only(values: list[Any]) -> Any:
    return values if len(values) > 1 else values[0]


# -- one network in Keras ------------------------------------------------------------------------------------


@effort(15)
@given(networks())
def test_what_netc_says_of_a_network_is_what_keras_makes_of_it(text: str) -> None:
    from netc.targets.keras.build import construct

    keras.backend.clear_session()
    program = checked(text)
    built, cost = construct(program), measure(program.net)
    model, held = built.model, {layer.name: layer for layers in built.layers.values() for layer in layers[-1:]}
    assert model.count_params() == cost.total.parameters
    assert sum(prod(weight.shape) for weight in model.trainable_weights) == cost.total.trainable
    for name, tensor in tensors(built, program).items():
        assert tuple(tensor.shape[1:]) == program.net.shapes[name], name
        if program.net.node(name).layer.is_input:
            continue
        layer = held[name]
        assert layer.count_params() == cost.layers[name].parameters, name
        assert cost.layers[name].macs == macs(layer, program.net.operand_shapes(name), program.net.shapes[name]), name
    if everywhere(program):
        runs(built, program)
        for flat in (False, True):
            same_as_emitted(model, emit(program, flat=flat), program)


def macs(layer: Any, operands: tuple[Shape, ...], output: Shape) -> int:
    """Multiply-accumulates from Keras' own variables: each weight of a kernel is used once a position, which for a
    transposed convolution and for recurrences is one of the input. Attention multiplies each position with each."""
    kernels = [weight for weight in layer.weights if weight.name.endswith("kernel")]
    kind = type(getattr(layer, "layer", layer)).__name__  # of the one that another is around
    if kind == "MultiHeadAttention":
        asking, read = operands[0][0] or 0, operands[-1][0] or 0
        uses = {"key": read, "value": read}
        projected = sum(prod(kernel.shape) * uses.get(kernel.path.split("/")[-2], asking) for kernel in kernels)
        return int(projected + 2 * asking * read * layer.num_heads * layer.key_dim)
    of_input = "Transpose" in kind or kind in ("LSTM", "GRU", "SimpleRNN", "Bidirectional")
    positions = operands[0] if of_input else output
    return sum(prod(kernel.shape) for kernel in kernels) * prod(positions[:-1])


def runs(built: Any, program: Program) -> None:
    """Forward and backward, with the shapes that netc says and finite numbers."""
    model, made = built.model, tensors(built, program)
    probe = keras.Model(model.input, made)
    given = only(numbers([tensor.shape[1:] for tensor in model.inputs]))
    tame = sum(grows(node) for node in program.net) < 3  # a power of a power may be beyond float32
    for name, output in probe(given, training=False).items():
        assert tuple(output.shape) == (BATCH, *program.net.shapes[name]), name
        assert np.isfinite(output).all() or not tame, name
    with tf.GradientTape() as tape:
        outputs = model(given, training=True)
        score = sum(tf.reduce_mean(output) for output in (outputs if isinstance(outputs, list) else [outputs]))
    assert np.isfinite(score) or not tame
    gradients = tape.gradient(score, [weight.value for weight in model.trainable_weights])
    for weight, gradient in zip(model.trainable_weights, gradients, strict=True):
        assert gradient is None or np.isfinite(gradient).all() or not tame, weight.path


def grows(node: Node) -> bool:
    """Whether a layer makes numbers that are much larger than its input's."""
    return node.layer.op in ("mul", "exponential") or getattr(node.layer, "act", "") == "exponential"


def same_as_emitted(model: Any, source: str, program: Program) -> None:
    """The emitted code builds the same layers and weights, and gives the same outputs with the same numbers in them."""
    module: dict[str, Any] = {"__name__": "emitted"}
    exec(compile(ast.parse(source), "emitted.py", "exec"), module)
    emitted = module["build_model"]()
    assert [layer.name for layer in emitted.layers] == [layer.name for layer in model.layers]
    ours = {weight.path: weight for weight in model.weights}
    assert [weight.path for weight in emitted.weights] == list(ours)
    for weight in emitted.weights:
        weight.assign(ours[weight.path])
    given = only(numbers([tensor.shape[1:] for tensor in model.inputs], 1))
    for one, other in zip(tf.nest.flatten(model(given)), tf.nest.flatten(emitted(given)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


# -- receptive fields ----------------------------------------------------------------------------------------

LINEAR = [cls for cls in SINGLE if cls.family in ("conv", "pool", "shape")]


@effort(12)
@given(networks(LINEAR, least=1, single=True))
def test_receptive_fields_are_what_single_pixels_reach(text: str) -> None:
    """A network of positive weights answers zeros with zeros, and a single one with ones wherever it is seen."""
    from netc.targets.keras.build import construct

    keras.backend.clear_session()
    program = checked(text)
    net = program.net
    assume(everywhere(program) and all(positive(node) for node in net))
    built = construct(program)
    model = built.model
    for weight in model.weights:
        weight.assign(np.full(weight.shape, "kernel" in weight.path or "variance" in weight.path))
    shape = net.shapes[net.inputs[0]]
    size = prod(shape[:-1])
    impulses = np.repeat(np.eye(size, dtype="float32").reshape(size, *shape[:-1], 1), shape[-1], -1)
    fields = receptive_fields(net)
    for name, output in keras.Model(model.input, tensors(built, program))(impulses, training=False).items():
        field = fields[name]
        if field is None or not all(axis.aligned for axis in field):
            continue
        if not is_placed(field):
            for seen in (np.asarray(output) != 0).any(-1).reshape(*shape[:-1], -1).T:
                reach = [np.ptp(axis) + 1 if len(axis) else 0 for axis in np.nonzero(seen.T)]
                assert all(size <= axis.size for size, axis in zip(reach, field, strict=True)), name
            continue
        if rank_of(net.shapes[name]) != rank_of(shape):
            continue
        touched = (np.asarray(output) != 0).any(-1).reshape(*shape[:-1], *net.shapes[name][:-1])
        for number, axis in enumerate(field):
            others = tuple(other for other in range(touched.ndim) if other not in (number, number + len(field)))
            for position, column in enumerate(touched.any(others).T):
                seen = np.flatnonzero(column)
                first, last = axis.at(position)
                assert not len(seen) or first <= seen[0] <= seen[-1] <= last, (name, position)
                if first >= 0 and last < shape[number] and not any(cuts(node) for node in net):
                    assert (seen[0], seen[-1]) == (first, last), (name, position)


def positive(node: Node) -> bool:
    """Whether a layer answers positive numbers with positive ones, and zeros with zeros."""
    others = ("sub", "mul")  # differences vanish, and so does a product with what is 0
    return node.layer.op not in others and getattr(node.layer, "act", "linear") == "linear"


def cuts(node: Node) -> bool:
    """Whether a layer drops positions, which then are seen no more although fields are counted as if they were."""
    return node.layer.op in ("crop", "deconv", "upsample", "part", "reshape")


# -- what netc refuses ---------------------------------------------------------------------------------------


def computed(value: Any) -> Any:
    """A drawn value as the language has it."""
    if isinstance(value, tuple):
        return SizeValue(value)
    return Word(value) if isinstance(value, str) else value


@st.composite
def layers(draw: st.DrawFn) -> tuple[Layer, tuple[Shape, ...]]:
    """Any operation on any inputs, legal or not."""
    cls = draw(st.sampled_from([*SINGLE, *COMBINERS * 3]))
    shapes = tuple(draw(inputs()) for _ in range(cls.operands[0]))
    given: dict[str, Any] = {}
    for name, param in declared(cls).items():
        if param.required or draw(st.integers(0, 3)) == 3:
            tensor = name in cls.tensors()  # one more that it reads
            given[name] = tensor or param.kind.accept(computed(value(draw, param.kind, shapes[0])), rank_of(shapes[0]))
    layer = cls(**given)
    return layer, (*shapes, *(draw(inputs()) for _ in range(layer.reads[0] - len(shapes))))


@effort(40)
@given(layers())
def test_what_netc_refuses_is_refused_or_wrong_in_keras(case: tuple[Layer, tuple[Shape, ...]]) -> None:
    """A layer that netc takes has its shape in Keras. Of those that it refuses, Keras refuses some, gives some another
    shape than their rule says, broadcasts some, and runs some on some machines only; netc's own classes, which read
    another tensor's size or take any rank, leave checks to netc."""
    layer, shapes = case
    try:
        expected = layer.infer(shapes)
    except Refused as error:
        unasked = error.code == "NET202" and layer.family == "shape"  # Keras' `Resizing` asks when it runs
        if error.code not in ALLOWED and layer.reads == layer.operands and not unasked:
            with pytest.raises((Refused, ValueError, AttributeError, TypeError, IndexError, OperationError)):
                build_layer(layer, shapes)
        return
    assert build_layer(layer, shapes).output_shape[1:] == expected


# What Keras takes, silently, and why netc refuses it.
ALLOWED = {
    "NET106": "a border of nothing",
    "NET201": "operands of several shapes are broadcast",
    "NET204": "a pool of a single pixel",
    "NET109": "a window of padding alone",
    "NET212": "an uneven share of the channels, which is wrong or fails only when it runs",
    "NET210": "unequal strides, on some machines only",
}
