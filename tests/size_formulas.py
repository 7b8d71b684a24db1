"""Formulas of open sizes against Keras' own shapes, for random networks.

`python -m tests.size_formulas N` draws N networks, opens the sizes of their inputs, and compares all sizes of all layers
with those of Keras for 50 sizes of the inputs each, of those that netc says work. Keras builds each network once, for
unknown sizes, and then says what each layer makes of known ones, by its own rules and without data
(`Model.compute_output_spec`).
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from hypothesis import given

from netc.analysis.sizes.fitting import OpenSizes
from netc.analysis.sizes.formula import Formula
from netc.analysis.sizes.rules import Rule
from netc.ir.net import Net
from netc.ir.shape import Shape
from tests.effort import unshrunk
from tests.random_networks import SINGLE, compiled, networks, opened

SIZES, TRIES, MOST = 50, 150, 320

# What changes sizes, and what works for open ones
SIZING = [cls for cls in SINGLE if cls.family in ("conv", "pool", "shape") and cls.op not in ("reshape", "flatten")]


class Enough(Exception):
    """As many networks were drawn as were wanted."""


class Wrong(AssertionError):
    """Keras says another shape than a formula."""


def shapes_that_work(sizes: OpenSizes) -> Iterator[dict[str, Shape]]:
    """Random shapes of the open inputs that work, all inputs alike, or the nearest to them that do; small ones are as
    likely as large ones."""
    rng, net, seen = random.Random(len(sizes.net)), sizes.net, set[str]()
    for _ in range(TRIES):
        space = [round(MOST ** rng.random()) for _ in range(3)]
        fit = sizes.fit(**{name: space[: len(net.shapes[name]) - 1] for name in opens(net)})
        shapes = fit.inputs if fit.works else fit.larger
        if shapes is not None and str(shapes) not in seen and len(seen) < SIZES:
            seen.add(str(shapes))
            yield dict(shapes)


def opens(net: Net) -> list[str]:
    return [name for name in net.inputs if None in net.shapes[name]]


def compare(source: str) -> Counter[str]:
    """Compare one network; what was counted. Raises `Wrong`."""
    import keras

    from netc.targets.keras.build import construct

    program = compiled(opened(source))
    if program is None or not program.net.is_open:
        return Counter(refused=1)  # it needs known sizes, as `flatten` does
    net, sizes = program.net, OpenSizes(program.net)
    made = sizes.formulas
    if made is None or not all(isinstance(fitting.works, Rule) for fitting in sizes.fittings):
        return Counter(single=1)  # what meets a fixed size has that one only, and Keras does not know it
    keras.backend.clear_session()
    built = construct(program)
    outputs = {name: tensor for name, tensor in built.tensors().items() if net.node(name).shares is None}
    probe, count = keras.Model(built.model.inputs, outputs), Counter(networks=1, open=len(made.symbols))
    for shapes in shapes_that_work(sizes):
        given = [keras.KerasTensor((1, *shapes.get(name, net.shapes[name]))) for name in net.inputs]
        said: dict[str, Any] = probe.compute_output_spec(given)
        values = made.sizes(shapes)
        count["sizes"] += 1
        for name, tensor in said.items():
            ours = tuple(one.at(values) if isinstance(one, Formula) else one for one in made.shapes[name])
            count["shapes"] += 1
            count["formulas"] += any(isinstance(one, Formula) for one in made.shapes[name])
            if tuple(tensor.shape[1:]) != ours:
                raise Wrong(f"{name} for {shapes}: Keras {tuple(tensor.shape[1:])}, netc {ours}\n{opened(source)}")
    return count


def main(wanted: int) -> int:
    """Compare that many networks and print; 1 if any shape differs."""
    from netc.targets.keras.quiet import import_tensorflow

    import_tensorflow()
    total, wrong, start = Counter[str](), list[str](), time.monotonic()

    @unshrunk(100 * wanted)  # half of what is drawn needs known sizes
    @given(networks(SIZING, least=1) | networks(least=1))
    def examine(source: str) -> None:
        if total["networks"] >= wanted:
            raise Enough
        try:
            total.update(compare(source))
        except Wrong as error:
            wrong.append(str(error))
        if (drawn := total["networks"]) and drawn % 100 == 0:
            print(f"{drawn} networks, {len(wrong)} wrong, {time.monotonic() - start:.0f} s", file=sys.stderr)

    with suppress(Enough):
        examine()
    print(*(f"{count:,} {what}" for what, count in total.items()), sep=", ")
    print(*wrong[:10], sep="\n")
    print(f"{len(wrong)} wrong, {time.monotonic() - start:.0f} s")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100))
