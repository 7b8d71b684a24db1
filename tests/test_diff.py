"""What `netc diff` says: random changes of shipped specs are named, and what is only written otherwise is none."""

from __future__ import annotations

import json
import re
from collections import Counter
from itertools import combinations, islice
from pathlib import Path
from random import Random

import networkx
import pytest

import netc
from netc.cli import main
from netc.difference import words
from netc.difference.compare import Difference
from netc.difference.edits import Changed, Counted, Rewired
from netc.difference.words import changes
from netc.figures.difference import draw
from netc.figures.drawing import write_scene
from netc.figures.options import Options
from netc.figures.scene import Group, Rect, Text
from netc.figures.theme import THEMES
from tests.effort import EXAMPLES
from tests.mutations import is_named, mutations
from tests.needs import needs_tensorflow
from tests.specs import SAMPLE_FILES, SPECS, load

BASE = "input 16x16x3; conv 8x3 bn relu; add { | conv 8x1 | conv 8x3; conv 8x3 }; gap; fc 10 softmax"


def diff(one: str, other: str) -> Difference:
    return netc.diff(netc.loads(one), netc.loads(other))


def test_random_changes_are_named() -> None:
    count = EXAMPLES or 20
    found = [(one, netc.diff(one.before, one.after)) for one in islice(mutations(7), count)]
    assert not any(difference.same for _, difference in found)
    missed = [one.what for one, difference in found if not is_named(one, difference)]
    assert len(missed) <= count * 0.05 + 1, missed


@pytest.mark.parametrize(
    "other",
    [
        "input 16x16x3; a: conv 8x3 bias=false; b: bn; c: relu; add { | conv 8x1 | conv 8x3; conv 8x3 }; gap; fc 10 softmax",
        "input 16x16x3; conv 8x3 bn relu; add { | conv 8x3; conv 8x3 | conv 8x1 }; gap; fc 10 softmax",
        "input 16x16x3; conv 8x3 bn relu; x: identity; repeat 2 { conv 8x3 }; y: identity\nfrom x; conv 8x1; add y; gap; fc 10 softmax",
        "def a(n, b=true) { conv 8x(n) bias=b }\ninput 16x16x3; a 3 false; bn; relu; add { | a 1 | a 3; a 3 }; gap; fc 10; softmax",
        "input 16x16x3; conv 8x3 pad=1 bn relu; add { | conv 8x1 valid | conv 8x3x3; conv 8x3/1 }; gap; fc 10 softmax",
    ],
)
def test_what_is_written_otherwise_is_the_same(other: str) -> None:
    assert diff(BASE, other).same
    assert diff(other, BASE).same


@pytest.mark.parametrize(
    "path", [path for path in SAMPLE_FILES if path.stem != "retinanet"], ids=lambda path: path.stem
)
def test_a_spec_is_its_flat_text(path: Path) -> None:
    spec = netc.load(path)
    flat = netc.from_graph(spec.graph)
    assert not netc.diff(spec, flat), str(netc.diff(spec, flat))


def otherwise(network: netc.Network, random: Random) -> netc.Network:
    """The same network under other names, its layers in another order, and so the operands of sums and products."""
    old = network.graph
    names = dict(zip(old, random.sample([f"n{at}" for at in range(len(old))], len(old)), strict=True))
    new: networkx.MultiDiGraph[str] = networkx.MultiDiGraph(
        name="other", outputs=tuple(names[name] for name in old.graph["outputs"])
    )
    inputs = network.net.inputs
    for name in [*inputs, *random.sample([name for name in old if name not in inputs], len(old) - len(inputs))]:
        facts = old.nodes[name]
        new.add_node(names[name], layer=facts["layer"], shape=facts["shape"], shares=names.get(facts["shares"]))
    for name in old:
        reads = list(network.net.operands(name))
        if old.nodes[name]["layer"].commutative:
            random.shuffle(reads)
        for slot, operand in enumerate(reads):
            new.add_edge(names[operand], names[name], key=slot)
    return netc.from_graph(new)


@pytest.mark.parametrize("spec", ["resnet32", "nasnet-mobile", "hrnet-w18", "unetpp", "densenet121", "googlenet"])
def test_names_and_order_are_no_difference(spec: str) -> None:
    layers = re.split(r"\n(?:data|train)\b", (SPECS / f"{spec}.net").read_text())[0]
    network = netc.loads(layers)
    assert str(netc.diff(network, otherwise(network, Random(4)))) == "no difference\n"


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ("conv 8x3", "conv 9x3", "~ `conv1`: filters 8 -> 9"),
        ("conv 8x3", "conv 8x3; bn", "+ added `bn`"),
        ("conv 8x3 relu", "conv 8x3 gelu", "~ `conv1`: act relu -> gelu"),
        ("repeat 2 { conv 8x3; bn }", "repeat 4 { conv 8x3; bn }", "2 -> 4 blocks"),
        ("conv 8x3", "conv 8x3; elu", "~ `conv1`: act linear -> elu"),
        ("concat { | elu | relu }", "concat { | relu | elu }", "reads `relu1`, `elu1` instead of `elu1`, `relu1`"),
        ("concat { | elu | relu }", "concat { | elu | relu | tanh }", "+ added a branch of `concat1`: `tanh`"),
        ("a: elu; b: relu; add a", "a: elu; b: relu; add b", "reads"),
        (
            "dropout 0.1; bn; pool 2; gap",
            "bn; pool 2; dropout 0.1; gap",
            "~ moved `dropout 0.1` from after `input1` to after `pool1`",
        ),
        ("elu; conv 8x3", "gelu; conv 8x3", "`elu 1` -> `gelu`"),
        ("pool 3/2", "pool 3/2 pad=1", "pad"),
        (
            "shared def t() { conv 3x3 }\nt; t",
            "conv 3x3; conv 3x3",
            "has weights of its own",
        ),
        ("a: conv 8x3; b: bn; output a b", "a: conv 8x3; b: bn; output b", "outputs: `a`, `b` -> `b`"),
    ],
)
def test_each_kind_of_edit_is_said(one: str, other: str, said: str) -> None:
    head = "input 16x16x3\n"
    if "def" in one:
        one, head = one.replace("\n", "\ninput 16x16x3\n"), ""
        other = "input 16x16x3\n" + other
    found = diff(head + one, head + other)
    assert said in str(found)
    assert len(found.edits) == 1 or "outputs" in said


def test_settings_are_compared() -> None:
    text = "input 8x8x1; a: flatten; fc 10 softmax\ndata digits { validation 0.2 }\ntrain { loss categorical_crossentropy; optimizer adam lr=0.1; epochs 3 }"
    other = (
        text.replace("adam lr=0.1", "sgd lr=0.1").replace("epochs 3", "epochs 4").replace("{ validation 0.2 }", "{ }")
    )
    assert str(diff(text, other)).startswith(
        "- data: removed `validation 0.2`\n~ train: epochs: count 3 -> 4\n~ train: `optimizer adam lr=0.1` -> `optimizer sgd lr=0.1`"
    )
    named = text + "\n"
    assert diff(text, named.replace("train {", "train { # as before\n")).same


def test_resnet152_is_resnet101_with_more_blocks() -> None:
    found = netc.diff(load("resnet101"), load("resnet152"))
    assert str(found) == (
        "+ `bottleneck2`, `bottleneck3`: 4, 23 -> 8, 36 blocks `bottleneck_unit`\n\n"
        "+15.7 M parameters, +3.7 G MACs, receptive field 1027 -> 1507, depth 101 -> 152\n"
    )
    data = json.loads(found.json)
    assert (data["after"]["trainable"], data["edits"][0]["count"], data["same"]) == (60_192_808, [4, 8], False)


def test_a_place_is_said_where_it_says_something() -> None:
    """Beside equal blocks, a new one could stand anywhere among them."""
    head, block = "def unit(n) { conv (n)x3 bn relu; conv (n)x1 }\ninput 32x32x3; ", "unit 8; "
    assert str(diff(head + block * 2, head + block * 3)).startswith("+ `unit`: 2 -> 3 blocks\n")
    apart = diff(head + block + "pool 2; " + block, head + block + "pool 2; " + block + "pool 3/1; " + block)
    assert "after" in str(apart)
    rows = head + "repeat 2 { conv 8x3; elu }; pool 2; repeat 3 { conv 8x3; elu }"
    more = rows.replace("repeat 3", "repeat 5")
    assert str(diff(rows, more)).startswith("+ `repeat 5`: 3 -> 5 ")
    assert str(diff(more, rows)).startswith("- `repeat 5`: 5 -> 3 ")
    more = rows.replace("repeat 2", "repeat 4")
    assert re.findall(r"`(.*)`: (\d) -> (\d) .*, after", str(diff(rows, more))) == [("repeat 4", "2", "4")]
    alone = rows.split("; pool")[0]
    assert str(diff(alone, alone.replace("repeat 2", "repeat 4"))).startswith(
        "+ `repeat 4`: 2 -> 4 times `3x3 conv, 8, elu`\n"
    )


def test_blocks_beside_changed_ones_are_told_whole() -> None:
    """What is new could as well begin in the middle of a block and end in that of the next, which became another."""
    text = (SPECS / "mobilenetv2.net").read_text()
    more = text.replace("bottlenecks 6 96 3 1", "bottlenecks 6 96 5 1").replace("s 6 160 3 2", "s 4 160 3 2")
    for one, other, counts in ((text, more, (3, 5)), (more, text, (5, 3))):
        counted, *rest = diff(one, other).edits
        changed = [edit for edit in rest if isinstance(edit, Changed)]
        assert len(changed) == len(rest)
        assert isinstance(counted, Counted)
        assert (counted.where, counted.count) == (("bottlenecks5",), counts)
        assert {name for edit in changed for pair in edit.layers for name in pair} == {
            f"bottlenecks6_inverted_residual{at}_conv1" for at in (1, 2, 3)
        }


def test_preactivation_blocks_are_added_whole() -> None:
    for n, more in ((5, 9), (9, 3)):
        found = netc.diff(load("resnet", n=n), load("resnet", n=more))
        assert [edit.count for edit in found.edits if isinstance(edit, Counted)] == [(n, more)] * 3
        assert len(found.edits) == 3
        assert f"`resblock1`, `resblock2`, `resblock3`: each {n} -> {more} blocks `preact_unit`\n" in str(found)


@needs_tensorflow
def test_what_keras_has_otherwise_in_resnet50_is_said(tmp_path: Path) -> None:
    import keras

    path = tmp_path / "resnet50.json"
    path.write_text(keras.applications.ResNet50(weights=None).to_json())
    assert str(netc.diff(SPECS / "resnet50.net", path)) == (
        "~ all 53 conv: bias false -> true\n"
        "~ all 53 bn: epsilon 1e-05 -> 1.001e-05, decay 0.9 -> 0.99\n\n+26.6 k parameters\n"
    )


@pytest.mark.parametrize("theme", THEMES)
def test_a_difference_is_drawn(theme: str) -> None:
    found = netc.diff(load("resnet50"), load("resnet34"))
    scene = draw(found)
    rows = [item for item in scene.walk() if isinstance(item, Group) and item.role == "box"]
    shown = Counter[str]()
    for row in rows:
        shown[next(shape.look for shape in row.items if isinstance(shape, Rect))] += len(row.nodes)
    assert shown["diff.removed"] == len(found.matching.before.net) - len(found.matching.there)
    changed = {name for edit in found.edits if isinstance(edit, Changed) for _, name in edit.layers}
    changed |= {edit.layer[1] for edit in found.edits if isinstance(edit, Rewired)}
    assert shown["diff.changed"] == 2 * len(changed)
    assert not any(one.box.overlaps(other.box) for one, other in combinations(rows, 2))
    for row in rows:
        text = next(shape for shape in row.items if isinstance(shape, Text) and len(shape.text) > 1)
        assert row.box.holds(text.box)
    svg = write_scene(scene, ".svg", Options(theme=theme))
    assert isinstance(svg, str)
    assert svg.count("bottleneck1_bottleneck_unit1_conv3") >= 2  # as it is read, and for who points at it


def texts(difference: Difference) -> list[str]:
    return [item.text for item in draw(difference).walk() if isinstance(item, Text)]


def test_blocks_are_a_row_and_far_layers_are_left_out_of_the_figure() -> None:
    shown = texts(netc.diff(load("resnet101"), load("resnet152")))
    assert shown.count("bottleneck2_bottleneck_unit8 (10 layers)") == 1
    assert "… 10 more layers" in shown  # the thirteenth of 13 new units
    assert "bottleneck4 (32 layers)" in shown
    assert len(shown) < 80
    chain = "input 32x32x3; " + "; ".join(f"conv {at}x3" for at in range(1, 9))
    shown = texts(diff(chain, chain.replace("conv 7x3", "conv 9x3")))
    assert "… 5 layers as they were" in shown
    shown = texts(diff(chain, chain.replace("conv 3x3", "conv 9x3")))
    assert shown.count("input 32×32×3 · input1") == 2  # a single row is shown


def test_a_figure_says_the_change_first_and_whole() -> None:
    text = (SPECS / "resnet50.net").read_text()
    wanted = "stride 2 → 1, pad 1 → same"
    shown = texts(netc.diff(netc.loads(text, v1_5=True), netc.loads(text, v1_5=False)))
    assert len([text for text in shown if text.startswith(wanted)]) == 3
    one = "def stage_of_a_very_long_name_indeed(n) { conv (n)x3 }\n"
    both = [f"{one}input 64x64x8; stage_of_a_very_long_name_indeed 8; conv 8x{end}" for end in (
        "3 l2=0.00012345 pad=1", "5/2 norm=spectral init=he_normal bias=false pad=2 groups=2 l1=0.125"
    )]  # fmt: skip
    change = changes(next(edit.values for edit in diff(*both).edits if isinstance(edit, Changed))).replace("->", "→")
    assert any(text.startswith(change) for text in texts(diff(*both)))


def test_a_sum_and_settings_in_a_figure() -> None:
    train = "\ntrain { loss mse; optimizer adam lr=0.1 }"
    sums = [f"input 8x8x8; add {{ | conv 8x3 | {end} }}" + train for end in ("elu", "elu; relu")]
    shown = texts(diff(sums[0], sums[1].replace("lr=0.1", "lr=0.2")))
    assert "~ train: optimizer adam: lr 0.1 → 0.2" in shown
    assert "−512 parameters, −32.8 k MACs, receptive field 3 → 1" in texts(diff(sums[0], sums[1].replace("8x3", "8x1")))
    assert sum(text.startswith("add · ") for text in shown) == 2


def test_networks_with_little_in_common_are_said_to_be_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = []
    for name, rate in (("inceptionv3", 0.1), ("inception-resnet-v2", 0.2)):
        path = tmp_path / f"{name}.net"
        layers = re.split(r"\n(?:data|train)\b", (SPECS / path.name).read_text())[0]
        path.write_text(f"{layers}\ntrain {{ loss categorical_crossentropy; optimizer adam lr={rate} }}\n")
        files.append(str(path))
    assert main(["diff", *files, "--format", "json"]) == 1
    data = json.loads(capsys.readouterr().out)
    assert main(["diff", *files]) == 1
    first, *rest = capsys.readouterr().out.splitlines()
    said = re.fullmatch(r"~ two different networks: (\d+) of 309 and 822 layers match; `netc diff --all` .*", first)
    assert said
    assert int(said[1]) < 822 / 2
    assert rest == ["~ train: optimizer adam: lr 0.1 -> 0.2", "", data["total"]]
    assert main(["diff", *files, "--all"]) == 1
    assert capsys.readouterr().out.splitlines() == [*data["text"], "", data["total"]]
    out = tmp_path / "a.md"
    assert main(["diff", *files, "-o", str(out)]) == 1
    assert first.removeprefix("~ ") in out.read_text()


def test_blocks_that_became_others_are_one_line_beside_what_else_changed() -> None:
    """What no layer of such blocks has a part in is told as ever, and all of it where one asks for it."""
    units = ("bottleneck_unit` (12 of `1x1 conv`, `3x3 conv`, `1x1 conv`)", "basic_unit` (13 of `3x3 conv` x 2)")
    texts = [(SPECS / f"{name}.net").read_text().split("# section")[0] for name in ("resnet50", "resnet34")]
    for one, other in ((0, 1), (1, 0)):
        line = f"~ 16 blocks `{units[one]} became 16 blocks `{units[other]}; `netc diff --all` tells each edit"
        assert str(diff(texts[one], texts[other])).splitlines()[:2] == [line, ""]
        more = (
            texts[other]
            .replace("3 bn relu", "3 bn gelu")
            .replace("gap", "gap; dropout 0.2")
            .replace("fc 1000", "fc 10")
        )
        found = diff(texts[one], more)
        beside = [
            "~ `conv1_gelu`: `relu` -> `gelu`",
            "+ added `dropout 0.2` between `gap1` and `fc1`",
            "~ `fc1`: units 1000 -> 10",
        ]
        assert str(found).splitlines()[:-2] == [beside[0], line, *beside[1:]]
        whole = words.text(found, whole=True).splitlines()[:-2]
        assert whole == found.data["text"]
        assert set(beside) < set(whole)
        assert len(whole) > 30


def test_few_edits_inside_blocks_are_told_one_by_one() -> None:
    head = "def one(n) { conv (n)x3; relu }\ndef two(n) { conv (n)x3; bn; relu }\ninput 32x32x3; "
    assert "became" not in str(diff(head + "one 8; one 8", head + "two 8; two 8"))


def test_a_large_change_of_one_kind_is_told() -> None:
    """What changed in all layers of an operation leaves two networks one."""
    chain = "input 64x64x3; " + "; ".join(f"conv {at}x3 bias=BIAS; pool 3/1" for at in range(1, 30))
    found = diff(chain.replace("BIAS", "true"), chain.replace("BIAS", "false"))
    assert found.common == len(found.matching.after.net)
    assert str(found).startswith("~ all 29 conv: bias true -> false\n")


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = tmp_path / "a.net", tmp_path / "b.net"
    one.write_text("param n = 1; input 8x8x3; conv (8*n)x3")
    other.write_text("param n = 2; input 8x8x3; conv (8*n)x3")
    assert main(["diff", str(one), str(other)]) == 1
    assert capsys.readouterr().out.startswith("~ `conv1`: filters 8 -> 16\n\n+224 parameters, +13.8 k MACs")
    assert main(["diff", str(one), str(other), "-D", "n=3"]) == 0
    assert main(["diff", str(one), str(other), "-B", "n=1"]) == 0
    assert main(["diff", str(one), str(other), "-A", "n=2"]) == 0
    assert capsys.readouterr().out == "no difference\n" * 3
    assert main(["diff", str(one), str(one), "-A", "n=1", "-B", "n=2", "--format", "md"]) == 1
    assert capsys.readouterr().out.startswith("`a n=1` -> `a n=2`\n")
    (tmp_path / "d").mkdir()
    same = tmp_path / "d" / "a.net"
    same.write_text(other.read_text())
    assert main(["diff", str(one), str(same), "-B", "n=3", "--format", "md"]) == 1
    assert capsys.readouterr().out.startswith(f"`{one}` -> `{same} n=3`\n")
    for before, after, titles in ((one, same, (str(one), f"{same} n=3")), (one, one, ("a", "a n=3"))):
        data = netc.diff(before, netc.load(after, n=3)).data
        assert (data["before"]["name"], data["after"]["name"]) == titles
    assert main(["diff", str(one), str(other), "-o", str(tmp_path / "c.md")]) == 1
    assert "| parameters | 224 | 448 |" in (tmp_path / "c.md").read_text()
    assert main(["diff", str(one), str(other), "-o", str(tmp_path / "c.svg")]) == 1
    assert "only in" not in (tmp_path / "c.svg").read_text()
    assert main(["diff", str(one), str(other), "-o", str(tmp_path / "c.xyz")]) == 2
    other.write_text("input 8x8x3; conv 8y3")
    assert main(["diff", str(one), str(other)]) == 2
    assert main(["diff", str(one), str(tmp_path / "none.net")]) == 2
    assert main(["diff", "-", "-"]) == 2


def test_macs_of_open_sizes_are_not_called_the_same() -> None:
    """They are None on both sides."""
    head, tail = "input ?x?x1; conv 8x3; ", "; conv 1x1"
    found = netc.diff(netc.loads(head + "deconv 8x2/2" + tail), netc.loads(head + "upsample 2; conv 8x2" + tail))
    assert str(found).splitlines()[-1] == "MACs 360·H·W -> 1128·H·W, receptive field 3 -> 4"
    assert found.data["before"]["macs_formula"] != found.data["after"]["macs_formula"]
