"""What a run leaves when it is over."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from netc.files import replace, replacing

if TYPE_CHECKING:
    from netc.train.loop import Loop
    from netc.train.run import Run
    from netc.train.trainee import Trainee


def finish(loop: Loop, run: Run, *, writes: bool) -> None:
    """Put the final weights in place (averages, then the best where early stopping says so) and write the model."""
    trainee = loop.trainee
    trainee.optimizer.finalize_variable_values(trainee.model.trainable_variables)
    loop.monitors.finish()
    if not writes:
        return
    save_model(trainee, run.model)
    draw(loop.log.rows, trainee.program.name, run.curves)


def save_model(trainee: Trainee, path: Path) -> None:
    """The model as `.keras`, compiled as the spec says, so that plain Keras can evaluate it and go on training it."""
    import keras  # noqa: PLC0415 - seconds

    from netc.targets.keras.build import deep_recursion, layers_of  # noqa: PLC0415
    from netc.targets.keras.calls import executed  # noqa: PLC0415
    from netc.targets.keras.nesting import Nesting  # noqa: PLC0415
    from netc.targets.keras.order import depths, recursion  # noqa: PLC0415

    model, compiled, net = trainee.model, trainee.compiled, trainee.program.net
    for layer in layers_of(model):
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = False  # which says how it was trained, not what it is
    model.compile(optimizer=trainee.optimizer, **executed(compiled.keywords(Nesting(net).outputs())))
    with replacing(path) as file, deep_recursion(recursion(net, depths(net))):
        model.save(file.name, include_optimizer=False)


def own_classes(path: Path) -> list[str]:
    """The classes in a `.keras` file that Keras lacks, which `import netc.keras_layers` registers."""
    with zipfile.ZipFile(path) as archive:
        return sorted(set(re.findall(r'"registered_name": "netc>(\w+)"', archive.read("config.json").decode())))


def draw(rows: list[dict[str, float]], name: str, path: Path) -> None:
    """The learning curves of the network `name` as SVG; a run too short to have logged anything has none."""
    from netc.figures.curves import curves  # noqa: PLC0415
    from netc.figures.drawing import write_scene  # noqa: PLC0415

    if not rows:
        return
    replace(path, write_scene(curves(rows, f"{name}: learning curves"), ".svg"))
