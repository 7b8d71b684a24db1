"""The page of `netc draw -o x.html` in a real headless Chromium: clicks, keys, fingers, search, zoom, folding."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import netc
from netc.figures import theme
from netc.figures.drawing import Drawing

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
        assert [head.text for head in css(browser, "h1")] == ["one.net", "two.net"]
        one(browser, "#folded-n2_conv1 text" if style == "column" else "#folded-n1_conv2 text").click()
        rows = css(browser, "li")
        assert [at for at, row in enumerate(rows) if "on" in row.get_attribute("class").split()] == [
            8 if style == "column" else 3
        ]
        rows[8].click()
        assert on(browser) >= {"folded-n2_conv1"} if style == "column" else not on(browser) & {"folded-n1_conv2"}


# -- search ----------------------------------------------------------------------------------------------------------


def test_search_marks_what_it_finds_and_goes_from_one_to_the_next(page: Any) -> None:
    press(page, "/")
    press(page, *"fc1: fc")
    assert [node.get_attribute("id") for node in css(page, "g.hit")] == ["folded-fc1"]
    assert one(page, "#found").text == "1 found"
    press(page, ESCAPE)
    assert not css(page, "g.hit")
    press(page, "/")
    press(page, *"conv")
    count = len(css(page, "g.hit"))
    assert count >= 2
    press(page, ENTER)
    assert one(page, "#found").text == f"1 of {count} found"
    assert on(page) == {"folded-conv1"}
    field = one(page, "#search")
    field.send_keys(SHIFT, ENTER)
    assert one(page, "#found").text == f"{count} of {count} found"
    press(page, ESCAPE, "/", "1", ENTER)
    assert on(page) == {"folded-input1"}, "from the top down, frames among the layers"


# -- folding ---------------------------------------------------------------------------------------------------------


def test_a_frame_unfolds_and_the_button_folds_it_again(page: Any) -> None:
    frame = one(page, "[id$=-frame] text")
    assert frame.text == "×5"
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
    press(page, *[TAB] * 6)  # search, unfold, -, +, fit, the uppermost layer
    assert page.switch_to.active_element.get_attribute("id") == "folded-input1"
    press(page, DOWN, ENTER)
    assert on(page) == {"folded-conv1"}
    press(page, DOWN)
    frame = page.switch_to.active_element.get_attribute("id")
    assert frame.endswith("-frame")
    press(page, ENTER)
    assert css(page, "#unfolded")


# -- what a spec says is text, and nothing is fetched ----------------------------------------------------------------


def test_text_of_the_spec_stays_text(page: Any) -> None:
    assert page.title == "tricky"
    rows = css(page, "#specs li")
    assert rows[0].text == '# <script>document.title = "owned"</script>'
    assert rows[6].text.endswith('# &amp; "quoted" \u0634\u0628\u0643\u0629')
    assert len(rows) == 7, "after the last line break there is no line"
    assert len(page.find_elements("css selector", "script")) == 1


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
