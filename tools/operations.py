"""The reference of the operations: `python -m tools.operations > docs/operations.md`."""

from __future__ import annotations

from netc.lower.definitions import shipped_names
from netc.report.reference import block_page, families, gist, operation_page, table


def document() -> str:
    """The whole reference as one Markdown document."""
    parts = ["# Operations", "Made from the classes that implement them; `netc ops NAME` shows the same."]
    for title, classes in families():
        rows = [(f"[`{cls.op}`](#{cls.op})", gist(cls)) for cls in classes]
        parts.append(table((title, ""), rows).rstrip())
    for title, classes in families():
        parts.append(f"## {title}")
        parts += [operation_page(cls, "###").rstrip() for cls in classes]
    parts.append("## Standard blocks")
    parts += [block_page(name, "###").rstrip() for name in shipped_names()]
    return "\n\n".join(parts) + "\n"


if __name__ == "__main__":
    print(document(), end="")
