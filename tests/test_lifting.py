"""Structure found again: a flat network becomes the text that an expert would have written, and no other network."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis.strategies import floats, integers

import netc
from netc.compiler import judge
from netc.ir.net import Net, Node
from netc.lift.aligned import aligned
from netc.lift.arguments import given as values_of
from netc.lift.lifting import Lifted, lifted
from netc.lift.source import ImportRefused
from netc.params import Refused
from netc.syntax.format import format_file
from tests.effort import EXAMPLES, unshrunk
from tests.random_networks import compiled, networks
from tools.lifting import SPECS, WORSE, lines, sketched, spec

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
    "efficientnet-b0": 29,
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
    assert format_file(found.program.file) == found.text
    assert not judge(found.program)


def net_text(name: str) -> str:
    return (SPECS / f"{name}.net").read_text().partition("\ntrain {")[0]


STD = {"resnet50": "bottleneck", "resnet18": "basicblock", "preact-resnet164": "preact_bottleneck"}
STD |= {"resnet32": "resblock", "resnext-cifar": "resnext", "densenet121": "dense_block", "googlenet": "inception"}
STD |= {"mobilenetv2": "inverted_residual", "resnet-cifar": "basicblock", "digits": "basic_unit"}


@pytest.mark.parametrize("name", sorted(STD))
def test_shipped_blocks_are_recognised(name: str) -> None:
    found = lifted(spec(name), {})
    assert not found.flat_because
    assert re.search(rf"\b{STD[name]} ", found.text)
    assert lines(found.text) <= lines((SPECS / f"{name}.net").read_text()), found.text


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
    one, other = lifted(net, {}), lifted(nonsense(net), {})
    assert other.text == one.text
    assert lines(one.text) <= BAR[name]
    assert lifted(net, names(net)).text == lifted(net, names(net)).text


def test_blocks_begin_where_an_expert_begins_them() -> None:
    assert lifted(spec("xception"), {}).text == XCEPTION
    assert lifted(spec("yolov3"), {}).text == YOLOV3


XCEPTION = """\
net xception
input 299x299x3

default bn epsilon=1e-3 decay=0.99

def block(c1, c2) { sepconv (c1)x3 bn relu; sepconv (c2)x3 bn }

def unit(c1, c2) {
    add {
        | conv (c1)x1/2 bn  # netc: allow NET301
        | relu
          block c2 c1; pool 3/2
    }
}

conv 32x3/2 valid bn relu; conv 64x3 valid bn relu
add { | conv 128x1/2 bn | block 128 128; pool 3/2 }  # netc: allow NET301
unit 256 256; unit 728 728
repeat 8 { add { | identity | repeat 3 { relu; sepconv 728x3 bn } } }
unit 1024 728; block 1536 2048
relu; gap
dropout 0.5; fc 1000 softmax
"""
YOLOV3 = """\
net yolov3
input 416x416x3

default conv bn leakyrelu; default bn decay=0.99

def stage(ch, n) {
    conv (ch)x3/2 pad=1
    repeat n { add { | identity | conv (ch//2)x1; conv (ch)x3 } }
}

def stage_plain(ch) { conv (ch)x1; repeat 2 { conv (2*ch)x3; conv (ch)x1 } }

def head(ch) { conv (ch)x3; conv 255x1 linear }

conv 32x3; stage 64 1
stage 128 2; a: stage 256 8
b: stage 512 8; stage 1024 4
c: stage_plain 512; d: head 1024
from c; conv 256x1
upsample 2; concat b
e: stage_plain 256; f: head 512
from e; conv 128x1
upsample 2; concat a
stage_plain 128; g: head 256
output d f g
"""


STAGE = """\
def stage(ch, n, expand=6, k=3, stride=2) {
    conv (expand*channels)x1 relu; dwconv (k)/(stride) pad=(k//2) relu
    conv (ch)x1
    repeat n-1 {
        add {
            | identity
            | conv (expand*channels)x1 relu; dwconv k relu
              conv (ch)x1
        }
    }
}
"""


def test_units_of_a_stage_widen_what_each_is_given() -> None:
    """MNASNet as PyTorch exports it: a stage has one factor, and no widths that only follow from it."""
    stages = (
        (24, 3, 3, 3, 2), (40, 3, 3, 5, 2), (80, 3, 6, 5, 2), (96, 2, 6, 3, 1), (192, 4, 6, 5, 2), (320, 1, 6, 3, 1)
    )  # fmt: skip
    rows, given = ["input 64x64x3; conv 16x3/2"], 16
    for ch, n, expand, k, stride in stages:
        rows.append(f"conv {given * expand}x1 relu; dwconv {k}/{stride} pad={k // 2} relu; conv {ch}x1")
        rows.append(
            f"repeat {n - 1} {{ add {{ | identity | conv {ch * expand}x1 relu; dwconv {k} relu; conv {ch}x1 }} }}"
        )
        given = ch
    found = lifted(netc.loads("\n".join([*rows, "gap; fc 10"])).net, {})
    assert not found.flat_because, found.flat_because
    assert STAGE in found.text, found.text


ECA = """\
def project(ch, stride=1, k=5) {
    conv (ch//4)x1 relu; conv (ch//4)x3/(stride) relu
    conv (ch)x1
    mul {
        | identity
        | gap; reshape (ch)x1
          conv 1x(k) bias=false sigmoid; reshape 1x1x(ch)
    }
}
"""


def test_sizes_of_several_numbers_follow_widths() -> None:
    """Efficient channel attention, as PyTorch exports it: a gate over the channels as positions."""

    def unit(ch: int, k: int, stride: int = 1) -> str:
        gate = f"gap; reshape {ch}x1; conv 1x{k} bias=false sigmoid; reshape 1x1x{ch}"
        gated = f"mul {{ | identity | {gate} }}"
        return f"conv {ch // 4}x1 relu; conv {ch // 4}x3/{stride} relu; conv {ch}x1; {gated}"

    rows = ["input 64x64x3; conv 64x3"]
    for ch, k, n in ((256, 5, 3), (512, 5, 4), (1024, 5, 6), (2048, 7, 3)):
        rows += [f"add {{ | {unit(ch, k, 2)} | avgpool 2; conv {ch}x1 }}; relu"]
        rows += [f"repeat {n - 1} {{ add {{ | {unit(ch, k)} | identity }}; relu }}"]
    found = lifted(netc.loads("\n".join([*rows, "gap; fc 10"])).net, {})
    assert not found.flat_because, found.flat_because
    assert ECA in found.text, found.text


def test_one_number_of_a_shape_is_left_to_be_worked_out() -> None:
    """The boxes of SSD, of maps of several sizes, whose shapes an exporter writes out."""
    rows, read = ["input 64x64x3; m0: conv 16x3"], []
    for level, (size, count) in enumerate([(32, 4), (16, 6), (8, 6), (4, 6), (2, 4)], 1):
        rows += [f"from m{level - 1}; m{level}: conv {16 * level}x3/2 relu"]
        for kind, values in (("box", 4), ("class", 21)):
            name = f"{kind}{level}"
            rows += [f"from m{level}; conv {count * values}x3; {name}: reshape {size * size * count}x{values}"]
            read.append(name)
    one, other = (" ".join(name for name in read if name.startswith(kind)) for kind in ("box", "class"))
    rows += [f"from {one.split()[0]}; boxes: concat {one.partition(' ')[2]} over=rows"]
    rows += [f"from {other.split()[0]}; classes: concat {other.partition(' ')[2]} over=rows; output boxes classes"]
    found = lifted(netc.loads("\n".join(rows)).net, {})
    assert not found.flat_because, found.flat_because
    assert "; reshape ?x(c2) }" in found.text, found.text


def test_windows_along_one_dimension_are_none_along_the_other() -> None:
    """Both have the size 1x7, but for the order of its numbers."""
    rows = (f"conv {ch}x1x{k}; pool 2; conv {ch}x3 bn; conv {ch}x{k}x1" for ch, k in ((8, 3), (16, 5), (24, 7)))
    found = lifted(netc.loads("\n".join(["input 64x64x3", *rows, "gap; fc 10"])).net, {})
    assert "conv (ch)x1x(k)" in found.text, found.text
    assert "conv (ch)x(k)x1" in found.text, found.text
    assert found.text.count("def ") == 1


def flattened(net: Net) -> Net:
    """The network in which each `concat` reads all that is joined, as PyTorch writes DenseNets."""
    made, joins = Net(net.name), dict[str, tuple[str, ...]]()
    for node in net:
        operands = net.operands(node.name)
        if node.layer.op == "concat":
            operands = joins[node.name] = (*joins.get(operands[0], operands[:1]), *operands[1:])
        made.add(node, operands, net.shapes[node.name])
    made.outputs = list(net.outputs)
    return made


def test_a_densenet_is_one_text_however_its_features_are_joined() -> None:
    net = spec("densenet121")
    other = flattened(net)
    assert max(len(other.operands(node.name)) for node in other) == 25
    assert lifted(other, names(other)).text == lifted(net, names(net)).text
    assert "dense_block" in lifted(other, {}).text


def test_squeeze_and_excitation_stands_within_its_unit() -> None:
    found = lifted(spec("se-resnext50"), {})
    assert not found.flat_because
    assert not re.search(r"^def [^{]*\{\s+mul", found.text, flags=re.MULTILINE), found.text


OPTIONAL = """\
def mbconv(ch, expand=6, k=5, stride=1, cin=channels) {
    x: identity
    if expand > 1 { conv (expand*cin)x1 bn silu }
    dwconv (k)/(stride) bn silu
    mul {
        | identity
        | gap keep
          conv (cin//4)x1 silu; conv (expand*cin)x1 sigmoid
    }
    conv (ch)x1 bn
    if ch == cin { droppath 0.2 ramp; add { | from x | identity } }
}
"""


def test_units_that_differ_in_a_part_are_one_definition() -> None:
    assert OPTIONAL in lifted(spec("efficientnet-b0"), {}).text
    found = lifted(spec("mobilenetv3-small"), {}).text
    assert found.count("def ") == 1
    for part in (
        "if expand > cin {",
        "if gated {",
        "conv ((expand//4+4)//8*8)x1 relu",
        "if stride == 1 and ch == cin {",
        "bn (act)",
    ):
        assert part in found


UNITS_OF_STAGES = {
    "efficientnetv2-b0": "def fused(ch, stride=1) { conv (4*channels)x3/(stride) bn silu; conv (ch)x1 bn }",
    "shufflenetv2": "repeat n-1 { concat { | part 1 of=2 | part 2 of=2; mobile ch }; shuffle 2 }",
}


@pytest.mark.parametrize("name", UNITS_OF_STAGES)
def test_what_a_stage_repeats_is_a_definition_before_the_stage(name: str) -> None:
    assert UNITS_OF_STAGES[name] in lifted(spec(name), {}).text


def units(seed: int) -> str:
    """A network of inverted residuals, each part of which is there or not, of random widths."""
    draw, channels, rows = random.Random(seed), 16, ["input 64x64x3; conv 16x3"]
    for _ in range(draw.randint(4, 9)):
        stride, k, act = draw.choice((1, 1, 2)), draw.choice((3, 3, 5)), draw.choice(("relu", "relu", "silu"))
        ch = draw.choice((channels, channels, channels + 8))
        wide = channels * draw.choice((1, 2, 3))
        gate = f"mul {{ | identity | gap keep; conv 8x1 relu; conv {wide}x1 sigmoid }}" * (draw.random() < 0.5)
        widen = f"conv {wide}x1 bn {act}" if wide > channels else ""
        shrink = (
            f"pad before=1 after=1; dwconv {k}/{stride} bn {act} valid" if k == 3 else f"dwconv {k}/{stride} bn {act}"
        )
        body = "; ".join(part for part in (widen, shrink, gate, f"conv {ch}x1 bn") if part)
        keeps = stride == 1 and ch == channels and draw.random() < 0.9
        rows.append(f"add {{ | identity | {body} }}" if keeps else body)
        channels = ch
    return "\n".join([*rows, "gap; fc 10"])


@pytest.mark.parametrize("seed", range(EXAMPLES or 12))
def test_optional_parts_change_no_network(seed: int) -> None:
    """What is lifted is compared with the network, so that a part in the wrong unit is an error."""
    net = netc.loads(units(seed)).net
    found = lifted(net, {})
    assert not found.flat_because, found.flat_because
    assert not judge(found.program)


def test_blocks_are_one_definition_also_where_widths_are_the_same_in_a_row() -> None:
    found = lifted(spec("inceptionv3"), {}).text
    assert [*map(int, re.findall(r"mixed_factorized (\d+)", found))] == [128, 160, 192]


HEADS = {
    "efficientnetv2-b0": "mbconv(ch, expand=6, stride=1, cin=channels)",
    "inceptionv3": "mixed_factorized(ch)",
}


@pytest.mark.parametrize("name", HEADS)
def test_blocks_and_widths_are_called_by_what_they_do(name: str) -> None:
    assert f"def {HEADS[name]} {{" in lifted(spec(name), {}).text


def test_no_block_is_called_as_the_network() -> None:
    net = spec("convnext-tiny")
    found = lifted(net, {node.name: f"{net.name}_{'ab'[place % 2]}_{place}" for place, node in enumerate(net)}).text
    assert "def " in found
    assert not re.search(r"^def (convnext|tiny)", found, flags=re.MULTILINE), found


def preactivated() -> str:
    """ResNet-v2 as keras.applications has it, whose last block of a stage makes the map smaller."""
    rows = ["input 64x64x3; conv 64x7/2"]
    for stage, (ch, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)], 2):
        for block in range(1, blocks + 1):
            at, stride = f"conv{stage}_block{block}", 1 + (block == blocks and stage < 5)
            body = f"{at}_1_conv: conv {ch}x1 bn relu; {at}_2_conv: conv {ch}x3/{stride} bn relu; {at}_3_conv: conv {4 * ch}x1"
            begin = f"{at}_preact_bn: bn; {at}_preact_relu: relu"
            if block == 1:
                rows += [begin, f"{at}_out: add {{ | {at}_0_conv: conv {4 * ch}x1 | {body} }}"]
            else:
                shortcut = "subsample 2" if stride > 1 else "identity"
                rows.append(f"{at}_out: add {{ | {shortcut} | {begin}; {body} }}")
    return "\n".join([*rows, "bn; relu; gap; fc 10"])


def test_blocks_end_where_the_scopes_of_the_source_do() -> None:
    net = netc.loads(preactivated()).net
    found = lifted(net, names(net))
    assert not found.flat_because
    assert "def stage_down(ch, n) { stage ch n; add {" in found.text, found.text
    calls = re.findall(r"\b(stage\w*) (\d+) (\d+)", found.text)
    assert calls == [
        ("stage_down", "64", "2"),
        ("stage_down", "128", "3"),
        ("stage_down", "256", "5"),
        ("stage", "512", "3"),
    ]


def test_how_a_layer_learns_stands_after_what_it_computes() -> None:
    assert "conv (ch)x3 relu init=he_normal" in lifted(spec("unet"), {}).text
    assert "conv 64x7/2 pad=3 bn relu init=he_normal" in lifted(spec("resnet18"), {}).text


def test_widths_are_factors_of_what_comes_in() -> None:
    units = [(16, 4, 2, 24), (24, 4, 1, 40), (40, 6, 1, 56), (56, 6, 1, 72), (72, 4, 2, 96), (96, 6, 1, 112)]
    rows = (
        f"conv {ch * expand}x1 bn relu; dwconv 3/{stride} bn relu; conv {out}x1 bn; pool 2/1"
        for ch, expand, stride, out in units
    )
    found = lifted(netc.loads("\n".join(["input 64x64x3; conv 16x3", *rows, "gap; fc 10"])).net, {})
    assert not found.flat_because
    assert re.search(r"^def \w+\(ch, expand=4, stride=1\) \{", found.text, flags=re.MULTILINE), found.text
    assert "conv (expand*channels)x1" in found.text


def labels(text: str) -> list[str]:
    return re.findall(r"(\w+): ", re.sub("#.*", "", text))


def test_labels_are_what_the_source_calls_the_tensors() -> None:
    unet, yolo = spec("unet"), spec("yolov3")
    assert labels(lifted(unet, names(unet)).text) == ["enc1", "enc2", "enc3", "enc4"]
    found = lifted(yolo, names(yolo)).text
    assert labels(found) == ["c3", "c4", "p5", "y5", "p4", "y4", "y3"]
    prefixed = {node.name: f"yolo/head.{node.name}/conv2d_{place}" for place, node in enumerate(yolo)}
    assert lifted(yolo, prefixed).text == found
    assert set(labels(lifted(yolo, nonsense_sources(yolo)).text)) <= set("abcdefg")


def nonsense_sources(net: Net) -> dict[str, str]:
    return {node.name: f"conv2d_{place}" for place, node in enumerate(net)}


HOSTILE = (
    "stage",
    "stage1",
    "stage_b2_conv1",
    "conv1",
    "x",
    "skip",
    "i",
    "ch",
    "n",
    "if",
    "channels",
    "output",
    "A/../B",
    "1x1",
)


@pytest.mark.parametrize(
    "source", [*HOSTILE, "ü", "", "a" * 100, "bottleneck1", "identity", "c3:0", "z*", "with", "enc"]
)
def test_no_name_of_a_source_spoils_a_text(source: str) -> None:
    """All tensors of one name, and each with a number."""
    net = spec("unet")
    for called in (lambda place: source, lambda place: f"{source}{place}", lambda place: f"up_{place}/{source}"):
        found = lifted(net, {node.name: called(place) for place, node in enumerate(net)})
        assert not found.flat_because, found.flat_because
        assert not judge(found.program)


CELLS = """
def cell(ch) with before {
    x: identity
    from before; conv (ch)x1 bn relu; s: conv (ch)x3
    from x; q: conv (ch)x1 bn relu; r: conv (ch)x3
    from s; u: add r
    from q; t: conv (ch)x3
    from r; v: add t
    from u; w: concat v
}

input 32x32x3; c0: conv 8x3; c1: conv 8x3
c2: cell 16 with c0; c3: cell 16 with c1
c4: cell 24 with c2; c5: cell 32 with c3
c6: cell 40 with c4; cell 48 with c5
gap; fc 10
"""


@pytest.mark.parametrize("letter", "abcdrst")
def test_no_label_is_the_name_of_a_layer_within_a_call(letter: str) -> None:
    """Layers of a definition are labelled by letters, and its calls `c2`, beside which another layer is `c2_a`."""
    net = netc.loads(CELLS).net
    called = {f"c{n}_w": f"c{n}" for n in range(2, 7)} | {f"c{n}_s": f"c{n}_{letter}" for n in range(2, 7)}
    found = lifted(net, called)
    assert not found.flat_because, found.flat_because
    assert ("c2" in labels(found.text)) == (letter not in "abcde"), found.text


@pytest.mark.parametrize("letter", "abr")
def test_no_label_is_the_name_of_a_layer_within_a_pass(letter: str) -> None:
    """The `repeat` is labelled by a letter, and makes `a2_concat1` in its second pass, as a call `a2` does."""
    text = CELLS.replace("c0: conv 8x3;", "c0: repeat 3 { concat { | conv 4x3 | conv 4x5 } };")
    net = netc.loads(text).net
    found = lifted(net, {f"c{n}_w": f"{letter}{n}" for n in range(2, 7)})
    assert not found.flat_because, found.flat_because
    assert "a: repeat 3 {" in found.text, found.text
    assert (f"{letter}2" in labels(found.text)) == (letter != "a"), found.text


def misnamed(net: Net, seed: int) -> dict[str, str]:
    """Names of few words, most of which netc uses too, with numbers and scopes."""
    draw = random.Random(seed)
    words = draw.sample((*HOSTILE, *"abch", "unit", "reduce", "expand", "cin", "k", "act", "bn", "cell", "mixed"), 4)
    size, sign = draw.choice((1, 3, 7)), draw.choice("_/.")

    def word(at: int) -> str:
        return words[at % len(words)] + draw.choice(("", "", "1", "2", str(at)))

    return {
        node.name: sign.join([word(place // size), draw.choice(words), word(place)][: draw.randint(1, 3)])
        for place, node in enumerate(net)
    }


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


@pytest.mark.parametrize("name", ["yolov3", "googlenet", "mobilenetv2", "wavenet"])
def test_names_of_a_source_spoil_no_text(name: str) -> None:
    net = spec(name)
    for seed in range(EXAMPLES or 3):
        found = lifted(net, misnamed(net, seed))
        assert not found.flat_because, found.flat_because


@unshrunk(30)
@given(networks(), integers(0, 1000))
def test_random_networks_are_lifted(text: str, seed: int) -> None:
    program = compiled(text)
    assert program is not None
    try:
        net = sketched(program.net)
        made = [lifted(net, sources) for sources in (names(net), misnamed(net, seed))]
    except ImportRefused:
        reject()
    for found in made:
        assert isinstance(found, Lifted)
        assert not found.flat_because, found.flat_because


NUMBERS = {
    1 / 255: "(1/255)",
    1 / 127.5: "(1/127.5)",
    -2 / 7: "(-2/7)",
    0.2: "0.2",
    1e-3: "1e-3",
    3.0: "3",
    -0.5: "-0.5",
}


def line_of(offset: float) -> str:
    """The line of a layer that adds a number."""
    return lifted(netc.loads(f"input 4; rescale 2 offset={offset!r}").net, {}).text.splitlines()[-1]


@pytest.mark.parametrize("value", NUMBERS)
def test_numbers_stand_as_an_expert_writes_them(value: float) -> None:
    assert line_of(value) == f"rescale 2 offset={NUMBERS[value]}"


@unshrunk(30)
@given(floats(-1e3, 1e3), integers(1, 300))
def test_numbers_stay_what_they_are(value: float, parts: int) -> None:
    for each in (value, 1 / parts, -3 / parts):
        try:
            text = line_of(each)
        except netc.SpecError:  # which float32 cannot hold
            reject()
        assert values_of(netc.loads(f"input 4\n{text}").net.node("rescale1").layer).get("offset", 0) == each


def test_layers_that_hand_on_what_they_are_given_are_left_out() -> None:
    net = netc.loads("input 8x8x4; conv 4x3 relu; rescale 1; linear; dropout 0; add { | linear | conv 4x3 }; gap").net
    found = lifted(net, {})
    assert not re.search("linear|rescale", found.text)
    assert "dropout" in found.text
    assert set(found.names) == {node.name for node in net}
    assert found.names["linear1"] == found.names["rescale1"] == found.names["conv1"]
    assert aligned(net, found.program.net) == found.names
    twice = lifted(netc.loads("input 8x8x4; add { | identity | linear }; gap").net, {})
    assert "linear" in twice.text
    assert not twice.flat_because


def test_lints_are_accepted_where_they_are() -> None:
    text = "input 9x9x4; conv 8x1/2; add { | identity | conv 8x3 l2=1e-4 init=he_normal bias_init=1; conv 8x1 }; gap"
    found = lifted(netc.loads(text).net, {})
    assert "conv 8x1/2  # netc: allow NET301" in found.text
    assert not judge(found.program)
