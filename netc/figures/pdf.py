"""A scene as PDF, by ReportLab: one page of the scene's size, with the parts of the fonts that it uses.

What is painted is what `svg` says: coordinates there grow downwards, here upwards.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any

from netc.diagnostics.escape import harmless
from netc.figures.fonts import Font, Fonts, here
from netc.figures.painted import Painted, painted
from netc.figures.path_data import sides
from netc.figures.scene import Box, Ellipse, Path, Picture, Point, Polygon, Rect, Scene, Text, text_width
from netc.figures.styles import FigureError, need
from netc.figures.theme import LOOKS, Look, colour

if TYPE_CHECKING:
    from netc.figures.options import Options

LONGEST = 14_400  # points of a page's side, which is all that readers have to show (ISO 32000-1, annex C)
_HALO = 2.0  # user units: the width of the outline of a text with a halo
_TILE = 4.0  # user units between the lines of a texture
_THIN, _DOT = 0.6, 1.2  # their width, and that of dots
_SLANTS = {"hatch": -1, "back": 1}  # how much further down a line is for each unit to the right


def write(scene: Scene, options: Options, known: Fonts | None = None) -> bytes:
    """A scene as the content of a PDF file; the same bytes for the same scene and fonts. `auto` is light. Raises
    `FigureError` without the library, for a page that PDF cannot say, and for characters that no font has."""
    need("PDF", "reportlab")
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415 - only PDF needs it

    width, height = scene.width * scene.unit, scene.height * scene.unit
    if max(width, height) > LONGEST:
        raise FigureError(
            f"a PDF page is at most {LONGEST:,} points long, and this figure is {ceil(width):,} by {ceil(height):,}: "
            "collapse blocks, give --width and --height, or write SVG"
        )
    file = io.BytesIO()
    known = known or here()
    first, _ = known.runs("M")[0]  # a page of ReportLab begins with a font, which is not carried unless it is said
    canvas = Canvas(file, (width, height), pageCompression=1, invariant=1, initialFontName=first.name)  # no date in it
    canvas.setAuthor("")
    canvas.setTitle(harmless(scene.title))
    canvas.setSubject(harmless(scene.description))
    canvas.setCreator("netc")
    _Page(canvas, scene, options.theme, known).draw()
    canvas.save()
    return file.getvalue()


@dataclass
class _Page:
    canvas: Any
    scene: Scene
    theme: str
    fonts: Fonts
    runs: dict[tuple[str, bool], list[tuple[Font, str]]] = field(default_factory=dict)

    def draw(self) -> None:
        """Paint everything."""
        scene = self.scene
        self.canvas.setMiterLimit(4)  # that of SVG
        self._shape(Painted(Rect(0, 0, scene.width, scene.height), "paper", LOOKS["paper"]))
        for item in painted(scene.items):
            if isinstance(item, Painted):
                self._shape(item)

    def _at(self, point: Point) -> Point:
        return point[0] * self.scene.unit, (self.scene.height - point[1]) * self.scene.unit

    def _shape(self, item: Painted) -> None:
        match item.shape:
            case Text() as text:
                self._text(text, item.look)
            case Picture() as picture:
                self._picture(picture)
            case Path() as line:
                self._line(line, item)
            case Rect() | Ellipse() | Polygon() as area:
                self._paint(self._outline(area), item.look, area.box)

    def _outline(self, shape: Rect | Ellipse | Polygon) -> Any:
        path, unit = self.canvas.beginPath(), self.scene.unit
        match shape:
            case Rect(x, y, width, height, _, radius):
                left, bottom = self._at((x, y + height))
                if radius:
                    path.roundRect(left, bottom, width * unit, height * unit, min(radius, width / 2, height / 2) * unit)
                else:
                    path.rect(left, bottom, width * unit, height * unit)
            case Ellipse(x, y, rx, ry):
                left, bottom = self._at((x - rx, y + ry))
                path.ellipse(left, bottom, 2 * rx * unit, 2 * ry * unit)
            case Polygon(points):
                self._through(path, points[0], [(point,) for point in points[1:]])
                path.close()
        return path

    def _through(self, path: Any, start: Point, segments: Any) -> None:
        path.moveTo(*self._at(start))
        for segment in segments:
            points = [value for point in segment for value in self._at(point)]
            if len(segment) == 3:
                path.curveTo(*points)
            else:
                path.lineTo(*points)

    def _line(self, line: Path, item: Painted) -> None:
        path = self.canvas.beginPath()
        self._through(path, line.start, line.segments)
        self._paint(path, item.look, line.box)
        if not line.arrow:
            return
        (x, y), (back, other) = line.end, sides(line)
        head = self.canvas.beginPath()
        self._through(head, (x + back[0], y + back[1]), [((x, y),), ((x + other[0], y + other[1]),)])
        if line.filled:
            head.close()
            self._paint(head, LOOKS[item.head], line.box)
        else:
            self._paint(head, Look("", item.look.stroke, item.look.width), line.box)

    def _paint(self, path: Any, look: Look, box: Box) -> None:
        """Fill and outline; what is more than a colour is painted inside the outline."""
        plain = bool(look.fill)
        if look.fill:
            self.canvas.setFillColor(self._colour(look.fill))
        if look.stroke:
            self.canvas.setStrokeColor(self._colour(look.stroke))
            self.canvas.setLineWidth(look.width * self.scene.unit)
            self.canvas.setDash([float(part) * self.scene.unit for part in look.dash.split()])
        textured = look.texture and self.theme == "print"
        if look.to or textured:
            self.canvas.saveState()
            self.canvas.clipPath(path, stroke=0, fill=0)
            if textured:
                self._texture(look.texture, box)
            else:
                self._gradient(look, box)
            self.canvas.restoreState()
            plain = False
        if plain or look.stroke:
            self.canvas.drawPath(path, stroke=int(bool(look.stroke)), fill=int(plain))

    def _gradient(self, look: Look, box: Box) -> None:
        """From the lower left to the upper right of the box, and stretched as it is."""
        unit = self.scene.unit
        left, bottom = self._at((box.left, box.bottom))
        self.canvas.transform((box.right - box.left) * unit, 0, 0, (box.bottom - box.top) * unit, left, bottom)
        self.canvas.linearGradient(0, 0, 1, 1, [self._colour(look.fill), self._colour(look.to)])

    def _texture(self, texture: str, box: Box) -> None:
        """The ground in the colour that was set last, and over it lines, or dots as the round ends of dashes."""
        canvas, unit = self.canvas, self.scene.unit
        left, bottom = self._at((box.left, box.bottom))
        canvas.rect(left, bottom, (box.right - box.left) * unit, (box.bottom - box.top) * unit, stroke=0, fill=1)
        canvas.setStrokeColor(self._colour("texture"))
        dots = texture == "dots"
        canvas.setLineWidth((_DOT if dots else _THIN) * unit)
        canvas.setLineCap(int(dots))
        canvas.setDash([0, _TILE * unit] if dots else [])
        canvas.lines([(*self._at(start), *self._at(end)) for start, end in strokes(texture, box)])

    def _picture(self, picture: Picture) -> None:
        from reportlab.lib.utils import ImageReader  # noqa: PLC0415 - Pillow, which few figures need

        unit, (x, y), (dx, dy) = self.scene.unit, picture.corner, picture.down
        self.canvas.saveState()
        across = (picture.across[0] * unit, -picture.across[1] * unit)
        self.canvas.transform(*across, -dx * unit, dy * unit, *self._at((x + dx, y + dy)))
        self.canvas.drawImage(ImageReader(io.BytesIO(picture.png)), 0, 0, 1, 1, mask="auto")
        self.canvas.restoreState()

    def _text(self, text: Text, look: Look) -> None:
        """A text, no wider than it was planned: fonts that are wider than Arial are set narrower."""
        from reportlab.pdfbase.pdfmetrics import stringWidth  # noqa: PLC0415

        if not text.text:
            return
        key = (text.text, text.bold)
        runs = self.runs[key] if key in self.runs else self.runs.setdefault(key, self.fonts.runs(*key))
        size = text.size * self.scene.unit
        widths = [stringWidth(part, font.name, size) for font, part in runs]
        room = text_width(text.text, text.size, text.bold) * self.scene.unit
        narrower = min(1.0, room / sum(widths)) if sum(widths) else 1.0
        start = -{"start": 0.0, "middle": 0.5, "end": 1.0}[text.anchor] * sum(widths) * narrower
        self.canvas.saveState()
        self.canvas.translate(*self._at((text.x, text.y)))
        if text.turn:
            self.canvas.rotate(-text.turn)
        if text.halo:
            self.canvas.saveState()
            self.canvas.setLineWidth(_HALO * self.scene.unit)
            self.canvas.setLineJoin(1)
            self.canvas.setStrokeColor(self._colour("paper"))
            self._runs(runs, size, start, narrower, mode=1)
            self.canvas.restoreState()
        self.canvas.setFillColor(self._colour(look.fill or "ink"))
        self._runs(runs, size, start, narrower, mode=0)
        self.canvas.restoreState()

    def _runs(self, runs: list[tuple[Font, str]], size: float, start: float, narrower: float, mode: int) -> None:
        """Parts of a line one after the other; mode 0 fills the letters, 1 strokes them."""
        line = self.canvas.beginText(start, 0)
        line.setTextRenderMode(mode)
        if narrower < 1:
            line.setHorizScale(100 * narrower)
        for font, part in runs:
            line.setFont(font.name, size)
            line.textOut(part)
        self.canvas.drawText(line)

    def _colour(self, name: str) -> Any:
        from reportlab.lib.colors import HexColor  # noqa: PLC0415

        return HexColor(colour(name, self.theme))


def strokes(texture: str, box: Box) -> Iterator[tuple[Point, Point]]:
    """The lines of a texture over a box, where `svg` has them: of dots, the rows."""
    left, top, right, bottom = box
    if texture in _SLANTS:
        slant = _SLANTS[texture]
        ends = [y - slant * x for x in (left, right) for y in (top, bottom)]
        for at in _steps(min(ends), max(ends), _TILE * sqrt(2)):
            yield (left, at + slant * left), (right, at + slant * right)
    elif texture == "upright":
        yield from (((x, top), (x, bottom)) for x in _steps(left, right, _TILE))
    else:
        first = _TILE * ((left - _TILE / 2) // _TILE + 0.5)  # a dash begins at a dot
        yield from (((first, y), (right, y)) for y in _steps(top, bottom, _TILE))


def _steps(least: float, most: float, step: float) -> Iterator[float]:
    """Half a step and whole ones after it, as tiles from the origin have them."""
    for at in range(ceil(least / step - 0.5), ceil(most / step - 0.5)):
        yield (at + 0.5) * step
