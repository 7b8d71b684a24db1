"""The operations of the language: one class each, in modules by family."""

from netc.layers import activation, attention, conv, dense, embed, merge, norm, pool, recurrent, regularise, shape
from netc.layers.base import LAYERS, Layer, Weight

__all__ = [
    "LAYERS",
    "Layer",
    "Weight",
    "activation",
    "attention",
    "conv",
    "dense",
    "embed",
    "merge",
    "norm",
    "pool",
    "recurrent",
    "regularise",
    "shape",
]
