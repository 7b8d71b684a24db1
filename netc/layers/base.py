"""The base of all operations, and their registry.

A layer says each fact about itself once: its parameters (`netc.params`), its shape rule, its weights and MACs,
how it slides over its input, what it computes (`netc.primitives`), and its traits. Which call of Keras makes it is said
there (`netc/targets/keras`).

How values and defaults are stored:

- A value from a spec is stored as its kind's `accept` returns it: a `Sizes` as a tuple with one integer a spatial
  dimension, a word as a plain `str`, an alias of an activation as its canonical name.
- A default is stored as declared and never passes through `accept`. A `Sizes` default is an `int` that counts for
  every dimension (`stride = 1`), because a class does not know its rank before it sees its input: read it with
  `sliding.spread(value, rank)`.
- The default None is never a value of a spec. It means "worked out from the rest", as the parameter's line says:
  a pool's `stride` is its `kernel`, `pad before=` is `pad`'s size, no `l2` is none unless training sets one.
- Of a tensor that an option names by its label (`resize to=c3`) a class holds only whether there is one.
- `pad` is `"same"`, `"valid"` or `"causal"`, or pixels on each side as a `Sizes`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, dataclass_transform

from netc.ir.shape import Shape, rank_of, show_shape
from netc.ir.window import Window
from netc.layers.kinds import Operand
from netc.params import Declared, Refused, declared, param
from netc.record import Record

if TYPE_CHECKING:
    from netc.primitives import Primitives, Tensor, Tensors, Weighted


T = TypeVar("T")


class OperationError(Exception):
    """The class of an operation contradicts itself, or names what its target lacks: for whoever wrote the class."""


@dataclass(frozen=True, slots=True)
class Weight:
    """A variable of a layer, under the name Keras gives it (`kernel`, `bias`, `gamma`).

    `terms` are the products that are summed up for an element of the output, of a kernel. `also` are shapes in which
    layers of other classes, which compute the same, have these numbers in this order.
    """

    name: str
    shape: tuple[int, ...]
    trainable: bool = True
    terms: int = 0
    also: tuple[tuple[int, ...], ...] = ()

    @property
    def count(self) -> int:
        """Number of elements."""
        return prod(self.shape)


# Comparison and text are `Layer`'s own: to have them generated for every class would double the time of the import.
declaration = partial(dataclass, frozen=True, kw_only=True, eq=False, repr=False)


@declaration
class Layer(Record, Declared):
    """One operation. Subclasses are made by `@operation` and live in the family modules beside this one.

    Shapes are without the batch dimension, channels last; a spatial size may be None (unknown), channels may not.
    Two layers are equal when they are of one class and have the same parameters.
    """

    op: ClassVar[str]  # canonical name in the language
    aliases: ClassVar[tuple[str, ...]] = ()
    family: ClassVar[str] = ""  # conv, pool, norm, activation, dense, shape, merge, regularise
    operands: ClassVar[tuple[int, int | None]] = (1, 1)  # least and most inputs; (2, None) for combiners
    channel_shares: ClassVar[Mapping[str, str]] = {}  # parameters that are, unless given, channels / another one
    is_input: ClassVar[bool] = False  # a tensor that the network is given
    ids: ClassVar[str] = ""  # the parameter that says how many ids there are, where the input is ids, no amounts
    weighted: ClassVar[bool] = False  # counts in the depth of a network, as papers count layers
    example: ClassVar[str] = ""  # statements that run after `input 32x32x16`

    # Traits. tests/test_traits.py finds each one out by running the layers, so that none is forgotten.
    commutative: ClassVar[bool] = False  # takes its operands in any order
    transparent: ClassVar[bool] = False  # each value of the output, outside training, is 0 or a mean of the input's
    sums: ClassVar[bool] = False  # adds up its operands, each times a number other than 0
    train_only: ClassVar[bool] = False  # hands its input on, outside training
    slides: ClassVar[bool] = False  # reads positions together, in windows or all of them
    trails: ClassVar[bool] = False  # may stand as a word after operations that are `trailing`
    removes_bias: ClassVar[bool] = False  # takes away what is added to a whole channel before it
    unlike_keras: ClassVar[str] = ""  # what Keras computes in its place, where that is something else

    # How figures and tables of papers show it.
    paper: ClassVar[str] = ""  # what papers call it, where that is not what the language calls it
    mark: ClassVar[str | None] = (
        None  # before its window and its channels in rows of tables, `dw 3×3, 64`; None: its label
    )
    shown: ClassVar[tuple[str, ...]] = ()  # options that labels say too, where they are given
    enlarges: ClassVar[bool] = False  # its stride makes its output larger: `×2`, not `/2`
    usual: ClassVar[bool] = False  # tables of papers do not mention it after a layer
    symbol: ClassVar[str] = ""  # the sign that stands for it in a circle
    formula: ClassVar[str] = ""  # how a formula writes it of `{}`: `|{}|`
    beside: ClassVar[bool] = False  # has no row or slab of its own, but belongs to the layer before it
    listed: ClassVar[bool] = False  # has a row of its own in tables all the same
    residual: ClassVar[bool] = False  # a line that skips layers and ends in it is a shortcut (He et al. 2015)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"

    @property
    def ending(self) -> str | None:
        """The activation that it ends in; "linear" where values can be any number, None where its inputs decide."""
        return getattr(self, "act", None)

    @property
    def activation(self) -> str | None:
        """The activation that it ends in, unless another one may well follow it; else None."""
        return None if self.ending == "linear" else self.ending

    @property
    def not_negative(self) -> bool:
        """Whether no value of its output is below 0, whatever its inputs are."""
        act = getattr(self, "act", None)
        return act is not None and LAYERS[act]().not_negative

    @property
    def stacks(self) -> bool:
        """Whether its output is the channels of all operands, one after the other."""
        return False

    @classmethod
    def tensors(cls) -> Mapping[str, Operand]:
        """The parameters whose values are labels of tensors that it reads beside its input, with their kinds."""
        known: Any = cls
        return _tensors(known)

    @property
    def reads(self) -> tuple[int, int | None]:
        """Least and most inputs, with those that its parameters name."""
        named = sum(bool(getattr(self, name)) for name in self.tensors())
        least, most = self.operands
        return least + named, None if most is None else most + named

    def valued(self, operands: Sequence[T]) -> Sequence[T]:
        """Those of its operands whose values it reads, and not only their sizes."""
        named = [kind.size for name, kind in self.tensors().items() if getattr(self, name)]
        if not any(named):
            return operands
        own = len(operands) - len(named)
        return [*operands[:own], *(one for one, size in zip(operands[own:], named, strict=True) if not size)]

    @property
    def called(self) -> str:
        """What papers call it with these parameters."""
        return self.paper

    @property
    def told(self) -> str:
        """A word of the language after its arguments that belongs to its label."""
        return ""

    def does_nothing(self, inputs: Sequence[Shape]) -> bool:
        """Whether it hands inputs of these shapes on as they are, in training too."""
        return False

    def validate(self, rank: int | None) -> None:
        """Raise `Refused` for parameters that contradict each other whatever the input is.

        `rank` is its number of spatial dimensions, None where an error before left it unknown. `infer` asks this too.
        """

    def infer(self, inputs: Sequence[Shape]) -> Shape:
        """Output shape; raises `Refused`."""
        raise Refused("NET117", f"`{self.op}` has no shape rule")

    def checked_shape(self, inputs: Sequence[Shape]) -> Shape:
        """The shape that `infer` gives, once `windows` agrees with it; raises `Refused` and `OperationError`.

        A class that changes sizes and says nothing of windows would be given a wrong receptive field, and wrong answers
        about unknown input sizes, without a word.
        """
        shape = self.infer(inputs)
        if inputs and shape[:-1] != inputs[0][:-1]:
            windows = self.windows(inputs)
            if windows is not None and len(windows) != rank_of(shape) and not _same_positions(inputs, shape):
                said = ", ".join(map(show_shape, inputs))
                raise OperationError(
                    f"`{self.op}` makes {show_shape(shape)} of {said}, but `{type(self).__name__}.windows` gives "
                    f"{windows!r}: expected one window a spatial dimension, or None where it reads the whole input"
                )
        return shape

    def rearranges(self, inputs: Sequence[Shape]) -> bool:
        """Whether each position of its output is one of an operand's, or a part of its channels, in another order."""
        return False

    def weights(self, inputs: Sequence[Shape]) -> tuple[Weight, ...]:
        """Variables, in the order Keras makes them."""
        return ()

    def within(self, inputs: Sequence[Shape]) -> tuple[Shape, ...]:
        """Shapes of tensors made on the way that may be larger than inputs and output, for one sample."""
        return ()

    def macs(self, inputs: Sequence[Shape], output: Shape) -> int | None:
        """Multiply-accumulates for one sample, biases not counted; None where a size is unknown."""
        return 0

    def apart(self, inputs: Sequence[Shape]) -> int:
        """Groups of channels that do not see each other: 1 where all are read together."""
        return 1

    def compute(self, f: Primitives, xs: Tensors, w: Weighted) -> Tensor:
        """The output for inputs, outside training, in the functions of a target; `w` holds the weights by name.

        Raises `OperationError` for a class that does not say it.
        """
        raise OperationError(f"`{self.op}` does not say what it computes: `{type(self).__name__}` needs `compute`")

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        """How each output position reads the input, one window a spatial dimension.

        An empty tuple reads the same position only; None reads the whole input (a global pool, a dense layer).
        """
        return ()


@cache
def _tensors(cls: Any) -> dict[str, Operand]:
    return {name: one.kind for name, one in declared(cls).items() if isinstance(one.kind, Operand)}


def _same_positions(inputs: Sequence[Shape], output: Shape) -> bool:
    """Whether each size of the output, but for the channels, is that of an operand."""
    return all(
        any(len(shape) == len(output) and shape[axis] in (size, None) for shape in inputs)
        for axis, size in enumerate(output[:-1])
    )


LAYERS: dict[str, type[Layer]] = {}  # by canonical name and alias

L = TypeVar("L", bound=type[Layer])


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(param,))
def operation(op: str, *aliases: str, family: str) -> Callable[[L], L]:
    """Make a class an operation of the language: a frozen keyword-only dataclass, registered under its names."""

    def register(cls: L) -> L:
        # A class without parameters of its own is one already, and making it again would cost half a millisecond.
        made: Any = declaration(cls) if "__annotations__" in cls.__dict__ else cls
        made.op, made.aliases, made.family = op, aliases, family
        for name in (op, *aliases):
            assert name not in LAYERS, name
            LAYERS[name] = made
        registered: L = made
        return registered

    return register
