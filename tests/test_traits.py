"""Traits of operations, found out by running them: what a class says and what Keras does are compared both ways."""

from __future__ import annotations

import re
from typing import Any

import pytest

from netc.compiler import compile_source
from netc.layers import LAYERS
from netc.layers.activation import Activation
from netc.layers.base import Layer
from netc.params import declared
from netc.syntax.source import Source
from tests.layer_samples import LINE, OPERATIONS, PLANE, SAMPLES, Sample

np = pytest.importorskip("numpy")
pytest.importorskip("keras")
from tests.test_layers_keras import build, forward, numbers  # noqa: E402 - imports Keras

KNOWN = [
    sample
    for sample in SAMPLES
    if sample.inputs and not sample.layer.ids and not any(None in shape for shape in sample.inputs)
]
CLASSES = [cls for cls in OPERATIONS if cls.op != "input" and not cls.ids]
CONSTANTS = (-128.0, -1.0, -0.125, 0.125, 1.0, 128.0)  # whose means are exact


def samples(cls: type[Layer]) -> list[Sample]:
    return [sample for sample in KNOWN if type(sample.layer) is cls]


class Running:
    """A sample as a function of its operands."""

    def __init__(self, sample: Sample) -> None:
        self.sample = sample
        self._model = forward(sample.layer, build(sample.layer, sample.inputs))

    def __call__(self, operands: list[Any], training: bool = False) -> Any:
        given = operands if len(operands) > 1 else operands[0]
        return np.asarray(self._model(given, training=training))

    def random(self) -> list[Any]:
        return [numbers(shape, seed) for seed, shape in enumerate(self.sample.inputs)]

    def constant(self, value: float) -> list[Any]:
        return [np.full((2, *shape), value, "float32") for shape in self.sample.inputs]


def within(output: Any, operands: list[Any]) -> bool:
    """Whether all values lie between the least and the largest of the operands, or zero."""
    low, high = min(0, *(x.min() for x in operands)), max(0, *(x.max() for x in operands))
    slack = 1e-5 * max(-low, high)
    return bool(output.min() >= low - slack and output.max() <= high + slack)


def passes_values_on(run: Running) -> bool:
    """Whether outputs are zeros and means of inputs: constants come out as they are, nothing leaves the range."""
    for constant in CONSTANTS:
        operands = run.constant(constant)
        output = run(operands)
        if not within(output, operands) or not np.isclose(output, constant, rtol=2e-6, atol=0).any():
            return False
    operands = run.random()
    return within(run(operands), operands)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.op)
def test_transparent(cls: type[Layer]) -> None:
    for said in (True, False):
        alike = [sample for sample in samples(cls) if sample.layer.transparent == said]
        assert not alike or said == all(passes_values_on(Running(sample)) for sample in alike)


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls.operands[0] > 1], ids=lambda cls: cls.op)
def test_sums(cls: type[Layer]) -> None:
    """What is added to one operand is added, times a number, to all of the output."""

    def found(run: Running) -> bool:
        x = run.random()
        for number in range(len(x)):
            more = [run([one + step * (n == number) for n, one in enumerate(x)]) - run(x) for step in (-256, 256)]
            if not np.allclose(more[0], -more[1], atol=1e-3) or not np.ptp(more[0]) < 1e-3 < abs(more[0]).min():
                return False
        return True

    assert cls.sums == all(found(Running(sample)) for sample in samples(cls))


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls.operands[0] > 1], ids=lambda cls: cls.op)
def test_stacks(cls: type[Layer]) -> None:
    def found(run: Running) -> bool:
        x = run.random()
        whole = np.concatenate(x, axis=-1) if len({one.shape[:-1] for one in x}) == 1 else None
        return np.array_equal(run(x), whole)

    for sample in samples(cls):
        assert sample.layer.stacks == found(Running(sample)), sample


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.op)
def test_train_only(cls: type[Layer]) -> None:
    def found(run: Running) -> bool:
        x = run.random()
        return np.array_equal(run(x), x[0]) and not np.array_equal(run(x, training=True), x[0])

    assert cls.train_only == all(found(Running(sample)) for sample in samples(cls))


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls.operands[0] > 1], ids=lambda cls: cls.op)
def test_commutative(cls: type[Layer]) -> None:
    def found(run: Running) -> bool:
        x = run.random()
        return np.array_equal(run(x), run(x[::-1]))

    assert cls.commutative == all(found(Running(sample)) for sample in samples(cls) if len(set(sample.inputs)) == 1)


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls.operands == (1, 1)], ids=lambda cls: cls.op)
def test_removes_bias(cls: type[Layer]) -> None:
    """What is the same for all positions of a channel is lost in batches."""

    def found(run: Running) -> bool:
        (x,) = run.random()
        shifted = x + np.linspace(1, 2, x.shape[-1], dtype="float32")
        return np.allclose(run([x], training=True), run([shifted], training=True), atol=1e-3)

    assert cls.removes_bias == all(found(Running(sample)) for sample in samples(cls))


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if issubclass(cls, Activation)], ids=lambda cls: cls.op)
def test_across(cls: type[Activation]) -> None:
    if cls.op == "glu":  # halves the channels
        return
    run = Running(Sample(cls(), ((5, 5, 1),)))
    assert cls.across == (np.ptp(run(run.random())) < 1e-6)


IDLE = [
    *(Sample(LAYERS[op](rate=0), (PLANE,)) for op in ("dropout", "spatialdropout", "droppath")),
    Sample(LAYERS["noise"](std=0), (PLANE,)),
    *(Sample(LAYERS[op](kernel=(1, 1), pad=pad), (PLANE,)) for op in ("pool", "avgpool") for pad in ("same", (0, 0))),
    *(Sample(LAYERS[op](kernel=(2, 2), stride=(1, 1)), (PLANE,)) for op in ("pool", "avgpool")),
    *(Sample(LAYERS[op](by=(0, 0)), (PLANE,)) for op in ("pad", "crop")),
    *(Sample(LAYERS[op](by=(1, 1), before=(0, 0), after=0), (PLANE,)) for op in ("pad", "crop")),
    *(Sample(LAYERS[op](by=(0, 0), after=(0, 1)), (PLANE,)) for op in ("pad", "crop")),
    *(Sample(LAYERS[op](factor=(1, 1)), (PLANE,)) for op in ("subsample", "upsample")),
    Sample(LAYERS["reshape"](shape=PLANE), (PLANE,)),
    Sample(LAYERS["padchannels"](total=PLANE[-1]), (PLANE,)),
    *(Sample(LAYERS["shuffle"](groups=groups), (PLANE,)) for groups in (1, 2, PLANE[-1])),
    Sample(LAYERS["part"](index=1, of=1), (PLANE,)),
    Sample(LAYERS["flatten"](), (LINE,)),
    Sample(LAYERS["rescale"](factor=1), (PLANE,)),
    *(Sample(LAYERS["resize"](extent=PLANE[:2], method=method), (PLANE,)) for method in ("bilinear", "bicubic")),
    *(Sample(LAYERS[op](factor=1), (PLANE,)) for op in ("todepth", "tospace")),
    Sample(LAYERS["swap"](), ((1, 1),)),
    *(Sample(LAYERS[op](over="channels"), ((9, 10, 1),)) for op in ("gap", "gmp")),
]


@pytest.mark.parametrize("sample", [*KNOWN, *IDLE], ids=str)
def test_does_nothing(sample: Sample) -> None:
    run = Running(sample)
    x = run.random()
    same = len(x) == 1 and np.array_equal(run(x), x[0]) and np.array_equal(run(x, training=True), x[0])
    assert sample.layer.does_nothing(sample.inputs) == same


def test_there_are_idle_ones_of_each_class_that_can_be() -> None:
    able = {cls for cls in CLASSES if cls.does_nothing is not Layer.does_nothing}
    assert able == {type(s.layer) for s in [*KNOWN, *IDLE] if s.layer.does_nothing(s.inputs)}


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.op)
def test_a_class_with_a_kernel_slides(cls: type[Layer]) -> None:
    assert cls.slides or "kernel" not in declared(cls)


# -- endings -------------------------------------------------------------------------------------------------


def codes(*lines: str) -> set[str]:
    text = "\n".join(("input 32x32x16", *lines, "train {", "    loss categorical_crossentropy", "    epochs 1", "}"))
    return {found.code for found in compile_source(Source("sample.net", text)).report}


def after(cls: type[Layer], before: str) -> list[str]:
    """The operation, as its example writes it, on the result of a statement or of two."""
    if cls.operands[0] > 1:
        return [f"{cls.op} {{", f"| {before}", f"| {before}", "}"]
    written = re.search(rf"(?m)(?:reshape [^;\n]*; )?\b{cls.op}\b[^;\n}}]*", cls.example)
    assert written is not None
    return [before, written[0]]


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls.transparent], ids=lambda cls: cls.op)
def test_an_ending_is_seen_through_what_passes_values_on(cls: type[Layer]) -> None:
    """A linear output escapes in no disguise, and a softmax is none the worse for one."""
    assert "NET404" in codes(*after(cls, "conv 16x3"))
    assert "NET404" in codes(*after(cls, "conv 16x3; bn"))
    assert "NET404" in codes(*after(cls, "conv 16x3 relu"))
    assert "NET404" not in codes(*after(cls, "conv 16x3 softmax"))
    assert "NET404" not in codes(*after(cls, "conv 16x3; softmax"))


@pytest.mark.parametrize("cls", [cls for cls in CLASSES if cls.operands == (1, 1)], ids=lambda cls: cls.op)
def test_what_leaves_the_range_of_probabilities_says_how_it_ends(cls: type[Layer]) -> None:
    for sample in samples(cls):
        run = Running(sample)
        output = run([1 / (1 + np.exp(-x)) for x in run.random()])
        inside = (output >= 0).all() and (output <= 1 + 1e-6).all()
        assert inside or sample.layer.transparent or sample.layer.ending is not None, sample


def test_branches_that_end_differently_say_nothing() -> None:
    assert "NET404" not in codes("concat {", "| conv 8x3 softmax", "| conv 8x3", "}")
    assert "NET404" not in codes("max {", "| conv 8x3 softmax", "| conv 8x3", "}")


@pytest.mark.parametrize("op", [cls.op for cls in CLASSES if cls.sums])
def test_a_sum_can_be_any_number_where_one_of_its_parts_can(op: str) -> None:
    for linear in ("conv 8x3", "conv 8x3; bn", "add { | conv 8x3 | conv 8x3 relu }; dropout 0.1"):
        assert "NET404" in codes(f"{op} {{", "| conv 8x3 softmax", f"| {linear}", "}")
    assert "NET404" not in codes(f"{op} {{", "| conv 8x3 softmax", "| conv 8x3 softmax", "}")
    assert "NET404" not in codes("add {", "| conv 8x3 softmax", "| conv 8x3 softmax", "}", "conv 8x1 softmax")
