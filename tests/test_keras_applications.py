"""The specs against keras.applications, layer by layer, without Keras: `tests/facts/keras_applications.json`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import netc
from netc.layers.norm import BatchNorm, LayerNorm
from tests.specs import load

Row = list[Any]  # type, output shape, parameters, multiply-accumulates, epsilon and momentum of normalisations

MODELS: dict[str, Any] = json.loads((Path(__file__).parent / "facts" / "keras_applications.json").read_text())["models"]
TYPES = {
    "conv": "Conv2D",
    "dwconv": "DepthwiseConv2D",
    "sepconv": "SeparableConv2D",
    "fc": "Dense",
    "bn": "BatchNormalization",
    "layernorm": "LayerNormalization",
    "scale": "LayerScale",
    "pool": "MaxPooling2D",
    "avgpool": "AveragePooling2D",
}


def rows(network: netc.Network) -> Iterator[Row]:
    """The layers that the facts list, in the order of the spec."""
    for node in network.net:
        if node.layer.op not in TYPES:
            continue
        cost = network.cost.layers[node.name]
        row = [TYPES[node.layer.op], list(network.shapes[node.name]), cost.parameters, cost.macs]
        if isinstance(node.layer, BatchNorm):
            row.append([node.layer.epsilon, node.layer.decay])
        elif isinstance(node.layer, LayerNorm):
            row.append([node.layer.epsilon])
        yield row


@pytest.mark.parametrize(
    ("spec", "model"),
    [("vgg16", "VGG16"), ("vgg19", "VGG19"), ("densenet121", "DenseNet121"), ("mobilenetv2", "MobileNetV2")],
)
def test_equal_layer_by_layer(spec: str, model: str) -> None:
    network, fact = load(spec), MODELS[model]
    assert list(rows(network)) == fact["layers"]
    total = network.cost.total
    assert (total.parameters, total.trainable, total.macs) == (fact["total"], fact["trainable"], fact["macs"])


@pytest.mark.parametrize(
    ("spec", "model"),
    [
        ("mobilenet", "MobileNet"),
        ("mobilenetv3-small", "MobileNetV3Small"),
        ("efficientnet-b0", "EfficientNetB0"),
        ("efficientnetv2-b0", "EfficientNetV2B0"),
        ("xception", "Xception"),
        ("inceptionv3", "InceptionV3"),
        ("inception-resnet-v2", "InceptionResNetV2"),
        ("nasnet-mobile", "NASNetMobile"),
        ("convnext-tiny", "ConvNeXtTiny"),
    ],
)
def test_equal_layer_by_layer_but_for_what_they_are_called(spec: str, model: str) -> None:
    """A dense layer of one pixel is a 1x1 convolution, and a depthwise convolution is one in groups."""
    network, fact = load(spec), MODELS[model]
    assert [*map(_convolution, rows(network))] == [*map(_convolution, _normalised(fact))]
    total = network.cost.total
    outside = fact["layers"][0][2] if fact["layers"][0][0] == "Normalization" else 0
    assert outside == (
        7 if spec == "efficientnet-b0" else 0
    )  # 3 means, 3 variances and a count of EfficientNetB0's input
    assert total.parameters == fact["total"] - outside
    assert (total.trainable, total.macs) == (fact["trainable"], fact["macs"])


def _normalised(fact: dict[str, Any]) -> list[Row]:
    """The layers after the normalisation of the input, if there is one."""
    return [row for row in fact["layers"] if row[0] != "Normalization"]


def _convolution(row: Row) -> Row:
    kind, shape, *rest = row
    if kind == "Dense" and len(shape) == 1:
        shape = [1, 1, *shape]
    return ["Conv2D" if kind in ("Dense", "DepthwiseConv2D") else kind, shape, *rest]


@pytest.mark.parametrize(("spec", "model"), [(f"resnet{n}", f"ResNet{n}") for n in (50, 101, 152)])
def test_resnets_differ_in_biases_alone(spec: str, model: str) -> None:
    """Keras' residual networks have biases before batch normalisation, which takes them away again."""
    network, fact = load(spec), MODELS[model]
    biases = sum(row[1][-1] for row in fact["layers"] if row[0] == "Conv2D")
    assert sorted(row[:4] for row in rows(network)) == sorted(map(_without_bias, fact["layers"]))
    assert network.cost.total.trainable == fact["trainable"] - biases
    assert network.cost.total.macs == fact["macs"]


def _without_bias(row: Row) -> Row:
    kind, shape, parameters, macs = row[:4]
    return [kind, shape, parameters - (shape[-1] if kind == "Conv2D" else 0), macs]
