"""A text that is being written, and what is known of each of its versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property

from netc.compiler import compile_source, judge, prove_fixes
from netc.diagnostics.codes import Severity
from netc.diagnostics.levels import Levels
from netc.diagnostics.model import Diagnostic, Diagnostics
from netc.figures.facts import Facts
from netc.limits import Limits
from netc.lower import Texts
from netc.lower.index import Index, index
from netc.lower.overrides import parse_override
from netc.program import Program
from netc.project import Project
from netc.server.moved import Moved
from netc.server.ran import Ran, ran
from netc.syntax.parser import parse
from netc.syntax.source import Source, Span
from netc.syntax.tree import File, Parameter
from netc.values import Value

# What is checked again with each key may take a second or two: lower bounds than those of a command that is waited for,
# unless the project says its own.
BOUNDS = Limits(layers=10_000, steps=40_000, repeat=20_000, file_size=1_000_000)


@dataclass(frozen=True, slots=True)
class Settings:
    """How texts are judged: the levels of lints, the bounds, and values in place of those of the text's `param`s, each
    written as after `-D NAME=`."""

    levels: Levels = field(default_factory=Levels)
    limits: Limits = BOUNDS
    overrides: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, project: Project) -> Settings:
        """Those of a project: its bounds where it says them, else those of editors."""
        own = {
            one.name: getattr(project.limits, one.name)
            for one in fields(Limits)
            if getattr(project.limits, one.name) != one.default
        }
        return cls(project.levels, replace(BOUNDS, **own))


class Snapshot:
    """One version of a text, with what is known of it, each found out when it is first asked for.

    `texts` are those that are open too, and the folders of the workspace. It never changes.
    """

    def __init__(self, source: Source, settings: Settings, texts: Texts | None = None) -> None:
        self.source = source
        self.settings = settings
        self.texts = texts or Texts()

    def anew(self) -> Snapshot:
        """The same version, of which nothing is known yet."""
        return Snapshot(self.source, self.settings, self.texts)

    @cached_property
    def _too_large(self) -> bool:
        limit = self.settings.limits.file_size
        return len(self.source.text) > limit or len(self.source.text.encode("utf-8", "surrogatepass")) > limit

    @cached_property
    def file(self) -> File:
        """The tree, of what can be read."""
        if self._too_large:
            return File(self.source, (), ())
        if self.is_compiled:
            return self.program.file
        return parse(self.source, self.settings.limits, Diagnostics())

    @cached_property
    def program(self) -> Program:
        """The compiled text; complete only where `works`."""
        if not self._too_large:
            return self.compile(self.source, proven=False)
        program = compile_source(Source(self.source.name, ""), limits=self.settings.limits)
        program.report.discard(lambda _: True)
        size, name = self.settings.limits.file_size, self.source.name
        help = ("raise the bound with `--limit file_size=BYTES`",)
        program.report.add("NET601", f"{name} is larger than {size:,} bytes", Span(self.source, 0, 0), help=help)
        return program

    @property
    def is_compiled(self) -> bool:
        """Whether `program` is there already."""
        return "program" in self.__dict__

    def compile(self, source: Source, *, speculate: bool = False, proven: bool = True) -> Program:
        """Compile a text as this one is compiled: with its settings, beside the same open texts."""
        values, refused = self._overrides
        program = compile_source(
            source, values, self.settings.limits, speculate=speculate, texts=self.texts, proven=proven
        )
        spans = {one.name: one.value.span for one in program.file.statements if isinstance(one, Parameter)}
        for name, why in refused.items():
            program.report.add("NET108", f"`-D {name}`: {why}", spans.get(name, Span(source, 0, 0)))
        return program

    @cached_property
    def _overrides(self) -> tuple[dict[str, Value], dict[str, str]]:
        """The values in place of those of `param`s, and why there are none for others."""
        values, refused = dict[str, Value](), dict[str, str]()
        for name, text in self.settings.overrides.items():
            try:
                values.update([parse_override(f"{name}={text}")])
            except ValueError as error:
                refused[name] = str(error)
        return values, refused

    @cached_property
    def findings(self) -> list[Diagnostic]:
        """What there is to say, after levels and comments. Which of the fixes are safe is in `proven`."""
        return judge(self.program, self.settings.levels)

    @cached_property
    def proven(self) -> list[Diagnostic]:
        """The findings, with those fixes safe alone that were seen to mend."""
        findings = self.findings
        if all(found.fix is None for found in findings):
            return findings
        prove_fixes(self.program, self._overrides[0], self.settings.limits, self.texts)
        fixes = {found.key: found.fix for found in self.program.report}
        return [replace(found, fix=fixes.get(found.key, found.fix)) for found in findings]

    @property
    def error(self) -> Diagnostic | None:
        """The first error, in the order of the text."""
        return next((found for found in self.findings if found.severity is Severity.ERROR), None)

    @cached_property
    def works(self) -> bool:
        """Whether the text is right, but for lints that count as errors, and makes a network."""
        return not self.program.report.failed and bool(self.program.net.outputs)

    @cached_property
    def index(self) -> Index:
        """The names, and where they are used."""
        return index(self.file, self.settings.limits, self.texts)

    @cached_property
    def facts(self) -> Facts:
        """Shapes, costs and receptive fields, of one that `works`."""
        return Facts(self.program)

    @cached_property
    def code(self) -> str:
        """The Keras code of one that `works`, as `netc compile` writes it."""
        from netc.targets.keras.source import emit  # noqa: PLC0415 - for those who ask, with black

        return emit(self.compile(self.source, speculate=True))

    @cached_property
    def ran(self) -> Ran:
        """What each statement made, of one that `works`."""
        return ran(self.program)


class Document:
    """A text that is being written: `now`, its last version.

    Versions are compiled when something is asked that needs it, so that a change costs nothing by itself.
    """

    def __init__(self, source: Source, settings: Settings, texts: Texts | None = None) -> None:
        self.now = Snapshot(source, settings, texts)
        self._good: Snapshot | None = None

    def change(self, source: Source, settings: Settings, texts: Texts | None = None) -> None:
        """Go on to the next version. The one before stays as `good` if it was compiled, and worked."""
        if self.now.is_compiled and self.now.works:
            self._good = self.now
        self.now = Snapshot(source, settings, texts)
        self.__dict__.pop("_moved", None)

    def again(self) -> None:
        """Find everything out anew, of the same texts: after work on them that was ended halfway."""
        self.now = self.now.anew()
        self._good = None if self._good is None else self._good.anew()
        self.__dict__.pop("_moved", None)

    @property
    def good(self) -> Snapshot | None:
        """The last version that was asked about and works: `now` itself if it does; None where none did."""
        return self.now if self.now.works else self._good

    @property
    def is_old(self) -> bool:
        """Whether `good` is an older version than `now`."""
        return not self.now.works

    @cached_property
    def _moved(self) -> Moved:
        good = self.good
        return Moved("" if good is None else good.source.text, self.now.source.text)

    def then(self, span: Span) -> Span | None:
        """Where a place of `good` stands in `now`; None where it is gone. Places in other files stay."""
        good = self.good
        if good is None or good is self.now or span.source is not good.source:
            return span
        moved = self._moved.span(span.start, span.end)
        return None if moved is None else Span(self.now.source, *moved)

    def before(self, offset: int) -> int:
        """The place in `good` of one in `now`."""
        return self._moved.back(offset) if self.is_old and self._good is not None else offset
