"""Layers to test: every operation with its defaults, and with each parameter at another value."""

from __future__ import annotations

from dataclasses import dataclass

from netc.ir.shape import Shape
from netc.layers import LAYERS
from netc.layers.base import Layer

OPERATIONS = list(dict.fromkeys(LAYERS.values()))

LINE: Shape = (12, 4)
PLANE: Shape = (9, 10, 4)
SPACE: Shape = (5, 6, 7, 4)
VECTOR: Shape = (6,)


@dataclass(frozen=True)
class Sample:
    """A layer and the inputs it is tried on."""

    layer: Layer
    inputs: tuple[Shape, ...]

    def __str__(self) -> str:
        return f"{self.layer.op}-{'-'.join('x'.join(map(str, shape)) for shape in self.inputs)}-{self.layer!r:.100}"


def _of(op: str, *inputs: Shape, **values: object) -> Sample:
    return Sample(LAYERS[op](**values), inputs)


def _sliding(op: str, **values: object) -> list[Sample]:
    return [
        _of(op, LINE, kernel=(3,), **values),
        _of(op, PLANE, kernel=(3, 2), **values),
        _of(op, PLANE, kernel=(2, 3), stride=(2, 2), pad="valid", **values),
        _of(op, (None, None, 4), kernel=(3, 3), stride=(2, 2), **values),
    ]


_REGULARISED = {"act": "relu", "init": "he_normal", "bias_init": 0.1, "l1": 1e-3, "l2": 1e-4}

NORMS = ("spectral", "weight")
METHODS = ("bilinear", "nearest", "bicubic")
GATED = [(PLANE, (9, 10, 1)), ((1, 4), LINE), ((1, 1, 4), PLANE, (9, 10, 1), PLANE), ((None, 6, 1), (None, 6, 4))]
JOINED = {"rows": (LINE, (3, 4), LINE), "columns": ((3, 4, 2), (3, 1, 2)), "frames": ((1, 4, 2, 2), (3, 4, 2, 2))}

SAMPLES: list[Sample] = [
    _of("input", shape=(8, 8, 3)),
    *_sliding("conv", filters=6),
    _of("conv", SPACE, filters=6, kernel=(3, 1, 2), stride=(1, 2, 1), pad=(1, 0, 1)),
    _of("conv", LINE, filters=6, kernel=(3,), dilation=(2,), pad="causal"),
    _of("conv", PLANE, filters=6, kernel=(3, 3), stride=(2, 1), pad=(1, 2), groups=2, bias=False, init=0.02),
    _of("conv", PLANE, filters=6, kernel=(3, 3), dilation=(1, 2), pad=(0, 0), **_REGULARISED),
    _of("conv", PLANE, filters=6, kernel=(3, 3), init="truncated_normal", l2=1e-4),
    _of("conv", PLANE, filters=6, kernel=(3, 3), init="uniform_scaling", l1=1e-4),
    *(_of("conv", LINE, filters=6, kernel=(3,), norm=norm, **_REGULARISED) for norm in NORMS),
    *(_of("conv", PLANE, filters=6, kernel=(3, 2), groups=2, bias=False, norm=norm) for norm in NORMS),
    _of("conv", SPACE, filters=5, kernel=(3, 1, 2), pad=(1, 0, 1), norm="spectral"),
    *(_of("deconv", (None, None, 4), filters=6, kernel=(3, 2), stride=(2, 2), norm=norm) for norm in NORMS),
    _of("deconv", SPACE, filters=3, kernel=(2, 3, 1), stride=(2, 2, 2), norm="weight", init=0.1),
    *(_of("fc", shape, units=5, norm=norm) for shape in (VECTOR, PLANE) for norm in NORMS),
    *_sliding("dwconv"),
    _of("dwconv", LINE, kernel=(3,), dilation=(2,), pad="causal", multiplier=3),
    _of("dwconv", PLANE, kernel=(3, 3), stride=(2, 2), dilation=(2, 2), pad=(2, 1), bias=False),
    _of("dwconv", PLANE, kernel=(3, 3), **_REGULARISED),
    *_sliding("sepconv", filters=6),
    _of("sepconv", LINE, filters=6, kernel=(4,), pad="causal"),
    _of("sepconv", PLANE, filters=6, kernel=(3, 3), multiplier=2, stride=(2, 2), dilation=(2, 2), bias=False),
    _of("sepconv", PLANE, filters=6, kernel=(3, 3), **_REGULARISED),
    *_sliding("deconv", filters=6),
    _of("deconv", SPACE, filters=3, kernel=(2, 3, 1), stride=(2, 2, 2)),
    _of("deconv", PLANE, filters=6, kernel=(1, 2), stride=(3, 2), pad="valid", bias=False),
    _of("deconv", PLANE, filters=6, kernel=(3, 3), dilation=(2, 2), pad="valid"),
    _of("deconv", PLANE, filters=6, kernel=(3, 3), **_REGULARISED),
    *_sliding("maxpool"),
    _of("maxpool", SPACE, kernel=(3, 2, 2), stride=(2, 2, 1), pad=(1, 1, 0)),
    _of("maxpool", LINE, kernel=(3,), stride=(2,), pad=(1,)),
    _of("maxpool", (2, 2, 4), kernel=(3, 3)),
    *_sliding("avgpool"),
    _of("avgpool", SPACE, kernel=(3, 2, 2), stride=(2, 2, 1), pad=(1, 1, 0)),
    *(_of(op, shape, keep=keep) for op in ("gap", "gmp") for shape in (LINE, PLANE, SPACE) for keep in (False, True)),
    _of("gap", (None, None, 4)),
    _of("fc", VECTOR, units=5),
    _of("fc", PLANE, units=5, bias=False, **{**_REGULARISED, "act": "softmax"}),
    _of("embed", VECTOR, count=20, units=5),
    _of("embed", (3,), count=5000, units=2, init="he_normal", l1=1e-3, l2=1e-4),
    _of("attention", LINE, heads=2),
    _of("attention", LINE, heads=3, key=5, bias=False, causal=True, init="he_normal", l1=1e-3, l2=1e-4),
    _of("attention", (None, 8), heads=4, causal=True),
    _of("attention", LINE, heads=1, dropout=0.3),
    _of("attention", LINE, (7, 6), heads=2, from_=True),
    _of("attention", (None, 4), (None, 3), heads=2, key=3, from_=True, bias=False),
    _of("attention", (5, 4), LINE, heads=4, from_=True, causal=True),
    *(
        _of(op, shape, units=3, **values)
        for op in ("lstm", "gru", "rnn")
        for shape, values in (
            (LINE, {}),
            (LINE, {"all": True, "both": True}),
            ((None, 4), {"both": True, "bias": False, "l2": 1e-4}),
            ((None, 4), {"all": True, "init": "he_normal", "l1": 1e-4}),
        )
    ),
    *(_of("flatten", shape) for shape in (VECTOR, PLANE)),
    _of("reshape", PLANE, shape=(15, 3, 8)),
    _of("reshape", PLANE, shape=(None, 4)),
    _of("pad", LINE, by=(2,)),
    _of("pad", PLANE, by=(2, 1)),
    _of("pad", PLANE, before=(0, 0), after=(1, 1)),
    _of("pad", LINE, before=(2,)),
    _of("pad", SPACE, by=(0, 1, 2), after=(1, 1, 1)),
    _of("pad", (None, None, 4), by=(1, 1)),
    _of("crop", LINE, by=(2,)),
    _of("crop", PLANE, by=(2, 1), before=(0, 3)),
    _of("crop", SPACE, by=(1, 0, 2)),
    *(_of("pad", shape, by=2, mode=mode) for shape in (LINE, PLANE, SPACE) for mode in ("reflect", "symmetric")),
    _of("pad", (None, None, 4), before=(0, 3), after=(2, 1), mode="reflect"),
    _of("pad", (None, 6, 4), before=(4, 6), after=(0, 1), mode="symmetric"),
    *(_of("crop", *shapes, to=True) for shapes in ((LINE, (5, 2)), (PLANE, (4, 5, 2)), (SPACE, (2, 3, 4, 1)))),
    *(_of("crop", PLANE, (4, 5, 2), to=True, offset=offset) for offset in (1, (5, 0))),
    _of("crop", (None, None, 4), (7, None, 2), to=True),
    _of("crop", (None, None, 4), (None, None, 2), to=True, offset=(0, 0)),
    *(_of("resize", PLANE, extent=extent, method=method) for extent in ((14, 7), 4) for method in METHODS),
    *(_of("resize", PLANE, (13, 16, 2), to=True, method=method) for method in METHODS),
    *(_of("resize", (None, None, 4), extent=(12, 5), method=method) for method in METHODS),
    *(_of("resize", (4, 6, 4), (None, None, 2), to=True, method=method) for method in METHODS),
    *(_of("todepth", shape, factor=2) for shape in (LINE, (6, 10, 4))),
    _of("todepth", (None, 6, 4), factor=3),
    _of("todepth", (None, 4), factor=1),
    *(_of("tospace", shape, factor=2) for shape in (LINE, PLANE, (None, 6, 4))),
    _of("tospace", (2, 3, 18), factor=3),
    _of("swap", LINE),
    *(_of("pick", shape, index=index) for shape in (LINE, (None, 4)) for index in (0, -1, -3)),
    *(_of("token", shape, init=init) for shape in (LINE, (None, 4)) for init in ("zeros", 0.5)),
    *(_of("position", shape) for shape in (LINE, PLANE)),
    _of("position", LINE, init="ones"),
    *(_of("upsample", shape, factor=2) for shape in (LINE, PLANE, SPACE)),
    _of("upsample", PLANE, factor=(2, 3), method="bilinear"),
    *(_of("subsample", shape, factor=2) for shape in (LINE, PLANE, SPACE, (None, 7, 4))),
    _of("subsample", PLANE, factor=(1, 3)),
    *(_of("padchannels", shape, total=10) for shape in (VECTOR, LINE, PLANE, SPACE, (None, None, 4))),
    _of("padchannels", PLANE, total=7, side="after"),
    *(_of("part", shape, index=2, of=2) for shape in (VECTOR, LINE, PLANE, SPACE, (None, None, 4))),
    *(_of("shuffle", shape, groups=2) for shape in (VECTOR, LINE, PLANE, SPACE, (None, None, 4))),
    _of("identity", PLANE),
    *(_of("bn", shape) for shape in (VECTOR, LINE, PLANE, SPACE)),
    _of("bn", PLANE, scale=False, decay=0.99, epsilon=1e-3),
    _of("bn", PLANE, center=False, gamma=0),
    _of("bn", PLANE, gamma_std=0.002, decay=0.99),
    *(_of("layernorm", shape) for shape in (VECTOR, PLANE)),
    _of("layernorm", PLANE, scale=False, epsilon=1e-6),
    _of("layernorm", PLANE, center=False, gamma=0.5),
    *(_of("groupnorm", shape, groups=2) for shape in (VECTOR, LINE, PLANE, SPACE)),
    _of("groupnorm", (8, 8, 32), scale=False, center=False, gamma_std=0.1),
    _of("groupnorm", (8, 8, 32), gamma=0.1),
    *(_of("lrn", shape) for shape in (VECTOR, LINE, PLANE, SPACE)),
    _of("lrn", PLANE, radius=5, bias=1.0, alpha=0.5, beta=0.5),
    *(_of("scale", shape, init=0.3) for shape in (VECTOR, LINE, PLANE)),
    *(_of("rescale", shape, factor=-1, offset=1) for shape in (VECTOR, (None, None, 4))),
    _of("rescale", PLANE, factor=0.17),
    *(_of("l2norm", shape) for shape in (VECTOR, PLANE, (None, None, 4))),
    _of("dropout", PLANE),
    _of("dropout", VECTOR, rate=0.2),
    *(_of("spatialdropout", shape, rate=0.2) for shape in (LINE, PLANE, SPACE)),
    *(_of("droppath", shape, rate=0.2) for shape in (VECTOR, PLANE, (None, None, 4))),
    _of("noise", PLANE, std=0.1),
    _of("relu", PLANE, max=6.0, slope=0.1, threshold=1.0),
    *(_of("prelu", shape) for shape in (VECTOR, LINE, PLANE)),
    *(_of("prelu", shape, single=True, init=0) for shape in (VECTOR, PLANE)),
    _of("leakyrelu", PLANE, slope=0.3),
    _of("elu", PLANE, alpha=0.5),
    _of("celu", PLANE, alpha=0.5),
    _of("gelu", PLANE, approximate=True),
    _of("hard_shrink", PLANE, threshold=0.1),
    _of("soft_shrink", PLANE, threshold=0.1),
    _of("threshold", PLANE, threshold=0.1, value=-1.0),
    _of("squareplus", PLANE, b=1.0),
    *(_of(cls.op, PLANE) for cls in OPERATIONS if cls.family == "activation"),
    *(_of(op, shape, shape) for op in ("add", "sub", "mul", "max", "avg", "concat") for shape in (VECTOR, LINE, PLANE)),
    *(_of(op, (None, 5, 4), (7, None, 4), (7, 5, 4)) for op in ("add", "mul", "max", "avg", "concat")),
    _of("mul", PLANE, (1, 1, 4)),
    _of("mul", (1, 1, 4), (None, None, 4)),
    *(_of(op, *shapes) for op in ("add", "mul") for shapes in GATED),
    *(_of("concat", *shapes, over=axis) for axis, shapes in JOINED.items()),
    _of("concat", (None, 6, 4), (None, 6, 4), over="rows"),
    _of("concat", (5, 6, 4), (None, 6, 4), over="columns"),
    *(_of(op, shape, over="channels") for op in ("gap", "gmp") for shape in (VECTOR, LINE, PLANE, (None, None, 4))),
    _of("concat", (3, 3, 4), (3, 3, 1), (3, 3, 2)),
]
