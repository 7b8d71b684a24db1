"""The shape of a box: its cells in a row around the line that it stands on, and a silhouette that says the kind of its
layer without colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from netc.figures.graph.cells import Cell, Cells
from netc.figures.scene import Ellipse, Path, Point, Polygon, Rect, text_width
from netc.figures.theme import TEXTURES

TEXT, TAIL, LABEL = 11.0, 10.1, 9.7  # font sizes: of a layer, of the cells around it, of shapes on edges
SIGN = 15.0  # of a sign in a circle
HEIGHT = 20.0  # of a cell with one line
LINE = 12.0  # from one line of a text to the next
BAR, STRIP = 22.0, 4.0  # heights of a concatenation, and of its strip with the shares of what it joins
_PAD = 5.0  # around the text of a cell
_STEP = 4.0  # of the widths of boxes
_SIDE = 4.0  # of the bars at the sides of a fully connected layer
_SLANT = {"pool": 6.0, "global": 12.0, "up": 6.0}  # how much narrower a trapezoid is at one end, on each side
Shape = Rect | Ellipse | Polygon | Path


@dataclass(frozen=True, slots=True)
class Kind:
    """What decides the silhouette of a layer: its family, and what it does. `global` reads all of a map, `up` makes it
    larger, a `sign` is in a circle, a `bar` joins channels. One that is `dashed` has the weights of another."""

    family: str
    effect: str = ""
    dashed: bool = False

    @property
    def form(self) -> str:
        """The name of its silhouette."""
        if self.effect in ("sign", "bar"):
            return self.effect
        if self.effect == "up" or self.family == "pool":
            return self.effect or "pool"
        return _FORMS.get(self.family, "plain")

    @property
    def look(self) -> str:
        """The look of its shape."""
        return f"{look_of(self.family)}.twin" if self.dashed else look_of(self.family)


def look_of(family: str) -> str:
    """The look of a cell: white for what is of no family."""
    return family or "input"


_FORMS = {"input": "round", "merge": "round", "dense": "sides", "shape": "cut"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A cell at its place: a rectangle from the line that the box stands on, and below the box's top."""

    left: float
    top: float
    right: float
    bottom: float
    cell: Cell
    lines: tuple[str, ...]
    size: float
    look: str


@dataclass(frozen=True, slots=True)
class Form:
    """A box: its pieces, that of the layer first, and how far it reaches to either side of its line and down."""

    kind: Kind
    pieces: tuple[Piece, ...]
    before: float
    after: float
    height: float
    shares: tuple[int, ...] = ()  # channels of what a concatenation joins
    top: float = 0.0  # from left to right: how far it reaches above its line
    turned: bool = False  # it stands upright, and its text too

    @property
    def key(self) -> str:
        """What two boxes have in common whose shapes are the same."""
        cells = "".join(f"{piece.look}{piece.left:g},{piece.top:g},{piece.right:g}" for piece in self.pieces[1:])
        main = self.pieces[0]
        own = f"{main.look}{self.kind.effect}{main.right - main.left:g}"
        own += "" if self.height == HEIGHT else f"x{self.height:g}"
        return own + (f"-{cells}" if cells else "")

    @property
    def middle(self) -> float:
        """Where the middle of its layer's cell is, down from its top."""
        return self.top if self.turned else (self.pieces[0].top + self.pieces[0].bottom) / 2

    @property
    def inside(self) -> float:
        """How far a line from the right has to go on to meet the shape of what is beside the middle of its layer."""
        widest = max(piece.right for piece in self.pieces if piece.top <= self.middle <= piece.bottom)
        return self.after - widest + (self.slant if widest == self.pieces[0].right else 0.0)

    @property
    def slant(self) -> float:
        """How far a line from the side has to go on to meet the shape of the layer halfway down."""
        return _SLANT.get(self.kind.form, 0.0) / 2


def needed(kind: Kind, text: str) -> float:
    """How wide the cell of a layer must be for a line of text; in steps, so that most are alike."""
    sides = {"sides": _SIDE, "round": 3.0, **{form: 0.8 * slant for form, slant in _SLANT.items()}}
    return _STEP * ceil((text_width(text, TEXT) + 2 * (_PAD + sides.get(kind.form, 0.0))) / _STEP)


def broken(text: str) -> tuple[str, ...]:
    """A text on two lines, as equal as can be, broken between words: rather after a comma, which is left out."""
    places = [at for at, letter in enumerate(text) if letter == " "]
    ways = [(text[:at], text[at + 1 :]) for at in places]
    one, other = min(
        ways, key=lambda way: max(map(text_width, way)) * (1 if way[0][-1:] == "," else 1.3), default=(text, "")
    )
    return (one.rstrip(","), other) if other else (text,)


def row(kind: Kind, cells: Cells, width: float, *, wrapped: bool, below: bool) -> Form:
    """A box whose layer is `width` wide, or as wide as its text needs: its cells beside it, or below where they may be
    and there are any."""
    lines = broken(cells.main.text) if wrapped and needed(kind, cells.main.text) > width else (cells.main.text,)
    if kind.effect == "sign":
        return _circle(kind, cells, below=below)
    width = max(width, *(needed(kind, line) for line in lines))
    height = (BAR if kind.effect == "bar" else HEIGHT) + LINE * (len(lines) - 1)
    main = Piece(-width / 2, 0, width / 2, height, cells.main, lines, TEXT, kind.look)
    widths = [float(ceil(text_width(cell.text, TAIL) + 2 * _PAD - 2)) for cell in (*cells.before, *cells.after)]
    count = len(cells.before)
    if below and widths:
        return _stacked(kind, cells, main, widths)
    pieces, at = [main], -width / 2 - sum(widths[:count])
    for number, (cell, wide) in enumerate(zip((*cells.before, *cells.after), widths, strict=True)):
        if number == count:
            at = width / 2
        pieces.append(Piece(at, 0, at + wide, height, cell, (cell.text,), TAIL, look_of(cell.family)))
        at += wide
    return Form(kind, tuple(pieces), width / 2 + sum(widths[:count]), width / 2 + sum(widths[count:]), height)


def _stacked(kind: Kind, cells: Cells, main: Piece, widths: Sequence[float]) -> Form:
    """Cells before the layer in a row above it, those after it in a row below it, all of them as wide as the widest."""
    count = len(cells.before)
    width = max(main.right - main.left, sum(widths[:count]), sum(widths[count:]))
    tops = HEIGHT if count else 0.0
    bottom = tops + main.bottom
    pieces = [Piece(-width / 2, tops, width / 2, bottom, main.cell, main.lines, TEXT, kind.look)]
    for group, given, top in ((cells.before, widths[:count], 0.0), (cells.after, widths[count:], bottom)):
        more = (width - sum(given)) / len(given) if given else 0.0
        at = -width / 2
        for cell, wide in zip(group, given, strict=True):
            pieces.append(
                Piece(at, top, at + wide + more, top + HEIGHT, cell, (cell.text,), TAIL, look_of(cell.family))
            )
            at += wide + more
    return Form(kind, tuple(pieces), width / 2, width / 2, bottom + (HEIGHT if cells.after else 0.0))


def _circle(kind: Kind, cells: Cells, *, below: bool) -> Form:
    """A circle with a sign, from which the other cells go on to the right, or below it."""
    radius = HEIGHT / 2
    pieces = [Piece(-radius, 0, radius, HEIGHT, cells.main, (cells.main.text,), SIGN, kind.look)]
    widths = [float(ceil(text_width(cell.text, TAIL) + 2 * _PAD - 2)) for cell in cells.after]
    at, top = (-sum(widths) / 2, HEIGHT) if below else (radius, 0.0)
    for cell, wide in zip(cells.after, widths, strict=True):
        pieces.append(Piece(at, top, at + wide, top + HEIGHT, cell, (cell.text,), TAIL, look_of(cell.family)))
        at += wide
    half = max(radius, sum(widths) / 2) if below else radius
    return Form(kind, tuple(pieces), half, max(at, radius), pieces[-1].bottom)


def widened(form: Form, before: float, after: float) -> Form:
    """A box that reaches at least so far to either side, its layer's cell with it."""
    main, *more = form.pieces
    before, after = max(before, -main.left), max(after, main.right)
    moved = [
        Piece(piece.left + after - main.right, piece.top, piece.right + after - main.right, piece.bottom, piece.cell,
              piece.lines, piece.size, piece.look)
        for piece in more
    ]  # fmt: skip
    wide = Piece(-before, main.top, after, main.bottom, main.cell, main.lines, main.size, main.look)
    whole = form.after + after - main.right
    return Form(form.kind, (wide, *moved), before, whole, form.height, form.shares)


def upright(form: Form, before: float, after: float) -> Form:
    """A concatenation from left to right, as high as its branches are wide: it reaches so far above its line and
    below."""
    main = form.pieces[0]
    wide = Piece(-BAR / 2, 0, BAR / 2, before + after, main.cell, main.lines, main.size, main.look)
    return Form(form.kind, (wide,), BAR / 2, BAR / 2, before + after, form.shares, before, turned=True)


# -- shapes --------------------------------------------------------------------------------------------------


def shapes(form: Form) -> list[Shape]:
    """What is drawn of a box, around the point where its line meets its top."""
    main, *more = form.pieces
    made: list[Shape] = [Rect(p.left, p.top, p.right - p.left, p.bottom - p.top, p.look) for p in more]
    plates = [plate for piece in form.pieces for plate in _plate(form, piece)]
    if form.kind.form == "sign" and more and not more[0].top:  # it begins at the middle of the circle, which covers it
        made = [_from(shape, 0.0) if at == 0 else shape for at, shape in enumerate(made)]  # type: ignore[arg-type]
    return [*made, *_main(form, main), *plates]


def _plate(form: Form, piece: Piece) -> Iterator[Rect]:
    """What keeps the texture of a cell from its text, in print."""
    if piece.cell.family not in TEXTURES or not piece.lines:
        return
    edge = 4.0 + (_SLANT.get(form.kind.form, 0.0) if piece is form.pieces[0] else 0.0)
    width, height = piece.right - piece.left - 2 * edge, piece.bottom - piece.top - 8
    yield Rect(piece.left + edge, piece.top + 4, width, height, f"{piece.cell.family}.plate")


def _from(rect: Rect, left: float) -> Rect:
    return Rect(left, rect.y, rect.x + rect.width - left, rect.height, rect.look)


def _main(form: Form, piece: Piece) -> list[Shape]:
    left, top, right, bottom = piece.left, piece.top, piece.right, piece.bottom
    width, height, look = right - left, bottom - top, piece.look
    match form.kind.form:
        case "sign":
            return [Ellipse((left + right) / 2, (top + bottom) / 2, width / 2, height / 2, look)]
        case "round":
            return [Rect(left, top, width, height, look, HEIGHT / 2)]
        case "sides":
            inner = [Path((x, top), [((x, bottom),)], "dense.bar", role="mark") for x in (left + _SIDE, right - _SIDE)]
            return [Rect(left, top, width, height, look, 2), *inner]
        case "cut":
            return [Polygon(_cut(left, top, right, bottom, 4.0), look)]
        case "bar":
            return [Rect(left, top, width, height, look)]
        case "pool" | "global" | "up" as name:
            slant = min(_SLANT[name], width / 4)
            above, below = (slant, 0.0) if name == "up" else (0.0, slant)
            points = [(left + above, top), (right - above, top), (right - below, bottom), (left + below, bottom)]
            return [Polygon(points, look)]
    return [Rect(left, top, width, height, look, 2)]


def _cut(left: float, top: float, right: float, bottom: float, by: float) -> list[Point]:
    return [
        (left + by, top), (right - by, top), (right, top + by), (right, bottom - by),
        (right - by, bottom), (left + by, bottom), (left, bottom - by), (left, top + by),
    ]  # fmt: skip


def strip(form: Form, x: float, y: float) -> list[Rect]:
    """What fills the strip along the end of a bar: the channels of its operands, filled and empty in turn."""
    piece = form.pieces[0]
    length = piece.bottom - piece.top if form.turned else piece.right - piece.left
    made: list[Rect] = []
    at = 0.0
    for number, share in enumerate(form.shares):
        size = length * share / sum(form.shares)
        if number % 2 == 0 and form.turned:
            made.append(Rect(x + piece.right - STRIP, y + piece.top + at, STRIP, size))
        elif number % 2 == 0:
            made.append(Rect(x + piece.left + at, y + piece.bottom - STRIP, size, STRIP))
        at += size
    return made
