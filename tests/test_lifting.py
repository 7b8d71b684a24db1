"""Structure found again: a flat network becomes the text that an expert would have written, and no other network."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, reject

import netc
from netc.ir.net import Net, Node
from netc.lift.arguments import given as values_of
from netc.lift.lifting import Lifted, lifted
from netc.lift.source import ImportRefused
from netc.params import Refused
from tests.effort import EXAMPLES, unshrunk
from tests.random_networks import compiled, networks
from tests.test_lift import sketched
from tools.lifting import SPECS, WORSE, lines, spec

# At most so many lines, of networks that the bar of docs/import.md names, and of others 1.3 times those of their specs.
BAR: Mapping[str, int] = {
    **dict.fromkeys(("resnet50", "resnet101", "resnet152"), 17),
    **dict.fromkeys(("vgg16", "vgg19"), 11),
    "mobilenet": 19,
    "xception": 22,
    "mobilenetv2": 18,
    "inceptionv3": 52,
    "googlenet": 31,
    "inception-resnet-v2": 60,
    "efficientnet-b0": 31,
    "mobilenetv3-small": 32,
    "convnext-tiny": 28,
    "nasnet-mobile": 90,
    "yolov3": 40,
    "unet": 20,
}
DEAR = frozenset({"nasnet-mobile", "inception-resnet-v2", "preact-resnet1001", "hrnet-w18"})


def names(net: Net) -> dict[str, str]:
    return {node.name: node.name for node in net}


def nonsense(net: Net) -> Net:
    """The network under other names."""
    called = {node.name: f"x{place}" for place, node in enumerate(net)}
    made = Net(net.name)
    for node in net:
        renamed = replace(node, name=called[node.name], shares=node.shares and called[node.shares])
        made.add(renamed, [called[name] for name in net.operands(node.name)], net.shapes[node.name])
    made.outputs = [called[name] for name in net.outputs]
    return made


@pytest.mark.parametrize("name", sorted(name for name in BAR if EXAMPLES or name not in DEAR))
def test_a_network_becomes_as_short_a_text_as_an_expert_writes(name: str) -> None:
    net = spec(name)
    found = lifted(net, names(net))
    assert not found.flat_because
    assert lines(found.text) <= BAR[name], found.text
    assert set(found.names) == {node.name for node in net}
    assert netc.loads(found.text).cost.total == netc.loads(net_text(name)).cost.total
    assert all(len(line) <= 100 for line in found.text.splitlines())


def net_text(name: str) -> str:
    return (SPECS / f"{name}.net").read_text().partition("\ntrain {")[0]


OTHERS = ("segnet", "c3d", "fcn8s", "attention-unet", "unetpp", "ssd300", "shufflenetv2", "se-resnext50", "vit-b16")


@pytest.mark.parametrize("name", OTHERS)
def test_a_spec_comes_back_about_as_short_as_it_was(name: str) -> None:
    net = spec(name)
    found = lifted(net, names(net))
    assert not found.flat_because
    assert lines(found.text) <= WORSE * lines((SPECS / f"{name}.net").read_text()), found.text


@pytest.mark.parametrize("name", ["resnet50", "mobilenetv2", "unet", "xception"])
def test_structure_needs_no_names(name: str) -> None:
    net = spec(name)
    one, other = lifted(net, names(net)), lifted(nonsense(net), {})
    assert lines(other.text) == lines(one.text)
    assert lifted(net, names(net)).text == one.text


def test_blocks_begin_where_an_expert_begins_them() -> None:
    assert lifted(spec("resnet50"), {}).text == RESNET50
    assert lifted(spec("mobilenetv2"), {}).text == MOBILENETV2


RESNET50 = """\
net resnet50
input 224x224x3

default conv init=he_normal

def residual(ch, stride=1) {
    conv (ch)x1/(stride) bn relu; conv (ch)x3 bn relu
    conv (4*ch)x1 bn
}

def stage(ch, n, stride=2) {
    add { | conv (4*ch)x1/(stride) bn | residual ch stride=stride }
    relu
    repeat n-1 { add { | identity | residual ch }; relu }
}

conv 64x7/2 pad=3 bn relu; pool 3/2 pad=1
stage 64 3 stride=1; stage 128 4
stage 256 6; stage 512 3
gap; fc 1000 softmax
"""
MOBILENETV2 = """\
net mobilenetv2
input 224x224x3

default conv bn relu6; default bn epsilon=0.001 decay=0.999

def separable(ch, stride=1) { dwconv 3/(stride) bn relu6; conv (ch)x1 bn }

def stage(ch, n, stride=2) {
    conv (6*channels)x1; separable ch stride=stride
    repeat n-1 { add { | identity | conv (6*ch)x1; separable ch } }
}

conv 32x3/2; separable 16
stage 24 2; stage 32 3
stage 64 4; stage 96 3 stride=1
stage 160 3; stage 320 1 stride=1
conv 1280x1; gap
fc 1000 softmax
"""


def changed(net: Net, seed: int) -> Net | None:
    """The network with another value of a parameter of one layer; None where it has none like it."""
    draw = random.Random(seed)
    nodes = [node for node in net if any(type(own) is int and own > 1 for own in values_of(node.layer).values())]
    chosen = draw.choice(nodes)
    options = [name for name, own in values_of(chosen.layer).items() if type(own) is int and own > 1]
    name = draw.choice(options)
    made = Net(net.name)
    for node in net:
        layer: Any = node.layer
        if node is chosen:
            layer = replace(layer, **{name: getattr(layer, name) * draw.choice((2, 3))})
        operands = net.operands(node.name)
        try:
            shape = layer.infer([made.shapes[each] for each in operands])
        except Refused:
            return None
        made.add(Node(node.name, layer, node.origin), operands, shape)
    made.outputs = net.outputs
    return made


@pytest.mark.parametrize("name", ["resnet50", "mobilenetv2", "densenet121", "yolov3"])
def test_one_layer_that_differs_stays_different(name: str) -> None:
    """What is lifted is compared with the network, so that a wrong text is an error, and the flat one a failure."""
    net = spec(name)
    tried = 0
    for seed in range(EXAMPLES or 8):
        other = changed(net, seed)
        if other is None:
            continue
        tried += 1
        found = lifted(other, {})
        assert not found.flat_because, found.flat_because
    assert tried


@unshrunk(30)
@given(networks())
def test_random_networks_are_lifted_or_told_flat(text: str) -> None:
    program = compiled(text)
    assert program is not None
    try:
        net = sketched(program.net)
        found = lifted(net, names(net))
    except ImportRefused:
        reject()
    assert isinstance(found, Lifted)
    shares = any(node.shares for node in net)
    assert not found.flat_because or shares, found.flat_because


def test_a_network_without_such_a_text_is_told_flat() -> None:
    net = sketched(netc.load(SPECS / "siamese.net").net)
    found = lifted(net, names(net))
    assert "share" in found.flat_because
    assert set(found.names) == {node.name for node in net}
