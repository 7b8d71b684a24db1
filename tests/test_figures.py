"""Figures: colours, bytes, text that stays text, what a figure says, and `netc draw`."""

from __future__ import annotations

import re
import struct
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import netc
from netc.cli import main
from netc.cli.endings import CLEAN, ERRORS, USAGE
from netc.figures import Drawing, FigureError, Options, path_data
from netc.figures.png import LARGEST
from netc.figures.scene import Group, Scene, Text, fit, text_width
from netc.figures.scene import Path as Line
from netc.figures.styles import draw
from netc.figures.svg import write
from netc.figures.theme import BASE, KINDS, LOOKS, STAGES, colour
from tests.colour_vision import contrast

SVG = "{http://www.w3.org/2000/svg}"


def texts(drawing: Drawing) -> list[str]:
    return [item.text for item in drawing.scene.walk() if isinstance(item, Text)]


def figure(text: str, **options: object) -> Drawing:
    return netc.loads(text).draw(**options)


# -- colours -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("theme", ["light", "dark", "print"])
def test_every_text_is_readable_on_everything_it_can_stand_on(theme: str) -> None:
    grounds = [*KINDS, *(f"stage{number}" for number in range(len(STAGES))), "paper", "panel"]
    for ground in grounds:
        assert contrast(colour("ink", theme), colour(ground, theme)) >= 7, ground
    for ink, ground in product(["muted"], ["paper", "panel"]):
        assert contrast(colour(ink, theme), colour(ground, theme)) >= 7, (ink, ground)
    assert contrast(colour("skip", theme), colour("paper", theme)) >= 4.5  # lines, and labels beside them


def test_every_family_of_layers_has_a_colour() -> None:
    from netc.layers import LAYERS

    assert {layer.family for layer in LAYERS.values()} <= set(KINDS)


def test_looks_name_known_colours() -> None:
    for look in LOOKS.values():
        for name in filter(None, (look.fill, look.stroke)):
            assert re.fullmatch(r"#[0-9a-f]{6}", colour(name, "dark"))
    assert set(BASE) >= {"paper", "ink", "muted"}


def test_text_widths_are_not_below_those_of_the_real_font() -> None:
    """The advance widths of Liberation Sans, measured at 12 px with HarfBuzz, times 1.15 at most."""
    for text, real in (("3×3 conv, 64, /2", 89.4), ("global avg pool", 83.4), ("56×56×256", 60.7)):
        assert real <= text_width(text) <= 1.25 * real


def test_fit_cuts_and_says_so() -> None:
    assert fit("short", 100) == "short"
    cut = fit("x" * 10_000, 100)
    assert cut.endswith("...")
    assert text_width(cut) <= 100


# -- bytes ---------------------------------------------------------------------------------------------------


def test_the_same_spec_gives_the_same_bytes() -> None:
    assert netc.load("specs/googlenet.net").draw().svg == netc.load("specs/googlenet.net").draw().svg


def test_a_changed_layer_is_a_small_difference() -> None:
    lines = [
        set(figure(f"net a\ninput 32x32x3\nconv {first}x3 relu; conv 16x3\ngap; fc 10").svg.split("\n"))
        for first in (8, 32)
    ]
    assert len(lines[0] - lines[1]) <= 12  # its own lines, the shapes after it, the totals


def test_what_other_lines_of_the_spec_say_does_not_move_the_places_in_it() -> None:
    """A longer first line, and everything after it is where it was."""
    svgs = [figure(f"net a\ninput 32x32x3 {more}\nconv 8x3\ngap; fc 10").svg for more in ("", "# small pictures")]
    assert svgs[0] == svgs[1]


def test_one_element_a_line_and_coordinates_to_a_tenth() -> None:
    svg = netc.load("specs/resnet50.net").draw(theme="light").svg
    for line in svg.strip().split("\n"):
        assert len(re.findall(r"<(?!/|path|title>|text)[a-z]", line)) <= 1, line
    for path in re.findall(r' d="([^"]*)"', svg):
        assert not re.search(r"\.\d\d", path)


@pytest.mark.parametrize(
    ("spec", "options", "budget"),
    [
        ("vgg16.net", {"style": "volumes"}, 22_000),
        ("resnet.net", {}, 15_000),
        ("resnet.net", {"collapse": "none"}, 72_000),
        ("googlenet.net", {}, 40 * 1024),
    ],
)
def test_files_stay_small(spec: str, options: dict[str, str], budget: int) -> None:
    net = netc.load(f"specs/{spec}", **({"n": 18} if spec == "resnet.net" else {}))
    assert len(net.draw(**options).svg.encode()) < budget


def test_resnet_110_is_as_tall_as_resnet_32() -> None:
    assert (
        netc.load("specs/resnet.net", n=18).draw().scene.height
        == netc.load("specs/resnet.net", n=5).draw().scene.height
    )


@pytest.mark.parametrize("theme", ["light", "dark", "auto", "print"])
def test_svg_is_well_formed_and_refers_to_nothing_outside(theme: str) -> None:
    svg = netc.load("specs/unet.net").draw(theme=theme).svg
    root = ElementTree.fromstring(svg)
    assert root.attrib["role"] == "graphics-document document"
    assert root.find(f"{SVG}title").text == "unet"
    assert not [element for element in root.iter() if element.tag.endswith(("script", "image", "foreignObject", "a"))]
    assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]
    assert ("var(" in svg) == (theme == "auto")


def test_every_shape_has_colours_of_its_own_where_variables_are_not_understood() -> None:
    """A renderer without `var()` ignores the rules: nothing in the attributes may need them."""
    svg = netc.load("specs/resnet50.net").draw(theme="auto").svg
    plain = re.sub(r"<style>.*</style>", "", svg, flags=re.S)
    assert "var(" not in plain
    for tag in re.findall(r'<(?:rect|g|path)[^>]* class="[^"]*"[^>]*>', plain):
        assert re.search(r'fill="(#[0-9a-f]{6}|none)"', tag), tag


def test_whatever_shares_its_look_is_written_once_each() -> None:
    """Shapes in a row that look the same are joined, those of neighbouring groups too, and none is lost."""
    dotted = Group([Line((0, 0), [((9, 0),)], arrow=True), Line((0, 5), [((9, 5),)])], look="dotted")
    items = [dotted, Group([Line((0, 7), [((9, 7),)])], look="dotted"), Group([], look="edge"),
             Line((0, 8), [((9, 8),)], "skip"), Group([Line((0, 9), [((9, 9),)])], look="skip"),
             Text(1, 1, "a", look="muted"), Text(2, 1, "b", look="muted"), Text(3, 1, "c")]  # fmt: skip
    svg = write(Scene(10, 10, items, "", ""), Options(theme="light"))
    root = ElementTree.fromstring(svg)
    assert [path.get("d") for path in root.iter(f"{SVG}path")] == [
        "M0 0h9 M0 5h9 M0 7h9",
        "M4 3l5-3l-5-3",  # the head, not dashed
        "M0 8h9 M0 9h9",
    ]
    assert svg.count("stroke-dasharray") == 1
    assert [(text.text, text.get("fill")) for text in root.iter(f"{SVG}text")] == [
        ("a", None),
        ("b", None),
        ("c", None),
    ]
    assert root.find(f"{SVG}g[@fill='#46525f']") is not None


def test_path_data_is_short_and_adds_up_no_error() -> None:
    steps = [((index / 3, index / 7),) for index in range(1, 200)]
    x = y = 0.0
    for dx, dy in re.findall(r"l(-?[\d.]+?)[ ]?(-?[\d.]+)(?=l|$)", path_data.line((0, 0), steps).removeprefix("M0 0")):
        x, y = x + float(dx), y + float(dy)
    assert (x, y) == pytest.approx((199 / 3, 199 / 7), abs=0.06)
    assert (
        path_data.line((1.04, -0.5), [((1, 4),), ((3, 4),), ((4, 5), (6, 7), (8, 3.5))]) == "M1-.5v4.5h2c1 1 3 3 5-.5"
    )


def test_ids_are_unique_and_take_a_prefix() -> None:
    for spec in ("specs/resnet50.net", "specs/siamese.net"):
        svg = netc.load(spec).draw(id_prefix="x-").svg
        ids = re.findall(r' id="([^"]*)"', svg)
        assert len(ids) == len(set(ids))
        assert all(name.startswith("x-") for name in ids)
        assert set(re.findall(r'href="#([^"]*)"', svg)) <= set(ids)


# -- what it says --------------------------------------------------------------------------------------------


def test_every_layer_is_in_the_figure_with_its_line_and_span() -> None:
    net = netc.load("specs/resnet50.net")
    drawing = net.draw(collapse="none", expand=True)
    groups = {item.name: item for item in drawing.scene.walk() if isinstance(item, Group) and item.role == "box"}
    assert set(groups) >= {node.name for node in net.net}
    lines = net.program.file.source.text.split("\n")
    start, end = map(int, groups["conv1"].span.split("-"))
    assert lines[groups["conv1"].line - 1][start - 1 : end - 1].startswith("conv 64x7/2")
    assert lines[groups["bottleneck1_bottleneck_unit1_conv1"].line - 1].startswith("bottleneck 3 64")


def test_a_tooltip_has_all_facts() -> None:
    net = netc.load("specs/resnet50.net")
    drawing, line = net.draw(), net.net.node("conv1").origin.span.line
    (title,) = [g.title for g in drawing.scene.walk() if isinstance(g, Group) and g.name == "conv1"]
    for fact in ("conv1: 7×7 conv, 64, /2", "224×224×3 → 112×112×64", "stride 2, padding 3",
                 "9,664 parameters", "118.0 M MACs", "receptive field 7", f"resnet50.net:{line}"):  # fmt: skip
        assert fact in title, (fact, title)


def test_what_a_size_leaves_open_is_said_as_a_formula() -> None:
    svg = netc.load("specs/unet.net").draw().svg
    assert "31,030,658 parameters · 733.9 k·H·W MACs · 23 layers deep · receptive field 204<" in svg
    assert "640 parameters, 576·H·W MACs, receptive field 3" in svg


def test_shortcuts_are_dotted_where_the_shape_changes() -> None:
    drawing = netc.load("specs/resnet50.net").draw(collapse="none")
    count = {
        look: len(g.items)
        for g in drawing.scene.walk()
        if isinstance(g, Group)
        for look in [g.look]
        if look in ("skip", "dotted")
    }
    assert count == {"skip": 12, "dotted": 4}
    assert [text for text in texts(drawing) if text.startswith("1×1, ")] == [
        "1×1, 256 · BN",
        "1×1, 512, /2 · BN",
        "1×1, 1024, /2 · BN",
        "1×1, 2048, /2 · BN",
    ]


def frames(drawing: Drawing) -> list[str]:
    """The tabs of the frames around equal blocks."""
    return [text for text in texts(drawing) if re.search(r"(^| )×\d+$", text)]


def test_equal_blocks_are_frames() -> None:
    net = netc.load("specs/resnet.net", n=18)
    assert frames(net.draw()) == ["preact_unit ×18", "preact_unit ×17", "preact_unit ×17"]
    assert not frames(net.draw(collapse="none"))
    assert frames(netc.load("specs/densenet121.net").draw()) == [f"dense_unit ×{n}" for n in (6, 12, 24, 16)]


def test_blocks_that_only_look_alike_stay_apart() -> None:
    drawing = figure(
        "input 32x32x3\na: conv 8x3; b: conv 8x3\nconv 8x3; add a; conv 8x3; add b\ngap; fc 10", collapse="all"
    )
    assert len([text for text in texts(drawing) if text == "+"]) == 2


BLOCK = "| conv 4x3; conv 4x3"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (
            f"repeat 3 as i {{ if i == 1 {{ add {{ {BLOCK} | conv 4x1 }} }} else {{ add {{ {BLOCK} | avgpool 1/1 }} }} }}",
            [],
        ),
        (f"repeat 3 {{ add {{ {BLOCK} | conv 4x1 }} }}", ["×3"]),
        ("repeat 3 { conv 4x3 }; add { | repeat 4 { conv 4x3 } | identity }", []),
        ("concat { | conv 4x1 | repeat 3 { conv 4x3; conv 4x1 } }", ["×3"]),
        ("concat { | repeat 3 { conv 4x3; conv 4x1 } | conv 4x1 }", ["×3"]),
        ("; ".join(f"i{k}: input 8x8x4" for k in range(7)) + "; add start i0 i1 i2 i3 i4 i5 i6", []),
        ("; ".join(f"from start; c{k}: conv 4x3" for k in range(7)) + "; add c0 c1 c2 c3 c4 c5 c6", []),
    ],
    ids=[
        "other shortcut",
        "same shortcut",
        "before a branch",
        "second branch",
        "first branch",
        "inputs",
        "side by side",
    ],
)
def test_a_frame_holds_equal_blocks_one_after_the_other(body: str, told: list[str]) -> None:
    assert frames(figure(f"start: input 8x8x4\n{body.replace('; ', chr(10))}\n")) == told


def test_every_edge_of_the_network_is_drawn_once() -> None:
    net = netc.load("specs/unet.net")
    drawing = net.draw(expand=True, collapse="none")
    edges = [item for item in drawing.scene.walk() if isinstance(item, Line) and item.role == "edge"]
    assert len(edges) == net.graph.number_of_edges() + len(net.net.outputs)


def test_a_shortcut_starts_inside_its_frame() -> None:
    scene = netc.load("specs/resnet.net", n=9).draw().scene
    frames = [item.box for item in scene.walk() if isinstance(item, Group) and item.role == "frame"]
    (skips,) = [item for item in scene.walk() if isinstance(item, Group) and item.look == "skip"]
    assert len(frames) == len(skips.items) == 3
    assert all(frame.holds(skip.box) for frame, skip in zip(frames, skips.items, strict=True))


def test_an_unequal_branch_runs_straight_to_the_end_of_the_tallest() -> None:
    drawing = figure(
        "input 8x8x4\nconcat { | conv 4x1 | conv 4x3; conv 4x3; conv 4x3; conv 4x3 }\ngap; fc 2", collapse="none"
    )
    boxes = {item.name: item.box for item in drawing.scene.walk() if isinstance(item, Group) and item.role == "box"}
    short = next(
        path
        for path in drawing.scene.walk()
        if isinstance(path, Line) and path.role == "edge" and path.start[1] == boxes["conv1"].bottom
    )
    assert short.segments[0][0][0] == short.start[0]
    assert short.segments[0][0][1] > boxes["conv5"].bottom


def test_several_inputs_stand_beside_each_other() -> None:
    scene = netc.load("specs/siamese.net").draw().scene
    boxes = {item.name: item.box for item in scene.walk() if isinstance(item, Group) and item.role == "box"}
    assert boxes["first"].top == boxes["second"].top


def test_further_outputs_stand_beside_the_place_where_they_branch_off() -> None:
    """GoogLeNet's auxiliary classifiers: right of the trunk, from the modules that they read, under their own names."""
    scene = netc.load("specs/googlenet.net", aux=True).draw().scene
    boxes = {item.name: item.box for item in scene.walk() if isinstance(item, Group) and item.role == "box"}
    line = (boxes["pool1"].left + boxes["pool1"].right) / 2
    for head, source, following in (("aux1_avgpool1", "a4_concat1", "inception3_conv1"),
                                    ("aux2_avgpool1", "d4_concat1", "inception5_conv1")):  # fmt: skip
        assert boxes[source].bottom < boxes[head].top <= boxes[following].top
        assert boxes[head].left > max(box.right for name, box in boxes.items() if name.startswith("inception"))
    assert (boxes["gap1"].left + boxes["gap1"].right) / 2 == pytest.approx(line, abs=40)
    said = [item.text for item in scene.walk() if isinstance(item, Text) and item.text.startswith("output")]
    assert said == ["output main 1000", "output aux1 1000", "output aux2 1000"]


def test_heads_that_need_each_other_stay_in_line() -> None:
    text = "input 8x8x4\na: conv 4x3\nb: conv 4x3\nfrom a; c: conv 4x3; add b\nd: conv 4x1\nfrom c; e: conv 2x1\noutput b d e"
    scene = figure(text).scene
    tops = [item.box.top for item in scene.walk() if isinstance(item, Group) and item.role == "box"]
    assert len(set(tops)) == len(tops)


# -- hostile text --------------------------------------------------------------------------------------------

NAMES = [
    "<script>alert(1)</script>",
    "a & b",
    'it\'s \\"quoted\\"',
    "x" * 10_000,
    "\u0634\u0628\u0643\u0629",
    "]]>",
    "\u202egnp.exe",
]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_come_out_as_text(name: str, tmp_path: Path) -> None:
    path = tmp_path / 'x"><svg onload=alert(1)>.net'
    path.write_text("input 8x8x1\nconv 4x3; gap; fc 2 softmax\n")
    program = netc.load(path).program
    program.name = name
    drawing = Drawing((program,))
    root = ElementTree.fromstring(drawing.svg)
    assert not [element for element in root.iter() if element.tag.endswith("script") or "onload" in element.attrib]
    title = root.find(f"{SVG}title").text
    assert title == (name if name.isprintable() else name.replace("\u202e", "\\u202e"))
    page = str(drawing.render(".html"))
    assert "<script>alert" not in page
    assert page.count("<script>") == 1


def test_links_come_from_the_command_line_only() -> None:
    net = netc.load("specs/vgg16.net")
    assert "<a " not in net.draw().svg
    svg = net.draw(link='https://example.org/x"y').svg
    assert 'href="https://example.org/x&quot;y#L' in svg


# -- formats and the command line ----------------------------------------------------------------------------


def test_png_and_pdf(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py")
    pytest.importorskip("reportlab")
    net = netc.load("specs/resnet32.net")
    try:
        net.draw(tmp_path / "a.png")
    except FigureError as error:
        if "has none" not in str(error):  # of fonts
            raise
        pytest.skip(str(error))
    data = (tmp_path / "a.png").read_bytes()
    scene = net.draw().scene
    assert struct.unpack(">II", data[16:24]) == (round(2 * scene.width), round(2 * scene.height))
    net.draw(tmp_path / "a.pdf")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    assert net.draw().render(".pdf") == (tmp_path / "a.pdf").read_bytes()
    assert scene.width * scene.height < LARGEST


def test_draw_writes_the_file_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = Path("specs/vgg16.net").resolve()
    monkeypatch.chdir(tmp_path)
    assert main(["draw", str(spec)]) == CLEAN
    assert capsys.readouterr().err == "wrote vgg16.svg\n"
    assert (tmp_path / "vgg16.svg").read_text().startswith("<svg")
    assert main(["draw", str(spec), "-o", "-", "--theme", "dark"]) == CLEAN
    assert capsys.readouterr().out.startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["specs/vgg16.net", "-o", "a.gif"], "expected a name that ends in"),
        (["specs/vgg16.net", "-o", "a.tex"], "--style table"),
        (["specs/vgg16.net", "specs/vgg19.net", "-o", "-"], "draws one network"),
        (["specs/vgg16.net", "--columns", "0"], "from 1 to 1000"),
        (["specs/vgg16.net", "specs/vgg19.net", "--style", "table", "-o", "a.dot"], ".dot is for --style graph"),
        (["specs/vgg16.net", "specs/vgg19.net", "-o", "a.dot"], "draws one network"),
        (["specs/vgg16.net", "--style", "volumes", "-o", "a.dot"], ".dot is for --style graph"),
        (["specs/vgg16.net", "--beside", "specs/vgg19.net", "--style", "column", "--link", "x"], "--link is for one"),
        (["specs/vgg16.net", "--engine", "graphviz", "-o", "a.html"], "Graphviz writes .svg, .png, .pdf, .dot"),
        (["specs/vgg16.net", "--engine", "graphviz", "--theme", "dark"], "--theme does nothing with --engine graphviz"),
        (["specs/vgg16.net", "--style", "table", "--collapse", "none"], "--collapse does nothing with --style table"),
        (["specs/vgg16.net", "--style", "volumes", "--dir", "lr"], "--dir does nothing with --style volumes"),
        (["specs/vgg16.net", "-o", ""], "got ``, expected a name that ends in"),
        (["specs/vgg16.net", "--style", "column", "--beside", ",", "-o", "-"], "cannot read"),
        (["specs/vgg16.net", "--style", "volumes", "--receptive", "", "-o", "-"], "no layer has the label or name ``"),
        (["specs/vgg16.net", "--width", "٣in", "-o", "-"], "expected a length"),
    ],
)
def test_wrong_use_is_said(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", *arguments]) == USAGE
    assert said in capsys.readouterr().err


def test_errors_of_a_spec_are_shown_and_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bad.net"
    path.write_text("input 8x8x1\nconv 4x99 valid\n")
    assert main(["draw", str(path), "-o", str(tmp_path / "bad.svg")]) == ERRORS
    assert "NET204" in capsys.readouterr().err
    assert not (tmp_path / "bad.svg").exists()


def test_a_notebook_shows_a_network_and_its_figures() -> None:
    net = netc.load("specs/vgg16.net")
    assert net._repr_svg_() == net.draw()._repr_svg_() == net.draw().svg


def test_options_refuse_what_there_is_not() -> None:
    with pytest.raises(ValueError, match="expected one of light, dark, auto, print"):
        netc.load("specs/vgg16.net").draw(theme="pink")


NO_VALUES = (5.5, b"3in", [None], {"a": 1}, object())


@pytest.mark.parametrize("option", sorted(Options.__dataclass_fields__))
def test_every_option_refuses_what_it_cannot_be(option: str) -> None:
    """None of the values is one of any option but a number of points."""
    for wrong in NO_VALUES:
        if not (option in ("width", "height") and isinstance(wrong, float)):
            with pytest.raises(ValueError, match=f"got {option}"):
                Options(**{option: wrong})


@pytest.mark.parametrize(
    "wrong", [{"size": ()}, {"size": True}, {"size": "64"}, {"size": (64, "64")}, {"expand": "no"}, {"title": 5}]
)
def test_what_is_almost_a_value_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=f"got {next(iter(wrong))}="):
        Options(**wrong)


def test_draw_says_what_it_takes(tmp_path: Path) -> None:
    net = netc.load("specs/vgg16.net")
    with pytest.raises(ValueError, match="expected one of auto, graph, grid, volumes, column, table"):
        net.draw(style="pie")
    with pytest.raises(TypeError, match="no option `colour`, expected one of style, beside, theme"):
        net.draw(colour="red")
    for wrong in (net, 5, [5]):
        with pytest.raises(TypeError, match="expected a list of networks"):
            net.draw(beside=wrong)  # type: ignore[arg-type]
    with pytest.raises(FigureError, match="no layer has the name `nose`"):
        net.draw(tmp_path / "a.svg", style="volumes", faces={"nose": b"\x89PNG\r\n\x1a\n"})
    with pytest.raises(FileNotFoundError):
        net.draw(tmp_path / "none" / "a.svg")
    with pytest.raises(FigureError, match="format of the style table"):
        net.draw(tmp_path / "a.md")
    assert not list(tmp_path.iterdir())


def test_networks_stand_beside_each_other_in_python(tmp_path: Path) -> None:
    vgg, plain = netc.load("specs/vgg16.net"), netc.load("specs/plain34.net")
    plain.draw(tmp_path / "a.md", style="table", beside=[vgg])
    assert (tmp_path / "a.md").read_text().startswith("| output size | vgg16<br>16 weight layers | plain34<br>34")
    with pytest.raises(FigureError, match="draws one network"):
        _ = plain.draw(beside=[vgg]).svg


def test_deep_nesting_needs_no_recursion() -> None:
    text = "input 8x8x1\n" + "repeat 2 { conv 1x1; conv 1x3\n" * 8 + "conv 1x1" + "}" * 8 + "\ngap; fc 2"
    for collapse in ("auto", "none", "all"):
        assert figure(text, collapse=collapse).svg
    options = replace(Options(), columns=3)
    assert draw([netc.loads(text).program], "graph", options).height > 0


def test_nothing_heavy_is_imported_to_draw() -> None:
    import subprocess

    code = "import sys, netc; netc.load('specs/vgg16.net').draw().svg; print([m for m in ('tensorflow','networkx','graphviz','resvg_py','reportlab') if m in sys.modules])"
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout == "[]\n"


# -- pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "points"), [("3.3in", 237.6), ("84mm", 238.11), ("8.4cm", 238.11), ("240pt", 240), ("96px", 72)]
)
def test_lengths_are_points(text: str, points: float) -> None:
    assert Options(width=text).width == pytest.approx(points, abs=0.01)


@pytest.mark.parametrize("wrong", ["3.3", "in", "-1in", "0in", "1e9in", "3 miles", 0, -2.0, 1e9])
def test_a_length_that_is_none_is_said(wrong: object) -> None:
    with pytest.raises(ValueError, match="got"):
        Options(width=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("width", ["3.3in", "7in", "160mm"])
def test_a_figure_for_a_page_is_exactly_as_wide_and_no_text_is_under_6_points(width: str) -> None:
    drawing = netc.load("specs/resnet18.net").draw(width=width)
    scene = drawing.scene
    assert scene.width * scene.unit == pytest.approx(drawing.options.width)
    assert min(item.size for item in scene.walk() if isinstance(item, Text)) * scene.unit >= 6
    root = ElementTree.fromstring(drawing.svg)
    assert float(root.attrib["width"]) * 0.75 == pytest.approx(drawing.options.width, abs=0.1)


@pytest.mark.parametrize("options", [{"width": "1in"}, {"height": "1in"}, {"width": "7in", "height": "2in"}])
def test_a_page_that_is_too_small_is_refused_with_the_size_that_would_do(options: dict[str, str]) -> None:
    net = netc.load("specs/resnet18.net")
    with pytest.raises(FigureError, match=r"does not fit on a page .* expected at least ([\d.]+) in") as refused:
        _ = net.draw(**options).scene
    needed = re.search(r"at least ([\d.]+) in", str(refused.value))[1]
    side = "width" if "width" in options and "height" not in options else "height"
    assert net.draw(**{**options, side: f"{needed}in"}).scene.height


def test_bare_figures_have_neither_header_nor_legend_and_titles_are_what_is_asked_for() -> None:
    net = netc.load("specs/vgg16.net")
    said = texts(net.draw(title="Wide networks"))
    assert said[0] == "Wide networks"
    assert not {"Wide networks", "convolution"} & set(texts(net.draw(title="Wide networks", bare=True)))
    assert net.draw(title="<b>&").svg.count("<title>&lt;b&gt;&amp;</title>") == 1


def test_a_figure_at_a_size_is_that_of_the_network_with_this_input() -> None:
    text = Path("specs/unet.net").read_text(encoding="utf-8")
    assert "?x?" in text
    fixed = netc.loads(text.replace("?x?", "256x320"), "unet.net")
    sized = netc.load("specs/unet.net").draw(size=(256, 320))
    assert sized.svg.replace('data-span="1-12"', 'data-span="1-16"', 1) == fixed.draw().svg
    for size, said in ((100, "does not work at 100"), ((8, 8, 8), "got 3 sizes")):
        with pytest.raises(FigureError, match=said):
            _ = netc.load("specs/unet.net").draw(size=size).scene
    with pytest.raises(FigureError, match="is open"):
        _ = netc.load("specs/vgg16.net").draw(size=256).scene
