"""Networks of timm (PyTorch Image Models, Wightman 2019), exported by PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tools.models import Made
from tools.models.pytorch import NEW, named

SIZES: Mapping[str, int] = {  # in pixels: small ones, where the network takes them
    **dict.fromkeys(("resnet18", "resnet50", "resnetv2_50", "resnext50_32x4d", "seresnet50", "ecaresnet50d"), 64),
    **dict.fromkeys(("resnest14d", "res2net50_26w_4s", "skresnet18", "nf_resnet50", "densenet121"), 64),
    **dict.fromkeys(("mobilenetv2_100", "mobilenetv3_small_100", "mobilenetv4_conv_small", "efficientnet_b0"), 64),
    **dict.fromkeys(("tf_efficientnet_b0", "efficientnetv2_s", "regnety_002", "ghostnet_100", "repvgg_a0"), 64),
    **dict.fromkeys(("mobileone_s0", "dla34", "dpn48b", "hrnet_w18_small", "darknet53", "cspresnet50"), 64),
    **dict.fromkeys(("lcnet_050", "tinynet_e", "selecsls42b", "ese_vovnet19b_dw", "rexnet_100", "poolformer_s12"), 64),
    **dict.fromkeys(("convnext_atto", "convnextv2_atto", "vit_tiny_patch16_224", "mixer_s16_224"), 64),
    **dict.fromkeys(("deit_tiny_distilled_patch16_224", "coat_tiny", "edgenext_xx_small"), 64),
    **dict.fromkeys(("xception41", "legacy_xception"), 96),
    **dict.fromkeys(("inception_v3", "inception_v4"), 128),
    **dict.fromkeys(("swin_tiny_patch4_window7_224", "levit_128s"), 224),
    "maxvit_nano_rw_256": 256,
}
NAMES = (*SIZES, *(f"{name}{NEW}" for name in ("resnet18", "mobilenetv3_small_100", "convnext_atto")))


def make(name: str, folder: Path) -> Made:
    """A network as an ONNX file."""
    import timm  # noqa: PLC0415 - for those who have it

    plain = name.removesuffix(NEW)
    size = SIZES[plain]
    try:
        model = timm.create_model(plain, pretrained=False, img_size=size)
    except TypeError:  # of one that takes images of any size
        model = timm.create_model(plain, pretrained=False)
    return named(name, model, size, folder)
