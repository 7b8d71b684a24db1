"""Operations and options of the second edition against what they are said to be: TensorFlow's own functions, formulas,
and the text that a network with an option that names a tensor is written as again."""

from __future__ import annotations

from typing import Any

import pytest

import netc
from netc.compiler import compile_source
from netc.layers import LAYERS
from netc.lower.index import index
from netc.syntax.parser import parse
from netc.syntax.source import Source
from tests.needs import needs_tensorflow

np = pytest.importorskip("numpy")
from netc.targets.numpy.primitives import Numpy  # noqa: E402 - imports NumPy

F = Numpy()
PYRAMID = """input ?x?x3
c2: conv 4x3/2 relu
c3: conv 8x3/2 relu
conv 8x1
resize to=c2 nearest
concat c2; conv 8x1
crop to=c3 offset=1
add c3
gap keep
fc_in: conv 4x1
"""


def computed(op: str, *inputs: Any, **values: object) -> Any:
    return LAYERS[op](**values).compute(F, inputs, {})


def numbers(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def program(text: str) -> Any:
    made = compile_source(Source("a.net", text))
    assert not made.report.failed, [found.message for found in made.report]
    return made


# -- numbers -------------------------------------------------------------------------------------------------


@needs_tensorflow
@pytest.mark.parametrize("factor", [2, 3])
def test_blocks_are_those_of_tensorflow(factor: int) -> None:
    import tensorflow as tf

    wide, deep = numbers(2, 6, 12, 5), numbers(2, 3, 4, 2 * factor**2)
    np.testing.assert_array_equal(computed("todepth", wide, factor=factor), tf.nn.space_to_depth(wide, factor))
    np.testing.assert_array_equal(computed("tospace", deep, factor=factor), tf.nn.depth_to_space(deep, factor))


@needs_tensorflow
@pytest.mark.parametrize("mode", ["reflect", "symmetric"])
def test_mirrored_pixels_are_those_of_tensorflow(mode: str) -> None:
    import tensorflow as tf

    x = numbers(2, 4, 5, 3)
    found = computed("pad", x, before=(3, 1), after=(0, 2), mode=mode)
    np.testing.assert_array_equal(found, tf.pad(x, [(0, 0), (3, 0), (1, 2), (0, 0)], mode))


@needs_tensorflow
@pytest.mark.parametrize("method", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("sizes", [(7, 5), (3, 31), (20, 9)])
def test_images_are_resized_as_tensorflow_does(method: str, sizes: tuple[int, int]) -> None:
    import tensorflow as tf

    x = numbers(2, 9, 10, 3)
    expected = tf.image.resize(x, sizes, method)
    np.testing.assert_allclose(computed("resize", x, extent=sizes, method=method), expected, rtol=1e-5, atol=1e-5)
    like = numbers(2, *sizes, 1)
    np.testing.assert_allclose(computed("resize", x, like, to=True, method=method), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("op", ["todepth", "tospace"])
def test_a_row_is_cut_into_blocks_as_an_image_of_one_column_would_be(op: str) -> None:
    x = numbers(2, 6, 8)
    assert computed(op, x, factor=2).shape == ((2, 3, 16) if op == "todepth" else (2, 12, 4))
    back = "tospace" if op == "todepth" else "todepth"
    np.testing.assert_array_equal(computed(back, computed(op, x, factor=2), factor=2), x)


def test_what_is_cropped_is_the_middle_unless_an_offset_is_given() -> None:
    x, like = numbers(1, 9, 8, 2), numbers(1, 4, 8, 1)
    np.testing.assert_array_equal(computed("crop", x, like, to=True), x[:, 2:6])
    np.testing.assert_array_equal(computed("crop", x, like, to=True, offset=(5, 0)), x[:, 5:9])


def test_an_l2_norm_is_one_and_a_gate_is_repeated() -> None:
    x = numbers(2, 3, 4, 5)
    np.testing.assert_allclose(np.sqrt((computed("l2norm", x) ** 2).sum(-1)), 1, rtol=1e-6)
    assert not computed("l2norm", x * 0).any()
    row, point = numbers(2, 3, 4, 1), numbers(2, 1, 1, 5)
    np.testing.assert_array_equal(computed("add", row, x, point), row + x + point)
    np.testing.assert_array_equal(computed("gap", x, over="channels")[..., 0], x.mean(-1))


# -- an option that names a tensor ---------------------------------------------------------------------------


def test_sizes_are_those_of_the_tensor_that_is_named() -> None:
    made = netc.loads(PYRAMID)
    net = made.program.net
    assert net.operands("resize1") == ("conv1", "c2")
    assert net.operands("crop1") == ("conv2", "c3")
    shown = {name: str(made.sizes.shapes[name][0]) for name in ("c2", "resize1", "c3", "crop1")}
    assert shown["resize1"] == shown["c2"] != shown["c3"] == shown["crop1"]
    for size in (5, 8, 21):
        assert made.sizes.fit(size, size + 3).works, size


def test_a_label_that_only_an_option_reads_is_used() -> None:
    codes = {found.code for found in program("input 9x9x3\na: conv 4x3\nconv 4x3/2\nresize to=a\n").report}
    assert "NET508" not in codes
    text = "input 9x9x3\na: conv 4x3\nconv 4x3/2\nresize to=a\n"
    (named,) = (one for one in index(parse_of(text)).named if one.kind == "label")
    assert [span.text for span in named.uses] == ["a"]


def parse_of(text: str) -> Any:
    from netc.diagnostics.model import Diagnostics
    from netc.limits import Limits

    return parse(Source("a.net", text), Limits(), Diagnostics())


def test_a_network_with_named_tensors_survives_as_text_and_as_a_graph() -> None:
    pytest.importorskip("networkx")
    made = netc.loads(PYRAMID)
    again = netc.from_graph(made.graph)
    assert "resize nearest to=c2" in again.text()
    assert again.program.net.operands("crop1") == ("conv2", "c3")


def test_emitted_code_hands_the_tensor_over() -> None:
    text = "def up(ch) with skip { conv (ch)x1; resize to=skip; add skip }\ninput 8x8x3\na: conv 4x3\nconv 4x3/2\nup 4 with a\n"
    code = netc.loads(text).source()
    assert "ResizingLike(" in code
    assert "([x, skip])" in code


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("param reflect = 2\ninput 8x8x3\npad reflect\n", (12, 12, 3)),  # as in the first edition
        ("input 8x8x3\npad 2 reflect\n", (12, 12, 3)),
        ("input 8x8x3\nrows: conv 3x3\nconv 4x3\nconcat rows\n", (8, 8, 7)),
        ("input 8x8x3\nover: conv 3x3\nconv 4x3\nconcat over\n", (8, 8, 7)),
    ],
)
def test_words_give_way_to_names(text: str, shape: tuple[int, ...]) -> None:
    net = program(text).net
    assert net.shapes[net.outputs[-1]] == shape
