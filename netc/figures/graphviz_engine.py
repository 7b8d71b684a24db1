"""The graph laid out by Graphviz, for those who have its `dot` and want it."""

from __future__ import annotations

from netc.figures.dot import dump
from netc.figures.styles import FigureError
from netc.program import Program

FORMATS = (".svg", ".png", ".pdf", ".dot")
PATIENCE = 60  # seconds


def layout(program: Program, suffix: str, direction: str = "tb") -> str | bytes:
    """A program in the format of a file's suffix, from top to bottom (`tb`) or from left to right (`lr`). Raises
    `FigureError` without `dot`, or when it fails."""
    if suffix not in FORMATS:
        raise FigureError(f"Graphviz writes {', '.join(FORMATS)}, not {suffix}")
    text = dump(program, direction)
    if suffix == ".dot":
        return text
    made = _run(text, suffix[1:])
    return made.decode() if suffix == ".svg" else made


def _run(text: str, format: str) -> bytes:
    import subprocess  # noqa: PLC0415 - only here

    try:
        made = subprocess.run(
            ["dot", f"-T{format}"], input=text.encode(), capture_output=True, timeout=PATIENCE, check=True
        )
    except FileNotFoundError:
        raise FigureError(
            "--engine graphviz needs Graphviz' `dot` (graphviz.org); without it, leave --engine out"
        ) from None
    except subprocess.TimeoutExpired:
        raise FigureError(f"Graphviz did not finish in {PATIENCE} seconds; without it, leave --engine out") from None
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()[:300]
        raise FigureError(f"Graphviz failed: {said!a}") from None
    return made.stdout
