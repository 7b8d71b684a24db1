"""How soon an editor is answered: `python -m benchmarks.edit` (`pip install 'netc[lsp]'`).

A server of its own is talked to as an editor does, over standard input and output. Each key writes another digit into
a number of units, so that every version of the text works. Times are of one run on one machine: read the ratios. Those
by the clock say something on an idle machine alone; CPU time a key, all that the server does for it, changes less with
other work. It measures and judges nothing: the exit code is 0.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import psutil
from lsprotocol import types
from pygls.lsp.client import LanguageClient

from benchmarks.check import LINES
from netc.compiler import compile_source, judge
from netc.report.table import plain
from netc.syntax.source import Source

SPECS = Path(__file__).resolve().parent.parent / "specs"
WARM = 10  # keys before those that count
TARGETS = {"key to findings": 0.1, "figure": 0.15}  # seconds, p95, on two cores that have nothing else to do


def long_spec(lines: int) -> str:
    """A spec of so many lines, all of which run."""
    return "input 32x32x3\n" + "".join(f"{LINES[at % len(LINES)]}\n" for at in range(lines - 1))


class Session:
    """A server, and a text that is open in it."""

    def __init__(self) -> None:
        self.client = LanguageClient("netc-benchmark", "1")
        self.told: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self.uri = "file:///benchmark/spec.net"
        self.version = 0

        @self.client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: types.PublishDiagnosticsParams) -> None:
            self.told.put_nowait(params)

    async def start(self) -> None:
        """Begin."""
        await self.client.start_io(sys.executable, "-m", "netc", "lsp")
        await self.client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
        server: Any = self.client._server
        self.process = psutil.Process(server.pid)

    async def open(self, text: str) -> None:
        """Open a text, and wait for what there is to say of it."""
        self.version += 1
        document = types.TextDocumentItem(self.uri, "netc", self.version, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(document))
        await self.findings()

    def change(self, text: str) -> None:
        """Write something else."""
        self.version += 1
        whole = types.TextDocumentContentChangeWholeDocument(text)
        document = types.VersionedTextDocumentIdentifier(self.version, self.uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(document, [whole]))

    async def findings(self) -> None:
        """Wait for those of the last version."""
        while (await self.told.get()).version != self.version:
            pass

    async def figure(self) -> None:
        """Have the figure drawn."""
        await self.client.protocol.send_request_async("netc/figure", {"textDocument": {"uri": self.uri}})

    def cpu(self) -> float:
        """CPU seconds of the server so far."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    async def stop(self) -> None:
        """End."""
        await self.client.shutdown_async(None)
        self.client.exit(None)
        await self.client.stop()


async def typed(
    session: Session, text: str, operation: str, keys: int, *, drawn: bool = False
) -> tuple[list[float], float]:
    """Seconds from each key, in the first number of layers of an operation, to its findings, or from those to its
    figure if `drawn`; and the server's CPU seconds a key, for all of it."""
    random = Random(0)
    await session.open(text)
    times, begun = [], 0.0
    places = [found.start(1) for found in re.finditer(rf"^ *{operation} (\d)", text, re.MULTILINE)]
    for key in range(keys + WARM):
        if key == WARM:
            begun = session.cpu()
        at = random.choice(places)
        start = time.perf_counter()
        session.change(text[:at] + str(1 + key % 9) + text[at + 1 :])
        await session.findings()
        if drawn:
            start = time.perf_counter()
            await session.figure()
        if key >= WARM:
            times.append(time.perf_counter() - start)
    used = (session.cpu() - begun) / keys
    session.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(session.uri)))
    return times, used


def load(text: str) -> float:
    """CPU seconds of one whole check in a process that has checked before."""
    taken = []
    for _ in range(12):
        start = time.process_time()
        judge(compile_source(Source("spec.net", text)))
        taken.append(time.process_time() - start)
    return statistics.median(taken[2:])


def row(name: str, what: str, times: Sequence[float], cpu: float, whole: float) -> tuple[str, ...]:
    """What was measured, beside what was hoped for."""
    p95 = statistics.quantiles(times, n=20)[-1]
    shown = (statistics.median(times), p95, TARGETS[what])
    return (name, what, *(f"{1000 * one:.0f} ms" for one in shown), f"{1000 * cpu:.0f} ms", f"{cpu / whole:.1f}")


async def measured(keys: int) -> list[tuple[str, ...]]:
    """All rows."""
    session, rows = Session(), []
    await session.start()
    for name, text, operation in (
        ("500 lines", long_spec(500), "conv"),
        ("resnet.net", (SPECS / "resnet.net").read_text(encoding="utf-8"), "fc"),  # ResNet-32
        ("vgg16.net", (SPECS / "vgg16.net").read_text(encoding="utf-8"), "fc"),
    ):
        whole = load(text)
        rows.append(row(name, "key to findings", *await typed(session, text, operation, keys), whole))
        if name != "500 lines":
            rows.append(row(name, "figure", *await typed(session, text, operation, keys, drawn=True), whole))
    await session.stop()
    return rows


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description="How soon an editor is answered.")
    parser.add_argument("--keys", type=int, default=100, help="how many are measured (100)")
    options = parser.parse_args()
    head = ("text", "measured", "median", "p95", "target", "CPU a key", "of a whole check")
    print(plain(head, asyncio.run(measured(options.keys)), (False, False, True, True, True, True, True)), end="")


if __name__ == "__main__":
    main()
