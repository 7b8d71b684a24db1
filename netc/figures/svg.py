"""A scene as SVG: one element a line, nothing outside the file, the same bytes for the same scene.

Every shape carries its colours as plain attributes, which every renderer understands. The theme `auto` adds classes
and rules for browsers on dark paper, inside `@supports(color:var(--c))`: renderers that are no browsers read the rules
of a media query whatever the paper is, and skip those.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby

from netc.diagnostics.escape import harmless
from netc.figures.options import Options
from netc.figures.path_data import head, head_alone, line, number
from netc.figures.scene import (
    PIXEL,
    Ellipse,
    Group,
    Item,
    Path,
    Picture,
    Polygon,
    Rect,
    Scene,
    Stamp,
    Template,
    Text,
    moved,
)
from netc.figures.theme import LOOKS, Look, colour

FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"
# Textures of print: a tile of 4 units, turned for lines that slant.
_LINE = '<path d="M0 2h4" stroke="{}" stroke-width=".6"/>'
_TEXTURES = {
    **dict.fromkeys(("hatch", "back", "level", "upright"), _LINE),
    "dots": '<circle cx="2" cy="2" r=".6" fill="{}"/>',
}
_TURNS = {
    "hatch": ' patternTransform="rotate(-45)"',
    "back": ' patternTransform="rotate(45)"',
    "upright": ' patternTransform="rotate(90)"',
    "level": "",
    "dots": "",
}
_PRINT = "print-"  # before the ids of textures in a page whose theme can be switched
_DASHES = re.compile(r' stroke-dasharray="[^"]*"')
_REFERENCES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
_MARKUP = re.compile('[&<>"]')
_ANCHOR = "middle"  # what the root says, and texts need not repeat


def write(scene: Scene, options: Options, *, styled: bool = True) -> str:
    """A scene as the text of an SVG file. Ids begin with `options.id_prefix`; `options.link` is linked to from every
    object that knows its line. The theme `auto` brings its style sheet, unless a page has it (`rules`)."""
    return "\n".join(_Writer(scene, options, styled).lines()) + "\n"


def rules(scene: Scene, theme: str) -> Iterator[str]:
    """The style sheet that shows a scene, written in the theme `auto`, in another one."""
    return _Writer(scene, Options()).rules(theme)


def textures(scene: Scene) -> Iterator[str]:
    """The patterns that the style sheet of the theme `print` fills shapes with."""
    return _Writer(scene, Options(theme="print", id_prefix=_PRINT)).paints()


def escape(text: str) -> str:
    """A text from anywhere as text or attribute of XML, never as markup; what does not print is shown as an escape."""
    if text.isprintable() and not _MARKUP.search(text):
        return text
    lines = (harmless(line) for line in text.split("\n"))
    return "&#10;".join(_MARKUP.sub(lambda found: _REFERENCES[found.group()], line) for line in lines)


@dataclass(slots=True)
class _Run:
    """Shapes in a row that look the same; what they share is said once, by a group around them."""

    items: Sequence[Item]
    shared: str


@dataclass(slots=True)
class _Lines:
    """Lines that look the same: one element, and each of them on a line of its own."""

    paths: Sequence[Path]
    shared: str
    filled: str  # how filled heads look

    def elements(self) -> Iterator[str]:
        """The lines, and after them the heads that look otherwise: those of dashed ones are not dashed, some are
        filled."""
        solid = _DASHES.sub("", self.shared)
        dashed = solid != self.shared
        yield from _element(self.shared, [_data(path, headless=dashed or path.filled) for path in self.paths])
        arrows = [path for path in self.paths if path.arrow]
        for look, heads in (
            (solid, [head_alone(path) for path in arrows if dashed and not path.filled]),
            (self.filled, [head_alone(path) for path in arrows if path.filled]),
        ):
            if heads:
                yield from _element(look, heads)


@dataclass(slots=True)
class _Level:
    """An open element: what is left in it, and how it ends."""

    items: Iterator[Item | _Run | _Lines]
    closing: str = ""
    shared: bool = False  # its items say nothing of their look


@dataclass
class _Writer:
    scene: Scene
    options: Options
    styled: bool = True  # with the style sheet of its theme
    looks: dict[str, str] = field(default_factory=dict)  # look -> its attributes
    templates: dict[str, Template] = field(default_factory=dict)  # those that are defined
    size: float = 12.0  # of most texts, which the root says

    def lines(self) -> Iterator[str]:
        scene, theme = self.scene, self.options.theme
        width, height = number(scene.width), number(scene.height)
        across, down = (number(side * scene.unit / PIXEL) for side in (scene.width, scene.height))
        owner = ' class="netc"' if theme == "auto" else ""
        sizes = Counter(item.size for item in scene.walk() if isinstance(item, Text))
        self.size = max(sizes, key=lambda size: (sizes[size], size), default=self.size)
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{across}" height="{down}" viewBox="0 0 {width} {height}"'
            f'{owner} role="graphics-document document" font-family="{FONT}" font-size="{number(self.size)}"'
            f' text-anchor="{_ANCHOR}"'
            f' fill="{colour("ink", theme)}">'
        )
        yield f"<title>{escape(scene.title)}</title>"
        yield f"<desc>{escape(scene.description)}</desc>"
        _, self.templates = self._used
        if theme == "auto" and self.styled:
            yield "<style>@supports(color:var(--c)){@media(prefers-color-scheme:dark){"
            yield from self.rules("dark")
            yield "}}</style>"
        yield from self._definitions()
        yield f'<rect{self._look("paper")} width="{width}" height="{height}"/>'
        yield from self._items(scene.items)
        yield "</svg>"

    @cached_property
    def _used(self) -> tuple[list[str], dict[str, Template]]:
        """Looks, and the templates that are shown more than once: sorted."""
        looks: set[str] = {"paper"}
        counts: Counter[str] = Counter()
        templates: dict[str, Template] = {}
        for item in self.scene.walk():
            if isinstance(item, Stamp):
                counts[item.template.key] += 1
                templates[item.template.key] = item.template
                continue
            looks.add(item.look)
            if self._filled(item):
                looks.add(f"{item.look}.head")
        for template in templates.values():
            looks.update([template.look, *(inner.look for inner in template.items)])
        return sorted(looks - {""}), {key: templates[key] for key in sorted(templates) if counts[key] > 1}

    def rules(self, theme: str) -> Iterator[str]:
        """What looks are in a theme, as rules of a style sheet. Each asks for one class and for nothing around it: a
        shape that `use` shows has no elements around it (SVG 2, section 5.5)."""
        yield f".netc{{fill:{colour('ink', theme)}}}"
        if any(isinstance(item, Text) and item.halo for item in self.scene.walk()):
            yield f".n-halo{{stroke:{colour('paper', theme)}}}"
        for name in self._used[0]:
            look = LOOKS[name]
            fill = "" if look.to or not look.fill else colour(look.fill, theme)
            if theme == "print" and look.texture:
                fill = f"url(#{_PRINT}-{_class(name)})"
            pairs = (("fill", fill), ("stroke", colour(look.stroke, theme) if look.stroke else ""))
            rule = ";".join(f"{key}:{value}" for key, value in pairs if value)
            if rule:
                yield f".{_class(name)}{{{rule}}}"
            if look.to:
                ends = zip(("from", "to"), (look.fill, look.to), strict=True)
                yield from (f".{_class(name)}-{end}{{stop-color:{colour(value, theme)}}}" for end, value in ends)

    def paints(self) -> Iterator[str]:
        """Textures and gradients of the looks that are used."""
        found = [element for name in self._used[0] for element in self._paint(name)]
        return iter(sorted(found, key=lambda element: not element.startswith("<pattern")))

    def _definitions(self) -> Iterator[str]:
        paints = list(self.paints())
        if not self.templates and not paints:
            return
        yield "<defs>"
        yield from paints
        for key, template in self.templates.items():
            attributes = f' id="{self._id("-" + key)}"{self._look(template.look)}'
            if len(template.items) == 1:
                (item,) = template.items
                yield self._shape(item, attributes + self._look(item.look))
                continue
            yield f"<g{attributes}>"
            yield from self._items(template.items)
            yield "</g>"
        yield "</defs>"

    def _paint(self, name: str) -> Iterator[str]:
        """What a look is filled with, where it is more than a colour: a gradient, or in print a texture."""
        look, theme, identity = LOOKS[name], self.options.theme, self._id("-" + _class(name))
        if theme == "print" and look.texture:
            ground, ink = colour(look.fill, theme), colour("texture", theme)
            yield (
                f'<pattern id="{identity}" width="4" height="4" patternUnits="userSpaceOnUse"{_TURNS[look.texture]}>'
                f'<rect width="4" height="4" fill="{ground}"/>{_TEXTURES[look.texture].format(ink)}</pattern>'
            )
        elif look.to:
            stops = []
            for end, value, offset in (("from", look.fill, ""), ("to", look.to, ' offset="1"')):
                owner = f' class="{_class(name)}-{end}"' if theme == "auto" else ""
                stops.append(f'<stop{owner}{offset} stop-color="{colour(value, theme)}"/>')
            yield f'<linearGradient id="{identity}" y1="1" x2="1" y2="0">{"".join(stops)}</linearGradient>'

    def _id(self, name: str) -> str:
        return escape(self.options.id_prefix + name)

    def _look(self, name: str) -> str:
        """The attributes of a look."""
        if name not in self.looks:
            look = LOOKS[name]
            plain = look.to and not look.stroke and not look.texture  # the colours of a gradient are those of its stops
            owner = f' class="{_class(name)}"' if self.options.theme == "auto" and not plain else ""
            paint = f"url(#{self._id('-' + _class(name))})" if any(self._paint(name)) else ""
            pairs = _attributes(look, self.options.theme, paint)
            self.looks[name] = owner + "".join(f' {key}="{value}"' for key, value in pairs) if name else ""
        return self.looks[name]

    def _own(self, item: Item) -> str:
        """The attributes that say how a shape, or a group of lines, looks. Those of a text are said by the root, where
        they are usual."""
        if isinstance(item, Stamp) or (isinstance(item, Group) and not _is_lines(item)):
            return ""
        more = self._look(item.look)
        if isinstance(item, Text):
            more = self._haloed(more) if item.halo else more
            more += "" if item.anchor == _ANCHOR else f' text-anchor="{item.anchor}"'
            more += "" if item.size == self.size else f' font-size="{number(item.size)}"'
            more += ' font-weight="bold"' if item.bold else ""
        return more

    def _haloed(self, own: str) -> str:
        """The attributes of a text's look, and those of an outline in the colour of the paper."""
        if self.options.theme == "auto":
            own = own.replace(' class="', ' class="n-halo ', 1) if own else ' class="n-halo"'
        paper = colour("paper", self.options.theme)
        return f'{own} stroke="{paper}" stroke-width="2" stroke-linejoin="round" paint-order="stroke"'

    def _items(self, items: Iterable[Item]) -> Iterator[str]:
        """The elements of items. Iterative: groups may be nested deeply."""
        stack = [_Level(self._runs(items))]
        while stack:
            level = stack[-1]
            item = next(level.items, None)
            if item is None:
                stack.pop()
                if level.closing:
                    yield level.closing
            elif isinstance(item, _Run):
                yield f"<g{item.shared}>"
                stack.append(_Level(iter(item.items), "</g>", shared=True))
            elif isinstance(item, _Lines):
                yield from item.elements()
            elif isinstance(item, Group):
                opening, closing = self._group(item)
                yield opening
                if item.title:
                    yield "<title>" + "\n".join(map(escape, item.title.split("\n"))) + "</title>"
                inner = iter(item.items) if item.name else self._runs(item.items)
                stack.append(_Level(inner, closing))
            elif isinstance(item, Stamp) and item.template.key not in self.templates:
                stack.append(_Level(iter(self._in_place(item))))
            else:
                yield self._shape(item, "" if level.shared else self._own(item))

    def _runs(self, items: Iterable[Item]) -> Iterator[Item | _Run | _Lines]:
        """Items, those joined that stand in a row and look the same."""
        for (shared, _), alike in groupby(items, lambda item: (self._own(item), getattr(item, "look", ""))):
            run = list(alike)
            if not shared or (len(run) == 1 and not isinstance(run[0], Group | Path)):
                yield from run
                continue
            shapes = [shape for item in run for shape in (item.items if isinstance(item, Group) else (item,))]
            paths = [shape for shape in shapes if isinstance(shape, Path)]
            if len(paths) == len(shapes):
                yield _Lines(paths, shared, next(filter(None, map(self._filled, run)), ""))
            else:
                yield _Run(shapes, shared)

    def _filled(self, item: Item) -> str:
        """How filled heads of lines look; nothing for what has no look of its own."""
        if isinstance(item, Stamp) or not item.look:
            return ""
        paths = item.items if isinstance(item, Group) else (item,)
        is_filled = any(isinstance(path, Path) and path.filled for path in paths)
        return self._look(f"{item.look}.head") if is_filled else ""

    def _in_place(self, stamp: Stamp) -> list[Item]:
        """The shapes of a template that is shown once."""
        items = [moved(item, stamp.x, stamp.y) for item in stamp.template.items]
        return [Group(items, look=stamp.template.look)] if stamp.template.look else items

    def _group(self, group: Group) -> tuple[str, str]:
        attributes = f' id="{self._id(group.name)}"' if group.name else ""
        if group.role in ("box", "slab") and group.title:
            attributes += ' role="graphics-symbol img"'
        if group.line is not None:
            attributes += f' data-line="{group.line}"'
        if group.span is not None:
            attributes += f' data-span="{group.span}"'
        attributes += "".join(f' data-{key}="{escape(value)}"' for key, value in group.data.items())
        attributes += self._look(group.look)
        if group.line is None or not group.name or self.options.link is None:
            return f"<g{attributes}>", "</g>"
        return f'<a href="{escape(f"{self.options.link}#L{group.line}")}"><g{attributes}>', "</g></a>"

    def _shape(self, item: Item, attributes: str) -> str:
        match item:
            case Rect(x, y, width, height, _, radius):
                corner = f' rx="{number(radius)}"' if radius else ""
                return f'<rect{attributes}{_at(x, y)} width="{number(width)}" height="{number(height)}"{corner}/>'
            case Polygon(points):
                return f'<path{attributes} d="{line(points[0], [(point,) for point in points[1:]])}z"/>'
            case Path():
                return "\n".join(_Lines([item], attributes, self._filled(item)).elements())
            case Ellipse(x, y, rx, ry):
                radii = f' r="{number(rx)}"' if rx == ry else f' rx="{number(rx)}" ry="{number(ry)}"'
                element = "circle" if rx == ry else "ellipse"
                return f"<{element}{attributes}{_at(x, y, 'cx', 'cy')}{radii}/>"
            case Picture(corner, right, below, png):
                place = " ".join(f"{value:.4g}" for value in (*right, *below, *corner))
                data = b64encode(png).decode("ascii")
                return (
                    f'<image{attributes} width="1" height="1" preserveAspectRatio="none" '
                    f'transform="matrix({place})" href="data:image/png;base64,{data}"/>'
                )
            case Stamp(x, y, template):
                return f'<use href="#{self._id("-" + template.key)}"{_at(x, y)}/>'
            case Text(x, y, text):
                place = _at(x, y)
                if item.turn:
                    place = f' transform="translate({number(x)} {number(y)})rotate({number(item.turn)})"'
                return f"<text{attributes}{place}>{escape(text)}</text>"
        raise TypeError(f"{type(item).__name__} is no shape")


def _at(x: float, y: float, across: str = "x", down: str = "y") -> str:
    """Where a shape is; 0 is what an absent attribute means."""
    pairs = ((across, number(x)), (down, number(y)))
    return "".join(f' {key}="{value}"' for key, value in pairs if value != "0")


def _is_lines(group: Group) -> bool:
    """Whether a group is no more than lines of one look."""
    plain = group.look and group.items and not (group.name or group.title or group.line or group.data)
    return bool(plain) and all(isinstance(item, Path) and not item.look for item in group.items)


def _data(path: Path, *, headless: bool = False) -> str:
    return line(path.start, path.segments) + (head(path) if path.arrow and not headless else "")


def _element(attributes: str, data: Sequence[str]) -> Iterator[str]:
    """A path element of several lines."""
    first, *others = data
    ending = '"/>'
    yield f'<path{attributes} d="{first}' + ("" if others else ending)
    yield from others[:-1]
    yield from (last + ending for last in others[-1:])


def _class(look: str) -> str:
    """The class of a look; the prefix keeps it apart from those of a page that holds the figure."""
    return f"n-{look.replace('.', '-') or 'plain'}"


def _attributes(look: Look, theme: str, paint: str) -> Iterator[tuple[str, str]]:
    yield "fill", paint or (colour(look.fill, theme) if look.fill else "none")
    if look.bare:
        yield "stroke", "none"
    if not look.stroke:
        return
    yield "stroke", colour(look.stroke, theme)
    if look.width != 1:
        yield "stroke-width", number(look.width)
    if look.dash:
        yield "stroke-dasharray", look.dash
