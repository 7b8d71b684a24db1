"""Networks of Caffe: their counts, the specs that equal them, pools as Caffe has them, and what is refused."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

import netc
from netc.analysis.cost import measure
from netc.lift.lifting import flat
from netc.lift.source import Imported, ImportRefused
from netc.targets.importing import read
from tests.effort import EXAMPLES
from tests.specs import SPECS
from tests.text_reading import altered
from tools.models import caffe as texts


def imported(folder: Path, text: str) -> Imported:
    path = folder / "model.prototxt"
    path.write_text(text)
    return read(path)


def refused(folder: Path, text: str) -> str:
    with pytest.raises(ImportRefused) as caught:
        imported(folder, text)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "trainable"),
    [
        (texts.alexnet(), 60_965_224),
        (texts.caffenet(), 60_965_224),
        (texts.vgg16(), 138_357_544),
        (texts.googlenet(), 6_998_552),
        (texts.resnet50(), 25_557_032 + 64),  # the authors' file has a bias before the first batch norm
    ],
    ids=("alexnet", "caffenet", "vgg16", "googlenet", "resnet50"),
)
def test_published_networks_have_their_counts(text: str, trainable: int, tmp_path: Path) -> None:
    model = imported(tmp_path, text)
    assert measure(model.net).total.trainable == trainable
    assert measure(netc.loads(flat(model.net).text).net).total.trainable == trainable


@pytest.mark.parametrize(
    ("spec", "text", "said"),
    [
        ("vgg16", texts.vgg16(), "no difference\n"),
        ("alexnet", texts.alexnet(), "~ `norm1`, `norm2`: bias 2.0 -> 1.0, alpha 0.0001 -> 2e-05\n\n"),
        ("googlenet", texts.googlenet(), "~ `pool5`: keep false -> true\n\n"),
        (
            "resnet50",
            texts.resnet50(),
            "~ `conv1`: bias false -> true\n~ all 53 bn: decay 0.9 -> 0.999\n~ `pool1`: pad 1 -> same\n\n",
        ),
    ],
)
def test_what_differs_from_the_specs_is_said(spec: str, text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / f"{spec}.prototxt"
    path.write_text(text)
    assert str(netc.diff(SPECS / f"{spec}.net", path)).startswith(said)


def caffe_pool(size: int, taps: int, step: int, pad: int, mean: bool) -> list[tuple[int, int, int]]:
    """What each window of Caffe's pool reads along a dimension: its first and its last position, and what a mean is
    divided by (`src/caffe/layers/pooling_layer.cpp`)."""
    count = -(-(size + 2 * pad - taps) // step) + 1
    if pad and (count - 1) * step >= size + pad:
        count -= 1
    starts = [at * step - pad for at in range(count)]
    ends = [min(start + taps, size + pad) for start in starts]
    return [
        (max(start, 0), min(end, size), end - start if mean else 0) for start, end in zip(starts, ends, strict=True)
    ]


@pytest.mark.parametrize("mean", [False, True], ids=("max", "mean"))
def test_pools_read_what_caffe_reads_or_are_refused(mean: bool, tmp_path: Path) -> None:
    taken = 0
    for size in range(5, 12):
        for taps in range(1, 5):
            for step in range(1, 4):
                for pad in range(taps):
                    more = f"pool: {'AVE' if mean else 'MAX'} pad: {pad}"
                    text = texts.inputs(size) + texts.pool("p", "data", taps, step, more)
                    with suppress(ImportRefused):
                        net = imported(tmp_path, text).net
                        layer, made = net.node(net.outputs[0]).layer, net.shapes[net.outputs[0]]
                        taken += 1
                        window = (layer.windows([(size, size, 3)]) or [None])[0]
                        if window is None or layer.op == "subsample":
                            continue
                        starts = [at * window.stride - window.before for at in range(made[0])]
                        counted = mean and getattr(layer, "pad", "same") != "same"
                        read_here = [
                            (
                                max(start, 0),
                                min(start + taps, size),
                                (taps if counted else min(start + taps, size) - max(start, 0)) * mean,
                            )
                            for start in starts
                        ]
                        assert read_here == caffe_pool(size, taps, step, pad, mean), (size, taps, step, pad, layer)
    assert taken > 100


def test_layers_in_place_and_phases(tmp_path: Path) -> None:
    text = texts.inputs(8) + texts.conv("c", "data", 4, 3) + texts.relu("c")
    train = texts.layer("Dropout", "d", "c", "c", "  include { phase: TRAIN }\n")
    test = texts.layer("Sigmoid", "s", "c", "c", "  include { phase: TEST }\n")
    loss = 'layer { name: "loss" type: "SoftmaxWithLoss" bottom: "c" bottom: "label" top: "loss" }\n'
    model = imported(tmp_path, text + train + test + loss)
    assert [node.layer.op for node in model.net] == ["input", "conv", "relu", "sigmoid"]
    assert len(model.left_out) == 1


def test_old_files_are_read(tmp_path: Path) -> None:
    text = """
    input: "data" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8
    layers { name: "c" type: CONVOLUTION bottom: "data" top: "c" blobs_lr: 1 blobs_lr: 2
             convolution_param { num_output: 4 kernel_size: 3 } }
    layers < name: "r" type: RELU bottom: "c" top: "c" >
    layers { name: "f" type: INNER_PRODUCT bottom: "c" top: "f" inner_product_param { num_output: 2 } }
    """
    assert [node.layer.op for node in imported(tmp_path, text).net] == ["input", "conv", "relu", "fc"]


def test_weights_are_shared_by_their_names(tmp_path: Path) -> None:
    text = texts.inputs(8, "a") + 'input: "b" input_dim: 1 input_dim: 3 input_dim: 8 input_dim: 8\n'
    named = '  param { name: "w" }\n  param { name: "v" }\n  convolution_param { num_output: 4 kernel_size: 3 }\n'
    text += texts.layer("Convolution", "c1", "a", params=named) + texts.layer("Convolution", "c2", "b", params=named)
    net = imported(tmp_path, text).net
    assert (net.node("c2").shares, measure(net).total.trainable) == ("c1", 112)


@pytest.mark.parametrize(
    ("kind", "params", "said"),
    [
        ("Permute", "", "line 7 (`x`, Permute): netc has no operation"),
        ("Convolution", "convolution_param { num_output: 4 kernel_size: 99 }", "`conv` with a window of 99x99"),
        ("Convolution", "convolution_param { num_output: 4 }", "expected `kernel_size`"),
        ("Convolution", "convolution_param { kernel_size: 3 }", "expected `num_output`"),
        ("Convolution", "convolution_param { num_output: 4 kernel_size: 3 wiggle: 2 }", "what `wiggle` means"),
        ("Convolution", "convolution_param { num_output: many kernel_size: 3 }", "`num_output` is 'many'"),
        ("Pooling", "pooling_param { pool: STOCHASTIC kernel_size: 2 }", "no pool `STOCHASTIC`"),
        ("Pooling", "pooling_param { pool: AVE kernel_size: 3 stride: 2 pad: 1 }", "stand on 8x8 where none"),
        ("LRN", "lrn_param { norm_region: WITHIN_CHANNEL }", "not over positions"),
        ("LRN", "lrn_param { local_size: 4 }", "an odd number"),
        ("BatchNorm", "batch_norm_param { use_global_stats: false }", "takes the mean of the batch"),
        ("Scale", "scale_param { bias_term: true }", "adds nothing, but after a `BatchNorm`"),
        ("Power", "power_param { power: 2 }", "no powers but the first"),
        ("Flatten", "", "the output `x`: a vector of a map has its channels first"),
        ("Deconvolution", "convolution_param { num_output: 3 kernel_size: 4 group: 3 }", "neither groups"),
        ("Data", "data_param { batch_size: 3 }", "does not say the size"),
        ("ReLU", "woggle: 3", "line 12 (`x`, ReLU): `woggle` is no field"),
        ("ReLU", "include { stage: 'a' }", "goes by more than the phase"),
        ("Slice", "top: 'y'", "netc cuts channels into equal parts"),
    ],
)
def test_what_is_not_known_is_refused_with_its_place(kind: str, params: str, said: str, tmp_path: Path) -> None:
    assert said in refused(tmp_path, texts.inputs(8) + texts.layer(kind, "x", "data", params=params + "\n"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "it has no outputs"),
        ("layer {", "line 1: got the end of the file"),
        ("layer }", "line 1: got '}'"),
        ("a: 1\n\nb: $", "line 3: got '$'"),
        ('input: "x"', "got no size, expected batch x channels x rows x columns"),
        ('layer { name: "x" type: "ReLU" bottom: "y" top: "x" }', "reads `y`, which no layer before it makes"),
        ("a { " * 200 + "} " * 200, "50 deep"),
        (
            texts.inputs(8) + texts.relu("data") + texts.layer("TanH", "t", [], "data"),
            "`data` is made by another layer",
        ),
    ],
)
def test_broken_texts_are_refused(text: str, said: str, tmp_path: Path) -> None:
    assert said in refused(tmp_path, text)


def test_all_refusals_are_listed(tmp_path: Path) -> None:
    text = (
        texts.inputs(8)
        + texts.layer("Permute", "a", "data")
        + texts.layer("Bias", "b", "a")
        + texts.pool("c", "b", 3, 2, "pool: X")
    )
    assert [line.split("(")[1].split(",")[0] for line in refused(tmp_path, text).splitlines()] == ["`a`", "`b`", "`c`"]


def test_changed_texts_are_read_or_refused(tmp_path: Path) -> None:
    for text in altered(texts.resnet50()[:2500], '{}:"<>-,0159\n#axé\0', 5, EXAMPLES or 100):
        with suppress(ImportRefused):
            flat(imported(tmp_path, text).net)
