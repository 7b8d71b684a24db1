"""`netc import`: a model of another program as a spec, with its weights beside it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from netc import files
from netc.cli.endings import CLEAN, Failed, UsageError, refusing
from netc.cli.options import add, add_compiling
from netc.cli.output import STDIO, emit, reason, say, tell
from netc.cli.running import load_all, modelling, need

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from netc.ir.weights import Weights
    from netc.lift.lifting import Lifted
    from netc.lift.source import Imported

TEXT, WEIGHTS = ".net", ".safetensors"

DESCRIPTION = "Write a model of Keras, ONNX, Darknet or Caffe as a spec, proved to be the same, with its weights."
EXAMPLES = f"""\
examples:
  netc import resnet50.keras                    writes resnet50.net and resnet50{WEIGHTS} to the current directory
  netc import resnet50.onnx -o nets/resnet.net --verify
  netc import model.json -o -                   prints the spec
  netc import yolov3.cfg                        a text of Darknet, or of Caffe (.prototxt), has no weights
  netc import old.h5 --weights-only resnet50.net -o resnet50{WEIGHTS}     for a spec that is there already

Blocks become definitions, and what comes again `repeat`s, with names from the model's own. The text is compiled again
and has to be the model's network node by node; --flat writes one statement a layer. What of a model is no network of
netc is refused, all of it at once, and nothing is written; what only training knows is left out, and named in the
spec's head. Nothing in a model is run, unless --verify has its own program compute it on noise beside NumPy.

exit codes: 0 written, 1 a model that netc cannot say exactly, that is broken, or that computes something else, 2 wrong
use, or a file that cannot be opened or written"""


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    endings = ".keras, .h5, .json of Keras, .onnx, .cfg of Darknet, .prototxt of Caffe"
    command.add_argument("file", metavar="FILE", help=f"a model: {endings}")
    command.add_argument("-o", "--output", metavar="OUT", help=f"where to: OUT{TEXT}; `-` prints the spec alone")
    command.add_argument("--name", metavar="N", help="of the network (the model's, or that of the file)")
    command.add_argument("--flat", action="store_true", help="one statement a layer, under the model's names")
    command.add_argument("--verify", action="store_true", help="run the model in its own program, and compare")
    command.add_argument(
        "--weights-only",
        metavar="SPEC",
        help=f"write the weights for a spec of the same network, as OUT{WEIGHTS}; -D and the like are the spec's",
    )
    command.add_argument(
        "--without-preprocessing",
        action="store_true",
        help="leave out Keras' `Rescaling` and `Normalization`, which `data` says",
    )
    command.add_argument("--force", action="store_true", help="replace files that are there")
    add(command, "--stdin-filename")
    add_compiling(command)


def run(options: argparse.Namespace) -> int:
    """Write the spec and the weights; 1 for a model that is refused, broken, or another network."""
    from netc.targets import importing  # noqa: PLC0415 - for a right command line

    path = Path(options.file)
    with refusing(ValueError):
        need("import", importing.needed(path))
    if options.weights_only and (options.flat or options.name or options.verify):
        raise UsageError("--weights-only writes no spec: --flat, --name and --verify are for one")
    if options.verify and options.without_preprocessing:
        raise UsageError("--verify compares the whole model, and --without-preprocessing leaves a part of it out")
    if options.name == "":
        raise UsageError("--name needs a name")
    if not options.weights_only and (options.overrides or options.stdin_filename):
        raise UsageError("-D and --stdin-filename are for the spec of --weights-only")
    if options.without_preprocessing and not importing.is_keras(path):
        raise UsageError("--without-preprocessing is for models of Keras, which has layers for it")
    left_out = {"preprocessing": False} if options.without_preprocessing else {}
    out = _output(options, path)
    with modelling(options.file):
        found = importing.read(path, **left_out)
        if options.name:
            found.net.name = options.name
        if options.weights_only:
            return _weights_only(options, found, out)
        made = importing.spec(found, path.name, flat=options.flat)
        _tell(found, made)
        weights = _verified(path, found, made) if options.verify else None
        if out is None:
            if found.weights is not None:
                say(f"the weights are not written: -o OUT{TEXT} has a place for them")
            emit(made.text)
            return CLEAN
        if weights is None and found.weights is not None:
            weights = importing.renamed(found.weights(), made.names, made.program.net)
        contents = {out: made.text.encode("utf-8", "backslashreplace")}
        if weights is not None and found.weights is not None:
            from netc.targets.keras.weights import content  # noqa: PLC0415 - arrays are there

            contents[_beside(out)] = content(_beside(out), made.program.net, weights)
    _write(contents)
    return CLEAN


def _output(options: argparse.Namespace, path: Path) -> Path | None:
    """Where to; None for standard output. Raises `UsageError` for what may not be replaced."""
    suffix = WEIGHTS if options.weights_only else TEXT
    if options.output == STDIO and not options.weights_only:
        return None
    named = Path(options.weights_only) if options.weights_only else path
    out = Path(options.output) if options.output else Path(named.stem + suffix)
    if out.suffix != suffix:
        raise UsageError(f"got `{out}`, expected a name that ends in {suffix}")
    for place in (out,) if options.weights_only else (out, _beside(out)):
        for one in (path, *([Path(options.weights_only)] if options.weights_only else [])):
            if place.exists() and one.exists() and os.path.samefile(place, one):
                raise UsageError(f"`{place}` is read by this command: -o and another name keep it")
        if place.is_file() and not options.force:
            raise UsageError(f"`{place}` is there: --force replaces it, -o and another name keep it")
    if not os.path.isdir(os.path.dirname(os.path.realpath(out))):
        raise UsageError(f"cannot write `{out}`: there is no folder of that name")
    return out


def _beside(out: Path) -> Path:
    return out.with_suffix(WEIGHTS)


def _tell(found: Imported, made: Lifted) -> None:
    """What there is to know of the spec."""
    from netc.analysis.cost import measure  # noqa: PLC0415

    total = measure(made.program.net).total
    say(f"read {len(found.net)} layers with {total.parameters:,} parameters")
    for what, sentences in (("left out", found.left_out), ("note", found.remarks)):
        for one in sentences:
            say(f"{what}: {one}")
    if made.flat_because:
        say(made.flat_because)


def _verified(path: Path, found: Imported, made: Lifted) -> Weights:
    """The weights with which the model and the spec compute the same."""
    from netc.targets.importing import source_engine  # noqa: PLC0415
    from netc.targets.proof import prove  # noqa: PLC0415

    with refusing(ModuleNotFoundError, option="--verify"):
        weights, engine = source_engine(path, found, made)
    if found.weights is None:
        say("the model has no weights: both get random ones of seed 0")
    tell(prove(made.program, weights, engine).text())
    return weights


def _weights_only(options: argparse.Namespace, found: Imported, out: Path | None) -> int:
    """Write the weights for a spec, whose network is that of the model."""
    from netc.lift.aligned import aligned, computed  # noqa: PLC0415
    from netc.lift.proof import NotTheNetwork  # noqa: PLC0415
    from netc.targets.importing import renamed  # noqa: PLC0415
    from netc.targets.keras.weights import content  # noqa: PLC0415

    if found.weights is None:
        raise UsageError(f"`{options.file}` has no weights")
    (program,) = load_all(options, [options.weights_only])
    try:
        names = aligned(found.net, program.net, computed)
    except NotTheNetwork as error:
        say(f"netc: {options.weights_only} is another network than {options.file}: {error}")
        raise Failed from None
    assert out is not None
    _write({out: content(out, program.net, renamed(found.weights(), names, program.net))})
    return CLEAN


def _write(contents: Mapping[Path, bytes]) -> None:
    """Write files that belong together, all or none."""
    places: Sequence[Path] = list(contents)
    try:
        files.replace_all(contents)
    except OSError as error:
        raise UsageError(f"cannot write `{places[0]}`: {reason(error)}") from None
    for place, content in contents.items():
        lines = f"{sum(1 for line in content.splitlines() if line.strip()):,} lines"
        say(f"wrote {place}: {lines if place.suffix == TEXT else f'{len(content):,} bytes'}")
