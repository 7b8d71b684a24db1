"""Emitted Keras code: the same network as the direct build, in the structure of the spec, and nothing else in it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from netc.analysis.cost import measure
from netc.compiler import compile_source
from netc.program import Program
from netc.syntax.source import Source
from netc.targets.keras.source import emit
from netc.targets.keras.source.inspection import UnexpectedCode, inspect
from netc.values import Value
from tests.emit_samples import HEAD, SAMPLES, UNIT
from tests.specs import SAMPLE_FILES

LARGE = 15_000_000  # parameters of networks that are compared without running them
COSTLY = 500_000_000  # multiply-accumulates of such


def compiled(text: str, name: str = "sample.net", **parameters: Value) -> Program:
    program = compile_source(Source(name, text), parameters, speculate=True)
    assert not program.report.failed, [(found.message, found.span and found.span.line) for found in program.report]
    return program


def emitted(text: str, **parameters: Value) -> str:
    return emit(compiled(text, **parameters))


@pytest.fixture(scope="module")
def runner() -> Iterator[object]:
    pytest.importorskip("keras")
    from netc.targets.keras.runner import Runner

    with Runner() as running:
        yield running


def differences(program: Program, source: str, runner: object, outputs: bool = True) -> list[str]:
    import keras

    from netc.targets.keras.verify import verify

    keras.backend.clear_session()
    return verify(program, source, runner=runner, outputs=outputs).differences  # type: ignore[arg-type]


# -- emitted code is the network -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("flat", [False, True], ids=["structured", "flat"])
def test_emitted_code_is_the_network(name: str, flat: bool, runner: object) -> None:
    program = compiled(SAMPLES[name])
    assert differences(program, emit(program, flat=flat), runner) == []


@pytest.mark.parametrize("path", SAMPLE_FILES, ids=lambda path: path.stem)
def test_shipped_specs(path: Path, runner: object) -> None:
    """What the largest compute is left out: each of their layers is one of the direct build, configured alike."""
    program = compiled(path.read_text(encoding="utf-8"), str(path))
    total = measure(program.net).total
    outputs = total.parameters < LARGE and (total.macs or 0) < COSTLY and len(program.net) < 1000
    assert differences(program, emit(program), runner, outputs) == []


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("repeat", {"n": 5}),
        ("nested repeats", {"n": 3}),
        ("nested repeats", {"n": 2, "m": 4}),
        ("no passes", {"n": 2}),
        ("repeat in if", {"deep": True, "n": 3}),
        ("if", {"mode": 1}),
        ("if", {"mode": 3}),
        ("labels in arms", {"c": False}),
        ("resnet", {"n": 3}),
        ("computed", {"alpha": 1.5}),
    ],
)
def test_other_arguments_build_the_network_of_other_parameters(
    name: str, parameters: dict[str, Value], runner: object
) -> None:
    """Emitted with the spec's own parameters, called with others: the network that netc makes of those."""
    text = emitted(SAMPLES[name])
    arguments = ", ".join(f"{key}={value!r}" for key, value in parameters.items())
    called = text.replace("    build_model().summary()", "    pass") + (
        f"\n\n_original = build_model\n\n\ndef build_model():\n    return _original({arguments})\n"
    )
    assert differences(compiled(SAMPLES[name], **parameters), called, runner) == []


def test_verify_finds_differences(runner: object) -> None:
    program = compiled(SAMPLES["chain"])
    text = emit(program)
    wider = text.replace("layers.Conv2D(8,", "layers.Conv2D(9,", 1)
    assert any("conv1" in line for line in differences(program, wider, runner))
    renamed = text.replace('name="conv2"', 'name="other"')
    assert any("conv2 is missing" in line for line in differences(program, renamed, runner))
    assert any("NameError" in line for line in differences(program, "def build_model():\n    return nothing\n", runner))
    act = text.replace('activation="softmax"', 'activation="sigmoid"')
    assert any("activation" in line for line in differences(program, act, runner))


def test_layers_in_models_are_frozen_by_name(runner: object) -> None:
    text = (
        "input 12x12x3\nshared def t() { conv 4x3 bn }\na: t; pool 2; conv 3x1; t; gap; out: fc 2 softmax\n"
        "train { loss categorical_crossentropy; optimizer adam; epochs 1; batch 2; freeze a; precision bfloat16 }"
    )
    program = compiled(text)
    code = emitted(text)
    assert 'model.get_layer("t").get_layer(name).trainable = False' in code
    assert differences(program, code, runner) == []


# -- its form ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("flat", [False, True], ids=["structured", "flat"])
def test_form(name: str, flat: bool) -> None:
    import black

    program = compiled(SAMPLES[name])
    text = emit(program, flat=flat)
    assert text == emit(program, flat=flat)
    assert black.format_str(text, mode=black.Mode()) == text
    imported = {
        alias.name if isinstance(node, ast.Import) else node.module
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported <= {"keras", "math", "sys"}


@pytest.mark.parametrize("path", SAMPLE_FILES, ids=lambda path: path.stem)
@pytest.mark.parametrize("flat", [False, True], ids=["structured", "flat"])
def test_what_is_imported_is_used_and_is_no_backend(path: Path, flat: bool) -> None:
    nodes = [*ast.walk(ast.parse(emit(compiled(path.read_text(encoding="utf-8"), str(path)), flat=flat)))]
    imports = [alias for node in nodes if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    assert {alias.asname or alias.name for alias in imports} <= names
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    assert modules <= {"keras", "h5py", "math", "sys"}
    assert not names & {"tf", "tensorflow"}


def test_no_tensorflow_while_emitting() -> None:
    script = (
        "import sys\nfrom netc.compiler import compile_source\nfrom netc.syntax.source import Source\n"
        "from netc.targets.keras.source import emit\n"
        f"print(len(emit(compile_source(Source('a.net', {SAMPLES['resnet']!r}), speculate=True))))\n"
        "assert not {'keras', 'tensorflow'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def lines_of(text: str, start: str) -> str:
    """A function of the text, from its header to the next blank line pair."""
    return text[text.index(start) :].split("\n\n\n", maxsplit=1)[0].rstrip("\n")


def test_a_definition_is_a_function() -> None:
    text = emitted(SAMPLES["resnet"])
    assert (
        lines_of(text, "def unit")
        == """\
def unit(x, ch, stride=1, name="unit"):
    shortcut = x
    if stride > 1:
        shortcut = layers.MaxPooling2D(1, strides=stride, name=f"{name}_subsample1")(
            shortcut
        )
    if ch > shortcut.shape[-1]:
        shortcut = ChannelPadding(ch, name=f"{name}_padchannels1")(shortcut)
    residual = batch_norm(x, name=f"{name}_bn1")
    residual = layers.Activation("relu", name=f"{name}_relu1")(residual)
    residual = layers.Conv2D(
        ch, 3, strides=stride, padding="same", name=f"{name}_conv1"
    )(residual)
    residual = batch_norm(residual, name=f"{name}_bn2")
    residual = layers.Activation("relu", name=f"{name}_relu2")(residual)
    residual = layers.Conv2D(ch, 3, padding="same", name=f"{name}_conv2")(residual)
    return layers.Add(name=f"{name}_add1")([shortcut, residual])"""
    )
    assert (
        lines_of(text, "def group")
        == """\
def group(x, n, ch, down=False, name="group"):
    x = unit(x, ch, stride=2 if down else 1, name=f"{name}_unit1")
    for i in range(n - 1):
        x = unit(x, ch, name=f"{name}_unit{i + 2}")
    return x"""
    )
    assert "def build_model(n=2):" in text
    assert 'x = group(x, n=n, ch=16, down=True, name="group2")' in text


INCEPTION = """
net inception
input 16x16x4
def module(b1, b3, b5) {
    concat {
        | conv (b1)x1 bn relu
        | conv (b3)x1 bn relu; conv (b3)x3 bn relu
        | conv 8x1 bn relu init=he_normal; conv (b5)x5 bn
    }
}
conv 8x3/2 bn relu
module 8 16 4
module 16 16 8
"""


def test_words_that_repeat_are_one_function(runner: object) -> None:
    """Constants of the batch normalisations stand once in the module, and layers keep their names."""
    program = compiled(INCEPTION)
    text = emit(program)
    assert (
        lines_of(text, "def conv_bn")
        == """\
def conv_bn(
    x,
    filters,
    kernel_size,
    *,
    strides=1,
    kernel_initializer="glorot_uniform",
    activation="relu",
    name,
):
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer=kernel_initializer,
        name=name,
    )(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)
    if activation is not None:
        x = layers.Activation(activation, name=f"{name}_{activation}")(x)
    return x"""
    )
    assert (
        lines_of(text, "def module")
        == """\
def module(x, b1, b3, b5, name="module"):
    branch1 = conv_bn(x, b1, 1, name=f"{name}_conv1")
    branch2 = conv_bn(x, b3, 1, name=f"{name}_conv2")
    branch2 = conv_bn(branch2, b3, 3, name=f"{name}_conv3")
    branch3 = conv_bn(x, 8, 1, kernel_initializer="he_normal", name=f"{name}_conv4")
    branch3 = conv_bn(branch3, b5, 5, activation=None, name=f"{name}_conv5")
    return layers.Concatenate(name=f"{name}_concat1")([branch1, branch2, branch3])"""
    )
    assert differences(program, text, runner) == []


def test_an_option_of_a_shipped_block_that_no_call_changes_is_a_constant() -> None:
    text = emitted(HEAD + 'param n = 2\nresnext n 64\nresnext n 128 downsample shortcut="C"')
    assert {"groups=32", "width=4"} <= {
        part.strip(" ,\n") for part in re.split("[,\\n]", lines_of(text, "def resnext_unit"))
    }
    assert "init" not in text.replace("initializer", "")
    assert 'shortcut="C"' in text
    assert "ChannelPadding" not in text


def test_checked_values_are_the_defaults() -> None:
    assert "def build_model(n=5):" in emitted(SAMPLES["resnet"], n=5)
    assert "def build_model(n=2, m=None):" in emitted(SAMPLES["nested repeats"])
    assert "def build_model(n=2, m=7):" in emitted(SAMPLES["nested repeats"], m=7)


def test_the_short_way_comes_first() -> None:
    text = emitted(SAMPLES["residual first"])
    assert "([x, residual])" in text
    assert "layers.Subtract" in text
    assert "([branch, x])" in text


def test_copies_that_differ_are_functions_of_their_own() -> None:
    text = emitted(SAMPLES["two ranks"])
    assert "layers.Conv2D(" in lines_of(text, "def c(")
    assert "layers.Conv1D(" in lines_of(text, "def c_2(")


def test_a_parameter_that_decided_about_the_code_is_guarded() -> None:
    text = emitted(SAMPLES["layer parameter"])
    assert 'raise ValueError("this code is for f=relu only")' in text or "act=f" in text


def test_a_parameter_that_decided_about_a_function_is_none_of_its() -> None:
    text = emitted(
        HEAD + "def u(ch, init=he_normal) { conv (ch)x3 init=init }\nu 4 init=truncated_normal; u 8 truncated_normal"
    )
    assert "def u(x, ch, name=" in text
    assert 'x = u(x, 8, name="u2")' in text
    assert "raise" not in text


BNECK = """
def bneck(k, out, se, nl, stride=1, pad=same, bias=false) {
    x: identity
    conv (2*out)x1 bn nl
    dwconv (k)/(stride) bn nl pad=pad
    if se { mul { | identity | gap keep; conv (channels)x1 hard_sigmoid } }
    conv (out)x1 bn bias=bias
    if stride == 1 { add { | from x | identity } }
}
"""


def test_a_definition_whose_copies_differ_in_a_word_is_one_function(runner: object) -> None:
    """As in MobileNetV3 (Howard et al. 2019, Table 1), where blocks differ in squeeze-and-excitation and activation."""
    program = compiled(
        f"{HEAD}{BNECK}bneck 3 4 true relu; bneck 5 4 false hard_swish bias; bneck 3 8 true hard_swish stride=2 pad=valid"
    )
    text = emit(program)
    functions = [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    assert functions == ["batch_norm", "conv_bn", "bneck", "build_model"]
    assert "layers.Activation(nl, name=" in text
    assert 'bneck(x, 5, 4, False, "hard_silu", bias=True, name="bneck2")' in text
    assert differences(program, text, runner) == []


def test_code_that_nothing_leads_to_is_left_out() -> None:
    """Neither a call nor a parameter makes `wide` true, so nothing of it is there, and what `deep` decides is."""
    text = emitted(
        HEAD + "param deep = false\nparam n = 2\n"
        "def u(ch, wide=false, k=3) {\nif wide and ch > 2 { padchannels 64 } else if k == 3 { conv (ch)x(k) }\n}\n"
        "u 4; u 8; if deep { lrn }\nrepeat n { if 1 > 2 { abs }; conv 4x1 }"
    )
    assert "ChannelPadding" not in text
    assert "AbsoluteValue" not in text
    assert "    if k == 3:" not in text
    assert "    if deep:" in text
    assert "class LocalResponseNormalization" in text


def test_the_comment_above_a_definition_is_its_own() -> None:
    unit = "def u() { conv 4x3 }\ninput 8x8x1\nu\n"
    assert emitted(f"# a unit\n{unit}").count("a unit") == 1
    assert emitted(f"# a network\n\n# a unit\n{unit}").startswith('"""a network\n')
    assert emitted("# a network\ninput 8x8x1\nconv 4x3\n").count("a network") == 1


def test_an_arm_that_could_not_be_expanded_raises() -> None:
    text = emitted(HEAD + "param big = false\nif big { conv 4x99 pad=valid } else { conv 4x3 }\nconv 2x1")
    assert "raise ValueError(" in lines_of(text, "def build_model")


COMMENTED = """\
# A network of mine
# (Somebody 2020)
net mine

# how many
param n = 2  # units
input 8x8x1
# something else

# a unit
def u(ch) {
    # inside
    conv (ch)x3  # three
    # netc: allow NET501
    bn
}
# first
repeat n { u 4 }  # each
fc 2
# the end
"""


def test_comments_stay() -> None:
    text = emitted(COMMENTED)
    assert text.startswith('"""A network of mine\n(Somebody 2020)\n')
    for comment in ("inside", "three", "first", "each", "the end"):
        assert f"# {comment}\n" in text, comment
    assert '"""a unit"""' in text
    assert "n: how many units" in text
    assert "NET501" not in text


def test_unused_loop_variables_are_underscores() -> None:
    text = emitted(HEAD + "a: conv 4x3\nrepeat 2 { from a }\nconv 4x1")
    assert "for _ in range(2):" in text


# -- nothing of a spec becomes code ---------------------------------------------------------------------------

EVIL = [
    '"""\nimport os\n"""',
    "\\",
    'x" + __import__("os").system("true") + "',
    "\r import os",
    "\x0c\x0bimport os",
    "{name!r}",
    "\u2028import os",
    "'''",
]


@pytest.mark.parametrize("evil", EVIL)
def test_comments_and_file_names_cannot_become_code(evil: str) -> None:
    line = evil.replace("\n", " ")
    parts = ("", "net n\ninput 8x8x1\n", "def d(ch) { conv (ch)x3 }  ", "", "d 4  ", "")
    text = "".join(f"{part}# {line}\n" for part in parts)
    program = compile_source(Source(evil, text), speculate=True)
    if program.report.failed:
        pytest.skip("the parser refuses it")
    for flat in (False, True):
        plain = emit(compiled("net n\ninput 8x8x1\ndef d(ch) { conv (ch)x3 }\nd 4\n"), flat=flat)
        assert shape(emit(program, flat=flat)) == shape(plain)


def shape(text: str) -> str:
    """The code without its docstrings and comments."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef):
            node.body = [part for part in node.body if not is_docstring(part)]
    return ast.dump(tree)


def is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def test_names_do_not_shadow() -> None:
    tree = ast.parse(emitted(SAMPLES["names that mean something"]))
    assigned = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    assert not assigned & {"sum", "list", "print", "layers", "keras", "name", "lambda", "self"}


def test_definitions_do_not_shadow_what_is_imported() -> None:
    imported = ("h5py", "keras", "math", "sys", "layers", "losses", "metrics", "ops", "restore_weights")
    calls = "".join(f"def {name}() {{ conv 4x1 }}\n{name}\n" for name in imported)
    train = 'train { loss categorical_crossentropy; optimizer sgd; restore "a.h5" }'
    tree = ast.parse(emitted(f"input 8x8x1\nlrn\n{calls}gap; fc 10 softmax\n{train}\n"))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    taken = {alias.name for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom) for alias in node.names}
    own = {"arrays_below", "layers_within", "restore_weights", "build_model", "train"}
    assert own <= set(names)
    assert len(names) == len(set(names)) == len(imported) + len(own)
    assert taken >= {"h5py", "keras", "layers", "losses", "metrics"}
    assert not taken & set(names)


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "from os import path",
        "eval('1')",
        "x = (lambda: 1)()",
        "keras.utils.get_file('a', 'b')",
        "__import__('os')",
        "x.__class__",
        "class A: pass",
        "open('x')",
        "while True:\n    pass",
        "exec('1')",
    ],
)
def test_inspection_refuses(code: str) -> None:
    with pytest.raises(UnexpectedCode):
        inspect(code)


def test_unit_sample_is_used() -> None:
    assert UNIT in SAMPLES["resnet"]
