"""The figure of a text as it is, or as it was when it last worked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netc.figures.drawing import Drawing
from netc.figures.options import Options
from netc.figures.scene import Group
from netc.figures.styles import AUTO, FigureError
from netc.server.document import Document

MOST = 5_000  # layers of a network that is drawn while it is written


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as SVG, and the `style` it is in; `old` where it is of an older version than the text.

    `error` says why there is no newer one, or none at all (`svg` is empty then), in one line; it stands in `line` of
    the text (from 1), where it is one of the text. `objects` are the nodes that each object is drawn for, by its `id`.
    """

    svg: str = ""
    style: str = ""
    old: bool = False
    error: str = ""
    line: int | None = None
    objects: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def figure(document: Document, style: str = AUTO, options: Options | None = None) -> Figure:
    """The figure of `good`. Never raises on what a text says; ValueError for a style that there is not.

    The objects of the figure carry their node as `id`, and `data-line` and `data-span`, places of the text as it was
    then: `places` says where they are now.
    """
    good, error, line = document.good, "", None
    if document.is_old:
        error, line = why(document)
    if good is None:
        return Figure(error=error, line=line)
    if len(good.program.net) > MOST:
        return Figure(error=f"more than {MOST:,} layers are not drawn while they are written: `netc draw` does it")
    drawing = Drawing((good.program,), style, options or Options())
    try:
        return Figure(drawing.svg, drawing.chosen, document.is_old, error, line, _objects(drawing))
    except FigureError as refused:
        return Figure(error=error or str(refused), line=line, old=document.is_old)


def _objects(drawing: Drawing) -> dict[str, tuple[str, ...]]:
    groups = (item for item in drawing.scene.walk() if isinstance(item, Group))
    return {group.name: tuple(node.name for node in group.nodes) for group in groups if group.name and group.nodes}


def why(document: Document) -> tuple[str, int | None]:
    """Why a text that does not work has no figure."""
    found = document.now.error
    if found is None:
        return "the file makes no network: it holds definitions only", None
    here = found.span is not None and found.span.source is document.now.source
    return f"{found.code}: {found.message}", found.span.line if here and found.span else None
