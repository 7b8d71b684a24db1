"""Emitted modules on each backend of Keras: proved there, refused with a reason, or not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import netc
from netc.cli import main
from netc.compiler import compile_source
from netc.ir.window import same_padding
from netc.needs import BACKENDS
from netc.program import Program
from netc.syntax.source import Source
from netc.targets.keras.backends import refusal
from netc.targets.keras.source import emit
from tests.needs import needs_tensorflow

OWN = """net own
input ?x?x4
conv 8x3; lrn alpha=0.5; padchannels 12; shuffle groups=3; scale init=0.5; abs; prelu
pool 3/2 pad=1; avgpool 3/1; dwconv 3/2 bn
add { | part 1 of=2 | part 2 of=2 }
deconv 8x3/2; glu; gelu approximate=true
gap
fc 3 softmax
train { loss categorical_crossentropy; optimizer proximal_adagrad; schedule warmup steps=2; schedule milestones 1 epochs; epochs 2 }
"""
SPARSE = "input 8x8x3\nconv 4x3\ngap\nfc 5\nsparsemax\n"
UNEVEN = "input 8x8x3\nconv 4x3\nhalf: avgpool 3/2\ngap\nfc 2\n"


def program_of(text: str) -> Program:
    program = compile_source(Source("own.net", text), speculate=True)
    assert not program.report.failed, [found.message for found in program.report]
    return program


def process(*arguments: str, **environment: str) -> Any:
    return subprocess.run(
        arguments, capture_output=True, text=True, check=False, env={**os.environ, **environment}, timeout=600
    )


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Each backend that is installed."""
    pytest.importorskip(request.param)
    return str(request.param)


# -- what runs -----------------------------------------------------------------------------------------------


def test_code_is_proved_on_a_backend(backend: str, tmp_path: Path) -> None:
    """With all layers that emitted code carries along, open sizes and `train`."""
    (tmp_path / "own.net").write_text(OWN)
    own = [str(tmp_path / name) for name in ("own.net", "own.py")]
    done = process(sys.executable, "-m", "netc", "compile", own[0], "-o", own[1], "--verify", "--backend", backend)
    assert done.returncode == 0, done.stderr
    verified, proved = done.stderr.splitlines()
    assert verified == "verified: the code builds the network that was checked, with the same weights and outputs"
    assert proved.startswith("proved: Keras ")
    assert f" on {backend} " in proved
    assert Path(own[1]).read_text() == emit(program_of(OWN))  # the same on each


def test_a_model_is_built_on_a_backend(backend: str) -> None:
    """`to_keras` with TensorFlow out of reach, but where it is what is asked for."""
    code = (
        "import sys, netc\n"
        f"sys.modules.update({{}} if {backend!r} == 'tensorflow' else {{'tensorflow': None}})\n"
        f"model = netc.loads({OWN!r}).to_keras()\n"
        "import keras\n"
        "print(keras.backend.backend(), model.count_params())\n"
    )
    done = process(sys.executable, "-c", code, KERAS_BACKEND=backend)
    assert done.stdout.split() == [backend, str(netc.loads(OWN).cost.total.parameters)], done.stderr


def test_training_runs_on_a_backend(backend: str, tmp_path: Path) -> None:
    """`train` of the emitted module on arrays."""
    (tmp_path / "own.py").write_text(emit(program_of(OWN)))
    code = (
        "import sys, numpy\n"
        f"sys.modules.update({{}} if {backend!r} == 'tensorflow' else {{'tensorflow': None}})\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from own import train\n"
        "random = numpy.random.default_rng(0)\n"
        "images, labels = random.normal(size=(16, 9, 11, 4)).astype('float32'), numpy.eye(3)[random.integers(3, size=16)]\n"
        "model = train((images, labels), batch_size=8)\n"
        "print(len(model.history.history['loss']), numpy.isfinite(model.history.history['loss']).all())\n"
    )
    done = process(sys.executable, "-c", code, str(tmp_path), KERAS_BACKEND=backend)
    assert done.stdout.splitlines()[-1:] == ["2 True"], done.stderr


# -- what does not -------------------------------------------------------------------------------------------


@needs_tensorflow
def test_numbers_show_what_the_configuration_does_not() -> None:
    """A carried class that computes something else, with the same weights and configuration."""
    import keras

    from netc.targets.errors import ExportError
    from netc.targets.keras.verify import verify

    program = program_of(OWN)
    right = emit(program)
    wrong = right.replace("self.alpha * total", "self.alpha * (total + 1)")
    assert wrong != right
    keras.backend.clear_session()
    with pytest.raises(
        ExportError, match=r"(?s)Keras \S+ on tensorflow \S+ computes another network.*`lrn1` .*own.net:3"
    ):
        verify(program, wrong)


@needs_tensorflow
def test_a_softmax_hides_no_difference() -> None:
    """Numbers so large that their softmax is 0 or 1 whatever is done to them."""
    import keras

    from netc.targets.errors import ExportError
    from netc.targets.keras.verify import verify

    program = program_of("input 4x4x8\nlrn bias=1e-6 alpha=1e-6 beta=0.75\nconv 8x1\ngap\nfc 3 softmax\n")
    right = emit(program)
    keras.backend.clear_session()
    verified = verify(program, right)
    assert verified.differences == []
    assert verified.proof is not None
    assert verified.proof.error > 0
    with pytest.raises(ExportError, match="computes another network"):
        verify(program, right.replace("** self.beta", "** self.beta * 1.001"))


@needs_tensorflow
def test_what_keras_computes_otherwise_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.net").write_text(SPARSE)
    assert main(["compile", str(tmp_path / "a.net"), "--verify", "-o", str(tmp_path / "a.py")]) == 1
    said = capsys.readouterr().err
    assert "the first layer that differs is `sparsemax1` (sparsemax), a.net:5" in said.replace(f"{tmp_path}/", "")
    assert "`sparsemax`: Keras 3.15 adds up sums of prefixes" in said
    assert not (tmp_path / "a.py").exists()


@pytest.mark.parametrize(
    ("statement", "size", "refused"),
    [
        ("avgpool 3/2", 8, True),  # 0 before, 1 after
        ("avgpool 3/2", 9, False),
        ("avgpool 2", 8, False),
        ("avgpool 2", 9, True),
        ("avgpool 2/1", 9, True),
        ("avgpool 3/1", 8, False),
        ("avgpool 4/2", 8, False),
        ("avgpool 3/2 valid", 8, False),
        ("avgpool 3/2 pad=1", 8, False),
        ("avgpool 3/1", "?", False),
        ("avgpool 2", "?", True),
        ("pool 3/2", 8, False),
    ],
)
def test_averages_that_torch_would_get_wrong_are_refused_there(statement: str, size: object, refused: bool) -> None:
    net = program_of(f"input {size}x{size}x3\nconv 4x3\n{statement}\ngap\nfc 2\n").net
    assert bool(refusal(net, "torch")) is refused
    assert not refusal(net, "jax")
    assert not refusal(net, "tensorflow")


@needs_tensorflow
@pytest.mark.parametrize("flat", [False, True], ids=["structured", "flat"])
def test_a_module_says_why_it_does_not_run(flat: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    import keras

    module: dict[str, Any] = {"__name__": "emitted"}
    exec(emit(program_of(UNEVEN), flat=flat), module)
    assert module["build_model"]().count_params() > 0
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    with pytest.raises(ValueError, match=r"averages repeated borders .*: half$"):
        module["build_model"]()


def test_torch_does_average_repeated_borders() -> None:
    """The reason, seen: when this fails, Keras has mended it, and the refusal goes."""
    pytest.importorskip("torch")
    code = (
        "import numpy, keras\n"
        "x = numpy.arange(4, dtype='float32').reshape(1, 4, 1)\n"
        "print(float(keras.ops.average_pool(x, 3, 2, 'same')[0, -1, 0]))"
    )
    assert same_padding(4, 3, 2) == (0, 1)
    done = process(sys.executable, "-c", code, KERAS_BACKEND="torch")
    assert float(done.stdout) == pytest.approx(8 / 3), done.stderr  # of 2, 3, 3; elsewhere of 2, 3


def test_a_backend_that_refuses_is_an_error(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    (tmp_path / "a.net").write_text(UNEVEN)
    given = [str(tmp_path / "a.net"), "-o", str(tmp_path / "a.py")]
    done = process(sys.executable, "-m", "netc", "compile", *given, "--verify", "--backend", "torch")
    reason = "netc: Keras on torch averages repeated borders where padding='same' is uneven: half\n"
    assert done.returncode == 1
    assert done.stderr.endswith(f"\n{reason}")
    assert not (tmp_path / "a.py").exists()


@pytest.mark.parametrize(("missing", "said"), [("jax", "JAX"), ("torch", "Torch"), ("keras", "Keras")])
def test_a_backend_that_is_missing_is_named(
    missing: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.net").write_text(UNEVEN)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == missing else SimpleNamespace())
    on = "jax" if missing == "keras" else missing
    assert main(["compile", str(tmp_path / "a.net"), "--verify", "--backend", on]) == 2
    expected = f"netc: `--verify` needs {said}, which is not installed: pip install 'netc[{missing}]'\n"
    assert capsys.readouterr().err == expected
    monkeypatch.setattr("netc.targets.keras.quiet.backend", lambda: on)
    with pytest.raises(ModuleNotFoundError, match=f"a Keras model needs {said}, which is not installed"):
        netc.loads(UNEVEN).to_keras()


def test_backend_without_verify_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.net").write_text(UNEVEN)
    assert main(["compile", str(tmp_path / "a.net"), "--backend", "tensorflow"]) == 2
    assert "--backend goes with --verify" in capsys.readouterr().err


@pytest.mark.skipif(find_spec("keras") is None, reason="Keras is not installed")
def test_another_backend_is_refused_in_words() -> None:
    code = f"import netc; netc.loads({UNEVEN!r}).to_keras()"
    done = process(sys.executable, "-c", code, KERAS_BACKEND="abacus")
    last = "ValueError: Keras is set to run on 'abacus', expected KERAS_BACKEND to be tensorflow, jax, torch"
    assert done.stderr.splitlines()[-1] == last


def test_the_backend_is_the_one_that_keras_takes(tmp_path: Path) -> None:
    """KERAS_BACKEND, else the file of settings, else TensorFlow."""
    from netc.targets.keras import quiet

    code = "from netc.targets.keras.quiet import backend; print(backend())"
    (tmp_path / "keras.json").write_text('{"backend": "jax"}')
    assert quiet.backend() in BACKENDS
    home = {"KERAS_HOME": str(tmp_path), "KERAS_BACKEND": ""}
    assert process(sys.executable, "-c", code, **home).stdout == "jax\n"
    assert process(sys.executable, "-c", code, **home | {"KERAS_BACKEND": "torch"}).stdout == "torch\n"
    for broken in ("", "[]", "{}", "\xff"):
        (tmp_path / "keras.json").write_text(broken, encoding="latin-1")
        assert process(sys.executable, "-c", code, **home).stdout == "tensorflow\n"
