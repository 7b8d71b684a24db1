"""`--set train.batch=64` and `--data PATH`: what the command line says instead of the sections.

It is changed in the syntax tree, so that it is checked like what stands there and its errors have a place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from netc.diagnostics.model import Diagnostics
from netc.limits import Limits
from netc.sections.data_sets import DATA_SETS
from netc.sections.settings import SECTIONS, lines
from netc.suggest import did_you_mean
from netc.syntax.parser import parse
from netc.syntax.source import Source, Span
from netc.syntax.tree import Argument, File, If, Keyword, Literal, Operation, Positional, Reference, Statement

_FORM = re.compile(r"\s*(\w+)\.(\w+)(?:\.(\w+))?\s*=(.*)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Override:
    """One change. `given` is the line as written anew, None to remove it; with a `key` only its argument is used."""

    section: str
    line: str
    key: str | None
    given: Operation | None
    whole: Operation  # the section with nothing but that line


@dataclass(frozen=True, slots=True)
class OtherData:
    """What `data` names: a data set or a path, None for arrays."""

    given: str | None

    def arguments(self) -> tuple[Argument, ...]:
        """What stands after the word `data`."""
        if self.given is None:
            return ()
        span = Span(Source(f"--data {self.given}", self.given), 0, len(self.given))
        return (Positional((Reference if self.given in DATA_SETS else Literal)(self.given, span), span),)


Change = Override | OtherData


def parse_setting(text: str) -> Override:
    """`train.batch=64`, `train.optimizer.lr=0.01`, `train.schedule=` (none); raises `ValueError` for the user."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"got `{text[:60]}`, expected `train.batch=64` or `train.optimizer.lr=0.01`")
    section, line, key, value = match[1], match[2], match[3], match[4].strip()
    if section not in SECTIONS:
        raise ValueError(f"got `{text[:60]}`, expected a line of `data` or `train`, such as `train.batch=64`")
    if line not in lines(section):
        close = "".join(f"; {help}" for help in did_you_mean(line, lines(section)))
        raise ValueError(f"`{section}` has no setting `{line}`{close}")
    if key is not None and not value:
        raise ValueError(f"got `{text[:60]}`, expected a value after `=`")
    written = f"{line} x {key}={value}" if key else f"{line} {value}"
    report = Diagnostics()
    file = parse(Source(f"--set {text}", f"{section} {{ {written} }}"), Limits(), report)
    statements = file.statements
    block = statements[0].block if len(statements) == 1 and isinstance(statements[0], Operation) else None
    if report.failed or block is None or len(block.statements) != 1 or not isinstance(block.statements[0], Operation):
        raise ValueError(f"got `{text[:60]}`, and `{written}` is no line of `{section}`")
    whole, made = statements[0], block.statements[0]
    assert isinstance(whole, Operation)
    return Override(section, line, key, made if value else None, whole)


def changes(settings: Iterable[str], data: object = None) -> list[Change]:
    """What `--set` says, and what stands in place of the data: a name, a path, or arrays. Raises as `parse_setting`."""
    made: list[Change] = [parse_setting(text) for text in settings]
    if data is not None:
        made.append(OtherData(named(data)))
    return made


def named(data: object) -> str | None:
    """The name or path that data are given by; None for arrays, and where none are given."""
    return str(data) if isinstance(data, str | os.PathLike) else None


def apply_changes(file: File, made: Sequence[Change]) -> File:
    """The file with its sections changed; raises `ValueError` for an argument of a line that is not there."""
    for change in made:
        edit = _with_data(file.statements, change) if isinstance(change, OtherData) else _apply(file.statements, change)
        file = replace(file, statements=tuple(edit))
    return file


def _with_data(statements: Iterable[Statement], other: OtherData) -> list[Statement]:
    return [
        replace(statement, arguments=other.arguments())
        if isinstance(statement, Operation) and statement.name == "data"
        else statement
        for statement in statements
    ]


def _apply(statements: Iterable[Statement], override: Override) -> list[Statement]:
    made: list[Statement] = []
    found = False
    for statement in statements:
        if isinstance(statement, Operation) and statement.name == override.section and statement.block is not None:
            found = True
            made.append(_section(statement, override))
        else:
            made.append(statement)
    if not found and override.given is not None and override.key is None:
        made.append(override.whole)
    return made


def _section(section: Operation, override: Override) -> Operation:
    assert section.block is not None
    if override.key is not None:
        changed = 0

        def argument(line: Operation) -> Iterable[Statement]:
            nonlocal changed
            changed += 1
            return (_with_argument(line, override),)

        statements = _edited(section.block.statements, override.line, argument)
        if not changed:
            raise ValueError(f"`{override.section}` has no line `{override.line}` whose `{override.key}` could be set")
    else:
        statements = _edited(section.block.statements, override.line, lambda _: ())
        statements += (override.given,) if override.given else ()
    return replace(section, block=replace(section.block, statements=statements))


def _edited(
    statements: Iterable[Statement], name: str, change: Callable[[Operation], Iterable[Statement]]
) -> tuple[Statement, ...]:
    """Statements with the lines of a name changed, in the arms of an `if` too."""
    made: list[Statement] = []
    for statement in statements:
        if isinstance(statement, If):
            bodies = [
                replace(arm, body=replace(arm.body, statements=_edited(arm.body.statements, name, change)))
                for arm in statement.arms
            ]
            made.append(replace(statement, arms=tuple(bodies)))
        elif isinstance(statement, Operation) and statement.name == name:
            made.extend(change(statement))
        else:
            made.append(statement)
    return tuple(made)


def _with_argument(line: Operation, override: Override) -> Operation:
    assert override.given is not None
    new = override.given.arguments[-1]
    kept: list[Argument] = [one for one in line.arguments if not (isinstance(one, Keyword) and one.key == override.key)]
    return replace(line, arguments=(*kept, new))
