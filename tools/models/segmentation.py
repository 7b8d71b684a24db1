"""Networks of segmentation-models-pytorch (Iakubovskii 2019), exported by PyTorch: a decoder on an encoder."""

from __future__ import annotations

from pathlib import Path

from tools.models import Made
from tools.models.pytorch import NEW, named

DECODERS = ("Unet", "UnetPlusPlus", "MAnet", "Linknet", "FPN", "PSPNet", "DeepLabV3", "DeepLabV3Plus", "PAN", "UPerNet")
NAMES = (*(f"{decoder}/resnet18" for decoder in DECODERS), "Unet/mobilenet_v2", f"Unet/resnet18{NEW}")
SIZE = 64  # pixels


def make(name: str, folder: Path) -> Made:
    """A network as an ONNX file."""
    import segmentation_models_pytorch  # noqa: PLC0415 - for those who have it

    decoder, encoder = name.removesuffix(NEW).split("/")
    model = getattr(segmentation_models_pytorch, decoder)(encoder, encoder_weights=None)
    return named(name, model, SIZE, folder)
