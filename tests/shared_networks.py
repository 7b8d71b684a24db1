"""Random networks whose layers share their weights, as the text of a spec: `shared def`s that are called several times, at
several sizes, in each other, in branches, in `repeat`s, in definitions, and handed tensors."""

from __future__ import annotations

import random

PIECES = (
    "conv 4x3 relu",
    "conv 4x1 bn",
    "conv 4x3 bn relu",
    "bn; relu",
    "leakyrelu 0.2",
    "conv 4x3/2",
    "conv 4x3/2 pad=1 relu",
    "pool 2",
    "pool 3/1",
    "dropout 0.3",
    "dwconv 3 bn",
    "conv 8x1 relu; conv 4x1",
    "repeat 2 { conv 4x3 relu }",
    "add { | identity | conv 4x3 relu; conv 4x3 }; relu",
    "mul { | identity | gap keep; conv 4x1 sigmoid }",
    "concat { | conv 2x1 relu | conv 2x3 }",
    "resblock n=2 ch=4",
)


def shared_network(seed: int) -> str:
    """The text of a network of maps with 4 channels, which its definitions keep."""
    dice = random.Random(seed)
    head: list[str] = []
    calls: list[str] = []

    def pieces(least: int, most: int) -> str:
        each = (dice.choice(calls) if calls and dice.random() < 0.3 else dice.choice(PIECES) for _ in range(most))
        return "; ".join([*each][: dice.randint(least, most)])

    for number in range(dice.randint(1, 3)):
        name = f"block{chr(ord('a') + number)}"
        word = "shared def" if not number or dice.random() < 0.7 else "def"
        body = pieces(1, 4)
        if dice.random() < 0.3:
            body = f"conv 4x3 relu; t: identity; {body}; gap keep; mul {{ | identity | from t; gap keep }}"
        head.append(f"{word} {name}() {{ {body} }}")
        calls.append(name)
        if dice.random() < 0.4:
            head.append(f"shared def {name}_with() with skip {{ {pieces(1, 2)}; gap keep; mul skip }}")
            calls[-1:] = [name, f"{{skip}}; {name}_with with k"]
    labels = 0

    def statements(least: int, most: int, depth: int = 0) -> list[str]:
        nonlocal labels
        made = []
        for _ in range(dice.randint(least, most)):
            kind = dice.random()
            call = dice.choice(calls)
            if "{skip}" in call:
                labels += 1
                call = call.replace("{skip}", f"k{labels}: conv 4x3").replace("with k", f"with k{labels}")
            if kind < 0.5:
                made.append(call)
            elif kind < 0.6:
                made.append(f"repeat {dice.randint(2, 3)} {{ {dice.choice(calls[:1])} }}")
            elif kind < 0.7 and depth < 2:
                inner = ("; ".join([*statements(1, 2, depth + 1), "gap keep"]) for _ in range(2))
                made.append(f"{dice.choice(['add', 'concat'])} {{ | {' | '.join(inner)} }}; conv 4x1")
            else:
                made.append(dice.choice(PIECES))
        return made

    head = [line.replace("{skip}; ", "k: identity; ") for line in head]
    ends, lines = [], []
    for number in range(dice.choice((1, 1, 2, 3))):
        size = dice.choice((16, 16, 13, 24))
        lines += [f"in{number}: input {size}x{size}x4", *statements(2, 5), f"s{number}: gap"]
        ends.append(f"s{number}")
    if len(ends) > 1:
        lines.append(f"concat {' '.join(ends[:-1])}")
    lines.append("main: fc 3")
    if dice.random() < 0.3:
        lines.append(f"output main {ends[0]}")
    return "\n".join([*head, *lines])
