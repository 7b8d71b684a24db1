"""The family sheet: silhouettes as deep and as wide as the networks are, and a chart whose marks stand where they cost."""

import math
from collections.abc import Sequence
from itertools import combinations, product
from pathlib import Path as File

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netc
from netc.cli import main
from netc.figures import FigureError, Options
from netc.figures.axis import FAR, Scale
from netc.figures.scene import Ellipse, Group, Polygon, Scene, Text
from netc.figures.styles import draw
from tests import figure_geometry
from tests.effort import effort
from tests.figure_samples import RESNETS, VGG, objects, scene, texts
from tests.specs import SPECS, load

MIXED = ("unet", "googlenet", "siamese", "resnet32", "mobilenetv2", "alexnet", "densenet121")


def outlines(figure: Scene, at: int) -> list[Polygon]:
    """The silhouette of the network that comes n-th."""
    groups = [group for name, group in objects(figure).items() if name.startswith(f"n{at}_")]
    return [item for group in groups for item in group.items if isinstance(item, Polygon)]


def marks(figure: Scene) -> list[Ellipse]:
    """The marks of the chart, in the order of the networks."""
    groups = sorted((int(name[1:-5]), group) for name, group in objects(figure).items() if name.endswith("_cost"))
    return [item for _, group in groups for item in group.items if isinstance(item, Ellipse)]


def violations(figure: Scene) -> list[str]:
    """What is wrong with the geometry, names on marks and silhouettes on each other included."""
    found = figure_geometry.violations(figure)
    said = [item for item in figure.walk() if isinstance(item, Text)]
    shapes = [item for item in figure.walk() if isinstance(item, Polygon | Ellipse)]
    found += [f"{t.text!r} lies on a mark" for t in said for s in shapes if t.box.overlaps(s.box)]
    found += [
        f"{a.box} meets {b.box}" for a, b in combinations(shapes, 2) if isinstance(a, Polygon) and a.box.overlaps(b.box)
    ]
    return found


@pytest.mark.parametrize(
    ("family", "page"),
    [
        *product((VGG, RESNETS), ({}, {"width": "7in"}, {"width": "3.35in"}, {"width": "7in", "height": "5in"})),
        (MIXED, {}),
        (MIXED, {"width": "84mm"}),
        (("resnet50",), {"bare": True}),
    ],
)
def test_geometry_of_families(family: Sequence[str], page: dict[str, str]) -> None:
    figure = scene("sheet", *map(load, family), **page)
    assert violations(figure) == []
    smallest = min(item.size for item in figure.walk() if isinstance(item, Text))
    assert smallest * figure.unit >= 6 - 1e-6
    if "width" in page:
        assert figure.width * figure.unit == pytest.approx(Options(**page).width, rel=1e-3)


@pytest.mark.parametrize("family", [VGG, RESNETS])
def test_silhouettes_are_as_high_as_networks_are_deep(family: Sequence[str]) -> None:
    """The depths of Simonyan & Zisserman 2014, Table 1, and of He et al. 2015, Table 1."""
    depths = {"vgg-a": 11, "vgg-a-lrn": 11, "vgg-b": 13, "vgg-c": 16, "vgg16": 16, "vgg19": 19} | {
        f"resnet{depth}": depth for depth in (18, 34, 50, 101, 152)
    }
    figure = scene("sheet", *map(load, family))
    heights = [sum(each.box.bottom - each.box.top for each in outlines(figure, at + 1)) for at in range(len(family))]
    layer = heights[0] / depths[family[0]]
    assert heights == pytest.approx([layer * depths[spec] for spec in family])


def test_silhouettes_are_as_wide_as_the_root_of_the_channels() -> None:
    """VGG-16: 64, 128, 256, 512, 512 and 4096; areas of rows compare as channels do."""
    widths = [each.box.right - each.box.left for each in outlines(scene("sheet", load("vgg16"), load("vgg19")), 1)]
    assert [(width / widths[0]) ** 2 for width in widths] == pytest.approx([1, 2, 4, 8, 8, 64], rel=0.05)


@pytest.mark.parametrize("family", [VGG, RESNETS])
def test_marks_stand_where_networks_cost(family: Sequence[str]) -> None:
    networks = [load(spec) for spec in family]
    found = marks(scene("sheet", *networks))
    totals = [network.cost.total for network in networks]
    for places, values in (
        ([mark.x for mark in found], [total.trainable for total in totals]),
        ([-mark.y for mark in found], [total.macs or 0 for total in totals]),
    ):
        far = max(values) >= FAR * min(values)
        shown = [math.log(value) for value in values] if far else [float(value) for value in values]
        steps = [(place - places[0], value - shown[0]) for place, value in zip(places, shown, strict=True)]
        ratio = steps[-1][0] / steps[-1][1]
        assert [place for place, _ in steps] == pytest.approx([ratio * value for _, value in steps], abs=0.01)
        assert ratio > 0
    areas = [mark.rx**2 / network.cost.depth for mark, network in zip(found, networks, strict=True)]
    assert areas == pytest.approx([areas[0]] * len(areas))


def test_open_sizes_are_in_no_chart() -> None:
    figure = scene("sheet", load("unet"), load("vgg16"), load("vgg19"))
    assert len(marks(figure)) == 2
    assert "not in the chart, since the size of its input is open: unet" in texts(figure)
    assert len(outlines(figure, 1)) == 9, "the levels of a U-Net, down and up"


def test_a_page_that_is_too_small_is_refused_with_what_would_do() -> None:
    networks = [load(spec) for spec in RESNETS]
    with pytest.raises(FigureError, match=r"expected at least ([\d.]+) in") as refused:
        scene("sheet", *networks, width="1in")
    least = str(refused.value).rsplit(" ", 2)[1]
    assert violations(scene("sheet", *networks, width=f"{least}in")) == []


values = st.floats(1, 1e12)


@given(st.lists(values, min_size=2, max_size=8))
def test_scales_hold_what_they_show(found: list[float]) -> None:
    scale = Scale.around(found)
    shares = [scale.share(value) for value in (*found, *scale.ticks)]
    assert all(-1e-9 <= share <= 1 + 1e-9 for share in shares)
    assert len(scale.ticks) >= 2
    assert sorted(found) == [value for _, value in sorted(zip(map(scale.share, found), found, strict=True))]


@effort(40)
@given(st.lists(st.integers(1, 12), min_size=2, max_size=9))
def test_names_lie_on_no_mark_of_any_family(widths: list[int]) -> None:
    """Networks that cost the same among them: their marks are in one place, their names are not."""
    made = [netc.loads(f"input 8x8x3; conv {each}x3; gap; fc 2", f"a{at}.net") for at, each in enumerate(widths)]
    figure = draw([network.program for network in made], "sheet")
    assert violations(figure) == []


def test_a_sweep_is_a_family(tmp_path: File) -> None:
    """He et al. 2015, Table 6: 20, 32, 44, 56 and 110 layers."""
    out = tmp_path / "sweep.svg"
    spec = str(SPECS / "resnet-cifar.net")
    assert main(["draw", spec, "--sweep", "n=3,5,7,9,18", "--style", "sheet", "-o", str(out)]) == 0
    text = out.read_text()
    assert [f"resnet_cifar n={n} · {6 * n + 2}" in text for n in (3, 5, 7, 9, 18)] == [True] * 5
    assert main(["draw", "-", "--sweep", "n=3,5", "--style", "sheet"]) == 2
    assert main(["draw", spec, "--sweep", "n=3,", "--style", "sheet"]) == 2
    assert main(["draw", spec, "--sweep", "n=3,5"]) != 0, "a graph is of one network"


def test_silhouettes_say_what_they_are() -> None:
    groups = [item for item in scene("sheet", load("vgg16")).walk() if isinstance(item, Group) and item.title]
    assert groups[0].title == "224×224: 2 layers, 64 channels"
    assert groups[0].line is not None
