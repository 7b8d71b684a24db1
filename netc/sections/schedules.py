"""Learning-rate schedules: what becomes of the optimizer's rate while training goes on.

Steps are batches, counted from 0. A time is in steps, or in epochs with the word `epochs`. As in Keras, a milestone's
own step still has the rate before it.
"""

# ruff: noqa: RUF012 - tables of a class are annotated as ClassVar in its base

from __future__ import annotations

from typing import Any, ClassVar

from netc.params import Bool, Choice, Int, Real, Refused, param
from netc.record import record
from netc.sections.base import Clock, Registry, Setting, choice, real, times
from netc.sections.monitors import Monitoring
from netc.target import Call, is_given

UNIT = Choice(("steps", "epochs"))
FACTOR = Real(min=0, max=1, open=("min", "max"))
COUNT = Int(min=1)


@record
class Schedule(Setting):
    """How the learning rate changes. A `warmup` goes with any of the others but `plateau`, which stands alone."""

    unit: str = param(UNIT, "what times count", "steps")

    def lower(self, rate: Any, clock: Clock) -> Call:
        """The call, for a learning rate at the start."""
        raise NotImplementedError

    def warmed(self, rate: Any, clock: Clock, warmup: Warmup) -> Call:
        """The call with a warm-up before it; times stay counted from the first step."""
        inner = self.lower(rate, clock)
        return Call(
            "custom.Warmup",
            kwargs={
                "schedule": inner,
                "steps": warmup.steps_of(clock),
                "start": real(warmup.lr),
                "target": real(rate),
                **({"constant": True} if warmup.shape == "constant" else {}),
            },
        )


SCHEDULES: Registry[Setting] = {}


@choice(SCHEDULES, "milestones", example="schedule milestones 32000 48000 factor=0.1")
class Milestones(Schedule):
    """The rate times a factor at each of some times (He et al. 2016, arXiv:1512.03385, section 4.2)."""

    positional: ClassVar[tuple[str, ...]] = ("at",)

    at: tuple[int, ...] = param(COUNT, "the times, rising", many=True)
    factor: float = param(FACTOR, "what the rate is multiplied by", 0.1)

    def validate(self) -> None:
        if any(later <= earlier for earlier, later in zip(self.at, self.at[1:], strict=False)):
            raise Refused(
                "NET109",
                f"milestones rise, got {' '.join(map(str, self.at))}",
                param="at",
                help=(f"write them in order: `milestones {' '.join(map(str, sorted(set(self.at))))}`",),
            )

    def lower(self, rate: Any, clock: Clock) -> Call:
        return _piecewise([clock.steps(time, self.unit) for time in self.at], self._rates(rate))

    def warmed(self, rate: Any, clock: Clock, warmup: Warmup) -> Call:
        if warmup.shape != "constant":
            return super().warmed(rate, clock, warmup)
        times_ = [warmup.steps_of(clock), *(clock.steps(time, self.unit) for time in self.at)]
        return _piecewise(times_, [real(warmup.lr), *self._rates(rate)])

    def _rates(self, rate: Any) -> list[Any]:
        rates = [real(rate)]
        for _ in self.at:
            rates.append(times(rates[-1], self.factor))
        return rates


def _piecewise(boundaries: list[Any], values: list[Any]) -> Call:
    return Call(
        "optimizers.schedules.PiecewiseConstantDecay",
        kwargs={"boundaries": tuple(boundaries), "values": tuple(values)},
    )


@record
class _Periodic(Schedule):
    """A rate that falls with the number of periods gone by."""

    target: ClassVar[str] = "optimizers.schedules.ExponentialDecay"

    every: int = param(COUNT, "length of a period")
    factor: float = param(FACTOR, "what the rate is multiplied by in a period")

    def lower(self, rate: Any, clock: Clock) -> Call:
        return Call(
            self.target,
            kwargs={
                "initial_learning_rate": real(rate),
                "decay_steps": clock.steps(self.every, self.unit),
                "decay_rate": real(self.factor),
                **({"staircase": True} if self.stairs else {}),
            },
        )

    @property
    def stairs(self) -> bool:
        """Whether the rate falls at the end of each period, not all the time."""
        return True


@choice(SCHEDULES, "step", example="schedule step every=32000 factor=0.1")
class Step(_Periodic):
    """The rate times a factor at the end of each period: TFLearn's decay with `staircase=True`."""


@choice(SCHEDULES, "exponential", example="schedule exponential every=100 factor=0.96")
class Exponential(_Periodic):
    """The rate times factor^(step / every), falling all the time: TFLearn's `lr_decay` with its `decay_step`."""

    @property
    def stairs(self) -> bool:
        return False


@choice(SCHEDULES, "inverse_time", example="schedule inverse_time every=1000 factor=0.5")
class InverseTime(_Periodic):
    """The rate divided by 1 + factor * step / every."""

    target = "optimizers.schedules.InverseTimeDecay"

    factor: float = param(Real(min=0, open=("min",)), "how much the divisor grows in a period")
    staircase: bool = param(Bool(), "fall at the end of each period only", False)

    @property
    def stairs(self) -> bool:
        return self.staircase


@choice(SCHEDULES, "polynomial", example="schedule polynomial end=0.0001 power=2")
class Polynomial(Schedule):
    """From the rate down to `end`, as a power of the time left; power 1 is a straight line."""

    steps: int = param(Int(min=0), "length; 0 is the whole training", 0)
    end: float = param(Real(min=0), "the last rate", 0.0)
    power: float = param(Real(min=0, open=("min",)), "power of the time left", 1.0)

    def lower(self, rate: Any, clock: Clock) -> Call:
        return Call(
            "optimizers.schedules.PolynomialDecay",
            kwargs={
                "initial_learning_rate": real(rate),
                "decay_steps": clock.steps(self.steps, self.unit) if self.steps else clock.total,
                "end_learning_rate": real(self.end),
                **({"power": real(self.power)} if is_given(self.power, 1) else {}),
            },
        )


@choice(SCHEDULES, "cosine", example="schedule cosine end=0.01")
class Cosine(Schedule):
    """Half a cosine from the rate down to a share of it (Loshchilov & Hutter 2017, arXiv:1608.03983)."""

    steps: int = param(Int(min=0), "length, warm-up included; 0 is the whole training", 0)
    end: float = param(Real(min=0, max=1), "share of the rate that is left at the end", 0.0)

    def lower(self, rate: Any, clock: Clock) -> Call:
        return self._call(real(rate), self._length(clock))

    def warmed(self, rate: Any, clock: Clock, warmup: Warmup) -> Call:
        if warmup.shape == "constant":
            return super().warmed(rate, clock, warmup)
        rising = warmup.steps_of(clock)
        return self._call(real(warmup.lr), self._length(clock) - rising, warmup_target=real(rate), warmup_steps=rising)

    def _length(self, clock: Clock) -> Any:
        return clock.steps(self.steps, self.unit) if self.steps else clock.total

    def _call(self, rate: Any, length: Any, **more: Any) -> Call:
        end = {"alpha": real(self.end)} if is_given(self.end, 0) else {}
        return Call(
            "optimizers.schedules.CosineDecay",
            kwargs={"initial_learning_rate": rate, "decay_steps": length, **end, **more},
        )


@choice(SCHEDULES, "restarts", example="schedule restarts first=1000 grow=2")
class Restarts(Schedule):
    """Half cosines one after the other (Loshchilov & Hutter 2017, arXiv:1608.03983, SGDR)."""

    first: int = param(COUNT, "length of the first")
    grow: float = param(Real(min=1), "how much longer each is than the one before", 2.0)
    shrink: float = param(Real(min=0, max=1, open=("min",)), "how much lower each starts", 1.0)
    end: float = param(Real(min=0, max=1), "share of the rate that is left at the end of each", 0.0)

    def lower(self, rate: Any, clock: Clock) -> Call:
        others = {"t_mul": (self.grow, 2), "m_mul": (self.shrink, 1), "alpha": (self.end, 0)}
        return Call(
            "optimizers.schedules.CosineDecayRestarts",
            kwargs={
                "initial_learning_rate": real(rate),
                "first_decay_steps": clock.steps(self.first, self.unit),
                **{name: real(value) for name, (value, default) in others.items() if is_given(value, default)},
            },
        )


@choice(SCHEDULES, "warmup", example="schedule warmup steps=400 lr=0.01 constant")
class Warmup(Schedule):
    """The first steps at a low rate: rising to the optimizer's (Goyal et al. 2017, arXiv:1706.02677), or constant.

    He et al. warm ResNet-110 up at a constant 0.01 for about 400 steps.
    """

    steps: int = param(COUNT, "length")
    lr: float = param(Real(min=0), "the rate that it starts from, or stays at", 0.0)
    shape: str = param(Choice(("linear", "constant")), "whether the rate rises", "linear")

    def validate(self) -> None:
        if self.shape == "constant" and not self.lr:
            raise Refused(
                "NET106",
                "a constant warm-up needs a rate of its own",
                param="shape",
                help=("for example `warmup steps=400 lr=0.01 constant`",),
            )

    def steps_of(self, clock: Clock) -> Any:
        """Its length in steps."""
        return clock.steps(self.steps, self.unit)

    def lower(self, rate: Any, clock: Clock) -> Call:
        """The warm-up alone: the rate of the optimizer follows it."""
        if self.shape == "constant":
            return _piecewise([self.steps_of(clock)], [real(self.lr), real(rate)])
        return Call(
            "optimizers.schedules.PolynomialDecay",
            kwargs={
                "initial_learning_rate": real(self.lr),
                "decay_steps": self.steps_of(clock),
                "end_learning_rate": real(rate),
            },
        )


@choice(SCHEDULES, "plateau", example="schedule plateau factor=0.1 patience=10")
class Plateau(Monitoring):
    """The rate times a factor when a quantity has not got better for some epochs."""

    target = "callbacks.ReduceLROnPlateau"
    renamed = {"delta": "min_delta"}

    factor: float = param(FACTOR, "what the rate is multiplied by", 0.1)
    patience: int = param(COUNT, "epochs without getting better", 10)
    delta: float = param(Real(min=0), "smallest change that counts as better", 1e-4)
    cooldown: int = param(Int(min=0), "epochs to wait after a change", 0)
    min_lr: float = param(Real(min=0), "lowest rate", 0.0)


def learning_rate(rate: Any, schedules: list[Schedule], clock: Clock) -> Any:
    """The optimizer's rate under at most one schedule and one warm-up: a number, or a schedule's call."""
    warmup = next((schedule for schedule in schedules if isinstance(schedule, Warmup)), None)
    falling = next((schedule for schedule in schedules if not isinstance(schedule, Warmup)), None)
    if falling is None:
        return real(rate) if warmup is None else warmup.lower(rate, clock)
    return falling.lower(rate, clock) if warmup is None else falling.warmed(rate, clock, warmup)
