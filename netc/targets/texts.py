"""What readers of models in text files share: texts within bounds, whole numbers, and pools whose windows stand
somewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from netc.ir.shape import Dim
from netc.ir.window import output_size
from netc.layers.kinds import Sized
from netc.layers.sliding import slide_windows
from netc.lift.source import ImportRefused, Reason

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


def padding_of(
    shape: tuple[Dim, ...], kernel: tuple[int, ...], stride: tuple[int, ...], before: Sequence[int], made: Sequence[int]
) -> str | Sized | None:
    """The `pad` of a max pool whose windows begin `before` its input and of which there are `made` in each dimension;
    None where netc has none. What windows read after the input is nothing to a maximum."""
    for pad in ("same", "valid", tuple(before)):
        windows = slide_windows(shape, kernel, stride, 1, pad)
        sides = "same" if pad == "same" else (0, 0) if pad == "valid" else None
        counts = [
            output_size(size, window.size, window.stride, 1, sides or (window.before, window.after))
            for size, window in zip(shape[:-1], windows, strict=True)
        ]
        if counts == list(made) and [window.before for window in windows] == list(before):
            return pad
    return None
