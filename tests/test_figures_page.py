"""The page of `netc draw -o x.html` in a real headless Chromium: clicks, keys, fingers, search, zoom, themes, files."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element, canonicalize, fromstring, tostring

import networkx as nx
import pytest

import netc
from netc.figures import theme
from netc.figures.drawing import Drawing
from netc.figures.scene import Group
from netc.figures.styles import STYLES
from netc.ir.net import Node
from netc.ir.shape import Shape, show_shape
from netc.layers.conv import Convolution, DepthwiseConv
from netc.layers.norm import BatchNorm
from netc.layers.pool import GlobalAveragePool

CHROMIUM, DRIVER = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SPEC = """# <script>document.title = "owned"</script>
net tricky
input 32x32x3
conv 16x3
def unit() { add { | identity | bn; relu; conv 16x3 } }
repeat 5 { unit }
gap; fc 10 softmax  # &amp; "quoted" \u0634\u0628\u0643\u0629
"""
ENTER, ESCAPE, SHIFT, TAB, DOWN, RIGHT = "\ue007", "\ue00c", "\ue008", "\ue004", "\ue015", "\ue014"

pytestmark = pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="no Chromium with its driver here")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(autouse=True)
def _forget(browser: Any) -> Iterator[None]:
    """What a page remembers is not there for the next test."""
    yield
    browser.execute_script("try { localStorage.clear() } catch {}")


def show(browser: Any, path: Path, *, width: int = 1200, height: int = 800, paper: str = "light") -> None:
    """Open a file in a window of a size, on light or dark paper."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    media = {"features": [{"name": "prefers-color-scheme", "value": paper}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(path.as_uri())


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Any:
    path = tmp_path / "tricky.html"
    netc.loads(SPEC, "tricky.net").draw(path)
    show(browser, path)
    return browser


def css(page: Any, selector: str) -> list[Any]:
    return [each for each in page.find_elements("css selector", selector) if each.is_displayed()]


def one(page: Any, selector: str) -> Any:
    (found,) = css(page, selector)
    return found


def on(page: Any) -> set[str]:
    """The nodes that are selected."""
    return {node.get_attribute("id") for node in css(page, "g.on")}


def lines(page: Any) -> list[str]:
    """The lines that are selected."""
    return [row.text for row in css(page, "li.on")]


def press(page: Any, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(page).send_keys(*keys).perform()


def figure(page: Any) -> tuple[float, float, float]:
    """Where the figure stands, and its scale."""
    moved = page.execute_script("return document.querySelector('#view > div:not([hidden])').style.transform")
    x, y, zoom = map(float, re.findall(r"-?[\d.]+", moved))
    return x, y, zoom


# -- selection -------------------------------------------------------------------------------------------------------


def test_a_click_on_a_layer_selects_its_line_and_the_reverse(page: Any) -> None:
    one(page, "#folded-conv1 text").click()
    assert lines(page) == ["conv 16x3"]
    said = one(page, "#about").text
    assert said.startswith("conv1: 3×3 conv, 16\n32×32×3 → 32×32×16")
    assert "448 parameters" in said
    css(page, "#specs li")[6].click()
    assert on(page) == {"folded-gap1", "folded-fc1", "folded-fc1-output"}
    assert len(lines(page)) == 1
    assert one(page, "#about").text == "gap1: gap\nfc1: fc 10, softmax\noutput fc1"


def test_the_words_that_made_a_layer_are_marked(browser: Any, tmp_path: Path) -> None:
    text = "input 8x8x1; conv 4x3 relu; conv 8x3  # two\nadd {\n| identity\n| bn\n}\ngap; fc 2"
    netc.loads(text, "marked.net").draw(tmp_path / "marked.html", collapse="none")
    show(browser, tmp_path / "marked.html")
    for name, words in {
        "conv1": "conv 4x3 relu",
        "conv2": "conv 8x3",
        "add1": "add",
        "input1": "input 8x8x1",
    }.items():
        one(browser, f"#folded-{name}").click()
        script = "return [...CSS.highlights.get('words')].map(range => range.toString())"
        assert browser.execute_script(script) == [words]
    css(browser, "#specs li")[0].click()
    assert browser.execute_script("return CSS.highlights.size") == 0


def test_a_network_at_one_size_is_selected_as_any_other(browser: Any, tmp_path: Path) -> None:
    netc.load("specs/unet.net").draw(tmp_path / "unet.html", size=256)
    show(browser, tmp_path / "unet.html")
    one(browser, "#folded-input1").click()
    assert one(browser, "#about").text.startswith("input1: input 256\u00d7256\u00d7")
    assert lines(browser)


def test_a_line_without_a_layer_selects_nothing(page: Any) -> None:
    one(page, "#folded-conv1 text").click()
    css(page, "#specs li")[1].click()
    assert on(page) == {"folded-conv1"}
    press(page, ESCAPE)
    assert not on(page)
    assert not css(page, "#about")


def test_a_selected_layer_that_is_far_away_comes_into_view(page: Any) -> None:
    press(page, *["+"] * 6)
    css(page, "#specs li")[6].click()
    view, node = one(page, "#view").rect, one(page, "#folded-gap1").rect
    assert view["y"] <= node["y"] <= node["y"] + node["height"] <= view["y"] + view["height"]


def test_networks_side_by_side_have_their_own_lines(browser: Any, tmp_path: Path) -> None:
    """A layer of the second network is in the second text, whatever else stands on such a line of the first."""
    specs = {
        "one.net": "net one\ninput 8x8x1\nconv 4x3\nconv 4x3\ngap; fc 2",
        "two.net": "net two\ninput 8x8x1\n\nconv 4x3\ngap; fc 2",
    }
    programs = tuple(netc.loads(text, name).program for name, text in specs.items())
    for style in ("column", "table"):
        Drawing(programs, style).save(tmp_path / "beside.html")
        show(browser, tmp_path / "beside.html")
        assert [head.text for head in css(browser, "h1")] == ["one one.net", "two two.net"]
        one(browser, "#folded-n2_conv1 text" if style == "column" else "#folded-n1_conv2 text").click()
        rows = css(browser, "li")
        assert [at for at, row in enumerate(rows) if "on" in row.get_attribute("class").split()] == [
            8 if style == "column" else 3
        ]
        rows[8].click()
        assert on(browser) >= {"folded-n2_conv1"} if style == "column" else not on(browser) & {"folded-n1_conv2"}


# -- search ----------------------------------------------------------------------------------------------------------


def look_for(page: Any, text: str) -> set[str]:
    """Type a text into the search field; what is lit then, frames included."""
    press(page, ESCAPE, "/")
    press(page, ESCAPE, "/", *text)
    return {node.get_attribute("id").removeprefix("folded-") for node in css(page, "svg.dim g.lit")}


def test_search_goes_from_one_to_the_next(page: Any) -> None:
    assert look_for(page, "fc1: fc") == {"fc1"}
    assert one(page, "#found").text == "1 found"
    press(page, ESCAPE)
    assert not css(page, "svg.dim"), "nothing is searched for"
    count = len(look_for(page, "conv"))
    assert count >= 2
    press(page, ENTER)
    assert one(page, "#found").text == f"1 of {count} found"
    assert on(page) == {"folded-conv1"}, "from the top down"
    one(page, "#search").send_keys(SHIFT, ENTER)
    assert one(page, "#found").text == f"{count} of {count} found"
    assert look_for(page, "nowhere") == set()
    assert one(page, "#found").text == "0 found"


QUERIES: dict[str, Callable[[Node, Shape], bool]] = {
    "3x3": lambda node, shape: getattr(node.layer, "kernel", None) in (3, (3, 3)) or "3x3" in show_shape(shape),
    "3\u00d73 dw": lambda node, shape: isinstance(node.layer, DepthwiseConv),
    "conv 32": lambda node, shape: isinstance(node.layer, Convolution) and shape[-1] == 32,
    "relu6": lambda node, shape: "relu6" in (node.layer.op, getattr(node.layer, "act", "")),
    "bn": lambda node, shape: isinstance(node.layer, BatchNorm),
    "56x56": lambda node, shape: shape[:2] == (56, 56),
    "global avg": lambda node, shape: isinstance(node.layer, GlobalAveragePool),
    "line 14": lambda node, shape: node.name in ("conv1", "conv1_bn", "conv1_relu6"),
    ":17": lambda node, shape: node.name.startswith("bottlenecks2_"),  # a call
    "line 18 /2": lambda node, shape: node.name == "bottlenecks3_inverted_residual1_dwconv1",
    ":11": lambda node, shape: (
        re.match(r"bottlenecks\d_inverted_residual[2-9]", node.name) is not None
    ),  # in a definition
    "mobilenetv2.net:25 fc": lambda node, shape: node.name == "fc1",
}


def test_search_finds_what_people_type(browser: Any, tmp_path: Path) -> None:
    """Each query against what the layers themselves say."""
    net = netc.load("specs/mobilenetv2.net")
    net.draw(tmp_path / "mobile.html", collapse="none")
    show(browser, tmp_path / "mobile.html")
    scene, shapes = net.draw(collapse="none").scene, net.program.net.shapes
    groups = [item for item in scene.walk() if isinstance(item, Group) and item.name]
    for query, is_meant in QUERIES.items():
        expected = {group.name for group in groups if any(is_meant(node, shapes[node.name]) for node in group.nodes)}
        assert look_for(browser, query) == expected, query
        assert expected, query


def test_search_knows_other_names_and_all_words_must_be_there(browser: Any, tmp_path: Path) -> None:
    netc.load("specs/vgg16.net").draw(tmp_path / "vgg.html")
    show(browser, tmp_path / "vgg.html")
    pools = look_for(browser, "maxpool")
    assert len(pools) == 5
    assert look_for(browser, "pooling /2 512") == look_for(browser, "stride 2 512") < pools
    assert look_for(browser, "dense 4096") == look_for(browser, "fully connected 4096") == {"fc1", "fc2"}
    assert look_for(browser, "conv pool") == set()
    netc.load("specs/unet.net").draw(tmp_path / "unet.html")
    show(browser, tmp_path / "unet.html")
    assert look_for(browser, "concat H/8xW/8x1024") == look_for(browser, "concat 1024") == {"concat1"}


def test_search_marks_the_words_in_the_text_too(page: Any) -> None:
    look_for(page, "conv 16 3x3")
    assert [row.text for row in css(page, "li.hit")] == [
        "conv 16x3",
        "def unit() { add { | identity | bn; relu; conv 16x3 } }",
    ]
    script = "return [...CSS.highlights.get('hits')].map(range => range.toString())"
    assert set(page.execute_script(script)) == {"conv 16x3"}


def test_a_layer_in_a_frame_that_is_not_drawn_finds_the_frame(page: Any) -> None:
    assert look_for(page, "unit4_conv1") == {"unit1_bn1-frame"}


def test_a_network_of_thousands_of_layers_is_searched_while_one_types(browser: Any, tmp_path: Path) -> None:
    netc.load("specs/resnet-cifar.net", n=200).draw(tmp_path / "deep.html", collapse="none")
    show(browser, tmp_path / "deep.html")
    browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})  # whatever else the machine does

    def spent() -> float:
        metrics = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return next(float(each["value"]) for each in metrics if each["name"] == "TaskDuration")

    times = []
    for length in range(8):
        before = spent()
        browser.execute_async_script(KEYSTROKE, "conv 64"[:length])
        times.append(1000 * (spent() - before))
    browser.execute_cdp_cmd("Performance.disable", {})
    assert one(browser, "#found").text == "400 found"
    assert sorted(times)[len(times) // 2] < 100, f"ms of the page's thread up to the next frame: {times}"
    assert sum(times) > 8, f"they were measured: {times}"


KEYSTROKE = """
const [text, done] = arguments, { port1, port2 } = new MessageChannel();
port1.onmessage = done;
document.getElementById('search').value = text;
document.getElementById('search').dispatchEvent(new Event('input'));
requestAnimationFrame(() => port2.postMessage(0));
"""


# -- what leads to a layer, and its card -----------------------------------------------------------------------------


def point(page: Any, selector: str) -> None:
    """Move the pointer to an element, and wait for the card."""
    from selenium.webdriver import ActionChains
    from selenium.webdriver.support.wait import WebDriverWait

    ActionChains(page).move_to_element(page.find_element("css selector", selector)).perform()
    WebDriverWait(page, 5).until(lambda page: css(page, "#card"))


def test_what_leads_to_a_layer_and_where_it_leads_is_lit(browser: Any, tmp_path: Path) -> None:
    net = netc.load("specs/googlenet.net", aux=True)
    net.draw(tmp_path / "googlenet.html")
    show(browser, tmp_path / "googlenet.html")
    graph = net.graph
    groups = [item for item in net.draw().scene.walk() if isinstance(item, Group) and item.name]
    point(browser, "#folded-inception2_conv3 text")
    way = nx.ancestors(graph, "inception2_conv3") | nx.descendants(graph, "inception2_conv3") | {"inception2_conv3"}
    expected = {f"folded-{group.name}" for group in groups if way & {node.name for node in group.nodes}}
    assert {node.get_attribute("id") for node in css(browser, "svg.dim g.lit")} == expected
    near = {kind: [node.get_attribute("id") for node in css(browser, f"g.{kind}")] for kind in ("up", "down")}
    assert near == {"up": ["folded-inception2_conv2"], "down": ["folded-inception2_concat1"]}
    assert f"{len(nx.ancestors(graph, 'inception2_conv3'))} before" in one(browser, "#card").text
    press(browser, "/", *"pool")
    assert css(browser, "svg.dim g.lit")
    press(browser, ESCAPE)
    one(browser, "#folded-inception2_conv3 text").click()
    assert {node.get_attribute("id") for node in css(browser, "svg.dim g.lit")} == expected, "selected, as pointed at"


def test_the_card_says_what_is_pointed_at_in_place_of_the_tooltip(page: Any) -> None:
    point(page, "#folded-conv1 text")
    text = one(page, "#card").text
    assert text.startswith("conv1: 3\u00d73 conv, 16\n32\u00d732\u00d73 \u2192 32\u00d732\u00d716")
    assert "tricky.net:4\nlayers: 1 before, " in text
    silent = "return [document.querySelector('#folded svg > title'), document.querySelector('#folded-conv1 > title')]"
    assert page.execute_script(silent) == [None, None], "the browser has nothing to show beside it"
    assert page.find_element("css selector", "#folded-conv1").accessible_name.startswith("conv1: 3\u00d73 conv, 16")
    press(page, ESCAPE)
    assert not css(page, "#card")
    point(page, "#folded-fc1 text:first-of-type")
    assert page.execute_script(silent)[1], "its title is back"
    one(page, "#folded-fc1 text:first-of-type").click()
    assert not css(page, "#card"), "the page tells of it now"


def test_the_card_follows_the_focus(page: Any) -> None:
    press(page, *[TAB] * 9)  # the first line; search, unfold, -, +, fit, theme, save, the uppermost layer
    assert one(page, "#card").text.startswith("input1: input")
    press(page, DOWN)
    assert one(page, "#card").text.startswith("conv1: 3\u00d73 conv")
    press(page, ESCAPE)
    assert not css(page, "#card")


@pytest.mark.parametrize("size", [(1200, 800), (400, 500)])
@pytest.mark.parametrize("style", STYLES)
def test_the_card_never_leaves_the_window(browser: Any, tmp_path: Path, style: str, size: tuple[int, int]) -> None:
    netc.load("specs/resnet34.net").draw(tmp_path / "net.html", style=style)
    show(browser, tmp_path / "net.html", width=size[0], height=size[1])
    boxes = browser.execute_script("""
        return shown().nodes.map(node => {
            reveal(node);
            showCard(node);
            const { left, top, right, bottom } = card.getBoundingClientRect();
            return [left, top, right, bottom];
        })""")
    assert boxes
    for left, top, right, bottom in boxes:
        assert 0 <= left < right <= size[0]
        assert 0 <= top < bottom <= size[1]


# -- blocks ----------------------------------------------------------------------------------------------------------


def test_a_click_in_a_block_marks_its_line_and_the_calls(page: Any) -> None:
    one(page, "#folded-unit1_conv1 text:first-of-type").click()
    assert lines(page) == ["def unit() { add { | identity | bn; relu; conv 16x3 } }"]
    assert [row.text for row in css(page, "li.call")] == ["repeat 5 { unit }"]
    script = "return ['words', 'calls'].map(name => [...CSS.highlights.get(name)].map(range => range.toString()))"
    words, calls = page.execute_script(script)
    assert "conv 16x3" in words
    assert calls == ["unit"]


def test_the_definition_of_a_shipped_block_stands_in_the_page(browser: Any, tmp_path: Path) -> None:
    netc.load("specs/resnet34.net").draw(tmp_path / "resnet34.html")
    show(browser, tmp_path / "resnet34.html")
    assert [head.text.split()[0] for head in css(browser, "h2")] == ["residual_shortcut", "basic_unit", "basicblock"]
    one(browser, "#folded-basicblock2_basic_unit1_conv2 text:first-of-type").click()
    (line,) = lines(browser)
    assert line.strip() == "conv (ch)x3 bn init=init"
    calls = [row.text for row in css(browser, "li.call")]
    assert calls[0] == "basicblock 4 128 downsample symmetric"
    assert calls[1].strip().startswith("basic_unit (ch) stride=")
    source = (Path(netc.__file__).parent / "std/resnet.net").read_text().splitlines()
    begin = source.index('def basic_unit(ch, stride=1, shortcut="B", init=he_normal, symmetric=false) {')
    number = source.index(line, begin) + 1
    assert "basicblock2_basic_unit1_conv2" in look_for(browser, f"resnet.net:{number}"), "numbered as in its file"
    assert look_for(browser, f":{number}") == set(), "the spec has no such line"
    assert "basicblock2_basic_unit1_conv2" in look_for(browser, ":9")
    press(browser, ESCAPE)
    browser.execute_script("arguments[0].click()", next(row for row in css(browser, "li") if row.text == calls[0]))
    assert "folded-basicblock2_basic_unit1_conv2" in on(browser)
    assert "folded-basicblock1_basic_unit1_conv2" not in on(browser)


# -- folding ---------------------------------------------------------------------------------------------------------


def test_a_frame_unfolds_and_the_button_folds_it_again(page: Any) -> None:
    frame = one(page, "[id$=-frame] text")
    assert frame.text == "unit ×5"
    frame.click()
    assert not css(page, "#folded")
    assert len([text for text in css(page, "#unfolded text") if text.text == "+"]) == 5
    assert lines(page), "the first block of the frame is selected"
    assert len(on(page)) == 1
    one(page, "#fold").click()
    assert css(page, "#folded")
    assert not css(page, "#unfolded")
    press(page, "f")
    assert css(page, "#unfolded")


# -- pan and zoom ----------------------------------------------------------------------------------------------------


def test_zoom_and_drag_move_the_figure(page: Any) -> None:
    from selenium.webdriver import ActionChains

    start = figure(page)
    one(page, "#in").click()
    assert figure(page)[2] == pytest.approx(1.25 * start[2])
    press(page, "-", "0")
    whole = figure(page)
    ActionChains(page).move_to_element(one(page, "#folded-conv1 text")).click_and_hold().move_by_offset(
        40, 30
    ).release().perform()
    assert figure(page) == pytest.approx((whole[0] + 40, whole[1] + 30, whole[2]), abs=1)
    assert not on(page), "what is dragged is not clicked"
    press(page, DOWN, RIGHT)
    assert figure(page)[:2] == pytest.approx((whole[0] - 20, whole[1] - 30), abs=1)


def test_the_wheel_moves_and_with_control_zooms_where_the_pointer_is(page: Any) -> None:
    wheel = {"type": "mouseWheel", "x": 800, "y": 400, "deltaX": 0}
    start = figure(page)
    page.execute_cdp_cmd("Input.dispatchMouseEvent", {**wheel, "deltaY": 50})
    assert figure(page) == pytest.approx((start[0], start[1] - 50, start[2]))
    view = one(page, "#view").rect
    x, y = 800 - view["x"], 400 - view["y"]
    before = figure(page)
    page.execute_cdp_cmd("Input.dispatchMouseEvent", {**wheel, "deltaY": -100, "modifiers": 2})
    after = figure(page)
    assert after[2] > before[2]
    assert (x - after[0]) / after[2] == pytest.approx((x - before[0]) / before[2])
    assert (y - after[1]) / after[2] == pytest.approx((y - before[1]) / before[2])


def test_two_fingers_zoom(page: Any) -> None:
    def touch(kind: str, *points: tuple[int, int]) -> None:
        fingers = [{"x": x, "y": y, "id": at} for at, (x, y) in enumerate(points)]
        page.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    start = figure(page)
    touch("touchStart", (700, 400))
    touch("touchStart", (700, 400), (800, 400))
    touch("touchMove", (650, 400), (850, 400))
    touch("touchEnd")
    assert figure(page)[2] == pytest.approx(2 * start[2], rel=0.05)
    assert not on(page)


def test_a_figure_that_nobody_moved_fits_the_window(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "vgg16.html"
    netc.load("specs/vgg16.net").draw(path, style="volumes")
    for width in (1600, 400):
        show(browser, path, width=width)
        view, svg = one(browser, "#view").rect, one(browser, "#folded svg").rect
        assert view["x"] <= svg["x"] + 1
        assert svg["x"] + svg["width"] <= view["x"] + view["width"] + 1
        assert svg["width"] > 0.5 * view["width"]


# -- keys ------------------------------------------------------------------------------------------------------------


def test_everything_can_be_done_with_keys(page: Any) -> None:
    press(page, TAB)  # the first line that made a layer
    press(page, DOWN, ENTER)
    assert lines(page) == ["conv 16x3"]
    assert on(page) == {"folded-conv1"}
    press(page, *[TAB] * 8)  # search, unfold, -, +, fit, theme, save, the uppermost layer
    assert page.switch_to.active_element.get_attribute("id") == "folded-input1"
    press(page, DOWN, ENTER)
    assert on(page) == {"folded-conv1"}
    press(page, DOWN)
    frame = page.switch_to.active_element.get_attribute("id")
    assert frame.endswith("-frame")
    press(page, ENTER)
    assert css(page, "#unfolded")


# -- the map ---------------------------------------------------------------------------------------------------------


def test_the_map_shows_what_is_seen_and_leads_there(page: Any) -> None:
    press(page, "0")
    assert not css(page, "#map"), "everything fits"
    press(page, *["+"] * 8)
    assert css(page, "#map")
    picture, view = one(page, "#map canvas").rect, one(page, "#view").rect
    width, height = page.execute_script("return [shown().width, shown().height]")

    def mouse(kind: str, across: float, down: float) -> None:
        spot = {"x": picture["x"] + across * picture["width"], "y": picture["y"] + down * picture["height"]}
        event = {"type": f"mouse{kind}", **spot, "button": "left", "buttons": 1, "clickCount": 1}
        page.execute_cdp_cmd("Input.dispatchMouseEvent", event)

    for across, down in ((0.1, 0.1), (0.25, 0.75)):
        mouse("Pressed", across, down)
        mouse("Released", across, down)
        x, y, zoom = figure(page)
        assert (view["width"] / 2 - x) / zoom == pytest.approx(across * width, abs=1)
        assert (view["height"] / 2 - y) / zoom == pytest.approx(down * height, abs=1)
    seen = one(page, "#map i").rect
    assert seen["y"] + seen["height"] / 2 == pytest.approx(picture["y"] + 0.75 * picture["height"], abs=3)
    mouse("Pressed", 0.25, 0.78)  # on the frame, not in its middle
    assert figure(page) == pytest.approx((x, y, zoom), abs=1), "it is taken where it is held"
    mouse("Moved", 0.25, 0.58)
    mouse("Released", 0.25, 0.58)
    assert figure(page)[1] == pytest.approx(y + 0.2 * height * zoom, abs=1)


# -- themes ----------------------------------------------------------------------------------------------------------


def choose(page: Any, name: str) -> None:
    """Choose a theme in the bar."""
    from selenium.webdriver.support.select import Select

    Select(one(page, "#theme")).select_by_visible_text(name)


def painted(page: Any, selector: str) -> tuple[str, str]:
    """The fill of a shape, and the background of the page."""
    script = """
        const rgb = paint => '#' + paint.match(/\\d+/g).slice(0, 3).map(part => (+part).toString(16).padStart(2, 0)).join('');
        const fill = getComputedStyle(document.querySelector(arguments[0])).fill;
        return [fill.startsWith('rgb') ? rgb(fill) : fill, rgb(getComputedStyle(document.body).backgroundColor)]"""
    fill, paper = page.execute_script(script, selector)
    return fill, paper


def test_the_theme_changes_text_and_figure_and_is_remembered(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "tricky.html"
    netc.loads(SPEC, "tricky.net").draw(path)
    show(browser, path, paper="dark")
    shape = "#folded .n-dense"
    assert painted(browser, shape) == (theme.colour("dense", "dark"), theme.colour("paper", "dark")), "as the system"
    for name in ("light", "print", "dark", "light"):
        choose(browser, name)
        assert painted(browser, shape) == (theme.colour("dense", name), theme.colour("paper", name))
    show(browser, path, paper="dark")
    assert painted(browser, shape)[1] == theme.colour("paper", "light")
    choose(browser, "auto")
    assert painted(browser, shape)[1] == theme.colour("paper", "dark")
    netc.loads(SPEC, "tricky.net").draw(path, theme="print")
    show(browser, path, paper="dark")
    assert painted(browser, shape)[1] == theme.colour("paper", "print"), "what was drawn for print was never changed"


def test_a_browser_that_keeps_nothing_shows_the_page_too(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "tricky.html"
    netc.loads(SPEC, "tricky.net").draw(path)
    source = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"
    )
    script = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    browser.get_log("browser")
    show(browser, path)
    choose(browser, "dark")
    assert painted(browser, "#folded .n-dense")[1] == theme.colour("paper", "dark")
    assert browser.get_log("browser") == []
    browser.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", script)


# -- files -----------------------------------------------------------------------------------------------------------


def saved(page: Any, folder: Path, button: str) -> Path:
    """The file that a button of the menu makes."""
    from selenium.webdriver.support.wait import WebDriverWait

    folder.mkdir()
    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    one(page, "#save summary").click()
    next(each for each in css(page, "#save button") if each.text == button).click()
    WebDriverWait(page, 10).until(lambda _: [path for path in folder.iterdir() if path.suffix in (".svg", ".png")])
    assert not css(page, "#save button"), "the menu is closed again"
    (path,) = folder.iterdir()
    return path


@pytest.mark.parametrize("style", STYLES)
def test_a_saved_figure_is_what_netc_draws(browser: Any, tmp_path: Path, style: str) -> None:
    """Shape by shape, in every theme, whatever was done in the page before."""
    net = netc.load("specs/vgg16.net")
    net.draw(tmp_path / "vgg16.html", style=style)
    show(browser, tmp_path / "vgg16.html", paper="dark")
    browser.execute_script("activate(shown().nodes.at(-1)); point(shown().nodes[0]); silence(shown().nodes[0].element)")
    for name in ("auto", "light", "dark", "print"):
        choose(browser, name)
        path = saved(browser, tmp_path / name, "SVG")
        assert path.name == "vgg16.svg"
        drawn = net.draw(style=style, theme="dark" if name == "auto" else name).svg
        haloed = style != "table" or name != "print"  # in print alone a table gives texts on textures an outline
        assert list(shapes(fromstring(path.read_text()), haloed)) == list(shapes(fromstring(drawn), haloed))
        assert objects(fromstring(path.read_text())) == objects(fromstring(drawn))


def shapes(root: Element, haloed: bool) -> Iterator[tuple[str, str, dict[str, str]]]:
    """The shapes and texts of an SVG as a browser paints them: with what they have from the groups around them, what
    `use` shows in its place, and what a fill refers to. Without the outlines of texts unless `haloed`."""
    named = {element.get("id"): element for element in root.iter() if element.get("id")}

    def walk(element: Element, around: dict[str, str]) -> Iterator[tuple[str, str, dict[str, str]]]:
        tag = element.tag.rpartition("}")[2]
        own = {
            key: value for key, value in element.items() if key not in ("id", "role") and not key.startswith("data-")
        }
        if tag in ("defs", "title", "desc"):
            return
        if tag == "use":
            yield from walk(named[own.pop("href")[1:]], around | own)
        elif tag in ("svg", "g", "a"):
            for inner in element:
                yield from walk(inner, around | own)
        else:
            look = around | own
            if tag == "text" and not haloed:
                look = {key: value for key, value in look.items() if not key.startswith(("stroke", "paint"))}
            if look["fill"].startswith("url("):
                look["fill"] = canonicalize(tostring(named[look["fill"][5:-1]], "unicode"), strip_text=True)
            yield tag, element.text or "", look

    yield from walk(root, {})


def objects(root: Element) -> list[tuple[str | None, ...]]:
    """The objects of an SVG: their ids and roles, their places in the spec, their tooltips."""
    groups = [element for element in root.iter() if element.get("data-line")]
    return [(*(each.get(key) for key in ("id", "role", "data-line", "data-span")), each[0].text) for each in groups]


def test_the_visible_part_is_saved_as_it_is_seen(page: Any, tmp_path: Path) -> None:
    press(page, *["+"] * 4)
    view, (x, y, zoom) = one(page, "#view").rect, figure(page)
    width, height = page.execute_script("return [shown().width, shown().height]")
    left, top = max(0, -x / zoom), max(0, -y / zoom)
    right, bottom = min(width, (view["width"] - x) / zoom), min(height, (view["height"] - y) / zoom)
    root = fromstring(saved(page, tmp_path / "svg", "SVG of the visible part").read_text())
    box = [float(value) for value in root.get("viewBox", "").split()]
    assert box == pytest.approx([left, top, right - left, bottom - top], abs=0.1)
    assert bottom < height
    image = pytest.importorskip("PIL.Image")
    picture = image.open(saved(page, tmp_path / "png", "PNG of the visible part")).convert("RGB")
    assert picture.size == pytest.approx((2 * (right - left), 2 * (bottom - top)), abs=1)
    assert len(picture.getcolors(1 << 24)) > 20, "something is painted"


def test_a_picture_that_no_browser_paints_is_refused_in_words(browser: Any, tmp_path: Path) -> None:
    netc.load("specs/resnet-cifar.net", n=60).draw(tmp_path / "deep.html", collapse="none")
    show(browser, tmp_path / "deep.html")
    one(browser, "#save summary").click()
    next(each for each in css(browser, "#save button") if each.text == "PNG").click()
    assert "save the SVG, or the visible part" in one(browser, "#about").text


# -- small windows, and no script ------------------------------------------------------------------------------------


def test_everything_is_within_a_narrow_window(browser: Any, tmp_path: Path) -> None:
    netc.load("specs/resnet34.net").draw(tmp_path / "net.html")
    show(browser, tmp_path / "net.html", width=400, height=700)
    one(browser, "#save summary").click()
    controls = css(browser, "nav input, nav button, nav select, nav summary, #view, #specs")
    assert len(controls) == 13
    for each in controls:
        box = each.rect
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 400
        assert each.text == "" or box["width"] >= 30
    assert browser.execute_script("return document.documentElement.scrollWidth") == 400
    press(browser, ESCAPE)
    one(browser, "#folded-conv1 text").click()
    assert one(browser, "#view").rect["height"] > 200, "room for the figure beside what is told"


def test_without_script_the_page_is_a_figure_beside_its_text(browser: Any, tmp_path: Path) -> None:
    netc.loads(SPEC, "tricky.net").draw(tmp_path / "tricky.html", theme="dark")
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    show(browser, tmp_path / "tricky.html", height=400)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    assert len(css(browser, "#specs li")) == 7
    assert css(browser, "#folded-conv1 text")
    assert not css(browser, "#unfolded") + css(browser, "nav") + css(browser, "#map") + css(browser, "#card")
    assert painted(browser, "#folded .n-dense")[0] == theme.colour("dense", "dark")
    view = "const view = document.getElementById('view'); return [view.scrollHeight > view.clientHeight,"
    assert browser.execute_script(view + " getComputedStyle(view).overflowY]") == [True, "auto"]


# -- what a spec says is text, and nothing is fetched ----------------------------------------------------------------


def test_text_of_the_spec_stays_text(page: Any) -> None:
    assert page.title == "tricky", "the name of the network, not of the file"
    rows = css(page, "#specs li")
    assert rows[0].text == '# <script>document.title = "owned"</script>'
    assert rows[6].text.endswith('# &amp; "quoted" \u0634\u0628\u0643\u0629')
    assert len(rows) == 7, "after the last line break there is no line"
    assert len(page.find_elements("css selector", "script:not([type])")) == 1


def test_hostile_names_stay_text(browser: Any, tmp_path: Path) -> None:
    name = "<img src=x onerror=document.title='owned'>\"'&" + "x" * 10_000
    program = netc.loads("input 8x8x1\n\tconv 4x3; gap; fc 2", name).program
    program.name = name
    for style in ("graph", "column", "table", "volumes"):
        Drawing((program,), style).save(tmp_path / "hostile.html")
        show(browser, tmp_path / "hostile.html")
        assert browser.title.startswith("<img src=x")
        assert one(browser, "h1").text.startswith("<img src=x")
        assert not browser.find_elements("css selector", "img")
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 1200
        one(browser, "#folded-conv1").click()
        assert one(browser, "#about").text.startswith("conv1")


def test_nothing_is_fetched(browser: Any, tmp_path: Path) -> None:
    """Neither by the page, nor by anything that can be done in it."""
    path = tmp_path / "tricky.html"
    net = netc.loads(SPEC, "tricky.net")
    net.draw(path, link="https://netc.invalid/tricky.net")
    browser.get_log("performance"), browser.get_log("browser")
    show(browser, path)
    one(browser, "#folded-conv1 text").click()
    assert one(browser, "#about a").get_attribute("href") == "https://netc.invalid/tricky.net#L4"
    one(browser, "[id$=-frame] text").click()
    press(browser, "/", *"conv")
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [event["params"]["request"]["url"] for event in events if event["method"] == "Network.requestWillBeSent"]
    assert asked == [path.as_uri()]
    assert browser.get_log("browser") == []
    assert browser.current_url == path.as_uri()


# -- colours ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["graph", "volumes", "column", "table"])
def test_shapes_are_dark_on_dark_paper(browser: Any, tmp_path: Path, style: str) -> None:
    """Text on each kind is light then. A rule that reaches into what `use` shows is one class and nothing else."""
    fills = [kind for kind in theme.KINDS if kind] + [theme.stage(number) for number in range(len(theme.STAGES))]
    pastel, deep = ({theme.colour(fill, paper) for fill in fills} for paper in ("light", "dark"))
    pastel -= {"#ffffff"}  # what an input is, and a page around an image
    for name in ("figure.svg", "figure.html"):
        netc.loads(SPEC, "tricky.net").draw(tmp_path / name, style=style)
    (tmp_path / "image.html").write_text('<!DOCTYPE html><img src="figure.svg">')  # as in a README
    for name in ("figure.svg", "figure.html", "image.html"):
        shown = {paper: colours(browser, tmp_path / name, paper) for paper in ("light", "dark")}
        assert pastel & shown["light"]
        assert not pastel & shown["dark"]
        assert deep & shown["dark"]


def colours(browser: Any, path: Path, paper: str) -> set[str]:
    """The colours of large areas of a file in the browser, on light or dark paper."""
    image = pytest.importorskip("PIL.Image")
    show(browser, path, paper=paper)
    picture = image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    return {"#{:02x}{:02x}{:02x}".format(*rgb) for count, rgb in picture.getcolors(1 << 24) if count > 100}
