"""Nearest spellings."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to a misspelt one, or None when nothing is close."""
    from difflib import get_close_matches  # noqa: PLC0415 - 6 ms that only an error needs

    found = get_close_matches(name.lower()[:60], list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Help lines for a name that does not exist."""
    found = nearest(name, known)
    return (f"did you mean `{found}`?",) if found else ()
