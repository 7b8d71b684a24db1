"""From what a command line names to checked programs, and what there is to say about them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING

from netc import needs
from netc.cli.endings import CLEAN, ERRORS, USAGE, Failed, UsageError, refusing
from netc.cli.options import Settings, coloured, settings
from netc.cli.output import STDIO, reason, say, tell
from netc.diagnostics.codes import Severity
from netc.diagnostics.model import Diagnostic, Diagnostics
from netc.limits import Limits
from netc.syntax.source import Source

if TYPE_CHECKING:
    from netc.ir.weights import Weights
    from netc.lift.lifting import Lifted
    from netc.lift.source import Imported
    from netc.program import Program
    from netc.sections.override import Change

STDIN = "<stdin>"
READING_MODELS = ("bench", "check", "diff", "draw", "summary")  # commands that take files of models in place of specs


def need(what: str, modules: Sequence[str]) -> None:
    """End with a usage error where modules that a command or an option needs are not installed."""
    with refusing(ModuleNotFoundError):
        needs.require(f"`{what}`", *modules)


# -- which files ---------------------------------------------------------------------------------------------


def named(texts: Sequence[str]) -> list[str]:
    """The files that are named: a file, a pattern such as `specs/*.net` where the shell has left it as it is, `-`."""
    return [path for text in texts for path in _matching(text)]


def specs(texts: Sequence[str]) -> list[str]:
    """The specs that are named: as `named`, and of a folder all the `.net` files below it, but no hidden ones."""
    return [path for text in named(texts) for path in _below(text)]


def _matching(text: str) -> list[str]:
    if text == STDIO or os.path.lexists(text) or not any(sign in text for sign in "*?["):
        return [text]
    found = sorted(glob(text, recursive=True))
    if not found:
        raise UsageError(f"no file matches `{text}`")
    return found


def _below(path: str) -> Iterator[str]:
    if path == STDIO or not os.path.isdir(path):
        yield path
        return
    found = False
    for folder, inside, names in os.walk(path, onerror=_unreadable):
        inside[:] = sorted(name for name in inside if not name.startswith("."))
        for name in sorted(names):
            if name.endswith(".net") and not name.startswith("."):
                found = True
                yield os.path.join(folder, name)
    if not found:
        raise UsageError(f"there is no .net file below the folder `{path}`")


def _unreadable(error: OSError) -> None:
    raise UsageError(f"cannot read the folder {error.filename}: {reason(error)}")


# -- their programs ------------------------------------------------------------------------------------------


def load(
    options: argparse.Namespace, *, speculate: bool = False, changes: Sequence[Change] = (), models: bool = False
) -> Program:
    """The program of `options.file`, for commands that need a right one; see `load_all`."""
    return load_all(options, [options.file], speculate=speculate, changes=changes, models=models)[0]


def load_all(
    options: argparse.Namespace,
    paths: Sequence[str],
    *,
    speculate: bool = False,
    changes: Sequence[Change] = (),
    models: bool = False,
    lints: bool = True,
) -> list[Program]:
    """The programs of files, after what is to be said of each was printed on standard error. Where `models` may be read
    too, those of other programs are; of them, and without `lints`, only those lints are told that options ask for.

    Raises `Failed` where one has errors, `UsageError` where one cannot be read.
    """
    from netc.compiler import judge, need_network  # noqa: PLC0415 - not every command compiles

    programs, wrong = [], False
    for path, name in zip(paths, names(options, paths), strict=True):
        model = models and is_model(path)
        chosen = settings(options, path, lints=lints and not model)
        source, findings = (of_model(path), []) if model else read(path, chosen.limits, name)
        if exit_code(findings) == USAGE:
            raise UsageError(findings[0].message)
        if source is not None:
            program, findings = compile_text(source, chosen, speculate=speculate, changes=changes)
            if need_network(program):
                findings = judge(program, chosen.levels)
            programs.append(program)
        if findings:
            show(findings, options.color)
        wrong |= failed(findings)
    if wrong:
        raise Failed
    return programs


def names(options: argparse.Namespace, paths: Sequence[str]) -> list[str]:
    """What messages call the files. Raises `UsageError` where standard input is read twice, or has a name in vain."""
    given = getattr(options, "stdin_filename", None)
    if paths.count(STDIO) > 1:
        raise UsageError("standard input can be read once only")
    if given is not None and STDIO not in paths:
        raise UsageError("--stdin-filename goes with the file `-`")
    return [(given or STDIN) if path == STDIO else path for path in paths]


def read(path: str, limits: Limits, name: str) -> tuple[Source | None, list[Diagnostic]]:
    """The text of a file (or of standard input, by that name, for `-`), or why there is none."""
    from netc.syntax import reading  # noqa: PLC0415 - not every command reads specs
    from netc.targets.unread import unread  # noqa: PLC0415

    if is_model(path):
        advice = f"`netc import` makes a spec of it; {', '.join(READING_MODELS)} take it as it is"
        return None, [Diagnostic("NET005", f"`{name}` is a model: {advice}")]
    if os.path.exists(path) and (what := unread(path)) is not None:
        return None, [Diagnostic("NET005", f"`{name}` is {what}")]
    report = Diagnostics()
    try:
        return reading.read(path, limits, report, name=name), list(report)
    except OSError as error:
        return None, [Diagnostic("NET005", f"cannot read {name}: {reason(error)}")]


def is_model(path: str) -> bool:
    """Whether a file is read as a model of another program."""
    if path == STDIO or path.endswith(".net"):
        return False
    from netc.targets.importing import suffix_of  # noqa: PLC0415 - for such a file

    return suffix_of(Path(path)) is not None


def of_model(path: str) -> Source:
    """The text of the spec that a model is. Raises `Failed` for one that is none, `UsageError` where it cannot be
    opened."""
    return Source(path, _lifted(path)[1].text)


def load_model(options: argparse.Namespace) -> tuple[Program, Weights | None]:
    """The program of the model `options.file`, and its own weights by the names there; None where it has none. Raises
    as `load`."""
    from netc.targets import importing  # noqa: PLC0415 - for such a file

    found, made = _lifted(options.file)
    program, findings = compile_text(Source(options.file, made.text), settings(options, options.file, lints=False))
    if findings:
        show(findings, options.color)
    if failed(findings):
        raise Failed
    with modelling(options.file):
        own = found.weights() if found.weights is not None else None
        return program, None if own is None else importing.renamed(own, made.names, made.program.net)


def _lifted(path: str) -> tuple[Imported, Lifted]:
    """A model, and the spec that it is. Raises as `of_model`."""
    from netc.targets import importing  # noqa: PLC0415 - for such a file

    need(f"reading {path}", importing.needed(Path(path)))
    with modelling(path):
        found = importing.read(Path(path))
        return found, importing.spec(found, Path(path).name)


@contextmanager
def modelling(path: str) -> Iterator[None]:
    """Say why a model is not read, and raise `Failed`; `UsageError` where it cannot be opened."""
    from netc.ir.weights import WeightsError  # noqa: PLC0415 - for a model
    from netc.lift.source import ImportRefused  # noqa: PLC0415
    from netc.storage.stored import StorageError  # noqa: PLC0415
    from netc.targets.errors import ExportError  # noqa: PLC0415

    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot read {path}: {reason(error)}") from None
    except ImportRefused as error:
        said = [f"{one.place}: {one.why}" for one in error.reasons]
        count = f"{len(said)} reason{'s' * (len(said) != 1)}"
        tell("\n  ".join([f"netc: {path} is no network that netc can say exactly, for {count}:", *said]))
        raise Failed from None
    except StorageError as error:
        say(f"netc: cannot read {path}: {error}")
        raise Failed from None
    except (ExportError, WeightsError) as error:
        tell(f"netc: {error}")
        raise Failed from None


def compile_text(
    source: Source, settings: Settings, *, speculate: bool = False, changes: Sequence[Change] = ()
) -> tuple[Program, list[Diagnostic]]:
    """A text, compiled, with what there is to say about it after levels and comments."""
    from netc.compiler import compile_source, judge  # noqa: PLC0415

    with refusing(ValueError, option="--set"):  # a change that fits no line
        program = compile_source(source, settings.overrides, settings.limits, speculate=speculate, changes=changes)
    return program, judge(program, settings.levels)


def inputs(program: Program) -> list[str | os.PathLike[str]]:
    """The files that a program was read from."""
    return [program.file.source.name, *program.used]


# -- findings ------------------------------------------------------------------------------------------------


def show(findings: Sequence[Diagnostic], colour: str) -> None:
    """Print findings on standard error."""
    from netc.diagnostics.render_text import render  # noqa: PLC0415 - a right spec needs none

    say(render(findings, colour=coloured(colour, sys.stderr)), rendered=True)


def failed(findings: Sequence[Diagnostic]) -> bool:
    """Whether any finding is an error."""
    return any(found.severity is Severity.ERROR for found in findings)


def exit_code(findings: Sequence[Diagnostic]) -> int:
    """What findings end a command with: a file that cannot be read is no error in a spec."""
    if any(found.code == "NET005" and found.span is None for found in findings):
        return USAGE
    return ERRORS if failed(findings) else CLEAN
