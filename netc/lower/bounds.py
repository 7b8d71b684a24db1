"""The bounds on an expansion, as errors that say how to raise them."""

from __future__ import annotations

from typing import NoReturn

from netc.limits import Limits
from netc.lower.context import BROKEN, Context
from netc.syntax.source import Span


class Stop(Exception):
    """A bound on the whole expansion was hit and reported: nothing more is expanded."""


def over(code: str, message: str, limit: str, value: int, span: Span, ctx: Context) -> Stop:
    """Report what a `--limit` of that value would let pass."""
    ctx.scope.fail(code, message, span, help=(f"raise the bound with `--limit {limit}={value}`",))
    return Stop()


def too_many_steps(limits: Limits, span: Span, ctx: Context) -> NoReturn:
    """Report that more statements would run than may."""
    raise over("NET608", f"more than {limits.steps} statements would run", "steps", limits.steps * 10, span, ctx)


def too_many_layers(limits: Limits, span: Span, ctx: Context) -> NoReturn:
    """Report that the network would have more layers than it may."""
    message = f"the network has more than {limits.layers:,} layers"
    raise over("NET604", message, "layers", limits.layers * 10, span, ctx)


def too_deep(limits: Limits, span: Span, ctx: Context) -> None:
    """Report definitions and blocks inside each other, and break the current tensor."""
    message = f"more than {limits.nesting} definitions and blocks are being expanded inside each other"
    over("NET602", message, "nesting", limits.nesting * 2, span, ctx)
    ctx.move(BROKEN)
