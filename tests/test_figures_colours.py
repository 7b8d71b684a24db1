"""The colours of figures, by computation: contrast, and what those who see no red or no green can tell apart."""

from __future__ import annotations

from itertools import combinations

import pytest

from netc.figures.theme import KINDS, SLABS, TEXTURES, colour
from tests.colour_vision import DICHROMATS, contrast, delta_e, difference, seen

PAPERS = ("light", "dark", "print")
# Pairs of Sharma, Wu & Dalal 2005, "The CIEDE2000 Color-Difference Formula", table 1, with their differences.
PAIRS = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0011), 7.2195),
    ((50.0, 2.5000, 0.0), (61.0, -5.0, 29.0), 22.8977),
    ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.mark.parametrize(("one", "other", "published"), PAIRS)
def test_differences_are_the_published_ones(one: tuple[float, ...], other: tuple[float, ...], published: float) -> None:
    assert delta_e(one, other) == pytest.approx(published, abs=5e-5)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_greys_look_the_same_to_everybody() -> None:
    for by in DICHROMATS:
        assert difference(seen("#808080", by), "#808080") < 0.5
    assert difference(seen("#ff0000", "deuteranopia"), seen("#00a000", "deuteranopia")) < difference(
        "#ff0000", "#00a000"
    )


@pytest.mark.parametrize("theme", PAPERS)
def test_each_kind_has_readable_text_and_a_visible_outline(theme: str) -> None:
    for kind in KINDS:
        fill, outline = colour(kind, theme), colour(f"{kind}.line", theme)
        assert contrast(colour("ink", theme), fill) >= 7, kind
        assert contrast(outline, colour("paper", theme)) >= 3, kind
        assert contrast(outline, fill) >= 3, kind


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("by", ["normal", *DICHROMATS])
def test_any_two_kinds_are_told_apart(theme: str, by: str) -> None:
    kinds = [kind for kind in KINDS if kind]  # the one without a name is white as an input is
    for one, other in combinations(kinds, 2):
        assert difference(seen(colour(one, theme), by), seen(colour(other, theme), by)) >= 10, (one, other)


def test_kinds_of_one_grey_in_print_have_different_textures() -> None:
    looks = [(colour(kind, "print"), TEXTURES.get(kind, "")) for kind in KINDS if kind not in ("", "merge")]
    assert len(set(looks)) == len(looks)  # a merge is a white circle


@pytest.mark.parametrize("theme", PAPERS)
def test_lines_are_seen_on_the_paper(theme: str) -> None:
    for line in ("edge", "skip", "down", "up", "copy"):
        assert contrast(colour(line, theme), colour("paper", theme)) >= 4.5, line


# -- volumes -----------------------------------------------------------------------------------------------------------

FRONTS = [kind for kind in SLABS if kind not in ("input", "stripe", "copy", "softmap", "shape")]  # those are no kinds


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("by", ["normal", *DICHROMATS])
def test_any_two_fronts_of_slabs_are_told_apart(theme: str, by: str) -> None:
    for one, other in combinations(FRONTS, 2):
        pair = (seen(colour(f"v.{kind}", theme), by) for kind in (one, other))
        assert difference(*pair) >= 10, (one, other)


@pytest.mark.parametrize("theme", PAPERS)
def test_what_is_written_on_slabs_is_read(theme: str) -> None:
    for kind in ("conv", "stripe", "up", "copy"):
        assert contrast(colour("v.text", theme), colour(f"v.{kind}", theme)) >= 7, kind
    for kind in set(SLABS) - {"stripe"}:
        assert contrast(colour(f"v.{kind}.on", theme), colour(f"v.{kind}.near", theme)) >= 4.5, kind  # it stands there


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_light_falls_on_slabs_from_above(theme: str) -> None:
    paper, white = colour("paper", theme), "#ffffff"
    for kind in SLABS:
        top, front = (contrast(white, colour(f"v.{kind}{face}", theme)) for face in (".top", ""))
        near, far = (contrast(white, colour(f"v.{kind}.{face}", theme)) for face in ("near", "far"))
        assert top < front or front < 1.3, kind
        assert far <= near, kind
        assert top < near, kind
    assert contrast(colour("v.link", theme), paper) >= 4.5
