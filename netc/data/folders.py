"""Folders of images, and lists of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from netc.data.errors import BROKEN, CLASSES, MISSING, SHAPE, Finding, bounded, shown, unfit
from netc.data.files import Files, Reading
from netc.data.pictures import mask
from netc.data.sources import Collection, Part, numbered, whole
from netc.ir.shape import show_shape
from netc.storage.memory import affordable

PARTS = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid"),
    "test": ("test", "testing"),
}
IGNORED = frozenset({"thumbs.db", "desktop.ini", "__macosx", "@eadir"})  # what systems leave in folders of images
LARGEST_LIST = 1 << 28  # bytes
UNPACKED = 8  # times as many bytes a list takes while it is read
IMAGES, MASKS = "images", "masks"
MASKED = "`images` and `masks` side by side, with files of the same names"
LAYOUT = "a folder for each class with its images, or such folders in `train`, `validation` and `test`"
_LINE = re.compile(r'(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>\S+(?:\s+\S+)*))\s+(?P<class>\S+)')


def read_folder(folder: Path, reading: Reading) -> Collection:
    """A folder with a folder for each class, maybe in folders for training, validation and testing."""
    inside = list(_entries(folder))
    by_part = {
        part: entry
        for part, names in PARTS.items()
        for entry in inside
        if entry.name.lower() in names and entry.is_dir()
    }
    if "train" not in by_part:
        if _has_masks(inside):
            return Collection((), _with_masks({"train": folder}, reading)["train"])
        classes, paths, labels = _classes(folder)
        return Collection(classes, whole(Files.at(paths, reading), labels))
    others = [entry for entry in inside if entry not in by_part.values()]
    if others:
        raise bounded([Finding(BROKEN, f"{shown(entry.path)} stands beside `train`", (LAYOUT,)) for entry in others], 1)
    if _has_masks(_entries(by_part["train"].path)):
        parts = _with_masks({part: Path(entry.path) for part, entry in by_part.items()}, reading)
        return Collection((), parts["train"], parts.get("validation"), parts.get("test"))
    classes, paths, labels = _classes(Path(by_part["train"].path))
    counts = {"train": len(paths)}
    for part in ("validation", "test"):
        if part in by_part:
            _, more, its_labels = _classes(Path(by_part[part].path), classes)
            counts[part] = len(more)
            paths += more
            labels = np.concatenate([labels, its_labels])
    everything, start, parts = whole(Files.at(paths, reading), labels), 0, {}
    for part, count in counts.items():
        parts[part] = everything.at(np.arange(start, start + count))
        start += count
    return Collection(classes, parts["train"], parts.get("validation"), parts.get("test"))


Found = tuple[tuple[str, ...], list[str], "np.ndarray[tuple[int], np.dtype[np.int64]]"]


def _classes(folder: Path, known: tuple[str, ...] = ()) -> Found:
    """Class names in order, the paths of all images, and the class number of each. Raises `Unfit`."""
    entries = sorted(_entries(folder), key=lambda entry: entry.name)
    folders = [entry for entry in entries if entry.is_dir()]
    astray = [entry.path for entry in entries if not entry.is_dir()]
    if not folders:
        what = f"holds {len(astray):,} files and no folders of classes" if astray else "is empty"
        raise unfit(MISSING, f"{shown(folder)} {what}", f"expected {LAYOUT}")
    if astray:
        findings = [Finding(BROKEN, f"{shown(path)} lies in no folder of a class", (LAYOUT,)) for path in astray]
        raise bounded(findings, len(astray))
    names = known or tuple(entry.name for entry in folders)
    unknown = [entry for entry in folders if entry.name not in names]
    if unknown:
        message = f"{shown(unknown[0].path)} is a class without images for training"
        raise unfit(CLASSES, message, f"classes are {', '.join(map(shown, names[:10]))}{' ...' * (len(names) > 10)}")
    if len(names) < 2:
        raise unfit(CLASSES, f"{shown(folder)} holds one class alone, {shown(names[0])}", f"expected {LAYOUT}")
    number = {name: index for index, name in enumerate(names)}
    paths: list[str] = []
    labels: list[int] = []
    for entry in folders:
        found = sorted(_files(entry.path))
        if not found and not known:
            raise unfit(MISSING, f"the class {shown(entry.path)} has no images", "remove the folder, or fill it")
        paths += found
        labels += [number[entry.name]] * len(found)
    if not paths:
        raise unfit(MISSING, f"{shown(folder)} has no images", f"expected {LAYOUT}")
    return names, paths, np.asarray(labels, np.int64)


def _has_masks(entries: Iterable[os.DirEntry[str]]) -> bool:
    return {entry.name for entry in entries if entry.is_dir()} >= {IMAGES, MASKS}


def _with_masks(folders: Mapping[str, Path], reading: Reading) -> dict[str, Part]:
    """Images with a mask each, the file of the same name without its ending, as the parts of one set."""
    pairs: list[tuple[str, str]] = []
    counts = {}
    for part, folder in folders.items():
        found, masks = ({Path(path).stem: path for path in sorted(_files(str(folder / at)))} for at in (IMAGES, MASKS))
        alone = sorted(found.keys() ^ masks.keys())
        if alone:
            what = "mask" if alone[0] in found else "image"
            path = {**found, **masks}[alone[0]]
            findings = [Finding(BROKEN, f"{shown(path)} has no {what} of its name", (f"expected {MASKED}",))]
            raise bounded(findings, len(alone))
        if not found:
            raise unfit(MISSING, f"{shown(folder / IMAGES)} has no images", f"expected {MASKED}")
        pairs += [(found[stem], masks[stem]) for stem in found]
        counts[part] = len(found)
    images = Files.at([image for image, _ in pairs], reading)
    if None in images.shape:
        some = " and ".join(show_shape(size) for size in (images.sizes[0], images.sizes[-1]))
        message = f"images with masks have one size, and these have several, such as {some}"
        raise unfit(SHAPE, message, "scale images and masks to one size")
    sizes = images.sizes[0]
    read = [mask(path, sizes) for _, path in pairs]
    whole_set = whole(images, np.stack(read))
    parts, start = {}, 0
    for part, count in counts.items():
        parts[part] = whole_set.at(np.arange(start, start + count))
        start += count
    return parts


def _entries(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    """What is in a folder, but for hidden files and what systems leave there."""
    try:
        with os.scandir(folder) as found:
            yield from (
                entry for entry in found if not entry.name.startswith(".") and entry.name.lower() not in IGNORED
            )
    except OSError as error:
        raise unfit(BROKEN, f"cannot read {shown(folder)}: {(error.strerror or 'unknown').lower()}") from None


def _files(folder: str) -> Iterator[str]:
    """All files below a folder; links are followed, in circles once."""
    waiting, seen = [folder], set()
    while waiting:
        here = waiting.pop()
        real = os.path.realpath(here)
        if real in seen:
            continue
        seen.add(real)
        for entry in _entries(here):
            if entry.is_dir():
                waiting.append(entry.path)
            else:
                yield entry.path


# -- lists -----------------------------------------------------------------------------------------------------


def read_list(path: Path, reading: Reading) -> Collection:
    """A text of lines `path class`: paths relative to it, in quotes where they need some; classes by number or name."""
    paths: list[str] = []
    classes: list[str] = []
    findings: list[Finding] = []
    try:
        if path.stat().st_size > (most := min(LARGEST_LIST, affordable() // UNPACKED)):
            raise unfit(BROKEN, f"{shown(path)} is larger than {most:,} bytes, and no list of images")
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError as error:
        raise unfit(BROKEN, f"cannot read {shown(path)}: {(error.strerror or 'unknown').lower()}") from None
    if "\0" in text:
        raise unfit(BROKEN, f"{shown(path)} is no text", "data are a folder, a list of `path class` lines, .npz or .h5")
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        match = _LINE.fullmatch(line.strip())
        where = f"{shown(path)}, line {number}"
        if match is None:
            findings.append(Finding(BROKEN, f"{where}: expected a path and a class", ('such as `"my cat.png" cat`',)))
            continue
        name = match["plain"] if match["quoted"] is None else re.sub(r"\\(.)", r"\1", match["quoted"])
        image = os.path.join(path.parent, name)
        if not os.path.isfile(image):
            findings.append(Finding(BROKEN, f"{where}: there is no file {shown(image)}"))
        paths.append(image)
        classes.append(match["class"])
    if findings:
        raise bounded(findings, len(lines))
    if not paths:
        raise unfit(MISSING, f"{shown(path)} is empty", "each line is a path and a class")
    names, labels = _numbered(classes)
    if len(names) < 2:
        raise unfit(CLASSES, f"{shown(path)} holds one class, {shown(names[0])}")
    return Collection(names, whole(Files.at(paths, reading), labels))


def _numbered(classes: list[str]) -> tuple[tuple[str, ...], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Names of classes and the number of each: as they stand where all are numbers, else in alphabetical order."""
    if all(each.isascii() and each.isdigit() and len(each) < 10 for each in classes):
        numbers = np.asarray([int(each) for each in classes], np.int64)
        return numbered(0, int(numbers.max())), numbers
    names = tuple(sorted(set(classes)))
    number = {name: index for index, name in enumerate(names)}
    return names, np.asarray([number[each] for each in classes], np.int64)
