"""SVG as PNG, by resvg (through resvg-py), which draws what browsers draw."""

from __future__ import annotations

import struct
import zlib
from functools import cache
from math import floor, sqrt
from typing import Any
from xml.etree import ElementTree

from netc.figures.styles import FigureError, need

SCREEN, PAPER = 192, 300  # pixels an inch, where nobody asks for another number
LARGEST = 200_000_000  # pixels of a PNG
_CSS = 96  # pixels of an SVG an inch
_INCH = 0.0254  # metres
_PROBE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
    '<text x="2" y="16" font-family="Arial, sans-serif" font-size="16">{}</text></svg>'
)
_TEXT = "{http://www.w3.org/2000/svg}text"
_BRACKETS = frozenset("⌈⌉⌊⌋")
_WITH_BRACKETS = "DejaVu Sans, Segoe UI Symbol, Apple Symbols, sans-serif"  # resvg would take a font with serifs
_NOBODYS = "\U0010fffd"  # a private character, for which fonts show what they show for one that they lack


def render(svg: str, dpi: int | None = None, *, usual: int = SCREEN) -> bytes:
    """The PNG of an SVG with so many pixels an inch, which it says (pHYs). Without `dpi` it has the `usual` number, or
    those of the SVG where that would be too large. Raises `FigureError` without the library, for too many pixels, and
    for characters that no font has."""
    need("PNG", "resvg_py")
    import resvg_py  # noqa: PLC0415 - only PNG needs it

    if _drawn(resvg_py, "M") == _drawn(resvg_py, " "):
        raise FigureError("PNG needs a font, and this machine has none: install Liberation Sans, or write SVG or PDF")
    root = ElementTree.fromstring(svg)
    texts = {text: text.text or "" for text in root.iter(_TEXT)}
    _no_boxes(resvg_py, "".join(texts.values()))
    for text in (text for text, said in texts.items() if _BRACKETS & set(said)):
        text.set("style", f"font-family:{_WITH_BRACKETS}")
    area = round(float(root.attrib["width"])) * round(float(root.attrib["height"]))
    most = _CSS * sqrt(LARGEST / area)
    density = dpi or (usual if usual <= most else _CSS)
    if density > most:
        if most < 1:
            advice = "collapse blocks, or write SVG or PDF"
        else:
            advice = f"expected at most {floor(most)} dpi, or collapse blocks, or write SVG or PDF"
        raise FigureError(f"a PNG of {density} dpi would have more than {LARGEST:,} pixels: {advice}")
    return _resolved(_render(resvg_py, ElementTree.tostring(root, "unicode"), zoom=density / _CSS), density)


def _render(resvg: Any, svg: str, **more: float) -> bytes:
    return bytes(resvg.svg_to_bytes(svg_string=svg, sans_serif_family="Liberation Sans", **more))


@cache
def _drawn(resvg: Any, character: str) -> bytes:
    """How a character looks here."""
    return _render(resvg, _PROBE.format(character))


def _no_boxes(resvg: Any, texts: str) -> None:
    """Raises `FigureError` for characters that would be shown as boxes."""
    nothing = _drawn(resvg, _NOBODYS)
    missing = [c for c in sorted(set(texts)) if not c.isascii() and _drawn(resvg, c) == nothing]
    if missing:
        listed = ", ".join(f"{character} (U+{ord(character):04X})" for character in missing[:5])
        raise FigureError(
            f"no font on this machine has {listed}: install one, give another --title, or write SVG, which takes the "
            "reader's fonts"
        )


def _resolved(png: bytes, dpi: int) -> bytes:
    """A PNG with its pixels a metre, after its header (Portable Network Graphics, section 11.3.5.3)."""
    density = round(dpi / _INCH)
    body = b"pHYs" + struct.pack(">IIB", density, density, 1)
    end = 8 + 12 + 13  # of the signature and the header
    return png[:end] + struct.pack(">I", 9) + body + struct.pack(">I", zlib.crc32(body)) + png[end:]
