"""Names of networks and layers: the same one everywhere, whatever runs."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path
from random import Random

import pytest

import netc
from netc.figures import STYLES, FigureError
from netc.lower.expansion import Body, LayerStep, RepeatStep, parts
from netc.lower.names import network_name
from netc.report.summary import FORMATS
from tests.needs import needs_tensorflow
from tests.random_statements import text as random_text

NETWORK = "input 32x32x3\nconv 8x3 bn relu; pool 2\nadd { | identity | conv 8x3 }\ngap; fc 10 softmax\n"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("specs/resnet.net", "resnet"),
        ("resnet-32.v2.net", "resnet-32.v2"),
        ("Mein Netz (2).net", "Mein_Netz_2"),
        ("réseau.net", "reseau"),
        ("3d.net", "net-3d"),
        (".net", "net"),
        ("_.net", "net"),
        ("網.net", "net"),
        ("a\x1b[31m\n.net", "a_31m"),
        ("-", "net"),
        ("<stdin>", "net"),
        ("<string>", "net"),
        ("a" * 5000 + ".net", "a" * 100),
    ],
)
def test_a_network_without_a_name_is_named_as_its_file(source: str, name: str) -> None:
    assert network_name(source) == name
    named = netc.loads(f'net "{name}"\n{NETWORK}')  # it is one that `net` takes
    assert named.name == name


def outputs(network: netc.Network) -> Iterator[tuple[str, str]]:
    """Everything that names a network, without the text of the spec itself."""
    yield "repr", repr(network)
    yield from ((f"summary {format}", str(network.summary(format))) for format in FORMATS)
    yield "json", network.to_json()
    yield "dot", network.to_dot()
    yield from ((f"source {flat}", network.source(flat=flat)) for flat in (False, True))
    for style in STYLES:
        try:
            yield style, network.draw(style=style).svg
        except FigureError as error:
            yield style, str(error)


def test_every_output_has_the_one_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("Mein Netz.net").write_text("\n" + NETWORK, encoding="utf-8")
    Path("named.net").write_text("net Mein_Netz\n" + NETWORK, encoding="utf-8")
    unnamed, named = (dict(outputs(netc.load(file))) for file in ("Mein Netz.net", "named.net"))
    assert unnamed.keys() == named.keys()
    for output, text in unnamed.items():
        assert text.replace("Mein Netz.net", "named.net") == named[output], output
    assert all("Mein_Netz" in unnamed[output] for output in ("repr", "summary text", "json", "dot", "source False"))


@needs_tensorflow
def test_the_model_has_the_name_too(tmp_path: Path) -> None:
    (tmp_path / "Mein Netz.net").write_text(NETWORK, encoding="utf-8")
    assert netc.load(tmp_path / "Mein Netz.net").to_keras().name == "Mein_Netz"


# -- layers ------------------------------------------------------------------------------------------------------------


def made(body: Body, path: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], list[str]]]:
    """Where each statement that ran stands, by the calls and passes on the way to it, and the names that it made."""
    for step in body.steps:
        here = (*path, step.statement.span.start)
        if isinstance(step, LayerStep):
            yield here, step.nodes
        for number, each in enumerate(parts(step)):
            yield from made(each, (*here, number if isinstance(step, RepeatStep) else 0))


@pytest.mark.parametrize("seed", range(100))
def test_names_do_not_depend_on_what_else_runs(seed: int) -> None:
    text = random_text(Random(seed))
    values = product((True, False), repeat=2)
    ran = [dict(made(netc.loads(text, p=p, q=q).program.expansion)) for p, q in values]
    for one, other in combinations(ran, 2):
        for place in one.keys() & other.keys():
            assert one[place] == other[place], text
