"""Metrics. Each becomes the Keras class that fits the labels of the output's loss, which string names do not."""

from __future__ import annotations

from typing import Any, ClassVar

from netc.params import Choice, Int, Real, param
from netc.record import record
from netc.sections.base import Registry, Setting, choice
from netc.sections.losses import OUTPUT, Loss
from netc.target import Call, concrete

CLASSES = ("one_hot", "integer", "binary")


@record
class Metric(Setting):
    """What is shown beside the loss, for one output: without `of`, for the first."""

    repeatable = True
    labels: ClassVar[tuple[str, ...]] = ("one_hot", "integer", "binary", "real")  # losses it goes with, by their labels
    probabilities: ClassVar[bool] = False  # refuses a loss from logits
    best: ClassVar[str] = "max"  # whether more of it is better, or less ("min")

    of: str = param(OUTPUT, "the output it belongs to", "")

    @property
    def key(self) -> str:
        """Its name in logs and for `monitor=`."""
        return self.name

    def lower(self, loss: Loss, units: int) -> Call:
        """The call, for an output of so many units under that loss."""
        raise NotImplementedError

    def call(self, target: str, **kwargs: Any) -> Call:
        """A metric's call under its own name."""
        return Call(f"metrics.{target}", kwargs={**kwargs, "name": self.key})


METRICS: Registry[Metric] = {}


@choice(METRICS, "accuracy", "acc", example="metrics accuracy")
class Accuracy(Metric):
    """Share of samples (or units, for a binary loss) that are right."""

    labels = CLASSES

    def lower(self, loss: Loss, units: int) -> Call:
        if loss.labels == "binary":
            return self.call("BinaryAccuracy", **({"threshold": 0.0} if loss.logits else {}))
        return self.call({"one_hot": "CategoricalAccuracy", "integer": "SparseCategoricalAccuracy"}[loss.labels])


@choice(METRICS, "topk", "top_k", example="metrics accuracy topk=5")
class TopK(Metric):
    """Share of samples whose class is among the k most probable."""

    positional: ClassVar[tuple[str, ...]] = ("k",)
    labels = ("one_hot", "integer")

    k: int = param(Int(min=1), "how many count", 5)

    @property
    def key(self) -> str:
        return f"top{concrete(self.k)}"

    def lower(self, loss: Loss, units: int) -> Call:
        sparse = "Sparse" if loss.labels == "integer" else ""
        return self.call(f"{sparse}TopKCategoricalAccuracy", k=self.k)


@record
class _Thresholded(Metric):
    """A metric over single yes-or-no decisions."""

    labels = ("one_hot", "binary")
    probabilities = True
    target: ClassVar[str]

    threshold: float = param(Real(min=0, max=1, open=("min", "max")), "probability from which a unit says yes", 0.5)

    def lower(self, loss: Loss, units: int) -> Call:
        return self.call(self.target, **({"thresholds": self.threshold} if self.threshold != 0.5 else {}))


@choice(METRICS, "precision", example="metrics precision recall")
class Precision(_Thresholded):
    """Share of what was found that is right."""

    target = "Precision"


@choice(METRICS, "recall", example="metrics precision recall")
class Recall(_Thresholded):
    """Share of what was to be found that was."""

    target = "Recall"


@choice(METRICS, "f1", example="metric f1 average=micro")
class F1(Metric):
    """Harmonic mean of precision and recall."""

    labels = ("one_hot", "binary")
    probabilities = True

    average: str = param(Choice(("macro", "micro", "weighted")), "how classes are joined", "macro")

    def lower(self, loss: Loss, units: int) -> Call:
        threshold = {"threshold": 0.5} if loss.labels == "binary" else {}
        return self.call("F1Score", average=self.average, **threshold)


@choice(METRICS, "auc", example="metrics accuracy auc")
class AUC(Metric):
    """Area under the curve of receiver operating characteristics, or of precision over recall."""

    labels = ("one_hot", "binary")
    probabilities = True

    curve: str = param(Choice(("roc", "pr")), "which curve", "roc")

    def lower(self, loss: Loss, units: int) -> Call:
        return self.call("AUC", **({"curve": "PR"} if self.curve == "pr" else {}))


@choice(METRICS, "mean_iou", example="metrics mean_iou")
class MeanIoU(Metric):
    """Overlap of what was found and what is there, divided by both together: the mean over classes."""

    labels = CLASSES

    def lower(self, loss: Loss, units: int) -> Call:
        if loss.labels == "binary":
            return self.call("BinaryIoU", threshold=0.0 if loss.logits else 0.5)
        if loss.labels == "integer":
            return self.call("MeanIoU", num_classes=units, sparse_y_pred=False)
        return self.call("OneHotMeanIoU", num_classes=units)


@choice(METRICS, "iou", example="metrics accuracy iou")
class IoU(Metric):
    """Overlap of what was found of one class and what is there of it, divided by both together (Jaccard 1912)."""

    positional: ClassVar[tuple[str, ...]] = ("of_class",)
    labels = CLASSES

    of_class: int = param(Int(min=0), "the number of the class", 1)

    @property
    def key(self) -> str:
        number = concrete(self.of_class)
        return self.name if number == 1 else f"{self.name}{number}"

    @staticmethod
    def classes(loss: Loss, units: int) -> int:
        """How many classes there are under a loss: two, yes and no, of each unit where none excludes another."""
        return 2 if loss.labels == "binary" else units

    def lower(self, loss: Loss, units: int) -> Call:
        wanted = {"target_class_ids": (self.of_class,)}
        if loss.labels == "binary":
            return self.call("BinaryIoU", **wanted, threshold=0.0 if loss.logits else 0.5)
        if loss.labels == "integer":
            return self.call("IoU", num_classes=units, **wanted, sparse_y_pred=False)
        return self.call("OneHotIoU", num_classes=units, **wanted)


@choice(METRICS, "mse", "mean_squared_error", example="metrics mse")
class MeanSquaredError(Metric):
    """Mean of the squared differences."""

    labels = ("one_hot", "binary", "real")
    best = "min"

    def lower(self, loss: Loss, units: int) -> Call:
        return self.call("MeanSquaredError")


@choice(METRICS, "mae", "mean_absolute_error", example="metrics mae")
class MeanAbsoluteError(Metric):
    """Mean of the absolute differences."""

    labels = ("one_hot", "binary", "real")
    best = "min"

    def lower(self, loss: Loss, units: int) -> Call:
        return self.call("MeanAbsoluteError")


@choice(METRICS, "rmse", "root_mean_squared_error", example="metrics rmse")
class RootMeanSquaredError(Metric):
    """Root of the mean of the squared differences."""

    labels = ("one_hot", "binary", "real")
    best = "min"

    def lower(self, loss: Loss, units: int) -> Call:
        return self.call("RootMeanSquaredError")


@choice(METRICS, "r2", example="metrics r2")
class R2(Metric):
    """Share of the labels' variance that is explained."""

    labels = ("real",)

    def lower(self, loss: Loss, units: int) -> Call:
        return self.call("R2Score")
