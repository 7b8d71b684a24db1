# mypy: allow-untyped-defs, allow-untyped-calls, allow-subclassing-any, allow-untyped-decorators
# Written as Keras' own code is, without annotations, because emitted files carry these pieces as they stand.
"""What `model.fit` lacks of the `train` section: callbacks and two helpers that emitted code carries along.

Each piece stands by itself and needs only `keras` and `tensorflow`. The module imports both, so nothing imports it:
the source backend reads it as text.
"""

import h5py
import keras
import tensorflow as tf


class StopAfter(keras.callbacks.Callback):
    """Ends training behind a number of steps (batches), inside an epoch too."""

    def __init__(self, steps):
        super().__init__()
        self.steps = steps
        self.done = 0

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        if self.done >= self.steps:
            self.model.stop_training = True


class ValidateEvery(keras.callbacks.Callback):
    """Validates every so many steps. Epochs report the last result; training metrics start anew behind each.

    It stands first among the callbacks, as those behind it watch what it finds.
    """

    def __init__(self, data, steps, batch_size):
        super().__init__()
        self.given = {"x": data}
        if isinstance(data, (tuple, list)):
            self.given = {"x": data[0], "y": data[1], "batch_size": batch_size}
        self.steps = steps
        self.done = 0
        self.found = {}

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        if self.done % self.steps:
            return
        found = self.model.evaluate(**self.given, return_dict=True, verbose=0)
        self.model.reset_metrics()
        self.found = {f"val_{name}": value for name, value in found.items()}
        values = ", ".join(f"{name} {value:.4g}" for name, value in self.found.items())
        print(f"\nstep {self.done}: {values}")

    def on_epoch_end(self, epoch, logs=None):
        logs.update(self.found)


class Checkpoints(keras.callbacks.Callback):
    """Saves the model to `folder` every so many steps, or epochs where `steps` is None, and keeps the last `keep`.

    With `monitor`, the model of the best epoch by that quantity ("min" or "max" is best) stays in `best.keras` too.
    Each file is written under another name first, so that an interrupted one replaces nothing.
    """

    def __init__(self, folder, keep, steps=None, epochs=1, monitor=None, mode="min"):
        super().__init__()
        self.folder = folder
        self.keep = keep
        self.steps = steps
        self.epochs = epochs
        self.monitor = monitor
        self.sign = 1 if mode == "max" else -1
        self.best = None
        self.done = 0
        self.kept = []

    def on_train_begin(self, logs=None):
        tf.io.gfile.makedirs(self.folder)

    def on_train_batch_end(self, batch, logs=None):
        self.done += 1
        if self.steps is not None and self.done % self.steps == 0:
            self.save_last(f"step-{self.done:07d}.keras")

    def on_epoch_end(self, epoch, logs=None):
        if self.steps is None and (epoch + 1) % self.epochs == 0:
            self.save_last(f"epoch-{epoch + 1:04d}.keras")
        if self.monitor in logs:
            value = self.sign * logs[self.monitor]
            if self.best is None or value > self.best:
                self.best = value
                self.save("best.keras")

    def save_last(self, name):
        self.kept.append(self.save(name))
        while len(self.kept) > self.keep:
            tf.io.gfile.remove(self.kept.pop(0))

    def save(self, name):
        path, written = f"{self.folder}/{name}", f"{self.folder}/writing.keras"
        self.model.save(written)
        tf.io.gfile.rename(written, path, overwrite=True)
        return path


def restore_weights(model, path, skip=()):
    """Take weights over from a file, by the names of layers; layers in `skip` keep theirs.

    `path` is a `.keras` model, an `.h5` file of earlier Keras versions, or a `.weights.h5`, which knows no names and
    must be of the same layers in the same order.
    """
    if path.endswith(".weights.h5"):
        model.load_weights(path, objects_to_skip=[model.get_layer(name) for name in skip] or None)
        return
    saved = layer_weights(path)
    for layer in model.layers:
        if layer.weights and layer.name not in skip:
            if layer.name not in saved:
                raise ValueError(f"{path} has no layer {layer.name}, but {', '.join(saved)}")
            layer.set_weights(saved[layer.name])


def layer_weights(path):
    """The weights in a `.keras` or `.h5` file, by the name of their layer."""
    if path.endswith(".keras"):
        return {layer.name: layer.get_weights() for layer in keras.models.load_model(path, compile=False).layers}
    with h5py.File(path, "r") as file:
        root = file.get("model_weights", file)
        return {name: [root[name][weight][()] for weight in root[name].attrs["weight_names"]] for name in root}


def balanced_class_weights(data, classes):
    """The weight of each class that makes up for how common it is: 1 for all where all are equally common.

    `data` is a pair (x, labels) or a dataset of such batches; labels are class numbers or one-hot.
    """
    counts = dict.fromkeys(range(classes), 0)
    for _, labels in [data] if isinstance(data, (tuple, list)) else data:
        found = keras.ops.convert_to_numpy(labels)
        found = found.argmax(-1) if found.ndim > 1 and found.shape[-1] > 1 else found.ravel()
        for label in found:
            counts[int(label)] += 1
    total = sum(counts.values())
    return {label: total / (classes * max(count, 1)) for label, count in counts.items()}
