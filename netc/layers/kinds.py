"""What only layers take: paddings, activations, initialisers, shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from netc.ir.shape import Shape
from netc.params import Real, Refused, Sizes
from netc.values import SizeValue, Word, show

Sized = int | tuple[int, ...]  # a written size has one part a dimension, a default may be one for all

# Activations that are a function of the tensor alone, under Keras' names, so that they can be part of the layer
# before them. Those whose defaults differ from Keras' (`leakyrelu`), with weights (`prelu`) or that change the
# shape (`glu`) are layers only.
# fmt: off
ACTIVATIONS = (
    "relu", "relu6", "elu", "celu", "selu", "gelu", "silu", "mish", "sigmoid", "tanh", "softmax", "log_softmax",
    "sparsemax", "softplus", "softsign", "linear", "exponential", "log_sigmoid", "hard_sigmoid", "hard_silu",
    "hard_tanh", "hard_shrink", "soft_shrink", "tanh_shrink", "squareplus", "sparse_plus", "sparse_sigmoid",
)
# fmt: on
ACTIVATION_ALIASES = {"swish": "silu", "hard_swish": "hard_silu"}

# fmt: off
INITIALIZERS = (
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal", "orthogonal",
    "zeros", "ones",
    "uniform_scaling", "variance_scaling", "xavier", "normal", "truncated_normal",  # as TFLearn calls them
)
# fmt: on


# What the words of a padding do.
PADDINGS = {
    "same": "pads the input for ceil(size / stride) positions, an odd pixel at the end",
    "valid": "no padding: every window lies inside the input",
    "causal": "pads before the input alone: no output reads what comes later",
}


@dataclass(slots=True, eq=False)
class Padding:
    """`same`, `valid` and the like, or pixels on each side of each dimension."""

    choices: tuple[str, ...] = ("same", "valid", "causal")
    pixels: Sizes = field(default_factory=lambda: Sizes(min=0))
    meanings: Mapping[str, str] = field(default_factory=lambda: PADDINGS)

    def describe(self) -> str:
        return ", ".join(self.choices) + " or the pixels on each side, such as 1 or 1x2"

    def accept(self, value: object, rank: int) -> str | Sized:
        if isinstance(value, Word) and value in self.choices:
            return str(value)
        if isinstance(value, str):
            raise Refused("NET108", f"got {show(value)}, expected {self.describe()}")
        return self.pixels.accept(value, rank)

    def words(self) -> tuple[str, ...]:
        return self.choices


@dataclass(slots=True, eq=False)
class Activation:
    """An activation that can be part of a layer."""

    def describe(self) -> str:
        return "an activation such as relu, tanh or softmax"

    def accept(self, value: object, rank: int) -> str:
        if not isinstance(value, Word) or value not in self.words():
            raise Refused("NET108", f"got {show(value)}, expected {self.describe()}")
        return ACTIVATION_ALIASES.get(value, str(value))

    def words(self) -> tuple[str, ...]:
        return (*ACTIVATIONS, *ACTIVATION_ALIASES)


@dataclass(slots=True, eq=False)
class Initializer:
    """An initialiser by name, or a number: what `number` says it is. A `vector` has no orthogonal one."""

    number: str = "the standard deviation of a normal one"
    vector: bool = False

    def describe(self) -> str:
        return f"an initialiser such as {'zeros' if self.vector else 'he_normal'}, or {self.number}"

    def accept(self, value: object, rank: int) -> str | float:
        if isinstance(value, Word) and value in self.words():
            return str(value)
        if isinstance(value, str):
            raise Refused("NET108", f"got {show(value)}, expected {self.describe()}")
        return Real().accept(value, rank)

    def words(self) -> tuple[str, ...]:
        return tuple(word for word in INITIALIZERS if not (self.vector and word == "orthogonal"))


@dataclass(slots=True, eq=False)
class Operand:
    """A tensor that a layer reads beside its input. A spec names it by its label; the class holds whether there is one,
    and is given it as one more input, after the others and in the order in which its parameters are declared.

    Of one that says a `size` no values are read.
    """

    size: bool = False

    def describe(self) -> str:
        return "a label"

    def accept(self, value: object, rank: int) -> bool:
        if not isinstance(value, bool):
            raise Refused("NET108", f"got {show(value)}, expected {self.describe()}")
        return value

    def words(self) -> tuple[str, ...]:
        return ()


@dataclass(slots=True, eq=False)
class Extents:
    """The shape of a tensor without its batch, channels last; `?` is an unknown size."""

    def describe(self) -> str:
        return "a shape such as 224x224x3"

    def accept(self, value: object, rank: int) -> Shape:
        if isinstance(value, SizeValue) and not value.stride:
            parts = value.parts
        elif isinstance(value, int) and not isinstance(value, bool):
            parts = (value,)
        else:
            raise Refused("NET108", f"got {show(value)}, expected {self.describe()}")
        if any(part is not None and part < 1 for part in parts):
            raise Refused("NET109", f"got {show(value)}, expected sizes of at least 1")
        return parts

    def words(self) -> tuple[str, ...]:
        return ()
