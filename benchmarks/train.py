"""Images a second of the training loop, beside `model.fit` on the same model and data: python -m benchmarks.train

Both run in one process, a few steps each in turn, so that what else the machine does slows both alike. The ratio is
of the medians. `--precision bfloat16` for mixed precision; `--spec` and `--batch` for another network.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from netc.compiler import compile_source
from netc.sections.base import Clock
from netc.sections.override import parse_setting
from netc.syntax.source import Source
from netc.train.normalise import fused
from netc.train.steps import Steps
from netc.train.trainee import Trainee

ROOT = Path(__file__).parents[1]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--spec", default=str(ROOT / "specs/resnet-cifar.net"))
    options.add_argument("--batch", type=int, default=128)
    options.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    options.add_argument("--steps", type=int, default=6, help="steps in a round")
    options.add_argument("--rounds", type=int, default=5)
    chosen = options.parse_args()
    loop, fit = loop_and_fit(chosen.spec, chosen.batch, chosen.precision)
    for run in (loop, fit):
        run(2)
    speeds: dict[str, list[float]] = {"netc": [], "fit": []}
    for _ in range(chosen.rounds):
        for name, run in (("netc", loop), ("fit", fit)):
            speeds[name].append(chosen.batch * chosen.steps / run(chosen.steps))
    medians = {name: statistics.median(found) for name, found in speeds.items()}
    for name, found in speeds.items():
        print(f"{name:5} {medians[name]:8,.0f} images/s  ({', '.join(f'{one:,.0f}' for one in found)})")
    print(f"ratio {medians['netc'] / medians['fit']:.2f}  ({Path(chosen.spec).stem}, {chosen.precision})")


def loop_and_fit(path: str, batch: int, precision: str) -> tuple[Callable[[int], float], Callable[[int], float]]:
    """Two functions that take so many steps and return the seconds: netc's steps, and Keras' own `fit`."""
    changes = [parse_setting(f"train.batch={batch}"), parse_setting(f"train.precision={precision}")]
    program = compile_source(Source(path, Path(path).read_text()), changes=changes)
    net = program.net
    generator = np.random.default_rng(0)
    shape, classes = net.shapes[net.inputs[0]], net.shapes[net.outputs[0]][-1]
    images = generator.random((4 * batch, *shape), np.float32)
    labels = np.eye(classes, dtype=np.float32)[generator.integers(0, classes, 4 * batch)]
    batches = tf.data.Dataset.from_tensor_slices((images, labels)).batch(batch).repeat().prefetch(2)

    ours = Trainee(program, Clock(100, 1000), 0, tf.distribute.get_strategy())
    steps, iterator = Steps(ours), iter(batches)

    def loop(count: int) -> float:
        begun = time.perf_counter()
        steps.train(iterator, count)
        float(ours.training.loss.result())
        return time.perf_counter() - begun

    with fused(ours.model):  # where the functions are traced
        steps.train(iterator, 1)
        steps.train(iterator, 2)
    theirs = Trainee(program, Clock(100, 1000), 0, tf.distribute.get_strategy())
    model: Any = theirs.model
    model.compile(
        optimizer=theirs.optimizer, loss=theirs.heads[0].loss, metrics=theirs.training.metrics[net.outputs[0]]
    )

    class Timer(tf.keras.callbacks.Callback):  # type: ignore[misc, name-defined]
        """The time between the first and the last step: starting `fit` costs some of its own."""

        def on_train_batch_end(self, index: int, logs: object = None) -> None:
            self.times = [*getattr(self, "times", []), time.perf_counter()]

    def fit(count: int) -> float:
        timer = Timer()
        model.fit(batches, steps_per_epoch=count + 1, verbose=0, callbacks=[timer])
        return float(timer.times[-1] - timer.times[0])

    return loop, fit


if __name__ == "__main__":
    main()
