"""The specs that ship against the figures that their papers, or the programs they come from, are known for."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

import netc
from netc.sections.losses import Loss
from netc.sections.settings import Batch, Checkpoint, Epochs
from tests.specs import FUNCTIONS, SPECS, TABLE, VARIANTS, Overrides, load, table

FACTS: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "facts" / "paper_counts.json").read_text())
CASES = [(spec, overrides) for spec, variants in VARIANTS.items() for overrides in variants]


def test_every_spec_is_listed() -> None:
    assert {path.stem for path in SPECS.glob("*.net")} == set(VARIANTS)


@pytest.mark.parametrize(("spec", "overrides"), CASES)
def test_spec_is_clean(spec: str, overrides: Overrides) -> None:
    assert load(spec, **overrides).diagnostics == ()


def test_table_is_fresh() -> None:
    assert TABLE.read_text() == table(), "run `python -m tools.specs`"


def test_every_spec_says_what_it_equals() -> None:
    listed = re.findall(r"[\w-]+", " ".join(specs.partition(" with ")[0] for specs, _, _ in FUNCTIONS))
    assert set(listed) - {"the", "same", "without"} == set(VARIANTS)
    tests = "".join(
        (Path(__file__).parent / f"test_{name}.py").read_text() for name in ("specs", "spec_functions", "published")
    )
    assert all(f"def {test}(" in tests for _, _, test in FUNCTIONS if test)


# -- counts ----------------------------------------------------------------------------------------------------------


def counts(network: netc.Network) -> tuple[int, int, int | None]:
    total = network.cost.total
    return total.trainable, total.parameters, total.macs


def published(fact: dict[str, Any]) -> tuple[int, int, int]:
    trainable = fact.get("trainable", fact.get("params"))
    return trainable, fact.get("total_with_moving", trainable), fact["macs"]


@pytest.mark.parametrize(
    ("spec", "key"),
    [
        ("vgg-a", "VGG-A"),
        ("vgg-a-lrn", "VGG-A-LRN"),
        ("vgg-b", "VGG-B"),
        ("vgg-c", "VGG-C"),
        ("vgg16", "VGG-D"),
        ("vgg19", "VGG-E"),
    ],
)
def test_vgg(spec: str, key: str) -> None:
    network, fact = load(spec), FACTS[key]
    assert counts(network) == published(fact)
    assert network.cost.depth == fact["weight_layers"]


def test_vgg_of_17_flowers() -> None:
    assert load("vgg16-flowers").cost.total.trainable == FACTS["tflearn vgg_network.py (17 classes)"]["params"]


@pytest.mark.parametrize("layers", [20, 32, 44, 56, 110, 1202])
def test_resnet_on_cifar(layers: int) -> None:
    fact = FACTS[f"ResNet-{layers} (CIFAR, option A)"]
    network = load("resnet-cifar", n=fact["n"])
    assert counts(network) == published(fact)
    assert network.cost.depth == layers == 6 * fact["n"] + 2


@pytest.mark.parametrize("n", [3, 5, 9, 18])
def test_preactivation_resnet_of_tflearn(n: int) -> None:
    fact = FACTS[f"tflearn residual_network_cifar10.py n={n}"]
    network = load("resnet", n=n)
    assert counts(network)[:2] == (fact["trainable"], fact["total_with_moving"])
    assert network.cost.depth == 6 * n + 2


def test_resnet32_is_resnet_with_5_units() -> None:
    alone, general = load("resnet32"), load("resnet", n=5)
    assert alone.cost.total == general.cost.total
    assert list(alone.shapes.values()) == list(general.shapes.values())


@pytest.mark.parametrize("v1_5", [False, True])
@pytest.mark.parametrize("layers", [18, 34, 50, 101, 152])
def test_resnet_on_imagenet(layers: int, v1_5: bool) -> None:
    network = load(f"resnet{layers}", **({"v1_5": v1_5} if layers >= 50 else {}))
    assert counts(network) == published(FACTS[f"ResNet-{layers} ImageNet v1{'.5' if v1_5 else ''}"])
    assert network.cost.depth == layers


def test_plain_network() -> None:
    """He et al. 2015, section 3.3: "3.6 billion FLOPs", which shortcuts without weights (option A) leave as they are."""
    plain, fact = load("plain34"), FACTS["ResNet-34 ImageNet v1"]
    assert (plain.cost.total.macs, f"{plain.cost.total.macs / 1e9:.1f}") == (fact["macs_without_projection"], "3.6")
    assert plain.cost.total.trainable == fact["option_A_trainable"]
    assert plain.cost.depth == 34
    assert sizes(plain, "conv", "pool") == [112, 56, 28, 14, 7]


@pytest.mark.parametrize("layers", [164, 1001])
def test_preactivation_bottlenecks(layers: int) -> None:
    network, fact = load(f"preact-resnet{layers}"), FACTS[f"PreAct-ResNet-{layers} (CIFAR-10)"]
    assert counts(network) == published(fact)
    assert network.cost.depth == layers == 9 * fact["n"] + 2
    assert weights(network, "conv") == fact["conv_weights"]


def test_alexnet() -> None:
    assert counts(load("alexnet")) == published(FACTS["AlexNet grouped"])
    assert counts(netc.loads(re.sub(r" groups=2", "", text("alexnet")))) == published(FACTS["AlexNet ungrouped"])
    assert load("alexnet-tflearn").cost.total.trainable == FACTS["tflearn alexnet.py (17 classes)"]["params"]


def test_googlenet() -> None:
    assert counts(load("googlenet")) == published(FACTS["GoogLeNet"])
    assert load("googlenet", aux=True).cost.total.trainable == 13_378_280  # Caffe's bvlc_googlenet in training


def test_siamese() -> None:
    """The count that Table II of Sunny et al. 2021 (arXiv:2102.06960) gives this network on Omniglot."""
    assert load("siamese").cost.total.trainable == 38_951_745


def weights(network: netc.Network, op: str, part: str = "") -> int:
    """Elements of the kernels of all layers of an operation, in a part of the network."""
    net = network.net
    layers = [node for node in net if node.layer.op == op and node.name.startswith(part)]
    found = [weight for node in layers for weight in node.layer.weights(net.operand_shapes(node.name))]
    return sum(weight.count for weight in found if weight.name == "kernel")


# -- shapes ----------------------------------------------------------------------------------------------------------


def text(spec: str) -> str:
    return (SPECS / f"{spec}.net").read_text()


def sizes(network: netc.Network, *ops: str) -> list[int]:
    """Rows of the outputs of some operations, without repeats."""
    rows = [network.shapes[node.name][0] for node in network.net if node.layer.op in ops]
    return [row for at, row in enumerate(rows) if at == 0 or row != rows[at - 1]]


@pytest.mark.parametrize("spec", ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"])
def test_output_sizes_of_resnets_on_imagenet(spec: str) -> None:
    """He et al. 2015, Table 1, "output size"."""
    network = load(spec)
    assert [network.shapes["conv1"][0], *sizes(network, "pool", "add")] == [112, 56, 28, 14, 7]


def test_output_sizes_of_alexnets() -> None:
    """Neurons after the convolutions and the dense layers (Krizhevsky et al. 2012, section 3.5; the paper prints
    253,440 for the first, which its own 55x55x96 is not)."""
    network = load("alexnet")
    neurons = [network.shapes[node.name] for node in network.net if node.layer.op in ("conv", "fc")]
    assert [rows * rows * shape[-1] for shape in neurons for rows in [shape[0] if len(shape) > 1 else 1]] == [
        *(290_400, 186_624, 64_896, 64_896, 43_264),
        *(4096, 4096, 1000),
    ]
    assert sizes(load("alexnet-tflearn"), "conv", "pool") == FACTS["tflearn alexnet.py (17 classes)"]["spatial"]


def test_inception_modules() -> None:
    """Each row of Szegedy et al. 2014, Table 1: channels that come out, weights and operations."""
    network = load("googlenet")
    parts = [f"{name}_" for name in ("inception1", "inception2", "a4", "inception3", "inception4", "d4")]
    parts += [f"inception{number}_" for number in (5, 6, 7)]
    for part, fact in zip(parts, FACTS["GoogLeNet"]["inception"], strict=True):
        macs = sum(cost.macs or 0 for name, cost in network.cost.layers.items() if name.startswith(part))
        assert network.shapes[f"{part}concat1"][-1] == fact["out"], fact["block"]
        assert (weights(network, "conv", part), macs) == (fact["weights"], fact["macs"]), fact["block"]


def test_unpadded_unet_has_the_sizes_of_the_paper() -> None:
    """Ronneberger et al. 2015, Figure 1: the spec with unpadded convolutions, and its copies cropped."""
    unpadded = (
        text("unet").replace("?x?x1  # netc: allow NET302", "572x572x1").replace("(ch)x3 relu", "(ch)x3 relu valid")
    )
    for encoder, border in (("enc4", 4), ("enc3", 16), ("enc2", 40), ("enc1", 88)):
        unpadded = unpadded.replace(f"concat {encoder}", f"concat {{ | from {encoder}; crop {border} | identity }}")
    network = netc.loads(unpadded)
    found = [network.shapes[node.name][0] for node in network.net if node.layer.op in ("conv", "pool", "deconv")]
    assert found == [
        *(570, 568, 284, 282, 280, 140, 138, 136, 68, 66, 64, 32, 30, 28),
        *(56, 54, 52, 104, 102, 100, 200, 198, 196, 392, 390, 388, 388),
    ]
    assert network.cost.depth == load("unet").cost.depth == 23  # "in total the network has 23 convolutional layers"


# -- what else they say ----------------------------------------------------------------------------------------------


def test_auxiliary_classifiers() -> None:
    network = load("googlenet", aux=True)
    assert [network.shapes[name] for name in network.net.outputs] == [(1000,)] * 3
    assert [network.shapes[f"aux{number}_avgpool1"] for number in (1, 2)] == [(4, 4, 512), (4, 4, 528)]
    losses: list[Loss] = [line.value for line in network.program.sections.train.losses]
    assert [(loss.of, loss.weight) for loss in losses] == [("", 1.0), ("aux1", 0.3), ("aux2", 0.3)]
    assert len(load("googlenet").program.sections.train.losses) == 1


def test_siamese_towers_share_their_weights() -> None:
    network = load("siamese")
    assert network.net.inputs == ["first", "second"]
    sharing = [node for node in network.net if node.shares]
    assert {node.shares for node in sharing} >= {"tower_conv1", "tower_fc1"}
    assert sum(network.cost.layers[node.name].parameters for node in sharing) == 0


@pytest.mark.parametrize(
    ("spec", "batch", "epochs", "keep"),
    [("resnet32", 128, 200, 10), ("vgg16-flowers", 32, 500, 1), ("alexnet-tflearn", 64, 1000, 1)],
)
def test_training_of_tflearn(spec: str, batch: int, epochs: int, keep: int) -> None:
    """`n_epoch`, `batch_size` and `max_checkpoints` of TFLearn's scripts."""
    train = load(spec).program.sections.train
    assert (train.value(Batch).images, train.value(Epochs).count, train.value(Checkpoint).keep) == (batch, epochs, keep)


# -- blocks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [18, 34, 50, 101, 152])
def test_shortcut_option_a(layers: int) -> None:
    """Without projections: the counts of option A."""
    fact = FACTS[f"ResNet-{layers} ImageNet v1"]
    network = netc.loads(
        re.sub(r"^((?:basicblock|bottleneck) \d+ \d+)", r'\1 shortcut="A"', text(f"resnet{layers}"), flags=re.M)
    )
    assert network.cost.total.trainable == fact["option_A_trainable"]
    assert network.cost.total.macs == fact["macs_without_projection"]


def test_shortcut_options_b_and_c() -> None:
    fact = FACTS["ResNet-20 (CIFAR, option A)"]
    projected = netc.loads(text("resnet-cifar").replace('"A"', '"B"')).cost.total.trainable
    norms = 2 * (32 + 64)
    assert projected == fact["trainable"] + fact["option_B_extra_conv_weights"] + norms
    everywhere = netc.loads(text("resnet-cifar").replace('"A"', '"C"')).cost.total.trainable
    assert everywhere == projected + sum(units * (ch * ch + 2 * ch) for units, ch in ((3, 16), (2, 32), (2, 64)))


def test_unknown_shortcut_option_builds_no_wrong_network() -> None:
    with pytest.raises(netc.SpecError, match="NET201"):
        netc.loads(text("resnet-cifar").replace('"A"', '"D"'))


RESNEXT50 = """
input 224x224x3
conv 64x7/2 bn relu; pool 3/2
resnext 3 64; resnext 4 128 downsample; resnext 6 256 downsample; resnext 3 512 downsample
gap; fc 1000 softmax
"""


@pytest.mark.parametrize(("by_row", "numbers"), [(False, 1), (True, 28)])
def test_rnn_pixels_has_the_count_of_an_lstm(by_row: bool, numbers: int) -> None:
    """Four gates of 100 units, each of the input, the state and a bias (Gers et al. 2000)."""
    counted = netc.load(SPECS / "rnn-pixels.net", by_row=by_row).cost.total.trainable
    assert counted == 4 * 100 * (numbers + 100 + 1) + 100 * 10 + 10


def test_resnext() -> None:
    """ResNeXt-50 (32x4d) as torchvision counts it (`num_params` of its ResNeXt50_32X4D_Weights)."""
    assert netc.loads(RESNEXT50).cost.total.trainable == 25_028_904
