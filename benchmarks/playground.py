"""What the playground transfers and how fast it is, in headless Chromium: `python -m benchmarks.playground`.

Needs playground/dist, Chromium with its driver, and selenium. Everything is served gzipped from this machine, on which
nothing else should run. It measures and judges nothing: the exit code is 0.
"""

from __future__ import annotations

import gzip
import mimetypes
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from selenium.webdriver import ActionChains

from tests.test_playground import DIST, chromium

KEYS = 40
TYPES = {".mjs": "text/javascript", ".wasm": "application/wasm"}
# Takes the time from a key to the frame in which the figure is another one, in ms.
WATCH = """
window.took = [];
let pressed = 0;
addEventListener('keydown', () => { pressed = performance.now() }, true);
new MutationObserver(() => {
  const start = pressed;
  pressed = 0;
  if (start) requestAnimationFrame(() => took.push(performance.now() - start));
}).observe(document.querySelector('#view'), { childList: true, subtree: true });
"""
# Puts the cursor after the last channels: with a 0 more they are others, of which padding still has half for each side.
GO = """
const line = [...document.querySelectorAll('.cm-line')].find((one) => one.textContent.startsWith('resblock 5 64'));
const walk = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
let left = 'resblock 5 64'.length;
while (walk.nextNode() && left > walk.currentNode.length) left -= walk.currentNode.length;
getSelection().collapse(walk.currentNode, left);
"""
BACK = "\ue003"


class Handler(BaseHTTPRequestHandler):
    """Files, gzipped; what was sent is counted."""

    sent: dict[str, int] = {}  # noqa: RUF012 - of the one server

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].lstrip("/") or "index.html"
        try:
            body = packed(path)
        except OSError:
            return self.send_error(404)
        self.sent[path] = len(body)
        self.send_response(200)
        self.send_header("Content-Type", TYPES.get(Path(path).suffix) or mimetypes.guess_type(path)[0] or "text/plain")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Cache-Control", "max-age=31536000")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None

    def log_message(self, *args: object) -> None:
        pass


@cache
def packed(path: str) -> bytes:
    return gzip.compress((DIST / path).read_bytes(), 9)


def until(browser: Any, condition: str) -> float:
    """Seconds since the page was asked for until a condition holds. Raises TimeoutError after two minutes."""
    end = time.monotonic() + 120
    while not browser.execute_script(f"return Boolean({condition})"):
        if time.monotonic() > end:
            raise TimeoutError(condition)
        time.sleep(0.01)
    return float(browser.execute_script("return performance.now()")) / 1000


def measure(browser: Any, url: str) -> None:
    for path in DIST.rglob("*"):
        if path.is_file():
            packed(path.relative_to(DIST).as_posix())
    for visit in ("first", "second"):
        Handler.sent.clear()
        browser.get("about:blank")
        browser.get(url)
        figure = until(browser, "document.querySelector('#view svg')")
        ready = until(browser, "document.querySelector('#state')?.textContent === 'ready'")
        sent = sum(Handler.sent.values())
        print(f"{visit} visit: figure after {figure:.2f} s, Python after {ready:.1f} s, {sent:,} bytes")
        until(browser, "navigator.serviceWorker.controller")
    type_in(browser)


def type_in(browser: Any) -> None:
    """Write a 0 after the last channels of ResNet-32, and take it back."""
    browser.find_element("css selector", ".cm-content").click()
    browser.execute_script(GO)
    browser.execute_script(WATCH)
    for count in range(KEYS):
        ActionChains(browser).send_keys(BACK if count % 2 else "0").perform()
        until(browser, f"took.length > {count}")
    times = sorted(browser.execute_script("return took"))
    print(f"key to figure: median {times[KEYS // 2]:.0f} ms, 19 of 20 within {times[KEYS * 19 // 20 - 1]:.0f} ms")


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    with TemporaryDirectory() as profile:
        browser = chromium(Path(profile))
        try:
            measure(browser, f"http://127.0.0.1:{server.server_port}/")
        finally:
            browser.quit()
            server.shutdown()


if __name__ == "__main__":
    main()
