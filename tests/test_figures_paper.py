"""The figures of papers: columns and tables, against what the papers print and show."""

import pathlib
import re
import subprocess
from collections.abc import Sequence
from itertools import pairwise
from shutil import which

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netc
from netc.figures import table
from netc.figures.align import align
from netc.figures.options import Options
from netc.figures.scene import Rect, Text
from tests.figure_samples import RESNETS, VGG, named, objects, paths, scene, texts
from tests.specs import load

# -- column -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spec", "blocks", "dotted"), [("resnet18", 8, 3), ("resnet34", 16, 3), ("resnet50", 16, 4), ("plain34", 0, 0)]
)
def test_shortcuts_of_he_et_al(spec: str, blocks: int, dotted: int) -> None:
    """Figure 3: a shortcut a block, dotted where dimensions change (in ResNet-50 also at conv2_1: 64 to 256)."""
    figure = scene("column", load(spec))
    assert (len(paths(figure, "skip")), len(paths(figure, "dotted"))) == (blocks - dotted, dotted)


def test_rows_of_he_et_al() -> None:
    figure = scene("column", load("resnet34"))
    rows = [row for row in objects(figure).values() if row.role == "box"]
    said = [item.text for row in rows for item in row.items if isinstance(item, Text)]
    assert said[:4] == ["input 224×224×3", "7×7 conv, 64, /2", "3×3 max pool, /2", "3×3 conv, 64"]
    assert said.count("3×3 conv, 256") == 11
    assert said.count("3×3 conv, 256, /2") == 1
    assert said[-2:] == ["global avg pool", "fc 1000, softmax"]
    assert {(row.items[0].width, row.items[0].height) for row in rows if isinstance(row.items[0], Rect)} == {(150, 15)}
    sizes = [text for text in texts(figure) if re.fullmatch(r"(\d+)×\1", text)]
    assert sizes == ["224×224", "112×112", "56×56", "28×28", "14×14", "7×7"]


def test_networks_side_by_side_are_aligned() -> None:
    """Each size begins at one height in all three networks, and the hue is that of the size."""
    networks = [load(spec) for spec in ("vgg19", "plain34", "resnet34")]
    boxes = objects(scene("column", *networks))
    starts: dict[int, set[tuple[float, str]]] = {}
    for at, network in enumerate(networks, 1):
        seen: set[int] = set()
        for name, shape in network.shapes.items():
            row = boxes.get(f"n{at}_{name}")
            if row is None or len(shape) < 3 or shape[0] in seen:
                continue
            seen.add(shape[0])
            starts.setdefault(shape[0], set()).add(row.box.top)
    assert len(starts) == 6
    assert all(len(tops) == 1 for tops in starts.values())
    hues = {
        size: {
            boxes[f"n{at}_{name}"].items[0].look
            for at, network in enumerate(networks, 1)
            for name, shape in network.shapes.items()
            if shape[0] == size and f"n{at}_{name}" in boxes and network.net.node(name).layer.op == "conv"
        }
        for size in starts
    }
    assert all(len(found) == 1 for found in hues.values())
    assert len(set.union(*hues.values())) == 6


@pytest.mark.parametrize(
    ("network", "repeats"),
    [
        (load("resnet152"), [2, 7, 35, 2]),
        (load("resnet-cifar", n=18), [18, 17, 17]),
        (load("densenet121"), [6, 12, 24, 16]),
    ],
)
def test_long_networks_show_equal_blocks_once(network: netc.Network, repeats: Sequence[int]) -> None:
    """He et al. 2015, Tables 1 and 6, Huang et al. 2017, Table 1; the first block of a stage with projection differs."""
    figure = scene("column", network)
    assert [int(text[1:]) for text in texts(figure) if re.fullmatch(r"×\d+", text)] == repeats
    assert len([row for row in objects(figure).values() if row.role == "box"]) < 40
    whole = scene("column", network, collapse="none")
    assert len([row for row in objects(whole).values() if row.role == "box"]) > 64


def test_rows_say_what_follows_where_it_is_not_usual() -> None:
    """Sandler et al. 2018, Table 1: no activation after the last convolution of a bottleneck."""
    said = texts(scene("column", load("mobilenetv2")))
    assert "after each convolution BN · ReLU6, unless its row says what else" in said
    assert {text for text in said if text.startswith("1×1 conv, 160")} == {
        *("1×1 conv, 160 · BN", "1×1 conv, 160 · BN · +"),
    }
    assert "1×1 conv, 960" in said


def test_lines_that_end_in_no_sum_are_no_shortcuts() -> None:
    said = texts(scene("column", load("unet")))
    assert "skip connection" in said
    assert not any("shortcut" in text for text in said)
    assert "2×2 deconv, 512, ×2, ReLU · concat" in said
    assert "shortcut" in texts(scene("column", load("resnet18")))


def test_nested_arcs_go_around_each_other() -> None:
    arcs = paths(scene("column", load("unet")), "skip")
    assert len(arcs) == 4
    spans = sorted((arc.end[1] - arc.start[1], max(x for x, _ in arc.points())) for arc in arcs)
    assert all(inner[1] < outer[1] for inner, outer in pairwise(spans))


def test_the_stride_of_a_transposed_convolution_makes_larger() -> None:
    said = texts(scene("column", load("unet")))
    assert [text for text in said if "deconv" in text] == [
        f"2×2 deconv, {ch}, ×2, ReLU · concat" for ch in (512, 256, 128, 64)
    ]


def test_open_sizes_are_formulas() -> None:
    said = texts(scene("column", load("unet")))
    assert [text for text in said if text.startswith("H")][:3] == ["H×W", "H/2×W/2", "H/4×W/4"]
    assert "input H×W×1" in said
    assert not any("?" in text for text in said)


@pytest.mark.parametrize("style", ["graph", "volumes", "column", "table", "grid"])
def test_nothing_is_unknown_in_a_network_of_open_sizes(style: str) -> None:
    """Neither in what is drawn nor in tooltips; and MACs are said too."""
    said = load("unet").draw(style=style).svg
    assert "?" not in said
    assert "733.9 k·H·W MACs" in said or style == "table"


def test_graphviz_gets_formulas_and_no_frame_around_nothing() -> None:
    """A block's identity shortcut is a call that makes no layer."""
    said = netc.load("specs/resnet34.net").to_dot()
    assert said.count("subgraph") == said.count("\t}\n") > 16
    assert 'label="H/2xW/2x64"' in load("unet").to_dot()


# -- table --------------------------------------------------------------------------------------------------------

# Simonyan & Zisserman 2014, Table 1, without the bands; `*` is bold there.
TABLE_1 = """
conv3-64  | conv3-64  | conv3-64   | conv3-64   | conv3-64   | conv3-64
          | *LRN      | *conv3-64  | conv3-64   | conv3-64   | conv3-64
conv3-128 | conv3-128 | conv3-128  | conv3-128  | conv3-128  | conv3-128
          |           | *conv3-128 | conv3-128  | conv3-128  | conv3-128
conv3-256 | conv3-256 | conv3-256  | conv3-256  | conv3-256  | conv3-256
conv3-256 | conv3-256 | conv3-256  | conv3-256  | conv3-256  | conv3-256
          |           |            | *conv1-256 | *conv3-256 | conv3-256
          |           |            |            |            | *conv3-256
conv3-512 | conv3-512 | conv3-512  | conv3-512  | conv3-512  | conv3-512
conv3-512 | conv3-512 | conv3-512  | conv3-512  | conv3-512  | conv3-512
          |           |            | *conv1-512 | *conv3-512 | conv3-512
          |           |            |            |            | *conv3-512
conv3-512 | conv3-512 | conv3-512  | conv3-512  | conv3-512  | conv3-512
conv3-512 | conv3-512 | conv3-512  | conv3-512  | conv3-512  | conv3-512
          |           |            | *conv1-512 | *conv3-512 | conv3-512
          |           |            |            |            | *conv3-512
"""


def cells(networks: Sequence[netc.Network]) -> list[list[str]]:
    """The cells of a table as Markdown has them, bold ones after a star."""
    lines = table.markdown([network.program for network in networks], Options()).splitlines()
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:]]
    return [[re.sub(r"\*\*(.*)\*\*", r"*\1", cell).replace("\\", "") for cell in row] for row in rows]


def test_table_of_vgg_is_that_of_the_paper() -> None:
    rows = [row[1:] for row in cells([load(spec) for spec in VGG])]
    printed = [[cell.strip() for cell in line.split("|")] for line in TABLE_1.strip("\n").splitlines()]
    assert [row for row in rows if any("conv" in cell for cell in row)] == printed
    bands = [row[0] for row in rows if len(set(row)) == 1 and "conv" not in row[0]]
    assert bands == ["input 224×224×3", *["maxpool"] * 5, "FC-4096", "FC-4096", "FC-1000", "soft-max"]
    assert rows[-1] == [f"{load(spec).cost.total.trainable:,}" for spec in VGG]


def test_table_of_resnets_is_that_of_the_paper() -> None:
    """He et al. 2015, Table 1."""
    rows = cells([load(spec) for spec in RESNETS])
    assert [row[:2] for row in rows[1:8]] == [
        *(["conv1", "112×112"], ["conv2_x", "56×56"], ["", ""]),
        *(["conv3_x", "28×28"], ["conv4_x", "14×14"], ["conv5_x", "7×7"], ["", "vector"]),
    ]
    counts = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
    blocks = [[cell.replace("*", "") for cell in row[2:]] for row in rows if "[" in row[2]]
    for at, (depth, numbers) in enumerate(counts.items()):
        for width, count, row in zip((64, 128, 256, 512), numbers, blocks, strict=True):
            deep = f"1×1, {width}; 3×3, {width}; 1×1, {4 * width}"
            assert row[at] == f"[{deep if depth >= 50 else f'3×3, {width}; 3×3, {width}'}] ×{count}"


def test_table_of_a_network_of_unknown_size() -> None:
    """The levels of a U-Net (Ronneberger et al. 2015, Figure 1), not one block of all that its longest line spans."""
    rows = cells([load("unet")])
    assert [row[1] for row in rows if row[1].startswith("H/")] == [f"H/{by}×W/{by}" for by in (2, 4, 8, 16, 8, 4, 2)]
    assert not any("pool; " in cell for row in rows for cell in row)
    joined = [(above[2], row[2]) for above, row in pairwise(rows) if "concat" in row[2]]
    assert joined == [(f"2×2 deconv, {ch}, ×2", f"concat, {2 * ch}") for ch in (512, 256, 128, 64)]


def test_a_table_marks_only_what_changed() -> None:
    """ResNet-101 differs from ResNet-50 by one number (He et al. 2015, Table 1)."""
    rows = cells([load("resnet50"), load("resnet101")])
    marks = [cell for row in rows for cell in row if "*" in cell]
    assert marks == ["[1×1, 256; 3×3, 256; 1×1, 1024] *×23"]
    tex = latex("resnet50", "resnet101")
    assert tex.count("textbf") == 2, "the names"
    assert tex.count(r"\mathbf{23}") == 1
    drawn = [item for item in scene("table", load("resnet50"), load("resnet101")).walk() if isinstance(item, Text)]
    assert [item.text for item in drawn if item.bold and "×" in item.text] == ["×23"]


def test_networks_with_little_in_common_are_not_marked() -> None:
    assert not any("*" in cell for row in cells([load("alexnet"), load("vgg16")]) for cell in row)


def test_inputs_of_different_sizes_share_rows() -> None:
    """A network of 32×32 and one of 224×224 stand side by side where they are as much smaller than their inputs."""
    rows = cells([load("resnet-cifar", n=3), load("resnet18")])
    levels = {row[1]: at for at, row in enumerate(rows) if row[1]}
    assert list(levels) == ["input size", *(f"input / {by}" for by in (2, 4, 8, 16, 32)), "vector"]
    row = next(row for row in rows[levels["input / 4"] :] if "[" in row[2])
    assert row[2:] == ["[3×3, 64; 3×3, 64] ×3", "[3×3, 64; 3×3, 64] ×2"]


@pytest.mark.parametrize("v1_5", [False, True])
def test_a_block_stands_where_it_ends(v1_5: bool) -> None:
    """Whether its stride is on its first convolution or, as in torchvision, on its second."""
    network = load("resnet50", v1_5=v1_5)
    rows = cells([network])
    assert [row[2] for row in rows if "[" in row[2]] == [
        f"[1×1, {width}; 3×3, {width}; 1×1, {4 * width}] ×{count}"
        for width, count in ((64, 3), (128, 4), (256, 6), (512, 3))
    ]
    said = texts(scene("table", network))
    assert "the first block of conv3_x, conv4_x and conv5_x has a stride" in said


def test_squeeze_and_excitation_is_part_of_its_block() -> None:
    """As in Hu et al. 2018, Table 1, where the two layers that make a factor a channel stand in the bracket."""
    factor = "mul { | identity | gap keep; conv 4x1 relu; conv 64x1 sigmoid }"
    block = f"add {{ | identity | conv 64x3 bn relu; conv 64x3 bn; {factor} }}; relu"
    rows = cells([netc.loads(f"input 56x56x64; repeat 3 {{ {block} }}; gap; fc 10 softmax")])
    assert [row[2] for row in rows if "[" in row[2]] == ["[3×3, 64; 3×3, 64; global avg pool; 1×1, 4; 1×1, 64; mul] ×3"]


def latex(*specs: str, **options: str) -> str:
    return table.latex([load(spec).program for spec in specs], Options(**options))


@pytest.mark.skipif(not which("pdflatex"), reason="needs pdflatex")
@pytest.mark.parametrize(
    ("specs", "width"), [(RESNETS, "504pt"), (RESNETS, "7in"), (VGG, "345pt"), (("vgg16", "vgg19"), "252pt")]
)
def test_latex_fits_the_line(specs: Sequence[str], width: str, tmp_path: pathlib.Path) -> None:
    """As set by a real LaTeX in the line of a page, of IEEE's pages, of an `article`, of a column."""
    (tmp_path / "table.tex").write_text(latex(*specs))
    (tmp_path / "page.tex").write_text(
        rf"\documentclass{{article}}\textwidth={width}\begin{{document}}\noindent\input{{table}}\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=60)
    log = done.stdout.decode(errors="replace")
    assert done.returncode == 0, log
    assert "Overfull" not in log


@pytest.mark.skipif(not which("pdflatex"), reason="needs pdflatex")
@pytest.mark.parametrize("width", ["7in", "6in"])
def test_latex_fits_the_page_that_is_asked_for(width: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "table.tex").write_text(latex(*RESNETS, width=width))
    (tmp_path / "page.tex").write_text(
        r"\documentclass{article}\textwidth=9in\begin{document}\setbox1\hbox{\input{table}}"
        r"\typeout{WIDE \the\wd1}\end{document}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=60)
    wide = float(re.findall(r"WIDE ([\d.]+)pt", done.stdout.decode(errors="replace"))[0])
    assert wide <= float(width[:-2]) * 72.27


def test_drawn_table_says_the_same() -> None:
    networks = [load(spec) for spec in VGG]
    figure = scene("table", *networks)
    bold = [item.text for item in figure.walk() if isinstance(item, Text) and item.bold and "conv" in item.text]
    assert sorted(bold) == sorted(cell[1:] for row in cells(networks) for cell in row if cell.startswith("*conv"))
    assert texts(figure).count("maxpool") == 5, "bands are drawn once"
    assert "138,357,544" in texts(figure)


def test_tables_escape_names() -> None:
    network = named("a_b&c%d$e#f{g}~^|<b>`*")
    tex = table.latex([network.program], Options())
    assert r"a\_b\&c\%d\$e\#f\{g\}\textasciitilde{}\textasciicircum{}$|$$<$b$>$\textasciigrave{}*" in tex
    head = table.markdown([network.program], Options()).splitlines()[0]
    assert r"a\_b&amp;c%d$e#f{g}\~^\|&lt;b>\`\*" in head


sequences = st.lists(st.lists(st.sampled_from("abc"), max_size=6), min_size=1, max_size=4)


@given(sequences)
def test_alignment_keeps_every_item_once_and_in_order(items: list[list[str]]) -> None:
    rows = align(items, lambda a, b: float(a != b))
    for at, sequence in enumerate(items):
        assert [row[at] for row in rows if row[at] is not None] == list(range(len(sequence)))
    assert all(any(index is not None for index in row) for row in rows)


@given(st.lists(st.sampled_from("abc"), max_size=8), st.integers(1, 3))
def test_equal_sequences_share_all_rows(sequence: list[str], copies: int) -> None:
    rows = align([sequence] * copies, lambda a, b: 0.0 if a == b else None)
    assert rows == [[at] * copies for at in range(len(sequence))]


def test_a_table_says_what_stands_beside_its_path() -> None:
    """Its rows are one path: the gates of a highway network and the second arms of maxouts are not in it, and the
    projections of shortcuts are left out as in He et al. 2015."""
    said = {spec: [note for note in load(spec).draw(style="table").scene.notes if note.startswith("beside")] for spec in
            ("highway", "triplet", "resnet50")}  # fmt: skip
    assert said == {
        "highway": ["beside the path: fc 64, sigmoid ×10"],
        "triplet": ["beside the path: fc 4096 ×2"],
        "resnet50": [],
    }


def test_what_has_nothing_after_it_is_linear_or_alone() -> None:
    rows = set(texts(load("mlp-mixer-b16").draw(style="column").scene))
    assert "swap, alone" in rows
    assert "swap, linear" not in rows
