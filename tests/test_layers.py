"""Operations without Keras: what every class must declare, what it refuses, and how its calls read."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import netc
from netc.compiler import compile_source
from netc.figures.theme import KINDS
from netc.ir.shape import Shape
from netc.layers import LAYERS
from netc.layers.base import Layer, OperationError
from netc.layers.defaults import TABLE
from netc.layers.kinds import ACTIVATION_ALIASES, ACTIVATIONS, Activation, Extents, Initializer, Operand, Padding
from netc.params import REQUIRED, Bool, Choice, Int, Param, Real, Refused, Sizes, declared
from netc.syntax.source import Source
from netc.target import Call, Symbol
from netc.targets.keras.lowering import to_keras
from netc.targets.keras.source.calls import made
from netc.targets.keras.source.text import expression
from netc.targets.keras.source.tree import written as python
from netc.values import SizeValue, Word
from tests.layer_samples import LINE, OPERATIONS, PLANE, SAMPLES, SPACE, VECTOR, Sample


def written(call: Call) -> str:
    return expression(made(call)).replace("'", '"')


def lowered(op: str, *inputs: Shape, **values: object) -> str:
    return "; ".join(map(written, to_keras(LAYERS[op](**values), inputs or (PLANE,))))


# -- conventions ---------------------------------------------------------------------------------------------


def test_names() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in LAYERS)
    assert all(LAYERS[name] is cls for cls in OPERATIONS for name in (cls.op, *cls.aliases))


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.op)
def test_every_class_says_what_it_is(cls: type[Layer]) -> None:
    doc = cls.__doc__ or ""
    assert doc[0].isupper(), doc
    assert doc.rstrip().endswith((".", ")")), doc
    assert cls.family in KINDS
    low, high = cls.operands
    assert 0 <= low <= (high or low)


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.op)
def test_every_parameter_is_documented_and_its_default_is_legal(cls: type[Layer]) -> None:
    params = declared(cls)
    assert {*cls.positional, *cls.size} <= set(params)
    for param in params.values():
        assert param.doc, param.name
        assert not param.doc.endswith(".")
        assert param.kind.describe()
        if param.default is not REQUIRED and param.default is not None:
            assert _as_stored(param.kind.accept(_as_written(param), 1)) == param.default, param.name


def _as_written(param: Param) -> object:
    return Word(param.default) if isinstance(param.default, str) else param.default


def _as_stored(value: object) -> object:
    return value[0] if isinstance(value, tuple) else value


@pytest.mark.parametrize("cls", OPERATIONS, ids=lambda cls: cls.op)
def test_every_example_compiles(cls: type[Layer]) -> None:
    assert cls.op in re.findall(r"[a-z0-9_]+", cls.example) or set(cls.aliases) & set(cls.example.split())
    text = cls.example if cls.op == "input" else f"input 32x32x16\n{cls.example}\n"
    program = compile_source(Source("example.net", text))
    assert not program.report.failed, [found.message for found in program.report]
    if cls.op != "identity":  # which makes no layer where it stands in a branch
        assert any(isinstance(node.layer, cls) for node in program.net)


@pytest.mark.parametrize("cls", [cls for cls in OPERATIONS if cls.family == "activation"], ids=lambda cls: cls.op)
def test_activations_need_no_arguments(cls: type[Layer]) -> None:
    """They stand as bare words after other operations."""
    assert not any(param.required for param in declared(cls).values())


def test_all_activations_of_the_kind_are_operations() -> None:
    assert all(LAYERS[word].op == ACTIVATION_ALIASES.get(word, word) for word in Activation().words())
    assert all(LAYERS[word].op == word for word in ACTIVATIONS)


def _other(param: Param) -> list[object]:
    """Values of a parameter to compare with the one at hand."""
    kind: Any = param.kind
    match kind:
        case Bool() | Operand():
            return [not param.default]
        case Choice():
            return [choice for choice in kind.choices if choice != param.default]
        case Int():
            return [2 if param.default == 1 else 1]
        case Real():
            return [0.3]
        case Sizes():
            return [(3, 3), (2, 2)]
        case Padding():
            return ["valid", (1, 1)]
        case Activation():
            return ["tanh"]
        case Initializer():
            return ["ones", 0.3]
        case Extents():
            return [(30, 3, 4)]
    raise AssertionError(kind)


_NEEDED: dict[str, dict[str, Any]] = {
    "input": {"shape": (8, 8, 3)},
    "reshape": {"shape": (9, 40)},
    "padchannels": {"total": 6},
    "part": {"index": 2, "of": 4},
    "shuffle": {"groups": 4},
    "groupnorm": {"groups": 4},
    "fc": {"units": 3},
    "noise": {"std": 0.1},
    "droppath": {"fraction": 0.5},
    "attention": {"heads": 2},
    "embed": {"count": 20, "units": 3},
    **{op: {"units": 3} for op in ("lstm", "gru", "rnn")},
    "rescale": {"factor": 2.0},
    "resize": {"extent": (6, 6)},
    "todepth": {"factor": 3},
    "tospace": {"factor": 2},
    "pick": {"index": 3},
}


def _plain(cls: type[Layer], name: str) -> Layer:
    values = {"filters": 8, "kernel": (3, 3), "factor": (3, 3), "by": (2, 2)}
    values |= {"to": True} if (cls.op, name) == ("crop", "offset") else {}
    return cls(**{key: value for key, value in values.items() if key in declared(cls)} | _NEEDED.get(cls.op, {}))


def _text(layer: Layer) -> str:
    shape = LINE if layer.family == "sequence" else SPACE if getattr(layer, "over", "") == "frames" else PLANE
    calls = to_keras(layer, (shape,))
    read = ["first", "second"][: layer.reads[0]]
    called = [Call("called", tuple(call.arguments(read)), call.applied) for call in calls]
    return "; ".join(written(one) for pair in zip(calls, called, strict=True) for one in pair)


@pytest.mark.parametrize(
    ("cls", "name"),
    [(cls, name) for cls in OPERATIONS for name in declared(cls)],
    ids=lambda value: value if isinstance(value, str) else value.op,
)
def test_every_parameter_matters(cls: type[Layer], name: str) -> None:
    plain = _plain(cls, name)
    tried = {_text(replace(plain, **{name: value})) for value in _other(declared(cls)[name])}
    assert tried - {_text(plain)}


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        (cls, name)
        for cls in OPERATIONS
        for name, param in declared(cls).items()
        if isinstance(param.kind, Int | Real | Bool | Sizes)
    ],
    ids=lambda value: value if isinstance(value, str) else value.op,
)
def test_symbols_are_printed(cls: type[Layer], name: str) -> None:
    """A parameter that a spec writes as an expression is one in emitted code too, or has told of what it decided."""
    plain = _plain(cls, name)
    value = getattr(plain, name)
    value = value[0] if isinstance(value, tuple) else value
    if value is None:
        value = 1
    decided: list[bool] = []
    symbol = Symbol(python("given"), value, lambda _, outcome: decided.append(outcome))
    text = _text(replace(plain, **{name: symbol}))
    assert "given" in text or decided, text


@pytest.mark.parametrize("sample", SAMPLES, ids=str)
def test_layers_compare_and_hash_by_value(sample: Sample) -> None:
    twin = replace(sample.layer)
    assert twin == sample.layer
    assert hash(twin) == hash(sample.layer)
    assert len({twin, sample.layer}) == 1


def test_layers_of_different_classes_differ() -> None:
    assert LAYERS["gap"]() != LAYERS["gmp"]()
    assert LAYERS["fc"](units=3) != LAYERS["fc"](units=4)


def test_every_operation_has_a_sample() -> None:
    assert {type(sample.layer) for sample in SAMPLES} == set(OPERATIONS)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.what)
def test_defaults_table_reads_the_classes(row: Any) -> None:
    op, _, name = row.param.partition(".")
    assert name in declared(LAYERS[op])
    assert row.netc == declared(LAYERS[op])[name].default
    assert all((row.what, row.tflearn, row.papers, row.keras))


# -- kinds ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "stored"),
    [
        (Padding(), Word("same"), "same"),
        (Padding(), 1, (1, 1)),
        (Padding(), SizeValue((0, 2)), (0, 2)),
        (Activation(), Word("swish"), "silu"),
        (Initializer(), Word("he_normal"), "he_normal"),
        (Initializer(), 0.01, 0.01),
        (Extents(), SizeValue((None, None, 3)), (None, None, 3)),
        (Extents(), 784, (784,)),
    ],
    ids=str,
)
def test_kinds_accept(kind: Any, value: object, stored: object) -> None:
    assert kind.accept(value, 2) == stored


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        (Padding(), Word("full"), "NET108"),
        (Padding(), "same", "NET108"),
        (Padding(), -1, "NET109"),
        (Padding(), 0.5, "NET108"),
        (Padding(("same", "valid")), Word("causal"), "NET108"),
        (Activation(), Word("leakyrelu"), "NET108"),
        (Activation(), "relu", "NET108"),
        (Initializer(), Word("he"), "NET108"),
        (Initializer(), True, "NET108"),
        (Extents(), 0, "NET109"),
        (Extents(), SizeValue((3, 3), (2,)), "NET108"),
        (Extents(), Word("same"), "NET108"),
    ],
    ids=str,
)
def test_kinds_refuse(kind: Any, value: object, code: str) -> None:
    with pytest.raises(Refused) as error:
        kind.accept(value, 2)
    assert error.value.code == code


# -- what is refused -----------------------------------------------------------------------------------------

TWO = (2, 2)
THREE = (3, 3)


@pytest.mark.parametrize(
    ("code", "op", "inputs", "values"),
    [
        ("NET201", "add", [(8, 8, 16), (8, 1, 16)], {}),  # Keras broadcasts these four
        ("NET201", "add", [(8, 8, 4), (1, 1, 1)], {}),
        ("NET201", "max", [(8, 8, 4), (8, 4)], {}),
        ("NET201", "mul", [(8, 8, 4), (8, 1, 1)], {}),
        ("NET201", "mul", [(8, 8, 1), (1, 1, 4)], {}),
        ("NET201", "concat", [(8, 8, 4), (4, 8, 3)], {"over": "rows"}),
        ("NET202", "concat", [(8, 4), (4, 4)], {"over": "columns"}),
        ("NET109", "pad", [(3, 8, 4)], {"by": (3, 1), "mode": "reflect"}),
        ("NET109", "pad", [(3, 8, 4)], {"by": (4, 1), "mode": "symmetric"}),
        ("NET205", "crop", [(8, 8, 4), (9, 8, 4)], {"to": True}),
        ("NET205", "crop", [(8, 8, 4), (7, 7, 4)], {"to": True, "offset": 2}),
        ("NET202", "crop", [(8, 8, 4), (7, 4)], {"to": True}),
        ("NET103", "crop", [(8, 8, 4), (7, 7, 4)], {"to": True, "by": 1}),
        ("NET106", "crop", [(8, 8, 4)], {"by": 1, "offset": 1}),
        ("NET106", "resize", [PLANE], {}),
        ("NET103", "resize", [PLANE, PLANE], {"to": True, "extent": 4}),
        *(("NET202", "resize", [shape], {"extent": 4}) for shape in (VECTOR, LINE, SPACE)),
        ("NET212", "todepth", [(8, 9, 4)], {"factor": 2}),
        ("NET212", "tospace", [(8, 8, 6)], {"factor": 2}),
        *(("NET202", op, [shape], {"factor": 2}) for op in ("todepth", "tospace") for shape in (VECTOR, SPACE)),
        *(("NET202", op, [shape], {}) for op in ("swap", "token") for shape in (VECTOR, PLANE)),
        ("NET208", "swap", [(None, 4)], {}),
        ("NET208", "position", [(None, 4)], {}),
        ("NET202", "position", [VECTOR], {}),
        ("NET202", "pick", [PLANE], {"index": 0}),
        *(("NET109", "pick", [LINE], {"index": index}) for index in (12, -13)),
        ("NET201", "mul", [(8, 8, 4), (4,)], {}),
        ("NET201", "mul", [(8, 8, 4), (1, 1, 8)], {}),
        ("NET201", "mul", [(8, 8, 4), (1, 4)], {}),
        ("NET201", "sub", [(8, 8, 4), (None, 4, 4)], {}),
        ("NET201", "avg", [(8, None, 4), (None, 8, 4), (7, 8, 4)], {}),
        ("NET201", "concat", [(8, 8, 4), (4, 4, 4)], {}),
        ("NET201", "concat", [(8, 8, 4), (4,)], {}),
        *(
            ("NET202", op, [VECTOR], {"kernel": (3,), "filters": 4})
            for op in ("conv", "dwconv", "sepconv", "deconv", "maxpool", "avgpool")
        ),
        *(("NET202", op, [VECTOR], {}) for op in ("gap", "gmp", "spatialdropout")),
        *(("NET202", op, [VECTOR], {"by": (1,), "factor": (2,)}) for op in ("pad", "crop", "upsample", "subsample")),
        ("NET202", "dwconv", [(4, 4, 4, 2)], {"kernel": (3, 3, 3)}),
        ("NET202", "sepconv", [(4, 4, 4, 2)], {"kernel": (3, 3, 3), "filters": 2}),
        ("NET202", "conv", [PLANE], {"kernel": THREE, "filters": 2, "pad": "causal"}),
        ("NET202", "upsample", [(8, 4)], {"factor": (2,), "method": "bilinear"}),
        ("NET202", "input", [], {"shape": (2, 3, 4, 5, 6)}),
        ("NET203", "conv", [PLANE], {"kernel": THREE, "filters": 6, "groups": 3}),
        ("NET203", "conv", [PLANE], {"kernel": THREE, "filters": 6, "groups": 4}),
        ("NET203", "groupnorm", [PLANE], {"groups": 3}),
        ("NET203", "groupnorm", [PLANE], {}),
        ("NET204", "conv", [(2, 8, 3)], {"kernel": THREE, "filters": 2, "pad": "valid"}),
        ("NET204", "conv", [(4, 8, 3)], {"kernel": THREE, "filters": 2, "pad": "valid", "dilation": TWO}),
        ("NET204", "conv", [(2, 8, 3)], {"kernel": (5, 5), "filters": 2, "pad": (1, 1)}),
        ("NET204", "conv", [(2, None, 3)], {"kernel": THREE, "filters": 2, "pad": "valid"}),
        ("NET204", "dwconv", [(2, 8, 3)], {"kernel": THREE, "pad": "valid"}),
        ("NET204", "sepconv", [(2, 8, 3)], {"kernel": THREE, "filters": 2, "pad": "valid"}),
        ("NET204", "maxpool", [(8, 8, 3)], {"kernel": (9, 9), "pad": "valid"}),
        ("NET204", "avgpool", [(8, 8, 3)], {"kernel": (9, 9), "stride": (1, 1), "pad": "valid"}),
        ("NET204", "maxpool", [(1, 1, 3)], {"kernel": TWO}),
        ("NET204", "maxpool", [(1, 1, 3)], {"kernel": TWO, "pad": "valid"}),
        ("NET205", "crop", [(8, 8, 3)], {"by": (4, 1)}),
        ("NET206", "padchannels", [PLANE], {"total": 7}),
        ("NET207", "conv", [PLANE], {"kernel": THREE, "filters": 6, "stride": (1, 2), "dilation": (2, 1)}),
        ("NET207", "deconv", [PLANE], {"kernel": THREE, "filters": 6, "stride": TWO, "dilation": TWO}),
        ("NET208", "fc", [(None, 8, 3)], {"units": 3}),
        ("NET208", "flatten", [(None, 8, 3)], {}),
        ("NET208", "reshape", [(None, 8, 3)], {"shape": (None, 3)}),
        ("NET209", "reshape", [PLANE], {"shape": (9, 9, 4)}),
        ("NET209", "reshape", [PLANE], {"shape": (None, 7)}),
        ("NET209", "reshape", [PLANE], {"shape": (None, None, 4)}),
        ("NET210", "dwconv", [PLANE], {"kernel": THREE, "stride": (1, 2)}),
        ("NET210", "sepconv", [PLANE], {"kernel": THREE, "filters": 6, "stride": (1, 2)}),
        ("NET211", "input", [], {"shape": (32, 32, None)}),
        ("NET212", "part", [PLANE], {"index": 1, "of": 3}),
        ("NET212", "shuffle", [PLANE], {"groups": 3}),
        ("NET212", "glu", [(8, 8, 3)], {}),
        ("NET109", "part", [PLANE], {"index": 3, "of": 2}),
        ("NET109", "padchannels", [PLANE], {"total": 2}),
        ("NET109", "maxpool", [PLANE], {"kernel": TWO, "pad": (2, 0)}),
        ("NET106", "pad", [PLANE], {}),
    ],
)
def test_refused(code: str, op: str, inputs: list[Shape], values: dict[str, object]) -> None:
    cls = LAYERS[op]
    layer = cls(**{name: value for name, value in values.items() if name in declared(cls)})
    with pytest.raises(Refused) as error:
        layer.infer(inputs)
    assert error.value.code == code
    assert error.value.message[0] in "`" or error.value.message[0].islower()
    assert not error.value.param or error.value.param in declared(cls)


@pytest.mark.parametrize(
    ("op", "inputs", "values", "shape"),
    [
        ("maxpool", [(8, 8, 3)], {"kernel": (1, 1), "stride": TWO}, (4, 4, 3)),  # smaller than its stride: a lint
        ("maxpool", [(1, 8, 3)], {"kernel": TWO}, (1, 4, 3)),
        ("maxpool", [(1, 1, 3)], {"kernel": THREE, "stride": (1, 1)}, (1, 1, 3)),
        ("conv", [(1, 1, 3)], {"kernel": THREE, "filters": 2}, (1, 1, 2)),
        ("conv", [(None, 9, 3)], {"kernel": THREE, "filters": 2, "stride": TWO}, (None, 5, 2)),
        ("dwconv", [PLANE], {"kernel": THREE, "stride": TWO, "dilation": TWO}, (5, 5, 4)),
        ("mul", [(8, 8, 4), (1, 1, 4), (1, 1, 4)], {}, (8, 8, 4)),
        ("mul", [(1, 1, 4), (1, 1, 4)], {}, (1, 1, 4)),
        ("add", [(None, 8, 4), (7, 8, 4)], {}, (None, 8, 4)),  # as in Keras: the size may be another
        ("concat", [(None, 8, 4), (7, None, 2)], {}, (None, None, 6)),
    ],
)
def test_allowed(op: str, inputs: list[Shape], values: dict[str, object], shape: Shape) -> None:
    assert LAYERS[op](**values).infer(inputs) == shape


def test_a_window_that_does_not_fit_names_sizes() -> None:
    with pytest.raises(Refused) as error:
        LAYERS["maxpool"](kernel=TWO).infer([(1, 1, 512)])
    assert error.value.message == "`pool 2` needs at least 2x2, but its input is 1x1"
    assert error.value.label == "1x1x512 here"


# -- classes that contradict themselves ----------------------------------------------------------------------


@pytest.mark.parametrize("sample", [sample for sample in SAMPLES if sample.inputs], ids=str)
def test_windows_make_the_sizes_that_the_shape_rule_gives(sample: Sample) -> None:
    layer, inputs = sample.layer, sample.inputs
    output, windows = layer.checked_shape(inputs), layer.windows(inputs)
    if not windows:
        assert windows is None or all(len(output) == len(shape) for shape in inputs)
        return
    for size, window, slid in zip(inputs[0], windows, output[:-1], strict=False):
        if size is not None and slid is not None:
            grid = (size - 1) * window.up + 1 + window.before + window.after
            counted = (grid - window.extent) // window.stride + 1
            assert counted == slid or (window.up > window.extent and counted < (slid or 0))  # gaps that no window reads


def test_a_class_that_changes_sizes_declares_windows() -> None:
    """For each class with windows: without them it is refused, wherever it really changes a size."""
    refused = set()
    for sample in SAMPLES:
        layer, inputs = sample.layer, sample.inputs
        if not layer.windows(inputs) or layer.infer(inputs)[:-1] == inputs[0][:-1]:
            continue
        if layer.valued(inputs) != inputs:  # another tensor says its size
            continue
        silent = type("Silent", (type(layer),), {"windows": Layer.windows})(**vars(layer))
        with pytest.raises(OperationError, match=r"`Silent.windows` gives \(\)"):
            silent.checked_shape(inputs)
        refused.add(layer.op)
    sliding = {"conv", "dwconv", "sepconv", "deconv", "pool", "avgpool", "pad", "crop", "upsample", "subsample"}
    sliding |= {"concat", "resize", "todepth", "tospace", "token"}
    assert refused == sliding


def test_the_check_of_a_spec_refuses_such_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LAYERS["crop"], "windows", Layer.windows)
    with pytest.raises(OperationError, match="`crop` makes 6x6x3 of 8x8x3"):
        compile_source(Source("sample.net", "input 8x8x3\ncrop 1\n"))


@pytest.mark.parametrize("norm", [name for name, cls in LAYERS.items() if cls.removes_bias])
@pytest.mark.parametrize("cls", [cls for cls in OPERATIONS if cls.trailing], ids=lambda cls: cls.op)
def test_an_activation_has_its_place_among_the_words(cls: type[Layer], norm: str) -> None:
    """However an `act` comes to a layer with a normalisation as a word, it is refused; words mean their order."""
    start = re.match(rf"{cls.op} \S+", cls.example)
    assert start is not None

    def check(*lines: str) -> tuple[set[str], list[str]]:
        program = compile_source(Source("sample.net", "\n".join(("param a = relu", "input 9x9x4", *lines))))
        parts = [(node.layer.op, getattr(node.layer, "act", "linear")) for node in program.net]
        return {found.code for found in program.report}, [act if op == cls.op else op for op, act in parts[1:]]

    plain = start[0]
    for act in ("relu", "a", "(a)", "swish"):
        for words in (f"{norm} act={act}", f"act={act} {norm}", f"relu {norm} act={act}", f"{norm} relu act={act}"):
            assert check(f"{plain} {words}")[0] == {"NET127"}
        assert check(f"default {cls.op} act={act}", f"{plain} {norm}")[0] == {"NET127"}
    assert "NET127" in check("def unit(x) {", f"    {plain} {norm} act=x", "}", "unit linear")[0]
    assert check(f"{plain} {norm} relu")[1] == ["linear", "bn", "relu"]
    assert check(f"{plain} relu {norm}")[1] == ["relu", "bn"]
    assert check(f"{plain} {norm} relu act=linear")[1] == ["linear", "bn", "relu"]
    assert check(f"default {cls.op} act=tanh", f"{plain} {norm} relu act=linear")[1] == ["linear", "bn", "relu"]


# -- how calls read ------------------------------------------------------------------------------------------


def _asks_by_name(node: ast.AST) -> bool:
    """`layer.op == "add"`, `node.layer.op in NAMES`, `LAYERS["add"]`; not `one.op == other.op`."""
    if isinstance(node, ast.Compare):
        sides = [isinstance(side, ast.Attribute) and side.attr == "op" for side in (node.left, *node.comparators)]
        return any(sides) and not all(sides)
    return (
        isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "LAYERS"
        and isinstance(node.slice, ast.Constant)
    )


def test_facts_of_operations_stand_on_their_classes() -> None:
    """Nothing else tells operations apart by their names: what is added would be forgotten there."""
    package = Path(netc.__file__).parent
    found = [
        f"{path.relative_to(package)}:{node.lineno}"
        for path in sorted(package.rglob("*.py"))
        if not {"layers", "onnx"} & {*path.parts}  # nodes of ONNX have operators of its own
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.expr) and _asks_by_name(node)
    ]
    assert found == []


def test_layers_know_no_target() -> None:
    code = "import sys, netc.layers; print([name for name in sys.modules if name.startswith(('netc.target', 'keras'))])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


@pytest.mark.parametrize(
    ("text", "op", "values"),
    [
        ('layers.Conv2D(64, 3, padding="same")', "conv", {"filters": 64, "kernel": THREE}),
        (
            'layers.Conv2D(64, 3, strides=2, padding="same", activation="relu", use_bias=False, '
            'kernel_initializer="he_normal", kernel_regularizer=regularizers.L2(5e-5))',
            "conv",
            {
                **{"filters": 64, "kernel": THREE, "stride": TWO, "act": "relu", "bias": False},
                **{"init": "variance_scaling", "l2": 1e-4},
            },
        ),
        (
            "layers.ZeroPadding2D(3); layers.Conv2D(64, 7, strides=2)",
            "conv",
            {**{"filters": 64, "kernel": (7, 7), "stride": TWO, "pad": THREE}},
        ),
        (
            "layers.ZeroPadding2D((1, 0)); layers.Conv2D(8, (3, 1))",
            "conv",
            {**{"filters": 8, "kernel": (3, 1), "pad": (1, 0)}},
        ),
        ('layers.MaxPooling2D(2, padding="same")', "maxpool", {"kernel": TWO}),
        ('layers.MaxPooling2D(2, padding="same")', "maxpool", {"kernel": TWO, "stride": TWO}),
        ('layers.MaxPooling2D(3, strides=2, padding="same")', "maxpool", {"kernel": THREE, "stride": TWO}),
        (
            "MaxPoolPadding(1); layers.MaxPooling2D(3, strides=2)",
            "maxpool",
            {**{"kernel": THREE, "stride": TWO, "pad": (1, 1)}},
        ),
        ("layers.MaxPooling2D(1, strides=2)", "subsample", {"factor": TWO}),
        ("layers.GlobalAveragePooling2D()", "gap", {}),
        ("layers.GlobalAveragePooling2D(keepdims=True)", "gap", {"keep": True}),
        ('layers.Flatten(); layers.Dense(10, activation="softmax")', "fc", {"units": 10, "act": "softmax"}),
        ("layers.BatchNormalization(momentum=0.9, epsilon=1e-5)", "bn", {}),
        ("layers.BatchNormalization()", "bn", {"decay": 0.99, "epsilon": 1e-3}),
        ("layers.ZeroPadding2D(((0, 1), (0, 1)))", "pad", {"before": (0, 0), "after": (1, 1)}),
        ("layers.Cropping2D(((0, 2), (3, 1)))", "crop", {"by": (2, 1), "before": (0, 3)}),
        ('layers.Activation("relu")', "relu", {}),
        ("layers.ReLU(max_value=6)", "relu", {"max": 6}),
        ('layers.Activation("gelu")', "gelu", {}),
        ('ParametricActivation("gelu", approximate=True)', "gelu", {"approximate": True}),
        ("layers.Dropout(0.2, noise_shape=(None, 1, 1, 1))", "droppath", {"rate": 0.2}),
        ("layers.UpSampling2D(2)", "upsample", {"factor": 2}),
        ("regularizers", "conv", {"filters": 1, "kernel": THREE, "l1": 0.5, "l2": 0.5}),
    ],
)
def test_calls_read_like_keras_code(text: str, op: str, values: dict[str, object]) -> None:
    if text == "regularizers":
        assert "kernel_regularizer=regularizers.L1L2(l1=0.5, l2=0.25)" in lowered(op, **values)
    else:
        assert lowered(op, **values) == text


def test_symbols_in_calls() -> None:
    ch, k, decay = Symbol(python("4 * ch"), 64, 12), Symbol(python("k"), 3), Symbol(python("l2"), 1e-4)
    text = lowered("conv", filters=ch, kernel=(k, k), stride=Symbol(python("stride"), 1), pad=(k, k), l2=decay)
    assert text == (
        "layers.ZeroPadding2D(k); layers.Conv2D(4 * ch, k, strides=stride, kernel_regularizer=regularizers.L2(l2 / 2))"
    )
    assert lowered(
        "conv", (9, 2), filters=8, kernel=k, act=Symbol(python("act"), "relu"), pad=Symbol(python("padding"), "same")
    ) == ("layers.Conv1D(8, k, padding=padding, activation=act)")
    assert lowered("dwconv", (9, 2), kernel=k, dilation=Symbol(python("rate"), 2), pad="causal") == (
        "layers.ZeroPadding1D(((k - 1) * rate, 0)); layers.DepthwiseConv1D(k, dilation_rate=rate)"
    )
    assert (
        lowered("maxpool", kernel=k, stride=Symbol(python("s"), 3))
        == 'layers.MaxPooling2D(k, strides=s, padding="same")'
    )
    assert lowered("conv", filters=8, kernel=3, init=Symbol(python("init"), "he_normal")) == (
        'layers.Conv2D(8, 3, padding="same", kernel_initializer=init)'
    )
    assert lowered("conv", filters=8, kernel=3, init=Symbol(python("init"), "variance_scaling")) == (
        'layers.Conv2D(8, 3, padding="same", kernel_initializer="he_normal")'
    )
    assert lowered("part", index=Symbol(python("i"), 1), of=2) == "ChannelPart(index=i - 1, parts=2)"


# -- cost ----------------------------------------------------------------------------------------------------


def test_macs_and_weights_of_published_layers() -> None:
    """conv1 of AlexNet and ResNet-50, MobileNet's first separable pair (Howard et al. 2017, Table 1)."""

    def cost(op: str, shape: Shape, **values: object) -> tuple[int, int | None]:
        layer = LAYERS[op](**values)
        weights = sum(weight.count for weight in layer.weights([shape]))
        return weights, layer.macs([shape], layer.infer([shape]))

    assert cost("conv", (227, 227, 3), filters=96, kernel=(11, 11), stride=(4, 4), pad="valid") == (34_944, 105_415_200)
    assert cost("conv", (27, 27, 96), filters=256, kernel=(5, 5), groups=2) == (307_456, 223_948_800)
    assert cost("conv", (224, 224, 3), filters=64, kernel=(7, 7), stride=(2, 2), bias=False) == (9_408, 118_013_952)
    assert cost("dwconv", (112, 112, 32), kernel=THREE, bias=False) == (288, 3_612_672)
    assert cost("conv", (112, 112, 32), filters=64, kernel=(1, 1), bias=False) == (2_048, 25_690_112)
    assert cost("sepconv", (112, 112, 32), filters=64, kernel=THREE, bias=False) == (2_336, 29_302_784)
    assert cost("fc", (7, 7, 512), units=4096) == (102_764_544, 102_760_448)
    assert cost("conv", (None, 8, 3), filters=2, kernel=THREE) == (56, None)
    assert cost("deconv", (4, 4, 8), filters=2, kernel=(4, 4), stride=TWO) == (258, 4 * 4 * 16 * 8 * 2)
