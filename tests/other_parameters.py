"""What emitted code builds for other arguments, against what netc makes of the spec with these as its parameters.

`python -m tests.other_parameters 3000` compares that many pairs of a random spec and random arguments and says how
many were equal, refused by a guard of the code, or refused by netc; each spec is compared with its own values too.
Keras makes its layers, so that configurations are its own, but calls only pass shapes on: no weights are made.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

from hypothesis import HealthCheck, Phase, assume, given, seed, settings
from hypothesis import strategies as st

from netc.compiler import compile_source
from netc.layers.kinds import ACTIVATION_ALIASES, ACTIVATIONS, INITIALIZERS
from netc.lower.evaluate import value_words
from netc.program import Program
from netc.syntax.source import Source
from netc.targets.keras.source import emit
from netc.values import Value, Word, show
from tests.random_networks import INTEGERS, REALS, SMALL, networks

EQUAL, GUARDED, REFUSED = "equal", "refused by the code", "refused by netc"
COMPILED = "equal at the compiled values"
COMMUTATIVE = ("Add", "Multiply", "Maximum", "Average")


# -- arguments -----------------------------------------------------------------------------------------------


@st.composite
def others(draw: st.DrawFn, parameters: Mapping[str, Value]) -> dict[str, Value]:
    """Other values for some of the parameters, of the kinds that they have."""
    some = draw(st.lists(st.sampled_from(list(parameters)), min_size=1, max_size=3, unique=True))
    return {
        name: draw(_other(parameters[name]).filter(lambda other, name=name: other != parameters[name])) for name in some
    }


def _other(value: Value) -> st.SearchStrategy[Any]:
    if isinstance(value, bool):
        return st.just(not value)
    if isinstance(value, int):
        return st.sampled_from([value + 1, max(value - 1, 0), 0, 1, *INTEGERS])
    if isinstance(value, float):
        return st.sampled_from([float(real) for real in REALS])
    for words in ((*ACTIVATIONS, *ACTIVATION_ALIASES), tuple(INITIALIZERS), ("same", "valid", "causal")):
        if value in words:
            return st.sampled_from([*words, *["leakyrelu", "leaky_relu", "bn", "glu"]]).map(Word)
    return st.sampled_from(sorted(value_words())).map(Word)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[str, list[dict[str, Value]]]:
    """A spec with parameters everywhere, and several sets of other arguments."""
    text = draw(networks(lifting=True))
    program = compile_source(Source("random.net", text), {}, SMALL)
    assume(program.parameters)
    return text, [{}, *(draw(others(program.parameters)) for _ in range(4))]


# -- models without weights ----------------------------------------------------------------------------------


Shapes = Mapping[str, tuple[int | None, ...]]


@dataclass
class Tensor:
    """What a call of a layer gives: of what, for other sizes."""

    name: str
    shape: tuple[int | None, ...]
    of: Callable[[Shapes], tuple[int | None, ...]] = field(repr=False)  # with the shapes of inputs, by their names


@dataclass
class Recorded:
    """The layers of a model by name, each with its class and configuration and, call by call, what it read."""

    layers: dict[str, tuple[str, str]] = field(default_factory=dict)
    reads: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)
    shapes: dict[str, list[Any]] = field(default_factory=dict)
    ends: tuple[Any, ...] = ()


@contextmanager
def recording() -> Iterator[Recorded]:
    """Have Keras' layers, inputs and models write down what is made of them."""
    import keras

    found = Recorded()

    def apply(layer: Any, *inputs: Any, **options: Any) -> Tensor:
        read = [tensor for each in inputs for tensor in (each if isinstance(each, list) else [each])]
        shapes = [[one.shape for one in each] if isinstance(each, list) else each.shape for each in inputs]
        out = shape_of(layer, *shapes)
        known = found.layers.setdefault(layer.name, described(layer))
        if known != described(layer):
            raise ValueError(f'The name "{layer.name}" is used 2 times')
        names = [tensor.name for tensor in read]
        if type(layer).__name__ in COMMUTATIVE:
            names.sort()
        called = found.reads.setdefault(layer.name, [])
        called.append((*names, *(f"{word}={option}" for word, option in sorted(options.items()))))
        made[id(layer)] = layer
        if len({id(other) for other in made.values() if other.name == layer.name}) > 1:
            raise ValueError(f'The name "{layer.name}" is used 2 times')
        found.shapes.setdefault(layer.name, []).append(tuple(out))

        def of(given: Shapes) -> tuple[int | None, ...]:
            ends = [[one.of(given) for one in each] if isinstance(each, list) else each.of(given) for each in inputs]
            return shape_of(layer, *ends)

        return Tensor(f"{layer.name}@{len(called)}", tuple(out), of)

    def put_in(shape: Any, name: str) -> Tensor:
        if name in found.layers:
            raise ValueError(f'The name "{name}" is used 2 times')
        found.layers[name] = ("Input", repr(tuple(shape)))
        return Tensor(name, (None, *shape), lambda given: given.get(name, (None, *shape)))

    def model(inputs: Any, outputs: Any, name: str) -> Any:
        found.ends = (_ends(inputs), _ends(outputs), name)

        def call(operands: Any) -> Tensor:
            """A call of a model in the model."""
            read = operands if isinstance(operands, list) else [operands]
            called = found.reads.setdefault(name, [])
            called.append(tuple(tensor.name for tensor in read))
            found.layers[name] = ("Model", repr((_ends(inputs), _ends(outputs))))

            def of(given: Shapes) -> tuple[int | None, ...]:
                made: Tensor = outputs
                return made.of(dict(zip(_ends(inputs), (tensor.of(given) for tensor in read), strict=True)))

            return Tensor(f"{name}@{len(called)}", of({}), of)

        if name in models:
            raise ValueError(f'The name "{name}" is used 2 times')
        models.add(name)
        return call

    made: dict[int, Any] = {}
    models = set[str]()
    with (
        mock.patch.object(keras.layers.Layer, "__call__", apply),
        mock.patch.object(keras, "Input", put_in),
        mock.patch.object(keras, "Model", model),
    ):
        yield found


def shape_of(layer: Any, *shapes: Any) -> tuple[int | None, ...]:
    """The shape of a layer's output, from its `call` where no rule says it."""
    import keras

    try:
        return tuple(layer.compute_output_shape(*shapes))
    except NotImplementedError:
        return tuple(keras.src.backend.compute_output_spec(layer.call, *map(keras.KerasTensor, shapes)).shape)


def _ends(tensors: Any) -> list[str]:
    return [tensor.name for tensor in (tensors if isinstance(tensors, list) else [tensors])]


def described(layer: Any) -> tuple[str, str]:
    """The class and the configuration of a layer."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(inner) for key, inner in value.items() if key not in ("module", "registered_name")}
        return [*map(plain, value)] if isinstance(value, list | tuple) else value

    return type(layer).__name__, json.dumps(plain(layer.get_config()), sort_keys=True, default=str)


# -- the comparison ------------------------------------------------------------------------------------------


def built(program: Program) -> Recorded:
    """What netc builds."""
    from netc.targets.keras.build import build

    with recording() as found:
        build(program)
    return found


class Module:
    """Emitted code, run."""

    def __init__(self, text: str) -> None:
        self.program = compile_source(Source("random.net", text), {}, SMALL, speculate=True)
        assert not self.program.report.failed, [found.message for found in self.program.report]
        self.source = emit(self.program)
        self.names: dict[str, Any] = {"__name__": "emitted"}
        exec(compile(ast.parse(self.source), "<emitted>", "exec"), self.names)

    def build(self, arguments: Mapping[str, Value]) -> Recorded:
        """What `build_model` builds for parameters under the names that the spec gives them."""
        build_model = self.names["build_model"]
        variables = dict(zip(self.program.parameters, inspect.signature(build_model).parameters, strict=True))
        given = {variables[name]: str(value) if isinstance(value, str) else value for name, value in arguments.items()}
        with recording() as found:
            build_model(**given)
        return found


def compare(text: str, module: Module, arguments: Mapping[str, Value]) -> str:
    """How a pair came out; anything but EQUAL, GUARDED and REFUSED says what differs."""
    program = compile_source(Source("random.net", text), dict(arguments), SMALL)
    try:
        theirs = module.build(arguments)
    except ValueError as error:
        if not arguments:
            return f"at the compiled values: {error}"
        return REFUSED if program.report.failed else GUARDED
    except Exception as error:
        return REFUSED if program.report.failed else f"{type(error).__name__}: {error}"
    if program.report.failed:
        return REFUSED
    ours = built(program)
    for what in ("ends", "layers", "reads", "shapes"):
        one, other = getattr(theirs, what), getattr(ours, what)
        if one != other:
            if isinstance(one, dict):
                keys = [key for key in (*one, *other) if one.get(key) != other.get(key)]
                return f"{what}: {keys[0]}: emitted {one.get(keys[0])}, netc {other.get(keys[0])}"
            return f"{what}: emitted {one}, netc {other}"
    return EQUAL


def tried(number: int, start: int = 1, told: Callable[[str], None] = str) -> tuple[Counter[str], list[str]]:
    """That many pairs: how they came out, and the differences, each of which `told` is told of."""
    counts: Counter[str] = Counter()
    differences: list[str] = []

    @seed(start)
    @settings(
        max_examples=10**6,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(pairs())
    def run(pair: tuple[str, list[dict[str, Value]]]) -> None:
        text, several = pair
        if counts.total() - counts[COMPILED] >= number:
            raise Enough
        import keras

        keras.backend.clear_session()
        module = Module(text)
        for arguments in several:
            outcome = compare(text, module, arguments)
            known = outcome in (EQUAL, GUARDED, REFUSED)
            counts[("different" if not known else outcome) if arguments else COMPILED if known else "wrong"] += 1
            if not known:
                shown = " ".join(f"-D {name}={show(value)}" for name, value in arguments.items())
                differences.append(f"{outcome}\n{shown}\n{text}\n")
                told(differences[-1])
        if counts.total() % 100 < len(several):
            told(_shown(counts))

    with suppress(Enough):
        run()
    return counts, differences


class Enough(BaseException):
    """As many pairs as were asked for."""


def main() -> int:
    """Try, print what differs, and say how it went."""
    number, start = (int(word) for word in (*sys.argv[1:], "3000", "1")[:2])
    counts, differences = tried(number, start, lambda text: print(text, flush=True))
    print(_shown(counts))
    return bool(differences)


def _shown(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())


if __name__ == "__main__":
    sys.exit(main())
