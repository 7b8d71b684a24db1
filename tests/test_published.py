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
    ("attention-unet", {"bias": True}, 34_878_573, "LeeJunHyun/Image_Segmentation, AttU_Net"),
    ("hrnet-w18", {}, 21_299_004, "timm, hrnet_w18"),
    ("ssd300", {}, 26_285_486, "the ports to Keras and PyTorch, for PASCAL VOC"),
    ("vit-b16", {}, 86_567_656, "torchvision, vit_b_16"),
    ("mlp-mixer-b16", {}, 59_880_472, "timm, mixer_b16_224"),
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


def test_ssd_has_8732_boxes() -> None:
    """Liu et al. 2016, Figure 2: 38x38, 19x19, 10x10, 5x5, 3x3 and 1x1 maps; 8732 detections per class."""
    network = load("ssd300")
    maps = [network.shapes[name] for name in ("n4", "c7", "c8", "c9", "c10", "c11")]
    assert maps == [(38, 38, 512), (19, 19, 1024), (10, 10, 512), (5, 5, 256), (3, 3, 256), (1, 1, 256)]
    assert [network.shapes[name] for name in network.net.outputs] == [(8732, 4), (8732, 21)]


def test_retinanet() -> None:
    """Lin et al. 2017, section 4: five levels, 9 anchors at each place. fizyr/keras-retinanet counts 38,021,812
    parameters with a ResNet-50 and 80 classes, and 37,915,572 trainable ones, without batch normalisations.
    torchvision's count of retinanet_resnet50_fpn, which makes P6 of P5 and has 91 classes, follows."""
    network = load("retinanet")
    total = network.cost.total
    norms = sum(network.cost.layers[node.name].trainable for node in network.net if node.layer.op == "bn")
    assert (total.parameters, total.trainable - norms) == (38_021_812, 37_915_572)
    anchors = sum(9 * (640 // stride) ** 2 for stride in (8, 16, 32, 64, 128))
    assert [network.shapes[name] for name in network.net.outputs] == [(anchors, 80), (anchors, 4)]

    of_torchvision = load("retinanet", classes=91).cost.total.trainable - norms
    assert of_torchvision - (2048 - 256) * 9 * 256 == 34_014_999


def test_facenet() -> None:
    """Schroff et al. 2015, Table 1: what each layer makes, its parameters in thousands, 140M and 1.6B operations in
    all."""
    network = load("triplet")
    found = [
        (network.shapes[node.name], f"{network.cost.layers[node.name].trainable / 1e3:.0f}K")
        for node in network.net
        if node.layer.op == "conv"
    ]
    assert found == [
        *(((110, 110, 64), "9K"), ((55, 55, 64), "4K"), ((55, 55, 192), "111K")),
        *(((28, 28, 192), "37K"), ((28, 28, 384), "664K"), ((14, 14, 384), "148K"), ((14, 14, 256), "885K")),
        *(((14, 14, 256), "66K"), ((14, 14, 256), "590K")) * 2,
    ]
    dense = [network.cost.layers[node.name].trainable for node in network.net if node.layer.op == "fc"]
    assert [f"{count / 1e6:.0f}M" for count in (sum(dense[:2]), sum(dense[2:4]))] == ["103M", "34M"]
    total = network.cost.total
    assert (f"{total.trainable / 1e6:.0f}M", f"{total.macs / 1e9:.1f}B") == ("140M", "1.6B")


def test_vae() -> None:
    """Kingma & Welling 2014, section 5: 500 hidden units."""
    dense = 784 * 500 + 500 + 2 * (500 * 20 + 20) + 20 * 500 + 500 + 500 * 784 + 784
    assert load("vae").cost.total.parameters == dense


def test_transformers_are_as_wide_and_deep_as_their_tables() -> None:
    """Dosovitskiy et al. 2021, Table 1, ViT-Base: 12 layers, D = 768, 12 heads, 86M parameters; Tolstikhin et al. 2021,
    Table 1, B/16: 12 layers, S = 196, C = 768, hidden 384 and 3072, 59M parameters (59.9 of them)."""
    vit, mixer = load("vit-b16"), load("mlp-mixer-b16")
    attentions = [node for node in vit.net if node.layer.op == "attention"]
    assert len(attentions) == 12
    assert {vit.shapes[node.name] for node in attentions} == {(197, 768)}
    hidden = [mixer.shapes[node.name] for node in mixer.net if node.layer.op == "conv"]
    assert hidden == [(14, 14, 768), *[(768, 384), (768, 196), (196, 3072), (196, 768)] * 12]


def test_hrnet() -> None:
    """Wang et al. 2020, section 3: widths C, 2C, 4C, 8C at strides of 4, 8, 16 and 32; 1, 4 and 3 modules of two, three
    and four maps; 2,048 channels before the mean."""
    network = load("hrnet-w18")
    joined = [network.shapes[node.name] for node in network.net if node.layer.op == "upsample"]
    assert len(joined) == 1 + 4 * 3 + 3 * 6
    widths = (18, 36, 72, 144)
    narrow = {network.shapes[node.name] for node in network.net if node.layer.op == "add"}
    assert {shape for shape in narrow if shape[-1] in widths} == {
        (224 >> 2 + level, 224 >> 2 + level, width) for level, width in enumerate(widths)
    }
    (mean,) = (node for node in network.net if node.layer.op == "gap")
    assert network.shapes[mean.name] == (2048,)


def test_wavenet() -> None:
    """Van den Oord et al. 2016, section 2.1: the receptive field of dilations 1, 2, 4, ..., 512 is 1024, which each
    further block adds to; 256 classes at each step. Weights of ibab/tensorflow-wavenet by their definition."""
    for blocks in (1, 5):
        network = load("wavenet", layers=10 * blocks)
        (field,) = receptive_fields(network.net)[network.net.outputs[0]] or ()
        assert field.size == blocks * (1024 - 1) + 1 + 1  # and the first convolution's
        assert field.last == (0,)  # causal
    layer = 2 * (2 * 32 * 32 + 32) + 32 * 512 + 512
    passed_on = 49 * (32 * 32 + 32)
    ends = 2 * 256 * 32 + 512 * 512 + 512 + 512 * 256 + 256
    assert load("wavenet").cost.total.parameters == 50 * layer + passed_on + ends
    assert load("wavenet").shapes[network.net.outputs[0]] == (None, 256)
