"""Makes `logits.npz` anew; see the README beside it."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torchvision
from torch import nn

from tests.sample_weights import images, weights

MODELS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
NAMES = ("gamma", "beta", "moving_mean", "moving_variance")


def plain(model: torchvision.models.ResNet) -> torchvision.models.ResNet:
    """The same without shortcuts."""
    for stage in (model.layer1, model.layer2, model.layer3, model.layer4):
        for at, block in enumerate(stage):
            stage[at] = nn.Sequential(block.conv1, block.bn1, block.relu, block.conv2, block.bn2, block.relu)
    return model


def in_order(model: torchvision.models.ResNet) -> Iterator[nn.Module]:
    """The weighted layers in the order of the specs: in a block, the projection of the shortcut first."""
    yield from (model.conv1, model.bn1)
    for stage in (model.layer1, model.layer2, model.layer3, model.layer4):
        for block in stage:
            if isinstance(block, nn.Sequential):
                yield from (layer for layer in block if not isinstance(layer, nn.ReLU))
                continue
            yield from block.downsample or ()
            for number in (1, 2, 3):
                if hasattr(block, f"conv{number}"):
                    yield from (getattr(block, f"conv{number}"), getattr(block, f"bn{number}"))
    yield model.fc


def fill(layer: nn.Module, number: int) -> None:
    if isinstance(layer, nn.Conv2d):
        out, into, rows, columns = layer.weight.shape
        (kernel,) = weights(number, {"kernel": (rows, columns, into, out)})
        layer.weight.data = torch.tensor(kernel.transpose(3, 2, 0, 1))
    elif isinstance(layer, nn.BatchNorm2d):
        values = map(torch.tensor, weights(number, dict.fromkeys(NAMES, layer.weight.shape)))
        layer.weight.data, layer.bias.data, layer.running_mean, layer.running_var = values
    else:
        out, into = layer.weight.shape
        kernel, bias = weights(number, {"kernel": (into, out), "bias": (out,)})
        layer.weight.data, layer.bias.data = torch.tensor(kernel.T), torch.tensor(bias)


def main() -> None:
    found = {}
    batch = torch.tensor(images((224, 224, 3)).transpose(0, 3, 1, 2))
    models = {name: getattr(torchvision.models, name)(weights=None) for name in MODELS}
    models["plain34"] = plain(torchvision.models.resnet34(weights=None))
    for name, model in models.items():
        layers = list(in_order(model))
        assert sum(weight.numel() for layer in layers for weight in layer.parameters()) == sum(
            weight.numel() for weight in model.parameters()
        )
        for number, layer in enumerate(layers):
            fill(layer, number)
        with torch.no_grad():
            found[name] = model.eval()(batch).numpy()
            found[f"{name}.train"] = model.train()(batch).numpy()
    np.savez_compressed(Path(__file__).with_name("logits.npz"), **found)


if __name__ == "__main__":
    main()
