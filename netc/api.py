"""netc in Python: specs as network objects.

>>> import netc
>>> resnet = netc.load("specs/resnet.net", n=9)
>>> print(resnet.summary())
>>> model = resnet.to_keras()
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc import needs
from netc.diagnostics.model import Diagnostic, Diagnostics
from netc.diagnostics.spec_error import SpecError
from netc.ir.shape import Shape, show_shape
from netc.limits import Limits
from netc.precision import FULL, MAX_DROP, NEEDS
from netc.syntax.source import Source
from netc.values import Value, Word, show

if TYPE_CHECKING:
    import keras
    import networkx
    import onnx

    from netc.analysis.cost import NetCost
    from netc.analysis.sizes.fitting import OpenSizes
    from netc.data.stream import Datasets
    from netc.difference.compare import Difference
    from netc.difference.side import Side
    from netc.engines.positional import Positional
    from netc.figures.drawing import Drawing
    from netc.ir.net import Net
    from netc.ir.weights import Weights
    from netc.lift.source import Imported
    from netc.program import Program
    from netc.train.session import Outcome

__all__ = ["Network", "SpecError", "Summary", "diff", "from_graph", "from_keras", "from_onnx", "load", "loads"]


class Summary(str):
    """A table as text, which a prompt and a notebook show as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return f'<pre style="overflow-x: auto">{escape(self)}</pre>'


class Network:
    """A checked network, made by `load`, `loads` and `from_graph`.

    It has no errors; `diagnostics` holds its lints, as data. `program` is all that the compiler knows of it. Everything
    about one sample is without the batch, and channels come last.
    """

    def __init__(self, program: Program, diagnostics: tuple[Diagnostic, ...], overrides: Mapping[str, Value]) -> None:
        self.program = program
        self.diagnostics = diagnostics
        self._overrides = overrides
        self._model: Callable[[], Weights] | None = None  # the weights of the model that it was made of

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={show(value)}" for name, value in self.parameters.items())
        inputs, outputs = (", ".join(show_shape(self.shapes[name]) for name in names) for names in self._ends)
        count = self.cost.total.trainable
        return f"<Network {self.name}({given}): {inputs} -> {outputs}, {count:,} trainable parameters>"

    @property
    def _ends(self) -> tuple[list[str], list[str]]:
        return self.net.inputs, self.net.outputs

    @property
    def name(self) -> str:
        """The name that the spec gives itself, else that of its file."""
        return self.program.name

    @property
    def net(self) -> Net:
        """The typed network: nodes with their layers, in topological order, each after those it reads."""
        return self.program.net

    @property
    def graph(self) -> networkx.MultiDiGraph[str]:
        """The network as a networkx graph: nodes have `layer`, `shape` and `shares`, the keys of edges are operand
        slots, and the graph's own attributes say the rest (docs/graph.md). It is made anew each time: change it as you
        like, and `from_graph` makes a network of it.

        >>> networkx.shortest_path(resnet.graph, "input1", "fc1")
        """
        from netc.lift.graph import graph_of  # noqa: PLC0415 - imports networkx

        return graph_of(self.program)

    @property
    def parameters(self) -> Mapping[str, Value]:
        """The values of the spec's `param`s."""
        return self.program.parameters

    @property
    def shapes(self) -> Mapping[str, Shape]:
        """The output shape of each layer, by its name: a tuple of sizes, None for one that is unknown.

        >>> resnet.shapes["conv1"]
        (32, 32, 16)
        """
        return self.net.shapes

    @cached_property
    def cost(self) -> NetCost:
        """What it costs: `total`, and of each layer in `layers`, by its name.

        A cost has `parameters` and `trainable` (counts, as Keras counts them), `macs` (multiply-accumulates for one
        sample) and `memory` (the output for one sample in float32, in bytes); None is what an unknown size leaves open.

        >>> resnet.cost.total.trainable
        """
        from netc.analysis.cost import measure  # noqa: PLC0415 - the report is for those who ask

        return measure(self.net)

    @cached_property
    def sizes(self) -> OpenSizes:
        """Which sizes the network takes where its input leaves some open (`?x?x3`), and all others as formulas of them.

        `shapes` and `formulas` hold the formulas, `fittings` say what works, and `fit` answers for one size: with the
        outputs, or the nearest sizes that fit.

        >>> unet.sizes.shapes["pool2"][0].at(432)
        108
        >>> unet.sizes.fit(420, 560).larger
        {'input1': (432, 560, 1)}
        """
        from netc.analysis.sizes.fitting import OpenSizes  # noqa: PLC0415 - for those who ask

        return OpenSizes(self.net)

    def summary(self, format: str = "text") -> Summary:
        """What each layer makes and costs, as `netc summary` says it: `text`, `json`, `csv` or `md`.

        A string. Parameters are counts, memory is in bytes for one sample in float32, MACs and receptive fields (in
        elements of the input) are for one sample too. Raises ValueError for another format.
        """
        from netc.report.summary import FORMATS, render  # noqa: PLC0415

        if format not in FORMATS:
            raise ValueError(f"got the format {format!r}, expected one of {', '.join(FORMATS)}")
        return Summary(render(self.program, format))

    def draw(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        style: str = "auto",
        beside: Sequence[Network] = (),
        image: str | os.PathLike[str] | None = None,
        weights: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> Drawing:
        """The network as a figure, which a notebook shows by itself; with a `path` it is written there too, in the
        format of its name (`.svg`, `.png`, `.pdf`, `.tikz`, `.html`, `.dot`; tables also `.md`, `.tex`).

        The style `auto` is grid for encoder-decoders, pyramids and parallel streams, and graph for all others.
        Networks `beside` it stand to its left, in the styles column, table and sheet. `options` are those of
        `netc.figures.Options`. In volumes an `image` lies on the input, and with `weights` (a file, or a run's folder)
        what each layer makes of it on its slab. Raises ValueError for a style or a value that there is not, TypeError
        for another option and for what is no network `beside` it, `netc.figures.FigureError` for a network that the
        style cannot show (when it is drawn).

        >>> resnet.draw("resnet.pdf", theme="print")
        >>> resnet.draw(style="volumes", collapse="none")
        >>> resnet.draw(style="column", beside=[vgg, plain])
        >>> resnet.draw(style="volumes", image="cat.png", weights="runs/resnet")
        """
        from netc.figures.drawing import Drawing  # noqa: PLC0415 - figures are for those who ask
        from netc.figures.options import Options  # noqa: PLC0415

        if unknown := sorted(options.keys() - Options.__dataclass_fields__):
            known = ", ".join(Options.__dataclass_fields__)
            raise TypeError(f"draw() has no option `{unknown[0]}`, expected one of style, beside, {known}")
        if not isinstance(beside, Sequence) or not all(isinstance(network, Network) for network in beside):
            raise TypeError(f"draw() got beside={beside!r}, expected a list of networks")
        programs = (*(network.program for network in beside), self.program)
        if weights is not None and image is None:
            raise TypeError("draw() got `weights` without an `image`, of which layers could make something")
        if image is not None:
            from netc.train.faces import faces  # noqa: PLC0415 - with weights TensorFlow

            options["faces"] = faces(self.program, Path(image), None if weights is None else Path(weights))
        drawing = Drawing(programs, style, Options(**options))
        if path is not None:
            drawing.save(path)
        return drawing

    def _repr_svg_(self) -> str:
        """The figure, for notebooks."""
        return self.draw().svg

    def to_keras(self) -> keras.Model:
        """The network as a plain `keras.Model` with new weights, whose layers have the names of the nodes.

        It takes batches: batch x the shape of the input, and gives batch x the shape of the output; lists of these
        where the network has several, in the order of `net.inputs` and `net.outputs`. It runs on what Keras is set to:
        TensorFlow, unless KERAS_BACKEND is `jax` or `torch` (docs/emission.md). Raises ModuleNotFoundError where that
        is not installed, ValueError for another backend.
        """
        from netc.targets.keras.build import build  # noqa: PLC0415 - imports Keras
        from netc.targets.keras.quiet import backend  # noqa: PLC0415

        if (on := backend()) not in needs.BACKENDS:
            raise ValueError(f"Keras is set to run on {on!r}, expected KERAS_BACKEND to be {', '.join(needs.BACKENDS)}")
        needs.require("a Keras model", *needs.BACKENDS[on])
        return build(self.program)

    def weights(self, path: str | os.PathLike[str] | None = None) -> Weights:
        """The weights of a file or of a run as arrays of float32, by node and role, without TensorFlow; without a path
        those of the model that `from_keras` or `from_onnx` read.

        Read are `.keras`, `.weights.h5`, the older `.h5`, `.safetensors`, `.npz` and netc's checkpoints, by the names
        of layers, else by shapes and order where these leave one match. Raises `netc.ir.weights.WeightsError` where the
        file lacks some, a shape differs or another match is as good, ModuleNotFoundError without NumPy or h5py.

        >>> resnet.weights("runs/resnet")["conv1", "kernel"].shape
        (3, 3, 3, 16)
        """
        needs.require("reading weights", *needs.WEIGHTS)
        from netc.train.weights import read_from  # noqa: PLC0415 - files are for those who ask

        if path is None:
            if self._model is None:
                raise TypeError("weights() needs a file or a run: the network was not made of a model with weights")
            return self._model()
        return read_from(Path(path), self.program.net)[0]

    def save_weights(self, path: str | os.PathLike[str], weights: Weights) -> None:
        """Write weights of this network: `.safetensors` and `.npz` hold them as `conv1/kernel`, `.weights.h5` is what
        `load_weights` of `to_keras()` reads. Raises `netc.ir.weights.WeightsError` for those of another network."""
        needs.require("writing weights", *needs.WEIGHTS)
        from netc.targets.keras.weights import write  # noqa: PLC0415

        write(Path(path), self.program.net, weights)

    def export(
        self,
        path: str | os.PathLike[str],
        weights: Weights,
        *,
        precision: str = FULL,
        run: str | os.PathLike[str] | None = None,
        max_drop: float = MAX_DROP,
    ) -> str:
        """Write the network with weights as `.onnx`, `.xml` with `.bin` (OpenVINO), `.keras`, `.savedmodel` (a folder),
        `.tflite`, or these alone as `.weights.h5`, `.safetensors`, `.npz`: what proves that it is the network, in words
        (docs/execution.md).

        `.onnx` may be in another `precision` (`int8`, `fp16`, `bf16`): on images of the `run` that the weights are of,
        its metric then falls by at most `max_drop` percentage points; without one, 16 bits are held to a tolerance on
        noise.

        Raises `netc.targets.errors.ExportError` where it would not be, and writes nothing then; `WeightsError` for
        weights of another network, ValueError for another ending or precision, ModuleNotFoundError without what these
        need, OSError for the disk, and for a folder that holds something else; for the run's images what `datasets`
        does, and `netc.train.run.RunError`.

        >>> print(resnet.export("resnet.onnx", resnet.weights("runs/resnet")))
        """
        from netc.targets.exporting import SUFFIXES, exported, save, suffix_of  # noqa: PLC0415 - for those who ask

        suffix = suffix_of(Path(path))
        needs.require(f"writing {suffix}", *SUFFIXES[suffix])
        if precision == FULL and run is not None:
            raise TypeError(f"export() got `run` in {FULL}, of which nothing is promised")
        if precision == FULL:
            contents, proof = exported(self.program, weights, Path(path))
        else:
            contents, proof = self._narrow(suffix, weights, precision, run, max_drop)
        save(Path(path), contents)
        return proof

    def _narrow(
        self, suffix: str, weights: Weights, precision: str, run: str | os.PathLike[str] | None, max_drop: float
    ) -> tuple[dict[str, Any], str]:
        """The contents of a file in fewer bits, and what proves it."""
        if precision not in NEEDS:
            raise ValueError(f"got the precision {precision!r}, expected one of {', '.join(NEEDS)}")
        if suffix != ".onnx":
            raise ValueError(f"got the precision {precision!r} for {suffix}, expected a name that ends in .onnx")
        if not 0 <= max_drop <= 100:
            raise ValueError(f"got max_drop={max_drop!r}, expected percentage points from 0 to 100")
        needs.require(f"precision {precision}", *NEEDS[precision], *(needs.READING if run is not None else ()))
        from netc.precision.export import Source, exported  # noqa: PLC0415 - brings ONNX

        source = None if run is None else Source.of(Path(run))
        content, proof = exported(self.program, weights, precision, source, max_drop)
        return {suffix: content}, proof

    def engine(
        self,
        name: str = "auto",
        *,
        weights: Weights | str | os.PathLike[str],
        batch: int | None = None,
        threads: int | None = None,
    ) -> Positional:
        """The network with weights (arrays, a file, or a run), ready to run without TensorFlow: a function of batches
        as the network takes them, without the steps of `data`.

        `name` is `onnxruntime`, `openvino`, `numpy` or `tensorflow`, or `auto` for the first of these that is
        installed. A `batch` is the only one that it then takes, by which OpenVINO gains; `threads` is how many it may
        use. It is called with an array, batch x the shape of the input, and gives one; lists of these, in the order of
        `net.inputs` and `net.outputs`, where the network has several, or for the inputs a dictionary by their names.

        Raises `netc.ir.weights.WeightsError` for weights that do not fit, `netc.engines.EngineError` where the engine
        does not take the network, ValueError for another name, ModuleNotFoundError for one that is not installed.

        >>> run = resnet.engine("openvino", weights="runs/resnet")
        >>> run(images).argmax(axis=-1)
        """
        from netc.engines import engine  # noqa: PLC0415 - for those who ask
        from netc.engines.positional import Positional  # noqa: PLC0415
        from netc.ir.weights import Weights  # noqa: PLC0415

        held = weights if isinstance(weights, Weights) else self.weights(weights)
        held.check(self.net)
        made = engine(self.program, held, name, batch=batch, threads=threads)
        return Positional(made, self.net.inputs, self.net.outputs)

    def datasets(self, data: Any = None, *, seed: int | None = None) -> Datasets:
        """The images that `train` would see, through the steps of the `data` section, as streams of `tf.data` batches.

        `data` is a name, a path, or `(images, labels)` in arrays, instead of what the section names; arrays of images
        are images x rows x columns x channels; bytes are divided by 255, 16 bits by 65535, real numbers are taken as
        they are. A batch is float32. `seed` decides order and augmentation. Raises `netc.data.DataError` for data that
        do not fit, ModuleNotFoundError without TensorFlow or Pillow.

        >>> for images, labels in digits.datasets().train.batches(epoch=0): ...
        """
        needs.require("a data set", *needs.READING)
        from netc.data import prepare  # noqa: PLC0415
        from netc.sections.model import BATCH, SEED  # noqa: PLC0415
        from netc.targets.keras.quiet import import_tensorflow  # noqa: PLC0415

        import_tensorflow()
        train = self.program.sections.train
        batch, chosen = (train.batch, train.seed) if train else (BATCH, SEED)
        return prepare(self.program, source=data, seed=chosen if seed is None else seed, batch=batch)

    def train(
        self,
        out: str | os.PathLike[str] | None = None,
        *,
        data: Any = None,
        settings: Sequence[str] = (),
        seed: int | None = None,
        weights: str | None = None,
        resume: bool = False,
        quiet: bool = False,
    ) -> Outcome:
        """Train as `netc train` does, into the folder `out` (`runs/NAME`, numbered, unless given).

        `settings` are lines as after `--set`, `weights` a file or run to start from; `data` and `seed` are as in
        `datasets`. `Outcome.model` is the trained `keras.Model`, `Outcome.row` the last row of the log. Ctrl-C ends it
        with a checkpoint; `resume` goes on. Raises `SpecError` for settings that do not fit, `netc.data.DataError` for
        data, `netc.train.run.RunError` for the folder, OSError for the disk.

        >>> digits.train("runs/quick", settings=["train.epochs=5"]).row["val_accuracy"]
        """
        needs.require("training", *needs.TRAINING)
        from netc.train.start import train_network  # noqa: PLC0415 - imports TensorFlow

        return train_network(
            self.program.file.source,
            self._overrides,
            out,
            data=data,
            settings=settings,
            seed=seed,
            weights=weights,
            resume=resume,
            quiet=quiet,
        )

    def source(self, *, flat: bool = False) -> str:
        """The text of a Python module that builds the network with Keras alone: in the structure of the spec, or
        `flat`, layer by layer. Its `build_model()` is `to_keras()`."""
        from netc.targets.keras.source import emit  # noqa: PLC0415 - imports black

        program = self.program if flat else _compile(self.program.file.source, self._overrides, speculate=True)
        return emit(program, flat=flat)

    def text(self) -> str:
        """The network as a `.net` text in the canonical style, one statement a layer: what `load` makes of it has the
        same layers under the same names. Parameters, definitions and `repeat`s of the spec are not in it.

        Raises `netc.lift.GraphError` for what no such text can say.
        """
        from netc.lift.graph import text_of_program  # noqa: PLC0415

        return text_of_program(self.program)

    def to_json(self) -> str:
        """The whole network as data (docs/json.md)."""
        from netc.targets.json import dump  # noqa: PLC0415

        return dump(self.program)

    def to_dot(self) -> str:
        """The network as a Graphviz graph."""
        from netc.figures.dot import dump  # noqa: PLC0415 - imports graphviz

        return dump(self.program)


def load(path: str | os.PathLike[str], /, **parameters: Value) -> Network:
    """The network of a `.net` file, with other values for its `param`s: numbers, booleans or strings, as after `-D`.

    Raises `SpecError` for a text with errors, also for one that is not UTF-8 or too large; and OSError, as `open` does,
    for what cannot be read: FileNotFoundError, IsADirectoryError, PermissionError.

    >>> netc.load("specs/resnet.net", n=9)
    """
    from netc.syntax.reading import read  # noqa: PLC0415

    report = Diagnostics()
    source = read(path, Limits(), report)
    if source is None:
        raise SpecError(tuple(report))
    return _network(source, parameters)


def loads(text: str, /, name: str = "<string>", **parameters: Value) -> Network:
    """The network of a text; `name` is what messages call it, and the file that it would be for `use`.

    `parameters` are numbers, booleans or strings, as after `-D`. Raises `SpecError` for a text with errors, TypeError
    for a value that is none of these.

    >>> netc.loads("param k = 3; input 32x32x3; conv 64x(k) relu; gap; fc 10 softmax", k=5)
    """
    return _network(Source(name, text), parameters)


def from_graph(graph: networkx.MultiDiGraph[str], /) -> Network:
    """The network of a graph in the form that `Network.graph` gives (docs/graph.md). Raises `netc.lift.GraphError`,
    which names the node, for a graph that is no network, and `SpecError` for a network that has errors.

    >>> graph = resnet.graph
    >>> for name, attributes in graph.nodes(data=True):
    ...     if attributes["layer"].op == "relu":
    ...         attributes["layer"] = netc.layers.LAYERS["gelu"]()
    >>> netc.from_graph(graph).draw()
    """
    from netc.lift.graph import program_of  # noqa: PLC0415

    return _checked(program_of(graph), {})


def from_keras(model: str | os.PathLike[str] | keras.Model, /, *, preprocessing: bool = True) -> Network:
    """The network of a model of Keras, or of a file of one (`.keras`, `.h5`, `.json`), with its blocks found again;
    nothing of a file is run. Its `weights()` are the model's. Without `preprocessing`, `Rescaling` and `Normalization`
    are left out.

    Raises `netc.lift.ImportRefused`, which names every layer that is none of netc, `netc.storage.stored.StorageError`
    for a broken file, and OSError, as `open` does.

    >>> netc.from_keras(keras.applications.ResNet50()).draw()
    """
    needs.require("reading models", *needs.WEIGHTS)
    from netc.targets.keras.read import of_model, read  # noqa: PLC0415

    if isinstance(model, str | os.PathLike):
        return _of(read(Path(model), preprocessing=preprocessing))
    return _of(of_model(model, preprocessing=preprocessing))


def _of(found: Imported) -> Network:
    """The network of a model that was read, with its weights."""
    from netc.lift.lifting import lifted  # noqa: PLC0415
    from netc.targets.importing import renamed  # noqa: PLC0415

    made, read = lifted(found.net, found.sources), found.weights
    network = _checked(made.program, {})
    network._model = None if read is None else lambda: renamed(read(), made.names, made.program.net)
    return network


def from_onnx(model: str | os.PathLike[str] | onnx.ModelProto, /) -> Network:
    """The network of an ONNX file, or of a model in memory, with its blocks found again; nothing of the model is run.
    Its `weights()` are the model's.

    Raises `netc.lift.ImportRefused`, which names every node that is no layer of netc,
    `netc.storage.stored.StorageError` for a broken file, and OSError, as `open` does.

    >>> netc.from_onnx("resnet50.onnx").draw()
    """
    from netc.targets.onnx.read import imported, read  # noqa: PLC0415

    if isinstance(model, str | os.PathLike):
        return _of(read(Path(model)))
    return _of(imported(model, None, model.graph.name, Limits()))


def diff(before: Network | str | os.PathLike[str], after: Network | str | os.PathLike[str], /) -> Difference:
    """What changed from one network to another; each is one, or the path of a spec or of a model of another program.

    The difference is true where there is one. It has `text` and `json`, `edits` as data, `same`, and `figures` of both.
    Names, definitions and the order of what a commutative merge joins make none. Raises what `load` does; for a model,
    `netc.lift.source.ImportRefused` with all that netc cannot say of it.

    >>> print(netc.diff("specs/resnet101.net", "specs/resnet152.net"))
    >>> assert not netc.diff(net, netc.loads(net.text()))
    """
    from netc.difference.compare import compare  # noqa: PLC0415 - for those who ask

    return compare(_side(before), _side(after))


def _side(of: Network | str | os.PathLike[str]) -> Side:
    from netc.difference.side import Side  # noqa: PLC0415
    from netc.targets.importing import read, suffix_of  # noqa: PLC0415

    if not isinstance(of, Network) and suffix_of(Path(of)):
        return Side.imported(read(Path(of)), str(of))
    network = of if isinstance(of, Network) else load(of)
    return Side.of(network.program, list(network._overrides.items()))


def _network(source: Source, parameters: Mapping[str, Any]) -> Network:
    from netc.compiler import need_network  # noqa: PLC0415 - brings the parser

    overrides = {name: _value(name, value) for name, value in parameters.items()}
    program = _compile(source, overrides)
    need_network(program)
    return _checked(program, overrides)


def _checked(program: Program, overrides: Mapping[str, Value]) -> Network:
    from netc.compiler import judge  # noqa: PLC0415 - brings the parser

    found = tuple(judge(program))
    if program.report.failed:
        raise SpecError(found)
    return Network(program, found, overrides)


def _compile(source: Source, overrides: Mapping[str, Value], *, speculate: bool = False) -> Program:
    from netc.compiler import compile_source  # noqa: PLC0415 - brings the parser

    return compile_source(source, overrides, Limits(), speculate=speculate)


def _value(name: str, value: object) -> Value:
    """A value from Python as the language has it: a string that could be one of its words is one, as after `-D`."""
    if isinstance(value, str) and value.isidentifier():
        return Word(value)
    if isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"got {value!r} for the parameter {name}, expected a number, a boolean or a string")
