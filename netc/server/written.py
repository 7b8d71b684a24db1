"""What has been written before a place: the statement in hand, from the text alone, which may be broken there."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"?|#[^\n]*|[A-Za-z_]\w*|\d[\w.]*(?:/\w*)?|\r?\n|[^\S\n]+|.', re.DOTALL)
_WORD = re.compile(r"\w*")
SECTIONS = ("data", "train")
_SEPARATORS = frozenset(("\n", "\r\n", ";", "{", "}", "|"))


@dataclass(slots=True)
class Written:
    """A place in a text that is being written.

    `words` are the tokens of its statement before it, without blanks and without a label and its colon, the first of
    which stands at `begin`; `word` is what is written of the token at the place, which goes from `start` to `end`.
    `key` is the option whose value stands there, after `key=`; `deep` says in how many parentheses. `blocks` are the
    first words of the statements whose braces are open around it, from the outermost. `inside` is what the place lies
    in: a `comment`, a `string`, or nothing.
    """

    words: list[str] = field(default_factory=list)
    begin: int = 0
    word: str = ""
    start: int = 0
    end: int = 0
    key: str | None = None
    deep: int = 0
    blocks: tuple[str, ...] = ()
    inside: str = ""

    @property
    def operation(self) -> str | None:
        """The first word of the statement, None where it is not written yet."""
        return self.words[0] if self.words else None

    @property
    def section(self) -> str | None:
        """`data` or `train`, where the place is in its braces."""
        return next((block for block in self.blocks if block in SECTIONS), None)


def written(text: str, offset: int) -> Written:
    """What stands before an offset."""
    here, stack, at, last = Written(), list[str](), 0, ""
    for match in _TOKEN.finditer(text, 0, offset):
        token, at = match[0], match.start()
        last = token
        if token in _SEPARATORS:
            if token == "{":
                stack.append(here.words[0] if here.words else "")
            elif token == "}" and stack:
                stack.pop()
            here = Written()
        elif token.isspace() or token[0] == "#":
            continue
        elif token == ":" and len(here.words) == 1 and not here.deep:
            here.words = []
        else:
            here.begin = here.begin if here.words else at
            here.deep += (token == "(") - (token == ")")
            here.words.append(token)
    here.blocks = tuple(stack)
    here.start = here.end = offset
    if last[:1] == "#":
        here.inside, here.word, here.start = "comment", last, at
        return here
    if last[:1] == '"' and (len(last) == 1 or last[-1] != '"' or last.endswith('\\"')):
        here.inside, here.word, here.start = "string", here.words.pop(), at
        return here
    if last and (last[0].isalnum() or last[0] == "_") and here.words and here.words[-1] == last:
        here.word, here.start = here.words.pop(), at
    rest = _WORD.match(text, offset)
    here.end = rest.end() if rest else offset
    if len(here.words) > 1 and not here.deep and here.words[-1] == "=":
        here.key = here.words[-2]
    elif here.deep:
        here.key = _key_outside(here.words)
    return here


def _key_outside(words: list[str]) -> str | None:
    """The key before the outermost open parenthesis."""
    deep = 0
    for at in range(len(words) - 1, -1, -1):
        deep += (words[at] == ")") - (words[at] == "(")
        if deep < 0 and at > 1 and words[at - 1] == "=":
            return words[at - 2]
    return None
