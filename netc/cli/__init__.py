"""The command line. Each command is a module of its own, imported only when it is the one asked for."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from netc import __version__

COMMANDS = {
    "check": "report what is wrong with a spec, and mend it with --fix",
    "compile": "write a spec as Keras code (or JSON, or a Graphviz graph)",
    "draw": "draw a network as a figure: SVG, PNG, PDF, HTML",
    "train": "train a spec on data, into the folder of a run",
    "evaluate": "loss and metrics of a run, or of a spec with weights",
    "predict": "classes and their probabilities for images",
    "runs": "list and compare runs",
    "summary": "shapes, parameters, MACs and receptive field of every layer",
    "explain": "what a code such as NET301 means, with examples",
    "fmt": "write a spec in the canonical style",
    "ops": "the operations of the language and their options",
}
CLEAN, ERRORS, USAGE, BUG = 0, 1, 2, 3
_INTERRUPTED, _PIPE_CLOSED = 130, 141
_TRACEBACK = "--traceback"

_EPILOG = """\
first steps:
  netc check resnet.net             is it right?
  netc summary resnet.net           what does it cost?
  netc draw resnet.net              what does it look like? writes resnet.svg
  netc compile resnet.net           writes resnet.py, plain Keras code
  netc compile resnet.net -D n=9    the same with another parameter
  netc train specs/digits.net       does it learn? on digits, without a download
  netc explain NET301               what does this code mean?

exit codes: 0 clean, 1 errors in the spec, 2 wrong use of the command line, 3 a bug of netc"""


class UsageError(Exception):
    """The command line asks for something that cannot be: ends with exit code 2."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        _harmless_streams()
        code = _run(arguments)
        sys.stdout.flush()
        return code
    except UsageError as error:
        print(f"netc: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or the interpreter's last flush fails again
        return _PIPE_CLOSED
    except Exception as error:
        return _report_bug(error, arguments)


def parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for a command line: only the command that it names is set up in full."""
    top = argparse.ArgumentParser(
        prog="netc",
        description="The compiler for convolutional network architectures.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"netc {__version__}")
    top.add_argument(_TRACEBACK, action="store_true", help="show the traceback of a bug of netc (anywhere on the line)")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for name, help_line in COMMANDS.items():
        command = commands.add_parser(name, help=help_line, formatter_class=argparse.RawDescriptionHelpFormatter)
        if name in arguments:
            import_module(f"netc.cli.{name}").configure(command)
    return top


def _run(arguments: Sequence[str]) -> int:
    _refuse_unknown_command(arguments)
    top = parser(arguments)
    try:
        options = top.parse_args([argument for argument in arguments if argument != _TRACEBACK])
    except SystemExit as leaving:  # argparse has printed the help, the version or what was wrong
        return int(leaving.code or 0)
    if options.command is None:
        top.print_help(sys.stderr)
        return USAGE
    code: int = import_module(f"netc.cli.{options.command}").run(options)
    return code


def _refuse_unknown_command(arguments: Sequence[str]) -> None:
    """argparse would list all commands; the nearest one helps more."""
    name = next((argument for argument in arguments if not argument.startswith("-")), None)
    if name is None or name in COMMANDS:
        return
    from netc.lower.suggest import nearest  # noqa: PLC0415 - only for a mistake

    close = "check " + name if name.endswith(".net") else nearest(name, COMMANDS)
    raise UsageError(f"there is no command {name!a}" + (f"; did you mean `netc {close}`?" if close else ""))


def _harmless_streams() -> None:
    """Text that the terminal's encoding lacks is printed as escapes rather than failing."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _report_bug(error: Exception, arguments: Sequence[str]) -> int:
    import traceback  # noqa: PLC0415 - only for a bug

    from netc.layers.base import OperationError  # noqa: PLC0415

    if isinstance(error, OperationError):  # a class that was added, or a Keras that is too old for one of netc's
        print(f"netc: {error}", file=sys.stderr)
        return USAGE
    said = ascii(f"{type(error).__name__}: {error}")[1:-1]
    print(f"netc {__version__}: this is a bug of netc, not of the spec: {said}", file=sys.stderr)
    if _TRACEBACK in arguments or os.environ.get("NETC_TRACEBACK") == "1":
        traceback.print_exception(error)
    else:
        print(f"please report it with the spec and what the same command prints with {_TRACEBACK}", file=sys.stderr)
    return BUG
