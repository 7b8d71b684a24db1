"""Figures as PDF and PNG: the same picture as the SVG, with its own fonts and its size on a page."""

from __future__ import annotations

import io
import re
import struct
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netc
from netc.diagnostics.escape import harmless
from netc.figures import FigureError, svg
from netc.figures.options import Options
from netc.figures.scene import Box, Ellipse, Group, Item, Picture, Polygon, Rect, Scene, Text
from netc.figures.scene import Path as Line
from netc.figures.styles import STYLES
from netc.figures.theme import LOOKS, TEXTURE_NAMES, Look
from tests.needs import needs_poppler
from tests.paper import fonts as fonts_of
from tests.paper import pixels, sizes, words

pytest.importorskip("reportlab")
pytest.importorskip("resvg_py")

from netc.figures import fonts, pdf, png

SPECS = ("resnet32", "vgg16", "googlenet", "alexnet")
Stroke = tuple[tuple[float, float], tuple[float, float]]
VERA = fonts.Fonts((fonts.folders()[-1],))  # what ReportLab brings, and no more


@pytest.fixture(autouse=True)
def gradients_and_bare_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks that not every style has."""
    monkeypatch.setitem(LOOKS, "test.to", Look("conv", "conv.line", to="pool"))
    monkeypatch.setitem(LOOKS, "test.part", Look("dense"))
    monkeypatch.setitem(LOOKS, "test.bare", Look("norm", bare=True))


def everything() -> Scene:
    """A scene with every kind of shape, in every texture, turned and with halos, in a gradient, and in a group that
    gives some of them an outline."""
    items: list[Item] = [Rect(130, 150, 20, 60, "test.to"), Ellipse(340, 205, 30, 15, "test.to")]
    items.append(Group([Rect(160, 205, 30, 15), Rect(200, 205, 30, 15, "test.part"), Rect(240, 205, 30, 15, "test.bare")],
                       look="conv"))  # fmt: skip
    for at, look in enumerate(("pool", "norm", "activation", "regularise", "shape", "conv")):
        x = 10.0 + 60 * at
        items += [Rect(x, 10, 50, 40, look, 4), Text(x + 25, 34, look, 10, halo=True)]
        items += [
            Polygon([(x, 60), (x + 40, 70), (x + 50, 100), (x + 5, 95)], look),
            Ellipse(x + 25, 125, 20, 12, look),
        ]
    items.append(Line((10, 160), [((60, 160),), ((90, 160), (90, 180), (110, 190))], "grid.run", True, filled=True))
    items.append(Line((10, 190), [((60, 190),), ((90, 190), (90, 200), (110, 210))], "dotted", True))
    items.append(Line((10, 215), [((60, 215),)], "skip", True, head=9))
    items += [Text(180 + 45 * at, 190, "turned", 12, "middle", turn=turn) for at, turn in enumerate((0, 30, 90, 200))]
    return Scene(380, 230, items, "everything", "every kind of shape")


# -- one picture ----------------------------------------------------------------------------------------------


def differing(one: bytes, other: bytes) -> float:
    """The share of cells of 4 x 4 pixels that differ by more than antialiasing does."""
    from PIL import Image, ImageChops

    first, second = (Image.open(io.BytesIO(data)).convert("L") for data in (one, other))
    assert abs(first.width - second.width) <= 1
    assert abs(first.height - second.height) <= 1
    size = (min(first.width, second.width), min(first.height, second.height))
    cells = (size[0] // 4, size[1] // 4)
    small = [image.crop((0, 0, *size)).resize(cells, Image.Resampling.BOX) for image in (first, second)]
    histogram = ImageChops.difference(*small).histogram()
    return sum(histogram[48:]) / sum(histogram)


@needs_poppler
@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_pdf_shows_what_svg_shows(theme: str, tmp_path: Path) -> None:
    """Two programs that know nothing of each other paint the same pixels."""
    options = Options(theme=theme)
    scenes = [everything(), *(netc.load(f"specs/{spec}.net").draw(theme=theme).scene for spec in SPECS[:2])]
    for scene in scenes:
        (tmp_path / "a.pdf").write_bytes(pdf.write(scene, options))
        shown = png.render(svg.write(scene, options), 96)
        assert differing(pixels(tmp_path / "a.pdf", 96), shown) < 0.004
    emptied = [item for item in scenes[0].items if not isinstance(item, Ellipse)]
    (tmp_path / "b.pdf").write_bytes(pdf.write(Scene(380, 230, emptied, "", ""), options))
    shown = png.render(svg.write(scenes[0], options), 96)
    assert differing(pixels(tmp_path / "b.pdf", 96), shown) > 0.01, "the measure sees what is missing"


@needs_poppler
@pytest.mark.parametrize("style", STYLES)
def test_texts_of_a_pdf_stand_where_those_of_the_svg_do(style: str, tmp_path: Path) -> None:
    drawing = netc.load("specs/resnet32.net").draw(tmp_path / "a.pdf", style=style)
    found, unit = words(tmp_path / "a.pdf"), drawing.scene.unit
    assert sizes(tmp_path / "a.pdf")[0] == pytest.approx(
        (drawing.scene.width * unit, drawing.scene.height * unit), abs=0.01
    )
    texts = [item for item in drawing.scene.walk() if isinstance(item, Text) and not item.turn]
    assert len(texts) > 20
    for text in texts:
        first, last = text.text.split()[0], text.text.split()[-1]
        line = [word for word in found if word.top < text.y * unit < word.bottom + 0.1]
        ends = {
            "start": [text.x * unit - word.left for word in line if word.text.startswith(first)],
            "end": [text.x * unit - word.right for word in line if word.text.endswith(last)],
            "middle": [
                text.x * unit - (one.left + other.right) / 2
                for one in line if one.text.startswith(first) for other in line if other.text.endswith(last)
            ],
        }[text.anchor]  # fmt: skip
        assert min(map(abs, ends), default=99) < 0.5, text


@needs_poppler
def test_texts_in_wider_fonts_stay_in_their_room(tmp_path: Path) -> None:
    """Vera is a quarter wider than Arial."""
    texts = [
        Text(10, 20.0 + 20 * at, "WWW mmm 3x3 conv", 12, "start", bold=bold) for at, bold in enumerate((False, True))
    ]
    (tmp_path / "a.pdf").write_bytes(pdf.write(Scene(300, 60, list(texts), "", ""), Options(), VERA))
    found = words(tmp_path / "a.pdf")
    assert len(found) == 8
    assert all("Vera" in name for name in fonts_of(tmp_path / "a.pdf"))
    for text in texts:
        right = max(word.right for word in found if word.top < text.y * 0.75 < word.bottom)
        assert right <= text.box.right * 0.75 + 0.3


@pytest.mark.parametrize("texture", TEXTURE_NAMES)
@given(left=st.floats(-50, 50), top=st.floats(-50, 50), width=st.floats(5, 60), height=st.floats(5, 60))
def test_the_lines_of_a_texture_cover_the_box_at_one_distance(
    texture: str, left: float, top: float, width: float, height: float
) -> None:
    """Every point of the box has a line within half a tile; moving the box moves no line."""
    box = Box(left, top, left + width, top + height)
    lines = list(pdf.strokes(texture, box))
    for x, y in ((left + width / 3, top + height / 3), (left + 1, top + height - 1), (left + width - 1, top + 1)):
        distances = []
        for (x1, y1), (x2, y2) in lines:
            length = ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5
            distances.append(abs((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)) / length)
        assert min(distances) <= 4.001
    wider = Box(left - 3, top - 3, left + width + 3, top + height + 3)
    again = list(pdf.strokes(texture, wider))
    assert all(any(_on_one_line(line, other) for other in again) for line in lines)


def _on_one_line(one: Stroke, other: Stroke) -> bool:
    (x1, y1), (x2, y2) = other
    return all(abs((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)) < 1e-4 for x, y in one)


def test_pictures_are_carried() -> None:
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGBA", (3, 2), (255, 0, 0, 128)).save(file, "PNG")
    scene = Scene(50, 50, [Picture((10, 10), (20, 5), (0, 20), file.getvalue())], "", "")
    made = pdf.write(scene, Options())
    assert b"/Subtype /Image" in made
    assert made == pdf.write(scene, Options())


# -- files of their own ---------------------------------------------------------------------------------------


@needs_poppler
@pytest.mark.parametrize("style", STYLES)
def test_fonts_are_in_the_file(style: str, tmp_path: Path) -> None:
    netc.load("specs/vgg16.net").draw(tmp_path / "a.pdf", style=style, theme="print")
    found = fonts_of(tmp_path / "a.pdf")
    assert found
    assert set(found.values()) == {(True, True)}, found


def test_the_same_figure_is_the_same_pdf() -> None:
    made = [netc.load("specs/googlenet.net").draw().render(".pdf") for _ in range(2)]
    assert made[0] == made[1]
    assert b"/CreationDate (D:2000" in made[0]


def test_a_page_is_exactly_as_wide_as_it_was_asked_for() -> None:
    made = netc.load("specs/resnet32.net").draw(width="3.3in", theme="print").render(".pdf")
    (box,) = re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", made)
    assert float(box[0]) == pytest.approx(3.3 * 72, abs=1e-3)


def test_a_page_longer_than_readers_show_is_refused() -> None:
    with pytest.raises(FigureError, match=r"at most 14,400 points long, and this figure is .* collapse blocks"):
        pdf.write(Scene(100, 20_000, [], "", ""), Options())


@given(st.text(st.sampled_from("aZ ×²₂·→−⌈é頳网ж\u0301\U00012000\U0010fffd\u202e"), max_size=8), st.booleans())
@settings(deadline=None)  # fonts are opened when they are needed first
def test_each_character_is_set_in_a_font_that_has_it(text: str, bold: bool) -> None:
    """Or the error names it; what is set is what was asked for."""
    known = fonts.here()
    said = ""
    try:
        runs = known.runs(text, bold)
    except FigureError as error:
        runs, said = [], str(error)
    for font, part in runs:
        assert {ord(character) for character in part} <= font.characters
    shown = unicodedata.normalize("NFC", harmless(text))
    assert "".join(part for _, part in runs) == ("" if said else shown)
    assert not said or any(f"U+{ord(character):04X}" in said for character in shown)


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("a → b", r"has → \(U\+2192\) in 'a → b': install"),
        ("\u0634\u0628\u0643\u0629", r"from left to right, and cannot set .*U\+0628"),
        ("\u0928\u0947", r"cannot set .*U\+0947"),
    ],
    ids=["missing", "right to left", "marks"],
)
def test_what_no_font_has_is_named(title: str, said: str) -> None:
    with pytest.raises(FigureError, match=said):
        pdf.write(Scene(100, 20, [Text(0, 10, title)], "", ""), Options(), VERA)


def test_a_figure_needs_no_font_of_the_machine() -> None:
    """What ReportLab brings is enough for the figures of papers."""
    for spec in SPECS:
        assert pdf.write(netc.load(f"specs/{spec}.net").draw().scene, Options(), VERA).startswith(b"%PDF")


@needs_poppler
def test_a_title_of_a_spec_stays_text_in_the_file(tmp_path: Path) -> None:
    """Brackets and line ends in it close nothing of the file."""
    text, title = "x) Tj /Launch (y", "a)\nendobj (\u202e"
    (tmp_path / "a.pdf").write_bytes(pdf.write(Scene(200, 20, [Text(100, 10, text)], title, title), Options()))
    told = subprocess.run(["pdfinfo", tmp_path / "a.pdf"], capture_output=True, text=True, check=True).stdout
    assert "Title:           a)\\nendobj (\\u202e\n" in told
    assert [word.text for word in words(tmp_path / "a.pdf")] == text.split()


# -- PNG ------------------------------------------------------------------------------------------------------


def resolution(data: bytes) -> tuple[int, int, float]:
    """Width and height in pixels, and pixels an inch as the file says them."""
    width, height = struct.unpack(">II", data[16:24])
    at = data.index(b"pHYs")
    across, down, metre = struct.unpack(">IIB", data[at + 4 : at + 13])
    assert across == down
    assert metre == 1
    return width, height, across * 0.0254


@pytest.mark.parametrize(
    ("options", "dpi"),
    [
        ({}, 192),
        ({"theme": "print"}, 300),
        ({"width": "3.3in"}, 300),
        ({"dpi": 77}, 77),
        ({"width": "7in", "dpi": 150}, 150),
    ],
)
def test_a_png_says_its_resolution(options: dict[str, object], dpi: int) -> None:
    from PIL import Image

    drawing = netc.load("specs/resnet32.net").draw(**options)
    data = drawing.render(".png")
    assert isinstance(data, bytes)
    width, height, said = resolution(data)
    assert said == pytest.approx(dpi, abs=0.02)
    inches = [side * drawing.scene.unit / 72 for side in (drawing.scene.width, drawing.scene.height)]
    assert (width / said, height / said) == pytest.approx(inches, abs=1.5 / dpi)
    image = Image.open(io.BytesIO(data))
    image.load()  # checks the sums of the parts
    assert image.info["dpi"] == pytest.approx((dpi, dpi), abs=0.02)


def test_too_many_pixels_are_refused_with_how_many_would_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(png, "LARGEST", 200_000)
    tall = svg.write(Scene(100, 1000, [], "", ""), Options(theme="light"))
    with pytest.raises(FigureError, match=r"of 2000 dpi would have more than 200,000 pixels: expected at most 135 dpi"):
        png.render(tall, 2000)
    assert resolution(png.render(tall))[2] == pytest.approx(96, abs=0.02), "that of the screen where 192 is too much"


def test_characters_that_would_be_boxes_are_named() -> None:
    import resvg_py

    rare = "\U00012000"  # cuneiform
    if png._drawn(resvg_py, rare) != png._drawn(resvg_py, "\U0010fffd"):
        pytest.skip("this machine has a font of cuneiform")
    with pytest.raises(FigureError, match=r"no font on this machine has .* \(U\+12000\)"):
        netc.load("specs/vgg16.net").draw(title=f"a {rare}").render(".png")
