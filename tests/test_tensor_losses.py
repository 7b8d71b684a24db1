"""Losses of tensors: of an output without a target, and of embeddings among each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import netc
from netc.cli import main

np = pytest.importorskip("numpy")
keras = pytest.importorskip("keras")
pytest.importorskip("sklearn")
from netc.targets.keras.custom_training import TripletLoss  # noqa: E402 - imports Keras
from netc.targets.numpy.run import run  # noqa: E402


def triplet(labels: Any, x: Any, margin: float, mining: str) -> float:
    """Both papers in loops over single embeddings."""
    square = [[sum((p - q) ** 2 for p, q in zip(one, other, strict=True)) for other in x] for one in x]
    terms = []
    for a, class_ in enumerate(labels):
        same = [n for n, other in enumerate(labels) if other == class_ and n != a]
        apart = [n for n, other in enumerate(labels) if other != class_]
        if not same or not apart:
            continue
        if mining == "batch_hard":
            furthest, nearest = (f(square[a][n] ** 0.5 for n in some) for f, some in ((max, same), (min, apart)))
            terms.append(max(0, furthest - nearest + margin))
            continue
        for p in same:
            beyond = [square[a][n] for n in apart if square[a][n] > square[a][p]]
            terms.append(max(0, square[a][p] - (min(beyond) if beyond else max(square[a][n] for n in apart)) + margin))
    return sum(terms) / max(len(terms), 1)


@pytest.mark.parametrize("mining", ["semi_hard", "batch_hard"])
@pytest.mark.parametrize("labels", [[0, 1, 0, 2, 1, 1, 0], [0, 1, 2], [4, 4, 4], [3]])
def test_triplets_are_those_of_the_papers(labels: list[int], mining: str) -> None:
    import tensorflow as tf

    x = np.random.default_rng(len(labels)).normal(size=(len(labels), 3)).astype("float32") / 2
    loss = TripletLoss(0.3, mining)
    assert float(loss(np.array(labels), x)) == pytest.approx(triplet(labels, x, 0.3, mining), rel=1e-5)
    same = tf.constant(np.repeat(x[:1], len(labels), 0))  # where distances are 0 their root has no slope
    for given in (tf.constant(x), same):
        with tf.GradientTape() as tape:
            tape.watch(given)
            value = loss(np.array(labels), given)
        assert np.isfinite(tape.gradient(value, given)).all()


SPEC = """input 6x6x1
conv 4x3 relu; flatten
code: fc 3
kl: abs
from code
recon: fc 1
output recon kl

data "some.npz"
train {
    loss mse of=recon
    loss value of=kl weight=0.5
    optimizer adam lr=0.01
    batch 16
    epochs 2
    seed 3
}
"""


def test_the_mean_of_an_output_is_trained_with_no_target(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw = np.random.default_rng(0)
    x, recon = draw.random((48, 6, 6, 1), "float32"), draw.random((48, 1), "float32")
    np.savez(tmp_path / "some.npz", input1=x, recon=recon)
    (tmp_path / "some.net").write_text(SPEC)
    assert main(["train", str(tmp_path / "some.net"), "--out", str(tmp_path / "run")]) == 0
    capsys.readouterr()
    assert main(["evaluate", str(tmp_path / "run"), "--data", str(tmp_path / "some.npz"), "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    network = netc.load(tmp_path / "some.net")
    made = run(network.program.net, network.weights(tmp_path / "run"), {"input1": x})
    kl, error = np.abs(made["kl"]).mean(), ((made["recon"] - recon) ** 2).mean()
    assert (found["kl_loss"], found["recon_loss"]) == pytest.approx((kl, error), rel=1e-4)
    assert found["loss"] == pytest.approx(error + 0.5 * kl, rel=1e-4)


def test_embeddings_of_digits_find_their_neighbours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """After two passes the nearest image of the training set has the class of one that was kept, nearly always."""
    from netc.data import prepare

    spec = tmp_path / "digits.net"
    spec.write_text(
        "input 8x8x1\nconv 16x3 relu; conv 16x3/2 relu; fc 16\ndata digits { validation 0.2 }\n"
        "train { loss triplet margin=1; optimizer adam lr=0.003; batch 64; epochs 4 }\n"
    )
    assert main(["train", str(spec), "--out", str(tmp_path / "run")]) == 0
    network = netc.load(spec)
    data = prepare(network.program, seed=0, batch=64)
    assert data.validation is not None
    assert data.validation.labels is not None

    def embedded(stream: Any) -> tuple[Any, Any]:
        weights = network.weights(tmp_path / "run")
        (name,), pairs = network.program.net.inputs, [*stream.batches().as_numpy_iterator()]
        batches = [run(network.program.net, weights, {name: x}).popitem()[1] for x, _ in pairs]
        return np.concatenate(batches), np.concatenate([labels for _, labels in pairs])

    (known, classes), (kept, truth) = embedded(data.train), embedded(data.validation)
    nearest = ((kept[:, None] - known[None]) ** 2).sum(-1).argmin(1)
    assert (classes[nearest] == truth).mean() > 0.95


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ("loss value; metrics accuracy", "NET407"),
        ("loss triplet; metrics accuracy", "NET407"),
        ("loss triplet; class_weights balanced", "NET407"),
    ],
)
def test_what_no_label_can_be_compared_with_is_refused(lines: str, code: str) -> None:
    with pytest.raises(netc.SpecError, match=code):
        netc.loads(f"input 8x8x1\ngap; fc 4\ntrain {{ {lines}; optimizer adam }}")
