"""Weights of a network in every format, read where TensorFlow cannot be imported, against those Keras has."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from netc.api import loads

pytest.importorskip("numpy")
pytest.importorskip("h5py")
pytest.importorskip("safetensors")

import numpy as np

from netc.ir.weights import Weights, WeightsError, declared
from netc.targets.keras.order import in_order
from netc.targets.keras.weights import read, write

SPECS = {
    "chain": "input 8x8x3; conv 4x3 bn relu; dwconv 3; sepconv 6x3 relu; prelu; layernorm; gap; fc 3 softmax",
    "graph": """input 12x12x4
        conv 8x3/2 pad=1 bn relu
        lrn
        add { | conv 8x3 bn; relu; conv 8x3 bn | identity }
        concat { | conv 4x1 | conv 4x3; scale | pool 3/1 same; conv 2x1 bias=false }
        deconv 6x2/2; groupnorm groups=2
        fc 5; dropout 0.5; fc 2 softmax""",
    "parts": """input 6x8
        attention heads=2
        add { | identity | layernorm; attention heads=4 key=3 causal bias=false }
        lstm 3 all both; gru 4 all; rnn 2 all both; gru 3 both bias=false
        fc 2 softmax""",
    "normed": """input 8x8x3
        conv 4x3/2 norm=spectral pad=1 relu; conv 6x3 norm=weight bias=false bn; deconv 5x2/2 norm=weight
        conv 2x1; fc 4 norm=spectral; fc 3 norm=weight softmax""",
    "shared": (Path(__file__).parents[1] / "specs/siamese.net")
    .read_text()
    .partition("train {")[0]
    .replace("4096", "8"),
}
READS = """
import pickle, sys
for name in ("tensorflow", "keras"):
    sys.modules[name] = None
from pathlib import Path
from netc.api import loads
from netc.targets.keras.weights import read
found = {}
for spec, path in zip(sys.argv[2::2], sys.argv[3::2]):
    weights, matched = read(Path(path), loads(Path(spec).read_text()).program.net)
    found[path] = (matched.by_name, dict(weights))
Path(sys.argv[1]).write_bytes(pickle.dumps(found))
"""


def checked(spec: str) -> Any:
    return loads(SPECS[spec]).program.net


def random_weights(net: Any) -> Weights:
    draw = np.random.default_rng(0)
    shapes = {(name, weight.name): weight.shape for name, held in declared(net).items() for weight in held}
    return Weights({key: draw.random(shape, np.float32) for key, shape in shapes.items()})


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Every spec as a Keras model of random weights, in every format; and the models."""
    keras = pytest.importorskip("keras")
    from netc.targets.keras.build import layers_of

    folder, models = tmp_path_factory.mktemp("weights"), {}
    for spec, text in SPECS.items():
        (folder / f"{spec}.net").write_text(text)
        net = checked(spec)
        weights, model = random_weights(net), loads(text).to_keras()
        for layer in layers_of(model):
            layer.set_weights(weights.of(layer.name))
        for suffix in (".keras", ".weights.h5", ".h5"):
            (model.save_weights if suffix == ".weights.h5" else model.save)(folder / f"{spec}{suffix}")
        for suffix in (".npz", ".safetensors", ".ours.weights.h5"):
            write(folder / f"{spec}{suffix}", net, weights)
        models[spec] = model
    assert keras
    return folder, models


SUFFIXES = (".keras", ".weights.h5", ".h5", ".npz", ".safetensors", ".ours.weights.h5")


def test_every_format_gives_what_keras_has(saved: tuple[Path, dict[str, Any]]) -> None:
    folder, models = saved
    from netc.targets.keras.build import layers_of

    pairs = {str(folder / f"{spec}{suffix}"): spec for spec in SPECS for suffix in SUFFIXES}
    arguments = [part for path, spec in pairs.items() for part in (str(folder / f"{spec}.net"), path)]
    command = [sys.executable, "-c", READS, str(folder / "found"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    found = pickle.loads((folder / "found").read_bytes())
    for path, spec in pairs.items():
        by_name, weights = found[path]
        assert by_name, path
        held = Weights(weights)
        for layer in layers_of(models[spec]):
            ours = held.of(layer.name)
            assert len(ours) == len(layer.weights), (path, layer.name)
            for array, variable in zip(ours, layer.weights, strict=True):
                assert np.array_equal(array, np.asarray(variable)), (path, variable.path)


def test_keras_loads_what_is_written(saved: tuple[Path, dict[str, Any]]) -> None:
    folder, models = saved
    for spec, model in models.items():
        other = loads(SPECS[spec]).to_keras()
        other.load_weights(folder / f"{spec}.ours.weights.h5")
        for one, two in zip(model.weights, other.weights, strict=True):
            assert np.array_equal(np.asarray(one), np.asarray(two)), one.path


@pytest.mark.parametrize("spec", ["googlenet", "mobilenetv2", "resnet50", "unet", "siamese", "resnet32", "densenet121"])
def test_layers_come_in_the_order_of_keras(spec: str) -> None:
    """That of a model without models in it."""
    keras = pytest.importorskip("keras")
    from netc.targets.keras.build import construct

    program = loads((Path(__file__).parents[1] / "specs" / f"{spec}.net").read_text()).program
    tensors, net = construct(program).tensors(), program.net
    layers = keras.Model([tensors[name] for name in net.inputs], [tensors[name] for name in net.outputs]).layers
    found = [(name + call.suffix, call.path.rpartition(".")[2]) for name, call in in_order(net)]
    assert [name for name, _ in found] == [layer.name for layer in layers]
    kinds = [type(layer).__name__ for layer in layers]
    assert [kind for _, kind in found] == [kind.replace("InputLayer", "Input") for kind in kinds]


OTHERS = {
    "equal": "a: conv 4x3; b: conv 4x3; c: conv 4x3",
    "in another order": "c: conv 4x3; a: conv 4x3; b: conv 4x3",
    "one under another name": "a: conv 4x3; x: conv 4x3; c: conv 4x3",
    "all under other names": "x: conv 4x3; y: conv 4x3; z: conv 4x3",
    "one fewer": "a: conv 4x3; c: conv 4x3",
    "one more": "a: conv 4x3; b: conv 4x3; c: conv 4x3; d: conv 4x3",
    "one of another size": "a: conv 4x3; b: conv 4x1; c: conv 4x3",
    "one without bias": "a: conv 4x3; b: conv 4x3 bias=false; c: conv 4x3",
    "one without weights": "a: conv 4x3; b: relu; c: conv 4x3",
}


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5", ".h5"])
def test_emitted_code_restores_what_netc_does_or_refuses(suffix: str, tmp_path: Path) -> None:
    keras = pytest.importorskip("keras")
    from netc.targets.keras.custom_training import restore_weights

    keras.utils.set_random_seed(0)
    net = loads(f"input 8x8x4; {OTHERS['equal']}")
    fresh = net.to_keras()
    for name, text in OTHERS.items():
        path = tmp_path / f"saved{suffix}"
        other = loads(f"input 8x8x4; {text}").to_keras()
        for weight in other.weights:
            weight.assign(keras.random.normal(weight.shape))
        (other.save_weights if suffix == ".weights.h5" else other.save)(path)
        for kept in ((), ("b",), ("a", "c")):
            model = keras.models.clone_model(fresh)
            model.set_weights(fresh.get_weights())
            try:
                ours, found = read(path, net.program.net, skip=kept)
            except WeightsError:
                found = None
            if found is None or not found.by_name:
                with pytest.raises(ValueError, match="weight"):
                    restore_weights(model, str(path), kept)
                continue
            restore_weights(model, str(path), kept)
            for layer in model.layers:
                same = fresh.get_layer(layer.name).get_weights() if layer.name in kept else ours.of(layer.name)
                assert all(map(np.array_equal, layer.get_weights(), same)), (name, kept, layer.name)


def test_emitted_code_restores_every_format(saved: tuple[Path, dict[str, Any]]) -> None:
    from netc.targets.keras.custom_training import restore_weights

    folder, models = saved
    for spec, model in models.items():
        for suffix in (".keras", ".weights.h5", ".h5", ".ours.weights.h5"):
            other = loads(SPECS[spec]).to_keras()
            restore_weights(other, str(folder / f"{spec}{suffix}"))
            assert all(map(np.array_equal, other.get_weights(), model.get_weights())), (spec, suffix)


NET = "input 8x8x3; a: conv 4x3; b: conv 5x1; fc 3"


def held(**arrays: Any) -> dict[str, Any]:
    return {name.replace("__", "/"): np.asarray(array, np.float32) for name, array in arrays.items()}


RIGHT = {
    "x__kernel": np.ones((3, 3, 3, 4)),
    "x__bias": np.ones(4),
    "y__kernel": np.ones((1, 1, 4, 5)),
    "y__bias": np.ones(5),
    "z__kernel": np.ones((320, 3)),
    "z__bias": np.ones(3),
}
NAMED = {f"{ours}__{name[3:]}": RIGHT[name] for name in RIGHT for ours in [{"x": "a", "y": "b", "z": "fc1"}[name[0]]]}


@pytest.mark.parametrize("suffix", [".npz", ".safetensors", ".weights.h5"])
def test_capitals_in_an_ending_make_no_difference(suffix: str, tmp_path: Path) -> None:
    """Nor do they for files of models."""
    net = loads(NET).program.net
    np.savez(tmp_path / "w.npz", **held(**RIGHT))
    weights, _ = read(tmp_path / "w.npz", net)
    path = tmp_path / f"other{suffix}"
    write(path, net, weights)
    again, _ = read(path.rename(tmp_path / path.name.upper()), net)
    assert again.keys() == weights.keys()
    assert all(np.array_equal(again[key], weights[key]) for key in weights)


def test_without_names_shapes_tell_layers_apart(tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **held(**RIGHT))
    weights, found = read(tmp_path / "w.npz", loads(NET).program.net)
    assert (found.by_name, len(weights), found.unused) == (False, 6, [])
    renamed = {name.replace("kernel", "w").replace("bias", "scalars"): array for name, array in RIGHT.items()}
    np.savez(tmp_path / "w.npz", **held(**renamed))  # nor do roles
    assert len(read(tmp_path / "w.npz", loads(NET).program.net)[0]) == 6


def test_what_could_be_either_is_refused(tmp_path: Path) -> None:
    alike = loads("input 8x8x4; a: conv 4x3; b: conv 4x3; gap; c: fc 3").program.net
    kernel, bias = np.ones((3, 3, 4, 4)), np.ones(4)
    np.savez(tmp_path / "w.npz", **held(x__kernel=kernel, x__bias=bias, y__kernel=kernel, y__bias=bias))
    with pytest.raises(WeightsError, match="x, y fit a, b equally well: rename its layers"):
        read(tmp_path / "w.npz", alike)
    bn = loads("input 8x8x4; a: bn").program.net
    np.savez(tmp_path / "w.npz", **held(a__w=bias, a__x=bias, a__y=bias, a__z=bias))
    with pytest.raises(
        WeightsError, match=r"told apart, and the network has gamma 4, beta 4, moving_mean 4, moving_va"
    ):
        read(tmp_path / "w.npz", bn)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"x__kernel": np.ones((3, 3, 4, 3))}, "no layer of"),
        ({"a__kernel": np.ones((3, 3, 3, 9)), "a__bias": np.ones(9)}, "a: the file has 3x3x3x9, the network 3x3x3x4"),
        ({"loose": np.ones(3)}, "holds no layers with weights"),
    ],
)
def test_what_does_not_fit_is_named(change: dict[str, Any], said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", **held(**change))
    with pytest.raises(WeightsError, match=said):
        read(tmp_path / "w.npz", loads(NET).program.net)


def test_files_that_are_none_are_told(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    save_file({name: array.astype("int32") for name, array in held(**NAMED).items()}, tmp_path / "integers.safetensors")
    np.savez(tmp_path / "objects.npz", **{"a/kernel": np.array([{}], dtype=object)})
    (tmp_path / "huge.safetensors").write_bytes((1 << 60).to_bytes(8, "little") + b"{}")
    claim = b'{"a/kernel":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}'
    (tmp_path / "claims.safetensors").write_bytes(len(claim).to_bytes(8, "little") + claim)
    (tmp_path / "weights.txt").write_text("")
    for name, said in (
        ("huge.safetensors", "cannot read weights"),
        ("claims.safetensors", "cannot read weights"),
        ("integers.safetensors", "`a/kernel` holds int32, and weights are real numbers"),
        ("objects.npz", "holds Python objects"),
        ("weights.txt", "expected .keras, .weights.h5"),
        ("none.npz", "there is no file"),
    ):
        with pytest.raises(WeightsError, match=said):
            read(tmp_path / name, loads(NET).program.net)


def test_what_is_written_is_of_the_network(tmp_path: Path) -> None:
    net = loads(NET).program.net
    weights = random_weights(net)
    for missing, said in ((("a", "bias"), "a has no bias here"), (None, "z has no kernel in the network")):
        arrays = {key: array for key, array in weights.items() if key != missing}
        more = {} if missing else {("z", "kernel"): np.ones(1, np.float32)}
        with pytest.raises(WeightsError, match=said):
            write(tmp_path / "w.npz", net, Weights({**arrays, **more}))
    other = {**weights, ("a", "kernel"): np.ones((3, 3, 4, 3), np.float32)}
    with pytest.raises(WeightsError, match="the kernel of a is 3x3x4x3, and the network takes 3x3x3x4"):
        write(tmp_path / "w.npz", net, Weights(other))
    assert not list(tmp_path.iterdir())
