"""How much memory is free: of the machine, and of the containers that this process is in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

SHARE = 3  # of the free memory that one array may take: it is there twice for a moment
GROUPS, OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
UNBOUNDED = 1 << 62
FILES = {"": ("memory.max", "memory.current"), "memory": ("memory.limit_in_bytes", "memory.usage_in_bytes")}


def affordable() -> int:
    """Bytes that an array may take."""
    import psutil  # noqa: PLC0415 - only where arrays are read

    left = (_left(bound, used) for bound, used in bounds(GROUPS, OWN))
    return max(0, min([psutil.virtual_memory().available, *left])) // SHARE


@cache
def bounds(groups: Path, own: Path) -> list[tuple[int, Path]]:
    """The bounds that Linux keeps for the process's group and those around it, and where each says what is used.

    `own` names the group, by the second version of control groups or by the first.
    """
    return list(_bounds(groups, own))


def _bounds(groups: Path, own: Path) -> Iterator[tuple[int, Path]]:
    with suppress(OSError):
        for line in own.read_text().splitlines():
            _, kind, place = line.split(":", 2)
            around = Path(place.lstrip("/"))
            for group in (around, *around.parents) if kind in FILES else ():
                bound, used = (groups / kind / group / name for name in FILES[kind])
                with suppress(OSError, ValueError):  # no such group here, or no bound: `max`, or almost 2^63
                    if (most := int(bound.read_text())) < UNBOUNDED:
                        yield most, used


def _left(bound: int, used: Path) -> int:
    """What is left of a bound. Files that were read count as used until something else needs the memory."""
    taken = files = 0
    with suppress(OSError, ValueError):  # some containers show less than Linux does: the bound alone counts then
        taken = int(used.read_text())
        said = dict(line.split() for line in used.with_name("memory.stat").read_text().splitlines())
        files = sum(int(said.get(f"total_{name}", said.get(name, 0))) for name in ("active_file", "inactive_file"))
    return bound - max(taken - files, 0)
