"""What the page's script knows of the networks, as JSON: the figure says what a layer looks like, this what it is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from netc.figures.facts import word
from netc.figures.html.texts import Texts
from netc.figures.scene import Group, Scene
from netc.figures.theme import KIND_NAMES
from netc.ir.shape import Shape, show_shape
from netc.layers.base import Layer
from netc.program import Program
from netc.report.label import kind


def network(programs: Sequence[Program], scenes: Sequence[Scene], texts: Texts) -> str:
    """The layers of all programs in one row, and for each scene what is drawn for them:

    - `names`; `reads`: for each layer how many places before it the layers stand that it reads;
    - `words`, one text for each different layer: what it is called, and `kinds`: which of these texts each layer has;
    - `places`: where words stand that made layers: text, line in it from 0, column from 1, lines to the end, column
      after the end, number of the place that this one was called from or -1; `made`: the place of each layer or -1;
    - `drawn`: for each scene, by id, the layers; after them, of a frame alone, the place of the call it stands for.
    """
    nets = [program.net for program in programs]
    nodes = [(net, node) for net in nets for node in net]
    number = {id(node): at for at, (_, node) in enumerate(nodes)}
    words: dict[str, int] = {}
    kinds = [words.setdefault(_words(node.layer, net.shapes[node.name]), len(words)) for net, node in nodes]
    made = [texts.place(node.origin) for _, node in nodes]
    places = list(texts.places)

    def record(group: Group) -> list[Any]:
        layers = [number[id(node)] for node in group.nodes]
        return [layers, _around([made[layer] for layer in layers], places)] if group.role == "frame" else [layers]

    known = {
        "names": [node.name for _, node in nodes],
        "reads": [
            [number[id(node)] - number[id(net.node(name))] for name in net.operands(node.name)] for net, node in nodes
        ],
        "words": list(words),
        "kinds": kinds,
        "places": places,
        "made": made,
        "drawn": [{group.name: record(group) for group in _objects(scene)} for scene in scenes],
    }
    return json.dumps(known, separators=(",", ":")).replace("<", "\\u003c")


def _objects(scene: Scene) -> list[Group]:
    return [item for item in scene.walk() if isinstance(item, Group) and item.name and item.line is not None]


@lru_cache(maxsize=4096)  # equal layers are most of a deep network
def _words(layer: Layer, output: Shape) -> str:
    """All that people may call a layer: names, window and arguments, the name of its family; and its output's shape."""
    family = KIND_NAMES.get(layer.family, "")
    said = [
        layer.op,
        *layer.aliases,
        layer.called,
        word(layer),
        kind(layer, output).replace(",", ""),
        family,
        show_shape(output),
    ]
    return " ".join(dict.fromkeys(" ".join(said).lower().split()))


def _around(made: Sequence[int], places: Sequence[Sequence[int]]) -> int:
    """The innermost place that all these were made in or called from; -1 where there is none."""
    ways = [_way(place, places) for place in set(made)]
    common = [steps[0] for steps in zip(*ways, strict=False) if len(set(steps)) == 1]
    return common[-1] if common else -1


def _way(place: int, places: Sequence[Sequence[int]]) -> list[int]:
    """A place and those it was called from, the outermost first."""
    way = []
    while place >= 0:
        way.append(place)
        place = places[place][-1]
    return way[::-1]
