"""Layers and settings as a spec writes them: from the values of declared parameters back to arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from math import isfinite
from typing import Any

from netc.layers.kinds import Activation, Operand, Padding
from netc.lift.numbers import shortest
from netc.lower.bind import trailing_words
from netc.params import Bool, Choice, Declared, Param, Refused, Sizes, declared
from netc.sections.base import Name
from netc.syntax.source import NOWHERE
from netc.syntax.tree import Argument, Expr, Keyword, Literal, Positional, Reference, Size, is_name
from netc.values import SizeValue, Word

SAID = {"dropout": "rate"}  # what experts say, also where it is the default


class Unwritable(ValueError):
    """A network that no spec can say as it is."""


def params_of(value: Declared) -> Mapping[str, Param]:
    """The parameters that the class of a layer or setting declares, in order."""
    return declared_by(type(value))


def declared_by(cls: type[Declared]) -> Mapping[str, Param]:
    """The parameters that a class declares, in order."""
    known: Any = cls
    return _declared(known)


_declared = cache(declared)  # networks have thousands of layers of a dozen classes


def given(value: Declared) -> dict[str, Any]:
    """The parameters of a layer or setting that are not as declared, in the order of the declaration.

    `1` and `1.0`, `true` and `1` are not the same; nor are `1` and `1x1`, the size for every dimension and the one
    that is written out, which do the same.
    """
    found = {name: (getattr(value, name), param.default) for name, param in params_of(value).items()}
    return {name: own for name, (own, default) in found.items() if type(own) is not type(default) or own != default}


def collapsed(param: Param, own: Any) -> Any:
    """A value of a parameter, a size that is the same in every dimension as one number."""
    every = isinstance(param.kind, Sizes | Padding) and isinstance(own, tuple) and len(set(own)) == 1
    return own[0] if every else own


def accepted(cls: type[Declared], values: Mapping[str, object], rank: int) -> dict[str, Any]:
    """Values of a class's parameters as a spec that says them stores them, for an input of `rank` spatial dimensions.

    Raises `Refused`, whose `param` is the one at fault.
    """
    params, found = declared_by(cls), {}
    for name, own in values.items():
        kind = params[name].kind
        try:
            found[name] = kind.accept(_said(own, kind.words()), rank)
        except Refused as error:
            raise Refused(error.code, error.message, param=name) from None
    return found


def _said(own: object, words: tuple[str, ...]) -> object:
    """A stored value as an expression gives it."""
    if isinstance(own, tuple | list) and own and all(part is None or isinstance(part, int) for part in own):
        return SizeValue(tuple(own))
    return Word(own) if isinstance(own, str) and own in words else own


def arguments(value: Declared, leave_out: Mapping[str, object] = {}) -> list[Argument]:
    """The arguments that give a layer or setting its values: sizes, then what needs no key, then the rest.

    `leave_out` are parameters that something else says; tensors are named by who knows their labels. Raises
    `Unwritable`.
    """
    params = params_of(value)
    values = {
        name: own
        for name, own in given(value).items()
        if leave_out.get(name, params) != own and not isinstance(params[name].kind, Operand)
    }
    return written(type(value), values)


def written(cls: type[Declared], values: Mapping[str, Any]) -> list[Argument]:
    """The arguments that give a class the values of its parameters, any of them an expression in place of a value."""
    params, rest = declared_by(cls), dict(values)
    return [*_size(cls, params, rest), *_positional(cls, params, rest), *_rest(cls, params, rest)]


def _size(value: type[Declared], params: Mapping[str, Param], values: dict[str, Any]) -> list[Argument]:
    """`64x3/2`, where all of it but the stride is given; it is taken out of `values`."""
    extents = [name for name in value.size if name != "stride"]
    if not extents or not all(name in values for name in extents):
        return []
    parts: list[int | Expr | None] = []
    for name in extents:
        own = values.pop(name)
        parts += _parts(params[name], own)
    stride = _parts(params["stride"], values.pop("stride")) if "stride" in value.size and "stride" in values else []
    return [Positional(_sized(parts, stride), NOWHERE)]


def _positional(value: type[Declared], params: Mapping[str, Param], values: dict[str, Any]) -> list[Argument]:
    """What is written without a key, up to the first that is not given; it is taken out of `values`."""
    made: list[Argument] = []
    for name in value.positional:
        if name not in values:
            break
        own = values.pop(name)
        each = own if params[name].many else (own,)
        made += [Positional(_expression(params[name], one), NOWHERE) for one in each]
    return made


def _rest(value: type[Declared], params: Mapping[str, Param], values: Mapping[str, Any]) -> list[Argument]:
    """Words that say by themselves what they set, then what has a key; an activation comes last."""
    words, keys, act = [], [], []
    for name, own in values.items():
        expression = _expression(params[name], own)
        if own is True and isinstance(params[name].kind, Bool):
            words.append(Positional(Reference(name, NOWHERE), NOWHERE))
        elif isinstance(expression, Reference) and name == "act" and value.trailing:
            act.append(Positional(expression, NOWHERE))
        elif isinstance(expression, Reference) and _is_plain(value, params, name, own):
            words.append(Positional(expression, NOWHERE))
        else:
            keys.append(Keyword(params[name].key, expression, NOWHERE, NOWHERE))
    return [*words, *keys, *act]


def _is_plain(value: type[Declared], params: Mapping[str, Param], name: str, word: str) -> bool:
    """Whether a bare word sets this parameter, and readers know it for one."""
    first = next((param for param in params.values() if word in param.bare_words), None)
    readable = isinstance(params[name].kind, Padding | Choice | Activation)
    free = word not in params and not (value.trailing and word in trailing_words())
    return readable and free and first is not None and first.name == name


def _expression(param: Param, own: object) -> Expr | Size:
    """A value of a parameter as it is written."""
    if isinstance(own, Expr):
        return own
    if isinstance(own, tuple) and own and all(isinstance(part, int | None) for part in own):
        return _sized(_parts(param, own))
    if isinstance(own, str):
        bare = own in param.kind.words() or (isinstance(param.kind, Name) and is_name(own))
        return Reference(own, NOWHERE) if bare else Literal(str(own), NOWHERE)
    if isinstance(own, bool | int) or (isinstance(own, float) and isfinite(own)):
        return shortest(own)
    raise Unwritable(f"`{param.name}` is {own!r}, which a spec cannot write")


def _parts(param: Param, own: Any) -> list[int | Expr | None]:
    """The parts of a size; once where it is the same in every dimension and one number says so."""
    parts: list[int | Expr | None] = list(own) if isinstance(own, tuple) else [own]
    every = isinstance(param.kind, Sizes | Padding) and len(set(parts)) == 1
    return parts[:1] if every else parts


def _sized(parts: Sequence[int | Expr | None], stride: Sequence[int | Expr | None] = ()) -> Expr | Size:
    made = tuple(None if part is None else part if isinstance(part, Expr) else Literal(part, NOWHERE) for part in parts)
    if len(made) == 1 and made[0] is not None and not stride:
        return made[0]
    steps = tuple(part if isinstance(part, Expr) else Literal(part, NOWHERE) for part in stride if part is not None)
    return Size(made, steps, NOWHERE)
