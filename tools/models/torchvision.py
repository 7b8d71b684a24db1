"""Networks of torchvision, exported by PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tools.models import Made
from tools.models.pytorch import NEW, named

SIZES: Mapping[str, int] = {  # in pixels: small ones, where the network takes them
    **dict.fromkeys(
        ("resnet18", "resnet50", "wide_resnet101_2", "densenet121", "mobilenet_v2", "mobilenet_v3_small"), 64
    ),
    **dict.fromkeys(("efficientnet_b0", "squeezenet1_1", "googlenet", "regnet_y_400mf", "mnasnet1_0", "alexnet"), 64),
    **dict.fromkeys(("shufflenet_v2_x1_0", "vgg11_bn", "convnext_tiny"), 64),
    "inception_v3": 128,
    **dict.fromkeys(("vgg11_bn", "alexnet", "vit_b_16"), 224),
    "swin_t": 224,
    "maxvit_t": 224,
    **dict.fromkeys(("fcn_resnet50", "deeplabv3_resnet50", "lraspp_mobilenet_v3_large"), 64),
    "ssdlite320_mobilenet_v3_large": 320,
    "retinanet_resnet50_fpn": 128,
    "fasterrcnn_mobilenet_v3_large_320_fpn": 320,
}
NAMES = (*SIZES, *(f"{name}{NEW}" for name in ("resnet50", "densenet121", "mobilenet_v3_small", "fcn_resnet50")))


def make(name: str, folder: Path) -> Made:
    """A network as an ONNX file."""
    from torchvision.models import get_model  # noqa: PLC0415 - for those who have it

    plain = name.removesuffix(NEW)
    inside = {"weights_backbone": None} if plain in list(SIZES)[-6:] else {}
    return named(name, get_model(plain, weights=None, **inside), SIZES[plain], folder)
