"""Files as keras.applications saves them, made by it here, in the shipped specs that equal its networks."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import netc
from netc.ir.net import Net
from netc.ir.weights import Weights, WeightsError, random_weights
from tests.specs import SPECS

np = pytest.importorskip("numpy")
h5py = pytest.importorskip("h5py")
keras = pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from netc.targets.keras.known import order_of  # noqa: E402
from netc.targets.keras.weights import read  # noqa: E402 - NumPy
from netc.targets.numpy.run import layers, run  # noqa: E402

FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "vgg16": ("VGG16", {}),
    "mobilenetv2": ("MobileNetV2", {}),
    "densenet121": ("DenseNet121", {}),
    "resnet50": ("ResNet50", {"bias": True}),
    "vgg19": ("VGG19", {}),
    "resnet101": ("ResNet101", {"bias": True}),
    "resnet152": ("ResNet152", {"bias": True}),
    "mobilenet": ("MobileNet", {}),
    "mobilenetv3-small": ("MobileNetV3Small", {}),
    "efficientnet-b0": ("EfficientNetB0", {}),
    "efficientnetv2-b0": ("EfficientNetV2B0", {}),
    "convnext-tiny": ("ConvNeXtTiny", {}),
    "xception": ("Xception", {}),
    "inceptionv3": ("InceptionV3", {}),
    "inception-resnet-v2": ("InceptionResNetV2", {}),
    "nasnet-mobile": ("NASNetMobile", {}),
}
BARE = ("MobileNetV3Small", "EfficientNetV2B0", "ConvNeXtTiny")  # whose preprocessing can be left out
EXAMPLES = os.environ.get("NETC_EXAMPLES")
LONG = pytest.mark.skipif(not EXAMPLES, reason="the blocks of a smaller one, more often: with NETC_EXAMPLES=1")
SHORT = ("vgg16", "mobilenetv2", "densenet121", "resnet50", "mobilenet")
SIZE, CLASSES = 32, 10
SIZES = {"xception": 71, "inceptionv3": 75, "inception-resnet-v2": 75}  # the smallest that Keras takes


def spec(name: str, **parameters: Any) -> netc.Network:
    """A shipped spec without its softmax, which would hide differences."""
    return netc.loads(text(name).replace(" softmax", ""), **parameters)


def text(name: str) -> str:
    """A shipped spec for small images and few classes, for the sake of time."""
    found = (SPECS / f"{name}.net").read_text().partition("train {")[0]
    size = SIZES.get(name, SIZE)
    for old, new in ((r"input \d+x\d+x3", f"input {size}x{size}x3"), ("fc 1000 softmax", f"fc {CLASSES} softmax")):
        found, count = re.subn(old, new, found)
        assert count == 1
    return found


def drawn(model: Any) -> Any:
    """The model with weights with which images stay apart, and no two channels are alike."""
    random = np.random.default_rng(0)
    for layer in model.layers:
        for weight in () if isinstance(layer, keras.layers.Normalization) else layer.weights:
            role, shape = weight.name, tuple(weight.shape)
            if role.endswith("kernel"):
                each = role == "depthwise_kernel" or isinstance(layer, keras.layers.DepthwiseConv2D)
                terms = np.prod(shape[: 2 if each else -1])
                weight.assign(random.normal(0, (1.5 / terms) ** 0.5, shape))
            elif role in ("gamma", "moving_variance"):
                weight.assign(random.uniform(0.5, 1.5, shape))
            else:
                weight.assign(random.normal(0, 0.2, shape))
    return model


def official(path: Path, model: Any, names: Sequence[str] = (), layout: str = "{layer}/{role}:0") -> Path:
    """The layout of the files that keras.applications downloads, with the layers in an order, under names."""
    by_name = {layer.name: layer for layer in model.layers}
    with h5py.File(path, "w") as file:
        chosen = names or list(by_name)
        file.attrs["layer_names"] = [name.encode() for name in chosen]
        for name in chosen:
            layer = by_name[name.replace("/", "_")]
            group = file.create_group(name)
            inner = layer.layers if isinstance(layer, keras.Model) else [layer]
            inside = [(one.name if one is not layer else name, weight) for one in inner for weight in one.weights]
            stored = [layout.format(layer=of, role=weight.name) for of, weight in inside]
            group.attrs["weight_names"] = [one.encode() for one in stored]
            for one, weight in zip(stored, layer.weights, strict=True):
                group[one] = np.asarray(weight)
    return path


@dataclass
class Twins:
    """A spec, and the model of keras.applications with weights."""

    network: netc.Network
    model: Any
    cut: Any  # the same without its head
    images: Any
    features: Any
    expected: Any

    def difference(self, weights: Weights) -> float:
        (made,) = run(self.network.net, weights, {self.network.net.inputs[0]: self.images}).values()
        return far(made, self.expected)


def far(ours: Any, theirs: Any) -> float:
    return float(np.abs(ours - theirs).max() / np.abs(theirs).max())


@pytest.fixture(
    scope="module", params=[*SHORT, *(pytest.param(name, marks=LONG) for name in FAMILIES if name not in SHORT)]
)
def twins(request: pytest.FixtureRequest) -> Iterator[Twins]:
    name, parameters = FAMILIES[request.param]
    size, bare = SIZES.get(request.param, SIZE), {"include_preprocessing": False} if name in BARE else {}
    model = drawn(
        getattr(keras.applications, name)(
            weights=None, input_shape=(size, size, 3), classes=CLASSES, classifier_activation=None, **bare
        )
    )
    pools = [layer for layer in model.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D)]
    last = pools[-1].input if pools else [layer for layer in model.layers if len(layer.output.shape) == 4][-1].output
    images = np.random.default_rng(1).normal(size=(2, size, size, 3)).astype("float32")
    if name == "EfficientNetB0":
        images *= 255 * 30  # its preprocessing and its gates leave little of them
    features, expected = map(np.asarray, keras.Model(model.input, [last, model.output])(images))
    if name == "EfficientNetB0":  # whose first layers are preprocessing, which the spec has not
        images = np.asarray(keras.Model(model.input, model.get_layer("normalization").output)(images))
    assert far(expected[:1], expected[1:]) > 1e-3, "the outputs say little of the images"
    cut = keras.Model(model.input, last)
    yield Twins(spec(request.param, **parameters), model, cut, images, features, expected)
    keras.backend.clear_session()


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
def test_outputs_are_those_of_keras_applications(twins: Twins, suffix: str, tmp_path: Path) -> None:
    if suffix != ".h5" and twins.network.name in ("vgg16", "densenet121") and not EXAMPLES:
        pytest.skip("all its weights are in a line, as MobileNetV2's are, which is smaller: with NETC_EXAMPLES=1")
    path = saved(twins.model, tmp_path / f"w{suffix}")
    weights, found = read(path, twins.network.net)
    path.unlink()  # pytest keeps folders, and these are large
    outside = ["normalization"] if twins.network.name == "efficientnet_b0" else []
    assert (found.by_name, found.missing, found.unused) == (False, [], outside)
    assert twins.difference(weights) < 1e-4


def test_without_top_the_head_alone_stays_fresh(twins: Twins, tmp_path: Path) -> None:
    net = twins.network.net
    if net.name == "convnext_tiny":
        pytest.skip("the normalisation of its head is one of the kind that its blocks have")
    path = official(tmp_path / "notop.h5", twins.cut)
    weights, found = read(path, net, strict=False)
    with pytest.raises(WeightsError, match=r"lacks weights of the network: \w"):
        read(path, net)
    path.unlink()
    names = [node.name for node in net]
    head = [name for name in names if name.startswith("gap")][-1] if pooled(net) else "fc1"
    assert all(names.index(name) >= names.index(head) for name in found.missing)
    assert set(found.unused) <= {"normalization"}
    (features,) = net.operands(head)
    whole = Weights({**random_weights(net, 0), **weights})
    made = next(made for name, made in layers(net, whole, {net.inputs[0]: twins.images}) if name == features)
    assert far(made, twins.features) < 1e-4


def pooled(net: Net) -> bool:
    return any(node.layer.op == "gap" for node in net)


@pytest.mark.parametrize("twins", ["mobilenetv2"], indirect=True)
def test_commands_give_what_keras_gives(twins: Twins, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from netc.cli import main

    pytest.importorskip("onnx")
    onnxruntime, pillow = pytest.importorskip("onnxruntime"), pytest.importorskip("PIL.Image")
    data = 'data "photos" { channels 3; center 0.5; scale 0.5 }'
    (tmp_path / "m.net").write_text(f"{text('mobilenetv2')}\n{data}\n")
    weights = official(tmp_path / "w.h5", twins.model)
    pixels = np.random.default_rng(2).integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    pillow.fromarray(pixels).save(tmp_path / "noise.png")
    prepared = keras.applications.mobilenet_v2.preprocess_input(pixels[None].astype("float32"))
    expected = keras.ops.convert_to_numpy(keras.ops.softmax(twins.model(prepared)))

    given = [str(tmp_path / "m.net"), "--weights", str(weights)]
    assert main(["predict", *given, str(tmp_path / "noise.png"), "--top", str(CLASSES), "--format", "json"]) == 0
    out, said = capsys.readouterr()
    assert "105 layers set in order, as the names differ" in said
    (told,) = json.loads(out)
    shares = [share for _, share in sorted(told["classes"], key=lambda one: int(one[0]))]
    assert far(np.array([shares]), expected) < 1e-4

    assert main(["export", *given, "-o", str(tmp_path / "m.onnx")]) == 0
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    (made,) = session.run(None, {session.get_inputs()[0].name: prepared})
    assert far(made, expected) < 1e-4


# -- residual networks, in which a projection stands beside the last convolution of its unit -------------------------

RESIDUAL = """input 8x8x3
conv 4x3 bn relu
add { | conv 8x1 bn | conv 4x1 bn relu; conv 4x3 bn relu; conv 8x1 bn }
relu
add { | conv 16x1/2 bn | conv 8x1/2 bn relu; conv 8x3 bn relu; conv 16x1 bn }
relu; gap; fc 5"""


def residual(shortcut_first: bool, stem: str = "conv1_", unit: str = "conv{stage}_block1_{number}_") -> Any:
    """RESIDUAL in Keras; what its layers are called; the operands of its sums in one order or the other."""
    layers = keras.layers

    def conv(x: Any, stage: int, number: int | None, filters: int, size: int = 1, stride: int = 1) -> Any:
        name = (unit if number is not None else stem).format(stage=stage, number=number)
        x = layers.Conv2D(filters, size, stride, padding="same", use_bias=False, name=f"{name}conv")(x)
        return layers.BatchNormalization(epsilon=1e-5, name=f"{name}bn")(x)

    given = keras.Input((8, 8, 3))
    x = layers.ReLU()(conv(given, 1, None, 4, 3))
    for stage, narrow, stride in ((2, 4, 1), (3, 8, 2)):
        shortcut = conv(x, stage, 0, 2 * narrow, stride=stride)
        x = layers.ReLU()(conv(x, stage, 1, narrow, stride=stride))
        x = layers.ReLU()(conv(x, stage, 2, narrow, 3))
        x = conv(x, stage, 3, 2 * narrow)
        x = layers.ReLU()(layers.Add()([shortcut, x] if shortcut_first else [x, shortcut]))
    return drawn(keras.Model(given, layers.Dense(5, name="predictions")(layers.GlobalAveragePooling2D()(x))))


@pytest.mark.parametrize("shortcut_first", [True, False])
@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
def test_projections_are_told_by_their_names_wherever_they_stand(
    suffix: str, shortcut_first: bool, tmp_path: Path
) -> None:
    network, model = netc.loads(RESIDUAL), residual(shortcut_first)
    path = saved(model, tmp_path / f"w{suffix}")
    weights, found = read(path, network.net)
    assert (found.by_name, found.unused) == (False, [])
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    (made,) = run(network.net, weights, {"input1": images}).values()
    assert far(made, np.asarray(model(images))) < 1e-5


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
def test_what_order_alone_would_decide_is_refused(suffix: str, tmp_path: Path) -> None:
    """In one of the two the projection comes first, in the other it does not."""
    for shortcut_first in (True, False):
        path = saved(residual(shortcut_first, "s", "s{stage}n{number}"), tmp_path / f"w{suffix}")
        with pytest.raises(WeightsError, match=r"fit .* equally well: rename its layers"):
            read(path, netc.loads(RESIDUAL).net)


def saved(model: Any, path: Path) -> Path:
    if path.name == "w.h5":
        return official(path, model)
    (model.save if path.suffix == ".keras" else model.save_weights)(path)
    return path


def test_other_networks_of_the_family_are_refused(tmp_path: Path) -> None:
    path = official(tmp_path / "w.h5", residual(True))
    for old, new, said in (
        (
            "conv 4x3 bn relu; conv 8x1 bn }\nrelu\nadd",
            "conv 4x3 bn relu; conv 4x3 bn relu; conv 8x1 bn }\nrelu\nadd",
            r"of layers with gamma 4, .* it has 3 such as `conv1_bn`, the network 4 such as `conv1_bn`",
        ),
        (
            "conv 8x3 bn relu",
            "conv 8x5 bn relu",
            r"the file has 3x3x8x8, the network 5x5x8x8 \(`conv3_block1_2_conv` there\)",
        ),
        ("fc 5", "fc 6", r"fc1: the file has 16x5, the network 16x6 \(`predictions` there\)"),
        (
            "conv 4x3 bn relu\nadd",
            "conv 4x3 bias=true bn relu\nadd",
            "conv1: the network has a bias for it, and the file none",
        ),
    ):
        assert old in RESIDUAL
        with pytest.raises(WeightsError, match=said):
            read(path, netc.loads(RESIDUAL.replace(old, new)).net)


# -- the same numbers in other shapes --------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
def test_layers_of_other_classes_have_the_same_numbers(suffix: str, tmp_path: Path) -> None:
    """A depthwise convolution as one in groups, a 1x1 convolution as a dense layer, a dense layer as a convolution."""
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(3, 3, padding="same", groups=3, name="grouped"),
            layers.Dense(6, name="pointwise"),
            layers.GlobalAveragePooling2D(keepdims=True),
            layers.Conv2D(5, 1, name="head"),
            layers.Flatten(),
        ]
    )
    network = netc.loads("input 8x8x3; dwconv 3; conv 6x1; gap; fc 5")
    weights, found = read(saved(drawn(model), tmp_path / f"w{suffix}"), network.net)
    assert (len(found.loaded), found.missing, found.unused) == (3, [], [])
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    (made,) = run(network.net, weights, {"input1": images}).values()
    assert far(made, np.asarray(model(images))) < 1e-5


def test_one_filter_is_no_depthwise_convolution(tmp_path: Path) -> None:
    """Its kernel of 3x3x3x1 has the shape of one, and sums the channels up."""
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(1, 3, padding="same", name="one")])
    path = saved(drawn(model), tmp_path / "w.h5")
    with pytest.raises(WeightsError, match="has the name of one in the network"):
        read(path, netc.loads("input 8x8x3; a: dwconv 3").net)


def test_an_order_is_that_of_one_network_alone() -> None:
    """InceptionV3 with two branches exchanged, whose shapes are in the file as they are in the network."""
    text = (SPECS / "inceptionv3.net").read_text()
    assert order_of(netc.loads(text).net) is not None
    branches = "        | conv 192x1\n        | conv (ch)x1\n          conv (ch)x1x7; conv 192x7x1\n"
    first, second = branches.split("        | conv (ch)x1\n")
    assert branches in text
    other = text.replace(branches, f"        | conv (ch)x1\n{second}{first}")
    assert order_of(netc.loads(other).net) is None


# -- files of classes -------------------------------------------------------------------------------------------------


def test_layers_that_are_attributes_have_no_order(tmp_path: Path) -> None:
    """Keras saves them by the names of the attributes, and those that nobody names as `layers`."""

    class Chain(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.second, self.first = (keras.layers.Conv2D(4, 3, padding="same", name=name) for name in ("b", "a"))
            self.last = keras.layers.Conv2D(2, 1, name="c")

        def call(self, images: Any) -> Any:
            return self.last(self.second(self.first(images)))

    model = Chain()
    model(np.zeros((1, 8, 8, 4), "float32"))
    model.save_weights(tmp_path / "w.weights.h5")
    chain = "input 8x8x4; {}: conv 4x3; {}: conv 4x3; {}: conv 2x1"
    weights, found = read(tmp_path / "w.weights.h5", netc.loads(chain.format(*"abc")).net)
    assert found.by_name
    assert np.array_equal(weights["a", "kernel"], np.asarray(model.first.kernel))
    with pytest.raises(WeightsError, match="fit x, y equally well"):
        read(tmp_path / "w.weights.h5", netc.loads(chain.format(*"xyz")).net)


def test_names_of_layers_may_hold_slashes(tmp_path: Path) -> None:
    """As those of the published DenseNet do: `conv1/bn`."""
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Conv2D(4, 3, name="conv1_conv"),
            keras.layers.BatchNormalization(name="conv1_bn"),
        ]
    )
    path = official(tmp_path / "w.h5", drawn(model), ("conv1/conv", "conv1/bn"))
    weights, found = read(path, netc.loads("input 8x8x3; conv 4x3 pad=0; bn").net)
    assert (found.by_name, len(found.loaded)) == (False, 2)
    assert np.array_equal(weights["bn1", "moving_variance"], np.asarray(model.layers[1].moving_variance))


# -- pixels -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("vgg16", "vgg16"),
        ("vgg19", "vgg19"),
        ("resnet50", "resnet50"),
        ("densenet121", "densenet"),
        ("mobilenetv2", "mobilenet_v2"),
        ("mobilenet", "mobilenet"),
        ("xception", "xception"),
        ("inceptionv3", "inception_v3"),
        ("inception-resnet-v2", "inception_resnet_v2"),
        ("nasnet-mobile", "nasnet"),
    ],
)
def test_the_documented_steps_make_the_pixels_of_keras_applications(name: str, module: str) -> None:
    from netc.data.pipeline import Pipeline
    from netc.data.statistics import Statistics

    document = (SPECS.parent / "docs" / "training.md").read_text()
    (row,) = (
        line
        for line in document.splitlines()
        if line.startswith("| ") and name in line.split("|")[1].replace(",", "").split()
    )
    steps = "; ".join(row.split("|")[2].replace("`", "").split(", "))
    network = netc.loads(f'input 8x8x3; gap; fc 2 softmax; data "photos" {{ {steps} }}')
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3))
    made, _ = Pipeline(network.program.sections.data.steps, Statistics()).run(pixels.astype("float32") / 255, (), None)
    expected = getattr(keras.applications, module).preprocess_input(pixels.astype("float32"))
    assert far(np.asarray(made), expected) < 1e-5
