"""The weights of a network as arrays, apart from any framework."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from netc.ir.shape import show_shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.ir.net import Net
    from netc.layers.base import Weight

Key = tuple[str, str]
AROUND_ONE = ("gamma", "moving_variance", "g")


class WeightsError(Exception):
    """A file that holds no weights, or weights that do not fit. The text is for the user."""


def declared(net: Net) -> dict[str, tuple[Weight, ...]]:
    """The weights of every node that makes any, in the order of the network; nodes that share make none."""
    found = {
        node.name: node.layer.weights(net.operand_shapes(node.name))
        for node in net
        if node.shares is None or node.shares == node.name
    }
    return {name: weights for name, weights in found.items() if weights}


def random_weights(net: Net, seed: int) -> Weights:
    """Weights that depend on the seed alone, with which numbers neither die out nor overflow in a deep network, and no
    two channels are alike: kernels of variance 2 / terms before an activation (He et al. 2015), else a little less, as
    an activation may follow or none; factors and variances around 1."""
    import numpy  # noqa: PLC0415 - networks need none

    random = numpy.random.default_rng(seed)
    arrays: dict[Key, NDArray[Any]] = {}
    for name, weights in declared(net).items():
        gain = 1.5 if net.node(name).layer.ending == "linear" else 2
        for weight in weights:
            if weight.terms:
                drawn = random.normal(0, (gain / weight.terms) ** 0.5, weight.shape)
            elif weight.name in AROUND_ONE:
                drawn = random.uniform(0.5, 1.5, weight.shape)
            else:
                drawn = random.normal(0, 0.2, weight.shape)
            arrays[name, weight.name] = drawn.astype("float32")
    return Weights(arrays)


class Weights(Mapping[Key, "NDArray[Any]"]):
    """Arrays of float32 by node and role: `weights["conv1", "kernel"]`. Shapes are those that the layers declare,
    channels last: a convolution's kernel is rows x columns x channels x filters."""

    def __init__(self, arrays: Mapping[Key, NDArray[Any]]) -> None:
        self._arrays: dict[Key, NDArray[Any]] = dict(arrays)
        self._of: dict[str, dict[str, NDArray[Any]]] = {}
        for (node, role), array in self._arrays.items():
            self._of.setdefault(node, {})[role] = array

    def __getitem__(self, key: Key) -> NDArray[Any]:
        array: NDArray[Any] = self._arrays[key]
        return array

    def __iter__(self) -> Iterator[Key]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    def __repr__(self) -> str:
        return f"<Weights: {len(self)} arrays, {sum(array.size for array in self.values()):,} numbers>"

    def of(self, node: str) -> list[NDArray[Any]]:
        """The arrays of a node, in the order in which its layer declares them."""
        return list(self._of.get(node, {}).values())

    def by_node(self) -> Mapping[str, Mapping[str, NDArray[Any]]]:
        """The arrays of each node by their roles."""
        return self._of

    def check(self, net: Net) -> None:
        """Raises `WeightsError` unless these are all weights of a network, in their shapes."""
        wanted = {(name, weight.name): weight.shape for name, weights in declared(net).items() for weight in weights}
        for name, role in wanted.keys() ^ self.keys():
            raise WeightsError(f"{name} has no {role} {'here' if (name, role) in wanted else 'in the network'}")
        for (name, role), shape in wanted.items():
            if self[name, role].shape != shape:
                found = show_shape(self[name, role].shape)
                raise WeightsError(f"the {role} of {name} is {found}, and the network takes {show_shape(shape)}")
