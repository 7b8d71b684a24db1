"""The difference of two networks as JSON (docs/diff.md describes the format)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from netc.difference.compare import Difference
from netc.difference.edits import Edit
from netc.difference.words import lines, total

FORMAT = 1  # raised when a key changes its meaning or goes; new keys leave it


def dump(difference: Difference) -> str:
    """The difference as JSON text that ends in a newline."""
    return json.dumps(data(difference), indent=2, allow_nan=False) + "\n"


def data(difference: Difference) -> dict[str, Any]:
    """The difference as plain data."""
    before, after = difference.matching.before, difference.matching.after
    one, other = difference.figures
    return {
        "format": FORMAT,
        "before": {"name": before.name, **asdict(one)},
        "after": {"name": after.name, **asdict(other)},
        "same": difference.same,
        "edits": [{"kind": type(edit).__name__.lower(), **_edit(edit)} for edit in difference.edits],
        "text": [f"{line.sign} {line.words}" for line in lines(difference)],
        "total": total(difference),
    }


def _edit(edit: Edit) -> dict[str, Any]:
    return {field.name: _plain(getattr(edit, field.name)) for field in fields(edit)}


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(own) for name, own in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(each) for each in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)
