"""What the tests of models in text files share."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random


def altered(text: str, signs: str, seed: int, count: int) -> Iterator[str]:
    """A text with some of its characters replaced by signs that mean something in its language."""
    random = Random(seed)
    for _ in range(count):
        made = list(text)
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(made))
            made[at : at + random.randint(0, 9)] = random.choices(signs, k=random.randint(0, 6))
        yield "".join(made)
