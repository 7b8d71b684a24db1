"""Random specs in which every statement keeps the shape of its input, so that every arm fits wherever it stands."""

from __future__ import annotations

from random import Random

HEAD = """param p = true; param q = true; param n = 2
def unit(n=1, wide=false) { repeat n as i { conv 4x(3 if wide else 1) }; if n > 1 { pool 2/1 }; bn; dropout (n/100) }
shared def pair() { add { | unit | identity } }
def joined(n=1) with one other { max one other; unit n; t: relu; add { | from other; relu | from t } }
shared def mixed() with t { unit; joined with t t; mul t }
input 8x8x4
"""


def text(random: Random) -> str:
    """A spec with the parameters `p`, `q` and `n`."""
    return HEAD + _statements(random, 0) + "; unit; conv 4x1; pool 2/1\n"


def _statements(random: Random, depth: int) -> str:
    return "; ".join(_statement(random, depth) for _ in range(random.randint(1, 3)))


def _statement(random: Random, depth: int) -> str:
    kinds = ("layer", "labelled", "joined", "call", "passes")
    match random.choice(kinds if depth > 2 else (*kinds, "repeat", "branches", "if", "if")):
        case "labelled":
            return f"{_label(random)}: conv 4x3 bn relu bn"
        case "joined":
            label = _label(random)
            uses = (f"add {label}", f"max {label}", f"add {{ | from {label} | identity }}", f"mixed with {label}")
            use = random.choice((*uses, f"joined with {label} {label}", f"joined (n) with {label} {label}"))
            return f"{label}: conv 4x3; relu; {use}"
        case "call":
            return random.choice(("unit", "unit 2", "unit n wide", "unit n=3 wide=q", "pair"))
        case "passes":
            label, count = _label(random), random.choice(("2", "n", "1"))
            carried = f"{label}: relu; repeat {count} {{ conv 4x3; add {label}; {label}: bn }}; max {label}"
            arm = f"if j > 1 {{ max {label}* }} else {{ relu }}; {label}: conv 4x3"
            return random.choice((carried, f"repeat (n + 2) as j {{ {arm} }}; add {label}*"))
        case "repeat":
            label, index = random.choice(("", f"{_label(random)}: ")), random.choice(("", " as j"))
            count = random.choice(("0", "2", "n", "(n - 1)"))
            more = "; dropout (j/10)" if index else ""
            return f"{label}repeat {count}{index} {{ {_statements(random, depth + 1)}{more} }}"
        case "branches":
            return f"add {{ | identity | {_statements(random, depth + 1)} }}"
        case "if":
            condition = random.choice(("p", "not p", "n > 1 and p", "q"))
            other = f" else {{ {_statements(random, depth + 1)} }}" if random.random() < 0.6 else ""
            return f"if {condition} {{ {_statements(random, depth + 1)} }}{other}"
    return random.choice(("conv 4x3", "conv 4x1 relu", "pool 2/1", "maxpool 3/1", "bn", "dropout 0.1"))


def _label(random: Random) -> str:
    return f"l{random.randrange(10**6)}"
