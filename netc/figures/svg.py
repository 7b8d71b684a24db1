"""A scene as SVG: one element a line, nothing outside the file, the same bytes for the same scene.

Every shape carries its colours as plain attributes, which every renderer understands. The theme `auto` adds classes
and rules for browsers on dark paper, inside `@supports(color:var(--c))`: renderers that are no browsers read the rules
of a media query whatever the paper is, and skip those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import hypot
from typing import TYPE_CHECKING

from netc.diagnostics.escape import harmless
from netc.figures.scene import Group, Item, Path, Point, Polygon, Rect, Scene, Stamp, Text
from netc.figures.theme import LOOKS, Look, colour

if TYPE_CHECKING:
    from netc.figures.options import Options

FONT = "Arial, 'Liberation Sans', Helvetica, sans-serif"
_TEXT = {"anchor": "middle", "size": 12.0}  # what the root says, and texts need not repeat
_HEAD = (3.0, 5.0)  # half the width and the length of an arrow's head, two strokes of the line itself


def write(scene: Scene, options: Options) -> str:
    """A scene as the text of an SVG file. Ids begin with `options.id_prefix`; `options.link` is linked to from every
    object that knows its line."""
    return "\n".join(_Writer(scene, options).lines()) + "\n"


def number(value: float) -> str:
    """A coordinate, to a tenth of a pixel, in its shortest form."""
    text = f"{value:.1f}"
    text = text[:-2] if text.endswith(".0") else text
    return "0" if text == "-0" else text


def escape(text: str) -> str:
    """A text from anywhere as text or attribute of XML, never as markup; what does not print is shown as an escape."""
    lines = (harmless(line) for line in text.split("\n"))
    whole = "&#10;".join(line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;") for line in lines)
    return whole.replace('"', "&quot;")


@dataclass(slots=True)
class _Writer:
    scene: Scene
    options: Options

    def lines(self) -> Iterator[str]:
        scene, theme = self.scene, self.options.theme
        width, height = number(scene.width), number(scene.height)
        owner = ' class="netc"' if theme == "auto" else ""
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
            f'{owner} role="graphics-document document" font-family="{FONT}" font-size="12" text-anchor="middle"'
            f' fill="{colour("ink", theme)}">'
        )
        yield f"<title>{escape(scene.title)}</title>"
        yield f"<desc>{escape(scene.description)}</desc>"
        used, templates = self._used()
        if theme == "auto":
            yield from _rules(used)
        yield from self._definitions(templates)
        yield f'<rect{self._look("paper")} width="{width}" height="{height}"/>'
        yield from self._items(scene.items)
        yield "</svg>"

    def _used(self) -> tuple[list[str], dict[str, Stamp]]:
        """Looks and templates that the scene shows, sorted."""
        looks: set[str] = {"paper"}
        templates: dict[str, Stamp] = {}
        for item in self.scene.walk():
            if isinstance(item, Stamp):
                templates[item.template.key] = item
            else:
                looks.add(item.look)
        for stamp in templates.values():
            looks.update([stamp.template.look, *(inner.look for inner in stamp.template.items)])
        return sorted(looks - {""}), dict(sorted(templates.items()))

    def _definitions(self, templates: dict[str, Stamp]) -> Iterator[str]:
        if not templates:
            return
        yield "<defs>"
        for key, stamp in templates.items():
            yield f'<g id="{self._id("-" + key)}"{self._look(stamp.template.look)}>'
            yield from self._items(stamp.template.items)
            yield "</g>"
        yield "</defs>"

    def _id(self, name: str) -> str:
        return escape(self.options.id_prefix + name)

    def _look(self, name: str) -> str:
        """The attributes of a look."""
        if not name:
            return ""
        look, theme = LOOKS[name], self.options.theme
        owner = f' class="{_class(name)}"' if theme == "auto" else ""
        return owner + "".join(f' {key}="{value}"' for key, value in _attributes(look, theme))

    def _items(self, items: Iterable[Item]) -> Iterator[str]:
        """The elements of items. Iterative: groups may be nested deeply."""
        stack: list[tuple[Iterator[Item], str]] = [(iter(items), "")]
        dashed = False
        while stack:
            inner, closing = stack[-1]
            item = next(inner, None)
            if item is None:
                stack.pop()
                if closing:
                    yield closing
                continue
            if not isinstance(item, Group):
                yield self._shape(item, dashed)
                if isinstance(item, Path) and item.arrow and dashed:
                    yield f'<path stroke-dasharray="none" d="M{_point(item.end)}{_head(item)}"/>'
                continue
            dashed = bool(item.look and LOOKS[item.look].dash)
            opening, closing = self._group(item)
            yield opening
            if item.title:
                yield f"<title>{escape(item.title)}</title>"
            stack.append((iter(item.items), closing))

    def _group(self, group: Group) -> tuple[str, str]:
        attributes = f' id="{self._id(group.name)}"' if group.name else ""
        if group.role in ("box", "slab") and group.title:
            attributes += ' role="graphics-symbol img"'
        if group.line is not None:
            attributes += f' data-line="{group.line}"'
        if group.span is not None:
            attributes += f' data-span="{group.span[0]}-{group.span[1]}"'
        attributes += "".join(f' data-{key}="{escape(value)}"' for key, value in group.data.items())
        attributes += self._look(group.look)
        if group.line is None or not group.name or self.options.link is None:
            return f"<g{attributes}>", "</g>"
        return f'<a href="{escape(f"{self.options.link}#L{group.line}")}"><g{attributes}>', "</g></a>"

    def _shape(self, item: Item, dashed: bool) -> str:
        match item:
            case Rect(x, y, width, height, look, radius):
                place = f' x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
                return f"<rect{self._look(look)}{place}" + (f' rx="{number(radius)}"/>' if radius else "/>")
            case Polygon(points, look):
                return f'<path{self._look(look)} d="{_line(points[0], [(point,) for point in points[1:]])}z"/>'
            case Path(start, segments, look, arrow):
                head = _head(item) if arrow and not dashed else ""
                return f'<path{self._look(look)} d="{_line(start, segments)}{head}"/>'
            case Stamp(x, y, template):
                return f'<use href="#{self._id("-" + template.key)}" x="{number(x)}" y="{number(y)}"/>'
            case Text(x, y, text, size, anchor, look, bold):
                more = self._look(look)
                more += "" if anchor == _TEXT["anchor"] else f' text-anchor="{anchor}"'
                more += "" if size == _TEXT["size"] else f' font-size="{number(size)}"'
                more += ' font-weight="bold"' if bold else ""
                return f'<text{more} x="{number(x)}" y="{number(y)}">{escape(text)}</text>'
        raise TypeError(f"{type(item).__name__} is no shape")


def _class(look: str) -> str:
    """The class of a look; the prefix keeps it apart from those of a page that holds the figure."""
    return f"n-{look.replace('.', '-') or 'plain'}"


def _attributes(look: Look, theme: str) -> Iterator[tuple[str, str]]:
    yield "fill", colour(look.fill, theme) if look.fill else "none"
    if not look.stroke:
        return
    yield "stroke", colour(look.stroke, theme)
    if look.width != 1:
        yield "stroke-width", number(look.width)
    if look.dash:
        yield "stroke-dasharray", look.dash


def _rules(used: Iterable[str]) -> Iterator[str]:
    """The style sheet of the theme `auto`: what changes on dark paper. Each rule asks for one class and for nothing
    around it: a shape that `use` shows has no elements around it (SVG 2, section 5.5)."""
    yield "<style>@supports(color:var(--c)){@media(prefers-color-scheme:dark){"
    yield f".netc{{fill:{colour('ink', 'dark')}}}"
    for name in used:
        pairs = (("fill", LOOKS[name].fill), ("stroke", LOOKS[name].stroke))
        rule = ";".join(f"{key}:{colour(value, 'dark')}" for key, value in pairs if value)
        yield f".{_class(name)}{{{rule}}}"
    yield "}}</style>"


def _line(start: Point, segments: Iterable[tuple[Point, ...]]) -> str:
    """Path data; straight segments along an axis in their short form."""
    parts = [f"M{_point(start)}"]
    last = (number(start[0]), number(start[1]))
    for segment in segments:
        x, y = number(segment[-1][0]), number(segment[-1][1])
        if len(segment) == 3:
            parts.append("C" + " ".join(map(_point, segment)))
        elif x == last[0]:
            parts.append(f"V{y}")
        elif y == last[1]:
            parts.append(f"H{x}")
        else:
            parts.append(f"L{x},{y}")
        last = (x, y)
    return "".join(parts)


def _head(path: Path) -> str:
    """The two strokes of an arrow's head, from one side over the tip to the other."""
    before = path.segments[-1][-2] if len(path.segments[-1]) > 1 else path.start
    if len(path.segments[-1]) == 1 and len(path.segments) > 1:
        before = path.segments[-2][-1]
    dx, dy = path.end[0] - before[0], path.end[1] - before[1]
    length = hypot(dx, dy) or 1.0
    (x, y), (wide, long) = (dx / length, dy / length), _HEAD
    back = (-x * long - y * wide, -y * long + x * wide)
    other = (-x * long + y * wide, -y * long - x * wide)
    return f"m{_point(back)}l{_point((-back[0], -back[1]))}l{_point(other)}"


def _point(point: Point) -> str:
    return f"{number(point[0])},{number(point[1])}"
