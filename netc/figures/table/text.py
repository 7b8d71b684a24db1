"""Tables as Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from netc.diagnostics.escape import harmless
from netc.figures.latex import comment, escape
from netc.figures.table.model import Cell, Row, Table
from netc.report.table import inert


def markdown(table: Table) -> str:
    """A table in GitHub's Markdown; what a network adds is bold."""
    names = [f"{inert(harmless(column.name))}<br>{column.depth}" for column in table.columns]
    lines = [[*table.heads, *names], [":---"] * len(table.heads) + [":---:"] * len(names)]
    for row in table.rows:
        lines.append([*row.head, *(_markdown(cell) for cell in row.cells)])
    lines += [[name, *[""] * (len(table.heads) - 1), *values] for name, values in table.totals()]
    return "".join("| " + " | ".join(cells) + " |\n" for cells in lines)


def _markdown(cell: Cell | None) -> str:
    if cell is None:
        return ""
    body = inert(harmless(cell.body))
    if cell.added:
        return f"**{' '.join(filter(None, [body, cell.count]))}**"
    return " ".join(filter(None, [body, f"**{cell.count}**" if cell.recounted else cell.count]))


def latex(table: Table, width: float | None = None) -> str:
    """A table as LaTeX's `tabular`, for which no package is needed; what a network adds is bold. It is set in the
    largest of the document's sizes in which it is no wider than the line, or than `width` in points of 1/72 inch."""
    bound = r"\linewidth" if width is None else f"{width:.2f}bp"
    return "\n".join([*(f"% {comment(note)}" for note in table.notes), *_fitted(_tabular(table), bound)]) + "\n"


def _fitted(lines: Iterable[str], bound: str) -> Iterator[str]:
    yield r"{\def\netctable{%"
    yield from lines
    yield r"}\setbox0\hbox{\netctable}%"
    for narrower in (r"\tabcolsep=3pt", r"\small", r"\footnotesize", r"\scriptsize"):
        yield rf"\ifdim\wd0>{bound}{narrower}\setbox0\hbox{{\netctable}}\fi"
    yield r"\leavevmode\box0}"


def _tabular(table: Table) -> Iterator[str]:
    heads, count = len(table.heads), len(table.columns)
    yield f"\\begin{{tabular}}{{|{'l|' * heads}{'c|' * count}}}"
    yield r"\hline"
    yield _line([*table.heads, *(f"\\textbf{{{escape(column.name)}}}" for column in table.columns)])
    yield _line(["weight layers", *[""] * (heads - 1), *(str(column.facts.cost.depth) for column in table.columns)])
    for row in table.rows:
        if row.starts:
            yield r"\hline"
        yield _line([*map(escape, row.head), *_cells(row, count)])
    yield r"\hline"
    for name, values in table.totals():
        yield _line([name, *[""] * (heads - 1), *map(escape, values)])
    yield r"\hline"
    yield r"\end{tabular}%"


def _cells(row: Row, count: int) -> list[str]:
    if row.band and count > 1:
        return [f"\\multicolumn{{{count}}}{{c|}}{{{_latex(row.cells[0])}}}"]
    return [_latex(cell) for cell in row.cells]


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"


def _latex(cell: Cell | None) -> str:
    if cell is None:
        return ""
    lines = [f"\\textbf{{{escape(line)}}}" if cell.added else escape(line) for line in cell.lines]
    if not cell.times:
        return lines[0]
    inner = r" \\ ".join([f"\\mbox{{{line}}}" for line in lines])
    count = f"\\mathbf{{{cell.times}}}" if cell.added or cell.recounted else cell.times
    return f"$\\left[\\begin{{array}}{{@{{}}c@{{}}}} {inner} \\end{{array}}\\right]\\!\\times\\!{count}$"
