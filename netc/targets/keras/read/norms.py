"""Normalisations of Keras, and fixed factors and offsets."""

from __future__ import annotations

from math import sqrt
from typing import Any

from netc.ir.shape import channels_of
from netc.lift.source import Tensor, Unsaid
from netc.targets.keras.read.options import Options, flag, gamma, number
from netc.targets.keras.read.reading import Missing, Site
from netc.targets.keras.read.table import begins, last_axis, otherwise, punished, says

SMALLEST = 1e-7  # Keras' own: what its `Normalization` divides by at least
MOST_CHANNELS = 16  # each of which gets a constant of its own


def _normalised(site: Site, op: str, **more: Any) -> Tensor:
    x, options = site.one(), site.options
    values = {"epsilon": site.number("epsilon", 1e-3)} | more
    for name in ("center", "scale"):
        values[name] = flag(options.take(name, True))
    start = options.take("gamma_initializer", "ones")
    if (found := gamma(start)) is None:
        otherwise(site, "gamma_initializer", start)
    else:
        values |= {"gamma": found[0], "gamma_std": found[1]}
    for name, usual in (("beta", "zeros"), ("moving_mean", "zeros"), ("moving_variance", "ones")):
        begins(site, f"{name}_initializer", usual, vector=True)
    punished(site, "gamma")
    return site.add(op, x, **values)


@says("BatchNormalization", "SyncBatchNormalization", "BatchNormalizationV1", "BatchNormalizationV2")
def _batch(site: Site) -> Tensor:
    last_axis(site, site.rank(site.only()))
    for name in ("renorm", "renorm_clipping", "virtual_batch_size", "adjustment"):
        site.options.need(name, False)
    return _normalised(site, "bn", decay=site.number("momentum", 0.99))


@says("LayerNormalization")
def _layer(site: Site) -> Tensor:
    last_axis(site, site.rank(site.only()))
    site.options.need("rms_scaling", False)
    return _normalised(site, "layernorm")


@says("GroupNormalization")
def _group(site: Site) -> Tensor:
    shape = site.shape(site.only())
    if shape is None:
        raise Missing
    last_axis(site, len(shape) - 1)
    groups = site.options.take("groups", 32)
    return _normalised(site, "groupnorm", groups=shape[-1] if groups == -1 else groups)


@says("UnitNormalization")
def _unit(site: Site) -> Tensor:
    x = site.one()
    last_axis(site, site.rank(x))
    return site.add("l2norm", x)


@says("Rescaling")
def _rescaling(site: Site) -> Tensor:
    if skipped(site):
        return site.one()
    return affine(site, site.one(), site.options.take("scale", 1.0), site.options.take("offset", 0.0))


@says("Normalization")
def _normalization(site: Site) -> Tensor:
    options, x = site.options, site.one()
    mean, variance, inverse = options.take("mean"), options.take("variance"), flag(options.take("invert") or False)
    last_axis(site, site.rank(x))
    if skipped(site):
        return x
    if mean is None or variance is None:
        held = site.reader.constants(site.path)
        if held is not None and len(held) >= 2:
            mean, variance = (array.reshape(-1).tolist() for array in held[:2])
        else:
            raise Unsaid("its mean and variance are weights, and there are none: without preprocessing it is left out")
    means, spreads = _each(mean), [max(sqrt(max(one, 0.0)), SMALLEST) for one in _each(variance)]
    count = max(len(means), len(spreads))
    means, spreads = (one * count if len(one) == 1 else one for one in (means, spreads))
    if len(means) != len(spreads):
        raise Unsaid(f"it has {len(means)} means and {len(spreads)} variances")
    both = list(zip(means, spreads, strict=True))
    if inverse:
        return affine(site, x, spreads, means)
    return affine(site, x, [1 / spread for _, spread in both], [-mean / spread for mean, spread in both])


def skipped(site: Site) -> bool:
    """Whether fixed scales and offsets are left out, as the steps of a `data` section say them."""
    if site.reader.preprocessing:
        return False
    site.options = Options({})
    site.left_out(f"what its {site.kind} makes of the data")
    return True


def _each(value: object) -> list[float]:
    """Constants, one for all channels or one for each: numbers in lists of one."""
    while isinstance(value, list) and len(value) == 1:
        value = value[0]
    found = value if isinstance(value, list) else [value]
    if isinstance(value, list) and any(isinstance(one, list) for one in value):
        raise Unsaid("its constants are not one for each channel")
    return [number(one) for one in found]


def affine(site: Site, x: Tensor, factors: object, offsets: object) -> Tensor:
    """A tensor times constants, plus others: one for all channels, or one for each."""
    shape = site.shape(x)
    if shape is None:
        raise Missing
    some = [_each(factors), _each(offsets)]
    scales, shifts = (each if len(set(each)) > 1 else each[:1] for each in some)
    count = channels_of(shape)
    if any(len(each) not in (1, count) for each in some):
        raise Unsaid(f"it has {max(map(len, some))} constants, and its input {count} channels")
    if len(scales) == len(shifts) == 1:
        return site.add("rescale", x, factor=scales[0], offset=shifts[0])
    if count > MOST_CHANNELS:
        raise Unsaid(f"it has constants for each of {count} channels, and netc has one for all")
    scales, shifts = (each * count if len(each) == 1 else each for each in (scales, shifts))
    made = []
    for at, (factor, offset) in enumerate(zip(scales, shifts, strict=True)):
        part = site.add("part", x, suffix=f"_channel{at + 1}", index=at + 1, of=count)
        made.append(site.add("rescale", part, suffix=f"_scaled{at + 1}", factor=factor, offset=offset))
    return site.add("concat", *made)


@says("netc>LayerScale")
def _scale(site: Site) -> Tensor:
    return site.add("scale", site.one(), init=site.number("initial", 1e-6))


@says("applications.LayerScale")
def _convnext_scale(site: Site) -> Tensor:
    site.options.take("projection_dim")
    return site.add("scale", site.one(), init=site.number("init_values", 1e-6))


@says("applications.CustomScaleLayer")
def _custom_scale(site: Site) -> Tensor:
    straight, branch = site.tensors(most=2)
    scaled = site.add("rescale", branch, suffix="_scaled", factor=site.number("scale", 1.0))
    return site.add("add", straight, scaled)
