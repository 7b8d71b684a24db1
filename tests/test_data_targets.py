"""Targets of every form against losses and outputs of every shape: refused with a place, or a loss that means something."""

from __future__ import annotations

from typing import Any

import pytest

from netc.compiler import compile_source
from netc.data import DataError, prepare
from netc.syntax.source import Source

np = pytest.importorskip("numpy")
keras = pytest.importorskip("keras")

N = 12
ENDS = {"1": "gap; fc 1", "10": "gap; fc 10", "4x4x1": "conv 1x1", "4x4x3": "conv 3x1"}
LOSSES = {  # one for each form in which losses take labels
    "categorical_crossentropy": ("softmax", lambda loss, y, p: loss.CategoricalCrossentropy()(y, p)),
    "sparse_categorical_crossentropy": ("softmax", lambda loss, y, p: loss.SparseCategoricalCrossentropy()(y, p)),
    "binary_crossentropy": ("sigmoid", lambda loss, y, p: loss.BinaryCrossentropy()(y, p)),
    "mse": ("", lambda loss, y, p: loss.MeanSquaredError()(y, p)),
}


def program(end: str, loss: str) -> Any:
    text = f"input 4x4x2\n{ENDS[end]} {LOSSES[loss][0]}\ndata\ntrain {{ loss {loss}; optimizer sgd }}"
    return compile_source(Source("<test>", text))


def forms() -> dict[str, Any]:
    draw, classes = np.random.default_rng(0), np.arange(N) % 10
    masks = draw.integers(0, 2, (N, 4, 4))
    return {
        "classes": classes,
        "classes in a column": classes[:, None],
        "two classes": classes % 2,
        "too many classes": np.arange(N),
        "classes as real numbers": classes.astype(np.float32),
        "minus and plus": classes % 2 * 2 - 1,
        "real minus and plus": (classes % 2 * 2.0 - 1)[:, None],
        "truth": classes % 2 == 0,
        "real": draw.random(N),
        "not a number": np.full(N, np.nan),
        "names": np.array([f"class{number}" for number in classes]),
        "objects": np.array([None] * N, object),
        "one hot": np.eye(10, dtype=np.int8)[classes],
        "shares": draw.dirichlet(np.ones(10), N),
        "several right": draw.random((N, 10)) > 0.5,
        "none right": np.zeros((N, 10), np.float32),
        "any": draw.normal(size=(N, 10)),
        "not numbers": np.full((N, 10), np.nan),
        "too long": draw.random((N, 17)),
        "masks": masks,
        "masks as bytes": (masks[..., None] * 255).astype(np.uint8),
        "masks of truth": masks[..., None] == 1,
        "classes of pixels": draw.integers(0, 3, (N, 4, 4)),
        "other classes of pixels": draw.integers(0, 9, (N, 4, 4)),
        "pictures": draw.random((N, 4, 4, 3)),
    }


# What each end takes; everything else is refused.
TAKEN = {
    ("10", "categorical_crossentropy"): {"classes", "classes in a column", "one hot", "shares"},
    ("10", "sparse_categorical_crossentropy"): {"classes", "classes in a column", "one hot"},
    ("10", "binary_crossentropy"): {
        *("classes", "classes in a column", "one hot", "shares", "several right", "none right")
    },
    ("10", "mse"): {
        *("classes", "classes in a column", "one hot", "shares", "several right", "none right", "any"),
    },
    ("1", "binary_crossentropy"): {"two classes", "truth", "real"},
    ("1", "mse"): {
        *("classes", "classes in a column", "two classes", "too many classes", "classes as real numbers"),
        *("real minus and plus", "truth", "real"),
    },
    ("4x4x3", "categorical_crossentropy"): {"masks", "masks of truth", "classes of pixels"},
    ("4x4x3", "sparse_categorical_crossentropy"): {"masks", "masks of truth", "classes of pixels"},
    ("4x4x3", "binary_crossentropy"): {"pictures"},
    ("4x4x3", "mse"): {"pictures"},
    ("4x4x1", "binary_crossentropy"): {"masks", "masks of truth"},
    ("4x4x1", "mse"): {
        *("masks", "masks as bytes", "masks of truth", "classes of pixels", "other classes of pixels"),
    },
}


@pytest.mark.parametrize(("end", "loss"), TAKEN)
def test_targets_are_taken_or_refused(end: str, loss: str) -> None:
    images = np.random.default_rng(1).random((N, 4, 4, 2), np.float32)
    taken, said = set(), []
    for name, targets in forms().items():
        checked = program(end, loss)
        try:
            found = prepare(checked, source=(images, targets), seed=0, batch=N)
        except DataError as error:
            said.append(error.diagnostics[0])
            continue
        taken.add(name)
        (_, labels), *_ = found.train.batches()
        shape = checked.net.shapes[checked.net.outputs[0]]
        predicted = np.full((N, *shape), 1 / shape[-1] if shape[-1] > 1 else 0.5, np.float32)
        assert labels.shape == (N, *(shape[:-1] if loss.startswith("sparse") else shape)), name
        assert 0 <= float(LOSSES[loss][1](keras.losses, labels, predicted)) < 1e5, name
    assert taken == TAKEN[end, loss]
    assert {one.code for one in said} <= {"NET405", "NET406"}
    assert all(one.span is not None for one in said)


@pytest.mark.parametrize("loss", ["categorical_crossentropy", "sparse_categorical_crossentropy"])
@pytest.mark.parametrize("end", ["1", "4x4x1"])
def test_one_output_is_no_classes(end: str, loss: str) -> None:
    (found,) = [one for one in program(end, loss).report if one.severity.name == "ERROR"]
    assert (found.code, "one for each class" in found.message) == ("NET405", True)


@pytest.mark.parametrize(
    ("loss", "name", "help"),
    [
        ("categorical_crossentropy", "several right", "binary_crossentropy"),
        ("sparse_categorical_crossentropy", "shares", "`categorical_crossentropy` takes shares"),
        ("categorical_crossentropy", "classes as real numbers", "labels.astype(int)"),
        ("binary_crossentropy", "any", "divided by 255"),
        ("mse", "names", "number the classes from 0"),
        ("mse", "minus and plus", "astype('float32')"),
    ],
)
def test_what_is_refused_can_be_mended(loss: str, name: str, help: str) -> None:
    images = np.random.default_rng(1).random((N, 4, 4, 2), np.float32)
    with pytest.raises(DataError) as error:
        prepare(program("10", loss), source=(images, forms()[name]), seed=0, batch=N)
    assert help in str(error.value)
