"""Names of layers: the rule of docs/architecture.md, in one place."""

from __future__ import annotations

import re
from collections import ChainMap
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from pathlib import PurePath
from unicodedata import normalize

from netc.syntax.tree import Arm, If, Operation, Statement

NAMELESS = frozenset({"net", "output", "from", "default", "use", "data", "train", "identity"})


def network_name(source: str) -> str:
    """The name of a network that has no `net`: its file's without the suffix, in the characters that `net` takes
    (`Mein Netz.net` is `Mein_Netz`), and `net` where its text is from no file (`-`, `<string>`)."""
    stem = "" if source == "-" or source.startswith("<") else PurePath(source).stem
    ascii = normalize("NFKD", stem[:100]).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_.-]+", "_", ascii).lstrip("_.-").rstrip("_.")
    return name if name[:1].isalpha() else f"net-{name}".rstrip("-")


@dataclass(slots=True)
class Names:
    """The counts of one body: the file, one call of a definition, or one pass of a labelled `repeat`.

    `canonical` maps a written operation to the word that is counted (`maxpool` counts as `pool`).
    """

    prefix: str
    canonical: Callable[[str], str]
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
            return self.counted(self.canonical(statement.name))
        if repeated:
            return self.counted(statement.label.text)
        return self.path(statement.label.text)

    def skip(self, statements: Iterable[Statement], *, repeated: bool) -> None:
        """Count statements that do not run: each once, the insides of a `repeat` not at all."""
        for statement in statements:
            if isinstance(statement, Operation):
                self._skip_operation(statement, repeated)
            elif isinstance(statement, If):
                self._skip_if(statement, repeated)

    def _skip_operation(self, statement: Operation, repeated: bool) -> None:
        if statement.name not in NAMELESS and (statement.label is None or repeated):
            self.name(statement, repeated=repeated)
        for branch in statement.branches:
            self.skip(branch.statements, repeated=repeated)

    def _skip_if(self, statement: If, repeated: bool) -> None:
        for arm in self.arms(statement):
            self.skip(arm.body.statements, repeated=repeated)

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
