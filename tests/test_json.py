"""The complete network as JSON and as a Graphviz graph."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from itertools import pairwise

import pytest

import netc
from netc.figures.dot import dump
from netc.figures.scene import Box, Path

TEXT = """\
net pair
param ch = 4
left: input 8x8x3
def unit(ch, stride=1) {
    conv (ch)x3/(stride) bn relu
}
shared def tower(ch) { unit ch; unit ch stride=2 }
a: tower ch
right: input 8x8x3
tower ch
add a
gap
fc 2 softmax

train {
    loss categorical_crossentropy
    optimizer momentum lr=0.1 momentum=0.9
    batch 32
}
"""


def test_the_whole_network() -> None:
    net = netc.loads(TEXT, name="pair.net")
    data = json.loads(net.to_json())
    assert list(data) == ["format", "name", "file", "parameters", "inputs", "outputs", "layers", "data", "train"]
    assert (data["format"], data["name"], data["file"]) == (1, "pair", "pair.net")
    assert data["parameters"] == {"ch": 4}
    assert data["inputs"] == ["left", "right"]
    assert [layer["name"] for layer in data["layers"]] == [node.name for node in net.net]
    assert data["data"] is None


def test_a_layer() -> None:
    layers = {layer["name"]: layer for layer in json.loads(netc.loads(TEXT, name="pair.net").to_json())["layers"]}
    conv = layers["tower_unit1_conv1"]
    assert conv["op"] == "conv"
    assert conv["inputs"] == ["left"]
    assert conv["output_shape"] == [8, 8, 4]
    assert conv["parameters"]["filters"] == 4
    assert conv["parameters"]["kernel"] == [3, 3]
    assert conv["weights"] == [{"name": "kernel", "shape": [3, 3, 3, 4], "trainable": True}]
    assert conv["shares"] is None
    assert conv["origin"] == {"file": "pair.net", "line": 5, "column": 5, "text": "conv (ch)x3/(stride) bn relu"}
    assert [frame["origin"]["line"] for frame in conv["frames"]] == [7, 8]
    later = [layer for layer in layers.values() if layer["shares"] == "tower_unit1_conv1"]
    assert [layer["inputs"] for layer in later] == [["right"]]


def test_sections() -> None:
    lines = json.loads(netc.loads(TEXT).to_json())["train"]["lines"]
    assert [line["name"] for line in lines] == ["categorical_crossentropy", "momentum", "batch"]
    assert lines[1]["parameters"]["lr"] == 0.1
    assert lines[1]["origin"]["line"] == 17


def test_weights_add_up() -> None:
    net = netc.loads(TEXT)
    layers = json.loads(net.to_json())["layers"]
    made = [weight for layer in layers if layer["shares"] is None for weight in layer["weights"]]
    total = 0
    for weight in made:
        size = 1
        for dim in weight["shape"]:
            size *= dim
        total += size
    assert total == net.cost.total.parameters


@pytest.mark.parametrize("dump", ["to_json", "to_dot"])
def test_the_same_program_gives_the_same_text(dump: str) -> None:
    first, second = (getattr(netc.loads(TEXT), dump)() for _ in range(2))
    assert first == second


def test_infinite_numbers_and_unknown_sizes_are_json() -> None:
    data = json.loads(netc.loads("input ?x?x3; conv 4x3").to_json(), parse_constant=pytest.fail)
    assert data["layers"][0]["output_shape"] == [None, None, 3]


# -- dot -----------------------------------------------------------------------------------------------------


def test_dot_has_every_layer_edge_and_copy() -> None:
    net = netc.loads(TEXT)
    text = net.to_dot()
    nodes = re.findall(r'^\t(?!graph)(\w+) \[label="', text, re.MULTILINE)
    edges = re.findall(r"^\t(\w+) -> (\w+) \[label=\"?(\w+)\"?", text, re.MULTILINE)
    assert sorted(nodes) == sorted(node.name for node in net.net)
    assert [(source, target) for source, target, _ in edges] == [
        (operand, node.name) for node in net.net for operand in net.net.operands(node.name)
    ]
    assert edges[0] == ("left", "tower_unit1_conv1", "8x8x3")
    assert text.count("subgraph") == 6
    assert text.count("{") == text.count("}")


def test_dot_hints_at_the_trunk() -> None:
    """The way down and up of a U-Net: no concatenation is reached by its shortcut."""
    text = netc.load("specs/unet.net").to_dot()
    edges = re.findall(r"^\t(\w+) -> (\w+) \[.*weight=", text, re.MULTILINE)
    assert [source for source, _ in edges] == ["input1", *(target for _, target in edges)][:-1]
    assert edges[-1][1] == "conv1"
    assert len(re.findall("group=trunk", text)) == len(edges) + 1 == len(netc.load("specs/unet.net").net)


def test_the_same_operand_twice_is_two_edges() -> None:
    text = netc.loads("a: input 8x8x3; add a").to_dot()
    assert len(re.findall("a -> add1", text)) == 2


def test_names_are_text() -> None:
    text = netc.loads("input 8x8x3; digraph: conv 4x3; node: relu; edge: relu; concat digraph node").to_dot()
    assert '"digraph" [label="digraph\\n3x3 conv, 4"' in text
    assert not re.search(r"=\s*<|URL|href", text)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_it() -> None:
    done = subprocess.run(
        ["dot", "-Tplain"], input=netc.loads(TEXT).to_dot(), capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert done.stdout.count("\nnode ") - done.stdout.count('node "name of ') == len(netc.loads(TEXT).net)


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_draws_the_trunk_straight() -> None:
    net = netc.load("specs/unet.net")
    done = subprocess.run(["dot", "-Tplain"], input=net.to_dot(), capture_output=True, text=True, check=True)
    nodes = [line for line in done.stdout.splitlines() if line.startswith("node ")]
    places = [float(line.split()[2]) for line in nodes if '"name of ' not in line]
    assert len(places) == len(net.net)
    assert max(places) - min(places) < 0.1, "inches"


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("direction", ["tb", "lr"])
@pytest.mark.parametrize("spec", ["resnet32", "vgg16", "googlenet", "unet", "siamese"])
def test_graphviz_draws_no_line_through_the_name_of_a_frame(spec: str, direction: str) -> None:
    text = dump(netc.load(f"specs/{spec}.net").program, direction)
    done = subprocess.run(["dot", "-Tjson0"], input=text, capture_output=True, text=True, check=True)
    drawn = json.loads(done.stdout)
    names = [node for node in drawn["objects"] if node["name"].startswith("name of ")]
    assert len(names) == text.count("subgraph")
    boxes = []
    for node in names:
        x, y, width, height = *map(float, node["pos"].split(",")), 72 * float(node["width"]), 72 * float(node["height"])
        boxes.append(Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2))
    for edge in (edge for edge in drawn["edges"] if edge.get("style") != "invis"):
        first, *rest = [tuple(map(float, p.split(","))) for p in edge["pos"].split() if p[:2] not in ("e,", "s,")]
        line = Path(first, [tuple(rest[at : at + 3]) for at in range(0, len(rest), 3)])
        for one, other in pairwise(line.points()):
            reach = Box(min(one[0], other[0]), min(one[1], other[1]), max(one[0], other[0]), max(one[1], other[1]))
            assert not any(box.overlaps(reach, slack=2) for box in boxes), edge
