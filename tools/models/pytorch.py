"""Networks of PyTorch as its two exporters write them, with random weights."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from tools.models import Made

NEW = " (new exporter)"  # after the name of a model that `torch.export` goes before; TorchScript without it


def randomised(model: Any, size: int) -> Any:
    """A model that is evaluated, in which no array is 0 throughout, which would hide what differs, whose batch norms
    have factors and offsets that change something, and the statistics of noise: with others, numbers grow from layer
    to layer until rounding decides what comes out."""
    import torch  # noqa: PLC0415 - for those who have it

    for one in model.parameters():
        if not one.any():
            one.data.normal_(0, 0.02)
    norms = [module for module in model.eval().modules() if getattr(module, "running_mean", None) is not None]
    for module in norms:
        module.weight.data.uniform_(0.8, 1.2)
        module.bias.data.normal_(0, 0.1)
        module.momentum = 1.0
        module.train()
    with torch.no_grad():
        model(torch.randn(8, 3, size, size))
    return model.eval()


def exported(model: Any, size: int, path: Path, dynamo: bool = False) -> Made:
    """Write a model of images of a size, in pixels, with the batch of one that PyTorch takes from its example."""
    import torch  # noqa: PLC0415 - for those who have it

    torch.backends.mha.set_fastpath_enabled(False)  # attention as one operation of PyTorch's own is not exported
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model, (torch.randn(1, 3, size, size),), path, dynamo=dynamo, verbose=False)
    return Made(path, sum(one.numel() for one in model.parameters() if one.requires_grad))


def named(name: str, model: Any, size: int, folder: Path) -> Made:
    """As `exported`, by the exporter that the name says."""
    path = folder / f"{name.removesuffix(NEW).replace('/', '_')}.onnx"
    return exported(randomised(model, size), size, path, name.endswith(NEW))
