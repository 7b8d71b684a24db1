"""`netc explain`: what a code means."""

from __future__ import annotations

import argparse

from netc.cli.endings import CLEAN, refusing
from netc.cli.output import emit

DESCRIPTION = "Explain a code: why it matters, a spec that gives it, and the same spec mended."
EXAMPLES = """\
examples:
  netc explain NET301
  netc explain 301
  netc explain window-under-stride
  netc explain                        lists all codes"""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.add_argument("code", nargs="?", metavar="CODE", help="a code, its number or its name")


def run(options: argparse.Namespace) -> int:
    """Print the page of a code, or the list of all."""
    from netc.diagnostics.explain import index, page  # noqa: PLC0415
    from netc.diagnostics.levels import LevelError, find_code  # noqa: PLC0415

    if options.code is None:
        emit(index())
        return CLEAN
    with refusing(LevelError):
        emit(page(find_code(options.code)).text)
    return CLEAN
