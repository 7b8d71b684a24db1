"""What changes the layers of a lowered program, in order. Checks come before, so that they see what was written."""

from __future__ import annotations

from collections.abc import Callable

from netc.program import Program
from netc.rewrites.canonical import canonicalise
from netc.rewrites.ramps import place_ramps


def decay_weights(program: Program) -> None:
    """Put the `weight_decay` of `train` into the layers."""
    if program.sections.train is not None:
        from netc.sections.weight_decay import apply_weight_decay  # noqa: PLC0415 - most specs have no sections

        apply_weight_decay(program)


REWRITES: tuple[Callable[[Program], None], ...] = (canonicalise, place_ramps, decay_weights)

__all__ = ["REWRITES"]
