"""The specs that netc ships, exported to ONNX."""

from __future__ import annotations

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

    program = netc.load(SPECS / f"{name}.net").program
    path = folder / f"{name}.onnx"
    onnx.save(model(program, random_weights(program.net, 0)).proto, path)
    return Made(path)
