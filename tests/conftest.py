"""What several modules of tests begin with."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def spec(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`a.net` in a folder of its own, where the test is; what is in it is the `TEXT` of the module."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "a.net"
    path.write_text(request.module.TEXT)
    return path
