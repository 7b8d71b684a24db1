"""Networks of torchvision and timm as PyTorch exports them, where they are installed (`pip install 'netc[interop]'`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("onnxruntime")
torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from netc.lift.lifting import Lifted, lifted  # noqa: E402 - they may not be there
from netc.lift.source import ImportRefused  # noqa: E402
from netc.targets.importing import read  # noqa: E402
from tools.imports import compared  # noqa: E402
from tools.lifting import lines  # noqa: E402
from tools.models import pytorch  # noqa: E402

NETWORK = 1e-4
SIZE = 64  # pixels, of small images: what is exported does not depend on it
TORCHVISION = (
    *("resnet18", "resnet50", "densenet121", "mobilenet_v2", "mobilenet_v3_small", "efficientnet_b0"),
    "squeezenet1_1",
)
# Split attention, normalised kernels, paddings that are computed, gates that are made larger, and re-parametrised branches.
TIMM = ("resnest14d", "nf_regnet_b0", "tf_mobilenetv3_small_minimal_100", "eca_nfnet_l0", "repvgg_a0", "convnext_atto")


def exported(model: Any, path: Path, dynamo: bool) -> Lifted:
    """The text of a model, once it computes in NumPy what the file computes in onnxruntime."""
    torch.manual_seed(0)
    pytorch.exported(pytorch.randomised(model, SIZE), SIZE, path, dynamo)
    assert compared(path)[0] < NETWORK
    found = read(path)
    made = lifted(found.net, found.sources)
    assert not made.flat_because
    return made


@pytest.mark.parametrize("dynamo", [False, True])
@pytest.mark.parametrize("name", TORCHVISION)
def test_a_network_of_torchvision_is_read_as_pytorch_computes_it(name: str, dynamo: bool, tmp_path: Path) -> None:
    torchvision = pytest.importorskip("torchvision")
    exported(torchvision.models.get_model(name, weights=None), tmp_path / "model.onnx", dynamo)
    found = read(tmp_path / "model.onnx")
    assert any(name.startswith(("layer1.0", "features.")) for name in found.sources.values())


@pytest.mark.parametrize("name", TIMM)
def test_a_network_of_timm_is_read_as_pytorch_computes_it(name: str, tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    exported(timm.create_model(name, pretrained=False), tmp_path / "model.onnx", False)


def test_a_network_of_timm_that_netc_has_no_layers_for_is_refused(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    pytorch.exported(timm.create_model("convnextv2_atto", pretrained=False).eval(), SIZE, tmp_path / "model.onnx")
    with pytest.raises(ImportRefused, match=r"\(ReduceL2\): no layer of netc is known for it"):
        read(tmp_path / "model.onnx")


class UNet(torch.nn.Module):  # type: ignore[misc]
    """A small U-Net (Ronneberger et al. 2015): two stages down, and up again beside what came of the way down."""

    def __init__(self) -> None:
        super().__init__()
        self.down = torch.nn.ModuleList([self.twice(3, 8), self.twice(8, 16)])
        self.bottom = self.twice(16, 32)
        self.up = torch.nn.ModuleList([torch.nn.ConvTranspose2d(2 * c, c, 2, stride=2) for c in (16, 8)])
        self.after = torch.nn.ModuleList([self.twice(32, 16), self.twice(16, 8)])
        self.end = torch.nn.Conv2d(8, 2, 1)

    @staticmethod
    def twice(channels: int, filters: int) -> Any:
        layers = [
            layer
            for before in (channels, filters)
            for layer in (
                torch.nn.Conv2d(before, filters, 3, padding=1, bias=False),
                torch.nn.BatchNorm2d(filters),
                torch.nn.ReLU(),
            )
        ]
        return torch.nn.Sequential(*layers)

    def forward(self, x: Any) -> Any:
        skips = []
        for stage in self.down:
            skips.append(stage(x))
            x = torch.nn.functional.max_pool2d(skips[-1], 2)
        x = self.bottom(x)
        for up, after in zip(self.up, self.after, strict=True):
            x = after(torch.cat([skips.pop(), up(x)], 1))
        return self.end(x)


@pytest.mark.parametrize("dynamo", [False, True])
def test_a_u_net_is_read_as_pytorch_computes_it(dynamo: bool, tmp_path: Path) -> None:
    made = exported(UNet(), tmp_path / "model.onnx", dynamo)
    assert lines(made.text) <= 20, made.text
