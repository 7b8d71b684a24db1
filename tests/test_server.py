"""The server core: what it says of a text that is being written."""

from __future__ import annotations

import asyncio
import gc
import os
import re
from collections import Counter
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from random import Random
from time import perf_counter

import pytest

from netc.analysis.sizes import trace
from netc.diagnostics.levels import Level, Levels
from netc.diagnostics.model import Diagnostics
from netc.figures.options import Options
from netc.ir.net import Net
from netc.layers import LAYERS
from netc.layers.kinds import ACTIVATIONS
from netc.limits import Limits
from netc.lower.bind import trailing_words
from netc.lower.definitions import shipped_names
from netc.report.reference import gist, operation_page
from netc.server import folders
from netc.server.completion import USUAL, USUAL_WORDS, completion, documentation
from netc.server.definition import highlights, references
from netc.server.document import Document, Settings
from netc.server.figure import figure
from netc.server.findings import actions, findings, mended, place
from netc.server.formatting import formatting, formatting_of, replaced
from netc.server.hints import hints, lenses
from netc.server.hover import hover, share
from netc.server.links import links
from netc.server.moved import Moved
from netc.server.places import nodes, places
from netc.server.protocol.worker import Ended, Task, Worker
from netc.server.rename import RenameRefused, rename
from netc.server.signature import signature
from netc.server.workspace import Workspace
from netc.syntax.parser import parse
from netc.syntax.source import Source, Span
from netc.syntax.tree import Definition, Operation, Reference, alike, descend
from tests import editing
from tests.cases import paths, read_case
from tests.specs import SPECS

UNET = (SPECS / "unet.net").read_text(encoding="utf-8")


def opened(text: str, name: str = "spec.net") -> tuple[Document, int]:
    """A document of a text, and the place of the `^` in it."""
    at = text.find("^")
    (document,) = Workspace().change(name, text.replace("^", "", 1))
    return document, at


def labels(text: str, name: str = "spec.net") -> list[str]:
    """What is offered at the `^` of a text."""
    return [item.label for item in completion(*opened(text, name)).items]


def told(text: str) -> str:
    """What there is to say at the `^` of a text."""
    found = hover(*opened(text))
    return "" if found is None else found.text


# -- places through edits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a [bcd] e", "a [bcd] e", "bcd"),
        ("a [bcd] e", "xx a [bcd] e", "bcd"),
        ("a [bcd] e", "a [bXcd] e", "bXcd"),
        ("a [bcd] e", "a Xbcd e", "bcd"),
        ("a [bcd] e", "a bcdX e", "bcd"),
        ("a [bcd] e", "a  e", None),
        ("a [bcd] e", "a bQQe", None),
        ("one\n[two]\nthree\nfour\n", "zero\none\n[two]\nthree\nfive\n", "two"),
        ("one\n[two]\nthree\nfour\n", "ONE\n[two]\nTHREE\nfour\n", "two"),
        ("one\n[two]\nthree\n", "one\nthree\n", None),
    ],
)
def test_a_place_moves_with_its_words(old: str, new: str, expected: str | None) -> None:
    start, end = old.index("["), old.index("]") - 1
    new = new.replace("[", "").replace("]", "")
    found = Moved(old.replace("[", "").replace("]", ""), new).span(start, end)
    assert (None if found is None else new[found[0] : found[1]]) == expected


def test_places_that_did_not_change_come_back() -> None:
    for text in editing.texts()[:40]:
        lines = text.splitlines(keepends=True)
        new = "".join(["# new\n", *lines[: len(lines) // 2], "conv 3x3\n", *lines[len(lines) // 2 :]])
        moved = Moved(text, new)
        for at in range(0, len(text), 37):
            found = moved.span(at, at + 1)
            assert found is not None
            assert new[found[0] : found[1]] == text[at : at + 1]
            assert moved.back(found[0]) == at


# -- documents -----------------------------------------------------------------------------------------------


def test_what_worked_last_answers_while_the_text_is_broken() -> None:
    workspace = Workspace()
    (document,) = workspace.change("unet.net", UNET)
    whole = figure(document)
    assert whole.svg.startswith("<svg")
    assert (whole.style, whole.old, whole.error) == ("grid", False, "")
    broken = "# a line above\n" + UNET.replace("enc2: double 128", "enc2: double 128 128").replace("pool 2", "pol 2", 1)
    workspace.change("unet.net", broken)
    old = figure(document)
    assert (old.svg, old.old, old.line) == (whole.svg, True, broken[: broken.index("pol 2")].count("\n") + 1)
    assert old.error == "NET101: there is no operation `pol`"
    found = hover(document, broken.index("deconv 512"))
    assert found is not None
    assert found.old
    assert "H/8×W/8×512" in found.text
    assert [one.span.text for one in places(document, "enc2_conv1")] == [
        "conv (ch)x3 relu init=he_normal",
        "repeat 2",
        "double 128",
    ]
    assert nodes(document, broken.index("pol 2")).names == ("pool1",)
    workspace.change("unet.net", UNET)
    assert figure(document) == whole


def test_a_text_that_never_worked_has_its_error_for_a_figure() -> None:
    for text in ("", "conv 64x3", "def f(a) { conv (a)x3 }", "(((", "\x00", "input 8x8x3; crop 9x9"):
        found = figure(opened(text)[0])
        assert not found.svg
        assert found.error
    assert figure(opened("input 8x8x3\nconv 4x3\n")[0], "column", Options(theme="dark")).style == "column"


def test_a_node_and_its_place_find_each_other() -> None:
    document, _ = opened(UNET)
    assert document.good is not None
    net = document.good.program.net
    for node in net:
        own, *_ = places(document, node.name)
        assert node.name in nodes(document, own.span.start).names
        for around in places(document, node.name):
            assert node.name in nodes(document, around.span.start).names
    assert nodes(document, UNET.index("enc2: double")).names == ("enc2_conv1", "enc2_conv2")
    assert len(nodes(document, UNET.index("conv (ch)")).names) == 18
    assert nodes(document, UNET.index("# section")).names == ()
    words, at = opened("input 8x8x3\nrepeat 2 { conv 4x3 ^bn relu }\n")
    assert nodes(words, at).names == ("conv1_bn", "conv2_bn")


def test_documents_use_each_other(tmp_path: Path) -> None:
    main, block, leaf = (str(tmp_path / f"{name}.net") for name in ("main", "block", "leaf"))
    workspace = Workspace()
    (document,) = workspace.change(main, 'use "block.net"\ninput 8x8x3\nunit 4\n')
    assert [found.code for found in findings(document)] == ["NET123", "NET101"]
    assert workspace.change(block, 'use "leaf.net"\ndef unit(ch) { leaf (ch) }\n')[1:] == [document]
    assert [found.code for found in findings(document)] == ["NET123", "NET101"]
    used, *others = workspace.change(leaf, "def leaf(ch) { conv (ch)x3 }\n")
    assert len(others) == 2
    assert findings(document) == findings(used) == []
    assert [link.path.name for link in links(document)] == ["block.net"]
    assert workspace.change(leaf, "def leaf(ch) { conv (ch)x3 }\n") == []
    workspace.change(leaf, "def leaf(ch) { conv (ch)x99 pad=valid }\n")
    (found,) = findings(document)
    assert found.span is not None
    assert found.span.source is used.now.source
    assert place(document.now, found).text == "unit 4"
    assert len(workspace.close(leaf)) == 2
    assert "NET123" in {found.code for found in findings(document)}


def test_findings_are_those_of_check_and_fixes_mend() -> None:
    text = "input 8x8x3\nconv 4 x 3 rleu\nconv 4x3 bias=true\nbn\n"
    document, _ = opened(text)
    assert [found.code for found in findings(document)] == ["NET004", "NET104"]
    found = actions(document, text.index("rleu"), text.index("rleu"))
    assert [action.fix.title for action in found] == ["write `relu`"]
    assert mended(document) == text.replace("4 x 3", "4x3")
    assert mended(document, unsafe=True) == text.replace("4 x 3", "4x3").replace("rleu", "relu")
    settings = Settings(Levels.of([(Level.DENY, "NET501")]))
    (denied,) = Workspace(lambda _: settings).change("x.net", "input 8x8x3\nconv 4x3\nbn\n")
    assert [found.severity.value for found in findings(denied)] == ["error"]
    assert figure(denied).svg


@pytest.mark.parametrize(
    "text",
    [
        "input 8x8x3\nrepeat 100000 { conv 4x3 }",
        "input 8x8x3\nrepeat 19000 { repeat 19000 { relu } }",
        "def a() { repeat 100 { relu } }\ndef b() { repeat 100 { a } }\ndef c() { repeat 100 { b } }\ninput 8x8x3\nc",
        "(" * 10_000,
        "input 8x8x3\n" + "add { | " * 5_000,
        "x" * 1_100_000,
    ],
)
def test_a_hostile_text_is_bounded(text: str) -> None:
    document, _ = opened(text)
    assert any(found.code.startswith(("NET6", "NET0")) for found in findings(document))
    assert not figure(document).svg
    hover(document, 15)
    completion(document, len(text))
    signature(document, len(text))
    assert Settings().limits.layers < Limits().layers


def test_formatting_is_that_of_fmt_and_of_a_part_alone() -> None:
    text = "input   8x8x3\nadd {|conv 3x1\n|identity}   # end\n"
    document, _ = opened(text)
    first = formatting_of(document, 0, 3)
    assert replaced(text, first) == text.replace("   8", " 8", 1)
    whole = "input 8x8x3\nadd {\n    | conv 3x1\n    | identity\n}  # end\n"
    assert replaced(text, formatting(document)) == whole
    assert formatting(opened("input   8x8x3\nconv (")[0]) == []
    for each in editing.texts()[::6]:
        uneven = each.replace("; ", "\n ;  ").replace("    ", "  ").replace(" {", "{")
        document, _ = opened(uneven)
        made = replaced(uneven, formatting(document))
        assert formatting(opened(made)[0]) == []
        start, end = len(uneven) // 3, len(uneven) // 2
        part = opened(replaced(uneven, formatting_of(document, start, end)))[0]
        assert alike(part.now.file.statements, document.now.file.statements)


def test_formulas_of_open_sizes_are_computed_once_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    computed, compute = list[Net](), trace._formulas

    def counted(net: Net) -> trace.Formulas | None:
        computed.append(net)
        return compute(net)

    monkeypatch.setattr(trace, "_formulas", counted)
    workspace = Workspace()
    for number, text in enumerate((UNET, UNET.replace("classes = 2", "classes = 3"))):
        (document,) = workspace.change("unet.net", text)
        assert findings(document) == []
        assert any("H/16" in hint.text for hint in hints(document, 0, len(text)))
        assert lenses(document)
        assert "H/16" in figure(document).svg
        assert len(computed) == number + 1
    assert computed[0] is not computed[1]


# -- questions about a place ---------------------------------------------------------------------------------


def test_hover_tells_shapes_costs_and_meanings() -> None:
    found = told(UNET.replace("conv (ch)x3", "^conv (ch)x3"))
    assert "**H×W×64 ×2, H/2×W/2×128 ×2" in found
    assert "28,244,288 parameters (91 %)" in found
    assert "| enc3_conv2 | H/4×W/4×256 | 590,080 | 36.9 k·H·W |" in found
    assert "conv FILTERSxKERNEL" in found
    assert told(UNET.replace("(ch)x3", "(^ch)x3")) == (
        "`ch` = `64`, `128`, `256`, `512`, `1024`, `512`, `256`, `128`, `64`"
    )
    assert told(UNET.replace("concat enc3", "concat e^nc3")) == "`enc3` is **H/4×W/4×256**"
    assert told(UNET.replace("classes = 2", "cl^asses = 2")) == "`classes` = `2`"
    assert "initial weights" in told(UNET.replace("init=", "in^it="))
    assert "learning rate" in told(UNET.replace("lr=", "l^r="))
    assert "Polyak" in told(UNET.replace("optimizer mom", "optimizer m^om"))
    assert told("input 8x8x3\nrepeat 3 as ^i { conv (i + 4)x3 }\n") == "`i` = `0` to `2`"
    assert "receptive field 3" in told("input 8x8x3\nrepeat 2 { ^conv 4x3; conv 4x1 }\n").replace("3, 5", "3")
    assert "A group of n units" in told("input 32x32x16\n^resblock 2 16\n")
    assert told("input 8x8x3\n^\n\nconv 4x3") == ""


def test_hover_tells_what_channels_are() -> None:
    text = "input 8x8x3\ndef f(ch) { conv (ch)x3; conv (2*chan^nels)x1 }\nf 4\nf 4\nf 6\n"
    assert told(text) == "`channels` = `4` ×2, `6`, of the tensor before this statement"
    branch = "input 8x8x32\nmul { | identity | gap keep; conv (channels//8)x1; conv (chan^nels)x1; conv 32x1 }\n"
    assert "= `4`," in told(branch)
    assert "`channels`" not in told("input 8x8x3\ngap over=chan^nels\n")  # a word there


@pytest.mark.parametrize("op", LAYERS)
def test_hover_tells_an_option_before_its_sign_is_typed(op: str) -> None:
    """`conv 8x3 act`, on the way to `act=relu`."""
    for param in LAYERS[op].signature(op).params.values():
        said = told(f"input 8x8x3\n{op} ^{param.key}\n")
        assert f"**{param.key}** of `{op}`" in said or param.key in trailing_words(), param.key


@pytest.mark.parametrize(
    ("part", "whole", "told"),
    [
        (272_896, 274_042, "99.6 %"),
        (9_999_999, 10_000_000, "> 99.9 %"),
        (7, 7, "100 %"),
        (1, 10_000, "< 0.1 %"),
        (3, 1_000, "0.3 %"),
        (91, 100, "91 %"),
        (0, 7, ""),
        (None, 7, ""),
    ],
)
def test_a_share_is_rounded_to_no_falsehood(part: int | None, whole: int, told: str) -> None:
    assert share(part, whole) == (told and f" ({told})")


def test_hover_and_lens_tell_shares_alike() -> None:
    """Where an `fc` of 17 parameters is outside."""
    text = (
        "def ^unit(ch) { conv (ch)x3 bn; conv (ch)x3 bn }\ninput 32x32x1\nconv 16x1\nrepeat 9 { unit 16 }\ngap; fc 1\n"
    )
    document, _ = opened(text)
    (lens,) = (lens.text for lens in lenses(document) if " calls " in lens.text)
    (share,) = re.findall(r"[\d,]+ parameters \(.*?\)", lens)
    assert share == "42,624 parameters (99.9 %)"
    assert share in told(text)


def test_a_lens_counts_what_its_definition_made() -> None:
    counted = 0
    for text in editing.texts()[::4]:
        (document,) = Workspace().change("spec.net", text)
        if len(text) > 5_000 or document.good is None:
            continue
        for statement in document.good.file.statements:
            made = nodes(document, statement.name_span.start).names if isinstance(statement, Definition) else ()
            own = sum(document.good.facts.cost.layers[name].parameters for name in made)
            if own:
                shown = [lens.text for lens in lenses(document) if lens.span == statement.name_span]
                assert [f" {own:,} parameters" in one for one in shown] == [True]
                counted += 1
    assert counted > 5


def test_copies_are_named_after_what_their_statement_made() -> None:
    found = told("input 32x32x16\nrepeat 9 { ^conv 16x3 bn relu }\n")
    assert "9 × (conv, bn, relu)" in found
    assert "| conv2 | 32×32×16 | 2,368 |" in found
    assert "_relu" not in found
    assert "5 × conv\n" in told("input 32x32x16\nrepeat 5 { ^conv 16x3 }\n")
    assert "| add2 | 32×32×16 | " in told("input 32x32x16\nrepeat 2 { ^add { | identity | conv 16x3 bn } }\n")


def test_a_label_changes_nothing_of_what_a_statement_made() -> None:
    text = "def unit(n) { ^conv (n)x3 bn relu }\ninput 32x32x16\nunit 4\nunit 5\n"
    document, at = opened(text)
    labelled, there = opened(text.replace("^", "a: ^"))
    assert len(nodes(document, at).names) == len(nodes(labelled, there).names) == 6
    assert "2 × (conv, bn, relu)" in told(text.replace("^", "a: ^"))


def test_completion_offers_what_may_stand_there() -> None:
    start = labels("def mine(ch) { relu }\ninput 8x8x3\n^")
    assert {"mine", "conv", "maxpool", "resblock", "repeat", "if", "param"} <= {*start}
    assert {"param", "use"}.isdisjoint(labels("input 8x8x3\nrepeat 2 { ^ }"))
    assert {"relu", "bn", "pad=", "same", "bias"} <= {*labels("input 8x8x3\nconv 64x3 ^")}
    assert "groups=" not in labels("input 8x8x3\nconv 64x3 groups=2 ^")
    assert labels("input 8x8x3\nconv 64x3 pad=^")[:3] == ["same", "valid", "causal"]
    assert labels("input 8x8x3\na: conv 4x3\nconv 3x3\nadd ^")[:1] == ["a"]
    assert labels("input 8x8x3\na: conv 4x3\nfrom ^\nb: relu") == ["a"]
    assert labels("input 8x8x3\na: conv 4x3\nresize to=^") == ["a"]
    assert {"ch", "channels"} <= {*labels("param n = 2\ndef f(ch) {\n a: conv (^\n}\n")}
    assert "n" not in labels("param n = 2\ndef f(ch) {\n a: conv (^)x3\n}\n")
    assert {"wide", "ch="} <= {*labels("def f(ch, wide=false) { conv (ch)x3 }\ninput 8x8x3\nf ^")}
    assert labels("shared def f() with a { add a }\ninput 8x8x3\nx: relu\nf ^")[0] == "with"
    assert "x" in labels("shared def f() with a { add a }\ninput 8x8x3\nx: relu\nf with ^")
    assert {"loss", "optimizer", "batch"} <= {*labels("train {\n ^\n}")}
    assert "categorical_crossentropy" in labels("train { loss ^")
    assert {"lr=", "momentum="} <= {*labels("train { optimizer momentum ^ }")}
    assert "random" in labels("data cifar10 { crop 32x32 where=^ }")
    assert "NET501" in labels("input 8x8x3  # netc: allow ^")
    assert labels('use "^', str(SPECS / "new.net"))[:2] == ["alexnet-tflearn.net", "alexnet.net"]
    assert labels("# a comment ^") == []


def test_what_people_write_most_comes_first() -> None:
    """Counted over the shipped specs: what is listed first is written more often than anything that is not."""
    operations: Counter[str] = Counter()
    words: Counter[str] = Counter()
    for path in SPECS.glob("*.net"):
        file = parse(Source(path.name, path.read_text(encoding="utf-8")), Limits(), Diagnostics())
        for node in descend(file.statements):
            if isinstance(node, Operation) and node.name in LAYERS:
                operations[node.name] += 1
                words.update(one.value.name for one in node.arguments if isinstance(one.value, Reference))
    assert len(operations) > 30
    offered = [item for item in completion(*opened("input 8x8x3\nconv 16x3 ^")).items if item.kind == "word"]
    for usual, counted in (
        (USUAL, operations),
        (USUAL_WORDS, Counter({one.label: words[one.label] for one in offered})),
    ):
        assert min(counted[name] for name in usual) > max(counted[name] for name in counted if name not in usual)
    assert [item.label for item in offered][: len(USUAL_WORDS)] == [*USUAL_WORDS]
    after = labels("input 8x8x3\nconv 16x3 ^")
    assert after[:2] == ["bn", "relu"]
    assert after.index("pad=") > after.index("tanh_shrink") > after.index("same")


def test_operations_come_before_standard_blocks_and_after_own_ones() -> None:
    listed = labels("def convolved(n) { conv (n)x3 }\ninput 8x8x3\ncon^")
    assert [one for one in listed if one.startswith("con")] == ["convolved", "conv", "concat"]
    assert max(map(listed.index, LAYERS)) < min(map(listed.index, shipped_names()))


def test_each_word_says_what_it_does_itself() -> None:
    told = {item.label: item.detail for item in completion(*opened("input 8x8x3\nconv 16x3 ^")).items}
    words = ("same", "valid", "causal", "bias", "bn", *ACTIVATIONS)
    assert len({told[word] for word in words}) == len(words)
    assert told["gelu"] == gist(LAYERS["gelu"]) in operation_page(LAYERS["gelu"]).replace("\n", " ")
    assert told["same"] != {item.label: item.detail for item in completion(*opened("deconv 4x2/2 ^")).items}["same"]
    for name, layer in LAYERS.items():
        for param in layer.signature(name).params.values():
            known = getattr(param.kind, "meanings", {})
            assert not known or {*known} >= {*param.kind.words()}, (name, param.key)


def test_all_that_is_offered_is_documented() -> None:
    mute = {"parameter", "size", "label", "file"}
    for text in ("^", "conv ^", "conv pad=^", "default conv ^", "train { ^", "train { loss ^", "data cifar10 { crop ^"):
        document, at = opened(text)
        for item in completion(document, at).items:
            assert item.kind in mute or item.detail
            if item.kind not in mute and item.label not in ("true", "false"):
                assert documentation(document, item.kind, item.label, item.of), item


def test_a_completion_replaces_the_word_at_the_place() -> None:
    document, at = opened("input 8x8x3\nconv 64x3 re^lu bn")
    found = completion(document, at)
    assert document.now.source.text[found.start : found.end] == "relu"


@pytest.mark.parametrize(
    ("text", "active"),
    [
        ("conv ^", "filters"),
        ("conv 64x^", "kernel"),
        ("conv 64x3/^", "stride"),
        ("conv (a + b)x^", "kernel"),
        ("conv 64x3 pad=^", "pad"),
        ("conv 64x3 re^", None),
        ("def f(a, b=1) { conv (a)x(b) }\ninput 8x8x3\nf 3 ^", "b"),
        ("train { optimizer momentum lr=^", "lr"),
        ("^", ""),
        ("# conv ^", ""),
    ],
)
def test_signature_says_which_value_comes(text: str, active: str | None) -> None:
    found = signature(*opened(text))
    if active == "":
        assert found is None
        return
    assert found is not None
    spans = [found.label[one.start : one.end].partition("=")[0] for one in found.parameters]
    assert (None if found.active is None else spans[found.active]) == active


def test_signature_of_a_definition_has_its_defaults() -> None:
    found = signature(*opened("def f(ch, stride=1, r=2*ch) { conv (r)x3/(stride) }\ninput 8x8x3\nf 3 ^"))
    assert found is not None
    assert found.label == "f ch stride=1 r=2*ch"


def test_lints_are_accepted_by_a_comment() -> None:
    """Wherever a lint stands, beside whatever comment, what is written accepts it and nothing else."""
    tried = 0
    for path in paths():
        document, _ = opened("\n".join(read_case(path).lines), str(path))
        text, before = document.now.source.text, findings(document)
        for action in actions(document, 0, len(text)):
            if f"allow {action.found.code}" not in action.fix.title:
                continue
            (edit,) = action.fix.edits
            written = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
            line = place(document.now, action.found).line
            left = Counter(found.code for found in before if found.code != action.found.code)
            after = findings(opened(written, str(path))[0])
            assert Counter(found.code for found in after if found.code != action.found.code) == left, (path, line)
            assert sum(found.code == action.found.code for found in after) < sum(
                found.code == action.found.code for found in before
            ), (path, line)
            tried += 1
    assert tried > 50


@pytest.mark.parametrize(
    ("text", "comment", "expected"),
    [
        ("pool 1/2", "", "pool 1/2  # netc: allow NET301"),
        ("pool 1/2", " # why", "pool 1/2 # netc: allow NET301 # why"),
        ("pool 1/2", " # netc: allow NET514 # why", "pool 1/2 # netc: allow NET514, NET301 # why"),
    ],
)
def test_a_comment_that_accepts_stands_beside_another(text: str, comment: str, expected: str) -> None:
    document, _ = opened(f"input 8x8x4\n{text}{comment}\nconv 8x3\n")
    at = document.now.source.text.index("pool")
    *fixes, accept = (one for one in actions(document, at, at) if one.found.code == "NET301")
    assert [one.fix.title[:5] for one in fixes] == ["write"]
    (edit,) = accept.fix.edits
    written = document.now.source.text[: edit.span.start] + edit.replacement + document.now.source.text[edit.span.end :]
    assert written.split("\n")[1] == expected


@pytest.mark.parametrize(
    ("text", "name", "why"),
    [
        (
            "param ^s = 2\nparam stride = 3\ninput 8x8x3\nconv (stride)x3/(s)\n",
            "stride",
            "a parameter of the file, in line 2",
        ),
        (
            "def f(^s, stride) { conv (stride)x3/(s) }\ninput 8x8x3\nf 1 2\n",
            "stride",
            "a parameter of the definition, in line 1",
        ),
        ("input 8x8x3\n^a: conv 4x3\nb: conv 4x3\nadd a b\n", "b", "a label, in line 3"),
        (
            "param ^s = 2\ninput 8x8x3\nconv (s)x3 relu\n",
            "relu",
            "in line 3 of spec.net this would be wrong: `relu` is both",
        ),
        ("def ^u(c) { conv (c)x3 }\ndef v(c) { conv (c)x3 }\ninput 8x8x3\nu 3\n", "v", "a definition, in line 2"),
        ("def ^u(c) { conv (c)x3 }\ninput 8x8x3\nu 3\n", "conv", "an operation"),
    ],
)
def test_a_refused_name_is_told_what_it_means_and_where(text: str, name: str, why: str) -> None:
    workspace, at = Workspace(), text.index("^")
    (document,) = workspace.change("spec.net", text.replace("^", ""))
    with pytest.raises(RenameRefused) as refused:
        rename(workspace, document, at, name)
    assert str(refused.value).startswith(f"`{text[at + 1 : at + 2]}` cannot become `{name}`: ")
    assert why in str(refused.value)
    assert rename(workspace, document, at, "another")


# -- files that are not open ---------------------------------------------------------------------------------


BLOCKS = "def unit(ch) { conv (ch)x3; bn }\n"
USER = 'use "blocks.net"\ninput 8x8x3\nunit 4\nunit ch=5  # a unit\n'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of specs, of which some use others, and what is not to be looked at."""
    folder = tmp_path / "project"
    for name, text in {
        "blocks.net": BLOCKS,
        "one.net": USER,
        "models/two.net": USER.replace("blocks", "../blocks"),
        "by way of.net": 'use "blocks.net"\ndef twice() { unit 4; unit 4 }\n',
        "own.net": "def unit(ch) { relu }\ninput 8x8x3\nunit 4\n",
        "build/made.net": USER.replace("blocks", "../blocks"),
        ".old/hidden.net": USER.replace("blocks", "../blocks"),
        "env/pyvenv.cfg": "",
        "env/installed.net": USER.replace("blocks", "../blocks"),
        "../outside.net": USER.replace("blocks", "project/blocks"),
        "no text.net": "",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "no text.net").write_bytes(b"unit \xff\xfe")
    (folder / "pipe.net").symlink_to("/dev/zero")
    (folder / "link.net").symlink_to("../outside.net")
    (folder / "again.net").symlink_to("one.net")
    return folder


def in_project(folder: Path, name: str) -> tuple[Workspace, Document]:
    """A text of a project that is open, and no other one."""
    workspace = Workspace(folders=(folder,))
    (document,) = workspace.change(str(folder / name), (folder / name).read_text())
    return workspace, document


def where(spans: list[Span], folder: Path) -> list[str]:
    return sorted(f"{Path(span.source.name).relative_to(folder)}:{span.line}" for span in spans)


USES = [
    "blocks.net:1",
    "by way of.net:2",
    "by way of.net:2",
    "models/two.net:3",
    "models/two.net:4",
    "one.net:3",
    "one.net:4",
]


@pytest.mark.parametrize("name", ["one.net", "blocks.net", "by way of.net"])
def test_uses_are_found_in_files_that_are_not_open(project: Path, name: str) -> None:
    workspace, document = in_project(project, name)
    at = document.now.source.text.index("unit")
    found = references(workspace, document, at)
    assert found.whole
    assert where(found.spans(), project) == USES
    assert where(found.spans(declaration=False), project) == USES[1:]
    assert {span.text for span in found.spans()} == {"unit"}
    (marked, *_) = highlights(document, at)
    assert marked.source is document.now.source
    for span in (spans := rename(workspace, document, at, "group"))[::-1]:
        path = Path(span.source.name)
        text = path.read_text()
        path.write_text(text[: span.start] + "group" + text[span.end :])
    assert where(spans, project) == USES
    for path in project.rglob("*.net"):
        if path.name in ("one.net", "two.net", "by way of.net", "own.net"):
            again = in_project(project, str(path.relative_to(project)))[1]
            assert not again.now.program.report.failed
            assert ("unit 4" in again.now.source.text) == (path.name == "own.net")
            assert "# a unit" in again.now.source.text or "#" not in again.now.source.text


def test_an_open_text_counts_before_its_file(project: Path) -> None:
    workspace, document = in_project(project, "one.net")
    workspace.change(str(project / "models/two.net"), "\n" + USER.replace("blocks", "../blocks"))
    found = references(workspace, document, document.now.source.text.index("unit")).spans()
    assert where(found, project) == [
        use.replace("two.net:4", "two.net:5").replace("two.net:3", "two.net:4") for use in USES
    ]


def test_parameters_of_definitions_are_renamed_in_files_too(project: Path) -> None:
    workspace, document = in_project(project, "blocks.net")
    found = rename(workspace, document, BLOCKS.index("ch"), "width")
    assert where(found, project) == ["blocks.net:1", "blocks.net:1", "models/two.net:4", "one.net:4"]


def test_a_name_of_the_text_alone_is_not_looked_for(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, document = in_project(project, "one.net")
    monkeypatch.setattr(workspace, "specs", None)
    workspace.change(str(project / "one.net"), "param n = 2\ninput 8x8x3\na: conv (n)x3\nadd a\n")
    for word in ("n = ", "a: "):
        at = document.now.source.text.index(word)
        assert len(references(workspace, document, at).spans()) == 2
        assert len(rename(workspace, document, at, "other")) == 2


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        (
            "models/two.net",
            'use "../blocks.net"\ninput 8x8x3\nunit 4\nunit 5 )\n',
            "in line 4 of two.net it stands in words that",
        ),
        ("models/two.net", 'use "../blocks.net"\ndef group(a) { relu }\ninput 8x8x3\ngroup 4\n', "line 2 of two.net"),
        ("models/two.net", 'use "../blocks.net"\nparam group = 3\ninput 8x8x3\nunit (group)\n', None),
    ],
)
def test_a_new_name_is_tried_in_files_that_are_not_open(project: Path, name: str, text: str, why: str | None) -> None:
    (project / name).write_text(text)
    workspace, document = in_project(project, "blocks.net")
    if why is None:
        assert rename(workspace, document, BLOCKS.index("unit"), "group")
        return
    with pytest.raises(RenameRefused, match=why):
        rename(workspace, document, BLOCKS.index("unit"), "group")


def test_no_name_is_changed_in_part(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, document = in_project(project, "one.net")
    at = document.now.source.text.index("unit")
    closed = project / "models/two.net"
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda path, mode: Path(path) != closed)
        with pytest.raises(RenameRefused, match=r"`unit` cannot become `group`: .*two\.net may not be written"):
            rename(workspace, document, at, "group")
    for bound in ("SPECS", "SIZE", "ENTRIES"):
        with monkeypatch.context() as patch:
            patch.setattr(folders, bound, 2)
            with pytest.raises(RenameRefused, match="more files than are looked at"):
                rename(workspace, document, at, "group")
            assert not references(workspace, document, at).whole


def test_what_netc_ships_keeps_its_name_where_it_is_open_too(tmp_path: Path) -> None:
    path = Path(str(files("netc.std") / "resnet.net"))
    workspace = Workspace(folders=(tmp_path,))
    (document,) = workspace.change(str(path), path.read_text(encoding="utf-8"))
    at = document.now.source.text.index("def resblock") + 5
    with pytest.raises(RenameRefused, match="`resblock` is of a file that netc ships"):
        rename(workspace, document, at, "other")


def test_use_may_not_leave_the_folder_of_the_workspace_that_holds_the_file(tmp_path: Path) -> None:
    for name in ("first/blocks.net", "second/blocks.net", "blocks.net"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(BLOCKS)
    workspace = Workspace(folders=(tmp_path / "first", tmp_path / "second"))
    for folder in ("first", "second"):
        (tmp_path / folder / "models").mkdir()
        name = str(tmp_path / folder / "models/a.net")
        (document, *_) = workspace.change(name, USER.replace("blocks", "../blocks"))
        assert "NET123" not in {found.code for found in findings(document)}
        assert [link.path for link in links(document)] == [tmp_path / folder / "blocks.net"]
        assert references(workspace, document, document.now.source.text.index("unit")).spans()
        workspace.change(name, USER.replace("blocks", "../../blocks"))
        assert "NET123" in {found.code for found in findings(document)}
        workspace.change(name, USER.replace("blocks", "../blocks"))
    assert len(workspace.refresh([tmp_path / "first"])) == 2
    assert "NET123" in {found.code for found in findings(document)}


def test_what_was_ended_halfway_is_found_out_anew() -> None:
    workspace = Workspace()
    (document,) = workspace.change("a.net", UNET)
    before, svg = document.good, figure(document).svg
    workspace.change("a.net", UNET + "rleu\n")
    assert figure(document).svg == svg
    workspace.again()
    assert document.good is not before
    assert (figure(document).svg, figure(document).old) == (svg, True)


def test_work_that_is_ended_anywhere_leaves_nothing_behind() -> None:
    """After each of many ends, at any time of what is done, all answers are those of a fresh start."""
    random, worker = Random(5), Worker()
    questions: list[Callable[[Document], object]] = [
        findings,
        mended,
        figure,
        lambda document: hints(document, 0, 10_000),
        lambda document: document.now.works and document.now.code,
    ]
    corpus = [text for text in editing.texts() if len(text) < 1_500]

    async def ended(document: Document, question: Callable[[Document], object], after: float) -> bool:
        task = Task("edited.net")
        done = worker.run(lambda: worker.endable(task, lambda: question(document)))
        await asyncio.sleep(after)
        while not worker.end(task):
            await asyncio.sleep(0.001)
        try:
            await done
        except Ended:
            return True
        return False

    async def session(wanted: int) -> int:
        workspace, ends = Workspace(), 0
        for _ in range(50 * wanted):
            if ends == wanted:
                break
            question, text = random.choice(questions), random.choice(corpus)
            (fresh,) = Workspace().change("edited.net", text)
            begun = perf_counter()
            answer = question(fresh)
            taken = perf_counter() - begun
            workspace.change("edited.net", text)
            document = workspace.documents["edited.net"]
            if await ended(document, question, taken * random.random()):
                ends += 1
                workspace.again()
                if not fresh.is_old:
                    assert editing.plain(question(document)) == editing.plain(answer)
            assert gc.isenabled()
        return ends

    assert asyncio.run(session(12)) == 12


# -- everything ----------------------------------------------------------------------------------------------


def test_after_each_edit_all_answers_are_those_of_a_fresh_start() -> None:
    assert editing.run(1, 120) > 10
