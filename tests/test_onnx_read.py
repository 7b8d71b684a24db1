"""ONNX files read: what netc exported, what other exporters write, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as drawn

import netc
from netc.cli import main
from netc.ir.weights import Weights, random_weights
from netc.lift.lifting import flat
from netc.lift.source import Imported, ImportRefused
from netc.limits import Limits
from netc.program import Program
from netc.targets.importing import read
from tests.effort import EXAMPLES, unshrunk
from tests.layer_samples import SAMPLES, Sample
from tests.one_layer import difference, given, net_of, program_of, weights_of
from tests.random_networks import compiled, networks
from tests.specs import SPECS

np = pytest.importorskip("numpy")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402 - it may not be there

from netc.storage.stored import StorageError  # noqa: E402 - imports NumPy
from netc.targets.errors import ExportError  # noqa: E402
from netc.targets.noise import noise  # noqa: E402
from netc.targets.numpy.run import run  # noqa: E402
from netc.targets.onnx.engine import session  # noqa: E402
from netc.targets.onnx.model import model  # noqa: E402
from netc.targets.onnx.read import imported  # noqa: E402

OPERATION, NETWORK = 1e-5, 1e-4
Arrays = Mapping[str, Any]

# What netc exports in pieces of which no layer is made again, so far.
REFUSED = ("sparsemax", "crop", "resize", "attention")  # but for the first, of open sizes alone
SMALL = ("digits", "mobilenetv3-small", "highway", "autoencoder", "resnet", "vae")


def taken(proto: Any) -> Imported:
    return imported(proto, None, "made", Limits())


def computed(found: Imported, inputs: Arrays) -> list[Any]:
    """The outputs of a network that was read, in NumPy."""
    weights = Weights({}) if found.weights is None else found.weights()
    made = run(found.net, weights, inputs)
    return [made[name] for name in found.net.outputs]


# -- what netc exported ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.inputs], ids=str)
def test_an_operation_that_was_exported_is_read_again(sample: Sample) -> None:
    net = net_of(sample)
    weights, inputs = weights_of(net), given(net)
    try:
        found = taken(model(program_of(net), weights).proto)
    except ImportRefused:
        assert sample.layer.op in REFUSED
        return
    (made,) = computed(found, inputs)
    assert difference(made, run(net, weights, inputs)["only"]) < OPERATION


@pytest.mark.parametrize("name", sorted({path.stem for path in SPECS.glob("*.net")}) if EXAMPLES else SMALL)
def test_a_spec_that_was_exported_is_read_again(name: str) -> None:
    program = netc.load(SPECS / f"{name}.net").program
    weights = random_weights(program.net, 0)
    try:
        found = taken(model(program, weights).proto)
    except ImportRefused:
        assert name not in SMALL
        return
    assert flat(found.net).program.net.outputs
    inputs = noise(program.net, 1, 0)
    expected = run(program.net, weights, inputs)
    for made, output in zip(computed(found, inputs), program.net.outputs, strict=True):
        assert difference(made, expected[output]) < NETWORK


@unshrunk(25)
@drawn(networks())
def test_a_random_network_is_read_again_or_refused(text: str) -> None:
    made = compiled(text)
    assert made is not None
    with suppress(ImportRefused, ExportError, ValueError):
        _read_again(made)


def _read_again(program: Program) -> None:
    weights = random_weights(program.net, 1)
    inputs = noise(program.net, 2, 0)
    expected = run(program.net, weights, inputs)
    found = taken(model(program, weights).proto)
    for made, output in zip(computed(found, inputs), program.net.outputs, strict=True):
        if np.isfinite(expected[output]).all():
            assert difference(made, expected[output]) < NETWORK


# -- what other exporters write ------------------------------------------------------------------------------------


class Graph:
    """A model that is written node by node."""

    def __init__(self, *sizes: int | str) -> None:
        self.nodes: list[Any] = []
        self.arrays: dict[str, Any] = {}
        self.inputs = {"x": sizes}
        self.random = np.random.default_rng(0)

    def array(self, *sizes: int) -> str:
        """An array of numbers that are all different."""
        return self.constant(self.random.uniform(0.5, 1.5, sizes).astype("float32"))

    def constant(self, value: Any) -> str:
        name = f"array{len(self.arrays)}"
        self.arrays[name] = np.asarray(value)
        return name

    def node(self, op: str, *inputs: str, count: int = 1, name: str = "", **attributes: Any) -> Any:
        made = [f"value{len(self.nodes)}_{at}" for at in range(count)]
        self.nodes.append(
            helper.make_node(op, list(inputs), made, name=name or f"{op}_{len(self.nodes)}", **attributes)
        )
        return made[0] if count == 1 else made

    def number(self, value: float) -> str:
        return self.constant(np.float32(value))

    def whole(self, *values: int) -> str:
        return self.constant(np.asarray(values, np.int64))

    def proto(self, *outputs: str, opset: int = 18) -> Any:
        inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes) for name, sizes in self.inputs.items()]
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        arrays = [numpy_helper.from_array(array, name) for name, array in self.arrays.items()]
        body = helper.make_graph(self.nodes, "written", inputs, ends, arrays)
        return helper.make_model(body, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)

    # What PyTorch's layers are.

    def conv(self, x: str, filters: int, channels: int, kernel: int = 3, **attributes: Any) -> str:
        groups = attributes.get("group", 1)
        weight = self.array(filters, channels // groups, kernel, kernel)
        self.arrays[weight] = (self.arrays[weight] - 1) / kernel
        return str(self.node("Conv", x, weight, **attributes))

    def norm(self, x: str, channels: int) -> str:
        return str(self.node("BatchNormalization", x, *(self.array(channels) for _ in range(4)), epsilon=1e-5))


def ran(proto: Any, *inputs: Any) -> list[Any]:
    """What onnxruntime makes of a model."""
    made = session(proto.SerializeToString())
    return list(made.run(None, {one.name: array for one, array in zip(made.get_inputs(), inputs, strict=True)}))


def last(array: Any) -> Any:
    return np.moveaxis(array, 1, -1) if array.ndim > 2 else array


def same(graph: Graph, *outputs: str, opset: int = 18) -> Imported:
    """What is read of a graph, once it computes in NumPy what the graph computes in onnxruntime."""
    proto = graph.proto(*outputs, opset=opset)
    found = taken(proto)
    random = np.random.default_rng(1)
    sizes = [[2 if isinstance(size, str) else size for size in sizes] for sizes in graph.inputs.values()]
    inputs = [random.normal(size=size).astype("float32") for size in sizes]
    fits = [
        x if x.shape[1:] == found.net.shapes[name] else last(x)
        for x, name in zip(inputs, found.net.inputs, strict=True)
    ]
    for made, expected in zip(
        computed(found, dict(zip(found.net.inputs, fits, strict=True))), ran(proto, *inputs), strict=True
    ):
        assert difference(made, expected if made.shape == expected.shape else last(expected)) < NETWORK
    flat(found.net)
    return found


def refused(proto: Any) -> str:
    with pytest.raises(ImportRefused) as caught:
        taken(proto)
    return str(caught.value)


def ops(found: Imported) -> list[str]:
    return [node.layer.op for node in found.net if not node.layer.is_input]


def test_a_residual_block_of_pytorch_is_its_layers() -> None:
    g = Graph("batch", 8, 9, 9)
    y = g.node(
        "Relu", g.norm(g.conv("x", 16, 8, strides=[2, 2], pads=[1, 1, 1, 1], name="/layer2/layer2.0/conv1/Conv"), 16)
    )
    y = g.norm(g.conv(y, 16, 16, pads=[1, 1, 1, 1], name="/layer2/layer2.0/conv2/Conv"), 16)
    short = g.norm(g.conv("x", 16, 8, 1, strides=[2, 2]), 16)
    y = g.node("Relu", g.node("Add", y, short, name="/layer2/layer2.0/Add"), name="/layer2/layer2.0/relu/Relu")
    pooled = g.node("Flatten", g.node("GlobalAveragePool", y), axis=1)
    found = same(g, g.node("Gemm", pooled, g.array(10, 16), g.array(10), transB=1))
    assert ops(found) == ["conv", "bn", "relu", "conv", "bn", "conv", "bn", "add", "relu", "gap", "fc"]
    assert {"layer2.0.conv1", "layer2.0.conv2", "layer2.0.relu"} <= set(found.sources.values())
    first = found.net.node("layer2_0_conv1").layer
    assert first.pad == "same"  # type: ignore[attr-defined]  # of nine pixels it is as PyTorch pads


@pytest.mark.parametrize(("size", "pad"), [(224, (3, 3)), (223, "same")])
def test_padding_is_same_only_where_it_is(size: int, pad: object) -> None:
    g = Graph("batch", 1, size, size)
    found = same(g, g.conv("x", 2, 1, 7, strides=[2, 2], pads=[3, 3, 3, 3]))
    assert found.net.node("Conv_0").layer.pad == pad  # type: ignore[attr-defined]


def test_a_matrix_after_a_flatten_has_its_rows_in_another_order() -> None:
    g = Graph("batch", 3, 4, 5)
    flat_one = g.node("Flatten", g.node("Relu", g.conv("x", 6, 3, pads=[1, 1, 1, 1])))
    found = same(g, g.node("Gemm", flat_one, g.array(120, 7), g.array(7)))
    assert ops(found) == ["conv", "relu", "fc"]


def test_a_flattened_map_that_no_matrix_reads_is_in_the_order_of_the_file() -> None:
    g = Graph("batch", 3, 4, 5)
    found = same(g, g.node("Softmax", g.node("Reshape", g.conv("x", 6, 3), g.whole(-1, 36)), axis=1))
    assert ops(found) == ["conv", "reshape", "swap", "flatten", "softmax"]


def test_transpositions_around_convolutions_leave_nothing() -> None:
    g = Graph("batch", 6, 7, 3)
    y = g.node("Transpose", "x", perm=[0, 3, 1, 2])
    y = g.node("Transpose", g.conv(y, 5, 3, pads=[0, 0, 1, 1], strides=[2, 2]), perm=[0, 2, 3, 1])
    y = g.node("Add", y, g.array(5))
    y = g.node("Relu", y)
    y = g.node(
        "Transpose",
        g.node("MaxPool", g.node("Transpose", y, perm=[0, 3, 1, 2]), kernel_shape=[2, 2]),
        perm=[0, 2, 3, 1],
    )
    y = g.node("ReduceMean", y, g.whole(1, 2), keepdims=0)
    found = same(g, g.node("Add", g.node("MatMul", y, g.array(5, 4)), g.array(4)))
    assert ops(found) == ["pad", "conv", "relu", "pool", "gap", "fc"]
    assert found.net.shapes["x"] == (6, 7, 3)


ACTIVATIONS: dict[str, Callable[[Graph, str], str]] = {
    "silu": lambda g, x: g.node("Mul", x, g.node("Sigmoid", x)),
    "hard_silu": lambda g, x: g.node(
        "Div", g.node("Mul", x, g.node("Clip", g.node("Add", x, g.number(3)), g.number(0), g.number(6))), g.number(6)
    ),
    "hard_sigmoid": lambda g, x: g.node("HardSigmoid", x, alpha=1 / 6),
    "relu6": lambda g, x: g.node("Min", g.node("Max", x, g.number(0)), g.number(6)),
    "gelu": lambda g, x: g.node(
        "Mul",
        g.node("Mul", x, g.node("Add", g.node("Erf", g.node("Div", x, g.number(2**0.5))), g.number(1))),
        g.number(0.5),
    ),
    "gelu approximate": lambda g, x: g.node(
        "Mul",
        g.node("Mul", g.number(0.5), x),
        g.node(
            "Add",
            g.number(1),
            g.node(
                "Tanh",
                g.node(
                    "Mul",
                    g.number((2 / np.pi) ** 0.5),
                    g.node("Add", x, g.node("Mul", g.number(0.044715), g.node("Pow", x, g.number(3)))),
                ),
            ),
        ),
    ),
    "mish": lambda g, x: g.node("Mul", x, g.node("Tanh", g.node("Softplus", x))),
    "leakyrelu": lambda g, x: g.node("LeakyRelu", x, alpha=0.2),
    "sigmoid": lambda g, x: g.node("Reciprocal", g.node("Add", g.node("Exp", g.node("Neg", x)), g.number(1))),
    "rescale": lambda g, x: g.node("Div", g.node("Sub", x, g.number(127.5)), g.number(127.5)),
    "elu": lambda g, x: g.node("Elu", x, alpha=0.5),
    "softplus": lambda g, x: g.node("Log", g.node("Add", g.node("Exp", x), g.number(1))),
    "abs": lambda g, x: g.node("Max", x, g.node("Neg", x)),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_an_activation_is_known_however_it_is_written(name: str) -> None:
    g = Graph("batch", 3, 4, 4)
    found = same(g, ACTIVATIONS[name](g, g.conv("x", 5, 3)))
    assert ops(found) == ["conv", name.split(maxsplit=1)[0]]
    assert getattr(found.net.node(found.net.outputs[0]).layer, "approximate", False) == name.endswith("approximate")


@pytest.mark.parametrize(
    ("dilation", "stride", "before", "after", "causal"),
    [(3, 1, 6, 0, True), (1, 2, 2, 0, True), (3, 1, 4, 0, False), (3, 1, 8, 0, False), (3, 1, 6, 1, False)],
)
def test_a_convolution_that_is_padded_before_time_alone_is_causal(
    dilation: int, stride: int, before: int, after: int, causal: bool
) -> None:
    """By its own pads, or by a `Pad` before it, as PyTorch's users write it."""
    g, h = Graph("batch", 4, 12), Graph("batch", 4, 12)
    steps = {"dilations": [dilation], "strides": [stride]}
    first = same(g, g.node("Conv", "x", g.array(8, 4, 3), pads=[before, after], **steps))
    padded = h.node("Pad", "x", h.whole(0, 0, before, 0, 0, after))
    second = same(h, h.node("Conv", padded, h.array(8, 4, 3), **steps))
    for found in (first, second):
        assert ops(found) == (["conv"] if causal else ["pad", "conv"])
        assert getattr(found.net.node(found.net.outputs[0]).layer, "pad", "") == ("causal" if causal else "valid")


def test_what_is_like_an_activation_and_is_none_is_refused() -> None:
    g = Graph("batch", 3, 4, 4)
    y = g.node("Clip", g.node("Add", "x", g.number(3.01)), g.number(0), g.number(6))
    proto = g.proto(g.node("Sin", g.node("Mul", "x", g.node("Sin", y))))
    with pytest.raises(ImportRefused) as caught:
        taken(proto)
    assert [reason.place for reason in caught.value.reasons] == ["node 2 `Sin_2` (Sin)", "node 4 `Sin_4` (Sin)"]


def test_gates_groups_and_upsampling_are_read() -> None:
    g = Graph("batch", 8, 6, 6)
    gate = g.node("GlobalAveragePool", "x")
    gate = g.node("Sigmoid", g.conv(g.node("Relu", g.conv(gate, 2, 8, 1)), 8, 2, 1))
    y = g.node("Mul", "x", gate)
    y = g.conv(y, 16, 8, group=8, pads=[1, 1, 1, 1])
    y = g.node(
        "Reshape",
        g.node("Transpose", g.node("Reshape", y, g.whole(0, 4, 4, 6, 6)), perm=[0, 2, 1, 3, 4]),
        g.whole(0, 16, 6, 6),
    )
    y = g.conv(y, 4, 16, group=2)
    y = g.node(
        "Resize",
        y,
        "",
        g.constant(np.float32([1, 1, 2, 2])),
        mode="linear",
        coordinate_transformation_mode="pytorch_half_pixel",
    )
    halves = g.node("Split", y, g.whole(2, 2), count=2, axis=1)
    y = g.node("Concat", halves[1], halves[0], axis=1)
    found = same(g, g.node("AveragePool", y, kernel_shape=[3, 3], pads=[1, 1, 1, 1]))
    assert ops(found)[:6] == ["gap", "conv", "relu", "conv", "sigmoid", "mul"]
    assert ops(found)[6:] == ["dwconv", "shuffle", "conv", "upsample", "part", "part", "concat", "avgpool"]


@pytest.mark.parametrize("mode", ["DCR", "CRD"])
def test_blocks_of_pixels_are_those_of_the_file(mode: str) -> None:
    g = Graph("batch", 12, 2, 3)
    same(g, g.node("DepthToSpace", g.conv("x", 12, 12, 1), blocksize=2, mode=mode))
    g = Graph("batch", 3, 4, 6)
    y = g.node("Reshape", g.conv("x", 3, 3, 1), g.whole(-1, 3, 2, 2, 3, 2))
    order = [0, 3, 5, 1, 2, 4] if mode == "DCR" else [0, 1, 3, 5, 2, 4]
    same(g, g.node("Reshape", g.node("Transpose", y, perm=order), g.whole(-1, 12, 2, 3)))


def test_shares_of_channels_are_weighed_and_summed_up() -> None:
    g = Graph("batch", 3, 4, 5)
    parts = g.node("Reshape", g.conv("x", 8, 3, 1), g.whole(0, 2, 4, 4, 5))
    both = g.node("GlobalAveragePool", g.node("ReduceSum", parts, g.whole(1), keepdims=0))
    gates = g.node("Reshape", g.conv(both, 8, 4, 1), g.whole(0, 1, 2, 4))
    gates = g.node("Softmax", g.node("Transpose", gates, perm=[0, 2, 1, 3]), axis=1)
    weighed = g.node("Mul", parts, g.node("Reshape", gates, g.whole(0, 2, 4, 1, 1)))
    found = same(g, g.node("ReduceSum", weighed, g.whole(1), keepdims=0))
    assert ops(found).count("part") == 4
    assert ops(found).count("add") == 2
    g = Graph("batch", 3, 4, 5)
    assert "rescale" in ops(same(g, g.node("ReduceSum", g.conv("x", 8, 3, 1), g.whole(2, 3), keepdims=0)))


def test_what_is_made_as_large_as_the_other_factor_is_not_made_larger() -> None:
    g = Graph("batch", 3, 4, 5)
    y = g.conv("x", 8, 3, 1)
    gate = g.node("Expand", g.node("Sigmoid", g.node("GlobalAveragePool", y)), g.node("Shape", y))
    assert ops(same(g, g.node("Mul", y, gate))) == ["conv", "gap", "sigmoid", "mul"]
    assert ops(same(g, g.node("Relu", gate))) == ["conv", "gap", "sigmoid", "upsample", "relu"]


def test_several_tokens_stand_in_their_order() -> None:
    g = Graph(1, 3, 4)
    y = g.node("MatMul", "x", g.array(4, 4))
    found = same(g, g.node("Concat", g.array(1, 1, 4), g.array(1, 1, 4), y, axis=1))
    assert ops(found).count("token") == 2


@pytest.mark.parametrize("width", [5, 1200])  # kernels of a few numbers, and of more than are computed at once
@pytest.mark.parametrize("training", [0, 1])
def test_kernels_that_are_normalised_are_the_layer_s(width: int, training: int) -> None:
    g = Graph("batch", width, 2, 2)
    kernel, count = g.array(1, 600, width), 600
    statistics = [g.node("ReduceMean", kernel, g.whole(0, 2), keepdims=0)]
    centred = g.node("Sub", kernel, g.node("ReduceMean", kernel, g.whole(0, 2), keepdims=1))
    statistics.append(g.node("ReduceMean", g.node("Mul", centred, centred), g.whole(0, 2), keepdims=0))
    made = g.node(
        *("BatchNormalization", kernel, g.array(count), g.array(count), *statistics),
        count=3 if training else 1, training_mode=training,
    )  # fmt: skip
    made = made[0] if training else made
    found = same(g, g.node("Conv", "x", g.node("Reshape", made, g.whole(600, width, 1, 1))))
    assert ops(found) == ["conv"]


def test_a_weight_is_not_computed_in_any_number_of_steps() -> None:
    g = Graph("batch", 1200, 2, 2)
    kernel = g.array(600, 1200, 1, 1)
    for _ in range(40):
        kernel = g.node("Add", kernel, kernel)
    assert "too many steps" in refused(g.proto(g.node("Conv", "x", kernel)))


def test_zeros_before_a_window_are_its_padding() -> None:
    g = Graph("batch", 3, 8, 8)
    padded = g.node("Pad", "x", g.whole(0, 0, 0, 0, 0, 0, 1, 1))
    found = same(g, g.conv(padded, 5, 3, 3, strides=[2, 2]))
    assert ops(found) == ["conv"]
    assert found.net.node(found.net.outputs[0]).layer.pad == "same"  # type: ignore[attr-defined]


def test_transposed_convolutions_are_cropped_as_the_file_crops_them() -> None:
    for pads, more, expected in (([1, 1, 1, 1], [1, 1], ["deconv", "crop"]), ([1] * 4, [0, 0], ["deconv", "crop"])):
        g = Graph("batch", 3, 5, 5)
        weight = g.array(3, 4, 3, 3)
        found = same(
            g, g.node("ConvTranspose", "x", weight, g.array(4), strides=[2, 2], pads=pads, output_padding=more)
        )
        assert ops(found) == expected
    g = Graph("batch", 3, 5, 5)
    found = same(g, g.node("ConvTranspose", "x", g.array(3, 4, 4, 4), strides=[2, 2], pads=[1] * 4))
    assert ops(found) == ["deconv"]


def test_layer_normalisation_is_known_in_pieces_and_along_any_axis() -> None:
    g = Graph("batch", 6, 3, 4)
    centred = g.node("Sub", "x", g.node("ReduceMean", "x", g.whole(1)))
    variance = g.node("ReduceMean", g.node("Pow", centred, g.number(2)), g.whole(1))
    y = g.node("Div", centred, g.node("Sqrt", g.node("Add", variance, g.number(1e-6))))
    y = g.node("Add", g.node("Mul", y, g.array(6, 1, 1)), g.array(6, 1, 1))
    found = same(g, g.conv(y, 3, 6))
    assert ops(found) == ["layernorm", "conv"]
    assert found.net.node(found.net.operands(found.net.outputs[0])[0]).layer.epsilon == 1e-6  # type: ignore[attr-defined]


def test_group_normalisation_is_known_in_pieces() -> None:
    g = Graph("batch", 6, 3, 4)
    parts = g.node("Reshape", g.conv("x", 6, 6, 1), g.whole(0, 3, -1))
    y = g.node("InstanceNormalization", parts, g.constant(np.ones(3, "f4")), g.constant(np.zeros(3, "f4")))
    y = g.node("Reshape", y, g.whole(-1, 6, 3, 4))
    found = same(g, g.node("Add", g.node("Mul", y, g.array(6, 1, 1)), g.array(6, 1, 1)))
    assert ops(found) == ["conv", "groupnorm"]


@pytest.mark.parametrize("learnt", [True, False])
def test_a_norm_without_parameters_has_none(learnt: bool) -> None:
    """Instance normalisation has factors of 1 and offsets of 0 in any file; those of a module bear its name."""
    g = Graph("batch", 6, 3, 4)
    arrays = [g.constant(np.full(6, value, "f4")) for value in (1, 0)]
    names = ["norm.weight", "norm.bias"] if learnt else arrays
    g.arrays |= {name: g.arrays.pop(array) for name, array in zip(names, arrays, strict=True)}
    found = same(g, g.node("InstanceNormalization", g.conv("x", 6, 6, 1), *names))
    layer: Any = found.net.node(found.net.outputs[0]).layer
    assert (layer.op, layer.scale, layer.center) == ("groupnorm", learnt, learnt)


def test_the_length_of_channels_is_known_in_pieces() -> None:
    g = Graph("batch", 6)
    length = g.node("Clip", g.node("ReduceL2", "x", g.whole(1)), g.number(1e-12))
    found = same(g, g.node("Div", "x", g.node("Expand", length, g.node("Shape", "x"))))
    assert ops(found) == ["l2norm"]


@pytest.mark.parametrize("packed", [True, False])
def test_attention_is_known_in_pieces(packed: bool) -> None:
    g = Graph("batch", 5, 8)
    if packed:
        whole = g.node("Add", g.node("MatMul", "x", g.array(8, 24)), g.array(24))
        parts = g.node("Transpose", g.node("Reshape", whole, g.whole(0, 5, 3, 2, 4)), perm=[2, 0, 3, 1, 4])
        query, key, value = (g.node("Gather", parts, g.constant(np.int64(at)), axis=0) for at in range(3))
    else:
        rows = [g.node("Add", g.node("MatMul", "x", g.array(8, 8)), g.array(8)) for _ in range(3)]
        query, key, value = (
            g.node("Transpose", g.node("Reshape", one, g.whole(0, 5, 2, 4)), perm=[0, 2, 1, 3]) for one in rows
        )
    scores = g.node("MatMul", query, g.node("Transpose", key, perm=[0, 1, 3, 2]))
    scores = g.node("Softmax", g.node("Div", scores, g.number(2)), axis=-1)
    y = g.node("Transpose", g.node("MatMul", scores, value), perm=[0, 2, 1, 3])
    y = g.node("MatMul", g.node("Reshape", y, g.whole(0, 5, 8)), g.array(8, 8))
    found = same(g, g.node("Add", "x", g.node("Add", y, g.array(8))))
    assert ops(found) == ["attention", "add"]


def test_recurrent_layers_of_pytorch_are_read() -> None:
    g = Graph("batch", 5, 3)
    x = g.node("Transpose", "x", perm=[1, 0, 2])
    y = g.node(
        "LSTM", x, g.array(2, 16, 3), g.array(2, 16, 4), g.array(2, 32), hidden_size=4, direction="bidirectional"
    )
    y = g.node("Reshape", g.node("Transpose", y, perm=[2, 0, 1, 3]), g.whole(0, 0, -1))
    state = g.node("GRU", g.node("Transpose", y, perm=[1, 0, 2]), g.array(1, 6, 8), g.array(1, 6, 2), hidden_size=2,
                   linear_before_reset=1, count=2)[1]  # fmt: skip
    found = same(g, g.node("Squeeze", state, g.whole(0)))
    assert ops(found) == ["lstm", "gru"]


def test_a_plain_recurrent_layer_says_its_activations() -> None:
    g = Graph("batch", 5, 3)
    x = g.node("Transpose", "x", perm=[1, 0, 2])
    y = g.node("RNN", x, g.array(1, 4, 3), g.array(1, 4, 4), g.array(1, 8), hidden_size=4, activations=["Tanh"])
    assert ops(same(g, g.node("Transpose", g.node("Squeeze", y, g.whole(1)), perm=[1, 0, 2]))) == ["rnn"]
    next(one for one in g.nodes[1].attribute if one.name == "activations").strings[0] = b"Relu"
    assert "its activations" in refused(g.proto(y))


@pytest.mark.parametrize("expanded", [True, False])
def test_zeros_of_any_batch_are_cut_for_the_layers_that_begin_with_them(expanded: bool) -> None:
    g = Graph("batch", 5, 3)
    batch = g.node("Gather", g.node("Shape", "x"), g.whole(0), axis=0)
    sizes = g.node("Concat", g.whole(2), batch, g.whole(4), axis=0)
    zeros = g.node("Expand", g.number(0), sizes) if expanded else g.node("ConstantOfShape", sizes)
    x = g.node("Transpose", "x", perm=[1, 0, 2])
    for at, channels in enumerate((3, 4)):
        begins = g.node("Slice", zeros, g.whole(at), g.whole(at + 1), g.whole(0))
        weights = g.array(1, 16, channels), g.array(1, 16, 4), g.array(1, 32)
        x = g.node("Squeeze", g.node("LSTM", x, *weights, "", begins, begins, hidden_size=4), g.whole(1))
    assert ops(same(g, g.node("Transpose", x, perm=[1, 0, 2]))) == ["lstm", "lstm"]


def test_a_batch_of_one_is_found_wherever_reshapes_leave_it() -> None:
    """Attention as PyTorch exports it for a batch of one: positions first, all heads of the batch as one axis."""
    g = Graph(1, 5, 8)
    x = g.node("Transpose", "x", perm=[1, 0, 2])
    rows = [g.node("Add", g.node("MatMul", x, g.array(8, 8)), g.array(8)) for _ in range(3)]
    query, key, value = (g.node("Transpose", g.node("Reshape", one, g.whole(5, 2, 4)), perm=[1, 0, 2]) for one in rows)
    scores = g.node("MatMul", g.node("Mul", query, g.number(0.5)), g.node("Transpose", key, perm=[0, 2, 1]))
    y = g.node("MatMul", g.node("Softmax", scores, axis=-1), value)
    y = g.node("Reshape", g.node("Transpose", y, perm=[1, 0, 2]), g.whole(5, 8))
    y = g.node("Reshape", g.node("Gemm", y, g.array(8, 8), g.array(8), transB=1), g.whole(5, 1, 8))
    found = same(g, g.node("Add", g.node("Transpose", y, perm=[1, 0, 2]), "x"))
    assert ops(found) == ["attention", "add"]


def test_matrices_that_a_file_holds_as_one_are_cut() -> None:
    g = Graph("batch", 5, 8)
    kernels = g.node("Split", g.array(24, 8), g.whole(8, 16), axis=0, count=2)
    query, both = (g.node("MatMul", "x", g.node("Transpose", kernel, perm=[1, 0])) for kernel in kernels)
    assert ops(same(g, g.node("Concat", query, both, axis=2))) == ["conv", "conv", "concat"]


def test_constants_in_steps_are_the_numbers_that_they_come_to() -> None:
    g = Graph("batch", 3, 4, 4)
    zero, six = (g.node("Cast", g.constant(np.float64(value)), to=TensorProto.FLOAT) for value in (0, 6))
    kernel = g.array(5, 3, 3, 3)
    length = g.node("ReduceL2", kernel, g.whole(1, 2, 3))
    kernel = g.node("Mul", g.array(5, 1, 1, 1), g.node("Div", kernel, length))
    found = same(g, g.node("Clip", g.node("Conv", "x", kernel), zero, six))
    assert ops(found) == ["conv", "relu6"]


@pytest.mark.parametrize("bounds", [(-2, 2), (-0.5, None), (None, 0.75), (0.25, 1.5)])
def test_bounds_that_no_activation_has_are_those_of_a_rectifier(bounds: tuple[float | None, float | None]) -> None:
    g = Graph("batch", 3, 4, 4)
    given = [g.number(bound) if bound is not None else "" for bound in bounds]
    found = same(g, g.node("Clip", g.conv("x", 5, 3), *given))
    assert ops(found) == ["conv", "rescale", "relu", "rescale"]


def test_a_layer_norm_is_known_in_other_pieces() -> None:
    g = Graph("batch", 6, 3, 4)
    y = g.conv("x", 6, 6, 1)
    centred, again = (g.node("Sub", y, g.node("ReduceMean", y, g.whole(1))) for _ in range(2))
    variance = g.node("ReduceMean", g.node("Mul", again, again), g.whole(1))
    inverse = g.node("Div", g.number(1), g.node("Sqrt", g.node("Add", variance, g.number(1e-6))))
    assert ops(same(g, g.node("Mul", inverse, centred))) == ["conv", "layernorm"]


@pytest.mark.parametrize("size", [1, 5])
@pytest.mark.parametrize("batch", [1, "batch"])
def test_a_mean_over_channels_as_positions_is_response_normalisation(batch: int | str, size: int) -> None:
    g = Graph(batch, 6, 3, 4)
    x = g.node("Relu", g.conv("x", 6, 6, 1))
    sizes = g.node("Shape", x)
    first, rest = (g.node("Slice", sizes, g.whole(start), g.whole(end)) for start, end in ((0, 1), (1, 3)))
    wide = g.node("Concat", first, g.whole(1), rest, g.whole(-1), axis=0)
    pads = g.whole(*(0, 0, size // 2, 0, 0, 0, 0, size // 2, 0, 0))
    parted = g.node("Pad", g.node("Reshape", g.node("Mul", x, x), wide), pads)
    mean = g.node("AveragePool", parted, kernel_shape=[size, 1, 1], strides=[1, 1, 1], count_include_pad=1)
    mean = g.node("Reshape", g.node("Squeeze", mean, g.whole(1)), sizes)
    below = g.node("Pow", g.node("Add", g.node("Mul", mean, g.number(0.5)), g.number(2)), g.number(0.75))
    found = same(g, g.node("Div", x, below))
    assert ops(found) == ["conv", "relu", "lrn"]
    g.arrays[pads][2] += 1  # as an even number of channels has it, which are more before than after
    assert "(Pad): it pads channels" in refused(g.proto(g.node("Div", x, below)))


def test_what_is_stacked_for_a_sum_is_a_sum() -> None:
    for kind, op in (("ReduceSum", "add"), ("ReduceMean", "avg"), ("ReduceMax", "max")):
        g = Graph("batch", 3, 4, 4)
        axes = {"axes": [0]} if kind == "ReduceMax" else {}
        parts = [g.node("Unsqueeze", g.conv("x", 5, 3), g.whole(0)) for _ in range(3)]
        given = [g.node("Concat", *parts, axis=0), *([] if axes else [g.whole(0)])]
        opset = 17 if kind == "ReduceMax" else 18
        assert ops(same(g, g.node(kind, *given, keepdims=0, **axes), opset=opset)) == ["conv"] * 3 + [op]


def test_a_mean_over_rows_is_a_pool_of_their_height() -> None:
    g = Graph("batch", 3, 4, 5)
    found = same(g, g.node("ReduceMean", g.conv("x", 6, 3, 1), g.whole(2), keepdims=1))
    assert ops(found) == ["conv", "avgpool"]
    g = Graph("batch", 3, 4, 5)
    y = g.node("ReduceMax", g.conv("x", 6, 3, 1), g.whole(3), keepdims=0)
    assert ops(same(g, g.node("ReduceMax", y, g.whole(2), keepdims=0)))[:2] == ["conv", "pool"]


def test_what_numpy_would_repeat_is_made_as_large() -> None:
    """Coordinate attention (Hou et al. 2021) has a gate for each row; a vector stands at each position of a map."""
    g = Graph("batch", 3, 4, 5)
    y = g.conv("x", 6, 3, 1)
    row = g.node("Sigmoid", g.node("ReduceMean", y, g.whole(3), keepdims=1))
    wide = g.node("Tile", g.node("ReduceMean", y, g.whole(2, 3), keepdims=1), g.whole(1, 1, 4, 5))
    found = same(g, g.node("Concat", g.node("Mul", y, row), wide, axis=1))
    assert ops(found) == ["conv", "avgpool", "sigmoid", "gap", "upsample", "upsample", "mul", "concat"]
    g = Graph("batch", 3, 4, 5)
    assert "more than positions of size 1" in refused(g.proto(g.node("Tile", g.conv("x", 6, 3), g.whole(1, 2, 1, 1))))


def test_means_over_channels_are_known_without_their_axis() -> None:
    g = Graph("batch", 3, 4, 5)
    y = g.conv("x", 6, 3, 1)
    parts = [g.node("Unsqueeze", g.node("ReduceMean", y, g.whole(1), keepdims=0), g.whole(1))]
    found = same(g, g.node("Mul", y, g.node("Sigmoid", g.conv(parts[0], 1, 1, 1))))
    assert ops(found) == ["conv", "gap", "conv", "sigmoid", "mul"]


@pytest.mark.parametrize(("size", "window"), [(7, 2), (8, 3)])
def test_a_mean_leaves_out_what_is_beyond_the_map(size: int, window: int) -> None:
    g = Graph("batch", 2, size, size)
    y = g.node("AveragePool", "x", kernel_shape=[window] * 2, strides=[2, 2], ceil_mode=1, count_include_pad=1)
    assert ops(same(g, y, opset=19)) == ["avgpool"]


@pytest.mark.parametrize("counted", [0, 1])
def test_a_mean_over_padding_that_is_counted_is_none_over_what_is_there(counted: int) -> None:
    g = Graph("batch", 2, 8, 8)
    y = g.node("AveragePool", "x", kernel_shape=[3, 3], auto_pad="SAME_UPPER", count_include_pad=counted)
    if counted:
        assert "it counts its padding" in refused(g.proto(y))
    else:
        assert ops(same(g, y)) == ["avgpool"]


def test_a_softplus_of_large_numbers_is_the_number() -> None:
    g = Graph("batch", 3, 4, 4)
    y = g.conv("x", 5, 3)
    chosen = g.node("Where", g.node("Greater", y, g.number(20)), y, g.node("Softplus", y))
    assert ops(same(g, chosen)) == ["conv", "softplus"]
    g = Graph("batch", 3, 4, 4)
    chosen = g.node("Where", g.node("Greater", "x", g.number(1)), "x", g.node("Softplus", "x"))
    assert "(Greater): no layer" in refused(g.proto(chosen))


@pytest.mark.parametrize("name", ["log_sigmoid", "log_softmax", "mul"])
def test_logarithms_and_squares_are_known(name: str) -> None:
    g = Graph("batch", 3, 4, 4)
    y = g.conv("x", 5, 3)
    made = {
        "log_sigmoid": lambda: g.node("Log", g.node("Sigmoid", y)),
        "log_softmax": lambda: g.node("Log", g.node("Softmax", y, axis=1)),
        "mul": lambda: g.node("Pow", y, g.number(3)),
    }[name]()
    assert ops(same(g, made)) == ["conv", name]


def test_windows_are_rounded_up_as_padding_or_refused() -> None:
    g = Graph("batch", 2, 8, 8)
    found = same(g, g.node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1))
    assert found.net.node(found.net.outputs[0]).layer.pad == "same"  # type: ignore[attr-defined]
    g = Graph("batch", 2, 9, 9)
    proto = g.proto(g.node("MaxPool", "x", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 0, 0]))
    with pytest.raises(ImportRefused, match="not as much on both sides"):
        taken(proto)


def test_a_model_is_a_network_in_python(tmp_path: Path) -> None:
    graph, end = _block()
    onnx.save(graph.proto(end), tmp_path / "block.onnx")
    for model_of in (graph.proto(end), tmp_path / "block.onnx", str(tmp_path / "block.onnx")):
        assert netc.from_onnx(model_of).cost.total.parameters == 3 * 8 * 9 + 4 * 8 + 16 * 64 * 4 + 4


# -- what changes nothing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 3, "batch"])
def test_verify_runs_a_model_with_the_batch_that_it_is_for(
    batch: int | str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    g = Graph(batch, 3, 9, 9)
    pooled = g.node("Flatten", g.node("GlobalAveragePool", g.conv(g.conv("x", 4, 3), 5, 4)))
    onnx.save(g.proto(g.node("Gemm", pooled, g.array(5, 2), g.array(2))), tmp_path / "made.onnx")
    assert main(["import", str(tmp_path / "made.onnx"), "-o", str(tmp_path / "made.net"), "--verify"]) == 0
    assert "proved: onnxruntime" in capsys.readouterr().err


def _verified(graph: Graph, output: str, path: Path, *options: str) -> None:
    """`netc import` of a graph, of which onnxruntime and NumPy compute the same."""
    onnx.save(graph.proto(output), path / "made.onnx")
    assert main(["import", str(path / "made.onnx"), "-o", str(path / "made.net"), "--verify", *options]) == 0


def test_outputs_are_verified_in_the_order_of_their_axes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Positions before the batch, as for CTC; no axis but the batch, as a value in reinforcement learning has; three
    sizes that are equal, by which no axis is told from another."""
    g = Graph("batch", 5, 3)
    _verified(g, g.node("Transpose", g.node("MatMul", "x", g.array(3, 4)), perm=[1, 0, 2]), tmp_path)
    assert "the batch is first in the output" in capsys.readouterr().err
    (tmp_path / "b").mkdir()
    g = Graph("batch", 3)
    _verified(g, g.node("Squeeze", g.node("MatMul", "x", g.array(3, 1)), g.whole(1)), tmp_path / "b")
    (tmp_path / "c").mkdir()
    g = Graph("batch", 4, 4, 4)
    y = g.node("Transpose", g.node("Relu", g.conv("x", 4, 4, 1)), perm=[0, 1, 3, 2])
    for flat_ones in ((), ("--flat", "--force")):
        _verified(g, y, tmp_path / "c", *flat_ones)


def test_a_network_of_ids_is_verified_with_ids(tmp_path: Path) -> None:
    g = Graph("batch", 5)
    y = g.node("ReduceMean", g.node("Gather", g.array(7, 3), "x"), g.whole(1), keepdims=0)
    proto = g.proto(g.node("MatMul", y, g.array(3, 2)))
    proto.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
    onnx.save(proto, tmp_path / "made.onnx")
    assert main(["import", str(tmp_path / "made.onnx"), "-o", str(tmp_path / "made.net"), "--verify"]) == 0


def _block() -> tuple[Graph, str]:
    g = Graph("batch", 3, 8, 8)
    y = g.node("Relu", g.norm(g.conv("x", 8, 3, pads=[1, 1, 1, 1]), 8))
    z = g.node("Mul", y, g.node("Sigmoid", g.node("Add", y, g.number(0.5))))
    y = g.node("Flatten", g.node("Concat", y, z, axis=1))
    return g, g.node("Gemm", y, g.array(16 * 64, 4), g.array(4))


def _facts(found: Imported) -> list[Any]:
    names = {node.name: at for at, node in enumerate(found.net)}
    assert found.weights is not None
    weights = found.weights().by_node()
    return [
        (node.layer, [names[one] for one in found.net.operands(node.name)], {
            role: array.tobytes() for role, array in weights.get(node.name, {}).items()
        })
        for node in found.net
    ]  # fmt: skip


def _renamed(proto: Any) -> None:
    def other(name: str) -> str:
        return f"{name[::-1]}/ü" if name else ""

    for node in proto.graph.node:
        node.name = ""
        node.input[:], node.output[:] = map(other, node.input), map(other, node.output)
    for named in (*proto.graph.input, *proto.graph.output, *proto.graph.initializer):
        named.name = other(named.name)


def _with_identities(proto: Any) -> None:
    nodes = list(proto.graph.node)
    del proto.graph.node[:]
    for node in nodes:
        for at, name in enumerate(node.input):
            proto.graph.node.append(helper.make_node("Identity", [name], [f"{node.name}_{at}"]))
            node.input[at] = f"{node.name}_{at}"
        proto.graph.node.append(node)


def _as_nodes(proto: Any) -> None:
    arrays = [helper.make_node("Constant", [], [array.name], value=array) for array in proto.graph.initializer]
    del proto.graph.initializer[:]
    nodes = list(proto.graph.node)
    del proto.graph.node[:]
    proto.graph.node.extend([*arrays, *nodes])


def _number_by_number(proto: Any) -> None:
    for array in proto.graph.initializer:
        if array.data_type == TensorProto.FLOAT:
            array.float_data.extend(numpy_helper.to_array(array).reshape(-1))
            array.ClearField("raw_data")


def _as_inputs_too(proto: Any) -> None:
    for array in proto.graph.initializer:
        proto.graph.input.append(helper.make_tensor_value_info(array.name, array.data_type, array.dims))


@pytest.mark.parametrize("change", [_renamed, _with_identities, _as_nodes, _number_by_number, _as_inputs_too])
def test_what_says_the_same_in_other_words_is_the_same_network(change: Callable[[Any], None]) -> None:
    graph, end = _block()
    one, other = graph.proto(end), graph.proto(end)
    change(other)
    assert _facts(taken(one)) == _facts(taken(other))


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE])
def test_numbers_of_other_widths_are_said(kind: int) -> None:
    graph, end = _block()
    proto = graph.proto(end)
    for array in proto.graph.initializer:
        values = numpy_helper.to_array(array).astype(helper.tensor_dtype_to_np_dtype(kind))
        array.CopyFrom(numpy_helper.from_array(values, array.name))
    found = taken(proto)
    assert any("float32 here" in remark for remark in found.remarks)
    assert found.weights is not None
    for array in found.weights().values():
        assert array.dtype == np.float32


def test_tensors_of_other_widths_are_said() -> None:
    g = Graph("batch", 3, 4, 4)
    half = g.node("Cast", g.conv("x", 5, 3), to=TensorProto.FLOAT16)
    found = taken(g.proto(g.node("Cast", half, to=TensorProto.FLOAT)))
    assert ops(found) == ["conv"]
    assert any("float16 in some of the file's tensors" in remark for remark in found.remarks)


def test_a_bias_of_zeros_that_is_computed_is_none() -> None:
    """As PyTorch writes a convolution without one (`optimize=False`)."""
    g = Graph("batch", 3, 8, 8)
    kernel = g.array(4, 3, 1, 1)
    count = g.node("Shape", kernel, start=0, end=1)
    zeros = g.node("Expand", g.node("CastLike", g.whole(0), "x"), g.node("Expand", count, g.whole(1)))
    y = g.norm(g.node("Conv", "x", kernel, zeros), 4)
    found = same(g, y)
    assert ops(found) == ["conv", "bn"]
    assert [node.layer.bias for node in found.net if node.layer.op == "conv"] == [False]
    assert "(CastLike): no layer" in refused(g.proto(g.node("Mul", y, g.node("CastLike", g.whole(2), y))))


@pytest.mark.parametrize("split", [3, [2, 4, 1], None])
def test_parts_of_a_sequence_are_parts_of_the_tensor(split: Any) -> None:
    """As PyTorch writes `chunk` and `split` (`optimize=False`)."""
    g = Graph("batch", 3, 8, 8)
    given = () if split is None else (g.constant(np.asarray(split, np.int64)),)
    parts = g.node("SplitToSequence", g.conv("x", 7, 3), *given, axis=1)
    one, other = (g.node("SequenceAt", parts, g.constant(np.int64(place))) for place in (1, -1))
    found = same(g, g.node("Concat", g.node("Relu", other), one, axis=1))
    assert set(ops(found)) == {"conv", "part", "relu", "concat"}
    far = g.node("SequenceAt", parts, g.constant(np.int64(7)))
    assert "it takes the part 7 of" in refused(g.proto(g.node("Relu", far)))
    several = g.node("SequenceAt", parts, g.whole(0, 1))
    assert "its position is no number" in refused(g.proto(g.node("Relu", several)))
    assert "no layer of netc" in refused(g.proto(g.node("SequenceInsert", parts, one)))


NORMED = (
    "['__main__.Net', 'torch.nn.modules.batchnorm.BatchNorm2d', 'aten._native_batch_norm_legit_no_training.default']"
)
CONVOLVED = "['__main__.Net', 'torch.nn.modules.conv.Conv2d', 'aten.conv2d.default']"


@pytest.mark.parametrize(
    ("producer", "end", "biased", "noted", "said"),
    [
        ("pytorch", "Relu", False, ("", ""), "do_constant_folding=False"),
        ("pytorch", "Relu", True, ("", NORMED), "part of 1 layers"),
        ("pytorch", "BatchNormalization", True, (CONVOLVED, NORMED), "part of 1 layers"),
        ("pytorch", "Relu", True, (CONVOLVED, CONVOLVED), ""),
        ("pytorch", "Relu", True, (CONVOLVED, ""), "do_constant_folding=False"),
        ("pytorch", "BatchNormalization", False, ("", ""), ""),
        ("other", "Relu", True, ("", ""), "all 2 convolutions have biases"),
        ("other", "Relu", False, ("", ""), ""),
    ],
)
def test_what_became_of_batch_norm_is_said(
    producer: str, end: str, biased: bool, noted: tuple[str, str], said: str
) -> None:
    g = Graph("batch", 3, 8, 8)
    y = "x"
    for channels, classes in zip((3, 4), noted, strict=True):
        biases = [g.array(4)] * biased
        y = g.node("Conv", y, g.array(4, channels, 1, 1), *biases)
        for key, value in (("class_hierarchy", classes), ("name_scopes", "['', 'conv', 'conv2d']" * bool(classes))):
            g.nodes[-1].metadata_props.add(key=f"pkg.torch.onnx.{key}", value=value)
    y = g.norm(y, 4) if end == "BatchNormalization" else g.node(end, y)
    proto = g.proto(y)
    proto.producer_name = producer
    told = [one for one in taken(proto).remarks if "batch norm" in one]
    assert [said in one for one in told] == [True] * bool(said)


# -- what is no network, and what is broken ------------------------------------------------------------------------


def _refusals(change: Callable[[Any], None]) -> str:
    graph, end = _block()
    proto = graph.proto(end)
    change(proto)
    with pytest.raises(ImportRefused) as caught:
        taken(proto)
    return str(caught.value)


def _set(op: str, **attributes: Any) -> Callable[[Any], None]:
    def change(proto: Any) -> None:
        node = next(node for node in proto.graph.node if node.op_type == op)
        for name, value in attributes.items():
            node.attribute.append(helper.make_attribute(name, value))

    return change


def _cycle(proto: Any) -> None:
    proto.graph.node[0].input[0] = proto.graph.node[-1].output[0]


def _subgraph(proto: Any) -> None:
    body = helper.make_graph([], "inner", [], [])
    proto.graph.node.append(helper.make_node("If", ["array0"], ["deep"], then_branch=body, else_branch=body))
    proto.graph.output[0].name = "deep"


def _longer(proto: Any) -> None:
    proto.graph.initializer[0].dims[0] = 1 << 40


def _outside(location: str) -> Callable[[Any], None]:
    def change(proto: Any) -> None:
        array = proto.graph.initializer[0]
        array.ClearField("raw_data")
        array.data_location = TensorProto.EXTERNAL
        array.external_data.add(key="location", value=location)

    return change


WRONG: Sequence[tuple[Callable[[Any], None], str]] = [
    (_set("BatchNormalization", training_mode=1), "normalises by the batch"),
    (_set("BatchNormalization", training_mode=-2), "its training_mode is -2, expected 0 or 1"),
    (_set("Conv", fancy=1), "has the attribute `fancy`, which its operation has not"),
    (_set("Conv", strides=[0, 1]), "no 2 numbers of at least 1"),
    (_set("Conv", pads=[-1, 0, 0, 0]), "expected 4 of at least 0"),
    (_set("Conv", group=5), "its kernel has the sizes"),
    (_cycle, "which nothing makes before it"),
    (_subgraph, "no layer of netc is known for it"),
    (_longer, "its sizes and its type take"),
    (lambda proto: setattr(proto.graph.node[0], "domain", "com.example"), "(com.example.Conv): no layer"),
    (lambda proto: setattr(proto.opset_import[0], "version", 999), "it is of opset 999"),
    (lambda proto: proto.graph.node[0].input.__delitem__(1), "it has 1 inputs, expected 2 to 3"),
    (lambda proto: proto.graph.node[-1].output.append("x"), "which is there already"),
    (lambda proto: setattr(proto.graph.output[0], "name", "nowhere"), "output `nowhere`: nothing makes it"),
    (lambda proto: setattr(proto.graph.initializer[0], "data_type", TensorProto.STRING), "is of the type STRING"),
    (lambda proto: setattr(proto.graph.initializer[0], "data_type", 99), "is of the type 99"),
    (_outside("../secret"), "the model has no folder"),
]


@pytest.mark.parametrize(("change", "why"), WRONG)
def test_what_is_no_network_is_refused_with_its_place(change: Callable[[Any], None], why: str) -> None:
    assert why in _refusals(change)


@pytest.mark.parametrize(
    ("trace", "said"),
    [
        (
            'File "/lib/site-packages/torch/nn/modules/container.py", line 259, in forward\n    input = module(input)\n'
            '  File "/home/me/model.py", line 37, in forward\n    x = torch.atan(self.conv(x))\n'
            '  File "/lib/site-packages/torch/nn/functional.py", line 5, in atan\n    return torch.atan(input)',
            ", model.py line 37",
        ),
        ('File "C:\\me\\torch\\a b.py", line 2, in forward', ", a b.py line 2"),
        ('File "/lib/site-packages/torch/nn/functional.py", line 5, in atan', ""),
        ('File "/a/\x1b[31m\u202e.py", line 1, in f', ", ?[31m?.py line 1"),
        (f'File "/a/{"b" * 5000}", line 1, in f', f", {'b' * 80}... line 1"),
        ('File "/a.py", line 1' + '"' * 100_000, ""),
        ("no trace", ""),
    ],
)
def test_a_refusal_has_the_line_of_the_users_model(trace: str, said: str) -> None:
    g = Graph("batch", 3, 8, 8)
    y = g.node("Atan", g.conv("x", 4, 3))
    g.nodes[-1].metadata_props.add(key="pkg.torch.onnx.stack_trace", value=trace)
    assert refused(g.proto(y)) == f"node 1 `Atan_1` (Atan){said}: no layer of netc is known for it"


@pytest.mark.parametrize("files", [1, 2])
def test_a_model_without_the_file_of_its_weights_names_it_once(
    files: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proto = netc.loads("input 8x8x3; conv 4x3; conv 4x3; gap; fc 2").program
    made = model(proto, random_weights(proto.net, 0)).proto
    path = tmp_path / "Model.onnx"
    together: dict[str, Any] = {"all_tensors_to_one_file": True, "location": "Model.onnx.data"} if files == 1 else {}
    onnx.save(
        made, path, save_as_external_data=True, size_threshold=0, **({"all_tensors_to_one_file": False} | together)
    )
    assert main(["summary", str(path)]) == 0
    capsys.readouterr()
    for one in tmp_path.iterdir():
        if one != path:
            one.unlink()
    assert main(["import", str(path), "-o", "-"]) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert said.endswith("it beside the model" if files == 1 else "them beside the model")
    assert files > 1 or said.count("/Model.onnx") == said.count("`Model.onnx.data`") == 1
    with pytest.raises(FileNotFoundError):
        read(path)


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../b", "", "link", "short", "folder"])
def test_arrays_outside_of_the_folder_are_not_read(location: str, tmp_path: Path) -> None:
    graph, end = _block()
    proto = graph.proto(end)
    size = len(proto.graph.initializer[0].raw_data)
    (tmp_path / "whole").write_bytes(bytes(size))
    (tmp_path / "short").write_bytes(bytes(size - 1))
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "whole")
    _outside(location)(proto)
    path = tmp_path / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    with pytest.raises(ImportRefused, match="the array `array0`"):
        read(path)
    proto.graph.initializer[0].external_data[0].value = "whole"
    path.write_bytes(proto.SerializeToString())
    weights = read(path).weights
    assert weights is not None
    assert not weights()["Conv_0", "kernel"].any()


@pytest.mark.parametrize("content", [b"", b"\x00", b"no model", b"\x3a\xff\xff\xff\xff\x0f", b"\x80" * 40])
def test_what_is_no_onnx_file_is_said(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(content)
    with pytest.raises((StorageError, ImportRefused)):
        read(tmp_path / "a.onnx")


@pytest.mark.parametrize(
    ("op", "inputs", "options", "why"),
    [
        ("Concat", ["x"], {"axis": 1}, "it joins tensors with what is none"),
        ("Unsqueeze", ["one"], {}, "within an attention"),
        ("Squeeze", ["one"], {}, "within an attention"),
        ("Slice", ["one", "one"], {}, "within an attention"),
        ("Reshape", ["one"], {}, "within an attention"),
    ],
)
def test_what_attention_has_inside_is_for_it_alone(
    op: str, inputs: Sequence[str], options: dict[str, Any], why: str, tmp_path: Path
) -> None:
    node, info = onnx.helper.make_node, onnx.helper.make_tensor_value_info
    nodes = [
        *(node("MatMul", ["x", kernel], [name]) for kernel, name in (("a", "query"), ("b", "key"))),
        node("Transpose", ["key"], ["turned"], perm=[0, 2, 1]),
        node("MatMul", ["query", "turned"], ["scores"]),
        node(op, ["scores", *inputs], ["y"], **options),
    ]
    kernels = [onnx.numpy_helper.from_array(np.eye(8, dtype="float32") * 2, name) for name in "ab"]
    kernels += [onnx.numpy_helper.from_array(np.array([1]), "one")]
    ends = [info("x", 1, [1, 8, 8])], [info("y", 1, [1, 16, 8])]
    model = onnx.helper.make_model(
        onnx.helper.make_graph(nodes, "g", *ends, kernels), opset_imports=[onnx.helper.make_opsetid("", 18)]
    )
    (tmp_path / "a.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ImportRefused, match=why):
        read(tmp_path / "a.onnx")


def test_an_attribute_of_another_type_is_said(tmp_path: Path) -> None:
    graph, end = _block()
    model = graph.proto(end)
    conv = next(node for node in model.graph.node if node.op_type == "Conv")
    conv.attribute.append(onnx.helper.make_attribute("dilations", 1))
    (tmp_path / "a.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ImportRefused, match="`dilations` is of another type"):
        read(tmp_path / "a.onnx")


def test_a_name_that_is_no_text_is_said(tmp_path: Path) -> None:
    graph, end = _block()
    (tmp_path / "a.onnx").write_bytes(graph.proto(end).SerializeToString().replace(b"Conv_0", b"Conv_\xff"))
    with pytest.raises(StorageError, match="no text"):
        read(tmp_path / "a.onnx")


def test_broken_files_are_refused_in_words(tmp_path: Path) -> None:
    """Bytes changed, taken out and put in at random: never another error than the two that are said."""
    graph, end = _block()
    content = graph.proto(end).SerializeToString()
    random = np.random.default_rng(0)
    path = tmp_path / "a.onnx"
    head = [at for at in range(len(content)) if at < 40 or at > len(content) - 6000]
    for _ in range(EXAMPLES or 200):
        broken = bytearray(content)
        for _ in range(random.integers(1, 4)):
            at = int(random.choice(head))
            kind = random.integers(3)
            if kind == 0:
                broken[at % len(broken)] = int(random.integers(256))
            elif kind == 1:
                del broken[at : at + int(random.integers(1, 9))]
            else:
                broken[at:at] = bytes(random.integers(0, 256, int(random.integers(1, 9))).astype("uint8"))
        path.write_bytes(bytes(broken))
        with suppress(StorageError, ImportRefused):
            found = read(path)
            if found.weights is not None:
                found.weights()
