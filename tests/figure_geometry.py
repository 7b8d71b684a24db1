"""What is wrong with the geometry of a scene, as a reader would see it: the test of every figure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from netc.figures.scene import Box, Group, Path, Scene, Text

TOUCH = 1.0  # pixels that an edge may go into the boxes it joins


def violations(scene: Scene) -> list[str]:
    """Everything wrong: texts outside their box or the sheet, overlaps, edges through boxes."""
    boxes = [
        (item.name, item.items[0].box, item) for item in scene.walk() if isinstance(item, Group) and item.role == "box"
    ]
    inside = {id(inner) for _, _, group in boxes for inner in group.items}
    labels = [item for item in scene.walk() if isinstance(item, Text) and id(item) not in inside]
    sheet = Box(0, 0, scene.width, scene.height)
    found = [
        f"{name}: {text.text!r} leaves its box" for name, box, text in _texts(boxes) if not box.holds(text.box, 0.5)
    ]
    found += [f"{name} leaves the sheet" for name, box, _ in boxes if not sheet.holds(box)]
    found += [f"{label.text!r} leaves the sheet" for label in labels if not sheet.holds(label.box, 0.5)]
    areas = [(name, box) for name, box, _ in boxes] + [(repr(label.text), label.box) for label in labels]
    found += [f"{one} overlaps {other}" for one, other in overlaps(areas)]
    for path in scene.walk():
        if isinstance(path, Path) and path.role == "edge":
            found += _crossings(path, boxes, sheet)
    return found


def _texts(boxes: list[tuple[str, Box, Group]]) -> Iterator[tuple[str, Box, Text]]:
    for name, box, group in boxes:
        for item in group.items:
            if isinstance(item, Text):
                yield name, box, item


def overlaps(areas: list[tuple[str, Box]]) -> Iterator[tuple[str, str]]:
    """Pairs that overlap, by a sweep from the top."""
    active: list[tuple[str, Box]] = []
    for name, box in sorted(areas, key=lambda area: area[1].top):
        active = [each for each in active if each[1].bottom > box.top]
        yield from ((name, other) for other, theirs in active if box.overlaps(theirs, 0.3))
        active.append((name, box))


def _crossings(path: Path, boxes: list[tuple[str, Box, Group]], sheet: Box) -> list[str]:
    points = list(path.points())
    reach = path.box
    near = [(name, box) for name, box, _ in boxes if box.overlaps(_grown(reach, 1))]
    found = (
        []
        if all(sheet.holds(Box(*point, *point), 0.5) for point in points)
        else [f"an edge at {points[0]} leaves the sheet"]
    )
    for name, box in near:
        inner = _grown(box, -TOUCH)
        if any(_segment_meets(inner, one, other) for one, other in itertools.pairwise(points)):
            found.append(f"an edge from {points[0]} to {points[-1]} crosses {name} {box}")
    return found


def _grown(box: Box, by: float) -> Box:
    return Box(box.left - by, box.top - by, box.right + by, box.bottom + by)


def _segment_meets(box: Box, one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Whether a straight segment has a point inside a box (Liang & Barsky 1984)."""
    dx, dy = other[0] - one[0], other[1] - one[1]
    low, high = 0.0, 1.0
    for step, room in (
        (-dx, one[0] - box.left),
        (dx, box.right - one[0]),
        (-dy, one[1] - box.top),
        (dy, box.bottom - one[1]),
    ):
        if step == 0:
            if room <= 0:
                return False
            continue
        at = room / step
        if step < 0:
            low = max(low, at)
        else:
            high = min(high, at)
    return low < high


__all__ = ["overlaps", "violations"]
