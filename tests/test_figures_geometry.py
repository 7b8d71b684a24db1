"""No edge crosses a box, no text leaves its box, nothing overlaps: in every figure of every spec, and of random ones.
`python -m tests.figure_geometry` looks at many more."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netc
from netc.figures import FigureError, Options
from netc.figures.scene import Group, Polygon, Rect, Scene, Stamp, Template, Text
from netc.figures.scene import Path as Line
from netc.figures.styles import STYLES, draw
from netc.program import Program
from tests.effort import effort
from tests.figure_geometry import bodies, in_the_air, random_net, violations
from tests.random_networks import compiled, networks
from tests.specs import SAMPLE_FILES

VARIANTS = [
    Options(),
    Options(collapse="none", shapes="all"),
    Options(collapse="all", expand=True),
    Options(direction="lr"),
    Options(direction="lr", collapse="none", expand=True, shapes="all"),
    Options(columns=4, collapse="none"),
    Options(width="7in"),
    Options(width="3.3in", shapes="all"),
    Options(width="3.3in", collapse="none"),
    Options(width="7in", direction="lr"),
]


def wrong(program: Program, options: Options) -> list[str]:
    """What is wrong with a graph; nothing where its page is refused as too small."""
    try:
        scene = draw([program], "graph", options)
    except FigureError:
        assert options.width is not None
        return []
    if options.width is not None:
        assert scene.width * scene.unit == pytest.approx(options.width, abs=0.1)
        assert min(item.size for item in scene.walk() if isinstance(item, Text)) * scene.unit > 5.999
    return violations(scene) + in_the_air(scene)


def test_what_is_wrong_is_seen() -> None:
    """The test itself: one of each fault in a scene."""

    def box(name: str, x: float, y: float, text: str = "") -> Group:
        return Group([Rect(x, y, 100, 20, "conv"), Text(x + 50, y + 14, text)], name=name, role="box")

    def pool(name: str, x: float, y: float, text: str) -> Group:
        shape = Template("pool", [Polygon([(0, 0), (100, 0), (70, 20), (30, 20)], "pool")])
        return Group([Stamp(x, y, shape), Text(x + 50, y + 14, text)], name=name, role="box")

    scene = Scene(
        400,
        300,
        [
            box("a", 10, 10, "x" * 40),
            box("b", 60, 20),
            box("c", 350, 200),
            pool("narrow", 200, 100, "y" * 12),
            pool("wide", 200, 130, "yyyy"),
            pool("passed", 200, 160, ""),
            Group([Line((290, 175), [((340, 175),)]), Line((270, 162), [((340, 162),)])], look="edge"),
            Text(50, 100, "label"),
            Text(60, 102, "another"),
            Group([Rect(40, 150, 100, 100, "frame"), Text(130, 200, "count")], role="frame"),
            Group([Line((0, 25), [((400, 25),)])], look="edge"),
            Group([Line((20, 40), [((30, 40),), ((30, 90 + y),), ((40, 90 + y),)]) for y in (0, 20)], look="skip"),
        ],
        "",
        "",
    )
    found = "\n".join(violations(scene) + in_the_air(scene))
    for fault in ("'xxx", "b overlaps a", "c leaves the sheet", "'another' overlaps 'label'", "lies on the border",
                  "crosses a", "crosses b", "narrow: 'yyy", "(340, 162) crosses passed", "two shortcuts run on x=30", "in the air, at (0, 25)"):  # fmt: skip
        assert fault in found, (fault, found)
    for right in ("wide", "(340, 175)", "in the air, at (270, 162)"):  # beside a slanted side is outside
        assert right not in found, (right, found)


@pytest.mark.parametrize("path", SAMPLE_FILES, ids=lambda path: path.stem)
def test_every_graph_of_every_spec(path: Path) -> None:
    program = netc.load(path).program
    for options in VARIANTS:
        assert wrong(program, options) == [], options


@pytest.mark.parametrize(
    ("path", "style"), [*product(SAMPLE_FILES, sorted(set(STYLES) - {"graph"}))], ids=lambda x: getattr(x, "stem", x)
)
def test_every_other_style_of_every_spec(path: Path, style: str) -> None:
    try:
        scene = draw([netc.load(path).program], style)
    except FigureError:
        return  # a network that the style refuses with words (tests/test_figures_styles.py says which)
    assert violations(scene) == []


@effort(60)
@given(bodies(), bodies() | st.just(""), st.sampled_from(VARIANTS))
def test_random_networks(body: str, after: str, options: Options) -> None:
    net = random_net(body, after)
    if net is not None:
        assert wrong(net.program, options) == []


@effort(25)
@given(networks(), st.sampled_from(VARIANTS))
def test_random_networks_of_all_layers(text: str, options: Options) -> None:
    program = compiled(text)
    assert program is not None
    assert wrong(program, options) == []


@pytest.mark.parametrize("style", sorted(STYLES))
def test_a_network_that_is_next_to_nothing(style: str) -> None:
    assert violations(netc.loads("input 4\ntanh").draw(style=style).scene) == []
