"""`netc export`: a network with its weights as a file that other programs run."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from netc import needs
from netc.cli.endings import CLEAN, UsageError, refusing
from netc.cli.options import add, add_compiling, real, whole
from netc.cli.output import STDIO, keep, reason, say, tell
from netc.cli.running import inputs, load, need
from netc.cli.training import add_trained, telling, trained
from netc.files import only_holds
from netc.precision import FULL, MAX_DROP, NEEDS
from netc.targets.exporting import FOLDERS, SUFFIXES, exported, places, save, suffix_of, unlike_keras

if TYPE_CHECKING:
    from collections.abc import Mapping

    from netc.ir.weights import Weights
    from netc.precision.export import Source
    from netc.program import Program

DESCRIPTION = "Write a network with its weights as a file that other programs run, once it is proved to be the network."
EXAMPLES = """\
examples:
  netc export runs/flowers -o flowers.onnx                   what a run came to
  netc export resnet50.net -D bias=true --weights resnet50.h5 -o resnet50.onnx
  netc export resnet.net -D n=9 --random-weights 0 -o r.onnx  to measure how fast it is
  netc export runs/flowers -o flowers.xml                    for OpenVINO, with flowers.bin
  netc export runs/flowers -o flowers.tflite                 for LiteRT, on phones
  netc export runs/flowers -o flowers.safetensors            its weights alone
  netc export runs/flowers -o small.onnx --precision int8 --max-drop 0.5

The ending says what is written: .onnx (onnxruntime, OpenVINO, TensorRT), .xml with .bin (OpenVINO), .keras,
.savedmodel (a folder, for TensorFlow Serving), .tflite (LiteRT), or weights as .weights.h5, .safetensors, .npz. A model
is read back by the engine that it is for (an ONNX file by onnxruntime, once it is checked), run, and compared with
NumPy before it is written; where the two differ, the first layer that does is named with its line, and nothing is
written.

With --precision, a run promises what fewer bits cost: its metric (accuracy, unless `train` names another) falls by at
most --max-drop percentage points on images kept from training. Layers return to float32, most harmful first, until that
holds; where it holds with none left, nothing is written. The test images are looked at once, afterwards. A spec without
a run is held to a tolerance on noise in fp16 and bf16; int8 needs a run. bf16 is proved in OpenVINO."""

_PRECISION = "bits of an .onnx file: float32, or fewer, with a promise of what they cost"
_MAX_DROP = f"by how many percentage points the run's metric may fall ({MAX_DROP:g})"


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_trained(command)
    command.add_argument("-o", "--output", metavar="OUT", required=True, help=f"where to: {', '.join(SUFFIXES)}")
    command.add_argument(
        "--random-weights",
        metavar="SEED",
        type=whole(0, 2**32 - 1),
        help="random weights in place of trained ones, always the same for a seed",
    )
    command.add_argument("--precision", choices=tuple(NEEDS), default=FULL, help=_PRECISION)
    command.add_argument("--max-drop", metavar="POINTS", type=real(0, 100), help=_MAX_DROP)
    command.add_argument("--data", metavar="PATH|NAME", help="where the run's images are now, for --precision")
    add(command, "--force")
    add_compiling(command)


@telling()
def run(options: argparse.Namespace) -> int:
    """Write the file; 1 for weights that do not fit, and for a file that would not be the network."""
    path = Path(options.output)
    with refusing(ValueError, option="-o"):
        suffix = suffix_of(path)
    need("export", SUFFIXES[suffix])
    if not os.path.isdir(os.path.dirname(os.path.realpath(path))):
        raise UsageError(f"cannot write `{path}`: there is no folder of that name")
    _look_at_precision(options, suffix)
    program, weights, more, source = _given(options)
    if suffix in (".onnx", ".xml"):
        for op, what in unlike_keras(program.net).items():
            say(f"`{op}` is as published in the file, and weights that Keras trained met another one: {what}")
    try:
        if options.precision == FULL:
            contents, proof = exported(program, weights, path, more)
        else:
            from netc.precision.export import exported as narrowed  # noqa: PLC0415 - brings ONNX

            most = MAX_DROP if options.max_drop is None else options.max_drop
            content, proof = narrowed(program, weights, options.precision, source, most, more)
            contents = {suffix: content}
        written, removed = save(path, contents)
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {reason(error)}") from None
    tell(proof)
    for place, size in written:
        say(f"wrote {place}: {size:,} bytes")
    for place in removed:
        say(f"removed {place}: it belonged to the old {path.name}")
    return CLEAN


def _look_at_precision(options: argparse.Namespace, suffix: str) -> None:
    """Raises `UsageError` for options that do not go together."""
    from netc.train.run import is_run  # noqa: PLC0415

    precision, run = options.precision, is_run(options.file)
    if precision == FULL:
        if options.max_drop is not None or options.data is not None:
            raise UsageError("--max-drop and --data are for --precision bf16, fp16 or int8")
        return
    if suffix != ".onnx":
        raise UsageError(f"--precision {precision} is for .onnx, and -o says {suffix}")
    if not run and (options.max_drop is not None or options.data is not None):
        raise UsageError("--max-drop and --data are for a run: a spec has no metric and no images to hold it to")
    if not run and precision == "int8":
        from netc.precision.export import NO_RUN  # noqa: PLC0415

        raise UsageError(NO_RUN)
    need(f"--precision {precision}", (*NEEDS[precision], *(needs.READING if run else ())))


def _given(options: argparse.Namespace) -> tuple[Program, Weights, Mapping[str, str], Source | None]:
    """The program, its weights, what the file says besides, and where the images of a run are."""
    from netc.ir.weights import random_weights  # noqa: PLC0415 - for a right command line
    from netc.train.run import is_run  # noqa: PLC0415
    from netc.train.weights import read_from  # noqa: PLC0415

    alone = options.file == STDIO or not Path(options.file).is_dir()
    if options.random_weights is not None:
        if options.weights or not alone:
            raise UsageError("--random-weights is for a spec without --weights; a run has its own")
        program = load(options)
        _keep(options, inputs(program))
        say(f"the weights are random, of seed {options.random_weights}: nothing was learnt")
        return program, random_weights(program.net, options.random_weights), {}, None
    if alone and not options.weights and not is_run(options.file):
        raise UsageError("a spec needs --weights, or --random-weights SEED for some that are not trained")
    program, path, record, statistics = trained(options)
    _keep(options, [*inputs(program), path])
    weights, found = read_from(path, program.net)
    tell(found.text())
    classes = list(record.classes) if record and record.classes else None
    more = {} if classes is None else {"classes": json.dumps(classes)}
    if record is None or options.precision == FULL:
        return program, weights, more, None
    from netc.precision.export import Source  # noqa: PLC0415

    return program, weights, more, Source(options.data or record.data, statistics, record.seed)


def _keep(options: argparse.Namespace, read: list[str | os.PathLike[str]]) -> None:
    path = Path(options.output)
    for place in places(path):
        keep(str(place), read, force=options.force)
    if inside := FOLDERS.get(suffix_of(path)):
        try:
            only_holds(path, inside if options.force else ())
        except OSError as error:
            advice = "" if options.force else ": --force replaces a SavedModel, -o and another name keep it"
            raise UsageError(f"cannot write `{path}`: {reason(error)}{advice}") from None
