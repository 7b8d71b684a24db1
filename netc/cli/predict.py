"""`netc predict`: classes of images, or the features that a layer sees in them."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from netc.cli import CLEAN, ERRORS, UsageError
from netc.cli.evaluate import add_weights, trained
from netc.cli.options import add_colour, add_compiling
from netc.cli.output import emit, say
from netc.cli.running import need_tensorflow

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netc.train.predict import Prediction

_EXAMPLES = """\
examples:
  netc predict runs/flowers rose.jpg tulip.jpg
  netc predict runs/flowers photos/ --top 1 --format csv > classes.csv
  netc predict runs/flowers rose.jpg --layer fc7 -o features.npz
  netc predict vgg16.net --weights vgg16_weights_tf_dim_ordering_tf_kernels.h5 elephant.jpg

--layer writes an .npz with `features` (images x the layer's shape) and `files`; numpy.load reads it."""

PICTURES = (".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp")


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    command.description = "The most probable classes of images, by a trained network."
    command.epilog = _EXAMPLES
    command.add_argument("file", metavar="RUN|FILE", help="the folder of a run, or a spec with --weights")
    command.add_argument("images", nargs="+", metavar="IMAGE", help="image files, or folders of them")
    add_weights(command)
    command.add_argument("--top", metavar="K", type=int, default=5, help="how many classes (5)")
    command.add_argument("--layer", metavar="NAME", help="write the output of this layer, by label or name")
    command.add_argument("-o", "--output", metavar="OUT", default="features.npz", help="where --layer writes to")
    command.add_argument("--format", choices=("text", "json", "csv"), default="text")
    add_colour(command)
    add_compiling(command)


def run(options: argparse.Namespace) -> int:
    """Print the classes, or write the features; 1 for errors of images or weights."""
    from netc.cli.training import tried  # noqa: PLC0415

    need_tensorflow("predict")
    if options.top < 1:
        raise UsageError(f"got --top {options.top}, expected at least 1")
    return tried(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    from netc.train.predict import features, predict  # noqa: PLC0415 - for a right command line

    images = list(_files(options.images))
    opened = trained(options)
    if opened is None:
        return ERRORS
    program, weights, record, statistics = opened
    if options.layer:
        made = features(program, weights, images, options.layer, statistics=statistics)
        _write(Path(options.output), made, images)
        say(f"wrote {options.output}: {' x '.join(map(str, made.shape))}")
        return CLEAN
    classes = record.get("classes", ())
    found = predict(program, weights, images, classes=classes, statistics=statistics, top=options.top)
    {"text": _text, "json": _json, "csv": _csv}[options.format](found)
    return CLEAN


def _files(given: list[str]) -> Iterable[Path]:
    for text in given:
        path = Path(text)
        if not path.is_dir():
            yield path
            continue
        inside = sorted(one for one in path.iterdir() if one.suffix.lower() in PICTURES)
        if not inside:
            raise UsageError(f"there are no images in {path}")
        yield from inside


def _text(found: Iterable[Prediction]) -> None:
    for one in found:
        classes = "  ".join(f"{name} {share:.1%}" for name, share in one.classes)
        emit(f"{one.image}  {classes}\n")


def _json(found: Iterable[Prediction]) -> None:
    said = [{"image": str(one.image), "classes": [[name, share] for name, share in one.classes]} for one in found]
    emit(json.dumps(said, indent=1) + "\n")


def _csv(found: Iterable[Prediction]) -> None:
    from netc.report.table import comma_separated  # noqa: PLC0415

    rows = [
        [str(one.image), str(rank), name, f"{p:.6f}"] for one in found for rank, (name, p) in enumerate(one.classes, 1)
    ]
    emit(comma_separated(["image", "rank", "class", "probability"], rows))


def _write(path: Path, features: object, images: list[Path]) -> None:
    import numpy  # noqa: PLC0415 - comes with TensorFlow

    from netc.train.checkpoint import replacing  # noqa: PLC0415

    with replacing(path) as file:
        numpy.savez(file, features=features, files=numpy.array([str(image) for image in images]))  # type: ignore[arg-type]
