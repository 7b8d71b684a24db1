"""A network with its weights as a SavedModel of TensorFlow: a folder, which LiteRT's files are made of too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from keyword import iskeyword
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from netc.targets.errors import ExportError
from netc.targets.keras.build import Built, all_layers, weighted
from netc.targets.keras.quiet import import_tensorflow
from netc.targets.proof import Proof, prove

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.ir.net import Net
    from netc.ir.weights import Weights
    from netc.program import Program

    Arrays = Mapping[str, NDArray[Any]]

SIGNATURE = "serving_default"  # the name under which servers look for what a model computes


class SavedModel:
    """The folder that is to be written, and the Keras model that it was made of, for its layers."""

    def __init__(self, net: Net, built: Built, folder: Path) -> None:
        import tensorflow as tf  # noqa: PLC0415 - seconds

        self._net = net
        self._built = built
        self._loaded = tf.saved_model.load(folder)  # lets go of its variables when it is let go
        self.name = f"TensorFlow {tf.__version__}"

    def outputs(self, inputs: Arrays) -> Arrays:
        made = self._loaded.signatures[SIGNATURE](**inputs)
        return {name: tensor.numpy() for name, tensor in made.items()}

    def before_softmax(self, inputs: Arrays) -> Arrays:
        return {}  # it is part of the layer

    def layers(self, inputs: Arrays) -> Arrays:
        made: Arrays = all_layers(self._built).predict_on_batch([inputs[name] for name in self._net.inputs])
        return made


def export(program: Program, weights: Weights) -> tuple[Mapping[str, bytes], Proof]:
    """The files of the folder by their names in it, and the proof that TensorFlow computes the network from them.
    Raises `ExportError`, OSError where there is no room for temporary files."""
    net = program.net
    with TemporaryDirectory() as name, on_tensorflow(program, weights) as built:
        folder = Path(name)
        archive(net, built.model, net.outputs, folder)
        made = sorted(path for path in folder.rglob("*") if path.is_file())
        contents = {path.relative_to(folder).as_posix(): path.read_bytes() for path in made}
        return contents, prove(program, weights, SavedModel(net, built, folder))


@contextmanager
def on_tensorflow(program: Program, weights: Weights) -> Iterator[Built]:
    """`weighted`, once Keras runs on TensorFlow. Raises `ExportError` where it runs on something else already."""
    try:
        import_tensorflow()
    except RuntimeError as error:
        raise ExportError(str(error)) from None
    with weighted(program, weights) as built:
        yield built


def archive(net: Net, model: Any, outputs: Sequence[str], folder: Path) -> None:
    """Write a Keras model into a folder, with a function whose inputs and outputs have the names of layers. The batch
    and open sizes stay open. Raises `ExportError`, and OSError where there is no room."""
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    for node in net:  # inputs become parameters of a function of Python, and layers scopes of a graph
        if node.name.startswith("_") or (node.layer.is_input and (iskeyword(node.name) or node.name == "self")):
            raise ExportError(f"TensorFlow writes no `{node.layer.op}` called `{node.name}`: give it another name")

    def serve(*inputs: Any) -> Mapping[str, Any]:
        made = model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)
        if isinstance(made, Mapping):
            return {name: made[name] for name in outputs}
        return dict(zip(outputs, made if isinstance(made, list) else [made], strict=True))

    taken = [tf.TensorSpec((None, *net.shapes[name]), tf.float32, name) for name in net.inputs]
    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(SIGNATURE, serve, input_signature=taken)
    try:
        archive.write_out(folder, verbose=False)
    except tf.errors.OpError as error:  # TensorFlow writes files by itself
        why = error.message.rpartition("; ")[2].partition(" [Op:")[0]
        raise OSError(f"TensorFlow cannot write temporary files: {why[:1].lower()}{why[1:]}") from None
