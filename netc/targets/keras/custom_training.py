# mypy: allow-untyped-defs, allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators
# Written as Keras' own code is, without annotations, because emitted files carry these classes as they stand.
"""What training with netc can ask for and Keras lacks: an optimizer, a schedule, losses, weights by name.

Each part stands by itself and needs only `keras` and what comes with it, so that emitted code can carry it along. The
module imports Keras, so only what builds or trains may import it.
"""

import h5py
import keras
from keras import ops

PACKAGE = "netc"


@keras.saving.register_keras_serializable(package=PACKAGE)
class ProximalAdagrad(keras.optimizers.Optimizer):
    """Adagrad whose L1 and L2 penalties shrink the weights after each step (Duchi & Singer 2009, JMLR 10).

    A weight w with gradient g and sum of squares s moves to p = w - r * g, r = learning_rate / sqrt(s), then to
    sign(p) * max(|p| - r * l1, 0) / (1 + r * l2).
    """

    def __init__(self, learning_rate=0.001, initial_accumulator_value=0.1, l1=0.0, l2=0.0, **kwargs):
        super().__init__(learning_rate=learning_rate, **kwargs)
        self.initial_accumulator_value = initial_accumulator_value
        self.l1 = l1
        self.l2 = l2

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        start = keras.initializers.Constant(self.initial_accumulator_value)
        self._accumulators = self.add_optimizer_variables(var_list, "accumulator", initializer=start)

    def update_step(self, gradient, variable, learning_rate):
        rate = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        accumulator = self._accumulators[self._get_variable_index(variable)]
        self.assign_add(accumulator, ops.square(gradient))
        rate = ops.divide(rate, ops.sqrt(accumulator))
        moved = ops.subtract(variable, ops.multiply(rate, gradient))
        shrunk = ops.multiply(ops.sign(moved), ops.maximum(ops.abs(moved) - rate * self.l1, 0))
        self.assign(variable, ops.divide(shrunk, 1 + rate * self.l2))

    def get_config(self):
        own = {"initial_accumulator_value": self.initial_accumulator_value, "l1": self.l1, "l2": self.l2}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable(package=PACKAGE)
class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    """Another schedule after a warm-up: from `start` up to `target` in a straight line, or constant at `start`.

    The other schedule counts its steps from the beginning of training, warm-up included.
    """

    def __init__(self, schedule, steps, start, target, constant=False):
        super().__init__()
        self.schedule = schedule
        self.steps = steps
        self.start = start
        self.target = target
        self.constant = constant

    def __call__(self, step):
        rate = ops.convert_to_tensor(self.schedule(step))
        done = ops.cast(step, rate.dtype) / self.steps
        rise = 0.0 if self.constant else self.target - self.start
        return ops.where(done < 1, self.start + rise * done, rate)

    def get_config(self):
        return {
            "schedule": keras.saving.serialize_keras_object(self.schedule),
            "steps": self.steps,
            "start": self.start,
            "target": self.target,
            "constant": self.constant,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "schedule": keras.saving.deserialize_keras_object(config["schedule"])})


@keras.saving.register_keras_serializable(package=PACKAGE)
class WeightedCrossentropy(keras.losses.Loss):
    """Binary cross-entropy of logits in which a 1 counts `positive` times (TFLearn's `weighted_crossentropy`)."""

    def __init__(self, positive=1.0, name="weighted_crossentropy", **kwargs):
        super().__init__(name=name, **kwargs)
        self.positive = positive

    def call(self, y_true, y_pred):
        y_true = ops.cast(y_true, y_pred.dtype)
        missed = self.positive * y_true * ops.softplus(-y_pred)
        return ops.mean(missed + (1 - y_true) * ops.softplus(y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "positive": self.positive}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ContrastiveLoss(keras.losses.Loss):
    """Half of d^2 for pairs that belong together (1), of max(0, margin - d)^2 for others (Hadsell et al. 2006)."""

    def __init__(self, margin=1.0, name="contrastive_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        self.margin = margin

    def call(self, y_true, y_pred):
        y_true = ops.cast(y_true, y_pred.dtype)
        apart = ops.square(ops.maximum(self.margin - y_pred, 0))
        return ops.mean(y_true * ops.square(y_pred) + (1 - y_true) * apart, axis=-1) / 2

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


@keras.saving.register_keras_serializable(package=PACKAGE)
class TripletLoss(keras.losses.Loss):
    """max(0, a - b + margin), a the distance of two embeddings of one class and b that of two of different classes.

    Labels are class numbers. "semi_hard" is the mean over all pairs of one class, of squared distances, b the least
    beyond a, or the largest where none is (Schroff et al. 2015); "batch_hard" that over all samples with another of
    their class, a the largest and b the least distance (Hermans et al. 2017). Nothing to compare is 0.
    """

    def __init__(self, margin=0.2, mining="semi_hard", name="triplet_loss", **kwargs):
        super().__init__(name=name, **kwargs)
        self.margin = margin
        self.mining = mining

    def call(self, y_true, y_pred):
        classes = ops.reshape(y_true, (-1, 1))
        same = ops.equal(classes, ops.transpose(classes))
        apart = ops.logical_not(same)
        numbers = ops.arange(ops.shape(classes)[0])
        pairs = ops.logical_and(same, ops.not_equal(numbers[:, None], numbers))
        far = ops.sum(ops.square(y_pred[:, None] - y_pred[None]), axis=-1)
        if self.mining == "batch_hard":
            far = ops.sqrt(ops.maximum(far, 1e-12))
            within = ops.max(ops.where(pairs, far, 0.0), axis=1)
            counted = ops.logical_and(ops.any(pairs, axis=1), ops.any(apart, axis=1))
            other = ops.min(ops.where(apart, far, float("inf")), axis=1)
        else:
            within = far
            beyond = ops.logical_and(apart[:, None], far[:, None] > far[:, :, None])  # anchor x pair x other
            nearest = ops.min(ops.where(beyond, far[:, None], float("inf")), axis=2)
            farthest = ops.max(ops.where(apart, far, 0.0), axis=1, keepdims=True)
            other = ops.where(ops.any(beyond, axis=2), nearest, farthest)
            counted = ops.logical_and(pairs, ops.any(apart, axis=1, keepdims=True))
        loss = ops.maximum(ops.where(counted, within - ops.where(counted, other, 0.0) + self.margin, 0.0), 0.0)
        return ops.sum(loss) / ops.maximum(ops.sum(ops.cast(counted, loss.dtype)), 1.0)

    def get_config(self):
        return {**super().get_config(), "margin": self.margin, "mining": self.mining}


@keras.saving.register_keras_serializable(package=PACKAGE)
class ValueLoss(keras.losses.Loss):
    """The mean of the output itself; labels do not count."""

    def __init__(self, name="value_loss", **kwargs):
        super().__init__(name=name, **kwargs)

    def call(self, y_true, y_pred):
        return ops.mean(ops.reshape(y_pred, (ops.shape(y_pred)[0], -1)), axis=-1)


def layers_within(model):
    """The layers of a model and of the models in it."""
    parts = [layers_within(layer) if isinstance(layer, keras.Model) else [layer] for layer in model.layers]
    return [layer for part in parts for layer in part]


def arrays_below(group, around=""):
    """The arrays of a layer in `.weights.h5` and of the layers in it, by the paths of their names."""
    found = {}
    if "vars" in group:
        values = group["vars"]
        around += values.attrs["name"]
        found[around] = [values[str(number)][()] for number in range(len(values))]
    for name, inner in group.items():
        if name == "layers":  # of a model in the model, whose name is in no path
            for layer in inner.values():
                found.update(arrays_below(layer))
        elif name != "vars":
            found.update(arrays_below(inner, f"{around}/"))
    return found


def restore_weights(model, path, kept=()):
    """Set the weights of all layers but the `kept` ones from `.keras`, `.weights.h5` or the older `.h5`, by name.

    Keras takes `.weights.h5` in order, and leaves layers that `.h5` lacks as they are.
    """
    if path.endswith(".keras"):
        whole = keras.models.load_model(path, compile=False)
        saved = {layer.name: layer.get_weights() for layer in layers_within(whole)}
    else:
        saved = {}
        with h5py.File(path, "r") as file:
            if path.endswith(".weights.h5"):
                parts = {}
                for layer in file["layers"].values():
                    parts.update(arrays_below(layer))
                for layer in layers_within(model):
                    places = [weight.path.rpartition("/")[0] for weight in layer.weights]
                    held = {place: iter(parts.get(place, ())) for place in places}
                    if all(places.count(place) == len(parts.get(place, ())) for place in held):
                        saved[layer.name] = [next(held[place]) for place in places]
            else:
                models = {layer.name for layer in model.layers if isinstance(layer, keras.Model)}
                for name, group in file.get("model_weights", file).items():
                    found = group.attrs.get("weight_names", ())
                    for weight in [weight if isinstance(weight, str) else weight.decode() for weight in found]:
                        place = weight.partition("/")[0] if name in models else name
                        saved.setdefault(place, {})[weight.removesuffix(":0")] = group[weight][()]
    wanted = [layer for layer in layers_within(model) if layer.weights and layer.name not in kept]
    missing = [layer.name for layer in wanted if not saved.get(layer.name)]
    if missing:
        raise ValueError(f"{path} has no weights of {', '.join(missing)}")
    for layer in wanted:
        arrays = saved[layer.name]
        if isinstance(arrays, dict):  # where what trains comes first, in a layer around another one too
            paths = [weight.path for weight in layer.weights]
            arrays = [arrays[path] for path in paths] if arrays.keys() == set(paths) else list(arrays.values())
        layer.set_weights(arrays)
