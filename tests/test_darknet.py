"""Networks of Darknet: their counts, the spec that equals one, and what is refused, with its line."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

import netc
from netc.analysis.cost import measure
from netc.cli import main
from netc.lift.lifting import flat
from netc.lift.source import Imported, ImportRefused
from netc.targets.importing import read
from tests.effort import EXAMPLES
from tests.specs import SPECS
from tests.text_reading import altered
from tools.models import darknet as texts

HEAD = "[net]\nwidth=32\nheight=24\nchannels=3\n"


def imported(folder: Path, text: str) -> Imported:
    path = folder / "model.cfg"
    path.write_text(text)
    return read(path)


@pytest.mark.parametrize(
    ("text", "trainable"),
    [
        (texts.yolov3(), 61_949_149),  # Darknet's own list of layers, and docs/specs.md
        (texts.classified(texts.darknet53()), 41_609_928),
        (texts.darknet19(), 20_842_376),
    ],
    ids=("yolov3", "darknet53", "darknet19"),
)
def test_published_networks_have_their_counts(text: str, trainable: int, tmp_path: Path) -> None:
    model = imported(tmp_path, text)
    assert measure(model.net).total.trainable == trainable
    assert measure(netc.loads(flat(model.net).text).net).total.trainable == trainable


def test_yolov3_is_the_spec(tmp_path: Path) -> None:
    path = tmp_path / "yolov3.cfg"
    path.write_text(texts.yolov3())
    assert str(netc.diff(SPECS / "yolov3.net", path)) == "no difference\n"


@pytest.mark.parametrize(
    ("options", "spec"),
    [
        ("size=2\nstride=2", "pool 2"),
        ("size=3\nstride=2", "pool 3/2 pad=1"),
        ("size=2\nstride=1", "pool 2/1"),
        ("size=5\nstride=1", "pool 5/1"),
        ("size=2\nstride=2\npadding=0", "pool 2"),
    ],
)
def test_pools_stand_where_darknet_has_them(options: str, spec: str, tmp_path: Path) -> None:
    model = imported(tmp_path, f"{HEAD}[maxpool]\n{options}\n")
    other = netc.loads(f"input 24x32x3; {spec}").net
    windows = [net.node(net.outputs[0]).layer.windows([(24, 32, 3)]) for net in (model.net, other)]
    assert windows[0] == windows[1]
    assert model.net.shapes[model.net.outputs[0]] == other.shapes[other.outputs[0]]


def test_routes_and_shortcuts_count_back_and_from_the_first(tmp_path: Path) -> None:
    conv = "[convolutional]\nfilters=4\nactivation=mish\n"
    text = f"{HEAD}{conv}{conv}[route]\nlayers=-1,0\n[route]\nlayers=-1\ngroups=2\ngroup_id=1\n[shortcut]\nfrom=1\nactivation=leaky\n"
    spec = "input 24x32x3; a: conv 4x1; m: mish; conv 4x1; b: mish; concat m; part 2 of=2; add { | from b | identity }; leakyrelu 0.1"
    model = imported(tmp_path, text)
    assert measure(model.net).total.trainable == 36
    assert str(netc.diff(netc.loads(spec), tmp_path / "model.cfg")) == "no difference\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "expected `[net]` first"),
        ("[net]\nwidth=8\n", "expected `width`, `height` and `channels`"),
        ("width=8\n", "line 1: an option before any `[section]`"),
        ("[net]\nwidth=8\nhello\n", "line 3: got 'hello'"),
        (HEAD + "[reorg]\nstride=2\n", "line 5 (`[reorg]`): Darknet's reorg"),
        (HEAD + "[lstm]\n", "line 5 (`[lstm]`): netc has no operation"),
        (HEAD + "[convolutional]\nfilters=x\n", "line 6 (`[convolutional]`): `filters` is 'x'"),
        (HEAD + "[convolutional]\nfilters=99999999999999\n", "expected a whole number"),
        (
            HEAD + "[convolutional]\nsize=100\nfilters=1\n",
            "line 5 (`[convolutional]`): `conv` with a window of 100x100",
        ),
        (HEAD + "[convolutional]\nactivation=loggy\n", "line 6 (`[convolutional]`): netc has no activation"),
        (HEAD + "[convolutional]\nwoggle=1\n", "line 6 (`[convolutional]`): what `woggle` means"),
        (HEAD + "w=1\n", "line 5 (`[net]`): what `w` means"),
        (HEAD + "[route]\nlayers=-1\n", "`layers` names the layer '-1', and there are 0 before it"),
        (HEAD + "[maxpool]\n[shortcut]\nfrom=-9\n", "names the layer '-9'"),
        (HEAD + "[softmax]\n", "a softmax over all positions"),
        (HEAD + "[softmax]\ntree=a.tree\n", "along a tree"),
        (HEAD + "[convolutional]\nxnor=1\n", "`xnor=1`: netc has no such convolution"),
    ],
)
def test_what_is_not_known_is_refused_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ImportRefused) as caught:
        imported(tmp_path, text)
    assert said in str(caught.value)


def test_a_text_is_imported_with_its_blocks_and_cannot_be_verified(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("yolov3.cfg").write_text(texts.yolov3())
    assert main(["import", "yolov3.cfg"]) == 0
    text = Path("yolov3.net").read_text()
    assert len([line for line in text.splitlines() if line.strip() and not line.startswith("#")]) <= 40
    assert not netc.diff("yolov3.net", SPECS / "yolov3.net")
    capsys.readouterr()
    assert main(["import", "yolov3.cfg", "-o", "other.net", "--verify"]) == 1
    assert "a .cfg has no weights" in capsys.readouterr().err


def test_all_refusals_are_listed(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused) as caught:
        imported(tmp_path, HEAD + "[convolutional]\nfilters=x\n[reorg]\n[crop]\n[convolutional]\nxnor=1\n")
    assert [reason.place.split()[1] for reason in caught.value.reasons] == ["6", "7", "8", "10"]


def test_changed_texts_are_read_or_refused(tmp_path: Path) -> None:
    whole = texts.classified(texts.darknet53(64))[:1500]
    for text in altered(whole, "[]=-,0123459\n#;axé\0", 3, EXAMPLES or 150):
        with suppress(ImportRefused):
            flat(imported(tmp_path, text).net)


def test_texts_are_read_within_bounds(tmp_path: Path) -> None:
    for text in ("[net]\n" * 30_000, "#" * (1 << 20) + "x"):
        with pytest.raises(ImportRefused, match="expected"):
            imported(tmp_path, text)
    (tmp_path / "model.cfg").write_bytes(b"[net]\n\xff\n")
    with pytest.raises(ImportRefused, match="no UTF-8"):
        read(tmp_path / "model.cfg")
