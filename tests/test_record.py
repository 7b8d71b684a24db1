"""Records behave as frozen keyword-only dataclasses do."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from netc.record import Record, record


@record
class Point(Record):
    x: int
    y: int = 2


@record
class Named(Point):
    name: str = "a"


def test_values_and_defaults() -> None:
    assert (Point(x=1).x, Point(x=1).y, Named(x=1, name="b").name) == (1, 2, "b")
    assert repr(Named(x=1)) == "Named(x=1, y=2, name='a')"
    assert replace(Named(x=1), y=5) == Named(x=1, y=5)


def test_equal_by_class_and_value() -> None:
    assert Point(x=1) == Point(x=1, y=2)
    assert hash(Point(x=1)) == hash(Point(x=1, y=2))
    assert Point(x=1) != Point(x=2)
    assert Point(x=1) != Named(x=1)


def test_frozen_and_complete() -> None:
    with pytest.raises(FrozenInstanceError):
        Point(x=1).x = 3  # type: ignore[misc]
    with pytest.raises(TypeError, match="x"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="z"):
        Point(x=1, z=3)  # type: ignore[call-arg]
