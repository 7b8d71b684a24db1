"""The index of names: what lowering finds at each name, and renaming by it."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from netc.compiler import compile_source
from netc.lower import calls, evaluate, state, statements
from netc.lower.index import Index, Named, index
from netc.program import Program
from netc.syntax.source import Source, Span
from netc.syntax.tree import File
from tests.cases import paths, read_case
from tests.random_statements import text as random_text
from tests.specs import SAMPLE_FILES

Place = tuple[str, int, int]


def place(span: Span) -> Place:
    return f"{span.source.name} {hash(span.source.text)}", span.start, span.end


def texts() -> list[tuple[str, str, str]]:
    """Specs, case files and random texts: what they are called, the name of the file, the text."""
    found = []
    for path in SAMPLE_FILES:
        found.append((path.name, str(path), path.read_text(encoding="utf-8")))
    for path in paths():
        if path.stat().st_size < 20_000:
            found.append((f"{path.parent.name}/{path.name}", str(path), "\n".join(read_case(path).lines)))
    found += [(f"random {seed}", "random.net", random_text(Random(seed))) for seed in range(20)]
    return found


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> dict[Place, set[tuple[str, Place | None]]]:
    """What lowering finds at each name while it runs: the kind of the thing, and where it is defined if it says so."""
    seen: dict[Place, set[tuple[str, Place | None]]] = {}
    look_up, use_label, run_call = evaluate._reference, state.State.use_label, calls.run_call
    use_passes = state.State.use_passes

    def reference(expr: Any, scope: evaluate.Scope) -> Any:
        here: evaluate.Scope | None = scope
        while here is not None and expr.name not in here.values:
            here = here.outer
        if here is not None:
            kind = "index" if here.outer is not None else "formal" if here.frame is not None else "parameter"
            seen.setdefault(place(expr.span), set()).add((kind, None))
        return look_up(expr, scope)

    def label(self: state.State, name: str, span: Span, ctx: Any) -> Any:
        mark = ctx.labels.find(name)
        if mark is not None:
            known = place(mark.span) if mark.span.text == name else None  # of an arm that did not run it has none
            seen.setdefault(place(span), set()).add(("label", known))
        return use_label(self, name, span, ctx)

    def passes(self: state.State, label: Any, ctx: Any) -> Any:
        spot = place(Span(label.span.source, label.span.start, label.span.end - 1))
        for mark in ctx.labels.all_passes(label.name) or ():
            seen.setdefault(spot, set()).add(("label", place(mark.span) if mark.span.text == label.name else None))
        return use_passes(self, label, ctx)

    def call(self: state.State, statement: Any, known: Any, ctx: Any) -> Any:
        found = ("definition", place(known.definition.name_span))
        seen.setdefault(place(statement.name_span), set()).add(found)
        return run_call(self, statement, known, ctx)

    monkeypatch.setattr(evaluate, "_reference", reference)
    monkeypatch.setattr(state.State, "use_label", label)
    monkeypatch.setattr(state.State, "use_passes", passes)
    monkeypatch.setattr(statements, "run_call", call)
    return seen


@pytest.mark.parametrize(("name", "file", "text"), texts(), ids=lambda value: value if len(value) < 60 else "")
def test_a_use_is_what_lowering_finds_there(name: str, file: str, text: str, found: dict[Place, Any]) -> None:
    program = compile_source(Source(file, text))
    uses = {place(span): named for named in index(program.file).named for span in named.uses}
    assert found or not name.startswith("random")
    for spot, several in found.items():
        if spot[0].startswith(f"{file} ") and spot[0] != place(Span(program.file.source, 0, 0))[0]:
            continue  # of a text that was mended to see whether a fix holds
        if program.report.failed and spot[0].startswith("netc/std/") and spot[0] not in {use[0] for use in uses}:
            continue  # of a block that only such a text calls
        for kind, defined in several:
            named = uses.get(spot)
            assert named is not None, spot
            assert named.kind == kind, (spot, named.kind)
            assert defined is None or defined in map(place, named.spans)
    unknown = {place(one.span) for one in program.report if one.code in ("NET101", "NET110", "NET116") and one.span}
    assert not unknown & uses.keys()


def test_definitions_and_uses_at_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("blocks.net").write_text("def unit(ch, wide=false) { conv (2*ch if wide else ch)x3 }\n")
    text = """use "blocks.net"
param n = 2; param big = true
input 8x8x4
repeat n as i { unit ch=(i + 4) wide; step: relu; add step }
if big { a: conv 4x3 } else { a: conv 4x1 }
from a; resblock 1 4
gap; fc 2 softmax
train { loss categorical_crossentropy; optimizer sgd lr=(n / 10); freeze a }
def never(k) { conv (k)x3; b: relu; from b }
conv (
"""
    source = Source("main.net", text)
    found = index(compile_source(source).file)

    def at(words: str, name: str) -> Named:
        named = found.definition_at(text.index(words) + words.index(name))
        assert named is not None
        assert named.name == name
        return named

    def lines(named: Named) -> list[tuple[str, int]]:
        return [(span.source.name.split("/")[-1], span.line) for span in found.references(named)]

    assert lines(at("param n", "n")) == [("main.net", 2), ("main.net", 4), ("main.net", 8)]
    assert at("(i + 4)", "i") is at("as i", "i")
    assert lines(at("unit ch", "unit")) == [("blocks.net", 1), ("main.net", 4)]
    assert lines(at("ch=(i", "ch")) == [("blocks.net", 1), ("blocks.net", 1), ("blocks.net", 1), ("main.net", 4)]
    assert lines(at(") wide", "wide")) == [("blocks.net", 1), ("blocks.net", 1), ("main.net", 4)]
    assert at("add step", "step") is at("step: relu", "step")
    assert lines(at("freeze a", "a")) == [("main.net", 5), ("main.net", 5), ("main.net", 6), ("main.net", 8)]
    assert at("(k)x3", "k").kind == "formal"
    assert at("from b", "b").scope.line == 9
    assert at("resblock 1", "resblock").spans[0].source.name.startswith("netc/std/")
    assert found.definition_at(text.index("relu")) is None


# -- renaming ----------------------------------------------------------------------------------------------------------


def renamed(text: str, named: Named, name: str) -> str:
    spans = {(span.start, span.end) for span in (*named.spans, *named.uses)}
    for start, end in sorted(spans, reverse=True):
        text = text[:start] + name + text[end:]
    return text


def network(program: Program) -> list[object]:
    """A network without the names of its layers."""
    places = {node.name: number for number, node in enumerate(program.net)}
    operands = [[places[name] for name in program.net.operands(node.name)] for node in program.net]
    shared = [places.get(node.shares or "") for node in program.net]
    return [operands, shared, [node.layer for node in program.net], [places[name] for name in program.net.outputs]]


def own(file: File) -> tuple[Index, list[Named]]:
    """The index of a file, and what is defined in its own text."""
    found = index(file)
    return found, [named for named in found.named if named.spans[0].source is file.source]


def assert_renaming_changes_names_only(text: str, name: str = "test.net", most: int = 8) -> None:
    program = compile_source(Source(name, text))
    assert not program.report.failed
    _, names = own(program.file)
    for number, named in enumerate(names[:most]):
        again = compile_source(Source(name, renamed(text, named, f"zz{number}")))
        assert not again.report.failed, (named.kind, named.name, [found.message for found in again.report])
        assert network(again) == network(program), (named.kind, named.name)
        if named.kind in ("parameter", "formal", "index"):
            assert [node.name for node in again.net] == [node.name for node in program.net]
        assert len(list(again.report)) == len(list(program.report))


@pytest.mark.parametrize("path", SAMPLE_FILES, ids=lambda path: path.stem)
def test_renaming_in_specs(path: Path) -> None:
    if path.stat().st_size < 3000 and "1001" not in path.name:
        assert_renaming_changes_names_only(path.read_text(encoding="utf-8"), str(path), 4)


@pytest.mark.parametrize("seed", range(60))
def test_renaming_in_random_networks(seed: int) -> None:
    assert_renaming_changes_names_only(random_text(Random(seed)))
