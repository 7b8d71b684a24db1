"""The questions of a page about the text in it, as JSON: the way between a worker with Pyodide and netc/server.

`answer` takes a question, an object that names it in `ask`, and gives the answer as JSON. `check` sets the text, all
others are about the text that was set last. Places are offsets in UTF-16 from the beginning of the text, as a page
counts. playground/src/protocol.ts has the types.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from netc.diagnostics.model import Diagnostic
from netc.figures.options import Options
from netc.layers import LAYERS
from netc.lower.definitions import shipped_names
from netc.report.reference import families, gist
from netc.report.summary import HEADER, RIGHT, tabulated
from netc.server import completion, findings, hints, hover, words
from netc.server.document import Document, Settings, Snapshot
from netc.server.figure import figure
from netc.server.formatting import formatted
from netc.syntax.source import Source, Span
from netc.syntax.tree import Parameter

Json = dict[str, Any]
_documents: dict[int, Document] = {}  # the one that was checked last


class Units:
    """The places of a text in UTF-16, where characters beyond the BMP count twice."""

    def __init__(self, text: str) -> None:
        self._wide = [] if text.isascii() else [at for at, character in enumerate(text) if character > "\uffff"]
        self._units = [at + before + 1 for before, at in enumerate(self._wide)]  # where their second halves stand

    def at(self, offset: int) -> int:
        """The place of an offset."""
        return offset + bisect_left(self._wide, offset)

    def offset(self, at: int) -> int:
        """The offset of a place; in the middle of a character, that before it."""
        return at - bisect_left(self._units, at + 1)


def answer(question: str) -> str:
    """The answer to a question. Never raises on a bad text; ValueError for a question that there is not."""
    asked = json.loads(question)
    name = asked.pop("ask")
    if name not in _QUESTIONS:
        raise ValueError(f"got the question {name!r}, expected one of {', '.join(_QUESTIONS)}")
    return json.dumps(_QUESTIONS[name](**asked), ensure_ascii=False, separators=(",", ":"))


def _check(name: str, opened: int, text: str, style: str, theme: str, overrides: Mapping[str, str]) -> Json:
    """What there is to say of a text, and its figure. `opened` tells of which text it is a version; `overrides` are
    values in place of those of its `param`s."""
    document, source, settings = _documents.get(opened), Source(name, text), Settings(overrides=overrides)
    if document is None:
        _documents.clear()
        document = _documents[opened] = Document(source, settings)
    elif (document.now.source.name, document.now.source.text, document.now.settings) != (name, text, settings):
        document.change(source, settings)
    now = document.now
    drawn = figure(document, style, Options(theme=theme))
    shown = {"svg": drawn.svg, "style": drawn.style, "old": drawn.old, "error": drawn.error}
    return {
        "name": now.program.name,
        "findings": [_finding(now, found) for found in findings.findings(document)],
        "figure": {**shown, "places": _places(document, drawn.objects)},
        "hints": [*_hints(document)],
        "parameters": [*_parameters(document)],
    }


def _hints(document: Document) -> Iterable[Json]:
    """The shapes beside statements."""
    text = document.now.source.text
    units = Units(text)
    for hint in hints.hints(document, 0, len(text)):
        yield {"at": units.at(hint.offset), "text": hint.text, "old": hint.old}


def _parameters(document: Document) -> Iterable[Json]:
    """The `param`s of the last version that worked, with their values as they are written; where none did, of what can
    be read of the text."""
    for statement in (document.good or document.now).file.statements:
        if isinstance(statement, Parameter):
            yield {"name": statement.name, "value": statement.value.span.text}


def _finding(now: Snapshot, found: Diagnostic) -> Json:
    units = Units(now.source.text)
    place = findings.place(now, found)
    fix = found.fix
    if fix is not None and any(edit.span.source is not now.source for edit in fix.edits):
        fix = None
    edits = [] if fix is None else [(edit.span, edit.replacement) for edit in fix.edits]
    return {
        "code": found.code,
        "severity": found.severity.value,
        "message": found.message,
        "start": units.at(place.start),
        "end": units.at(place.end),
        "line": place.line,
        "said": [*_said(now, found)],
        "fix": fix
        and {
            "title": fix.title,
            "safe": fix.safe,
            "edits": [
                {"start": units.at(span.start), "end": units.at(span.end), "text": replacement}
                for span, replacement in edits
            ],
        },
    }


def _said(now: Snapshot, found: Diagnostic) -> Iterable[str]:
    """All that is told besides the message, a line each."""
    if found.label:
        yield found.label
    yield from (f"{_where(now, label.span)}: {label.text}" for label in found.secondary)
    yield from (f"{frame.title}, {_where(now, frame.span)}" for frame in (found.frame.chain() if found.frame else ()))
    yield from (f"note: {text}" for text in found.notes)
    yield from (f"help: {text}" for text in found.help)


def _where(now: Snapshot, span: Span) -> str:
    return f"line {span.line}" if span.source is now.source else f"{span.source.name}:{span.line}"


def _places(document: Document, objects: Mapping[str, tuple[str, ...]]) -> dict[str, list[tuple[int, int]]]:
    """For each object of the figure the places that it comes from: the words of the layer that it is named after and
    the calls around them, then those of layers drawn with it (`bn`); of a frame, what its layers have in common."""
    good = document.good
    if good is None or document.is_old:
        return {}
    units, made = Units(good.source.text), dict(good.ran.nodes)
    found = {}
    for name, nodes in objects.items():
        chains = [made[node] for node in nodes]
        if (own := made.get(name.removesuffix("-output"))) is not None:
            places = [*own, *(chain[0] for chain in chains if chain)]
        else:
            places = [place for place in chains[0] if all(place in chain for chain in chains)]
        found[name] = [(units.at(start), units.at(end)) for start, end in dict.fromkeys(places)]
    return found


def _summary() -> Json | None:
    """What each layer makes and costs, of the last version that worked."""
    document = _document()
    good = document.good
    if good is None:
        return None
    units, source = Units(document.now.source.text), good.source
    table = tabulated(good.program)
    rows = []
    for row, cells in table.rows:
        place = None if row.line is None else document.then(_line(source, row.line))
        rows.append({"cells": cells, "place": place and (units.at(place.start), units.at(place.end))})
    return {"header": HEADER, "right": RIGHT, "rows": rows, "totals": table.totals, "old": document.is_old}


def _line(source: Source, number: int) -> Span:
    """The words of a line."""
    text = source.line(number)
    start = source.start(number)
    return Span(source, start + len(text) - len(text.lstrip()), start + len(text.rstrip()))


def _code() -> Json:
    """Keras code of the last version that worked."""
    document = _document()
    good, now = document.good, document.now
    if good is None:
        return {"text": "", "error": "There is no network yet to write code for."}
    error = "" if good is now else "This is the code of the last version of the text that had no errors."
    return {"text": good.code, "error": error}


def _hover(at: int) -> Json | None:
    """What stands at a place."""
    document = _document()
    units = Units(document.now.source.text)
    found = hover.hover(document, units.offset(at))
    return None if found is None else {"start": units.at(found.start), "end": units.at(found.end), "text": found.text}


def _complete(at: int) -> Json:
    """What may stand at a place."""
    document = _document()
    units = Units(document.now.source.text)
    found = completion.completion(document, units.offset(at))
    items = [
        {"label": item.label, "kind": item.kind, "detail": item.detail, "insert": item.text, "of": item.of}
        for item in found.items
    ]
    return {"start": units.at(found.start), "end": units.at(found.end), "options": items}


def _about(kind: str, label: str, of: list[str]) -> Json:
    """The documentation of something that may stand there."""
    return {"text": completion.documentation(_document(), kind, label, of) or ""}


def _words() -> list[Json]:
    """The words that begin a statement, by kind, each with what it does in a sentence, if it is told in one."""
    statements = [(word, told) for word, (_, told) in words.STATEMENTS.items() if word not in LAYERS]
    operations = [(title, [(cls.op, gist(cls)) for cls in classes]) for title, classes in families()]
    blocks = [(name, "") for name in shipped_names()]
    kinds = [("Statements", statements), *operations, ("Standard blocks", blocks)]
    return [{"title": title, "words": those} for title, those in kinds]


def _page(word: str) -> Json:
    """The documentation of one of these words."""
    return {"text": words.page(word) or ""}


def _format() -> Json:
    """The text in the canonical style."""
    return {"text": formatted(_document())}


def _fix() -> Json:
    """The text after all its safe fixes."""
    return {"text": findings.mended(_document())}


def _document() -> Document:
    (document,) = _documents.values()
    return document


_QUESTIONS: Mapping[str, Callable[..., Json | list[Json] | None]] = {
    "check": _check,
    "summary": _summary,
    "code": _code,
    "hover": _hover,
    "complete": _complete,
    "about": _about,
    "words": _words,
    "page": _page,
    "format": _format,
    "fix": _fix,
}
