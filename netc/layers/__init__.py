"""The operations of the language: one class each, in modules by family."""

from netc.layers import activation, conv, dense, merge, norm, pool, regularise, shape
from netc.layers.base import LAYERS, Layer, Weight

__all__ = [
    "LAYERS",
    "Layer",
    "Weight",
    "activation",
    "conv",
    "dense",
    "merge",
    "norm",
    "pool",
    "regularise",
    "shape",
]
