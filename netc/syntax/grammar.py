"""The parser's tables: made from `grammar/net.lark`, or taken from `tables.py`, which an installation makes.

Making them takes longer than checking a network. `python -m netc.syntax.grammar` writes `tables.py` too. It is used
only while the grammar and Lark are the ones it was made from: the grammar is always what counts.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from zlib import crc32

import lark
from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef


def load(callbacks: Any) -> Lark:
    """The parser, which runs the callbacks as it reduces."""
    try:
        tables = import_module("netc.syntax.tables")
    except ImportError:  # a checkout that was not installed
        return _make(callbacks)
    if fingerprint() != tables.MADE_FROM:
        return _make(callbacks)
    loaded: Lark = Lark._load_from_dict(tables.DATA, tables.MEMO, transformer=callbacks)  # type: ignore[no-untyped-call]
    return loaded


@cache
def text() -> str:
    """The grammar: a build puts it into the package, in a checkout it stands beside that."""
    here = Path(__file__)
    inside = here.with_name("net.lark")
    return (inside if inside.is_file() else here.parents[2] / "grammar" / inside.name).read_text(encoding="utf-8")


def fingerprint() -> str:
    """What the tables depend on."""
    return f"lark {lark.__version__}, grammar {crc32(text().encode()):08x}"


def _make(callbacks: Any = None) -> Lark:
    return Lark(text(), parser="lalr", keep_all_tokens=True, maybe_placeholders=False, transformer=callbacks)


def write_tables(folder: Path) -> None:
    """Write `tables.py` into a folder."""
    data, memo = _make().memo_serialize([TerminalDef, Rule])
    lines = (
        '"""Made by `python -m netc.syntax.grammar`, or by an installation: the parser\'s tables of a grammar."""',
        "",
        f"MADE_FROM = {fingerprint()!r}",
        f"DATA = {data!r}",
        f"MEMO = {memo!r}",
    )
    (folder / "tables.py").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_tables(Path(__file__).parent)
