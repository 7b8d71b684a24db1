"""`netc ops`: the operations, from the classes that implement them."""

from __future__ import annotations

import argparse

from netc.cli import CLEAN, UsageError
from netc.cli.output import emit

_EXAMPLES = """\
examples:
  netc ops            one line an operation
  netc ops conv       its options, defaults and an example"""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.description = "The operations of the language and their options."
    command.epilog = _EXAMPLES
    command.add_argument("name", nargs="?", metavar="NAME", help="an operation or one of its other names")


def run(options: argparse.Namespace) -> int:
    """Print the reference of an operation, or the list of all."""
    from netc.layers import LAYERS  # noqa: PLC0415
    from netc.lower.suggest import nearest  # noqa: PLC0415
    from netc.report.reference import index, operation_page  # noqa: PLC0415

    if options.name is None:
        emit(index())
        return CLEAN
    if options.name not in LAYERS:
        close = nearest(options.name, LAYERS)
        raise UsageError(f"there is no operation `{options.name}`" + (f"; did you mean `{close}`?" if close else ""))
    emit(operation_page(LAYERS[options.name]))
    return CLEAN
