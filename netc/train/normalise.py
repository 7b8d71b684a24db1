"""Batch normalisation in one kernel while training.

Keras computes the moments, the normalisation and its gradient from a dozen elementwise operations, a third of the time
of a small ResNet on a CPU. TensorFlow's fused kernel does the same at once. Layers stay what they are: only their call
is another while they train here, and their variables get the same values up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

IMAGES = 4  # batch, rows, columns, channels: what the kernel takes
NUMBERS = ("float32", "bfloat16", "float16")


@contextmanager
def fused(model: Any) -> Iterator[None]:
    """Let the batch normalisations of a model use the fused kernel, where it computes what they do."""
    import keras  # noqa: PLC0415 - seconds

    from netc.targets.keras.build import layers_of  # noqa: PLC0415 - imports what Keras models are made of

    found = [layer for layer in layers_of(model) if isinstance(layer, keras.layers.BatchNormalization) and _fits(layer)]
    for layer in found:
        layer.call = _call(layer)
    try:
        yield
    finally:
        for layer in found:
            del layer.call


def _fits(layer: Any) -> bool:
    rank = len(layer.input.shape)
    last = layer.axis in (-1, IMAGES - 1)
    plain = not layer.synchronized and not layer.renorm
    return rank == IMAGES and last and plain and layer.trainable and layer.variable_dtype == "float32"


def _call(layer: Any) -> Any:
    """The call of one layer: the fused kernel in training, Keras' own otherwise."""
    import tensorflow as tf  # noqa: PLC0415 - seconds

    usual = type(layer).call

    def call(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training or mask is not None or inputs.dtype.name not in NUMBERS:
            return usual(layer, inputs, training=training, mask=mask)
        channels = inputs.shape[-1]
        scale = layer.gamma.value if layer.scale else tf.ones(channels)
        offset = layer.beta.value if layer.center else tf.zeros(channels)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs, scale=scale, offset=offset, mean=[], variance=[], epsilon=layer.epsilon, is_training=True
        )
        count = tf.cast(tf.size(inputs) // channels, tf.float32)
        biased = variance * (count - 1) / count  # the kernel's is Bessel's, Keras keeps the other
        for moving, batch in ((layer.moving_mean, mean), (layer.moving_variance, biased)):
            moving.assign(moving.value * layer.momentum + batch * (1.0 - layer.momentum))
        return tf.cast(outputs, layer.compute_dtype)

    return call
