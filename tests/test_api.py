"""netc in Python."""

from __future__ import annotations

import html
import inspect
import pydoc
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import networkx
import pytest

import netc
from netc.diagnostics.codes import Severity
from tests.specs import SAMPLE_FILES

TEXT = """\
net small
param ch = 8
input 16x16x3
a: conv (ch)x3 relu
conv (ch)x3
add a
gap
fc 10 softmax
"""


def test_loads_with_parameters() -> None:
    net = netc.loads(TEXT, ch=4)
    assert net.name == "small"
    assert net.parameters == {"ch": 4}
    assert net.shapes["a"] == (16, 16, 4)
    assert net.diagnostics == ()
    assert repr(net) == "<Network small(ch=4): 16x16x3 -> 10, 310 trainable parameters>"


def test_load_reads_a_file(tmp_path: Path) -> None:
    path = tmp_path / "small.net"
    path.write_text(TEXT)
    assert netc.load(path, ch=2).shapes == netc.loads(TEXT, ch=2).shapes
    assert netc.load(str(path)).parameters == {"ch": 8}


@pytest.mark.parametrize("name", ["x" * 10_000, "a\0b", "", "<stdin>"])
def test_a_text_may_have_any_name(name: str) -> None:
    """Also one that no file can have."""
    assert netc.loads(TEXT, name).shapes


def test_the_graph_is_networkx() -> None:
    net = netc.loads(TEXT)
    assert isinstance(net.graph, networkx.MultiDiGraph)
    assert networkx.shortest_path(net.graph, "input1", "fc1") == ["input1", "a", "add1", "gap1", "fc1"]
    assert net.graph.nodes["a"]["layer"].op == "conv"
    assert next(networkx.topological_sort(net.graph)) == "input1"


def test_errors_are_text_and_data() -> None:
    with pytest.raises(netc.SpecError) as caught:
        netc.loads("input 8x8x3; conv 4x3 rleu\nfc 10; flaten", name="bad.net")
    assert [found.code for found in caught.value.diagnostics] == ["NET104", "NET101"]
    assert str(caught.value).startswith("error[NET104]: ")
    assert "bad.net:2:8" in str(caught.value)
    assert all(found.severity is Severity.ERROR for found in caught.value.diagnostics)


def test_lints_do_not_raise() -> None:
    net = netc.loads("input 8x8x3; avgpool 1/2; conv 4x3")
    assert [found.code for found in net.diagnostics] == ["NET301"]


def test_a_comment_accepts_a_lint() -> None:
    assert netc.loads("input 8x8x3\navgpool 1/2  # netc: allow NET301\nconv 4x3").diagnostics == ()


def test_unknown_parameter() -> None:
    with pytest.raises(netc.SpecError) as caught:
        netc.loads(TEXT, cha=4)
    assert [found.code for found in caught.value.diagnostics] == ["NET112"]
    assert "ch" in caught.value.diagnostics[0].help[0]


@pytest.mark.parametrize(("value", "code"), [("relu", "NET108"), (2.5, "NET108"), (True, "NET108"), (0, "NET109")])
def test_wrong_values(value: object, code: str) -> None:
    with pytest.raises(netc.SpecError) as caught:
        netc.loads(TEXT, ch=value)
    assert {found.code for found in caught.value.diagnostics} == {code}


def test_values_that_the_language_lacks() -> None:
    with pytest.raises(TypeError, match="ch"):
        netc.loads(TEXT, ch=[4])  # type: ignore[arg-type]


def test_words_are_values() -> None:
    text = "param act = relu; input 8x8x3; conv 4x3 act=act"
    assert netc.loads(text, act="tanh").net.node("conv1").layer.act == "tanh"


@pytest.mark.parametrize(
    ("name", "error"),
    [("none.net", FileNotFoundError), ("", IsADirectoryError), ("a\0b", FileNotFoundError), ("loop", OSError)],
)
def test_what_cannot_be_read_is_as_with_open(name: str, error: type[OSError], tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(error) as caught:
        netc.load(tmp_path / name)
    assert caught.value.filename == str(tmp_path / name)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "latin.net").write_bytes("net a  # caf\xe9\n".encode("latin-1"))
    with pytest.raises(netc.SpecError, match=r"latin\.net:1:13") as caught:
        netc.load(tmp_path / "latin.net")
    assert [found.code for found in caught.value.diagnostics] == ["NET005"]


def test_summary_formats() -> None:
    net = netc.loads(TEXT)
    for format in ("text", "json", "csv", "md"):
        assert "add1" in net.summary(format)
    with pytest.raises(ValueError, match="json"):
        net.summary("yaml")


def test_source_keeps_the_structure_and_can_be_flat() -> None:
    net = netc.loads(TEXT, ch=4)
    for flat in (False, True):
        code = net.source(flat=flat)
        compile(code, "<source>", "exec")
        assert "Conv2D" in code
    assert "ch=4" in net.source()


def test_unknown_attribute() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        netc.nothing  # noqa: B018


@pytest.mark.parametrize("method", ["to_keras", "datasets", "train"])
def test_without_tensorflow_it_says_what_to_install(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="needs TensorFlow"):
        getattr(netc.loads(TEXT), method)()


def test_import_is_light() -> None:
    code = "import sys, netc; print(sorted({'networkx', 'lark', 'keras', 'numpy', 'netc.api'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- at a prompt and in a notebook ---------------------------------------------------------------------------


def bundle(thing: object) -> dict[str, str]:
    """What a notebook keeps of the value of a cell."""
    found = {"text/plain": repr(thing)}
    for name in dir(thing):
        if name.startswith("_repr_") and name.endswith("_"):
            found[name] = getattr(thing, name)()
    return found


@pytest.mark.parametrize("path", SAMPLE_FILES, ids=lambda path: path.stem)
def test_a_notebook_keeps_one_figure_and_not_the_compiler(path: Path) -> None:
    """An output once held 5 to 20 MB: the whole syntax tree, with the text of the spec at every place of it."""
    net = netc.load(path)
    for thing in (net, net.draw()):
        kept = bundle(thing)
        assert set(kept) == {"text/plain", "_repr_svg_"}
        assert len(kept["text/plain"]) < 200
        assert "\n" not in kept["text/plain"]
        assert kept["_repr_svg_"].startswith("<svg")
        assert sum(map(len, kept.values())) < 100_000
    assert len(repr(net.program)) < 200
    assert all(len(repr(node)) < 10_000 for node in net.net)


def test_a_summary_is_text_and_looks_like_it() -> None:
    table = netc.loads(TEXT).summary()
    assert isinstance(table, str)
    assert repr(table) == str(table) == table
    assert set(bundle(table)) == {"text/plain", "_repr_html_"}
    shown = bundle(table)["_repr_html_"]
    assert re.fullmatch(r"<pre[^>]*>(.*)</pre>", shown, re.DOTALL)[1] == html.escape(table)  # type: ignore[index]
    assert netc.Summary("<script>&")._repr_html_().endswith("&lt;script&gt;&amp;</pre>")


# -- help ----------------------------------------------------------------------------------------------------


def test_help_shows_what_there_is() -> None:
    said = pydoc.plain(pydoc.render_doc(netc))
    for name in netc.__all__:
        assert name in dir(netc)
        assert getattr(netc, name) is not None
        assert name in said
    assert "load(path:" in said
    assert "FileNotFoundError" in said


def _public(thing: type) -> Iterator[tuple[str, object]]:
    for name, member in vars(thing).items():
        if not name.startswith("_"):
            yield name, member


def test_everything_public_says_what_it_is() -> None:
    for name, member in [*_public(netc.Network), *((name, getattr(netc, name)) for name in netc.__all__)]:
        if name != "__version__":
            assert inspect.getdoc(member), name


def test_definitions_alone_are_no_network() -> None:
    with pytest.raises(netc.SpecError, match="makes no network: it holds definitions only"):
        netc.loads("def block(ch) { conv (ch)x3 relu }\n")
