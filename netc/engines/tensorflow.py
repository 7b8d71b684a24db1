"""TensorFlow, on the Keras model of the network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from netc.engines.running import EngineError
from netc.layers.base import OperationError
from netc.targets.keras.build import assign, build
from netc.targets.keras.quiet import import_tensorflow

if TYPE_CHECKING:
    from netc.engines.running import Arrays, Run
    from netc.ir.weights import Weights
    from netc.program import Program


def prepare(program: Program, weights: Weights, batch: int | None, threads: int | None) -> tuple[str, Run]:
    """Name and version, and the function of batches, traced once."""
    import_tensorflow()
    import tensorflow as tf  # noqa: PLC0415 - seconds

    if threads is not None:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        except RuntimeError:
            raise EngineError("TensorFlow takes its number of threads before it first runs") from None
    try:
        model = build(program)
    except OperationError as error:
        raise EngineError(str(error)) from None
    assign(model, weights)
    net = program.net
    made = tf.function(lambda batches: model(batches, training=False), reduce_retracing=True)

    def run(inputs: Arrays) -> Arrays:
        batches = [inputs[name] for name in net.inputs]
        try:
            found = made(batches if len(batches) > 1 else batches[0])
        except tf.errors.OpError as error:
            raise EngineError(f"TensorFlow {tf.__version__} fails: {error.message}") from None
        every = found if isinstance(found, list | tuple) else [found]
        return {name: value.numpy() for name, value in zip(net.outputs, every, strict=True)}

    return f"TensorFlow {tf.__version__}", run
