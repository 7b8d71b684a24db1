"""`netc diff`: what changed from one network to another."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from netc.cli.endings import CLEAN, ERRORS, USAGE, Failed, UsageError, refusing
from netc.cli.options import add, add_compiling, add_overrides, coloured
from netc.cli.output import STDIO, emit, keep, reason, tell, write
from netc.cli.running import load_all, names
from netc.figures.theme import THEMES

if TYPE_CHECKING:
    from netc.difference.compare import Difference
    from netc.difference.side import Side
    from netc.values import Value

DESCRIPTION = "What changed from one network to another, in words: blocks, layers, parameters, wiring, settings."
EXAMPLES = """\
examples:
  netc diff resnet101.net resnet152.net        `bottleneck2`, `bottleneck3`: 4, 23 -> 8, 36 blocks ...
  netc diff resnet.net resnet.net -A n=5 -B n=9
  git show HEAD:specs/unet.net | netc diff - specs/unet.net
  netc diff old.net new.net --format json | jq '.edits[].kind'
  netc diff old.net new.net -o changes.svg     both side by side; also .png, .pdf, .md, .json

Names, definitions and the order of the branches of an `add` make no difference, nor whether an activation is a word of
its layer or a layer after it.

in git:
  git config difftool.netc.cmd 'netc diff "$LOCAL" "$REMOTE"'
  git difftool -t netc HEAD~1 -- '*.net'       networks, not lines
  git config diff.net.textconv 'netc summary'  `git diff` of tables; with `*.net diff=net` in .gitattributes

exit codes: 0 no difference, 1 a difference, 2 wrong use, or a file that cannot be read or has errors"""

FORMATS = ("text", "json", "md", "svg")
_BY_NAME = {".txt": "text", ".json": "json", ".md": "md"}  # formats of other names are figures
_COLOURS = {"+": "\x1b[32m", "-": "\x1b[31m", "~": "\x1b[33m"}
_RESET = "\x1b[0m"


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    what = "a spec, or the file of a model; `-` reads a spec from standard input"
    command.add_argument("before", metavar="A", help=what)
    command.add_argument("after", metavar="B", help=what)
    add_overrides(command, "-A", "set a parameter of A alone: -A n=5; -D sets it in both")
    add_overrides(command, "-B", "set a parameter of B alone: -B n=9")
    command.add_argument("--format", choices=FORMATS, help="what is written; text, or what the name after -o says")
    command.add_argument("-o", "--output", metavar="OUT", default=STDIO, help="write to a file")
    command.add_argument("--theme", choices=THEMES, default="auto", help="colours of a figure")
    command.add_argument("--all", action="store_true", help="tell each edit, also where one line stands for many")
    add(command, "--force", "--stdin-filename")
    add_compiling(command, whose="both specs")


def run(options: argparse.Namespace) -> int:
    """Say what changed; 1 if anything did, 2 if one of the files is no network."""
    files = [options.before, options.after]
    keep(options.output, [file for file in files if file != STDIO], force=options.force)
    names(options, files)
    try:
        before, after = (_side(options, file, own) for file, own in zip(files, (options.A, options.B), strict=True))
    except Failed:
        return USAGE
    from netc.difference.compare import compare  # noqa: PLC0415 - --help needs none of it

    difference = compare(before, after)
    _write(difference, options)
    return CLEAN if difference.same else ERRORS


def _side(options: argparse.Namespace, file: str, overrides: list[tuple[str, Value]]) -> Side:
    """One of the two networks. Raises `Failed` after it was said what is wrong with it."""
    from netc.difference.side import Side  # noqa: PLC0415
    from netc.targets.importing import suffix_of  # noqa: PLC0415

    own = argparse.Namespace(**{**vars(options), "overrides": [*options.overrides, *overrides]})
    if file == STDIO or suffix_of(Path(file)) is None:
        if file != STDIO:
            own.stdin_filename = None
        (program,) = load_all(own, [file], lints=False)
        return Side.of(program, overrides)
    if own.overrides:
        raise UsageError(f"`{file}` is no spec, and has no parameters to set with -D, -A or -B")
    from netc.lift.source import ImportRefused  # noqa: PLC0415
    from netc.storage.stored import StorageError  # noqa: PLC0415
    from netc.targets.importing import read  # noqa: PLC0415

    try:
        return Side.imported(read(Path(file)), file)
    except (ImportRefused, StorageError) as error:
        tell("\n  ".join([f"netc: {file} is not read:", *str(error).split("\n")]))
        raise Failed from None
    except OSError as error:
        raise UsageError(f"cannot read {file}: {reason(error)}") from None


def _write(difference: Difference, options: argparse.Namespace) -> None:
    from netc.difference import words  # noqa: PLC0415

    suffix = Path(options.output).suffix.lower()
    format = options.format or _BY_NAME.get(suffix, "text" if options.output == STDIO else "figure")
    if format == "json":
        write(options.output, difference.json)
    elif format == "md":
        write(options.output, words.markdown(difference, whole=options.all))
    elif format == "text":
        text = words.text(difference, whole=options.all)
        if options.output != STDIO:
            write(options.output, text)
        else:
            emit(_coloured(text) if coloured(options.color, sys.stdout) else text, rendered=True)
    else:
        _draw(difference, options, ".svg" if format == "svg" else suffix)


def _draw(difference: Difference, options: argparse.Namespace, suffix: str) -> None:
    from netc.figures.difference import draw  # noqa: PLC0415 - most differences are read
    from netc.figures.drawing import write_scene  # noqa: PLC0415
    from netc.figures.options import Options  # noqa: PLC0415
    from netc.figures.styles import FigureError  # noqa: PLC0415

    drawn = Options(theme=options.theme)
    with refusing(FigureError):
        write(options.output, write_scene(draw(difference, drawn), suffix, drawn))


def _coloured(text: str) -> str:
    """The lines in the colours of their signs."""
    found = [f"{_COLOURS[line[0]]}{line}{_RESET}" if line[:1] in _COLOURS and line[1:2] == " " else line
             for line in text.split("\n")]  # fmt: skip
    return "\n".join(found)
