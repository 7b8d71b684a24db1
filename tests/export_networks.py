"""Random networks exported as ONNX, many of them: how many files are invalid, and how many compute something else.

python -m tests.export_networks 10000
python -m tests.export_networks 500 --seed 7

Networks are drawn, and counted with what they are after each of their statements and with open sizes, as far as netc
takes that. Each with random weights goes the way of `netc export`: `onnx.checker`, then onnxruntime against NumPy. What fails is
printed, as a spec, and the last line says how it went. A file that is invalid or differs ends with 1.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from zlib import crc32

from hypothesis import HealthCheck, Phase, given, seed, settings

from netc.ir.weights import random_weights
from netc.program import Program
from netc.targets.errors import ExportError, Unproved
from netc.targets.exporting import exported
from tests.random_networks import compiled, networks, opened

PART = 100  # networks that are drawn together; progress is told after each part


@dataclass
class Tally:
    """What came of the networks so far."""

    seen: set[str] = field(default_factory=set)
    drawn: int = 0
    open: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    grouped: int = 0
    exact_gelu: int = 0
    found: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    worst: float = 0.0
    started: float = field(default_factory=time.monotonic)

    def text(self) -> str:
        reasons = "; ".join(f"{count} {reason}" for reason, count in self.refused.most_common())
        return (
            f"{len(self.seen):,} networks ({self.drawn:,} drawn, {self.open:,} of open sizes, {self.grouped:,} with a grouped convolution, "
            f"{self.exact_gelu:,} with an exact gelu, {len(self.operations)} operations): "
            f"{self.found['invalid']} invalid files, {self.found['differs']} differences, {self.found['crash']} crashes, "
            f"{self.refused.total()} refused{f' ({reasons})' * bool(reasons)}; {time.monotonic() - self.started:.0f} s"
        )

    def add(self, text: str, program: Program) -> None:
        """Export one network."""
        self.seen.add(text)
        self.open += any(None in shape for shape in program.net.shapes.values())
        layers = [node.layer for node in program.net]
        self.operations.update({layer.op for layer in layers})
        self.grouped += any(getattr(layer, "groups", 1) > 1 for layer in layers)
        self.exact_gelu += any(
            (layer.op == "gelu" and not layer.approximate) or getattr(layer, "act", "") == "gelu" for layer in layers
        )
        try:
            exported(program, random_weights(program.net, crc32(text.encode())), Path("random.onnx"))
        except Unproved as error:
            self.refused[str(error)] += 1
        except ExportError as error:
            self._fault("invalid" if "refuses the model" in str(error) else "differs", str(error), text)
        except Exception:
            self._fault("crash", traceback.format_exc(), text)

    def _fault(self, kind: str, said: str, text: str) -> None:
        self.found[kind] += 1
        print(f"--- {kind}\n{said}\n{text}", flush=True)


def forms(text: str) -> Iterator[str]:
    """A text with open sizes, and what comes first of it, as far as lines go."""
    yield opened(text)
    lines = text.splitlines(keepends=True)
    body = next(place for place, line in enumerate(lines) if "input " in line) + 2
    for end in range(body, len(lines)):
        yield "".join(lines[:end])


def export(tally: Tally, wanted: int, number: int) -> None:
    """Draw a part of the networks, fewer where some come twice, until there are as many as are wanted."""

    @seed(number)
    @settings(
        max_examples=PART,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(networks())
    def add(text: str) -> None:
        if len(tally.seen) < wanted and text not in tally.seen:
            tally.drawn += 1
            for one in (text, *forms(text)):
                program = compiled(one)
                if program is not None and one not in tally.seen and len(tally.seen) < wanted:
                    tally.add(one, program)

    add()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", type=int, help="how many, no two alike")
    parser.add_argument("--seed", type=int, default=0, help="which ones (0)")
    options = parser.parse_args()
    tally, parts = Tally(), count(1000 * options.seed)
    while len(tally.seen) < options.networks:
        export(tally, options.networks, next(parts))
        print(tally.text(), file=sys.stderr, flush=True)
    print(tally.text())
    return int(tally.found.total() > 0)


if __name__ == "__main__":
    sys.exit(main())
