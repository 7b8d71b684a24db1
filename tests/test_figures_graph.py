"""Graph figures: what cells say is what the network has, silhouettes, frames, shared weights, columns and pages."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netc
from netc.figures import FigureError, Options, facts
from netc.figures.scene import Ellipse, Group, Path, Polygon, Rect, Scene, Stamp, Text
from netc.figures.styles import draw
from netc.ir.net import Net
from netc.program import Program
from tests.effort import effort
from tests.figure_geometry import bodies, in_the_air, random_net, violations
from tests.figure_samples import texts
from tests.random_networks import compiled, networks

# -- what it says, read back ---------------------------------------------------------------------------------


def boxes(scene: Scene) -> dict[str, list[str]]:
    """The texts of each box in order, by the name of its layer."""
    groups = [item for item in scene.walk() if isinstance(item, Group) and item.role == "box"]
    return {group.name: [item.text for item in group.items if isinstance(item, Text)] for group in groups}


def rule(scene: Scene) -> tuple[list[str], list[str]] | None:
    """What the sentence below the figure says of a convolution without cells: what is before it, and after it."""
    for text in texts(scene):
        found = re.fullmatch(
            r"(?:Every convolution|A convolution without cells) is "
            r"(?:preceded by (?P<before>.+?))?(?: and )?(?:followed by (?P<after>.+))?\.",
            text,
        )
        if found:
            before, after = (re.split(", | and ", found[name]) if found[name] else [] for name in ("before", "after"))
            return before, after
    return None


class Reader:
    """Reads a figure that shows every layer, and compares it with the network."""

    def __init__(self, program: Program, scene: Scene) -> None:
        self.net: Net = program.net
        self.facts = facts.Facts(program)
        self.scene, self.rule = scene, rule(scene)
        self.seen: Counter[str] = Counter()

    def compare(self) -> None:
        for name, said in boxes(self.scene).items():
            if name not in self.net or name in self.seen:
                assert name.removesuffix("-output") in self.net.outputs, name
                continue
            self._box(name, said)
        assert set(self.seen.values()) <= {1}
        skipped = [node for node in self.net if node.name not in self.seen]
        expected = Counter(word for node in skipped for part in self._parts(node.name) for word in _words(part))
        notes = [item for item in self.scene.walk() if isinstance(item, Text) and item.look == "note"]
        assert Counter(word for note in notes for word in _words(note.text)) == expected

    def _parts(self, name: str) -> tuple[str, ...]:
        return facts.parts(self.net.node(name).layer, self.net.shapes[name])

    def _box(self, name: str, said: list[str]) -> None:
        layer = self.net.node(name).layer
        own, *more = self._parts(name)
        if layer.is_input:
            own = f"{name if len(self.net.inputs) > 1 else 'input'} {self.facts.shape(name)}"
        if layer.stacks:
            own = f"{own}, {self.net.shapes[name][-1]}"
        self.seen[name] += 1
        if own not in said:  # an operation and the one after it as one formula
            (after,) = self.net.consumers(name)
            assert said[0] == self.net.node(after).layer.formula.format(f"a {layer.symbol} b"), said
            self.seen[after] += 1
            self._follow(after, said[1:])
            return
        at = said.index(own)
        before, after_own = said[:at], said[at + 1 :]
        if layer.family == "conv" and self.rule:
            if not before and not after_own:
                before, after_own = self.rule
            elif after_own == ["plain"]:
                after_own = []
        assert after_own[: len(more)] == more
        self._follow(name, after_own[len(more) :])
        for text in reversed(before):
            (name,) = self.net.operands(name)
            assert self._parts(name) == (text,)
            self.seen[name] += 1

    def _follow(self, name: str, cells: list[str]) -> None:
        while cells:
            (name,) = self.net.consumers(name)
            parts = self._parts(name)
            assert tuple(cells[: len(parts)]) == parts
            self.seen[name] += 1
            cells = cells[len(parts) :]


def _words(text: str) -> list[str]:
    words = (word.rstrip(",") for word in text.replace("subsample ", "/").split())
    return [word for word in words if word not in ("·", "conv")]


def read_back(program: Program, **options: object) -> None:
    Reader(program, draw([program], "graph", Options(collapse="none", **options))).compare()  # type: ignore[arg-type]


@effort(60)
@given(bodies(), bodies() | st.just(""))
def test_what_boxes_say_is_what_the_network_has(body: str, after: str) -> None:
    net = random_net(body, after)
    if net is not None:
        read_back(net.program)


@effort(40)
@given(networks())
def test_what_boxes_say_of_all_layers_is_what_the_network_has(text: str) -> None:
    program = compiled(text)
    assert program is not None
    read_back(program)


PRE = "bn; relu; conv 8x3; bn; relu; conv 8x3"


@pytest.mark.parametrize(
    ("text", "said", "marked"),
    [
        ("conv 8x3 bn relu\n" * 5, "Every convolution is followed by BN and ReLU.", []),
        ("conv 8x3 bn relu6\n" * 4 + "conv 8x3", "A convolution without cells is followed by BN and ReLU6.", ["plain"]),
        ("conv 8x3 bn relu\n" * 3 + "conv 8x3 bn\nconv 8x3 bn silu",
         "A convolution without cells is followed by BN and ReLU.", ["BN"]),
        ("conv 8x3\n" + f"add {{ | identity | {PRE} }}\n" * 3, "A convolution without cells is preceded by BN and ReLU.",
         ["plain"]),
        ("relu; conv 8x3; bn\n" * 5, "Every convolution is preceded by ReLU and followed by BN.", []),
        ("conv 8x3 bn relu\n" * 4, "", []),
        ("conv 8x3\n" * 6, "", []),
    ],
    ids=["all", "most", "others show all", "before", "both", "few", "none"],
)  # fmt: skip
def test_the_sentence_says_what_most_have(text: str, said: str, marked: list[str]) -> None:
    scene = netc.loads(f"input 9x9x8\n{text}\ngap; fc 2").draw(style="graph", collapse="none").scene
    assert [each for each in texts(scene) if "onvolution" in each and each.endswith(".")] == ([said] if said else [])
    for mark in marked:
        assert any(mark in cells for cells in boxes(scene).values())
    read_back(netc.loads(f"input 9x9x8\n{text}\ngap; fc 2").program)


def test_expanded_figures_have_no_cells_but_arguments() -> None:
    said = boxes(
        netc.loads("input 9x9x8\n" + "conv 8x3; bn; relu\n" * 6 + "gap; fc 2 softmax")
        .draw(style="graph", expand=True, collapse="none")
        .scene
    )
    assert said["conv1"] == ["3×3 conv, 8"]
    assert said["relu1"] == ["ReLU"]
    assert said["fc1"] == ["fc 2", "softmax"]


# -- silhouettes ---------------------------------------------------------------------------------------------


def shapes_of(text: str, name: str, **options: str) -> list[object]:
    scene = netc.loads(text).draw(style="graph", **options).scene
    (group,) = [item for item in scene.walk() if isinstance(item, Group) and item.name == name]
    stamp = group.items[0]
    assert isinstance(stamp, Stamp)
    return list(stamp.template.items)


NET = "input 16x16x8\nconv 8x3 relu; pool 2; upsample 2; add { | identity | conv 8x3 }\ndropout 0.5\ngap; fc 4 softmax"


def test_kinds_show_without_colour() -> None:
    def slants(name: str) -> float:
        (shape,) = (each for each in shapes_of(NET, name) if isinstance(each, Polygon))
        (left, _), (right, _), (low_right, _), (low_left, _) = shape.points
        return ((right - left) - (low_right - low_left)) / 2

    assert 0 < slants("pool1") < slants("gap1")
    assert slants("upsample1") == -slants("pool1")
    assert Ellipse in map(type, shapes_of(NET, "add1"))
    assert [type(each) for each in shapes_of(NET, "fc1")].count(Path) == 2
    (stadium,) = shapes_of(NET, "input1")
    assert isinstance(stadium, Rect)
    assert stadium.radius == stadium.height / 2


def test_a_strip_has_the_shares_of_what_is_joined() -> None:
    scene = (
        netc.loads("input 8x8x4\nconcat { | conv 12x1 | conv 4x3 | conv 16x3 }\ngap; fc 2").draw(style="graph").scene
    )
    (group,) = [
        item for item in scene.walk() if isinstance(item, Group) and item.look == "share" and item.box.top < 200
    ]
    bar = next(item.items[0].box for item in scene.walk() if isinstance(item, Group) and item.name == "concat1")
    whole = bar.right - bar.left
    assert [round((box.left - bar.left) / whole, 3) for box in (item.box for item in group.items)] == [0, 0.5]
    assert [round((box.right - box.left) / whole, 3) for box in (item.box for item in group.items)] == [0.375, 0.5]


def test_a_difference_and_its_absolute_value_are_one_formula() -> None:
    said = boxes(netc.load("specs/siamese.net").draw(style="graph").scene)
    assert said["sub1"] == ["|a − b|"]
    assert "abs1" not in said


def test_shared_weights_are_dashed_twins_with_a_tie() -> None:
    scene = netc.load("specs/siamese.net").draw(style="graph").scene
    ties = [item for item in scene.walk() if isinstance(item, Group) and item.look == "tie"]
    assert len(ties[0].items) == 2 * 5  # four convolutions and a fully connected layer
    assert "shared weights (twin dashed)" in texts(scene)
    assert "shared weights (twin dashed)" not in texts(netc.load("specs/vgg16.net").draw(style="graph").scene)


# -- legends -------------------------------------------------------------------------------------------------


def legend(scene: Scene) -> set[str]:
    known = {"input", "convolution", "pooling", "global pooling", "normalisation", "activation", "fully connected", "merge",
             "concatenation, in shares", "upsampling", "reshaping", "only in training"}  # fmt: skip
    return {text for text in texts(scene) if text in known or text.startswith(("shortcut", "skip connection"))}


@pytest.mark.parametrize(
    ("spec", "there", "absent"),
    [
        (
            "resnet50",
            {"shortcut", "shortcut that changes the shape", "merge"},
            {"concatenation, in shares", "skip connection"},
        ),
        ("unet", {"skip connection", "concatenation, in shares"}, {"shortcut", "normalisation"}),
        ("vgg16", {"pooling", "fully connected"}, {"shortcut", "normalisation", "merge", "global pooling"}),
        (
            "googlenet",
            {"concatenation, in shares", "normalisation"},
            {"shortcut", "skip connection", "merge"},
        ),
        ("densenet121", {"skip connection", "global pooling"}, {"shortcut", "merge"}),
    ],
)
def test_a_legend_lists_what_is_there_and_calls_it_what_it_is(spec: str, there: set[str], absent: set[str]) -> None:
    found = legend(netc.load(f"specs/{spec}.net").draw(style="graph").scene)
    assert there <= found
    assert not absent & found


# -- frames --------------------------------------------------------------------------------------------------


def headings(scene: Scene) -> list[str]:
    groups = [item for item in scene.walk() if isinstance(item, Group) and item.role == "frame"]
    return [item.text for group in groups for item in group.items if isinstance(item, Text)]


def test_equal_branches_are_drawn_once() -> None:
    """ResNeXt (Xie et al. 2017, Figure 3(a)) written out."""
    branch = "| conv 4x1 bn relu; conv 4x3 bn relu; conv 256x1 bn\n"
    scene = (
        netc.loads("input 14x14x256\n" + ("add {\n| identity\n" + branch * 32 + "}\nrelu\n") * 3 + "gap; fc 9")
        .draw(style="graph")
        .scene
    )
    assert headings(scene) == ["×3", "×32 in parallel"]
    assert scene.height < 600
    edges = [item for item in scene.walk() if isinstance(item, Path) and item.role == "edge"]
    assert len(edges) < 14  # and not one for each branch


def test_rates_that_differ_are_a_range() -> None:
    units = "".join(
        f"add {{ | identity | conv 8x3 bn relu; conv 8x3 bn; droppath {rate} }}\n"
        for rate in (0.0, 0.1, 0.25, 0.3, 0.2)
    )
    scene = netc.loads(f"input 9x9x8\n{units}gap; fc 2").draw(style="graph").scene
    assert headings(scene) == ["×5"]
    assert any("drop path 0…0.3" in cells for cells in boxes(scene).values())
    assert headings(
        netc.loads(f"input 9x9x8\n{units.replace('8x3 bn;', '8x1 bn;', 1)}gap; fc 2").draw(style="graph").scene
    ) == ["×4"]


def test_blocks_that_differ_in_their_place_on_a_ramp_are_equal() -> None:
    unit = "add { | identity | conv 8x3 bn relu; conv 8x3 bn; droppath 0.3 ramp }\n"
    scene = netc.loads(f"input 9x9x8\n{unit * 5}gap; fc 2").draw(style="graph").scene
    assert headings(scene) == ["×5"]
    assert any("drop path 0.3 ramp" in cells for cells in boxes(scene).values())


def test_the_output_of_blocks_stands_after_their_frame() -> None:
    scene = netc.loads("input 8x8x8\n" + "conv 8x3 relu\n" * 7).draw(style="graph").scene
    (frame,) = [item.items[0].box for item in scene.walk() if isinstance(item, Group) and item.role == "frame"]
    (output,) = [item.box for item in scene.walk() if isinstance(item, Group) and item.name == "conv7-output"]
    assert output.top > frame.bottom


def test_heads_of_a_column_go_on_where_they_have_room() -> None:
    """GoogLeNet with its auxiliary classifiers is too wide for a column with these beside it."""
    scene = netc.load("specs/googlenet.net", aux=True).draw(style="graph", width="3.3in").scene
    assert {"output main 1000", "output aux1 1000", "output aux2 1000"} <= {
        text.replace("\n", " ") for text in texts(scene)
    }
    assert violations(scene) == []


def test_the_label_of_a_short_shortcut_is_broken_between_its_layers() -> None:
    text = "input 56x56x64; add { | conv 128x3/2 bn relu; conv 128x3 bn | conv 128x1/2 bn }; relu; gap; fc 10"
    said = texts(netc.loads(text).draw(style="graph").scene)
    assert "1×1, 128, /2" in said
    assert not [line for line in said if line != line.strip("· ")]


def test_modules_have_their_names() -> None:
    said = headings(netc.load("specs/googlenet.net").draw(style="graph").scene)
    assert len(said) == 9
    assert {"inception 1", "inception a4", "inception d4"} <= set(said)


def test_a_block_may_begin_with_another_tensor_than_the_line() -> None:
    """A cell of NASNet goes on from an earlier tensor first: the line before it then skips to where it is read."""
    text = """
        def cell() with before { x: identity; from before; p: conv 8x1; from x; add { | conv 8x3 | from p; conv 8x5 } }
        input 9x9x8; c0: conv 8x3; c1: conv 8x3; c2: cell with c0; c3: cell with c1; cell with c2
    """
    scene = netc.loads(text).draw(style="graph").scene
    assert len(headings(scene)) == 3
    assert violations(scene) + in_the_air(scene) == []


def test_a_deep_net_of_a_long_period_is_short() -> None:
    block = "".join(f"conv 8x{1 + 2 * (n % 4)} relu\n" for n in range(9)) + "conv 8x1\n"
    scene = netc.loads("input 9x9x8\n" + block * 200 + "gap; fc 2").draw(style="graph").scene
    assert headings(scene) == ["×200"]
    assert scene.height < 800


# -- columns and pages ---------------------------------------------------------------------------------------


def test_skips_go_on_into_the_next_column() -> None:
    """Columns of a U-Net: every skip that passes a cut has the same letter at both of its ends."""
    scene = netc.load("specs/unet.net").draw(style="graph", columns=2).scene
    marks = [item for item in scene.walk() if isinstance(item, Group) and re.search("-(leaves|enters)-", item.name)]
    said = [item.text for mark in marks for item in mark.items if isinstance(item, Text)]
    assert Counter(said) == dict.fromkeys("abcd", 2)
    left, right = (item.box for item in marks if item.name.endswith("-a"))
    assert left.right < right.left
    assert violations(scene) == []
    assert scene.height < 0.62 * netc.load("specs/unet.net").draw(style="graph").scene.height


def test_no_column_ends_where_a_skip_alone_goes_on() -> None:
    """Nothing but a skip follows `end`: it leaves in the column of its source."""
    text = "left: input 4x5x1; add { | fc 1 | fc 6; softmax; fc 1 }; end: sigmoid; right: input 3x6x4; fc 1; sub end"
    for columns in range(1, 7):
        assert violations(netc.loads(text).draw(style="graph", columns=columns).scene) == [], columns


@pytest.mark.parametrize(
    "spec", ["resnet32", "resnet50", "googlenet", "mobilenetv2", "densenet121", "siamese", "unet", "vgg16"]
)
@pytest.mark.parametrize("width", [3.3, 7.0])
def test_a_page_has_no_text_under_six_points(spec: str, width: float) -> None:
    scene = netc.load(f"specs/{spec}.net").draw(style="graph", width=f"{width}in").scene
    assert scene.width * scene.unit == pytest.approx(width * 72, abs=0.1)
    assert min(item.size for item in scene.walk() if isinstance(item, Text)) * scene.unit >= 5.999
    assert violations(scene) == []


def test_a_page_that_is_too_small_is_refused_with_one_that_does() -> None:
    net = netc.load("specs/googlenet.net")
    with pytest.raises(FigureError, match=r"expected at least (\d\.\d+) in") as refused:
        _ = net.draw(style="graph", width="1.5in").scene
    least = re.search(r"at least ([\d.]+) in", str(refused.value))
    assert least is not None
    assert net.draw(style="graph", width=f"{least[1]}in").scene.width > 0


def test_a_height_bounds_the_page() -> None:
    net = netc.load("specs/resnet50.net")
    for width, height in ((7.0, 5.5), (7.0, 9.0), (3.3, 10.5)):
        scene = net.draw(style="graph", width=f"{width}in", height=f"{height}in").scene
        assert scene.height * scene.unit <= height * 72 + 0.1
        assert min(item.size for item in scene.walk() if isinstance(item, Text)) * scene.unit >= 5.999
    with pytest.raises(FigureError, match="4 in high with text of 6 pt: expected at least"):
        _ = net.draw(style="graph", width="3.3in", height="4in").scene


def test_a_narrow_page_needs_no_more_height_than_one_column() -> None:
    for spec in ("resnet32", "resnet50", "mobilenetv2", "vgg16"):
        net = netc.load(f"specs/{spec}.net")
        one, more = (net.draw(style="graph", width="3.3in", columns=columns).scene for columns in (1, None))
        assert more.height * more.unit < 0.8 * one.height * one.unit, spec


def test_from_left_to_right_is_no_ribbon() -> None:
    for spec in ("resnet32", "resnet50", "vgg16", "densenet121"):
        scene = netc.load(f"specs/{spec}.net").draw(style="graph", direction="lr").scene
        assert scene.width < 3.5 * scene.height, spec


def test_rows_of_a_figure_from_left_to_right_can_be_given() -> None:
    net = netc.load("specs/vgg16.net")
    one, three = (net.draw(style="graph", direction="lr", columns=count).scene for count in (1, 3))
    assert three.width < 0.5 * one.width
    assert violations(three) == []


def test_what_a_network_costs_to_draw_grows_with_it() -> None:
    """The figure of a net of two thousand layers without a repeat has as many boxes, and no skips longer than it."""
    layers = "".join(f"conv {8 + n}x{1 + 2 * (n % 3)} relu\n" for n in range(600))
    scene = netc.loads(f"input 9x9x8\n{layers}gap; fc 2").draw(style="graph", width="7in").scene
    assert len(boxes(scene)) == 604
