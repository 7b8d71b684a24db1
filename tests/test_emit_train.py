"""The emitted `train`: the same meaning as the `train` section, tried on real digits."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from netc.compiler import compile_source
from netc.sections.losses import LOSSES
from netc.sections.optimizers import OPTIMIZERS
from netc.syntax.source import Source
from netc.targets.keras.source import emit
from netc.values import Value
from tests.sections_samples import classes

pytest.importorskip("keras")
import keras
import numpy as np

from netc.targets.keras.verify import verify

HEAD = "net digits\ninput 8x8x1\n"
BODY = "conv 16x3 bn relu; conv 32x3/2 bn relu; gap\nfc 10 softmax\n"
LOSS = "loss categorical_crossentropy; "


def module(text: str, flat: bool = False, **parameters: Value) -> dict[str, Any]:
    """The emitted module, run."""
    program = compile_source(Source("digits.net", text), parameters, speculate=not flat)
    assert not program.report.failed, [found.message for found in program.report]
    made: dict[str, Any] = {"__name__": "emitted"}
    exec(emit(program, flat=flat), made)
    return made


@pytest.fixture(scope="module")
def digits() -> tuple[Any, ...]:
    """Images and one-hot labels, 1,500 to train on and 297 to validate."""
    from sklearn.datasets import load_digits

    found = load_digits()
    images, labels = (found.images[..., None] / 16).astype("float32"), keras.utils.to_categorical(found.target, 10)
    return (images[:1500], labels[:1500]), (images[1500:], labels[1500:])


# -- what compile and fit are given ---------------------------------------------------------------------------

ENDS = {"one_hot": "softmax", "integer": "softmax", "binary": "sigmoid", "real": "", "group": "", "none": ""}
LINES = (
    *(f"{LOSS}{cls.example}; weight_decay 1e-4 decoupled" for cls in classes(OPTIMIZERS) if not cls.decays),
    *(f"{LOSS}{cls.example}" for cls in classes(OPTIMIZERS) if cls.decays),
    f"{LOSS}optimizer sgd; schedule warmup steps=40; schedule cosine end=0.01; clip norm=5; ema 0.9; accumulate 4",
    f"{LOSS}optimizer sgd; schedule warmup steps=40 lr=0.01 constant; schedule milestones 3 6 epochs; steps 64000",
    f"{LOSS}optimizer sgd; schedule step every=3 factor=0.5 epochs; clip value=0.5; precision float16",
    f"{LOSS}optimizer sgd; schedule plateau patience=3; early_stopping patience=5 best; metrics accuracy topk=2 auc",
    f"{LOSS}optimizer sgd; validate every=2 epochs; checkpoint every=2 epochs keep=3; class_weights balanced; seed 5",
    f"{LOSS}optimizer sgd; freeze before=gap1; weight_decay 1e-4; precision bfloat16; epochs 3",
    f'{LOSS}optimizer sgd; restore "start.weights.h5"; skip fc1; epochs 1',
)


@pytest.fixture(scope="module")
def runner() -> Iterator[Any]:
    from netc.targets.keras.runner import Runner

    with Runner() as running:
        yield running


def verified(text: str, runner: Any, change: tuple[str, str] = ("", "")) -> list[str]:
    program = compile_source(Source("digits.net", text), speculate=True)
    assert not program.report.failed, [found.message for found in program.report]
    emitted = emit(program)
    assert change[0] in emitted
    keras.backend.clear_session()
    return verify(program, emitted.replace(*change), runner=runner).differences


@pytest.mark.parametrize("lines", LINES)
def test_training_is_that_of_the_section(lines: str, runner: Any) -> None:
    assert verified(f"{HEAD}{BODY}train {{ {lines} }}", runner) == []


def test_last_digits_of_what_is_computed_are_no_difference(runner: Any) -> None:
    lines = "optimizer momentum lr=rate; schedule milestones 32000 factor=0.1"  # 0.1 * 0.1 has some
    assert verified(f"param rate = 0.1\n{HEAD}{BODY}train {{ {LOSS} {lines} }}", runner) == []


@pytest.mark.parametrize("loss", classes(LOSSES), ids=lambda loss: loss.name)
def test_losses_are_those_of_the_section(loss: Any, runner: Any) -> None:
    logits = loss.name in ("softmax_categorical_crossentropy", "weighted_crossentropy")
    act = "" if logits else ENDS[loss.labels] if loss.activations[:1] != ("linear",) else ""
    units = 1 if loss.name == "contrastive" else 10
    text = f"{HEAD}gap; fc {units} {act}\ntrain {{ {loss.example}; optimizer adam }}"
    assert verified(text, runner) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("learning_rate=0.001", "learning_rate=0.002"), "optimizer"),
        (("CategoricalCrossentropy()", "CategoricalCrossentropy(label_smoothing=0.1)"), "loss"),
        (('CategoricalAccuracy(name="accuracy")', "AUC()"), "metrics"),
        (("patience=5", "patience=6"), "callbacks"),
        (("epochs=7", "epochs=8"), "epochs"),
        (("def train(", "def fit_it("), "no `train`"),
        (('"kernel" not in', '"bias" in'), "decayed"),
    ],
)
def test_other_training_is_found(change: tuple[str, str], told: str, runner: Any) -> None:
    lines = "optimizer momentum; early_stopping patience=5; epochs 7; weight_decay 1e-4 decoupled"
    found = verified(f"{HEAD}{BODY}train {{ {LOSS}{lines} }}", runner, change)
    assert len(found) == 1
    assert told in found[0]


# -- digits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("flat", [False, True], ids=["structured", "flat"])
def test_digits_are_learnt(flat: bool, digits: tuple[Any, ...]) -> None:
    text = f"{HEAD}{BODY}train {{ {LOSS} optimizer adam lr=0.01; schedule cosine; batch 50; epochs 12; seed 3 }}"
    model = module(text, flat)["train"](*digits)
    assert model.history.history["val_accuracy"][-1] > 0.9
    assert model.optimizer.learning_rate.numpy() == pytest.approx(
        0, abs=1e-6
    )  # after 360 steps: the clock is the data's


def test_a_data_set_trains_as_arrays_do(digits: tuple[Any, ...]) -> None:
    import tensorflow as tf

    text = f"{HEAD}{BODY}train {{ {LOSS} optimizer sgd lr=0.1; batch 100; epochs 1 }}\ndata {{ shuffle false }}"
    train = module(text)["train"]
    one = train(digits[0])
    other = train(tf.data.Dataset.from_tensor_slices(digits[0]).batch(100))
    for left, right in zip(one.get_weights(), other.get_weights(), strict=True):
        assert left == pytest.approx(right, abs=1e-5)


def test_the_decay_is_in_the_loss(digits: tuple[Any, ...]) -> None:
    model = module(f"{HEAD}{BODY}train {{ {LOSS} optimizer sgd; weight_decay 0.5; epochs 1 }}")["build_model"]()
    expected = sum(
        0.25 * float((layer.kernel.numpy() ** 2).sum()) for layer in model.layers if hasattr(layer, "kernel")
    )
    assert float(sum(model.losses)) == pytest.approx(expected, rel=1e-5)


def test_a_decoupled_decay_leaves_all_but_kernels_alone(digits: tuple[Any, ...]) -> None:
    train = module(f"{HEAD}{BODY}train {{ {LOSS} optimizer sgd lr=0.1; weight_decay 0.1 decoupled }}")["train"]
    optimizer = train(digits[0], epochs=1).optimizer
    decayed = {v.name for v in optimizer._trainable_variables if optimizer._use_weight_decay(v)}
    assert optimizer.weight_decay == 0.1
    assert decayed == {"kernel"}


def test_length_in_steps_checkpoints_and_validation(digits: tuple[Any, ...], tmp_path: Path) -> None:
    lines = "steps 25; batch 150; validate every=5; checkpoint every=4 keep=2 best; early_stopping patience=9 best"
    train = module(f"{HEAD}{BODY}train {{ {LOSS} optimizer adam lr=0.01; {lines} }}")["train"]
    model = train(*digits, folder=str(tmp_path / "kept"))
    assert int(model.optimizer.iterations) == 30  # three epochs of ten steps
    saved = sorted(path.name for path in (tmp_path / "kept").iterdir() if path.suffix == ".keras")
    assert saved[0] == "best.keras"
    assert saved[1:3] == ["epoch-0001-step-00004.keras", "epoch-0001-step-00008.keras"]
    assert len(saved) == 1 + 30 // 4
    assert "val_loss" in model.history.history
    with pytest.raises(ValueError, match="val_loss is watched"):
        train(digits[0])


def test_frozen_and_restored_layers(digits: tuple[Any, ...], tmp_path: Path) -> None:
    build = module(HEAD + BODY)["build_model"]
    for name in ("a.keras", "a.weights.h5", "a.h5"):
        saved, path = build(), str(tmp_path / name)
        saved.save_weights(path) if name == "a.weights.h5" else saved.save(path)
        lines = f'optimizer sgd; restore "{path}"; skip fc1; freeze before=gap1; epochs 1'
        model = module(f"{HEAD}{BODY}train {{ {LOSS} {lines} }}")["train"](digits[0])
        for layer in model.layers:
            same = [
                np.array_equal(a, b)
                for a, b in zip(layer.get_weights(), saved.get_layer(layer.name).get_weights(), strict=True)
            ]
            assert not any(same) if layer.name == "fc1" else all(same), layer.name


@pytest.mark.parametrize("number", ["bfloat16", "float16"])
def test_precision_is_that_of_the_model_but_for_what_losses_and_metrics_see(
    digits: tuple[Any, ...], number: str
) -> None:
    metrics = "metrics accuracy topk=2 precision recall f1 auc mean_iou mse"
    train = module(f"{HEAD}{BODY}train {{ {LOSS} optimizer sgd; precision {number}; epochs 1; {metrics} }}")["train"]
    model = train(digits[0])
    assert model.get_layer("conv1").compute_dtype == number
    assert model(digits[0][0][:2]).dtype == "float32"
    assert {"top2", "auc", "mean_iou"} <= set(model.history.history)
    assert keras.mixed_precision.dtype_policy().name == "float32"


def test_parameters_may_be_called_as_the_variables_of_train(digits: tuple[Any, ...]) -> None:
    names = ("data", "validation", "policy", "images", "labels", "model", "optimizer", "epochs", "batch_size", "seed")
    text = (
        "".join(f"param {name} = 2\n" for name in names)
        + f"{HEAD}conv ({'+'.join(names)})x3 relu; gap; fc 10 softmax\n"
    )
    lines = "optimizer adam lr=0.01; schedule cosine; epochs 1; precision bfloat16; freeze fc1"
    model = module(f"{text}train {{ {LOSS} {lines} }}")["train"](digits[0])
    assert model.get_layer("conv1").filters == 2 * len(names)


def test_what_a_section_says_cannot_become_code() -> None:
    evil = """x') + __import__('os').system('true') #"""
    text = f'{HEAD}{BODY}data "{evil}" {{ center }}\ntrain {{ {LOSS} optimizer sgd; restore "{evil}.keras" }}'
    tree = ast.parse(emit(compile_source(Source("digits.net", text), speculate=True)))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id == "__import__"]
    assert [node for node in ast.walk(tree) if isinstance(node, ast.Constant) and node.value == f"{evil}.keras"]


def test_classes_weigh(digits: tuple[Any, ...]) -> None:
    made = module(f"{HEAD}{BODY}train {{ {LOSS} optimizer sgd; class_weights balanced; epochs 1 }}")
    with pytest.raises(TypeError, match="class_weight"):
        made["train"](digits[0])
    none = made["train"](digits[0], class_weight=dict.fromkeys(range(10), 0.0))
    assert none.history.history["loss"] == [0.0]


def test_parameters_of_the_file_are_arguments(digits: tuple[Any, ...]) -> None:
    text = (
        f"param lr = 0.1\nparam ch = 4\nparam long = false\nparam first = 20\n{HEAD}conv (ch)x3 relu; gap\nfc 10 softmax\n"
        f"train {{ {LOSS} optimizer momentum lr=(lr); schedule milestones (first) (2*first); epochs 1\n"
        "if long { ema 0.9 } }"
    )
    made = module(text)
    assert made["build_model"].__code__.co_varnames[: made["build_model"].__code__.co_argcount] == ("ch",)
    model = made["train"](digits[0], lr=0.2, ch=6, first=5)
    assert model.get_layer("conv1").filters == 6
    rate = model.optimizer._learning_rate
    assert rate.boundaries == (5, 10)
    assert rate.values == pytest.approx([0.2, 0.02, 0.002])
    with pytest.raises(ValueError, match="long=false"):
        made["train"](digits[0], long=True)


def test_several_outputs(digits: tuple[Any, ...]) -> None:
    text = (
        f"{HEAD}stem: conv 8x3 relu; gap\nmain: fc 10 softmax\nfrom stem; gap\naux: fc 10 softmax\noutput main aux\n"
        f"train {{ {LOSS} loss categorical_crossentropy of=aux weight=0.3; optimizer adam; metric topk k=2 of=aux; epochs 1 }}"
    )
    images, labels = digits[0]
    logs = module(text)["train"]((images, (labels, labels))).history.history
    assert logs["loss"][0] == pytest.approx(logs["main_loss"][0] + 0.3 * logs["aux_loss"][0], rel=1e-2)
    assert "aux_top2" in logs
