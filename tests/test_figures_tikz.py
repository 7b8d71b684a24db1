"""Figures as TikZ and their captions, set by a real LaTeX: they compile as they are, are as wide as asked for, and no
text of a spec is anything but text."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import netc
from netc.cli import main
from netc.cli.endings import CLEAN, USAGE
from netc.figures import Drawing, FigureError, tikz
from netc.figures.caption import named as colour_in_words
from netc.figures.latex import escape
from netc.figures.options import Options
from netc.figures.scene import Picture, Rect, Scene, Text
from netc.figures.styles import STYLES
from tests.figure_samples import named
from tests.needs import needs_latex, needs_poppler
from tests.paper import compiled, document, fonts, sizes, words
from tests.test_figures_pdf import everything, gradients_and_bare_shapes  # noqa: F401 - a fixture

SPECS = ("resnet32", "vgg16", "unet")
HOSTILE = (
    r"\immediate\write18{touch owned}",
    r"}\end{tikzpicture}\end{document}\undefined",
    "a_b & c^^5cundefined ^^4d % # $x$ ~ {",
    r"\csname end\endcsname",
    "--''``?`!`<<>>\"|,,",
    "name\n\\input{paper.log}",
)


@needs_latex
@needs_poppler
def test_every_style_compiles_at_the_widths_of_papers(tmp_path: Path) -> None:
    """In a column that is exactly so wide nothing is overfull, no character is missing, and all fonts are embedded."""
    asked: list[tuple[str, str]] = []
    expected: list[float] = []
    styles = set()
    for style in STYLES:
        for spec in SPECS:
            for width in ("3.3in", "7in") if spec != "vgg16" else ("",):
                options = Options(
                    width=width or None, theme="print" if width == "3.3in" else "light", bare=spec == "unet"
                )
                drawing = Drawing((netc.load(f"specs/{spec}.net").program,), style, options)
                try:
                    text = drawing.render(".tikz")
                except FigureError:  # it does not fit, or the style shows no such network: said, and tested elsewhere
                    continue
                name = f"{spec}-{style}-{width[:1]}"
                (tmp_path / f"{name}.tikz").write_text(str(text))
                asked.append((f"{name}.tikz", width))
                expected.append(drawing.scene.width * drawing.scene.unit)
                styles |= {style} if width else set()
    pdf, complaints = compiled(tmp_path, asked)
    assert complaints == []
    assert [width for width, _ in sizes(pdf)] == pytest.approx(expected, abs=0.02)
    assert set(fonts(pdf).values()) == {(True, True)}
    assert styles >= {"graph", "column"}
    assert len(asked) > 8


@needs_latex
@needs_poppler
def test_texts_stand_where_those_of_the_scene_do(tmp_path: Path) -> None:
    scene = netc.load("specs/vgg16.net").draw().scene
    (tmp_path / "a.tikz").write_text(tikz.write(scene, Options()))
    pdf, _ = compiled(tmp_path, [("a.tikz", "")])
    found, unit = words(pdf), scene.unit
    for text in (item for item in scene.walk() if isinstance(item, Text) and item.anchor != "middle"):
        first, last = text.text.split()[0], text.text.split()[-1]
        line = [word for word in found if word.top < text.y * unit < word.bottom + 0.5]
        start = text.anchor == "start"
        ends = [word.left if start else word.right for word in line if word.text == (first if start else last)]
        assert min((abs(text.x * unit - end) for end in ends), default=99) < 0.8, text


@needs_latex
@needs_poppler
def test_a_wide_font_of_the_document_stays_in_the_room_of_its_text(tmp_path: Path) -> None:
    """A typewriter's `i` is wider than Arial's: such a text is set narrower, others as they are."""
    narrow, wide = (Text(10, 20, text, 12, "start") for text in ("illicit fill", "MAX DMG"))
    for text, preamble, narrowed in ((wide, "", False), (narrow, r"\renewcommand\familydefault{\ttdefault}", True)):
        (tmp_path / "a.tikz").write_text(tikz.write(Scene(200, 50, [text], "", ""), Options()))
        pdf, complaints = compiled(tmp_path, [("a.tikz", "")], preamble)
        assert complaints == []
        right, room = max(word.right for word in words(pdf)), text.box.right * 0.75
        assert right == pytest.approx(room, abs=0.1) if narrowed else right < room - 1


@needs_latex
@needs_poppler
@pytest.mark.parametrize("halo", [False, True])
def test_no_name_of_a_spec_is_a_command(halo: bool, tmp_path: Path) -> None:
    for at, name in enumerate(HOSTILE):
        program = named(name).program
        drawing = Drawing((program,), options=Options(title=f"{name}!"))
        drawing.scene.items.append(Text(100, 10, name, 10, halo=halo))
        (tmp_path / f"{at}.tikz").write_text(str(drawing.render(".tikz")))
        (tmp_path / f"{at}.cap").write_text(drawing.caption)
    pictures = [(f"{at}.tikz", "") for at in range(len(HOSTILE))]
    pdf, complaints = compiled(tmp_path, pictures)
    assert complaints == []
    assert not (tmp_path / "owned").exists()
    said = "".join(word.text for word in words(pdf))
    for name in HOSTILE:
        for part in re.findall(r"[a-z]{4,}", name):
            assert part in said
    captions = "\\listoffigures" + "".join(
        rf"\begin{{figure}}\caption{{\protect\input{{{at}.cap}}}}\end{{figure}}" for at in range(len(HOSTILE))
    )
    _, complaints = document(tmp_path, captions)
    assert complaints == []


@needs_latex
@needs_poppler
def test_printable_ascii_is_read_as_itself(tmp_path: Path) -> None:
    """Character by character, so that none is a ligature, an accent or nothing."""
    characters = [chr(code) for code in range(33, 127)] + ["--", "''", ",,", "<<", ">>", "?`", "!`"]
    rows = [rf"\hbox{{{escape(f'x{character}x')}}}" for character in characters]
    pdf, complaints = document(tmp_path, "\\parindent0pt\\raggedbottom\n" + "\n\n".join(rows))
    assert complaints == []
    read = "".join(word.text for word in words(pdf) if not word.text.isdigit())  # but numbers of pages
    read = read.translate(str.maketrans("’”‘˜ˆ", "'\"`~^"))
    assert read == "".join(f"x{character}x" for character in characters).replace("_", "")  # a rule, and no letter


@needs_latex
def test_every_kind_of_shape_compiles(tmp_path: Path) -> None:
    for theme in ("light", "dark", "print"):
        (tmp_path / f"{theme}.tikz").write_text(tikz.write(everything(), Options(theme=theme)))
    pdf, complaints = compiled(tmp_path, [(f"{theme}.tikz", "") for theme in ("light", "dark", "print")])
    assert complaints == []
    assert pdf.exists()


def test_tikz_names_colours_once_and_layers_in_scopes() -> None:
    text = str(netc.load("specs/vgg16.net").draw(theme="print").render(".tikz"))
    assert len(re.findall(r"\\definecolor\{netc-conv\}", text)) == 1
    assert not re.search(r"\{HTML\}", text.partition(r"\useasboundingbox")[2]), "the body names colours"
    assert r"\begin{scope} % stage1_conv1" in text
    assert text.count(r"\begin{scope}") == text.count(r"\end{scope}")
    assert r"\usetikzlibrary{patterns}" in text.splitlines()[1]
    assert text == netc.load("specs/vgg16.net").draw(theme="print").render(".tikz")


def test_what_tikz_cannot_say_is_refused_in_words() -> None:
    with pytest.raises(FigureError, match="TikZ cannot carry a picture"):
        tikz.write(Scene(10, 10, [Picture((0, 0), (5, 0), (0, 5), b"")], "", ""), Options())
    with pytest.raises(FigureError, match="no lengths above 16,000 points, and this figure is 75 by 22,500"):
        tikz.write(Scene(100, 30_000, [], "", ""), Options())


def test_corners_are_round_at_most_by_half_a_side() -> None:
    text = tikz.write(Scene(40, 20, [Rect(0, 0, 20, 12, "conv", 9), Rect(20, 0, 12, 20, "conv", 3)], "", ""), Options())
    assert re.findall(r"rounded corners=([\d.]+)bp", text) == ["4.5", "2.25"]


def test_other_scripts_are_kept_and_announced() -> None:
    text = tikz.write(Scene(10, 10, [Text(0, 0, "网络 é")], "", ""), Options())
    assert "网络 é" in text
    assert "LuaLaTeX or XeLaTeX and a font that has them are needed: U+7EDC U+7F51" in text


# -- captions -------------------------------------------------------------------------------------------------


def test_a_caption_says_what_a_bare_figure_leaves_out() -> None:
    net = netc.load("specs/resnet32.net")
    whole, bare = net.draw(theme="print"), net.draw(theme="print", bare=True)
    assert whole.caption == bare.caption
    said = whole.caption.replace("\n", " ")
    for part in ("465,290", "68.9 M MACs", "receptive field 137", "32 weighted ones deep", "white, hatched: ",
                 "dotted black line: shortcut", r"32$\times$32$\times$3"):  # fmt: skip
        assert part in said, part
    assert said.count("465,290") == 1
    legend = [text for _, text in whole.scene.legend]
    assert legend
    assert all(escape(text) in said for text in [*legend, *whole.scene.notes])


@pytest.mark.parametrize("style", STYLES)
def test_captions_of_all_styles_have_legend_and_notes(style: str) -> None:
    drawing = netc.load("specs/vgg16.net").draw(style=style)
    said = drawing.caption.replace("\n", " ").lower()
    for text in [*(text for _, text in drawing.scene.legend), *drawing.scene.notes]:
        assert escape(text).lower() in said, text
    assert said.startswith("% the caption of vgg16")
    assert drawing.caption.endswith(".%\n")


def test_a_caption_says_a_legend_that_the_style_places_itself() -> None:
    said = netc.load("specs/vgg16.net").draw(style="volumes", bare=True).caption.replace("\n", " ")
    for part in ("conv + ReLU", "fully connected + ReLU", "softmax"):
        assert part in said
    assert "lue: conv + ReLU" in said
    assert "ellow: fully connected" in said


def test_a_title_of_ones_own_begins_the_caption() -> None:
    said = netc.load("specs/vgg16.net").draw(title="Our 100 % network").caption
    assert said.splitlines()[1].startswith(r"Our 100 \% network. The network vgg16 takes")


@pytest.mark.parametrize(
    ("value", "words"),
    [("#ffffff", "white"), ("#000000", "black"), ("#808080", "grey"), ("#ff0000", "red"), ("#00c000", "dark green"),
     ("#0000ff", "blue"), ("#ffff00", "yellow"), ("#ff8800", "orange"), ("#ffc0cb", "pale red"), ("#800080", "dark purple"),
     ("#c8c8c8", "light grey"), ("#f9e7a9", "light yellow"), ("#c0e4fc", "pale blue"), ("#404040", "dark grey"), ("#14202b", "black")],
)  # fmt: skip
def test_colours_in_words(value: str, words: str) -> None:
    assert colour_in_words(value) == words


# -- the command line -----------------------------------------------------------------------------------------


def test_draw_writes_tikz_and_a_caption(tmp_path: Path) -> None:
    spec, tex, cap = "specs/vgg16.net", str(tmp_path / "a.tex"), str(tmp_path / "cap.tex")
    for _ in range(2):  # what netc wrote is replaced
        assert main(["draw", spec, "-o", tex, "--tikz", "--caption", cap]) == CLEAN
    assert r"\begin{tikzpicture}" in Path(tex).read_text()
    assert "138,357,544" in Path(cap).read_text()
    assert main(["draw", spec, "--style", "table", "-o", tex]) == CLEAN
    assert r"\begin{tabular}" in Path(tex).read_text()
    net = netc.load(spec)
    net.draw(tmp_path / "b.tikz")
    net.draw(tmp_path / "b.tex", tikz=True)
    assert (tmp_path / "b.tikz").read_text() == (tmp_path / "b.tex").read_text()


def test_a_paper_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paper = tmp_path / "paper.tex"
    paper.write_text("\\documentclass{article}\n\\begin{document}")
    for arguments in (["-o", str(tmp_path / "a.svg"), "--caption", str(paper)], ["-o", str(paper), "--tikz"]):
        assert main(["draw", "specs/vgg16.net", *arguments]) == USAGE
        assert "was not written by netc" in capsys.readouterr().err
    assert paper.read_text().startswith(r"\documentclass")
    assert not (tmp_path / "a.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "a.svg", "--tikz"], "--tikz is for an output that ends in .tex, got `a.svg`"),
        (["-o", "a.svg", "--dpi", "100"], "--dpi is for an output that ends in .png, got `a.svg`"),
        (["-o", "a.tex"], "; TikZ is --tikz"),
        (["-o", "a.svg", "--caption", "a.txt"], "--caption got `a.txt`, expected a name that ends in .tex"),
        (["-o", "a.tex", "--tikz", "--caption", "a.tex"], "for the figure and for its --caption, expected two files"),
        (
            ["-o", "a.svg", "--engine", "graphviz", "--caption", "a.tex"],
            "--caption does nothing with --engine graphviz",
        ),
    ],
)
def test_wrong_use_is_said(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "specs/vgg16.net", *arguments]) == USAGE
    assert said in capsys.readouterr().err
