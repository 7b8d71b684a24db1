"""What only layers take: paddings, activations, initialisers, shapes; and what these become in the target."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from netc.ir.shape import Shape
from netc.params import KindError, Real, Sizes
from netc.target import Call, Symbol, concrete, is_given
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

_KERAS_INITIALIZERS = (
    *("glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal"),
    *("orthogonal", "zeros", "ones"),
)
# Initialisers under Keras' names, then TFLearn's names for what Keras calls otherwise.
INITIALIZERS: Mapping[str, str | Call] = MappingProxyType(
    {
        **dict(zip(_KERAS_INITIALIZERS, _KERAS_INITIALIZERS, strict=True)),
        "uniform_scaling": "lecun_uniform",  # U(-sqrt(3 / fan_in), sqrt(3 / fan_in))
        "variance_scaling": "he_normal",  # truncated normal of variance 2 / fan_in
        "xavier": "glorot_uniform",
        "normal": Call("initializers.RandomNormal", kwargs={"stddev": 0.02}),
        "truncated_normal": Call("initializers.TruncatedNormal", kwargs={"stddev": 0.02}),
    }
)


@dataclass(slots=True, eq=False)
class Padding:
    """`same`, `valid` and the like, or pixels on each side of each dimension."""

    choices: tuple[str, ...] = ("same", "valid", "causal")
    pixels: Sizes = field(default_factory=lambda: Sizes(min=0))

    def describe(self) -> str:
        return ", ".join(self.choices) + " or the pixels on each side, such as 1 or 1x2"

    def accept(self, value: object, rank: int) -> str | Sized:
        if isinstance(value, Word) and value in self.choices:
            return str(value)
        if isinstance(value, str):
            raise KindError(f"got {show(value)}, expected {self.describe()}")
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
            raise KindError(f"got {show(value)}, expected {self.describe()}")
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
            raise KindError(f"got {show(value)}, expected {self.describe()}")
        return Real().accept(value, rank)

    def words(self) -> tuple[str, ...]:
        return tuple(word for word in INITIALIZERS if not (self.vector and word == "orthogonal"))


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
            raise KindError(f"got {show(value)}, expected {self.describe()}")
        if any(part is not None and part < 1 for part in parts):
            raise KindError(f"got {show(value)}, expected sizes of at least 1", "NET109")
        return parts

    def words(self) -> tuple[str, ...]:
        return ()


# -- lowering ------------------------------------------------------------------------------------------------


def keywords(*arguments: tuple[str, Any, Any]) -> dict[str, Any]:
    """Keyword arguments from (name, value, the target's default), without those that equal the default."""
    return {name: value for name, value, default in arguments if is_given(value, default)}


def kernel_initializer(value: Any) -> Any:
    """The target's initialiser: a number is the standard deviation of a normal distribution around 0."""
    if isinstance(concrete(value), str):
        return _named(value)
    return Call("initializers.RandomNormal", kwargs={"stddev": value})


def bias_initializer(value: Any) -> Any:
    """The target's initialiser: a number is a constant."""
    if isinstance(concrete(value), str):
        return _named(value)
    return "zeros" if not isinstance(value, Symbol) and value == 0 else Call("initializers.Constant", (value,))


def _named(value: Any) -> Any:
    target = INITIALIZERS[concrete(value)]
    return value if target == concrete(value) else target  # a symbol is passed on where Keras knows its word


def regularizer(l1: Any, l2: Any) -> Call | None:
    """netc's `l1` and `l2` in the target, whose L2(c) is c * sum(w ** 2), twice what papers and TFLearn say."""
    if l1 is not None and l2 is not None:
        return Call("regularizers.L1L2", kwargs={"l1": l1, "l2": l2 / 2})
    if l2 is not None:
        return Call("regularizers.L2", (l2 / 2,))
    return None if l1 is None else Call("regularizers.L1", (l1,))
