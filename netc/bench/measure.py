"""Rows measured side by side: each has a process, which has turns among those of the same batch."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

from netc import needs
from netc.bench.accuracy import Judge, Labelled
from netc.bench.process import IMAGES, Ended, Process, environment
from netc.bench.rows import Row
from netc.bench.statistics import FEWEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.ir.weights import Weights
    from netc.program import Program

SEED = 0  # of the noise that is run, and of the order of turns
MOST_CALLS = 10_000  # in a turn
TOO_LONG = 2  # times the seconds of a row: what would take more has fewer turns

Tell = Callable[[str, int, int], None]  # what is done, and how much of how much


@dataclass(frozen=True, slots=True)
class Plan:
    """How long each row is measured: about so many `seconds`, in so many `rounds`, a turn in each; and the `threads`
    that it may use, each engine's own choice unless given."""

    seconds: float = 3.0
    rounds: int = 20
    threads: int | None = None


def measure(
    program: Program,
    weights: Weights,
    rows: Sequence[Row],
    plan: Plan,
    tell: Tell,
    labelled: Labelled | None = None,
) -> str:
    """Fill the rows in: what was measured stays in them when this is interrupted. Open sizes of the program have to be
    numbers by now. With `labelled` images they are judged by these too: on which, or why not, in words.

    Those of one batch are started one after the other, then have their turns, in an order that changes from round to
    round. One that dies says so in its row, and the others go on.
    """
    from netc.targets.keras.weights import write  # noqa: PLC0415 - imports NumPy

    with TemporaryDirectory(prefix="netc-bench-") as name:
        folder = Path(name)
        (folder / "program").write_bytes(pickle.dumps(program))
        write(folder / "weights.safetensors", program.net, weights)
        batches = dict.fromkeys(row.case.batch for row in rows)
        said = ""
        for batch in batches:
            with ExitStack() as stack:
                together = _Together(folder, plan, tell, [row for row in rows if row.case.batch == batch])
                together.measure(program, batch, stack)
                if labelled is not None and batch == max(batches):
                    said = together.judge(program, labelled)
        for row in rows:  # whatever the batch, an engine in a precision is as accurate
            alike = [one.accuracy for one in rows if one.case.alike(row.case) and one.accuracy is not None]
            row.accuracy = row.accuracy if row.accuracy is not None or not row.times else next(iter(alike), None)
        return said


@dataclass(slots=True)
class _Running:
    """A row whose process is there."""

    row: Row
    process: Process
    calls: int = 1  # in a turn
    every: int = 1  # it has a turn in every so many rounds


class _Together:
    """The rows of one batch."""

    def __init__(self, folder: Path, plan: Plan, tell: Tell, rows: Sequence[Row]) -> None:
        self._folder, self._plan, self._tell, self._rows = folder, plan, tell, rows
        self._running: list[_Running] = []
        self._expected: dict[str, NDArray[Any]] | None = None

    def measure(self, program: Program, batch: int, stack: ExitStack) -> None:
        """Start them, give them turns, and ask the rest."""
        import numpy  # noqa: PLC0415

        from netc.targets.noise import noise  # noqa: PLC0415

        given: dict[str, Any] = noise(program.net, batch, SEED)
        numpy.savez(self._folder / "inputs.npz", **given)
        for row in self._rows:
            self._tell(f"batch {batch}: starting {row.case.engine}", 0, self._plan.rounds)
            running = _Running(row, stack.enter_context(Process(environment(self._plan.threads))))
            self._running.append(running)
            self._step(running, self._start)
        for number in range(self._plan.rounds):
            self._tell(f"batch {batch}", number, self._plan.rounds)
            order = [running for running in self._running if number % running.every == 0]
            Random(f"{SEED} {number}").shuffle(order)
            for running in order:
                self._step(running, partial(self._turn, number))
        for running in list(self._running):
            self._step(running, self._finish)

    def judge(self, program: Program, labelled: Labelled) -> str:
        """Give each the same images, and count what is right."""
        judge = Judge.of(program)
        if not self._running:
            return ""
        if judge is None:
            return "no accuracy: the first output has no classes"
        try:
            needs.require("accuracy", *needs.READING)
            with Process(environment(None), IMAGES) as images:
                return self._judge(program, judge, labelled, images)
        except (Ended, ModuleNotFoundError) as error:
            return f"no accuracy: {error}"

    def _judge(self, program: Program, judge: Judge, labelled: Labelled, images: Process) -> str:
        import numpy  # noqa: PLC0415

        paths = {name: str(self._folder / f"{name}.npz") for name in ("inputs", "answers")}
        labels = str(self._folder / "labels.npy")
        (self._folder / "images").write_bytes(pickle.dumps((program, labelled)))
        batch = self._rows[0].case.batch
        images.tell({"images": str(self._folder / "images"), "batch": batch, "labels": labels, **paths})
        there = images.hear()
        whole = min(there["images"], labelled.most)
        right = [0.0] * len(self._rows)
        for seen in range(0, whole, batch):
            self._tell(f"accuracy on {there['part']} images", seen, whole)
            images.tell({})
            images.hear()
            wanted = numpy.load(labels)[: whole - seen]
            for running in [one for one in self._running if one.row.case.answers]:
                self._step(running, partial(self._answer, paths))
                if running in self._running:
                    with numpy.load(paths["answers"]) as held:
                        right[self._rows.index(running.row)] += judge.right(held[judge.output], wanted)
        for running in (one for one in self._running if one.row.case.answers):
            running.row.accuracy = right[self._rows.index(running.row)] / whole
        few = f"the first {whole:,} of {there['images']:,}" if whole < there["images"] else f"{whole:,}"
        return f"accuracy is of {few} {there['part']} images"

    @staticmethod
    def _answer(paths: Mapping[str, str], running: _Running) -> None:
        running.process.tell({"do": "answer", **paths})
        running.process.hear()

    def _step(self, running: _Running, do: Callable[[_Running], None]) -> None:
        """Do something with a process; one that ends has had its last turn."""
        try:
            do(running)
        except Ended as error:
            running.row.error = str(error)
            self._running.remove(running)

    def _start(self, running: _Running) -> None:
        row, process, plan = running.row, running.process, self._plan
        process.tell(self._job(row))
        row.name = process.hear()["name"]
        row.first = perf_counter() - process.begun
        call = process.hear()["call"]
        row.difference = self._difference()
        turn = plan.seconds / plan.rounds
        running.calls = min(max(round(turn / call), 1), MOST_CALLS)
        if call * plan.rounds > TOO_LONG * plan.seconds:
            running.every = max(plan.rounds // FEWEST, 1)

    def _job(self, row: Row) -> Mapping[str, Any]:
        case, folder = row.case, self._folder
        return {
            "make": case.make,
            "engine": case.engine,
            "precision": case.precision,
            "batch": case.batch,
            "threads": self._plan.threads,
            "program": str(folder / "program"),
            "weights": str(folder / "weights.safetensors"),
            "inputs": str(folder / "inputs.npz"),
            "answers": str(folder / "answers.npz"),
        }

    def _difference(self) -> float:
        """How far the answers are from the first ones."""
        import numpy  # noqa: PLC0415

        from netc.targets.proof import difference  # noqa: PLC0415

        with numpy.load(self._folder / "answers.npz") as held:
            answers = dict(held)
        if self._expected is None:
            self._expected = answers
        return max(difference(answers[name], array) for name, array in self._expected.items())

    def _turn(self, number: int, running: _Running) -> None:
        running.process.tell({"do": "turn", "calls": running.calls})
        answer = running.process.hear()
        running.row.times[number] = answer["times"]
        running.row.memory = answer["memory"]

    def _finish(self, running: _Running) -> None:
        running.process.tell({"do": "size"})
        running.row.size = running.process.hear()["size"]
