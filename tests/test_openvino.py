"""OpenVINO's files, read by OpenVINO, against NumPy: operations, random networks, specs, and what they say."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given as drawn

import netc
from netc.cli import main
from netc.cli.endings import CLEAN, ERRORS, USAGE
from netc.compiler import compile_source
from netc.engines import EngineError, engine
from netc.ir.weights import random_weights
from netc.syntax.source import Source
from netc.targets.errors import ExportError, Unproved
from tests.effort import EXAMPLES, unshrunk
from tests.layer_samples import SAMPLES, Sample
from tests.one_layer import difference, given, net_of, program_of, weights_of
from tests.random_networks import compiled, networks
from tests.specs import SPECS

np = pytest.importorskip("numpy")
onnx = pytest.importorskip("onnx")
openvino = pytest.importorskip("openvino")
from netc.targets.noise import noise  # noqa: E402 - imports NumPy
from netc.targets.numpy.run import run  # noqa: E402
from netc.targets.onnx.model import model  # noqa: E402
from netc.targets.openvino.engine import OpenVino  # noqa: E402
from netc.targets.openvino.export import export, written  # noqa: E402

TEXT = "input 8x8x3\nconv 4x3 bn relu\n\nlrn alpha=0.5\ngap\nfc 3 softmax\n"
EXACT = {"INFERENCE_PRECISION_HINT": "f32"}


def command(*arguments: str) -> int:
    return main(["export", "a.net", "--random-weights", "7", *arguments])


# -- what is computed ----------------------------------------------------------------------------------------


def some() -> list[Sample]:
    """A sample of each operation, always the same; all of them with `NETC_EXAMPLES`."""
    taken = [sample for sample in SAMPLES if sample.inputs]
    if EXAMPLES:
        return taken
    ops = dict.fromkeys(sample.layer.op for sample in taken)
    return [Random(op).choice([sample for sample in taken if sample.layer.op == op]) for op in ops]


@pytest.mark.parametrize("sample", some(), ids=str)
def test_an_operation_computes_what_numpy_computes(sample: Sample) -> None:
    net = net_of(sample)
    weights, inputs = weights_of(net), given(net)
    made = model(program_of(net), weights)
    engine = OpenVino(made, *written(made))
    for batch in (inputs, {name: x[:1] for name, x in inputs.items()}):
        assert difference(engine.outputs(batch)["only"], run(net, weights, batch)["only"]) < 1e-5


@unshrunk(10)
@drawn(networks())
def test_a_random_network_computes_what_numpy_computes(text: str) -> None:
    made = compiled(text)
    assert made is not None
    with suppress(Unproved):
        export(made, random_weights(made.net, 1), {})


@pytest.mark.parametrize("name", ["resnet32", "digits"])
def test_a_spec_computes_what_numpy_computes(name: str) -> None:
    program = netc.load(SPECS / f"{name}.net").program
    export(program, random_weights(program.net, 1), {})


# -- the files -----------------------------------------------------------------------------------------------


def test_the_two_files_run_by_themselves(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command("-o", "a.xml") == CLEAN
    said = capsys.readouterr().err
    assert "proved: OpenVINO 20" in said
    assert re.search(r"wrote a\.xml: [\d,]+ bytes\nwrote a\.bin: [\d,]+ bytes\n$", said)
    net = netc.load(spec).net
    compiled = openvino.Core().compile_model("a.xml", "CPU", EXACT)
    for batch in (1, 5):
        inputs = noise(net, batch, 3)
        assert difference(compiled(inputs)["fc1"], run(net, random_weights(net, 7), inputs)["fc1"]) < 1e-5
    before = Path("a.bin").read_bytes()
    assert main(["export", "a.net", "--random-weights", "8", "-o", "a.xml"]) == CLEAN  # netc's own are replaced
    assert Path("a.bin").read_bytes() != before
    assert sorted(path.name for path in spec.parent.iterdir()) == ["a.bin", "a.net", "a.xml"]


def test_open_sizes_stay_open(spec: Path) -> None:
    spec.write_text("input ?x?x3\nconv 4x3/2\nconv 4x3 valid\ngap\nfc 2")
    assert command("-o", "a.xml") == CLEAN
    net = netc.load(spec).net
    compiled = openvino.Core().compile_model("a.xml", "CPU", EXACT)
    for batch, rows, columns in ((1, 9, 12), (3, 20, 7)):
        inputs = {"input1": np.random.default_rng(0).normal(size=(batch, rows, columns, 3)).astype("float32")}
        assert difference(compiled(inputs)["fc1"], run(net, random_weights(net, 7), inputs)["fc1"]) < 1e-5


@pytest.mark.parametrize("comment", ["# plain", "# \x1b[31m <&>\"' \x01", "# \x00 after it"])
def test_files_hold_the_spec_whatever_is_in_it(spec: Path, comment: str) -> None:
    spec.write_bytes((TEXT + comment).encode())
    assert command("-o", "a.xml") == CLEAN
    ET.parse("a.xml")  # every reader of XML takes it
    key = "netc_spec" if comment == "# plain" else "netc_spec_json"
    held = openvino.Core().read_model("a.xml").get_rt_info(["framework", key]).value
    assert (held if comment == "# plain" else json.loads(held)) == TEXT + comment


def test_the_name_of_a_file_is_no_markup(spec: Path) -> None:
    name = "<b&\"'>\x1b\n.net"
    spec.rename(name)
    assert main(["export", name, "--random-weights", "7", "-o", "a.xml"]) == CLEAN
    assert openvino.Core().read_model("a.xml").get_friendly_name()


# -- what is refused -----------------------------------------------------------------------------------------


def test_a_wrong_target_is_refused_with_the_line_and_writes_nothing(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from netc.targets.onnx.primitives import Onnx

    right = Onnx.pow
    monkeypatch.setattr(Onnx, "pow", lambda self, x, exponent: right(self, x, exponent * 1.01))
    assert command("-o", "a.xml") == ERRORS
    said = capsys.readouterr().err
    assert "OpenVINO" in said
    assert "computes another network" in said
    assert "the first layer that differs is `lrn1` (lrn), a.net:4: by " in said
    assert [path.name for path in spec.parent.iterdir()] == ["a.net"]


def test_the_files_that_are_proved_are_those_that_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that are wrong in the file alone are found."""
    program = compile_source(Source("a.net", TEXT))
    weights = random_weights(program.net, 1)

    def wrong(made: Any) -> tuple[bytes, bytes]:
        text, numbers = written(made)
        held = np.frombuffer(numbers, np.float32).copy()
        held[np.argmax(np.abs(np.where(np.isfinite(held), held, 0)))] *= 2
        return text, held.tobytes()

    monkeypatch.setattr("netc.targets.openvino.export.written", wrong)
    with pytest.raises(ExportError, match=r"OpenVINO .* computes another network"):
        export(program, weights, {})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "lacking",
            r"OpenVINO .* refuses the model at `lrn1/\w+` \(Nothing of ONNX\), a\.net:4: it lacks this operation",
        ),
        ("wrong", r"OpenVINO .* refuses the model at `conv1_bn` \(Conv of ONNX\), a\.net:2: .*`auto_pad`.*invalid"),
    ],
)
def test_what_openvino_refuses_is_named_with_its_line(change: str, said: str) -> None:
    program = compile_source(Source("a.net", TEXT))
    made = model(program, random_weights(program.net, 1))
    if change == "lacking":
        next(node for node in made.proto.graph.node if node.name.startswith("lrn1/")).op_type = "Nothing"
    else:
        (conv,) = (node for node in made.proto.graph.node if node.op_type == "Conv")
        conv.attribute.append(onnx.helper.make_attribute("auto_pad", "NOPE"))
    with pytest.raises(ExportError, match=said):
        written(made)


def test_windows_of_padding_alone_are_refused_before_openvino_reads_outside_of_its_memory() -> None:
    program = compile_source(Source("a.net", "input 1x2\npad before=0 after=1\nconv 6x1"))
    with pytest.raises(Unproved, match=r"may crash at `conv1\S*`, a\.net:3: windows lie in the padding alone"):
        export(program, random_weights(program.net, 1), {})
    with pytest.raises(EngineError, match="may crash"):
        engine(program, random_weights(program.net, 1), "openvino")
    program = compile_source(Source("a.net", "input 4x2\npad before=0 after=1\nconv 6x2 valid"))
    export(program, random_weights(program.net, 1), {})


def test_files_of_others_are_kept(spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("a.bin").write_bytes(b"firmware")
    assert command("-o", "a.xml") == USAGE
    assert "`a.bin` was not written by netc: --force replaces it" in capsys.readouterr().err
    Path("a.xml").write_text("<feed/>")
    assert command("-o", "a.xml") == USAGE
    assert "`a.xml` was not written by netc" in capsys.readouterr().err
    assert (Path("a.xml").read_text(), Path("a.bin").read_bytes()) == ("<feed/>", b"firmware")
    assert command("-o", "a.xml", "--force") == CLEAN
    Path("a.xml").unlink()
    Path("a.bin").unlink()
    Path("a.bin").mkdir()
    assert command("-o", "a.xml") == USAGE
    assert "cannot write `a.xml`: is a directory" in capsys.readouterr().err
    assert not Path("a.xml").exists()


def test_no_room_for_temporary_files_is_no_bug(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise RuntimeError("basic_ios::clear: iostream error")

    monkeypatch.setattr(openvino, "serialize", full)
    assert command("-o", "a.xml") == USAGE
    assert "cannot write temporary files" in capsys.readouterr().err
    assert [path.name for path in spec.parent.iterdir()] == ["a.net"]
