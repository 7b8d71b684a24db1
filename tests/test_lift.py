"""Texts made of flat networks: what they compile to is the network, layer by layer, whatever their names."""

import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

import netc
from netc.ir.net import Net
from netc.layers.merge import Concatenate
from netc.lift.aligned import aligned
from netc.lift.joined import joined
from netc.lift.joins import grown, nested, opened
from netc.lift.lifting import flat, lifted, proved
from netc.lift.proof import NotTheNetwork
from netc.lift.source import ImportRefused, Sketch
from netc.lift.sums import summed
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
    assert not joined(read_twice).ends


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ("from a; p: concat b; from a; q: concat b c", True),
        ("from a; q: concat b c; from a; p: concat b", True),
        ("from a; p: concat b; from b; q: concat a c", False),
        ("from a; p: concat b; from a; q: concat c b", False),
        ("from a; p: concat b; from c; q: concat p", False),
        ("from a; p: concat b over=rows; from a; q: concat b c", False),
    ],
)
def test_what_is_joined_may_grow_or_be_read_at_once(other: str, same: bool) -> None:
    texts = "from a; p: concat b; from p; q: concat c", other
    inputs = "a: input 8x8x3; b: input 8x8x3; c: input 8x8x3"
    one, two = (netc.loads(f"{inputs}; {each}; output p q").net for each in texts)
    assert set(flat(two).names) == set("abcpq")
    if same:
        assert aligned(one, two)["q"] == "q"
        assert joined(one)[0].operands("q") == joined(two)[0].operands("q") == ("p", "c")
    else:
        with pytest.raises(NotTheNetwork):
            aligned(one, two)


def joins(seed: int) -> Net:
    """A network of inputs that are joined in random ways, each layer anywhere after what it reads."""
    draw = random.Random(seed)
    made = netc.loads("a: input 8x8x3; b: input 8x8x4; c: input 8x8x5; concat a b c").net
    layer = next(node for node in made if node.layer.op == "concat")
    net = Net("joins")
    for node in made:
        if node.layer.is_input:
            net.add(node, (), made.shapes[node.name])
    for at in range(draw.randint(2, 12)):
        own = Concatenate(over="rows") if draw.random() < 0.1 else Concatenate()
        read = draw.choices([*net.shapes], k=draw.randint(2, 4))
        shape = (8, 8, 1) if own.over == "rows" else (8, 8, sum(net.shapes[name][-1] or 0 for name in read))
        net.add(replace(layer, name=f"j{at}", layer=own), read, shape)
    net.outputs = [node.name for node in net]
    return net


def said(net: Net) -> dict[str, object]:
    """Of each layer the inputs that it joins in their order."""
    found: dict[str, tuple[object, ...]] = {}
    for node in net:
        parts = [found.get(name, (name,)) for name in net.operands(node.name)]
        rows = getattr(node.layer, "over", "channels") == "rows"
        found[node.name] = (node.name,) if not parts else (tuple(parts),) if rows else sum(parts, ())
    return dict(found)


def at_once(net: Net, seed: int) -> Net:
    """The network in which some layers read what their first operand joins in place of it."""
    draw, operands = random.Random(seed), dict[str, tuple[str, ...]]()
    made = Net(net.name)
    for node in net:
        first, rest = net.operands(node.name)[:1], net.operands(node.name)[1:]
        while first and draw.random() < 0.5 and net.operands(first[0]) and net.node(first[0]).layer == node.layer:
            first, rest = net.operands(first[0])[:1], (*net.operands(first[0])[1:], *rest)
        operands[node.name] = (*first, *rest)
    waiting = [node.name for node in net]
    while waiting:  # in another order
        name = draw.choice([name for name in waiting if all(each in made for each in operands[name])])
        made.add(net.node(name), operands[name], net.shapes[name])
        waiting.remove(name)
    made.outputs = list(net.outputs)
    return made


@pytest.mark.parametrize("seed", range(60))
def test_the_form_of_what_is_joined_says_the_same_and_is_one(seed: int) -> None:
    net = joins(seed)
    form = grown(net)
    assert said(form) == said(net)
    assert {node.name: form.operands(node.name) for node in grown(form)} == {
        node.name: form.operands(node.name) for node in form
    }
    names = [(node.layer, said(net)[node.name]) for node in net]
    if len({*map(repr, names)}) == len(names):  # no two are the same
        other = grown(at_once(net, seed))
        assert said(other) == said(net)
        assert {name: other.operands(name) for name in net.shapes} == {name: form.operands(name) for name in net.shapes}


@pytest.mark.parametrize("seed", range(60))
def test_a_join_within_a_join_is_a_part_of_it(seed: int) -> None:
    net = joins(seed)
    net.outputs = [name for name in net.shapes if not net.consumers(name) or random.Random(seed).random() < 0.2]
    form, parts = opened(net)
    assert {*form.shapes}.isdisjoint(parts)
    assert {*form.shapes, *parts} == {*net.shapes}
    whole = said(net)
    assert all(said(form)[name] == whole[name] for name in form.shapes)
    for name, part in parts.items():
        row = form.operands(part.reader)[part.start : part.stop]
        assert flatly([whole[each] for each in row]) == flatly([whole[name]])


def flatly(parts: Sequence[object]) -> list[object]:
    """Names in whatever tuples one after the other."""
    return [one for part in parts for one in (flatly(part) if isinstance(part, tuple) else (part,))]


@pytest.mark.parametrize(
    ("text", "within"),
    [
        ("from p; concat q r", 1),
        ("from r; concat p q", 1),
        ("from p; s: conv 2x1; from q; t: conv 2x1; from r; concat s t", 1),
        ("from p; s: conv 2x1; from p; t: conv 3x1; from s; concat t q r", 0),  # in each other
        ("from p; s: conv 2x1; from p; concat s r; add { | identity | from q; conv 8x1 }", 0),  # what grows
        ("from p; concat r q", 0),  # not in a row
        ("from p; concat q; conv 3x1; add r", 0),  # all
        ("from p; concat q b r", 0),  # what comes from elsewhere too
        ("from a; s: conv 2x1; from p; u: concat q r; output u s", 0),  # read by others
        ("from p; concat q r over=rows", 1),
    ],
)
def test_branches_of_branches_are_joined_by_themselves(text: str, within: int) -> None:
    branches = "conv 4x3; x: identity; a: conv 8x1; p: conv 3x1; from a; q: conv 3x1; from x; r: conv 3x1"
    net = netc.loads(f"{'b: input 8x8x3; ' * (' b ' in text)}input 8x8x3; {branches}; {text}").net
    made = nested(net)
    assert len(made) == len(net) + within
    found = lifted(net, {})
    assert not found.flat_because, found.flat_because
    assert found.text.count("concat") == 1 + within, found.text
    assert set(found.names) == {node.name for node in net}
    assert aligned(net, made) == {node.name: node.name for node in net}


@pytest.mark.parametrize(
    ("text", "operands"),
    [
        ("from a; add b; add c", "abc"),
        ("from a; p: add b; from c; add p", "abc"),
        ("from c; add { | identity | from a; add b }", "abc"),
        ("from a; p: add b; from c; q: add d; from p; add q", "abq"),
        ("from a; p: add b; from c; add d p", "cdp"),  # rounded otherwise than (a + b) + c + d
        ("from a; p: add b; add p", "pp"),
        ("from a; p: add b; r: relu; from p; add r", "pr"),
        ("from a; p: add g; from p; add b", "pb"),  # one factor a channel
        ("from a; p: mul b; from p; add c", "pc"),
    ],
)
def test_a_sum_that_only_a_sum_reads_is_a_part_of_it(text: str, operands: str) -> None:
    inputs = "; ".join(f"{name}: input 8x8x3" for name in "abcd")
    others = "others: mul b c d g; output last others"
    net = netc.loads(f"{inputs}; g: input 1x1x3; {text}; last: relu; from a; {others}").net
    (end,) = summed(net)[0].operands("last")
    assert summed(net)[0].operands(end) == tuple(operands)


def test_what_hands_on_a_part_of_a_sum_is_no_layer_of_the_form() -> None:
    text = "a: input 8x8x3; b: input 8x8x3; c: input 8x8x3; from a; {}; relu"
    one, two = (netc.loads(text.format(sums)).net for sums in ("p: add b; r: rescale 1; add c", "add b c"))
    assert not {"p", "r"} & joined(one).ends.keys()
    assert len(aligned(one, two)) == len(joined(one)[0]) == len(two)
    assert flat(one).text


def test_a_sum_that_is_an_output_stays() -> None:
    net = netc.loads("a: input 8x8x3; b: input 8x8x3; p: add a; q: add a; output p q").net
    assert summed(net) == (net, {})


@pytest.mark.parametrize("seed", range(60))
def test_a_sum_of_sums_is_one_to_the_last_bit(seed: int) -> None:
    np = pytest.importorskip("numpy")
    from netc.ir.weights import random_weights
    from netc.targets.numpy.run import run

    draw, names, read = random.Random(seed), [*"abcd"], set[str]()
    lines = [f"{name}: input 8x8x3" for name in names]
    for at in range(8):
        operands = [names[-1], *draw.sample(names[:-1], draw.randint(1, 2))]
        first, *rest = draw.sample(operands, len(operands))
        lines.append(f"from {first}; n{at}: add {' '.join(rest)}")
        names.append(f"n{at}")
        read |= {first, *rest}
    lines.append(f"concat {' '.join(name for name in names if name not in read)} d")
    net = netc.loads("; ".join(lines)).net
    numbers = np.random.default_rng(seed)
    inputs = {
        name: numbers.normal(0, 10.0 ** numbers.integers(-3, 4), (2, 8, 8, 3)).astype("f4") for name in net.inputs
    }
    (form, parts), weights = summed(net), random_weights(net, 0)
    assert parts
    assert len(form) + len(parts) == len(net)
    found, expected = run(form, weights, inputs), run(net, weights, inputs)
    assert found.keys() == expected.keys()
    assert all(np.array_equal(found[name], expected[name]) for name in found)


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
