"""Texts and tools for the tests of the parser and the formatter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from netc.diagnostics.model import Diagnostics
from netc.limits import Limits
from netc.syntax.parser import parse
from netc.syntax.source import Source, Span
from netc.syntax.tree import File, Group, Keyword, Literal, Name, Positional, Reference, Size, Starred

# The two networks of the language's design, as they stand there.
VGG16 = """\
# VGG-16, configuration D (Simonyan & Zisserman 2014, Table 1), on the 17 Category Flowers
net vgg16
param classes = 17

input 224x224x3

def stage(n, ch) {
    repeat n { conv (ch)x3 relu }
    pool 2
}

stage 2 64
stage 2 128
stage 3 256
stage 3 512
stage 3 512
repeat 2 { fc 4096 relu; dropout 0.5 }
fc classes softmax

train {
    loss categorical_crossentropy
    optimizer rmsprop lr=0.0001
    batch 32
    epochs 500
}
"""

RESNET = """\
# CIFAR-10 ResNet with full pre-activation: 6n+2 layers (n=5: 32, n=9: 56, n=18: 110)
net resnet
param n = 5

input 32x32x3
conv 16x3 l2=1e-4
resblock n=n ch=16
resblock n=n ch=32 downsample
resblock n=n ch=64 downsample
bn; relu; gap
fc 10 softmax

data cifar10 {
    center per_channel
    flip horizontal
    crop 32x32 pad=4
}
train {
    loss categorical_crossentropy
    optimizer momentum lr=0.1 momentum=0.9
    schedule milestones 32000 48000 factor=0.1
    batch 128
    epochs 200
    checkpoint every=500 keep=10
}
"""

BLOCKS = """\
def preact_unit(ch, stride=1) {
    add {
        | if stride > 1 { subsample (stride) }; if ch > channels { padchannels ch }
        | bn; relu; conv (ch)x3/(stride); bn; relu; conv (ch)x3
    }
}
def resblock(n, ch, downsample=false, stride=2) {
    preact_unit ch stride=(stride if downsample else 1)
    repeat n-1 { preact_unit ch }
}
"""

INCEPTION = """\
def inception(b1, r3, b3, r5, b5, pp) {
    concat {
        | conv (b1)x1 relu
        | conv (r3)x1 relu; conv (b3)x3 relu
        | conv (r5)x1 relu; conv (b5)x5 relu
        | pool 3/1; conv (pp)x1 relu
    }
}
"""

EVERYTHING = """\
# every form of the language
net everything language=1
use "blocks.net"
param n = 2 ** 3 // 4 - 1   # a comment after
param wide = true if n >= 2 and not n == 7 or n < -1 else false
param act = relu

shared def tower(
    ch,            # inside parentheses
    stride=1,
    cin=channels
) {
    default conv l2=1e-4 init=he_normal
    stem: conv (ch)x3x3/(stride)x1 act bias_init=-3
    mul { | identity | gap keep; conv (channels//16)x1 relu; conv (ch)x1 sigmoid }
}
def empty() { }
def joined(ch) with skip x_1 { concat skip x_1; conv (ch)x1 }

a: input ?x?x3
b: input 128x16
tower 64 stride=2; pool 3/2; pool 2
joined 8 with a b
outer: repeat n-1 as i { # after a brace
    conv (16+i)x(2*i+1)/2 "text" note="a \\"b\\" \\\\ c"
    # the last of its block
}
if n > 1 { relu } else if wide { tanh }
else { softmax }
if wide {
    concat {
        |
        | # after a bar
          from a
          relu
        | add { | a; b | c }
        # before the end
    }
    concat x* a step* axis=1
}
train { loss mse of=aux weight=.5; optimizer sgd lr=1e-2 }
output a b
"""


def read(text: str, **limits: int) -> tuple[File, Diagnostics]:
    """The tree of a text and what was found."""
    report = Diagnostics()
    return parse(Source("t.net", text), Limits(**limits), report), report


def nodes(node: object) -> Iterator[Any]:
    """Every part of a tree that has a span."""
    stack = [node]
    while stack:
        part = stack.pop()
        if isinstance(part, tuple) and not isinstance(part, Span):
            stack.extend(part)
        elif is_dataclass(part) and not isinstance(part, Source):
            if hasattr(part, "span"):
                yield part
            stack.extend(getattr(part, field.name) for field in fields(part) if not isinstance(part, type))


def shape(node: object) -> object:
    """A tree without positions, as short as can be: words are themselves, `(x)` is ["x"], other nodes are tuples."""
    if isinstance(node, Literal):
        return node.value if not isinstance(node.value, str) else repr(node.value)
    if isinstance(node, Reference):
        return node.name
    if isinstance(node, Starred):
        return f"{node.name}*"
    if isinstance(node, Name):
        return node.text
    if isinstance(node, Group):
        return [shape(node.inner)]
    if isinstance(node, Positional):
        return shape(node.value)
    if isinstance(node, Keyword):
        return {node.key: shape(node.value)}
    if isinstance(node, Size):
        return "Size", *(shape(part) for part in node.parts), *(("/", *map(shape, node.stride)) if node.stride else ())
    if isinstance(node, tuple):
        return tuple(map(shape, node))
    if not is_dataclass(node):
        return node
    values = (getattr(node, field.name) for field in fields(node))
    return type(node).__name__, *(shape(value) for value in values if not isinstance(value, Span))
