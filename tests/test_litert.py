"""`.tflite` files, run by LiteRT, against NumPy: operations, sizes that are open, names, and what is refused."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

import netc
from netc.cli import main
from netc.cli.endings import CLEAN, ERRORS, USAGE
from netc.ir.weights import random_weights
from netc.layers.recurrent import Recurrent
from netc.targets.errors import ExportError
from tests.layer_samples import SAMPLES, Sample
from tests.one_layer import difference, given, net_of, program_of, weights_of

np = pytest.importorskip("numpy")
pytest.importorskip("tensorflow")
pytest.importorskip("ai_edge_litert")
from netc.targets.litert.engine import ran  # noqa: E402 - imports LiteRT
from netc.targets.litert.export import export  # noqa: E402
from netc.targets.numpy.run import run  # noqa: E402

TEXT = "input 8x8x3\nconv 4x3 bn relu\n\nlrn alpha=0.5\ngap\nfc 3 softmax\n"
TRIED = 6  # samples each time; all of them take ten minutes


def command(*arguments: str) -> int:
    return main(["export", "a.net", "--random-weights", "7", *arguments])


def lacking(sample: Sample) -> bool:
    """Whether LiteRT has no operation for a sample: dilated transposed convolutions, pools in space, and recurrences
    of any batch."""
    layer, rank = sample.layer, len(sample.inputs[0]) - 1
    if isinstance(layer, Recurrent):
        return True
    if layer.op == "deconv":
        return getattr(layer, "dilation", 1) != 1
    return rank == 3 and layer.op in ("pool", "avgpool", "subsample")


TAKEN = [one for one in SAMPLES if one.inputs and one.layer.op != "sparsemax"]


@pytest.mark.parametrize("sample", Random(4).sample([one for one in TAKEN if not lacking(one)], TRIED), ids=str)
def test_an_operation_computes_what_numpy_computes(sample: Sample) -> None:
    net = net_of(sample)
    weights, inputs = weights_of(net), given(net)
    content, _ = export(program_of(net), weights)
    for batch in (inputs, {name: x[:1] for name, x in inputs.items()}):
        assert difference(ran(content, batch)["only"], run(net, weights, batch)["only"]) < 1e-5


LACKED = {one.layer.op: one for one in TAKEN if lacking(one)}  # one of each


@pytest.mark.parametrize("sample", [LACKED[op] for op in ("deconv", "pool", "gru")], ids=str)
def test_what_litert_lacks_is_named_with_its_line(sample: Sample) -> None:
    net = net_of(sample)
    with pytest.raises(
        ExportError, match=rf"LiteRT has no operation for `only` \({sample.layer.op}\), sample\.net:2: it"
    ):
        export(program_of(net), weights_of(net))


def test_a_file_runs_by_itself_with_any_batch(spec: Path, capfd: pytest.CaptureFixture[str]) -> None:
    from ai_edge_litert.interpreter import Interpreter

    spec.write_text("input ?x?x3\nconv 4x3/2 bn relu\nlrn alpha=0.5\ngap\nfc 2 softmax")
    assert command("-o", "a.tflite") == CLEAN
    said = capfd.readouterr().err.splitlines()
    assert said[1].startswith("proved: LiteRT 2")
    assert len(said) == 3  # and nothing of TensorFlow's
    net = netc.load(spec).net
    runner = Interpreter("a.tflite").get_signature_runner()
    for batch, rows, columns in ((1, 9, 12), (3, 20, 7)):
        images = np.random.default_rng(0).normal(size=(batch, rows, columns, 3)).astype("float32")
        expected = run(net, random_weights(net, 7), {"input1": images})["fc1"]
        assert difference(runner(input1=images)["fc1"], expected) < 1e-5
    assert command("-o", "a.tflite") == USAGE  # it does not say who wrote it
    assert command("-o", "a.tflite", "--force") == CLEAN


def test_names_are_those_of_layers(spec: Path) -> None:
    """Whatever they are in Python; an input may be an output, and one value stand under two names."""
    program = netc.loads(
        "Name: input 5\nb: dropout\nclass: fc 3\nself: dropout\nargs: input 4\noutput Name b class self args"
    ).program
    weights = random_weights(program.net, 1)
    content, _ = export(program, weights)
    inputs = {"Name": np.ones((2, 5), "float32"), "args": np.ones((2, 4), "float32")}
    assert ran(content, inputs).keys() == {"Name", "b", "class", "self", "args"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("self: input 5\nfc 3", "`input` called `self`"),
        ("class: input 5\nfc 3", "`input` called `class`"),
        ("_x: input 5\nfc 3", "`input` called `_x`"),
        ("input 5\n_x: fc 3", "`fc` called `_x`"),
    ],
)
def test_names_that_tensorflow_does_not_take(text: str, said: str) -> None:
    program = netc.loads(text).program
    with pytest.raises(ExportError, match=f"TensorFlow writes no {said}: give it another name"):
        export(program, random_weights(program.net, 1))


def test_a_wrong_target_is_refused_with_the_line_and_writes_nothing(
    spec: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from netc.targets.keras.custom import LocalResponseNormalization

    right = LocalResponseNormalization.call
    monkeypatch.setattr(LocalResponseNormalization, "call", lambda self, inputs: right(self, inputs) * 1.01)
    assert command("-o", "a.tflite") == ERRORS
    said = capsys.readouterr().err
    assert "LiteRT" in said
    assert "computes another network" in said
    assert "the first layer that differs is `lrn1` (lrn), a.net:4: by " in said
    assert [path.name for path in spec.parent.iterdir()] == ["a.net"]
