"""Operations against Keras: shapes, variables, numbers, gradients, and files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from netc.cli import main
from netc.cli.endings import USAGE
from netc.compiler import compile_source
from netc.ir.shape import Shape, rank_of
from netc.ir.window import Window, same_padding
from netc.layers import LAYERS
from netc.layers.base import Layer, OperationError, Weight
from netc.params import Refused
from netc.program import Program
from netc.syntax.source import Source
from netc.target import Call
from netc.targets.keras.build import apply, construct
from netc.targets.keras.calls import make
from netc.targets.keras.lowering import applied, to_keras
from netc.targets.keras.verify import checked_differences
from tests.layer_samples import LINE, OPERATIONS, PLANE, SAMPLES, SPACE, VECTOR, Sample
from tests.one_layer import closed

keras = pytest.importorskip("keras")
np = pytest.importorskip("numpy")
tf = pytest.importorskip("tensorflow")


def build(layer: Layer, inputs: tuple[Shape, ...]) -> Any:
    """The layer as a model of its own, built from its calls."""
    calls = to_keras(layer, inputs)
    if layer.op == "input":
        tensor = make(calls[0], "only")
        return keras.Model(tensor, tensor)
    starts = [keras.Input(shape) for shape in inputs]
    tensors = starts
    for call in calls:
        tensors = [apply(call, make(call, "only" + call.suffix), tensors)]
    return keras.Model(starts[0] if len(starts) == 1 else starts, tensors[0])


def build_call(call: Call, inputs: tuple[Shape, ...]) -> Any:
    """One call as a model of its own."""
    starts = [keras.Input(shape) for shape in inputs]
    given = starts[0] if len(starts) == 1 else starts
    return keras.Model(given, make(call)(given))


def own_call(sample: Sample) -> Call:
    """The call of netc's own class among those that make a layer."""
    (call,) = (call for call in to_keras(sample.layer, sample.inputs) if call.path.startswith("custom."))
    return call


def numbers_of(sample: Sample) -> Any:
    """What a layer is given: a batch, or one for each input."""
    values = [numbers(shape, seed) for seed, shape in enumerate(closed(sample.inputs))]
    return values[0] if len(values) == 1 else values


def everywhere(layer: Layer) -> bool:
    """Whether each CPU has the kernels of a layer: a dilated transposed convolution needs oneDNN (NET303)."""
    dilation = getattr(layer, "dilation", 1)
    return layer.op != "deconv" or max(dilation if isinstance(dilation, tuple) else (dilation,)) == 1


def forward(layer: Layer, model: Any) -> Any:
    """The model as a function of its inputs, compiled by XLA where TensorFlow's own kernels are not everywhere."""
    return model if everywhere(layer) else tf.function(model, jit_compile=True)


ONE_OF_EACH = {sample.layer.op: sample for sample in SAMPLES if sample.inputs and len(sample.inputs[0]) > 1}


@pytest.mark.parametrize("op", ONE_OF_EACH)
def test_a_layer_of_a_shared_definition_fits_maps_of_another_size(op: str) -> None:
    """What netc takes for one layer on two sizes is one in Keras, or refused in words."""
    layer, shapes = ONE_OF_EACH[op].layer, ONE_OF_EACH[op].inputs
    others = tuple((*(size and 2 * size for size in shape[:-1]), shape[-1]) for shape in shapes)
    try:
        made = layer.infer(shapes), layer.infer(others)
        if layer.weights(shapes) != layer.weights(others):
            return
        calls = applied(layer, others, shapes)
    except (Refused, OperationError):
        return
    shared = [make(call, "only" + call.suffix) for call in calls]
    for inputs, expected in zip((shapes, others), made, strict=True):
        tensors = [keras.Input(shape) for shape in inputs]
        for call, one in zip(calls, shared, strict=True):
            tensors = [apply(call, one, tensors)]
        assert tensors[0].shape[1:] == expected


def numbers(shape: Shape, seed: int = 0, batch: int = 2) -> Any:
    known = [8 if size is None else size for size in shape]
    return np.random.default_rng(seed).normal(size=(batch, *known)).astype("float32")


def run(op: str, x: Any, *, training: bool = False, **values: object) -> Any:
    return np.asarray(build(LAYERS[op](**values), (x.shape[1:],))(x, training=training))


# -- each operation ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_shapes_and_variables_are_those_of_keras(sample: Sample) -> None:
    """Keras knows each size that netc knows: a layer after it that needs one can be built."""
    layer, inputs = sample.layer, sample.inputs
    model = build(layer, inputs)
    assert all(ours in (None, theirs) for theirs, ours in zip(model.output_shape[1:], layer.infer(inputs), strict=True))
    made = [weight for part in model.layers for weight in part.weights]
    said = layer.weights(inputs)
    assert [(weight.name, tuple(weight.shape), weight.trainable) for weight in made] == [
        (weight.name.rpartition("/")[2], weight.shape, weight.trainable) for weight in said
    ]
    assert model.count_params() == sum(weight.count for weight in said)


@pytest.mark.parametrize(
    "sample", [sample for sample in SAMPLES if not any(None in shape for shape in sample.inputs)], ids=str
)
def test_files_keep_layers(sample: Sample, tmp_path: Path) -> None:
    """Saving and loading gives the same outputs, of the shape that was inferred."""
    model = build(sample.layer, sample.inputs)
    inputs = [numbers(shape, seed) for seed, shape in enumerate(sample.inputs or ((8, 8, 3),))]
    given = inputs if len(inputs) > 1 else inputs[0]
    before = np.asarray(forward(sample.layer, model)(given))
    assert before.shape[1:] == sample.layer.infer(sample.inputs)
    model.save(tmp_path / "model.keras")
    after = forward(sample.layer, keras.models.load_model(tmp_path / "model.keras"))(given)
    np.testing.assert_array_equal(before, np.asarray(after))


# -- what is checked against what is built -------------------------------------------------------------------


def program_of(cls: type[Layer]) -> Program:
    program = compile_source(Source("example.net", f"input 32x32x16\n{cls.example}\n"), speculate=True)
    assert not program.report.failed
    return program


WEIGHTED = [cls for cls in OPERATIONS if any(s.layer.weights(s.inputs) for s in SAMPLES if isinstance(s.layer, cls))]
MADE = [cls for cls in OPERATIONS if cls.op not in ("input", "identity")]  # by one statement after an input
LIES: dict[str, Callable[[tuple[Weight, ...]], tuple[Weight, ...]]] = {
    "forgotten": lambda weights: weights[:-1],
    "one too many": lambda weights: (*weights, Weight("more", (1,))),
    "another shape": lambda weights: (replace(weights[0], shape=(*weights[0].shape, 2)), *weights[1:]),
    "same count, another shape": lambda weights: (replace(weights[0], shape=(1, *weights[0].shape)), *weights[1:]),
    "another name": lambda weights: (replace(weights[0], name="other"), *weights[1:]),
    "not trained": lambda weights: (replace(weights[0], trainable=False), *weights[1:]),
}


@pytest.mark.parametrize("cls", WEIGHTED, ids=lambda cls: cls.op)
def test_verify_compares_the_declared_weights(cls: type[Layer], monkeypatch: pytest.MonkeyPatch) -> None:
    program = program_of(cls)
    built = construct(program)
    assert checked_differences(program.net, built) == []
    honest = cls.weights
    for lie in LIES.values():
        monkeypatch.setattr(cls, "weights", lambda self, inputs, lie=lie: lie(honest(self, inputs)))
        found = checked_differences(program.net, built)
        assert any("declares" in line for line in found), found


@pytest.mark.parametrize("cls", MADE, ids=lambda cls: cls.op)
def test_verify_compares_the_inferred_shapes(cls: type[Layer]) -> None:
    program = program_of(cls)
    built = construct(program)
    assert checked_differences(program.net, built) == []
    (name, *_) = [node.name for node in program.net if isinstance(node.layer, cls)]
    shape = program.net.shapes[name]
    for wrong in ((*shape[:-1], (shape[-1] or 0) + 1), (2, *shape)):
        program.net.shapes[name] = wrong
        assert any(f"the layer {name} was checked as" in line for line in checked_differences(program.net, built))


@pytest.mark.parametrize("path", ["layers.NoSuchLayer", "custom.NoSuchLayer", "nowhere.NoSuchLayer"])
def test_a_class_that_the_target_lacks_is_named(path: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = tmp_path / "sample.net"
    spec.write_text("input 8x8x3\nconv 4x3 relu\ngap\n")
    right = to_keras.dispatch(LAYERS["gap"])
    to_keras.register(LAYERS["gap"], lambda layer, inputs: (Call(path),))
    try:
        with pytest.raises(OperationError, match=r"`gap` cannot be built: .*NoSuchLayer"):
            construct(compile_source(Source("sample.net", spec.read_text())))
        assert main(["compile", str(spec), "--verify", "-o", str(tmp_path / "sample.py")]) == USAGE
    finally:
        to_keras.register(LAYERS["gap"], right)
    said = capsys.readouterr().err
    assert "NoSuchLayer" in said
    assert "bug" not in said
    assert not (tmp_path / "sample.py").exists()


CUSTOM = [
    sample
    for sample in SAMPLES
    if any(call.path.startswith("custom.") for call in to_keras(sample.layer, sample.inputs))
]


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float16", "bfloat16", "float64"])
@pytest.mark.parametrize("sample", [*{own_call(sample).path: sample for sample in CUSTOM}.values()], ids=str)
def test_custom_layers_follow_the_dtype_policy(sample: Sample, policy: str) -> None:
    """The custom layer alone: Keras' own after it may lack kernels (three-dimensional max pools for float16)."""
    call = own_call(sample)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = build_call(call, sample.inputs)
    finally:
        keras.config.set_dtype_policy(before)
    values = keras.tree.map_structure(lambda x: np.round(4 * x) / 4, numbers_of(sample))  # which every type has
    output = model(values)
    assert keras.backend.standardize_dtype(output.dtype) == keras.DTypePolicy(policy).compute_dtype
    reference = build_call(call, sample.inputs)
    reference.set_weights([keras.ops.cast(weight, "float32") for weight in model.weights])
    exact = np.asarray(reference(values))
    found = np.asarray(keras.ops.cast(output, "float64"))
    kept = np.isfinite(exact)  # the padding of a max pool is minus infinity
    np.testing.assert_array_equal(kept, np.isfinite(found))
    tolerance = 0.1 if "16" in policy else 1e-5
    np.testing.assert_allclose(found[kept], exact[kept], rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("sample", [*{type(sample.layer): sample for sample in CUSTOM}.values()], ids=str)
def test_custom_layers_run_compiled_on_unknown_sizes(sample: Sample) -> None:
    shapes = tuple((*(None,) * rank_of(shape), shape[-1]) for shape in sample.inputs)
    try:
        sample.layer.infer(shapes)
    except Refused as error:
        pytest.skip(str(error))
    model = build(sample.layer, shapes)
    x = numbers_of(sample)
    compiled = np.asarray(model.predict(x, verbose=0))
    reference = build(sample.layer, sample.inputs)
    reference.set_weights(model.get_weights())
    np.testing.assert_allclose(compiled, np.asarray(reference(x)), rtol=1e-5, atol=1e-6)


def test_every_custom_layer_is_used() -> None:
    from netc.targets.keras import custom

    classes = {
        name for name, value in vars(custom).items() if isinstance(value, type) and value.__module__ == custom.__name__
    }
    used = {call.path.removeprefix("custom.") for sample in CUSTOM for call in to_keras(sample.layer, sample.inputs)}
    assert classes <= used


def test_a_custom_layer_has_its_weights_once() -> None:
    shared = make(Call("custom.LayerScale", (0.5,)), "once")
    x = keras.Input((3, 3, 4))
    assert keras.Model(x, shared(shared(x))).count_params() == 4


# -- numbers, derived again ----------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [VECTOR, LINE, PLANE, SPACE])
@pytest.mark.parametrize(
    ("radius", "bias", "alpha", "beta"), [(2, 2.0, 1e-4, 0.75), (5, 1.0, 0.7, 0.5), (0, 1.0, 1.0, 1.0)]
)
def test_local_response_normalisation(shape: Shape, radius: int, bias: float, alpha: float, beta: float) -> None:
    x = numbers(shape)
    expected = np.empty_like(x)
    for channel in range(x.shape[-1]):
        near = x[..., max(channel - radius, 0) : channel + radius + 1]
        expected[..., channel] = x[..., channel] / (bias + alpha * (near**2).sum(-1)) ** beta
    output = run("lrn", x, radius=radius, bias=bias, alpha=alpha, beta=beta)
    np.testing.assert_allclose(output, expected, rtol=2e-5)


def test_local_response_normalisation_is_tensorflows() -> None:
    x = numbers(PLANE)
    expected = tf.nn.local_response_normalization(x, 3, 1.5, 0.2, 0.6)
    np.testing.assert_allclose(run("lrn", x, radius=3, bias=1.5, alpha=0.2, beta=0.6), expected, rtol=2e-5)


@pytest.mark.parametrize(
    ("op", "values"), [("subsample", {}), ("maxpool", {"kernel": (1, 1)}), ("avgpool", {"kernel": (1, 1)})]
)
@pytest.mark.parametrize("size", [(8, 8), (7, 9)])
def test_subsampling_is_a_strided_slice_and_so_is_its_gradient(op: str, values: Any, size: tuple[int, int]) -> None:
    x = tf.constant(numbers((*size, 3)))
    step = {"factor": (2, 3)} if op == "subsample" else {"stride": (2, 3)}
    model = build(LAYERS[op](**step, **values), ((*size, 3),))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        pooled, sliced = model(x), x[:, ::2, ::3]
        scores = [
            tf.reduce_sum(y * tf.reshape(tf.range(tf.size(y), dtype="float32"), y.shape)) for y in (pooled, sliced)
        ]
    np.testing.assert_array_equal(pooled, sliced)
    np.testing.assert_array_equal(tape.gradient(scores[0], x), tape.gradient(scores[1], x))


@pytest.mark.parametrize("size", range(4, 12))
@pytest.mark.parametrize(("kernel", "stride"), [*product((2, 3, 4, 7), (1, 2, 3))])
def test_same_puts_the_odd_pixel_at_the_end(size: int, kernel: int, stride: int) -> None:
    """Keras' `same` is the padding that `same_padding` says, written out."""
    before, after = same_padding(size, kernel, stride)
    assert after - before in (0, 1)
    x = numbers((size, 2))
    whole = np.pad(x, ((0, 0), (before, after), (0, 0)))
    same = run("conv", x, filters=1, kernel=(kernel,), stride=(stride,), init="ones")
    written_out = run("conv", whole, filters=1, kernel=(kernel,), stride=(stride,), pad="valid", init="ones")
    np.testing.assert_allclose(same, written_out, rtol=1e-5, atol=1e-5)
    last = np.pad(x, ((0, 0), (before, after), (0, 0)), constant_values=-np.inf)
    pooled = run("maxpool", x, kernel=(kernel,), stride=(stride,))
    np.testing.assert_array_equal(pooled, run("maxpool", last, kernel=(kernel,), stride=(stride,), pad="valid"))


@pytest.mark.parametrize("shape", [VECTOR, LINE, PLANE, SPACE])
def test_channels_are_moved(shape: Shape) -> None:
    x = numbers((*shape[:-1], 6))
    zeros = np.zeros((*x.shape[:-1], 2), "float32")
    np.testing.assert_array_equal(run("padchannels", x, total=10), np.concatenate([zeros, x, zeros], -1))
    np.testing.assert_array_equal(run("padchannels", x, total=8, side="after"), np.concatenate([x, zeros], -1))
    np.testing.assert_array_equal(run("part", x, index=2, of=3), x[..., 2:4])
    np.testing.assert_array_equal(run("shuffle", x, groups=2), x[..., [0, 3, 1, 4, 2, 5]])
    np.testing.assert_array_equal(run("scale", x, init=0.5), x * np.float32(0.5))
    np.testing.assert_array_equal(run("abs", x), np.abs(x))


def test_padding_never_wins_a_max_pool() -> None:
    x = -1 - np.abs(numbers((5, 5, 2)))
    output = run("maxpool", x, kernel=(3, 3), stride=(2, 2), pad=(1, 1))
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=-np.inf)
    expected = np.stack([[padded[:, i : i + 3, j : j + 3].max((1, 2)) for j in (0, 2, 4)] for i in (0, 2, 4)])
    np.testing.assert_array_equal(output, expected.transpose(2, 0, 1, 3))
    assert np.isfinite(output).all()


def test_an_average_pool_counts_explicit_padding_and_not_that_of_same() -> None:
    ones = np.ones((1, 4, 4, 1), "float32")
    assert run("avgpool", ones, kernel=(3, 3), stride=(1, 1))[0, 0, 0, 0] == 1
    assert run("avgpool", ones, kernel=(3, 3), stride=(1, 1), pad=(1, 1))[0, 0, 0, 0] == pytest.approx(4 / 9)


def test_batch_normalisation_keeps_its_share_of_the_moving_averages() -> None:
    x = numbers(PLANE, batch=8) + 3
    model = build(LAYERS["bn"](decay=0.7), (PLANE,))
    model(x, training=True)
    mean = model.layers[-1].moving_mean
    np.testing.assert_allclose(mean, 0.3 * x.mean((0, 1, 2)), rtol=1e-4)


def test_stochastic_depth_drops_whole_samples() -> None:
    x = np.ones((400, 3, 3, 2), "float32")
    output = run("droppath", x, training=True, rate=0.25)
    kept = output.reshape(400, -1)
    assert set(np.unique(kept).round(4)) == {0, np.float32(4 / 3).round(4)}
    assert (kept == kept[:, :1]).all()
    assert 0.6 < (kept[:, 0] > 0).mean() < 0.9
    np.testing.assert_array_equal(run("droppath", x, rate=0.25), x)


def test_decay_is_half_of_the_sum_of_squares() -> None:
    """As TFLearn and the papers define it; Keras' own L2(c) has no half."""
    model = build(LAYERS["fc"](units=3, l2=0.1, init=1.0), (VECTOR,))
    kernel = np.asarray(model.layers[-1].kernel)
    assert float(sum(model.losses)) == pytest.approx(0.05 * (kernel**2).sum(), rel=1e-5)
    both = build(LAYERS["fc"](units=3, l1=0.2, l2=0.1, init=1.0), (VECTOR,))
    kernel = np.asarray(both.layers[-1].kernel)
    expected = 0.05 * (kernel**2).sum() + 0.2 * np.abs(kernel).sum()
    assert float(sum(both.losses)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("init", "std", "bound"),
    [
        ("uniform_scaling", (1 / 512) ** 0.5, (3 / 512) ** 0.5),
        ("variance_scaling", (2 / 512) ** 0.5, None),
        ("truncated_normal", 0.02 * 0.8796, 0.04),
        ("normal", 0.02, None),
        ("xavier", (2 / (512 + 256)) ** 0.5, (6 / (512 + 256)) ** 0.5),
        (0.3, 0.3, None),
    ],
)
def test_initialisers_have_the_spread_that_their_name_says(init: Any, std: float, bound: float | None) -> None:
    kernel = np.asarray(build(LAYERS["fc"](units=256, init=init), ((512,),)).layers[-1].kernel)
    assert kernel.std() == pytest.approx(std, rel=0.02)
    assert bound is None or 0.97 * bound < np.abs(kernel).max() <= bound * 1.0001


ACTIVATIONS = [cls.op for cls in OPERATIONS if cls.family == "activation"]


def test_there_is_an_operation_for_every_activation_of_keras() -> None:
    theirs = {name for name in vars(keras.activations) if name[0] != "_" and callable(getattr(keras.activations, name))}
    assert theirs - {"get", "serialize", "deserialize"} <= set(LAYERS)


@pytest.mark.parametrize("op", [op for op in ACTIVATIONS if op not in ("prelu", "leakyrelu", "abs", "threshold")])
def test_activations_are_those_of_keras(op: str) -> None:
    x = numbers((4, 4, 6)) * 2
    np.testing.assert_allclose(run(op, x), keras.activations.get(op)(x), rtol=1e-6, atol=1e-6)


def test_activations_with_parameters() -> None:
    x = numbers((4, 4, 6)) * 2
    np.testing.assert_allclose(run("leakyrelu", x), np.where(x > 0, x, 0.1 * x), rtol=1e-6)
    np.testing.assert_allclose(run("prelu", x), np.where(x > 0, x, 0.25 * x), rtol=1e-6)
    np.testing.assert_allclose(run("threshold", x, threshold=0.5, value=-2.0), np.where(x > 0.5, x, -2), rtol=1e-6)
    np.testing.assert_allclose(run("elu", x, alpha=0.5), np.where(x > 0, x, 0.5 * np.expm1(x)), rtol=1e-5)
    np.testing.assert_allclose(run("relu", x, max=1.0), x.clip(0, 1), rtol=1e-6)
    np.testing.assert_allclose(run("hard_shrink", x, threshold=1.0), np.where(np.abs(x) > 1, x, 0), rtol=1e-6)


# -- windows -------------------------------------------------------------------------------------------------


def reads(size: int, window: Window, output: int) -> set[int]:
    start = output * window.stride - window.before
    places = range(start, start + window.extent, window.dilation)
    return {place // window.up for place in places if place % window.up == 0} & set(range(size))


@pytest.mark.parametrize(
    "layer",
    [
        LAYERS["conv"](filters=1, kernel=(4,), stride=(3,)),
        LAYERS["conv"](filters=1, kernel=(3,), dilation=(2,), pad="causal"),
        LAYERS["conv"](filters=1, kernel=(3,), stride=(2,), pad=(2,)),
        LAYERS["dwconv"](kernel=(3,), stride=(2,), dilation=(2,)),
        LAYERS["deconv"](filters=1, kernel=(5,), stride=(3,)),
        LAYERS["deconv"](filters=1, kernel=(4,), stride=(2,)),
        LAYERS["deconv"](filters=1, kernel=(4,), stride=(3,), pad="valid"),
        LAYERS["deconv"](filters=1, kernel=(3,), dilation=(2,)),
        LAYERS["avgpool"](kernel=(4,), stride=(2,)),
        LAYERS["pad"](before=(2,), after=(1,)),
        LAYERS["crop"](before=(1,), after=(2,)),
        LAYERS["subsample"](factor=(3,)),
        LAYERS["upsample"](factor=(3,)),
    ],
    ids=repr,
)
def test_windows_are_what_the_gradient_says(layer: Layer) -> None:
    size = 11
    model = build(layer, ((size, 1),))
    model.set_weights([np.full_like(weight, weight.ndim > 1) for weight in model.get_weights()])  # no bias
    x = tf.constant(numbers((size, 1), batch=1))
    if everywhere(layer):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = model(x)
        touched = np.asarray(tape.jacobian(y, x)).reshape(y.shape[1], size) != 0
    else:  # a layer that adds up has as its derivative its outputs for single ones, which need no gradient
        touched = np.asarray(forward(layer, model)(np.eye(size, dtype="float32")[..., None]))[..., 0].T != 0
    windows = layer.windows(((size, 1),))
    assert windows is not None
    for output, row in enumerate(touched):
        assert set(np.flatnonzero(row)) == reads(size, windows[0], output)


# -- random layers -------------------------------------------------------------------------------------------


@st.composite
def sliding(draw: Any) -> tuple[Layer, Shape]:
    """A random convolution or pool with a random input, legal or not."""
    op = draw(st.sampled_from(["conv", "dwconv", "sepconv", "deconv", "maxpool", "avgpool"]))
    rank = draw(st.integers(1, 2 if op in ("dwconv", "sepconv") else 3))
    most = {1: 12, 2: 9, 3: 5}[rank]
    sizes = st.tuples(*[st.integers(1, most)] * rank)
    unknown = draw(st.booleans()) and draw(st.booleans())
    space = (None,) * rank if unknown else draw(sizes)
    groups = draw(st.sampled_from([1, 2])) if op == "conv" else 1
    channels = groups * draw(st.integers(1, 3))
    values: dict[str, Any] = {"kernel": draw(st.tuples(*[st.integers(1, 4)] * rank))}
    stride = draw(st.tuples(*[st.integers(1, 3)] * rank))
    values["stride"] = (stride[0],) * rank if op in ("dwconv", "sepconv") else stride
    pads: list[Any] = ["same", "valid"]
    if op != "deconv":
        pads.append(draw(st.tuples(*[st.integers(0, 2)] * rank)))
    if rank == 1 and op in ("conv", "dwconv", "sepconv"):
        pads.append("causal")
    values["pad"] = draw(st.sampled_from(pads))
    if "pool" not in op:
        values["dilation"] = draw(st.tuples(*[st.integers(1, 2)] * rank))
        values["bias"] = draw(st.booleans())
    if op in ("conv", "sepconv", "deconv"):
        values["filters"] = groups * draw(st.integers(1, 3))
    if op == "conv":
        values["groups"] = groups
    if op in ("dwconv", "sepconv"):
        values["multiplier"] = draw(st.integers(1, 2))
    return LAYERS[op](**values), (*space, channels)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(sliding())
def test_what_netc_refuses_keras_refuses_too(case: tuple[Layer, Shape]) -> None:
    """But for pools of a single pixel or of padding alone, which Keras makes and which mean nothing."""
    layer, shape = case
    try:
        layer.infer((shape,))
    except Refused as error:
        meaningless = error.code == "NET109" or (
            error.code == "NET204" and set(shape[:-1]) == {1} and "pool" in layer.op
        )
        assume(not meaningless)
    else:
        assume(False)
    with pytest.raises((ValueError, AttributeError)):
        build(layer, (shape,))


# -- what Keras accepts and netc refuses ---------------------------------------------------------------------

BROADCAST: list[tuple[str, tuple[Shape, ...]]] = [
    ("max", ((8, 8, 4), (8, 8, 1))),
    ("sub", ((8, 8, 4), (1, 1, 4))),
    ("avg", ((8, 8, 4), (8, 1, 4))),
    *((op, ((8, 8, 4), shape)) for op, shape in product(("add", "mul"), [(8, 1, 4), (8, 1, 1), (1, 1, 1)])),
]


@pytest.mark.parametrize(("op", "shapes"), BROADCAST)
def test_broadcasting_is_refused_although_keras_does_it(op: str, shapes: tuple[Shape, ...]) -> None:
    layer = LAYERS[op]()
    assert build(layer, shapes).output_shape[1:] == shapes[0]
    with pytest.raises(Refused) as error:
        layer.infer(shapes)
    assert error.value.code == "NET201"


def test_a_glu_keeps_the_shape_in_keras_own_layer() -> None:
    """Which is why netc has one of its own: `keras.layers.Activation` infers the wrong shape."""
    x = keras.Input((4, 4, 6))
    assert keras.layers.Activation("glu")(x).shape == (None, 4, 4, 6)
    assert build(LAYERS["glu"](), ((4, 4, 6),)).output_shape == (None, 4, 4, 3)
