"""The passes over a lowered program: plain functions in one ordered tuple.

Those that report look at what was written; those that change layers come last, so that they see it.
"""

from __future__ import annotations

from collections.abc import Callable

from netc.passes.canonical import canonicalise
from netc.passes.forms import check_forms, heavy_dense
from netc.passes.norms import check_norms, check_targets
from netc.passes.order import double_activations, last_dropouts, without_effect
from netc.passes.sizes import check_unknown_sizes
from netc.passes.usage import left_behind
from netc.passes.windows import check_windows
from netc.program import Program

Pass = Callable[[Program], None]


def check_sections(program: Program) -> None:
    """Report where `data` and `train` contradict the network."""
    if program.sections.data is not None or program.sections.train is not None:
        from netc.sections.check import check  # noqa: PLC0415 - most specs have no sections

        check(program)


def decay_weights(program: Program) -> None:
    """Put the `weight_decay` of `train` into the layers."""
    if program.sections.train is not None:
        from netc.sections.weight_decay import apply_weight_decay  # noqa: PLC0415 - most specs have no sections

        apply_weight_decay(program)


PASSES: tuple[Pass, ...] = (
    left_behind,
    check_unknown_sizes,
    check_windows,
    check_targets,
    check_norms,
    double_activations,
    last_dropouts,
    without_effect,
    check_forms,
    heavy_dense,
    check_sections,
    canonicalise,
    decay_weights,
)


def run(program: Program, hook: Callable[[Pass, Program], None] | None = None) -> None:
    """Run all passes; `hook` is called after each, to print or time what it did."""
    for step in PASSES:
        step(program)
        if hook is not None:
            hook(step, program)


__all__ = ["PASSES", "Pass", "run"]
