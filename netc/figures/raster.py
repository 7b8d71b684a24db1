"""SVG as PNG and as PDF, by libraries that need only pip (the extra `netc[figures]`).

resvg (through resvg-py) draws what browsers draw. svglib with ReportLab keeps text as text, in the fonts that every
PDF reader has.
"""

from __future__ import annotations

import io
from typing import Any

from netc import needs
from netc.figures.styles import FigureError

ZOOM = 2  # pixels of a PNG for one of the figure
LARGEST = 200_000_000  # pixels of a PNG
_PROBE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
    '<text x="2" y="16" font-family="Arial, sans-serif" font-size="16">{}</text></svg>'
)


def png(svg: str) -> bytes:
    """The PNG of an SVG at twice its size. Raises `FigureError` without the library, or without any font."""
    _need("PNG", "resvg_py")
    import resvg_py  # noqa: PLC0415

    if _render(resvg_py, _PROBE.format("M")) == _render(resvg_py, _PROBE.format(" ")):
        raise FigureError("PNG needs a font, and this machine has none: install Liberation Sans, or write SVG or PDF")
    width, height = _size(svg)
    zoom = ZOOM if width * height * ZOOM * ZOOM <= LARGEST else 1
    if width * height * zoom * zoom > LARGEST:
        raise FigureError(f"a PNG of {width} x {height} pixels is too large: collapse blocks, or write SVG or PDF")
    return _render(resvg_py, svg, zoom=zoom)


def _render(resvg: Any, svg: str, **more: int) -> bytes:
    return bytes(resvg.svg_to_bytes(svg_string=svg, sans_serif_family="Liberation Sans", **more))


def _size(svg: str) -> tuple[int, int]:
    from xml.etree import ElementTree  # noqa: PLC0415 - only here

    root = ElementTree.fromstring(svg)
    return round(float(root.attrib["width"])), round(float(root.attrib["height"]))


def pdf(svg: str, title: str) -> bytes:
    """The PDF of an SVG, one page of its size. Raises `FigureError` without the libraries."""
    _need("PDF", "svglib", "reportlab")
    from reportlab.graphics import renderPDF  # noqa: PLC0415
    from reportlab.pdfgen.canvas import Canvas  # noqa: PLC0415
    from svglib.svglib import svg2rlg  # noqa: PLC0415

    drawing = svg2rlg(io.BytesIO(svg.encode()))
    if drawing is None:
        raise FigureError("svglib cannot read the figure")
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(drawing.width, drawing.height), invariant=1)  # no date: the same bytes
    canvas.setTitle(title)
    renderPDF.draw(drawing, canvas, 0, 0)
    canvas.save()
    return file.getvalue()


def _need(what: str, *modules: str) -> None:
    try:
        needs.require(what, *modules)
    except ModuleNotFoundError as error:
        raise FigureError(str(error)) from None
