"""The networks of keras.applications, as the JSON of their configurations."""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

from tools.models import Made

NAMES = (
    *("Xception", "VGG16", "VGG19", "ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2"),
    *("InceptionV3", "InceptionResNetV2", "MobileNet", "MobileNetV2", "MobileNetV3Small", "MobileNetV3Large"),
    *("DenseNet121", "DenseNet169", "DenseNet201", "NASNetMobile", "NASNetLarge"),
    *(f"EfficientNetB{size}" for size in range(8)),
    *(f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")),
    *(f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base")),
)


def make(name: str, folder: Path) -> Made:
    """A network without weights, and how many parameters Keras trains in it."""
    from netc.targets.keras.quiet import import_tensorflow  # noqa: PLC0415

    import_tensorflow()
    import keras  # noqa: PLC0415

    keras.backend.clear_session()
    made: Any = getattr(keras.applications, name)(weights=None)
    path = folder / f"{name}.json"
    path.write_text(made.to_json())
    return Made(path, sum(prod(variable.shape) for variable in made.trainable_variables))
