"""What netc adds to Keras, for models that plain Keras is to load.

    import keras
    import netc.keras_layers

    model = keras.models.load_model("runs/resnet/model.keras")

Importing this module registers the layers, losses, schedules and optimizers that Keras lacks, so that Keras finds them
by the names in the file. It imports Keras, and nothing else of netc is needed to use the model.
"""

from netc.targets.keras.custom import (
    AbsoluteValue,
    ChannelPadding,
    ChannelPart,
    ChannelPooling,
    ChannelShuffle,
    ClassToken,
    CroppingLike,
    DepthToSpace,
    LayerScale,
    LocalResponseNormalization,
    MaxPoolPadding,
    MirrorPadding,
    ParametricActivation,
    Position,
    PositionEmbedding,
    ResizingLike,
    SpaceToDepth,
    SpectralNormalization,
    WeightNormalization,
)
from netc.targets.keras.custom_training import (
    ContrastiveLoss,
    ProximalAdagrad,
    TripletLoss,
    ValueLoss,
    Warmup,
    WeightedCrossentropy,
)
from netc.targets.keras.written import made, written

__all__ = [
    "AbsoluteValue",
    "ChannelPadding",
    "ChannelPart",
    "ChannelPooling",
    "ChannelShuffle",
    "ClassToken",
    "ContrastiveLoss",
    "CroppingLike",
    "DepthToSpace",
    "LayerScale",
    "LocalResponseNormalization",
    "MaxPoolPadding",
    "MirrorPadding",
    "ParametricActivation",
    "Position",
    "PositionEmbedding",
    "ProximalAdagrad",
    "ResizingLike",
    "SpaceToDepth",
    "SpectralNormalization",
    "TripletLoss",
    "ValueLoss",
    "Warmup",
    "WeightNormalization",
    "WeightedCrossentropy",
]

for _operation in written().values():
    made(_operation)
