"""What a project says of its specs, once for every command and editor: `[tool.netc]` in its `pyproject.toml`.

The table is read as data, within bounds, and nothing in it is run. Read is the nearest file that has one, from the
folder of the spec upwards.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from netc.diagnostics.levels import GROUPS, Level, LevelError, Levels, lints
from netc.files import Stamp, stamp
from netc.limits import Limits, bounded

FILE = "pyproject.toml"
TABLE = ("tool", "netc")
KEYS = (*(level.value for level in Level), "limits", "out")
LARGEST = 250_000  # bytes of the file
DOTS = 100  # in a line of it: the time to read a key grows with the square of its parts
_PLACE = re.compile(r" \(at (?:line (\d{1,9}), column \d{1,9}|end of document)\)$")  # in what tomllib says
_TRIES = 20  # places of a word that are looked at
_LONGEST = 60  # characters of a value in a message


class ProjectError(ValueError):
    """What is wrong with a `pyproject.toml`: in which `file`, in which `line` (from 1; None where that is not known),
    and the `message`, of one line. The text of the error has all three."""

    def __init__(self, file: Path, line: int | None, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}" if line else f"{file}: {message}")
        self.file, self.line, self.message = file, line, message


@dataclass(frozen=True, slots=True)
class Project:
    """What holds for the specs of a project.

    `levels` of lints and `limits` of all texts; `out`, the folder for files that netc names itself (absolute; None is
    the current one); `file`, the `pyproject.toml` that says so, None where none does.
    """

    levels: Levels = field(default_factory=Levels)
    limits: Limits = field(default_factory=Limits)
    out: Path | None = None
    file: Path | None = None

    @classmethod
    def of(cls, path: str | os.PathLike[str] | None = None) -> Project:
        """What holds for a spec, or for what is in a folder; without a path, for the current folder.

        Files are read again only after a change. Raises `ProjectError`: also for a file that is no TOML, if the word
        netc is in it.

        >>> Project.of("specs/resnet.net").limits.layers
        100000
        """
        for file in places("." if path is None else path):
            seen = stamp(file)
            found = seen and _read(file, seen)
            if found:
                return found
        return cls()


def places(path: str | os.PathLike[str]) -> list[Path]:
    """Where the `pyproject.toml` of a spec or a folder may stand, the nearest first."""
    start = Path(os.path.abspath(path))
    return [folder / FILE for folder in (start, *start.parents)]


@lru_cache(maxsize=64)
def _read(file: Path, _: Stamp) -> Project | None:
    """What a file says, if it has the table."""
    try:
        with open(file, "rb") as stream:
            data = stream.read(LARGEST + 1)
    except OSError as error:
        raise ProjectError(file, None, f"cannot be read: {(error.strerror or str(error)).lower()}") from None
    if len(data) > LARGEST:
        raise ProjectError(file, None, f"is larger than {LARGEST:,} bytes")
    if TABLE[-1].encode() not in data:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ProjectError(file, line, f"is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}") from None
    return _Reading(file, text).project()


def _toml(text: str) -> dict[str, Any]:
    """A TOML text as data; raises ValueError."""
    import tomllib  # noqa: PLC0415 - most folders have no such file

    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("brackets are too deep inside each other") from None


class _Reading:
    """One text, on the way to what it says."""

    def __init__(self, file: Path, text: str) -> None:
        self._file, self._text = file, text
        self._document = self._parsed()

    def _parsed(self) -> dict[str, Any]:
        for number, line in enumerate(self._text.split("\n"), 1):
            dots = line.count(".")
            if dots > DOTS:
                raise ProjectError(self._file, number, f"got {dots:,} dots in a line, expected {DOTS} at most")
        try:
            return _toml(self._text)
        except ValueError as error:
            said = str(error)
            found = _PLACE.search(said)
            line_number = int(found[1] or self._text.rstrip().count("\n") + 1) if found else None
            message = said[: found.start()] if found else said
            raise ProjectError(self._file, line_number, f"is no TOML: {message[:1].lower()}{message[1:]}") from None

    def project(self) -> Project | None:
        """What the table says; None where there is none."""
        if _at(self._document, TABLE) is None:
            return None
        table = self._table(TABLE, KEYS)
        return Project(self._levels(table), self._limits(), self._out(table), self._file)

    def _wrong(self, message: str, keys: Sequence[str | int], word: str | None = None) -> ProjectError:
        """The error for what stands at some keys: where the `word` is in it, or where it is named."""
        line = self._line(keys, word) if word else None
        return ProjectError(self._file, line or self._line(keys, str(keys[-1])), message)

    def _line(self, keys: Sequence[str | int], word: str) -> int | None:
        """The line of a word: where another one changes what the keys lead to. TOML's reader tells no places."""
        before = _at(self._document, keys)
        for found in islice(re.finditer(re.escape(word), self._text), _TRIES):
            try:
                document = _toml(f"{self._text[: found.start()]}x{self._text[found.start() :]}")
            except ValueError:
                continue
            if _at(document, keys[:-1]) is not None and _at(document, keys) != before:
                return self._text.count("\n", 0, found.start()) + 1
        return None

    def _table(self, keys: Sequence[str], known: Sequence[str]) -> Mapping[str, Any]:
        """The table at some keys, which has no others than those known."""
        from netc.suggest import did_you_mean  # noqa: PLC0415 - after the file was found

        table, name = _at(self._document, keys), ".".join(keys)
        if not isinstance(table, dict):
            raise self._wrong(f"`{name}` got {_shown(table)}, expected a table: [{name}]", keys)
        for key in table:
            if key not in known:
                (advice,) = did_you_mean(key, known, [f"expected one of {', '.join(known)}"])
                raise self._wrong(f"[{name}] has no key `{key}`; {advice}", [*keys, key])
        return table

    def _levels(self, table: Mapping[str, Any]) -> Levels:
        """The levels of lints: what one has by its name counts over its group, as the order of keys means nothing."""
        groups, named = dict[str, Level](), dict[str, Level]()
        for level, index, text in self._choices(table):
            keys = [*TABLE, level.value, index]
            try:
                codes = lints(text)
            except LevelError as error:
                raise self._wrong(f"`{level.value}`: {error}", keys, text) from None
            into = groups if text in GROUPS else named
            for code in codes:
                if into.setdefault(code, level) is not level:
                    message = f"`{text}` stands in `{into[code].value}` and in `{level.value}`, expected one of them"
                    raise self._wrong(message, keys, text)
        return Levels({**groups, **named})

    def _choices(self, table: Mapping[str, Any]) -> Iterator[tuple[Level, int, str]]:
        for level in Level:
            chosen = table.get(level.value, [])
            if not isinstance(chosen, list) or not all(isinstance(text, str) for text in chosen):
                message = f'`{level.value}` got {_shown(chosen)}, expected a list of lints, such as ["NET501"]'
                raise self._wrong(message, [*TABLE, level.value])
            for index, text in enumerate(chosen):
                yield level, index, text

    def _limits(self) -> Limits:
        keys = [*TABLE, "limits"]
        if _at(self._document, keys) is None:
            return Limits()
        table = self._table(keys, [one.name for one in fields(Limits)])
        for name, value in table.items():
            whole = isinstance(value, int) and not isinstance(value, bool)
            try:
                bounded(name, value if whole else 0, _shown(value))
            except ValueError as error:
                raise self._wrong(f"`limits.{name}`: {error}", [*keys, name]) from None
        return replace(Limits(), **table)

    def _out(self, table: Mapping[str, Any]) -> Path | None:
        """The folder for results: one of the project, as whoever wrote the file need not be who runs netc."""
        if "out" not in table:
            return None
        named, root = table["out"], self._file.parent
        if not isinstance(named, str) or not named or not named.isprintable():
            message = f'`out` got {_shown(named)}, expected the name of a folder, such as "figures"'
            raise self._wrong(message, [*TABLE, "out"])
        if not Path(root, named).resolve().is_relative_to(root.resolve()):
            raise self._wrong(f"`out` got {_shown(named)}, expected a folder below {root}", [*TABLE, "out"])
        return root / named


def _at(document: Any, keys: Sequence[str | int]) -> Any:
    """What keys lead to; None where they lead nowhere, which no value of TOML is."""
    for key in keys:
        try:
            document = document[key]
        except (KeyError, IndexError, TypeError):
            return None
    return document


def _shown(value: object) -> str:
    """A value about as TOML writes it, shortened."""
    import json  # noqa: PLC0415 - only for a mistake

    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
