"""Canonical forms compute the same outputs and gradients in Keras as the layers they replace, and as plain slices."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from netc.compiler import compile_source
from netc.diagnostics import Diagnostics
from netc.ir.net import Node
from netc.layers.pool import AveragePool
from netc.limits import Limits
from netc.lower import lower
from netc.program import Program
from netc.rewrites.canonical import canonicalise, single_pixel_pool
from netc.syntax.parser import parse
from netc.syntax.source import Source
from netc.targets.keras.calls import make
from netc.targets.keras.lowering import to_keras

tf = pytest.importorskip("tensorflow")
np = pytest.importorskip("numpy")


def lowered(text: str) -> Program:
    """A text before any pass."""
    report = Diagnostics()
    program = lower(parse(Source("example.net", text), Limits(), report), {}, Limits(), report)
    assert not report.failed, [found.message for found in report]
    return program


def last(program: Program) -> Node:
    return program.net.node(program.net.outputs[0])


@dataclass(frozen=True)
class Fires:
    """A pool that is a strided slice, on an input shape."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    text: str

    @property
    def source(self) -> str:
        return f"input {'x'.join(map(str, self.shape))}\n{self.text}\n"


FIRES = [
    Fires(shape, stride, f"{op} 1/{'x'.join(map(str, stride))}{pad}")
    for op in ("avgpool", "pool")
    for pad in ("", " pad=valid", " pad=0")
    for shape, stride in [
        ((7, 3), (2,)),
        ((8, 3), (3,)),
        ((8, 8, 2), (2, 2)),
        ((7, 9, 2), (2, 2)),
        ((5, 8, 2), (3, 2)),
        ((6, 6, 1), (1, 2)),
        ((5, 4, 7, 2), (2, 2, 2)),
        ((4, 4, 4, 1), (1, 2, 3)),
        ((1, 1, 3), (2, 2)),
    ]
]


def run(node: Node, shape: tuple[int, ...], images: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Output of a layer in Keras, and the gradient of its weighted sum."""
    tensor = tf.convert_to_tensor(images)
    with tf.GradientTape() as tape:
        tape.watch(tensor)
        made = tensor
        for call in to_keras(node.layer, [shape]):
            made = make(call)(made)
        total = tf.reduce_sum(made * weights)
    return made.numpy(), tape.gradient(total, tensor).numpy()


@pytest.mark.parametrize("case", FIRES, ids=lambda case: f"{case.shape} {case.text}")
def test_single_pixel_pool_is_a_strided_slice(case: Fires) -> None:
    before, after = lowered(case.source), lowered(case.source)
    canonicalise(after)
    assert last(after).layer.op == "subsample"
    assert (last(after).name, after.net.shapes) == (last(before).name, before.net.shapes)
    assert after.net.shapes[last(after).name] == last(after).layer.infer([case.shape])

    generator = np.random.default_rng(0)
    images = generator.normal(size=(2, *case.shape)).astype("float32")
    slices = (slice(None), *(slice(None, None, step) for step in case.stride))
    weights = generator.normal(size=images[slices].shape).astype("float32")
    gradient = np.zeros_like(images)
    gradient[slices] = weights
    for node in (last(before), last(after)):
        output, found = run(node, case.shape, images, weights)
        np.testing.assert_array_equal(output, images[slices])
        np.testing.assert_array_equal(found, gradient)


@pytest.mark.parametrize(
    "text",
    [
        "avgpool 2",
        "pool 2/3",
        "avgpool 1x2/2",
        "pool 2x1/2x2",
        "avgpool 1/1",
        "pool 1",
        "pool 3/2",
        "conv 8x1/2",
        "dwconv 1/2",
        "gap",
        "subsample 2",
    ],
)
def test_other_layers_stay(text: str) -> None:
    program = lowered(f"input 8x8x8\n{text}\n")
    before = last(program).layer
    canonicalise(program)
    assert last(program).layer is before


def test_padding_of_values_is_not_a_slice() -> None:
    """Pools refuse padding as large as their window, so the layer is made by hand."""
    program = lowered("input 8x8x8\navgpool 1/2\n")
    padded = replace(last(program), layer=AveragePool(kernel=1, stride=2, pad=1))
    assert single_pixel_pool(padded) is padded


@pytest.mark.parametrize(
    "rule",
    [
        lambda node: node if node.layer.is_input else replace(node, name=f"{node.name}_"),
        lambda node: node if node.layer.is_input else replace(node, layer=AveragePool(kernel=2)),
    ],
)
def test_a_rule_that_changes_more_than_the_layer_is_a_bug(rule: Callable[[Node], Node]) -> None:
    net = lowered("input 8x8x8\navgpool 3/1\n").net
    with pytest.raises(AssertionError, match="made another layer of `avgpool1`"):
        net.rewrite(rule)
    assert net.rewrite(lambda node: node) is net


def test_idempotent() -> None:
    program = lowered("input 8x8x8\navgpool 1/2\nconv 4x3\npool 1/2x1\n")
    canonicalise(program)
    layers = [(node.name, node.layer, node.origin) for node in program.net]
    canonicalise(program)
    assert all(
        name == node.name and layer is node.layer and origin is node.origin
        for (name, layer, origin), node in zip(layers, program.net, strict=True)
    )


def test_written_stride_is_kept_for_emitted_code() -> None:
    text = "input 8x8x8\ndef down(stride) { avgpool 1/(stride) pad=valid }\ndown 2\n"
    program = lowered(text)
    written = dict(last(program).origin.written)
    canonicalise(program)
    assert dict(last(program).origin.written) == {"factor": written["stride"]}


def test_last_pass_is_the_canonical_form() -> None:
    """What reports sees the pool as written; what builds sees the slice."""
    program = compile_source(Source("example.net", "input 8x8x8\navgpool 1/2\n"))
    assert [found.code for found in program.report] == ["NET301"]
    assert last(program).layer.op == "subsample"


# -- zeros around a max pool of positives ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "conv 4x3 bn relu; pool 3/2 pad=1",
        "relu6; pool 3/2 pad=1x2",
        "relu max=1 threshold=0.5; pool 5/3 pad=2",
        "repeat 2 { relu; pool 3/1 pad=1 }",
        "def stem(size) { relu; pool (size)/2 pad=1 }\nstem 3",
        "relu slope=0; pool 3/2 pad=1",
        "sigmoid; pool 3/2 pad=1",
        "softmax; pool 3/2 pad=1",
        "abs; pool 3/2 pad=1",
        "squareplus; pool 3/2 pad=1",
    ],
)
def test_zeros_never_win_over_what_is_not_negative(text: str) -> None:
    """The same maxima, and the same gradient before the activation, where a ReLU cuts off half of the pixels."""
    before, after = lowered(f"input 9x8x4\n{text}\n"), lowered(f"input 9x8x4\n{text}\n")
    canonicalise(after)
    pools = [node for node in after.net if node.layer.op == "pool"]
    assert pools
    for node in pools:
        shapes, relu = after.net.operand_shapes(node.name), after.net.node(*after.net.operands(node.name))
        first, *_ = to_keras(node.layer, shapes)
        assert first.path == "layers.ZeroPadding2D"
        generator = np.random.default_rng(1)
        images = generator.normal(size=(3, *shapes[0])).astype("float32")
        weights = generator.normal(size=(3, *after.net.shapes[node.name])).astype("float32")
        found = []
        for program in (before, after):
            tensor = tf.convert_to_tensor(images)
            with tf.GradientTape() as tape:
                tape.watch(tensor)
                made = tensor
                for call in (*to_keras(relu.layer, shapes), *to_keras(program.net.node(node.name).layer, shapes)):
                    made = make(call)(made)
                total = tf.reduce_sum(made * weights)
            found.append((made.numpy(), tape.gradient(total, tensor).numpy()))
        np.testing.assert_array_equal(found[0][0], found[1][0])
        np.testing.assert_array_equal(found[0][1], found[1][1])


@pytest.mark.parametrize(
    "text",
    [
        "conv 4x3 bn; pool 3/2 pad=1",
        "leaky_relu; pool 3/2 pad=1",
        "relu slope=0.1; pool 3/2 pad=1",
        "param slope = 0\nrelu slope=slope; pool 3/2 pad=1",
        "param act = relu\nconv 4x3 act=act; pool 3/2 pad=1",
        "tanh; pool 3/2 pad=1",
        "param act = true\nif act { relu }\npool 3/2 pad=1",
        "param n = 1\nrepeat n { relu }\npool 3/2 pad=1",
        "def act() { relu }\nact\npool 3/2 pad=1",
        "a: tanh; relu; from a; pool 3/2 pad=1",
        "relu; pool 3/2",
        "relu; avgpool 3/2 pad=1",
    ],
)
def test_zeros_are_no_padding_of_other_values(text: str) -> None:
    """Nor of those that are positive only for some values of the parameters: the emitted code has one pool for all."""
    program = lowered(f"input 9x8x4\n{text}\n")
    before = [node.layer for node in program.net]
    canonicalise(program)
    assert all(node.layer is layer for node, layer in zip(program.net, before, strict=True))
