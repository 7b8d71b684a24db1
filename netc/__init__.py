"""netc: the compiler for convolutional network architectures.

>>> import netc
>>> net = netc.load("specs/resnet.net", n=9)  # or netc.loads, from a text
>>> net.shapes["fc1"], net.cost.total.parameters
>>> print(net.summary())
>>> net.draw("resnet.svg")
>>> model = net.to_keras()

What a spec has wrong is a `SpecError`. docs/python.md tells it all in one sitting.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from netc.api import Network, SpecError, Summary, diff, from_graph, from_keras, from_onnx, load, loads

__version__ = "0.1.0"

# fmt: off
__all__ = [
    "Network", "SpecError", "Summary", "__version__", "diff", "from_graph", "from_keras", "from_onnx",
    "load", "loads",
]
# fmt: on


def __getattr__(name: str) -> object:
    """The Python interface, imported when it is first used: the command line must start quickly."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from netc import api  # noqa: PLC0415

    value = globals()[name] = getattr(api, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
