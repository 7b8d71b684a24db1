"""The page of `netc draw -o x.html` in a real headless Chromium: clicks, search, zoom, folding."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import netc
from netc.figures import theme

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
    "--window-size=1200,800",
]
SPEC = """# <script>document.title = "owned"</script>
net tricky
input 32x32x3
conv 16x3
def unit() { add { | identity | bn; relu; conv 16x3 } }
repeat 5 { unit }
gap; fc 10 softmax  # &amp; "quoted" \u0634\u0628\u0643\u0629
"""

pytestmark = pytest.mark.skipif(CHROMIUM is None or DRIVER is None, reason="no Chromium with its driver here")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Any:
    net = netc.loads(SPEC, "tricky.net")
    path = tmp_path / "tricky.html"
    net.draw(path)
    browser.get(path.as_uri())
    return browser


def css(page: Any, selector: str) -> list[Any]:
    return [each for each in page.find_elements("css selector", selector) if each.is_displayed()]


def test_a_click_on_a_layer_selects_its_line_and_the_reverse(page: Any) -> None:
    (box,) = css(page, "#folded-conv1 text")
    box.click()
    assert [row.get_attribute("data-line") for row in css(page, "#spec li.on")] == ["4"]
    css(page, "#spec li")[6].click()
    assert {node.get_attribute("id") for node in css(page, "g.on")} >= {"folded-gap1", "folded-fc1"}
    assert "folded-conv1" not in {node.get_attribute("id") for node in css(page, "g.on")}


def test_search_marks_what_it_finds(page: Any) -> None:
    (field,) = css(page, "#search")
    field.send_keys("softmax")
    assert [node.get_attribute("id") for node in css(page, "g.hit")] == ["folded-fc1"]
    assert css(page, "#found")[0].text == "1 found"
    field.send_keys("\ue007")
    assert css(page, "#found")[0].text == "1 of 1 found"
    field.send_keys("\ue00c")
    assert not css(page, "g.hit")


def test_a_frame_unfolds_and_the_button_folds_it_again(page: Any) -> None:
    (frame,) = css(page, "[id$=-frame] text")
    assert frame.text == "×5"
    frame.click()
    assert not css(page, "#folded")
    assert len([text for text in css(page, "#unfolded text") if text.text == "+"]) == 5
    css(page, "#fold")[0].click()
    assert css(page, "#folded")
    assert not css(page, "#unfolded")


def test_zoom_and_drag_move_the_figure(page: Any) -> None:
    from selenium.webdriver import ActionChains

    def box() -> dict[str, float]:
        return css(page, "#folded-conv1 use")[0].rect

    before = box()
    css(page, "#in")[0].click()
    assert box()["width"] > 1.2 * before["width"]
    css(page, "#fit")[0].click()
    start = box()
    ActionChains(page).move_to_element(css(page, "#view")[0]).click_and_hold().move_by_offset(
        40, 30
    ).release().perform()
    assert box()["x"] == pytest.approx(start["x"] + 40, abs=1)
    assert box()["y"] == pytest.approx(start["y"] + 30, abs=1)


def test_text_of_the_spec_stays_text_and_nothing_is_fetched(page: Any) -> None:
    assert page.title == "tricky"
    assert css(page, "#spec li")[0].text == '# <script>document.title = "owned"</script>'
    assert "\u0634\u0628\u0643\u0629" in css(page, "#spec li")[6].text
    assert page.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert page.get_log("browser") == []


@pytest.mark.parametrize("style", ["graph", "volumes", "column", "table"])
def test_shapes_are_dark_on_dark_paper(browser: Any, tmp_path: Path, style: str) -> None:
    """Text on each kind is light then. A rule that reaches into what `use` shows is one class and nothing else."""
    netc.loads(SPEC, "tricky.net").draw(tmp_path / "dark.svg", style=style)
    browser.get((tmp_path / "dark.svg").as_uri())
    shown = {paper: colours(browser, paper) for paper in ("light", "dark")}
    fills = [kind for kind in theme.KINDS if kind] + [theme.stage(number) for number in range(len(theme.STAGES))]
    pastel, deep = ({theme.colour(fill, paper) for fill in fills} for paper in ("light", "dark"))
    assert pastel & shown["light"]
    assert not pastel & shown["dark"]
    assert deep & shown["dark"]


def colours(browser: Any, paper: str) -> set[str]:
    """The colours of large areas in a screenshot, on light or dark paper."""
    image = pytest.importorskip("PIL.Image")
    media = {"features": [{"name": "prefers-color-scheme", "value": paper}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    picture = image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
    return {"#{:02x}{:02x}{:02x}".format(*rgb) for count, rgb in picture.getcolors(1 << 24) if count > 100}
