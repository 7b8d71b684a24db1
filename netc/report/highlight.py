"""A lexer of `.net` texts for Pygments, which Sphinx, notebooks and LaTeX's `minted` colour by.

Installing netc makes it known there as `net` (an entry point of the package); netc itself has no use for it.
"""

from __future__ import annotations

from pygments.lexer import RegexLexer, default, words
from pygments.token import Comment, Keyword, Name, Number, Operator, Punctuation, String, Text

from netc.report.vocabulary import vocabulary

_WORDS = vocabulary()
_END = r"(?!\w)"


class NetLexer(RegexLexer):
    """Architectures of convolutional networks, as netc reads them."""

    name = "netc"
    aliases = ("net", "netc")
    filenames = ("*.net",)
    mimetypes = ("text/x-netc",)
    version_added = ""

    tokens = {  # noqa: RUF012 - as Pygments has it
        "root": [
            (r"\s+", Text),
            (r"#[^\n]*", Comment.Single),
            (r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"', String.Double),
            (r"[A-Za-z_]\w*(?=[ \t]*:)", Name.Label),
            (r"[A-Za-z_]\w*(?=[ \t]*=(?!=))", Name.Attribute),
            (rf"def{_END}", Keyword, "definition"),
            (rf"param{_END}", Keyword, "parameter"),
            (words(_WORDS.keywords, suffix=_END), Keyword),
            (words(_WORDS.constants, suffix=_END), Keyword.Constant),
            (words(_WORDS.statements, suffix=_END), Keyword.Declaration),
            (words(_WORDS.sizes, suffix=_END), Name.Variable.Magic),
            (words((*_WORDS.operations, *_WORDS.blocks), suffix=_END), Name.Builtin),
            (words(_WORDS.words, suffix=_END), Name.Constant),
            (words(_WORDS.settings, suffix=_END), Name.Builtin),
            (r"(?:\?|\d+)(?:[x/](?:\?|\d+))+(?!\w)", Number.Integer),  # a size
            (r"(?:(?:\?|\d+)[x/])+(?=\()", Number.Integer),  # the parts of one before an expression
            (r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?", Number),
            (r"(?<=\))[x/](?:(?:\?|\d+)(?:[x/](?:\?|\d+))*)?|\?", Number.Integer),  # and after one
            (r"[A-Za-z_]\w*", Name),
            (r"\*\*|//|[=!<>]=|[-+*/%<>=]", Operator),
            (r"[{}();|,:]", Punctuation),
        ],
        "definition": [(r"[ \t]+", Text), (r"\w+", Name.Function, "#pop"), default("#pop")],
        "parameter": [(r"[ \t]+", Text), (r"\w+", Name.Variable, "#pop"), default("#pop")],
    }
