"""A whole network in NumPy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from netc.targets.numpy.primitives import Numpy
from netc.targets.trace import fitting, traced

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.ir.net import Net
    from netc.ir.weights import Weights
    from netc.layers.base import Layer
    from netc.primitives import Tensors, Weighted


def run(net: Net, weights: Weights, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The outputs of a network, outside training, by their names.

    `inputs` are batches by the names of the inputs, batch x shape; they decide the type that is computed in, float32 or
    float64. Raises `ValueError` where one does not fit.
    """
    return {name: made for name, made in layers(net, weights, inputs) if name in net.outputs}


def layers(net: Net, weights: Weights, inputs: Mapping[str, NDArray[Any]]) -> Iterator[tuple[str, NDArray[Any]]]:
    """The output of each layer, in order, as `run`."""
    fitting(net, inputs)
    kind = next(iter(inputs.values())).dtype
    for node, made in traced(net, weights, _Typed(kind), inputs):
        yield node.name, made


class _Typed(Numpy):
    """The functions on weights of a type, which a layer has only while it is computed: twice the memory is much."""

    def __init__(self, kind: np.dtype[Any]) -> None:
        self._kind = kind

    def layer(self, layer: Layer, xs: Tensors, w: Weighted) -> Any:
        return super().layer(layer, xs, {role: array.astype(self._kind, copy=False) for role, array in w.items()})
