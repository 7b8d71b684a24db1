"""`netc evaluate`: loss and metrics of a run, or of a spec with weights."""

from __future__ import annotations

import argparse
import json

from netc import needs
from netc.cli.endings import CLEAN
from netc.cli.options import add_compiling
from netc.cli.output import emit
from netc.cli.running import need
from netc.cli.training import add_engine, add_trained, installed, telling, trained
from netc.diagnostics.escape import harmless

DESCRIPTION = "Loss and metrics of trained weights, as the `train` section names them."
EXAMPLES = """\
examples:
  netc evaluate runs/digits                              on its test images, else those kept for validation
  netc evaluate runs/digits --weights best               the best checkpoint instead of the end
  netc evaluate runs/flowers --data ~/other --on all     on all images of another folder
  netc evaluate vgg16.net --weights vgg16.weights.h5 --data ~/imagenet/val
  netc evaluate runs/digits --engine onnxruntime         what the network is worth there

TensorFlow runs it as training does. Other engines run it in float32, and losses and metrics are those of their outputs:
TensorFlow reads the images for them, and computes these."""

_ON = "which images: the first there are; `all` of a folder, whatever `validation` of the spec keeps"


def configure(command: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_trained(command)
    command.add_argument("--data", metavar="PATH|NAME", help="other images than the run's")
    command.add_argument("--on", choices=("test", "validation", "train", "all"), help=_ON)
    command.add_argument("--format", choices=("text", "json"), default="text")
    add_engine(command, "tensorflow")
    add_compiling(command)


@telling()
def run(options: argparse.Namespace) -> int:
    """Print what was found; 1 for errors of spec, data, weights or run."""
    need("evaluate", needs.READING)
    from netc.train.evaluate import ALL, evaluate  # noqa: PLC0415 - for a right command line

    name = installed(options.engine)
    program, weights, record, statistics = trained(options)
    found = evaluate(
        program,
        weights,
        data=options.data or (record and record.data),
        part=options.on,
        statistics=statistics,
        seed=record.seed if record else 0,
        engine=name,
    )
    if options.format == "json":
        said = {"on": found.part, "images": found.images, "weights": str(found.weights)}
        said |= {"engine": found.engine, **found.values}
        emit(json.dumps(said, indent=1) + "\n")
        return CLEAN
    from netc.train.progress import quantities  # noqa: PLC0415

    part = "" if found.part == ALL else f"{found.part} "
    emit(f"{quantities(found.values)}  ({found.images:,} {part}images, {harmless(str(found.weights))})\n")
    return CLEAN
