"""What configurations of layers say, in netc's words: initialisers, regularisers, activations, types."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from netc.diagnostics.escape import harmless
from netc.layers.kinds import ACTIVATION_ALIASES, ACTIVATIONS, INITIALIZERS
from netc.lift.source import Unsaid
from netc.params import single
from netc.targets.keras import lowering

# Options of every layer that do not change what it computes: how it is called, built, and made faster.
# fmt: off
NEUTRAL = (
    "name", "trainable", "dtype", "batch_input_shape", "batch_shape", "input_shape", "build_input_shape", "autocast",
    "implementation", "unroll", "time_major", "use_cudnn", "flash_attention", "zero_output_for_mask", "synchronized",
    "fused", "seed", "optional", "input_dtype", "unit_forget_bias", "lora_rank", "lora_alpha", "renorm_momentum",
    "input_length",
)
# fmt: on
Operation = tuple[str, Mapping[str, Any]]  # of netc, with the parameters that it is given
LONGEST = 60  # characters of a value in a message


class Options:
    """The configuration of a layer, each of whose options has to be taken by who knows what it means."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._left = dict(config)
        self.wrong: list[str] = []

    def take(self, name: str, default: Any = None) -> Any:
        """The value of an option, or the default."""
        return self._left.pop(name, default)

    def need(self, name: str, *usual: Any) -> None:
        """Note that the layer cannot be said where an option is none of some values, or given without being one."""
        value = self._left.pop(name, None)
        if value is not None and not any(_same(value, one) for one in usual):
            self.wrong.append(f"`{name}` is {shown(value)}, and netc has no such layer")

    def rest(self) -> list[str]:
        """Why the layer cannot be said: what was noted, and options that nobody took."""
        more = [
            f"it has the option `{name}`, {shown(value)}, which is not known"
            for name, value in self._left.items()
            if name not in NEUTRAL and value not in (None, False, "", [], {}) and not name.startswith("_")
        ]
        return [*self.wrong, *more]


def _same(value: object, other: object) -> bool:
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def shown(value: object) -> str:
    """A value as a message shows it."""
    text = harmless(json.dumps(value, default=str))
    return text if len(text) <= LONGEST else text[: LONGEST - 3] + "..."


def number(value: object) -> float | int:
    """A number; Keras 2 wrote those that it holds in float32 with digits that mean nothing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unsaid(f"got {shown(value)} where a number is expected")
    short = float(f"{value:.7g}") if isinstance(value, float) else value
    return short if isinstance(value, float) and single(value) == value == single(short) else value


def flag(value: object) -> bool:
    """`true` or `false`."""
    if not isinstance(value, bool):
        raise Unsaid(f"got {shown(value)} where true or false is expected")
    return value


def sizes(value: object, rank: int) -> tuple[int, ...]:
    """A size for each dimension."""
    parts = [value] * rank if isinstance(value, int) else value
    if not isinstance(parts, list | tuple) or len(parts) != rank or not all(type(part) is int for part in parts):
        raise Unsaid(f"got {shown(value)} where {rank} sizes are expected")
    return tuple(parts)


def pairs(value: object, rank: int) -> list[tuple[int, int]]:
    """Pixels before and after in each dimension: `1`, `[1, 2]` and `[[1, 1], [2, 2]]`; in one dimension `[1, 2]` is the
    pair."""
    if rank == 1 and isinstance(value, list | tuple) and len(value) == 2:
        value = [value]
    parts = [value] * rank if isinstance(value, int) else value
    if not isinstance(parts, list | tuple) or len(parts) != rank:
        raise Unsaid(f"got {shown(value)} where pixels on each side are expected")
    found = [sizes([part, part] if isinstance(part, int) else part, 2) for part in parts]
    return [(before, after) for before, after in found]


def part(value: object) -> tuple[str, Mapping[str, Any]]:
    """An object of a configuration (an initialiser, a regulariser): its class, and its own options."""
    if isinstance(value, str):
        return value, {}
    if isinstance(value, Mapping) and isinstance(value.get("class_name"), str):
        config = value.get("config")
        return value["class_name"], config if isinstance(config, Mapping) else {}
    raise Unsaid(f"got {shown(value)} where an object of Keras is expected")


# -- initialisers --------------------------------------------------------------------------------------------

_BY_NAME = {word.replace("_", ""): word for word in INITIALIZERS if word not in lowering.INITIALIZERS} | {
    "zero": "zeros",
    "one": "ones",
    "orthogonalinitializer": "orthogonal",
}
_SCALED = {
    (1.0, "fan_avg", "uniform"): "glorot_uniform",
    (1.0, "fan_avg", "truncated_normal"): "glorot_normal",
    (2.0, "fan_in", "uniform"): "he_uniform",
    (2.0, "fan_in", "truncated_normal"): "he_normal",
    (1.0, "fan_in", "uniform"): "lecun_uniform",
    (1.0, "fan_in", "truncated_normal"): "lecun_normal",
}


def initializer(value: object, *, vector: bool = False) -> str | float | None:
    """An initialiser in netc's words; None for one that it has not. A number is the standard deviation of a normal one,
    and of a `vector` a constant."""
    name, config = part(value)
    kind = name.lower().replace("_", "")
    word = _BY_NAME.get(kind)
    if word == "orthogonal":
        return None if vector or config.get("gain", 1.0) != 1.0 else word
    if word is not None:
        return word
    if kind == "constant" and vector:
        return number(config.get("value", 0.0)) or "zeros"
    if kind in ("randomnormal", "truncatednormal") and not vector and config.get("mean", 0.0) == 0.0:
        std = number(config.get("stddev", 0.05))
        return std if kind == "randomnormal" else ("truncated_normal" if std == 0.02 else None)
    if kind == "variancescaling" and not vector:
        spread = str(config.get("distribution", "truncated_normal"))
        scaled = config.get("scale", 1.0), config.get("mode", "fan_in"), spread
        return _SCALED.get(scaled) if all(isinstance(one, float | int | str) for one in scaled) else None
    return None


def gamma(value: object) -> tuple[float, float] | None:
    """The mean and the standard deviation of the initial factors of a normalisation; None for others."""
    name, config = part(value)
    kind = name.lower().replace("_", "")
    if kind in ("zeros", "ones"):
        return float(kind == "ones"), 0.0
    if kind == "constant":
        return number(config.get("value", 0.0)), 0.0
    if kind == "randomnormal":
        return number(config.get("mean", 0.0)), number(config.get("stddev", 0.05))
    return None


def spoken(value: object) -> str:
    """An object of a configuration as Python writes it."""
    name, config = part(value)
    said = ", ".join(f"{key}={one}" for key, one in config.items() if one is not None)
    return harmless(f"{name}({said})" if config else name)


# -- regularisers --------------------------------------------------------------------------------------------


def regularizer(value: object) -> tuple[float | None, float | None] | None:
    """netc's `l1` and `l2`, twice Keras' (`lowering.regularizer`); None for a regulariser that netc has not."""
    if value is None:
        return None, None
    name, config = part(value)
    if name.lower() not in ("l1", "l2", "l1l2", "l1_l2") or not config:
        return None
    one, two = number(config.get("l1") or 0.0), number(config.get("l2") or 0.0)
    return one or None, two * 2 or None


# -- activations ---------------------------------------------------------------------------------------------

_LAYERS_ONLY: Mapping[str, Operation] = {  # functions that netc has as layers, with Keras' defaults
    "leaky_relu": ("leakyrelu", {"slope": 0.2}),
    "glu": ("glu", {}),
    "threshold": ("threshold", {}),
}


def function(name: object) -> Operation:
    """The operation of one of Keras' functions, by its name."""
    if isinstance(name, Mapping) and name.get("class_name") == "function":
        name = name.get("config")
    if name is None:
        return "linear", {}
    if isinstance(name, str) and name in _LAYERS_ONLY:
        return _LAYERS_ONLY[name]
    if isinstance(name, str) and name in (*ACTIVATIONS, *ACTIVATION_ALIASES):
        return ACTIVATION_ALIASES.get(name, name), {}
    raise Unsaid(f"its activation {shown(name)} is not one of Keras")
