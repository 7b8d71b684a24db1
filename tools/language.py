"""The generated parts of docs/language.md: `python -m tools.language docs/language.md` renews them in place.

They stand between `<!-- limits -->` and `<!-- end -->`, and between `<!-- defaults -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from netc.layers.defaults import TABLE, Default
from netc.limits import Limits
from netc.report.reference import table
from netc.values import show

_PART = re.compile(r"(?<=<!-- )(limits|defaults)( -->\n).*?(?=<!-- end -->)", re.DOTALL)


def limits() -> str:
    """The bounds of one run."""
    rows = [(f"`{field.name}`", f"{field.default:,}", field.metadata["doc"]) for field in fields(Limits)]
    return table(("limit", "unless raised", "bounds"), rows)


def defaults() -> str:
    """netc's defaults beside those of TFLearn, the papers and Keras."""
    rows = [(one.what, f"`{one.param}`", _shown(one), one.tflearn, one.papers, one.keras) for one in TABLE]
    return table(("", "option", "netc", "TFLearn", "papers", "Keras"), rows)


def renewed(text: str) -> str:
    """The document with its generated parts as they are now."""
    return _PART.sub(lambda match: f"{match[1]}{match[2]}{_PARTS[match[1]]()}", text)


def _shown(one: Default) -> str:
    if one.netc is None:
        return "none"
    return str(one.netc) if isinstance(one.netc, str) else show(one.netc)


_PARTS: dict[str, Callable[[], str]] = {"limits": limits, "defaults": defaults}

if __name__ == "__main__":
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
