"""What readers of models in text files share: texts within bounds, whole numbers, refusals, and pools whose windows
stand somewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NoReturn

from netc.ir.shape import Dim, Shape
from netc.ir.window import Window
from netc.layers.kinds import Sized
from netc.layers.sliding import pad_of
from netc.lift.source import Imported, ImportRefused, Reason, Sketch, Tensor

MOST_BYTES = 1 << 20  # of a text that describes a network; the longest known ones have 200 kB
LARGEST = 1 << 24  # of a size, a count or a stride


def text_of(path: Path) -> str:
    """The text of a file. Raises `ImportRefused` for one that is too long or no text, OSError as `open` does."""
    with path.open("rb") as file:
        raw = file.read(MOST_BYTES + 1)
    if len(raw) > MOST_BYTES:
        raise ImportRefused(
            [Reason(str(path), f"it has more than {MOST_BYTES >> 20} MB, expected a text of a network")]
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ImportRefused([Reason(str(path), f"byte {error.start} is no UTF-8, expected a text")]) from None


def whole(text: str, least: int = 0, most: int = LARGEST) -> int | None:
    """A whole number from its digits; None for anything else, and for one out of bounds."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 12):
        return None
    number = int(text)
    return number if least <= number <= most else None


class Stop(Exception):
    """A layer that was refused, of which nothing more is read."""


@dataclass
class Reader(ABC):
    """A network while it is made of a text; `left_out` and `remarks` are those of `Imported`."""

    sketch: Sketch
    left_out: list[str] = field(init=False, default_factory=list)
    remarks: list[str] = field(init=False, default_factory=list)

    @abstractmethod
    def refuse(self, why: str, line: int | None = None) -> NoReturn:
        """Refuse the layer that is being read, or a line of it. Raises `Stop`."""

    def imported(self, outputs: Sequence[Tensor]) -> Imported:
        """What was read. Raises `ImportRefused`."""
        net = self.sketch.finish(outputs)
        return Imported(net, self.sketch.sources, None, self.left_out, list(dict.fromkeys(self.remarks)))

    def shape(self, tensor: Tensor) -> Shape:
        """The shape of a tensor. Raises `Stop` where it comes of a layer that was refused."""
        shape = self.sketch.shape(tensor)
        if shape is None:
            raise Stop
        return shape

    def map(self, tensor: Tensor) -> Shape:
        """The shape of a tensor that is a map."""
        if len(shape := self.shape(tensor)) != 3:
            self.refuse("it needs a map, and reads a vector")
        return shape

    def whole(self, key: str, text: str, line: int, least: int) -> int:
        """A value that is a whole number."""
        number = whole(text, least)
        if number is None:
            self.refuse(f"`{key}` is {text[:40]!r}, expected a whole number of at least {least}", line)
        return number

    def number(self, key: str, text: str, line: int) -> float:
        """A value that is a number."""
        try:
            return float(text)
        except ValueError:
            self.refuse(f"`{key}` is {text[:40]!r}, expected a number", line)

    def reordered(self, layer: str, program: str) -> None:
        """Say that a dense layer reads a map, whose channels the program of the model has first."""
        order = f"reads its map channels first in {program}, and last here"
        self.remarks.append(f"{layer} {order}: its weights are the same in another order")


def padding_of(
    shape: tuple[Dim, ...], kernel: tuple[int, ...], stride: tuple[int, ...], before: Sequence[int], made: Sequence[int]
) -> str | Sized | None:
    """The `pad` of a max pool whose windows begin `before` its input and of which there are `made` in each dimension;
    None where netc has none. What windows read after the input is nothing to a maximum."""
    wanted = []
    for size, taps, step, first, count in zip(shape[:-1], kernel, stride, before, made, strict=True):
        window = Window(taps, step, before=first)
        wanted.append(replace(window, after=0 if size is None else window.beyond(size, count)))
    return pad_of(shape[:-1], wanted, ("same", "valid"))
