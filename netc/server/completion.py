"""What may stand at a place."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal as Choice

from netc.diagnostics.codes import CODES, Severity
from netc.ir.shape import SIZES
from netc.layers import LAYERS
from netc.layers.kinds import Operand
from netc.lower.bind import trailing_words
from netc.lower.definitions import shipped_names
from netc.lower.index import Named
from netc.lower.walk import WITH
from netc.params import Bool, Param, Signature
from netc.report.reference import gist
from netc.server import words
from netc.server.document import Document, Snapshot
from netc.server.hover import NAMES
from netc.server.signature import definition_called, signature_of
from netc.server.written import SECTIONS, Written, written
from netc.syntax.tree import RESERVED

Kind = Choice[
    "operation", "statement", "definition", "option", "word", "parameter", "size", "label", "setting", "file", "code"
]
# What the statements of the shipped specs begin with most often, and the words after `conv` that are most frequent in
# them, the norm first, as it is written. Of all that may stand at a place these come first.
USUAL = ("conv", "pool", "fc", "input", "add", "concat", "gap", "dropout")
USUAL_WORDS = ("bn", "relu", "softmax", "valid", "sigmoid")
FILES = 1_000  # entries of a folder that are looked at


@dataclass(frozen=True, slots=True)
class Item:
    """Something that may stand at a place: as it is listed, what it is in a few words, and what is written for it.

    `of` are the first words of its statement, after the section that it is in, by which `documentation` knows what an
    option is one of.
    """

    label: str
    kind: Kind
    detail: str = ""
    insert: str = ""
    of: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What is written."""
        return self.insert or self.label


@dataclass(frozen=True, slots=True)
class Completion:
    """The items of a place, and the range of the text that one of them replaces."""

    start: int
    end: int
    items: tuple[Item, ...] = ()


def completion(document: Document, offset: int) -> Completion:
    """What may stand at a place, whatever of it is written: clients narrow it down by that."""
    now = document.now
    here = written(now.source.text, offset)
    if here.inside == "comment":
        return _codes(here, offset)
    if here.inside == "string":
        return _files(now, here, offset)
    found: dict[str, Item] = {}
    for item in _items(now, here, offset):
        found.setdefault(item.label, item)
    return Completion(here.start, here.end, tuple(found.values()))


def documentation(document: Document, kind: str, label: str, of: Sequence[str] = ()) -> str | None:
    """What there is to say of an item, in Markdown."""
    if kind in ("operation", "statement"):
        return words.page(label)
    if kind == "definition":
        called = definition_called(document.now, label)
        return words.page(label) if called is None else words.definition_page(called)
    if kind == "code" and label in CODES:
        from netc.diagnostics.explain import page  # noqa: PLC0415 - reads a file

        return page(label).text
    section = of[0] if of and of[0] in SECTIONS else None
    line = [*of] if section is None else [*of[1:]]
    if section is not None and kind == "setting":
        return words.page_of_setting(section, [*line, label])
    known = signature_of(document.now, Written(line, blocks=(section,) if section else ())) if line else None
    if known is None:
        return None
    if kind == "option":
        param = known[0].params.get(label.rstrip("="))
        return None if param is None else words.option_page(known[0], param)
    return words.word_page(known[0], label) if kind == "word" else None


# -- statements ----------------------------------------------------------------------------------------------


def _items(now: Snapshot, here: Written, offset: int) -> Iterator[Item]:
    first = here.operation
    if here.section is not None:
        yield from _setting(now, here, offset)
    elif first is None:
        yield from _statements(now, here, offset)
    elif here.deep or first in ("param", "repeat", "if", "else", "def", "shared"):
        yield from _head(now, here, offset)
    elif first in ("from", "output"):
        yield from _labels(now, here, offset)
    elif first == "default" and len(here.words) == 1:
        yield from _operations()
    else:
        yield from _arguments(now, here, offset)


def _statements(now: Snapshot, here: Written, offset: int) -> Iterator[Item]:
    for named in now.index.named:
        source = named.spans[0].source
        above = source is not now.source or named.spans[0].end <= offset
        if named.kind == "definition" and above and named.definition is not None:
            yield Item(named.name, "definition", words.first_line(named.definition))
    yield from _operations()
    for name in shipped_names():
        known = definition_called(now, name)
        yield Item(name, "definition", "" if known is None else words.first_line(known))
    for name, (usage, _) in words.STATEMENTS.items():
        if not (here.blocks and name in words.TOP):
            yield Item(name, "statement", usage)


def _operations() -> Iterator[Item]:
    for name in dict.fromkeys([*USUAL, *LAYERS]):
        yield Item(name, "operation", gist(LAYERS[name]))


def _head(now: Snapshot, here: Written, offset: int) -> Iterator[Item]:
    """Inside parentheses, and after words that expressions follow."""
    if here.operation == "shared" and len(here.words) == 1:
        yield Item("def", "statement", words.STATEMENTS["def"][0])
        return
    known = signature_of(now, here) if here.deep and here.key is not None else None
    param = known[0].params.get(here.key or "") if known else None
    if known and param is not None:
        yield from _words(known[0], param, here)
    if here.operation in ("def", "shared") and not here.deep:
        return
    yield from _values(now, here, offset)
    if here.operation == "repeat" and len(here.words) > 1:
        yield Item("as", "statement", "as INDEX: a name for the number of the pass")
    if here.operation == "else" and len(here.words) == 1:
        yield Item("if", "statement", words.STATEMENTS["if"][0])
    for word in sorted(RESERVED & {"and", "or", "not", "if", "else", "true", "false"}):
        yield Item(word, "word", "an operator of expressions" if word not in ("true", "false") else "a value")


def _arguments(now: Snapshot, here: Written, offset: int) -> Iterator[Item]:
    known = signature_of(now, here)
    if known is None:
        return
    signature = known[0]
    if here.key is not None:
        yield from _of_option(now, signature, here, offset)
        return
    cls = LAYERS.get(here.words[0])
    called = definition_called(now, here.words[0])
    if called is not None:
        if WITH in here.words:
            yield from _labels(now, here, offset)
            return
        if called.tensors:
            yield Item(WITH, "word", f"{WITH} {' '.join(name.text for name in called.tensors)}")
    elif cls is not None and (cls.operands[1] is None or cls.operands[1] > 1):
        yield from _labels(now, here, offset)
    found: dict[str, str] = {}
    for param in signature.params.values():
        if isinstance(param.kind, Bool) and param.key not in here.words:
            found.setdefault(param.key, param.doc)
        for word in param.bare_words:
            found.setdefault(word, words.meaning(param, word))
    if signature.trailing and called is None:
        for word in sorted(trailing_words()):
            found.setdefault(word, gist(LAYERS[word]))
    order = dict.fromkeys([*(word for word in USUAL_WORDS if word in found), *found])
    yield from (Item(word, "word", found[word], of=_first(here)) for word in order)
    yield from _options(signature, here)
    yield from _values(now, here, offset)


def _options(signature: Signature, here: Written, of: tuple[str, ...] = ()) -> Iterator[Item]:
    given = {*pairwise(here.words)}
    for param in signature.params.values():
        if (param.key, "=") not in given:
            yield Item(f"{param.key}=", "option", param.doc, of=of or _first(here))


def _first(here: Written) -> tuple[str, ...]:
    """The words of a statement by which its signature is found."""
    return tuple(here.words[:2] if here.words[0] == "default" else here.words[:1])


def _of_option(now: Snapshot, signature: Signature, here: Written, offset: int) -> Iterator[Item]:
    param = next((one for one in signature.params.values() if one.key == here.key), None)
    if param is not None:
        yield from _words(signature, param, here)
        if isinstance(param.kind, Operand):
            yield from _labels(now, here, offset)
            return
    yield from _values(now, here, offset)


def _words(signature: Signature, param: Param, here: Written) -> Iterator[Item]:
    """The words that an option takes."""
    if isinstance(param.kind, Bool):
        yield from (Item(word, "word", param.doc) for word in ("true", "false"))
    for word in param.kind.words():
        yield Item(word, "word", words.meaning(param, word), of=_first(here))


# -- names ---------------------------------------------------------------------------------------------------


def visible(now: Snapshot, offset: int, kinds: set[str]) -> Iterator[Named]:
    """The names of some kinds that a place can see: those of a definition, where it stands in one."""
    around = [one.definition for one in now.index.named if one.definition is not None]
    inside = next(
        (one for one in around if one.span.source is now.source and one.span.start <= offset <= one.span.end), None
    )
    for named in now.index.named:
        scope = named.scope
        if named.kind not in kinds or scope.source is not now.source or not scope.start <= offset <= scope.end:
            continue
        if inside is not None and not inside.span.holds(scope):
            continue
        if any(span.end <= offset for span in named.spans):
            yield named


def _values(now: Snapshot, here: Written, offset: int) -> Iterator[Item]:
    for named in visible(now, offset, {*NAMES} - {"label"}):
        yield Item(named.name, "parameter", NAMES[named.kind])
    yield from (Item(size, "size", f"the {size} of the current tensor") for size in SIZES)


def _labels(now: Snapshot, here: Written, offset: int) -> Iterator[Item]:
    yield from (Item(named.name, "label", NAMES["label"]) for named in visible(now, offset, {"label"}))


# -- sections ------------------------------------------------------------------------------------------------


def _setting(now: Snapshot, here: Written, offset: int) -> Iterator[Item]:
    section = here.section
    assert section is not None
    if here.deep:
        yield from _values(now, here, offset)
        return
    if not here.words:
        yield from (Item(word, "setting", said, of=(section,)) for word, said in words.setting_words(section))
        yield Item("if", "statement", words.STATEMENTS["if"][0])
        return
    of = (section, *here.words[:2])
    chosen: Mapping[str, type] = words.choices(section, here.words[0])
    if chosen and (len(here.words) == 1 or here.words[0] == "metrics"):
        for name, cls in chosen.items():
            said = (cls.__doc__ or "").strip().split("\n")[0]
            yield Item(name, "setting", said, of=(section, here.words[0]))
        return
    known = signature_of(now, here)
    if known is None:
        return
    signature = known[0]
    if here.key is not None:
        param = next((one for one in signature.params.values() if one.key == here.key), None)
        if param is not None:
            flags = ("true", "false") if isinstance(param.kind, Bool) else ()
            yield from (Item(word, "word", param.doc, of=of) for word in (*param.kind.words(), *flags))
    else:
        for one in signature.params.values():
            own = (one.key,) if isinstance(one.kind, Bool) else ()
            yield from (Item(word, "word", one.doc, of=of) for word in (*one.bare_words, *own))
        yield from _options(signature, here, of)
    yield from _values(now, here, offset)
    yield from _labels(now, here, offset)


# -- files and codes -----------------------------------------------------------------------------------------


def _files(now: Snapshot, here: Written, offset: int) -> Completion:
    """The files that a `use` may name: specs and folders below that of the text."""
    start = here.start + 1
    if here.operation != "use":
        return Completion(start, offset)
    folder, _, begun = here.word[1:].rpartition("/")
    base = Path(now.source.name).parent / folder
    items = []
    try:
        with os.scandir(base) as entries:
            for _, entry in zip(range(FILES), entries, strict=False):
                name = f"{folder}/{entry.name}" if folder else entry.name
                if entry.name.startswith(".") and not begun.startswith("."):
                    continue
                if entry.is_dir():
                    items.append(Item(f"{name}/", "file", "a folder"))
                elif entry.name.endswith(".net") and Path(now.source.name).name != entry.name:
                    items.append(Item(name, "file", "a spec"))
    except (OSError, ValueError):
        return Completion(start, offset)
    return Completion(start, offset, tuple(sorted(items, key=lambda item: item.label)))


def _codes(here: Written, offset: int) -> Completion:
    """The lints that a comment may accept."""
    begin, comment = here.start, here.word
    word = comment[len(comment.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-")) :]
    start = begin + len(comment) - len(word)
    said = comment[1:].lstrip()
    if not said.startswith("netc:"):
        return Completion(start, offset)
    if "allow" not in said[: len(said) - len(word)]:
        return Completion(start, offset, (Item("allow", "word", "accept lints of this line"),))
    lints = (code for code in CODES.values() if code.severity is Severity.WARNING)
    return Completion(start, offset, tuple(Item(code.code, "code", code.title) for code in lints))
