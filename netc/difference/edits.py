"""What a change is: the kinds of edits, in the order in which they are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Change = tuple[object, object]  # a value before and after; None is no value


@dataclass(frozen=True, slots=True)
class Place:
    """Where an edit is: names of layers, None for an end of the network, in the network that has the edited layers."""

    after: tuple[str, ...]  # what they read
    before: tuple[str, ...]  # what reads them


@dataclass(frozen=True, slots=True)
class Counted:
    """Blocks more or fewer in a row: `where` are the calls around (() is the file), `layers` those of the blocks."""

    where: tuple[str, ...]
    block: str  # the definition, or the text of the `repeat`
    count: tuple[int, int]
    layers: tuple[str, ...]
    place: Place
    alike: bool  # whether their place says nothing: equal blocks stand beside them, and this is the only `repeat`

    @property
    def single(self) -> bool:
        """Whether each block is one layer."""
        return len(self.layers) == abs(self.count[1] - self.count[0])


@dataclass(frozen=True, slots=True)
class Added:
    """Layers that only the second network has, joined to each other. `blocks` are the calls that made all of them."""

    layers: tuple[str, ...]
    said: tuple[str, ...]  # each in a few words
    place: Place
    blocks: tuple[str, ...] = ()
    branch: str = ""  # the merge that joins them, which is in both networks


@dataclass(frozen=True, slots=True)
class Removed(Added):
    """Layers that only the first network has."""


@dataclass(frozen=True, slots=True)
class Replaced:
    """Layers in the place of others."""

    layers: tuple[tuple[str, ...], tuple[str, ...]]
    said: tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Moved:
    """Layers that stand elsewhere now: after which ones, before and now."""

    layers: tuple[tuple[str, ...], tuple[str, ...]]
    said: tuple[str, ...]
    places: tuple[Place, Place]


@dataclass(frozen=True, slots=True)
class Changed:
    """Layers of one operation whose parameters are others: `layers` are pairs of names, `values` by parameter."""

    op: str
    layers: tuple[tuple[str, str], ...]
    values: Mapping[str, Change]
    every: bool  # whether these are all layers of that operation


@dataclass(frozen=True, slots=True)
class Rewired:
    """A layer that reads others, or shares its weights with another one; `reads` are names in its own network."""

    layer: tuple[str, str]
    reads: tuple[tuple[str, ...], tuple[str, ...]]
    other: bool  # whether it reads others, or in another order
    shares: tuple[str | None, str | None] = (None, None)  # where that is another layer


@dataclass(frozen=True, slots=True)
class Ends:
    """Other inputs or outputs: names in each network."""

    what: str  # "inputs" or "outputs"
    names: tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Setting:
    """A line of `data` or `train`: its words in both, None where there is none."""

    section: str
    line: str
    values: Mapping[str, Change]  # by parameter, of a line that is in both
    text: tuple[str | None, str | None]


Edit = Counted | Added | Removed | Replaced | Moved | Changed | Rewired | Ends | Setting
Edits = Sequence[Edit]
