"""How large and how fast figures are, beside what Keras users draw with: `python -m benchmarks.draw`.

Times are medians of one run on one machine: read the ratios. All are from a network that is built already to a file,
in a process that has drawn before. Peers that are not installed are named as such. It measures and judges nothing: the
exit code is 0.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import netc
from netc.report.table import plain

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

SPECS = Path(__file__).resolve().parent.parent / "specs"
VGG16, RESNET110 = "VGG-16", "ResNet-110"
NETC: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    (VGG16, "netc, volumes", "vgg16.net", {}, {"style": "volumes"}),
    (VGG16, "netc, graph", "vgg16.net", {}, {}),
    (RESNET110, "netc, graph", "resnet.net", {"n": 18}, {}),
    (RESNET110, "netc, graph, every block", "resnet.net", {"n": 18}, {"collapse": "none"}),
    (RESNET110, "netc, column", "resnet.net", {"n": 18}, {"style": "column"}),
    ("U-Net", "netc, grid", "unet.net", {}, {"style": "grid"}),
    ("U-Net", "netc, volumes", "unet.net", {}, {"style": "volumes"}),
    ("GoogLeNet", "netc, graph", "googlenet.net", {}, {}),
    ("ResNet-1202", "netc, graph", "resnet.net", {"n": 200}, {}),
    ("ResNet-1202", "netc, graph, every layer", "resnet.net", {"n": 200}, {"collapse": "none", "expand": True}),
]
Row = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Made:
    """A figure that was written: its file, and the median of the seconds that it took."""

    path: Path
    seconds: float

    def row(self, network: str, tool: str) -> Row:
        """What the table says of it."""
        width, height = _size(self.path)
        size = f"{self.path.stat().st_size / 1000:,.1f} KB"
        return network, tool, size, f"{width:,} x {height:,} px", f"{self.seconds * 1000:,.1f} ms"


def timed(draw: Callable[[Path], object], path: Path, runs: int) -> Made:
    """Draw into a file several times, after once for what is loaded only then."""
    draw(path)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        draw(path)
        seconds.append(time.perf_counter() - start)
    return Made(path, statistics.median(seconds))


def _size(path: Path) -> tuple[int, int]:
    if path.suffix == ".png":
        data = path.read_bytes()[16:24]
        return int.from_bytes(data[:4], "big"), int.from_bytes(data[4:], "big")
    found = re.search(r'<svg[^>]*?width="([\d.]+)(\w*)"\s+height="([\d.]+)', path.read_text())
    if found is None:
        raise SystemExit(f"{path} has no size")
    zoom = 96 / 72 if found.group(2) == "pt" else 1
    return round(float(found.group(1)) * zoom), round(float(found.group(3)) * zoom)


def ours(folder: Path) -> list[Row]:
    """Figures of netc."""
    rows = []
    for network, tool, spec, params, how in NETC:
        net = netc.load(SPECS / spec, **params)

        def draw(path: Path, net: Any = net, how: Any = how) -> None:
            path.write_text(net.draw(**how).svg)

        rows.append(timed(draw, folder / "netc.svg", 3 if network == "ResNet-1202" else 15).row(network, tool))
    return rows


def of_keras(folder: Path) -> list[Row]:
    """Figures of models in Keras, by its own `plot_model` and by visualkeras."""
    if find_spec("keras") is None:
        return [("", "Keras plot_model, visualkeras", "Keras is not installed", "", "")]
    import keras  # noqa: PLC0415 - loads TensorFlow

    from benchmarks.keras_resnet110 import resnet  # noqa: PLC0415

    models = {VGG16: keras.applications.VGG16(weights=None), RESNET110: resnet(18)}
    return [*_plot_model(folder, models), *_visualkeras(folder, models)]


def _plot_model(folder: Path, models: dict[str, Any]) -> list[Row]:
    missing = [name for name, found in (("pydot", find_spec("pydot")), ("dot", shutil.which("dot"))) if not found]
    if missing:
        return [("", "Keras plot_model", f"{' and '.join(missing)} not installed", "", "")]
    from keras.utils import plot_model  # noqa: PLC0415

    def draw(path: Path, model: Any) -> None:
        plot_model(model, to_file=str(path), show_shapes=True, show_layer_names=True, dpi=72)

    return [
        timed(lambda path, model=model: draw(path, model), folder / "keras.svg", 5).row(name, "Keras plot_model")
        for name, model in models.items()
    ]


def _visualkeras(folder: Path, models: dict[str, Any]) -> list[Row]:
    if find_spec("visualkeras") is None:
        return [("", "visualkeras", "not installed", "", "")]
    import visualkeras  # noqa: PLC0415

    rows = []
    for name, model in models.items():
        for layer in model.layers:  # its layered_view (0.2.0) asks for what Keras 3 calls `layer.output.shape`
            layer.output_shape = tuple(layer.output.shape)
        for view in ("layered_view", "graph_view"):
            tool, draw = f"visualkeras {view}", getattr(visualkeras, view)
            try:
                made = timed(lambda path, draw=draw, model=model: draw(model, to_file=str(path)), folder / "v.png", 5)
            except Exception as error:  # whatever a tool that cannot draw a network says
                rows.append((name, tool, f"fails: {error}"[:60], "", ""))
                continue
            rows.append(made.row(name, tool))
    return rows


def main() -> None:
    """Draw everything and print a table."""
    with tempfile.TemporaryDirectory() as folder:
        rows = ours(Path(folder)) + of_keras(Path(folder))
    networks = list(dict.fromkeys(network for network, *_ in NETC))
    rows.sort(key=lambda row: networks.index(row[0]))
    print(plain(("network", "figure", "file", "size", "time"), rows, (False, False, True, True, True)), end="")


if __name__ == "__main__":
    main()
