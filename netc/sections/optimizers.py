"""Optimizers.

The learning rate is 0.001 unless written, as in TFLearn's `regression`. Other defaults are those of the paper, else
TFLearn's, else Keras'; `elsewhere` says where they differ.
"""

# ruff: noqa: RUF012 - tables of a class are annotated as ClassVar in its base

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from netc.params import Bool, Int, Real, param
from netc.record import record
from netc.sections.base import Elsewhere, Registry, Targeted, choice, real
from netc.target import Call

RATE = Real(min=0, open=("min",))
DECAY = Real(min=0, max=1, open=("max",))
POSITIVE = Real(min=0, open=("min",))
NOT_NEGATIVE = Real(min=0)


@record
class Optimizer(Targeted):
    """How gradients become steps."""

    own: ClassVar[frozenset[str]] = frozenset({"lr"})
    renamed: ClassVar[Mapping[str, str]] = {"beta1": "beta_1", "beta2": "beta_2"}
    decays: ClassVar[bool] = False  # has a decoupled weight decay of its own
    averages: ClassVar[bool] = False  # schedules and averages by itself
    misnamed: ClassVar[Mapping[str, str]] = {
        "learning_rate": "the key is `lr`",
        "clipnorm": "clipping is a line of its own: `clip norm=5`",
        "clipvalue": "clipping is a line of its own: `clip value=0.5`",
        "use_ema": "the moving average is a line of its own: `ema 0.99`",
        "lr_decay": "decay is a line of its own: `schedule exponential factor=0.96 every=100`",
        "staircase": "decay is a line of its own: `schedule step factor=0.1 every=32000`",
    }

    usual: ClassVar[tuple[float, float]] = (1e-7, 10.0)  # rates that somebody trains with

    lr: float = param(RATE, "learning rate", 0.001)

    def lower(self, rate: Any, shared: Mapping[str, Any] = {}) -> Call:
        """The call, with the learning rate (a number or a schedule's call) and the arguments other lines give."""
        return Call(self.target, kwargs={"learning_rate": real(rate), **self.arguments(), **shared})


OPTIMIZERS: Registry[Optimizer] = {}


@choice(OPTIMIZERS, "sgd", example="optimizer sgd lr=0.1")
class SGD(Optimizer):
    """Stochastic gradient descent: a step against the gradient (Robbins & Monro 1951)."""

    target = "optimizers.SGD"
    elsewhere = {"lr": Elsewhere(0.01, 0.001)}

    momentum: float = param(DECAY, "share of the last step that is kept", 0.0)
    nesterov: bool = param(Bool(), "look ahead along the momentum", False)


@choice(OPTIMIZERS, "momentum", example="optimizer momentum lr=0.1 momentum=0.9")
class Momentum(Optimizer):
    """Gradient descent with momentum (Polyak 1964)."""

    target = "optimizers.SGD"
    elsewhere = {"lr": Elsewhere(0.01, 0.001), "momentum": Elsewhere(0.0, 0.9)}

    momentum: float = param(DECAY, "share of the last step that is kept", 0.9)


@choice(OPTIMIZERS, "nesterov", example="optimizer nesterov lr=0.1")
class Nesterov(Optimizer):
    """Gradient descent with Nesterov's momentum (Sutskever et al. 2013, ICML)."""

    target = "optimizers.SGD"
    fixed = {"nesterov": True}
    elsewhere = {"lr": Elsewhere(0.01, 0.001), "momentum": Elsewhere(0.0, 0.9)}

    momentum: float = param(DECAY, "share of the last step that is kept", 0.9)


@choice(OPTIMIZERS, "rmsprop", example="optimizer rmsprop lr=0.0001")
class RMSProp(Optimizer):
    """The gradient divided by the root of a moving average of its square (Tieleman & Hinton 2012, lecture 6e).

    TensorFlow 1, under TFLearn, started the average at one, Keras starts it at zero: the first steps are larger.
    """

    target = "optimizers.RMSprop"
    usual = (1e-7, 0.5)
    renamed = {"decay": "rho"}
    elsewhere = {"epsilon": Elsewhere(1e-7, 1e-10)}

    decay: float = param(DECAY, "decay of the average", 0.9)
    momentum: float = param(DECAY, "share of the last step that is kept", 0.0)
    epsilon: float = param(POSITIVE, "added under the root", 1e-10)
    centered: bool = param(Bool(), "divide by the variance instead of the square", False)


@choice(OPTIMIZERS, "adam", example="optimizer adam lr=0.001")
class Adam(Optimizer):
    """Moving averages of the gradient and its square, corrected for their start (Kingma & Ba 2015, arXiv:1412.6980)."""

    target = "optimizers.Adam"
    usual = (1e-8, 0.05)
    elsewhere = {"epsilon": Elsewhere(1e-7, 1e-8, 1e-8)}

    beta1: float = param(DECAY, "decay of the gradient's average", 0.9)
    beta2: float = param(DECAY, "decay of the square's average", 0.999)
    epsilon: float = param(POSITIVE, "added to the root", 1e-8)
    amsgrad: bool = param(Bool(), "never let the square's average shrink (Reddi et al. 2018)", False)


@choice(OPTIMIZERS, "adamw", example="optimizer adamw lr=0.001 weight_decay=0.01")
class AdamW(Adam):
    """Adam with decoupled weight decay of the kernels (Loshchilov & Hutter 2019, arXiv:1711.05101)."""

    target = "optimizers.AdamW"
    decays = True

    weight_decay: float = param(NOT_NEGATIVE, "share of a kernel taken off a step, times the learning rate", 0.004)


@choice(OPTIMIZERS, "adamax", example="optimizer adamax lr=0.002")
class Adamax(Optimizer):
    """Adam with the largest gradient in place of the root mean square (Kingma & Ba 2015, section 7.1)."""

    target = "optimizers.Adamax"
    usual = (1e-8, 0.1)
    elsewhere = {"lr": Elsewhere(0.001, None, 0.002)}

    beta1: float = param(DECAY, "decay of the gradient's average", 0.9)
    beta2: float = param(DECAY, "decay of the largest gradient", 0.999)
    epsilon: float = param(POSITIVE, "added to the largest gradient", 1e-7)


@choice(OPTIMIZERS, "nadam", example="optimizer nadam lr=0.001")
class Nadam(Optimizer):
    """Adam with Nesterov's momentum (Dozat 2016, ICLR workshop)."""

    target = "optimizers.Nadam"
    usual = (1e-8, 0.05)
    elsewhere = {"lr": Elsewhere(0.001, None, 0.002), "epsilon": Elsewhere(1e-7, None, 1e-8)}

    beta1: float = param(DECAY, "decay of the gradient's average", 0.9)
    beta2: float = param(DECAY, "decay of the square's average", 0.999)
    epsilon: float = param(POSITIVE, "added to the root", 1e-8)


@choice(OPTIMIZERS, "adagrad", example="optimizer adagrad lr=0.01")
class Adagrad(Optimizer):
    """The gradient divided by the root of the sum of its squares (Duchi et al. 2011, JMLR 12)."""

    target = "optimizers.Adagrad"
    renamed = {"accumulator": "initial_accumulator_value"}

    accumulator: float = param(NOT_NEGATIVE, "what the sum starts from", 0.1)
    epsilon: float = param(POSITIVE, "added under the root", 1e-7)


@choice(OPTIMIZERS, "proximal_adagrad", example="optimizer proximal_adagrad lr=0.01 l1=0.0001")
class ProximalAdagrad(Optimizer):
    """Adagrad whose L1 and L2 penalties act by shrinking the weights (Duchi & Singer 2009, JMLR 10)."""

    target = "custom.ProximalAdagrad"
    renamed = {"accumulator": "initial_accumulator_value"}

    accumulator: float = param(POSITIVE, "what the sum starts from", 0.1)
    l1: float = param(NOT_NEGATIVE, "strength of the L1 shrinkage", 0.0)
    l2: float = param(NOT_NEGATIVE, "strength of the L2 shrinkage", 0.0)


@choice(OPTIMIZERS, "adadelta", example="optimizer adadelta")
class Adadelta(Optimizer):
    """The gradient times the ratio of moving averages of steps and of gradients (Zeiler 2012, arXiv:1212.5701).

    The paper has no learning rate, which is the rate 1; TFLearn's and Keras' 0.001 is a thousandth of it.
    """

    target = "optimizers.Adadelta"
    elsewhere = {
        "lr": Elsewhere(0.001, 0.001, 1.0),
        "rho": Elsewhere(0.95, 0.1, 0.95),
        "epsilon": Elsewhere(1e-7, 1e-8, 1e-6),
    }

    lr: float = param(RATE, "learning rate", 1.0)
    rho: float = param(DECAY, "decay of the averages", 0.95)
    epsilon: float = param(POSITIVE, "added under the roots", 1e-6)


@choice(OPTIMIZERS, "ftrl", example="optimizer ftrl lr=0.05 l1=0.001")
class Ftrl(Optimizer):
    """Follow the regularised leader (McMahan et al. 2013, KDD)."""

    target = "optimizers.Ftrl"
    renamed = {
        "power": "learning_rate_power",
        "accumulator": "initial_accumulator_value",
        "l1": "l1_regularization_strength",
        "l2": "l2_regularization_strength",
        "shrinkage": "l2_shrinkage_regularization_strength",
    }
    elsewhere = {"lr": Elsewhere(0.001, 3.0)}

    power: float = param(Real(max=0), "power of the step count in the learning rate", -0.5)
    accumulator: float = param(NOT_NEGATIVE, "what the sums start from", 0.1)
    l1: float = param(NOT_NEGATIVE, "strength of the L1 penalty", 0.0)
    l2: float = param(NOT_NEGATIVE, "strength of the L2 penalty", 0.0)
    shrinkage: float = param(NOT_NEGATIVE, "strength of the L2 penalty on the gradient", 0.0)
    beta: float = param(NOT_NEGATIVE, "added to the root in the learning rate", 0.0)


@choice(OPTIMIZERS, "adafactor", example="optimizer adafactor lr=0.01")
class Adafactor(Optimizer):
    """Adam's second moment kept as a row and a column of each kernel (Shazeer & Stern 2018, arXiv:1804.04235)."""

    target = "optimizers.Adafactor"
    renamed = {"beta2_decay": "beta_2_decay", "epsilon1": "epsilon_1", "epsilon2": "epsilon_2"}

    beta2_decay: float = param(Real(max=0), "power of the step count in the decay", -0.8)
    epsilon1: float = param(POSITIVE, "added to the squared gradient", 1e-30)
    epsilon2: float = param(POSITIVE, "smallest size of a weight that scales its step", 1e-3)
    clip_threshold: float = param(POSITIVE, "largest root mean square of a step", 1.0)
    relative_step: bool = param(Bool(), "let the rate fall with the root of the step count", True)


@choice(OPTIMIZERS, "lion", example="optimizer lion lr=0.0001")
class Lion(Optimizer):
    """The sign of an average of gradients (Chen et al. 2023, arXiv:2302.06675); wants a tenth of Adam's rate."""

    target = "optimizers.Lion"
    usual = (1e-8, 0.005)

    beta1: float = param(DECAY, "share of the average in the sign", 0.9)
    beta2: float = param(DECAY, "decay of the average", 0.99)


@choice(OPTIMIZERS, "lamb", example="optimizer lamb lr=0.01")
class Lamb(Optimizer):
    """Adam with the step of each layer scaled to the size of its weights (You et al. 2020, arXiv:1904.00962)."""

    target = "optimizers.Lamb"
    elsewhere = {"epsilon": Elsewhere(1e-7, None, 1e-6)}

    beta1: float = param(DECAY, "decay of the gradient's average", 0.9)
    beta2: float = param(DECAY, "decay of the square's average", 0.999)
    epsilon: float = param(POSITIVE, "added to the root", 1e-6)


@choice(OPTIMIZERS, "muon", example="optimizer muon lr=0.001")
class Muon(Optimizer):
    """Orthogonalised momentum for dense kernels, AdamW for all other weights (Liu et al. 2025, arXiv:2502.16982).

    The dense layers that make the outputs belong to AdamW too.
    """

    target = "optimizers.Muon"
    renamed = {"beta1": "adam_beta_1", "beta2": "adam_beta_2", "steps": "ns_steps"}
    decays = True

    momentum: float = param(DECAY, "share of the last step that is kept", 0.95)
    nesterov: bool = param(Bool(), "look ahead along the momentum", True)
    steps: int = param(Int(min=1), "Newton-Schulz iterations", 5)
    weight_decay: float = param(NOT_NEGATIVE, "share of a kernel taken off a step, times the learning rate", 0.004)
    beta1: float = param(DECAY, "AdamW's decay of the gradient's average", 0.9)
    beta2: float = param(DECAY, "AdamW's decay of the square's average", 0.999)
    epsilon: float = param(POSITIVE, "AdamW's, added to the root", 1e-7)

    def arguments(self) -> dict[str, Any]:
        given = super().arguments()
        decay = given.get("weight_decay")
        return given if decay is None else {**given, "adam_weight_decay": decay}


@choice(OPTIMIZERS, "schedule_free_adamw", example="optimizer schedule_free_adamw lr=0.0025 warmup=500")
class ScheduleFreeAdamW(Optimizer):
    """AdamW that averages its steps instead of lowering its rate (Defazio et al. 2024, arXiv:2405.15682)."""

    target = "optimizers.ScheduleFreeAdamW"
    renamed = {**Optimizer.renamed, "warmup": "warmup_steps"}
    averages = True

    lr: float = param(RATE, "learning rate", 0.0025)
    beta1: float = param(DECAY, "share of the average in the point where gradients are taken", 0.9)
    beta2: float = param(DECAY, "decay of the square's average", 0.999)
    epsilon: float = param(POSITIVE, "added to the root", 1e-8)
    warmup: int = param(Int(min=0), "steps in which the rate rises from zero", 0)
