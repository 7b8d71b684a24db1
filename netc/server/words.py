"""What the words of the language mean: their documentation, from the classes that implement them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from netc.layers import LAYERS
from netc.layers.kinds import Activation, Padding
from netc.lower.bind import trailing_words
from netc.lower.definitions import shipped
from netc.params import REQUIRED, Choice, Param, Signature
from netc.report.reference import block_page, comment_above, gist, operation_page, setting_page, shown_default
from netc.syntax.tree import Definition

# Statements that are no operation: how they are written, and what they do.
STATEMENTS: Mapping[str, tuple[str, str]] = {
    "net": ("net NAME", "The name of the network."),
    "param": ("param NAME = VALUE", "A parameter of the file. `-D NAME=VALUE` gives it another value."),
    "def": (
        "def NAME(PARAMETER, PARAMETER=DEFAULT) { ... }",
        "A block that is called by its name, as an operation is. After `with` stand tensors that its calls hand over.",
    ),
    "shared": ("shared def NAME(...) { ... }", "A definition whose calls have their weights in common."),
    "repeat": (
        "repeat COUNT as INDEX { ... }",
        "Statements that run so often. An index begins at 0.",
    ),
    "if": ("if CONDITION { ... } else { ... }", "Statements that run where a condition holds, and others where not."),
    "else": ("else { ... }", "What runs where no condition above holds."),
    "from": ("from LABEL", "Go on from the tensor that a label names."),
    "identity": ("identity", "The current tensor itself: an empty branch, or something to put a label on."),
    "output": ("output LABEL ...", "The outputs of the network, in order. Without it that is the last tensor."),
    "default": ("default OPERATION KEY=VALUE ... WORD ...", "Options and words for what follows in the same braces."),
    "use": ('use "FILE"', "Bring in the definitions of another file, relative to this one."),
    "data": ("data NAME { ... }", "The data set, and what is done with its images. `netc train` reads it."),
    "train": ("train { ... }", "How the network is trained: loss, optimizer, schedule and so on."),
}
TOP = ("net", "param", "def", "shared", "output", "use", "data", "train")  # of these, what stands in no braces
_TICKS = re.compile("`{3,}")


def code(text: str) -> str:
    """A text of the language in Markdown, whatever it holds."""
    fence = max((len(ticks) for ticks in _TICKS.findall(text)), default=2) + 1
    return f"{'`' * fence}net\n{text}\n{'`' * fence}"


def page(word: str) -> str | None:
    """The documentation of an operation, a statement or a shipped block, in Markdown."""
    if word in STATEMENTS:
        usage, text = STATEMENTS[word]
        return f"{code(usage)}\n\n{text}"
    if word in LAYERS:
        return operation_page(LAYERS[word])
    return None if shipped(word) is None else block_page(word)


def definition_page(definition: Definition) -> str:
    """A definition as it is called, with the comment above it."""
    comment = "\n".join(line.removeprefix("#").strip() for line in comment_above(definition.span).splitlines())
    return "\n\n".join(filter(None, [code(first_line(definition)), comment and code(comment)]))


def first_line(definition: Definition) -> str:
    """The words of a definition before its braces, on one line."""
    span = definition.span
    return " ".join(span.source.text[span.start : definition.body.span.start].split())


def option_page(signature: Signature, param: Param) -> str:
    """An option of something."""
    default = "required" if param.default is REQUIRED else f"{shown_default(param)} unless given"
    return f"**{param.key}** of `{signature.name}`: {param.doc}\n\n{param.kind.describe()}; {default}"


def meaning(param: Param, word: str) -> str:
    """What a word does as a value of an option, in a few words: its own where it has some, else the option's."""
    if isinstance(param.kind, Activation):
        return gist(LAYERS[word])
    told = param.kind.meanings if isinstance(param.kind, Choice | Padding) else {}
    return told.get(word, param.doc)


def word_page(signature: Signature, word: str) -> str | None:
    """A bare word after something: a value of an option, or its key before `=` is typed."""
    if signature.trailing and word in trailing_words():
        return operation_page(LAYERS[word])
    for param in signature.params.values():
        if param.key == word:
            return option_page(signature, param)
        if word in param.bare_words:
            said = option_page(signature, param)
            own = meaning(param, word)
            return said if own == param.doc else f"{said}\n\n`{word}`: {own}"
    return None


# -- lines of `data` and `train` -----------------------------------------------------------------------------


def setting(section: str, words: list[str]) -> type[Any] | None:
    """The class of a line of a section, by its first words: of one that chooses by name, that of what is chosen."""
    from netc.sections.settings import FAMILIES, SECTIONS  # noqa: PLC0415 - all the settings of training

    if not words:
        return None
    found = SECTIONS[section].get(words[0])
    if found is None and section == "train" and words[0] in FAMILIES and len(words) > 1:
        found = FAMILIES[words[0]].get(words[1])
    return found


def choices(section: str, word: str) -> Mapping[str, Any]:
    """What a line of a section chooses from by its next word."""
    from netc.sections.metrics import METRICS  # noqa: PLC0415 - all the settings of training
    from netc.sections.settings import FAMILIES, METRICS_LINE  # noqa: PLC0415

    if section != "train":
        return {}
    return METRICS if word == METRICS_LINE else FAMILIES.get(word, {})


def setting_words(section: str) -> Iterator[tuple[str, str]]:
    """The words that a line of a section may begin with, and what each says in a sentence."""
    from netc.sections.settings import SECTIONS, lines  # noqa: PLC0415 - all the settings of training

    for word in lines(section):
        cls = SECTIONS[section].get(word)
        yield word, (cls.__doc__ or "").strip().split("\n")[0] if cls else f"the {word} of the training"


def page_of_setting(section: str, words: list[str]) -> str | None:
    """The documentation of a line of a section."""
    found = setting(section, words)
    if found is not None:
        return setting_page(found)
    known = list(choices(section, words[0])) if words else []
    return f"**{words[0]}**: one of {', '.join(known)}" if known else None
