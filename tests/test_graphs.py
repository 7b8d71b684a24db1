"""Networks that come as graphs are whole: `Network.graph` and `netc.from_graph` are inverse, and all works on them."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise, product
from pathlib import Path
from typing import Any, TypeAlias

import networkx
import pytest
from hypothesis import assume, given, reject

import netc
from netc.analysis.cost import measure
from netc.analysis.structure import Group, Least, Series, decompose, fold, names_of, structure
from netc.figures import STYLES, FigureError, Options
from netc.figures.styles import draw
from netc.ir.net import Net
from netc.layers import LAYERS
from netc.layers.base import Layer
from netc.lift import GraphError
from netc.lift.graph import graph_of, program_of
from netc.params import declared
from netc.program import Program
from netc.syntax.format import format_file
from tests.effort import unshrunk
from tests.figure_geometry import bodies, violations
from tests.figure_samples import objects, scene, texts
from tests.random_networks import compiled, networks
from tests.shared_networks import shared_network
from tests.specs import SAMPLES, SPECS, load

CASES = [(spec, variants[-1]) for spec, variants in SAMPLES.items()]
Graph: TypeAlias = Any  # networkx.MultiDiGraph, whose stubs take no keys


def layer(op: str, **values: Any) -> Layer:
    return LAYERS[op](**values)


def chain(*layers: Layer, **attributes: Any) -> Graph:
    """A graph of layers in a row, called a, b, c ..."""
    graph: Graph = networkx.MultiDiGraph(**attributes)
    names = [chr(ord("a") + at) for at in range(len(layers))]
    for name, each in zip(names, layers, strict=True):
        graph.add_node(name, layer=each)
    graph.add_edges_from((one, other, 0) for one, other in pairwise(names))
    return graph


def assert_equal(one: Graph, other: Graph) -> None:
    assert dict(one.nodes(data=True)) == dict(other.nodes(data=True))
    assert sorted(one.edges(keys=True)) == sorted(other.edges(keys=True))
    assert one.graph == other.graph


def totals(network: netc.Network) -> str:
    return network.summary().partition("\n\n")[2]


# -- there and back ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("spec", "values"), CASES, ids=lambda each: str(each).replace(" ", ""))
def test_every_spec_survives_without_its_text(spec: str, values: dict[str, Any]) -> None:
    written = load(spec, **values)
    bare = netc.from_graph(written.graph)
    assert_equal(written.graph, bare.graph)
    assert totals(bare) == totals(written)
    assert bare.cost == written.cost
    text = bare.text()
    assert text == written.text() == format_file(bare.program.file)
    again = netc.loads(text)
    assert {**again.graph.nodes} == {**bare.graph.nodes}
    assert sorted(again.graph.edges(keys=True)) == sorted(bare.graph.edges(keys=True))
    for style in STYLES:
        assert refused(written, style) == refused(bare, style)
        if not refused(bare, style):
            assert violations(scene(style, bare)) == []


def refused(network: netc.Network, style: str) -> bool:
    try:
        scene(style, network)
    except FigureError:
        return True
    return False


def without_text(program: Program) -> Program:
    """A random network as a graph, and that as a text again.

    Of those whose shared definitions call each other a text cannot say so, and that is refused in words; no other is.
    """
    try:
        return program_of(graph_of(program))
    except GraphError:
        if not nested(program.net):
            raise
        reject()


def nested(net: Net) -> bool:
    """Whether a call of a shared definition stands in one of another."""
    calls = [range(call.start, call.stop) for call in net.shared]
    return any(one is not other and one.start in other and one[-1] in other for one in calls for other in calls)


@unshrunk(20)
@given(networks())
def test_random_networks_survive_without_their_text(text: str) -> None:
    program = compiled(text)
    assert program is not None
    bare = without_text(program)
    assert not bare.report.failed, bare.file.source.text
    assert_equal(graph_of(program), graph_of(bare))
    assert measure(bare.net) == measure(program.net)
    assert format_file(bare.file) == bare.file.source.text
    for options in (Options(), Options(collapse="all", expand=True)):
        assert violations(draw([bare], "graph", options)) == []


@pytest.mark.parametrize("seed", range(40))
def test_random_networks_that_share_weights_survive_without_their_text(seed: int) -> None:
    """At several sizes, in branches and in `repeat`s, handed tensors."""
    try:
        written = netc.loads(shared_network(seed))
    except netc.SpecError:
        return  # what is drawn may have errors as a spec
    try:
        bare = netc.from_graph(written.graph)
    except GraphError:
        assert nested(written.net)
        return
    assert_equal(written.graph, bare.graph)
    assert bare.cost == written.cost


SHARING = {
    "sizes": "shared def a() { conv 4x3/2 pad=1 relu; pool 2 }\ninput 24x24x4; a; a",
    "given twice": "shared def a() with s { dropout 0.5; max s }\ninput 8x8x4\nb: conv 4x3; a with b; a with b",
    "tensors": "shared def a() with s t { conv 4x3; add s t }\ninput 8x8x4\nb: relu; c: tanh; a with b c; a with c b",
    "a name": "shared def a() with s { skip: conv 4x3; bn; add skip s }\ninput 8x8x4\nb: relu; tanh; a with b; a with b",
    "back": "shared def a() { c: conv 4x3; d: conv 4x3; from c; e: conv 4x1; f: conv 4x1; from d; conv 4x3; add e f }\n"
    "input 8x8x4; a; a",
}


@pytest.mark.parametrize("case", SHARING)
def test_what_calls_share_survives(case: str) -> None:
    written = netc.loads(f"{SHARING[case]}\ngap")
    assert_equal(written.graph, netc.from_graph(written.graph).graph)


def test_sharing_that_no_text_says_is_refused_in_words() -> None:
    inner = "shared def a() { conv 4x3 }\nshared def b() { conv 4x1; a; conv 4x1 }"
    assert "and not for those that one `shared def` makes in another" in refusal(
        netc.loads(f"{inner}\ninput 8x8x4; a; b; b; gap").graph
    )


@pytest.mark.parametrize("body", ["subsample 2", "conv 4x3/2; upsample 2"])
def test_skips_over_smaller_maps_in_shared_definitions_survive(body: str) -> None:
    """They stand in branches: nothing in the definition names the tensor that it is given."""
    size = "1x1" if body == "subsample 2" else "8x8"
    written = netc.loads(
        f"shared def block() {{ add {{ | identity | {body} }} }}\ninput {size}x4\nconv 4x1\nblock\nblock\n"
    )
    assert_equal(written.graph, netc.from_graph(written.graph).graph)


def random_graph(seed: int) -> Graph:
    """Any directed acyclic graph of layers that keep the shape, under names that others would have by themselves."""
    dice = random.Random(seed)
    graph: Graph = networkx.MultiDiGraph(name="random")
    made = ["input1"]
    graph.add_node("input1", layer=layer("input", shape=(8, 8, 4)))
    count = dice.randint(2, 30)
    names = [f"{op}{at}" for op in ("conv", "bn", "relu", "add", "conv1_bn", "conv2_relu") for at in range(1, 8)]
    dice.shuffle(names)
    for name in names[:count]:
        joins = dice.random() < 0.4
        recent = made if dice.random() < 0.3 else made[-3:]
        operands = [dice.choice(recent) for _ in range(dice.randint(2, 3) if joins else 1)]
        act = dice.choice(["linear", "relu"])
        single = [layer("conv", filters=4, kernel=3, act=act, bias=dice.random() < 0.5), layer("bn"), layer("relu")]
        graph.add_node(name, layer=layer("add") if joins else dice.choice(single))
        graph.add_edges_from((operand, name, slot) for slot, operand in enumerate(operands))
        made.append(name)
    graph.graph["outputs"] = [name for name in made if not graph.out_degree(name)]
    return graph


@pytest.mark.parametrize("seed", range(100))
def test_any_graph_survives_as_text(seed: int) -> None:
    """Its layers, names and edges are those of its text; figures show each of them."""
    graph = random_graph(seed)
    bare = netc.from_graph(graph)
    assert format_file(bare.program.file) == bare.text()
    again = netc.loads(bare.text())
    for each in (bare.graph, again.graph):
        assert set(each.nodes) == set(graph.nodes)
        assert sorted(each.edges(keys=True)) == sorted(graph.edges(keys=True))
        assert all(type(each.nodes[name]["layer"]) is type(graph.nodes[name]["layer"]) for name in graph)
    found = scene("graph", bare, collapse="none", expand=True)
    assert violations(found) == []
    skips = {name for name in graph if graph.nodes[name]["layer"].op == "bn"}  # shown beside the line, without a box
    assert set(graph.nodes) - skips <= {*objects(found), *skips}


def ladder(count: int) -> Graph:
    """Skips inside skips: from each of some convolutions to an `add` as far from the other end."""
    graph = chain(layer("input", shape=(8, 8, 4)), layer("relu"))
    for at in range(count):
        graph.add_node(f"c{at}", layer=layer("conv", filters=4, kernel=3))
        graph.add_edge(f"c{at - 1}" if at else "b", f"c{at}", 0)
    for at in reversed(range(count)):
        graph.add_node(f"a{at}", layer=layer("add"))
        graph.add_edge(f"c{at - 1}" if at else "b", f"a{at}", 0)
        graph.add_edge(f"a{at + 1}" if at < count - 1 else f"c{at}", f"a{at}", 1)
    return graph


def dense(count: int) -> Graph:
    """Layers that each read all before them."""
    graph = chain(layer("input", shape=(8, 8, 4)), layer("relu"))
    made = ["a", "b"]
    for at in range(count):
        graph.add_node(f"join{at}", layer=layer("concat"))
        graph.add_edges_from((name, f"join{at}", slot) for slot, name in enumerate(made))
        graph.add_node(f"c{at}", layer=layer("conv", filters=4, kernel=3, init="he_normal", l2=1e-4, act="relu"))
        graph.add_edge(f"join{at}", f"c{at}", 0)
        made.append(f"c{at}")
    return graph


def wide(count: int) -> Graph:
    """Many branches, some of them empty."""
    graph = chain(layer("input", shape=(8, 8, 4)), layer("relu"))
    graph.add_node("join", layer=layer("concat"))
    for at in range(count):
        if at % 3:
            graph.add_node(f"c{at}", layer=layer("conv", filters=4, kernel=3))
            graph.add_edge("b", f"c{at}", 0)
        graph.add_edge(f"c{at}" if at % 3 else "b", "join", at)
    return graph


@pytest.mark.parametrize(("make", "count"), [(ladder, 5), (ladder, 60), (dense, 20), (wide, 100)])
def test_hard_shapes_survive_as_text(make: Callable[[int], Graph], count: int) -> None:
    graph = make(count)
    bare = netc.from_graph(graph)
    assert format_file(bare.program.file) == bare.text()
    assert sorted(netc.loads(bare.text()).graph.edges(keys=True)) == sorted(graph.edges(keys=True))
    assert violations(scene("graph", bare)) == []


# -- structure -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(100, 200))
def test_a_structure_holds_each_layer_once_after_what_it_reads(seed: int) -> None:
    net = netc.from_graph(random_graph(seed)).net
    order = names_of(decompose(net))
    assert sorted(order) == sorted(net.shapes)
    places = {name: place for place, name in enumerate(order)}
    assert all(places[operand] < places[name] for name in order for operand in net.operands(name))


@unshrunk(20)
@given(networks())
def test_a_structure_has_the_order_of_the_network(text: str) -> None:
    """That of a text, of a graph, and of either one folded."""
    program = compiled(text)
    assert program is not None
    for each in (program, without_text(program)):
        whole = structure(each)
        folded = fold(each.net, whole, lambda node: node.layer.op)
        assert names_of(whole) == names_of(folded) == [node.name for node in each.net]


def groups(series: Series) -> Iterator[Group]:
    for item in series.items:
        if isinstance(item, Group):
            yield item
        for part in item.passes if isinstance(item, Group) else item.branches:
            yield from groups(part)


@unshrunk(60)
@given(networks() | bodies().map("input 8x8x4\n{}\ngap; fc 3".format))
def test_what_is_told_once_is_equal_and_follows(text: str) -> None:
    """The blocks of a run have the same layers, read each other's alike, and begin after one another."""
    program = compiled(text)
    assume(program is not None and not program.report.failed)
    assert program is not None
    for each, least in product((program, without_text(program)), (Least(), Least(2, 1))):
        net, places = each.net, {node.name: place for place, node in enumerate(each.net)}
        for group in groups(fold(net, structure(each), lambda node: node.layer, least=least)):
            first, *others = [names_of(one) for one in group.passes]
            for before, block in pairwise([first, *others]):
                twins = dict(zip(first, block, strict=True))
                for name, twin in twins.items():
                    assert net.node(name).layer == net.node(twin).layer
                    assert net.shapes[name][:-1] == net.shapes[twin][:-1]
                    for read, other in zip(net.operands(name), net.operands(twin), strict=True):
                        far = places[name] - places[read] == places[twin] - places[other]
                        assert twins[read] == other if read in twins else other == before[-1] or far


def repeats(series: Series) -> list[int]:
    """The passes of the repeats of a structure, outermost ones."""
    return [len(item.passes) for item in series.items if isinstance(item, Group)]


def test_equal_blocks_are_one_repeat() -> None:
    found = {
        spec: repeats(structure(netc.from_graph(load(spec).graph).program))
        for spec in ("resnet50", "densenet121", "mobilenetv2", "vgg16", "siamese")
    }
    assert found == {
        "resnet50": [2, 3, 5, 2],
        "densenet121": [6, 12, 24, 16],
        "mobilenetv2": [2, 3, 2, 2],
        "vgg16": [],
        "siamese": [],
    }


@pytest.mark.parametrize("spec", ["resnet", "resnet-cifar", "resnet50", "resnet152", "densenet121", "mobilenetv2"])
def test_figures_without_text_are_about_as_small(spec: str) -> None:
    written = load(spec)
    assert len(objects(scene("graph", netc.from_graph(written.graph)))) <= len(objects(scene("graph", written))) + 1


def test_stages_are_called_what_their_names_begin_with() -> None:
    found = texts(scene("volumes", netc.from_graph(load("vgg16").graph)))
    assert {f"stage{at}" for at in range(1, 6)} <= set(found)


def test_names_stay_where_a_combiner_stands_in_another() -> None:
    """The inner one comes first in a graph, and the outer one in a text."""
    written = netc.loads("input 8x8x4\nstart: relu\nadd start\nconv 4x3\nadd start\n")
    bare = netc.from_graph(written.graph)
    assert_equal(written.graph, bare.graph)
    assert "add2: add {\n    | add { | identity | identity }" in bare.text()


def test_a_pool_of_one_pixel_is_what_it_does() -> None:
    graph = chain(layer("input", shape=(8, 8, 4)), layer("pool", kernel=1, stride=2))
    assert "subsample 2" in netc.from_graph(graph).text()
    computed = netc.loads("param k = 1\ninput 8x8x4\npool (k)/2")
    assert_equal(computed.graph, netc.from_graph(computed.graph).graph)


@pytest.mark.parametrize("name", ["if", "true", "relu", "x3", "vgg-16", "a b", "größe", "net"])
def test_a_network_may_have_any_name(name: str) -> None:
    """Also one that its text has to quote, or cannot say."""
    graph = tiny()
    graph.graph["name"] = name
    assert netc.from_graph(graph).name == netc.from_graph(netc.from_graph(graph).graph).name == name


# -- graphs that are no networks -----------------------------------------------------------------------------


def tiny() -> Graph:
    return chain(layer("input", shape=(8, 8, 3)), layer("conv", filters=4, kernel=3), layer("relu"), name="tiny")


def refusal(graph: Any) -> str:
    with pytest.raises(GraphError) as error:
        netc.from_graph(graph)
    return str(error.value)


def with_circle(graph: Graph) -> None:
    graph.add_node("d", layer=layer("add"))
    graph.add_edges_from([("c", "d", 0), ("a", "d", 1), ("d", "b", 1)])


def with_two_inputs(graph: Graph) -> None:
    graph.add_node("d", layer=layer("input", shape=(8, 8, 5)))
    graph.add_node("e", layer=layer("add"))
    graph.add_edges_from([("c", "e", 0), ("d", "e", 1)])


def with_shared(graph: Graph, name: str, shares: str, of: Layer) -> None:
    graph.add_node(name, layer=of, shares=shares)
    graph.add_edge("a", name, 0)
    graph.graph["outputs"] = ["c", name]


# fmt: off
REFUSED = {
    "circle": (with_circle, "the graph goes round in a circle: `"),
    "no operand": (lambda graph: graph.remove_edge("b", "c", 0), "`c` (relu) reads 1 layers, but 0 edges lead to it"),
    "two operands": (lambda graph: graph.add_edge("a", "c", 1), "`c` (relu) reads 1 layers, but 2 edges lead to it"),
    "slot": (lambda graph: graph.add_edge("a", "c", 7), "`c` reads `b` with 0, `a` with 7: the keys of its edges are its slots"),
    "key": (lambda graph: graph.add_edge("a", "c", "left"), "`c` reads `b` with 0, `a` with 'left'"),
    "same slot": (lambda graph: graph.add_edge("a", "c", 0), "`c` reads `b` with 0, `a` with 0"),
    "no layer": (lambda graph: graph.add_node("d"), "`d` has no attribute `layer`"),
    "a word": (lambda graph: graph.add_node("d", layer="relu"), "`d` has the layer 'relu', expected one of an operation in netc.layers.LAYERS"),
    "a class": (lambda graph: graph.add_node("d", layer=LAYERS["relu"]), "`d` has the layer <class"),
    "name": (lambda graph: graph.add_node("a b", layer=layer("relu")), "'a b' is no name of a layer"),
    "number": (lambda graph: graph.add_node(7, layer=layer("relu")), "7 is no name of a layer"),
    "word": (lambda graph: graph.add_node("repeat", layer=layer("relu")), "'repeat' is no name of a layer"),
    "unread": (lambda graph: (graph.add_node("d", layer=layer("relu")), graph.add_edge("a", "d", 0)), "nothing reads `c`, `d`: name the outputs"),
    "unused": (lambda graph: (graph.add_node("d", layer=layer("relu")), graph.add_edge("a", "d", 0), graph.graph.update(outputs=["c"])), "no output depends on `d`"),
    "output": (lambda graph: graph.graph.update(outputs=["z"]), "`outputs` name 'z', and there is no such layer"),
    "outputs": (lambda graph: graph.graph.update(outputs=["c", "c"]), "`outputs` are ['c', 'c'], expected a list of different layers"),
    "one output": (lambda graph: graph.graph.update(outputs="c"), "`outputs` are 'c', expected a list"),
    "value": (lambda graph: graph.add_node("b", layer=layer("conv", filters=-4, kernel=3)), "`b`: `filters` of `conv`: got -4, expected an integer of at least 1"),
    "kind": (lambda graph: graph.add_node("b", layer=layer("conv", filters=4, kernel="wide")), '`b`: `kernel` of `conv`: got "wide", expected a size'),
    "rank": (lambda graph: graph.add_node("b", layer=layer("conv", filters=4, kernel=(3, 3, 3))), "`b`: `kernel` of `conv`: got 3x3x3, expected one number, or one for each of the 2"),
    "infinite": (lambda graph: graph.add_node("c", layer=layer("relu", max=float("inf"))), "`c`: `max` of `relu`: got inf"),
    "sizes": (lambda graph: graph.add_node("b", layer=layer("conv", filters=4, kernel=9, pad="valid")), "`b`, which reads `a`: "),
    "shapes": (with_two_inputs, "`e`, which reads `c`, `d`: "),
    "identity": (lambda graph: graph.add_node("c", layer=layer("identity")), "`c`: `identity` makes no layer in a spec"),
    "shared with none": (lambda graph: with_shared(graph, "y_b", "x_b", layer("relu")), "`y_b` shares the weights of 'x_b', and there is no such layer"),
    "shared names": (lambda graph: with_shared(graph, "d", "b", layer("conv", filters=4, kernel=3)), "`d` has the weights of another layer, and no calls of one `shared def`"),
    "shared kinds": (lambda graph: with_shared(graph, "d", "b", layer("conv", filters=5, kernel=3)), "`d` shares the weights of `b`, which is another layer"),
    "section": (lambda graph: graph.graph.update(train=7), "the graph's `train` is 7, expected the text of the section"),
    "other section": (lambda graph: graph.graph.update(train="data digits"), "the graph's `train` is no section"),
}
# fmt: on


@pytest.mark.parametrize("case", REFUSED)
def test_a_graph_that_is_no_network_is_refused_by_name(case: str) -> None:
    change, words = REFUSED[case]
    graph = tiny()
    change(graph)
    assert words in refusal(graph)


VALUES = [
    None,
    0,
    -1,
    3,
    2**70,
    0.5,
    float("nan"),
    "",
    "relu",
    "same",
    "a b",
    (3, 3),
    (),
    (0, None),
    True,
    [],
    {},
    b"x",
]


def spoilt(graph: Graph, dice: random.Random) -> None:
    """One thing in a graph changed into anything."""
    name = dice.choice(list(graph))
    anything = dice.choice([*VALUES, *graph, layer("relu")])
    match dice.randrange(8):
        case 0:
            graph.nodes[name][dice.choice(["layer", "shares", "shape"])] = anything
        case 1:
            cls = dice.choice([*LAYERS.values()])
            values = {each: dice.choice(VALUES) for each in declared(cls)}
            graph.nodes[name]["layer"] = cls(**values)
        case 2:
            graph.graph[dice.choice(["name", "outputs", "parameters", "data", "train"])] = anything
        case 3:
            graph.add_edge(dice.choice(list(graph)), name, dice.choice([0, 1, 2, "x", 0.5, None]))
        case 4 if graph.edges:
            graph.remove_edge(*dice.choice(list(graph.edges(keys=True))))
        case 5:
            graph.remove_node(name)
        case 6:
            new = dice.choice(["channels", "net", "identity", "input1_", "_", "x" * 2000, "def", 7, "é", "add", "from"])
            networkx.relabel_nodes(graph, {name: new}, copy=False)
        case _:
            graph.nodes[name].clear()


@pytest.mark.parametrize("seed", range(250))
def test_whatever_is_wrong_with_a_graph_is_said(seed: int) -> None:
    dice, graph = random.Random(seed), random_graph(seed)
    for _ in range(dice.randint(1, 3)):
        if graph:
            spoilt(graph, dice)
    try:
        bare = netc.from_graph(graph)
    except (GraphError, netc.SpecError):
        return
    assert netc.loads(bare.text()).graph.number_of_edges() == graph.number_of_edges()


def test_another_graph_is_no_network() -> None:
    with pytest.raises(TypeError, match=r"got a DiGraph, expected a networkx\.MultiDiGraph"):
        netc.from_graph(networkx.DiGraph())  # type: ignore[arg-type]
    assert refusal(networkx.MultiDiGraph()) == "the graph has no layers"
    with pytest.raises(netc.SpecError, match="NET401"):
        netc.from_graph(chain(layer("input", shape=(4,)), layer("tanh"), train="train { losses mse }"))


# -- what can be done with them ------------------------------------------------------------------------------


def test_changing_a_graph_changes_nothing_but_itself() -> None:
    network = load("digits")
    graph = network.graph
    graph.remove_node("gap1")
    graph.graph["outputs"] = ()
    assert "gap1" in network.graph
    assert network.graph.graph["outputs"] == ("fc1",)


def test_sections_and_parameters_go_along() -> None:
    bare = netc.from_graph(load("googlenet", aux=True).graph)
    assert bare.parameters == {"aux": True}
    losses = [(line.value.of, line.value.weight) for line in bare.program.sections.train.losses]  # type: ignore[union-attr]
    assert losses == [("", 1.0), ("aux1_fc2", 0.3), ("aux2_fc2", 0.3)]
    graph = load("digits").graph
    graph.graph["train"] = "train { loss categorical_crossentropy; optimizer adam; epochs 1 }"
    assert netc.from_graph(graph).program.sections.train.epochs == 1  # type: ignore[union-attr]


def test_checks_are_those_of_a_spec() -> None:
    graph = chain(layer("input", shape=(8, 8, 3)), layer("conv", filters=4, kernel=1, stride=2))
    (found,) = netc.from_graph(graph).diagnostics
    assert found.code == "NET301"
    assert found.span is not None
    assert found.span.text == "conv 4x1/2"


def test_checking_a_spec_needs_no_networkx() -> None:
    code = "import sys; from netc.cli import main; main(['check', 'specs/vgg16.net']); assert 'networkx' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_examples_of_the_document_run(capsys: pytest.CaptureFixture[str]) -> None:
    from tests.test_docs import ROOT, fences

    names: dict[str, Any] = {}
    for fence in fences(ROOT / "docs" / "graph.md", "python"):
        exec(compile(fence.text, fence.place, "exec"), names)
    assert capsys.readouterr().out.startswith("net tiny\nimage: input 28x28x1\n")


TWINS = """
shared def tower() { conv 4x3 bn relu; add { | identity | conv 4x3 }; pool 2 }
left: input 16x16x2; a: tower
right: input 16x16x2; b: tower
sub a; aux: conv 2x1
from b; concat a; gap; main: fc 3 softmax
output main aux
"""


@pytest.mark.parametrize("text", [TWINS, (SPECS / "digits.net").read_text()], ids=("twins", "digits"))
def test_what_is_built_and_emitted_is_the_same(text: str) -> None:
    """Emitted code of the network without text: the same layers, and on the same weights the same outputs."""
    keras = pytest.importorskip("keras")
    written = netc.loads(text)
    bare = netc.from_graph(written.graph)
    built = written.to_keras()
    emitted: dict[str, Any] = {"__name__": "emitted"}
    exec(bare.source(), emitted)
    for model in (bare.to_keras(), emitted["build_model"]()):
        assert {each.name: each.get_config() for each in model.layers} == {
            each.name: each.get_config() for each in built.layers
        }
        for each in built.layers:
            model.get_layer(each.name).set_weights(each.get_weights())
        given = [keras.random.normal((2, *each.shape[1:]), seed=at) for at, each in enumerate(built.inputs)]
        wanted, found = (keras.tree.flatten(one(given if len(given) > 1 else given[0])) for one in (built, model))
        for one, other in zip(wanted, found, strict=True):
            assert (keras.ops.convert_to_numpy(one) == keras.ops.convert_to_numpy(other)).all()
    keras.backend.clear_session()


def test_training_a_graph_keeps_its_text_for_the_run(tmp_path: Path) -> None:
    """A run of a network without text is a run as any: its folder holds a spec that makes the same network."""
    pytest.importorskip("tensorflow")
    bare = netc.from_graph(load("digits").graph)
    outcome = bare.train(tmp_path / "run", settings=["train.epochs=1"], quiet=True)
    assert outcome.row["val_accuracy"] > 0.5
    (kept,) = (tmp_path / "run" / "spec").rglob("*")
    assert kept.read_text() == bare.text()
