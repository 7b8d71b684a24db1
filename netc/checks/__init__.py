"""What is found in a lowered program: plain functions that look at what was written and report it, in order."""

from __future__ import annotations

from collections.abc import Callable

from netc.checks.forms import check_forms, heavy_dense
from netc.checks.norms import check_norms, check_targets
from netc.checks.order import done_twice, double_activations, last_dropouts, without_effect
from netc.checks.usage import left_behind, made_ids
from netc.checks.windows import check_windows
from netc.program import Program


def check_unknown_sizes(program: Program) -> None:
    """Report an unknown input size for which the network cannot be built, or which must be chosen with care."""
    if program.net.is_open:
        from netc.checks.sizes import check  # noqa: PLC0415 - most networks have none

        check(program)


def check_sections(program: Program) -> None:
    """Report where `data` and `train` contradict the network."""
    if program.sections.data is not None or program.sections.train is not None:
        from netc.sections.check import check  # noqa: PLC0415 - most specs have no sections

        check(program)


CHECKS: tuple[Callable[[Program], None], ...] = (
    left_behind,
    made_ids,
    check_unknown_sizes,
    check_windows,
    check_targets,
    check_norms,
    double_activations,
    done_twice,
    last_dropouts,
    without_effect,
    check_forms,
    heavy_dense,
    check_sections,
)

__all__ = ["CHECKS"]
