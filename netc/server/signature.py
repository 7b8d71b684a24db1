"""What a statement takes, and which of it is being written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath

from netc.layers import LAYERS
from netc.lower import definitions
from netc.params import Signature
from netc.report.reference import gist, shown_default
from netc.server import words
from netc.server.document import Document, Snapshot
from netc.server.written import Written, written
from netc.syntax.tree import Definition


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, by where it stands in the label of its signature."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A signature in one line, its parameters, and the number of the one that is being written; None for none."""

    label: str
    text: str
    parameters: tuple[Parameter, ...]
    active: int | None


def signature(document: Document, offset: int) -> Shown | None:
    """What the statement at a place takes; None where nothing is known of it."""
    here = written(document.now.source.text, offset)
    if here.inside or here.operation is None:
        return None
    known = signature_of(document.now, here)
    if known is None:
        return None
    definition = definition_called(document.now, here.operation)
    defaults = {one.name: one.default.span.text for one in definition.formals if one.default} if definition else {}
    return _shown(*known, _active(known[0], here, document.now.source.text, offset), defaults)


def signature_of(now: Snapshot, here: Written) -> tuple[Signature, str] | None:
    """The signature of a statement in hand, and what it does in a sentence."""
    if here.section is not None:
        cls = words.setting(here.section, here.words)
        if cls is None:
            return None
        name = " ".join(dict.fromkeys([here.words[0], cls.name]))
        return cls.signature(name), (cls.__doc__ or "").strip().split("\n")[0]
    name = here.words[0]
    if name == "default" and len(here.words) > 1 and here.words[1] in LAYERS:
        name = here.words[1]
    definition = definition_called(now, name)
    if definition is None:
        return (LAYERS[name].signature(name), gist(LAYERS[name])) if name in LAYERS else None
    return definitions.signature(definition), f"defined in {PurePath(definition.span.source.name).name}"


def definition_called(now: Snapshot, name: str) -> Definition | None:
    """The definition of a name: of the file, of one that it uses, or one that netc ships."""
    named = now.index.definition(name)
    if named is not None:
        return named.definition
    known = definitions.shipped(name)
    return None if known is None or name in LAYERS else known.definition


def _shown(signature: Signature, text: str, active: str | None, defaults: Mapping[str, str]) -> Shown:
    """`defaults` are those of a definition, as they are written."""
    label, number = signature.name, None
    parameters: list[Parameter] = []
    bare = {*signature.positional, *signature.size[:1]}
    for param in signature.params.values():
        shown = param.key
        if param.name in defaults:
            shown += f"={defaults[param.name]}"
        elif param.name not in {*bare, *signature.size} or not param.required:
            shown += "=..." if param.required or param.default is None else f"={shown_default(param)}"
        if active in {param.name, param.key}:
            number = len(parameters)
        start = len(label) + 1
        label = f"{label} {shown}"
        parameters.append(Parameter(start, len(label), f"{param.doc}: {param.kind.describe()}"))
    if signature.trailing:
        label += " [bn] [ACTIVATION]"
    return Shown(label, text, tuple(parameters), number)


def _active(signature: Signature, here: Written, text: str, offset: int) -> str | None:
    """The parameter that is being written, if it is known."""
    if here.key is not None:
        return here.key
    given = _arguments(text[here.begin : offset])[1:]
    last = given.pop() if given and not text[:offset][-1].isspace() else ""
    values = [one for one in given if one[0] in '("-' or one[0].isdigit()]
    if last and not (last[0] in '("-' or last[0].isdigit()):
        return None
    if signature.size and not any("x" in one or "/" in one for one in values) and ("x" in last or "/" in last):
        if "/" in last and "stride" in signature.size:
            return "stride"
        parts = [name for name in signature.size if name != "stride"]
        return parts[min(last.count("x"), len(parts) - 1)]
    order = [*signature.positional, *signature.size[:1]]
    if not order:
        return None
    at = min(len(values), len(order) - 1) if signature.params[order[-1]].many else len(values)
    return order[at] if at < len(order) else None


def _arguments(text: str) -> list[str]:
    """The words of a statement: blanks part them, but for those in parentheses and in strings."""
    words, depth, quoted, start = list[str](), 0, False, None
    for at, character in enumerate(text):
        if character.isspace() and not depth and not quoted:
            if start is not None:
                words.append(text[start:at])
            start = None
            continue
        start = at if start is None else start
        if character == '"':
            quoted = not quoted
        elif not quoted:
            depth = max(0, depth + (character == "(") - (character == ")"))
    return words if start is None else [*words, text[start:]]
