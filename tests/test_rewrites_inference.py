"""What a network that is only run can do without: each rewrite where it fires, where it must not, and that outputs stay."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as drawn

from netc.compiler import compile_source
from netc.ir.net import Net
from netc.ir.weights import random_weights
from netc.rewrites.inference import (
    REWRITES,
    Rewrite,
    computed_once,
    convolved_shortcuts,
    rewritten,
    sampled_less,
    without_idle,
    without_unread,
)
from netc.syntax.source import Source
from tests.effort import unshrunk
from tests.one_layer import difference
from tests.random_networks import compiled, networks

np = pytest.importorskip("numpy")
from netc.targets.noise import noise  # noqa: E402 - imports NumPy
from netc.targets.numpy.run import run  # noqa: E402


def net_of(text: str) -> Net:
    made = compile_source(Source("a.net", text))
    assert not made.report.failed, [found.message for found in made.report]
    return made.net


def left(rewrite: Rewrite, text: str) -> list[str]:
    """The operations after a rewrite, the input aside, once outputs are seen to be the same."""
    net = net_of(text)
    weights = random_weights(net, 1)
    made, kept = rewrite(net, weights)
    inputs = noise(net, 2, 0)
    before, after = run(net, weights, inputs), run(made, kept, inputs)
    assert before.keys() == after.keys()
    assert all(difference(after[name], before[name]) < 1e-6 for name in before)
    assert made.outputs == net.outputs
    return [node.layer.op for node in made if not node.layer.is_input]


CASES: list[tuple[Rewrite, str, list[str]]] = [
    (without_idle, "conv 4x3; dropout; noise 0.1; droppath 0.2; linear; relu", ["conv", "relu"]),
    (without_idle, "pad 0; upsample 1; relu", ["relu"]),
    (without_idle, "conv 4x3; dropout", ["conv", "dropout"]),  # an output keeps its name
    (without_idle, "pad 1; upsample 2; relu", ["pad", "upsample", "relu"]),
    (computed_once, "add { | relu; tanh | relu; tanh; abs }", ["relu", "tanh", "abs", "add"]),
    (computed_once, "a: relu\nb: tanh\nmax { | add a b | add b a; abs }", ["relu", "tanh", "add", "abs", "max"]),
    (computed_once, "a: relu\nb: tanh\nmax { | sub { | from a | from b } | sub { | from b | from a } }", ["relu", "tanh", "sub", "sub", "max"]),
    (computed_once, "add { | conv 4x3 | conv 4x3 }", ["conv", "conv", "add"]),  # weights of their own
    (computed_once, "a: relu\nb: relu\nc: relu\noutput a c", ["relu", "relu", "relu"]),
    (sampled_less, "conv 4x1; subsample 2; relu", ["conv", "relu"]),
    (sampled_less, "conv 4x3 valid; subsample 2; relu", ["conv", "relu"]),
    (sampled_less, "conv 4x3/2 pad=1 tanh; subsample 2x1; relu", ["conv", "relu"]),
    (sampled_less, "conv 4x3 same; subsample 2; relu", ["conv", "relu"]),  # one zero on each side
    (sampled_less, "pool 3/1; subsample 3; relu", ["pool", "relu"]),
    (sampled_less, "avgpool 2/1 valid; subsample 2; subsample 2; relu", ["avgpool", "relu"]),
    (sampled_less, "subsample 2; subsample 1x2; relu", ["subsample", "relu"]),
    (sampled_less, "conv 4x4 same; subsample 2; relu", ["conv", "subsample", "relu"]),  # an odd zero after
    (sampled_less, "avgpool 3/1 same; subsample 2; relu", ["avgpool", "subsample", "relu"]),  # zeros would count
    (sampled_less, "conv 4x3 dilation=2; subsample 2; relu", ["conv", "subsample", "relu"]),
    (sampled_less, "dwconv 3; subsample 1x2; relu", ["dwconv", "subsample", "relu"]),
    (sampled_less, "a: conv 4x1\nconcat { | subsample 2 | from a; pool 2 }", ["conv", "subsample", "pool", "concat"]),
    (sampled_less, "a: conv 4x1\nsubsample 2; b: relu\noutput a b", ["conv", "subsample", "relu"]),
    (sampled_less, "deconv 4x3/2; subsample 2; relu", ["deconv", "subsample", "relu"]),
    (convolved_shortcuts, "subsample 2; padchannels 8; relu", ["conv", "relu"]),
    (convolved_shortcuts, "subsample 2x3; padchannels 7 after", ["conv"]),  # an output keeps its name
    (convolved_shortcuts, "add { | subsample 2; padchannels 8 | conv 8x1/2 }; relu", ["conv", "conv", "add", "relu"]),
    (convolved_shortcuts, "a: subsample 2\nconcat { | padchannels 8 | from a }", ["subsample", "padchannels", "concat"]),
    (convolved_shortcuts, "a: subsample 2\npadchannels 8; b: relu\noutput a b", ["subsample", "padchannels", "relu"]),
    (convolved_shortcuts, "subsample 2; relu; padchannels 8", ["subsample", "relu", "padchannels"]),
    (convolved_shortcuts, "padchannels 8; subsample 2", ["padchannels", "subsample"]),
    (convolved_shortcuts, "padchannels 8", ["padchannels"]),
]  # fmt: skip


@pytest.mark.parametrize(("rewrite", "text", "expected"), CASES, ids=lambda part: getattr(part, "__name__", str(part)))
def test_a_rewrite_fires_where_it_may(rewrite: Rewrite, text: str, expected: list[str]) -> None:
    assert left(rewrite, "input 8x9x4\n" + text) == expected


def test_same_of_an_open_size_is_left() -> None:
    assert left(sampled_less, "input ?x?x4\nconv 4x3; subsample 2; relu") == ["conv", "subsample", "relu"]
    assert left(sampled_less, "input ?x?x4\nconv 4x1; subsample 2; relu") == ["conv", "relu"]


def test_layers_that_share_weights_are_computed_once_of_one_input() -> None:
    text = "shared def tower() { conv 4x3 }\ninput 8x8x4\nadd { | tower | tower; relu }"
    assert left(computed_once, text) == ["conv", "relu", "add"]


def test_what_nothing_reads_goes_with_its_weights() -> None:
    net = net_of("input 8\na: fc 4\nb: fc 3\noutput b")
    net.outputs = ["a"]
    made, weights = without_unread(net, random_weights(net, 0))
    assert [node.name for node in made] == ["input1", "a"]
    assert {name for name, _ in weights} == {"a"}


def test_each_rewrite_has_a_case() -> None:
    assert {rewrite for rewrite, _, _ in CASES} | {without_unread} == {*REWRITES, convolved_shortcuts}


def test_shortcuts_of_images_alone_are_convolved() -> None:
    for shape in ("9x4", "5x6x7x4"):
        assert left(convolved_shortcuts, f"input {shape}\nsubsample 2; padchannels 8") == ["subsample", "padchannels"]


def test_shared_shortcuts_are_convolved_each() -> None:
    text = "shared def tower() { subsample 2; padchannels 8; relu }\na: input 8x8x4\ntower\nx: gap\nb: input 8x8x4\ntower; gap\nadd x"
    assert left(convolved_shortcuts, text) == ["conv", "relu", "gap", "conv", "relu", "gap", "add"]


SHORTCUT = "\nsubsample 1x2; padchannels (channels + 2); relu"


@pytest.mark.parametrize(("more", "rewrites"), [("", REWRITES), (SHORTCUT, (*REWRITES, convolved_shortcuts))])
@unshrunk(60)
@drawn(text=networks())
def test_outputs_of_random_networks_stay(text: str, more: str, rewrites: tuple[Rewrite, ...]) -> None:
    made = compiled(text + more) or compiled(text)
    assert made is not None
    net: Any = made.net
    weights, inputs = random_weights(net, 1), noise(net, 2, 0)
    with np.errstate(all="ignore"):
        before, after = run(net, weights, inputs), run(*rewritten(net, weights, rewrites), inputs)
    for name, output in before.items():
        assert not np.isfinite(output).all() or difference(after[name], output) < 1e-5, name
