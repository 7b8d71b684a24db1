"""Networks of torchvision as PyTorch exports them, where it is installed (`pip install 'netc[interop]'`)."""

from __future__ import annotations

from pathlib import Path

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("onnxruntime")
torch = pytest.importorskip("torch")
torchvision = pytest.importorskip("torchvision")
pytest.importorskip("onnxscript")

from netc.lift.lifting import flat  # noqa: E402 - they may not be there
from netc.targets.importing import read  # noqa: E402
from netc.targets.numpy.run import run  # noqa: E402
from tests.one_layer import difference  # noqa: E402

NETWORK = 1e-4
NAMES = (
    "resnet18",
    "resnet50",
    "densenet121",
    "mobilenet_v2",
    "mobilenet_v3_small",
    "efficientnet_b0",
    "squeezenet1_1",
)
SIZE = 64  # pixels, of small images: what is exported does not depend on it


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_a_network_of_torchvision_is_read_as_pytorch_computes_it(name: str, dynamo: bool, tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = getattr(torchvision.models, name)(weights=None).eval()
    for module in model.modules():  # statistics that change something, as training leaves them
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
    x = torch.randn(2, 3, SIZE, SIZE)
    with torch.no_grad():
        expected = model(x).numpy()
        torch.onnx.export(model, (x,), tmp_path / "model.onnx", dynamo=dynamo)
    found = read(tmp_path / "model.onnx")
    flat(found.net)
    assert found.weights is not None
    (made,) = run(found.net, found.weights(), {found.net.inputs[0]: np.moveaxis(x.numpy(), 1, -1)}).values()
    assert difference(made, expected) < NETWORK
    assert any(name.startswith(("layer1.0", "features.")) for name in found.sources.values())
