"""What a trained network says about images, and what its layers see in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.ir.shape import Shape, show_shape
from netc.suggest import did_you_mean
from netc.targets.keras.quiet import import_tensorflow
from netc.train.run import RunError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.data.pictures import Where
    from netc.data.statistics import Statistics
    from netc.program import Program

BATCH = 32


@dataclass(frozen=True, slots=True)
class Prediction:
    """The most probable classes of an image, best first, with their probabilities."""

    image: Where
    classes: Sequence[tuple[str, float]]


def predict(
    program: Program,
    weights: Path,
    images: Sequence[Where],
    *,
    classes: Sequence[str],
    statistics: Statistics | None = None,
    usual: Shape | None = None,
    top: int = 5,
) -> Iterator[Prediction]:
    """The classes of image files, by path or as bytes. A network that ends in linear outputs gets its softmax here.

    `usual` is the shape of the images that it learnt from. Raises `RunError`, `WeightsError` and `DataError`.
    """
    import numpy  # noqa: PLC0415 - comes with TensorFlow

    model = _model(program, weights)
    output = program.net.outputs[0]
    shape = program.net.shapes[output]
    if len(shape) != 1:
        raise RunError(f"the output is {show_shape(shape)}, and classes are one number each; `--layer` writes it")
    names = list(classes) if len(classes) == shape[0] else [str(number) for number in range(shape[0] or 0)]
    made = _through(model, program, images, statistics, usual)
    for image, values in zip(images, made, strict=True):
        shares = _probabilities(values[0] if isinstance(values, tuple) else values, program, output)
        if len(shares) == 1:  # a single unit says how probable the second class is
            shares = numpy.array([1 - shares[0], shares[0]])
            names = list(classes) if len(classes) == 2 else ["0", "1"]
        best = numpy.argsort(-shares, kind="stable")[:top]
        yield Prediction(image, [(names[index], float(shares[index])) for index in best])


def features(
    program: Program,
    weights: Path,
    images: Sequence[Where],
    layer: str,
    *,
    statistics: Statistics | None = None,
    usual: Shape | None = None,
) -> NDArray[Any]:
    """The output of a layer, by label or name, for each image: an array of images x its shape."""
    import numpy  # noqa: PLC0415

    known = program.expansion.labels
    node = known.get(layer, layer)
    if node not in program.net:
        help = did_you_mean(layer, [*known, *(one.name for one in program.net)])
        raise RunError(f"no layer has the label or name `{layer}`" + "".join(f"; {text}" for text in help))
    return numpy.stack(list(_through(_model(program, weights, node), program, images, statistics, usual)))


def activations(
    program: Program, weights: Path, image: Where, *, statistics: Statistics | None = None, usual: Shape | None = None
) -> dict[str, NDArray[Any]]:
    """The output of each layer that is a map, for an image: rows x columns x channels, by the names of the layers."""
    import keras  # noqa: PLC0415

    from netc.targets.keras.build import deep_recursion  # noqa: PLC0415
    from netc.targets.keras.order import depths, recursion  # noqa: PLC0415

    model, net = _model(program, weights), program.net
    names = [node.name for node in net if len(net.shapes[node.name]) == 3 and node.shares is None]
    with deep_recursion(recursion(net, depths(net))):
        whole = keras.Model(model.inputs, [model.get_layer(name).output for name in names])
    (made,) = _through(whole, program, [image], statistics, usual, every=True)
    return dict(zip(names, made, strict=True))


def _model(program: Program, weights: Path, node: str | None = None) -> Any:
    """The network with its weights, up to a node where one is given: what lies after it need not be in the file."""
    import_tensorflow()
    import keras  # noqa: PLC0415

    from netc.targets.keras.build import build, deep_recursion  # noqa: PLC0415
    from netc.targets.keras.order import depths, recursion  # noqa: PLC0415
    from netc.train.weights import load_into  # noqa: PLC0415

    model, net = build(program), program.net
    if node is not None:
        with deep_recursion(recursion(net, depths(net))):
            model = keras.Model(model.inputs, model.get_layer(net.node(node).layer_name).output)
    load_into(model, program, weights, strict=True)
    return model


def _through(
    model: Any,
    program: Program,
    images: Sequence[Where],
    statistics: Statistics | None,
    usual: Shape | None,
    *,
    every: bool = False,
) -> Iterator[Any]:
    """The output for each image, batch by batch; a tuple of `every` one of several, or the first."""
    import tensorflow as tf  # noqa: PLC0415

    from netc.data import as_data_error  # noqa: PLC0415
    from netc.data import images as read  # noqa: PLC0415

    run = tf.function(lambda batch: model(batch, training=False), reduce_retracing=True)
    try:
        for batch in read(list(images), program, statistics, usual=usual, batch=BATCH).batches():
            made = run(batch)
            if every:
                yield from zip(*(each.numpy() for each in made), strict=True)
                continue
            yield from (made[0] if isinstance(made, list | tuple) else made).numpy()
    except tf.errors.OpError as error:
        raise (as_data_error(error, program) or error) from None


def _probabilities(values: NDArray[Any], program: Program, output: str) -> NDArray[Any]:
    """The output as shares: linear outputs that the loss reads as logits are turned into them."""
    import numpy  # noqa: PLC0415

    from netc.sections.model import output_of  # noqa: PLC0415

    train, net = program.sections.train, program.net
    labels = program.expansion.labels
    losses = [line.value for line in train.losses if output_of(line.value.of, net, labels) == output] if train else []
    if not any(loss.logits for loss in losses):
        return values
    exact = values.astype(numpy.float64)
    if losses[0].labels == "binary":
        return 1 / (1 + numpy.exp(-exact))
    powers = numpy.exp(exact - exact.max())
    shares: NDArray[Any] = powers / powers.sum()
    return shares
