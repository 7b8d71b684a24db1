"""Specs whose counts and sizes were published by others, or follow from a paper's table in plain arithmetic."""

from __future__ import annotations

import pytest

import netc
from netc.analysis.receptive import receptive_fields
from tests.specs import Overrides, load
from tests.test_specs import sizes, text

# spec, parameters: trainable elements, and who counted them. The counts of PyTorch ports are those of
# `sum(p.numel() for p in model.parameters())`, without moving averages.
TRAINABLE: list[tuple[str, Overrides, int, str]] = [
    ("nin", {}, 966_986, "TFLearn's network_in_network.py, all variables"),
    ("highway", {}, 134_090, "TFLearn's highway_dnn.py, all variables"),
    ("autoencoder", {}, 435_536, "TFLearn's autoencoder.py, all variables"),
    ("resnext-cifar", {"groups": 16}, 68_155_210, "pytorchcv, resnext29_16x64d_cifar10"),
    ("se-resnext50", {}, 27_559_896, "pytorchcv, seresnext50_32x4d"),
    ("shufflenetv2", {"ch": 48}, 1_366_792, "torchvision, shufflenet_v2_x0_5"),
    ("shufflenetv2", {}, 2_278_604, "torchvision, shufflenet_v2_x1_0"),
    ("shufflenetv2", {"ch": 176}, 3_503_624, "torchvision, shufflenet_v2_x1_5"),
    ("shufflenetv2", {"ch": 244, "last": 2048}, 7_393_996, "torchvision, shufflenet_v2_x2_0"),
    ("c3d", {"classes": 101}, 78_409_573, "the ports to Keras and PyTorch, for UCF101"),
    ("yolov3", {}, 61_949_149, "the ports to Keras and PyTorch"),
]


@pytest.mark.parametrize(("spec", "overrides", "count", "source"), TRAINABLE)
def test_trainable_parameters(spec: str, overrides: Overrides, count: int, source: str) -> None:
    assert load(spec, **overrides).cost.total.trainable == count, source


def test_yolov3_is_the_size_of_its_weights_file_and_costs_what_darknet_prints() -> None:
    """yolov3.weights has 248,007,048 bytes: a head of 20, and float32. Darknet prints 65.864 BFLOPs, two for each
    multiply-accumulate."""
    network = load("yolov3")
    assert network.cost.total.parameters * 4 + 20 == 248_007_048
    assert f"{2 * network.cost.total.macs / 1e9:.3f}" == "65.864"
    assert sizes(network, "conv", "add")[:6] == [416, 208, 104, 52, 26, 13]
    assert [network.shapes[name] for name in network.net.outputs] == [(13, 13, 255), (26, 26, 255), (52, 52, 255)]


def test_resnext_on_cifar() -> None:
    """Xie et al. 2017, Table 7: 34.4M; section 5.3: 32x32, 16x16 and 8x8 maps, 3 units each, 29 layers."""
    network = load("resnext-cifar")
    assert f"{network.cost.total.trainable / 1e6:.1f}" == "34.4"
    assert [network.shapes[node.name] for node in network.net if node.layer.op == "add"] == [
        *[(32, 32, 256)] * 3,
        *[(16, 16, 512)] * 3,
        *[(8, 8, 1024)] * 3,
    ]
    assert network.cost.depth == 29


def test_se_resnext() -> None:
    """Hu et al. 2018, Table 1, right: output sizes, and "fc, [8, 128]" to "fc, [64, 1024]" with r = 16."""
    network = load("se-resnext50")
    assert [*sizes(network, "conv")[:1], *sizes(network, "add")] == [112, 56, 28, 14, 7]
    narrow = [
        network.shapes[node.name][-1] for node in network.net if node.layer.op == "conv" and node.layer.act == "relu"
    ]
    assert narrow == [*[16] * 3, *[32] * 4, *[64] * 6, *[128] * 3]


@pytest.mark.parametrize(
    ("overrides", "widths", "gigamacs"),
    [
        ({"ch": 48}, (24, 48, 96, 192, 1024), "0.04"),
        ({}, (24, 116, 232, 464, 1024), "0.145"),
        ({"ch": 176}, (24, 176, 352, 704, 1024), "0.296"),
        ({"ch": 244, "last": 2048}, (24, 244, 488, 976, 2048), "0.583"),
    ],
)
def test_shufflenet(overrides: Overrides, widths: tuple[int, ...], gigamacs: str) -> None:
    """Ma et al. 2018, Table 5: output sizes, channels and repeats; the operations that torchvision says of its own."""
    network = load("shufflenetv2", **overrides)
    stages = [network.shapes[node.name] for node in network.net if node.layer.op == "shuffle"]
    expected = [shape for shape, n in zip(((28, 28), (14, 14), (7, 7)), (4, 8, 4), strict=True) for _ in range(n)]
    assert [shape[:2] for shape in stages] == expected
    found = [
        network.shapes["conv1"],
        network.shapes["pool1"],
        stages[0],
        stages[4],
        stages[12],
        network.shapes["conv2"],
    ]
    assert found == [
        *((112, 112, widths[0]), (56, 56, widths[0])),
        *((size, size, ch) for size, ch in zip((28, 14, 7, 7), widths[1:], strict=True)),
    ]
    assert str(round(network.cost.total.macs / 1e9, 3)) == gigamacs


def test_c3d() -> None:
    """Tran et al. 2015, Figure 3: 8 convolutions, 5 pools and 2 dense layers of 4,096; the first pool leaves the
    frames."""
    network = load("c3d")
    assert [network.shapes[node.name] for node in network.net if node.layer.op in ("pool", "fc")] == [
        *((16, 56, 56, 64), (8, 28, 28, 128), (4, 14, 14, 256), (2, 7, 7, 512), (1, 4, 4, 512)),
        *((4096,), (4096,), (487,)),
    ]
    filters = (64, 128, 256, 256, 512, 512, 512, 512)
    convolutions = sum(27 * cin * ch + ch for cin, ch in zip((3, *filters), filters, strict=False))
    dense = 8192 * 4096 + 4096 + 4096 * 4096 + 4096 + 4096 * 487 + 487
    assert network.cost.total.trainable == convolutions + dense


def test_highway_network_has_the_layers_of_tflearn() -> None:
    dense = 784 * 64 + 64 + 10 * 2 * (64 * 64 + 64) + 64 * 10 + 10
    assert load("highway").cost.total.parameters == dense
    assert load("highway", depth=2).cost.total.parameters == dense - 8 * 2 * (64 * 64 + 64)


def test_dcgan() -> None:
    """Radford et al. 2016, Figure 1, and the weights of the authors' train_uncond_dcgan.py: 5x5 kernels without biases,
    batch normalisation but in the generator's output and the discriminator's input."""
    generator, discriminator = load("dcgan-generator"), load("dcgan-discriminator")
    maps = [(4, 4, 1024), (8, 8, 512), (16, 16, 256), (32, 32, 128), (64, 64, 3)]
    shapes = generator.shapes
    assert [shapes["reshape1"], *(shapes[node.name] for node in generator.net if node.layer.op == "deconv")] == maps
    mirrored = [discriminator.shapes[node.name] for node in discriminator.net if node.layer.op == "conv"]
    assert mirrored == [(32, 32, 128), (16, 16, 256), (8, 8, 512), (4, 4, 1024)]

    kernels = 25 * (1024 * 512 + 512 * 256 + 256 * 128 + 128 * 3)
    assert generator.cost.total.trainable == 100 * 16384 + kernels + 2 * (16384 + 512 + 256 + 128)
    assert discriminator.cost.total.trainable == kernels + 2 * (256 + 512 + 1024) + 16384


def test_segnet() -> None:
    """Badrinarayanan et al. 2017, section 3: without VGG-16's dense layers, the encoder has 14.7M parameters for 134M;
    13 convolutions in each half."""
    network = load("segnet")
    convolutions = [node.name for node in network.net if node.layer.op == "conv"]
    assert len(convolutions) == 26
    encoder = sum(network.cost.layers[name].trainable for name in convolutions[:13])
    assert f"{encoder / 1e6:.1f}" == "14.7"


def test_fcn() -> None:
    """Long et al. 2015, Table 1, FCN-VGG16: 16 convolutions, 134M parameters, a receptive field of 404 and a stride of
    32 before the first score is made larger; the sizes of the authors' model on 500x500."""
    network = load("fcn8s")
    to_score = netc.loads(text("fcn8s").partition("\ndeconv (classes)")[0])
    assert f"{network.cost.total.trainable / 1e6:.0f}" == "134"
    assert sum(node.layer.op == "conv" for node in to_score.net) == 16
    field = receptive_fields(to_score.net)[to_score.net.outputs[0]]
    assert field is not None
    assert [(axis.size, axis.jump) for axis in field] == [(404, 32)] * 2
    assert [network.shapes[node.name][0] for node in network.net if node.layer.op in ("pool", "deconv", "crop")] == [
        *(349, 175, 88, 44, 22),
        *(34, 34, 70, 70, 568, 500),
    ]


def test_unetpp() -> None:
    """Zhou et al. 2018, Table 2: 9.04M parameters."""
    network = load("unetpp")
    assert f"{network.cost.total.trainable / 1e6:.2f}" == "9.04"
    assert [network.shapes[f"x{level}0_dropout2"] for level in range(5)] == [
        (96 >> level, 96 >> level, 32 << level) for level in range(5)
    ]
