"""`-D name=value`: overrides of a file's parameters, in the language's own literals."""

from __future__ import annotations

import re

from netc.values import Value, Word

_OVERRIDE = re.compile(r"\s*([A-Za-z_]\w*)\s*=(.*)", re.ASCII | re.DOTALL)
_INTEGER = re.compile(r"[+-]?\d{1,100}", re.ASCII)
_REAL = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+(?=[eE]))([eE][+-]?\d+)?", re.ASCII)
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_STRING = re.compile(r'"([^"\\\x00-\x1f]*)"')


def parse_override(text: str) -> tuple[str, Value]:
    """`n=9`, `rate=0.5`, `aux=true`, `act=relu`, `title="a b"`; raises `ValueError` with a message for the user."""
    match = _OVERRIDE.fullmatch(text)
    if match is None:
        raise ValueError(f"got `{text[:60]}`, expected `name=value` such as `n=9`")
    return match[1], _literal(match[2].strip())


def _literal(text: str) -> Value:
    if text in ("true", "false"):
        return text == "true"
    if _WORD.fullmatch(text):
        return Word(text)
    if _INTEGER.fullmatch(text):
        return int(text)
    if _REAL.fullmatch(text) and abs(value := float(text)) != float("inf"):
        return value
    if string := _STRING.fullmatch(text):
        return string[1]
    kinds = 'a number, `true`, `false`, a word such as `relu`, or a string such as "a b"'
    raise ValueError(f"got the value `{text[:60]}`, expected {kinds}")
