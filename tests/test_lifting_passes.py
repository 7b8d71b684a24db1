"""What is collected over the passes of a `repeat` is found again as such: `add z*`."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

import pytest
from hypothesis import given, reject
from hypothesis.strategies import integers

import netc
from netc.compiler import judge
from netc.ir.net import Net
from netc.lift.alike import Alike
from netc.lift.fold import fold
from netc.lift.lifting import Lifted, lifted
from netc.lift.passes import taps
from netc.lift.scopes import Scopes
from netc.lift.tree import Tree
from netc.syntax.format import format_file
from tests.effort import unshrunk
from tests.test_checks import calls
from tests.test_lift import sketched
from tools.lifting import lines, spec


def found(text: str) -> Lifted:
    """The text of a network that a spec says, without the names that it gives."""
    net = sketched(netc.loads(text).net)
    made = lifted(net, {})
    assert not made.flat_because, made.flat_because
    assert not judge(made.program)
    assert format_file(made.program.file) == made.text
    return made


def by_depth(net: Net) -> Net:
    """The network with its layers in the order of their depth, as programs store them."""
    depths: dict[str, int] = {}
    for node in net:
        depths[node.name] = 1 + max((depths[name] for name in net.operands(node.name)), default=0)
    made = Net(net.name)
    for node in sorted(net, key=lambda node: depths[node.name]):
        made.add(node, net.operands(node.name), net.shapes[node.name])
    made.outputs = net.outputs
    return made


@pytest.mark.parametrize("stored", [False, True])
def test_wavenet(stored: bool) -> None:
    net = spec("wavenet")
    made = lifted(by_depth(net) if stored else net, {})
    assert made.text == WAVENET


WAVENET = """\
net wavenet
input ?x256

default conv pad=causal

def gated(dilation) {
    mul { | conv 32x2 dilation=dilation tanh | conv 32x2 dilation=dilation sigmoid }
}

conv 32x2 bias=false
repeat 49 as i {
    x: identity; a: gated (2**(i%10))
    z: conv 512x1
    from a; conv 32x1
    add x
}
gated 512; b: conv 512x1
add z* b; relu
conv 512x1 relu; conv 256x1 softmax
"""

TEXTS: Mapping[str, tuple[str, int]] = {
    "of all layers of a stage, and what it is given": (
        """input 32x32x3; conv 16x3 bn relu
        def stage(n, ch) { x: identity; repeat n { z: conv (ch)x3 bn relu }; concat x z*; conv (4*ch)x1 bn relu }
        stage 5 8; pool 3/2; stage 5 16; pool 3/2; stage 3 32; gap; fc 10""",
        11,
    ),
    "of equal stages in a row": (
        """input 64x8
        def stage() {
            conv 8x1
            r: repeat 5 as i { x: identity; conv 8x2 dilation=(2**i) pad=causal relu; z: conv 8x1; add x }
            add z* r; relu
        }
        repeat 3 { stage }; conv 16x1""",
        14,
    ),
    "of two labels": (
        """input 32x32x3; conv 8x3
        r: repeat 6 { x: identity; y: conv 8x3 relu; z: conv 8x3; add x; relu }
        a: concat y*; b: add z*; concat a b r; gap; fc 10""",
        12,
    ),
    "of two loops, with what stands before them": (
        """input 32x32x3; s: conv 8x3
        repeat 6 { z: conv 8x3 relu }
        add z* s
        repeat 3 { y: conv 8x5 relu }
        concat s y* z*; gap; fc 10""",
        8,
    ),
    "of what leaves each block": (
        """input 32x32x3; conv 8x3
        repeat 5 { c: conv 8x3 bn relu; gap; z: fc 10; from c }
        gap; u: relu; concat z* u; fc 10""",
        10,
    ),
}


@pytest.mark.parametrize("name", TEXTS)
def test_collected(name: str) -> None:
    text, most = TEXTS[name]
    made = found(text)
    assert re.search(r"\b(add|concat) .*\w\*", made.text), made.text
    assert lines(made.text) <= most, made.text


ORDERS = {
    "s0 s1 s2 s3 s4 s5": 1,
    "s0 s1 s2 s4 s5": 2,  # those before one that is left out, and those after it
    "s0 s2 s1 s3 s4 s5": 1,  # the last three
    "s5 s4 s3 s2 s1 s0": 0,
    "s1 s3 s5": 1,  # every second one
    "s3 s4 s5": 1,
}


@pytest.mark.parametrize("order", ORDERS)
def test_passes_are_joined_in_their_order_or_one_by_one(order: str) -> None:
    layers = "\n".join(f"s{at}: conv 8x3 relu" for at in range(6))
    first, *rest = order.split()
    made = found(f"input 9x9x3\n{layers}\nfrom {first}; r: concat {' '.join(rest)}\nfrom s5; gap; g: fc 4\noutput r g")
    assert made.text.count("*") == ORDERS[order], made.text


def network(seed: int) -> str:
    """A random network that collects over the passes of its loops, in the file or in blocks that are called."""
    draw = random.Random(seed)
    head, body = list[str](), ["input 12x12x3"]
    for block in range(draw.randint(1, 3)):
        ch, dilation = draw.choice((4, 6)), draw.choice(("1", "2", "(1+i)", "(1+i%2)", "(2**(i%3))"))
        unit = draw.choice(
            (
                f"z: conv {ch}x3 relu dilation={dilation}",
                f"conv {ch}x3 bn relu; z: conv {ch}x1; relu",
                f"x: identity; y: conv {ch}x3 relu dilation={dilation}; z: conv {ch}x1; from y; add x",
                f"x: identity; add {{ | conv {ch}x3 bn | z: conv {ch}x1 }}; relu; add x",
                f"c: conv {ch}x3 relu; z: basic_unit {ch}; from c",
                f"x: identity; y: conv {ch}x1; repeat 2 {{ conv {ch}x3 relu; z: conv {ch}x1 }}; from y; add x",
            )
        )
        unit = re.sub(r"\b([xyzc])\b(?=:|$|;)", rf"\g<1>{block}", unit)
        others = draw.choice(("", f"r{block}", f"b{block}"))
        lines = [
            f"conv {ch}x1; b{block}: relu",
            f"r{block}: repeat {draw.randint(4, 6)} as i {{ {unit} }}",
            f"a{block}: {draw.choice(('add', 'concat', 'mul'))} z{block}* {others}",
            f"from r{block}; conv 4x1; concat a{block}; conv {draw.choice((4, 8))}x3",
        ]
        if draw.random() < 0.5:
            body += lines
        else:
            head += [f"def stage{block}() {{", *lines, "}"]
            body += [f"stage{block}"] * draw.randint(1, 3)
    return "\n".join([*head, *body, "gap; fc 10"])


@unshrunk(8)
@given(integers(0, 10**6), integers(0, 1))
def test_random_networks_that_collect(seed: int, stored: int) -> None:
    """No text is flat, and none says another network: that is compared wherever something is lifted."""
    text = network(seed)
    net = sketched(netc.loads(text).net)
    made = lifted(by_depth(net) if stored else net, {})
    assert not made.flat_because, f"{made.flat_because}\n{text}"
    assert re.search(r" z?\w\*", made.text), f"{text}\n{made.text}"


# -- what passes carry on ------------------------------------------------------------------------------------

CARRIED: Mapping[str, tuple[str, int]] = {
    "a sum of skips": (
        """input 32x32x3; conv 8x3; s: conv 8x1
        repeat 6 { x: identity; c: conv 8x3 relu; conv 8x1; s: add s; from c; add x }
        conv 8x1; add s; gap; fc 10""",
        10,
    ),
    "two maps, each made of both": (
        """input 32x32x3; a: conv 8x3; b: conv 8x5
        repeat 5 {
            from a; p: conv 8x3 bn relu; from b; q: conv 8x3 bn relu
            a: add { | from p; conv 8x1 | from q; conv 8x5 }; b: add { | from q; conv 8x7 | from p; conv 8x9 }
        }
        add a; gap; fc 10""",
        30,
    ),
}

TWO_MAPS = """
input 16x16x8; a: conv 8x3; b: conv 8x3
repeat {passes} {{
    from a; x: conv 8x3 relu; from b; y: conv 8x1 relu
    from x; a: add y; from y; conv 8x3; b: add x
}}
from a; add b; gap; fc 10
"""


@pytest.mark.parametrize("levelled", [False, True])
def test_the_search_for_passes_grows_with_the_network(levelled: bool) -> None:
    def work(passes: int) -> int:
        tree = Tree(netc.loads(TWO_MAPS.format(passes=passes)).net, levelled=levelled)
        alike = Alike(tree.used, Scopes({}))
        alike.taps = taps(tree.series)
        return calls(lambda: fold(tree.series, alike))

    assert work(80) < 5 * work(20)


@pytest.mark.parametrize("name", CARRIED)
def test_carried(name: str) -> None:
    text, most = CARRIED[name]
    made = found(text)
    (body,) = re.findall(r"repeat \d+ \{.*?\n\}", made.text, flags=re.DOTALL)
    above = made.text[: made.text.index(body)]
    assert set(re.findall(r"\b(\w): ", body)) & set(re.findall(r"\b(\w): ", above)), made.text
    assert lines(made.text) <= most, made.text


def carrying(seed: int) -> str:
    """A random network whose passes carry on several tensors, each made of some of them, in an order of its own."""
    draw = random.Random(seed)
    labels = "abc"[: draw.randint(1, 3)]
    rows = [
        "image: input 12x12x3",
        *(f"from image; {label}: conv 4x{1 + 2 * at} relu" for at, label in enumerate(labels)),
    ]
    body = ["x: identity"]
    for at, label in enumerate(draw.sample(labels, len(labels))):
        one, other = draw.choice(labels), draw.choice((*labels, "x"))
        body += [f"from {one}", f"t{at}: conv 4x{draw.choice((1, 3))} relu", f"{label}: add {other}"]
    rows += [f"repeat {draw.randint(3, 6)} {{ {'; '.join(body)} }}", *(f"concat {label}" for label in labels)]
    return "\n".join([*rows, "gap; fc 10"])


@unshrunk(10)
@given(integers(0, 10**6), integers(0, 1))
def test_random_networks_that_carry_on(seed: int, stored: int) -> None:
    text = carrying(seed)
    try:
        net = sketched(netc.loads(text).net)
    except netc.SpecError:  # something is not used
        reject()
    made = lifted(by_depth(net) if stored else net, {})
    assert not made.flat_because, f"{made.flat_because}\n{text}"
