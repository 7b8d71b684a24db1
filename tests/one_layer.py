"""A layer of the samples as a network of its own, with weights and inputs."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from netc.compiler import compile_source
from netc.ir.net import Net, Node, Origin
from netc.ir.shape import Shape
from netc.ir.weights import Weights, random_weights
from netc.layers import LAYERS
from netc.program import Program
from netc.syntax.source import Source, Span
from netc.targets.noise import drawn
from tests.layer_samples import Sample

OPEN = (9, 7, 8)  # sizes in place of what is open: odd and even
NOWHERE = Origin(Span(Source("sample.net", "input\nonly\n"), 6, 10))


def net_of(sample: Sample) -> Net:
    """The network of one layer, `only`, whose inputs are `input1`, `input2` and so on."""
    net = Net("sample")
    names = [f"input{number}" for number, _ in enumerate(sample.inputs, 1)]
    for name, shape in zip(names, sample.inputs, strict=True):
        net.add(Node(name, LAYERS["input"](shape=shape), NOWHERE), (), shape)
    net.add(Node("only", sample.layer, NOWHERE), names, sample.layer.infer(sample.inputs))
    net.outputs = ["only"]
    return net


def closed(shapes: tuple[Shape, ...]) -> list[tuple[int, ...]]:
    """Shapes with numbers for what is open, those of other operands where one has them."""
    known = [next(filter(None, column), None) for column in zip_longest(*(shape[:-1] for shape in shapes))]
    made = []
    for shape in shapes:
        sizes = zip(shape[:-1], known, OPEN, strict=False)
        made.append((*(one or other or spare for one, other, spare in sizes), shape[-1] or 1))
    return made


def given(net: Net, batch: int = 2, seed: int = 0) -> Mapping[str, Any]:
    """Seeded noise for the inputs of a network."""
    import numpy as np

    random = np.random.default_rng(seed)
    shapes = closed(tuple(net.shapes[name] for name in net.inputs))
    return {name: drawn(net, name, (batch, *shape), random) for name, shape in zip(net.inputs, shapes, strict=True)}


def weights_of(net: Net) -> Weights:
    return random_weights(net, 1)


def difference(found: Any, expected: Any) -> float:
    """The largest difference, relative to the largest number expected: the rule for everything that is compared."""
    import numpy as np

    assert found.shape == expected.shape, (found.shape, expected.shape)
    assert np.isfinite(expected).all() == np.isfinite(found).all()
    return float(np.max(np.abs(found - expected), initial=0) / max(np.max(np.abs(expected), initial=0), 1e-30))


def program_of(net: Net) -> Program:
    """A program that is this network and nothing else."""
    made = compile_source(NOWHERE.span.source, speculate=False)
    made.net = net
    return made
