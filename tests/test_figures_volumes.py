"""Volumes: what slabs show of a network, by numbers that can be computed otherwise."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from itertools import pairwise
from math import atan2, degrees, log2, sqrt
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netc
from netc.figures import FigureError, Options
from netc.figures.facts import label
from netc.figures.scene import Box, Ellipse, Group, Picture, Polygon, Scene, Stamp, Text, moved
from netc.figures.scene import Path as Line
from netc.figures.styles import draw
from netc.figures.svg import write
from netc.figures.trunk import short
from netc.figures.volumes import legend
from netc.figures.volumes.stages import Operation, told
from netc.layers.base import LAYERS
from tests.effort import effort
from tests.figure_geometry import bodies, random_net, violations
from tests.figure_samples import objects, texts
from tests.needs import needs_tensorflow
from tests.random_networks import compiled, networks
from tests.specs import SAMPLE_FILES, load

WIDTHS = ("3.3in", "5in", "7in")


def volumes(network: netc.Network, **options: str | bool) -> Scene:
    return draw([network.program], "volumes", Options(**options))  # type: ignore[arg-type]


def stamp(figure: Scene, name: str) -> Stamp:
    found = objects(figure)[name].items[0]
    assert isinstance(found, Stamp)
    return found


def faces(figure: Scene, name: str) -> dict[str, Polygon]:
    """The faces of a slab: side, top and front."""
    shapes = [item for item in stamp(figure, name).template.items if isinstance(item, Polygon)]
    front = next(at for at, shape in enumerate(shapes) if at > 1 and not shape.look.endswith((".over", ".top")))
    return {"side": shapes[0], "top": shapes[1], "front": shapes[front]}


def height(figure: Scene, name: str) -> float:
    box = faces(figure, name)["front"].box
    return box.bottom - box.top


def width(figure: Scene, name: str) -> float:
    box = faces(figure, name)["front"].box
    return box.right - box.left


def slabs(figure: Scene) -> dict[str, Group]:
    return {name: item for name, item in objects(figure).items() if item.role == "slab"}


def discs(figure: Scene) -> list[Ellipse]:
    """Where tensors are joined."""
    return [item for item in figure.walk() if isinstance(item, Ellipse) and item.look == "v.disc"]


def lines(figure: Scene, role: str, look: str = "") -> list[Line]:
    found = [item for item in figure.walk() if isinstance(item, Line) and item.role == role]
    return [item for item in found if not look or item.look == look]


def under(figure: Scene, name: str) -> list[str]:
    """The lines of a label: its name, and what stands under it."""
    found = [item for item in figure.walk() if isinstance(item, Text)]
    (title,) = (item for item in found if item.text == name and item.bold)
    below = [item for item in found if item.x == title.x and 0 < item.y - title.y < 70 and not item.bold]
    return [name, *(item.text for item in sorted(below, key=lambda item: item.y))]


# -- sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "share"),
    [
        ("sqrt", sqrt),
        ("linear", lambda part: part),
        ("log", lambda part: 1 + 0.117 * log2(part)),
    ],
)
def test_heights_follow_the_sides(scale: str, share: object) -> None:
    network = load("vgg16")
    figure = volumes(network, scale=scale)
    whole = height(figure, "stage1_conv1")
    for name in ("stage2_conv1", "stage3_conv3", "stage4_conv1", "stage5_pool1"):
        part = (network.shapes[name][0] or 0) / 224
        assert height(figure, name) / whole == pytest.approx(share(part), abs=0.01), name  # type: ignore[operator]


def test_the_projection() -> None:
    """The far edges of a square map are as long as its sides, shown at 42 degrees and 0.40 of their length."""
    top = faces(volumes(load("vgg16")), "stage1_conv1")["top"]
    (x1, y1), (x2, y2) = top.points[:2]
    assert degrees(atan2(y1 - y2, x2 - x1)) == pytest.approx(42, abs=0.1)
    assert sqrt((x2 - x1) ** 2 + (y1 - y2) ** 2) / height(volumes(load("vgg16")), "stage1_conv1") == pytest.approx(
        0.404, abs=0.002
    )


def test_thickness_is_the_root_of_the_channels() -> None:
    figure = volumes(load("vgg16"))
    unit = width(figure, "stage1_conv1") / sqrt(64)
    for name, channels in (("stage2_conv2", 128), ("stage3_conv1", 256), ("stage5_conv3", 512)):
        assert width(figure, name) == pytest.approx(unit * sqrt(channels), rel=0.01)
    assert len({round(width(figure, f"stage{at}_pool1"), 3) for at in range(1, 6)}) == 1


def test_vectors_are_bars_as_long_as_the_cube_root_of_their_elements() -> None:
    figure = volumes(load("vgg16"))
    long, short = (faces(figure, name)["top"].box for name in ("fc1", "fc3"))
    front = width(figure, "fc1")
    assert (short.right - short.left - front) / (long.right - long.left - front) == pytest.approx(
        (1000 / 4096) ** (1 / 3), abs=0.01
    )


def test_slabs_stand_on_one_axis_from_left_to_right() -> None:
    figure = volumes(load("vgg16"))
    found = [stamp(figure, name) for name in slabs(figure)]
    assert len({item.y for item in found}) == 1
    assert all(a.x < b.x for a, b in pairwise(found))


@effort(12)
@given(st.integers(2, 40), st.integers(2, 40), st.sampled_from([16, 64]))
def test_a_longer_stage_is_never_drawn_shorter(one: int, other: int, channels: int) -> None:
    """Also where layers in its middle are left out."""
    stage = "def {}() {{ repeat {} {{ conv " + str(channels) + "x3 relu }} }}"
    text = "\n".join([stage.format("a", one), stage.format("b", other), "input 32x32x3", "a", "b", "gap; fc 2"])
    figure = volumes(netc.loads(text))

    def long(first: str, last: str) -> float:
        return stamp(figure, last).x - stamp(figure, first).x

    if len({stamp(figure, name).y for name in slabs(figure)}) == 1 and one != other:
        lengths = sorted([(one, long("a1_conv1", f"a1_conv{one}")), (other, long("b1_conv1", f"b1_conv{other}"))])
        assert lengths[0][1] < lengths[1][1]


# -- what is said ----------------------------------------------------------------------------------------------------


def test_what_is_said_of_vgg16() -> None:
    figure = volumes(load("vgg16"))
    assert under(figure, "stage3") == ["stage3", "3×3 conv ×3", "56×56×256"]
    assert under(figure, "fc1") == ["fc1", "1×1×4096", "dropout 0.5"]
    assert under(figure, "fc3") == ["fc3", "1×1×1000", "softmax"]
    assert {"7×7×512", "flatten", "25088", "conv + ReLU", "2×2 max pool, /2"} <= set(texts(figure))
    assert "receptive field 212" in objects(figure)["stage5_pool1"].title
    assert len([name for name in slabs(figure) if "conv" in name]) == 13


def test_groups_are_split_and_normalisations_shown() -> None:
    figure = volumes(load("alexnet"))
    assert texts(figure).count("192") == 2
    assert "conv + ReLU + LRN" in texts(figure)
    assert under(figure, "conv2") == ["conv2", "5×5 conv, 2 groups", "27×27×256"]


def test_an_upsampled_map_is_told_before_what_it_is_joined_to() -> None:
    """As in U-Net: `deconv 512; concat enc4` gives 512 channels, and 1024 after the concatenation."""
    network = netc.loads(
        "input 32x32x4; a: conv 8x3; pool 2; conv 16x3; c: deconv 4x2/2; concat a; conv 6x3; gap; fc 2"
    )
    said = " ".join(texts(volumes(network)))
    assert "32×32×12" not in said
    assert "copy 32×32×8" in said
    assert "4" in texts(volumes(network))


def test_unet_has_a_copy_for_each_level() -> None:
    figure = volumes(load("unet"))
    assert len(lines(figure, "copy")) == 4
    assert {"copy H×W×64", "copy H/8×W/8×512", "H/16×W/16×1024", "H×W×2"} <= set(texts(figure))
    known = draw(netc.load("specs/unet.net").draw(style="volumes", size=256).shown, "volumes")
    assert {"copy 256×256×64", "16×16×1024"} <= set(texts(known))


@pytest.mark.parametrize(("spec", "blocks", "dashed"), [("resnet18", 8, 3), ("resnet34", 16, 3), ("resnet50", 16, 4)])
def test_each_sum_has_its_arc(spec: str, blocks: int, dashed: int) -> None:
    figure = volumes(load(spec), bare=True)
    assert len(discs(figure)) == blocks
    assert len(lines(figure, "arc", "v.link.changed")) == dashed
    assert len(lines(figure, "arc")) == blocks


def test_each_merge_of_a_slab_has_a_disc_of_its_own() -> None:
    """A gate and the shortcut around it end in one slab, and so do the three merges of a highway layer."""
    for spec, layers, merges in (("highway", 10, 3), ("se-resnext50", 16, 2)):
        found = discs(volumes(load(spec), bare=True))
        assert len({(disc.x, disc.y) for disc in found}) == len(found) == layers * merges


def test_inception_modules_are_slabs_of_stripes() -> None:
    """Szegedy et al. 2014, table 1: inception (3a) has 64 + 128 + 32 + 32 channels."""
    network = load("googlenet")
    figure = volumes(network)
    modules = [name for name in slabs(figure) if "concat" in name]
    assert len(modules) == 9
    shapes = [item for item in stamp(figure, modules[0]).template.items if item.look == "v.stripe.band"]
    shares = [(shape.box.right - shape.box.left) / width(figure, modules[0]) for shape in shapes]
    assert shares == pytest.approx([128 / 256, 32 / 256], abs=0.03)


def test_auxiliary_outputs_stand_in_rows_of_their_own() -> None:
    figure = volumes(load("googlenet", aux=True))
    axis = stamp(figure, "main").y
    for name in ("aux1", "aux2"):
        own = [item for item in slabs(figure) if item.startswith(name)]
        assert len(own) == 4
        assert len({stamp(figure, item).y for item in own}) == 1
        assert all(stamp(figure, item).y < axis for item in own)
        assert under(figure, name) == [name, "1×1×1000", "softmax"]


def test_several_inputs_stand_in_rows_that_meet() -> None:
    figure = volumes(load("siamese"), bare=True)
    assert len({stamp(figure, name).y for name in slabs(figure)}) == 2
    assert {"first", "second"} <= set(texts(figure))
    assert len(discs(figure)) == 1
    assert "shared weights: tower_conv1 – tower_fc1" in texts(figure)


@pytest.mark.parametrize(
    "text",
    [
        "l: input 16x16x3; conv 8x3; p: pool 2; r: input 8x8x8; conv 8x3; concat p; gap; a: fc 10; "
        "from p; b: conv 3x1; output a b",
        "l: input 16x16x3; p: conv 8x3; q: conv 8x3; conv 8x3; add p; gap; a: fc 10; from p; conv 3x1; b: conv 3x1; "
        "from q; c: conv 3x1; output a b c",
        "l: input 16x16x3; p: conv 8x3; r: input 16x16x8; conv 8x3; conv 8x3; add p; q: conv 4x3; gap; a: fc 10; "
        "from p; b: conv 3x1; from q; c: conv 3x1; output a b c",
    ],
)
def test_lines_to_other_rows_go_through_no_slab(text: str) -> None:
    figure = volumes(netc.loads(text), bare=True)
    assert violations(figure) == []
    found = lines(figure, "copy")
    assert found
    for name in slabs(figure):
        at = stamp(figure, name)
        box = moved(faces(figure, name)["front"], at.x, at.y).box
        for line in found:
            for (x1, y1), (x2, y2) in pairwise(line.points()):
                low, high = sorted((y1, y2))
                assert not (x1 == x2 and box.left < x1 < box.right and low < box.top and high > box.bottom), name


def test_rows_that_come_from_each_other_rise() -> None:
    """The decoders of U-Net++: each begins in the row before it, so that no line goes through the words of another."""
    figure = volumes(load("unetpp"), bare=True)
    heights = [stamp(figure, name).y for name in ("pool1", "pool2", "pool3", "pool4")]
    assert heights == sorted(heights, reverse=True)
    words = [item for item in figure.walk() if isinstance(item, Text) and not item.text.startswith("copy")]
    for line in lines(figure, "copy"):
        for (x1, y1), (x2, y2) in pairwise(line.points()):
            low, high = sorted((y1, y2))
            assert not [w.text for w in words if x1 == x2 and w.box.overlaps(Box(x1 - 0.5, low, x1 + 0.5, high))]


def test_the_search_for_room_grows_with_the_rows_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    free = legend._free
    monkeypatch.setattr(legend, "_free", lambda taken, reach: looked.append(len(taken)) or free(taken, reach))

    def work(count: int) -> int:
        rows = "".join(f"c{at}: conv 8x3; f{at}: fc 2; from c{at}; " for at in range(count))
        outputs = " ".join(f"f{at}" for at in range(count))
        looked.clear()
        volumes(netc.loads(f"input 16x16x3; {rows}conv 8x3; gap; z: fc 2; output {outputs} z"))
        return sum(looked)

    assert 0 < work(60) < 4 * work(20)


def test_a_gate_is_a_line_and_not_the_way() -> None:
    """Squeeze and excitation (Hu et al. 2018, Figure 1): the map is scaled, and goes on."""
    figure = volumes(netc.loads("input 32x32x16; conv 32x3 relu; se 4; conv 64x3; gap; fc 2"), bare=True)
    assert [name for name in slabs(figure) if "conv" in name] == ["conv1", "conv2"]
    assert len(lines(figure, "arc")) == 1


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_every_number_of_dimensions_is_drawn(rank: int) -> None:
    sizes = "x".join(["32"] * rank)
    figure = volumes(netc.loads(f"input {sizes}x3; conv 32x3 relu; pool 2; conv 64x3 relu; gap; fc 10 softmax"))
    assert "×".join([*["16"] * rank, "64"]) in texts(figure)
    assert violations(figure) == []


def test_a_call_is_one_stage_though_its_size_changes() -> None:
    """The strided blocks of MobileNetV2 begin at the size before."""
    figure = volumes(load("mobilenetv2"))
    assert [f"bottlenecks{at}" for at in range(1, 8)] == [text for text in texts(figure) if text.startswith("bottle")]
    assert under(figure, "bottlenecks6")[-1] == "7×7×160"
    rows = {stamp(figure, name).y for name in slabs(figure)}
    assert len(rows) == 2


def test_an_operation_that_netc_does_not_know_is_drawn_by_what_its_class_says() -> None:
    from netc.layers.base import operation
    from netc.layers.conv import Conv

    try:
        operation("testconv", family="conv")(type("TestConv", (Conv,), {"paper": "test conv", "__module__": __name__}))
        figure = volumes(netc.loads("input 16x16x4; testconv 8x3/2 relu; gap; fc 2"))
    finally:
        del LAYERS["testconv"]
    assert under(figure, "testconv1") == ["testconv1", "3×3 test conv, /2", "8×8×8"]


def test_groups_are_said_of_every_stage() -> None:
    """ResNeXt-29, 8x64d (Xie et al. 2017): its blocks differ in their first stride, and not in their groups."""
    figure = volumes(load("resnext-cifar"))
    assert ["in 8 groups" in " ".join(under(figure, f"resnext{stage}")) for stage in (1, 2, 3)] == [True] * 3
    operations = [Operation("1×1 conv"), Operation("3×3 conv", "/2", 2), Operation("1×1 conv")] * 2
    assert told(operations) == ["1×1 conv, 3×3 conv, /2, 2 groups, 1×1 conv ×2"]
    operations[4] = operations[4].unstepped
    assert told(operations) == ["1×1, 3×3 in 2 groups, 1×1 conv ×2, first /2"]


@pytest.mark.parametrize(("spec", "sides"), [("c3d", "4 7 14 28 56 112"), ("segnet", "15 30 60 120 240 480")])
def test_a_ruler_says_the_longest_sides(spec: str, sides: str) -> None:
    assert set(sides.split()) <= set(texts(volumes(load(spec))))


def test_a_dilation_is_said() -> None:
    """As Yu & Koltun 2016 (arXiv:1511.07122) call it; a network without it has other receptive fields."""
    net = netc.loads(
        "input 64x64x3; conv 8x3 dilation=2 relu; conv 8x3 dilation=2 relu; pool 2; conv 8x1; conv 8x3 dilation=4x2"
    )
    said = " ".join(texts(volumes(net)))
    assert "3×3 conv, dilation 2 ×2" in said
    assert "1×1 conv, 3×3 conv, dilation 4×2" in said
    nodes = {node.name: (node.layer, net.shapes[node.name]) for node in net.net}
    assert label(*nodes["conv4"]) == "3×3 conv, 8, dilation 4×2"
    assert short(*nodes["conv4"]) == "3×3, 8, dilation 4×2"
    assert "3x3 conv, 8, dilation 2, relu" in str(net.summary())
    assert {"conv3-8, dilation 2", "conv3-8, dilation 4×2"} <= set(texts(draw((net.program,), "table", Options())))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("input 64x2; conv 8x3", "k=3 conv, 8"),
        ("input 64x2; conv 8x3 causal dilation=2", "k=3 causal conv, 8, dilation 2"),
        ("input 64x2; conv 8x1 causal", "k=1 conv, 8"),
        ("input 64x2; pool 2", "k=2 max pool, /2"),
        ("input 8x8x4; conv 8x3 groups=4", "3×3 conv, 8, 4 groups"),
        ("input 8x8x4; groupnorm 4", "group norm 4"),
        ("input 8x8x4; dwconv 3 multiplier=2", "3×3 dw conv, multiplier 2"),
        ("input 8x8x4; conv 8x3 pad=1", "3×3 conv, 8"),
        ("input 8x8x4; conv 8x3 pad=100", "3×3 conv, 8, pad 100"),
        ("input 8x8x4; gap", "global avg pool"),
        ("input 8x8x4; gmp over=channels", "max pool, over channels"),
    ],
)
def test_a_label_says_what_is_computed(text: str, said: str) -> None:
    net = netc.loads(text)
    (_, node) = net.net
    assert label(node.layer, net.shapes[node.name]) == said


def test_a_header_says_what_it_counts() -> None:
    for body, counted in (("conv 8x3", "80 parameters"), ("conv 8x3 bn", "88 trainable parameters")):
        assert netc.loads(f"input 8x8x1; {body}").draw().scene.facts.startswith(f"{counted} · ")


@pytest.mark.parametrize(
    ("says", "whole", "row"),
    [
        ({"paper": "test conv"}, "3×3 test conv, 8, /2", "3×3, 8"),
        ({"enlarges": True, "mark": "wide "}, "3×3 testconv, 8, ×2", "wide 3×3, 8"),
        ({"mark": None}, "3×3 testconv, 8, /2", "3×3 testconv, 8, /2"),
    ],
)
def test_labels_and_rows_are_what_a_class_says(says: dict[str, Any], whole: str, row: str) -> None:
    from netc.layers.base import operation
    from netc.layers.conv import Conv

    try:
        cls = operation("testconv", family="conv")(type("TestConv", (Conv,), {**says, "__module__": __name__}))
        layer = cls(filters=8, kernel=(3, 3), stride=(2, 2), act="relu")
        assert (label(layer, (8, 8, 8)), short(layer, (8, 8, 8))) == (whole, row)
    finally:
        del LAYERS["testconv"]


@pytest.mark.parametrize("op", sorted({cls.op for cls in LAYERS.values()}))
def test_every_operation_is_drawn(op: str) -> None:
    """By its own example, in every theme."""
    figure = volumes(netc.loads(f"input 32x32x16\n{LAYERS[op].example}" if op != "input" else LAYERS[op].example))
    assert violations(figure) == []
    for theme in ("light", "dark", "auto", "print"):
        assert write(figure, Options(theme=theme)).endswith("</svg>\n")


# -- images ----------------------------------------------------------------------------------------------------------


def picture(rows: int, columns: int) -> bytes:
    """A grey PNG."""
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 0, 0, 0, 0)),
              (b"IDAT", zlib.compress(b"".join(b"\0" + bytes(columns) for _ in range(rows)))), (b"IEND", b"")]  # fmt: skip
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def test_images_lie_on_the_right_faces_that_are_seen() -> None:
    network = load("vgg16")
    given = {name: picture(2, 2) for name in network.shapes}
    figure = draw([network.program], "volumes", Options(faces=given))
    shown = [name for name, group in slabs(figure).items() if any(isinstance(item, Picture) for item in group.items)]
    assert shown == ["input1", *(name for at, last in enumerate((2, 2, 3, 3, 3), 1)
                                 for name in (f"stage{at}_conv{last}", f"stage{at}_pool1"))]  # fmt: skip
    (image,) = (item for item in slabs(figure)["input1"].items if isinstance(item, Picture))
    side = moved(faces(figure, "input1")["side"], stamp(figure, "input1").x, stamp(figure, "input1").y)
    assert image.box == pytest.approx(side.box)
    assert violations(figure) == []


def test_the_receptive_field_is_marked_where_the_middle_of_a_layer_sees() -> None:
    """The third convolution of 3x3 sees 7 pixels; a pool by 2 in between makes its second half count twice."""
    network = netc.loads("input 64x64x3; conv 8x3; conv 8x3; a: conv 8x3; pool 2; b: conv 8x3; gap; fc 2")
    for layer, pixels in (("a", 7), ("b", 12)):
        figure = draw([network.program], "volumes", Options(receptive=layer, bare=True))
        (marked,) = (item for item in figure.walk() if isinstance(item, Polygon) and item.look == "v.field")
        whole = height(figure, "input1")
        assert (marked.points[3][1] - marked.points[0][1]) / whole == pytest.approx(pixels / 64)
    with pytest.raises(FigureError, match="no layer has the label or name `c`"):
        draw([network.program], "volumes", Options(receptive="c"))
    with pytest.raises(FigureError, match="sees the whole input"):
        draw([network.program], "volumes", Options(receptive="fc1"))


TWO_SIZES = """
left: input 32x32x3; conv 8x3; p: pool 2
right: input 16x16x3; q: conv 8x7; add p; gap; fc 2
"""


@pytest.mark.parametrize(
    ("layer", "marked", "said"),
    [
        ("p", {"left": (4, 15, 32)}, "seen by p: 4×4"),
        ("q", {"right": (7, 5, 16)}, "seen by q: 7×7"),
        ("add1", {"left": (4, 15, 32), "right": (7, 5, 16)}, "seen by add1: 4×4 of left, 7×7 of right"),
        ("right", {"right": (1, 8, 16)}, "seen by right: 1×1"),
    ],
)
def test_what_a_layer_sees_is_marked_on_the_inputs_that_it_reads(
    layer: str, marked: dict[str, tuple[int, int, int]], said: str
) -> None:
    """How many pixels, from which on, of how many: for the position in the middle of the layer's 16x16."""
    figure = draw([netc.loads(TWO_SIZES).program], "volumes", Options(receptive=layer))
    assert said in [text for _, text in figure.legend]
    bare = draw([netc.loads(TWO_SIZES).program], "volumes", Options(receptive=layer, bare=True))
    fields = [item for item in bare.walk() if isinstance(item, Polygon) and item.look == "v.field"]
    assert len(fields) == len(marked)
    for name, (pixels, first, side) in marked.items():
        face = moved(faces(bare, name)["side"], stamp(bare, name).x, stamp(bare, name).y)
        (field,) = (item for item in fields if face.box.top < item.box.top < item.box.bottom < face.box.bottom)
        left, right = face.box.left, face.box.right
        assert (field.box.left - left) / (right - left) == pytest.approx(first / side)
        assert (field.box.right - field.box.left) / (right - left) == pytest.approx(pixels / side)


@pytest.mark.parametrize(
    ("text", "layer"),
    [
        ("input 100x1; reshape 10x10x1; conv 4x3", "input1"),
        ("input 99x4; a: conv 8x3", "a"),
        ("input 9x9x9x4; a: conv 8x3", "a"),
    ],
)
def test_what_a_layer_sees_is_marked_on_images_alone(text: str, layer: str) -> None:
    with pytest.raises(FigureError, match=f"what `{layer}` sees is marked on images; `input1` is"):
        draw([netc.loads(f"{text}; gap; fc 2").program], "volumes", Options(receptive=layer))


@needs_tensorflow
def test_what_layers_make_of_an_image_is_what_predict_says(tmp_path: Path) -> None:
    import numpy as np

    from netc.train.predict import activations, features

    network = netc.loads("input 16x16x3; conv 4x3 relu; pool 2; conv 6x3 bn relu; gap; fc 2 softmax")
    network.to_keras().save(tmp_path / "weights.keras")
    (tmp_path / "image.png").write_bytes(picture(16, 16))
    found = activations(network.program, tmp_path / "weights.keras", tmp_path / "image.png")
    assert {name: values.shape for name, values in found.items()} == {
        name: shape for name, shape in network.shapes.items() if len(shape) == 3
    }
    same = features(network.program, tmp_path / "weights.keras", [tmp_path / "image.png"], "conv2_relu")
    np.testing.assert_allclose(found["conv2_relu"], same[0], atol=1e-6)
    drawn = network.draw(style="volumes", image=tmp_path / "image.png", weights=tmp_path / "weights.keras")
    files = drawn.options.faces
    assert set(files) == set(found)
    assert all(file.startswith(b"\x89PNG") for file in files.values())


# -- geometry --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", SAMPLE_FILES, ids=lambda path: path.stem)
def test_every_spec_at_every_width(path: object) -> None:
    program = netc.load(str(path)).program
    for page in WIDTHS:
        figure = draw([program], "volumes", Options(width=page, bare=page == "5in"))
        assert violations(figure) == [], page
        assert list(crossed(figure)) == [], page
        assert figure.width * figure.unit == pytest.approx(float(page.removesuffix("in")) * 72, abs=0.01)
        assert min(item.size for item in figure.walk() if isinstance(item, Text)) * figure.unit >= 5.999


def crossed(figure: Scene) -> Iterator[str]:
    """Texts that a line goes through. A text is as wide as it can be in any font, and reaches below its letters."""
    said = [item for item in figure.walk() if isinstance(item, Text)]
    boxes = [(item.text, item.box) for item in said]
    inner = [(text, Box(b.left + 2, b.top + 1.5, b.right - 2, b.bottom - 2.2)) for text, b in boxes]
    for role in ("axis", "copy", "arc"):
        for one, other in (pair for line in lines(figure, role) for pair in pairwise(line.points(24))):
            steps = max(1, int(max(abs(other[0] - one[0]), abs(other[1] - one[1])) / 3))
            for at in range(steps + 1):
                x, y = (a + (b - a) * at / steps for a, b in zip(one, other, strict=True))
                yield from (text for text, box in inner if box.holds(Box(x, y, x, y), 0))


def test_a_low_page_has_low_slabs() -> None:
    network = load("vgg16")
    free, low = (volumes(network, width="7in", **height) for height in ({}, {"height": "2.5in"}))
    assert low.height * low.unit <= 2.5 * 72 < free.height * free.unit
    assert height(low, "stage1_conv1") < height(free, "stage1_conv1")
    assert violations(low) == []


def test_a_caption_says_what_the_legend_would() -> None:
    words = {text: look.fill for look, text in volumes(load("alexnet"), bare=True).legend}
    assert words["conv + ReLU + LRN"] == "v.conv"
    assert words["3×3 max pool, /2"] == "v.pool"


def test_what_is_too_narrow_is_refused_with_the_width_it_needs() -> None:
    with pytest.raises(FigureError, match="expected at least"):
        volumes(load("vgg16"), width="1in")


@effort(40)
@given(networks(), st.sampled_from([None, *WIDTHS]))
def test_random_networks_of_all_layers(text: str, page: str | None) -> None:
    program = compiled(text)
    assert program is not None
    look_at(program, page)


@effort(40)
@given(bodies(), bodies() | st.just(""), st.sampled_from([None, *WIDTHS]))
def test_random_branches(body: str, after: str, page: str | None) -> None:
    net = random_net(body, after)
    if net is not None:
        look_at(net.program, page)


def look_at(program: object, page: str | None) -> None:
    """Everything is drawn or, on a page, refused: no text on another one, none cut; every layer in one slab or line."""
    try:
        figure = draw([program], "volumes", Options(width=page, collapse="none"))  # type: ignore[list-item]
    except FigureError:
        assert page is not None
        return
    assert violations(figure) == []
    assert write(figure, Options()) == write(figure, Options())
    sheet = Box(0, 0, figure.width, figure.height)
    assert all(sheet.holds(group.box, 1.0) for group in slabs(figure).values())


def test_size_of_vgg16() -> None:
    """What a figure costs that people make by hand, every slab with its tooltip."""
    assert len(write(volumes(load("vgg16")), Options()).encode()) <= 22 * 1024
