"""Steps of `data` in evaluation: their `compute` in NumPy is what the pipeline of TensorFlow does, and in ONNX too."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netc.sections.preprocessing import Crop, Resize, Step
from tests.data_samples import pictures, spec

np = pytest.importorskip("numpy")
pytest.importorskip("PIL")

alone = pytest.importorskip("netc.data.alone")
statistics = pytest.importorskip("netc.data.statistics")

LEVEL = 1 / 255
METHODS = ("bilinear", "bicubic", "nearest", "area")
RANDOM = "flip both; rotate 30; shift 0.2; blur 1; jitter brightness=0.2; cutout 2; mixup 0.4"


def steps_of(lines: str, channels: int = 3) -> list[Step]:
    """Of a network that takes what they make of images of so many channels."""
    made = re.findall(r"channels (\d)", lines)
    data = spec(f"data {{ {lines} }}", image=f"?x?x{made[-1] if made else channels}").sections.data
    assert data is not None
    return data.steps


def images(rows: int, columns: int, channels: int, count: int = 4) -> np.ndarray[Any, Any]:
    return (pictures(count, rows, columns, channels) / np.float32(255)).astype(np.float32)


def found_on(batch: np.ndarray[Any, Any], steps: list[Step]) -> Any:
    """Statistics that steps need, from some images: any numbers of the right shapes would do."""
    arrays: dict[str, Any] = {}
    shape: Any = batch.shape[1:]
    random = np.random.default_rng(1)
    for step in steps:
        for name, place in statistics.arrays_of(step, shape).items():
            arrays[name] = random.uniform(0.2, 1.2, place).astype(np.float32)
        shape = step.shape(shape)
    return statistics.Statistics(arrays)


def in_tensorflow(batch: np.ndarray[Any, Any], steps: list[Step], held: Any) -> np.ndarray[Any, Any]:
    """As evaluation has it: in `tf.data`, for sizes that are known only when it runs."""
    tf = pytest.importorskip("tensorflow")
    from netc.data.pipeline import Pipeline

    wide = tf.TensorSpec([None, None, None, batch.shape[-1]])
    stream = tf.data.Dataset.from_generator(lambda: [batch], output_signature=wide)
    (found,) = stream.map(lambda images: Pipeline(steps, held).run(images, [], None)[0]).as_numpy_iterator()
    return np.asarray(found)


EXACT = [
    ("crop 5x6", 3),
    ("crop 7x4 central", 1),
    ("pad 2x1", 3),
    ("pad 1; crop 6x6 pad=2", 3),
    ("channels 3", 1),
    ("channels 3 bgr", 3),
    ("channels 3 bgr", 4),
    ("channels 4", 3),
    ("channels 4 bgr", 4),
    ("channels 2", 1),
    ("channels 3", 2),
    ("channels 1", 2),
    ("channels 4", 2),
    ("channels 3", 4),
    ("center 0.4 0.3 0.2", 3),
    ("center 0.5; scale 0.25", 3),
    ("center; scale per_pixel", 3),
    ("center overall; scale overall", 3),
    ("resize 5x3 nearest", 3),
    ("resize 31x17 nearest", 3),
    (f"crop 6x6; {RANDOM}", 3),
]


@pytest.mark.parametrize(("lines", "channels"), EXACT)
def test_it_is_the_same_bit_for_bit(lines: str, channels: int) -> None:
    batch, steps = images(8, 9, channels), steps_of(lines, channels)
    held = found_on(batch, steps)
    np.testing.assert_array_equal(alone.prepared(batch, steps, held), in_tensorflow(batch, steps, held))


SUMS = [
    ("channels 1", 3),
    ("channels 2", 4),
    ("center samplewise", 3),
    ("center samplewise; scale samplewise", 3),
    ("scale samplewise", 1),
    ("zca", 3),
    *((f"resize 6x13 {method}", 3) for method in METHODS),
    ("resize 20x20; crop 16x16; channels 1; center; scale; zca", 3),
]


@pytest.mark.parametrize(("lines", "channels"), SUMS)
def test_sums_are_the_same_but_for_rounding(lines: str, channels: int) -> None:
    batch, steps = images(8, 9, channels), steps_of(lines, channels)
    batch[0] = 0.5  # a flat image, which has no deviation
    held = found_on(batch, steps)
    expected = in_tensorflow(batch, steps, held)
    found = alone.prepared(batch, steps, held)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    assert np.abs(found - expected).max() < 1e-5 * max(1, np.abs(expected).max())


@pytest.mark.parametrize("method", METHODS)
def test_images_of_any_size_are_scaled_as_tensorflow_scales_them(method: str) -> None:
    """Far less than a grey level apart; nearest pixels are the same ones."""
    tf = pytest.importorskip("tensorflow")
    random = np.random.default_rng(0)
    for before, after in [*random.integers(1, 60, (60, 2, 2)).tolist(), ([200, 3], [7, 90]), ([1, 1], [4, 4])]:
        batch = random.random((1, *before, 2), np.float32)
        found = alone.prepared(batch, [Resize(to=tuple(after), method=method)], statistics.Statistics())
        smooth = method in ("bilinear", "bicubic")
        expected = tf.image.resize(batch, after, method=method, antialias=smooth).numpy()
        assert np.abs(found - expected).max() <= (0 if method == "nearest" else LEVEL / 100), (before, after)


@pytest.mark.parametrize("method", ["bilinear", "bicubic"])
def test_images_are_scaled_as_pillow_scales_them(method: str) -> None:
    """Another program, which rounds nothing in this mode: without TensorFlow too."""
    image = pytest.importorskip("PIL.Image")
    batch = images(37, 23, 1, 1)
    found = alone.prepared(batch, [Resize(to=(11, 40), method=method)], statistics.Statistics())
    how = {"bilinear": image.Resampling.BILINEAR, "bicubic": image.Resampling.BICUBIC}[method]
    expected = np.asarray(image.fromarray(batch[0, ..., 0], "F").resize((40, 11), how))
    np.testing.assert_allclose(found[0, ..., 0], expected, atol=2e-5)


LINES = [
    *(f"resize {{size}} {method}" for method in METHODS),
    "crop 4x3",
    "pad 1x2",
    "channels 1",
    "channels 3 bgr",
    "center",
    "scale",
    "center samplewise",
    "scale samplewise",
    "flip",
    "rotate 20",
]


@given(
    st.lists(st.sampled_from(LINES), min_size=1, max_size=5),
    st.integers(5, 20),
    st.integers(5, 20),
    st.tuples(st.integers(4, 12), st.integers(4, 12)),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_steps_after_each_other_do_the_same(lines: list[str], rows: int, columns: int, size: tuple[int, int]) -> None:
    lines = [line.format(size="x".join(map(str, size))) for line in lines]
    once = [
        line
        for at, line in enumerate(lines)
        if line.split()[0] in ("resize", "crop", "pad")
        or not any(other.split()[0] == line.split()[0] for other in lines[:at])
    ]
    batch, steps = images(rows, columns, 3), steps_of("; ".join(once))
    shape: Any = batch.shape[1:]
    for step in steps:  # a crop after a smaller resize is refused before it gets here
        if isinstance(step, Crop) and (shape[0] < step.to[0] or shape[1] < step.to[1]):
            return
        shape = step.shape(shape)
    held = found_on(batch, steps)
    expected = in_tensorflow(batch, steps, held)
    assert np.abs(alone.prepared(batch, steps, held) - expected).max() <= LEVEL * max(1, np.abs(expected).max())


@pytest.mark.parametrize(("lines", "channels"), [*EXACT, *SUMS])
def test_onnx_has_the_steps_too(lines: str, channels: int) -> None:
    """The same `compute`, as nodes: what puts preprocessing into a graph has to add nothing."""
    pytest.importorskip("onnx")
    runtime = pytest.importorskip("onnxruntime")
    from onnx import TensorProto, helper, numpy_helper

    from netc.targets.onnx.graph import Value
    from netc.targets.onnx.primitives import Onnx

    batch, steps = images(8, 9, channels), steps_of(lines, channels)
    held = found_on(batch, steps)
    f = Onnx()
    x: Any = f.input(batch.shape[1:])
    f.graph.inputs[0][0].name = "x"
    for step in steps:
        x = step.compute(f, x, held.arrays)
    f.output(x)
    names = {value: f"v{at}" for at, value in enumerate(v for node in f.graph.nodes for v in node.outputs)}
    names[f.graph.inputs[0][0]] = "x"
    constants, nodes = [], []
    for node in f.graph.nodes:
        sources = []
        for source in node.inputs:
            if not isinstance(source, Value) and source is not None:
                constants.append(numpy_helper.from_array(np.ascontiguousarray(source), f"c{len(constants)}"))
            sources.append(
                names[source] if isinstance(source, Value) else "" if source is None else f"c{len(constants) - 1}"
            )
        nodes.append(helper.make_node(node.op, sources, [names[value] for value in node.outputs], **node.attributes))
    ends = [(names[value], shape) for value, shape in (*f.graph.inputs, *f.graph.outputs)]
    first, last = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["b", *shape[1:]]) for name, shape in ends)
    graph = helper.make_graph(nodes, "steps", [first], [last], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    run = runtime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    (found,) = run.run(None, {"x": batch})
    expected = alone.prepared(batch, steps, held)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-5 * max(1, np.abs(expected).max())
