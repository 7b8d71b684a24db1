"""From networks back to text: graphs that users give, and the `.net` text that says them."""

from netc.lift.graph import GraphError
from netc.lift.source import ImportRefused

__all__ = ["GraphError", "ImportRefused"]
