"""What a test needs and not every machine has; a test that is skipped says which."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

needs_tensorflow = pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed")
