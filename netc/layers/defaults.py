"""Where TFLearn of 2016, the papers and Keras differ in a default: the one table that the reference prints."""

from __future__ import annotations

from typing import NamedTuple

from netc.layers import LAYERS
from netc.params import declared


class Default(NamedTuple):
    """A default of a parameter `op.name`, and what the others do. netc's own is read from the class."""

    what: str
    param: str
    tflearn: str
    papers: str
    keras: str

    @property
    def netc(self) -> object:
        """netc's default as the class declares it; None where it is worked out from the rest."""
        op, _, name = self.param.partition(".")
        return declared(LAYERS[op])[name].default


TABLE: tuple[Default, ...] = (
    Default("padding of convolutions", "conv.pad", "same", "as each says", "valid"),
    Default("padding of pools", "maxpool.pad", "same", "as each says", "valid"),
    Default("stride of a pool (none: its window)", "maxpool.stride", "its window", "as each says", "its window"),
    Default(
        "weights of convolutions",
        "conv.init",
        "uniform_scaling: U(±sqrt(3 / fan_in))",
        "he_normal (He et al. 2015); normal of std 0.01 (Krizhevsky et al. 2012)",
        "glorot_uniform",
    ),
    Default(
        "weights of dense layers",
        "fc.init",
        "truncated_normal of std 0.02",
        "normal of std 0.01 (Krizhevsky et al. 2012)",
        "glorot_uniform",
    ),
    Default("biases", "conv.bias_init", "zeros", "zeros; 1 in places (Krizhevsky et al. 2012)", "zeros"),
    Default("l2 λ adds (none: train's weight_decay)", "conv.l2", "λ/2 · sum(w²)", "λ/2 · sum(w²)", "λ · sum(w²)"),
    Default("batch normalisation: decay", "bn.decay", "0.9", "0.9 (ResNet's Caffe models: 0.95)", "0.99"),
    Default("batch normalisation: epsilon", "bn.epsilon", "1e-5", "1e-5 (ResNet's Caffe models)", "1e-3"),
    Default("batch normalisation: std of gamma", "bn.gamma_std", "0.002", "0", "0"),
    Default("layer normalisation: epsilon", "layernorm.epsilon", "no such layer", "1e-6 (ConvNeXt)", "1e-3"),
    Default("group normalisation: groups", "groupnorm.groups", "no such layer", "32 (Wu & He 2018)", "32"),
    Default("group normalisation: epsilon", "groupnorm.epsilon", "no such layer", "1e-5 (Wu & He 2018)", "1e-3"),
    Default("local response normalisation: radius", "lrn.radius", "5", "2 (n = 5)", "no such layer (TensorFlow: 5)"),
    Default("local response normalisation: bias", "lrn.bias", "1", "2 (k)", "no such layer (TensorFlow: 1)"),
    Default("local response normalisation: alpha", "lrn.alpha", "1e-4", "1e-4", "no such layer (TensorFlow: 1)"),
    Default("local response normalisation: beta", "lrn.beta", "0.75", "0.75", "no such layer (TensorFlow: 0.5)"),
    Default("leaky ReLU: slope", "leakyrelu.slope", "0.1", "0.01 (Maas et al. 2013)", "0.3 (as a function: 0.2)"),
    Default("PReLU: initial slope", "prelu.init", "0", "0.25 (He et al. 2015)", "0"),
    Default(
        "PReLU: one slope for all (false: one a channel)",
        "prelu.single",
        "one a channel",
        "one a channel",
        "one an element",
    ),
    Default("dropout: share dropped", "dropout.rate", "no default; 0.8 means kept", "0.5", "no default"),
    Default(
        "layer scale: initial factor", "scale.init", "no such layer", "1e-6 (ConvNeXt), 0.1 to 1e-6 (CaiT)", "1e-6"
    ),
    Default("upsampling", "upsample.method", "nearest", "as each says", "nearest"),
    Default("zero channels of a shortcut", "padchannels.side", "both", "not said (He et al. 2015)", "no such layer"),
)
