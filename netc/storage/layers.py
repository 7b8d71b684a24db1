"""The layers of a file with weights, whatever its format."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from netc.storage.stored import Stored


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer with weights: its class in lower case (`conv2d`; "" where the file does not say), its name, the names of
    the models and wrappers around it, and its arrays. The name of an array ends in its role where the file says it
    (`conv1/kernel`)."""

    kind: str
    name: str
    around: tuple[str, ...]
    arrays: Sequence[Stored]


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of a file, and in which order they come: that of the `network`, that of each `class` of layers, or
    none. Where arrays are not `arranged`, as Keras makes them, only their roles tell them apart."""

    found: Sequence[Layer]
    order: Literal["network", "class", "none"]
    arranged: bool = True
