"""Networks of Caffe, from the text of a `.prototxt` file (Jia et al. 2014, arXiv:1408.5093), in the phase TEST.

Fields and their defaults are those of `src/caffe/proto/caffe.proto` of BVLC/caffe, and layers compute what
`src/caffe/layers/*.cpp` say. Caffe's maps are channels x rows x columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from netc.ir.shape import Shape, channels_of, is_pixel
from netc.ir.window import cropping
from netc.lift.source import Imported, Sketch, Tensor
from netc.targets.caffe.grammar import Message, Value, parse
from netc.targets.texts import Reader, Stop, padding_of, text_of, whole

_OLD = {  # types of layers in files before 2014's `layer`, where they are not these words without `_`
    "RELU": "ReLU",
    "PRELU": "PReLU",
    "TANH": "TanH",
    "ABSVAL": "AbsVal",
    "LRN": "LRN",
    "BNLL": "BNLL",
    "INNER_PRODUCT": "InnerProduct",
    "SOFTMAX_LOSS": "SoftmaxWithLoss",
    "HDF5_DATA": "HDF5Data",
}
_DATA = {"Data", "ImageData", "HDF5Data", "MemoryData", "DummyData", "WindowData"}
_LOSSES = {
    *("SoftmaxWithLoss", "EuclideanLoss", "HingeLoss", "SigmoidCrossEntropyLoss", "ContrastiveLoss", "InfogainLoss"),
    *("MultinomialLogisticLoss", "Accuracy"),
}
_FIELDS = {  # of a layer, which say nothing of what it computes
    *("name", "type", "bottom", "top", "include", "exclude", "phase", "propagate_down", "loss_weight"),
    *("blobs_lr", "weight_decay", "param", "blob_share_mode"),
}
_TRUE, _FALSE = ("true", "1", "t"), ("false", "0", "f")
_FILLERS = {"weight_filler", "bias_filler", "filler", "engine"}
TURNED = "a vector of a map has its channels first in Caffe, and last in netc, which only a dense layer after it allows"
_NET = {"name", "layer", "layers", "input", "input_dim", "input_shape", "force_backward", "debug_info"}


def read(path: Path) -> Imported:
    """The network of a file. Raises `netc.lift.source.ImportRefused`, OSError."""
    reader = _Reader(Sketch(path.stem), parse(text_of(path)))
    reader.run()
    return reader.imported(reader.ends())


@dataclass
class _Layer:
    """A layer of the file, and its parameters where it has some."""

    name: str
    type: str
    message: Message
    bottoms: list[str]
    tops: list[str]
    params: Message = field(init=False)
    read: set[str] = field(default_factory=set)

    def place(self, line: int | None = None) -> str:
        """What messages call it, or a line of it."""
        return f"line {line or self.message.line} (`{self.name}`, {self.type})"


@dataclass
class _Reader(Reader):
    message: Message
    blobs: dict[str, Tensor] = field(default_factory=dict)  # what each blob holds now
    unread: dict[str, None] = field(default_factory=dict)  # blobs that no layer has read yet
    turned: set[str] = field(default_factory=set)  # vectors whose elements are in another order than in Caffe
    scales: dict[int, _Layer] = field(default_factory=dict)  # by place: the `Scale` that belongs to a `BatchNorm`
    shared: dict[tuple[str, ...], str] = field(default_factory=dict)  # layers by the names of their weights
    joined: set[int] = field(default_factory=set)  # what these `Scale` layers are known by
    layer: _Layer = field(init=False)
    scale: _Layer | None = None  # that of the batch norm that is being read

    def run(self) -> None:
        """Add all layers, and refuse those that netc cannot say."""
        for key, value in self.message.fields:
            if key not in _NET:
                self.sketch.refuse(f"line {value.line}", f"`{key[:40]}` is no field of a network that netc knows")
        self._inputs()
        layers = list(self._layers())
        self._join(layers)
        for at, layer in enumerate(layers):
            self.layer = layer
            for name in set(layer.tops) & self.blobs.keys() - set(layer.bottoms):
                self.sketch.refuse(layer.place(), f"`{name}` is made by another layer before it")
            made = self._made(at)
            for name in layer.bottoms if layer.type not in _LOSSES else ():
                self.unread.pop(name, None)
            for name, tensor in zip(layer.tops, made, strict=False):
                self.blobs[name] = tensor
                self.unread[name] = None

    def ends(self) -> list[Tensor]:
        """The outputs: blobs that no layer reads."""
        ends = [self.blobs[name] for name in self.unread]
        for name in self.unread:
            if self.blobs[name] in self.turned:
                self.sketch.refuse(f"the output `{name}`", TURNED)
        return ends

    # -- the file ----------------------------------------------------------------------------------------------

    def _inputs(self) -> None:
        names = self.message.values("input")
        shapes = [each.values("dim") for each in self.message.messages("input_shape")]
        dims = self.message.values("input_dim")
        shapes += [dims[at : at + 4] for at in range(0, len(dims), 4)]
        for at, name in enumerate(names):
            self._input(name.text, f"line {name.line} (`{name.text}`)", shapes[at] if at < len(shapes) else [])
            self.unread.pop(name.text, None)

    def _input(self, name: str, place: str, dims: Sequence[Value]) -> Tensor:
        sizes = [whole(dim.text, 1) for dim in dims]
        if len(sizes) not in (2, 4) or None in sizes:
            shown = "x".join(dim.text[:12] for dim in dims[:6]) or "no size"
            self.sketch.refuse(place, f"got {shown}, expected batch x channels x rows x columns, or batch x channels")
            self.blobs[name] = None
            return None
        shape = (*sizes[2:], sizes[1])
        self.blobs[name] = self.sketch.add(name, "input", [], place=place, shape=shape)
        return self.blobs[name]

    def _layers(self) -> Iterator[_Layer]:
        for key, message in self.message.fields:
            if key not in ("layer", "layers") or not isinstance(message, Message):
                continue
            said = {name: [value.text for value in message.values(name)] for name in ("name", "type", "bottom", "top")}
            name, kind = ((said[word] or [""])[0] for word in ("name", "type"))
            if kind.isupper():
                kind = _OLD.get(kind, "".join(part.capitalize() for part in kind.split("_")))
            layer = _Layer(name or (said["top"] or [kind])[0], kind, message, said["bottom"], said["top"])
            if self._runs(layer):
                yield layer

    def _runs(self, layer: _Layer) -> bool:
        """Whether a layer is there in the phase TEST."""
        known = {"TEST": True, "TRAIN": False, "1": True, "0": False}
        rules = {word: layer.message.messages(word) for word in ("include", "exclude")}
        matches: dict[str, list[bool]] = {}
        for word, found in rules.items():
            for rule in found:
                if any(key != "phase" for key, _ in rule.fields):
                    self.sketch.refuse(layer.place(), f"its `{word}` goes by more than the phase")
                phases = [value.text for value in rule.values("phase")]
                matches.setdefault(word, []).append(all(known.get(phase, False) for phase in phases))
        if "include" in matches:
            return any(matches["include"])
        return not any(matches.get("exclude", []))

    def _join(self, layers: Sequence[_Layer]) -> None:
        """Find the `Scale` layers that alone read a `BatchNorm`."""
        made: dict[str, int] = {}  # by blob: the place of the layer that wrote it last
        readers: dict[int, list[_Layer]] = {}
        for at, layer in enumerate(layers):
            for bottom in layer.bottoms:
                if bottom in made:
                    readers.setdefault(made[bottom], []).append(layer)
            made |= dict.fromkeys(layer.tops, at)
        for at, found in readers.items():
            if layers[at].type == "BatchNorm" and len(found) == 1 and found[0].type == "Scale":
                only = found[0]
                if only.bottoms == layers[at].tops:
                    self.scales[at] = only
                    self.joined.add(id(only))

    # -- a layer -----------------------------------------------------------------------------------------------

    def _made(self, at: int) -> Sequence[Tensor]:
        """What a layer makes, one tensor a top; None for those of one that was refused."""
        layer = self.layer
        if layer.type in _LOSSES:
            self.left_out.append(f"`{layer.name}` of line {layer.message.line} ({layer.type})")
            return []
        maker = _MAKERS.get(layer.type)
        nothing = [None for _ in layer.tops]
        try:
            if layer.type in _DATA:
                self.refuse("it does not say the size of what it gives: a deploy file does, with `Input`")
            if maker is None:
                self.refuse("netc has no operation that is known to be it")
            layer.params = self._params(layer)
            self.scale = self.scales.get(at)
            bottoms = [self._blob(name) for name in layer.bottoms]
            made = maker(self, bottoms)
            self._leftover()
        except Stop:
            return nothing
        return made if isinstance(made, list) else [made]

    def _params(self, layer: _Layer) -> Message:
        """The message with the parameters of a layer: `convolution_param`, and whatever else it has."""
        found = Message(layer.message.line)
        for key, value in layer.message.fields:
            if key == "transform_param":
                self.refuse("netc's networks take what is prepared: `transform_param` is not read")
            if key.endswith("_param") and isinstance(value, Message):
                found.fields += value.fields
            elif key not in _FIELDS and layer.type != "Input":
                self.refuse(f"`{key[:40]}` is no field of a layer that netc knows", value.line)
        return found

    def refuse(self, why: str, line: int | None = None) -> NoReturn:
        self.sketch.refuse(self.layer.place(line), why)
        raise Stop

    def _blob(self, name: str) -> Tensor:
        if name not in self.blobs:
            self.refuse(f"it reads `{name}`, which no layer before it makes")
        return self.blobs[name]

    def _leftover(self) -> None:
        """Refuse parameters that nothing reads."""
        for key, value in self.layer.params.fields:
            if key not in self.layer.read and key not in _FILLERS:
                self.refuse(f"what `{key[:40]}` means is not known", value.line)

    def _text(self, key: str, missing: str) -> str:
        self.layer.read.add(key)
        found = self.layer.params.values(key)
        return found[-1].text if found else missing

    def _wholes(self, key: str, least: int) -> list[int]:
        self.layer.read.add(key)
        return [self.whole(key, value.text, value.line, least) for value in self.layer.params.values(key)]

    def _int(self, key: str, missing: int | None, least: int = 0) -> int:
        found = self._wholes(key, least)
        if not found and missing is None:
            self.refuse(f"expected `{key}`")
        return found[-1] if found else missing or 0

    def _floats(self, key: str) -> list[float]:
        self.layer.read.add(key)
        return [self.number(key, value.text, value.line) for value in self.layer.params.values(key)]

    def _float(self, key: str, missing: float) -> float:
        return (self._floats(key) or [missing])[-1]

    def _bool(self, key: str, missing: bool) -> bool:
        text = self._text(key, "true" if missing else "false")
        if text not in (*_TRUE, *_FALSE):
            self.refuse(f"`{key}` is {text[:40]!r}, expected true or false")
        return text in _TRUE

    def _shapes(self) -> list[list[Value]]:
        self.layer.read.add("shape")
        return [each.values("dim") for each in self.layer.params.messages("shape")]

    def _axis(self, shape: Shape) -> int:
        """The axis of a map of Caffe that a layer works along: 1 for channels, 2 for rows, 3 for columns."""
        dims, axis = len(shape) + 1, self._int("axis", 1, -4)
        return axis + dims if axis < 0 else axis

    def _channels_only(self, shape: Shape) -> None:
        if self._axis(shape) != 1:
            self.refuse("netc does this along channels only")

    def _spatial(self, key: str, missing: int, least: int, short: str = "") -> tuple[int, int]:
        """Rows and columns of a size: `kernel_size` once or twice, or `kernel_h` and `kernel_w`."""
        both = self._wholes(key, least)
        sides = [self._wholes(f"{short or key}_{side}", least) for side in "hw"]
        if all(sides):
            return sides[0][0], sides[1][0]
        if any(sides) or len(both) > 2:
            self.refuse(f"expected `{key}` once or twice, or both `{short or key}_h` and `{short or key}_w`")
        return (both[0], both[-1]) if both else (missing, missing)

    def _kernel(self) -> tuple[int, int]:
        kernel = self._spatial("kernel_size", 0, 1, "kernel")
        if 0 in kernel:
            self.refuse("expected `kernel_size`")
        return kernel

    def _one(self, bottoms: Sequence[Tensor]) -> Tensor:
        if len(bottoms) != 1 or len(self.layer.tops) != 1:
            self.refuse(f"it has {len(bottoms)} bottoms and {len(self.layer.tops)} tops, expected one of each")
        return bottoms[0]

    def _add(self, op: str, operands: Sequence[Tensor], part: str = "", **values: Any) -> Tensor:
        """Add a layer of netc. Those that read positions or channels take no vector in another order than Caffe's."""
        turned = [operand for operand in operands if operand in self.turned]
        if turned and (len(operands) > 1 or op not in (*_ELEMENTWISE, "fc")):
            self.refuse(TURNED)
        name = self.layer.name + (f"/{part}" if part else "")
        made = self.sketch.add(name, op, operands, place=self.layer.place(), **values)
        if turned and made is not None and op != "fc":
            self.turned.add(made)
        return made

    def _weighted(self, op: str, operand: Tensor, **values: Any) -> Tensor:
        """Add a layer with weights, which shares those of an earlier one whose `param` have the same names."""
        named = [value for param in self.layer.message.messages("param") for value in param.values("name")]
        named += self.layer.message.values("param")
        key = tuple(value.text for value in named)
        first = self.shared.get(key) if key else None
        if key and first is None and set(key) & {name for names in self.shared for name in names}:
            self.refuse("it shares some of its weights with a layer, and netc's layers share all or none")
        made = self._add(op, [operand], shares=first, **values)
        if key and first is None and made is not None:
            self.shared[key] = made
        return made

    # -- layers ------------------------------------------------------------------------------------------------

    def input(self, _: Sequence[Tensor]) -> list[Tensor]:
        shapes = self._shapes() or [[]]
        last = len(shapes) - 1
        return [self._input(top, self.layer.place(), shapes[min(at, last)]) for at, top in enumerate(self.layer.tops)]

    def convolution(self, bottoms: Sequence[Tensor]) -> Tensor:
        values = {
            "filters": self._int("num_output", None, 1),
            "kernel": self._kernel(),
            "stride": self._spatial("stride", 1, 1),
            "pad": self._spatial("pad", 0, 0),
            "dilation": self._spatial("dilation", 1, 1),
            "groups": self._int("group", 1, 1),
            "bias": self._bool("bias_term", True),
        }
        self._bool("force_nd_im2col", False)
        self._channels_only(self.map(self._one(bottoms)))
        return self._weighted("conv", bottoms[0], **values)

    def deconvolution(self, bottoms: Sequence[Tensor]) -> Tensor:
        kernel, stride = self._kernel(), self._spatial("stride", 1, 1)
        pad, filters = self._spatial("pad", 0, 0), self._int("num_output", None, 1)
        bias = self._bool("bias_term", True)
        if self._int("group", 1, 1) > 1 or self._spatial("dilation", 1, 1) != (1, 1):
            self.refuse("netc's `deconv` has neither groups nor this dilation")
        self._channels_only(self.map(self._one(bottoms)))
        steps = list(zip(kernel, stride, strict=True))
        covered = all(taps >= step for taps, step in steps)  # else Caffe's last window ends before `stride` pixels
        if covered and not any(pad):
            word = "valid"
        elif covered and [(by, by) for by in pad] == [cropping(*step) for step in steps]:
            word = "same"
        else:
            self.refuse("netc's `deconv` keeps all that windows reach, or crops to `stride` times the input")
        return self._weighted("deconv", bottoms[0], filters=filters, kernel=kernel, stride=stride, pad=word, bias=bias)

    def inner_product(self, bottoms: Sequence[Tensor]) -> Tensor:
        before, units = self._one(bottoms), self._int("num_output", None, 1)
        bias = self._bool("bias_term", True)
        self._bool("transpose", False)
        shape = self.shape(before)
        self._channels_only(shape)
        if before in self.turned or (len(shape) > 1 and not is_pixel(shape)):
            self.reordered(f"`{self.layer.name}` of line {self.layer.message.line}", "Caffe")
        return self._weighted("fc", before, units=units, bias=bias)

    def pooling(self, bottoms: Sequence[Tensor]) -> Tensor:
        """Caffe's windows go on beyond the map (`ceil`), as long as one begins inside (`src/caffe/layers/pooling_layer
        .cpp`). A mean counts the zeros of `pad`, and not what is beyond them."""
        method, everything = self._text("pool", "MAX"), self._bool("global_pooling", False)
        given, stride = self._spatial("kernel_size", 0, 1, "kernel"), self._spatial("stride", 1, 1)
        pad, round_ = self._spatial("pad", 0, 0), self._text("round_mode", "CEIL")
        if method not in ("MAX", "AVE", "0", "1"):
            self.refuse(f"netc has no pool `{method[:20]}`")
        shape = self.map(self._one(bottoms))
        sizes = [size or 0 for size in shape[:-1]]
        kernel = tuple(sizes) if everything else given
        if min(kernel) < 1:
            self.refuse("expected `kernel_size`")
        made = [_pooled(*each, floor=round_ in ("FLOOR", "1")) for each in zip(sizes, kernel, stride, pad, strict=True)]
        mean = method in ("AVE", "1")
        if kernel == tuple(sizes) and pad == (0, 0):
            return self._add("gap" if mean else "gmp", bottoms, keep=True)
        word: Any = padding_of(shape, (kernel[0], kernel[1]), stride, pad, made)
        if mean and pad != (0, 0):
            last = [(count - 1) * step + taps for count, step, taps in zip(made, stride, kernel, strict=True)]
            inside = all(end <= size + 2 * by for end, size, by in zip(last, sizes, pad, strict=True))
            word = pad if inside else None
        if word is None:
            shown = f"{kernel[0]}x{kernel[1]} with stride {stride[0]}x{stride[1]} and pad {pad[0]}x{pad[1]}"
            self.refuse(f"its windows, {shown}, stand on {sizes[0]}x{sizes[1]} where none of netc's do")
        return self._add("avgpool" if mean else "pool", bottoms, kernel=kernel, stride=stride, pad=word)

    def relu(self, bottoms: Sequence[Tensor]) -> Tensor:
        slope = self._float("negative_slope", 0.0)
        one = self._one(bottoms)
        return self._add("leakyrelu", [one], slope=slope) if slope else self._add("relu", [one])

    def prelu(self, bottoms: Sequence[Tensor]) -> Tensor:
        single = self._bool("channel_shared", False)
        if self._one(bottoms) in self.turned:
            self.refuse(TURNED)
        return self._weighted("prelu", bottoms[0], single=single)

    def elu(self, bottoms: Sequence[Tensor]) -> Tensor:
        return self._add("elu", [self._one(bottoms)], alpha=self._float("alpha", 1.0))

    def plain(self, bottoms: Sequence[Tensor]) -> Tensor:
        return self._add(_PLAIN[self.layer.type], [self._one(bottoms)])

    def softmax(self, bottoms: Sequence[Tensor]) -> Tensor:
        self._channels_only(self.shape(self._one(bottoms)))
        return self._add("softmax", bottoms)

    def dropout(self, bottoms: Sequence[Tensor]) -> Tensor:
        return self._add("dropout", [self._one(bottoms)], rate=self._float("dropout_ratio", 0.5))

    def lrn(self, bottoms: Sequence[Tensor]) -> Tensor:
        size, alpha = self._int("local_size", 5, 1), self._float("alpha", 1.0)
        beta, bias = self._float("beta", 0.75), self._float("k", 1.0)
        if self._text("norm_region", "ACROSS_CHANNELS") not in ("ACROSS_CHANNELS", "0") or size % 2 == 0:
            self.refuse("netc's `lrn` sums over an odd number of channels, not over positions")
        return self._add("lrn", [self._one(bottoms)], radius=size // 2, alpha=alpha / size, beta=beta, bias=bias)

    def batch_norm(self, bottoms: Sequence[Tensor]) -> Tensor:
        epsilon, decay = self._float("eps", 1e-5), self._float("moving_average_fraction", 0.999)
        if not self._bool("use_global_stats", True):
            self.refuse("it takes the mean of the batch when it is tested, and netc's `bn` does not")
        one = self._one(bottoms)
        if one in self.turned:
            self.refuse(TURNED)
        factors = self.scale.message.messages("scale_param") if self.scale else []
        center = any(value.text in _TRUE for each in factors for value in each.values("bias_term"))
        return self._add("bn", [one], scale=self.scale is not None, center=center, epsilon=epsilon, decay=decay)

    def scaled(self, bottoms: Sequence[Tensor]) -> Tensor:
        bias, axis, axes = self._bool("bias_term", False), self._int("axis", 1, -4), self._int("num_axes", 1, -1)
        if id(self.layer) in self.joined and axis == axes == 1:
            return bottoms[0]  # a part of the batch norm before it
        if len(bottoms) == 2 and axis == 0 and not bias:
            whole_, factors = (self.shape(bottom) for bottom in bottoms)
            if len(whole_) == 3 and factors == (channels_of(whole_),):
                pixel = self._add("reshape", [bottoms[1]], "factors", shape=(1, 1, channels_of(whole_)))
                return self._add("mul", [bottoms[0], pixel])
        if len(bottoms) > 1 or bias or axis != 1 or axes != 1:
            self.refuse("netc scales channels by a learnt factor, and adds nothing, but after a `BatchNorm`")
        return self._weighted("scale", self._one(bottoms), init=1.0)

    def eltwise(self, bottoms: Sequence[Tensor]) -> Tensor:
        operation, factors = self._text("operation", "SUM"), self._floats("coeff")
        self._bool("stable_prod_grad", True)
        op = {"PROD": "mul", "SUM": "add", "MAX": "max", "0": "mul", "1": "add", "2": "max"}.get(operation, "")
        if op == "add" and factors == [1.0, -1.0]:
            op, factors = "sub", []
        if not op or any(factor != 1 for factor in factors):
            self.refuse("netc adds, multiplies or takes the maximum, without factors")
        if len({self.shape(bottom) for bottom in bottoms}) > 1:
            self.refuse("its bottoms have different shapes")
        return self._add(op, bottoms)

    def concat(self, bottoms: Sequence[Tensor]) -> Tensor:
        shape = self.shape(bottoms[0]) if bottoms else ()
        axis = self._int("concat_dim", 1) if self.layer.params.values("concat_dim") else self._axis(shape)
        over = {1: "channels", 2: "rows", 3: "columns"}.get(axis)
        if over is None or len(bottoms) < 1:
            self.refuse("netc joins channels, rows or columns")
        return bottoms[0] if len(bottoms) == 1 else self._add("concat", bottoms, over=over)

    def slice(self, bottoms: Sequence[Tensor]) -> list[Tensor]:
        shape, count = self.shape(bottoms[0]), len(self.layer.tops)
        axis = self._int("slice_dim", 1) if self.layer.params.values("slice_dim") else self._axis(shape)
        points, channels = self._wholes("slice_point", 1), channels_of(shape)
        equal = count > 0 and channels % count == 0
        if axis != 1 or not equal or points not in ([], [channels // count * at for at in range(1, count)]):
            self.refuse("netc cuts channels into equal parts")
        return [self._add("part", bottoms, f"part{at}", index=at, of=count) for at in range(1, count + 1)]

    def split(self, bottoms: Sequence[Tensor]) -> list[Tensor]:
        return [bottoms[0] for _ in self.layer.tops]

    def silence(self, _: Sequence[Tensor]) -> list[Tensor]:
        return []

    def power(self, bottoms: Sequence[Tensor]) -> Tensor:
        if self._float("power", 1.0) != 1:
            self.refuse("netc has no powers but the first")
        factor, offset = self._float("scale", 1.0), self._float("shift", 0.0)
        return self._add("rescale", [self._one(bottoms)], factor=factor, offset=offset)

    def flatten(self, bottoms: Sequence[Tensor]) -> Tensor:
        shape = self.shape(self._one(bottoms))
        if self._int("axis", 1, -4) != 1 or self._int("end_axis", -1, -4) != -1:
            self.refuse("netc makes a vector of all there is")
        return self._vector(bottoms[0], shape)

    def _vector(self, tensor: Tensor, shape: Shape) -> Tensor:
        if len(shape) == 1:
            return tensor
        made = self._add("flatten", [tensor])
        if not is_pixel(shape) and made is not None:
            self.turned.add(made)
        return made

    def reshape(self, bottoms: Sequence[Tensor]) -> Tensor:
        dims = [dim.text for each in self._shapes() for dim in each]
        shape = self.shape(self._one(bottoms))
        if self._int("axis", 0, -4) != 0 or self._int("num_axes", -1, -1) != -1:
            self.refuse("netc reshapes all there is")
        channels = (str(channels_of(shape)), "-1")
        if dims[:1] in (["0"], ["1"], ["-1"]) and len(dims) == 2 and dims.count("-1") <= 1:
            count = 1
            for size in shape:
                count *= size or 0
            if dims[1] in ("-1", str(count)):
                return self._vector(bottoms[0], shape)
        if len(dims) == 4 and len(shape) == 1 and dims[1] in (*channels, "0") and dims[2:] == ["1", "1"]:
            return self._add("reshape", bottoms, shape=(1, 1, channels_of(shape)))
        self.refuse("netc reads channels last: a reshape that mixes channels and positions is another one there")


def _pooled(size: int, taps: int, step: int, pad: int, *, floor: bool) -> int:
    """How many windows Caffe's pool has along a dimension."""
    room = size + 2 * pad - taps
    count = (room // step if floor else -(-room // step)) + 1
    return count - 1 if pad and (count - 1) * step >= size + pad else count


_PLAIN = {"Sigmoid": "sigmoid", "TanH": "tanh", "AbsVal": "abs", "BNLL": "softplus"}
_ELEMENTWISE = {"relu", "leakyrelu", "elu", "dropout", "rescale", *_PLAIN.values()}
_MAKERS: dict[str, Callable[[_Reader, Sequence[Tensor]], Tensor | list[Tensor]]] = {
    "Input": _Reader.input,
    "Convolution": _Reader.convolution,
    "Deconvolution": _Reader.deconvolution,
    "InnerProduct": _Reader.inner_product,
    "Pooling": _Reader.pooling,
    "ReLU": _Reader.relu,
    "PReLU": _Reader.prelu,
    "ELU": _Reader.elu,
    **dict.fromkeys(_PLAIN, _Reader.plain),
    "Softmax": _Reader.softmax,
    "Dropout": _Reader.dropout,
    "LRN": _Reader.lrn,
    "BatchNorm": _Reader.batch_norm,
    "Scale": _Reader.scaled,
    "Eltwise": _Reader.eltwise,
    "Concat": _Reader.concat,
    "Slice": _Reader.slice,
    "Split": _Reader.split,
    "Silence": _Reader.silence,
    "Power": _Reader.power,
    "Flatten": _Reader.flatten,
    "Reshape": _Reader.reshape,
}
