"""`netc ops`: the operations, from the classes that implement them."""

from __future__ import annotations

import argparse

from netc.cli.endings import CLEAN, UsageError
from netc.cli.output import emit

DESCRIPTION = "The operations of the language and their options, and the blocks that netc ships."
EXAMPLES = """\
examples:
  netc ops            one line an operation
  netc ops conv       its options, defaults and an example
  netc ops resblock   a standard block, as it is written"""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.add_argument("name", nargs="?", metavar="NAME", help="an operation, one of its other names, or a block")


def run(options: argparse.Namespace) -> int:
    """Print the reference of an operation, or the list of all."""
    from netc.layers import LAYERS  # noqa: PLC0415
    from netc.lower.definitions import shipped_names  # noqa: PLC0415
    from netc.report.reference import block_page, index, operation_page  # noqa: PLC0415
    from netc.suggest import did_you_mean  # noqa: PLC0415

    if options.name is None:
        emit(index())
        return CLEAN
    blocks = list(shipped_names())
    if options.name in LAYERS:
        emit(operation_page(LAYERS[options.name]))
    elif options.name in blocks:
        emit(block_page(options.name))
    else:
        close = did_you_mean(options.name, [*LAYERS, *blocks])
        raise UsageError("; ".join([f"there is no operation {options.name!a}", *close]))
    return CLEAN
