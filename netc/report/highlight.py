"""A lexer of `.net` texts for Pygments, which Sphinx, notebooks and LaTeX's `minted` colour by.

Installing netc makes it known there as `net` (an entry point of the package); netc itself has no use for it.
"""

from __future__ import annotations

from pygments.lexer import RegexLexer
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

from netc.report.vocabulary import patterns

TOKENS = {
    "comment": Comment.Single,
    "string": String.Double,
    "label": Name.Label,
    "option": Name.Attribute,
    "definition": Name.Function,
    "keyword": Keyword,
    "constant": Keyword.Constant,
    "statement": Keyword.Declaration,
    "size": Name.Variable.Magic,
    "operation": Name.Builtin,
    "word": Name.Constant,
    "number": Number,
    "name": Name,
    "operator": Operator,
    "punctuation": Punctuation,
}


class NetLexer(RegexLexer):
    """Architectures of convolutional networks, as netc reads them."""

    name = "netc"
    aliases = ("net", "netc")
    filenames = ("*.net",)
    mimetypes = ("text/x-netc",)
    version_added = ""

    tokens = {  # noqa: RUF012 - as Pygments has it
        "root": [(r"\s+", Text), *((pattern, TOKENS[kind]) for kind, pattern in patterns().items())]
    }
