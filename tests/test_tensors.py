"""Tensors as arguments, labels of all passes, carried labels: published networks written with them are those that are
written out by hand."""

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


def test_the_skips_of_a_wavenet() -> None:
    """Van den Oord et al. 2016, Figure 4: the skip connections of all layers are summed."""
    head = "input 64x1\nconv 16x2 pad=causal\n"
    gate = "mul {{ | conv 16x2 pad=causal dilation={0} tanh | conv 16x2 pad=causal dilation={0} sigmoid }}\n"
    tail = "relu; conv 8x1 relu; conv 8x1 softmax"
    loop = f"before: identity\n{gate.format('(2**i)')}skip: conv 8x1\nif i < 3 {{ conv 16x1; add before }}\n"
    short = compiled(f"{head}repeat 4 as i {{\n{loop}}}\nadd skip*\n{tail}")
    lines = [head]
    for level in range(4):
        rest = f"conv 16x1\nadd before{level}\n" if level < 3 else ""
        lines += [f"before{level}: identity\n", gate.format(2**level), f"skip{level + 1}: conv 8x1\n", rest]
    joined = "add { | from skip1 | from skip2 | from skip3 | from skip4 }\n"
    long = compiled("".join(lines).replace("before3: identity\n", "") + joined + tail)
    assert meant(short) == meant(long)
    assert [name for name in names(short) if "skip" in name] == [name for name in names(long) if "skip" in name]


def test_a_chain_of_cells() -> None:
    """NASNet (Zoph et al. 2018, Figure 2): each cell reads the results of the two cells before it."""
    cell = "\n".join(
        (
            "def cell(ch) with older {",
            "now: conv (ch)x1 bn",
            "from older",
            "conv (ch)x1 bn",
            "concat { | add { | from now; sepconv (ch)x3 bn | sepconv (ch)x5 bn } | add { | from now; pool 3/1 | identity } }",
            "}",
        )
    )
    head, tail = f"input 16x16x3\n{cell}\nconv 8x3 bn; older: identity\n", "gap; fc 10 softmax"
    loop = "repeat 3 { newer: identity; made: cell 8 with older; older: from newer; from made }\n"
    short = compiled(head + loop + tail)
    calls = "made1: cell 8 with older\ncell 8 with older\ncell 8 with made1\n"
    long = compiled(head + calls + tail)
    assert meant(short) == meant(long)
    numbered = (name.replace("cell2", "made3").replace("cell1", "made2") for name in names(long))
    assert names(short) == [*numbered]
