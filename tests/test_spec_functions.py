"""What each spec's head says that it equals: the same weights give the same outputs, in inference and in training."""

import os
import re
from collections.abc import Callable, Iterator
from math import prod
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

import netc
from netc.ir.net import Node
from netc.ir.weights import random_weights
from tests.specs import SPECS

np = pytest.importorskip("numpy")
keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from tests.published import (  # noqa: E402 - TensorFlow
    Player,
    alexnet,
    attention_unet,
    c3d,
    cifar_resnext,
    dcgan_discriminator,
    dcgan_generator,
    facenet,
    fcn8s,
    googlenet,
    hrnet,
    mixer,
    relu,
    se_resnext,
    shufflenet,
    ssd300,
    tflearn_alexnet,
    tflearn_autoencoder,
    tflearn_block,
    tflearn_highway,
    tflearn_nin,
    tflearn_resnet,
    tflearn_vgg,
    torch_cifar_resnet,
    torch_preact_resnet,
    unetpp,
    vae,
    vit,
    wavenet,
    yolov3,
)
from tests.sample_weights import Weights, images, weights  # noqa: E402 - NumPy

# Of the largest output, in inference and in training, where the batch's statistics carry rounding through up to 150
# layers: measured are 2e-6 and, of resnet152, 4e-4. One wrong padding makes 1e-2 and 1e-1.
TOLERANCE = {False: 1e-4, True: 1e-3}
LONG = pytest.mark.skipif(
    not os.environ.get("NETC_EXAMPLES"), reason="the blocks of a smaller one, more often: with NETC_EXAMPLES=1"
)


def edited(spec: str, *edits: tuple[str, str], sections: bool = True, **overrides: Any) -> netc.Network:
    """A spec in which every old text is a new one, with its `data` and `train` or without."""
    text = (SPECS / f"{spec}.net").read_text()
    if not sections:
        text = re.split(r"^(?:data|train) ", text, flags=re.M)[0]
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    return netc.loads(text, **overrides)


def logits(spec: str, *edits: tuple[str, str], **overrides: Any) -> netc.Network:
    """A spec, edited, and without the softmax at its end, which would hide differences."""
    losses = ("categorical_crossentropy", "categorical_crossentropy from_logits")
    return edited(spec, (" softmax", ""), losses, *edits, **overrides)


def weighted(network: netc.Network) -> list[Node]:
    net = network.net
    return [node for node in net if node.layer.weights(net.operand_shapes(node.name))]


def drawn(network: netc.Network) -> list[Weights]:
    """Weights of every layer, in the order of the text."""
    shapes = [
        {weight.name: weight.shape for weight in node.layer.weights(network.net.operand_shapes(node.name))}
        for node in weighted(network)
    ]
    return [weights(number, of_one) for number, of_one in enumerate(shapes)]


def built(network: netc.Network) -> Any:
    model = network.to_keras()
    for node, values in zip(weighted(network), drawn(network), strict=True):
        model.get_layer(node.name).set_weights(values)
    return model


def batch(network: netc.Network) -> Any:
    (name,) = network.net.inputs
    return images(network.shapes[name])


def assert_equal(ours: Any, theirs: Any, training: bool = False, contrast: float = 0.0) -> None:
    """Equal but for rounding. `contrast` is the share of the largest output by which images must differ at least."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    scale = np.abs(theirs).max()
    assert np.abs(theirs[1] - theirs[0]).max() > contrast * scale, "the outputs say little of the images"
    assert np.abs(ours - theirs).max() <= TOLERANCE[training] * scale


# -- keras.applications ----------------------------------------------------------------------------------------------


def in_order(model: Any) -> list[Any]:
    return [layer for layer in model.layers if layer.weights]


def by_role(model: Any) -> list[Any]:
    """The layers of a residual network of keras.applications in the order of the specs: a unit's shortcut, its number
    0, comes first, and a convolution before its normalisation."""

    def key(layer: Any) -> tuple[int, ...]:
        if layer.name == "predictions":
            return (99,)
        stage, unit, number, kind = re.fullmatch(r"conv(\d+)(?:_block(\d+)_(\d))?_(conv|bn)", layer.name).groups()
        return int(stage), int(unit or 0), int(number or 0), kind == "bn"

    return sorted(in_order(model), key=key)


@pytest.mark.parametrize(
    ("spec", "overrides", "name", "order"),
    [
        ("vgg16", {}, "VGG16", in_order),
        pytest.param("vgg19", {}, "VGG19", in_order, marks=LONG),
        ("densenet121", {}, "DenseNet121", in_order),
        ("mobilenetv2", {}, "MobileNetV2", in_order),
        ("resnet50", {"bias": True}, "ResNet50", by_role),
        pytest.param("resnet101", {"bias": True}, "ResNet101", by_role, marks=LONG),
        pytest.param("resnet152", {"bias": True}, "ResNet152", by_role, marks=LONG),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_equals_keras_applications(
    spec: str, overrides: dict[str, Any], name: str, order: Callable[[Any], list[Any]]
) -> None:
    network = logits(spec, **overrides)
    ours, theirs = built(network), getattr(keras.applications, name)(weights=None, classifier_activation=None)
    pairs = list(zip(weighted(network), order(theirs), drawn(network), strict=True))
    for _, layer, values in pairs:
        layer.set_weights(values)
    total = network.cost.total
    assert (total.parameters, ours.count_params()) == (theirs.count_params(),) * 2
    assert total.trainable == sum(weight.shape.num_elements() for weight in theirs.trainable_weights)

    given = batch(network)
    if spec.startswith("vgg"):  # training only adds dropout, which keras.applications leaves out
        assert_equal(ours(given, training=False), theirs(given, training=False), contrast=0.05)
        return
    assert_equal(ours(given, training=False), theirs(given, training=False))
    assert_equal(ours(given, training=True), theirs(given, training=True), training=True, contrast=0.05)
    if not spec.startswith("resnet"):  # whose moving averages keep 0.9, not 0.99
        for node, layer, _ in pairs:
            for one, other in zip(ours.get_layer(node.name).get_weights(), layer.get_weights(), strict=True):
                np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def as_written(name: str, size: int) -> tuple[Any, list[Any]]:
    """A network of keras.applications on images of a size, without dropout, preprocessing and softmax, and its layers
    with weights in the order in which its program makes them, which is that of the specs."""
    made: dict[int, Any] = {}
    begin = keras.layers.Layer.__init__

    def begun(layer: Any, *given: Any, **options: Any) -> None:
        begin(layer, *given, **options)
        made.setdefault(id(layer), layer)

    raw = {"include_preprocessing": False} if name in ("MobileNetV3Small", "EfficientNetV2B0", "ConvNeXtTiny") else {}
    with patch.object(keras.layers.Layer, "__init__", begun):
        model = getattr(keras.applications, name)(
            weights=None, input_shape=(size, size, 3), classifier_activation=None, **raw
        )
    if "normalization" in (
        names := [layer.name for layer in model.layers]
    ):  # of EfficientNetB0, which has no such option
        model = keras.Model(model.layers[names.index("normalization")].output, model.output)
    used = {id(layer) for layer in within(model)}
    layers = [layer for layer in made.values() if id(layer) in used]
    if name == "ConvNeXtTiny":  # which makes its downsampling first
        layers = list(within(model))
    return still(model), [layer for layer in layers if layer.weights]


def within(model: Any) -> Iterator[Any]:
    """The layers of a model, and of the models in it where they stand."""
    for layer in model.layers:
        yield from within(layer) if isinstance(layer, keras.Model) else [layer]


def still(model: Any) -> Any:
    """The model without dropout, which is another one each time."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    return model


@pytest.mark.parametrize(
    ("spec", "name", "size"),
    [
        ("mobilenet", "MobileNet", 64),
        ("mobilenetv3-small", "MobileNetV3Small", 64),
        pytest.param("xception", "Xception", 299, marks=LONG),
        pytest.param("inceptionv3", "InceptionV3", 299, marks=LONG),
        pytest.param("inception-resnet-v2", "InceptionResNetV2", 299, marks=LONG),
        pytest.param("nasnet-mobile", "NASNetMobile", 224, marks=LONG),
        pytest.param("efficientnet-b0", "EfficientNetB0", 224, marks=LONG),
        pytest.param("efficientnetv2-b0", "EfficientNetV2B0", 224, marks=LONG),
        pytest.param("convnext-tiny", "ConvNeXtTiny", 224, marks=LONG),
    ],
)
def test_equals_keras_applications_as_written(spec: str, name: str, size: int) -> None:
    """In training too, where moving averages end up equal. A dense layer of one pixel may be a 1x1 convolution in
    Keras, and a depthwise convolution a grouped one: the same numbers in another shape."""
    whole = next(line for line in (SPECS / f"{spec}.net").read_text().splitlines() if line.startswith("input "))
    network = logits(spec, (whole, f"input {size}x{size}x3"))
    ours, (theirs, order) = still(network.to_keras()), as_written(name, size)
    total = network.cost.total
    assert (total.parameters, ours.count_params()) == (theirs.count_params(),) * 2
    assert total.trainable == sum(prod(weight.shape) for weight in theirs.trainable_weights)
    pairs, values = list(zip(weighted(network), order, strict=True)), random_weights(network.net, 0)
    for node, layer in pairs:
        ours.get_layer(node.name).set_weights(values.of(node.name))
        shaped = zip(values.of(node.name), layer.weights, strict=True)
        layer.set_weights([value.reshape(weight.shape) for value, weight in shaped])

    given = batch(network)
    assert_equal(ours(given, training=False), theirs(given, training=False), contrast=1e-3)
    assert_equal(ours(given, training=True), theirs(given, training=True), training=True, contrast=0.05)
    for node, layer in pairs:
        for one, other in zip(ours.get_layer(node.name).get_weights(), layer.get_weights(), strict=True):
            np.testing.assert_allclose(one, other.reshape(one.shape), rtol=1e-4, atol=1e-5)


def test_biases_before_batch_normalisation_are_the_only_difference() -> None:
    """`bias=false`, with the biases of `bias=true` taken off the moving means."""
    short = [
        (f"bottleneck {units} {ch}", f"bottleneck 1 {ch}") for units, ch in ((3, 64), (4, 128), (6, 256), (3, 512))
    ]
    plain, biased = logits("resnet50", *short), logits("resnet50", *short, bias=True)
    ours, theirs = plain.to_keras(), built(biased)
    bias: Any = 0.0
    for node in weighted(plain):
        values = theirs.get_layer(node.name).get_weights()
        if node.layer.op == "conv":
            *values, bias = values
        if node.layer.op == "bn":
            values[2] = values[2] - bias
        ours.get_layer(node.name).set_weights(values)
    given = batch(plain)
    for training in (False, True):
        assert_equal(ours(given, training=training), theirs(given, training=training), training)


# -- torchvision -----------------------------------------------------------------------------------------------------

TORCHVISION = Path(__file__).parent / "facts" / "torchvision" / "logits.npz"


@pytest.mark.parametrize(
    ("spec", "overrides"),
    [
        ("resnet18", {}),
        ("resnet34", {}),
        ("plain34", {}),
        ("resnet50", {"v1_5": True}),
        pytest.param("resnet101", {"v1_5": True}, marks=LONG),
        pytest.param("resnet152", {"v1_5": True}, marks=LONG),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_equals_torchvision(spec: str, overrides: dict[str, Any]) -> None:
    network = logits(spec, **overrides)
    facts, ours, given = np.load(TORCHVISION), built(network), batch(network)
    assert_equal(ours(given, training=False), facts[spec])
    assert_equal(ours(given, training=True), facts[f"{spec}.train"], training=True, contrast=0.05)


# -- networks that were published for programs of the past -----------------------------------------------------------

TFLEARN = Path(__file__).parent / "facts" / "tflearn"


@pytest.mark.parametrize(
    ("case", "layers"),
    [
        ("conv_same_s1", lambda play, x: play.conv(x, 1, "same")),
        ("conv_same_s2_even", lambda play, x: relu(play.conv(x, 2, "same"))),
        ("maxpool3_s2", lambda play, x: play.pool(x, 3, 2, "same")),
        ("lrn_default", lambda play, x: play.lrn(x, 5, 1.0, 1e-4, 0.75)),
        ("fc_flattens", lambda play, x: np.tanh(play.dense(x))),
        ("bn", lambda play, x: play.norm(x)),
        ("residual_block_same", lambda play, x: tflearn_block(play, tflearn_block(play, x, 4), 4)),
        ("residual_block_down", lambda play, x: tflearn_block(play, x, 8, 2, window=2)),
    ],
)
def test_what_is_published_plays_as_tflearn_itself(case: str, layers: Callable[[Player, Any], Any]) -> None:
    """The reference of the tests below against TFLearn's own outputs."""
    data = dict(np.load(TFLEARN / f"{case}.npz"))
    found: dict[str, dict[str, Any]] = {}
    for key in (key for key in data if key.startswith("var:")):
        layer, _, name = key.rpartition("/")
        found.setdefault(layer, {})[name] = data[key]
    names = ("W:0", "gamma:0", "b:0", "beta:0", "moving_mean:0", "moving_variance:0")
    values = [[of_one[name] for name in names if name in of_one] for of_one in found.values()]
    for training in (False, True) if "out_train" in data else (False,):
        out = layers(Player(values, training), data["in"])
        np.testing.assert_allclose(out, data["out_train" if training else "out_infer"], rtol=0, atol=1e-5)


def played(network: netc.Network, layers: Callable[[Player, Any], Any], training: bool = False) -> Any:
    play = Player(drawn(network), training)
    out = layers(play, batch(network))
    assert next(play.weights, None) is None
    return out


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    ("spec", "edits", "overrides", "layers"),
    [
        ("resnet32", [], {}, lambda play, x: tflearn_resnet(play, x, 5)),
        ("resnet", [], {"n": 2}, lambda play, x: tflearn_resnet(play, x, 2)),
        ("resnet-cifar", [], {"n": 3}, lambda play, x: torch_cifar_resnet(play, x, 3)),
        ("preact-resnet164", [("bottleneck 18", "bottleneck 2")], {}, lambda play, x: torch_preact_resnet(play, x, 2)),
        (
            "preact-resnet1001",
            [("bottleneck 111", "bottleneck 3")],
            {},
            lambda play, x: torch_preact_resnet(play, x, 3),
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_equals_what_was_published_for_cifar(
    spec: str,
    edits: list[tuple[str, str]],
    overrides: dict[str, Any],
    layers: Callable[[Player, Any], Any],
    training: bool,
) -> None:
    network = logits(spec, *edits, **overrides)
    assert_equal(
        built(network)(batch(network), training=training), played(network, layers, training), training, contrast=0.05
    )


@pytest.mark.parametrize(
    ("spec", "overrides", "layers"),
    [
        ("alexnet-tflearn", {}, tflearn_alexnet),
        ("vgg16-flowers", {"size": 48}, tflearn_vgg),
        ("alexnet", {}, alexnet),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_equals_what_was_published(spec: str, overrides: dict[str, Any], layers: Callable[[Player, Any], Any]) -> None:
    """With dense layers of 64 units, which are soon made and no other arithmetic."""
    network = logits(spec, ("fc 4096", "fc 64"), **overrides)
    assert_equal(built(network)(batch(network), training=False), played(network, layers), contrast=0.05)


def test_equals_googlenet_of_caffe() -> None:
    network = logits("googlenet", aux=True)
    ours = built(network)(batch(network), training=False)
    for one, other in zip(ours, played(network, googlenet), strict=True):
        assert_equal(one, other, contrast=0.02)


# -- networks in plain arithmetic, smaller than they are --------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "edits", "overrides", "layers"),
    [
        ("highway", [], {}, tflearn_highway),
        ("resnext-cifar", [(f"resnext 3 {ch}", f"resnext 1 {ch // 8}") for ch in (64, 128, 256)], {}, cifar_resnext),
        (
            "se-resnext50",
            [
                ("224x224x3", "64x64x3"),
                *((f"stage {units} ", "stage 2 ") for units in (3, 4, 6)),
                ("stage 2 1024", "stage 2 512"),
            ],
            {},
            se_resnext,
        ),
        (
            "shufflenetv2",
            [("224x224x3", "64x64x3"), *((f"stage {units} ", "stage 2 ") for units in (4, 8))],
            {"ch": 16, "last": 64},
            shufflenet,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_equals_its_arithmetic(
    spec: str, edits: list[tuple[str, str]], overrides: dict[str, Any], layers: Callable[[Player, Any], Any]
) -> None:
    network = logits(spec, *edits, **overrides)
    assert_equal(built(network)(batch(network), training=False), played(network, layers), contrast=0.01)
    if "bn" in {node.layer.op for node in network.net}:
        ours, theirs = built(network)(batch(network), training=True), played(network, layers, training=True)
        assert_equal(ours, theirs, training=True, contrast=0.01)


@pytest.mark.parametrize(
    ("spec", "edits", "shape", "layers"),
    [
        ("nin", [("gap; softmax", "gap")], (32, 32, 3), tflearn_nin),
        ("autoencoder", [], (28, 28, 1), tflearn_autoencoder),
        (
            "dcgan-generator",
            [
                ("4x4x1024", "4x4x64"),
                ("16384", "1024"),
                *((f"deconv {ch}x", f"deconv {ch // 16}x") for ch in (512, 256, 128)),
            ],
            (100,),
            dcgan_generator,
        ),
        (
            "dcgan-discriminator",
            [(f"conv {ch}x", f"conv {ch // 16}x") for ch in (128, 256, 512, 1024)],
            (64, 64, 3),
            dcgan_discriminator,
        ),
        ("c3d", [("16x112x112x3", "16x24x24x3"), ("fc 4096", "fc 64"), (" softmax", "")], (16, 24, 24, 3), c3d),
        ("unetpp", [("96x96x3", "32x32x3")], (32, 32, 3), unetpp),
        (
            "attention-unet",
            [("224x224x3", "32x32x3"), *((f" {ch}", f" {ch // 8}") for ch in (1024, 512, 256, 128, 64))],
            (32, 32, 3),
            attention_unet,
        ),
        (
            "ssd300",
            [
                ("classes: softmax", "classes: identity"),
                *((f"conv {ch}x", f"conv {ch // 16}x") for ch in (64, 128, 256, 512, 1024)),
            ],
            (300, 300, 3),
            ssd300,
        ),
        (
            "triplet",
            [
                ("220x220x3", "64x64x3"),
                ("fc 4096", "fc 64"),
                *((f"conv {ch}x", f"conv {ch // 4}x") for ch in (192, 384)),
            ],
            (64, 64, 3),
            facenet,
        ),
        pytest.param(
            "hrnet-w18",
            [("224x224x3", "64x64x3"), ("basicblock 4", "basicblock 1"), (" softmax", "")],
            (64, 64, 3),
            hrnet,
            marks=LONG,
        ),
        ("wavenet", [("layers = 50", "layers = 12"), (" softmax", "")], (1500, 256), wavenet),
        ("vae", [], (28, 28, 1), vae),
        (
            "vit-b16",
            [("224x224x3", "64x64x3"), ("repeat 12", "repeat 2"), ("3072", "96"), ("768", "48"), (" softmax", "")],
            (64, 64, 3),
            vit,
        ),
        (
            "mlp-mixer-b16",
            [("224x224x3", "64x64x3"), ("repeat 12", "repeat 2"), ("3072", "96"), ("768", "48"), (" softmax", "")],
            (64, 64, 3),
            mixer,
        ),
        (
            "fcn8s",
            [
                ("500x500x3", "52x52x3"),
                ("softmax", ""),
                *((f"conv {ch}x", f"conv {ch // 16}x") for ch in (64, 128, 256, 512, 4096)),
            ],
            (52, 52, 3),
            fcn8s,
        ),
        (
            "yolov3",
            [
                ("416x416x3", "64x64x3"),
                *((f"stage {units} ", "stage 1 ") for units in (2, 8, 4)),
                *((f" {ch}", f" {ch // 16}") for ch in (1024, 512, 256)),
            ],
            (64, 64, 3),
            yolov3,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_outputs_equal_its_arithmetic(
    spec: str, edits: list[tuple[str, str]], shape: tuple[int, ...], layers: Callable[[Player, Any], Any]
) -> None:
    """Networks that are no classifiers of images, or have no logits."""
    network = edited(spec, *edits, sections=False)
    given = np.random.RandomState(0).standard_normal((2, *shape)).astype("float32")
    play = Player(drawn(network))
    ours, theirs = built(network)(given, training=False), layers(play, given)
    assert next(play.weights, None) is None
    for one, other in zip(ours, theirs, strict=True) if isinstance(theirs, list) else [(ours, theirs)]:
        assert_equal(one, other, contrast=0.01)
