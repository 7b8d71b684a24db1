"""Numbers of specs in float32: what is accepted stays finite, stays apart from 0, and stays within its bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netc.compiler import compile_source
from netc.layers.kinds import Initializer
from netc.params import Either, Kind, Param, Real, Refused, declared, single
from netc.sections.losses import LOSSES
from netc.sections.metrics import METRICS
from netc.sections.optimizers import OPTIMIZERS
from netc.sections.preprocessing import DATA
from netc.sections.schedules import SCHEDULES
from netc.sections.settings import TRAIN
from netc.syntax.source import Source
from tests.layer_samples import OPERATIONS

REGISTRIES = (DATA, TRAIN, LOSSES, OPTIMIZERS, SCHEDULES, METRICS)
SETTINGS = list(dict.fromkeys(cls for registry in REGISTRIES for cls in registry.values()))


def reals(kind: Kind) -> Iterator[Real]:
    """The real numbers among what a kind takes."""
    if isinstance(kind, Real):
        yield kind
    elif isinstance(kind, Initializer):
        yield Real()
    elif isinstance(kind, Either):
        for one in kind.kinds:
            yield from reals(one)


PARAMETERS = [
    pytest.param(param, id=f"{name}.{param.name}")
    for name, cls in [*((cls.op, cls) for cls in OPERATIONS), *((cls.name, cls) for cls in SETTINGS)]
    for param in declared(cls).values()
    if any(reals(param.kind))
]


def accepts(kind: Kind, value: float) -> bool:
    try:
        return kind.accept(value, 2) == value
    except Refused as error:
        return error.code != "NET109" or str(value) not in str(error)  # else refused in the right words


def test_there_are_parameters() -> None:
    names = {parameter.id for parameter in PARAMETERS}
    assert {"conv.l2", "fc.bias_init", "lrn.alpha", "bn.epsilon", "adam.lr", "l2.strength"} & names
    assert len(names) > 100


@pytest.mark.parametrize("param", PARAMETERS)
def test_numbers_that_float32_lacks_are_refused(param: Param) -> None:
    for sign in (1, -1):
        for value in (1e300, 1e39, 3.5e38, 1e-39, 1e-45, 1e-50, 1e-300, 5e-324):
            assert not accepts(param.kind, sign * value), value
    for kind in reals(param.kind):
        if kind.max is not None and "max" in kind.open:
            assert not accepts(param.kind, kind.max - 1e-12)
        if kind.min is None and kind.max is None:
            assert all(accepts(param.kind, value) for value in (3.4e38, -3.4e38, 1.2e-38, -1.2e-38, 0, 0.0, 0.1))
        elif kind.min == 0:
            assert accepts(param.kind, 1.2e-38)


@settings(deadline=None)
@given(st.one_of(st.floats(allow_nan=False), st.integers(-(10**400), 10**400)))
def test_single_is_float32(value: float) -> None:
    numpy = pytest.importorskip("numpy")
    held = single(value)
    try:
        real = float(value)
    except OverflowError:
        real = float("inf") if value > 0 else float("-inf")
    with numpy.errstate(over="ignore"):
        expected = float(numpy.float32(real))
    assert held == (expected if abs(expected) >= numpy.finfo("float32").tiny else 0)


@pytest.mark.parametrize(
    "op", ["conv 8x3 l2=(big)", "lrn alpha=1e300", "fc 3 init=-1e39", "noise (small)", "elu (big)"]
)
def test_the_check_of_a_spec_says_so(op: str) -> None:
    text = f"param big = 1e300\nparam small = 1e-50\ninput 8x8x3\n{op}\n"
    (found,) = [one for one in compile_source(Source("sample.net", text)).report if one.code != "NET511"]
    assert found.code == "NET109"
    assert re.search(r"becomes -?(inf|0) in float32", found.message)


def test_a_default_and_a_section_say_so() -> None:
    text = "default conv l1=1e300\ninput 8x8x3\nconv 3x3 tanh\ntrain {\n    loss mse\n    optimizer sgd lr=1e-60\n    epochs 1\n}"
    found = [one for one in compile_source(Source("sample.net", text)).report if "float32" in one.message]
    assert [one.span and one.span.text for one in found] == ["l1=1e300", "lr=1e-60"]
