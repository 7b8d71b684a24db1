"""`netc predict`: classes of images, or the features that a layer sees in them."""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from netc import needs
from netc.cli.endings import CLEAN, UsageError
from netc.cli.options import add, add_compiling
from netc.cli.output import FEATURES, STDIO, emit, keep, say, tell, write
from netc.cli.running import named, need
from netc.cli.training import add_engine, add_trained, installed, telling, there, trained
from netc.diagnostics.escape import harmless
from netc.engines import AUTO

if TYPE_CHECKING:
    from collections.abc import Iterable

    from netc.train.predict import Prediction

DESCRIPTION = "The most probable classes of images, by a trained network."
EXAMPLES = """\
examples:
  netc predict runs/flowers rose.jpg tulip.jpg
  netc predict runs/flowers photos/ --top 1 --format csv > classes.csv
  netc predict runs/flowers rose.jpg --layer fc7 -o features.npz
  curl -s https://example.org/rose.jpg | netc predict runs/flowers -
  netc predict runs/flowers photos/ --engine openvino
  netc predict vgg16.net --weights vgg16_weights_tf_dim_ordering_tf_kernels.h5 elephant.jpg

--layer writes an .npz with `features` (images x the layer's shape) and `files`; numpy.load reads it."""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_trained(command)
    command.add_argument("images", nargs="+", metavar="IMAGE", help="image files, or folders of them; `-` reads one")
    command.add_argument("--top", metavar="K", type=int, default=5, help="how many classes (5)")
    command.add_argument("--layer", metavar="NAME", help="write the output of this layer, by label or name")
    command.add_argument(
        "-o", "--output", metavar="OUT", help="where --layer writes to (features.npz); `-` is standard output"
    )
    add(command, "--force")
    command.add_argument("--format", choices=("text", "json", "csv"), default="text")
    add_engine(command, AUTO)
    add_compiling(command)


@telling()
def run(options: argparse.Namespace) -> int:
    """Print the classes, or write the features; 1 for errors of images or weights."""
    need("predict", needs.PREDICTING)
    if options.top < 1:
        raise UsageError(f"got --top {options.top}, expected at least 1")
    if (options.output is not None or options.force) and not options.layer:
        raise UsageError("-o and --force go with --layer; classes are printed, to be sent to a file by `>`")
    options.output = options.output or "features.npz"
    name = installed(options.engine)
    from netc.train.predict import features, predict  # noqa: PLC0415 - for a right command line

    images = list(_given(options.images))
    if options.layer:
        if not Path(options.output).resolve().parent.is_dir():
            raise UsageError(f"cannot write `{options.output}`: there is no folder of that name")
        given = [image for image in images if isinstance(image, Path)]
        keep(options.output, [options.file, *filter(None, [options.weights]), *given], force=options.force)
    program, weights, record, statistics = trained(options)
    for image in images:
        if isinstance(image, Path):
            there(image)
    if record is None and program.sections.data is None:
        say("the spec has no `data` section: the network is given pixels from 0 to 1")
    usual = record.images.shape if record else None
    heard = tell if options.weights else None
    if options.layer:
        made = features(
            program, weights, images, options.layer, statistics=statistics, usual=usual, engine=name, heard=heard
        )
        write(options.output, _packed(made, images))
        to = "" if options.output == STDIO else f" {options.output}:"
        say(f"wrote{to} {' x '.join(map(str, made.shape))}")
        return CLEAN
    classes = record.classes if record else ()
    found = predict(
        program,
        weights,
        images,
        classes=classes,
        statistics=statistics,
        usual=usual,
        top=options.top,
        engine=name,
        heard=heard,
    )
    {"text": _text, "json": _json, "csv": _csv}[options.format](found)
    return CLEAN


def _given(texts: list[str]) -> Iterable[Path | bytes]:
    """The images that are named: files, those of folders, and the bytes of standard input."""
    from netc.data.pictures import SUFFIXES  # noqa: PLC0415 - imports Pillow

    texts = named(texts)
    if texts.count(STDIO) > 1:
        raise UsageError("`-` stands twice, and standard input holds one image")
    for text in texts:
        path = Path(text)
        if text == STDIO:
            yield sys.stdin.buffer.read()
        elif path.is_dir():
            inside = sorted(one for one in path.iterdir() if one.suffix.lower() in SUFFIXES)
            if not inside:
                raise UsageError(f"there are no images in {path}: none of its files ends in {', '.join(SUFFIXES)}")
            yield from inside
        else:
            yield path


def _called(image: object) -> str:
    return STDIO if isinstance(image, bytes) else str(image)


def _text(found: Iterable[Prediction]) -> None:
    for one in found:
        classes = "  ".join(f"{name} {share:.1%}" for name, share in one.classes)
        emit(harmless(f"{_called(one.image)}  {classes}") + "\n")


def _json(found: Iterable[Prediction]) -> None:
    said = [
        {
            "image": _called(one.image),
            "classes": [[name, share] for name, share in one.classes],
            "engine": one.engine,
        }
        for one in found
    ]
    emit(json.dumps(said, indent=1) + "\n")


def _csv(found: Iterable[Prediction]) -> None:
    from netc.report.table import comma_separated  # noqa: PLC0415

    rows = [
        [_called(one.image), str(rank), name, f"{p:.6f}"]
        for one in found
        for rank, (name, p) in enumerate(one.classes, 1)
    ]
    emit(comma_separated(["image", "rank", "class", "probability"], rows))


def _packed(features: object, images: Iterable[Path | bytes]) -> bytes:
    """An .npz in memory."""
    import numpy  # noqa: PLC0415 - the text of a command is read without

    held = io.BytesIO()
    names = numpy.array(list(map(_called, images)))
    numpy.savez(held, **dict(zip(FEATURES, (features, names), strict=True)))  # type: ignore[arg-type]
    return held.getvalue()
