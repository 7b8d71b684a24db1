"""Edits as somebody makes them, and all questions to a text: for the tests of the server, and for long runs.

python -m tests.editing --edits 10000        raises at the first edit after which an answer is not that of a fresh start
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from random import Random
from typing import Any

from netc.server.completion import completion, documentation
from netc.server.definition import definition, highlights, references
from netc.server.document import Document
from netc.server.figure import figure
from netc.server.findings import actions, findings, mended
from netc.server.formatting import formatting, formatting_of
from netc.server.hints import hints, lenses
from netc.server.hover import hover
from netc.server.links import links
from netc.server.places import nodes, places
from netc.server.rename import RenameRefused, rename
from netc.server.signature import signature
from netc.server.symbols import folding, symbols
from netc.server.tokens import tokens
from netc.server.workspace import Workspace
from netc.syntax.source import Source, Span
from tests.fuzz import HOSTILE, texts

LONGEST = 2_500  # characters of a text that is edited
TYPED = (
    "conv 64x3 relu\n",
    "add ",
    "from ",
    "repeat 2 {\n",
    "}\n",
    "bn; ",
    "def f(ch) {\n",
    "pad=",
    "\n",
    "#",
    '"',
    "🙂",
    "x",
)


def edited(random: Random, text: str) -> str:
    """A text after one edit: a key, a word, a deletion, something pasted or moved."""
    at = random.randrange(len(text) + 1)
    end = min(len(text), at + random.choice((0, 0, 0, 1, 1, 2, 8, 40)))
    new = random.choice((*TYPED, *"abcx (){}|;:=\n3/", "", "", "", random.choice(HOSTILE), text[at : at + 30]))
    return text[:at] + new + text[end:]


def session(random: Random, count: int) -> Iterator[str]:
    """The versions of texts that are edited; each time one goes astray it is undone, or another is opened."""
    corpus = [text for text in texts() if len(text) < LONGEST]
    right = text = random.choice(corpus)
    for _ in range(count):
        if random.random() < 0.15:
            text = right
        elif random.random() < 0.03 or len(text) > LONGEST:
            right = text = random.choice(corpus)
        else:
            text = edited(random, text)
        yield text


def answers(workspace: Workspace, document: Document, random: Random) -> dict[str, Any]:
    """What there is to say of a text, at some of its places, as plain data."""
    text = document.now.source.text
    offsets = [random.randrange(len(text) + 1) for _ in range(4)]
    found: dict[str, Any] = {
        "findings": findings(document),
        "actions": actions(document, 0, len(text)),
        "mended": mended(document) if random.random() < 0.1 else None,
        "figure": figure(document) if random.random() < 0.2 else None,
        "links": links(document),
        "symbols": symbols(document),
        "folding": folding(document),
        "tokens": tokens(document),
        "hints": hints(document, 0, len(text)),
        "lenses": lenses(document),
        "formatting": formatting(document),
        "formatting of a part": formatting_of(document, *sorted(offsets[:2])),
    }
    for offset in offsets:
        found[f"definition {offset}"] = definition(document, offset)
        found[f"references {offset}"] = references(workspace, document, offset).spans()
        found[f"highlights {offset}"] = highlights(document, offset)
        found[f"renamed {offset}"] = renamed(workspace, document, offset)
        found[f"hover {offset}"] = hover(document, offset)
        found[f"signature {offset}"] = signature(document, offset)
        found[f"completion {offset}"] = offered = completion(document, offset)
        found[f"documentation {offset}"] = [
            documentation(document, item.kind, item.label, item.of) for item in offered.items[:3]
        ]
        found[f"nodes {offset}"] = made = nodes(document, offset)
        found[f"places {offset}"] = [places(document, name) for name in made.names[:3]]
    return {name: plain(answer) for name, answer in found.items()}


def renamed(workspace: Workspace, document: Document, offset: int) -> Any:
    """The places of a new name, or why there can be none."""
    try:
        return rename(workspace, document, offset, "renamed")
    except RenameRefused as refused:
        return str(refused)


def plain(value: Any) -> Any:
    """A value as data that says of places where they are."""
    if isinstance(value, Span):
        return value.source.name, value.source.text, value.start, value.end
    if isinstance(value, Source):
        return value.name, value.text
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return value


def run(seed: int, count: int) -> int:
    """Edit, ask, and ask a fresh start the same; how many of the versions worked."""
    random, workspace, worked = Random(seed), Workspace(), 0
    document, good = None, ""
    for number, text in enumerate(session(random, count)):
        changed = workspace.change("edited.net", text)
        document = document or changed[0]
        asked = random.random()
        given = answers(workspace, document, Random(asked))
        fresh = Workspace()
        (again,) = fresh.change("edited.net", good or text)
        assert again.good is not None or not good
        fresh.change("edited.net", text)
        assert answers(fresh, again, Random(asked)) == given, (seed, number, text)
        if document.now.works:
            worked, good = worked + 1, text
    return worked


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(f"{run(options.seed, options.edits)} of {options.edits} versions worked")
