"""Models of Keras read as networks, without Keras: exact, or refused with all reasons; whatever a file holds."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from netc.lift.source import ImportRefused
from netc.storage.stored import StorageError

np = pytest.importorskip("numpy")
h5py = pytest.importorskip("h5py")
pytest.importorskip("safetensors")

from netc.ir.weights import Weights, WeightsError  # noqa: E402
from netc.lift.lifting import flat  # noqa: E402
from netc.targets.importing import read  # noqa: E402
from netc.targets.numpy.run import run  # noqa: E402
from tests.keras_reading import archived, functional, image, layer, stored, written  # noqa: E402


def refused(folder: Path, *layers: dict[str, Any]) -> str:
    with pytest.raises(ImportRefused) as caught:
        read(written(folder, functional(*layers)))
    return str(caught.value)


def text(folder: Path, *layers: dict[str, Any]) -> str:
    return flat(read(written(folder, functional(*layers))).net).text


def test_zeros_before_a_window_become_its_padding_where_it_reads_the_same(tmp_path: Path) -> None:
    def padded(size: int, pad: Any, **options: Any) -> str:
        pads = layer("ZeroPadding2D", "zeros", "image", padding=pad)
        conv = layer("Conv2D", "conv", "zeros", filters=4, kernel_size=[3, 3], padding="valid", **options)
        return text(tmp_path, image("image", size, size, 3), pads, conv).splitlines()[-1]

    assert padded(8, [[1, 1], [1, 1]]) == "layer_conv: conv 4x3"
    assert padded(8, [[0, 1], [0, 1]], strides=[2, 2]) == "layer_conv: conv 4x3/2"
    assert padded(8, [[1, 1], [1, 1]], strides=[2, 2]) == "layer_conv: conv 4x3/2 pad=1"
    assert padded(9, [[1, 1], [1, 1]], strides=[2, 2]) == "layer_conv: conv 4x3/2"
    assert padded(9, [[1, 2], [1, 2]], strides=[2, 2]) == "layer_conv: conv 4x3/2", "the last zeros are not read"
    assert padded(8, [[2, 1], [2, 1]]) == "layer_conv: conv 4x3 valid", "and the zeros stay a layer"


def test_endings_are_known_in_capitals_too(tmp_path: Path) -> None:
    model = functional(image(), layer("ReLU", "act", "image"))
    names = [written(tmp_path, model, "M.JSON"), archived(tmp_path, json.dumps(model), name="M.KERAS")]
    assert [list(read(path).net.shapes) for path in names] == [["image", "act"]] * 2


def of_tensorflow(function: str, called: str, first: object, **given: object) -> dict[str, Any]:
    """A call as Keras 2 writes it: the first argument is a tensor, several, or a number."""
    firsts = first if isinstance(first, list) else [first]
    node = [[one, 0, 0, given] if isinstance(one, str) else ["_CONSTANT_VALUE", -1, one, given] for one in firsts]
    config = {"name": called, "trainable": True, "dtype": "float32", "function": function}
    nodes = [node] if len(node) > 1 else node
    return {"class_name": "TFOpLambda", "config": config, "name": called, "inbound_nodes": nodes}


B = ["b", 0, 0]
FUNCTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "sum": (of_tensorflow("__operators__.add", "y", "a", y=B, name=None), "add { | a: relu | b: relu6 }"),
    "difference": (of_tensorflow("math.subtract", "y", "a", y=B, name=None), "sub { | a: relu | b: relu6 }"),
    "product": (of_tensorflow("math.multiply", "y", "a", y=B, name=None), "mul { | a: relu | b: relu6 }"),
    "largest": (of_tensorflow("math.maximum", "y", "a", y=B, name=None), "max { | a: relu | b: relu6 }"),
    "together": (of_tensorflow("concat", "y", ["a", "b"], axis=-1), "concat { | a: relu | b: relu6 }"),
    "times a number": (of_tensorflow("math.multiply", "y", "a", y=0.5), "rescale 0.5"),
    "a number times": (of_tensorflow("math.multiply", "y", 0.5, y=["a", 0, 0]), "rescale 0.5"),
    "by a number": (of_tensorflow("math.truediv", "y", "a", y=4), "rescale 0.25"),
    "less": (of_tensorflow("math.subtract", "y", "a", y=1.5), "rescale 1 offset=-1.5"),
    "from a number": (of_tensorflow("math.subtract", "y", 1.5, y=["a", 0, 0]), "rescale -1 offset=1.5"),
    "negative": (of_tensorflow("math.negative", "y", "a"), "rescale -1"),
    "relu": (of_tensorflow("nn.relu", "y", "a", name=None), "relu"),
    "relu6": (of_tensorflow("nn.relu6", "y", "a"), "relu6"),
    "swish": (of_tensorflow("nn.silu", "y", "a", beta=1.0), "silu"),
    "leaky": (of_tensorflow("nn.leaky_relu", "y", "a"), "leakyrelu 0.2"),
    "softmax": (of_tensorflow("nn.softmax", "y", "a", axis=-1), "softmax"),
    "mean": (of_tensorflow("math.reduce_mean", "y", "a", axis=[1, 2], keepdims=True), "gap keep"),
    "most": (of_tensorflow("math.reduce_max", "y", "a", axis=[1, 2]), "gmp"),
}
UNSAID: dict[str, tuple[dict[str, Any], str]] = {
    "another beta": (of_tensorflow("nn.silu", "y", "a", beta=2.0), "`beta` is 2.0"),
    "another axis": (of_tensorflow("nn.softmax", "y", "a", axis=1), 'TensorFlow\'s "nn.softmax"'),
    "along rows": (of_tensorflow("concat", "y", ["a", "b"], axis=1), 'TensorFlow\'s "concat"'),
    "a quotient": (of_tensorflow("math.truediv", "y", "a", y=B), "divides one tensor by another"),
    "over rows": (of_tensorflow("math.reduce_mean", "y", "a", axis=1), "global pools over all positions"),
    "what is not known": (of_tensorflow("nn.relu", "y", "a", alpha=0.1), "the option `alpha`, 0.1, which is not known"),
    "another function": (of_tensorflow("image.resize", "y", "a", size=[4, 4]), 'TensorFlow\'s "image.resize"'),
    "a constant": (of_tensorflow("math.add", "y", "a", y=[1.0, 2.0, 3.0]), "where a number is expected"),
}


@pytest.mark.parametrize("case", FUNCTIONS)
def test_functions_of_tensorflow_that_keras_2_wrote(case: str, tmp_path: Path) -> None:
    made, said = FUNCTIONS[case]
    operands = [layer("ReLU", "a", "image"), layer("ReLU", "b", "image", max_value=6.0)]
    found = text(tmp_path, image(), *operands, made)
    assert found.splitlines()[-1].removeprefix("y: ") == said


@pytest.mark.parametrize("case", UNSAID)
def test_functions_of_tensorflow_that_netc_has_not(case: str, tmp_path: Path) -> None:
    made, said = UNSAID[case]
    operands = [layer("ReLU", "a", "image"), layer("ReLU", "b", "image", max_value=6.0)]
    assert said in refused(tmp_path, image(), *operands, made)


def test_hard_sigmoid_of_mobilenetv3_in_keras_2(tmp_path: Path) -> None:
    """relu6(x + 3) * (1 / 6), of an `add` and a `multiply` of TensorFlow."""
    shifted = of_tensorflow("__operators__.add", "shifted", "image", y=3.0, name=None)
    cut = {**layer("ReLU", "cut", max_value=6.0), "inbound_nodes": [[["shifted", 0, 0, {}]]]}
    assert text(tmp_path, image(), shifted, cut, of_tensorflow("math.multiply", "y", "cut", y=1 / 6)).endswith(
        "\ny: hard_sigmoid\n"
    )


def test_dropout_of_the_first_efficientnets(tmp_path: Path) -> None:
    drop = layer("FixedDropout", "drop", "image", rate=0.2, noise_shape=[None, 1, 1, 1])
    del drop["module"]
    assert "droppath 0.2" in text(tmp_path, image(), drop)


def test_a_relu_of_which_nothing_is_left_stays_one(tmp_path: Path) -> None:
    assert "relu max=0" in text(tmp_path, image(), layer("ReLU", "nothing", "image", max_value=0.0))


def test_zeros_before_a_max_pool_stay_unless_they_never_win(tmp_path: Path) -> None:
    def pooled(*before: dict[str, Any]) -> str:
        reads = before[-1]["name"] if before else "image"
        pads = layer("ZeroPadding2D", "zeros", reads, padding=[[1, 1], [1, 1]])
        pool = layer("MaxPooling2D", "pooled", "zeros", pool_size=[3, 3], strides=[2, 2], padding="valid")
        return text(tmp_path, image(), *before, pads, pool)

    assert "pool 3/2 pad=1" in pooled(layer("ReLU", "positive", "image"))
    assert "pool 3/2 pad=1" in pooled(
        layer("ReLU", "positive", "image"), layer("Dropout", "drop", "positive", rate=0.1)
    )
    assert "pool 3/2 valid" in pooled()
    assert "pool 3/2 valid" in pooled(layer("ReLU", "leaky", "image", negative_slope=0.1))


def test_zeros_that_others_read_too_stay_a_layer(tmp_path: Path) -> None:
    pads = layer("ZeroPadding2D", "zeros", "image", padding=1)
    conv: dict[str, Any] = {"filters": 4, "kernel_size": [3, 3], "padding": "valid"}
    convs = [layer("Conv2D", name, "zeros", **conv) for name in ("one", "two")]
    assert text(tmp_path, image(), pads, *convs, layer("Add", "sum", "one", "two")).count("valid") == 2


def test_all_reasons_are_said_at_once_with_their_layers(tmp_path: Path) -> None:
    said = refused(
        tmp_path,
        image(),
        layer("Lambda", "code", "image", function="..."),
        layer("Conv2D", "first", "image", filters=4, kernel_size=[3, 3], data_format="channels_first"),
        layer("Conv2D", "second", "image", filters=4, kernel_size=[3, 3], kernel_constraint={"class_name": "NonNeg"}),
        layer("Mine", "own", "image", module="mine"),
        layer("Conv2D", "third", "image", filters=-4, kernel_size=[3, 3], spin=2),
        layer("Concatenate", "all", "code", "first", "second", "own", "third"),
    )
    for part in (
        "layer `code` (Lambda): it holds code of Python",
        'layer `first` (Conv2D): `data_format` is "channels_first"',
        "layer `second` (Conv2D): its `kernel_constraint` is NonNeg",
        "layer `own` (Mine): it is a class of its own",
        "layer `third` (Conv2D): got -4",
        "layer `third` (Conv2D): it has the option `spin`, 2",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("kind", "options", "why"),
    [
        ("Conv2D", {"filters": 4, "kernel_size": [3, 3], "activation": "mine"}, 'its activation "mine"'),
        ("BatchNormalization", {"axis": 1}, "along axis 1"),
        ("BatchNormalization", {"renorm": True}, "`renorm` is true"),
        ("LayerNormalization", {"axis": [1, 2]}, "along axis [1, 2]"),
        ("MaxPooling1D", {"pool_size": [2]}, "works on 1 dimensions"),
        ("PReLU", {"shared_axes": None}, "a slope for each position"),
        ("Permute", {"dims": [2, 1, 3]}, "orders axes"),
        ("Dot", {"axes": 1}, "netc has no layer that is Keras' Dot"),
        ("Dense", {"units": 4, "dtype": {"class_name": "X", "config": {"name": "int8_from_float32"}}}, "int8_from"),
        ("TimeDistributed", {"layer": {"class_name": "Conv2D", "config": {}}}, "at each position"),
        ("Normalization", {"axis": -1}, "its mean and variance are weights"),
    ],
)
def test_what_netc_cannot_say_is_refused(tmp_path: Path, kind: str, options: dict[str, Any], why: str) -> None:
    assert why in refused(tmp_path, image(), layer(kind, "it", "image", **options))


@pytest.mark.parametrize(
    ("args", "kwargs", "why"),
    [
        ([3.0], {}, "called with 3.0"),
        ([], {"spin": 1}, "`spin`"),
        ([], {"mask": [1]}, "a mask"),
        ([], {"initial_state": [1]}, "`initial_state`"),
    ],
)
def test_what_a_layer_is_called_with_is_looked_at(tmp_path: Path, args: Any, kwargs: Any, why: str) -> None:
    call = layer("ReLU", "it", "image")
    call["inbound_nodes"][0]["args"] += args
    call["inbound_nodes"][0]["kwargs"] = kwargs
    assert why in refused(tmp_path, image(), call)


def test_a_number_of_keras_ops_is_a_rescale(tmp_path: Path) -> None:
    times = layer("Multiply", "times", "image", module="keras.src.ops.numpy")
    times["inbound_nodes"][0]["args"].append(0.5)
    assert "rescale 0.5" in text(tmp_path, image(), times)
    times["module"] = "keras.layers"  # the layer of this name multiplies tensors alone
    assert "called with 0.5" in refused(tmp_path, image(), times)


def test_a_hard_sigmoid_in_parts_is_one_where_nothing_else_reads_them(tmp_path: Path) -> None:
    def parts(*more: dict[str, Any]) -> str:
        shifted = layer("Add", "shifted", "image", module="keras.src.ops.numpy")
        shifted["inbound_nodes"][0]["args"].append(3.0)
        cut = layer("ReLU", "cut", "shifted", max_value=6.0)
        sixth = layer("Multiply", "sixth", "cut", module="keras.src.ops.numpy")
        sixth["inbound_nodes"][0]["args"].append(1 / 6)
        return text(tmp_path, image(), shifted, cut, sixth, *more)

    assert parts().splitlines()[-1] == "sixth: hard_sigmoid"
    for read_too in ("shifted", "cut"):
        assert "rescale 1 offset=3" in parts(layer("Subtract", "both", "sixth", read_too))


def test_what_training_alone_knows_is_left_out_and_named(tmp_path: Path) -> None:
    flip = layer("RandomFlip", "flip", "image", mode="horizontal")
    scaled = {"class_name": "VarianceScaling", "config": {"scale": 2.0, "mode": "fan_out"}}
    conv = layer("Conv2D", "c", "flip", filters=4, kernel_size=[3, 3], kernel_initializer=scaled, trainable=False)
    made = read(written(tmp_path, functional(image(), flip, conv)))
    assert [node.layer.op for node in made.net] == ["input", "conv"]
    assert any("`flip`: what RandomFlip does in training" in one for one in made.left_out)
    assert any("VarianceScaling(scale=2.0, mode=fan_out)" in one for one in made.left_out)
    assert any(one.startswith("`c`: does not train there") for one in made.remarks)


def test_fixed_scales_of_each_channel_are_exact_or_left_out_on_request(tmp_path: Path) -> None:
    config = functional(
        image(),
        layer("Rescaling", "scaled", "image", scale=1 / 255, offset=0.0),
        layer("Normalization", "normal", "scaled", axis=-1, mean=[0.4, 0.5, 0.6], variance=[0.04, 0.09, 0.16]),
    )
    path = written(tmp_path, config)
    net = read(path).net
    x = np.random.default_rng(0).uniform(0, 255, (2, 8, 8, 3)).astype("float32")
    (found,) = run(net, Weights({}), {"image": x}).values()
    assert np.abs(found - (x / 255 - [0.4, 0.5, 0.6]) / [0.2, 0.3, 0.4]).max() < 1e-5
    bare = read(path, preprocessing=False)
    assert len(bare.net) == 1
    assert len(bare.left_out) == 2


def test_a_model_in_a_model_is_inlined_and_one_called_twice_shares(tmp_path: Path) -> None:
    conv = layer("Conv2D", "conv", "x", filters=3, kernel_size=[3, 3], padding="same")
    inner = functional(image("x"), conv, layer("ReLU", "act", "conv"), name="tower")
    once = {**inner, "name": "tower", "inbound_nodes": layer("", "", "image")["inbound_nodes"]}
    net = read(written(tmp_path, functional(image(), once))).net
    assert [node.name for node in net] == ["image", "tower_conv", "tower_act"]
    calls = [layer("", "", name)["inbound_nodes"][0] for name in ("image", "other")]
    twice = {**once, "inbound_nodes": calls}
    both = layer("Subtract", "both")
    both["inbound_nodes"] = layer("", "", "tower", "tower")["inbound_nodes"]
    both["inbound_nodes"][0]["args"][0][1]["config"]["keras_history"] = ["tower", 1, 0]
    shared = read(written(tmp_path, functional(image(), image("other"), twice, both))).net
    assert shared.node("tower2_conv").shares == "tower_conv"
    assert shared.operands("both") == ("tower_act", "tower2_act")
    assert "shared def tower()" in flat(shared).text


def test_a_file_of_keras_2_counts_the_calls_of_a_model_from_1(tmp_path: Path) -> None:
    def old(kind: str, name: str, *nodes: Any, **options: Any) -> dict[str, Any]:
        return {"class_name": kind, "name": name, "config": {"name": name, **options}, "inbound_nodes": list(nodes)}

    inner = {
        **old("Functional", "inner", [["i", 0, 0, {}]]),
        "config": {
            "name": "inner",
            "layers": [
                old("InputLayer", "x", batch_input_shape=[None, 8, 8, 3]),
                old("LeakyReLU", "l", [["x", 0, 0, {}]], alpha=0.30000001192092896),
            ],
            "input_layers": [["x", 0, 0]],
            "output_layers": [["l", 0, 0]],
        },
    }
    layers = [old("InputLayer", "i", batch_input_shape=[None, 8, 8, 3]), inner]
    layers.append(old("Add", "sum", [["i", 0, 0, {}], ["inner", 1, 0, {}]]))
    config = {"name": "m", "layers": layers, "input_layers": [["i", 0, 0]], "output_layers": [["sum", 0, 0]]}
    found = flat(read(written(tmp_path, {"class_name": "Functional", "config": config})).net).text
    assert "inner_l: leakyrelu 0.3 }" in found


def test_a_function_that_keras_3_changed_is_refused_of_keras_2(tmp_path: Path) -> None:
    config = functional(image(), layer("Activation", "act", "image", activation="hard_sigmoid"))
    assert len(read(written(tmp_path, config | {"keras_version": "3.0.5"})).net) == 2
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"], file.attrs["keras_version"] = json.dumps(config), b"2.15.0"
    for path in (written(tmp_path, config | {"keras_version": "2.15.0"}), tmp_path / "m.h5"):
        with pytest.raises(ImportRefused, match="Keras before 3"):
            read(path)


def test_weights_are_those_of_the_layers_whatever_the_nodes_are_called(tmp_path: Path) -> None:
    kernel = np.random.default_rng(0).normal(size=(3, 5)).astype("float32")
    config = functional(image(), layer("Dense", "a dense/layer", "image", units=5, use_bias=False))
    path = archived(tmp_path, json.dumps(config), stored({"layers/dense/vars/0": kernel}))
    made = read(path)
    assert made.weights is not None
    (key, array), *_ = made.weights().items()
    assert key == ("a_dense_layer", "kernel")
    assert (array == kernel.reshape(1, 1, 3, 5)).all(), "a dense layer of a map is a 1x1 convolution"
    wrong = archived(tmp_path, json.dumps(config), stored({"layers/dense/vars/0": kernel[:2]}), "w.keras")
    with pytest.raises(WeightsError, match="a dense/layer"):
        read(wrong).weights()  # type: ignore[misc]


# -- files that lie ------------------------------------------------------------------------------------------

GOOD = functional(
    image(),
    layer("ZeroPadding2D", "zeros", "image", padding=[[1, 1], [1, 1]]),
    layer("Conv2D", "c1", "zeros", filters=4, kernel_size=[3, 3], padding="valid", activation="relu"),
    layer("Add", "a1", "c1", "c1"),
    layer("Flatten", "f1", "a1"),
    layer("Dense", "d1", "f1", units=2, activation="softmax"),
)
SOME: tuple[Any, ...] = (
    "layers",
    None,
    0,
    -1,
    True,
    1e300,
    float("nan"),
    [],
    {},
    "x",
    [[[]]],
    {"class_name": "Conv2D"},
    10**30,
)
ENDS = (ImportRefused, StorageError)


def places(value: Any, at: tuple[Any, ...] = ()) -> Any:
    yield at
    for key, one in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(one, (*at, key))


def test_any_value_in_any_place_is_read_or_refused_in_words(tmp_path: Path) -> None:
    """Every value of a model replaced by others, and every one taken away."""
    for number, at in enumerate(list(places(GOOD))[1:]):
        for other in (*SOME[number % 3 :: 3], KeyError):
            changed = json.loads(json.dumps(GOOD))
            held = changed
            for key in at[:-1]:
                held = held[key]
            if other is KeyError:
                del held[at[-1]]
            else:
                held[at[-1]] = other
            with suppress(*ENDS):
                flat(read(written(tmp_path, changed)).net)


def test_an_h5_whose_strings_have_no_end_is_refused(tmp_path: Path) -> None:
    """HDF5 1.14 goes on for ever where an unused part of a collection of strings has no bytes."""
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(GOOD)
        file.attrs.create("words", ["one", "two"], dtype=h5py.string_dtype())
    content = bytearray((tmp_path / "m.h5").read_bytes())
    assert len(read(tmp_path / "m.h5").net) == 4
    place = content.rindex(b"one\0") + 8
    assert content[place : place + 2] == b"\0\0"
    assert any(content[place + 8 : place + 16])
    content[place + 8 : place + 16] = bytes(8)
    (tmp_path / "m.h5").write_bytes(content)
    with pytest.raises(StorageError, match="has no end"):
        read(tmp_path / "m.h5")


def test_an_h5_gives_a_model_the_weights_of_its_only_layer(tmp_path: Path) -> None:
    """As Keras writes a model in a model: its one layer with weights has no group of its own."""
    inner = functional(image(), layer("Conv2D", "conv", "image", filters=4, kernel_size=3), name="tower")
    config = functional(image(), {**inner, "name": "tower", "inbound_nodes": layer("", "", "image")["inbound_nodes"]})
    kernel = np.arange(3 * 3 * 3 * 4).reshape(3, 3, 3, 4).astype("float32")
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        held = file.create_group("model_weights")
        held.attrs["layer_names"] = ["tower"]
        group = held.create_group("tower")
        group.attrs["weight_names"] = ["tower/conv/kernel", "tower/conv/bias"]
        group["tower/conv/kernel"], group["tower/conv/bias"] = kernel, np.ones(4, "float32")
    weights = read(tmp_path / "m.h5").weights()  # type: ignore[misc]
    assert (weights["tower_conv", "kernel"] == kernel).all()


def test_a_truncated_file_is_broken_in_words(tmp_path: Path) -> None:
    weights = {"layers/conv2d/vars/0": np.ones((3, 3, 3, 4)), "layers/conv2d/vars/1": np.ones(4)}
    weights |= {"layers/dense/vars/0": np.ones((256, 2)), "layers/dense/vars/1": np.ones(2)}
    whole = archived(tmp_path, json.dumps(GOOD), stored(weights)).read_bytes()
    for path, content in ((tmp_path / "t.keras", whole), (tmp_path / "t.json", json.dumps(GOOD).encode())):
        for length in range(0, len(content), max(len(content) // 60, 1)):
            path.write_bytes(content[:length])
            with pytest.raises(StorageError):
                read(path)
    for length in range(0, len(whole), 997):
        path = tmp_path / "c.keras"
        path.write_bytes(whole[:length] + bytes([whole[length] ^ 0xFF]) + whole[length + 1 :])
        with suppress(*ENDS, WeightsError):
            read(path).weights()  # type: ignore[misc]


def test_files_that_would_fill_memory_or_never_end_are_refused(tmp_path: Path) -> None:
    deep = written(tmp_path, "[" * 200_000, "deep.json")
    bomb = tmp_path / "bomb.keras"
    bomb.write_bytes(archived(tmp_path, " " * 50_000_000 + "{}", b"").read_bytes())
    nested: Any = functional(image("x"), layer("ReLU", "r", "x"), name="m0")
    for depth in range(1, 30):
        calls = [layer("", "", "x")["inbound_nodes"][0]] * 10
        nested = functional(image("x"), {**nested, "name": f"m{depth - 1}", "inbound_nodes": calls}, name=f"m{depth}")
    many = written(tmp_path, nested, "many.json")
    loop = [layer("ReLU", "a", "b"), layer("ReLU", "b", "a")]
    circle = written(tmp_path, functional(image(), *loop), "circle.json")
    for path in (deep, bomb, many, circle):
        with pytest.raises(ENDS):
            read(path)


def test_a_whole_h5_is_read_and_weights_alone_are_no_model(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(GOOD)
    assert len(read(tmp_path / "m.h5").net) == 4
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file.attrs.create("model_config", b'{"class_name": "\xff"}', dtype=h5py.string_dtype("utf-8"))
    with pytest.raises(StorageError, match="surrogates"):
        read(tmp_path / "m.h5")
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        file["a"] = h5py.ExternalLink("/etc/passwd", "/")
    with pytest.raises(StorageError, match="weights alone"):
        read(tmp_path / "w.weights.h5")
    with pytest.raises(OSError, match="No such file"):
        read(tmp_path / "none.keras")
