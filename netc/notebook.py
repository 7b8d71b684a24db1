"""The cell magic `%%net` of IPython and Jupyter, after `%load_ext netc.notebook`: a cell is a spec.

    %%net resnet -D n=9 --style graph
    input 32x32x3
    ...

checks it, shows what there is to say and the figure, and makes `resnet` the `netc.Network`.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.display import display

from netc.api import Network, SpecError, loads
from netc.cli.options import add
from netc.diagnostics.render_text import render
from netc.figures.styles import AUTO, STYLES
from netc.figures.theme import THEMES
from netc.values import Value

CELL = "<cell>"


class CellError(SpecError):
    """The errors of a cell, shown as they are: where in netc they were found is of no use."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [render(self.diagnostics, colour=True).rstrip()]


class _Usage(argparse.ArgumentParser):
    """argparse, whose errors end a cell and not the kernel."""

    def error(self, message: str) -> Any:
        raise UsageError(f"%%net: {message}; `%net --help` says more")


def _parser() -> argparse.ArgumentParser:
    parser = _Usage(prog="%%net", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", type=_variable, help="the variable that becomes the network")
    add(parser, "-D")
    parser.add_argument("--style", choices=(AUTO, *STYLES), default=AUTO, help="of the figure")
    parser.add_argument("--theme", choices=THEMES, default="auto")
    parser.add_argument("--summary", action="store_true", help="the table of layers, in place of the figure")
    return parser


def _variable(text: str) -> str:
    if not text.isidentifier():
        raise argparse.ArgumentTypeError(f"got {text!r}, expected the name of a variable")
    return text


@magics_class
class NetMagics(Magics):
    """`%%net`."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.names = shell.user_ns

    @line_cell_magic
    def net(self, line: str, cell: str | None = None) -> None:
        """Check a cell as a spec, and show its figure; `%net --help` says what it takes."""
        try:
            options = _parser().parse_args(shlex.split(line))
        except SystemExit:  # argparse has printed the help
            return
        if cell is None:
            raise UsageError("%net has no cell: expected `%%net` on the first line of one")
        network = _network(cell, dict(options.overrides))
        if network.diagnostics:
            print(render(network.diagnostics, colour=True).rstrip(), file=sys.stderr)
        if options.name is not None:
            self.names[options.name] = network
        shown = network.summary() if options.summary else network.draw(style=options.style, theme=options.theme)
        display(shown)  # type: ignore[no-untyped-call]


def _network(text: str, overrides: dict[str, Value]) -> Network:
    try:
        return loads(text, CELL, **overrides)
    except SpecError as error:
        raise CellError(error.diagnostics) from None


def load_ipython_extension(shell: InteractiveShell) -> None:
    """IPython calls this for `%load_ext netc.notebook`."""
    shell.register_magics(NetMagics)
