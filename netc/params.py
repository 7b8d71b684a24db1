"""Declared parameters: what a layer, an optimizer, a loss or an augmentation can be given.

A parameter is said once, as a field of its class:

    filters: int = param(Int(min=1), "number of filters")

and argument binding, range errors, "did you mean", the reference docs and the property tests all read it there.
"""

from __future__ import annotations

import dataclasses
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isinf, isnan
from typing import Any, ClassVar, Protocol

from netc.values import SizeValue, Word, show


class Refused(Exception):
    """A kind, a layer or a setting refuses what it is given. Whoever knows the text makes it a finding with a place.

    `param` names the parameter at fault, whose words in the spec are underlined; without it the whole statement is.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        param: str = "",
        label: str = "",
        notes: Sequence[str] = (),
        help: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.param = param
        self.label = label
        self.notes = tuple(notes)
        self.help = tuple(help)


class Kind(Protocol):
    """What values a parameter takes."""

    def describe(self) -> str:
        """The kind in words: "an integer of at least 1"."""

    def accept(self, value: object, rank: int) -> object:
        """The value as the class stores it; raises `Refused`. `rank` is the number of spatial dimensions."""

    def words(self) -> tuple[str, ...]:
        """The bare words among its values."""


@dataclass(slots=True, eq=False)
class Int:
    """An integer within bounds."""

    min: int | None = None
    max: int | None = None

    def describe(self) -> str:
        if self.min is not None and self.max is not None:
            return f"an integer from {self.min} to {self.max}"
        return "an integer" if self.min is None else f"an integer of at least {self.min}"

    def accept(self, value: object, rank: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise Refused("NET108", f"got {show(value)}, expected {self.describe()}")
        if (self.min is not None and value < self.min) or (self.max is not None and value > self.max):
            raise Refused("NET109", f"got {value}, expected {self.describe()}")
        return value

    def words(self) -> tuple[str, ...]:
        return ()


LEAST = 2.0**-126  # of the normal numbers of float32; TensorFlow's kernels take smaller ones for 0


def single(value: float) -> float:
    """A number as float32 holds it: infinite where it is too large, 0 where it is too small."""
    try:
        (held,) = struct.unpack("f", struct.pack("f", float(value)))
    except OverflowError:
        return inf if value > 0 else -inf
    return held if abs(held) >= LEAST else 0.0


@dataclass(slots=True, eq=False)
class Real:
    """A real number (or integer) within bounds, which `open` excludes ("min", "max" or both), that float32 can hold:
    neither infinite there nor 0, nor on an excluded bound, unless it is so already."""

    min: float | None = None
    max: float | None = None
    open: tuple[str, ...] = ()

    def describe(self) -> str:
        parts = []
        if self.min is not None:
            parts.append(("above" if "min" in self.open else "of at least") + f" {self.min:g}")
        if self.max is not None:
            parts.append(("below" if "max" in self.open else "at most") + f" {self.max:g}")
        return "a number " + " and ".join(parts) if parts else "a number"

    def accept(self, value: object, rank: int) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Refused("NET108", f"got {show(value)}, expected {self.describe()}")
        low = self.min is not None and (value < self.min or ("min" in self.open and value == self.min))
        high = self.max is not None and (value > self.max or ("max" in self.open and value == self.max))
        if low or high or isnan(value):
            raise Refused("NET109", f"got {show(value)}, expected {self.describe()}")
        held = single(value)
        closed = ("min" in self.open and held == self.min) or ("max" in self.open and held == self.max)
        if closed or isinf(held) or (held == 0 and value != 0):
            became = f"which becomes {held:g} in float32, the numbers that networks are computed in"
            raise Refused("NET109", f"got {show(value)}, {became}: expected {self.describe()}")
        return value

    def words(self) -> tuple[str, ...]:
        return ()


@dataclass(slots=True, eq=False)
class Bool:
    """`true` or `false`; the parameter's own name as a bare word means true."""

    def describe(self) -> str:
        return "true or false"

    def accept(self, value: object, rank: int) -> bool:
        if not isinstance(value, bool):
            raise Refused("NET108", f"got {show(value)}, expected true or false")
        return value

    def words(self) -> tuple[str, ...]:
        return ()


@dataclass(slots=True, eq=False)
class Anything:
    """Any single value: what a parameter of a definition takes."""

    def describe(self) -> str:
        return "a value"

    def accept(self, value: object, rank: int) -> object:
        if value is None or isinstance(value, SizeValue):
            raise Refused("NET108", f"got the size {show(value)}, expected a single value")
        return value

    def words(self) -> tuple[str, ...]:
        return ()


@dataclass(slots=True, eq=False)
class Text:
    """A quoted string."""

    def describe(self) -> str:
        return "a string in quotes"

    def accept(self, value: object, rank: int) -> str:
        if not isinstance(value, str) or isinstance(value, Word):
            raise Refused("NET108", f"got {show(value)}, expected a string in quotes")
        return value

    def words(self) -> tuple[str, ...]:
        return ()


@dataclass(slots=True, eq=False)
class Choice:
    """One of some words, `meanings` saying what each does, where the parameter's documentation does not."""

    choices: tuple[str, ...]
    meanings: Mapping[str, str] = field(default_factory=dict)

    def describe(self) -> str:
        return "one of " + ", ".join(self.choices)

    def accept(self, value: object, rank: int) -> str:
        if not isinstance(value, Word) or value not in self.choices:
            raise Refused("NET108", f"got {show(value)}, expected {self.describe()}")
        return str(value)

    def words(self) -> tuple[str, ...]:
        return self.choices


MOST_DIMENSIONS = 3  # spatial ones, of any operation


@dataclass(slots=True, eq=False)
class Sizes:
    """One integer for each spatial dimension; a single one counts for all, and stays one where their number is not
    known (rank 0)."""

    min: int = 1

    def describe(self) -> str:
        return f"a size such as 3 or 3x3, each part at least {self.min}"

    def accept(self, value: object, rank: int) -> int | tuple[int, ...]:
        if isinstance(value, SizeValue) and not value.stride and None not in value.parts:
            parts = tuple(part for part in value.parts if part is not None)
        elif isinstance(value, int) and not isinstance(value, bool):
            parts = (value,)
        else:
            raise Refused("NET108", f"got {show(value)}, expected {self.describe()}")
        if len(parts) > 1 and len(parts) != rank and (rank or len(parts) > MOST_DIMENSIONS):
            raise Refused("NET108", f"got {show(value)}, expected {_numbers(rank or MOST_DIMENSIONS)}")
        if any(part < self.min for part in parts):
            raise Refused("NET109", f"got {show(value)}, expected {self.describe()}")
        return parts if len(parts) > 1 else parts * rank or parts[0]

    def words(self) -> tuple[str, ...]:
        return ()


def _numbers(rank: int) -> str:
    if rank == 1:
        return "one number, because its input has one spatial dimension"
    return f"one number, or one for each of the {rank} spatial dimensions"


@dataclass(slots=True, eq=False)
class Either:
    """The first kind that accepts the value."""

    kinds: tuple[Kind, ...]

    def describe(self) -> str:
        return " or ".join(kind.describe() for kind in self.kinds)

    def accept(self, value: object, rank: int) -> object:
        errors = []
        for kind in self.kinds:
            try:
                return kind.accept(value, rank)
            except Refused as error:
                errors.append(error)
        ranged = [error for error in errors if error.code == "NET109"]
        if ranged:
            raise ranged[0]
        raise Refused("NET108", f"got {show(value)}, expected {self.describe()}")

    def words(self) -> tuple[str, ...]:
        return tuple(word for kind in self.kinds for word in kind.words())


class _Required:
    def __repr__(self) -> str:
        return "REQUIRED"


REQUIRED = _Required()


@dataclass(slots=True, eq=False)
class Param:
    """A parameter: its name, what it takes, its default (or `REQUIRED`) and one line of documentation."""

    name: str
    kind: Kind
    default: object
    doc: str
    many: bool = False  # a positional that takes all remaining values, as a tuple
    keyed: bool = False  # its words mean nothing without their key: `over=rows`
    late: bool = False  # its words give way to names of the file, which may be older than they are

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    @property
    def key(self) -> str:
        """How a spec writes its name: without the underscore of a field that Python's words leave no other name."""
        return self.name.removesuffix("_")

    @property
    def bare_words(self) -> tuple[str, ...]:
        """The words that set it wherever they stand."""
        return () if self.keyed else self.kind.words()


def param(
    kind: Kind, doc: str, default: Any = REQUIRED, *, many: bool = False, keyed: bool = False, late: bool = False
) -> Any:
    """Declare a parameter as a dataclass field."""
    metadata = {"param": (kind, default, doc, many, keyed, late)}
    if default is REQUIRED:
        return field(metadata=metadata)
    return field(default=default, metadata=metadata)


def declared(cls: type[Any]) -> dict[str, Param]:
    """The parameters that a dataclass declares, in order."""
    return {f.name: Param(f.name, *f.metadata["param"]) for f in dataclasses.fields(cls) if "param" in f.metadata}


@dataclass(slots=True, eq=False)
class Signature:
    """How arguments are written for something with declared parameters.

    `positional` names what bare values fill, in order. `size` names what `AxB/S` fills: `("filters", "kernel",
    "stride")`, `("kernel", "stride")`, `("factor",)`; bare values after all of `positional` fill the first of
    `size`. `trailing` allows `bn` and activations as words after (`conv 64x3 bn relu`).
    """

    name: str
    params: Mapping[str, Param]
    positional: tuple[str, ...] = ()
    size: tuple[str, ...] = ()
    trailing: bool = False
    example: str = ""  # how it is written, for messages

    def bare_words(self) -> set[str]:
        """The bare names that set a parameter."""
        flags = {name for name, param in self.params.items() if isinstance(param.kind, Bool)}
        return flags.union(*(param.bare_words for param in self.params.values()))


class Declared:
    """Base of classes whose arguments a spec writes. Subclasses are frozen keyword-only dataclasses."""

    positional: ClassVar[tuple[str, ...]] = ()
    size: ClassVar[tuple[str, ...]] = ()
    trailing: ClassVar[bool] = False

    @classmethod
    def signature(cls, name: str) -> Signature:
        """The signature under the name that messages show; what is written without a key comes first."""
        params = declared(cls)
        order = dict.fromkeys((*cls.size, *cls.positional, *params))
        example = re.match(rf"{name} [^;\n]*", getattr(cls, "example", ""))
        shown = example[0] if example else ""
        ordered = {params[field].key: params[field] for field in order}
        return Signature(name, ordered, cls.positional, cls.size, cls.trailing, shown)
