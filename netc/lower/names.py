"""Names of layers: the rule of docs/architecture.md, in one place."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from pathlib import PurePath
from unicodedata import normalize

from netc.layers import LAYERS
from netc.syntax.tree import Arm, Expr, If, Operation, Repeat, Statement

NAMELESS = frozenset({"net", "output", "from", "default", "use", "data", "train", "identity"})

Passes = Callable[[Expr, frozenset[str]], int | None]  # of a count, given the indices that have no value


def network_name(source: str) -> str:
    """The name of a network that has no `net`: its file's without the suffix, in the characters that `net` takes
    (`Mein Netz.net` is `Mein_Netz`), and `net` where its text is from no file (`-`, `<string>`)."""
    stem = "" if source == "-" or source.startswith("<") else PurePath(source).stem
    ascii = normalize("NFKD", stem[:100]).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", ascii).lstrip("_.-").rstrip("_.")
    return name if name[:1].isalpha() else f"net-{name}".rstrip("-")


def canonical(word: str) -> str:
    """The word under which a written operation is counted: `maxpool` counts as `pool`."""
    return LAYERS[word].op if word in LAYERS else word


@dataclass(slots=True)
class Names:
    """The counts of one body: the file, one call of a definition, or one pass of a labelled `repeat`."""

    prefix: str
    counts: MutableMapping[str, int] = field(default_factory=dict)

    def path(self, name: str) -> str:
        """A name inside this body, as the network knows it."""
        return f"{self.prefix}_{name}" if self.prefix else name

    def counted(self, word: str) -> str:
        """The next name of a word: `conv1`, `conv2`, ..."""
        count = self.counts.get(word, 0) + 1
        self.counts[word] = count
        return self.path(f"{word}{count}")

    def name(self, statement: Operation, *, repeated: bool) -> str:
        """The name of a statement; `repeated` where it stands in a `repeat` of this body."""
        if statement.label is None:
            return self.counted(canonical(statement.name))
        if repeated:
            return self.counted(statement.label.text)
        return self.path(statement.label.text)

    def skip(
        self, statements: Iterable[Statement], passes: Passes, *, repeated: bool, indices: frozenset[str] = frozenset()
    ) -> None:
        """Count statements that do not run as if they had; `indices` are those of the `repeat`s around them.

        `passes` gives the passes of a `repeat`, None where these depend on what does not run: such a one counts not
        at all.
        """
        for statement in statements:
            if isinstance(statement, Operation):
                if statement.name not in NAMELESS and (statement.label is None or repeated):
                    self.name(statement, repeated=repeated)
                for branch in statement.branches:
                    self.skip(branch.statements, passes, repeated=repeated, indices=indices)
            elif isinstance(statement, Repeat):
                self._skip_repeat(statement, passes, indices)
            elif isinstance(statement, If):
                for arm in self.arms(statement):
                    self.skip(arm.body.statements, passes, repeated=repeated, indices=indices)

    def _skip_repeat(self, statement: Repeat, passes: Passes, indices: frozenset[str]) -> None:
        count = passes(statement.count, indices) or 0
        one = Names("")
        if statement.label is not None:
            one.counted(statement.label.text)
        else:
            inner = indices if statement.index is None else indices | {statement.index.text}
            one.skip(statement.body.statements, passes, repeated=True, indices=inner)
        for word, each in one.counts.items():
            self.counts[word] = self.counts.get(word, 0) + count * each

    def arms(self, statement: If) -> Iterator[Arm]:
        """The arms of an `if`, each counted from the same start; after the last one the count goes on from the largest.

        What an arm counts lies over what was counted before, so that an `if` costs what its arms count, not all words.
        """
        start, highest = self.counts, dict[str, int]()
        for arm in statement.arms:
            counted: dict[str, int] = {}
            self.counts = ChainMap(counted, start)
            yield arm
            highest.update({word: count for word, count in counted.items() if count > highest.get(word, 0)})
        start.update(highest)
        self.counts = start
