"""Losses, and what each expects of labels and of the network's end."""

# ruff: noqa: RUF012 - tables of a class are annotated as ClassVar in its base

from __future__ import annotations

from typing import ClassVar

from netc.params import Bool, Choice, Int, Real, param
from netc.record import record
from netc.sections.base import Name, Registry, Targeted, choice
from netc.target import Call

SMOOTHING = Real(min=0, max=1, open=("max",))
SHARE = Real(min=0, max=1)
POSITIVE = Real(min=0, open=("min",))
OUTPUT = Name("the label of an output")


@record
class Loss(Targeted):
    """What training makes small, for one output: without `of`, for the first."""

    repeatable = True
    own: ClassVar[frozenset[str]] = frozenset({"of", "weight"})
    # How netc encodes the classes: one_hot, integer, binary (0 or 1 a unit) or real; `group` for class numbers that say
    # which samples belong together, whatever the units are, and `none` for an output that nothing is compared with.
    labels: ClassVar[str] = "real"
    activations: ClassVar[tuple[str, ...]] = ()  # what the output must end in; empty takes anything

    of: str = param(OUTPUT, "the output it belongs to", "")
    weight: float = param(Real(min=0), "its share in the sum of all losses", 1.0)

    @property
    def logits(self) -> bool:
        """Whether it applies the last activation itself."""
        return bool(getattr(self, "from_logits", False))

    def lower(self) -> Call:
        """The call."""
        return Call(self.target, kwargs=self.arguments())


LOSSES: Registry[Loss] = {}


@choice(LOSSES, "categorical_crossentropy", example="loss categorical_crossentropy label_smoothing=0.1")
class CategoricalCrossentropy(Loss):
    """-log of the probability of the one right class, against one-hot labels."""

    target = "losses.CategoricalCrossentropy"
    labels = "one_hot"
    activations = ("softmax",)

    from_logits: bool = param(Bool(), "apply the softmax inside, to linear outputs", False)
    label_smoothing: float = param(SMOOTHING, "share spread over all classes (Szegedy et al. 2016)", 0.0)


@choice(LOSSES, "softmax_categorical_crossentropy", example="loss softmax_categorical_crossentropy")
class SoftmaxCategoricalCrossentropy(Loss):
    """TFLearn's name for categorical cross-entropy with the softmax inside, of linear outputs."""

    target = "losses.CategoricalCrossentropy"
    fixed = {"from_logits": True}
    labels = "one_hot"
    activations = ("softmax",)

    label_smoothing: float = param(SMOOTHING, "share spread over all classes (Szegedy et al. 2016)", 0.0)

    @property
    def logits(self) -> bool:
        return True


@choice(LOSSES, "sparse_categorical_crossentropy", example="loss sparse_categorical_crossentropy")
class SparseCategoricalCrossentropy(Loss):
    """-log of the probability of the one right class, against class numbers."""

    target = "losses.SparseCategoricalCrossentropy"
    labels = "integer"
    activations = ("softmax",)
    refused = {
        "label_smoothing": "class numbers cannot be smoothed; `categorical_crossentropy` takes the same data, as labels"
        " are encoded the way the loss needs them"
    }

    from_logits: bool = param(Bool(), "apply the softmax inside, to linear outputs", False)
    ignore_class: int | None = param(Int(min=0), "a class that does not count (none unless written)", None)


@choice(LOSSES, "binary_crossentropy", example="loss binary_crossentropy")
class BinaryCrossentropy(Loss):
    """Cross-entropy of each unit by itself, against 0 or 1. TFLearn's takes linear outputs: `from_logits`."""

    target = "losses.BinaryCrossentropy"
    labels = "binary"
    activations = ("sigmoid", "hard_sigmoid")

    from_logits: bool = param(Bool(), "apply the sigmoid inside, to linear outputs", False)
    label_smoothing: float = param(SMOOTHING, "share by which labels move towards a half", 0.0)


@choice(LOSSES, "weighted_crossentropy", example="loss weighted_crossentropy positive=3")
class WeightedCrossentropy(Loss):
    """Binary cross-entropy of linear outputs in which a missed 1 counts more (TFLearn)."""

    target = "custom.WeightedCrossentropy"
    labels = "binary"
    activations = ("sigmoid",)

    positive: float = param(POSITIVE, "how much a 1 counts, against a 0", 1.0)

    @property
    def logits(self) -> bool:
        return True


@choice(LOSSES, "focal", "categorical_focal_crossentropy", example="loss focal gamma=2")
class Focal(Loss):
    """Categorical cross-entropy in which easy samples count little (Lin et al. 2017, arXiv:1708.02002)."""

    target = "losses.CategoricalFocalCrossentropy"
    labels = "one_hot"
    activations = ("softmax",)

    alpha: float = param(SHARE, "weight of a class against all others", 0.25)
    gamma: float = param(Real(min=0), "how much easy samples are played down", 2.0)
    from_logits: bool = param(Bool(), "apply the softmax inside, to linear outputs", False)
    label_smoothing: float = param(SMOOTHING, "share spread over all classes", 0.0)


@choice(LOSSES, "binary_focal", "binary_focal_crossentropy", example="loss binary_focal gamma=2")
class BinaryFocal(Loss):
    """Binary cross-entropy in which easy samples count little (Lin et al. 2017, arXiv:1708.02002)."""

    target = "losses.BinaryFocalCrossentropy"
    renamed = {"balanced": "apply_class_balancing"}
    labels = "binary"
    activations = ("sigmoid", "hard_sigmoid")

    balanced: bool = param(Bool(), "weight 1 by alpha and 0 by 1 - alpha", False)
    alpha: float = param(SHARE, "weight of a 1 when balanced", 0.25)
    gamma: float = param(Real(min=0), "how much easy samples are played down", 2.0)
    from_logits: bool = param(Bool(), "apply the sigmoid inside, to linear outputs", False)
    label_smoothing: float = param(SMOOTHING, "share by which labels move towards a half", 0.0)


@choice(LOSSES, "generalized_crossentropy", example="loss generalized_crossentropy q=0.7")
class GeneralizedCrossentropy(Loss):
    """Between cross-entropy (q near 0) and absolute error (q = 1), for noisy labels (Zhang & Sabuncu 2018)."""

    target = "losses.CategoricalGeneralizedCrossEntropy"
    labels = "integer"
    activations = ("softmax",)

    q: float = param(Real(min=0, max=1, open=("min", "max")), "how far from cross-entropy", 0.5)


@choice(LOSSES, "kl_divergence", example="loss kl_divergence")
class KLDivergence(Loss):
    """Kullback-Leibler divergence of the outputs from label probabilities."""

    target = "losses.KLDivergence"
    labels = "one_hot"
    activations = ("softmax",)


@choice(LOSSES, "dice", example="loss dice")
class Dice(Loss):
    """1 - overlap of the outputs and the labels, doubled and divided by their sum (Milletari et al. 2016)."""

    target = "losses.Dice"
    labels = "binary"
    activations = ("sigmoid", "hard_sigmoid", "softmax")


@choice(LOSSES, "tversky", example="loss tversky alpha=0.3 beta=0.7")
class Tversky(Loss):
    """Dice with weights of its own for what is wrongly found and wrongly missed (Salehi et al. 2017)."""

    target = "losses.Tversky"
    labels = "binary"
    activations = ("sigmoid", "hard_sigmoid", "softmax")

    alpha: float = param(SHARE, "weight of what is wrongly found", 0.5)
    beta: float = param(SHARE, "weight of what is wrongly missed", 0.5)


@choice(LOSSES, "mse", "mean_square", "mean_squared_error", example="loss mse")
class MeanSquaredError(Loss):
    """Mean of the squared differences (TFLearn's `mean_square`)."""

    target = "losses.MeanSquaredError"


@choice(LOSSES, "mae", "mean_absolute_error", example="loss mae")
class MeanAbsoluteError(Loss):
    """Mean of the absolute differences."""

    target = "losses.MeanAbsoluteError"


@choice(LOSSES, "mape", "mean_absolute_percentage_error", example="loss mape")
class MeanAbsolutePercentageError(Loss):
    """Mean of the absolute differences in per cent of the label."""

    target = "losses.MeanAbsolutePercentageError"


@choice(LOSSES, "msle", "mean_squared_logarithmic_error", example="loss msle")
class MeanSquaredLogarithmicError(Loss):
    """Mean of the squared differences of log(1 + value)."""

    target = "losses.MeanSquaredLogarithmicError"


@choice(LOSSES, "huber", example="loss huber delta=1")
class Huber(Loss):
    """Squared difference up to delta, linear beyond it (Huber 1964)."""

    target = "losses.Huber"

    delta: float = param(POSITIVE, "where it becomes linear", 1.0)


@choice(LOSSES, "log_cosh", example="loss log_cosh")
class LogCosh(Loss):
    """Log of the hyperbolic cosine of the difference."""

    target = "losses.LogCosh"


@choice(LOSSES, "poisson", example="loss poisson")
class Poisson(Loss):
    """Prediction - label * log(prediction), for counts."""

    target = "losses.Poisson"


@choice(LOSSES, "cosine_similarity", example="loss cosine_similarity")
class CosineSimilarity(Loss):
    """Minus the cosine of the angle between outputs and labels."""

    target = "losses.CosineSimilarity"


@choice(LOSSES, "hinge", "hinge_loss", example="loss hinge")
class Hinge(Loss):
    """max(0, 1 - label * output) of each unit, labels 0 and 1 read as -1 and 1."""

    target = "losses.Hinge"
    labels = "binary"
    activations = ("linear", "tanh")


@choice(LOSSES, "squared_hinge", example="loss squared_hinge")
class SquaredHinge(Loss):
    """The square of the hinge loss."""

    target = "losses.SquaredHinge"
    labels = "binary"
    activations = ("linear", "tanh")


@choice(LOSSES, "categorical_hinge", example="loss categorical_hinge")
class CategoricalHinge(Loss):
    """max(0, 1 + best wrong class - right class), against one-hot labels."""

    target = "losses.CategoricalHinge"
    labels = "one_hot"


@choice(LOSSES, "contrastive", "contrastive_loss", example="loss contrastive margin=1")
class Contrastive(Loss):
    """d^2 for pairs that belong together, max(0, margin - d)^2 for others (Hadsell et al. 2006), d the output.

    A label of 1 is a pair that belongs together. TFLearn's is the sum over a batch, halved; this is the mean, halved.
    """

    target = "custom.ContrastiveLoss"
    labels = "binary"
    activations = ("linear", "relu", "abs", "softplus", "sigmoid")

    margin: float = param(POSITIVE, "distance at which other pairs are far enough apart", 1.0)


@choice(LOSSES, "triplet", "triplet_loss", example="loss triplet margin=0.2")
class Triplet(Loss):
    """max(0, a - b + margin): a from an embedding to another one of its class, b to one of another class.

    Of the embeddings of a batch and their classes. `semi_hard`: over all pairs of a class, squared distances, b the
    least one beyond a, or the largest where none is (FaceNet, Schroff et al. 2015, arXiv:1503.03832, section 3.2).
    `batch_hard`: over all samples, a the largest distance and b the least (Hermans et al. 2017, arXiv:1703.07737).
    End in `l2norm` for FaceNet's unit sphere.
    """

    target = "custom.TripletLoss"
    labels = "group"

    margin: float = param(POSITIVE, "how much further away another class has to be", 0.2)
    mining: str = param(Choice(("semi_hard", "batch_hard")), "which triplets count", "semi_hard")


@choice(LOSSES, "value", example="loss value weight=0.1")
class Value(Loss):
    """The mean of the output itself, which no target is compared with: a penalty that the network computes."""

    target = "custom.ValueLoss"
    labels = "none"
