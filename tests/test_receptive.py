"""Receptive fields against published ones, and against counting taps one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import netc
from netc.analysis.receptive import Axis, figure, jump, net_field, receptive_fields
from netc.ir.net import Net, Node, Origin
from netc.ir.shape import Shape
from netc.ir.weights import random_weights
from netc.ir.window import Window
from netc.layers.base import Layer
from netc.syntax.source import Source, Span

np = pytest.importorskip("numpy")
from netc.targets.numpy.run import run  # noqa: E402 - imports NumPy

ORIGIN = Origin(Span(Source("test.net", ""), 0, 0))


@dataclass(frozen=True)
class Sliding(Layer):
    """A layer that is only its windows."""

    seen: tuple[Window, ...] | None = ()

    def windows(self, inputs: Sequence[Shape]) -> tuple[Window, ...] | None:
        return self.seen


def add(net: Net, name: str, seen: tuple[Window, ...] | None, *operands: str, shape: Shape = (None, 4)) -> str:
    return net.add(Node(name, Sliding(seen), ORIGIN), operands, shape)


def chain(*windows: Window | None) -> Net:
    """A one-dimensional network of windows; None is a global pool."""
    net = Net("chain")
    last = add(net, "input", ())
    for number, window in enumerate(windows):
        shape: Shape = (4,) if window is None else (None, 4)
        last = add(net, f"layer{number}", None if window is None else (window,), last, shape=shape)
    net.outputs = [last]
    return net


def field_of(net: Net) -> Axis:
    found = net_field(net, receptive_fields(net))
    assert found is not None
    return found[0]


def same(size: int, stride: int = 1) -> Window:
    return Window(size, stride, 1, (size - stride) // 2, size - stride - (size - stride) // 2)


MOBILENET = [
    window
    for stride in (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1)
    for window in (Window(3, stride, 1, int(stride == 1), 1), same(1))
]


# Araujo, Norris & Sim 2019, table "Receptive field ... of several models": field, stride, padding
@pytest.mark.parametrize(
    ("windows", "published"),
    [
        pytest.param(
            [same(3), same(3), Window(2, 2)] * 2 + [same(3), same(3), same(3), Window(2, 2)] * 3,
            (212, 32, 90),
            id="vgg_16",
        ),
        pytest.param(
            [Window(11, 4), Window(3, 2), same(5), Window(3, 2), same(3), same(3), same(3), Window(3, 2)],
            (195, 32, 64),
            id="alexnet_v2",
        ),
    ],
)
def test_published(windows: list[Window], published: tuple[int, int, int]) -> None:
    axis = field_of(chain(*windows, None))
    assert (axis.size, axis.jump, axis.padding) == published


def test_published_mobilenet() -> None:
    axis = field_of(chain(Window(3, 2, 1, 0, 1), *MOBILENET, None))
    assert (axis.size, axis.jump) == (315, 32)


# slim's ResNets stride in the last unit of a block; shortcuts are pools of window 1
@pytest.mark.parametrize(("units", "published"), [((3, 4, 6, 3), 483), ((3, 4, 23, 3), 1027), ((3, 8, 36, 3), 1507)])
def test_published_resnet(units: tuple[int, ...], published: int) -> None:
    net = Net("resnet_v1")
    last = add(net, "input", ())
    last = add(net, "conv", (Window(7, 2, 1, 3, 3),), last)
    last = add(net, "pool", (Window(3, 2, 1, 0, 1),), last)
    for block, count in enumerate(units):
        for unit in range(count):
            stride, name = (2 if unit == count - 1 and block < 3 else 1), f"block{block}_{unit}"
            shortcut = add(net, f"{name}_shortcut", (Window(1, stride),), last)
            inner = add(net, f"{name}_1", (), last)
            inner = add(net, f"{name}_2", (Window(3, stride, 1, 1, 1),), inner)
            inner = add(net, f"{name}_3", (same(1),), inner)
            last = add(net, f"{name}_add", (), shortcut, inner)
    net.outputs = [last]
    assert field_of(net).size == published


def test_global_layers_see_everything_and_are_passed_over() -> None:
    net = chain(same(3), None)
    fields = receptive_fields(net)
    assert figure(fields["layer0"], lambda axis: axis.size) == 3
    assert fields["layer1"] is None
    assert field_of(net).size == 3


def test_a_gate_makes_the_whole_network_see_everything() -> None:
    net = Net("squeeze")
    last = add(net, "input", ())
    conv = add(net, "conv", (same(3),), last)
    gate = add(net, "gap", None, conv, shape=(1, 4))
    last = add(net, "mul", (), conv, gate)
    net.outputs = [add(net, "end", None, last, shape=(4,))]
    fields = receptive_fields(net)
    assert fields["mul"] is None
    assert net_field(net, fields) is None


def test_branches_of_different_jumps_keep_the_larger_and_say_so() -> None:
    net = Net("uneven")
    last = add(net, "input", ())
    left = add(net, "left", (Window(2, 2),), last)
    right = add(net, "right", (Window(9),), last)
    net.outputs = [add(net, "add", (), left, right)]
    axis = field_of(net)
    assert (axis.size, axis.jump, axis.aligned) == (9, 2, False)


def test_a_pattern_of_too_many_phases_is_left_open() -> None:
    net = chain(Window(5000, up=5000))
    assert net_field(net, receptive_fields(net)) is None


def test_unequal_dimensions() -> None:
    net = Net("flat")
    last = add(net, "input", (), shape=(9, 9, 1))
    net.outputs = [add(net, "conv", (same(7), same(3, 2)), last, shape=(9, 5, 1))]
    fields = receptive_fields(net)
    assert figure(fields["conv"], lambda axis: axis.size) == [7, 3]
    assert figure(fields["conv"], lambda axis: axis.jump) == [1, 2]
    assert figure(fields["input"], lambda axis: axis.size) == 1


# -- counting ------------------------------------------------------------------------------------------------


def taps(net: Net, name: str, position: int) -> frozenset[int]:
    """The input pixels that one position reads, by following every tap."""

    @cache
    def seen(name: str, position: int) -> frozenset[int]:
        operands, layer = net.operands(name), net.node(name).layer
        if not operands:
            return frozenset([position])
        windows = layer.windows(())
        assert windows is not None
        reads = list(_reads(windows[0], position)) if windows else [position]
        return frozenset().union(*(seen(operand, read) for operand in operands for read in reads))

    return seen(name, position)


def _reads(window: Window, position: int) -> list[int]:
    places = (position * window.stride - window.before + tap * window.dilation for tap in range(window.size))
    return [place // window.up for place in places if place % window.up == 0]


def downward() -> st.SearchStrategy[Window]:
    small = st.integers(1, 3)
    return st.builds(Window, st.integers(1, 5), small, small, st.integers(0, 3), st.just(0))


def upward() -> st.SearchStrategy[Window]:
    def build(up: int, more: int, before: int) -> Window:
        return Window(up + more, before=before, up=up)

    return st.builds(build, st.integers(2, 3), st.integers(0, 3), st.integers(0, 3))


@st.composite
def networks(draw: st.DrawFn) -> Net:
    """Chains whose parts may be branches that agree in their jump."""
    net, last = Net("random"), "input"
    add(net, last, ())
    for number in range(draw(st.integers(1, 5))):
        window = draw(st.one_of(downward(), upward()))
        step = add(net, f"step{number}", (window,), last)
        if draw(st.booleans()):
            inner = add(net, f"inner{number}", (draw(downward().filter(lambda w: w.stride == 1)),), step)
            step = add(net, f"add{number}", (), step, inner)
        last = step
    net.outputs = [last]
    return net


@settings(max_examples=120, deadline=None)
@given(networks())
def test_fields_are_what_counting_finds(net: Net) -> None:
    axis = field_of(net)
    counted = [taps(net, net.outputs[0], position) for position in range(2 * len(axis.first))]
    assert [axis.at(position) for position in range(len(counted))] == [(min(seen), max(seen)) for seen in counted]
    assert axis.size == max(max(seen) - min(seen) + 1 for seen in counted)
    assert axis.padding == -min(counted[0])


@given(st.lists(downward(), max_size=6))
def test_without_upsampling_the_recurrences_of_the_paper_hold(windows: list[Window]) -> None:
    size, jump = 1, 1
    for window in windows:
        size, jump = size + (window.extent - 1) * jump, jump * window.stride
    axis = field_of(chain(*windows))
    assert (axis.size, axis.jump, len(axis.first)) == (size, Fraction(jump), 1)


# -- positions in another order ------------------------------------------------------------------------------


def test_rows_of_boxes_see_what_the_maps_see() -> None:
    """The heads of a detector, as rows of one tensor: no row sees more than is said, and one sees as much. Each pixel
    is changed by itself, and the rows that change are those that see it."""
    net = netc.loads(
        """
        input 15x13x1
        a: conv 3x3 relu
        b: conv 4x3/2 relu
        concat over=rows { | from a; conv 8x1x3; reshape ?x4 | from b; conv 8x3; reshape ?x4; relu }
        conv 2x1
        """
    )
    fields = receptive_fields(net.net)
    (output,) = net.net.outputs
    assert figure(net_field(net.net, fields), lambda axis: axis.size) == 9
    assert jump(fields[output]) is None
    images = np.zeros((1 + 15 * 13, 15, 13, 1))
    images[1:] += np.eye(15 * 13).reshape(-1, 15, 13, 1)
    rows = run(net.net, random_weights(net.net, 0), {net.net.inputs[0]: images})[output]
    seen = (rows[1:] != rows[0]).any(axis=2).reshape(15, 13, -1)  # rows and columns of pixels, rows of the output
    sizes = [tuple(np.ptp(axis) + 1 for axis in np.nonzero(seen[..., row])) for row in range(seen.shape[2])]
    assert [max(axis) for axis in zip(*sizes, strict=True)] == [9, 9]


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ("conv 8x3; reshape ?x4; relu; conv 2x1", [3, 3]),
        ("conv 8x3; reshape ?x4; conv 2x3", None),  # several positions, which lie anywhere
        ("conv 8x3; reshape ?x16", None),  # parts of several positions
        ("conv 8x3; reshape ?x4; add { | identity | conv 4x1 }", None),
        ("reshape ?x1; lstm 4", None),  # no window anywhere
        ("conv 8x3; reshape 144x8; lstm 4", [3, 3]),
        ("fc 4 relu; fc 2", None),
        ("relu", [1, 1]),
    ],
)
def test_what_a_network_sees_after_a_reshape(body: str, size: list[int] | None) -> None:
    net = netc.loads(f"input 12x12x1; {body}").net
    assert figure(net_field(net, receptive_fields(net)), lambda axis: axis.size) in (size, size and size[0])


def test_each_output_has_its_field() -> None:
    net = netc.load("specs/unetpp.net")
    assert "receptive field 18 to 204" in net.draw().scene.facts
