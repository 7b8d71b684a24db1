"""Layers that share their weights are lifted to one `shared def` of the whole run of layers that is called again."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import netc
from netc.ir.net import Net
from netc.lift import lifting
from netc.lift.aligned import aligned
from netc.lift.arguments import Unwritable
from netc.lift.lifting import Lifted, flat, lifted
from netc.lift.proof import NotTheNetwork
from netc.lift.source import Imported, Sketch
from netc.targets.importing import renamed, spec
from tests.effort import EXAMPLES
from tests.needs import needs_tensorflow
from tests.shared_networks import shared_network
from tests.test_lift import sketched
from tests.test_lifting import names, nonsense
from tools.lifting import SPECS, WORSE, lines
from tools.lifting import spec as network_of

SHARED = sorted(path.stem for path in SPECS.glob("*.net") if re.search(r"^shared def", path.read_text(), re.MULTILINE))


def heads(text: str) -> list[str]:
    return re.findall(r"^shared def (\w+)", text, re.MULTILINE)


def without_names(net: Net) -> Net:
    """The network as a file has it that knows neither names nor which layers without weights are the same."""

    def own(name: str) -> bool:
        return not net.node(name).layer.weights(net.operand_shapes(name))

    return nonsense(net.rewrite(lambda node: replace(node, shares=None) if own(node.name) else node))


@pytest.mark.parametrize("name", SHARED)
def test_a_spec_that_shares_weights_comes_back_about_as_short_as_it_was(name: str) -> None:
    text = (SPECS / f"{name}.net").read_text()
    net = network_of(name)
    for each, sources in ((net, names(net)), (without_names(net), {})):
        found = lifted(each, sources)
        assert not found.flat_because
        assert lines(found.text) <= WORSE * lines(text), found.text
        assert len(heads(found.text)) == len(heads(text))
    assert sorted(heads(lifted(net, names(net)).text)) == sorted(heads(text))


HEADS = """\
shared def classify() {
    repeat 4 { conv 256x3 relu }
    conv 720x3 sigmoid bias_init=-4.6; reshape ?x80
}

shared def locate() {
    repeat 4 { conv 256x3 relu }
    conv 36x3; reshape ?x4
}
"""
TOWER = """\
shared def tower() {
    conv 64x10; pool 2
    conv 128x7; pool 2
    conv 128x4; pool 2
    conv 256x4; fc 4096 sigmoid  # netc: allow NET505
}
"""


@pytest.mark.parametrize(("name", "text"), [("retinanet", HEADS), ("siamese", TOWER)])
def test_what_is_shared_is_whole_and_has_structure(name: str, text: str) -> None:
    net = network_of(name)
    assert text in lifted(net, names(net)).text


@pytest.mark.parametrize(("outputs", "parts"), [("f", 1), ("a d f", 2)])
def test_a_tensor_that_is_read_outside_ends_a_run(outputs: str, parts: int) -> None:
    branch = "input 8x8x4; {}: tower; top; gap; {}: fc 2"
    text = "shared def tower() { conv 4x3 relu }\nshared def top() { conv 8x3 relu; conv 8x3 relu }\n"
    text += f"{branch.format('a', 'c')}\n{branch.format('d', 'e')}\nf: concat c\noutput {outputs}"
    found = lifted(sketched(netc.loads(text).net), {})
    assert not found.flat_because
    assert len(heads(found.text)) == parts, found.text


def test_calls_in_a_row_are_a_repeat() -> None:
    text = "shared def step() { conv 4x3 relu; conv 4x3 relu }\ninput 8x8x4\nrepeat 5 { step }\ngap; fc 2"
    found = lifted(sketched(netc.loads(text).net), {})
    assert re.search(r"^repeat 5 \{ \w+ \}$", found.text, re.MULTILINE), found.text


def test_shapes_that_differ_in_one_size_are_one() -> None:
    """An ONNX file has all sizes, and no word that layers without weights are the same."""
    ends = ["input 8x8x4; conv 6x3; reshape 128x3; {}: relu", "input 4x8x4; conv 6x3; reshape 64x3; {}: relu"]
    net = netc.loads(f"{'; '.join(ends).format('a', 'b')}; concat a over=rows").net
    first, second = (node.name for node in net if node.layer.weights(net.operand_shapes(node.name)))
    net = net.rewrite(lambda node: replace(node, shares=first) if node.name == second else node)
    found = lifted(net, {})
    assert re.search(r"^shared def \w+\(\) \{ conv 6x3; reshape \?x3 .*\}|reshape \?x3", found.text, re.MULTILINE)
    assert "reshape 64x3" not in found.text


def test_what_shares_weights_takes_tensors() -> None:
    text = "shared def up() with skip { conv 4x3 relu; add skip; conv 4x3 }\ninput 8x8x4\na: conv 4x1\nb: conv 4x3\n"
    found = lifted(sketched(netc.loads(f"{text}up with a\nup with b\ngap; fc 2").net), {})
    assert re.search(r"^shared def \w+\(\) with skip \{", found.text, re.MULTILINE), found.text


@pytest.mark.parametrize("seed", range(EXAMPLES or 40))
def test_random_networks_that_share_weights_are_lifted(seed: int) -> None:
    """Their texts are compared with the networks, shared weights and all, so that a wrong one is none."""
    try:
        net = sketched(netc.loads(shared_network(seed)).net)
    except netc.SpecError:
        return  # what is drawn may have errors as a spec
    for each, sources in ((net, names(net)), (without_names(net), {})):
        found = lifted(each, sources)
        assert not found.flat_because, found.flat_because
        assert set(found.names) == {node.name for node in each}
        assert_shares(each, found)


def test_random_networks_do_share_weights() -> None:
    """Most of those above are networks, and have what they are drawn for."""
    counts = {"shared": 0, "sizes": 0, "repeat": 0, "with": 0}
    for seed in range(40):
        try:
            text = shared_network(seed)
            net = netc.loads(text).net
        except netc.SpecError:
            continue
        later = [node for node in net if node.shares is not None]
        counts["shared"] += bool(later)
        counts["sizes"] += any(net.shapes[node.name] != net.shapes[node.shares or ""] for node in later)
        counts["repeat"] += bool(re.search(r"repeat \d \{ block", text))
        counts["with"] += " with k" in text
    assert min(counts.values()) >= 5, counts


def assert_shares(net: Net, found: Lifted) -> None:
    """The same layers share their weights here and there: groups by their weights, whichever layer makes them."""
    here, there = dict[str, set[str]](), dict[str, set[str]]()
    made = found.program.net
    for node in net:
        if node.layer.weights(net.operand_shapes(node.name)):
            here.setdefault(node.layer_name, set()).add(node.name)
            there.setdefault(made.node(found.names[node.name]).layer_name, set()).add(node.name)
    assert sorted(map(sorted, here.values())) == sorted(map(sorted, there.values()))


@pytest.mark.parametrize("other", ["shared def a() { conv 4x3 }", "def a() { conv 4x3 }"])
def test_a_text_that_shares_other_weights_is_not_taken(other: str) -> None:
    text = "input 8x8x4; a; a; conv 4x3; gap"
    net = netc.loads(f"shared def a() {{ conv 4x3 }}\n{text}").net
    order = [node.name for node in net]
    if other.startswith("shared"):
        assert lifting.proved(net, f"{other}\n{text}", order).names
        another = f"{other}\n{text.replace('a; conv 4x3', 'conv 4x3; a')}"
    else:
        another = f"{other}\n{text}"
    with pytest.raises(NotTheNetwork):
        lifting.proved(net, another, order)


def twins() -> Net:
    """Two branches of one convolution, of which the second one is made first."""
    sketch = Sketch("twins")
    image = sketch.add("image", "input", shape=(8, 8, 4))
    second = sketch.add("second", "conv", [image], filters=4, kernel=(3, 3))
    pooled = sketch.add("pooled", "pool", [image], kernel=(3, 3), stride=1)
    first = sketch.add("first", "conv", [pooled], shares=second, filters=4, kernel=(3, 3))
    return sketch.finish([sketch.add("sum", "sub", [first, second])])


def test_weights_follow_the_layer_that_the_text_makes_first() -> None:
    numpy = pytest.importorskip("numpy")
    from netc.ir.weights import random_weights
    from netc.targets.numpy.run import run

    net = twins()
    found = lifted(net, {})
    made = found.program.net
    assert made.node(found.names["second"]).shares == found.names["first"]
    weights, image = random_weights(net, 0), numpy.random.default_rng(0).normal(size=(1, 8, 8, 4)).astype("float32")
    (wanted,) = run(net, weights, {"image": image}).values()
    (got,) = run(made, renamed(weights, found.names, made), {made.inputs[0]: image}).values()
    assert (wanted == got).all()


def test_a_flat_text_is_proved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says in its head why it is flat."""

    def none(*given: Any) -> Any:
        raise Unwritable("for this reason")

    texts: list[str] = []

    def noted(net: Net, text: str, order: Any, comment: Any = ()) -> Lifted:
        texts.append(text)
        return proved(net, text, order, comment)

    proved = lifting.proved
    monkeypatch.setattr(lifting, "structured", none)
    monkeypatch.setattr(lifting, "proved", noted)
    net = sketched(netc.loads("input 8x8x4; conv 4x3; gap").net)
    found = spec(Imported(net, names(net)), "a.json")
    assert len(texts) == 1
    assert "for this reason" in found.text.splitlines()[1]
    assert found.flat_because.endswith("for this reason")


def read_json(model: Any, path: Path) -> Imported:
    from netc.targets.importing import read

    path.write_text(model.to_json())
    return read(path)


@needs_tensorflow
def test_models_of_keras_come_back_with_what_they_share(tmp_path: Path) -> None:
    from netc.targets.keras.quiet import import_tensorflow

    import_tensorflow()
    from tests.keras_reading import lowered

    for name in ["retinanet", *range(3, EXAMPLES or 7)]:
        text = shared_network(name) if isinstance(name, int) else (SPECS / f"{name}.net").read_text()
        text = text.partition("\ntrain {")[0]
        try:
            net = netc.loads(text)
        except netc.SpecError:
            continue
        read = read_json(net.to_keras(), tmp_path / "model.json")
        found = spec(read, "model.json")
        assert not found.flat_because, found.flat_because
        aligned(found.program.net, net.net, lowered)
        if name == "retinanet":
            assert lines(found.text) <= WORSE * lines(text)
            assert heads(found.text) == ["classify", "locate"]


def test_the_flat_text_shares_too() -> None:
    net = sketched(netc.load(SPECS / "siamese.net").net)
    assert heads(flat(net).text) == ["tower"]
