"""Nearest spellings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MANY = 300  # names that are compared in full; of more, those that begin alike
CLOSEST = 20


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to a misspelt one, or None when nothing is close."""
    from difflib import get_close_matches  # noqa: PLC0415 - 6 ms that only an error needs

    word = name.lower()[:60]
    found = get_close_matches(word, _candidates(word, list(known)), n=1, cutoff=0.6)
    return found[0] if found else None


def _candidates(word: str, known: list[str]) -> list[str]:
    """Names worth a comparison, which costs some 10 microseconds each."""
    if len(known) <= MANY:
        return known
    near = [other for other in known if abs(len(other) - len(word)) <= 2]
    for length in (len(word) - 1, len(word) // 2):
        alike = [other for other in near if other.startswith(word[:length])]
        if alike:
            return alike[:CLOSEST]
    return []


def did_you_mean(name: str, known: Iterable[str], otherwise: Iterable[str] = ()) -> Iterator[str]:
    """Help lines for a name that does not exist, worked out only where they are read; `otherwise` if none is close."""
    found = nearest(name, known)
    if found:
        yield f"did you mean `{found}`?"
    else:
        yield from otherwise
