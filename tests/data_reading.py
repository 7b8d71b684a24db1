"""Reading data for tests, and what is said where that is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from netc.data import DataError, prepare


def read(program: Any, source: Any = None, **options: Any) -> Any:
    return prepare(program, source=source, seed=0, batch=4, **options)


def everything(stream: Any) -> list[np.ndarray[Any, Any]]:
    found, labels = zip(*stream.batches().as_numpy_iterator(), strict=True)
    return [np.concatenate(found), np.concatenate(labels).argmax(1)]


def refused(code: str, program: Any, source: Any = None, **options: Any) -> str:
    with pytest.raises(DataError) as error:
        read(program, source, **options)
    assert {found.code for found in error.value.diagnostics} == {code}
    assert all(found.span is not None for found in error.value.diagnostics)
    return str(error.value)
