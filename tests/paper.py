"""What is on the pages of a PDF, read by Poppler, and LaTeX that makes some."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

_XHTML = "{http://www.w3.org/1999/xhtml}"
# Each file on a page of its own that is exactly as large as what it makes.
_PAGE = r"\hoffset-1in\voffset-1in\setbox0\hbox{\input{%s}}\pdfpagewidth=\wd0 \pdfpageheight=\dimexpr\ht0+\dp0\relax\shipout\box0 "
# And in a column of a width, as a paper has it: what is wider is overfull.
_COLUMN = r"\setbox0\vbox{\hsize=%s \hfuzz=0.02pt \noindent\input{%s}\par}"

_COMPLAINT = re.compile(r"! |Overfull|Missing character|\S+ (Font )?(Warning|Error):|Package \S+ (Warning|Error):")


class Word(NamedTuple):
    """A word and its box in points, y down."""

    page: int
    left: float
    top: float
    right: float
    bottom: float
    text: str


def words(pdf: Path) -> list[Word]:
    """All words, in the order of their pages."""
    made = subprocess.run(["pdftotext", "-bbox", str(pdf), "-"], capture_output=True, check=True)
    pages = ElementTree.fromstring(made.stdout).iter(f"{_XHTML}page")
    return [
        Word(number, *(float(word.attrib[side]) for side in ("xMin", "yMin", "xMax", "yMax")), word.text or "")
        for number, page in enumerate(pages)
        for word in page.iter(f"{_XHTML}word")
    ]


def sizes(pdf: Path) -> list[tuple[float, float]]:
    """The size of each page in points."""
    made = subprocess.run(["pdftotext", "-bbox", str(pdf), "-"], capture_output=True, check=True)
    pages = ElementTree.fromstring(made.stdout).iter(f"{_XHTML}page")
    return [(float(page.attrib["width"]), float(page.attrib["height"])) for page in pages]


def fonts(pdf: Path) -> dict[str, tuple[bool, bool]]:
    """Of each font whether it is embedded, and whether as a subset."""
    made = subprocess.run(["pdffonts", str(pdf)], capture_output=True, text=True, check=True)
    rows = [line.split() for line in made.stdout.splitlines()[2:]]
    return {row[0]: (row[-5] == "yes", row[-4] == "yes") for row in rows}


def pixels(pdf: Path, dpi: int) -> bytes:
    """The first page as PNG."""
    command = ["pdftoppm", "-r", str(dpi), "-png", "-singlefile", str(pdf)]
    return subprocess.run(command, capture_output=True, check=True).stdout


def compiled(folder: Path, files: Sequence[tuple[str, str]], preamble: str = "") -> tuple[Path, list[str]]:
    """A document of pdfLaTeX of files, each with the width of its column (empty: none), and what its log complains
    of."""
    body = [_PAGE % name for name, _ in files] + [_COLUMN % (width, name) for name, width in files if width]
    return document(folder, "\n".join(body), preamble)


def document(folder: Path, body: str, preamble: str = "") -> tuple[Path, list[str]]:
    """The PDF of a document of pdfLaTeX, and what its log complains of."""
    text = [r"\documentclass{article}", r"\usepackage{tikz}\usetikzlibrary{patterns,shadings}", preamble,
            r"\begin{document}", body, r"\end{document}"]  # fmt: skip
    (folder / "paper.tex").write_text("\n".join(text) + "\n")
    command = ["pdflatex", "-interaction=nonstopmode", "-no-shell-escape", "paper.tex"]
    subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=120)
    log = (folder / "paper.log").read_text(errors="replace").splitlines()
    return folder / "paper.pdf", [line for line in log if _COMPLAINT.match(line)]
