"""Networks of torchvision and timm as PyTorch exports them, where they are installed (`pip install 'netc[interop]'`)."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest

np = pytest.importorskip("numpy")
pytest.importorskip("onnxruntime")
torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")
F = torch.nn.functional

from netc.analysis.cost import measure  # noqa: E402 - they may not be there
from netc.lift.lifting import Lifted, lifted  # noqa: E402
from netc.lift.source import ImportRefused  # noqa: E402
from netc.targets.importing import read, source_engine  # noqa: E402
from netc.targets.proof import prove  # noqa: E402
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


# -- what tutorials and papers write ------------------------------------------------------------------------------


class Written(torch.nn.Module):  # type: ignore[misc]
    """A module whose `forward` is a function of itself and its inputs."""

    def __init__(self, function: Any, **modules: Any) -> None:
        super().__init__()
        self.function = function
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, *x: Any) -> Any:
        return self.function(self, *x)


def _lenet(m: Any, x: Any) -> Any:
    x = F.max_pool2d(F.relu(m.conv1(x)), 2)
    x = F.max_pool2d(F.relu(m.conv2(x)), 2).view(-1, 16 * 5 * 5)
    return F.log_softmax(m.fc2(F.relu(m.fc1(x))), dim=1)


def _gate(m: Any, x: Any) -> Any:
    """CBAM (Woo et al. 2018) with vectors, as its authors write it."""
    x = F.relu(m.conv(x))
    one, other = (m.fc2(F.relu(m.fc1(pool(x, (9, 11)).flatten(1)))) for pool in (F.avg_pool2d, F.max_pool2d))
    gate = one + other
    x = x * torch.sigmoid(gate).unsqueeze(2).unsqueeze(3).expand_as(x)
    both = torch.cat((torch.max(x, 1)[0].unsqueeze(1), torch.mean(x, 1).unsqueeze(1)), dim=1)
    return x * torch.sigmoid(m.place(both))


def _recurrent(m: Any, x: Any) -> Any:
    """CRNN (Shi et al. 2017): columns of a map are read as a sequence, whose positions come out first, as CTC takes them."""
    x = F.relu(m.conv(x)).mean(2).permute(2, 0, 1)
    return F.log_softmax(m.fc(m.lstm(x)[0]), dim=2)


def _transformer(m: Any, x: Any) -> Any:
    x = m.patches(x).flatten(2).transpose(1, 2)
    x = torch.cat([m.token.expand(x.shape[0], -1, -1), x], dim=1) + m.position
    return m.head(m.encoder(x)[:, 0])


def _attended(m: Any, x: Any) -> Any:
    """Attention by hand."""
    batch, positions, channels = x.shape
    q, k, v = m.qkv(x).reshape(batch, positions, 3, 2, channels // 2).permute(2, 0, 3, 1, 4)
    weights = ((q @ k.transpose(-2, -1)) * (channels // 2) ** -0.5).softmax(dim=-1)
    return m.out((weights @ v).transpose(1, 2).reshape(batch, positions, channels))


def _normed(m: Any, x: Any) -> Any:
    """Layer normalisation of channels by hand, and activations."""
    x = m.conv(x)
    mean = x.mean(1, keepdim=True)
    x = (x - mean) * torch.rsqrt((x - mean).pow(2).mean(1, keepdim=True) + 1e-6) * m.weight[:, None, None]
    x = x * torch.tanh(F.softplus(x)) + F.hardtanh(x, -2, 2)
    return F.normalize(x * F.relu6(x + 3) / 6 + x**2, dim=1)


def _stacked(m: Any, x: Any) -> Any:
    return torch.stack([m.one(x), m.two(x), F.relu(m.one(x))]).mean(0)


def _valued(m: Any, x: Any) -> Any:
    x = F.relu(m.conv(x)).flatten(1)
    return F.softmax(m.policy(x), dim=-1), m.value(x).squeeze(-1)


def _idioms() -> dict[str, tuple[Any, tuple[int, ...]]]:
    """Networks, and the sizes of their input without the batch."""
    n = torch.nn
    layer = n.TransformerEncoderLayer(12, 3, 24, batch_first=True, norm_first=True, activation="gelu")
    parts = {"token": n.Parameter(torch.randn(1, 1, 12)), "position": n.Parameter(torch.randn(1, 13, 12))}
    spread = n.Sequential(
        n.Conv2d(3, 8, 4, 2, 1), n.InstanceNorm2d(8), n.LeakyReLU(0.2), n.GroupNorm(4, 8), n.Softplus()
    )
    old = n.Sequential(n.Conv2d(3, 8, 3), n.ReLU(), n.LocalResponseNorm(5, k=2.0), n.MaxPool2d(3, 2, ceil_mode=True))
    weight_norm = n.utils.parametrizations.weight_norm
    lengths = n.Sequential(weight_norm(n.Conv2d(3, 8, 3)), n.ReLU(), n.AvgPool2d(2, ceil_mode=True), n.Conv2d(8, 4, 1))
    return {
        "lenet": (
            Written(_lenet, conv1=n.Conv2d(1, 6, 5), conv2=n.Conv2d(6, 16, 5), fc1=n.Linear(400, 84), fc2=n.Linear(84, 10)),
            (1, 32, 32),
        ),
        "gate": (
            Written(_gate, conv=n.Conv2d(3, 8, 3), fc1=n.Linear(8, 2), fc2=n.Linear(2, 8), place=n.Conv2d(2, 1, 7, 1, 3)),
            (3, 11, 13),
        ),
        "recurrent": (
            Written(_recurrent, conv=n.Conv2d(1, 6, 3), lstm=n.LSTM(6, 5, 2, bidirectional=True), fc=n.Linear(10, 4)),
            (1, 8, 20),
        ),
        "transformer": (
            Written(
                _transformer, patches=n.Conv2d(3, 12, 4, 4), head=n.Linear(12, 5), **parts,
                encoder=n.TransformerEncoder(layer, 2, enable_nested_tensor=False),
            ),
            (3, 12, 16),
        ),
        "attention": (Written(_attended, qkv=n.Linear(12, 36), out=n.Linear(12, 12)), (7, 12)),
        "normed": (Written(_normed, conv=n.Conv2d(3, 8, 3), weight=n.Parameter(torch.rand(8) + 0.5)), (3, 9, 11)),
        "stacked": (Written(_stacked, one=n.Conv2d(3, 4, 3), two=n.Conv2d(3, 4, 3)), (3, 9, 11)),
        "valued": (Written(_valued, conv=n.Conv2d(4, 8, 8, 4), policy=n.Linear(128, 5), value=n.Linear(128, 1)), (4, 20, 20)),
        "norms": (spread, (3, 12, 16)),
        "responses": (old, (3, 16, 18)),
        "lengths": (lengths, (3, 11, 13)),
    }  # fmt: skip


LOST = {
    "recurrent": 2 * 2 * 4 * 5,
    "lengths": 8,
}  # second biases, and the lengths of kernels that are made part of them


@pytest.mark.parametrize(("dynamo", "folding", "batch"), [(False, True, 2), (False, False, 1), (True, True, 1)])
@pytest.mark.parametrize("name", sorted(_idioms()))
def test_what_tutorials_write_is_read_as_pytorch_computes_it(
    name: str, dynamo: bool, folding: bool, batch: int, tmp_path: Path
) -> None:
    torch.manual_seed(0)
    torch.backends.mha.set_fastpath_enabled(False)
    model, sizes = _idioms()[name]
    path, options = tmp_path / "model.onnx", {} if dynamo else {"opset_version": 18, "do_constant_folding": folding}
    if batch > 1:
        options |= {"input_names": ["x"], "dynamic_axes": {"x": {0: "batch"}}}
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(model.eval(), (torch.randn(batch, *sizes),), path, dynamo=dynamo, verbose=False, **options)
    found = read(path)
    made = lifted(found.net, found.sources)
    weights, engine = source_engine(path, found, made)
    assert prove(made.program, weights, engine).error < NETWORK
    assert not made.flat_because
    there = sum(one.numel() for one in model.parameters())
    assert measure(found.net).total.trainable == there - LOST.get(name, 0)


@pytest.mark.parametrize("dynamo", [False, True])
def test_batch_norm_is_kept_as_the_documentation_says(dynamo: bool, tmp_path: Path) -> None:
    options: dict[str, Any] = {"optimize": False} if dynamo else {"dynamo": False, "do_constant_folding": False}
    path = tmp_path / "model.onnx"
    model = pytorch.randomised(UNet(), SIZE)
    torch.onnx.export(model, (torch.zeros(1, 3, SIZE, SIZE),), path, verbose=False, dynamo=dynamo)
    said = "made batch norm part of 10 layers" if dynamo else "no batch norm is in the file"
    assert any(said in one for one in read(path).remarks)
    torch.onnx.export(model, (torch.zeros(1, 3, SIZE, SIZE),), path, verbose=False, **options)
    found = read(path)
    assert found.weights is not None
    assert not any("batch norm" in one for one in found.remarks)
    kinds = [node.layer.op for node in found.net]
    assert (kinds.count("bn"), kinds.count("conv")) == (10, 11)
    assert sum(array.size for (_, role), array in found.weights().items() if not role.startswith("moving_")) == sum(
        one.numel() for one in model.parameters()
    )
    assert compared(path)[0] < NETWORK
