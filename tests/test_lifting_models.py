"""Models of other programs become texts as short as an expert writes them."""

from __future__ import annotations

from pathlib import Path

import pytest

from netc.lift.lifting import lifted
from netc.targets.importing import read
from tests.effort import EXAMPLES
from tests.needs import needs_tensorflow
from tools.lifting import lines
from tools.models import darknet

BAR = {
    **dict.fromkeys(("ResNet50", "ResNet101", "ResNet152"), 17),
    **dict.fromkeys(("VGG16", "VGG19"), 11),
    **dict.fromkeys(("DenseNet121", "DenseNet169", "DenseNet201"), 18),
    **dict.fromkeys(("ResNet50V2", "ResNet101V2", "ResNet152V2"), 22),
    **dict.fromkeys(("EfficientNetB0", "EfficientNetB7", "EfficientNetV2B1", "EfficientNetV2L"), 31),
    **dict.fromkeys(("MobileNetV3Small", "MobileNetV3Large"), 32),
    "MobileNet": 19,
    "Xception": 22,
    "MobileNetV2": 18,
    "InceptionV3": 52,
    "InceptionResNetV2": 60,
    "ConvNeXtTiny": 28,
    "NASNetMobile": 90,
    "NASNetLarge": 100,
}
FEW = ("ResNet50", "MobileNetV2", "MobileNetV3Large", "ResNet50V2")


def test_yolov3_of_darknet(tmp_path: Path) -> None:
    path = tmp_path / "yolov3.cfg"
    path.write_text(darknet.yolov3())
    made = read(path)
    found = lifted(made.net, made.sources)
    assert not found.flat_because
    assert lines(found.text) <= 40, found.text


@needs_tensorflow
@pytest.mark.parametrize("name", BAR if EXAMPLES else FEW)
def test_a_network_of_keras_applications(name: str, tmp_path: Path) -> None:
    from netc.targets.keras.quiet import import_tensorflow

    import_tensorflow()
    import keras

    path = tmp_path / f"{name.lower()}.json"
    path.write_text(getattr(keras.applications, name)(weights=None).to_json())
    made = read(path, preprocessing=False)
    found = lifted(made.net, made.sources)
    assert not found.flat_because
    assert lines(found.text) <= BAR[name], found.text
