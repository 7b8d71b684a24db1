"""The specs that netc ships, exported to ONNX without the softmax at their ends, which would hide what differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import netc
from tools.models import Made

SPECS = Path("specs")
NAMES = tuple(sorted(path.stem for path in SPECS.glob("*.net")))


def make(name: str, folder: Path) -> Made:
    """A spec with random weights of seed 0 as an ONNX file."""
    import onnx  # noqa: PLC0415 - for those who have it

    from netc.ir.weights import random_weights  # noqa: PLC0415
    from netc.targets.onnx.model import model  # noqa: PLC0415
    from netc.targets.proof import without_softmax  # noqa: PLC0415

    program = netc.load(SPECS / f"{name}.net").program
    program = replace(program, net=without_softmax(program.net))
    path = folder / f"{name}.onnx"
    onnx.save(model(program, random_weights(program.net, 0)).proto, path)
    return Made(path)
