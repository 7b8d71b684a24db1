"""The style grid: what it draws of networks whose papers drew them by resolution, and that nothing in it collides."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netc
from netc.figures import FigureError, Options
from netc.figures.grid import Painter, painter
from netc.figures.grid.rows import find
from netc.figures.grid.words import runs
from netc.figures.scene import Group, Scene, Text
from netc.figures.scene import Path as Line
from netc.figures.theme import LOOKS, colour
from tests.colour_vision import contrast, difference, seen
from tests.effort import effort
from tests.figure_geometry import violations
from tests.figure_samples import objects
from tests.random_networks import compiled, networks
from tests.specs import SAMPLE_FILES

NETS = [Path("specs/unet.net"), *sorted(Path("tests/figures_nets").glob("*.net"))]
WIDTHS = (None, "7in", "3.3in")


def drawn(name: str, width: str | None = None) -> tuple[Painter, Scene]:
    """A painter and its scene; a name without a folder is one of the files beside the tests."""
    path = Path(name) if "/" in name else Path(f"tests/figures_nets/{name}.net")
    made = painter(netc.load(path).program, Options(width=width))
    return made, made.scene()


def rows(made: Painter) -> list[list[str]]:
    """What each row holds, as a string of the columns: the first letters of `map`, `sum` and `concat`."""
    columns = {id(spot.cell): spot.column for row in made.layout.rows for spot in row}
    wide = max(columns.values()) + 1
    found = [["."] * wide for _ in made.plan.labels]
    for cell in made.plan.cells:
        found[cell.row][columns[id(cell)]] = cell.head[0]
    return found


def shown(made: Painter) -> list[str]:
    return ["".join(row) for row in rows(made)]


# -- geometry ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", NETS, ids=lambda path: path.stem)
def test_nothing_collides_and_all_is_legible(path: Path, width: str | None) -> None:
    _, scene = drawn(str(path), width)
    assert violations(scene) == []
    assert min(item.size for item in scene.walk() if isinstance(item, Text)) * scene.unit >= 6 - 1e-6
    if width:
        assert scene.width * scene.unit == pytest.approx(float(width.removesuffix("in")) * 72)


LEVELS = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["pool 2", "conv 8x3/2 relu", "avgpool 2; bn"])),
    min_size=1,
    max_size=4,
)
UPS = st.sampled_from(["deconv 8x2/2 relu", "upsample 2", "conv 8x1 bn; upsample 2", "upsample 2; conv 8x3 relu"])
MERGES = st.sampled_from(["concat {{ | from e{0} | {1} }}", "add {{ | from e{0} | {1} }}", "{1}; concat e{0}", "{1}"])
EXTRAS = st.sampled_from(["", "concat { | conv 8x1 | conv 8x3 | conv 8x3; conv 8x3 }; conv 8x1",
                          "add { | identity | conv 8x3 bn relu; conv 8x3 bn }", "dropout 0.5", "conv 8x3 relu",
                          "mul { | identity | gap keep; conv 8x1 sigmoid }"])  # fmt: skip


@st.composite
def pyramids(draw: st.DrawFn) -> str:
    """An encoder and a decoder, with skips, branches and heads here and there."""
    lines = [
        f"input {draw(st.sampled_from(['64x64x3', '?x?x3', '64x3', '32x64x3']))}  # netc: allow NET302",
        "conv 8x3",
    ]
    levels = draw(LEVELS)
    for level, (convolutions, down) in enumerate(levels):
        lines += ["conv 8x3 relu"] * convolutions
        lines += [draw(EXTRAS), f"e{level}: identity", down]
    lines += ["conv 8x3 relu", draw(EXTRAS)]
    heads = []
    for level in reversed(range(len(levels))):
        merge, head = draw(MERGES), draw(st.booleans())
        lines += [merge.format(level, draw(UPS)), "conv 8x3 relu", draw(EXTRAS)]
        if head:
            heads.append(f"y{level}")
            lines += [f"m{level}: identity", f"y{level}: conv 2x1", f"from m{level}"]
    lines += ["last: conv 2x1 softmax", f"output last {' '.join(heads)}"]
    return "\n".join(line for line in lines if line)


@effort(40)
@given(pyramids(), st.sampled_from(WIDTHS), st.sampled_from(["auto", "none", "all"]))
def test_random_pyramids(text: str, width: str | None, collapse: str) -> None:
    try:
        program = netc.loads(text).program
    except netc.SpecError:
        return  # sizes that do not come back
    try:
        scene = painter(program, Options(width=width, collapse=collapse)).scene()
    except FigureError:
        assert width
        return
    assert violations(scene) == [], text


@effort(25)
@given(networks())
def test_random_networks(text: str) -> None:
    program = compiled(text)
    assert program is not None
    made = painter(program, Options())
    assert violations(made.scene()) == []
    assert_complete(made)


# -- what is shown -------------------------------------------------------------------------------------------


def assert_complete(made: Painter) -> None:
    """Each layer belongs to one cell or one arrow, and each of these is an object of the figure."""
    names = [name for cell in made.plan.cells for name in cell.names]
    names += [name for cell in made.plan.cells for arrow in cell.arrows for name in arrow.via]
    assert sorted(names) == sorted(node.name for node in made.net)
    shown = set(objects(made.scene()))
    for cell in made.plan.cells:
        assert {part.main for part in cell.parts} & shown
        for arrow in cell.arrows:
            said = {name for name in arrow.via if not is_silent(made, name)}
            assert not said or shown & {*arrow.via, *cell.parts[0].names}


def is_silent(made: Painter, name: str) -> bool:
    return made.net.node(name).layer.does_nothing(made.net.operand_shapes(name))


@pytest.mark.parametrize("path", NETS, ids=lambda path: path.stem)
def test_every_layer_is_in_the_figure_once(path: Path) -> None:
    assert_complete(drawn(str(path))[0])


@pytest.mark.parametrize("width", WIDTHS)
def test_unet_is_a_u(width: str | None) -> None:
    made, _ = drawn("specs/unet.net", width)
    pool = "" if width == "3.3in" else "m"
    arms = [row.strip(".").replace(".", "") for row in shown(made)]
    assert arms == ["mmmcmmm", *[f"{pool}mmcmm"] * 3, f"{pool}mm"]
    copies = [way for way in made.router.ways if way.look == "copy"]
    assert len(copies) == 4
    assert all(len(way.points) == 2 and way.points[0][1] == way.points[1][1] for way in copies)  # straight and level
    middles = [min(way.points[0][0] for way in copies if way.arrow.target.row == row) for row in range(4)]
    assert middles == sorted(middles)  # each row of it lies inside the one above
    assert made.plan.labels == ["H×W", "H/2×W/2", "H/4×W/4", "H/8×W/8", "H/16×W/16"]
    upright = [way for way in made.router.ways if way.look in ("down", "up")]
    assert len(upright) == 8
    assert all(abs(way.points[0][0] - way.points[1][0]) < 4 for way in upright)


def test_unetpp_is_a_triangle() -> None:
    made, _ = drawn("unetpp")
    columns = {spot.cell.parts[-1].main: (spot.cell.row, spot.column) for row in made.layout.rows for spot in row}
    first = columns["x00_conv2"][1]
    for row in range(5):
        for place in range(5 - row):
            name = f"x{row}{place}_conv2" if (row, place) != (0, 4) else "block1_conv2"
            assert columns[name] == (row, first + row + 2 * place)


def test_fpn_is_two_pathways_with_laterals() -> None:
    made, scene = drawn("fpn")
    assert [row.replace(".", "") for row in shown(made)] == ["mm", "msm", "msm", "msm", "mmm"]
    texts = [item.text for item in scene.walk() if isinstance(item, Text)]
    assert texts.count("1×1 conv, 256") == 3
    assert {"p2", "p3", "p4", "p5"} <= set(texts)
    up = [way for way in made.router.ways if way.look == "up"]
    assert len(up) == 3
    assert all(way.points[0][0] == way.points[-1][0] for way in up)


def test_hrnet_has_four_parallel_streams() -> None:
    made, _ = drawn("hrnet")
    assert shown(made)[1:] == [".mmsmsmcm", "..msmsm..", "....msm..", "......m.."]
    into = {cell.row: [arrow.source.row for arrow in cell.arrows] for cell in made.plan.cells if len(cell.arrows) == 3}
    assert into == {1: [1, 2, 3], 2: [1, 2, 3], 3: [1, 2, 3]}  # the second exchange joins every stream with every one


def test_yolov3_has_a_head_at_three_scales() -> None:
    made, _ = drawn("yolov3")
    ends = {cell.output: made.plan.labels[cell.row] for cell in made.plan.cells if not cell.readers}
    assert ends == {"y32": "13×13", "y16": "26×26", "y8": "52×52"}


def test_segnet_goes_down_and_up_as_far() -> None:
    made, _ = drawn("segnet", "7in")
    rows_of = [cell.row for cell in made.plan.cells]
    bottom = rows_of.index(5)
    assert rows_of == [*sorted(rows_of[:bottom]), 5, *sorted(rows_of[bottom + 1 :], reverse=True)]
    looks = [way.look for way in made.router.ways]
    assert looks.count("down") == looks.count("up") == 5


def test_convolutions_without_padding_stay_in_their_row() -> None:
    text = (
        "input 572x572x1\nconv 64x3 pad=valid relu; enc: conv 64x3 pad=valid relu; pool 2\nconv 128x3 pad=valid relu\n"
    )
    made = painter(netc.loads(f"{text}deconv 64x2/2; conv 2x1").program, Options(collapse="none"))
    assert made.plan.labels == ["572×572–564×564", "284×284–282×282"]
    assert [cell.row for cell in made.plan.cells] == [0, 0, 0, 1, 1, 0, 0]


def test_heights_of_axes_that_are_halved_apart() -> None:
    made = painter(
        netc.loads("input 32x128x1\nconv 8x3; pool 1x2; conv 8x3; upsample 1x2; conv 8x3").program, Options()
    )
    assert made.plan.labels == ["32×128", "32×64"]


@pytest.mark.parametrize("shape", ["256x2", "32x32x32x1"])
def test_one_and_three_dimensions(shape: str) -> None:
    text = f"input {shape}\ne: conv 8x3 relu; pool 2; conv 16x3 relu; upsample 2; concat e; conv 2x1 softmax"
    scene = netc.loads(text).draw().scene
    assert violations(scene) == []
    assert "concat1" in objects(scene)


def test_a_width_that_is_too_small_says_which_would_do() -> None:
    program = netc.load("tests/figures_nets/unetpp.net").program
    with pytest.raises(FigureError, match="expected at least") as caught:
        painter(program, Options(width="2in"))
    least = float(str(caught.value).split("at least ")[1].split(" in")[0])
    assert violations(painter(program, Options(width=f"{least}in")).scene()) == []
    with pytest.raises(FigureError):
        painter(program, Options(width=f"{least - 0.02}in"))


def test_a_map_resized_to_another_stands_in_its_row() -> None:
    """As the levels of a feature pyramid (Lin et al. 2017), here of odd sizes: 75, 38 and 19."""
    net = netc.loads("input 75x75x3\nc1: conv 4x3/2\nc2: conv 8x3/2\nconv 4x1\np1: resize to=c1 nearest\nadd c1").net
    rows = find(net, [node.name for node in net])
    assert [rows.labels[rows.of[name]] for name in ("input1", "c1", "p1", "c2")] == ["75×75", "38×38", "38×38", "19×19"]


# -- words ---------------------------------------------------------------------------------------------------


def test_tokens_stand_in_the_row_of_their_map() -> None:
    made = painter(netc.load("specs/vit-b16.net").program, Options())
    assert made.plan.labels == ["224×224", "14×14, 197–196", "vector"]
    assert made.words.lines(made.plan.cells[1])[-3:-1] == ["(unit, unit 2) ×12,", "layer norm"]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        ("a", ["a"]),
        ("aab", ["a ×2", "b"]),
        ("cabababd", ["c", "(a, b) ×3", "d"]),
        ("ababa", ["(a, b) ×2", "a"]),
        ("abcd", ["a", "b", "c", "d"]),
    ],
)
def test_runs(texts: str, said: list[str]) -> None:
    assert runs(list(texts)) == said


def test_blocks_are_what_the_network_computes() -> None:
    """A highway layer subtracts its input inside of its gate: a sum that is no shortcut, in a call that makes more."""
    made = painter(netc.load("specs/highway.net").program, Options())
    assert made.words.blocks() == ["unit = (fc 64 · ELU) − x"]
    made = painter(netc.load("specs/resnet50.net").program, Options())
    assert made.words.blocks()[0].startswith("bottleneck_unit = x + (1×1 · BN · ReLU, ")


def test_heads_that_share_weights_are_dashed() -> None:
    made = painter(netc.load("specs/retinanet.net").program, Options())
    scene = made.scene()
    twins = {item.name for item in objects(scene).values() if item.items[0].look == "conv.twin"}
    shared = {node.name for node in made.net if node.shares}
    assert twins
    assert twins == shared & objects(scene).keys()
    assert any(text.startswith("shared weights") for _, text in scene.legend)


def test_outputs_have_their_labels_and_factors_their_axes() -> None:
    scene = painter(netc.load("specs/yolov3.net").program, Options()).scene()
    assert {"y3", "y4", "y5"} <= {item.text for item in scene.walk() if isinstance(item, Text)}
    scene = painter(netc.load("specs/c3d.net").program, Options()).scene()
    assert "/1×2×2" in {item.text for item in scene.walk() if isinstance(item, Text)}


def test_what_has_no_room_is_said_below() -> None:
    made = painter(netc.load("specs/ssd300.net").program, Options())
    scene = made.scene()
    missing = [text for text in made.left_out if not text.isdigit()]
    assert missing
    assert any(note.startswith("without room: ") and missing[0] in note for note in scene.notes)


# -- auto ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", [*NETS, *(path for path in SAMPLE_FILES if path.stem != "unet")], ids=lambda path: path.stem
)
def test_auto(path: Path) -> None:
    assert netc.load(path).draw().chosen == ("grid" if path in NETS else "graph")


def test_auto_is_graph_for_what_graph_alone_has() -> None:
    net = netc.load("specs/unet.net")
    for option in ({"collapse": "none"}, {"expand": True}, {"shapes": "all"}, {"direction": "lr"}, {"columns": 2}):
        assert net.draw(**option).chosen == "graph"
    wide = netc.load("tests/figures_nets/unetpp.net")
    assert [wide.draw(width=width).chosen for width in ("7in", "2.5in")] == ["grid", "graph"]  # where it does not fit
    assert b"digraph" in bytes(net.draw().render(".dot"), "utf-8")
    assert netc.loads("input 32x32x3; a: conv 8x3; b: conv 8x3/2; output a b").draw().chosen == "grid"


# -- colours -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_arrows_are_seen_and_told_apart(theme: str) -> None:
    looks = [LOOKS[f"grid.{look}"] for look in ("run", "copy", "down", "up")]
    colours = [colour(look.stroke, theme) for look in looks]
    assert all(contrast(each, colour("paper", theme)) >= 4.5 for each in colours)
    if theme == "print":
        return  # dashes, heads and the way that a trapezoid narrows tell them apart
    for one, other in combinations(colours[1:], 2):
        for sight in ("deuteranopia", "protanopia"):
            assert difference(seen(one, sight), seen(other, sight)) >= 10


def test_a_learned_resampling_is_filled() -> None:
    _, scene = drawn("specs/unet.net")
    looks = [
        inner.look
        for item in scene.walk()
        if isinstance(item, Group) and item.name.startswith("deconv")
        for inner in item.items
    ]
    assert looks == ["grid.up.learned"] * 4
    assert any(isinstance(item, Line) and item.look == "grid.down" for item in scene.walk())
