"""Random valid networks, as the text of a spec.

Layers and their arguments are drawn from what the layer classes declare, so that a new layer is drawn by itself. A
statement that is drawn is kept where netc takes it after those before it; what it makes of it is then for the tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TypeVar

from hypothesis import reject
from hypothesis import strategies as st

from netc.compiler import compile_source
from netc.ir.shape import Shape, axes_of, channels_of, elements, rank_of, show_shape
from netc.layers import LAYERS
from netc.layers.base import Layer
from netc.layers.kinds import Activation, Extents, Initializer, Padding
from netc.limits import Limits
from netc.params import Bool, Choice, Either, Int, Kind, Real, Refused, Sizes, declared
from netc.program import Program
from netc.syntax.format import format_file
from netc.syntax.source import Source
from netc.values import Word, show

OPERATIONS = list(dict.fromkeys(LAYERS.values()))
SINGLE = [cls for cls in OPERATIONS if cls.operands == (1, 1) and not cls.ids]
COMBINERS = [cls for cls in OPERATIONS if cls.operands[0] > 1]

SMALL = Limits(elements=3000, parameters=20_000, layers=60)  # so that Keras builds and runs them in a second
INTEGERS = (1, 2, 3, 4, 6, 8)
REALS = (0.5, 0.1, 0.25, 1.0, 0, 2, -0.5, 1e-3)
KEYED = {word for cls in OPERATIONS for one in declared(cls).values() if one.keyed for word in one.kind.words()}
OFTEN = ("conv", "pool", "norm", "shape")
TRIES = 4  # draws of a statement before there is none

T = TypeVar("T")
Value = bool | int | float | str | tuple[int | None, ...]


def literal(value: Value) -> str:
    """A single value as a spec writes it."""
    return show(Word(value) if isinstance(value, str) else value)


def compiled(text: str, limits: Limits = SMALL) -> Program | None:
    """The checked network of a text, or None where netc refuses it."""
    program = compile_source(Source("random.net", text), {}, limits, speculate=True)
    return None if program.report.failed else program


def output_shape(program: Program) -> Shape:
    return program.net.shapes[program.net.outputs[-1]]


@dataclass
class Scope:
    """What statements can use: definitions and parameters above them, and names not yet taken."""

    operations: Sequence[type[Layer]]
    head: list[str] = field(default_factory=list)
    values: dict[str, int] = field(default_factory=dict)  # of parameters; of a loop's index, the first
    calls: list[tuple[str, dict[str, Value], int]] = field(default_factory=list)  # definitions: parameters, tensors
    taken: dict[str, int] = field(default_factory=dict)
    lifting: bool = False  # whether any value may be written as a parameter that holds it
    lifted: dict[str, Value] = field(default_factory=dict)

    def name(self, stem: str) -> str:
        self.taken[stem] = self.taken.get(stem, 0) + 1
        return f"{stem}{self.taken[stem]}"

    def inside(self, **values: int) -> Scope:
        """The scope of a body that sees more values."""
        known = {**self.values, **values}
        return Scope(self.operations, self.head, known, self.calls, self.taken, self.lifting, self.lifted)

    def lift(self, draw: st.DrawFn, value: Value, often: int = 1) -> str | None:
        """The name of a parameter that holds a value, or None to write it as it is."""
        if not self.lifting or draw(st.integers(0, often)):
            return None
        same = [name for name, held in self.lifted.items() if held == value and type(held) is type(value)]
        if same and draw(st.booleans()):
            return draw(st.sampled_from(same))
        name = self.name("q")
        self.lifted[name] = value
        self.head.append(f"param {name} = {literal(value)}")
        return name

    def shape_after(self, shape: Shape, lines: Sequence[str]) -> Shape | None:
        """The shape after statements, or None where netc refuses them."""
        program = compiled("\n".join([*self.head, f"input {show_shape(shape)}", *lines]))
        return program and output_shape(program)


# -- values --------------------------------------------------------------------------------------------------


def value(draw: st.DrawFn, kind: Kind, shape: Shape) -> Value:
    """A value of a declared kind, for a layer whose input has a shape."""
    match kind:
        case Either():
            return value(draw, draw(st.sampled_from(kind.kinds)), shape)
        case Bool():
            return draw(st.booleans())
        case Int():
            return draw(st.sampled_from(_accepted(kind, [*INTEGERS, 0, channels_of(shape)])))
        case Real():
            return draw(st.sampled_from(_accepted(kind, REALS)))
        case Choice() | Activation():
            return draw(st.sampled_from(kind.words()))
        case Initializer():
            return draw(st.sampled_from([*kind.words(), 0.1]))
        case Padding():
            return draw(st.sampled_from(kind.words())) if draw(st.booleans()) else value(draw, kind.pixels, shape)
        case Sizes():
            size = st.sampled_from(_accepted(kind, [2, 1, 3, 0]))
            return draw(st.one_of(size, st.tuples(*[size] * max(rank_of(shape), 1))))
        case Extents():
            return _regrouped(draw, shape)
    raise TypeError(f"say here how {type(kind).__name__} is drawn")


def _accepted(kind: Kind, values: Sequence[T]) -> list[T]:
    def accepted(value: T) -> bool:
        try:
            kind.accept(value, 1)
        except Refused:
            return False
        return True

    return list(filter(accepted, values))


def _regrouped(draw: st.DrawFn, shape: Shape) -> tuple[int | None, ...]:
    """The same elements in another shape: sizes in another order, some multiplied together, one perhaps open."""
    sizes = [size or 1 for size in draw(st.permutations(shape))]
    cut = draw(st.integers(0, len(sizes) - 1))
    parts: list[int | None] = [*sizes[:cut], prod(sizes[cut:])]
    if draw(st.booleans()):
        parts[draw(st.integers(0, len(parts) - 1))] = None
    return tuple(parts)


def sizes(shape: Shape) -> dict[str, int]:
    """What a spec can read of a tensor."""
    return {name: size for name, size in zip(axes_of(shape), shape, strict=True) if name and size is not None}


def number(draw: st.DrawFn, wanted: int, scope: Scope, shape: Shape) -> str:
    """An integer as an argument: as it is, or as an expression of a value in scope."""
    if lifted := scope.lift(draw, wanted):
        return f"({lifted})"
    known = {**scope.values, **sizes(shape)}
    name = draw(st.sampled_from([None, None, None, *known]))
    if name is None:
        return str(wanted)
    gap = wanted - known[name]
    forms = [f"{name}{gap:+}" if gap else name, f"{wanted} if {name} >= {known[name]} else 1"]
    if known[name] and wanted % known[name] == 0:
        forms.append(f"{wanted // known[name]} * {name}")
    return f"({draw(st.sampled_from(forms))})"


# -- statements ----------------------------------------------------------------------------------------------


def layer(draw: st.DrawFn, scope: Scope, shape: Shape) -> str:
    """A layer with all arguments that it needs, and some of the others."""
    families = sorted({cls.family for cls in scope.operations})  # most operations are activations
    family = draw(st.sampled_from([*families, *(name for name in families if name in OFTEN for _ in range(2))]))
    cls = draw(st.sampled_from([cls for cls in scope.operations if cls.family == family]))
    given = {
        name: value(draw, param.kind, shape)
        for name, param in declared(cls).items()
        if (param.required or draw(st.integers(0, 4)) == 4) and name not in cls.tensors()
    }
    name = draw(st.sampled_from([cls.op, *(name for name in LAYERS if LAYERS[name] is cls)]))
    words = [name, *_arguments(draw, cls, given, scope, shape)]
    if cls.trailing and draw(st.integers(0, 3)) == 3:
        words += _trailing(draw, scope, 0)
    return " ".join(words)


def _trailing(draw: st.DrawFn, scope: Scope, least: int) -> list[str]:
    words = st.sampled_from(["bn", "leakyrelu", *Activation().words()])
    return [scope.lift(draw, word) or word for word in draw(st.lists(words, min_size=least, max_size=2))]


def _arguments(draw: st.DrawFn, cls: type[Layer], given: dict[str, Value], scope: Scope, shape: Shape) -> list[str]:
    def written(value: Value) -> str:
        if isinstance(value, tuple):
            return "x".join("?" if part is None else number(draw, part, scope, shape) for part in value)
        if isinstance(value, int) and not isinstance(value, bool):
            return number(draw, value, scope, shape)
        lifted = scope.lift(draw, value)
        return f"({lifted})" if lifted else literal(value)

    words = []
    extents = [name for name in cls.size if name != "stride"]
    if extents and given.keys() >= set(extents) and draw(st.integers(0, 3)):
        size = "x".join(written(given.pop(name)) for name in extents)
        words.append(size + (f"/{written(given.pop('stride'))}" if "stride" in given and "stride" in cls.size else ""))
    for name in cls.positional:
        if name not in given or draw(st.booleans()):
            break
        words.append(written(given.pop(name)))
    for name, value in given.items():
        word = isinstance(value, str) and value not in KEYED
        bare = name if value is True else value if word else None
        if word and (lifted := scope.lift(draw, value)):
            words.append(draw(st.sampled_from([lifted, f"{name}={lifted}"])))
        else:
            words.append(bare if bare and draw(st.booleans()) else f"{name}={written(value)}")
    return words


def combiner(draw: st.DrawFn, scope: Scope, shape: Shape, depth: int) -> str:
    """A combiner whose branches are brought to the shape of the first."""
    cls = draw(st.sampled_from(COMBINERS))
    target, branches = shape, []
    for number_ in range(cls.operands[1] or draw(st.integers(2, 3))):
        lines, made = sequence(draw, scope, shape, draw(st.integers(0, 2)), depth + 1)
        if number_:
            lines += matching(made, target, channels=cls.op != "concat" or draw(st.booleans()))
        else:
            target = made
        branches.append(lines or ["identity"])
    if cls.op == "mul" and rank_of(shape) and draw(st.booleans()):
        branches[-1] = ["gap keep", f"conv {channels_of(target)}x1 sigmoid"]
    inner = "\n".join(f"| {'; '.join(lines)}" for lines in branches)
    return f"{cls.op} {{\n{inner}\n}}"


def matching(made: Shape, target: Shape, *, channels: bool) -> list[str]:
    """Statements that bring a tensor to a shape, its channels included or not: `concat` takes any."""
    if rank_of(made) != rank_of(target):
        return [f"fc {elements(target) or 1}", f"reshape {show_shape(target)}"][: None if rank_of(target) else 1]
    lines = []
    gaps = [0 if None in pair else pair[0] - pair[1] for pair in zip(target[:-1], made[:-1], strict=True)]
    for op, sign in (("pad", 1), ("crop", -1)):
        by = [max(sign * gap, 0) for gap in gaps]
        if any(by):
            lines.append(f"{op} before=0 after={'x'.join(map(str, by))}")
    if channels and made[-1] != target[-1]:
        lines.append(f"conv {target[-1]}x1" if rank_of(target) else f"fc {target[-1]}")
    return lines


def repeat(draw: st.DrawFn, scope: Scope, shape: Shape, depth: int, labels: Sequence[str]) -> str:
    index = scope.name("i") if draw(st.booleans()) else None
    inside = scope.inside(**{index: 0}) if index else scope
    head = f"repeat {number(draw, draw(st.integers(0, 3)), scope, shape)}" + (f" as {index}" if index else "")
    head = head.replace("(", "").replace(")", "")  # what stands before a brace needs none

    carried = [draw(st.sampled_from(labels))] if labels and draw(st.booleans()) else []

    def wrapped(lines: Sequence[str]) -> list[str]:
        return [*(f"{label}: identity" for label in carried), f"{head} {{", *lines, "}"]

    lines, _ = sequence(draw, inside, shape, draw(st.integers(1, 2)), depth + 1, wrapped, carried)
    lines = wrapped([*lines, *(f"{label}: identity" for label in carried)])[len(carried) :]
    if not draw(st.integers(0, 2)):
        label = scope.name("z")
        lines = [*lines[:-1], f"{label}: identity", "}", f"{draw(st.sampled_from(COMBINERS)).op} {label}*"]
    return "\n".join(lines)


def choice(draw: st.DrawFn, scope: Scope, shape: Shape, depth: int) -> str:
    known = {**scope.values, **sizes(shape)}
    name = draw(st.sampled_from(list(known)))
    tests = (f"{name} > {{}}", f"{name} % 2 == 0 and not {name} == {{}}", f"{{}} // 1 <= {name} or {name} < 0")
    condition = draw(st.sampled_from(tests)).format(known[name] + draw(st.integers(-1, 1)))
    if scope.lifting and draw(st.booleans()):
        flag, word = scope.lift(draw, draw(st.booleans()), 0), draw(st.sampled_from(["relu", "tanh", "swish"]))
        forms = (f"{flag}", f"not {flag}", f"{scope.lift(draw, word, 0)} == relu", f"{flag} or {condition}")
        condition = draw(st.sampled_from(forms))
    arms = [sequence(draw, scope, shape, draw(st.integers(0, 2)), depth + 1)[0] for _ in range(2)]
    text = f"if {condition} {{\n" + "\n".join(arms[0]) + "\n}"
    return text + (" else {\n" + "\n".join(arms[1]) + "\n}" if arms[1] else "")


def call(draw: st.DrawFn, scope: Scope, shape: Shape, labels: Sequence[str]) -> str:
    name, formals, tensors = draw(st.sampled_from([one for one in scope.calls if labels or not one[2]]))
    given = [formal for formal in formals if draw(st.booleans())]
    words = [name]
    for formal in given:
        held = formals[formal]
        if type(held) is int:
            words.append(f"{formal}={number(draw, draw(st.sampled_from(INTEGERS)), scope, shape)}")
        else:
            words.append(f"{formal}={scope.lift(draw, held, 1) or literal(held)}")
    words += ["with"] * bool(tensors) + [draw(st.sampled_from(labels)) for _ in range(tensors)]
    return " ".join(words)


def default(draw: st.DrawFn, scope: Scope, shape: Shape) -> str:
    cls = draw(st.sampled_from([cls for cls in OPERATIONS if declared(cls) and cls.operands == (1, 1)]))
    if cls.trailing and draw(st.booleans()):
        return " ".join(["default", cls.op, *_trailing(draw, scope, 1)])
    options = [(name, param) for name, param in declared(cls).items() if name not in cls.tensors()]
    if not options:
        reject()
    name, param = draw(st.sampled_from(options))
    return f"default {cls.op} {_arguments(draw, Layer, {name: value(draw, param.kind, shape)}, scope, shape)[0]}"


def sequence(
    draw: st.DrawFn,
    scope: Scope,
    shape: Shape,
    length: int,
    depth: int = 0,
    wrapped: Callable[[Sequence[str]], Sequence[str]] = list,
    known: Sequence[str] = (),
) -> tuple[list[str], Shape]:
    """Statements one after the other, and the shape after them. `wrapped` says what stands around them, `known` are the
    labels in it that they can use."""
    lines: list[str] = []
    current, labels = shape, [*known]
    for _ in range(length):
        for _ in range(TRIES):
            label = scope.name("t") if draw(st.integers(0, 4)) == 4 else None
            line = statement(draw, scope, current, depth, labels)
            if label and not line.startswith(("if", "default")):
                line = f"{label}: {line}"
            made = scope.shape_after(shape, wrapped([*lines, line]))
            if made is not None:
                lines, current = [*lines, line], made
                if label and line.startswith(f"{label}:") and not line.startswith(f"{label}: repeat"):
                    labels.append(label)
                break
    return lines, current


def statement(draw: st.DrawFn, scope: Scope, shape: Shape, depth: int, labels: Sequence[str]) -> str:
    kinds = ["layer"] * 8 + ["default"]
    if depth < 2:
        kinds += ["combiner"] * 4 + ["repeat", "choice"] * 2
    kinds += ["call"] * 3 * any(labels or not tensors for _, _, tensors in scope.calls)
    kinds += ["join"] * 3 * bool(labels)
    match draw(st.sampled_from(kinds)):
        case "combiner":
            return combiner(draw, scope, shape, depth)
        case "repeat":
            return repeat(draw, scope, shape, depth, labels)
        case "choice":
            return choice(draw, scope, shape, depth)
        case "call":
            return call(draw, scope, shape, labels)
        case "default":
            return default(draw, scope, shape)
        case "join":
            label = draw(st.sampled_from(labels))
            named = [f"{cls.op} {declared(cls)[name].key}" for cls in SINGLE for name in cls.tensors()]
            if draw(st.integers(0, 3)) == 3:
                return f"{draw(st.sampled_from(named))}={label}"
            op = draw(st.sampled_from([*(cls.op for cls in COMBINERS), "concat over=rows"]))
            return draw(st.sampled_from([f"{op} {label}", f"{op} {{ | from {label} | identity }}"]))
    return layer(draw, scope, shape)


def definition(draw: st.DrawFn, scope: Scope, shape: Shape) -> None:
    """A definition in the scope: its body makes sense on a shape, with the defaults of its parameters."""
    name = scope.name("block")
    formals: dict[str, Value] = {
        scope.name("p"): draw(st.sampled_from(INTEGERS)) for _ in range(draw(st.integers(0, 2)))
    }
    above = Scope(
        scope.operations,
        [*scope.head, *(f"param {formal} = {value}" for formal, value in formals.items())],
        formals,
        list(scope.calls),
        scope.taken,
        scope.lifting,
    )
    tensors = [scope.name("s") for _ in range(max(draw(st.integers(-1, 2)), 0))]

    def handed(lines: Sequence[str]) -> list[str]:
        return [*(f"{tensor}: identity" for tensor in tensors), *lines]

    lines, _ = sequence(draw, above, shape, draw(st.integers(1, 3)), 1, handed, tensors)
    if lines:
        formals |= above.lifted
        head = "shared def" if not formals and draw(st.booleans()) else "def"
        written = ", ".join(f"{formal}={literal(value)}" for formal, value in formals.items())
        named = " ".join(["", "with", *tensors]) if tensors else ""
        scope.head.append(f"{head} {name}({written}){named} {{\n" + "\n".join(lines) + "\n}")
        scope.calls.append((name, formals, len(tensors)))


def _is_read(name: str, head: Sequence[str], lines: Sequence[str]) -> bool:
    """Whether a lifted parameter is left: of a statement that was drawn in vain it stays behind."""
    return any(re.search(rf"\b{name}\b", line) for line in (*head, *lines) if not line.startswith(f"param {name} "))


# -- networks ------------------------------------------------------------------------------------------------


@st.composite
def inputs(draw: st.DrawFn, least: int = 0) -> Shape:
    """The shape of an input of few elements, from a vector to a volume."""
    rank = draw(st.sampled_from([rank for rank in (2, 1, 3, 0) if rank >= least]))
    most = {0: 1, 1: 12, 2: 7, 3: 4}[rank]
    return (*(draw(st.integers(1, most)) for _ in range(rank)), draw(st.sampled_from((4, 3, 2, 1, 6, 8))))


@st.composite
def networks(
    draw: st.DrawFn,
    operations: Sequence[type[Layer]] = SINGLE,
    least: int = 0,
    single: bool = False,
    lifting: bool = False,
) -> str:
    """The text of a valid network: of one input and output, if `single`, of at least so many dimensions.

    With `lifting`, parameters hold values everywhere: sizes, counts, words, conditions, options of `default`.
    """
    scope, shape = Scope(operations, lifting=lifting), draw(inputs(least))
    if draw(st.booleans()):
        scope.values = {scope.name("n"): draw(st.integers(0, 8)) for _ in range(draw(st.integers(1, 2)))}
        scope.head = [f"param {name} = {value}" for name, value in scope.values.items()]
    for _ in range(draw(st.integers(0, 2))):
        definition(draw, scope, shape)
    lines, made = sequence(draw, scope, shape, draw(st.integers(2, 6)))
    lines = [f"input {show_shape(shape)}", *lines]
    form = 0 if single else draw(st.integers(0, 4))
    if form == 1:  # a second input, joined with the first
        other = draw(inputs())
        more, after = sequence(draw, scope, other, draw(st.integers(0, 3)))
        joint = draw(st.sampled_from(COMBINERS)).op
        lines = [f"left: {lines[0]}", *lines[1:], "end: identity", f"right: input {show_shape(other)}", *more]
        lines += [*matching(after, made, channels=joint != "concat"), f"{joint} end"]
    elif form == 2:  # a second output, from the middle
        more, _ = sequence(draw, scope, made, draw(st.integers(1, 3)))
        lines += ["aux: identity", *more, "main: identity"]
        lines.append(draw(st.sampled_from(["output main aux", "output aux main"])))
    head = [
        line for line in scope.head if not line.startswith("param q") or _is_read(line.split()[1], scope.head, lines)
    ]
    text = "\n".join([*head, *lines])
    program = compiled(text)
    if program is None:  # a `default` reaches further than what was tried
        reject()
    return format_file(program.file)


def opened(text: str) -> str:
    """The same network for inputs of any size; netc may refuse it."""
    sizes = re.compile(r"^((?:\w+: )?input )((?:\d+x)+)(?=\d+$)", re.MULTILINE)
    return sizes.sub(lambda found: found[1] + "?x" * found[2].count("x"), text)
