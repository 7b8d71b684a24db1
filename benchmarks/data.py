"""How fast the input pipeline is, beside the training step that it feeds: `python -m benchmarks.data`.

CIFAR-10 in shape (random bytes, as speed does not see the difference), ResNet-20, batches of 128, centring, flips and
padded crops: the paper's recipe. Both are measured in one process, one after the other; read the ratio.
It measures and judges nothing: the exit code is 0.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import tensorflow as tf

import netc
from netc.data import prepare
from netc.report.table import plain

IMAGES, BATCH, SECONDS = 50_000, 128, 6.0
RECIPE = """
input 32x32x3
conv 16x3 bn relu init=he_normal
basicblock n=3 ch=16 shortcut="A"
basicblock n=3 ch=32 shortcut="A" downsample
basicblock n=3 ch=64 shortcut="A" downsample
gap
fc 10 softmax
data { STEPS }
train { loss categorical_crossentropy; optimizer momentum lr=0.1 }
"""
STEPS = {
    "center, flip, crop": "center per_pixel; flip horizontal; crop 32x32 pad=4",
    "and shift, rotate, cutout": "center per_pixel; flip; crop 32x32 pad=4; shift 0.1; rotate 15; cutout 8",
    "and jitter, blur, mixup": "jitter brightness=0.2 contrast=0.2 saturation=0.2 hue=0.1; blur 1; center; flip;"
    " crop 32x32 pad=4; mixup 0.2",
}


def rate(step: Callable[[], Any]) -> float:
    """Images a second of something that handles a batch."""
    for _ in range(5):
        step()
    start, done = time.perf_counter(), 0
    while time.perf_counter() - start < SECONDS:
        step()
        done += BATCH
    return done / (time.perf_counter() - start)


def main() -> None:
    """Measure and print a table."""
    generator = np.random.default_rng(0)
    source = (generator.integers(0, 256, (IMAGES, 32, 32, 3), dtype=np.uint8), np.arange(IMAGES) % 10)
    rates: dict[str, float] = {}
    for name, steps in STEPS.items():
        net = netc.loads(RECIPE.replace("STEPS", steps))
        stream = prepare(net.program, source=source, seed=0, batch=BATCH).train
        batches = iter(stream.endless())
        rates[name] = rate(lambda batches=batches: next(batches))  # type: ignore[misc]
    model = net.to_keras()
    model.compile("sgd", "categorical_crossentropy")
    images, labels = next(iter(stream.batches()))
    train = tf.function(lambda: model.train_step((images, labels)))
    step = rate(train)
    rows = [(f"{name}: images/s", "", f"{found:,.0f}") for name, found in rates.items()]
    rows.append(("training step of ResNet-20 alone: images/s", "", f"{step:,.0f}"))
    rows.append(("ratio of the paper's recipe to the step", ">= 5", f"{next(iter(rates.values())) / step:.1f}"))
    print(plain(("measured", "target", "result"), rows, (False, True, True)), end="")


if __name__ == "__main__":
    main()
