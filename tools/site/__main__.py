"""Write the site: `python -m tools.site site [--playground playground/dist]`."""

from __future__ import annotations

import argparse
import re
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from sphinx.cmd.build import build_main

from tools.site import links
from tools.site.examples import EXAMPLES, draw
from tools.site.gallery import PICTURES, gallery
from tools.site.sources import ROOT, sources

CONFIGURATION = Path(__file__).parent


def main() -> int:
    """Write the sources into a folder of their own and build them; any warning is an error."""
    parser = argparse.ArgumentParser(prog="python -m tools.site", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the site goes")
    parser.add_argument(
        "--playground", type=Path, default=ROOT / "playground" / "dist", help="the built playground, to go with it"
    )
    parser.add_argument("--specs", nargs="*", metavar="NAME", help="only these in the gallery, for a quick look")
    options = parser.parse_args()
    if not (options.playground / "index.html").is_file():
        parser.error(f"there is no playground in {options.playground}: npm ci && npm run build makes it there")
    with TemporaryDirectory() as made:
        folder = Path(made)
        sources(folder)
        gallery(folder / "gallery", options.folder / "gallery" / PICTURES, options.specs)
        draw(folder)
        shutil.copytree(folder / EXAMPLES, options.folder / EXAMPLES, dirs_exist_ok=True)
        wrong = build_main(
            ["-q", "-W", "--keep-going", "-n", "-j", "auto", "-c", str(CONFIGURATION), made, str(options.folder)]
        )
    shutil.copytree(options.playground, options.folder / "playground", dirs_exist_ok=True)
    show_documentation(options.folder / "playground" / "index.html")
    broken = list(links.wrong(options.folder))
    print(*broken, sep="\n", end="\n" if broken else "", file=sys.stderr)
    return wrong or bool(broken)


def show_documentation(page: Path) -> None:
    """Show the playground's link to the documentation, which is hidden where the page stands alone."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<a id="documentation" [^>]*?(?P<hidden> hidden)>', text)
    if found is None:
        raise ValueError(f"{page} has no hidden link to the documentation: npm run build makes one that has")
    page.write_text(text[: found.start("hidden")] + text[found.end("hidden") :], encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
