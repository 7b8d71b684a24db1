"""What is not installed: each missing package is named, with the extra that brings it, and nothing else needs it."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from netc import needs
from tests.needs import needs_tensorflow

ROOT = Path(__file__).parent.parent
NET = "input 8x8x3\nconv 4x3 relu\ngap\nfc 2 softmax\n"
RUNNING = ["train a.net", "evaluate a.net"]
NEED = {
    "tensorflow": ["compile a.net --verify", *RUNNING],
    "jax": ["compile a.net --verify --backend jax"],
    "torch": ["compile a.net --verify --backend torch"],
    "pygls": ["lsp"],
    "lsprotocol": ["lsp"],
    "PIL": [*RUNNING, "predict a.net x.png"],
    "psutil": [*RUNNING, "predict a.net x.png"],
    "filelock": ["train a.net"],
    "onnx": ["export a.net --random-weights 0 -o a.onnx", "export a.net --random-weights 0 -o a.xml"],
    "openvino": [
        "export a.net --random-weights 0 -o a.xml",
        "export a.net --random-weights 0 -o a.onnx --precision bf16",
    ],
    "ai_edge_litert": ["export a.net --random-weights 0 -o a.tflite"],
    "onnxruntime": ["export a.net --random-weights 0 -o a.onnx"],
    "resvg_py": ["draw a.net -o a.png", "summary a.net --plot a.png"],
    "reportlab": ["draw a.net -o a.pdf", "summary a.net --plot a.pdf"],
}
ALWAYS = [
    "check a.net",
    "summary a.net",
    "fmt a.net",
    "compile a.net",
    "compile a.net --flat",
    "draw a.net",
    "draw a.net -o a.tikz --caption a.tex",
    "runs",
    "ops",
]


def without(modules: list[str], lines: list[str], folder: Path) -> tuple[list[int], list[str]]:
    """Exit codes and messages of commands where these modules cannot be imported."""
    (folder / "a.net").write_text(NET)
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({modules!r}))\n"
        "from netc.cli import main\n"
        f"print([main(line.split()) for line in {lines!r}], file=open('codes', 'w'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True)
    return eval((folder / "codes").read_text()), done.stderr.splitlines()


@needs_tensorflow  # or more than the one is missing
@pytest.mark.parametrize("module", NEED)
def test_one_missing_package(module: str, tmp_path: Path) -> None:
    extra, name = next((extra, brought[module]) for extra, brought in needs.EXTRAS.items() if module in brought)
    codes, said = without([module], NEED[module], tmp_path)
    assert codes == [2] * len(NEED[module])
    for line in said:
        assert line.endswith(f" needs {name}, which is not installed: pip install 'netc[{extra}]'")


def test_several_missing_packages_are_one_advice(tmp_path: Path) -> None:
    assert without([*NEED], ["train a.net", "draw a.net -o a.pdf"], tmp_path) == (
        [2, 2],
        [
            "netc: `train` needs TensorFlow, Pillow, psutil and filelock, which are not installed: pip install 'netc[train]'",
            "netc: PDF needs ReportLab, which is not installed: pip install 'netc[figures]'",
        ],
    )


def test_the_rest_needs_none_of_them(tmp_path: Path) -> None:
    codes, said = without([*NEED, "sklearn", "tensorflow_datasets", "numpy", "keras", "h5py"], ALWAYS, tmp_path)
    assert codes == [0] * len(ALWAYS)
    assert [line for line in said if not line.startswith("wrote ")] == ["there are no runs: there is no folder runs"]


def test_extras_are_those_of_the_project() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra, brought in needs.EXTRAS.items():
        packages = {line.partition(">")[0] for line in declared[extra] if not line.startswith("netc[")}
        assert packages == {name.lower() for name in brought.values()}
        includes = {line.removeprefix("netc[").rstrip("]") for line in declared[extra] if line.startswith("netc[")}
        assert includes == set(needs.INCLUDED.get(extra, ()))
