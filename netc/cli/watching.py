"""`--watch`: a command runs again whenever a file changes that its specs are read from.

Files are looked at five times a second, which takes about as many microseconds as there are files, needs no package,
and is right on network drives and in containers, where systems tell nobody of a change.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from time import sleep

from netc.cli.endings import USAGE, Failed, UsageError
from netc.cli.output import STDIO, say
from netc.cli.running import is_model, specs
from netc.diagnostics.model import Diagnostics
from netc.files import Stamp, stamp
from netc.limits import Limits
from netc.project import places

INTERVAL = 0.2  # seconds
SETTLING = 0.05
PATIENCE = 10  # looks at a file that is gone before that is a change: editors take the old one away to save
MOST = 10_000  # files

Stamps = dict[Path, Stamp | None]


def watch(run: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Run a command over and over, until Ctrl-C. What is wrong with texts is said, and their next change waited for; a
    command line that is wrong, or names files that are not there, ends it at once."""
    if STDIO in _given(options):
        raise UsageError("--watch waits for changes of files, and `-` is none")
    seen = _look(options)
    try:
        if run(argparse.Namespace(**vars(options))) == USAGE:
            return USAGE
    except Failed:
        pass
    _note("waiting for changes; Ctrl-C ends it")
    while True:
        changed = _change(options, seen)
        seen = _look(options)
        _note(f"{changed} changed")
        try:
            run(argparse.Namespace(**vars(options)))
        except Failed:
            pass
        except UsageError as error:
            say(f"netc: {error}")


def _note(text: str) -> None:
    """A line with the time, for who looks at it."""
    if sys.stderr.isatty():
        say(f"{datetime.now():%H:%M:%S} {text}")


def _change(options: argparse.Namespace, seen: Stamps) -> Path:
    """A file that is another one than it was, once all that changes with it stays as it is."""
    while True:
        sleep(INTERVAL)
        now = _again(options, seen)
        for _ in range(PATIENCE):
            if now == seen:
                break
            sleep(SETTLING)
            before, now = now, _again(options, seen)
            if now == before and not any(now[path] is None for path, old in seen.items() if old):
                break
        for path, found in now.items():
            if found != seen.get(path):
                return path


def _again(options: argparse.Namespace, seen: Stamps) -> Stamps:
    """How files are now: those that were there, and new ones of folders."""
    return {path: stamp(path) for path in {**seen, **dict.fromkeys(_specs(options))}}


def _look(options: argparse.Namespace) -> Stamps:
    """How the files are from which the specs are read: each looked at before it is read, so that no change is lost."""
    stamps: Stamps = {}
    named = waiting = _specs(options)
    while waiting and len(stamps) < MOST:
        path, *waiting = waiting
        if path not in stamps:
            stamps[path] = stamp(path)
            waiting.extend(_used(path))
    for path in named:
        stamps |= {place: stamp(place) for place in places(path)}
    return stamps


def _specs(options: argparse.Namespace) -> list[Path]:
    try:
        return [Path(os.path.abspath(path)) for path in specs(_given(options))]
    except UsageError:  # a folder that is empty now
        return []


def _given(options: argparse.Namespace) -> list[str]:
    """What the command line names: one file or several, and those that stand beside them in a figure."""
    beside = [path for listed in getattr(options, "beside", []) for path in listed.split(",")]
    return [*(options.files if "files" in options else [options.file]), *beside]


def _used(path: Path) -> Iterator[Path]:
    """The files that a text names after `use`, whether they are there or not."""
    from netc.lower.definitions import used  # noqa: PLC0415 - brings Lark
    from netc.syntax.parser import parse  # noqa: PLC0415
    from netc.syntax.reading import read  # noqa: PLC0415

    try:
        source = None if is_model(str(path)) else read(path, Limits(), Diagnostics())
    except OSError:
        return
    if source is None:
        return
    folder = Path(os.path.realpath(path)).parent
    yield from (folder / target.value for target in used(parse(source, Limits(), Diagnostics())))
