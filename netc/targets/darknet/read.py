"""Networks of Darknet, from the text of a `.cfg` file (Redmon 2013-2018, https://pjreddie.com/darknet).

Layers are what `src/parser.c` and `src/*_layer.c` of pjreddie/darknet make of their sections. Of AlexeyAB/darknet,
which came after it, are `mish`, `swish`, `dilation`, `groups` of a route, several `from`, and `scale_channels`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from netc.ir.shape import is_pixel
from netc.lift.source import Imported, Sketch, Tensor
from netc.targets.darknet.grammar import Section, parse
from netc.targets.texts import Reader, Stop, padding_of, text_of, whole

ACTIVATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "leaky": ("leakyrelu", {"slope": 0.1}),
    "relu": ("relu", {}),
    "relu6": ("relu6", {}),
    "logistic": ("sigmoid", {}),
    "tanh": ("tanh", {}),
    "elu": ("elu", {}),
    "mish": ("mish", {}),
    "swish": ("silu", {}),
    "hardtan": ("hard_tanh", {}),
}
EPSILON, DECAY = 1e-5, 0.99  # of batch normalisation: `src/blas_kernels.cu`, `src/batchnorm_layer.c`
# What changes training, pictures or weights, and not the network.
_TRAINING = {
    *("B1", "B2", "adam", "angle", "aspect", "augment_speed", "batch", "blur", "burn_in", "burnin"),
    *("center", "clip", "contrastive", "cutmix", "decay", "dynamic_minibatch", "ema_alpha", "eps"),
    *("equidistant_point", "exposure", "flip", "gamma", "gaussian_noise", "hue", "label_smooth_eps"),
    *("learning_rate", "letter_box", "loss_scale", "max_batches", "max_chart_loss", "max_crop"),
    *("max_ratio", "min_crop", "min_ratio", "mixup", "momentum", "mosaic", "notruth"),
    *("num_sigmas_reject_badlabels", "optimized_memory", "policy", "power", "random", "saturation"),
    *("scale", "scales", "seq_scales", "sgdr_cycle", "sgdr_mult", "step", "steps", "subdivisions", "track"),
    "workspace_size_limit_MB",
}
_LAYER = {
    *("dontload", "dontloadscales", "dot", "flipped", "learning_rate", "noloss", "onlyforward", "smooth"),
    "stopbackward",
}
_HEADS = ("yolo", "Gaussian_yolo", "region", "detection")
_LEFT_OUT = {**dict.fromkeys(_HEADS, "boxes are decoded of what this output gives"), "cost": "a loss"}


def read(path: Path) -> Imported:
    """The network of a file. Raises `netc.lift.source.ImportRefused`, OSError."""
    reader = _Reader(Sketch(path.stem), parse(text_of(path)))
    reader.run()
    return reader.imported(reader.ends())


@dataclass
class _Reader(Reader):
    sections: list[Section]
    layers: list[Tensor] = field(default_factory=list)  # what each section after the first makes
    outputs: list[Tensor] = field(default_factory=list)
    section: Section = field(init=False)
    read: set[str] = field(default_factory=set)  # options of the section that were looked at

    def run(self) -> None:
        """Add all layers, and refuse those that netc cannot say."""
        if not self.sections or self.sections[0].name not in ("net", "network"):
            line = f"line {self.sections[0].line}" if self.sections else "the file"
            self.sketch.refuse(line, "expected `[net]` first, with `width`, `height` and `channels`")
            return
        self._begin(self.sections[0])
        current = self._net()
        self._leftover(_TRAINING)
        for section in self.sections[1:]:
            self._begin(section)
            made = _MAKERS.get(section.name)
            try:
                if made is not None:
                    current = made(self, current)
                    self._leftover(_LAYER)
                elif section.name in _LEFT_OUT:
                    self.left_out.append(f"`[{section.name}]` of line {section.line}: {_LEFT_OUT[section.name]}")
                    self.outputs += [current] if section.name in _HEADS else []
                else:
                    self.refuse(_WHY.get(section.name, "netc has no operation that is known to be it"))
            except Stop:
                current = None
            self.layers.append(current)

    def ends(self) -> list[Tensor]:
        """The outputs: what heads read, else the last layer."""
        return list(dict.fromkeys(self.outputs)) if self.outputs else self.layers[-1:]

    # -- options -----------------------------------------------------------------------------------------------

    def _begin(self, section: Section) -> None:
        self.section, self.read = section, set()

    def _place(self, line: int | None = None) -> str:
        return f"line {line or self.section.line} (`[{self.section.name}]`)"

    def refuse(self, why: str, line: int | None = None) -> NoReturn:
        self.sketch.refuse(self._place(line), why)
        raise Stop

    def _text(self, key: str, missing: str) -> str:
        self.read.add(key)
        option = self.section.options.get(key)
        return missing if option is None else option.value

    def _int(self, key: str, missing: int, least: int = 0) -> int:
        self.read.add(key)
        option = self.section.options.get(key)
        return missing if option is None else self.whole(key, option.value, option.line, least)

    def _float(self, key: str, missing: float) -> float:
        self.read.add(key)
        option = self.section.options.get(key)
        return missing if option is None else self.number(key, option.value, option.line)

    def _only(self, key: str, value: float, why: str) -> None:
        """Refuse another value than the one that does nothing."""
        if self._float(key, value) != value:
            option = self.section.options[key]
            self.refuse(f"`{key}={option.value[:40]}`: {why}", option.line)

    def _indices(self, key: str) -> list[Tensor]:
        """The layers that an option names: from the first one, or back from here where they are negative."""
        self.read.add(key)
        option = self.section.options.get(key)
        if option is None:
            self.refuse(f"expected `{key}=`, the layers that it reads")
        found: list[Tensor] = []
        for text in option.value.rstrip(",").split(","):
            number = whole(text, -len(self.layers), len(self.layers) - 1)
            if number is None:
                why = f"`{key}` names the layer {text[:20]!r}, and there are {len(self.layers)} before it"
                self.refuse(why, option.line)
            found.append(self.layers[number])
        return found

    def _leftover(self, known: set[str]) -> None:
        """Refuse options that nothing reads and that are not known to be of training."""
        for key, option in self.section.options.items():
            if key not in self.read and key not in known:
                self.sketch.refuse(self._place(option.line), f"what `{key[:40]}` means for the network is not known")

    # -- layers ------------------------------------------------------------------------------------------------

    def _net(self) -> Tensor:
        try:
            shape = tuple(self._int(key, 0, 1) for key in ("height", "width", "channels"))
            if not all(shape):
                self.refuse("expected `width`, `height` and `channels`")
            self._only("time_steps", 1, "netc reads no recurrent networks of Darknet")
        except Stop:
            return None
        return self._add("input", "input", [], shape=shape)

    def _add(self, part: str, op: str, operands: Sequence[Tensor], **values: Any) -> Tensor:
        number = len(self.layers)
        name = f"{self.section.name}_{number}" + (f"/{part}" if part else "") if op != "input" else "input"
        return self.sketch.add(name, op, operands, place=self._place(), **values)

    def _normalised(self, tensor: Tensor) -> Tensor:
        self.remarks.append(
            f"batch normalisation has the epsilon {EPSILON:g} of Darknet on a GPU, inside the root; on a CPU it adds "
            "1e-6 to the root"
        )
        return self._add("bn", "bn", [tensor], epsilon=EPSILON, decay=DECAY)

    def _activated(self, tensor: Tensor, missing: str) -> Tensor:
        name = self._text("activation", missing)
        if name == "linear":
            return tensor
        if name not in ACTIVATIONS:
            option = self.section.options.get("activation")
            self.refuse(f"netc has no activation that is `{name[:40]}`", option.line if option else None)
        op, values = ACTIVATIONS[name]
        return self._add(name, op, [tensor], **values)

    def convolutional(self, before: Tensor) -> Tensor:
        size, stride = self._int("size", 1, 1), self._int("stride", 1, 1)
        padding = self._int("padding", 0)
        padding = size // 2 if self._int("pad", 0) else padding
        normalised = bool(self._int("batch_normalize", 0))
        for key in ("binary", "xnor", "assisted_excitation", "antialiasing", "deform", "sway", "rotate", "stretch"):
            self._only(key, 0, "netc has no such convolution")
        dilation = self._int("dilation", 1, 1) if size > 1 else 1
        if dilation > 1 and 2 * padding != size - 1:
            self.refuse("the padding of a dilated convolution that does not keep the size is not known")
        self.map(before)
        made = self._add(
            *("", "conv", [before]),
            filters=self._int("filters", 1, 1),
            kernel=(size, size),
            stride=(stride, stride),
            dilation=(dilation, dilation),
            pad=(padding * dilation, padding * dilation),
            groups=self._int("groups", 1, 1),
            bias=not normalised,
        )
        self.read.add("dilation")
        return self._activated(self._normalised(made) if normalised else made, "logistic")

    def connected(self, before: Tensor) -> Tensor:
        normalised = bool(self._int("batch_normalize", 0))
        units = self._int("output", 1, 1)
        if not is_pixel(shape := self.shape(before)) and len(shape) > 1:
            self.reordered(f"`[{self.section.name}]` of line {self.section.line}", "Darknet")
        made = self._add("", "fc", [before], units=units, bias=not normalised)
        return self._activated(self._normalised(made) if normalised else made, "logistic")

    def maxpool(self, before: Tensor) -> Tensor:
        """Windows begin half of the padding, rounded down, before the map (`src/maxpool_layer.c`)."""
        stride = self._int("stride", 1, 1)
        size = self._int("size", stride, 1)
        padding = self._int("padding", size - 1)
        self._only("maxpool_depth", 0, "netc pools no channels in windows")
        self._only("antialiasing", 0, "netc has no such pool")
        shape = self.map(before)
        made = [(extent + padding - size) // stride + 1 for extent in shape[:-1] if extent is not None]
        pad = padding_of(shape, (size, size), (stride, stride), [padding // 2] * 2, made)
        if pad is None:
            self.refuse(f"a pool {size}/{stride} padded by {padding} in all is none of netc on this size")
        return self._add("", "pool", [before], kernel=(size, size), stride=(stride, stride), pad=pad)

    def avgpool(self, before: Tensor) -> Tensor:
        self.map(before)
        return self._add("", "gap", [before], keep=True)

    def softmax(self, before: Tensor) -> Tensor:
        self._only("groups", 1, "netc has no softmax in groups")
        self._only("temperature", 1, "netc has no softmax with a temperature")
        self._only("spatial", 0, "netc reads no softmax of positions")
        if self._text("tree", ""):
            self.refuse("netc has no softmax along a tree", self.section.options["tree"].line)
        shape = self.shape(before)
        if len(shape) > 1 and not is_pixel(shape):
            self.refuse("a softmax over all positions and channels of a map is none of netc")
        flat = before if len(shape) == 1 else self._add("flatten", "flatten", [before])
        return self._add("", "softmax", [flat])

    def dropout(self, before: Tensor) -> Tensor:
        self._only("dropblock", 0, "netc has no such dropout")
        rate = self._float("probability", 0.5)
        return self._add("", "dropout", [before], rate=rate) if self.shape(before) else None

    def route(self, _: Tensor) -> Tensor:
        parts, groups = self._indices("layers"), self._int("groups", 1, 1)
        which = self._int("group_id", 0)
        if groups > 1:
            parts = [
                self._add(f"part{at}", "part", [one], index=which + 1, of=groups) for at, one in enumerate(parts, 1)
            ]
        return parts[0] if len(parts) == 1 else self._add("", "concat", parts)

    def shortcut(self, before: Tensor) -> Tensor:
        parts = [*self._indices("from"), before]
        for key in ("alpha", "beta"):
            self._only(key, 1, "netc adds without factors")
        if self._text("weights_type", "none") != "none":
            self.refuse("netc adds without weights", self.section.options["weights_type"].line)
        self._text("weights_normalization", "none")
        if len({self.shape(part) for part in parts}) > 1:
            self.refuse("it adds maps of different sizes or channels, of which Darknet leaves some as they are")
        return self._activated(self._add("", "add", parts), "linear")

    def scale_channels(self, before: Tensor) -> Tensor:
        (other,) = self._indices("from") if "," not in self._text("from", "") else [None]
        self._only("scale_wh", 0, "netc scales channels or positions, not both in turn")
        if not is_pixel(self.map(before)):
            self.refuse("it scales by more than one value a channel")
        return self._activated(self._add("", "mul", [other, before]), "linear")

    def upsample(self, before: Tensor) -> Tensor:
        stride = self._int("stride", 2, 1)
        self._only("scale", 1, "netc upsamples without a factor")
        self.map(before)
        return self._add("", "upsample", [before], factor=(stride, stride))

    def batchnorm(self, before: Tensor) -> Tensor:
        return self._normalised(before)

    def activation(self, before: Tensor) -> Tensor:
        return self._activated(before, "linear")


_MAKERS: dict[str, Callable[[_Reader, Tensor], Tensor]] = {
    **dict.fromkeys(("convolutional", "conv"), _Reader.convolutional),
    **dict.fromkeys(("connected", "conn"), _Reader.connected),
    **dict.fromkeys(("maxpool", "max"), _Reader.maxpool),
    **dict.fromkeys(("avgpool", "avg"), _Reader.avgpool),
    **dict.fromkeys(("softmax", "soft"), _Reader.softmax),
    **{name: getattr(_Reader, name) for name in ("dropout", "route", "shortcut", "scale_channels", "upsample")},
    **{name: getattr(_Reader, name) for name in ("batchnorm", "activation")},
}
_WHY = {
    "reorg": "Darknet's reorg puts positions and channels in an order that no operation of netc has",
    "crop": "Darknet's crop shifts and scales pictures too",
    "local": "netc has no convolution with other weights at each position",
    "normalization": "Darknet's normalisation counts other channels at the first ones than `lrn`",
}
