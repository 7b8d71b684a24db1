"""The specs that ship, what each equals, and their table: `python -m tools.specs` writes docs/specs.md anew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import netc
from netc.report.table import markdown
from netc.values import Value, show

ROOT = Path(__file__).parent.parent
SPECS = ROOT / "specs"
TABLE = ROOT / "docs" / "specs.md"

Overrides = Mapping[str, Value]

# Every spec, and what else of each is shown: other values of its parameters.
VARIANTS: Mapping[str, tuple[Overrides, ...]] = {
    **dict.fromkeys(("vgg-a", "vgg-a-lrn", "vgg-b", "vgg-c", "vgg16", "vgg19", "vgg16-flowers"), ({},)),
    "resnet": tuple({"n": n} for n in (5, 9, 18)),
    "resnet32": ({},),
    "resnet-cifar": tuple({"n": n} for n in (3, 5, 7, 9, 18, 200)),
    **dict.fromkeys(("resnet18", "resnet34", "plain34"), ({},)),
    **dict.fromkeys(("resnet50", "resnet101", "resnet152"), ({}, {"v1_5": True})),
    **dict.fromkeys(("preact-resnet164", "preact-resnet1001", "alexnet", "alexnet-tflearn"), ({},)),
    "googlenet": ({}, {"aux": True}),
    **dict.fromkeys(
        ("unet", "densenet121", "mobilenet", "mobilenetv2", "mobilenetv3-small", "siamese", "digits"), ({},)
    ),
    **dict.fromkeys(("highway", "dcgan-discriminator"), ({},)),
    **dict.fromkeys(("nin", "autoencoder", "dcgan-generator"), ({},)),
    "resnext-cifar": tuple({"groups": groups} for groups in (8, 16)),
    "shufflenetv2": tuple({"ch": ch, "last": last} for ch, last in ((48, 1024), (116, 1024), (176, 1024), (244, 2048))),
    "rnn-pixels": ({}, {"by_row": True}),
    "c3d": tuple({"classes": classes} for classes in (487, 101)),
    **dict.fromkeys(("se-resnext50", "segnet", "fcn8s", "unetpp", "yolov3"), ({},)),
    **dict.fromkeys(
        (
            "efficientnet-b0",
            "efficientnetv2-b0",
            "inception-resnet-v2",
            "nasnet-mobile",
            "xception",
            "inceptionv3",
            "convnext-tiny",
        ),
        ({},),
    ),
    **dict.fromkeys(
        ("hrnet-w18", "wavenet", "attention-unet", "ssd300", "retinanet", "triplet", "vae", "vit-b16", "mlp-mixer-b16"),
        ({},),
    ),
}

# What the function of a spec equals, and the test that proves it, in test_spec_functions.py, test_published.py or
# test_specs.py.
APPLICATIONS = "test_equals_keras_applications"
WRITTEN = "test_equals_keras_applications_as_written"
TORCHVISION = "test_equals_torchvision"
CIFAR = "test_equals_what_was_published_for_cifar"
PUBLISHED = "test_equals_what_was_published"
FUNCTIONS: tuple[tuple[str, str, str], ...] = (
    ("rnn-pixels", "the paper's LSTM: its count in plain arithmetic", "test_rnn_pixels_has_the_count_of_an_lstm"),
    ("vgg16, vgg19", "keras.applications.VGG16, VGG19", APPLICATIONS),
    ("densenet121", "keras.applications.DenseNet121", APPLICATIONS),
    ("mobilenetv2", "keras.applications.MobileNetV2", APPLICATIONS),
    ("mobilenet", "keras.applications.MobileNet", WRITTEN),
    ("mobilenetv3-small", "keras.applications.MobileNetV3Small without its preprocessing", WRITTEN),
    (
        "efficientnet-b0",
        "keras.applications.EfficientNetB0 without the 7 numbers of its preprocessing, but for its rates of stochastic "
        "depth",
        WRITTEN,
    ),
    (
        "efficientnetv2-b0",
        "keras.applications.EfficientNetV2B0 without its preprocessing, but for its rates of stochastic depth",
        WRITTEN,
    ),
    ("xception", "keras.applications.Xception", WRITTEN),
    ("inceptionv3", "keras.applications.InceptionV3", WRITTEN),
    ("inception-resnet-v2", "keras.applications.InceptionResNetV2", WRITTEN),
    ("nasnet-mobile", "keras.applications.NASNetMobile", WRITTEN),
    (
        "convnext-tiny",
        "keras.applications.ConvNeXtTiny without its preprocessing, which has no stochastic depth",
        WRITTEN,
    ),
    (
        "resnet50, resnet101, resnet152 with -D bias=true",
        "keras.applications.ResNet50, ResNet101, ResNet152, but for the decay of the moving averages (0.9 for 0.99)",
        APPLICATIONS,
    ),
    (
        "the same without",
        "the same with all biases 0: what they add, the batch normalisation after them takes away",
        "test_biases_before_batch_normalisation_are_the_only_difference",
    ),
    (
        "the same with -D v1_5=true",
        "torchvision.models.resnet50, resnet101, resnet152",
        TORCHVISION,
    ),
    ("resnet18, resnet34", "torchvision.models.resnet18, resnet34", TORCHVISION),
    ("plain34", "torchvision.models.resnet34 without its shortcuts", TORCHVISION),
    ("resnet-cifar", "facebook/fb.resnet.torch, models/resnet.lua on CIFAR-10 with shortcut type A", CIFAR),
    ("preact-resnet164, preact-resnet1001", "KaimingHe/resnet-1k-layers, resnet-pre-act.lua", CIFAR),
    ("resnet32, resnet", "TFLearn 0.2.2, examples/images/residual_network_cifar10.py", CIFAR),
    ("alexnet-tflearn", "TFLearn, examples/images/alexnet.py", PUBLISHED),
    ("vgg16-flowers", "TFLearn, examples/images/vgg_network.py", PUBLISHED),
    (
        "alexnet",
        "Caffe's bvlc_alexnet with the paper's constants of normalisation; its first dense layer reads channels first",
        PUBLISHED,
    ),
    (
        "googlenet",
        "Caffe's bvlc_googlenet; the first dense layers of its auxiliary classifiers read channels first",
        "test_equals_googlenet_of_caffe",
    ),
    ("vgg-a, vgg-a-lrn, vgg-b, vgg-c", "the paper: its counts and layers", "test_vgg"),
    (
        "unet",
        "the paper but for its padding: its sizes where the convolutions are unpadded, and its depth",
        "test_unpadded_unet_has_the_sizes_of_the_paper",
    ),
    ("siamese", "the paper: its count", "test_siamese"),
    ("nin", "TFLearn, examples/images/network_in_network.py", "test_outputs_equal_its_arithmetic"),
    ("highway", "TFLearn, examples/images/highway_dnn.py", "test_equals_its_arithmetic"),
    ("autoencoder", "TFLearn, examples/images/autoencoder.py", "test_outputs_equal_its_arithmetic"),
    ("resnext-cifar", "facebookresearch/ResNeXt: its count, and its arithmetic", "test_equals_its_arithmetic"),
    ("se-resnext50", "the paper: its sizes and arithmetic, with Caffe's pool", "test_equals_its_arithmetic"),
    ("shufflenetv2", "torchvision: its counts and arithmetic", "test_equals_its_arithmetic"),
    ("c3d", "the authors' Caffe model: its count and arithmetic", "test_outputs_equal_its_arithmetic"),
    ("yolov3", "Darknet, yolov3.cfg: its count, operations and arithmetic", "test_outputs_equal_its_arithmetic"),
    (
        "dcgan-generator, dcgan-discriminator",
        "the authors' code: its counts and arithmetic, but for the side on which `deconv` leaves out a pixel",
        "test_outputs_equal_its_arithmetic",
    ),
    ("segnet", "the paper: its layers, and the count of its encoder", "test_segnet"),
    ("fcn8s", "the authors' Caffe model: its layers, sizes and arithmetic", "test_outputs_equal_its_arithmetic"),
    ("unetpp", "the authors' Nest_Net: its count and arithmetic", "test_outputs_equal_its_arithmetic"),
    (
        "attention-unet",
        "LeeJunHyun/Image_Segmentation, AttU_Net: its count and arithmetic",
        "test_outputs_equal_its_arithmetic",
    ),
    ("hrnet-w18", "the authors' code: its count and arithmetic", "test_outputs_equal_its_arithmetic"),
    ("wavenet", "ibab/tensorflow-wavenet: its arithmetic", "test_outputs_equal_its_arithmetic"),
    ("ssd300", "the authors' Caffe model: its count, boxes and arithmetic", "test_outputs_equal_its_arithmetic"),
    ("retinanet", "fizyr/keras-retinanet on ResNet-50: its counts", "test_retinanet"),
    ("triplet", "the paper: sizes, parameters and arithmetic of NN1", "test_outputs_equal_its_arithmetic"),
    ("vae", "the paper: its arithmetic without noise", "test_outputs_equal_its_arithmetic"),
    ("vit-b16", "the paper: its arithmetic, and torchvision's count", "test_outputs_equal_its_arithmetic"),
    ("mlp-mixer-b16", "the paper: its arithmetic, and timm's count", "test_outputs_equal_its_arithmetic"),
    ("digits", "nothing that was published", ""),
)

HEAD = """# The specs that ship

Generated by `python -m tools.specs`. Each is in `specs/`, names its source in its first lines, and is tested against
published figures. Parameters are trainable ones and all, as Keras counts them; depth is the number of weighted layers
on the longest path, as papers count; multiply-accumulates are for one sample, without biases.

"""
FUNCTION_HEAD = """
## What they compute

Equal counts do not make an equal network: a 7x7 convolution with stride 2 on 224x224 reads other pixels where `same`
pads it (2 before, 3 after) than where 3 pixels are added on every side. Equal means here that equal weights give equal
outputs: in float32 to 1e-4 of the largest, in training to 1e-3. Where a program of today is named, its own outputs are
compared; for one of the past, its published code in plain arithmetic, which for TFLearn is itself compared with
TFLearn's outputs. The tests are in `tests/test_spec_functions.py` and `tests/test_specs.py`.

The files of weights that keras.applications offers go into the specs of its networks, as those do that it writes itself
(`tests/test_official_weights.py`): [training.md](training.md#weights-from-elsewhere) has the pixels that they want.

"""
COLUMNS = ("spec", "network", "depth", "trainable", "parameters", "multiply-accumulates")


def load(spec: str, **parameters: Value) -> netc.Network:
    """A shipped spec, by its name."""
    return netc.load(SPECS / f"{spec}.net", **parameters)


def title(spec: str) -> str:
    """What a spec says of itself: the beginning of its first comment."""
    first = (SPECS / f"{spec}.net").read_text().splitlines()[0].removeprefix("# ")
    return re.split(r" \(|:|\. ", first)[0]


def row(spec: str, overrides: Overrides) -> list[str]:
    """What the table says of a spec with some parameters."""
    cost = load(spec, **overrides).cost
    options = "".join(f" -D {name}={show(value)}" for name, value in overrides.items())
    macs = "depend on the size" if cost.total.macs is None else f"{cost.total.macs:,}"
    counts = f"{cost.depth:,}", f"{cost.total.trainable:,}", f"{cost.total.parameters:,}", macs
    return [f"{spec}.net{options}", title(spec), *counts]


def table() -> str:
    """The whole document."""
    rows = [row(spec, overrides) for spec, variants in VARIANTS.items() for overrides in variants]
    counts = markdown(COLUMNS, rows, (False, False, True, True, True, True))
    return HEAD + counts + FUNCTION_HEAD + markdown(("spec", "equals", "proven by"), FUNCTIONS, (False,) * 3)


if __name__ == "__main__":
    TABLE.write_text(table())
