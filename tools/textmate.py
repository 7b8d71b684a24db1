"""The TextMate grammar of the language, for VS Code and others that colour by one, from the words of the compiler:
`python -m tools.textmate > editors/vscode/syntaxes/net.tmLanguage.json`."""

from __future__ import annotations

import json
from typing import Any

from netc.report.vocabulary import patterns

SCOPES = {  # by kind of word, as themes know them (macromates.com/manual/en/language_grammars, "Naming Conventions")
    "comment": "comment.line.number-sign",
    "string": "string.quoted.double",
    "label": "entity.name.label",
    "option": "variable.parameter",
    "definition": "entity.name.function",
    "keyword": "keyword.control",
    "constant": "constant.language",
    "statement": "keyword.other",
    "size": "variable.language",
    "operation": "support.function",
    "word": "support.constant",
    "number": "constant.numeric",
    "name": "variable.other",
    "operator": "keyword.operator",
    "punctuation": "punctuation",
}


def grammar() -> dict[str, Any]:
    """The grammar as data."""
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "netc",
        "scopeName": "source.netc",
        "fileTypes": ["net"],
        "patterns": [{"name": f"{SCOPES[kind]}.netc", "match": pattern} for kind, pattern in patterns().items()],
    }


if __name__ == "__main__":
    print(json.dumps(grammar(), indent=2))
