"""The figures of the README, made anew: `python -m tools.gallery docs/figures` in the repository's folder."""

from __future__ import annotations

import sys
from pathlib import Path

import netc
from netc.figures.drawing import Drawing

GALLERY = {
    "vgg16-volumes.svg": ("volumes", ["vgg16"]),
    "unet.svg": ("auto", ["unet"]),
    "resnet32.svg": ("graph", ["resnet32"]),
    "vgg-table.svg": ("table", ["vgg-a", "vgg-a-lrn", "vgg-b", "vgg-c", "vgg16", "vgg19"]),
}


def write(folder: Path) -> None:
    """Write all figures into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, (style, specs) in GALLERY.items():
        programs = tuple(netc.load(f"specs/{spec}.net").program for spec in specs)
        Drawing(programs, style).save(folder / name)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
