"""What operations compute, in NumPy, against plain formulas: without TensorFlow."""

from __future__ import annotations

import math
import tracemalloc
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from netc.compiler import compile_source
from netc.ir.shape import Shape
from netc.ir.weights import Weights, random_weights
from netc.ir.window import same_padding
from netc.layers import LAYERS
from netc.layers.base import Layer, OperationError
from netc.syntax.source import Source
from tests.layer_samples import OPERATIONS, SAMPLES, Sample
from tests.one_layer import difference, given, net_of, weights_of

np = pytest.importorskip("numpy")
from netc.targets.numpy.primitives import Numpy  # noqa: E402 - imports NumPy
from netc.targets.numpy.run import run  # noqa: E402

F = Numpy()


def once(op: str, *inputs: Any, weights: dict[str, Any] | None = None, **values: object) -> Any:
    return LAYERS[op](**values).compute(F, inputs, weights or {})


def numbers(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.inputs], ids=str)
def test_an_output_has_the_shape_that_is_inferred_and_the_type_of_the_input(sample: Sample) -> None:
    net = net_of(sample)
    inputs = given(net)
    (made,) = run(net, weights_of(net), inputs).values()
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
    assert made.shape[1:] == sample.layer.infer([value.shape[1:] for value in inputs.values()])
    (exact,) = run(net, weights_of(net), {name: x.astype("float64") for name, x in inputs.items()}).values()
    assert exact.dtype == np.float64
    assert difference(made, exact) < 1e-5


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.inputs and not sample.layer.ids], ids=str)
def test_what_is_not_negative_gives_no_number_below_0_and_other_activations_do(sample: Sample) -> None:
    net = net_of(sample)
    (made,) = run(net, weights_of(net), {name: x * 60 - 30 for name, x in given(net).items()}).values()
    assert made.min() >= 0 or not sample.layer.not_negative
    if sample.layer.family == "activation" and sample.layer.op != "threshold":  # whose option decides
        assert sample.layer.not_negative == (made.min() >= 0)


# -- activations, from their definitions ---------------------------------------------------------------------


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


FORMULAS: dict[str, Callable[[float], float]] = {
    "sigmoid": sigmoid,
    "tanh": math.tanh,
    "relu": lambda x: max(x, 0),
    "relu6": lambda x: min(max(x, 0), 6),
    "leakyrelu": lambda x: x if x > 0 else 0.1 * x,
    "elu": lambda x: x if x > 0 else math.expm1(x),
    "celu": lambda x: x if x > 0 else math.expm1(x),
    "selu": lambda x: 1.05070098 * (x if x > 0 else 1.67326324 * math.expm1(x)),
    "gelu": lambda x: x * (1 + math.erf(x / math.sqrt(2))) / 2,
    "silu": lambda x: x * sigmoid(x),
    "mish": lambda x: x * math.tanh(softplus(x)),
    "softplus": softplus,
    "softsign": lambda x: x / (1 + abs(x)),
    "exponential": math.exp,
    "log_sigmoid": lambda x: math.log(sigmoid(x)),
    "hard_sigmoid": lambda x: min(max(x + 3, 0), 6) / 6,
    "hard_silu": lambda x: x * min(max(x + 3, 0), 6) / 6,
    "hard_tanh": lambda x: min(max(x, -1), 1),
    "tanh_shrink": lambda x: x - math.tanh(x),
    "hard_shrink": lambda x: x if abs(x) > 0.5 else 0,
    "soft_shrink": lambda x: math.copysign(max(abs(x) - 0.5, 0), x),
    "squareplus": lambda x: (x + math.sqrt(x * x + 4)) / 2,
    "sparse_plus": lambda x: 0 if x <= -1 else x if x >= 1 else (x + 1) ** 2 / 4,
    "sparse_sigmoid": lambda x: 0 if x <= -1 else 1 if x >= 1 else (x + 1) / 2,
    "threshold": lambda x: x if x > 1 else 0,
    "abs": abs,
    "linear": lambda x: x,
}
ACROSS = {cls.op for cls in OPERATIONS if getattr(cls, "across", False)}


def test_every_activation_of_single_numbers_has_a_formula() -> None:
    others = {"prelu", "glu", *ACROSS}
    assert {cls.op for cls in OPERATIONS if cls.family == "activation"} == FORMULAS.keys() | others


@pytest.mark.parametrize("op", FORMULAS)
def test_activations_are_their_formulas(op: str) -> None:
    x = np.concatenate([np.linspace(-8, 8, 301), [-0.49, 0.51, 1e-3, 20, -20]]).astype("float32")[None]
    expected = np.array([[FORMULAS[op](float(number)) for number in x[0]]])
    np.testing.assert_allclose(once(op, x), expected, rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("op", ["sigmoid", "softmax", "log_softmax", "softplus", "log_sigmoid", "elu", "selu", "mish"])
def test_large_numbers_overflow_nowhere(op: str) -> None:
    x = np.array([[-1e4, -100, 0, 100, 1e4]], "float32")
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(once(op, x)).all()


def test_softmax_and_its_logarithm() -> None:
    x = numbers(3, 5)
    expected = np.exp(x) / np.exp(x).sum(-1, keepdims=True)
    np.testing.assert_allclose(once("softmax", x), expected, rtol=1e-5)
    np.testing.assert_allclose(np.exp(once("log_softmax", x)), expected, rtol=1e-5)


def test_sparsemax_is_the_nearest_point_of_the_simplex() -> None:
    """No step towards a corner comes nearer (what is nearest in a convex set)."""
    x = numbers(50, 7) * 2
    found = once("sparsemax", x)
    np.testing.assert_allclose(found.sum(-1), 1, rtol=1e-5)
    assert (found >= 0).all()
    assert (found == 0).any()
    assert ((x - found)[:, None] * (np.eye(7) - found[:, None])).sum(-1).max() < 1e-5


# -- windows, by loops over single elements ------------------------------------------------------------------


def convolution(x: Any, kernel: Any, stride: int, dilation: int, sides: list[tuple[int, int]], groups: int) -> Any:
    """Dumoulin & Visin 2016, element by element."""
    (rows, columns), filters = kernel.shape[:2], kernel.shape[-1]
    x = np.pad(x, [(0, 0), *sides, (0, 0)])
    high, wide = (
        (size - (taps - 1) * dilation - 1) // stride + 1
        for size, taps in zip(x.shape[1:3], (rows, columns), strict=True)
    )
    out = np.zeros((len(x), high, wide, filters))
    share, each = x.shape[-1] // groups, filters // groups
    for i, j, f, r, s, c in product(*map(range, (high, wide, filters, rows, columns, share))):
        seen = x[:, i * stride + r * dilation, j * stride + s * dilation, (f // each) * share + c]
        out[:, i, j, f] += seen * kernel[r, s, c, f]
    return out


@pytest.mark.parametrize(("stride", "dilation", "groups"), [(1, 1, 1), (2, 1, 2), (1, 2, 4), (3, 1, 1)])
@pytest.mark.parametrize("pad", ["same", "valid", (2, 1)])
def test_convolutions_are_sums_over_windows(stride: int, dilation: int, groups: int, pad: Any) -> None:
    x, kernel, bias = numbers(2, 6, 7, 4), numbers(3, 2, 4 // groups, 8), numbers(8)
    sides = {"valid": [(0, 0)] * 2, (2, 1): [(2, 2), (1, 1)]}.get(pad) or [
        same_padding(size, taps, stride, dilation) for size, taps in ((6, 3), (7, 2))
    ]
    values = {"filters": 8, "kernel": (3, 2), "stride": stride, "dilation": dilation, "groups": groups, "pad": pad}
    found = once("conv", x, weights={"kernel": kernel, "bias": bias}, act="relu", **values)
    expected = np.maximum(convolution(x, kernel, stride, dilation, sides, groups) + bias, 0)
    assert difference(found, expected) < 1e-6


def test_a_depthwise_convolution_is_one_of_as_many_groups() -> None:
    x, kernel = numbers(2, 6, 7, 4), numbers(3, 3, 4, 2)
    found = once("dwconv", x, weights={"kernel": kernel}, kernel=3, multiplier=2, pad="valid")
    one_by_one = [convolution(x[..., c : c + 1], kernel[:, :, c : c + 1], 1, 1, [(0, 0)] * 2, 1) for c in range(4)]
    assert difference(found, np.concatenate(one_by_one, -1)) < 1e-6


STEPS = [*product((1, 2, 4), (1, 2, 3), (1,)), (3, 1, 2)]


@pytest.mark.parametrize(("kernel", "stride", "dilation"), STEPS)
@pytest.mark.parametrize("pad", ["same", "valid"])
def test_a_transposed_convolution_is_the_gradient_of_a_convolution(
    kernel: int, stride: int, dilation: int, pad: str
) -> None:
    """<conv(x), y> = <x, deconv(y)> for all x and y, x being of the size that deconv gives."""
    values = {"kernel": kernel, "stride": stride, "dilation": dilation, "pad": pad}
    weight, y = numbers(kernel, kernel, 3, 5), numbers(2, 4, 5, 5)
    there = once("deconv", y, weights={"kernel": weight}, filters=3, **values)
    assert there.shape[1:] == LAYERS["deconv"](filters=3, **values).infer([(4, 5, 5)])
    x = np.random.default_rng(9).normal(size=there.shape)
    back = once("conv", x, weights={"kernel": weight}, filters=5, **values)
    assert back.shape == y.shape
    assert abs((back * y).sum() - (x * there).sum()) < 1e-4


@pytest.mark.parametrize("pad", ["same", "valid", 1])
def test_pools_are_the_largest_and_the_mean_of_windows(pad: Any) -> None:
    x = numbers(2, 7, 6, 3) - 3  # a zero of the padding would win
    sides = {"valid": [(0, 0)] * 2, 1: [(1, 1)] * 2}.get(pad) or [same_padding(size, 3, 2) for size in (7, 6)]
    padded = np.pad(x, [(0, 0), *sides, (0, 0)], constant_values=np.nan)
    high, wide = ((size - 3) // 2 + 1 for size in padded.shape[1:3])
    windows = np.array([[padded[:, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3] for j in range(wide)] for i in range(high)])
    windows = np.moveaxis(windows, 2, 0)
    np.testing.assert_array_equal(once("maxpool", x, kernel=3, stride=2, pad=pad), np.nanmax(windows, (3, 4)))
    counted = np.nanmean(windows, (3, 4)) if pad == "same" else np.nan_to_num(windows).mean((3, 4))
    np.testing.assert_allclose(once("avgpool", x, kernel=3, stride=2, pad=pad), counted, rtol=1e-5)


# -- the rest ------------------------------------------------------------------------------------------------


def test_local_response_normalisation_sums_neighbouring_channels() -> None:
    x = numbers(2, 3, 4, 7)
    found = once("lrn", x, radius=2, bias=1.5, alpha=0.7, beta=0.6)
    for c in range(7):
        total = (x[..., max(c - 2, 0) : c + 3] ** 2).sum(-1)
        np.testing.assert_allclose(found[..., c], x[..., c] / (1.5 + 0.7 * total) ** 0.6, rtol=1e-5)


def test_normalisations_take_mean_and_variance_away() -> None:
    x = numbers(2, 5, 4, 6) * 3 + 2
    w = {"gamma": numbers(6), "beta": numbers(6), "moving_mean": numbers(6), "moving_variance": numbers(6) ** 2 + 1}
    expected = (x - w["moving_mean"]) / np.sqrt(w["moving_variance"] + 1e-5) * w["gamma"] + w["beta"]
    assert difference(once("bn", x, weights=w), expected) < 1e-6
    plain = once("layernorm", x, scale=False, center=False)
    np.testing.assert_allclose(plain.mean(-1), 0, atol=1e-6)
    np.testing.assert_allclose(plain.std(-1), 1, atol=1e-4)
    grouped = once("groupnorm", x, groups=2, scale=False, center=False)
    np.testing.assert_allclose(grouped.reshape(2, 20, 2, 3).mean((1, 3)), 0, atol=1e-6)
    np.testing.assert_allclose(grouped.reshape(2, 20, 2, 3).std((1, 3)), 1, atol=1e-4)


def test_bilinear_interpolation_is_exact_on_a_ramp_but_for_the_border() -> None:
    x = np.broadcast_to(np.arange(6, dtype="float32")[None, :, None, None], (1, 6, 5, 1))
    places = np.clip((np.arange(18) + 0.5) / 3 - 0.5, 0, 5)
    found = once("upsample", x, factor=(3, 2), method="bilinear")
    np.testing.assert_allclose(found, np.broadcast_to(places[None, :, None, None], found.shape), atol=1e-6)


def test_channels_are_shuffled_by_turns() -> None:
    x = np.arange(6, dtype="float32")[None]
    assert once("shuffle", x, groups=2).tolist() == [[0, 3, 1, 4, 2, 5]]
    assert once("part", x, index=2, of=3).tolist() == [[2, 3]]
    assert once("padchannels", x, total=8).tolist() == [[0, 0, 1, 2, 3, 4, 5, 0]]


# -- whole networks ------------------------------------------------------------------------------------------


def program(text: str) -> Any:
    made = compile_source(Source("a.net", text))
    assert not made.report.failed, list(made.report)
    return made


def test_layers_that_share_weights_read_the_same_ones() -> None:
    net = program(
        "shared def tower() { fc 4 }\na: input 3\ntower\nx: identity\nb: input 3\ntower\nsub { | from x | identity }"
    ).net
    weights = random_weights(net, 0)
    same = numbers(2, 3)
    (nothing,) = run(net, weights, {"a": same, "b": same}).values()
    assert not nothing.any()
    (something,) = run(net, weights, {"a": same, "b": same * 2}).values()
    assert something.any()


def test_memory_does_not_grow_with_depth() -> None:
    peaks = []
    for layers in (5, 200):
        net = program(f"input 64x64x32\nrepeat {layers} {{ conv 32x1 relu }}\ngap").net
        weights, x = random_weights(net, 0), numbers(1, 64, 64, 32)
        tracemalloc.start()
        run(net, weights, {"input1": x})
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


def test_an_input_that_does_not_fit_is_refused() -> None:
    net = program("input ?x8x3\nconv 4x3\ngap").net
    weights = random_weights(net, 0)
    run(net, weights, {"input1": numbers(1, 5, 8, 3)})
    with pytest.raises(ValueError, match="got batches of 8x7x3 for the input input1, expected batches of \\?x8x3"):
        run(net, weights, {"input1": numbers(1, 8, 7, 3)})
    with pytest.raises(ValueError, match="got nothing for the input input1"):
        run(net, weights, {})


def test_random_weights_keep_numbers_in_a_deep_network() -> None:
    net = program("input 8x8x16\nrepeat 60 { conv 16x3 relu; dwconv 3; sepconv 16x3 }\ngap").net
    (made,) = run(net, random_weights(net, 0), {"input1": numbers(2, 8, 8, 16)}).values()
    assert 1e-9 < np.abs(made).max() < 1e12
    assert dict(random_weights(net, 1)).keys() == dict(random_weights(net, 2)).keys()
    again = Weights(dict(random_weights(net, 0)))
    assert all((again[key] == array).all() for key, array in random_weights(net, 0).items())


def test_an_operation_without_a_meaning_is_named() -> None:
    class Odd(Layer):
        op = "odd"

        def infer(self, inputs: Any) -> Shape:
            shape: Shape = inputs[0]
            return shape

    with pytest.raises(OperationError, match="`odd` does not say what it computes: `Odd` needs `compute`"):
        Odd().compute(F, [numbers(1, 2)], {})
