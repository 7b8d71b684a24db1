"""Where training runs: one device, all devices of a machine, or several machines (`tf.distribute`)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from netc.train.stopping import handlers_kept

MIRRORED, MULTIWORKER = "mirrored", "multiworker"
KINDS = (MIRRORED, MULTIWORKER)
TF_CONFIG = "TF_CONFIG"


class ClusterError(Exception):
    """Workers or devices that cannot train together."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """How training is spread: `kind` is None for one device. `workers` are `host:port`; `index` is this one."""

    kind: str | None = None
    workers: Sequence[str] = ()
    index: int = 0

    @property
    def chief(self) -> bool:
        """Whether this process writes the run: the first worker does."""
        return self.index == 0


def cluster(kind: str | None, workers: Sequence[str] = (), index: int | None = None) -> Cluster:
    """What the command line and TF_CONFIG say; raises `ClusterError` for what cannot be."""
    if kind != MULTIWORKER:
        if workers or index is not None:
            raise ClusterError("--workers and --index are for --distribute multiworker")
        return Cluster(kind)
    if workers:
        return _listed(workers, index)
    return _configured(os.environ.get(TF_CONFIG, ""))


def _listed(workers: Sequence[str], index: int | None) -> Cluster:
    for worker in workers:
        host, colon, port = worker.rpartition(":")
        if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) < 65536):
            raise ClusterError(f"got the worker `{worker}`, expected `host:port`")
    if len(set(workers)) < len(workers):
        raise ClusterError("--workers names one twice")
    if index is None or not 0 <= index < len(workers):
        raise ClusterError(f"--index says which of the {len(workers)} workers this is: 0 to {len(workers) - 1}")
    return Cluster(MULTIWORKER, tuple(workers), index)


def _configured(text: str) -> Cluster:
    """The cluster of TF_CONFIG, as schedulers set it."""
    example = '{"cluster": {"worker": ["a:12345", "b:12345"]}, "task": {"type": "worker", "index": 0}}'
    if not text:
        raise ClusterError(f"--distribute multiworker needs --workers and --index, or {TF_CONFIG}={example}")
    try:
        config = json.loads(text)
        roles = config["cluster"]
        task = config.get("task", {"type": "worker", "index": 0})
        workers = [*roles.get("chief", ()), *roles["worker"]]
        index = int(task["index"]) + (len(roles.get("chief", ())) if task["type"] == "worker" else 0)
        if task["type"] not in ("chief", "worker"):
            raise ClusterError(f"{TF_CONFIG} says that this is a {task['type']}, expected a worker")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ClusterError(f"got {TF_CONFIG}={text[:80]}, expected {example}") from None
    return _listed([str(worker) for worker in workers], index)


def open_strategy(where: Cluster) -> Any:
    """The `tf.distribute` strategy. Must come before anything else that TensorFlow does."""
    import tensorflow as tf  # noqa: PLC0415 - seconds

    if where.kind == MULTIWORKER:
        os.environ[TF_CONFIG] = json.dumps(
            {"cluster": {"worker": list(where.workers)}, "task": {"type": "worker", "index": where.index}}
        )
        with handlers_kept():
            return tf.distribute.MultiWorkerMirroredStrategy()
    if where.kind == MIRRORED:
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return tf.distribute.MirroredStrategy([device.name for device in devices])
    return tf.distribute.get_strategy()


def agree(strategy: Any, step: int) -> None:
    """Make sure that all workers begin after the same step; raises `ClusterError`."""
    import tensorflow as tf  # noqa: PLC0415

    def bounds() -> Any:
        context = tf.distribute.get_replica_context()
        own = tf.one_hot(context.replica_id_in_sync_group, strategy.num_replicas_in_sync) * float(step)
        return context.all_reduce(tf.distribute.ReduceOp.SUM, own)

    steps = strategy.experimental_local_results(tf.function(lambda: strategy.run(bounds))())[0].numpy()
    if len(set(steps)) > 1:
        raise ClusterError(
            f"the workers would begin after different steps ({', '.join(f'{one:.0f}' for one in steps)}): "
            "every worker must see the folder of the run, on a disk that they share or as a copy"
        )


def stopping_together(strategy: Any, stop: Callable[[], bool]) -> Callable[[], bool]:
    """A wish to stop that all workers hear of at the same step, whichever of them got the signal."""
    import tensorflow as tf  # noqa: PLC0415

    def add(own: Any) -> Any:
        return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, tf.identity(own))

    wishes = tf.function(lambda own: strategy.run(add, args=(own,)))

    def agreed() -> bool:
        total = strategy.experimental_local_results(wishes(tf.constant(float(stop()))))[0]
        return bool(total.numpy() > 0)

    return agreed
