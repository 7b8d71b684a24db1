"""The command line.

Each command is a module of its own, imported only when it is the one asked for: `DESCRIPTION` and `EXAMPLES` are its
help, `configure(parser)` declares its options, `run(options)` does its work and returns the exit code, or raises
`UsageError` or `Failed`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, NoReturn

from netc import __version__
from netc.cli.endings import BUG, ERRORS, INTERRUPTED, READER_LEFT, USAGE, Failed, ReaderLeft, UsageError
from netc.cli.output import emit, open_streams, say
from netc.diagnostics.escape import harmless

COMMANDS = {
    "check": "report what is wrong with a spec, and mend it with --fix",
    "compile": "write a spec as Keras code (or JSON, or a Graphviz graph)",
    "draw": "draw a network as a figure: SVG, PNG, PDF, HTML",
    "train": "train a spec on data, into the folder of a run",
    "evaluate": "loss and metrics of a run, or of a spec with weights",
    "predict": "classes and their probabilities for images",
    "import": "write a model of Keras, ONNX, Darknet or Caffe as a spec, with its weights",
    "export": "write a network with its weights as ONNX or Keras, proved to be the same",
    "bench": "how fast engines run a network, side by side",
    "runs": "list and compare runs",
    "summary": "shapes, parameters, MACs and receptive field of every layer",
    "diff": "what changed from one network to another, in words",
    "sizes": "which sizes of an input work, and all others as formulas of them",
    "explain": "what a code such as NET301 means, with examples",
    "fmt": "write a spec in the canonical style",
    "ops": "the operations of the language and their options",
    "completion": "a script by which bash, zsh or fish completes command lines",
    "lsp": "the language server, for editors",
}
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

exit codes:
  0    clean
  1    errors in the spec, in data, in weights or in a run
  2    wrong use of the command line, a file that is not there or cannot be opened or written
  3    a bug of netc
  130  stopped with Ctrl-C; files are whole
  141  the program that reads the output left, as `head` does"""


class _Parser(argparse.ArgumentParser):
    """argparse, which says what is wrong as other errors are said: in a line, and as it was given."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE, f"netc: `{self.prog}`: {harmless(message)}; `{self.prog} --help` says more\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is sys.stdout:  # argparse would not say that the help went nowhere
            emit(message, rendered=True)
        else:
            super()._print_message(message, file)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        open_streams()
        return _run(arguments)
    except Failed:
        return ERRORS
    except UsageError as error:
        say(f"netc: {error}")
        return USAGE
    except KeyboardInterrupt:
        with suppress(UsageError, ReaderLeft):
            emit("")  # what was being printed; the reader may have been stopped too
        return INTERRUPTED
    except ReaderLeft:
        return READER_LEFT
    except Exception as error:
        return _report_bug(error, arguments)


def parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    """The parser for a command line: only the command that it names is set up in full."""
    top = _Parser(
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
            module = import_module(f"netc.cli.{name}")
            command.description, command.epilog = module.DESCRIPTION, module.EXAMPLES
            module.configure(command)
    return top


def _run(arguments: Sequence[str]) -> int:
    _refuse_unknown_command(arguments)
    top = parser(arguments)
    try:
        options, unknown = top.parse_known_args([argument for argument in arguments if argument != _TRACEBACK])
    except SystemExit as leaving:  # argparse has printed the help, the version or what was wrong
        return int(leaving.code or 0)
    if unknown:
        raise UsageError(_unknown(unknown[0], options.command, top))
    if options.command is None:
        top.print_help(sys.stderr)
        return USAGE
    try:
        os.getcwd()
    except FileNotFoundError:
        raise UsageError("the current directory does not exist any more") from None
    run: Callable[[argparse.Namespace], int] = import_module(f"netc.cli.{options.command}").run
    if getattr(options, "watch", False):
        from netc.cli.watching import watch  # noqa: PLC0415 - only for those who wait

        return watch(run, options)
    return run(options)


def _unknown(argument: str, command: str | None, top: argparse.ArgumentParser) -> str:
    """What there is to say about an argument that a command does not take."""
    from netc.suggest import did_you_mean  # noqa: PLC0415 - only for a mistake

    chosen, name = top, "netc" if command is None else f"netc {command}"
    if command is not None:
        (commands,) = (one for one in top._actions if isinstance(one, argparse._SubParsersAction))
        chosen = commands.choices[command]
    if not argument.startswith("-"):
        return f"`{name}` does not take {argument!r} too; `{name} --help` says what it takes"
    known, lists = chosen._option_string_actions, f"`{name} --help` lists them"
    (advice,) = did_you_mean(argument.partition("=")[0], known, [lists])
    return f"`{name}` has no option {argument!r}; {advice}"


def _refuse_unknown_command(arguments: Sequence[str]) -> None:
    """argparse would list all commands; the nearest one helps more."""
    name = next((argument for argument in arguments if not argument.startswith("-")), None)
    if name is None or name in COMMANDS:
        return
    from netc.suggest import nearest  # noqa: PLC0415 - only for a mistake

    close = "check " + name if name.endswith(".net") else nearest(name, COMMANDS)
    raise UsageError(f"there is no command {name!a}" + (f"; did you mean `netc {close}`?" if close else ""))


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
