"""Text from a spec, made harmless for terminals and logs."""

from __future__ import annotations


def harmless(text: str) -> str:
    """The text with everything that does not print (control characters, escapes, direction marks) as an escape.

    A spec can therefore never move the cursor, colour, hide or reorder what netc prints.
    """
    if text.isprintable():
        return text
    return "".join(map(escape, text))


def escape(character: str) -> str:
    """One character as it may be printed: itself, or like `\\x1b`."""
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
