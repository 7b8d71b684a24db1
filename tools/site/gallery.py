"""The gallery: a page for each shipped spec, with its figure, its counts, what it equals, and the code it becomes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import netc
from netc.ir.shape import show_shape
from netc.report.summary import human
from netc.syntax.tree import Comment
from tools.site.sources import write
from tools.specs import FUNCTIONS, SPECS, VARIANTS, title

THEMES = ("light", "dark")
PICTURES = "pictures"  # the folder of those, beside the page
CARD = 60  # layers that volumes can show in the width of a card
MORE = {"vgg16": "volumes", "alexnet": "volumes", "googlenet": "graph", "resnet50": "table", "unet": "volumes"}
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


def gallery(folder: Path, small: Path, only: Sequence[str] | None = None) -> None:
    """Write the pages of all specs, or of `only` some, and the page that shows them all, whose small pictures go beside
    what is made of it."""
    folder.mkdir()
    small.mkdir(parents=True, exist_ok=True)
    specs = list(only or VARIANTS)
    with ProcessPoolExecutor() as pool:
        cards = list(pool.map(partial(_written, folder, small), specs))
    head = "# Gallery\n\nThe specs that ship, each equal to what it names ([how that is proven](../specs.md)).\n\n"
    grid = '<div class="cards">\n' + "".join(cards) + "</div>\n\n"
    (folder / "index.md").write_text(head + grid, encoding="utf-8")


def save(network: netc.Network, path: Path, **options: Any) -> None:
    """Write a figure for light and for dark pages, `path` with the theme after it. Raises `FigureError`."""
    for theme in THEMES:
        network.draw(path.with_name(f"{path.name}-{theme}.svg"), theme=theme, **options)


def pictures(address: str) -> str:
    """The HTML of a figure that was saved: a page shows that of its theme."""
    return "".join(f'<img class="only-{theme}" src="{address}-{theme}.svg" alt="" loading="lazy">' for theme in THEMES)


def _written(folder: Path, small: Path, spec: str) -> str:
    """Write the page of a spec with its figures; its card for the page of all."""
    network = netc.load(SPECS / f"{spec}.net")
    save(network, folder / spec)
    save(network, small / spec, style=_style(network), bare=True)
    write(folder / f"{spec}.md", _page(spec, network, folder))
    return _card(spec, network)


def _page(spec: str, network: netc.Network, folder: Path) -> str:
    text = (SPECS / f"{spec}.net").read_text(encoding="utf-8")
    parts = [f"# {title(spec)}", _head(network), *_figures(spec)]
    if spec in MORE:
        style = MORE[spec]
        save(network, folder / f"{spec}-{style}", style=style)
        parts += [f"In the style `{style}`:", *_figures(f"{spec}-{style}")]
    parts.append("\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in _facts(spec, network))]))
    parts.append(f"## The spec\n\n`specs/{spec}.net`:\n\n```{{code-block}} net\n:class: drawn-above\n\n{text}```")
    parts.append(f"## Layer by layer\n\n{_folded('netc summary', str(network.summary('md')))}")
    code = f"```python\n{network.source()}```"
    parts.append(f"## As Keras code\n\n{_folded('netc compile', code)}")
    return "\n\n".join(parts) + "\n"


def _head(network: netc.Network) -> str:
    """What the spec says of itself above its first statement, with links to papers."""
    file = network.program.file
    above: list[Comment] = []
    for comment in file.comments:
        if comment.span.start > file.statements[0].span.start:
            break
        above.append(comment)
    said = " ".join(comment.text.strip() for comment in above)
    return _ARXIV.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", said.replace("*", "\\*").replace("<", "&lt;"))


def _figures(name: str) -> list[str]:
    return [f"```{{image}} {name}-{theme}.svg\n:class: only-{theme} figure\n```" for theme in THEMES]


def _style(network: netc.Network) -> str:
    """How a network is drawn where there is little room: as volumes, where it is one path of maps."""
    net = network.net
    path = all(len(net.operands(node.name)) <= 1 for node in net)
    return "volumes" if path and len(net) <= CARD and len(net.shapes[net.inputs[0]]) == 3 else "auto"


def _facts(spec: str, network: netc.Network) -> list[tuple[str, str]]:
    shapes, net, total = network.shapes, network.net, network.cost.total
    equal = next((what for names, what, _ in FUNCTIONS if spec in names.split(" with ")[0].split(", ")), "")
    return [
        ("input", ", ".join(show_shape(shapes[name]) for name in net.inputs)),
        ("output", ", ".join(show_shape(shapes[name]) for name in net.outputs)),
        ("layers", f"{len(net):,}"),
        ("trainable parameters", f"{total.trainable:,}"),
        ("multiply-accumulates for one sample", human(total.macs)),
        *([("equals", equal)] if equal else []),
    ]


def _card(spec: str, network: netc.Network) -> str:
    total = network.cost.total
    count = f"{human(total.trainable)} parameters" + (f", {human(total.macs)} MACs" if total.macs else "")
    shown = pictures(f"{PICTURES}/{spec}")
    return f'<a class="card" href="{spec}.html">{shown}<b>{title(spec)}</b><span>{count}</span></a>\n'


def _folded(title: str, content: str) -> str:
    return f"<details><summary><code>{title}</code></summary>\n\n{content}\n\n</details>"
