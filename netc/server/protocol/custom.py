"""Requests beyond the protocol, for clients that show figures: docs/editor.md lists them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from netc.figures.options import Options
from netc.report.summary import FORMATS, render
from netc.server import figure as figures
from netc.server import places
from netc.server.protocol.answers import Answers

Given = Mapping[str, Any]
DRAWN = ("theme", "collapse", "expand", "shapes", "direction", "scale", "bare")  # options that a client may ask for


def plain(params: Any) -> Any:
    """The parameters of a request as data: pygls makes named tuples of those that it does not know."""
    if hasattr(params, "_asdict"):
        params = params._asdict()
    if isinstance(params, Mapping):
        return {key: plain(value) for key, value in params.items()}
    return params


def uri(given: Given) -> str:
    """The text that a request is about."""
    try:
        return str(given["textDocument"]["uri"])
    except (KeyError, TypeError):
        raise JsonRpcInvalidParams("expected `textDocument` with its `uri`") from None


def figure(answers: Answers, given: Given) -> dict[str, Any]:
    """The figure: `svg`, `style`, `old`, `error` and its `line` (from 0), as `netc.server.figure` says."""
    options = {key: given[key] for key in DRAWN if given.get(key) is not None}
    try:
        found = figures.figure(answers.document, str(given.get("style", "auto")), Options(**options))
    except ValueError as error:
        raise JsonRpcInvalidParams(str(error)) from None
    return {**asdict(found), "line": None if found.line is None else found.line - 1}


def nodes_at(answers: Answers, given: Given) -> dict[str, Any]:
    """The nodes that the place `position` made: `nodes`, and whether they are `old`."""
    try:
        at = types.Position(int(given["position"]["line"]), int(given["position"]["character"]))
    except (KeyError, TypeError, ValueError):
        raise JsonRpcInvalidParams("expected `position` with `line` and `character`") from None
    found = places.nodes(answers.document, answers.offset(at))
    return {"nodes": found.names, "old": found.old}


def places_of(answers: Answers, given: Given) -> list[dict[str, Any]]:
    """Where the `node` comes from, from its own words outwards: `uri`, `range`, and `what` is there."""
    made = []
    for place in places.places(answers.document, str(given.get("node"))):
        location = answers.client.location(place.span)
        if location is not None:
            made.append({"uri": location.uri, "range": location.range, "what": place.what})
    return made


def summary(answers: Answers, given: Given) -> dict[str, Any]:
    """The table of `netc summary` in a `format`: `text`, `old`, and the `error` where there is none."""
    format = str(given.get("format", "text"))
    if format not in FORMATS:
        raise JsonRpcInvalidParams(f"got the format {format!r}, expected one of {', '.join(FORMATS)}")
    good = answers.document.good
    if good is None:
        return {"text": "", "old": False, "error": figures.why(answers.document)[0]}
    return {"text": render(good.program, format), "old": answers.document.is_old, "error": ""}


def code(answers: Answers, given: Given) -> dict[str, Any]:
    """The Keras code of the text as it is, as `netc compile` writes it: `code`, or the `error` where there is none."""
    now = answers.now
    if not now.works:
        return {"code": "", "error": figures.why(answers.document)[0]}
    return {"code": now.code, "error": ""}


REQUESTS: dict[str, Callable[[Answers, Given], Any]] = {
    "netc/figure": figure,
    "netc/nodesAt": nodes_at,
    "netc/placesOf": places_of,
    "netc/summary": summary,
    "netc/compile": code,
}
