"""What `train` becomes in the target: the arguments of `compile` and `fit`, as calls.

The direct training executes them, emitted code prints them, so that the two cannot drift apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from netc.ir.net import Net
from netc.ir.shape import channels_of
from netc.sections.base import Clock, Setting, real
from netc.sections.losses import Loss
from netc.sections.model import Line, Train, output_of
from netc.sections.monitors import VALIDATION, Monitoring
from netc.sections.optimizers import Muon
from netc.sections.schedules import learning_rate
from netc.sections.settings import EMA, Accumulate, Clip, Precision, WeightDecay
from netc.target import Call

Values = Callable[[Line[Any]], Any]
POLICIES = {"bfloat16": "mixed_bfloat16", "float16": "mixed_float16"}
DECAYED = ("kernel",)  # names of the variables that weight decay acts on, parts of names included


@dataclass(frozen=True, slots=True)
class CompileArguments:
    """The arguments of `compile`, by output node where they belong to one, and what `fit` watches.

    `weights` holds the loss weights that are not 1. When `decays`, the optimizer must be told to leave alone every
    variable that is no kernel (`exclude_from_weight_decay`). `policy` is a dtype policy, None for float32; under it the
    layers `exact`, whose outputs losses and metrics are computed from, still compute in float32: a probability in
    bfloat16 has 8 bits, and Keras' top-k metrics take no half precision.
    """

    optimizer: Call
    losses: Mapping[str, Call]
    weights: Mapping[str, Any]
    metrics: Mapping[str, Sequence[Call]]
    callbacks: Sequence[Call]
    decays: bool
    policy: str | None
    exact: Sequence[str]

    def keywords(self, names: Mapping[str, str]) -> dict[str, Any]:
        """`loss`, `loss_weights` and `metrics` as Keras takes them: alone for one output, for several by the `names`
        that it has for them."""
        given: dict[str, Mapping[str, Any]] = {"loss": self.losses}
        if self.weights:
            given["loss_weights"] = {output: self.weights.get(output, 1.0) for output in self.losses}
        if self.metrics:
            given["metrics"] = {output: list(calls) for output, calls in self.metrics.items()}
        if len(names) == 1:
            return {key: values[output] for key, values in given.items() for output in names}
        return {key: {names[output]: value for output, value in values.items()} for key, values in given.items()}


def plain(line: Line[Any]) -> Any:
    """The setting as resolved; emitted code passes a function that puts symbols into it."""
    return line.value


def lower(train: Train, net: Net, labels: Mapping[str, str], clock: Clock, value: Values = plain) -> CompileArguments:
    """The calls of a section without errors, for the network whose top-level labels are given."""
    losses = dict(_by_output(train.losses, net, labels, value))
    metrics: dict[str, list[Call]] = {}
    for line in train.metrics:
        output = output_of(line.value.of, net, labels)
        if output in losses:
            metrics.setdefault(output, []).append(value(line).lower(losses[output], units(net, output)))
    better = quantities(train, net, labels)
    decay = train.value(WeightDecay)
    precision = train.value(Precision)
    optimizer = value(train.optimizer)
    policy = POLICIES.get(precision.number) if precision else None
    rate = learning_rate(optimizer.lr, [value(line) for line in train.schedules], clock)
    return CompileArguments(
        optimizer.lower(rate, dict(_shared(train, net, value))),
        {output: loss.lower() for output, loss in losses.items()},
        {output: real(loss.weight) for output, loss in losses.items() if loss.weight != 1},
        metrics,
        [value(line).lower(better) for line in train.all(Monitoring)],
        optimizer.decays or bool(decay and decay.decoupled),
        policy,
        list(dict.fromkeys(net.node(output).layer_name for output in net.outputs)) if policy else [],
    )


def quantities(train: Train, net: Net, labels: Mapping[str, str]) -> dict[str, str]:
    """What training can watch, as Keras names it, and whether the best of it is its "min" or its "max"."""
    several = len(net.outputs) > 1
    known = {"loss": "min"}
    for line in train.metrics:
        output = output_of(line.value.of, net, labels)
        if output is not None:
            known[f"{output}_{line.value.key}" if several else line.value.key] = line.value.best
    if several:
        known.update((f"{output}_loss", "min") for output in net.outputs)
    return {**known, **{VALIDATION + name: best for name, best in known.items()}}


def units(net: Net, output: str) -> int:
    """Channels of an output."""
    return channels_of(net.shapes[output])


def _by_output(
    lines: Sequence[Line[Loss]], net: Net, labels: Mapping[str, str], value: Values
) -> Iterator[tuple[str, Any]]:
    for line in lines:
        output = output_of(line.value.of, net, labels)
        if output is not None:
            yield output, value(line)


def _shared(train: Train, net: Net, value: Values) -> Iterator[tuple[str, Any]]:
    """Arguments of the optimizer that other lines give."""

    def given(kind: type[Setting]) -> Any:
        line = train.one(kind)
        return None if line is None else value(line)

    decay, clip, ema, accumulate = given(WeightDecay), given(Clip), given(EMA), given(Accumulate)
    if decay is not None and decay.decoupled:
        yield "weight_decay", real(decay.strength)
    if clip is not None:
        arguments = {"global_clipnorm": clip.norm, "clipnorm": clip.each, "clipvalue": clip.value}
        yield from ((name, real(bound)) for name, bound in arguments.items() if bound is not None)
    if ema is not None:
        yield from (("use_ema", True), ("ema_momentum", real(ema.decay)))
    if accumulate is not None and accumulate.count > 1:  # Keras refuses 1, which is none
        yield "gradient_accumulation_steps", accumulate.count
    if isinstance(train.optimizer.value, Muon):
        yield "exclude_layers", tuple(rf"(^|/){name}/" for name in _heads(net))


def _heads(net: Net) -> list[str]:
    """The last layers with kernels in front of the outputs."""
    heads = []
    for output in net.outputs:
        name = output
        while not net.node(name).layer.weighted and len(net.operands(name)) == 1:
            name = net.operands(name)[0]
        heads.append(net.node(name).layer_name)
    return list(dict.fromkeys(heads))
