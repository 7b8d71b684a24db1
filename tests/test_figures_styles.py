"""What holds for volumes, columns and tables of every network, and for bars and curves."""

import math
import re
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netc
from netc.figures.bars import PANELS, bars
from netc.figures.curves import curves
from netc.figures.options import Options
from netc.figures.repeats import Repeat, folded
from netc.figures.scene import Box, Group, Path, Rect, Scene, Text
from netc.figures.styles import FigureError
from netc.figures.svg import write
from netc.figures.trunk import read
from tests.figure_samples import RESNETS, VGG, named, scene, texts
from tests.specs import SAMPLES, load

BRANCHED = {"googlenet", "siamese"}  # more than a path with shortcuts


# -- geometry of all of them --------------------------------------------------------------------------------------


def violations(figure: Scene) -> Iterator[str]:
    """Texts or boxes out of their place: the sheet, their box, each other's room; lines through boxes."""
    sheet = Box(0, 0, figure.width, figure.height)
    said = [item for item in figure.walk() if isinstance(item, Text)]
    for text in said:
        if not sheet.holds(text.box):
            yield f"{text.text!r} leaves the sheet"
    yield from (f"{a.text!r} meets {b.text!r}" for a, b in meeting(said))
    boxes = [item for item in figure.walk() if isinstance(item, Group) and item.role == "box"]
    for box in boxes:
        yield from (
            f"{i.text!r} leaves its box" for i in box.items if isinstance(i, Text) and not outline(box).holds(i.box)
        )
    rooms = [Rect(o.left, o.top, o.right - o.left, o.bottom - o.top) for o in map(outline, boxes)]
    yield from (f"boxes meet at {a.box}" for a, _ in meeting(rooms))
    for line in (item for item in figure.walk() if isinstance(item, Path) and item.role == "edge"):
        inner = list(line.points())
        for start, end in pairwise(inner):
            reach = Box(min(start[0], end[0]), min(start[1], end[1]), max(start[0], end[0]), max(start[1], end[1]))
            yield from (
                f"a line crosses the box at {room.box}" for room in rooms if room.box.overlaps(reach, slack=0.5)
            )


def outline(box: Group) -> Box:
    assert isinstance(box.items[0], Rect)
    return box.items[0].box


def meeting(items: Sequence[Text] | Sequence[Rect]) -> Iterator[tuple[Text | Rect, Text | Rect]]:
    """Pairs whose boxes overlap; only those close in height are compared."""
    rows: dict[int, list[Text | Rect]] = {}
    for item in items:
        for row in range(int(item.box.top // 50), int(item.box.bottom // 50) + 1):
            rows.setdefault(row, []).append(item)
    for row in rows.values():
        yield from ((a, b) for a, b in combinations(row, 2) if a.box.overlaps(b.box))


@pytest.mark.parametrize("style", ["volumes", "column", "table"])
@pytest.mark.parametrize("spec", sorted(set(SAMPLES) - {"preact-resnet1001"}))
def test_geometry_of_every_spec(spec: str, style: str) -> None:
    network = load(spec)
    if spec in BRANCHED and style != "volumes":
        with pytest.raises(FigureError, match=network.name):
            scene(style, network)
        return
    figure = scene(style, network)
    assert list(violations(figure)) == []
    assert well_formed(figure)


def well_formed(figure: Scene) -> bool:
    """Whether the SVG is XML with unique ids and always the same."""
    svg = write(figure, Options())
    root = ElementTree.fromstring(svg)
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    return len(ids) == len(set(ids)) and svg == write(figure, Options())


@pytest.mark.parametrize("style", ["column", "table"])
@pytest.mark.parametrize(
    "family", [VGG, RESNETS, ("vgg19", "plain34", "resnet34"), ("alexnet", "resnet18", "resnet18")]
)
def test_geometry_of_families(family: Sequence[str], style: str) -> None:
    figure = scene(style, *map(load, family))
    assert list(violations(figure)) == []
    assert well_formed(figure)


conv = st.builds("conv {}x{}{} {}".format, *map(st.sampled_from, ([1, 64, 2048], [1, 3], ["", "/2"], ["", "bn relu"])))
residual = st.builds("add {{ | identity | conv (channels)x3 relu; {} (channels)x3 }}".format, st.just("conv"))
projected = st.builds("add {{ | conv {0}x1/2 | conv {0}x3/2 relu; conv {0}x3 }}; relu".format, st.integers(1, 999))
layer = st.one_of(
    conv, residual, projected, st.sampled_from(["pool 2", "lrn", "dropout 0.5", "avgpool 3/1", "upsample 2"])
)
networks = st.builds(
    "input {0}x{0}x3; {1}; gap; fc 10 softmax".format,
    st.integers(64, 200),
    st.lists(layer, min_size=1, max_size=6)
    .filter(lambda layers: layers.count("upsample 2") < 3)  # more would pass the bound of elements
    .map("; ".join),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(networks, min_size=1, max_size=3))
def test_geometry_of_random_networks(specs: list[str]) -> None:
    made = [netc.loads(text, f"net{at}.net") for at, text in enumerate(specs)]
    for style in ("column", "table"):
        assert list(violations(scene(style, *made))) == []
    assert list(violations(scene("volumes", made[0]))) == []
    assert list(violations(bars(made[0].program))) == []


PAGES: list[dict[str, str]] = [{"width": "3.3in"}, {"width": "7in"}, {"width": "7in", "height": "9in"}]
FAMILIES = [*((name,) for name in sorted(set(SAMPLES) - BRANCHED - {"preact-resnet1001"})), VGG[2:], RESNETS[:3]]


@pytest.mark.parametrize("style", ["column", "table"])
@pytest.mark.parametrize("family", FAMILIES, ids=" ".join)
def test_figures_for_a_page_fit_it(family: Sequence[str], style: str) -> None:
    """With no text under 6 pt, or refused with a size that does."""
    networks = list(map(load, family))
    for page in PAGES:
        asked = dict(page)
        try:
            figure = scene(style, *networks, **asked)
        except FigureError as refused:
            way, least = re.findall(r"in (wide|high) with .* at least ([\d.]+) in", str(refused))[0]
            asked["width" if way == "wide" else "height"] = f"{least}in"
            figure = scene(style, *networks, **asked)
        assert list(violations(figure)) == []
        assert min(item.size for item in figure.walk() if isinstance(item, Text)) * figure.unit >= 6 - 1e-6
        width, height = Options(**asked).page
        assert figure.width * figure.unit == pytest.approx(width, rel=1e-3)
        assert height is None or figure.height * figure.unit <= height * 1.001


pieces = st.sampled_from(
    [
        "conv 8x3 relu",
        "conv 8x1",
        "pool 3/1",
        "add { | identity | conv 8x3 relu; conv 8x3 }",
        "a: conv 8x3; conv 8x3 relu; concat a; conv 8x1",
        "add { | identity | conv 8x1; add { | identity | conv 8x3 } }",
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(pieces, st.integers(1, 9)), min_size=1, max_size=5), st.integers(1, 4), st.integers(2, 3))
def test_folded_paths_unfold_to_themselves(parts: list[tuple[str, int]], times: int, least: int) -> None:
    """Every row, and every line by where it starts and ends."""
    body = "\n".join(f"repeat {count} {{ {piece} }}" for piece, count in parts)
    network = netc.loads(f"input 8x8x8\nstart: conv 8x3\nrepeat {times} {{\n{body}\n}}\nconcat start; gap; fc 2")
    trunk = read(network.net, "column")
    says = [unit.layer for unit in trunk.units]
    short, repeats, left = folded(trunk, says, (least, least))
    order = list(range(len(short.units)))
    blocks = {repeat.first: repeat for repeat in repeats}
    rows: list[int] = []
    lines: list[tuple[int, int, bool]] = []
    at = 0
    while at < len(order):
        repeat = blocks.get(at, Repeat(at, at + 1, 1))
        for _ in range(repeat.count):
            begin = len(rows)
            rows += order[repeat.first : repeat.last]
            for line in (each for each in short.shortcuts if repeat.first <= each.end < repeat.last):
                if line.start == repeat.first - 1:
                    start = begin - 1  # what a copy follows: the one before it
                elif line.start < repeat.first:
                    start = max(place for place in range(begin) if rows[place] == line.start)
                else:
                    start = begin + line.start - repeat.first
                lines.append((start, begin + line.end - repeat.first, line.changes))
        at = repeat.last
    assert [says[left[row]] for row in rows] == says
    found = [(line.start, line.end, line.changes) for line in trunk.shortcuts]
    assert sorted(lines) == sorted(found)


HOSTILE = ["<script>alert(1)</script>", "a&b\"'", "x" * 10_000, "\u202eolleh \u05d0\u05d1", "a\nb"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("style", ["volumes", "column", "table", "sheet"])
def test_hostile_names_are_text(name: str, style: str) -> None:
    network = named(name)
    figure = scene(style, network) if style == "volumes" else scene(style, network, network)
    assert list(violations(figure)) == []
    root = ElementTree.fromstring(write(figure, Options()))
    assert not [element for element in root.iter() if element.tag.endswith("script")]


def test_what_a_path_cannot_show_is_said() -> None:
    assert list(violations(scene("column", netc.loads("input 8x8x8x1; conv 4x3; gap; fc 2")))) == []
    with pytest.raises(FigureError, match="more than once"):
        scene("column", netc.loads("input 8x8x4; a: identity; conv 4x3; conv 4x3; x: identity\nfrom a; b: conv 4x1\n"
                                   "from x; add b; conv 4x3; add b; gap; fc 2"))  # fmt: skip


# -- bars and curves ----------------------------------------------------------------------------------------------


def test_what_joins_a_tensor_from_far_before_costs_where_it_stands() -> None:
    """As at the end of the encoder in a U-Net."""
    network = netc.loads("input 8x8x4; a: conv 8x3; pool 2; b: conv 16x3; c: deconv 4x2/2; concat a; conv 4x3")
    found = texts(bars(network.program))
    memory = found[found.index("9.7 kB in all") + 1 :][:6]
    assert memory == ["1.0 kB", "2.0 kB", "512 B", "1.0 kB", "4.1 kB", "1.0 kB"], "c: 4 channels, then 12"


def test_bars_are_as_long_as_the_costs() -> None:
    network = load("vgg16")
    figure = bars(network.program)
    (longest, *_) = sorted(
        (i for i in figure.walk() if isinstance(i, Rect) and i.look == "dense"), key=lambda i: -i.width
    )
    shorter = [i for i in figure.walk() if isinstance(i, Rect) and i.look == "dense" and i.x == longest.x]
    wanted = [network.cost.layers[name].trainable for name in ("fc1", "fc2", "fc3")]
    assert [i.width / longest.width for i in shorter if i.width > 14 or i.height == longest.height] == pytest.approx(
        [count / wanted[0] for count in wanted], abs=0.01
    )
    assert "138.4 M in all" in texts(figure)
    titles = ["parameters", *dict(PANELS)]
    assert [text for text in texts(figure) if text in titles] == titles


@pytest.mark.parametrize("spec", ["googlenet", "siamese", "unet", "densenet121", "resnet50"])
def test_geometry_of_bars(spec: str) -> None:
    figure = bars(load(spec).program)
    assert list(violations(figure)) == []
    assert well_formed(figure)


def drawn(figure: Scene, look: str) -> list[Path]:
    return [item for item in figure.walk() if isinstance(item, Path) and item.look == look and item.role == "curve"]


def test_curves_show_training_and_validation() -> None:
    rows = [{"epoch": e, "loss": 1 / e, "val_loss": 2 / e, "accuracy": 1 - 1 / e} for e in range(1, 11)]
    figure = curves(rows, "run")
    assert [len(list(path.points())) for path in drawn(figure, "train")] == [10, 10]
    (validation,) = drawn(figure, "validation")
    train = drawn(figure, "train")[0]
    assert all(v[1] < t[1] for v, t in zip(validation.points(), train.points(), strict=True)), "larger is higher"
    assert {"loss", "accuracy", "epoch"} <= set(texts(figure))
    assert list(violations(figure)) == []


def test_the_learning_rate_stands_after_what_came_of_it() -> None:
    figure = curves([{"epoch": e, "learning_rate": 0.1, "loss": 1 / e, "accuracy": 1 - 1 / e} for e in range(1, 4)])
    assert [text for text in texts(figure) if text.isidentifier() and text != "epoch"][:3] == [
        *("loss", "accuracy", "learning_rate"),
    ]


def test_learning_rates_stand_on_powers_of_ten() -> None:
    rates = [0.1, 0.01, 0.001]
    figure = curves([{"epoch": at, "learning_rate": rate} for at, rate in enumerate(rates)])
    (path,) = drawn(figure, "train")
    heights = [y for _, y in path.points()]
    assert heights[1] - heights[0] == pytest.approx(heights[2] - heights[1])
    assert {"0.1", "0.01", "0.001"} <= set(texts(figure))
    assert "0.04" in texts(curves([{"epoch": at, "learning_rate": at / 50} for at in range(6)])), "a warm-up from 0"


def test_curves_have_gaps_where_values_are_not_finite() -> None:
    losses = [3.0, 2.0, math.nan, 1.0, 0.9, math.inf, 0.5]
    figure = curves([{"step": at, "loss": loss} for at, loss in enumerate(losses)])
    assert [len(list(path.points())) for path in drawn(figure, "train")] == [2, 2]
    assert [item.look for item in figure.walk() if isinstance(item, Rect) and item.look.endswith("mark")] == [
        "train.mark"
    ]


@pytest.mark.parametrize("rows", [[], [{}], [{"epoch": 1.0}], [{"loss": math.nan}]])
def test_empty_log_has_no_curves(rows: list[dict[str, float]]) -> None:
    with pytest.raises(FigureError, match="no values"):
        curves(rows)


def test_long_log_is_a_small_figure() -> None:
    rows = [{"step": at, "loss": math.sin(at) + (at == 77_777) * 9} for at in range(100_000)]
    svg = write(curves(rows), Options())
    assert len(svg) < 50_000
    assert min(y for path in drawn(curves(rows), "train") for _, y in path.points()) < 110, "the peak is kept"


values = st.floats(allow_nan=True, allow_infinity=True)


@settings(deadline=None)
@given(
    st.lists(
        st.fixed_dictionaries({}, optional=dict.fromkeys(("epoch", "loss", "val_loss", "learning_rate", "é<&"), values))
    )
)
def test_any_log_is_drawn_or_refused(rows: list[dict[str, float]]) -> None:
    try:
        figure = curves(rows)
    except FigureError:
        return
    assert list(violations(figure)) == []
    assert well_formed(figure)
