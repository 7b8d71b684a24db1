"""The documentation site: what stands below an example, and what is found where links lead nowhere."""

import json
import shutil
import zlib
from base64 import urlsafe_b64decode
from pathlib import Path
from urllib.parse import urlsplit

import pytest

pytest.importorskip("sphinx", reason="without Sphinx: pip install 'netc[site]'")
pytest.importorskip("myst_parser", reason="without MyST: pip install 'netc[site]'")

from sphinx.cmd.build import build_main

from tools.site import links
from tools.site.__main__ import CONFIGURATION
from tools.site.examples import EXAMPLES, FRAGMENT, draw, whole
from tools.site.sources import relinked

PAGE = """# Page

```net
conv 64x3/2 bn relu
```

```net
input 8x8x3
conv 64x3 rleu
```
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources, folder = tmp_path_factory.mktemp("sources"), tmp_path_factory.mktemp("site")
    (sources / "index.md").write_text(PAGE)
    draw(sources)
    assert build_main(["-q", "-W", "-c", str(CONFIGURATION), str(sources), str(folder)]) == 0
    shutil.copytree(sources / EXAMPLES, folder / EXAMPLES)
    return folder


def test_an_example_has_its_figure_and_opens_in_the_playground(site: Path) -> None:
    html = (site / "index.html").read_text()
    assert html.count("<summary>Figure") == 1  # the other one makes no network
    for theme in ("light", "dark"):
        (figure,) = [path for path in (site / EXAMPLES).iterdir() if path.name.endswith(f"-{theme}.svg")]
        assert f'src="examples/{figure.name}"' in html
    first, second = [part.partition('"')[0] for part in html.split('class="try" href="')[1:]]
    assert _text(first) == FRAGMENT + "conv 64x3/2 bn relu\n"
    assert _text(second) == "input 8x8x3\nconv 64x3 rleu\n"


def _text(address: str) -> str:
    """The text that the playground opens by an address."""
    parts = urlsplit(address)
    assert parts.path == "playground/"
    packed = parts.fragment.removeprefix("z=")
    told = json.loads(zlib.decompress(urlsafe_b64decode(packed + "=" * (-len(packed) % 4)), wbits=-15))
    return str(told["text"])


def test_links_that_lead_nowhere_are_found(site: Path) -> None:
    found = list(links.wrong(site))
    assert {line.split("#")[0] for line in found} == {"index.html leads to playground/"}  # it is not built here


def test_what_is_loaded_from_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        '<script src="https://cdn.example/x.js"></script><a href="https://a.example">a</a>'
    )
    assert list(links.wrong(tmp_path)) == ["page.html loads https://cdn.example/x.js from another host"]


def test_an_example_of_definitions_stands_alone() -> None:
    text = "def block(ch) { conv (ch)x3 relu }\n"
    assert whole(text) == text
    assert whole(text + "block 8\n") == FRAGMENT + text + "block 8\n"


def test_links_into_parted_documents_lead_to_their_parts() -> None:
    assert relinked("[a](operations.md#conv)") == "[a](operations/conv.md)"
    assert relinked("[a](errors.md)") == "[a](codes/index.md)"
    assert relinked("[a](../CONTRIBUTING.md#set-up)") == "[a](contributing.md#set-up)"
