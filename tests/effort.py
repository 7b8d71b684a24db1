"""How much the random tests try: a fixed few by default, many and always others with `NETC_EXAMPLES`.

NETC_EXAMPLES=2000 python -m pytest tests/test_random_networks.py
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

EXAMPLES = int(os.environ.get("NETC_EXAMPLES", "0"))


def effort(examples: int) -> settings:
    """Settings of a test that tries that many examples, or as many as `NETC_EXAMPLES` says."""
    return settings(
        max_examples=EXAMPLES or examples,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        print_blob=bool(EXAMPLES),
        suppress_health_check=list(HealthCheck),
    )


def unshrunk(examples: int) -> settings:
    """As `effort`, for networks so large that making a failing one smaller takes minutes."""
    return settings(effort(examples), phases=[Phase.generate])
