"""The steps of a build that pyproject.toml cannot say: the grammar, which stands beside the package, goes into it, and
the parser's tables are made from it.

An editable install finds the grammar where it is written, and has the tables beside the code.
"""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

GRAMMAR = "grammar/net.lark"


class WithGrammar(build_py):
    """Builds the package with `netc/syntax/net.lark` and `netc/syntax/tables.py` in it."""

    def run(self) -> None:
        super().run()
        sys.path.insert(0, str(Path(__file__).parent))  # a build has only what it asks for
        from netc.syntax.grammar import write_tables  # noqa: PLC0415 - imports Lark

        syntax = Path("" if self.editable_mode else self.build_lib, "netc", "syntax")
        write_tables(syntax)
        if not self.editable_mode:
            self.copy_file(GRAMMAR, str(syntax))

    def get_source_files(self) -> list[str]:
        return [*super().get_source_files(), GRAMMAR]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        folder = Path(self.build_lib, "netc", "syntax")
        made = [] if self.editable_mode else [str(folder / "net.lark"), str(folder / "tables.py")]
        return [*super().get_outputs(include_bytecode), *made]


setup(cmdclass={"build_py": WithGrammar})
