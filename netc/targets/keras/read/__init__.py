"""Models of Keras as networks: files, and models in memory. Nothing in a file is run, nor is Keras needed for it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from netc.ir.weights import Weights, declared
from netc.lift.source import Imported, ImportRefused, Reason, Sketch
from netc.storage import keras as storage
from netc.storage.stored import Layers
from netc.targets.keras.read.graph import is_model
from netc.targets.keras.read.layers import KNOWN
from netc.targets.keras.read.reading import Reader, Scope, remarks
from netc.targets.keras.read.weights import constants_of, layers_of, weights_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import keras

    Opened = Callable[[], AbstractContextManager[Layers]]

MADE_UP = re.compile(r"(functional|model|sequential)(_\d+)?")  # names that Keras gives
WITHOUT_WEIGHTS = ".json"


def read(path: Path, *, preprocessing: bool = True) -> Imported:
    """The network of a `.keras` file, of a whole `.h5`, or of JSON as `to_json` writes it; without `preprocessing`,
    fixed scales and offsets are left out.

    Raises `ImportRefused`, `StorageError` for a broken file, OSError for what cannot be opened.
    """
    config = storage.configuration(path)
    opened = None if path.suffix.lower() == WITHOUT_WEIGHTS else lambda: storage.opened(path)
    return _imported(config, path.stem, opened, preprocessing=preprocessing)


def of_model(model: keras.Model, *, preprocessing: bool = True) -> Imported:
    """The network of a model in memory. Raises `ImportRefused`."""

    @contextmanager
    def opened() -> Iterator[Layers]:
        yield layers_of(model)

    try:
        config = json.loads(model.to_json())
    except (NotImplementedError, TypeError, ValueError) as error:
        why = str(error).strip().partition("\n")[0]
        raise ImportRefused([Reason("the model", f"Keras cannot say what it is made of: {why}")]) from None
    return _imported(config, str(model.name), opened, preprocessing=preprocessing)


def _imported(config: Mapping[str, Any], name: str, opened: Opened | None, *, preprocessing: bool) -> Imported:
    if not is_model(config):
        kind = f"it is a {config.get('class_name')}"
        raise ImportRefused([Reason("the model", f"{kind}, and no model whose layers its configuration says")])

    own = config.get("config")
    called = own.get("name") if isinstance(own, Mapping) else None
    sketch = Sketch(called if isinstance(called, str) and not MADE_UP.fullmatch(called) else name)
    with ExitStack() as held:
        layers = cache(lambda: held.enter_context(opened()) if opened else None)  # for those who ask, once

        def constants(path: tuple[str, ...]) -> Any:
            found = layers()
            return None if found is None else constants_of(found, path)

        old = str(config.get("keras_version")).startswith(("1.", "2."))
        reader = Reader(sketch, KNOWN, constants, preprocessing, old)
        net = sketch.finish([reader.settled(one) for one in reader.model(config, Scope())])
    left_out = remarks(reader.left_out)
    if config.get("compile_config"):
        left_out.append("optimizer, loss and metrics, which a `train` section says")

    def weights() -> Weights:
        assert opened is not None
        if not declared(net):
            return Weights({})
        with opened() as layers:
            return weights_of(net, reader.places, layers)

    return Imported(net, sketch.sources, weights if opened else None, left_out, remarks(reader.remarks))
