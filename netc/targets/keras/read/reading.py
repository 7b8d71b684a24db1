"""The network of a model: its layers one by one, those of nested models in their places."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from netc.ir.shape import Shape
from netc.layers.base import LAYERS, Layer
from netc.lift.source import ImportRefused, Reason, Sketch, Unsaid
from netc.limits import Limits
from netc.storage.stored import StorageError
from netc.targets.keras.read.graph import DEEPEST, Call, Graph, Ref, entry, graph_of, is_model
from netc.targets.keras.read.options import Options, number, shown, spoken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from netc.lift.source import Tensor

MONOTONE = ("add", "mul", "max")  # give no number below 0 where they are given none
NORMED = ("conv", "fc", "deconv")
QUANTIZED = ("int", "float8", "fp8")
SHOWN = 3  # names in a remark
OWN = ("LayerScale", "StochasticDepth", "CustomScaleLayer")  # classes of keras.applications
NATIVE = ("keras", "tf_keras", "tensorflow")


@dataclass(slots=True)
class Pending:
    """What may become a part of the one layer that reads it: zeros around (`zeros`, or with `lowest` minus infinity),
    `flatten`, or a global pool (`gap`, `gmp`). `settle` makes a layer of it."""

    kind: str
    base: Tensor
    settle: Callable[[], Tensor]
    values: Any = None


Held = str | None | Pending


@dataclass(slots=True)
class Scope:
    """The models around a layer: their names, and what the names of its nodes begin with. In a model that is called
    more than once, everything is `shared`."""

    path: tuple[str, ...] = ()
    prefix: str = ""
    shared: bool = False
    around: str = ""  # the name of the innermost model

    def inside(self, name: str, call: int, count: int) -> Scope:
        """The scope of a model in this one, of whose calls it is this one."""
        prefix = numbered(self.name(name), call) if count > 1 else self.name(name)
        return Scope((*self.path, name), f"{prefix}_", self.shared or count > 1, name)

    def name(self, name: str) -> str:
        """The name of a node; where the model's name stands in front already, not once more."""
        once = not self.shared and self.around and name.startswith(self.around)
        return name if once else self.prefix + name


def numbered(name: str, call: int) -> str:
    """What the names of nodes begin with in a call of what is called more than once: a `shared def`, whose name is that
    of the first."""
    first = f"shared_{name}" if name in LAYERS else name
    return first if not call else f"{first}{'_call' * first[-1:].isdigit()}{call + 1}"


@dataclass(slots=True)
class Site:
    """A call of a layer, while it becomes nodes."""

    reader: Reader
    scope: Scope
    call: Call
    kind: str
    options: Options
    args: tuple[Any, ...]
    given: Options  # what it is called with by name
    again: bool  # whether the layer is called more than once
    once: bool  # whether one layer alone reads what it makes
    training: bool = False  # whether it is called as in training, always
    norm: str = ""  # of its kernel

    @property
    def path(self) -> tuple[str, ...]:
        """The layer, after the models around it."""
        return (*self.scope.path, self.call.name)

    @property
    def object(self) -> object:
        """What makes it the same layer as another: a number in files of Keras 3, also where two models have it."""
        found = self.call.layer.get("shared_object_id")
        return found if isinstance(found, int) else self.path

    @property
    def place(self) -> str:
        """What messages call it."""
        return f"layer `{'/'.join(self.path)}` ({self.kind})"

    # -- what it reads

    def held(self) -> list[Held]:
        """The tensors that it reads, in order; raises `Unsaid` where it is called with anything else."""
        if other := [one for one in _leaves(self.args) if not (one is None or is_tensor(one))]:
            raise Unsaid(f"it is called with {shown(other[0])}, and tensors are expected")
        return list(_tensors(self.args))

    def tensors(self, *, most: int | None = None) -> list[Tensor]:
        """The same as nodes; raises `Unsaid` where there are more or fewer than there should be."""
        found = self.held()
        if most is not None and len(found) != most:
            raise Unsaid(f"it reads {len(found)} tensors, and {most} {'is' if most == 1 else 'are'} expected")
        return [self.reader.settled(one) for one in found]

    def only(self) -> Held:
        """The tensor that it reads, which may become a part of it."""
        found = self.held()
        if len(found) != 1:
            raise Unsaid(f"it reads {len(found)} tensors, and 1 is expected")
        return found[0]

    def one(self) -> Tensor:
        """The tensor that it reads, as a node."""
        return self.reader.settled(self.only())

    def shape(self, tensor: Held) -> Shape | None:
        """The shape of a tensor, without the batch; None after a layer that was refused."""
        return self.reader.sketch.shape(tensor.base if isinstance(tensor, Pending) else tensor)

    def rank(self, tensor: Held) -> int:
        """The number of its spatial dimensions; raises `Missing` where it is not known."""
        shape = self.shape(tensor)
        if shape is None:
            raise Missing
        return len(shape) - 1

    # -- what it becomes

    def add(self, op: str, *operands: Tensor, suffix: str = "", **values: Any) -> Tensor:
        """A node of it; a `suffix` tells several of one layer apart."""
        if self.training and (LAYERS[op].train_only or op == "bn"):
            raise Unsaid("it is called with `training=True`, so that it never is what it is outside of training")
        if self.norm and op in NORMED:
            values["norm"] = self.norm
        reader, key = self.reader, (self.object, suffix)
        weighted = LAYERS[op].weights is not Layer.weights
        shares = reader.first.get(key) if weighted or self.scope.shared else None
        name = self.scope.name(self.call.name) + suffix
        if self.again and weighted and not self.scope.shared:
            name = f"{numbered(name, self.call.number)}_{op}"
        made = reader.add(name, op, operands, place=self.place, shares=shares, **values)
        if made is not None:
            reader.sketch.sources[made] = "/".join((*self.path, suffix.strip("_")) if suffix else self.path)
            reader.first.setdefault(key, made)
            if weighted and shares is None:
                reader.places[made] = self.path
        return made

    def activated(self, tensor: Tensor, op: str, values: Mapping[str, Any]) -> Tensor:
        """A tensor after an activation that is no part of the layer before."""
        return tensor if op == "linear" else self.add(op, tensor, suffix="_act", **values)

    def later(self, kind: str, base: Tensor, op: str, values: Any = None, **given: Any) -> Held:
        """A node that may become a part of the layer that reads it."""
        if not self.once:
            return self.add(op, base, **given)
        return Pending(kind, base, lambda: self.add(op, base, **given), values)

    # -- what it has that a spec has not

    def refuse(self, why: str) -> None:
        self.reader.sketch.refuse(self.place, why)

    def left_out(self, what: str) -> None:
        """Note a part of it that is not in the network."""
        self.reader.left_out.setdefault(what, {})["/".join(self.path)] = None

    def remark(self, what: str) -> None:
        """Note something that a reader of the spec has to know."""
        self.reader.remarks.setdefault(what, {})["/".join(self.path)] = None

    def channels_last(self) -> None:
        """Refuse data whose channels come first."""
        self.options.need("data_format", "channels_last", "default")

    def number(self, name: str, default: float) -> float | int:
        """An option that is a number."""
        return number(self.options.take(name, default))


class Missing(Exception):
    """Nothing more can be said of a layer, as one before it was refused."""


Says = Callable[[Site], Any]


@dataclass(slots=True)
class Reader:
    """A network while it is made of a model. `constants` gives the arrays of a layer that are no weights in netc, None
    where there are none; without `preprocessing`, fixed scales and offsets are left out."""

    sketch: Sketch
    says: Mapping[str, Says]
    constants: Callable[[tuple[str, ...]], Sequence[NDArray[Any]] | None]
    preprocessing: bool = True
    legacy: bool = False
    places: dict[str, tuple[str, ...]] = field(default_factory=dict)  # of nodes with weights: their layers
    first: dict[tuple[object, str], str] = field(default_factory=dict)
    left_out: dict[str, dict[str, None]] = field(default_factory=dict)
    remarks: dict[str, dict[str, None]] = field(default_factory=dict)
    not_negative: set[str] = field(default_factory=set)  # nodes without numbers below 0
    within: dict[int, tuple[str, ...]] = field(default_factory=dict)  # by their numbers: layers in wrappers
    graphs: dict[int, Graph] = field(default_factory=dict)  # of models that are called more than once
    calls: int = 0

    def add(self, name: str, op: str, operands: Sequence[Tensor], **given: Any) -> Tensor:
        """A node, of which it is known whether it has numbers below 0."""
        made = self.sketch.add(name, op, operands, **given)
        if made is not None:
            layer = self.sketch.net.node(made).layer
            passes = layer.ending is None and (layer.transparent or op in MONOTONE)
            if layer.not_negative or (passes and operands and all(one in self.not_negative for one in operands)):
                self.not_negative.add(made)
        return made

    def settled(self, held: Held) -> Tensor:
        """A tensor as a node."""
        return held.settle() if isinstance(held, Pending) else held

    def model(self, model: Mapping[str, Any], scope: Scope, given: Sequence[Held] | None = None) -> list[Held]:
        """The outputs of a model for these inputs, or for inputs of its own."""
        if len(scope.path) > DEEPEST:
            raise StorageError(f"models are nested more than {DEEPEST} deep")
        graph = self.graphs.get(id(model)) or self.graphs.setdefault(id(model), graph_of(model))
        if given is not None and len(given) != len(graph.inputs):
            raise StorageError(f"`{'/'.join(scope.path)}` has {len(graph.inputs)} inputs, and is given {len(given)}")
        made: dict[Ref, Held] = {}
        bound = dict(zip(graph.inputs, given or (), strict=False))
        for call in graph.calls:
            self._count()
            ref = Ref(call.name, call.number, 0)
            if ref in bound:
                made[ref] = bound[ref]
                continue
            for number_, held in enumerate(self._called(call, graph, scope, made)):
                made[Ref(call.name, call.number, number_)] = held
        outputs = [self._made(ref, made) for ref in graph.outputs]
        return outputs if given is not None else [self.settled(one) for one in outputs]

    def _count(self) -> None:
        """Stop at more calls than a network has layers: models in models can be called so often that none ends."""
        self.calls += 1
        if self.calls > (most := Limits().layers):
            raise ImportRefused([Reason("the model", f"it has more than {most:,} layers")])

    @staticmethod
    def _made(ref: Ref, made: Mapping[Ref, Held]) -> Held:
        if ref not in made:
            raise StorageError(f"`{ref.layer}` has no output {ref.tensor}")
        return made[ref]

    def _called(self, call: Call, graph: Graph, scope: Scope, made: Mapping[Ref, Held]) -> list[Held]:
        def there(value: Any) -> Any:
            if isinstance(value, Ref):
                return _Tensor(self._made(value, made))
            if isinstance(value, tuple):
                return tuple(map(there, value))
            return {key: there(one) for key, one in value.items()} if isinstance(value, Mapping) else value

        args, kwargs = there(call.args), {key: there(value) for key, value in call.kwargs.items()}
        if is_model(call.layer):
            self._trained(Options(_config(call.layer)), "/".join((*scope.path, call.name)))
            inside = scope.inside(call.name, call.number, graph.counts[call.name])
            held = list(_tensors((args, tuple(kwargs.values()))))
            return self.model(call.layer, inside, held)
        once = graph.uses[Ref(call.name, call.number, 0)] == 1 and Ref(call.name, call.number, 0) not in graph.outputs
        kind, again = str(call.layer.get("class_name")), graph.counts[call.name] > 1
        site = Site(self, scope, call, kind, Options(_config(call.layer)), args, Options(kwargs), again, once)
        found = self.said(site, call.layer)
        return list(found) if isinstance(found, list) else [found]

    def said(self, site: Site, layer: Mapping[str, Any]) -> Any:
        """What a layer makes of its inputs; None where it is refused, with the reasons noted."""
        try:
            says = self.says.get(known(layer, site.kind))
            if says is None:
                raise Unsaid(_unknown(layer, site.kind))
            self._common(site)
            made = says(site)
        except Unsaid as error:
            site.refuse(str(error))
            made = None
        except Missing:
            made = None
        else:
            for why in (*site.options.rest(), *site.given.rest()):
                site.refuse(why)
        return made

    def _common(self, site: Site) -> None:
        """What all layers have."""
        site.training = site.given.take("training") is True
        if site.given.take("mask") is not None:
            raise Unsaid("it is called with a mask, and netc has none")
        options, path = site.options, "/".join(site.path)
        self._trained(options, path)
        self._typed(options.take("dtype"), path)
        for name in ("kernel", "bias", "depthwise", "pointwise", "embeddings", "recurrent", "beta", "gamma", "alpha"):
            if (value := options.take(f"{name}_constraint")) is not None:
                site.refuse(f"its `{name}_constraint` is {spoken(value)}, and netc constrains no weights")
        if (value := options.take("activity_regularizer")) is not None:
            site.left_out(f"what {spoken(value)} of its output adds to the loss")

    def _trained(self, options: Options, path: str) -> None:
        if options.take("trainable", True) is False:
            self.remarks.setdefault("does not train there: `freeze` in `train` says so", {})[path] = None

    def _typed(self, dtype: object, path: str) -> None:
        """Note numbers of another type than float32, which a spec has not."""
        name = dtype
        if isinstance(dtype, Mapping):
            config = dtype.get("config")
            name = config.get("name") if isinstance(config, Mapping) else None
        if name in (None, "float32") or (isinstance(name, str) and name in ("int32", "int64")):
            return
        if not isinstance(name, str) or name.startswith(QUANTIZED):
            raise Unsaid(f"its numbers are {shown(name)}, and netc's layers have float32")
        self.remarks.setdefault(f"computes in {name} there, and in float32 here", {})[path] = None


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A tensor among the arguments of a call."""

    held: Held


def _tensors(value: Any) -> Iterator[Held]:
    return (one.held for one in _leaves(value) if isinstance(one, _Tensor))


def _leaves(value: Any) -> Iterator[Any]:
    """What is in tuples and mappings, and is none."""
    if isinstance(value, tuple | Mapping):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _leaves(one)
    else:
        yield value


def is_tensor(value: object) -> bool:
    """Whether an argument of a call is a tensor."""
    return isinstance(value, _Tensor)


def _config(layer: Mapping[str, Any]) -> Mapping[str, Any]:
    config = layer.get("config")
    return {} if isinstance(config, list) else entry(config, f"the configuration of {shown(layer.get('class_name'))}")


def known(layer: Mapping[str, Any], kind: str) -> str:
    """The name of a class in the table of those that are known: `Conv2D`, `ops.Add`, `netc>LayerScale`."""
    registered, module = layer.get("registered_name"), str(layer.get("module") or "keras")
    if isinstance(registered, str) and ">" in registered:
        return registered
    if ">" in kind:
        return kind
    if not module.startswith(NATIVE):
        return f"{module}.{kind}"
    if ".ops" in module:
        return f"ops.{kind}"
    return f"applications.{kind}" if ".applications" in module else kind


def _unknown(layer: Mapping[str, Any], kind: str) -> str:
    """Why a class is not known."""
    name = known(layer, kind)
    if kind == "Lambda":
        return "it holds code of Python, which is not run"
    if kind == "SlicingOpLambda":
        return "it is a part of a tensor, as Keras 2 wrote it, and netc has no such layer"
    if name.startswith("ops."):
        return f"it is `keras.ops`' {kind}, and netc has no such layer"
    if name != kind:
        return "it is a class of its own, whose code says what it does"
    if "module" not in layer and kind in OWN:
        return "whose class it is, an older file does not say: a `.keras` file does"
    return f"netc has no layer that is Keras' {kind}"


def remarks(found: Mapping[str, Mapping[str, None]]) -> list[str]:
    """Notes as sentences: what each is said of, then what."""
    return [f"{listed(list(names))}: {what}" for what, names in found.items()]


def listed(names: Sequence[str]) -> str:
    """Names of layers, of many the first ones."""
    some = ", ".join(f"`{name}`" for name in names[:SHOWN])
    return some if len(names) <= SHOWN else f"{some} and {len(names) - SHOWN} more"
