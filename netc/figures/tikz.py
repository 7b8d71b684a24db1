"""A scene as TikZ: a `tikzpicture` that a paper inputs, with the paper's own font, its colours and looks defined once
by name, and every group a scope under a comment of its name.

Coordinates are big points (1/72 inch) from the upper left corner, y down, so that the picture is as large as the page
that was asked for. Texts come from specs: they are escaped (`latex.escape`), and stand nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from netc.figures.latex import comment, escape, foreign
from netc.figures.painted import Closed, Opened, Painted, painted
from netc.figures.path_data import sides
from netc.figures.scene import Ellipse, Path, Picture, Point, Polygon, Rect, Scene, Text, text_width
from netc.figures.styles import FigureError
from netc.figures.theme import LOOKS, Look, colour

if TYPE_CHECKING:
    from netc.figures.options import Options

LONGEST = 16_000  # points: what TeX can say of a length, and some
_DEEPEST = 30  # scopes in each other; TeX has 255 levels of groups for everything
_PATTERNS = {
    "hatch": "north east lines",
    "back": "north west lines",
    "level": "horizontal lines",
    "upright": "vertical lines",
    "dots": "dots",
}
_ANCHORS = {"start": "base west", "middle": "base", "end": "base east"}
# Sizes for which TeX's own fonts are drawn; others are the nearest of these, scaled.
_SIZES = (5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 10.95, 12.0, 14.4, 17.28, 20.74, 24.88)
_BP = 72.27 / 72  # TeX's points of a big point
_AROUND = ((1, 0), (0.7, 0.7), (0, 1), (-0.7, 0.7), (-1, 0), (-0.7, -0.7), (0, -1), (0.7, -0.7))
# A text at most so wide: narrower letters where the document's font is wider than planned.
_FITTED = r"\def\netcfit#1#2{\setbox0\hbox{#2}\ifdim\wd0>#1\resizebox{#1}{\height}{\copy0}\else\copy0\fi}"
# A text over copies of it in the colour of the paper, a distance around it.
_HALO = r"\def\netchalo#1#2#3{\setbox1\hbox{\netcfit{#2}{#3}}{\color{netc-paper}COPIES}\copy1}"


def write(scene: Scene, options: Options) -> str:
    """A scene as a `tikzpicture`; `auto` is light. Raises `FigureError` for a picture in it, and for more than TeX can
    say."""
    width, height = scene.width * scene.unit, scene.height * scene.unit
    if max(width, height) * _BP > LONGEST:
        raise FigureError(
            f"TeX has no lengths above {LONGEST:,} points, and this figure is {width:,.0f} by {height:,.0f}: collapse "
            "blocks, or give --width and --height"
        )
    return "\n".join(_Writer(scene, options.theme).lines()) + "\n"


@dataclass
class _Writer:
    scene: Scene
    theme: str
    looks: dict[str, Look] = field(default_factory=dict)  # those in use, by name
    colours: set[str] = field(default_factory=lambda: {"ink", "paper"})
    fonts: dict[tuple[float, bool], str] = field(default_factory=dict)  # size in points, bold -> style

    def lines(self) -> Iterator[str]:
        scene, body = self.scene, list(self._body())
        width, height = (number(side * scene.unit) for side in (scene.width, scene.height))
        yield from self._head()
        yield r"\begin{tikzpicture}[x=1bp,y=-1bp,miter limit=4]"
        yield from self._definitions()
        yield rf"\useasboundingbox (0,0) rectangle ({width},{height});"
        yield from body
        yield r"\end{tikzpicture}%"

    def _head(self) -> Iterator[str]:
        """How to include it, for whoever opens the file."""
        inches = self.scene.width * self.scene.unit / 72
        libraries = {
            "patterns": any(self._textured(look) for look in self.looks.values()),
            "shadings": any(look.to and not self._textured(look) for look in self.looks.values()),
        }
        needed = ",".join(name for name, used in libraries.items() if used)
        preamble = r"\usepackage{tikz}" + (rf" \usetikzlibrary{{{needed}}}" if needed else "")
        yield f"% {comment(self.scene.title)}: {comment(self.scene.description)}"
        yield f"% Drawn by netc, {inches:.2f} in wide. In the preamble: {preamble}"
        yield r"% In the document: \begin{figure} \centering \input{THIS FILE} \caption{...} \end{figure}"
        document = r"\begin{document} \input{THIS FILE} \end{document}"
        yield rf"% Alone: \documentclass{{standalone}} {preamble} {document}"
        texts = "".join(item.text for item in self.scene.walk() if isinstance(item, Text))
        if found := sorted(foreign(texts)):
            listed = " ".join(f"U+{ord(character):04X}" for character in found)
            yield f"% It has characters for which LuaLaTeX or XeLaTeX and a font that has them are needed: {listed}"

    def _definitions(self) -> Iterator[str]:
        for look in self.looks.values():
            texture = "texture" if self._textured(look) else ""
            self.colours.update(filter(None, (look.fill, look.stroke, look.to, texture)))
        for name in sorted(self.colours):
            yield rf"\definecolor{{{_named(name)}}}{{HTML}}{{{colour(name, self.theme)[1:].upper()}}}"
        for name, look in sorted({_between(look): look for look in self.looks.values() if look.to}.items()):
            yield rf"\colorlet{{{name}}}{{{_named(look.fill)}!50!{_named(look.to)}}}"
        yield r"\tikzset{"
        for name, look in sorted(self.looks.items()):
            yield f"  {_style(name)}/.style={{{','.join(self._attributes(look))}}},"
        for (size, bold), style in sorted(self.fonts.items()):
            base = _nearest(size)
            weight = r"\bfseries" if bold else ""
            font = rf"\fontsize{{{number(base)}}}{{{number(base * 1.2)}}}{weight}\selectfont"
            scale = round(size * _BP / base, 4)
            yield f"  {style}/.style={{inner sep=0,outer sep=0,text=netc-ink,font={font},scale={scale:g}}},"
        yield "}"
        yield _FITTED
        if any(isinstance(item, Text) and item.halo for item in self.scene.walk()):
            copies = "".join(
                rf"\rlap{{\kern{number(x)}\dimexpr#1\relax\raise{number(y)}\dimexpr#1\relax\copy1}}" for x, y in _AROUND
            )
            yield _HALO.replace("COPIES", copies)

    def _attributes(self, look: Look) -> Iterator[str]:
        fill, unit = _named(look.fill), self.scene.unit
        if self._textured(look):
            yield f"preaction={{fill={fill}}},pattern={_PATTERNS[look.texture]},pattern color=netc-texture"
        elif look.to:
            to, between = _named(look.to), _between(look)
            yield f"shade,lower left={fill},lower right={between},upper left={between},upper right={to}"
        elif look.fill:
            yield f"fill={fill}"
        if look.stroke:
            yield f"draw={_named(look.stroke)},line width={number(look.width * unit)}bp"
        if look.dash:
            lengths = [number(float(part) * unit) for part in look.dash.split()]
            parts = (f"{'off' if at % 2 else 'on'} {length}bp" for at, length in enumerate(lengths))
            yield f"dash pattern={' '.join(parts)}"

    def _textured(self, look: Look) -> bool:
        return bool(look.texture) and self.theme == "print"

    def _body(self) -> Iterator[str]:
        if colour("paper", self.theme) != "#ffffff":
            yield from self._shape(Painted(Rect(0, 0, self.scene.width, self.scene.height), "paper", LOOKS["paper"]))
        depth = 0
        for item in painted(self.scene.items):
            match item:
                case Opened(group):
                    depth += 1
                    yield (r"\begin{scope} % " if depth <= _DEEPEST else "% ") + comment(group.name)
                case Closed():
                    if depth <= _DEEPEST:
                        yield r"\end{scope}"
                    depth -= 1
                case Painted():
                    yield from self._shape(item)

    def _shape(self, item: Painted) -> Iterator[str]:
        match item.shape:
            case Text() as text:
                yield from self._text(text, item.look)
                return
            case Picture():
                raise FigureError("TikZ cannot carry a picture: leave --image out, or write PDF, which can")
            case Path() as line:
                yield from self._line(line, item)
                return
            case Rect(x, y, width, height, _, radius):
                radius = min(radius, width / 2, height / 2)
                corners = f"[rounded corners={number(radius * self.scene.unit)}bp] " if radius else ""
                path = f"{corners}{self._at((x, y))} rectangle {self._at((x + width, y + height))}"
            case Ellipse(x, y, rx, ry):
                radii = (number(radius * self.scene.unit) for radius in (rx, ry))
                path = "{} ellipse [x radius={}bp,y radius={}bp]".format(self._at((x, y)), *radii)
            case Polygon(points):
                path = " -- ".join(map(self._at, points)) + " -- cycle"
        yield rf"\path[{self._use(item.name, item.look)}] {path};"

    def _line(self, line: Path, item: Painted) -> Iterator[str]:
        style = self._use(item.name, item.look)
        path = self._at(line.start) + "".join(map(self._segment, line.segments))
        (x, y), (back, other) = line.end, sides(line)
        head = " -- ".join(map(self._at, [(x + back[0], y + back[1]), (x, y), (x + other[0], y + other[1])]))
        if not line.arrow:
            yield rf"\path[{style}] {path};"
        elif line.filled:
            yield rf"\path[{style}] {path};"
            yield rf"\path[{self._use(item.head, LOOKS[item.head])}] {head} -- cycle;"
        elif item.look.dash:
            yield rf"\path[{style}] {path};"
            yield rf"\path[{style},solid] {head};"
        else:
            yield rf"\path[{style}] {path} {head};"

    def _segment(self, segment: Sequence[Point]) -> str:
        if len(segment) == 3:
            return " .. controls {} and {} .. {}".format(*map(self._at, segment))
        return f" -- {self._at(segment[-1])}"

    def _text(self, text: Text, look: Look) -> Iterator[str]:
        if not text.text:
            return
        size = round(text.size * self.scene.unit, 3)
        style = self.fonts.setdefault((size, text.bold), f"netc {number(size)}{' bold' if text.bold else ''} pt")
        options = [style, f"anchor={_ANCHORS[text.anchor]}"]
        if look.fill and look.fill != "ink":
            self.colours.add(look.fill)
            options.append(f"text={_named(look.fill)}")
        options += [f"rotate={number(-text.turn)}"] if text.turn else []
        scale = size * _BP / _nearest(size)
        room = f"{number(text_width(text.text, size, text.bold) / scale)}bp"
        content = rf"\netcfit{{{room}}}{{{escape(text.text)}}}"
        if text.halo:
            content = rf"\netchalo{{{number(self.scene.unit / scale)}bp}}{{{room}}}{{{escape(text.text)}}}"
        yield rf"\node[{','.join(options)}] at {self._at((text.x, text.y))} {{{content}}};"

    def _use(self, name: str, look: Look) -> str:
        self.looks[name] = look
        return _style(name)

    def _at(self, point: Point) -> str:
        return f"({number(point[0] * self.scene.unit)},{number(point[1] * self.scene.unit)})"


def number(value: float) -> str:
    """A length or a coordinate, to a thousandth: `12`, `0.75`, `-3.5`."""
    return f"{round(value, 3) + 0.0:.3f}".rstrip("0").rstrip(".")


def _named(name: str) -> str:
    """What a colour is called in LaTeX: xcolor takes neither points nor nothing."""
    return f"netc-{name.replace('.', '-') or 'other'}"


def _between(look: Look) -> str:
    """What the colour in the middle of a gradient is called."""
    return f"{_named(look.fill)}-{_named(look.to)}"


def _style(name: str) -> str:
    return f"netc {name.replace('.', ' ') or 'other'}"


def _nearest(size: float) -> float:
    """The size of a font of TeX, in its points, that is nearest to so many big points."""
    return min(_SIZES, key=lambda known: abs(known - size * _BP))
