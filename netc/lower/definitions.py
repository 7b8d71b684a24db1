"""Where definitions come from: the file, the files it `use`s, and the blocks that netc ships."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from os.path import isdir, isfile, split
from pathlib import Path

from netc.diagnostics.model import Diagnostics
from netc.limits import Limits
from netc.lower.bind import Defaults
from netc.params import REQUIRED, Anything, Bool, Param, Signature
from netc.syntax.parser import parse
from netc.syntax.reading import read
from netc.syntax.source import Source, Span
from netc.syntax.tree import Definition, File, Formal, Literal, Operation

AllDefaults = Mapping[str, Defaults]  # by operation


@dataclass(slots=True, eq=False)
class Known:
    """A definition with what surrounds it: its namespace, its place in it, and the `default`s in force there."""

    definition: Definition
    namespace: Namespace
    position: int
    defaults: AllDefaults = field(default_factory=dict)
    shipped: bool = False
    called: bool = False
    signature: Signature = field(init=False)

    def __post_init__(self) -> None:
        self.signature = signature(self.definition)


def signature(definition: Definition) -> Signature:
    """How the calls of a definition are written."""
    params = {
        formal.name: Param(
            formal.name,
            Bool() if is_flag(formal) else Anything(),
            REQUIRED if formal.default is None else None,
            f"a parameter of `{definition.name}`",
        )
        for formal in definition.formals
    }
    return Signature(definition.name, params, tuple(params))


def is_flag(formal: Formal) -> bool:
    """Whether a parameter of a definition is a boolean, whose bare name in a call means true."""
    return isinstance(formal.default, Literal) and isinstance(formal.default.value, bool)


@dataclass(slots=True, eq=False)
class Namespace:
    """The definitions of one file, those it brought in included, each with the statement from which it is visible."""

    known: dict[str, Known] = field(default_factory=dict)
    below: dict[str, Definition] = field(default_factory=dict)  # stand in the file, not reached yet
    _since: dict[str, int] = field(default_factory=dict)

    def bring(self, name: str, known: Known, position: int) -> None:
        """Make a definition visible after a position."""
        self.known[name] = known
        self._since[name] = position
        self.below.pop(name, None)

    def standing_below(self, name: str) -> Definition | None:
        """A definition of the file that is not visible yet."""
        if name in self.below:
            return self.below[name]
        return self.known[name].definition if name in self.known else None

    def visible(self, name: str, position: int) -> Known | None:
        """A definition that stands above a position."""
        return self.known[name] if self._since.get(name, position) < position else None


def definitions_of(file: File) -> dict[str, Definition]:
    """The definitions of a file by name."""
    return {statement.name: statement for statement in file.statements if isinstance(statement, Definition)}


SHIPPED = "netc/std/"  # what the names of shipped files begin with
_DEFINITION = re.compile(r"^(?:shared\s+)?def\s+(\w+)", re.MULTILINE)


@cache
def _shipped_texts() -> dict[str, tuple[str, str]]:
    """File name and text of the shipped file that holds each shipped definition."""
    texts = {}
    for entry in sorted(files("netc.std").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".net"):
            text = entry.read_text(encoding="utf-8")
            texts.update(dict.fromkeys(_DEFINITION.findall(text), (entry.name, text)))
    return texts


def shipped_names() -> Iterator[str]:
    """Names of all shipped blocks."""
    return iter(_shipped_texts())


@cache
def _shipped_file(file_name: str, text: str) -> Namespace:
    report = Diagnostics()
    file = parse(Source(f"{SHIPPED}{file_name}", text), Limits(), report)
    assert not report.failed, [found.message for found in report]
    space = Namespace()
    for position, statement in enumerate(file.statements):
        if isinstance(statement, Definition):
            space.bring(statement.name, Known(statement, space, position, shipped=True), position)
    return space


def shipped(name: str) -> Known | None:
    """A shipped block, parsed when first asked for."""
    found = _shipped_texts().get(name)
    return None if found is None else _shipped_file(*found).known[name]


@dataclass(frozen=True, slots=True)
class Target:
    """What a `use` names, and where, quotes included."""

    value: str
    span: Span


def used(file: File) -> Iterator[Target]:
    """What the `use`s of a file name."""
    for statement in file.statements:
        if isinstance(statement, Operation) and statement.name == "use":
            for argument in statement.arguments:
                if isinstance(argument.value, Literal) and isinstance(argument.value.value, str):
                    yield Target(argument.value.value, argument.value.span)


@dataclass(frozen=True, slots=True)
class Texts:
    """What an editor has: the texts that are being `written`, by the paths of their files, which `use` reads before
    the disk; and the `folders` of its projects (absolute), where there are any: `use` may not leave the first of them
    that holds the file."""

    written: Mapping[Path, Source] = field(default_factory=dict)
    folders: tuple[Path, ...] = ()


@dataclass(slots=True)
class Includes:
    """Follows `use`: paths are relative to the file and stay inside the tree of the first file's folder.

    The tree is that of the working directory, or of a folder of `texts`, where it holds the file, else the file's own
    folder.
    """

    root: Path
    report: Diagnostics
    limits: Limits
    stack: list[Path]
    texts: Texts = field(default_factory=Texts)
    count: int = 0
    opened: dict[Path, Source] = field(default_factory=dict)

    @classmethod
    def start(cls, source: Source, report: Diagnostics, limits: Limits, texts: Texts | None = None) -> Includes:
        """For the file that a compilation starts from."""
        texts = texts or Texts()
        here = Path.cwd().resolve()
        path, (folder, name) = here / "-", split(source.name)
        if isfile(source.name):
            path = (here / source.name).resolve()
        elif isdir(folder or "."):  # a text that says where it would stand, such as an editor's
            path = Path(here, folder).resolve() / name
        root = next((folder for folder in texts.folders or (here,) if path.is_relative_to(folder)), path.parent)
        return cls(root, report, limits, [path], texts)

    def open(self, target: str, span: Span) -> tuple[Path, Source] | None:
        """Read the file that a `use` names, or report why not."""
        path = self._resolve(target, span)
        if path is None:
            return None
        self.count += 1
        if self.count > self.limits.includes:
            self.report.add(
                "NET123",
                f"more than {self.limits.includes} files are brought in",
                span,
                help=(f"raise the bound with `--limit includes={self.limits.includes * 2}`",),
            )
            return None
        source = self.texts.written.get(path) or self._read(path, span)
        if source is None:
            return None
        self.opened[path] = source
        return path, source

    def _read(self, path: Path, span: Span) -> Source | None:
        try:
            source = read(path, self.limits, found := Diagnostics())
        except OSError as error:
            self.report.add("NET123", f"`use`: cannot read {path}: {(error.strerror or str(error)).lower()}", span)
            return None
        for diagnostic in found:
            self.report.add("NET123", f"`use`: {diagnostic.message}", span, notes=diagnostic.notes)
        return source

    def _resolve(self, target: str, span: Span) -> Path | None:
        try:
            path = (self.stack[-1].parent / target).resolve()
            inside = path.is_relative_to(self.root)
        except (OSError, ValueError, RuntimeError):
            self.report.add("NET123", "`use` needs the path of a file", span)
            return None
        if not inside or Path(target).is_absolute():
            self.report.add(
                "NET123",
                f"`use` may not leave the folder tree of the project, and {target!r} does",
                span,
                help=("copy the file beside this one, or run netc from a folder that holds both",),
            )
            return None
        if path in self.stack:
            self.report.add("NET123", f"{target!r} is being read already: files use each other in a circle", span)
            return None
        return path
