"""Fonts for files that carry their own: TrueType fonts of this machine, and what each of them has."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from netc.diagnostics.escape import harmless
from netc.figures.styles import FigureError

# Files of a regular and a bold face, the best first: those with the widths of Arial, for which figures are laid out,
# then wider ones that have more characters, then those of other scripts, then what ReportLab brings itself.
FACES = (
    ("LiberationSans-Regular.ttf", "LiberationSans-Bold.ttf"),
    ("Arial.ttf", "Arial Bold.ttf"),
    ("arial.ttf", "arialbd.ttf"),
    ("Arimo-Regular.ttf", "Arimo-Bold.ttf"),
    ("FreeSans.ttf", "FreeSansBold.ttf"),
    ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"),
    ("Verdana.ttf", "Verdana Bold.ttf"),
    ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf"),
    ("seguisym.ttf", "seguisym.ttf"),
    ("Apple Symbols.ttf", "Apple Symbols.ttf"),
    ("Arial Unicode.ttf", "Arial Unicode.ttf"),
    ("msyh.ttc", "msyhbd.ttc"),
    ("msgothic.ttc", "msgothic.ttc"),
    ("malgun.ttf", "malgunbd.ttf"),
    ("wqy-microhei.ttc", "wqy-microhei.ttc"),
    ("wqy-zenhei.ttc", "wqy-zenhei.ttc"),
    ("NanumGothic.ttf", "NanumGothicBold.ttf"),
    ("DroidSansFallbackFull.ttf", "DroidSansFallbackFull.ttf"),
    ("Vera.ttf", "VeraBd.ttf"),
)
_JOINED = frozenset({"R", "AL", "AN"})  # directions of letters that run from right to left
_MARKS = frozenset({"Mn", "Mc", "Me"})  # categories of what is set over, under or around other letters


def folders() -> list[Path]:
    """Where fonts are on Linux, macOS and Windows, and in ReportLab."""
    import reportlab  # noqa: PLC0415 - only who writes PDF has it

    home, windows = Path.home(), os.environ.get("WINDIR", r"C:\Windows")
    local, data = os.environ.get("LOCALAPPDATA"), os.environ.get("XDG_DATA_HOME", str(home / ".local/share"))
    found = [Path(data, "fonts"), home / ".fonts", Path("/usr/local/share/fonts"), Path("/usr/share/fonts")]
    found += [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    found += [Path(windows, "Fonts"), *([Path(local, "Microsoft/Windows/Fonts")] if local else [])]
    return [*found, Path(reportlab.__file__).parent / "fonts"]


@dataclass(frozen=True)
class Font:
    """One face, known to ReportLab by its `name`."""

    name: str
    characters: frozenset[int]


@dataclass(frozen=True, eq=False)
class Fonts:
    """The fonts in some folders."""

    places: tuple[Path, ...]

    def runs(self, text: str, bold: bool = False) -> list[tuple[Font, str]]:
        """A text in parts of one font each: the first that has a character sets it. Raises `FigureError` for
        characters that none has, and for scripts whose letters change with those around them."""
        text = unicodedata.normalize("NFC", harmless(text))
        _no_joined(text)
        chosen = [(self._of(character, bold), character) for character in text]
        if missing := sorted({character for font, character in chosen if font is None}):
            raise FigureError(
                f"no font on this machine has {_listed(missing)} in {text!r}: install one that PDF can carry, such as "
                "DejaVu Sans, give another --title, or write SVG"
            )
        parts = groupby(chosen, key=lambda pair: pair[0])
        return [(font, "".join(character for _, character in part)) for font, part in parts if font is not None]

    def _of(self, character: str, bold: bool) -> Font | None:
        return next((font for font in self._faces(bold) if ord(character) in font.characters), None)

    def _faces(self, bold: bool) -> Iterator[Font]:
        """The faces that are here, opened when it is their turn."""
        for pair in FACES:
            path = self._files.get(pair[bold].lower()) or self._files.get(pair[0].lower())
            font = _opened(path) if path else None
            if font is not None:
                yield font

    @cached_property
    def _files(self) -> dict[str, str]:
        """Paths of files by their names in small letters; the first of a name is taken."""
        found: dict[str, str] = {}
        wanted = {name.lower() for pair in FACES for name in pair}
        for place in self.places:
            for folder, below, files in os.walk(place):
                below.sort()
                for name in sorted(files):
                    if name.lower() in wanted:
                        found.setdefault(name.lower(), os.path.join(folder, name))
        return found


@cache
def here() -> Fonts:
    """The fonts of this machine."""
    return Fonts(tuple(folders()))


@cache
def _opened(path: str) -> Font | None:
    """A font made known to ReportLab; None for one that it cannot read, or that forbids to be carried."""
    from reportlab.pdfbase import pdfmetrics  # noqa: PLC0415
    from reportlab.pdfbase.ttfonts import TTFError, TTFont  # noqa: PLC0415

    try:
        font: Any = TTFont(path, path)
    except (TTFError, OSError):
        return None
    pdfmetrics.registerFont(font)
    return Font(path, frozenset(font.face.charToGlyph))


def _no_joined(text: str) -> None:
    """Raises `FigureError` for letters whose form or order depends on those around them."""
    joined = sorted({c for c in text if unicodedata.bidirectional(c) in _JOINED or unicodedata.category(c) in _MARKS})
    if joined:
        raise FigureError(
            f"PDF sets letters one after the other, from left to right, and cannot set {_listed(joined)} in {text!r}: "
            "give another --title, or write SVG or PNG"
        )


def _listed(characters: Sequence[str]) -> str:
    shown = ", ".join(f"{character} (U+{ord(character):04X})" for character in characters[:5])
    return f"{shown} and {len(characters) - 5} more" if len(characters) > 5 else shown
