"""What every line of a section is: a class with declared parameters, registered under the word that chooses it.

A line is written like an operation (`optimizer momentum lr=0.1`), and its class says each fact about it once:
parameters with kind, default, range and one line of documentation, the call it becomes in the target, and where
TFLearn, the paper and Keras have other defaults than netc.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple, TypeVar, cast, dataclass_transform

from netc.params import Declared, Real, Refused, declared, param
from netc.record import Record, record
from netc.target import Symbol, concrete, is_given
from netc.values import show


@dataclass(frozen=True, slots=True)
class Name:
    """A bare name that lives outside the expressions: a label, an output, a monitored quantity."""

    what: str = "a name"

    def describe(self) -> str:
        return self.what

    def accept(self, value: object, rank: int) -> str:
        if not isinstance(value, str):
            raise Refused("NET108", f"got {show(value)}, expected {self.what}")
        return str(value)

    def words(self) -> tuple[str, ...]:
        return ()


class Elsewhere(NamedTuple):
    """The defaults of others where one of them is not netc's; None where it has no such parameter or says nothing."""

    keras: object
    tflearn: object = None
    paper: object = None


class Setting(Record, Declared):
    """One line of a section. Subclasses are made by `choice`."""

    name: ClassVar[str]  # canonical word in the language
    aliases: ClassVar[tuple[str, ...]]
    repeatable: ClassVar[bool] = False  # whether several such lines may stand in one section
    example: ClassVar[str]  # the line as a spec writes it
    misnamed: ClassVar[Mapping[str, str]] = {}  # keys that users of Keras or TFLearn try, and what netc's are
    refused: ClassVar[Mapping[str, str]] = {}  # keys that cannot stand with this choice, and why

    def validate(self) -> None:
        """Raise `Refused` for parameters that contradict each other."""


class Targeted(Setting):
    """A setting that becomes one call in the target, with the parameters that differ from the target's defaults."""

    target: ClassVar[str]  # path of the call, relative to the `keras` package
    fixed: ClassVar[Mapping[str, Any]] = {}  # arguments it always has
    renamed: ClassVar[Mapping[str, str]] = {}  # names of parameters in the target
    own: ClassVar[frozenset[str]] = frozenset()  # parameters that are no arguments of the call
    elsewhere: ClassVar[Mapping[str, Elsewhere]] = {}

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of the call."""
        given = dict(self.fixed)
        for name, declaration in declared(type(self)).items():
            value = getattr(self, name)
            default = self.elsewhere[name].keras if name in self.elsewhere else declaration.default
            if name not in self.own and is_given(value, default):
                given[self.renamed.get(name, name)] = real(value) if isinstance(declaration.kind, Real) else value
        return given


S = TypeVar("S", bound=Setting)
Registry = dict[str, type[S]]  # by canonical name and alias


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(param,))
def choice(registry: Registry[S], name: str, *aliases: str, example: str) -> Callable[[type[Any]], Any]:
    """Make a class a setting: a record, registered under its names."""

    def register(cls: type[Any]) -> type[Any]:
        made: Any = record(cls)
        made.name, made.aliases, made.example = name, aliases, example
        for word in (name, *aliases):
            assert word not in registry, word
            registry[word] = made
        return cast(type[Any], made)

    return register


Unit = Literal["steps", "epochs"]


@dataclass(frozen=True, slots=True)
class Clock:
    """How long training is, in steps (batches): of one epoch and of the whole. Numbers, or symbols of emitted code."""

    per_epoch: Any
    total: Any

    def steps(self, count: Any, unit: str) -> Any:
        """A time in steps."""
        if unit == "steps":
            return count
        return self.per_epoch if count == 1 else count * self.per_epoch


def real(value: Any) -> Any:
    """A number as a real one: Keras refuses `learning_rate=1`."""
    if isinstance(concrete(value), int):
        return value * 1.0 if isinstance(value, Symbol) else float(value)
    return value


def times(rate: Any, factor: Any) -> Any:
    """A product, without the last digits that binary fractions leave (0.1 * 0.1 is 0.01)."""
    product = rate * factor
    return product if isinstance(product, Symbol) else float(f"{product:.12g}")
