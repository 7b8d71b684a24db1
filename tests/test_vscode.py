"""The extension for VS Code (editors/vscode): its grammar, its own tests, and its page in a real headless Chromium.

It is built by `npm ci && npm run build` there. What needs VS Code itself is not tested.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pygments.token import Error, Text

from netc.figures.options import Options
from netc.figures.styles import AUTO, STYLES
from netc.figures.theme import THEMES
from netc.report.highlight import TOKENS, NetLexer
from netc.server.document import Document, Settings
from netc.server.figure import figure
from netc.server.tokens import tokens
from netc.syntax.source import Source
from tests.test_figures_page import CHROMIUM, DRIVER, FLAGS
from tools.textmate import SCOPES, grammar

ROOT = Path(__file__).parent.parent
EXTENSION = ROOT / "editors/vscode"
OUT = EXTENSION / "out"
SOURCES = ("src", "test", "../../playground/src")
NODE = shutil.which("node")
NONCE = "bm9uY2U="
TEXT = "input 32x32x3\nconv 16x3\nrepeat 5 { conv 16x3 bn relu }\ngap\nfc 10 softmax\n"
COLOURS = {  # some of those that VS Code gives a page, in its "Dark Modern" and "Light Modern"
    "dark": {"editor-background": "#1f1f1f", "editor-foreground": "#cccccc", "focusBorder": "#0078d4"},
    "light": {"editor-background": "#ffffff", "editor-foreground": "#3b3b3b", "focusBorder": "#005fb8"},
}
ODD = [
    "conv 64x3/2; fc ?x?x3; conv (2*ch)x(3)/2 l2=.5e-3",
    'use "a \\" b" x; "open',
    "é conv é3 \U0001f600 fc # \U0001f600",
    "def  unit { } def unit2(a, b=2) { }",
    "label : conv 3x3\nx==y x=y x = y a//b a**2 a<=b",
    "convx conv_ 64abc 1.5 .5 1. channels width=width $ ~",
]


def _missing() -> str:
    if NODE is None:
        return "there is no Node.js here"
    if not (EXTENSION / "node_modules").is_dir() or not (OUT / "figure.js").is_file():
        return "the extension is not built: `npm ci && npm run build` in editors/vscode"
    made = (OUT / "figure.js").stat().st_mtime
    newer = [path for part in SOURCES for path in (EXTENSION / part).rglob("*.[tch]*s*") if path.stat().st_mtime > made]
    return f"editors/vscode/out is older than {newer[0]}: `npm run build` there" if newer else ""


MISSING = _missing()
built = pytest.mark.skipif(bool(MISSING), reason=MISSING)


def test_the_package_says_what_netc_knows() -> None:
    settings = json.loads((EXTENSION / "package.json").read_text("utf-8"))["contributes"]["configuration"]["properties"]
    assert settings["netc.figure.style"]["enum"] == [AUTO, *STYLES]
    assert set(settings["netc.figure.theme"]["enum"]) - {"editor"} == set(THEMES) - {"auto"}
    assert json.loads((EXTENSION / "syntaxes/net.tmLanguage.json").read_text("utf-8")) == grammar()


@built
def test_vs_code_colours_texts_as_the_lexer_does() -> None:
    files = [*ROOT.glob("specs/*.net"), *ROOT.glob("netc/std/*.net")]
    texts = [*(file.read_text("utf-8") for file in files), *ODD]
    run = [str(NODE), "test/colours.mjs"]
    found = subprocess.run(run, cwd=EXTENSION, input=json.dumps(texts), capture_output=True, text=True, check=True)
    for text, scopes in zip(texts, json.loads(found.stdout), strict=True):
        assert scopes == _scopes(text), text


def _scopes(text: str) -> list[str]:
    """The scope of each unit of UTF-16 of a text, by the lexer of Pygments."""
    kinds = {token: f"{SCOPES[kind]}.netc" for kind, token in TOKENS.items()} | {Text: "", Error: ""}
    tokens = NetLexer(stripnl=False, ensurenl=False).get_tokens(text)
    return ["" if each == "\n" else kinds[token] for token, words in tokens for each in _units(words)]


def _units(words: str) -> Iterator[str]:
    for character in words:
        yield from character * (len(character.encode("utf-16-le")) // 2)


def test_what_the_server_says_of_words_changes_no_colour_that_they_have() -> None:
    """Colours of the server come a second later: words of the language must not flicker."""
    contributed = json.loads((EXTENSION / "package.json").read_text("utf-8"))["contributes"]["semanticTokenScopes"]
    assert contributed == [{"language": "netc", "scopes": {"keyword.defaultLibrary": [f"{SCOPES['statement']}.netc"]}}]
    kinds = {"keyword": "keyword", "statement": "keyword.defaultLibrary", "operation": "function"}
    for file in ROOT.glob("specs/*.net"):
        text = file.read_text("utf-8")
        said = {
            word.start: word.kind + ".defaultLibrary" * (word.kind == "keyword" and word.shipped)
            for word in tokens(written(text))
            if word.kind in ("keyword", "function")
        }
        lexed = NetLexer(stripnl=False, ensurenl=False).get_tokens_unprocessed(text)
        for start, token, _ in lexed:
            kind = next((kind for kind, one in TOKENS.items() if one is token), "")
            if kind in kinds and start in said:
                assert said[start] == kinds[kind], (file.name, text[start : start + 20])


@built
def test_the_extension_passes_its_own_tests() -> None:
    """Among them one with the real server."""
    served = find_spec("pygls") is not None
    env = {**os.environ, **({"NETC": json.dumps([sys.executable, "-m", "netc"])} if served else {})}
    tests = sorted(map(str, OUT.glob("test/*.test.js")))
    run = subprocess.run(
        [str(NODE), "--test", *tests], check=False, cwd=EXTENSION, env=env, capture_output=True, text=True, timeout=100
    )
    assert run.returncode == 0, run.stdout[-4000:]
    assert f"# skipped {0 if served else 1}\n" in run.stdout


# -- the page of the figure ------------------------------------------------------------------------------------------


class Handler(SimpleHTTPRequestHandler):
    """The page as the extension fills it in, and its files."""

    def do_GET(self) -> None:
        if self.path != "/":
            super().do_GET()
            return
        page = (OUT / "figure.html").read_text("utf-8")
        for key, value in {"source": "'self'", "nonce": NONCE, "style": "figure.css", "script": "figure.js"}.items():
            page = page.replace(f"{{{key}}}", value)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(OUT)))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if MISSING or CHROMIUM is None or DRIVER is None:
        pytest.skip(MISSING or "no Chromium with its driver here")
    webdriver = pytest.importorskip("selenium.webdriver")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    fake = "const sent = []; globalThis.acquireVsCodeApi = () => ({ postMessage: message => sent.push(message) })"
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": fake})
    yield driver
    driver.quit()


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """The page in a narrow panel, dark; nothing that it does may be against its own policy."""
    metrics = {"width": 520, "height": 760, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(address)
    paint(browser, "dark")
    yield browser
    assert [entry["message"] for entry in browser.get_log("browser") if "favicon" not in entry["message"]] == []


def paint(browser: Any, theme: str) -> None:
    for name, value in COLOURS[theme].items():
        browser.execute_script("document.documentElement.style.setProperty(...arguments)", f"--vscode-{name}", value)


def send(page: Any, message: dict[str, Any]) -> None:
    """A message of the extension; back once the page has drawn what it says."""
    page.execute_async_script("postMessage(arguments[0]); setTimeout(arguments[1], 30)", message)


def message(document: Document, theme: str = "dark") -> dict[str, Any]:
    """The figure of a text, as the extension hands on what the server says."""
    found = figure(document, options=Options(theme=theme))
    return {"kind": "figure", "svg": found.svg, "old": found.old, "error": found.error, "objects": list(found.objects)}


def sent(page: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = page.execute_script("return sent.splice(0)")
    return found


def on(page: Any) -> set[str]:
    return {group.get_attribute("id") for group in page.find_elements("css selector", "#view g.on")}


def written(text: str) -> Document:
    return Document(Source("a.net", text), Settings())


def test_a_figure_is_shown_marked_and_clicked(page: Any) -> None:
    assert sent(page) == [{"kind": "ready"}]
    send(page, {"kind": "figure", "svg": "", "old": False, "error": "", "objects": []})
    assert "appears here" in page.find_element("id", "empty").text
    send(page, message(written(TEXT)))
    assert page.find_element("id", "empty").text == ""
    assert not page.find_element("id", "notice").is_displayed()
    page.find_element("css selector", "#view #conv1 text").click()
    assert sent(page) == [{"kind": "picked", "object": "conv1"}]
    send(page, {"kind": "mark", "objects": ["fc1", "fc1-output"]})
    assert on(page) == {"fc1", "fc1-output"}
    send(page, {"kind": "mark", "objects": []})
    assert on(page) == set()


def test_the_last_figure_is_grey_while_the_text_is_broken(page: Any) -> None:
    document = written(TEXT)
    send(page, message(document))
    drawn = page.execute_script("return document.querySelector('#view svg').outerHTML")
    document.change(Source("a.net", TEXT.replace("gap", "gap <b>speed</b>")), Settings())
    send(page, message(document))
    notice = page.find_element("id", "notice")
    assert notice.text.startswith("NET")
    assert "<b>" not in notice.get_attribute("innerHTML")
    view = page.find_element("id", "view")
    assert view.get_attribute("class") == "old"
    assert page.execute_script("return document.querySelector('#view svg').outerHTML") == drawn
    sent(page)
    notice.click()
    assert sent(page) == [{"kind": "wrong"}]
    document.change(Source("a.net", TEXT.replace("fc 10", "fc 12")), Settings())
    send(page, message(document))
    assert (notice.text, view.get_attribute("class")) == ("", "")
    assert page.execute_script("return document.querySelector('#view svg').outerHTML") != drawn


def test_a_mark_out_of_sight_comes_into_view(page: Any) -> None:
    text = "input 64x64x3\n" + "".join(f"conv {16 + number}x3\n" for number in range(60)) + "gap\nfc 10 softmax\n"
    send(page, message(written(text)))
    box = (
        "const box = document.getElementById(arguments[0]).getBoundingClientRect();"
        "return box.top >= 0 && box.bottom <= innerHeight"
    )
    shown = [page.execute_script(box, name) for name in ("conv1", "fc1")]
    hidden = "conv1" if not shown[0] else "fc1"
    assert not all(shown)
    send(page, {"kind": "mark", "objects": [hidden]})
    assert page.execute_script(box, hidden)
    page.find_element("id", "fit").click()
    assert page.execute_script(box, "conv1")
    assert page.execute_script(box, "fc1")


def test_what_a_text_says_is_never_part_of_the_page(page: Any) -> None:
    text = "# <script>document.title = 'owned'</script>\nnet tricky\ninput 8x8x1\nfc 2\n"
    send(page, message(written(text)))
    hostile = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" onload="document.title = `owned`"></svg>'
    send(page, {"kind": "figure", "svg": hostile, "old": False, "error": "", "objects": []})
    assert page.find_elements("css selector", "#view svg") == []
    assert "onload" in page.find_element("id", "notice").text
    assert all("Content Security Policy" in entry["message"] for entry in page.get_log("browser"))
    assert page.title == "Figure"


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_colours_are_those_of_the_editor(page: Any, theme: str) -> None:
    paint(page, theme)
    send(page, message(written(TEXT), theme))
    background = page.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert background == {"dark": "rgb(31, 31, 31)", "light": "rgb(255, 255, 255)"}[theme]
