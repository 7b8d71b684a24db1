"""An engine called as a Keras model is: with arrays in the order of inputs, for arrays in the order of outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.engines.running import Engine


class Positional:
    """A function of batches; `name` says the engine and its version."""

    def __init__(self, engine: Engine, inputs: Sequence[str], outputs: Sequence[str]) -> None:
        self.name = engine.name
        self._engine = engine
        self._inputs, self._outputs = tuple(inputs), tuple(outputs)

    def __repr__(self) -> str:
        return f"<{self.name}: {', '.join(self._inputs)} -> {', '.join(self._outputs)}>"

    def __call__(self, inputs: Any) -> NDArray[Any] | list[NDArray[Any]]:
        """The output for a batch, batch x shape of float32; of a network with several, a list of them in their order.

        `inputs` is a batch; for several inputs a list of batches in their order, or a dictionary by their names. Raises
        ValueError for arrays that do not fit, `EngineError` where the engine cannot go on.
        """
        made = self._engine(self._named(inputs))
        found = [made[name] for name in self._outputs]
        return found if len(found) > 1 else found[0]

    def _named(self, inputs: Any) -> Mapping[str, Any]:
        if isinstance(inputs, Mapping):
            return inputs
        if len(self._inputs) == 1:
            return {self._inputs[0]: inputs}
        if not isinstance(inputs, list | tuple) or len(inputs) != len(self._inputs):
            raise ValueError(f"expected a list of {len(self._inputs)} batches: {', '.join(self._inputs)}")
        return dict(zip(self._inputs, inputs, strict=True))
