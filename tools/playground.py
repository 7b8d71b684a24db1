"""What the playground is built of on netc's side: `python -m tools.playground FOLDER` writes it.

- `netc.zip`: the modules that check, draw and sum up, with lark; `emission.zip`: what writes Keras code besides, with
  black. Pyodide unpacks them.
- `words.json`: the words of the language, for the colours of a text.
- `examples/*.json`: each shipped spec with what the page shows of it, so that a figure is there before Python is.
- `about.json`: the styles, and the example that comes first.
"""

from __future__ import annotations

import json
import sys
import zipfile
import zlib
from base64 import urlsafe_b64encode
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from netc.figures.styles import STYLES
from netc.report.vocabulary import vocabulary
from netc.server.browser import answer
from netc.syntax.grammar import write_tables

ROOT = Path(__file__).parent.parent
FIRST = "resnet32"
# What no text in a browser needs: commands, runs, and models with what reads and writes their files.
ABSENT = (
    "api.py",
    "bench",
    "cli",
    "data",
    "difference",
    "engines",
    "keras_layers.py",
    "lift",
    "precision",
    "storage",
    "train",
)
EMISSION = ("targets/__init__.py", "targets/errors.py", "targets/keras")
READERS = "targets/keras/read"
CORE, BLACK = ("lark",), ("black", "click", "mypy-extensions", "packaging", "pathspec", "platformdirs", "pytokens")
SUFFIXES = (".py", ".net", ".md")
DATE = (1980, 1, 1, 0, 0, 0)  # the same content is the same file


def build(folder: Path) -> None:
    """Write everything."""
    (folder / "examples").mkdir(parents=True, exist_ok=True)
    core, emission = modules()
    pack(folder / "netc.zip", core | _libraries(CORE))
    pack(folder / "emission.zip", emission | _libraries(BLACK))
    for old in (folder / "examples").iterdir():
        old.unlink()
    for path in sorted((ROOT / "specs").glob("*.net")):
        _write(folder / "examples" / f"{path.stem}.json", example(path))
    _write(folder / "words.json", asdict(vocabulary()))
    _write(folder / "about.json", {"first": FIRST, "styles": ["auto", *STYLES]})


def modules() -> tuple[dict[str, bytes], dict[str, bytes]]:
    """netc's files by their names in an archive: those that check and draw, and those that write Keras code."""
    core, emission = {}, {}
    package = ROOT / "netc"
    for path in sorted(package.rglob("*")):
        within = path.relative_to(package).as_posix()
        if path.suffix not in SUFFIXES or _is_in(within, (*ABSENT, READERS, "syntax/tables.py")):
            continue
        if not _is_in(within, ("targets",)):
            core[f"netc/{within}"] = path.read_bytes()
        elif _is_in(within, EMISSION):
            emission[f"netc/{within}"] = path.read_bytes()
    core["netc/syntax/net.lark"] = (ROOT / "grammar" / "net.lark").read_bytes()
    with TemporaryDirectory() as made:
        write_tables(Path(made))
        core["netc/syntax/tables.py"] = Path(made, "tables.py").read_bytes()
    return core, emission


def _is_in(within: str, parts: tuple[str, ...]) -> bool:
    return any(within == part or within.startswith(f"{part}/") for part in parts)


def _libraries(names: tuple[str, ...]) -> dict[str, bytes]:
    """The Python files of installed libraries, and the grammars of black. What is compiled is there as Python too."""
    found = {}
    for name in names:
        for file in distribution(name).files or ():
            if file.suffix in (".py", ".txt") and ".." not in file.parts and ".dist-info" not in file.parts[0]:
                found[file.as_posix()] = Path(str(file.locate())).read_bytes()
    return found


def pack(path: Path, files: dict[str, bytes]) -> None:
    """Write a ZIP archive."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, DATE), files[name], zipfile.ZIP_DEFLATED, compresslevel=9)


def example(path: Path) -> dict[str, Any]:
    """A spec and what the page shows of it, as netc answers in the browser; its figure also for dark paper."""
    text = path.read_text(encoding="utf-8")

    def asked(ask: str, **takes: object) -> Any:
        return json.loads(answer(json.dumps({"ask": ask, **takes})))

    dark, checked = (
        asked("check", name=path.name, opened=0, text=text, style="auto", theme=theme, overrides={})
        for theme in ("dark", "light")
    )
    return {
        "name": path.name,
        "text": text,
        "checked": checked,
        "summary": asked("summary"),
        "dark": dark["figure"]["svg"],
    }


def link(text: str, name: str = "example.net", style: str = "auto", **overrides: str) -> str:
    """What stands after the `#` of the playground's URL to open a text in it (playground/src/share.ts)."""
    packed = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    told = json.dumps({"name": name, "text": text, "style": style, "overrides": overrides}, ensure_ascii=False).encode()
    return "z=" + urlsafe_b64encode(packed.compress(told) + packed.flush()).decode().rstrip("=")


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


if __name__ == "__main__":
    try:
        build(Path(sys.argv[1]))
    except PackageNotFoundError as error:
        sys.exit(f"the playground takes the files of {error.name}, which is not installed here: `pip install -e .`")
