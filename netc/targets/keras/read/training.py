"""Layers of Keras that act in training alone."""

from __future__ import annotations

from netc.lift.source import Tensor
from netc.targets.keras.read.options import Options, shown
from netc.targets.keras.read.reading import Site
from netc.targets.keras.read.table import says, spatial


@says("Dropout", "FixedDropout")  # that of Keras' first EfficientNets, whose `noise_shape` may be of open sizes
def _dropout(site: Site) -> Tensor:
    x, rate, shape = site.one(), site.number("rate", 0.5), site.options.take("noise_shape")
    if shape is None:
        return site.add("dropout", x, rate=rate)
    ranked = [None, *[1] * (site.rank(x) + 1)]
    if shape == ranked:
        return site.add("droppath", x, rate=rate)
    if isinstance(shape, list) and shape[:-1] == ranked[:-1] and len(shape) == len(ranked) > 2:
        return site.add("spatialdropout", x, rate=rate)
    site.left_out(f"that it drops along {shown(shape)} in training")
    return x


@says("SpatialDropout{}D")
def _spatial_dropout(site: Site) -> Tensor:
    held, _ = spatial(site)
    site.channels_last()
    return site.add("spatialdropout", site.reader.settled(held), rate=site.number("rate", 0.5))


@says("applications.StochasticDepth")
def _stochastic(site: Site) -> Tensor:
    return site.add("droppath", site.one(), rate=site.number("drop_path_rate", 0.0))


@says("GaussianNoise")
def _noise(site: Site) -> Tensor:
    return site.add("noise", site.one(), std=site.number("stddev", 0.0))


AUGMENTATION = (
    *("RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomCrop", "RandomBrightness"),
    *("RandomContrast", "RandomHue", "RandomSaturation", "RandomSharpness", "RandomShear", "RandomColorJitter"),
    *("RandomColorDegeneration", "RandomGrayscale", "RandomPosterization", "RandomInvert", "RandomErasing"),
    *("RandomGaussianBlur", "RandomElasticTransform", "RandomPerspective", "RandomHeight", "RandomWidth"),
    *("RandAugment", "AugMix", "CutMix", "MixUp"),
)
RESIZES = ("RandomCrop", "RandomHeight", "RandomWidth")  # outside of training too


@says(*(name for name in AUGMENTATION if name not in RESIZES), "GaussianDropout", "AlphaDropout")
def _augmentation(site: Site) -> Tensor:
    site.options = Options({})
    site.left_out(f"what {site.kind} does in training")
    return site.one()


@says("ActivityRegularization")
def _activity(site: Site) -> Tensor:
    given = ", ".join(f"{name}={site.number(name, 0.0)}" for name in ("l1", "l2"))
    site.left_out(f"what it adds to the loss, {given}")
    return site.one()
