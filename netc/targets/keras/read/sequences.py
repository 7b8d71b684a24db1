"""Layers of Keras for rows of positions: embeddings, recurrent layers, attention, and wrappers around layers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from netc.layers import LAYERS
from netc.layers.kernel_norm import NormedKernel
from netc.lift.source import Tensor, Unsaid
from netc.targets.keras.read.activations import FUNCTIONS
from netc.targets.keras.read.graph import is_model
from netc.targets.keras.read.options import Options, flag, shown
from netc.targets.keras.read.reading import Site, is_tensor, known
from netc.targets.keras.read.table import TABLE, begins, initial, punished, says
from netc.targets.keras.read.windows import dense


@says("Embedding")
def _embedding(site: Site) -> Tensor:
    options = site.options
    options.need("mask_zero", False)
    values = initial(site, "embeddings_initializer", "uniform") | punished(site, "embeddings")
    counts = {"count": options.take("input_dim"), "units": options.take("output_dim")}
    return site.add("embed", site.one(), **counts, **values)


RECURRENT = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}


@says(*RECURRENT)
def _recurrent(site: Site) -> Tensor:
    return _recurrent_of(site, site.kind)


def _recurrent_of(site: Site, kind: str, **more: Any) -> Tensor:
    options = site.options
    options.need("activation", "tanh")
    if kind != "SimpleRNN":
        options.need("recurrent_activation", "sigmoid")
    if kind == "GRU" and options.take("reset_after", False) is not True:
        options.wrong.append("its reset gate comes before the product (`reset_after=False`), and netc's after")
    for name in ("return_state", "go_backwards", "stateful"):
        options.need(name, False)
    if len(site.held()) > 1:
        raise Unsaid("it is given a state to begin with")
    for name in ("dropout", "recurrent_dropout"):
        if rate := options.take(name):
            site.left_out(f"its {name} of {shown(rate)} in training")
    begins(site, "recurrent_initializer", "orthogonal")
    begins(site, "bias_initializer", "zeros", vector=True)
    values = initial(site, "kernel_initializer", "glorot_uniform") | punished(site, "kernel") | more
    states = flag(options.take("return_sequences", False))
    bias = flag(options.take("use_bias", True))
    return site.add(RECURRENT[kind], site.one(), units=options.take("units"), all=states, bias=bias, **values)


@says("Bidirectional")
def _bidirectional(site: Site) -> Tensor:
    site.options.need("merge_mode", "concat")
    forward, backward = site.options.take("layer"), site.options.take("backward_layer")
    kind, config = _inner(site, forward)
    if kind not in RECURRENT:
        raise Unsaid(f"it goes over a {shown(kind)}, and netc's recurrent layers are LSTM, GRU and SimpleRNN")
    if backward is not None:
        other_kind, other = _inner(site, backward)
        apart = {"name", "go_backwards"}
        differs = {name for name in config.keys() - apart if _unnumbered(other.get(name)) != _unnumbered(config[name])}
        if other_kind != kind or differs or other.get("go_backwards") is not True:
            raise Unsaid("its two directions are layers of different options")
    site.options = Options({**config, **dict.fromkeys(("activity_regularizer", "dtype"))})
    return _recurrent_of(site, kind, both=True)


def _unnumbered(value: Any) -> Any:
    """An option without the number of its object."""
    return {key: one for key, one in value.items() if key != "shared_object_id"} if isinstance(value, dict) else value


def _inner(site: Site, layer: object) -> tuple[str, Mapping[str, Any]]:
    """The class and the options of a layer in another one, which no third one may have."""
    if not isinstance(layer, Mapping) or not isinstance(layer.get("config"), Mapping) or is_model(layer):
        raise Unsaid("what is in it is no layer")
    number_ = layer.get("shared_object_id")
    if isinstance(number_, int) and site.reader.within.setdefault(number_, site.path) != site.path:
        raise Unsaid(f"the layer in it is in `{'/'.join(site.reader.within[number_])}` too")
    return known(layer, str(layer.get("class_name"))), layer["config"]


@says("TimeDistributed")
def _distributed(site: Site) -> Tensor:
    kind, config = _inner(site, site.options.take("layer"))
    if kind not in ("Dense", "Activation", "ReLU", "LeakyReLU", "ELU", "Dropout"):
        raise Unsaid(f"it has a {shown(kind)} at each position, and netc has none that is not a layer of all positions")
    if kind == "Dropout":
        raise Unsaid("its Dropout has a mask of its own at each position")
    site.options = Options({**config, "dtype": None})
    if kind == "Dense":
        of_map: Tensor = dense(site)
        return of_map
    op, values = FUNCTIONS[kind](site.options)
    made: Tensor = site.add(op, site.one(), **values)
    return made


NORMS = {"netc>SpectralNormalization": "spectral", "netc>WeightNormalization": "weight"}


@says(*NORMS)
def _normed(site: Site) -> Tensor:
    norm, axis = NORMS[known(site.call.layer, site.kind)], site.options.take("axis", -1)
    kind, config = _inner(site, site.options.take("layer"))
    inner, op = TABLE.get(kind), "deconv" if "Transpose" in kind else "fc" if kind == "Dense" else "conv"
    if inner is None or not re.fullmatch(r"Dense|Conv(olution)?\dD(Transpose)?", kind):
        raise Unsaid(f"it norms the kernel of a {shown(kind)}, and netc that of `conv`, `fc` and `deconv`")
    cls = LAYERS[op]
    if not issubclass(cls, NormedKernel) or axis != cls.output_axis:
        raise Unsaid(f"it norms along axis {shown(axis)}, and netc along that of the outputs")
    site.norm, site.kind, site.options = norm, kind, Options({**config, "dtype": None})
    made: Tensor = inner(site)
    return made


@says("MultiHeadAttention")
def _attention(site: Site) -> Tensor:
    options, called = site.options, site.given
    query, read = _attended(site)
    causal = flag(called.take("use_causal_mask") or False)
    for name in ("query_mask", "value_mask", "key_mask", "attention_mask"):
        if called.take(name) is not None:
            raise Unsaid(f"it is called with a `{name}`, and netc has none")
    if called.take("return_attention_scores"):
        raise Unsaid("it gives its weights too, and netc's attention its output alone")
    if site.rank(query) != 1 or site.rank(read) != 1:
        raise Unsaid("it reads maps, and netc's attention a row of positions")
    heads, key = options.take("num_heads"), options.take("key_dim")
    options.need("value_dim", key)
    options.need("output_shape")
    options.need("attention_axes", 1, [1])
    values = initial(site, "kernel_initializer", "glorot_uniform") | punished(site, "kernel")
    begins(site, "bias_initializer", "zeros", vector=True)
    given = {
        "heads": heads,
        "key": key,
        "bias": flag(options.take("use_bias", True)),
        "dropout": site.number("dropout", 0.0),
    }
    operands = (query,) if query == read else (query, read)
    return site.add("attention", *operands, **given, **values, causal=causal, from_=len(operands) == 2)


def _attended(site: Site) -> tuple[Tensor, Tensor]:
    """The tensors that ask, and that are read."""
    names = ("query", "value", "key")
    given, found = dict(zip(names, site.args, strict=False)), {}
    if len(site.args) > len(names):
        raise Unsaid(f"it is called with {len(site.args)} arguments, and names are expected after the third")
    for name in names:
        one = site.given.take(name, given.get(name))
        if is_tensor(one):
            found[name] = site.reader.settled(one.held)
        elif one is not None:
            raise Unsaid(f"its {name} is no tensor")
    if "query" not in found or "value" not in found:
        raise Unsaid("it is called without a query or a value")
    if found.get("key", found["value"]) != found["value"]:
        raise Unsaid("its keys and its values are of two tensors, and netc's of one")
    return found["query"], found["value"]
