"""The playground (playground/dist, which `npm run build` makes) in a real headless Chromium, served under a path."""

from __future__ import annotations

import json
import re
import shutil
import zipfile
import zlib
from base64 import urlsafe_b64decode
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest

from netc.layers import LAYERS
from netc.lower.definitions import shipped_names
from netc.server.words import STATEMENTS
from tests.test_figures_page import CHROMIUM, DRIVER, FLAGS
from tools.playground import FIRST, link, modules

PLAYGROUND = Path(__file__).parent.parent / "playground"
DIST = PLAYGROUND / "dist"
TABLES = "netc/syntax/tables.py"  # made of the grammar, in any order
PATIENCE = 60  # seconds: Python starts in a few on an idle machine, but tests run side by side
SMALL = "input 32x32x3\nconv 8x3 relu\ngap; fc 10 softmax\n"
BLOCK = "def unit(ch) {\n    conv (ch)x3 bn relu\n    add { | identity | conv (ch)x3 }\n}\n"
NESTED = f"{BLOCK}input 32x32x3\nconv 8x3\nrepeat 3 {{ unit 8 }}\ngap; fc 10 softmax\n"
SLOW = (  # within all bounds, and seconds of work
    "input 64x64x3\nrepeat 700 as i { conv (8+i)x3 bn relu; add { | identity | conv (8+i)x3 bn } }\ngap; fc 10\n"
)
NUMBERS = count()
CONTROL, HOME, DOWN, ENTER, BACK = "\ue009", "\ue011", "\ue015", "\ue007", "\ue003"


def _missing() -> str:
    """Why the page cannot be tested here."""
    if CHROMIUM is None or DRIVER is None:
        return "no Chromium with its driver here"
    if not (DIST / "index.html").is_file():
        npm = "" if shutil.which("npm") else " (there is no npm here)"
        return f"the playground is not built: `npm ci && npm run build` in playground/{npm}"
    built = (DIST / "index.html").stat().st_mtime
    if any(path.stat().st_mtime > built for path in (PLAYGROUND / "src").rglob("*")):
        return "playground/dist is older than playground/src: `npm run build` there"
    with zipfile.ZipFile(next(DIST.glob("netc/netc-*.zip"))) as archive:
        held = {name: archive.read(name) for name in archive.namelist() if name.startswith("netc/")}
    same = {**modules()[0], TABLES: b""} == {**held, TABLES: b""}
    return "" if same else "playground/dist has another netc than this one: `npm run build` there"


@pytest.fixture(scope="module", autouse=True)
def _built() -> None:
    if missing := _missing():
        pytest.skip(missing)


class Handler(SimpleHTTPRequestHandler):
    """A server of static files, without any settings for this page."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript", ".wasm": "application/wasm"}

    def translate_path(self, path: str) -> str:
        return super().translate_path(path.removeprefix("/a/path"))

    def do_GET(self) -> None:
        server: Any = self.server
        if server.is_down:
            self.connection.close()  # without a word, as where there is no network
        elif server.refused and re.search(server.refused, self.path):
            self.send_error(404)
        else:
            super().do_GET()

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    made: Any = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(DIST)))
    made.refused, made.is_down = "", False
    made.url = f"http://127.0.0.1:{made.server_port}/a/path/"
    Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def chromium(profile: Path, *flags: str) -> Any:
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={profile}", *flags):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    size(driver, 1280, 800)
    return driver


def size(browser: Any, width: int, height: int) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    driver = chromium(tmp_path_factory.mktemp("profile"))
    # What a test may shorten: the time after which an answer is given up.
    source = "const real = setTimeout; setTimeout = (act, ms) => real(act, ms > 9999 ? (window.bound ?? ms) : ms)"
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": source})
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def started(browser: Any, server: Any) -> Any:
    """The page with its Python, which starts once for all tests."""
    browser.get(server.url)
    ready(browser)
    return browser


@pytest.fixture
def page(started: Any) -> Iterator[Any]:
    yield started
    size(started, 1280, 800)
    logged = [entry["message"] for entry in started.get_log("browser") if entry["level"] == "SEVERE"]
    assert logged == []


# -- what is there, and what is done ---------------------------------------------------------------------------------


def wait(what: Callable[[], Any]) -> Any:
    from selenium.webdriver.support.wait import WebDriverWait

    return WebDriverWait(None, PATIENCE, poll_frequency=0.05).until(lambda _: what())


def css(page: Any, selector: str) -> list[Any]:
    return [each for each in page.find_elements("css selector", selector) if each.is_displayed()]


def one(page: Any, selector: str) -> Any:
    (found,) = css(page, selector)
    return found


def press(page: Any, *keys: str) -> None:
    from selenium.webdriver import ActionChains

    ActionChains(page).send_keys(*keys).perform()


def control(page: Any, key: str) -> None:
    """A key with Control."""
    from selenium.webdriver import ActionChains

    ActionChains(page).key_down(CONTROL).send_keys(key).key_up(CONTROL).perform()


def ready(page: Any) -> None:
    wait(lambda: one(page, "#state").text == "ready")


def text(page: Any) -> str:
    """The text in the editor, which shows few enough lines to draw them all."""
    lines = page.execute_script("return [...document.querySelectorAll('.cm-line')].map(line => line.textContent)")
    return "\n".join(lines)


def told(page: Any, selector: str) -> list[str]:
    """What elements say that come and go."""
    script = "return [...document.querySelectorAll(arguments[0])].map(each => each.textContent)"
    return page.execute_script(script, selector)


def show(page: Any, shown: str, name: str = "") -> None:
    """Open a text by a link, under a name that no other test gave it, and wait for its figure."""
    page.execute_script("document.querySelector('#view').firstChild.replaceChildren()")
    page.execute_script("location.hash = arguments[0]", link(shown, name or f"net{next(NUMBERS)}.net"))
    wait(lambda: drawn(page))


def drawn(page: Any) -> list[str]:
    """The ids of what is drawn, empty where that is old."""
    return page.execute_script(
        "return document.querySelector('#view.old') ? [] : [...document.querySelectorAll('#view g[tabindex]')].map(g => g.id)"
    )


def marked(page: Any) -> set[str]:
    return set(page.execute_script("return [...document.querySelectorAll('#view g.on')].map(g => g.id)"))


def selected(page: Any) -> str:
    return page.execute_script("return getSelection().toString()")


def write(page: Any, instead: str) -> None:
    """Another text in place of all that is there."""
    one(page, ".cm-content").click()
    control(page, "a")
    if instead:
        page.execute_cdp_cmd("Input.insertText", {"text": instead})
    else:
        press(page, "\ue017")


def choose(page: Any, example: str) -> None:
    said = "const e = document.querySelector('#example'); e.value = arguments[0]; e.dispatchEvent(new Event('change'))"
    page.execute_script(said, example)


def go(page: Any, words: str) -> None:
    """Put the cursor before words of the text."""
    before = text(page).partition(words)[0]
    one(page, ".cm-content").click()
    control(page, HOME)
    press(page, *[DOWN] * before.count("\n"), HOME, *["\ue014"] * len(before.rpartition("\n")[2]))


# -- tests -----------------------------------------------------------------------------------------------------------


def test_the_first_figure_needs_no_python(browser: Any, server: Any) -> None:
    server.refused = "pyodide"
    try:
        browser.get(server.url)
        wait(lambda: one(browser, "#state").text == "Python did not start")
    finally:
        server.refused = ""
    assert "fc1" in drawn(browser)
    assert f"net {FIRST}" in text(browser)
    css(browser, "#conv1 text")[0].click()
    assert selected(browser) == "conv 16x3 init=uniform_scaling l2=1e-4"
    one(browser, "#tab-summary").click()
    assert "467,562 (465,290 trainable)" in one(browser, "#summary").text
    assert one(browser, "#notice").text.endswith("Reload the page to try again.")
    browser.get("about:blank")
    browser.get_log("browser")


def test_typing_an_error_and_mending_it(page: Any) -> None:
    show(page, SMALL)
    assert drawn(page) == ["input1", "conv1", "gap1", "fc1", "fc1-output"]
    go(page, "\ngap")
    press(page, ENTER, "conv 64 x 3")
    heads = "return [...document.querySelectorAll('article b')].map(each => each.textContent)"
    wait(lambda: page.execute_script(heads) == ["error NET004"])
    assert one(page, "#notice").text == "NET004: 64 x 3 is written with spaces, but a size is one word line 3"
    assert drawn(page) == [], "the figure is grey"
    assert css(page, "#view.old svg #conv1"), "and there"
    assert css(page, ".cm-lintRange-error")
    one(page, "#notice button").click()
    assert selected(page) == "64 x 3"
    one(page, ".fix").click()
    wait(lambda: "conv2" in drawn(page))
    assert "conv 64x3\n" in text(page)
    assert not css(page, "article") + css(page, "#notice")


def test_words_are_offered_and_told(page: Any) -> None:
    from selenium.webdriver import ActionChains

    show(page, SMALL)
    go(page, "gap")
    press(page, "ma")
    wait(lambda: "maxpool" in told(page, ".cm-completionLabel") and told(page, ".cm-completionInfo"))
    assert "`" not in "".join(told(page, ".cm-tooltip-autocomplete li"))
    overflow = "return getComputedStyle(document.querySelector('.cm-tooltip-autocomplete')).overflow"
    assert page.execute_script(overflow) == "visible", "the list alone scrolls"
    press(page, "xpool")
    wait(lambda: not told(page, ".cm-tooltip-autocomplete"))  # all of it is written
    press(page, ENTER, "repeat 2 {", ENTER)
    assert "maxpool\nrepeat 2 {\n    gap" in text(page), "blocks are indented as `netc fmt` does"
    word = next(each for each in css(page, ".cm-line span") if each.text == "conv")
    ActionChains(page).move_to_element(word).perform()
    wait(lambda: "224 parameters" in " ".join(each.text for each in css(page, ".told")))
    assert css(page, ".told hr")
    assert "---" not in one(page, ".told").text


def beside(page: Any) -> list[str]:
    """What stands beside statements, after their words: `conv 8x3 relu|32×32×8`; with a `?` where it is old."""
    return page.execute_script("""
        return [...document.querySelectorAll('.hint')].filter(hint => hint.checkVisibility()).map(hint => {
            const before = document.createRange();
            before.setStart(hint.closest('.cm-line'), 0);
            before.setEndBefore(hint);
            const words = before.toString().split(';').at(-1).trim();
            return words + '|' + hint.dataset.text + (hint.classList.contains('old') ? '?' : '');
        })
    """)


def test_shapes_stand_beside_statements(page: Any) -> None:
    """They go with their words, stay while the text is broken, and are no part of it."""
    show(page, SMALL)
    right = ["input 32x32x3|32×32×3", "conv 8x3 relu|32×32×8", "gap|8", "fc 10 softmax|10"]
    assert beside(page) == right
    assert text(page) == SMALL
    one(page, ".cm-content").click()
    control(page, "a")
    assert selected(page).strip() == SMALL.strip()
    go(page, "input")
    page.execute_cdp_cmd("Input.insertText", {"text": "# \N{GRINNING FACE}\n"})
    assert beside(page) == right, "whether netc has answered yet or not"
    go(page, "gap")
    press(page, "conv x", ENTER)
    wait(lambda: css(page, "#view.old"))
    assert beside(page) == [f"{each}?" for each in right]
    write(page, "input 16x16x3\nconv 4x3/2\n")
    wait(lambda: beside(page) == ["input 16x16x3|16×16×3", "conv 4x3/2|8×8×4"])
    one(page, "#hints").click()
    assert beside(page) == []
    go(page, "conv")
    press(page, "pool 2", ENTER)
    wait(lambda: "pool1" in drawn(page))
    one(page, "#hints").click()
    assert beside(page) == ["input 16x16x3|16×16×3", "pool 2|8×8×3", "conv 4x3/2|4×4×4"]


def test_errors_stand_before_warnings(page: Any) -> None:
    page.execute_script("location.hash = arguments[0]", link("input 32x32x3\nconv 8x3/4 bn\nbn\nfc 10 x\nfc 2 y\n"))
    wait(lambda: told(page, "article b") == [*["error NET104"] * 2, "warning NET301", "warning NET521"])
    assert told(page, "article .where") == ["line 4", "line 5", "line 2", "line 3"]


def test_the_language_without_a_site(page: Any) -> None:
    """All that begins a statement, each with its documentation; Escape leads back to the text."""
    assert not css(page, "#documentation")
    one(page, "#language").click()
    wait(lambda: css(page, "#words details"))
    words = told(page, "#words summary > code")
    operations = {layer.op for layer in LAYERS.values()}
    assert sorted(words) == sorted(operations | {*STATEMENTS, *shipped_names()})
    css(page, "#words summary")[0].click()
    wait(lambda: told(page, "#words details[open] pre") == ["net NAME"])
    css(page, "#words summary")[words.index("conv")].click()
    wait(lambda: "l2" in told(page, "#words details[open] td code"))
    press(page, "\ue00c")
    assert not css(page, "#words")
    one(page, "#language").click()
    one(page, "#reference .close").click()
    assert not css(page, "#words")


def test_an_own_text_has_its_own_name_and_is_kept(page: Any, tmp_path: Path) -> None:
    """The example that it was typed over lends it nothing, and another example does not cost it."""
    page.execute_script("location.hash = 'unet'")
    wait(lambda: page.title == "unet · netc playground" and drawn(page))
    write(page, "net mine\ninput 8x8x1\nconv 4x3\n")
    wait(lambda: drawn(page) == ["input1", "conv1", "conv1-output"])
    assert page.title == "mine · netc playground"
    assert {"mine.net:3"} == set(re.findall(r"\w+\.net:3", one(page, "#view").get_attribute("innerHTML")))
    one(page, "#tab-code").click()
    wait(lambda: "from mine.net" in one(page, "#code").text)
    one(page, "#tab-findings").click()
    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    one(page, "#save summary").click()
    one(page, "[data-save=net]").click()
    wait((tmp_path / "mine.net").is_file)
    write(page, "input 8x8x1\nconv 5x3\n")
    choose(page, "vgg16")
    wait(lambda: "net vgg16" in text(page))
    choose(page, "")
    wait(lambda: text(page) == "input 8x8x1\nconv 5x3\n")
    assert page.title == "net · netc playground"
    assert page.execute_script("return document.querySelector('#example').value") == ""
    assert page.execute_script("return '#' + localStorage.getItem('netc.own') === location.hash")


def test_the_figure_of_another_text_goes(page: Any) -> None:
    """It is of no use beside a text in which none of its words is left."""
    show(page, NESTED)
    for broken in ("conv 1x", ""):
        write(page, broken)
        wait(lambda: css(page, "#notice"))
        assert not css(page, "#view svg")
        one(page, "#tab-summary").click()
        wait(lambda: "There is no network yet" in one(page, "#summary").text)
        one(page, "#tab-findings").click()
        one(page, ".cm-content").click()
        control(page, "z")
        wait(lambda: "unit1_conv1" in drawn(page))


def test_the_figure_and_the_text_point_at_each_other(page: Any) -> None:
    """Also inside blocks, and where the text has changed since, or is broken now."""
    show(page, NESTED)
    css(page, "#unit1_conv1 text")[0].click()
    assert selected(page) == "conv (ch)x3 bn relu"
    assert marked(page) == {"unit1_conv1"}
    go(page, "conv 8x3")
    assert marked(page) == {"conv1"}
    go(page, "unit 8")
    assert marked(page) >= {"unit1_conv1", "unit1_conv2", "unit1_add1"}
    assert not marked(page) & {"conv1", "fc1"}
    go(page, "input")
    written = "# \N{GRINNING FACE} not \u0634 a network\n}}\n"  # no key of the driver writes beyond the BMP
    page.execute_cdp_cmd("Input.insertText", {"text": written})
    wait(lambda: css(page, "#view.old"))
    css(page, "#unit1_conv2 text")[0].click()
    assert selected(page) == "conv (ch)x3"
    css(page, "#fc1 text")[0].click()
    assert selected(page) == "fc 10 softmax"


def test_the_figure_by_keyboard(page: Any) -> None:
    show(page, NESTED)
    page.execute_script("document.querySelector('#view g[tabindex=\"0\"]').focus()")
    names = drawn(page)
    press(page, "\ue014", "\ue014", ENTER)
    assert marked(page) == {names[2]}
    assert page.execute_script("return document.activeElement.className").startswith("cm-content")
    page.execute_script("document.querySelector('#view').focus()")
    before = one(page, ".sheet").value_of_css_property("transform")
    press(page, "+")
    assert one(page, ".sheet").value_of_css_property("transform") != before


def test_styles_papers_and_tabs(page: Any, tmp_path: Path) -> None:
    show(page, SMALL, "net.net")
    for tab, shown in (("summary", "parameters 314 (314 trainable)"), ("code", "def build_model")):
        one(page, f"#tab-{tab}").click()
        wait(lambda shown=shown, tab=tab: shown in " ".join(one(page, f"#{tab}").text.split()))
    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)})
    for kind in ("svg", "py", "net"):
        one(page, "#save summary").click()
        one(page, f"[data-save={kind}]").click()
        wait(lambda kind=kind: (tmp_path / f"net.{kind}").is_file())
    assert (tmp_path / "net.net").read_text() == SMALL
    assert (tmp_path / "net.svg").read_text().startswith("<svg ")
    compile((tmp_path / "net.py").read_text(), "net.py", "exec")
    (tmp_path / "net.py").rename(tmp_path / "menu.py")
    one(page, "#code .save").click()
    wait((tmp_path / "net.py").is_file)
    assert (tmp_path / "net.py").read_text() == (tmp_path / "menu.py").read_text()
    one(page, "#tab-findings").click()
    light = page.execute_script("return document.querySelector('#view svg').innerHTML")
    page.execute_script(
        "const e = document.querySelector('#style'); e.value = 'volumes'; e.dispatchEvent(new Event('change'))"
    )
    wait(lambda: page.execute_script("return document.querySelector('#view svg').innerHTML") != light)
    assert css(page, "#view #conv1")
    page.execute_script(
        "const e = document.querySelector('#theme'); e.value = 'dark'; e.dispatchEvent(new Event('change'))"
    )
    wait(lambda: '"#14191f"' in page.execute_script("return document.querySelector('#view svg').innerHTML"))
    page.execute_script(
        "const e = document.querySelector('#theme'); e.value = 'auto'; e.dispatchEvent(new Event('change'))"
    )


def test_a_link_is_the_text(page: Any, server: Any) -> None:
    shown = f"# <img src=x onerror=alert(1)> \N{GRINNING FACE} \u0634\n{SMALL}"
    show(page, shown)
    assert not css(page, "img")
    go(page, "conv")
    press(page, "conv 4x3", ENTER)
    one(page, "#share").click()
    wait(lambda: one(page, "#share").text != "Share")
    url = page.current_url
    packed = url.partition("#z=")[2]
    held = json.loads(zlib.decompress(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), -zlib.MAX_WBITS))
    assert held["text"] == shown.replace("conv 8", "conv 4x3\nconv 8")
    show(page, SMALL)
    page.execute_script("location.href = arguments[0]", url)
    wait(lambda: text(page) == held["text"])
    page.execute_script("location.hash = arguments[0]", "z=" + packed[:20])
    wait(lambda: css(page, "#notice") and "This link cannot be read" in one(page, "#notice").text)
    assert text(page) == held["text"], "and nothing is lost"
    page.execute_script("location.hash = 'unet'")
    wait(lambda: "net unet" in text(page))


def test_a_bomb_in_a_link_is_refused(page: Any) -> None:
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    packed = packer.compress(b'{"text":"' + b"#" * 50_000_000 + b'"}') + packer.flush()
    from base64 import urlsafe_b64encode

    page.execute_script("location.hash = arguments[0]", "z=" + urlsafe_b64encode(packed).decode().rstrip("="))
    wait(lambda: css(page, "#notice") and "its text is too long" in one(page, "#notice").text)


def test_other_values_of_parameters(page: Any) -> None:
    """As by `-D`: they hold for all that is shown, are part of the link, and what cannot be is said."""
    page.execute_script("location.hash = 'resnet-cifar'")
    wait(lambda: drawn(page) and css(page, "#parameters input"))
    assert one(page, "#parameters label").text == "n"
    assert one(page, "#parameters input").get_attribute("placeholder") == "3"
    one(page, "#parameters input").click()
    press(page, "9")
    wait(lambda: "basic_unit ×9" in told(page, "#view text"))
    one(page, "#tab-summary").click()
    wait(lambda: "56 weighted layers deep" in one(page, "#summary").text)
    one(page, "#tab-findings").click()
    wait(lambda: page.execute_script("return location.hash").startswith("#z="))
    url = page.current_url
    one(page, "#parameters input").click()
    press(page, "x")
    wait(lambda: told(page, "article b") == ["error NET108"])
    assert drawn(page) == []
    assert one(page, "#parameters input").get_attribute("value") == "9x", "what is written stays"
    page.execute_script("location.hash = 'unet'")
    wait(lambda: "net unet" in text(page) and drawn(page))
    assert "n" not in told(page, "#parameters label")
    page.execute_script("location.href = arguments[0]", url)
    wait(lambda: "basic_unit ×9" in told(page, "#view text"))
    assert one(page, "#parameters input").get_attribute("value") == "9"
    page.execute_script("location.hash = arguments[0]", link(SMALL, width="2"))
    wait(lambda: told(page, "article b") == ["error NET112"])
    assert one(page, "#parameters .unknown").get_attribute("value") == "2"
    one(page, "#parameters input").click()
    press(page, BACK)
    wait(lambda: drawn(page) and not css(page, "#parameters"))


def test_an_error_does_not_move_the_figure(page: Any) -> None:
    show(page, NESTED)
    place = "return JSON.stringify(document.querySelector('#view #conv1').getBoundingClientRect())"
    before = page.execute_script(place)
    go(page, "gap")
    press(page, "x")
    wait(lambda: css(page, "#notice"))
    assert page.execute_script(place) == before
    assert one(page, "#notice").rect["y"] > css(page, "#view #conv1")[0].rect["y"], "which it does not hide"


def test_what_takes_long_is_stopped(page: Any) -> None:
    """By a button, and after a time; what was right last stays, and the next text is checked by another Python."""
    show(page, SMALL)
    page.execute_script("location.hash = arguments[0]", link(SLOW))
    wait(lambda: css(page, "#stop") and "repeat 700" in text(page))
    one(page, "#stop").click()
    assert one(page, "#notice").text == "Stopped. Try again"
    assert not css(page, "#stop")
    show(page, SMALL)
    assert drawn(page) == ["input1", "conv1", "gap1", "fc1", "fc1-output"]
    ready(page)
    page.execute_script("window.bound = 700; location.hash = arguments[0]", link(SLOW + "# again"))
    wait(lambda: css(page, "#notice") and one(page, "#notice").text.startswith("Stopped: netc took longer than"))
    page.execute_script("window.bound = undefined")
    one(page, ".cm-content").click()
    control(page, "a")
    press(page, "input 8x8x1; conv 4x3; gap; fc 2")
    wait(lambda: drawn(page) == ["input1", "conv1", "gap1", "fc1", "fc1-output"])


def test_a_narrow_screen_shows_one_part_at_a_time(page: Any) -> None:
    show(page, SMALL)
    assert beside(page)
    size(page, 390, 780)
    assert not beside(page), "there is no room for shapes"
    for view, selector in (
        ("editor", "#editor"),
        ("figure", "#view svg"),
        ("findings", "#findings"),
        ("summary", "#summary"),
    ):
        one(page, f"#views [data-view={view}]").click()
        shown = {each for each in ("#editor", "#view svg", "#findings", "#summary", "#code") if css(page, each)}
        assert shown == {selector}
        assert page.execute_script("return document.documentElement.scrollWidth") == 390
        box = one(page, selector).rect
        assert box["x"] >= 0
        assert box["height"] > 100
    for each in css(page, "header button, header select, header summary, #views button"):
        assert 0 <= each.rect["x"] <= each.rect["x"] + each.rect["width"] <= 390
        assert each.rect["height"] >= 30
    assert one(page, "header").rect["height"] < 50, "one row"
    one(page, "#views [data-view=figure]").click()
    css(page, "#conv1 text")[0].click()
    assert css(page, "#editor"), "a click leads to the text"
    assert selected(page) == "conv 8x3 relu"


def test_it_works_offline_and_asks_no_other_host(server: Any, tmp_path: Path) -> None:
    """After one visit; requests are those that the browser itself has logged, of its workers too."""
    log = tmp_path / "requests.json"
    browser = chromium(tmp_path / "profile", f"--log-net-log={log}")
    try:
        browser.get(server.url)
        ready(browser)
        wait(lambda: browser.execute_script("return navigator.serviceWorker.controller !== null"))
        server.is_down = True
        browser.get(server.url + "#" + link(SMALL))
        browser.refresh()
        wait(lambda: drawn(browser) == ["input1", "conv1", "gap1", "fc1", "fc1-output"])
    finally:
        server.is_down = False
        browser.quit()
    logged = json.loads(log.read_text(encoding="utf-8"))
    kind = logged["constants"]["logEventTypes"]["URL_REQUEST_START_JOB"]
    asked = [
        event["params"] for event in logged["events"] if event["type"] == kind and "url" in event.get("params", {})
    ]
    ours = [each["url"] for each in asked if each.get("initiator", "").startswith("http")]
    assert any(url.endswith("pyodide.asm.wasm") for url in ours), "the worker's requests are in the log"
    assert {urlsplit(url).hostname for url in ours} == {"127.0.0.1"}
