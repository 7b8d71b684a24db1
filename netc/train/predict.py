"""What a trained network says about images, and what its layers see in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.engines import AUTO
from netc.ir.shape import Shape, show_shape
from netc.suggest import did_you_mean
from netc.train.run import RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.data.pictures import Where
    from netc.data.statistics import Statistics
    from netc.engines import Engine
    from netc.program import Program

BATCH = 32
Heard = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Prediction:
    """The most probable classes of an image, best first, with their probabilities, and what computed them."""

    image: Where
    classes: Sequence[tuple[str, float]]
    engine: str


def predict(
    program: Program,
    weights: Path,
    images: Sequence[Where],
    *,
    classes: Sequence[str],
    statistics: Statistics | None = None,
    usual: Shape | None = None,
    top: int = 5,
    engine: str = AUTO,
    heard: Heard | None = None,
) -> Iterator[Prediction]:
    """The classes of image files, by path or as bytes. A network that ends in linear outputs gets its softmax here.

    `usual` is the shape of the images that it learnt from, `engine` one of `netc.engines`, of which TensorFlow alone
    imports TensorFlow; `heard` is told of weights that were not simply there by name. Raises `RunError`,
    `WeightsError`, `EngineError` and `DataError`.
    """
    import numpy  # noqa: PLC0415 - not every command computes

    output = program.net.outputs[0]
    shape = program.net.shapes[output]
    if len(shape) != 1:
        raise RunError(f"the output is {show_shape(shape)}, and classes are one number each; `--layer` writes it")
    names = list(classes) if len(classes) == shape[0] else [str(number) for number in range(shape[0] or 0)]
    run = _ready(program, weights, [output], images, engine, heard)
    for image, made in zip(images, _through(run, program, images, statistics, usual), strict=True):
        shares = _probabilities(made[output], program, output)
        if len(shares) == 1:  # a single unit says how probable the second class is
            shares = numpy.array([1 - shares[0], shares[0]])
            names = list(classes) if len(classes) == 2 else ["0", "1"]
        best = numpy.argsort(-shares, kind="stable")[:top]
        yield Prediction(image, [(names[index], float(shares[index])) for index in best], run.name)


def features(
    program: Program,
    weights: Path,
    images: Sequence[Where],
    layer: str,
    *,
    statistics: Statistics | None = None,
    usual: Shape | None = None,
    engine: str = AUTO,
    heard: Heard | None = None,
) -> NDArray[Any]:
    """The output of a layer, by label or name, for each image: an array of images x its shape. Else as `predict`."""
    import numpy  # noqa: PLC0415

    known = program.expansion.labels
    node = known.get(layer, layer)
    if node not in program.net:
        help = did_you_mean(layer, [*known, *(one.name for one in program.net)])
        raise RunError(f"no layer has the label or name `{layer}`" + "".join(f"; {text}" for text in help))
    run = _ready(program, weights, [node], images, engine, heard)
    return numpy.stack([made[node] for made in _through(run, program, images, statistics, usual)])


def activations(
    program: Program,
    weights: Path,
    image: Where,
    *,
    statistics: Statistics | None = None,
    usual: Shape | None = None,
    engine: str = AUTO,
) -> dict[str, NDArray[Any]]:
    """The output of each layer that is a map, for an image: rows x columns x channels, by the names of the layers. Else
    as `predict`."""
    net = program.net
    maps = [node.name for node in net if len(net.shapes[node.name]) == 3 and node.shares is None]
    run = _ready(program, weights, maps, [image], engine)
    (made,) = _through(run, program, [image], statistics, usual)
    return made


def _ready(
    program: Program,
    weights: Path,
    outputs: list[str],
    images: Sequence[Where],
    name: str,
    heard: Heard | None = None,
) -> Engine:
    """An engine for these outputs, with the weights that they need: what lies after them need not be in the file."""
    from netc.engines import engine  # noqa: PLC0415 - imports NumPy
    from netc.ir.weights import Weights, declared  # noqa: PLC0415
    from netc.train.weights import read_from  # noqa: PLC0415

    part = copy(program.net)
    part.outputs = outputs
    needed = {part.node(name).layer_name for name in part.used()} & declared(part).keys()
    held = Weights({})
    if needed:
        held, found = read_from(weights, program.net, only=needed)
        if heard is not None and not found.plain:
            heard(found.text())
    return engine(program, held, name, outputs=outputs, batch=len(images) if len(images) <= BATCH else None)


def _through(
    run: Engine, program: Program, images: Sequence[Where], statistics: Statistics | None, usual: Shape | None
) -> Iterator[dict[str, NDArray[Any]]]:
    """The outputs for each image, batch by batch."""
    from netc.data import images as prepared  # noqa: PLC0415

    for batch in prepared(list(images), program, statistics, usual=usual, batch=BATCH).batches():
        try:
            made = run({program.net.inputs[0]: batch})
        except ValueError as error:  # open sizes that do not work
            raise RunError(str(error)) from None
        for values in zip(*made.values(), strict=True):
            yield dict(zip(made, values, strict=True))


def _probabilities(values: NDArray[Any], program: Program, output: str) -> NDArray[Any]:
    """The output as shares: linear outputs that the loss reads as logits are turned into them."""
    import numpy  # noqa: PLC0415

    from netc.sections.model import loss_of  # noqa: PLC0415

    loss = loss_of(program, output)
    if loss is None or not loss.logits:
        return values
    exact = values.astype(numpy.float64)
    if loss.labels == "binary":
        return 1 / (1 + numpy.exp(-exact))
    powers = numpy.exp(exact - exact.max())
    shares: NDArray[Any] = powers / powers.sum()
    return shares
