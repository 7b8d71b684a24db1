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


class Weights(Mapping[Key, "NDArray[Any]"]):
    """Arrays of float32 by node and role: `weights["conv1", "kernel"]`. Shapes are those that the layers declare,
    channels last: a convolution's kernel is rows x columns x channels x filters."""

    def __init__(self, arrays: Mapping[Key, NDArray[Any]]) -> None:
        self._arrays: dict[Key, NDArray[Any]] = dict(arrays)
        self._of: dict[str, list[NDArray[Any]]] = {}
        for (node, _), array in self._arrays.items():
            self._of.setdefault(node, []).append(array)

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
        return list(self._of.get(node, ()))

    def check(self, net: Net) -> None:
        """Raises `WeightsError` unless these are all weights of a network, in their shapes."""
        wanted = {(name, weight.name): weight.shape for name, weights in declared(net).items() for weight in weights}
        for name, role in wanted.keys() ^ self.keys():
            raise WeightsError(f"{name} has no {role} {'here' if (name, role) in wanted else 'in the network'}")
        for (name, role), shape in wanted.items():
            if self[name, role].shape != shape:
                found = show_shape(self[name, role].shape)
                raise WeightsError(f"the {role} of {name} is {found}, and the network takes {show_shape(shape)}")
