"""Settings that watch a quantity: what it may be, and whether more or less of it is better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from netc.params import param
from netc.record import record
from netc.sections.base import Name, Targeted
from netc.target import Call

VALIDATION = "val_"


@record
class Monitoring(Targeted):
    """A setting that becomes a callback which watches a quantity, as Keras names them: `val_loss`, `val_accuracy`."""

    own: ClassVar[frozenset[str]] = frozenset({"monitor"})

    monitor: str = param(Name("a quantity such as val_loss"), "the quantity watched", "val_loss")

    def lower(self, better: Mapping[str, str]) -> Call:
        """The callback; `better` says for each quantity whether the best is its "min" or its "max"."""
        given: dict[str, Any] = {"monitor": self.monitor, "mode": better[self.monitor], **self.arguments()}
        return Call(self.target, kwargs=given)
