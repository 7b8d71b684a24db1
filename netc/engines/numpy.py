"""NumPy: slow and plain, the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from netc.engines.running import EngineError
from netc.rewrites.inference import rewritten
from netc.targets.numpy.run import run as computed

if TYPE_CHECKING:
    from netc.engines.running import Arrays, Run
    from netc.ir.weights import Weights
    from netc.program import Program


def prepare(program: Program, weights: Weights, batch: int | None, threads: int | None) -> tuple[str, Run]:
    """Name and version, and the function of batches."""
    if threads is not None:
        raise EngineError("NumPy takes its number of threads when it is loaded: set OMP_NUM_THREADS")
    net, held = rewritten(program.net, weights)

    def run(inputs: Arrays) -> Arrays:
        with np.errstate(all="ignore"):  # as all other engines
            return computed(net, held, inputs)

    return f"NumPy {np.__version__}", run
