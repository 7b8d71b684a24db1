"""The steps of training and validation as TensorFlow functions: one way for every strategy.

Several steps run in one call of a function, so that small networks do not wait for Python between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from netc.train.trainee import Head, Meters, Trainee

if TYPE_CHECKING:
    from netc.data.stream import Stream
    from netc.engines import Engine


class Steps:
    """Runs a trainee on batches."""

    def __init__(self, trainee: Trainee, class_weights: Any = None) -> None:
        import tensorflow as tf  # noqa: PLC0415 - seconds

        self.trainee = trainee
        self.class_weights = None if class_weights is None else tf.constant(class_weights, tf.float32)
        self.replicas = trainee.strategy.num_replicas_in_sync
        self._train_one = tf.function(self._one)
        self._train_many = tf.function(self._many)
        self._test = tf.function(self._test_all, reduce_retracing=True)
        self._judge = tf.function(self._judge_one, reduce_retracing=True)

    @property
    def several(self) -> bool:
        """Whether steps may share a call; TensorFlow cannot do that over several replicas (keras#19246)."""
        return bool(self.replicas == 1)

    def train(self, iterator: Any, count: int) -> None:
        """Take so many training steps."""
        import tensorflow as tf  # noqa: PLC0415

        if self.several and count > 1:
            self._train_many(iterator, tf.constant(count))
            return
        for _ in range(count):
            self._train_one(iterator)

    def validate(self, batches: Any) -> dict[str, float]:
        """Loss and metrics on all batches of a `tf.data` set; every worker goes through all of them."""
        meters = self.trainee.validation
        meters.reset()
        self._test(batches)
        return meters.values()

    def judge(self, batches: Any, run: Engine) -> dict[str, float]:
        """Loss and metrics of what another engine makes of all batches, with the weights that the model has."""
        meters = self.trainee.validation
        meters.reset()
        (first, *_) = self.trainee.program.net.inputs
        for images, labels in batches:
            given = images if isinstance(images, Mapping) else {first: images}
            made = run({name: each.numpy() for name, each in given.items()})
            self._judge(labels, {head.name: made[head.name] for head in self.trainee.heads})
        return meters.values()

    # -- in the graph ----------------------------------------------------------------------------------------

    def _one(self, iterator: Any) -> None:
        self.trainee.strategy.run(self._step, args=next(iterator))

    def _many(self, iterator: Any, count: Any) -> None:
        import tensorflow as tf  # noqa: PLC0415

        for _ in tf.range(count):
            self._one(iterator)

    def _step(self, images: Any, labels: Any) -> None:
        import tensorflow as tf  # noqa: PLC0415

        trainee, model, optimizer = self.trainee, self.trainee.model, self.trainee.optimizer
        with tf.GradientTape() as tape:
            predicted = self._outputs(model(images, training=True))
            share = self._share(images)
            total, parts = self._losses(labels, predicted, self.class_weights, share)
            scaled = optimizer.scale_loss(total)
        variables = model.trainable_variables
        gradients = tape.gradient(scaled, variables)
        if self.replicas > 1:  # before they are clipped, which Keras does to each replica's own
            gradients = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        optimizer.apply(gradients, variables)
        self._measure(trainee.training, labels, predicted, total, parts, share)

    def _test_all(self, batches: Any) -> None:
        for images, labels in batches:
            self._judge_one(labels, self._outputs(self.trainee.model(images, training=False)))

    def _judge_one(self, labels: Any, predicted: Mapping[str, Any]) -> None:
        total, parts = self._losses(labels, predicted, None, 1.0)
        self._measure(self.trainee.validation, labels, predicted, total, parts, 1.0)

    def _outputs(self, made: Any) -> dict[str, Any]:
        heads = self.trainee.heads
        return {heads[0].name: made} if len(heads) == 1 else dict(zip((head.name for head in heads), made, strict=True))

    def _share(self, images: Any) -> Any:
        """How the images of this replica compare with an equal share: the last batch may not divide."""
        import tensorflow as tf  # noqa: PLC0415

        if self.replicas == 1:
            return 1.0
        own = tf.cast(tf.shape(tf.nest.flatten(images)[0])[0], tf.float32)
        return own * self.replicas / tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, own)

    def _losses(
        self, labels: Any, predicted: Mapping[str, Any], class_weights: Any, share: Any
    ) -> tuple[Any, dict[str, Any]]:
        """The sum to make small, and the loss of each output; on several replicas each holds its share of both."""
        import tensorflow as tf  # noqa: PLC0415

        parts, total = {}, []
        for head in self.trainee.heads:
            wanted = labels_of(labels, head)
            weights = None if class_weights is None or head.labels == "none" else _weigh(wanted, class_weights, head)
            parts[head.name] = head.loss(wanted, predicted[head.name], sample_weight=weights) * share
            total.append(parts[head.name] * head.weight)
        total.extend(tf.cast(penalty, tf.float32) / self._shares() for penalty in self.trainee.model.losses)
        return tf.add_n(total), parts

    def _shares(self) -> int:
        """Keras' losses are divided by the number of replicas, where there are several; what joins them must be."""
        import tensorflow as tf  # noqa: PLC0415

        return int(tf.distribute.get_strategy().num_replicas_in_sync)

    def _measure(
        self,
        meters: Meters,
        labels: Any,
        predicted: Mapping[str, Any],
        total: Any,
        parts: Mapping[str, Any],
        share: Any,
    ) -> None:
        import tensorflow as tf  # noqa: PLC0415

        first = next(iter(predicted.values()))
        images = tf.cast(tf.shape(first)[0], tf.float32) / share  # an equal share of the batch, as the loss is divided
        meters.loss.update_state(total * self._shares(), sample_weight=images)
        for head in self.trainee.heads:
            wanted = labels_of(labels, head)
            if head.name in meters.losses:
                meters.losses[head.name].update_state(parts[head.name] * self._shares(), sample_weight=images)
            for metric in meters.metrics.get(head.name, ()):
                metric.update_state(wanted, predicted[head.name])


def labels_of(labels: Any, head: Head) -> Any:
    """The labels of one output; outputs that are alone have no name."""
    return labels[head.name] if isinstance(labels, Mapping) else labels


def _weigh(labels: Any, class_weights: Any, head: Head) -> Any:
    """What each image counts: the weight of its class, or the blend for blended labels."""
    import tensorflow as tf  # noqa: PLC0415

    if head.labels == "integer":
        return tf.gather(class_weights, tf.cast(labels, tf.int32))
    if head.units == 1:
        return tf.gather(class_weights, tf.cast(tf.reshape(labels, [-1]), tf.int32))
    return tf.linalg.matvec(tf.cast(labels, tf.float32), class_weights)


def endless(stream: Stream, epoch: int, first: int, strategy: Any) -> Any:
    """The batches from one of an epoch on, as the replicas of a strategy take them: each gets its share of each."""
    import tensorflow as tf  # noqa: PLC0415

    replicas = strategy.num_replicas_in_sync
    if replicas == 1:
        return stream.endless(epoch, first)

    def shares(context: Any) -> Any:
        mine = replicas // context.num_input_pipelines
        own = range(context.input_pipeline_id * mine, (context.input_pipeline_id + 1) * mine)
        parts = [stream.endless(epoch, first, worker, replicas) for worker in own]
        return tf.data.Dataset.choose_from_datasets(parts, tf.data.Dataset.range(mine).repeat())  # one after the other

    return strategy.distribute_datasets_from_function(shares)
