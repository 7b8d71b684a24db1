"""What a module would say many times, said once: `conv_bn(x, 64, 3, name="conv1")`.

A statement such as `conv 64x3 bn relu` is several calls of Keras, and most of their arguments are the same wherever a
spec has these words. Where that makes the module shorter, or a number would stand everywhere, they become a function:
what is the same at all its calls stands in it, what differs is a parameter. Layers and their names stay what they are.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

from netc.targets.keras.source.calls import PACKAGES
from netc.targets.keras.source.identifiers import Identifiers
from netc.targets.keras.source.text import expression
from netc.targets.keras.source.tree import (
    CHECKED,
    Chain,
    If,
    Link,
    Parameter,
    Statements,
    assign,
    call,
    chained,
    define,
    expanded,
    joined,
    load,
    nodes,
    reads,
    replaced,
    returned,
    same,
    written,
)

WIDTH = 88  # of a line of emitted code
AROUND = 4  # lines that a function costs beside its layers: `def`, `return` on its own, two empty ones
NUMBERS = 6  # lines that it may cost to say a number once
OFTEN = 3  # calls from which a layer by itself is worth a function, but for one with the constants of a normalisation

# What Keras calls the arguments that emitted code gives by position, by the class without its dimensions.
_POSITIONS = {
    "layers.Conv": ("filters", "kernel_size"),
    "layers.ConvTranspose": ("filters", "kernel_size"),
    "layers.SeparableConv": ("filters", "kernel_size"),
    "layers.DepthwiseConv": ("kernel_size",),
    "layers.Dense": ("units",),
}


def with_helpers(bodies: Sequence[Statements], taken: Iterable[str]) -> tuple[list[ast.stmt], list[Statements]]:
    """Helper functions and, with calls of them, the bodies of the functions of a module.

    First statements become calls, then the layers that are left, in the helpers too.
    """
    identifiers = Identifiers(taken)
    whole = _helpers(bodies, identifiers, least=2)
    bodies = [replaced(body, lambda chain: _called(chain, whole) or _parts(chain)) for body in bodies]
    inner = [*dict.fromkeys(whole.values())]
    bodies = [*(_parts(helper.chain()) for helper in inner), *bodies]
    single = _helpers(bodies, identifiers, least=1)
    bodies = [replaced(body, lambda chain: _called(chain, single) or expanded(chain)) for body in bodies]
    functions = [helper.function(expanded(helper.chain())) for helper in dict.fromkeys(single.values())]
    functions += [helper.function(body) for helper, body in zip(inner, bodies, strict=False)]
    return functions, bodies[len(inner) :]


def _parts(chain: Chain) -> Statements:
    """A chain for each layer."""
    found: Statements = []
    operand = chain.operand
    for number, link in enumerate(chain.links):
        target = chain.target.id if number == len(chain.links) - 1 else chain.work
        alone = Link(link.made, ast.Constant(""), link.word, link.defaults, link.apart, link.applied)
        found.append(Chain(target, chain.work, operand, [alone], joined(chain.name, link.suffix)))
        operand = load(target)
    return found


def _called(chain: Chain, helpers: Mapping[int, Helper]) -> Statements:
    helper = helpers.get(id(chain))
    return [] if helper is None else [assign(chain.target.id, helper.calls[id(chain)])]


# -- which -----------------------------------------------------------------------------------------------------


def _helpers(bodies: Iterable[Statements], identifiers: Identifiers, least: int) -> dict[int, Helper]:
    """The helpers that pay, by the `id`s of the chains that they stand for, which have that many layers or more."""
    alike: dict[Hashable, list[tuple[Chain, int]]] = defaultdict(list)
    for body in bodies:
        for chain, depth in chained(body):
            key = _key(chain) if len(chain.links) >= least else None
            if key is not None:
                alike[key].append((chain, depth))
    found: dict[int, Helper] = {}
    for chains in alike.values():
        normal = any("Normalization" in expression(link.made.func) for link in chains[0][0].links)
        often = len(chains) >= OFTEN or normal
        if len(chains) < 2 or (least == 1 and not often):
            continue  # of a single layer, a reader has to look a function up for little
        helper = Helper([chain for chain, _ in chains])
        saved = sum(_height(expanded(chain), depth) - helper.height(chain, depth) for chain, depth in chains)
        saved -= AROUND + _height(expanded(helper.chain()), 1) + 2 * helper.sometimes
        if saved > 0 or (least == 1 and saved > -NUMBERS and helper.numbers):
            helper.named(identifiers)
            found.update(dict.fromkeys((id(chain) for chain, _ in chains), helper))
    return found


def _key(chain: Chain) -> Hashable:
    """What chains have in common that can have one helper; None for one that can have none."""
    links, _ = _core(chain)
    parts = []
    for link in links:
        path, given = expression(link.made.func), len(link.made.args)
        if given > len(_positions(link)) or link.apart or link.applied:
            return None
        parts.append((path, given, frozenset(key for key in _keywords(link) if key not in link.defaults)))
    return tuple(parts), tuple(expression(link.suffix) for link in links)


def _core(chain: Chain) -> tuple[list[Link], ast.expr | None]:
    """The layers of a chain without an activation at its end, and the word of that."""
    last = chain.links[-1]
    match last.made:
        case ast.Call(args=[word], keywords=[]) if len(chain.links) > 1 and expression(last.made.func) == _ACTIVATION:
            if expression(last.suffix) == expression(_ending(word)):
                return chain.links[:-1], word
    return chain.links, None


_ACTIVATION = "layers.Activation"


def _ending(word: ast.expr) -> ast.expr:
    return joined(ast.Constant("_"), word)


def _positions(link: Link) -> tuple[str, ...]:
    return _POSITIONS.get(re.sub(r"[123]D", "", expression(link.made.func)), ())


def _keywords(link: Link) -> dict[str, ast.expr]:
    return {one.arg or "": one.value for one in link.made.keywords}


def _height(items: Statements, depth: int) -> int:
    """About how many lines black makes of assignments."""
    lines = 0
    for item in items:
        assert isinstance(item, ast.Assign)
        assert isinstance(item.value, ast.Call)
        made = item.value.func if isinstance(item.value.func, ast.Call) else item.value
        arguments = [expression(one) for one in made.args]
        arguments += [f"{one.arg}={expression(one.value)}" for one in made.keywords]
        length = 4 * depth + len(f"{expression(item.targets[0])} = {expression(item.value)}")
        inside = 4 * (depth + 1) + len(", ".join(arguments))
        lines += 1 if length <= WIDTH else 3 if inside <= WIDTH else 2 + len(arguments)
    return lines


# -- a helper --------------------------------------------------------------------------------------------------


class Helper:
    """A function for chains that are alike."""

    def __init__(self, chains: Sequence[Chain]) -> None:
        self.name = ""
        self.calls: dict[int, ast.Call] = {}
        self.numbers = False  # whether a number stands in it
        self._parameters: list[tuple[str, ast.expr | None]] = []
        self._given: dict[int, list[tuple[str, ast.expr]]] = {id(chain): [] for chain in chains}
        cores = [_core(chain) for chain in chains]
        self._positional = 0
        self.links = [
            self._link(number, [links[number] for links, _ in cores], chains) for number in range(len(cores[0][0]))
        ]
        words = [word or ast.Constant(None) for _, word in cores]
        self.sometimes = any(word is None for _, word in cores) and any(word is not None for _, word in cores)
        self._act = None if all(word is None for _, word in cores) else self._value("activation", words, None, chains)
        if self._act is not None and not self.sometimes:
            self.links.append(Link(call(_ACTIVATION, self._act), _ending(self._act), _word(self._act), {}))
        for chain in chains:
            self.calls[id(chain)] = self._call(chain)

    def _link(self, number: int, links: Sequence[Link], chains: Sequence[Chain]) -> Link:
        """One of its layers, with what differs as a parameter."""
        first = links[0]
        args = []
        for place, name in enumerate(_positions(first)[: len(first.made.args)]):
            args.append(self._value(name, [link.made.args[place] for link in links], None, chains))
            self._positional = len(self._parameters)
        given = [_keywords(link) for link in links]
        names = dict.fromkeys((*first.defaults, *(name for one in given for name in one)))
        kwargs = {}
        for name in names:
            if any(name in one for one in given):
                default = first.defaults.get(name)
                values = [one.get(name, default) for one in given]
                kwargs[name] = self._value(name, values, default, chains)  # type: ignore[arg-type]  # see `_key`
        return Link(call(first.made.func, *args, **kwargs), first.suffix, first.word, first.defaults)

    def _value(
        self, name: str, values: Sequence[ast.expr], default: ast.expr | None, chains: Sequence[Chain]
    ) -> ast.expr:
        """A value that is the same everywhere, or else a parameter."""
        constants = [value for value in values if _is_constant(value)]
        if len(constants) == len(values) and all(same(value, values[0]) for value in values):
            self.numbers |= any(
                isinstance(one, ast.Constant) and isinstance(one.value, float) for one in nodes(values[0])
            )
            return values[0]
        taken = {parameter for parameter, _ in self._parameters}
        while name in taken:
            name += "_2"
        usual = None if default is None and name != "activation" else self._usual(values, default)
        self._parameters.append((name, usual))
        for chain, value in zip(chains, values, strict=True):
            if usual is None or not same(value, usual):
                self._given[id(chain)].append((name, value))
        return load(name)

    def _usual(self, values: Sequence[ast.expr], default: ast.expr | None) -> ast.expr | None:
        """What a parameter is unless given: Keras' default where it is often that, else what it is most often."""
        plain = [value for value in values if isinstance(value, ast.Constant)]
        counts = [sum(same(value, other) for other in plain) for value in plain]
        usual = plain[counts.index(max(counts))] if plain else None
        if default is not None and 5 * sum(same(value, default) for value in plain) >= 2 * len(plain) > 0:
            return default
        return usual

    def _call(self, chain: Chain) -> ast.Call:
        first = {name for name, _ in self._parameters[: self._positional]}
        given = self._given[id(chain)]
        args = [value for name, value in given if name in first]
        return call(
            load(self.name or "helper"),
            chain.operand,
            *args,
            **{name: value for name, value in given if name not in first},
            name=chain.name,
        )

    def height(self, chain: Chain, depth: int) -> int:
        """The lines of its call in place of a chain."""
        return _height([assign(chain.target.id, self.calls[id(chain)])], depth)

    def chain(self) -> Chain:
        """Its layers."""
        return Chain("x", "x", load("x"), self.links, load("name"))

    def named(self, identifiers: Identifiers) -> None:
        """Choose its name."""
        first = self.links[0]
        if len(self.links) == 1 and not self.sometimes:
            words = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", expression(first.made.func).split(".")[-1]).lower()
            self.name = identifiers.make(words.replace("normalization", "norm"))
        else:
            self.name = identifiers.make("_".join(link.word for link in self.links if link.word))
        for made in self.calls.values():
            made.func = load(self.name)

    def function(self, body: Statements) -> ast.stmt:
        """The function, with a body that makes its layers."""
        parameters: list[Parameter] = [(ast.arg("x"), None)]
        parameters += [(ast.arg(name), default) for name, default in self._parameters]
        parameters.append((ast.arg("name"), None))
        if self.sometimes:
            assert self._act is not None
            act = assign("x", written("layers.Activation(ACT, name=f'{name}_{ACT}')(x)", ACT=self._act))
            body = [*body, If(written("ACT is not None", ACT=self._act), [act], [], CHECKED, CHECKED)]
        return define(self.name, parameters, 1 + self._positional, returned([*body, ast.Return(load("x"))]))


def _is_constant(value: ast.expr) -> bool:
    return reads(value) <= {*PACKAGES, "keras"}


def _word(value: ast.expr) -> str:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
