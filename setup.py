"""The one step of a build that pyproject.toml cannot say: the grammar, which stands beside the package, goes into it.

In an editable install nothing is copied: `netc.syntax.grammar` finds the grammar where it is written.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

GRAMMAR = "grammar/net.lark"


class WithGrammar(build_py):
    """Builds the package with `netc/syntax/net.lark` in it."""

    def run(self) -> None:
        super().run()
        if not self.editable_mode:
            for built in self._built():
                self.copy_file(GRAMMAR, built)

    def get_source_files(self) -> list[str]:
        return [*super().get_source_files(), GRAMMAR]

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        return [*super().get_outputs(include_bytecode), *self._built()]

    def get_output_mapping(self) -> dict[str, str]:
        return {**super().get_output_mapping(), **dict.fromkeys(self._built(), GRAMMAR)}

    def _built(self) -> list[str]:
        return [] if self.editable_mode else [str(Path(self.build_lib, "netc", "syntax", Path(GRAMMAR).name))]


setup(cmdclass={"build_py": WithGrammar})
