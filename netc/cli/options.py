"""Options that several commands share, and what they mean."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

from netc.cli.endings import UsageError, refusing
from netc.cli.output import STDIO
from netc.diagnostics.levels import Level, Levels, lints
from netc.limits import Limits, bounded
from netc.project import Project, ProjectError

if TYPE_CHECKING:
    from netc.values import Value

T = TypeVar("T")
LEVELS = 20  # Python calls that the expansion, the checks and the targets take for each block inside another
_LIMITS = {field.name: field.default for field in fields(Limits)}


@dataclass(frozen=True, slots=True)
class Settings:
    """How specs are compiled and judged in this run."""

    overrides: dict[str, Value]
    limits: Limits
    levels: Levels


def add(command: argparse.ArgumentParser, *names: str) -> None:
    """Declare options that several commands have, by their names in `_SHARED`."""
    for name in names:
        command.add_argument(name, **_SHARED[name])


def add_compiling(command: argparse.ArgumentParser, *, whose: str = "the file") -> None:
    """Declare what every command has that compiles a spec: the options after `Settings`, and colours. `whose` are the
    parameters that `-D` sets."""
    add(command, "--color")
    command.add_argument("-D", **{**_SHARED["-D"], "help": _SHARED["-D"]["help"].replace("the file", whose)})
    levels = command.add_argument_group(
        "lints",
        "CODE is NET501, its name, or `warnings`; the last option counts, and over [tool.netc] in pyproject.toml",
    )
    for level, text in (
        (Level.DENY, "make a lint an error"),
        (Level.WARN, "make it a warning again"),
        (Level.ALLOW, "accept it silently (in a spec: a comment `# netc: allow NET501` on its line)"),
    ):
        option = f"--{level.value}"
        levels.add_argument(
            option, metavar="CODE", dest="levels", action="append", default=[], type=_level(level), help=text
        )
    add_bounds(command)


def add_bounds(command: argparse.ArgumentParser) -> None:
    """Declare what every command has that reads specs."""
    add(command, "--limit", "--isolated")


def add_overrides(command: argparse.ArgumentParser, flag: str, help: str) -> None:
    """Declare an option as `-D` under another name, for one of several files."""
    command.add_argument(flag, **{**_SHARED["-D"], "dest": flag[1:], "help": help})


def project(options: argparse.Namespace, path: str) -> Project:
    """What the project of a file says, or of the folder of a run; `-` is where its name stands, else in the current
    folder. Raises `UsageError` for a `pyproject.toml` that cannot be obeyed."""
    if options.isolated:
        return Project()
    with refusing(ProjectError):
        return Project.of(getattr(options, "stdin_filename", None) if path == STDIO else path)


def settings(options: argparse.Namespace, path: str, *, lints: bool = True) -> Settings:
    """The settings of a file, those of its project where no option says another. Lints are accepted without `lints`
    unless an option asks for them. Raises `UsageError` for a name given twice, and as `project`."""
    silent = [] if lints else [(Level.ALLOW, "warnings")]
    levels = {**project(options, path).levels.changed, **Levels.of([*silent, *options.levels]).changed}
    return Settings(overrides(options), limits(options, path), Levels(levels))


def overrides(options: argparse.Namespace) -> dict[str, Value]:
    """The parameters of parsed options; raises `UsageError` for a name given twice."""
    return _once("-D", options.overrides)


def place(options: argparse.Namespace, path: str, name: str) -> str:
    """Where the result for a file goes if netc gives it a name: the folder of its project says, or the current one."""
    folder = project(options, path).out
    if folder is None:
        return name
    made, here = folder / name, Path.cwd()
    return str(made.relative_to(here) if made.is_relative_to(here) else made)


def limits(options: argparse.Namespace, path: str) -> Limits:
    """The bounds for a file, and the stack that they take; raises `UsageError` as `settings`."""
    chosen = replace(project(options, path).limits, **_once("--limit", options.limits))
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 1000 + LEVELS * (chosen.nesting - Limits().nesting)))
    return chosen


def whole(low: int, high: int) -> Callable[[str], int]:
    """An argparse type: a whole number between two."""

    def convert(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 12 and low <= int(text) <= high):
            raise argparse.ArgumentTypeError(f"got {text!r}, expected a whole number from {low} to {high}")
        return int(text)

    return convert


def sizes(text: str) -> tuple[int, ...]:
    """An argparse type: sizes such as 256 and 420x560."""
    parts = text.replace("×", "x").split("x")
    if not all(part.isascii() and part.isdigit() and 0 < int(part) < 10**6 for part in parts):
        raise argparse.ArgumentTypeError(f"got {text!r}, expected sizes such as 256 or 420x560")
    return tuple(map(int, parts))


def real(low: float, high: float) -> Callable[[str], float]:
    """An argparse type: a number between two."""

    def convert(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not low <= number <= high:
            raise argparse.ArgumentTypeError(f"got {text!r}, expected a number from {low:g} to {high:g}")
        return number

    return convert


def coloured(choice: str, stream: TextIO) -> bool:
    """Whether to colour what goes to a stream."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "0") != "0":
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _once(option: str, pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    made: dict[str, T] = {}
    for name, value in pairs:
        if name in made:
            raise UsageError(f"{option} {name} is given twice")
        made[name] = value
    return made


def _said(read: Callable[[str], T]) -> Callable[[str], T]:
    """An argparse type whose errors say what was wrong."""

    def convert(text: str) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def _override(text: str) -> tuple[str, Value]:
    from netc.lower.overrides import parse_override  # noqa: PLC0415 - commands without -D need no lowering

    return parse_override(text)


def _level(level: Level) -> Callable[[str], tuple[Level, str]]:
    def read(text: str) -> tuple[Level, str]:
        lints(text)
        return level, text

    return _said(read)


def _limit(text: str) -> tuple[str, int]:
    name, _, value = text.partition("=")
    if name not in _LIMITS:
        from netc.suggest import did_you_mean  # noqa: PLC0415 - only for a mistake

        raise ValueError("; ".join([f"there is no limit `{name}`", *did_you_mean(name, _LIMITS)]))
    digits = value.replace("_", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise ValueError(f"got `{text}`, expected `{name}=` and a whole number of at least 1")
    return name, bounded(name, int(digits), text)


_SEVERAL = {"action": "append", "default": []}
_SHARED: dict[str, dict[str, Any]] = {
    "file": {"metavar": "FILE", "help": "a spec; `-` reads standard input"},
    "files": {"metavar": "FILE", "nargs": "+", "help": "specs, or folders of them; `-` reads standard input"},
    "--force": {"action": "store_true", "help": "replace a file that netc did not write too"},
    "--stdin-filename": {
        "metavar": "NAME",
        "help": "what the file `-` is called: in messages, for the paths of `use`, and for the network's name",
    },
    "--color": {
        "choices": ("auto", "always", "never"),
        "default": "auto",
        "help": "colours: on a terminal (auto, which honours NO_COLOR and FORCE_COLOR), always or never",
    },
    "-D": {
        "dest": "overrides",
        "metavar": "NAME=VALUE",
        "type": _said(_override),
        "help": "set a parameter of the file: -D n=9, -D rate=0.5, -D aux=true, -D act=relu",
        **_SEVERAL,
    },
    "--limit": {
        "dest": "limits",
        "metavar": "NAME=VALUE",
        "type": _said(_limit),
        "help": f"raise or lower a bound (now: {', '.join(f'{name}={value}' for name, value in _LIMITS.items())})",
        **_SEVERAL,
    },
    "--isolated": {
        "action": "store_true",
        "help": "ignore [tool.netc] of pyproject.toml, which is read from the folder of the file upwards",
    },
    "--watch": {
        "action": "store_true",
        "help": "run again whenever a spec, a file that it uses or its pyproject.toml changes; Ctrl-C ends it",
    },
}
