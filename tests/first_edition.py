"""Texts of the language's first edition, and the network that each of them was then.

`first_edition.json` was written once, by the last netc of the first edition, and is never written again: a text in it
that becomes another network, or none, is a broken promise. It holds the specs that shipped, the texts of the tests
that were clean, random networks, and texts whose definitions, parameters and labels have the names of what came later.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from netc.compiler import compile_source
from netc.program import Program
from netc.syntax.source import Source

CORPUS = Path(__file__).with_suffix(".json")


def corpus() -> Mapping[str, Mapping[str, str]]:
    """The texts and digests, by a name that says where the text comes from."""
    found: Mapping[str, Mapping[str, str]] = json.loads(CORPUS.read_text(encoding="utf-8"))
    return found


def compiled(text: str) -> Program:
    """The program of a text, whose findings are in its report."""
    return compile_source(Source("-", text))


def meaning(program: Program) -> str:
    """What a text means, so that options of later editions at their defaults change nothing: layers in order with their
    names, given parameters, operands, shapes and sharing, the outputs, and the settings of `data` and `train`."""
    net = program.net
    lines = [
        f"{node.name} = {_said(node.layer)} of {net.operands(node.name)} -> {net.shapes[node.name]} as {node.shares}"
        for node in net
    ]
    lines.append(f"outputs {net.outputs}")
    for section in (program.sections.data, program.sections.train):
        if section is not None:
            lines += [type(section).__name__, *(_said(line.value) for line in section.lines)]
    return "\n".join(lines)


def digest(program: Program) -> str:
    """A short hash of the meaning."""
    return hashlib.sha256(meaning(program).encode()).hexdigest()[:16]


def _said(value: object) -> str:
    if not dataclasses.is_dataclass(value):
        return repr(value)
    given = {
        field.name: getattr(value, field.name)
        for field in dataclasses.fields(value)
        if getattr(value, field.name) != field.default
    }
    return f"{type(value).__name__}({', '.join(f'{name}={_said(one)}' for name, one in sorted(given.items()))})"
