"""What networks cost, against published figures, and the summary in its formats."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

import netc
from netc.report.summary import human
from netc.report.table import comma_separated, markdown

FACTS = Path(__file__).parent / "facts"

VGG16 = """\
net vgg16
input 224x224x3

def stage(n, ch) {
    repeat n { conv (ch)x3 relu }
    pool 2
}

stage 2 64
stage 2 128
stage 3 256
stage 3 512
stage 3 512
flatten
repeat 2 { fc 4096 relu }
fc 1000 softmax
"""

RESNET = """\
net resnet
param n = 5
input 32x32x3
conv 16x3
resblock n=n ch=16
resblock n=n ch=32 downsample
resblock n=n ch=64 downsample
bn; relu; gap
fc 10 softmax
"""


def data(text: str, **parameters: int) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(netc.loads(text, **parameters).summary("json"))
    return read


def squeezed(line: str) -> str:
    return " ".join(line.split())


# -- published figures ---------------------------------------------------------------------------------------


def test_vgg16_layer_by_layer() -> None:
    facts = json.loads((FACTS / "vgg16_layers.json").read_text())
    summary = data(VGG16)
    got = [
        {"output_shape": layer["output_shape"], "params": layer["parameters"], "macs": layer["macs"]}
        for layer in summary["layers"]
    ]
    assert got == [{key: value for key, value in layer.items() if key != "type"} for layer in facts["layers"]]
    assert summary["parameters"] == {"total": facts["total_params"], "trainable": facts["total_params"]}
    assert summary["macs"] == facts["macs"]


def test_vgg16_is_16_layers_deep_and_sees_212_pixels() -> None:
    summary = data(VGG16)
    assert summary["depth"] == 16
    assert summary["receptive_field"] == 212  # Araujo, Norris & Sim 2019


# TFLearn's residual_network_cifar10 has 465,290 weights that are trained; He et al. count 6n + 2 layers
@pytest.mark.parametrize(("n", "depth"), [(5, 32), (9, 56)])
def test_resnet_depth(n: int, depth: int) -> None:
    assert data(RESNET, n=n)["depth"] == depth


def test_resnet_parameters() -> None:
    assert data(RESNET)["parameters"]["trainable"] == 465_290


# -- costs ---------------------------------------------------------------------------------------------------


def test_shared_weights_count_once_and_work_twice() -> None:
    text = """\
a: input 8x8x3
shared def tower() { conv 4x3 }
left: tower
from a
tower
concat left
"""
    net = netc.loads(text)
    kernels = 3 * 3 * 3 * 4 + 4
    assert net.cost.total.parameters == kernels
    assert net.cost.total.macs == 2 * 8 * 8 * 4 * 27
    assert net.cost.depth == 1


def test_non_trainable_weights() -> None:
    total = netc.loads("input 8x8x3; bn").cost.total
    assert (total.parameters, total.trainable) == (12, 6)


def test_unknown_sizes_leave_costs_open() -> None:
    net = netc.loads("input ?x?x3; conv 4x3; gap; fc 2")
    assert (net.cost.total.macs, net.cost.total.memory, net.cost.peak) == (None, None, None)
    assert net.cost.total.parameters == 3 * 3 * 3 * 4 + 4 + 4 * 2 + 2
    summary = json.loads(net.summary("json"))
    assert summary["macs"] is None
    assert summary["macs_formula"] == "108·H·W + 8"
    conv = summary["layers"][1]
    assert (conv["output_shape"], conv["output_formula"]) == ([None, None, 4], ["H", "W", 4])
    assert (conv["macs"], conv["macs_formula"]) == (None, "108·H·W")


def test_open_sizes_are_formulas() -> None:
    lines = netc.loads("input ?x?x3; block: repeat 2 { conv 4x3/2; conv 4x3 }; gap; fc 2").summary().splitlines()
    said = {line.split()[0]: squeezed(line) for line in lines if line}
    assert said["input1"] == "input1 input HxWx3 HxWx3 0 0 12 B·H·W 1 1 1"
    assert said["block1_conv1"].startswith(
        "block1_conv1 3x3 conv, 4, /2 ⌈H/2⌉x⌈W/2⌉x4 112 108·⌈H/2⌉·⌈W/2⌉ 16 B·⌈H/2⌉·⌈W/2⌉"
    )
    assert said["MACs"] == "MACs 252·⌈H/2⌉·⌈W/2⌉ + 288·⌈H/4⌉·⌈W/4⌉ + 8"
    group = next(line for line in lines if line.startswith("block "))
    assert "≈" not in group or "H·W" in group
    assert not any("?" in line for line in lines if not line.startswith("activations"))


def test_peak_memory_holds_a_shortcut_until_it_is_added() -> None:
    # input (8), conv1 (4), conv2 (4) and the sum (4) are 8x8 with these channels; the input lives until conv1 is done
    chain = netc.loads("input 8x8x8; conv 4x3; conv 4x3; conv 4x3").cost
    assert chain.peak == (8 + 4) * 8 * 8 * 4
    skip = netc.loads("input 8x8x1; a: conv 4x3; conv 4x3; conv 4x3; add a").cost
    assert skip.peak == (4 + 4 + 4) * 8 * 8 * 4


# -- receptive fields through real layers --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ("conv 4x3", 3),
        ("conv 4x3; conv 4x3/2; conv 4x3", 9),
        ("conv filters=4 kernel=3 dilation=2", 5),
        ("pool 2; conv 4x3", 6),
        ("subsample 2; conv 4x3", 5),
        ("add { | identity | conv 3x5; conv 3x3 }", 7),
        ("pool 2; upsample 2; conv 4x3", 4),
        ("pool 2; deconv 4x2/2; conv 4x3", 4),
        ("bn; relu; dropout 0.5", 1),
        ("conv 8x1x7", [1, 7]),
        ("mul { | identity | gap keep; conv 3x1 sigmoid }", None),
        ("conv 4x3; gap; fc 2", 3),
    ],
)
def test_receptive_field(body: str, size: int | list[int] | None) -> None:
    assert data(f"input 32x32x3; {body}")["receptive_field"] == size


# -- formats -------------------------------------------------------------------------------------------------


def test_json_has_the_documented_keys() -> None:
    summary = data(VGG16)
    assert list(summary) == [
        "name", "inputs", "outputs", "parameters", "macs", "depth", "receptive_field", "layers",
    ]  # fmt: skip
    layer = summary["layers"][1]
    assert layer == {
        "name": "stage1_conv1",
        "op": "conv",
        "inputs": ["input1"],
        "output_shape": [224, 224, 64],
        "parameters": 1792,
        "macs": 86_704_128,
        "receptive_field": 3,
        "line": 5,
    }


def test_lines_of_shipped_blocks_are_those_of_the_call() -> None:
    lines = {layer["name"]: layer["line"] for layer in data(RESNET)["layers"]}
    first = next(name for name in lines if name.startswith("resblock2"))
    assert lines[first] == 6


def test_text_groups_layers_under_their_statements() -> None:
    lines = netc.loads(VGG16).summary().splitlines()
    stage = next(line for line in lines if line.startswith("stage1 "))
    assert squeezed(stage) == "stage1 stage 2 64 112x112x64 38.7 k 1.9 G 28.9 MB 6 2 9"
    start = lines.index(stage)
    assert lines[start + 1].split()[:3] == ["repeat", "repeat", "n"]
    assert lines[start + 2].startswith("    stage1_conv1  3x3 conv, 64, relu")
    assert lines[start + 4].startswith("  stage1_pool1 ")
    assert squeezed(lines[-4]) == "parameters 138,357,544 (138,357,544 trainable)"
    assert all(line.isascii() and line == line.rstrip() for line in lines)


def test_text_marks_branches() -> None:
    lines = netc.loads("input 8x8x3; add { | identity | conv 3x3; conv 3x3 }").summary().splitlines()
    assert [line.split()[:2] for line in lines if line.startswith(("|", " "))] == [
        ["|", "identity"],
        ["|", "conv1"],
        ["conv2", "3x3"],
    ]


def test_csv_adds_up() -> None:
    net = netc.loads(RESNET)
    rows = list(csv.DictReader(io.StringIO(net.summary("csv"))))
    assert [row["layer"] for row in rows] == [node.name for node in net.net]
    for column, total in (
        ("parameters", net.cost.total.parameters),
        ("trainable", net.cost.total.trainable),
        ("macs", net.cost.total.macs),
        ("memory", net.cost.total.memory),
    ):
        assert sum(int(row[column]) for row in rows) == total
    assert list(dict.fromkeys(row["statement"] for row in rows)) == [
        "input1", "conv1", "resblock1", "resblock2", "resblock3", "bn1", "relu1", "gap1", "fc1",
    ]  # fmt: skip


def test_markdown_has_the_rows_of_the_text() -> None:
    net = netc.loads(VGG16)
    table = net.summary("md").split("\n\n")[0].splitlines()
    text = net.summary().split("\n\n")[0].splitlines()
    assert len(table) == len(text)
    assert all(line.startswith("| ") and line.endswith(" |") for line in table)


def test_hostile_cells() -> None:
    assert comma_separated(["a"], [["=1+1"], ['x,"y"'], [-1], [None]]) == 'a\n\'=1+1\n"x,""y"""\n-1\n""\n'
    assert markdown(["a"], [["  | <b> `x`"]], [False]).splitlines()[-1] == r"| &nbsp;&nbsp;\| &lt;b> \`x\` |"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (999, "999"), (1000, "1.0 k"), (999_949, "999.9 k"), (999_950, "1.0 M"), (15_470_264_320, "15.5 G")],
)
def test_human(count: int, text: str) -> None:
    assert human(count) == text


def test_gates_are_not_counted_in_the_depth() -> None:
    """SE-ResNet-50 has 50 layers (Hu et al. 2018, Table 1), though each unit has two more; a gate a position is none."""
    unit = "add { | identity | conv 16x3; se ratio=4 }\n"
    assert data(f"input 8x8x16\n{unit * 3}gap; fc 10\n")["depth"] == 4
    assert data("input 8x8x16\nmul { | identity | conv 16x3; conv 16x3 }\nfc 10\n")["depth"] == 3
