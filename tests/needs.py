"""What a test needs and not every machine has; a test that is skipped says which."""

from __future__ import annotations

from importlib.util import find_spec
from shutil import which

import pytest

needs_tensorflow = pytest.mark.skipif(find_spec("tensorflow") is None, reason="TensorFlow is not installed")
needs_poppler = pytest.mark.skipif(which("pdftotext") is None, reason="poppler-utils are not installed")
needs_latex = pytest.mark.skipif(which("pdflatex") is None, reason="texlive-latex-base is not installed")
