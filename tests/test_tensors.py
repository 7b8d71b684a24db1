"""Tensors as arguments: published networks written with them are those that are written out by hand."""

from __future__ import annotations

from netc.compiler import compile_source, judge
from netc.program import Program
from netc.syntax.source import Source


def compiled(text: str) -> Program:
    program = compile_source(Source("net.net", text), {}, speculate=True)
    assert judge(program) == []
    return program


def meant(program: Program) -> list[object]:
    """A network without the names of its layers: of each the operation, what it reads, its shape, whose weights it has.

    Networks that are equal in this have the same counts, and the same outputs for the same weights.
    """
    net = program.net
    places = {node.name: number for number, node in enumerate(net)}
    return [
        *(
            (
                node.layer,
                [places[name] for name in net.operands(node.name)],
                net.shapes[node.name],
                places.get(node.shares or ""),
            )
            for node in net
        ),
        [places[name] for name in net.outputs],
    ]


def names(program: Program) -> list[str]:
    return [node.name for node in program.net]


UNET = """
input ?x?x1  # netc: allow NET302
def double(ch) { repeat 2 { conv (ch)x3 relu init=he_normal } }
enc1: double 64; pool 2
enc2: double 128; pool 2
enc3: double 256; pool 2
enc4: double 512; dropout 0.5; pool 2
double 1024; dropout 0.5
"""


def test_the_way_up_of_a_unet() -> None:
    up = "def up(ch) with skip { deconv (ch)x2/2 relu; concat skip; double ch }\n"
    calls = "".join(f"up {channels} with enc{level}\n" for level, channels in ((4, 512), (3, 256), (2, 128), (1, 64)))
    short = compiled(UNET.replace("enc1:", up + "enc1:", 1) + calls + "conv 2x1 softmax")
    lines = (f"deconv {512 >> n}x2/2 relu; concat enc{4 - n}; double {512 >> n}\n" for n in range(4))
    long = compiled(UNET + "".join(lines) + "conv 2x1 softmax")
    assert meant(short) == meant(long)
    same = [(one, other) for one, other in zip(names(short), names(long), strict=True) if one != other]
    assert same[0] == ("up1_deconv1", "deconv1")
    assert len(same) == 16  # four statements in each of four calls
