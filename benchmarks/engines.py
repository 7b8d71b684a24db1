"""How fast networks run from netc's ONNX files, beside Keras and beside tf2onnx's files of the same Keras models, and
whether the goals of docs/execution.md are met: `python -m benchmarks.engines`.

Every row is a process of its own, one works at a time, and each has a turn in every round (`netc.bench`): read the
ratios. All have the same random weights and the same noise; OpenVINO computes in float32. It judges nothing: the exit
code is 0. Name networks, or `predict` for `netc predict` of one image in whole processes, to measure those alone;
`--seconds` a row, `--rounds` and `--threads` are as in `netc bench`.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import netc
from netc.bench.machine import Machine
from netc.bench.measure import Plan, measure
from netc.bench.report import Report
from netc.bench.rows import Case, Row
from netc.bench.statistics import Ratio, ratio
from netc.bench.subjects import KERAS, Given, Subject, available
from netc.engines import NAMES
from netc.report.table import plain

SPECS = Path(__file__).resolve().parent.parent / "specs"
NETWORKS = {"resnet32": (1, 32), "resnet50": (1, 8), "vgg16": (1, 8)}
FILES = "NETC_BENCHMARK_FILES"  # the folder of the ONNX files
OPEN, FIXED = "open batch", "fixed batch"
OURS, THEIRS = "netc", "tf2onnx"
ENGINES = {"onnxruntime": (OPEN, FIXED), "OpenVINO": (FIXED, OPEN)}
SEED = 0
COLD = "predict"  # the name of what is measured in whole processes

# In a process of its own, as it imports TensorFlow: the Keras model of a network with its weights, through tf2onnx.
CONVERT = """
import sys, netc
from netc.ir.weights import random_weights
from netc.targets.keras.build import assign
spec, seed, batch, out = sys.argv[1:]
network = netc.load(spec)
model = network.to_keras()
assign(model, random_weights(network.net, int(seed)))
import tensorflow as tf, tf2onnx
batch = int(batch) or None
signature = [tf.TensorSpec((batch, *network.shapes[name]), tf.float32, name=name) for name in network.net.inputs]
tf2onnx.convert.from_function(tf.function(lambda *x: model(list(x) if len(x) > 1 else x[0], training=False)),
    input_signature=signature, opset=18, output_path=out)
"""


@cache
def converted(name: str, batch: int | None, folder: Path) -> str:
    """Write tf2onnx's file; why there is none, in a line. For VGG-16 it takes more than 22 GB."""
    path = folder / f"{THEIRS}-{name}-{batch or OPEN}.onnx"
    if path.exists():
        return ""
    line = [sys.executable, "-c", CONVERT, str(SPECS / f"{name}.net"), str(SEED), str(batch or 0), str(path)]
    done = subprocess.run(line, check=False, capture_output=True, text=True)
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it failed"])[-1]


def from_file(given: Given) -> Subject:
    """An ONNX file in an engine, called as its users call it: `netc, onnxruntime, open batch`."""
    origin, engine, batch = given.engine.split(", ")
    size = given.batch if batch == FIXED else None
    path = Path(os.environ[FILES]) / f"{origin}-{given.program.name}-{size or OPEN}.onnx"
    if origin == OURS:
        _write(given, size, path)
    made = _onnxruntime(path, given.threads) if engine == "onnxruntime" else _openvino(path, size, given.threads)
    return Subject(f"{given.engine} ({made[0]})", partial(_renamed, given.program.net.outputs, made[1]), _size(path))


def _renamed(names: Sequence[str], run: Any, inputs: Mapping[str, Any]) -> dict[str, Any]:
    return dict(zip(names, run(inputs), strict=True))


def _size(path: Path) -> Callable[[], int]:
    return lambda: path.stat().st_size


def _write(given: Given, batch: int | None, path: Path) -> None:
    """netc's file. With a fixed batch it is the same model, in which the open size is a number."""
    from netc.targets.onnx.model import model  # noqa: PLC0415

    proto = model(given.program, given.weights).proto
    if batch is not None:
        for value in (*proto.graph.input, *proto.graph.output):
            value.type.tensor_type.shape.dim[0].dim_value = batch
    path.write_bytes(proto.SerializeToString())


def _onnxruntime(path: Path, threads: int | None) -> tuple[str, Any]:
    import onnxruntime  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(inputs: Mapping[str, Any]) -> Any:
        return session.run(None, dict(inputs))

    return f"onnxruntime {onnxruntime.__version__}", run


def _openvino(path: Path, batch: int | None, threads: int | None) -> tuple[str, Any]:
    import openvino  # noqa: PLC0415

    core = openvino.Core()
    model = core.read_model(path)
    if batch is not None:
        model.reshape({port.any_name: [batch, *list(port.partial_shape)[1:]] for port in model.inputs})
    pinned = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    pinned |= {"INFERENCE_NUM_THREADS": str(threads)} if threads else {}
    request = core.compile_model(model, "CPU", pinned).create_infer_request()

    def run(inputs: Mapping[str, Any]) -> Any:
        made = request.infer(dict(inputs))
        return [made[output] for output in range(len(model.outputs))]

    return f"OpenVINO {openvino.__version__.partition('-')[0]}", run


# -- rows ----------------------------------------------------------------------------------------------------


def cases(name: str, batch: int) -> list[Case]:
    """The rows of a network at a batch; the large ones have only those batches that each engine is best with."""
    origins = [OURS, *([THEIRS] if find_spec("tf2onnx") else [])]
    found = [
        Case(f"{origin}, {engine}, {kind}", batch, "benchmarks.engines:from_file")
        for engine, kinds in ENGINES.items()
        for kind in (kinds if name == "resnet32" else kinds[:1])
        for origin in origins
    ]
    return found + [Case(engine, batch) for engine in KERAS if find_spec("tensorflow")]


def measured(name: str, plan: Plan) -> Report:
    """All rows of a network."""
    from netc.ir.weights import random_weights  # noqa: PLC0415 - imports NumPy, which the cold processes do not count

    program = netc.load(SPECS / f"{name}.net").program
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FILES] = folder
        for batch in NETWORKS[name]:
            here = [Row(case) for case in cases(name, batch)]
            for row in here:
                if row.case.engine.startswith(THEIRS):
                    fixed = row.case.engine.endswith(FIXED)
                    row.error = converted(name, batch if fixed else None, Path(folder))
            fine = [row for row in here if not row.error]
            measure(program, random_weights(program.net, SEED), fine, plan, _tell)
            rows += here
    weights = f"random weights of seed {SEED}"
    return Report(f"{name}, {len(program.net)} layers", weights, rows, plan, Machine.this(), {})


def _tell(what: str, done: int, whole: int) -> None:
    if done == 0:
        print(f"{what} ...", file=sys.stderr, flush=True)


# -- goals ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Goal:
    """How many times as long one row takes as another: at `least`, by the median, or at `most`, where the interval
    holds that or lies below it."""

    work: str
    what: str
    found: Ratio | None
    least: float | None = None
    most: float | None = None

    def row(self) -> tuple[str, str, str, str, str]:
        """What the table says of it."""
        wanted = f">= {self.least:g}" if self.least else f"<= {self.most:g}" if self.most else ""
        if self.found is None:
            return self.work, self.what, wanted, "not measured", ""
        median = self.found.median
        low, high = self.found.interval or (median, median)
        met = low <= self.most if self.most else median >= self.least if self.least else None
        words = {True: "met", False: "not met", None: ""}[met]
        return self.work, self.what, wanted, f"{median:.3g} ({low:.3g} to {high:.3g})", words


def goals(name: str, rows: Sequence[Row]) -> Iterator[Goal]:
    """What is wanted of a network, with what was found."""
    for batch in NETWORKS[name]:
        here = [row for row in rows if row.case.batch == batch and row.times]
        work = f"{name}, batch {batch}"
        for engine in ENGINES:
            pair = (_best(here, f"{origin}, {engine}") for origin in (OURS, THEIRS))
            yield Goal(work, f"netc / tf2onnx, in {engine}", _ratio(*pair), most=1)
        ours, theirs = (_best(here, origin) for origin in (OURS, THEIRS))
        yield Goal(work, "netc / tf2onnx, each in its best engine", _ratio(ours, theirs), most=1)
        for call in KERAS:
            least = 50 if (name, batch, call) == ("resnet32", 1, "keras.predict") else None
            yield Goal(work, f"{call} / netc in its best engine", _ratio(_best(here, call, exact=True), ours), least)
        if batch == 1 and name != "vgg16":
            pair = (_best(here, f"{origin}, onnxruntime, {OPEN}") for origin in (THEIRS, OURS))
            least = 1.1 if name == "resnet32" else None
            yield Goal(work, "tf2onnx / netc, in onnxruntime, open batch", _ratio(*pair), least)


def _best(rows: Sequence[Row], start: str, *, exact: bool = False) -> Row | None:
    """The fastest of the rows whose names begin so, or are so."""
    fitting = [row for row in rows if (row.case.engine == start if exact else row.case.engine.startswith(start))]
    return min(fitting, key=lambda row: row.median or 0, default=None)


def _ratio(one: Row | None, other: Row | None) -> Ratio | None:
    return ratio(one.times, other.times) if one and other else None


# -- the cold process ----------------------------------------------------------------------------------------

# Memory is asked of a process whose parent is small: Linux counts what the parent had when it forked.
TIMED = """
import os, sys, time
start = time.perf_counter()
unheard = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=unheard)
_, status, usage = os.wait4(child, 0)
seconds, unit = time.perf_counter() - start, 1 if sys.platform == "darwin" else 1024
print(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6, status)
"""
BARE = """
import sys, numpy, onnxruntime
from PIL import Image
image = numpy.asarray(Image.open("a.png"), numpy.float32)[None] / 255
session = onnxruntime.InferenceSession("a.onnx", providers=["CPUExecutionProvider"])
print(session.run(None, {sys.argv[1]: image})[0].argmax())
"""
SECONDS, MEGABYTES = 0.4, 120  # the goal


def cold_predictions(rounds: int) -> list[tuple[str, str, str, str, str]]:
    """`netc predict` of one image, whole processes in turn: seconds, those of them that processors worked for it, and
    the most megabytes."""
    spec = (SPECS / "resnet32.net").read_text().partition("\ndata ")[0]  # statistics would be those of a run
    name = netc.loads(spec).net.inputs[0]
    predict = [sys.executable, "-m", "netc", "predict", "a.net", "--weights", "w.safetensors", "a.png", "--engine"]
    lines = {f"netc predict --engine {engine}": [*predict, engine] for engine in NAMES if _installed(engine)}
    lines["onnxruntime and Pillow alone, on the exported file"] = [sys.executable, "-c", BARE, name]
    times: dict[str, list[float]] = {line: [] for line in lines}
    work: dict[str, list[float]] = {line: [] for line in lines}
    most = dict.fromkeys(lines, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.net").write_text(spec)
        for words in (
            ["-m", "netc", "export", "a.net", "--random-weights", str(SEED), "-o", "w.safetensors"],
            ["-m", "netc", "export", "a.net", "--random-weights", str(SEED), "-o", "a.onnx"],
            ["-c", "from PIL import Image; Image.linear_gradient('L').resize((32, 32)).convert('RGB').save('a.png')"],
        ):
            subprocess.run([sys.executable, *words], check=True, cwd=folder, capture_output=True, env=_environment())
        for _ in range(rounds + 1):  # the first is for what the disk holds
            for line, command in lines.items():
                seconds, worked, megabytes = _cold(command, folder)
                times[line].append(seconds)
                work[line].append(worked)
                most[line] = max(most[line], megabytes)
    found = []
    for line in lines:
        values = times[line][1:]
        wanted = line == f"netc predict --engine {NAMES[0]}"
        met = statistics.median(values) <= SECONDS and most[line] <= MEGABYTES
        found.append(
            (
                "one image, cold",
                line,
                f"<= {SECONDS} s, <= {MEGABYTES} MB" if wanted else "",
                f"{statistics.median(values):.2f} s ({min(values):.2f} to {max(values):.2f}), "
                f"{statistics.median(work[line][1:]):.2f} s of processors, {most[line]:.0f} MB",
                ("met" if met else "not met") if wanted else "",
            )
        )
    return found


def _installed(engine: str) -> bool:
    try:
        return bool(available("tf.function" if engine == "tensorflow" else engine))
    except ModuleNotFoundError:
        return False


def _environment() -> dict[str, str]:
    """Compiled as pip leaves it, and netc from here wherever the process is."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(SPECS.parent), "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}


def _cold(command: Sequence[str], folder: str) -> tuple[float, float, float]:
    """Seconds, those of processors, and the most megabytes."""
    line = [sys.executable, "-I", "-S", "-c", TIMED, *command]
    done = subprocess.run(line, check=True, cwd=folder, capture_output=True, text=True, env=_environment())
    seconds, worked, megabytes, status = done.stdout.split()
    if int(status):
        raise SystemExit(f"{' '.join(command)} failed: {done.stderr.strip()}")
    return float(seconds), float(worked), float(megabytes)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("networks", nargs="*", help=f"of {', '.join((*NETWORKS, COLD))} (all)")
    options.add_argument("--seconds", type=float, default=6.0)
    options.add_argument("--rounds", type=int, default=30)
    options.add_argument("--threads", type=int, help="of each row: 1 where other programs have the processors too")
    chosen = options.parse_args()
    if unknown := set(chosen.networks) - {*NETWORKS, COLD}:
        options.error(f"there is no {', '.join(sorted(unknown))}")
    plan, found = Plan(chosen.seconds, chosen.rounds, chosen.threads), []
    for name in [name for name in NETWORKS if name in (chosen.networks or NETWORKS)]:
        report = measured(name, plan)
        print(report.render("text"), flush=True)
        found += [goal.row() for goal in goals(name, report.rows)]
    if not chosen.networks or COLD in chosen.networks:
        found += cold_predictions(chosen.rounds)
    print(plain(("work", "time of", "goal", "measured (95 %)", ""), found, (False, False, True, True, False)), end="")


if __name__ == "__main__":
    main()
