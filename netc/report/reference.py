"""The reference of the operations, from their classes, in Markdown whose tables are padded, so that it reads as well in
a terminal: what `netc ops` shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from inspect import cleandoc
from typing import Any

from netc.layers import LAYERS
from netc.layers.base import Layer
from netc.lower.definitions import shipped, shipped_names
from netc.params import REQUIRED, Param, Text, declared
from netc.syntax.source import Span
from netc.values import show

_COMMENT_ABOVE = re.compile(r"(?:^#[^\n]*\n)*\Z", re.MULTILINE)
_SOURCE = re.compile(r" \([^()]*\d{4}[^()]*\)")
_FAMILIES = {
    "input": "Input",
    "conv": "Convolutions",
    "pool": "Pools",
    "dense": "Dense layers",
    "sequence": "Sequences",
    "activation": "Activations",
    "norm": "Normalisation",
    "regularise": "Regularisation",
    "shape": "Shapes and channels",
    "merge": "Combiners",
}


def operation_page(cls: type[Layer], heading: str = "#") -> str:
    """Everything about one operation."""
    parts = [f"{heading} `{cls.op}`", cleandoc(cls.__doc__ or ""), f"```\n{usage(cls)}\n```"]
    if cls.aliases:
        parts.append("Other names: " + ", ".join(f"`{alias}`" for alias in cls.aliases) + ".")
    params = cls.signature(cls.op).params.values()
    if params:
        rows = [(f"`{param.key}`", param.kind.describe(), shown_default(param), param.doc) for param in params]
        parts.append(table(("option", "takes", "default", "meaning"), rows).rstrip())
    if cls.example:
        parts.append(f"Example, after `input 32x32x16`:\n\n```net\n{cls.example.strip()}\n```")
    return "\n\n".join(parts) + "\n"


def setting_page(cls: type[Any], heading: str = "#") -> str:
    """Everything about one line of `data` or `train`, or one choice of such a line (a `netc.sections.base.Setting`)."""
    parts = [f"{heading} `{cls.name}`", cleandoc(cls.__doc__ or "")]
    if cls.aliases:
        parts.append("Other names: " + ", ".join(f"`{alias}`" for alias in cls.aliases) + ".")
    params = declared(cls).values()
    if params:
        rows = [(f"`{one.name}`", one.kind.describe(), _default_of_setting(one), one.doc) for one in params]
        parts.append(table(("option", "takes", "default", "meaning"), rows).rstrip())
    return "\n\n".join([*parts, f"```\n{cls.example}\n```"]) + "\n"


def _default_of_setting(param: Param) -> str:
    return "none" if param.default == "" else shown_default(param)


def block_page(name: str, heading: str = "#") -> str:
    """A shipped block: its definition, with the comment above it."""
    block = shipped(name)
    assert block is not None
    source = block.definition.span.source
    code = comment_above(block.definition.span) + block.definition.span.text
    return f"{heading} `{name}`\n\nA standard block, from `{source.name}`.\n\n```net\n{code}\n```\n"


def comment_above(span: Span) -> str:
    """The lines of comment directly above a place, each with its line break."""
    found = _COMMENT_ABOVE.search(span.source.text, 0, span.start)
    assert found is not None
    return found[0]


def usage(cls: type[Layer]) -> str:
    """How it is written, a line a form: `conv FILTERSxKERNEL[/STRIDE] [OPTION=VALUE ...] [bn] [ACTIVATION]`."""
    if cls.operands[1] is None or cls.operands[1] > 1:
        return f"{cls.op} LABEL ...\n{cls.op} {{ | BRANCH | BRANCH ... }}"
    params = cls.signature(cls.op).params
    words = [cls.op]
    if cls.size:
        size = "x".join(name.upper() for name in cls.size if name != "stride")
        words.append(size + ("[/STRIDE]" if "stride" in cls.size else ""))
    for name in cls.positional:
        if name not in cls.size:
            shown = name.upper() + (" ..." if params[name].many else "")
            words.append(shown if params[name].required else f"[{shown}]")
    words += ["[OPTION=VALUE ...]"] * (set(params) > {*cls.size, *cls.positional})
    return " ".join(words + ["[bn] [ACTIVATION]"] * cls.trailing)


def index() -> str:
    """All operations by family, a line each."""
    parts = [f"{title}\n" + "".join(f"  {cls.op:15} {gist(cls)}\n" for cls in classes) for title, classes in families()]
    return "\n".join([*parts, "Standard blocks\n  " + "\n  ".join(shipped_names()) + "\n"])


def gist(cls: type[Layer]) -> str:
    """The first sentence of its documentation, without sources."""
    text = cleandoc(cls.__doc__ or "").replace("\n", " ")
    text = _SOURCE.sub("", text)
    return re.split(r"(?<!et al)\. ", text)[0].rstrip(".")


def families() -> list[tuple[str, list[type[Layer]]]]:
    """The operations by family, each with its title, in the order of the reference."""
    classes = list(dict.fromkeys(LAYERS.values()))
    known = list(dict.fromkeys([*_FAMILIES, *(cls.family for cls in classes)]))
    members = {family: [cls for cls in classes if cls.family == family] for family in known}
    return [(_FAMILIES.get(family, family.capitalize()), there) for family, there in members.items() if there]


def shown_default(param: Param) -> str:
    """A default as the reference shows it."""
    if param.default is REQUIRED:
        return "required"
    if param.default is None or param.default == ():
        return "none"
    if isinstance(param.default, str) and not isinstance(param.kind, Text):
        return str(param.default)
    return show(param.default)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table, padded."""
    lines = [head, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in lines]
    shown.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(shown) + "\n"
