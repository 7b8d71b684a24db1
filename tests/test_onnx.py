"""ONNX models in onnxruntime against NumPy: operations, random networks, specs, and the nodes that they consist of."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress

import pytest
from hypothesis import given as drawn

import netc
from netc.compiler import compile_source
from netc.ir.weights import random_weights
from netc.program import Program
from netc.rewrites.inference import rewritten
from netc.syntax.source import Source
from netc.targets.errors import ExportError, Unproved
from tests.effort import unshrunk
from tests.layer_samples import SAMPLES, Sample
from tests.one_layer import difference, given, net_of, program_of, weights_of
from tests.random_networks import compiled, networks, opened
from tests.specs import SPECS

np = pytest.importorskip("numpy")
onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from netc.targets.noise import noise  # noqa: E402 - imports ONNX
from netc.targets.numpy.run import run  # noqa: E402
from netc.targets.onnx.engine import OnnxRuntime, session  # noqa: E402
from netc.targets.onnx.model import LAYERS, Made, model  # noqa: E402
from netc.targets.onnx.model import _graph as graph_of  # noqa: E402
from netc.targets.proof import prove  # noqa: E402

# Equal to NumPy but for the order in which single numbers are added up.
OPERATION, NETWORK = 1e-5, 1e-4


def program(text: str) -> Program:
    made = compile_source(Source("a.net", text))
    assert not made.report.failed, [found.message for found in made.report]
    return made


def export(text: str, seed: int = 1) -> tuple[Program, Made]:
    made = program(text)
    return made, model(made, random_weights(made.net, seed))


def proved(made: Program, seed: int = 1) -> Made:
    """The model of a program, once onnxruntime gives what NumPy gives."""
    weights = random_weights(made.net, seed)
    built = model(made, weights)
    prove(made, weights, OnnxRuntime(built, built.proto.SerializeToString()))
    return built


def ops(made: Made) -> Counter[str]:
    return Counter(node.op_type for node in made.proto.graph.node)


# -- what is computed ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.inputs], ids=str)
def test_an_operation_computes_what_numpy_computes(sample: Sample) -> None:
    net = net_of(sample)
    weights, inputs = weights_of(net), given(net)
    made = model(program_of(net), weights)
    engine = OnnxRuntime(made, made.proto.SerializeToString())
    for batch in (inputs, {name: x[:1] for name, x in inputs.items()}):
        assert difference(engine.outputs(batch)["only"], run(net, weights, batch)["only"]) < OPERATION
    inferred = onnx.shape_inference.infer_shapes(made.proto, strict_mode=True).graph.output[0].type.tensor_type.shape
    sizes = [dim.dim_value or None for dim in inferred.dim]  # of a join ONNX knows what one operand knows
    known = (None, *sample.layer.infer(sample.inputs))
    assert [size and size_there for size, size_there in zip(known, sizes, strict=True)] == list(known)


@unshrunk(40)
@drawn(networks())
def test_a_random_network_computes_what_numpy_computes(text: str) -> None:
    made = compiled(text)
    assert made is not None
    with suppress(Unproved):
        proved(made)


@pytest.mark.parametrize("name", ["unet", "mobilenetv2", "digits"])
def test_a_spec_computes_what_numpy_computes(name: str) -> None:
    proved(netc.load(SPECS / f"{name}.net").program)


@pytest.mark.parametrize(
    "text",
    [
        "input ?x?x?x2\nconv 6x2x1x1 dilation=1x3x3",  # onnxruntime knows no dilation beside `auto_pad`
        "input ?x9x4\nconv 6x3 groups=2 dilation=2",
        "input ?x?x4\ndwconv 3x5/2 dilation=2x1 multiplier=2",
        "input ?x4\nsepconv 6x3/2 dilation=3",
    ],
)
def test_dilated_windows_of_open_sizes_are_padded(text: str) -> None:
    proved(program(text))


def test_open_sizes_that_are_single_ones_of_their_own_are_found() -> None:
    made = program("input ?x?x?x2\navg {\n | tanh\n | gmp; fc 12; reshape 1x3x2x2\n}\nconv 3x1")
    assert noise(made.net, 2, 0)["input1"].shape == (2, 1, 3, 2, 2)
    proved(made)


@pytest.mark.parametrize(
    "text", ["pool 1/2", "pool 2/3", "pool 3x1/2x4", "avgpool 1/3", "avgpool 2/4", "avgpool 2x3/3x2", "conv 3x1/2"]
)
def test_windows_that_leave_pixels_out_take_every_open_size(text: str) -> None:
    made = program(f"input ?x?x2\ntanh; {text} same")
    weights = random_weights(made.net, 1)
    built = model(made, weights)
    engine = OnnxRuntime(built, built.proto.SerializeToString())
    for size in range(1, 14):
        inputs = {"input1": np.random.default_rng(size).normal(size=(2, size, 14 - size, 2)).astype("float32")}
        (expected,), (found,) = run(made.net, weights, inputs).values(), engine.outputs(inputs).values()
        assert difference(found, expected) < OPERATION, size


def test_sizes_that_are_matched_only_when_they_are_huge_prove_nothing() -> None:
    made = program("left: input ?x?x?x2\navgpool 2\nend: identity\nright: input ?x?x?x2\nmax end")
    with pytest.raises(Unproved, match="no size up to 1024 works for all open inputs of a: nothing is proved"):
        proved(made)


def test_one_pixel_that_meets_an_open_size_is_as_large() -> None:
    proved(program("input ?x2\nmul { | identity | gap keep; conv 2x1 sigmoid }\ngroupnorm 2"))


@unshrunk(25)
@drawn(networks())
def test_shapes_of_tensors_are_those_of_the_network(text: str) -> None:
    made = compiled(opened(text)) or compiled(text)
    assert made is not None
    net, weights = rewritten(made.net, random_weights(made.net, 1), LAYERS)
    for name, tensor in graph_of(net, weights)[1].items():
        assert tensor.shape == (None, *net.shapes[name]), name


def test_a_deep_network_is_no_deep_recursion() -> None:
    made, built = export("input 4x4x2\nrepeat 600 { conv 2x1 bn relu }\ngap")
    assert ops(built)["Conv"] == 600
    engine = OnnxRuntime(built, built.proto.SerializeToString())
    assert engine.outputs(noise(made.net, 2, 0))


# -- nodes ---------------------------------------------------------------------------------------------------


def test_a_network_of_images_has_one_transposition_for_its_input() -> None:
    network = netc.load(SPECS / "resnet50.net")
    built = model(network.program, random_weights(network.net, 0))
    assert ops(built) == {
        "Transpose": 1,
        "Conv": 53,
        "Relu": 49,
        "MaxPool": 1,
        "Add": 16,
        "GlobalAveragePool": 1,
        "Flatten": 1,
        "Gemm": 1,
        "Softmax": 1,
    }


FOLDED = {  # a text, and the nodes but for those that change the order of axes
    "bias, bn and scale": ("conv 4x3; bn; scale init=0.5", {"Conv": 1}),
    "after fc": ("fc 5; bn", {"Gemm": 1, "Flatten": 1}),
    "after deconv": ("deconv 4x3/2; bn", {"ConvTranspose": 1}),
    "depthwise": ("dwconv 3; bn; relu", {"Conv": 1, "Relu": 1}),
    "layernorm": ("layernorm", {"LayerNormalization": 1}),
    "a number": ("conv 4x3; hard_sigmoid", {"Conv": 1, "Clip": 1}),
    "pad": ("pad 1; conv 4x3 valid", {"Conv": 1}),
    "uneven pad": ("pad before=0 after=1; conv 4x3/2 valid", {"Conv": 1}),
    "pad of a counting pool": ("pad 1; avgpool 3 pad=valid", {"AveragePool": 1}),
    "dropout": ("conv 4x3; dropout; identity; noise 0.1; relu", {"Conv": 1, "Relu": 1}),
}
NOT_FOLDED = {
    "after an activation": ("conv 4x3 relu; bn", {"Conv": 1, "Relu": 1, "BatchNormalization": 1}),
    "read twice": (
        "conv 4x3; a: identity\nadd { | bn | from a }",
        {"Conv": 1, "BatchNormalization": 1, "Add": 1},
    ),
    "an output": ("conv 4x3; a: identity; bn; b: identity\noutput a b", {"Conv": 1, "BatchNormalization": 1, "Identity": 0}),
    "pad of a max pool": ("pad 1; pool 3 pad=valid", {"Pad": 1, "MaxPool": 1}),
    "pad of an average that leaves it out": ("pad 1; avgpool 3 pad=same", {"Pad": 1, "AveragePool": 1}),
    "channels": ("padchannels 6; conv 4x3", {"Pad": 1, "Conv": 1}),
    "channels of every second row": ("relu; subsample 2x1; padchannels 6", {"Relu": 1, "Conv": 1}),
    "pad read twice": ("pad 1; a: identity\nconcat { | conv 4x3 valid | from a; crop 1 }", {"Pad": 1, "Conv": 1, "Slice": 1, "Concat": 1}),
}  # fmt: skip


@pytest.mark.parametrize("name", [*FOLDED, *NOT_FOLDED])
def test_nodes_that_go_and_those_that_stay(name: str) -> None:
    text, expected = (FOLDED | NOT_FOLDED)[name]
    found = ops(proved(program("input 8x8x4\n" + text)))
    assert +found - Counter(("Transpose",)) - Counter({"Transpose": 9}) == +Counter(expected)


def test_idioms_stand_for_single_nodes() -> None:
    found = ops(proved(program("input 8x8x4\nleakyrelu 0.2; elu 0.5; hard_silu; conv 4x3 hard_silu")))
    assert (found["LeakyRelu"], found["Elu"], found["HardSwish"]) == (1, 1, 2)


def test_whole_numbers_stand_for_real_ones() -> None:
    proved(
        program(
            "input 8x8x4\nlayernorm epsilon=2; groupnorm 2 epsilon=1; bn epsilon=3; leakyrelu 2; elu 1; lrn bias=1 beta=1"
        )
    )


def test_a_matrix_product_permutes_its_weight_instead_of_its_input() -> None:
    assert ops(proved(program("input 6x5x3\nconv 4x3; flatten; fc 7")))["Transpose"] == 1
    assert ops(proved(program("input 6x5x3\nconv 4x3; flatten; relu; fc 7")))["Transpose"] == 2


def test_equal_weights_are_held_once() -> None:
    twice = "shared def tower() { conv 8x3; fc 64 }\na: input 8x8x3\ntower\nx: identity\nb: input 8x8x3\ntower\nsub { | from x | identity }"
    made = proved(program(twice))
    kernels = [held for held in made.proto.graph.initializer if len(held.dims) > 1]
    assert len(kernels) == 2
    assert ops(made)["Conv"] == 2


def test_an_input_that_is_an_output_and_one_value_under_two_names() -> None:
    built = proved(program("a: input 5\nb: dropout\nd: fc 3\ne: dropout\noutput a b d e"))
    assert [value.name for value in built.proto.graph.output] == ["a", "b", "d", "e"]
    assert ops(built)["Identity"] == 2


# -- what a file says of itself ------------------------------------------------------------------------------


def test_names_places_and_metadata_are_those_of_the_spec() -> None:
    text = "net small\nimage: input 8x8x3\nfirst: conv 4x3 relu\n\ngap\nclasses: fc 3 softmax\n"
    made, built = export(text)
    proto = built.proto
    assert proto.graph.name == "small"
    assert [value.name for value in (*proto.graph.input, *proto.graph.output)] == ["image", "classes"]
    names = {node.name for node in proto.graph.node}
    assert {"first", "gap1", "classes"} <= names
    places = {node.name: node.doc_string for node in proto.graph.node}
    assert (places["first"], places["gap1"], places["classes"]) == ("a.net:3", "a.net:5", "a.net:6")
    made_of = {node.name: node.op_type for node in proto.graph.node}
    assert made_of["first"] == "Relu"
    assert {name: op for name, op in made_of.items() if name.startswith("first/")} == {
        "first/Transpose_1": "Transpose",
        "first/Conv_1": "Conv",
    }
    said = {prop.key: prop.value for prop in proto.metadata_props}
    assert said["netc_spec"] == text
    assert re.fullmatch("[0-9a-f]{64}", said["netc_weights_sha256"])
    other = model(made, random_weights(made.net, 2)).proto
    assert said["netc_weights_sha256"] not in {prop.value for prop in other.metadata_props}


def test_a_layer_of_a_shipped_definition_has_the_line_that_called_it() -> None:
    _, built = export("input 8x8x3\n\nbasicblock 1 4")
    places = {node.doc_string for node in built.proto.graph.node if node.op_type == "Conv"}
    assert all(re.fullmatch(r".*resnet\.net:\d+, from a\.net:3", place) for place in places), places


def test_the_same_network_is_the_same_bytes() -> None:
    one, other = (export("input 8x8x3\nconv 4x3 bn relu\ngap\nfc 3")[1].proto for _ in range(2))
    assert one.SerializeToString(deterministic=True) == other.SerializeToString(deterministic=True)


def test_open_sizes_are_named_by_their_formulas() -> None:
    _, built = export("input ?x?x3\nconv 4x3/2\npool 2\nconv 4x3 valid")
    dims = [dim.dim_param or dim.dim_value for dim in built.proto.graph.output[0].type.tensor_type.shape.dim]
    assert dims == ["batch", "ceil(H/4)-2", "ceil(W/4)-2", 4]


# -- proof ---------------------------------------------------------------------------------------------------


def test_a_wrong_node_is_named_with_its_line() -> None:
    made = program("input 8x8x3\nconv 4x3 relu\nlrn radius=1 alpha=0.5\n\nconv 4x3 tanh\ngap\nfc 3 softmax")
    weights = random_weights(made.net, 1)
    built = model(made, weights)
    (held,) = (one for one in built.proto.graph.initializer if one.name.startswith("conv2") and len(one.dims) == 4)
    wrong = onnx.numpy_helper.to_array(held).copy()
    wrong[2, 1, 1, 1] += 0.5
    held.CopyFrom(onnx.numpy_helper.from_array(wrong, held.name))
    with pytest.raises(ExportError, match=r"computes another network(?s:.*)`conv2` \(conv\), a\.net:5"):
        prove(made, weights, OnnxRuntime(built, built.proto.SerializeToString()))


def test_a_difference_that_a_softmax_hides_is_found() -> None:
    """Logits of a thousand make probabilities of 0 and 1, which are equal whatever the logits are."""
    made = program("input 8\nfc 4 softmax")
    weights = {key: array * 1000 for key, array in random_weights(made.net, 1).items()}
    from netc.ir.weights import Weights

    built = model(made, Weights(weights))
    held = built.proto.graph.initializer[0]
    held.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(held) * np.float32(1.01), held.name))
    with pytest.raises(ExportError, match="computes another network"):
        prove(made, Weights(weights), OnnxRuntime(built, built.proto.SerializeToString()))


def test_an_invalid_model_is_refused() -> None:
    _, built = export("input 8x8x3\nconv 4x3")
    built.proto.graph.node[-1].op_type = "Nothing"
    with pytest.raises(ExportError, match="checker refuses the model"):
        OnnxRuntime(built, built.proto.SerializeToString())
    with pytest.raises(ExportError, match=r"onnxruntime .* refuses the model"):
        session(built.proto.SerializeToString())


def test_a_model_that_fails_only_when_it_runs_is_refused(capfd: pytest.CaptureFixture[str]) -> None:
    made, built = export("input ?x?x3\nconv 4x3/2")
    (dilations,) = (one for one in built.proto.graph.node[1].attribute if one.name == "dilations")
    dilations.ints[:] = [2, 2]
    engine = OnnxRuntime(built, built.proto.SerializeToString())
    with pytest.raises(ExportError, match=r"onnxruntime .* fails to run the model"):
        engine.outputs(noise(made.net, 2, 0))
    assert capfd.readouterr() == ("", "")


def test_a_model_that_no_file_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("netc.targets.onnx.model.LARGEST", 4000)
    assert export("input 8x8x3\nconv 4x3")
    made = program("input 64\nfc 32")
    with pytest.raises(ExportError, match=r"the model has [\d,]+ bytes, and one ONNX file has at most 4,000"):
        model(made, random_weights(made.net, 1))


def test_a_softmax_of_an_input_is_proved() -> None:
    proved(program("input 3x8\nsoftmax"))


def test_numbers_beyond_float32_prove_nothing() -> None:
    made = program("input 8\n" + "fc 8 exponential\n" * 6)
    with pytest.raises(Unproved, match="nothing is proved"):
        proved(made)
