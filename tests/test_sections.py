"""The sections: conventions over their registries, resolution, and what `train` lowers to."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from netc.compiler import compile_source
from netc.params import REQUIRED, Refused, declared
from netc.program import Program
from netc.sections.base import Clock, Setting, Targeted
from netc.sections.conflicts import length
from netc.sections.data_sets import DATA_SETS
from netc.sections.losses import LOSSES, CategoricalCrossentropy
from netc.sections.lowering import CompileArguments, lower, quantities
from netc.sections.metrics import METRICS
from netc.sections.model import layers_of
from netc.sections.optimizers import OPTIMIZERS, Momentum
from netc.sections.preprocessing import DATA, Mixup, Step
from netc.sections.schedules import SCHEDULES, Cosine, Milestones, Warmup, learning_rate
from netc.sections.settings import TRAIN
from netc.sections.weight_decay import apply_weight_decay
from netc.syntax.source import Source
from netc.target import Call, Symbol
from netc.targets.keras.source.tree import written as python
from netc.values import Word
from tests.cases import check_text
from tests.sections_samples import classes, other

ROOT = Path(__file__).parent.parent
NET = "input 32x32x3\nconv 16x3 relu\ngap\nfc 10 softmax\n"
TRAINED = [*classes(TRAIN), *classes(LOSSES), *classes(OPTIMIZERS), *classes(SCHEDULES), *classes(METRICS)]
ALL = [*classes(DATA), *TRAINED]


def compiled(text: str, **overrides: Any) -> Program:
    return compile_source(Source("test.net", text), overrides)


def correct(text: str, **overrides: Any) -> Program:
    program = compiled(text, **overrides)
    assert not program.report.failed, [found.message for found in program.report]
    return program


def lowered(train: str, net: str = NET) -> CompileArguments:
    program = correct(f"{net}\ntrain {{\n{train}\n}}")
    assert program.sections.train is not None
    return lower(program.sections.train, program.net, program.expansion.labels, Clock(391, 3910))


# -- conventions ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.name)
def test_settings_are_documented(cls: type[Setting]) -> None:
    assert cls.__doc__
    assert cls.__doc__.splitlines()[0].endswith((".", "),", ",", "of the"))
    assert "__init__" not in cls.__doc__
    assert not cls.__doc__.startswith(cls.__name__ + "("), "the docstring that dataclasses make up"
    assert all(parameter.doc and not parameter.doc.endswith(".") for parameter in declared(cls).values())
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in (cls.name, *cls.aliases, *declared(cls)))


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.name)
def test_defaults_are_values_that_could_be_written(cls: type[Setting]) -> None:
    for parameter in declared(cls).values():
        default = parameter.default
        if default is REQUIRED or default is None or default in ((), "") or default == getattr(cls, "unset", ()):
            continue
        written = Word(default) if isinstance(default, str) else default
        assert parameter.kind.accept(written, 2) == default


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.name)
def test_positions_and_tables_name_parameters(cls: type[Setting]) -> None:
    params = declared(cls)
    assert {*cls.positional, *cls.size} <= set(params)
    assert not (set(cls.misnamed) | set(cls.refused)) & set(params)
    if issubclass(cls, Targeted):
        assert {*cls.elsewhere, *cls.own} <= set(params)
        for name, others in cls.elsewhere.items():
            assert any(value not in (None, params[name].default) for value in others), f"{name} does not differ"


@pytest.mark.parametrize("cls", classes(OPTIMIZERS), ids=lambda cls: cls.name)
def test_learning_rate_is_one_rule(cls: type[Setting]) -> None:
    exceptions = {"adadelta": 1.0, "schedule_free_adamw": 0.0025}
    assert declared(cls)["lr"].default == exceptions.get(cls.name, 0.001)


@pytest.mark.parametrize("cls", classes(DATA), ids=lambda cls: cls.name)
def test_examples_of_data_are_read(cls: type[Setting]) -> None:
    image = "64x64x3" if issubclass(cls, Step) else "32x32x3"
    program = compiled(f'input {image}\ngap\nfc 17 softmax\ndata "images" {{\n{cls.example}\n}}')
    assert not {found.code for found in program.report} - {"NET406"}
    assert program.sections.data is not None
    assert [type(line.value) for line in program.sections.data.lines] == [cls]


@pytest.mark.parametrize("cls", TRAINED, ids=lambda cls: cls.name)
def test_examples_of_train_are_read(cls: type[Setting]) -> None:
    program = compiled(f"train {{\n{cls.example}\n}}")
    assert program.sections.train is not None
    assert cls in [type(line.value) for line in program.sections.train.lines]
    assert {found.code for found in program.report} <= {"NET125", "NET409"}


@pytest.mark.parametrize("cls", ALL, ids=lambda cls: cls.name)
def test_values_out_of_range_are_refused(cls: type[Setting]) -> None:
    for parameter in declared(cls).values():
        kind = parameter.kind
        if getattr(kind, "min", None) is not None:
            with pytest.raises(Refused):
                kind.accept(kind.min - 1, 2)  # type: ignore[attr-defined]
        if isinstance(parameter.default, int | float) and not isinstance(parameter.default, bool):
            assert other(kind, parameter.default) != parameter.default


def test_reference_is_fresh() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "tools.sections"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert made.stdout == (ROOT / "docs/sections.md").read_text(encoding="utf-8")


def test_example_of_the_reference_is_clean() -> None:
    text = (ROOT / "docs/sections.md").read_text(encoding="utf-8").split("```net\n")[1].split("```")[0]
    assert [found.message for found in check_text(text)] == []


# -- resolving -----------------------------------------------------------------------------------------------


def test_lines_keep_places_and_expressions() -> None:
    program = correct(f"param rate = 0.1\n{NET}train {{\nloss mse\noptimizer adam lr=(rate/10) beta1=0.8\n}}")
    train = program.sections.train
    assert train is not None
    line = train.optimizer
    assert line.value.lr == pytest.approx(0.01)
    assert line.span.text == "optimizer adam lr=(rate/10) beta1=0.8"
    assert line.at("lr").text == "lr=(rate/10)"
    assert line.at("epsilon") == line.span
    assert set(line.written) == {"lr", "beta1"}


def test_conditions_choose_lines() -> None:
    text = f"param n = 5\n{NET}train {{\nloss mse\nif n > 9 {{ optimizer adam; batch 8 }} else {{ optimizer sgd }}\n}}"
    small, large = correct(text).sections.train, correct(text, n=18).sections.train
    assert small is not None
    assert large is not None
    assert (small.optimizer.value.name, small.batch) == ("sgd", 64)
    assert (large.optimizer.value.name, large.batch) == ("adam", 8)


def test_a_condition_that_fails_reports_once() -> None:
    program = compiled(f"{NET}train {{\nif n > 9 {{ optimizer adam; loss mse }}\n}}")
    assert [found.code for found in program.report] == ["NET110"]


@pytest.mark.parametrize("written", ["0.1", "5000", "test"])
def test_images_left_for_training(written: str) -> None:
    program = correct(f"{NET}data cifar10 {{ validation {written} }}")
    assert program.sections.data is not None
    assert program.sections.data.images == (50000 if written == "test" else 45000)


def test_length_of_training() -> None:
    text = NET + "data cifar10 {{ validation 5000 }}\ntrain {{ loss mse; optimizer adam; batch 128; {} }}"
    for line, total in (("", 3520), ("epochs 2", 704), ("steps 64000", 64000)):
        clock = length(correct(text.format(line)).sections)
        assert clock is not None
        assert (clock.per_epoch, clock.total) == (352, total)
    assert length(correct(NET + 'data "a" { classes 10 }\ntrain { loss mse; optimizer adam }').sections) is None


def test_shapes_through_the_pipeline() -> None:
    data = correct(
        "input 24x20x3\ngap\nfc 10 softmax\ndata mnist { pad 2x1; resize 40; crop 24x20 pad=4; channels 3; flip both }"
    ).sections.data
    assert data is not None
    shape, shapes = data.image(), []
    for step in data.steps:
        shape = step.shape(shape)
        shapes.append(shape)
    assert shapes == [(32, 30, 1), (40, 40, 1), (24, 20, 1), (24, 20, 3), (24, 20, 3)]


def test_paths_and_names_of_data() -> None:
    def source(text: str) -> object:
        data = correct(f'param set = "a b"\n{NET}data {text}').sections.data
        assert data is not None
        return data.source

    assert source("cifar10") is DATA_SETS["cifar10"]
    assert source('"cifar10"') == "cifar10"
    assert source("set") == "a b"
    assert source("{ classes 10 }") is None


def test_mixup_needs_only_labels_that_can_be_blended() -> None:
    data = correct(f"{NET}data cifar10 {{ mixup 0.4 }}\ntrain {{ loss categorical_crossentropy; optimizer adam }}")
    assert data.sections.data is not None
    assert data.sections.data.value(Mixup) == Mixup(alpha=0.4)


# -- lowering ------------------------------------------------------------------------------------------------


def test_the_training_section_of_the_residual_network() -> None:
    made = lowered(
        "loss categorical_crossentropy\noptimizer momentum lr=0.1\nclip norm=5\n"
        "schedule milestones 32000 48000 factor=0.1"
    )
    rate = Call(
        "optimizers.schedules.PiecewiseConstantDecay",
        kwargs={"boundaries": (32000, 48000), "values": (0.1, 0.01, 0.001)},
    )
    assert made.optimizer == Call(
        "optimizers.SGD", kwargs={"learning_rate": rate, "momentum": 0.9, "global_clipnorm": 5.0}
    )
    assert made.losses == {"fc1": Call("losses.CategoricalCrossentropy")}
    assert made.metrics == {"fc1": [Call("metrics.CategoricalAccuracy", kwargs={"name": "accuracy"})]}
    assert (made.weights, made.callbacks, made.decays, made.policy) == ({}, [], False, None)


def test_lines_that_go_into_the_optimizer() -> None:
    made = lowered(
        "loss categorical_crossentropy\noptimizer muon\nema 0.9\naccumulate 4\nclip each=1\nprecision bfloat16"
    )
    assert made.optimizer.kwargs == {
        "learning_rate": 0.001,
        "use_ema": True,
        "ema_momentum": 0.9,
        "clipnorm": 1.0,
        "gradient_accumulation_steps": 4,
        "exclude_layers": ("(^|/)fc1/",),
    }
    assert made.decays
    assert (made.policy, made.exact) == ("mixed_bfloat16", ["fc1"])
    assert "gradient_accumulation_steps" not in lowered("loss mse\noptimizer sgd\naccumulate 1").optimizer.kwargs


def test_decoupled_decay_is_the_optimizers() -> None:
    made = lowered("loss mse\noptimizer sgd lr=1\nweight_decay 1e-4 decoupled")
    assert made.optimizer.kwargs == {"learning_rate": 1.0, "weight_decay": 1e-4}
    assert made.decays


TWO = "input 8x8x1\nstem: flatten\nmain: fc 10 softmax\nfrom stem\naux: fc 10\noutput main aux\n"


def test_several_outputs() -> None:
    text = (
        "loss categorical_crossentropy\nloss sparse_categorical_crossentropy from_logits of=aux weight=0.3\n"
        "optimizer adam\nmetrics topk=3\nmetric accuracy of=aux\nearly_stopping patience=2 monitor=val_aux_accuracy"
    )
    made = lowered(text, TWO)
    assert list(made.losses) == ["main", "aux"]
    assert made.losses["aux"].kwargs == {"from_logits": True}
    assert made.weights == {"aux": 0.3}
    assert [call.path for call in made.metrics["main"]] == ["metrics.TopKCategoricalAccuracy"]
    assert [call.path for call in made.metrics["aux"]] == ["metrics.SparseCategoricalAccuracy"]
    (stopping,) = made.callbacks
    assert stopping.kwargs == {"monitor": "val_aux_accuracy", "mode": "max", "patience": 2}


def test_quantities_are_those_of_keras() -> None:
    program = correct(TWO + "train { loss categorical_crossentropy; loss mse of=aux; optimizer adam }")
    assert program.sections.train is not None
    known = quantities(program.sections.train, program.net, program.expansion.labels)
    names = {"loss": "min", "main_loss": "min", "aux_loss": "min", "main_accuracy": "max"}
    assert known == names | {f"val_{name}": best for name, best in names.items()}


def test_symbols_stay_symbols() -> None:
    rate, per_epoch = Symbol(python("rate"), 0.1), Symbol(python("steps_per_epoch"), 391)
    clock = Clock(per_epoch, 10 * per_epoch)
    call = Momentum(lr=rate).lower(rate)
    assert call.kwargs["learning_rate"] is rate
    falling = learning_rate(rate, [Milestones(at=(82, 123), unit="epochs")], clock)
    assert [bound.source for bound in falling.kwargs["boundaries"]] == ["82 * steps_per_epoch", "123 * steps_per_epoch"]
    assert [value.source for value in falling.kwargs["values"]] == ["rate", "rate * 0.1", "rate * 0.1 * 0.1"]
    cosine = learning_rate(rate, [Warmup(steps=400), Cosine()], clock)
    assert cosine.kwargs["decay_steps"].source == "10 * steps_per_epoch - 400"
    assert cosine.kwargs["decay_steps"].value == 3510
    assert (
        Momentum(lr=Symbol(python("rate"), 1)).lower(Symbol(python("rate"), 1)).kwargs["learning_rate"].source
        == "rate * 1.0"
    )
    smoothing, end = Symbol(python("smoothing"), 0.0), Symbol(python("end"), 0.0)
    assert learning_rate(0.1, [Cosine(end=end)], clock).kwargs["alpha"] is end
    assert CategoricalCrossentropy(label_smoothing=smoothing).lower().kwargs == {"label_smoothing": smoothing}


# -- layers --------------------------------------------------------------------------------------------------


def test_weight_decay_reaches_kernels_without_one() -> None:
    program = correct(
        "input 8x8x1\nconv 4x3 bn relu\nconv 4x3 l2=0.5\nconv 4x3 l2=0\nflatten\nfc 10 softmax\n"
        "train { loss categorical_crossentropy; optimizer sgd; weight_decay 1e-4 }"
    )
    apply_weight_decay(program)
    found = {node.name: getattr(node.layer, "l2", "none") for node in program.net}
    assert found["conv1"] == found["fc1"] == 1e-4
    assert found["conv2"] == 0.5
    assert found["conv3"] == 0
    assert found["conv1_bn"] in ("none", None)


@pytest.mark.parametrize("lines", ["", "weight_decay 1e-4 decoupled"])
def test_weight_decay_elsewhere_changes_no_layer(lines: str) -> None:
    program = correct(f"{NET}train {{ loss categorical_crossentropy; optimizer sgd; {lines} }}")
    before = [node.layer for node in program.net]
    apply_weight_decay(program)
    assert [node.layer for node in program.net] == before


def test_a_label_stands_for_what_is_made_below_it() -> None:
    program = correct(
        "def stage(ch) { conv (ch)x3 bn relu; conv (ch)x3 }\ninput 8x8x1\nenc: stage 4\nstage 4\nflatten\nfc 10"
    )
    labels = program.expansion.labels
    assert layers_of("enc", program.net, labels) == ["enc_conv1", "enc_conv1_bn", "enc_conv1_relu", "enc_conv2"]
    assert layers_of("stage1_conv2", program.net, labels) == ["stage1_conv2"]
    assert layers_of("en", program.net, labels) == []


def test_sections_import_no_tensorflow() -> None:
    code = (
        "import sys, netc.compiler, netc.sections.check, netc.sections.lowering; "
        "assert not {'tensorflow', 'keras', 'numpy'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
