"""Texts of Caffe as one writes them of published networks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tools.models import Made

NAMES = ("alexnet", "caffenet", "vgg16", "googlenet", "resnet50")


def inputs(size: int, name: str = "data") -> str:
    return f'name: "net"\ninput: "{name}"\ninput_dim: 10\ninput_dim: 3\ninput_dim: {size}\ninput_dim: {size}\n'


def layer(kind: str, name: str, bottoms: str | Sequence[str], top: str = "", params: str = "") -> str:
    read = [bottoms] if isinstance(bottoms, str) else bottoms
    said = "".join(f'  bottom: "{bottom}"\n' for bottom in read)
    return f'layer {{\n  name: "{name}"\n  type: "{kind}"\n{said}  top: "{top or name}"\n{params}}}\n'


def conv(name: str, bottom: str, filters: int, size: int, more: str = "") -> str:
    fillers = 'weight_filler { type: "xavier" } bias_filler { type: "constant" value: 0.2 }'
    said = f"num_output: {filters} kernel_size: {size} {more} {fillers}"
    params = f"  param {{ lr_mult: 1 }}\n  convolution_param {{ {said} }}\n"
    return layer("Convolution", name, bottom, params=params)


def relu(name: str) -> str:
    return layer("ReLU", f"relu_{name}", name, name)


def pool(name: str, bottom: str, size: int, stride: int, more: str = "pool: MAX") -> str:
    params = f"  pooling_param {{ {more} kernel_size: {size} stride: {stride} }}\n"
    return layer("Pooling", name, bottom, params=params)


def lrn(name: str, bottom: str) -> str:
    return layer("LRN", name, bottom, params="  lrn_param { local_size: 5 alpha: 0.0001 beta: 0.75 }\n")


def dense(name: str, bottom: str, units: int) -> str:
    return layer("InnerProduct", name, bottom, params=f"  inner_product_param {{ num_output: {units} }}\n")


def dropped(name: str, ratio: float = 0.5) -> str:
    return relu(name) + layer("Dropout", f"drop_{name}", name, name, f"  dropout_param {{ dropout_ratio: {ratio} }}\n")


def classified(bottom: str) -> str:
    text = dense("fc6", bottom, 4096) + dropped("fc6") + dense("fc7", "fc6", 4096) + dropped("fc7")
    return text + dense("fc8", "fc7", 1000) + layer("Softmax", "prob", "fc8")


def alexnet(pool_first: bool = False) -> str:
    """Of Krizhevsky et al. 2012; CaffeNet pools before it normalises."""
    text, bottom = inputs(227), "data"
    for at, (filters, size, more) in enumerate(((96, 11, "stride: 4"), (256, 5, "pad: 2 group: 2")), 1):
        text += conv(f"conv{at}", bottom, filters, size, more) + relu(f"conv{at}")
        if pool_first:
            text += pool(f"pool{at}", f"conv{at}", 3, 2) + lrn(f"norm{at}", f"pool{at}")
            bottom = f"norm{at}"
        else:
            text += lrn(f"norm{at}", f"conv{at}") + pool(f"pool{at}", f"norm{at}", 3, 2)
            bottom = f"pool{at}"
    for at, (filters, more) in enumerate(((384, "pad: 1"), (384, "pad: 1 group: 2"), (256, "pad: 1 group: 2")), 3):
        text += conv(f"conv{at}", bottom, filters, 3, more) + relu(f"conv{at}")
        bottom = f"conv{at}"
    return text + pool("pool5", bottom, 3, 2) + classified("pool5")


def caffenet() -> str:
    return alexnet(pool_first=True)


def vgg16() -> str:
    text, bottom = inputs(224), "data"
    for stage, (count, filters) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), 1):
        for at in range(1, count + 1):
            name = f"conv{stage}_{at}"
            text, bottom = text + conv(name, bottom, filters, 3, "pad: 1") + relu(name), name
        text, bottom = text + pool(f"pool{stage}", bottom, 2, 2), f"pool{stage}"
    return text + classified(bottom)


def googlenet() -> str:
    text = inputs(224) + conv("conv1", "data", 64, 7, "pad: 3 stride: 2") + relu("conv1") + pool("pool1", "conv1", 3, 2)
    text += (
        lrn("norm1", "pool1")
        + conv("reduce", "norm1", 64, 1)
        + relu("reduce")
        + conv("conv2", "reduce", 192, 3, "pad: 1")
    )
    text += relu("conv2") + lrn("norm2", "conv2") + pool("pool2", "norm2", 3, 2)
    blocks = {
        **{"3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64), "4a": (192, 96, 208, 16, 48, 64)},
        **{"4b": (160, 112, 224, 24, 64, 64), "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64)},
        **{
            "4e": (256, 160, 320, 32, 128, 128),
            "5a": (256, 160, 320, 32, 128, 128),
            "5b": (384, 192, 384, 48, 128, 128),
        },
    }
    bottom = "pool2"
    for block, (one, three_in, three, five_in, five, pooled) in blocks.items():
        name = f"inception_{block}"
        text += conv(f"{name}/1x1", bottom, one, 1) + relu(f"{name}/1x1")
        text += conv(f"{name}/3x3_reduce", bottom, three_in, 1) + relu(f"{name}/3x3_reduce")
        text += conv(f"{name}/3x3", f"{name}/3x3_reduce", three, 3, "pad: 1") + relu(f"{name}/3x3")
        text += conv(f"{name}/5x5_reduce", bottom, five_in, 1) + relu(f"{name}/5x5_reduce")
        text += conv(f"{name}/5x5", f"{name}/5x5_reduce", five, 5, "pad: 2") + relu(f"{name}/5x5")
        text += pool(f"{name}/pool", bottom, 3, 1, "pool: MAX pad: 1")
        text += conv(f"{name}/pool_proj", f"{name}/pool", pooled, 1) + relu(f"{name}/pool_proj")
        branches = [f"{name}/{branch}" for branch in ("1x1", "3x3", "5x5", "pool_proj")]
        text, bottom = text + layer("Concat", f"{name}/output", branches), f"{name}/output"
        if block in ("3b", "4e"):
            text, bottom = text + pool(f"pool_{block}", bottom, 3, 2), f"pool_{block}"
    text += pool("pool5", bottom, 7, 1, "pool: AVE") + layer(
        "Dropout", "drop5", "pool5", "pool5", "  dropout_param { dropout_ratio: 0.4 }\n"
    )
    return text + dense("loss3", "pool5", 1000) + layer("Softmax", "prob", "loss3")


def resnet50() -> str:
    """As the authors' deploy file has it: batch norm and scale in place, strides on the first 1x1."""

    def unit(name: str, bottom: str, filters: int, size: int, stride: int, pad: int, bias: bool = False) -> str:
        text = conv(name, bottom, filters, size, f"stride: {stride} pad: {pad} bias_term: {str(bias).lower()}")
        text += layer("BatchNorm", f"bn_{name}", name, name, "  batch_norm_param { use_global_stats: true }\n")
        return text + layer("Scale", f"scale_{name}", name, name, "  scale_param { bias_term: true }\n")

    text = inputs(224) + unit("conv1", "data", 64, 7, 2, 3, bias=True) + relu("conv1") + pool("pool1", "conv1", 3, 2)
    bottom = "pool1"
    for stage, (count, filters) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), 2):
        for at in range(count):
            name, stride, short = f"res{stage}{'abcdef'[at]}", 2 if stage > 2 and not at else 1, bottom
            if not at:
                short = f"{name}_branch1"
                text += unit(short, bottom, 4 * filters, 1, stride, 0)
            for part, (width, size, step) in enumerate(((filters, 1, stride), (filters, 3, 1), (4 * filters, 1, 1))):
                branch = f"{name}_branch2{'abc'[part]}"
                text += unit(
                    branch, bottom if not part else f"{name}_branch2{'abc'[part - 1]}", width, size, step, size // 2
                )
                text += relu(branch) if part < 2 else ""
            text += layer("Eltwise", name, [short, f"{name}_branch2c"]) + relu(name)
            bottom = name
    text += pool("pool5", bottom, 7, 1, "pool: AVE") + dense("fc1000", "pool5", 1000)
    return text + layer("Softmax", "prob", "fc1000")


def make(name: str, folder: Path) -> Made:
    """The text of a network as a file."""
    texts = alexnet, caffenet, vgg16, googlenet, resnet50
    path = folder / f"{name}.prototxt"
    path.write_text(next(text for text in texts if text.__name__ == name)())
    return Made(path)
