"""Sizes as formulas: their arithmetic, their text, and the formulas of networks against the shape rules themselves."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import islice, product
from math import ceil, floor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netc
from netc.analysis.sizes import text
from netc.analysis.sizes.fitting import OpenSizes
from netc.analysis.sizes.formula import Extent, Formula, Symbol, Unwieldy
from netc.analysis.sizes.trace import Extents, Formulas, formulas
from netc.ir.net import Net
from netc.ir.shape import Shape
from netc.layers.base import LAYERS, Layer, operation
from netc.params import Refused
from tests.effort import effort, unshrunk
from tests.needs import needs_tensorflow
from tests.random_networks import compiled, networks, opened
from tests.size_formulas import SIZING, compare, opens

H, W = Formula.of(Symbol("H")), Formula.of(Symbol("W"))


def chain(steps: list[tuple[str, int]], start: Any) -> Any:
    """What a chain of layers makes of a size, a number or a formula."""
    for kind, number in steps:
        match kind:
            case "add":
                start = start + number
            case "times":
                start = start * number
            case "down":
                start = start // number
            case "up":
                start = -(-start // number)
    return start


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(-9, 9)),
        st.tuples(st.just("times"), st.sampled_from([1, 2, 3, -1])),
        st.tuples(st.sampled_from(["down", "up"]), st.integers(1, 5)),
    ),
    max_size=7,
)


def read(said: str, sizes: dict[str, int]) -> Fraction:
    """The value of a formula's text, by what mathematicians take it to mean."""
    python = re.sub(r"(?<=\d)(?=[A-Z])", "*", said.replace("·", "*").replace("²", "**2"))
    python = re.sub(r"(?<![\w*])\d+|(?<=[^*]\*)\d+", r"whole(\g<0>)", python)
    for sign, word in zip("⌊⌋⌈⌉", ("floor(", ")", "ceil(", ")"), strict=True):
        python = python.replace(sign, word)
    names = {name: Fraction(size) for name, size in sizes.items()}
    return Fraction(eval(python, {"floor": floor, "ceil": ceil, "whole": Fraction, **names}))


# -- arithmetic ----------------------------------------------------------------------------------------------


@effort(80)
@given(steps, st.sampled_from([(1, 0), (2, 0), (3, 1), (4, 0), (6, 5)]))
def test_a_formula_and_its_text_are_what_was_computed(taken: list[tuple[str, int]], known: tuple[int, int]) -> None:
    """Also where sizes are known to be in steps, and then what divides is said so."""
    formula = chain(taken, H)
    step, offset = known
    stepped = formula.on({"H": known})
    for size in range(25):
        wanted = chain(taken, size)
        assert formula.at(size) == wanted == read(text.size(formula), {"H": size})
        if size % step == offset:
            assert stepped.at(size) == wanted == read(text.size(stepped), {"H": size})
    period, rise = formula.turn or (0, 0)
    assert all(formula.at(size + period) == formula.at(size) + rise for size in range(2 * period))


@effort(100)
@given(st.tuples(steps, steps, steps, steps))
def test_amounts_are_what_their_text_says(taken: tuple[list[tuple[str, int]], ...]) -> None:
    a, b, c, d = (chain(each, symbol) for each, symbol in zip(taken, (H, W, H, W), strict=True))
    for made in (12 * a * b, 12 * a * b + c * d, a * a * b, 8 * a + 4):
        for size in ({"H": 12, "W": 30}, {"H": 7, "W": 5}):
            assert made.at(size) == read(text.amount(made), size), text.amount(made)


def test_strides_one_after_the_other_are_one_quotient() -> None:
    for strides in ([2, 2], [2, 3, 2], [4, 1, 2]):
        ceilings = chain([("up", stride) for stride in strides], H)
        product = 1
        for stride in strides:
            product *= stride
        assert ceilings == -(-H // product)
    assert chain([("down", 2)] * 500, H) == H // 2**500  # and stay short


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        (-(-H // 4), "⌈H/4⌉"),
        ((H - 3) // 2 + 1, "⌈H/2⌉-1"),
        ((H - 11) // 4 + 1, "⌊(H-7)/4⌋"),
        (2 * -(-H // 2), "2·⌈H/2⌉"),
        (3 * H // 2, "⌊3H/2⌋"),
        (2 * H, "2H"),
        ((H // 4 - 2).on({"H": (4, 0)}), "H/4-2"),
        (((H - 3) // 2).on({"H": (2, 1)}), "(H-3)/2"),
    ],
)
def test_sizes_are_said_as_people_write_them(formula: Formula, said: str) -> None:
    assert text.size(formula) == said


def test_amounts_are_said_as_products() -> None:
    number = "{:,}".format
    assert text.amount(9408 * (-(-H // 2)) * (-(-W // 2)), number) == "9,408·⌈H/2⌉·⌈W/2⌉"
    assert text.amount(1728 * (H - 2) * (W - 2), number) == "1,728·(H-2)·(W-2)"
    assert text.amount(1728 * H * W + 4 * H + 1000, number) == "1,728·H·W + 4·H + 1,000"
    assert text.about(1728 * (H // 2) * W + 4 * H, number) == "≈ 864·H·W"


def test_what_is_too_long_is_refused() -> None:
    with pytest.raises(Unwieldy):
        chain([("times", 3), ("down", 2)] * 100, H)


# -- networks ------------------------------------------------------------------------------------------------


def found(source: str) -> Formulas:
    made = formulas(netc.loads(source).net)
    assert made is not None
    return made


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("input ?x?x3; conv 8x3/2; pool 3/2", "⌈H/4⌉x⌈W/4⌉x8"),
        ("input ?x?x3; conv 8x11/4 pad=valid; pool 3/2 pad=valid", "⌊(H-11)/8⌋x⌊(W-11)/8⌋x8"),
        ("input ?x32x3; conv 8x3x5/2x1 pad=1x2", "⌈H/2⌉x32x8"),
        ("input ?x4; conv 8x3 pad=causal dilation=2; conv 8x3 pad=valid dilation=4", "(L-8)x8"),
        ("input ?x?x?x1; pool 2 pad=valid", "⌊D/2⌋x⌊H/2⌋x⌊W/2⌋x1"),
        ("input ?x?x3; deconv 4x3/2 pad=valid; deconv 4x3/2; upsample 3", "(12H+6)x(12W+6)x4"),
        ("input ?x?x3; pad before=1 after=2; crop 0x1; subsample 2x3", "(⌊H/2⌋+2)x(⌊W/3⌋+1)x3"),
        ("input ?x?x3; gap keep; conv 4x1", "1x1x4"),
        ("input ?x?x3; conv 4x3/2; gap; fc 10", "10"),
        ("input ?x?x3; a: conv 8x3; pool 2; upsample 2; concat a", "HxWx16"),
        ("input ?x?x3; a: conv 8x3; pool 2 pad=valid; upsample 2; pad before=0 after=1; conv 8x3; concat a", "HxWx16"),
        ("a: input ?x?x3; b: input ?x?x3; conv 3x3; add a", "b.H x b.W x 3"),
        ("a: input ?x?x3; p: pool 2; b: input ?x?x3; concat p", "b.H x b.W x 6"),
        ("a: input 9x4; fixed: conv 4x3; input ?x4; pool 2; add fixed", "9x4"),
    ],
)
def test_outputs_of_networks(source: str, said: str) -> None:
    program = netc.loads(source).program
    made = found(source)
    assert text.shape(made.shapes[program.net.outputs[0]]) == said
    assert not made.unknown


def test_shares_that_meet_make_equations() -> None:
    made = found("input ?x?x3; a: conv 8x3; pool 2; upsample 2; concat a")
    (rows, columns) = made.equations
    assert (rows.name, text.size(rows.left), text.size(rows.right)) == ("concat1", "2·⌈H/2⌉", "H")
    assert (text.size(columns.left), text.size(columns.right)) == ("2·⌈W/2⌉", "W")


def numeric(net: Net, inputs: dict[str, Shape]) -> dict[str, Shape]:
    """The shapes of all layers by the shape rules, on numbers."""
    known = dict(inputs)
    for node in net:
        if node.name not in known:
            known[node.name] = node.layer.infer([known[operand] for operand in net.operands(node.name)])
    return known


def evaluated(extents: Extents | tuple[Extent, ...], sizes: dict[str, int]) -> tuple[int | None, ...]:
    return tuple(extent.at(sizes) if isinstance(extent, Formula) else extent for extent in extents)


def agrees(source: str) -> int:
    """Compare the formulas of a network with its rules for 50 sizes; how many work."""
    program = compiled(source)
    assert program is not None
    net, count = program.net, 0
    sizes, rng = OpenSizes(net), random.Random(len(net))
    assert sizes.formulas is None or not sizes.formulas.unknown, source
    for _ in range(50):
        space = [round(64 ** rng.random()) for _ in range(3)]
        count += alike(sizes, {name: space[: len(net.shapes[name]) - 1] for name in opens(net)})
    assert sizes.formulas or not count, source  # sizes of several inputs have to be matched, and by more than equations
    return count


def alike(sizes: OpenSizes, space: Mapping[str, Sequence[int]]) -> bool:
    """Whether sizes work. Those that do have the shapes and the MACs of the formulas, and what the rules refuse does
    not; nor do sizes for which `mul` takes a map of one pixel for a factor, as it would not of others."""
    fit, net = sizes.fit(**space), sizes.net
    try:
        known = numeric(net, dict(fit.inputs))
    except Refused:
        assert not fit.works, (space, net.name)
        return False
    assert fit.works or (fit.layer and net.node(fit.layer).layer.op in ("mul", "add")), (space, fit.reason)
    if fit.works and (made := sizes.formulas):
        values = dict(made.sizes(fit.inputs))
        for name, shape in known.items():
            operands = [known[operand] for operand in net.operands(name)]
            macs = net.node(name).layer.macs(operands, shape) if operands else 0
            assert evaluated((*made.shapes[name], made.macs[name]), values) == (*shape, macs), (name, values)
        assert fit.outputs == {name: known[name] for name in net.outputs}
    return fit.works


EVEN, ODD, ALL = (2, 4, 6), (1, 3, 5, 1025), (1, 2, 3, 4, 5, 6, 1025)

# Maps that meet, and may happen to be a single pixel: which sizes work, the same on all axes of all inputs
MEETINGS = {
    "left: input ?x3; end: identity; right: input ?x3; crop before=0 after=3; {} end": (),
    "left: input ?x?x3; end: identity; right: input ?x?x3; subsample 2; upsample 2; {} end": EVEN,
    "a: input ?x3; subsample 2; upsample 2; {} a": EVEN,
    "a: input ?x?x3; subsample 2; upsample 2; crop before=0 after=1; {} a": ODD,
    "a: input ?x?x3; subsample 2x1; upsample 2x1; {} a": EVEN,
    "a: input ?x3; subsample 2; upsample 2; b: {} a; gap keep; conv 3x1; c: identity; concat c": EVEN,
    "a: input ?x?x?x3; conv 3x3x3x3/2; upsample 2; {} a": EVEN,
    "k: input 2x3; input ?x3; crop before=0 after=3; {} k": (5,),
    "k: input 1025x3; input ?x3; {} k": (1025,),
}
FACTORS = {
    "a: input ?x?x3; gap keep; conv 3x1; mul a": ALL,
    "k: input 1x1x3; input ?x?x3; mul k": ALL,
    "k: input 1x3; a: input ?x3; subsample 2; upsample 2; mul a k": EVEN,
    "a: input ?x?x3; avgpool 4 pad=valid; mul a": (4, 5, 6),
    "a: input ?x3; crop before=0 after=1024; mul a": (1025,),
}


@pytest.mark.parametrize(
    ("source", "works"),
    [(source.format(op), works) for source, works in MEETINGS.items() for op in ("mul", "add", "max", "concat")]
    + [*FACTORS.items()],
)
def test_sizes_work_where_the_formulas_hold(source: str, works: Sequence[int]) -> None:
    """`mul` and `add` take a single pixel for one value a channel where it is one for all sizes that work, not by chance."""
    sizes = OpenSizes(netc.loads(source).net)
    spaces = {name: len(sizes.net.shapes[name]) - 1 for name in opens(sizes.net)}
    assert tuple(size for size in ALL if alike(sizes, {name: [size] * rank for name, rank in spaces.items()})) == works
    for drawn in product(range(1, 7 if len(sizes.symbols) < 3 else 5), repeat=len(sizes.symbols)):
        given = iter(drawn)
        fits = alike(sizes, {name: list(islice(given, rank)) for name, rank in spaces.items()})
        each = dict(zip(sizes.symbols.values(), drawn, strict=True))
        if len(sizes.fittings) == len(each):
            told = {fitting.symbols[0]: fitting.above(each[fitting.symbols[0]]) for fitting in sizes.fittings}
            assert fits == (told == each), drawn


@unshrunk(15)
@given(networks(SIZING, least=1) | networks(least=1))
def test_formulas_are_what_the_rules_give(source: str) -> None:
    source = opened(source)
    if compiled(source) is not None:
        agrees(source)


@needs_tensorflow
@unshrunk(5)
@given(networks(SIZING, least=1, single=True))
def test_formulas_are_what_keras_says(source: str) -> None:
    compare(source)


@needs_tensorflow
@pytest.mark.parametrize(
    "source",
    [
        "input 9x9x3; conv 4x3/2 pad=1; pool 3/2 pad=valid; deconv 4x5/3 pad=valid; upsample 2; crop 1x0",
        "input 9x9x9x2; conv 4x3/2; avgpool 2 pad=valid; deconv 4x3/2",
        "input 32x3; conv 4x3 pad=causal dilation=3; sepconv 8x5/2; pool 3/2 pad=1; subsample 3",
        "input 9x9x3; a: identity; conv 3x3x3/2; upsample 2; mul a; b: conv 4x3x3/2; gap keep; mul b",
        "input 32x32x3; a: conv 4x3; pool 2; b: conv 4x3/2; upsample 2; concat { | conv 2x3 | dwconv 3 }; upsample 2; concat a",
    ],
)
def test_formulas_of_deeper_networks_are_what_keras_says(source: str) -> None:
    count = compare(source.replace("; ", "\n", 1))
    assert count["sizes"] > 10
    assert count["formulas"] > 50


def test_operations_that_do_not_exist_yet() -> None:
    """What a rule does with numbers is followed; where it does more than a formula can say, that is said."""

    @operation("halves", family="shape")
    class Halves(Layer):
        def infer(self, inputs: Any) -> Shape:
            rows, columns, channels = inputs[0]
            if rows is not None and rows % 2:
                from netc.params import Refused

                raise Refused("NET209", "odd")
            return (None if rows is None else rows // 2, columns, channels)

        def windows(self, inputs: Any) -> None:
            return None

    @operation("atleast", family="shape")
    class AtLeast(Layer):
        def infer(self, inputs: Any) -> Shape:
            return tuple(None if size is None else max(size, 40) for size in inputs[0][:-1]) + inputs[0][-1:]

        def windows(self, inputs: Any) -> None:
            return None

    try:
        made = found("input ?x?x3; halves; conv 4x3")
        assert text.shape(made.shapes["conv1"]) == "H/2xWx4"
        made = found("input ?x?x3; conv 4x3/2; atleast; conv 4x3")
        assert text.shape(made.shapes["conv1"]) == "⌈H/2⌉x⌈W/2⌉x4"
        assert text.shape(made.shapes["conv2"]) == "?x?x4"
        assert made.unknown == ("atleast1",)
        assert made.total.macs is None
    finally:
        del LAYERS["halves"], LAYERS["atleast"]


def test_fixed_networks_have_their_numbers() -> None:
    net = netc.load("specs/resnet34.net")
    made = formulas(net.net)
    assert made is not None
    assert made.shapes == net.shapes
    assert made.total.macs == net.cost.total.macs
    assert made.total.memory == net.cost.total.memory


def test_resnet_34_as_torch_export_cannot() -> None:
    """https://github.com/pytorch/pytorch/issues/124507: guards on sizes of strides one after the other."""
    with open("specs/resnet34.net", encoding="utf-8") as file:
        source = file.read()
    made = found(source.replace("input 224x224x3", "input ?x?x3"))
    assert not made.equations
    assert text.shape(made.shapes["conv36"] if "conv36" in made.shapes else made.shapes["gap1"]) == "512"
    assert "⌈H/32⌉x⌈W/32⌉x512" in {text.shape(shape) for shape in made.shapes.values()}
    assert isinstance(made.total.macs, Formula)
    assert made.total.macs.at(224) == netc.load("specs/resnet34.net").cost.total.macs
