"""What classes of layers of Keras are in netc, by their names, and what the functions that say it have in common.

Each looks at every option of its class. What it does not take is refused, unless it says nothing (`options.NEUTRAL`).
How layers begin and what the loss is given of them is no part of their function: where netc lacks that, it is left out,
and named.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from netc.layers.base import LAYERS
from netc.lift.source import Tensor, Unsaid
from netc.params import declared
from netc.targets.keras.read.options import initializer, regularizer, shown, spoken
from netc.targets.keras.read.reading import Held, Says, Site

TABLE: dict[str, Says] = {}
RANKS = (1, 2, 3)


def says(*names: str) -> Callable[[Says], Says]:
    """Register what classes are; `{}` stands for the number of dimensions."""

    def register(function: Says) -> Says:
        for name in names:
            TABLE.update({name.format(rank): function for rank in (RANKS if "{}" in name else (0,))})
        return function

    return register


def initial(site: Site, name: str, default: str, *, vector: bool = False) -> dict[str, Any]:
    """netc's `init` or `bias_init`; nothing where netc has no such initialiser."""
    value = site.options.take(name)
    value = default if value is None else value
    found = initializer(value, vector=vector)
    if found is None:
        otherwise(site, name, value)
        return {}
    return {"bias_init" if vector else "init": found}


def begins(site: Site, name: str, usual: str, *, vector: bool = False) -> None:
    """Note another initialiser than the one that netc's layer has."""
    value = site.options.take(name, usual)
    if initializer(value, vector=vector) != usual:
        otherwise(site, name, value)


def otherwise(site: Site, name: str, value: object) -> None:
    """Note an initialiser that netc has not."""
    site.left_out(f"how it begins in training, {name} {spoken(value)}")


def punished(site: Site, *names: str) -> dict[str, Any]:
    """netc's `l1` and `l2`; nothing where netc has no such regulariser."""
    values = [site.options.take(f"{name}_regularizer") for name in names]
    found = [regularizer(value) for value in values]
    for name in ("bias", "beta", "gamma", "recurrent", "alpha"):
        if (other := site.options.take(f"{name}_regularizer")) is not None:
            site.left_out(f"what the {name}_regularizer {spoken(other)} adds to the loss")
    if found[0] is None or any(one != found[0] for one in found):
        site.left_out(f"what the {names[0]}_regularizer {spoken(values[0])} adds to the loss")
        return {}
    return {key: value for key, value in zip(("l1", "l2"), found[0], strict=True) if value is not None}


def last_axis(site: Site, rank: int, default: int = -1) -> None:
    """Refuse what works along another axis than the channels."""
    axis = site.options.take("axis", default)
    found = axis if isinstance(axis, list) else [axis]
    if found not in ([-1], [rank + 1]):
        raise Unsaid(f"it works along axis {shown(axis)}, and netc's layer along the channels, the last one")


def spatial(site: Site) -> tuple[Held, int]:
    """The one tensor that a layer reads, and the dimensions in the name of its class, which it must have."""
    held = site.only()
    digit = next((character for character in site.kind if character.isdigit()), "0")
    if (rank := site.rank(held)) != int(digit):
        raise Unsaid(f"it works on {digit} dimensions, and its input has {rank}")
    return held, rank


def named(site: Site, op: str) -> Tensor:
    """A layer whose options are the parameters of the operation, by their names."""
    params = declared(LAYERS[op])
    given = {name: site.options.take(name, param.default) for name, param in params.items()}
    kept = {name: tuple(value) if isinstance(value, list) else value for name, value in given.items()}
    changed: dict[str, Any] = {name: value for name, value in kept.items() if value != params[name].default}
    return site.add(op, *site.tensors(), **changed)


def axes_given(axis: object) -> Sequence[int]:
    """Axes, one or in a list."""
    found = axis if isinstance(axis, list | tuple) else [axis]
    if not all(type(one) is int for one in found):
        raise Unsaid(f"it works along {shown(axis)}")
    return [one for one in found if type(one) is int]
