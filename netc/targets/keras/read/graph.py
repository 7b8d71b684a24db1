"""A model's configuration as calls of its layers, in an order in which each comes after those that it reads."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from netc.storage.stored import StorageError

MODELS = ("Functional", "Model", "Sequential")
DEEPEST = 64  # lists in lists, and models in models
TENSOR, TUPLE, CONSTANT = "__keras_tensor__", "__tuple__", "_CONSTANT_VALUE"


@dataclass(frozen=True, slots=True)
class Ref:
    """What a call of a layer makes: the number of the call, and that of the tensor among its outputs."""

    layer: str
    call: int
    tensor: int


@dataclass(slots=True)
class Call:
    """A call of a layer: `layer` is the layer's entry in the configuration, `args` and `kwargs` hold `Ref`s, numbers,
    words, and tuples of these."""

    layer: Mapping[str, Any]
    name: str
    number: int
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def refs(self) -> list[Ref]:
        """All tensors that it reads."""
        return [*_refs(self.args), *_refs(tuple(self.kwargs.values()))]


@dataclass(slots=True)
class Graph:
    """The calls of a model, its inputs and its outputs; how often each layer is called, and each tensor read."""

    calls: list[Call]
    inputs: list[Ref]
    outputs: list[Ref]
    counts: Counter[str] = field(init=False)
    uses: Counter[Ref] = field(init=False)

    def __post_init__(self) -> None:
        self.counts = Counter(call.name for call in self.calls)
        self.uses = Counter(ref for call in self.calls for ref in call.refs())
        self.uses.update(self.outputs)


def is_model(layer: Mapping[str, Any]) -> bool:
    """Whether an entry of a configuration is a model of Keras' own, which holds its layers."""
    return layer.get("class_name") in MODELS and not _custom(layer)


def _custom(layer: Mapping[str, Any]) -> bool:
    return not str(layer.get("module") or "keras").startswith(("keras", "tf_keras", "tensorflow"))


def entry(value: object, what: str) -> Mapping[str, Any]:
    """A mapping of a configuration. Raises `StorageError` for anything else."""
    if not isinstance(value, Mapping):
        raise StorageError(f"{what} is {type(value).__name__}, and names with values are expected")
    return value


def graph_of(model: Mapping[str, Any]) -> Graph:
    """The calls of a model. Raises `StorageError` for a configuration that is broken."""
    config, name = model.get("config"), str(model.get("class_name"))
    if name == "Sequential":
        return _sequential(config)
    held = entry(config, f"the configuration of the {name}")
    layers = [entry(one, "a layer") for one in _listed(held.get("layers"), "`layers`")]
    calls = [call for layer in layers for call in _calls(layer)]
    ends = [_ends(held.get(key), key, DEEPEST) for key in ("input_layers", "output_layers")]
    graph = Graph(calls, *ends)
    _renumber(graph, layers)
    graph.calls = _ordered(graph)
    return graph


def _sequential(config: object) -> Graph:
    """A chain of layers. Before Keras 2.2.3 its configuration was the list of them."""
    held = config if isinstance(config, Mapping) else {"layers": config}
    layers = [entry(one, "a layer") for one in _listed(held.get("layers"), "`layers`")]
    if not layers:
        raise StorageError("the model has no layers")
    if layers[0].get("class_name") != "InputLayer":
        first = layers[0].get("config")
        shape = next(
            (
                given
                for place, key in ((first, "batch_shape"), (first, "batch_input_shape"), (held, "build_input_shape"))
                if isinstance(place, Mapping) and (given := place.get(key)) is not None
            ),
            None,
        )
        if shape is None and is_model(layers[0]):
            shape = _shape_of_first(layers[0], DEEPEST)
        made = {"name": "input", "batch_shape": shape}
        layers.insert(0, {"class_name": "InputLayer", "config": made})
    names = [_name(layer) for layer in layers]
    calls = [Call(layer, name, 0) for layer, name in zip(layers, names, strict=True)]
    for before, call in zip(names, calls[1:], strict=False):
        call.args = (Ref(before, 0, 0),)
    if len(set(names)) < len(names):
        raise StorageError("several layers of the model have one name")
    return Graph(calls, [Ref(names[0], 0, 0)], [Ref(names[-1], 0, 0)])


def _shape_of_first(model: Mapping[str, Any], depth: int) -> object:
    """The shape that the input of a model has, which begins another one."""
    if depth == 0:
        raise StorageError(f"models are nested more than {DEEPEST} deep")
    config = model.get("config")
    layers = config.get("layers") if isinstance(config, Mapping) else config
    first = layers[0] if isinstance(layers, list) and layers else None
    if not isinstance(first, Mapping):
        return None
    if is_model(first):
        return _shape_of_first(first, depth - 1)
    own = first.get("config")
    return (own.get("batch_shape") or own.get("batch_input_shape")) if isinstance(own, Mapping) else None


def _name(layer: Mapping[str, Any]) -> str:
    config = layer.get("config")
    name = layer.get("name") or (config.get("name") if isinstance(config, Mapping) else None)
    if not isinstance(name, str):
        raise StorageError("a layer has no name")
    return name


def _listed(value: object, what: str) -> Sequence[Any]:
    if not isinstance(value, list):
        raise StorageError(f"{what} is no list")
    return value


def _calls(layer: Mapping[str, Any]) -> Iterator[Call]:
    name, nodes = _name(layer), _listed(layer.get("inbound_nodes", []), "`inbound_nodes`")
    if not nodes:
        yield Call(layer, name, 0)
    for number, node in enumerate(nodes):
        if isinstance(node, Mapping):
            args = _argument(node.get("args", []), DEEPEST)
            kwargs = entry(node.get("kwargs", {}), "`kwargs`")
            given = {str(key): _argument(value, DEEPEST) for key, value in kwargs.items()}
            yield Call(layer, name, number, args if isinstance(args, tuple) else (args,), given)
        else:
            yield _older(layer, name, number, _listed(node, "an inbound node"))


def _older(layer: Mapping[str, Any], name: str, number: int, node: Sequence[Any]) -> Call:
    """A call as Keras 2 writes it: `[["conv1", 0, 0, {}], ...]`; a number is `["_CONSTANT_VALUE", -1, 3.0, {}]`."""
    if node and isinstance(node[0], str):
        node = [node]
    refs: list[Any] = []
    given: dict[str, Any] = {}
    for one in node:
        parts = _listed(one, "an inbound node")
        refs.append(_argument(parts[2], DEEPEST) if parts[:2] == [CONSTANT, -1] and len(parts) > 2 else _ref(parts[:3]))
        for key, value in entry(parts[3], "the arguments of a call").items() if len(parts) > 3 else ():
            is_tensor = isinstance(value, list) and len(value) == 3 and isinstance(value[0], str)
            given[str(key)] = _ref(value) if is_tensor else _argument(value, DEEPEST)
    return Call(layer, name, number, (refs[0] if len(refs) == 1 else tuple(refs),) if refs else (), given)


def _ref(parts: object) -> Ref:
    if not (isinstance(parts, list | tuple) and len(parts) == 3 and isinstance(parts[0], str)):
        raise StorageError("a tensor is not named by its layer and two numbers")
    if not all(isinstance(part, int) and not isinstance(part, bool) for part in parts[1:]):
        raise StorageError(f"an output of `{parts[0]}` is not named by two numbers")
    return Ref(parts[0], parts[1], parts[2])


def _argument(value: object, depth: int) -> Any:
    """A value that a layer is called with."""
    if depth == 0:
        raise StorageError(f"the arguments of a call are nested more than {DEEPEST} deep")
    if isinstance(value, Mapping):
        if value.get("class_name") == TENSOR:
            return _ref(entry(value.get("config"), "a tensor").get("keras_history"))
        if value.get("class_name") == TUPLE:
            return _argument(value.get("items", []), depth - 1)
        return {str(key): _argument(one, depth - 1) for key, one in value.items()}
    return tuple(_argument(one, depth - 1) for one in value) if isinstance(value, list) else value


def _refs(value: object) -> Iterator[Ref]:
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, tuple | Mapping):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _refs(one)


def _ends(value: object, what: str, depth: int) -> list[Ref]:
    """The inputs or outputs of a model: one, or several in lists, or by names, whose order is that of the alphabet."""
    if depth == 0:
        raise StorageError(f"`{what}` is nested more than {DEEPEST} deep")
    if isinstance(value, Mapping):
        return [ref for key in sorted(value, key=str) for ref in _ends(value[key], what, depth - 1)]
    if not isinstance(value, list):
        raise StorageError(f"`{what}` is no list")
    if len(value) == 3 and isinstance(value[0], str):
        return [_ref(value)]
    return [ref for one in value for ref in _ends(one, what, depth - 1)]


def _renumber(graph: Graph, layers: Sequence[Mapping[str, Any]]) -> None:
    """Number the calls of nested models from 0: Keras 2 counts that which made the model as the first."""
    nested = {_name(layer) for layer in layers if "module" not in layer and is_model(layer)}
    first: dict[str, int] = {}
    for ref in graph.uses:
        if ref.layer in nested:
            first[ref.layer] = min(ref.call, first.get(ref.layer, ref.call))
    for call in graph.calls if any(first.values()) else ():
        call.args = _shifted(call.args, first)
        call.kwargs = {key: _shifted(value, first) for key, value in call.kwargs.items()}
    if any(first.values()):
        graph.outputs = list(_shifted(tuple(graph.outputs), first))
        graph.__post_init__()


def _shifted(value: Any, first: Mapping[str, int]) -> Any:
    if isinstance(value, Ref):
        return Ref(value.layer, value.call - first.get(value.layer, 0), value.tensor)
    if isinstance(value, tuple):
        return tuple(_shifted(one, first) for one in value)
    return {key: _shifted(one, first) for key, one in value.items()} if isinstance(value, Mapping) else value


def _ordered(graph: Graph) -> list[Call]:
    """The calls in topological order: inputs first, then the earliest that can be made."""
    numbers = {(call.name, call.number): at for at, call in enumerate(graph.calls)}
    if len(numbers) < len(graph.calls):
        raise StorageError("several layers of the model have one name")
    readers: dict[int, list[int]] = {}
    waits: list[int] = []
    for at, call in enumerate(graph.calls):
        read = {(ref.layer, ref.call) for ref in call.refs()}
        if (unknown := next((name for name, number in read if (name, number) not in numbers), None)) is not None:
            raise StorageError(f"the layer `{call.name}` reads `{unknown}`, which does not make that")
        waits.append(len(read))
        for one in read:
            readers.setdefault(numbers[one], []).append(at)
    for ref in (*graph.inputs, *graph.outputs):
        if (ref.layer, ref.call) not in numbers:
            raise StorageError(f"the model begins or ends with `{ref.layer}`, which does not make that")
    begin = [numbers[ref.layer, ref.call] for ref in graph.inputs]
    ready = [(begin.index(at) - len(begin) if at in begin else at, at) for at, wait in enumerate(waits) if not wait]
    heapq.heapify(ready)
    made: list[Call] = []
    while ready:
        _, at = heapq.heappop(ready)
        made.append(graph.calls[at])
        for reader in readers.get(at, ()):
            waits[reader] -= 1
            if not waits[reader]:
                heapq.heappush(ready, (reader, reader))
    if len(made) < len(graph.calls):
        left = next(call.name for at, call in enumerate(graph.calls) if waits[at])
        raise StorageError(f"the layer `{left}` reads what it makes itself")
    return made
