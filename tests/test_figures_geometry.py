"""No edge crosses a box, no text leaves its box, nothing overlaps: in every figure of every spec, and of random ones."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import netc
from netc.figures import FigureError, Options
from netc.figures.styles import STYLES, draw
from tests.figure_geometry import violations

SPECS = sorted(Path("specs").glob("*.net"))
VARIANTS = [
    Options(),
    Options(collapse="none", shapes="all"),
    Options(collapse="all", expand=True),
    Options(direction="lr"),
    Options(direction="lr", collapse="none", expand=True, shapes="all"),
    Options(columns=4, collapse="none"),
]


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_every_graph_of_every_spec(path: Path) -> None:
    program = netc.load(path).program
    for options in VARIANTS:
        assert violations(draw([program], "graph", options)) == [], options


@pytest.mark.parametrize(
    ("path", "style"), [*product(SPECS, sorted(set(STYLES) - {"graph"}))], ids=lambda x: getattr(x, "stem", x)
)
def test_every_other_style_of_every_spec(path: Path, style: str) -> None:
    try:
        scene = draw([netc.load(path).program], style)
    except FigureError:
        return  # a network that the style refuses with words (tests/test_figures_paper.py says which)
    assert violations(scene) == []


# -- random networks: statements that keep the shape, so that all can be joined ------------------------------

LAYERS = ["conv 8x3 relu", "bn; relu; conv 8x3", "conv 8x3 bn relu", "dropout 0.5", "bn", "relu", "pool 3/1"]


@st.composite
def bodies(draw: Any, depth: int = 0, labels: tuple[str, ...] = ()) -> str:
    lines, known = [], list(labels)
    for _ in range(draw(st.integers(1, 4 if depth else 6))):
        kinds = ["layer", "layer", "join", "from", "label"] + ["branches", "repeat"] * (depth < 3)
        kind = draw(st.sampled_from(kinds))
        if kind == "layer":
            lines.append(draw(st.sampled_from(LAYERS)))
        elif kind == "label":
            name = f"l{draw(st.integers(0, 10**9))}"
            lines.append(f"{name}: conv 8x1")
            known.append(name)
        elif kind == "join" and known:
            lines.append(f"add {draw(st.sampled_from(known))}")
        elif kind == "from" and known:
            lines.append(f"add {{ | from {draw(st.sampled_from(known))} | identity }}")
        elif kind == "branches":
            joined = draw(
                st.lists(
                    st.one_of(st.just("identity"), st.just("conv 8x1"), bodies(depth + 1, tuple(known))),
                    min_size=2,
                    max_size=4,
                )
            )
            lines.append("add {\n" + "".join(f"| {branch}\n" for branch in joined) + "}")
        elif kind == "repeat":
            lines.append(f"repeat {draw(st.integers(1, 3))} {{\n{draw(bodies(depth + 1, tuple(known)))}\n}}")
    return "\n".join(lines) or "relu"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies(), st.sampled_from(VARIANTS))
def test_random_networks(body: str, options: Options) -> None:
    try:
        net = netc.loads(f"input 8x8x8\n{body}\ngap; fc 3 softmax")
    except netc.SpecError:
        return  # labels of one branch in another are refused in a few forms
    assert violations(draw([net.program], "graph", options)) == []
