"""Texts made of flat networks: what they compile to is the network, layer by layer, whatever their names."""

from pathlib import Path

import pytest

import netc
from netc.lift.joined import joined
from netc.lift.lifting import flat, proved
from netc.lift.proof import NotTheNetwork
from netc.lift.source import ImportRefused, Sketch
from tests.specs import SPECS
from tools.lifting import sketched


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.net")), ids=lambda path: path.stem)
def test_the_flat_text_of_a_spec_is_its_network(path: Path) -> None:
    net = netc.load(path).net
    lifted = flat(sketched(net), ["From a spec."])
    assert lifted.text.startswith("# From a spec.\n")
    assert set(lifted.names) == {node.name for node in net}
    assert netc.loads(lifted.text).cost.total == netc.load(path).cost.total


def test_an_activation_is_one_with_its_layer_or_stands_after_it() -> None:
    one, two = (netc.loads(f"input 8x8x3; {text}; gap").net for text in ("conv 4x3 relu", "conv 4x3; identity; relu"))
    assert [node.layer for node in joined(one)[0]] == [node.layer for node in joined(two)[0]]
    read_twice = netc.loads("input 8x8x3; a: conv 4x3; b: relu; add { | from a | from b }; gap").net
    assert not joined(read_twice)[1]


@pytest.mark.parametrize(
    "other",
    [
        "input 8x8x3; conv 4x3 relu; conv 4x3",
        "input 8x8x3; conv 4x3; conv 4x3 relu",
        "input 8x8x3; conv 4x5 relu; conv 4x3 relu",
        "input 9x9x3; conv 4x3 relu; conv 4x3 relu",
        "input 8x8x3; conv 4x3 relu; conv 4x3 relu; conv 4x3",
        "input 8x8x3; a: conv 4x3 relu; b: conv 4x3 relu; output a b",
        "input 8x8x3; conv 4x3 relu init=he_normal; conv 4x3 relu",
    ],
)
def test_a_text_of_another_network_is_not_taken(other: str) -> None:
    net = netc.loads("input 8x8x3; conv 4x3 relu; conv 4x3 relu").net
    with pytest.raises(NotTheNetwork):
        proved(net, other, None)


def test_all_that_is_wrong_with_a_model_is_said_at_once() -> None:
    sketch = Sketch("broken")
    image = sketch.add("image", "input", shape=(8, 8, 3))
    wrong = sketch.add("a/conv", "conv", [image], place="layer `a/conv` (Conv2D)", filters=0, kernel=(3, 3))
    worse = sketch.add("b", "conv", [wrong], filters=8, kernel=(3, 3), groups=-1)
    sketch.add("c", "conv", [image], filters=8, kernel=(9, 9), pad="valid")
    with pytest.raises(ImportRefused) as caught:
        sketch.finish([worse])
    assert [reason.place for reason in caught.value.reasons] == ["layer `a/conv` (Conv2D)", "`b`", "`c`"]


def test_names_of_a_source_become_names_of_the_language() -> None:
    sketch = Sketch("names")
    image = sketch.add("input", "input", shape=(8, 8, 3))
    names = [sketch.add(name, "relu", [image]) for name in ("a/b.c:0", "a b c 0", "1x1", "if", "relu", "", "ü")]
    total = sketch.add("sum", "add", names)
    net = sketch.finish([total])
    assert len(set(names)) == len(names)
    assert set(flat(net).names) == {image, total, *names}
