"""Networks as they were published, in plain arithmetic: what the specs are compared with where no program gives the
truth. Nothing of netc is used, and of TensorFlow only a convolution without padding."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
import tensorflow as tf

Array = np.ndarray  # images, rows, columns, channels
Pad = int | Literal["same", "ceil"]


def padding(size: int, window: int, stride: int, pad: Pad) -> tuple[int, int]:
    """Positions to add before and after a dimension.

    A number: on both sides, as Torch and Caffe say. "same": TensorFlow's, by its documentation. "ceil": none before,
    and after as far as the last window that begins inside reaches, as Caffe pools.
    """
    if isinstance(pad, int):
        return pad, pad
    count = -(-size // stride) if pad == "same" else -(-(size - window) // stride) + 1
    missing = max((count - 1) * stride + window - size, 0)
    return (missing // 2, missing - missing // 2) if pad == "same" else (0, missing)


class Player:
    """Plays a network layer by layer, and takes the weights, a list for each layer, as they come."""

    def __init__(self, weights: Iterable[Sequence[Array]], training: bool = False) -> None:
        self.weights = iter(weights)
        self.training = training

    def padded(self, x: Array, window: int, stride: int, pad: Pad, value: float = 0.0) -> Array:
        sides = [padding(size, window, stride, pad) for size in x.shape[1:3]]
        return np.pad(x, [(0, 0), *sides, (0, 0)], constant_values=value)

    def conv(self, x: Array, stride: int = 1, pad: Pad = 0, groups: int = 1) -> Array:
        kernel, *bias = next(self.weights)
        x = self.padded(x, len(kernel), stride, pad)
        parts = zip(np.split(x, groups, -1), np.split(kernel, groups, -1), strict=True)
        out = np.concatenate([tf.nn.conv2d(part, filters, stride, "VALID") for part, filters in parts], -1)
        return out + bias[0] if bias else out

    def depthwise(self, x: Array, stride: int = 1, pad: Pad = 0) -> Array:
        """Each channel by itself."""
        (kernel,) = next(self.weights)
        x = self.padded(x, len(kernel), stride, pad)
        return np.asarray(tf.nn.depthwise_conv2d(x, kernel, [1, stride, stride, 1], "VALID"))

    def deconv(self, x: Array, stride: int, pad: Literal[0, "same"] = "same") -> Array:
        """The gradient of TensorFlow's `same` convolution, or of one without padding: zeros between the pixels, then
        the kernel turned around."""
        kernel, *bias = next(self.weights)
        size, filled = len(kernel), np.zeros((len(x), *(stride * rows for rows in x.shape[1:3]), x.shape[3]), x.dtype)
        filled[:, ::stride, ::stride] = x
        cut = padding(filled.shape[1], size, stride, pad)[0]
        more = cut if pad else size - stride
        filled = np.pad(filled, [(0, 0), *[(size - 1 - cut, more)] * 2, (0, 0)])
        out = np.asarray(tf.nn.conv2d(filled, kernel[::-1, ::-1].swapaxes(2, 3), 1, "VALID"))
        return out + bias[0] if bias else out

    def norm(self, x: Array, epsilon: float = 1e-5) -> Array:
        gamma, beta, mean, variance = next(self.weights)
        if self.training:
            all_but_channels = tuple(range(x.ndim - 1))
            mean, variance = x.mean(all_but_channels), x.var(all_but_channels)
        return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta

    def pool(self, x: Array, size: int, stride: int, pad: Pad = 0) -> Array:
        """The maximum; padding never counts."""
        x = self.padded(x, size, stride, pad, -np.inf)
        windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))[:, ::stride, ::stride]
        return windows.max((-2, -1))

    def average(self, x: Array, size: int, stride: int, pad: Pad = 0) -> Array:
        """The mean of what is not padding."""
        x = self.padded(x, size, stride, pad, np.nan)
        windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), (1, 2))[:, ::stride, ::stride]
        return np.nanmean(windows, (-2, -1))

    def lrn(self, x: Array, around: int, k: float, alpha: float, beta: float) -> Array:
        squares = np.pad(x**2, [(0, 0)] * 3 + [(around, around)])
        sums = np.lib.stride_tricks.sliding_window_view(squares, 2 * around + 1, 3).sum(-1)
        return x / (k + alpha * sums) ** beta

    def dense(self, x: Array) -> Array:
        kernel, *bias = next(self.weights)
        out = x.reshape(len(x), -1) @ kernel
        return out + bias[0] if bias else out


def relu(x: Array) -> Array:
    return np.maximum(x, 0)


def leaky(x: Array, slope: float) -> Array:
    return np.where(x > 0, x, slope * x)


def elu(x: Array) -> Array:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


def sigmoid(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def mean(x: Array) -> Array:
    return x.mean((1, 2))


# -- TFLearn 0.2.2, examples/images ----------------------------------------------------------------------------------


def tflearn_block(play: Player, x: Array, channels: int, stride: int = 1, window: int = 1) -> Array:
    """A block of `residual_block`; its shortcut averages over `window` pixels, 1 until 0.2.2 and 2 from 0.3.0 on."""
    out = play.conv(relu(play.norm(x)), stride, "same")
    out = play.conv(relu(play.norm(out)), 1, "same")
    if stride > 1:
        x = sum(x[:, i::stride, j::stride] for i in range(window) for j in range(window)) / window**2
    more = (channels - x.shape[-1]) // 2
    return out + np.pad(x, [(0, 0)] * 3 + [(more, more)])


def tflearn_resnet(play: Player, x: Array, n: int) -> Array:
    """residual_network_cifar10.py"""
    x = play.conv(x, 1, "same")
    for stage, channels in enumerate((16, 32, 64)):
        for unit in range(n):
            x = tflearn_block(play, x, channels, 2 if stage and not unit else 1)
    return play.dense(mean(relu(play.norm(x))))


def tflearn_alexnet(play: Player, x: Array) -> Array:
    """alexnet.py"""
    for convolutions, stride in ((1, 4), (1, 1), (3, 1)):
        for _ in range(convolutions):
            x = relu(play.conv(x, stride, "same"))
        x = play.lrn(play.pool(x, 3, 2, "same"), 5, 1.0, 1e-4, 0.75)
    return play.dense(np.tanh(play.dense(np.tanh(play.dense(x)))))


def tflearn_vgg(play: Player, x: Array) -> Array:
    """vgg_network.py"""
    for convolutions in (2, 2, 3, 3, 3):
        for _ in range(convolutions):
            x = relu(play.conv(x, 1, "same"))
        x = play.pool(x, 2, 2, "same")
    return play.dense(relu(play.dense(relu(play.dense(x)))))


def tflearn_nin(play: Player, x: Array) -> Array:
    """network_in_network.py"""
    for pool in (play.pool, play.average, None):
        for _ in range(3):
            x = relu(play.conv(x, 1, "same"))
        if pool:
            x = pool(x, 3, 2, "same")
    return mean(x)


def tflearn_highway(play: Player, x: Array) -> Array:
    """highway_dnn.py"""
    x = elu(play.dense(x))
    for _ in range(10):
        gate = sigmoid(play.dense(x))
        x = elu(play.dense(x)) * gate + x * (1 - gate)
    return play.dense(x)


def tflearn_autoencoder(play: Player, x: Array) -> Array:
    """autoencoder.py"""
    for _ in range(3):
        x = play.dense(x)
    return sigmoid(play.dense(x)).reshape(-1, 28, 28, 1)


# -- Torch 7 ---------------------------------------------------------------------------------------------------------


def torch_cifar_resnet(play: Player, x: Array, n: int) -> Array:
    """facebook/fb.resnet.torch, models/resnet.lua: CIFAR-10, basic blocks, shortcut type A."""
    x = relu(play.norm(play.conv(x, 1, 1)))
    for stage, channels in enumerate((16, 32, 64)):
        for unit in range(n):
            stride = 2 if stage and not unit else 1
            out = relu(play.norm(play.conv(x, stride, 1)))
            out = play.norm(play.conv(out, 1, 1))
            shortcut = np.pad(x[:, ::stride, ::stride], [(0, 0)] * 3 + [(0, channels - x.shape[-1])])
            x = relu(shortcut + out)
    return play.dense(mean(x))


def torch_preact_resnet(play: Player, x: Array, n: int) -> Array:
    """KaimingHe/resnet-1k-layers, resnet-pre-act.lua: where channels change, the branches share the first
    normalisation and ReLU."""
    x = play.conv(x, 1, 1)
    for stage, channels in enumerate((64, 128, 256)):
        for unit in range(n):
            stride = 2 if stage and not unit else 1
            out = relu(play.norm(x))
            shortcut = x if unit else play.conv(out, stride)
            out = relu(play.norm(play.conv(out, stride)))
            out = relu(play.norm(play.conv(out, 1, 1)))
            x = shortcut + play.conv(out)
            assert x.shape[-1] == channels
    return play.dense(mean(relu(play.norm(x))))


# -- Caffe -----------------------------------------------------------------------------------------------------------


def alexnet(play: Player, x: Array) -> Array:
    """bvlc_alexnet/train_val.prototxt, with the constants of Krizhevsky et al. 2012, section 3.3, in its
    normalisations."""
    x = play.pool(play.lrn(relu(play.conv(x, 4)), 2, 2.0, 1e-4, 0.75), 3, 2, "ceil")
    x = play.pool(play.lrn(relu(play.conv(x, 1, 2, groups=2)), 2, 2.0, 1e-4, 0.75), 3, 2, "ceil")
    x = relu(play.conv(x, 1, 1))
    x = relu(play.conv(x, 1, 1, groups=2))
    x = play.pool(relu(play.conv(x, 1, 1, groups=2)), 3, 2, "ceil")
    return play.dense(relu(play.dense(relu(play.dense(x)))))


def googlenet(play: Player, x: Array) -> list[Array]:
    """bvlc_googlenet/train_val.prototxt: the outputs of loss3, loss1 and loss2. Caffe divides alpha by the 5 channels."""

    def inception(x: Array) -> Array:
        return np.concatenate(
            [
                relu(play.conv(x)),
                relu(play.conv(relu(play.conv(x)), 1, 1)),
                relu(play.conv(relu(play.conv(x)), 1, 2)),
                relu(play.conv(play.pool(x, 3, 1, 1))),
            ],
            -1,
        )

    def auxiliary(x: Array) -> Array:
        windows = np.lib.stride_tricks.sliding_window_view(x, (5, 5), (1, 2))[:, ::3, ::3]
        return play.dense(relu(play.dense(relu(play.conv(windows.mean((-2, -1)))))))

    x = play.lrn(play.pool(relu(play.conv(x, 2, 3)), 3, 2, "ceil"), 2, 1.0, 1e-4 / 5, 0.75)
    x = play.lrn(relu(play.conv(relu(play.conv(x)), 1, 1)), 2, 1.0, 1e-4 / 5, 0.75)
    kept = []
    for modules in (2, 5, 2):
        x = play.pool(x, 3, 2, "ceil")
        for module in range(modules):
            x = inception(x)
            if modules == 5 and module in (0, 3):
                kept.append(x)
    return [play.dense(mean(x)), *map(auxiliary, kept)]


# -- others ----------------------------------------------------------------------------------------------------------


def resnext(play: Player, x: Array, units: int, stages: int, groups: int, excited: bool = False) -> Array:
    """Units of Xie et al. 2017, Figure 3(c), after a stem; `excited` as in Hu et al. 2018, Figure 3."""
    for stage in range(stages):
        for unit in range(units):
            stride = 2 if stage and not unit else 1
            shortcut = x if unit else play.norm(play.conv(x, stride))
            x = relu(play.norm(play.conv(x)))
            x = relu(play.norm(play.conv(x, stride, 1, groups)))
            x = play.norm(play.conv(x))
            if excited:
                x = x * sigmoid(play.conv(relu(play.conv(x.mean((1, 2), keepdims=True)))))
            x = relu(shortcut + x)
    return play.dense(mean(x))


def cifar_resnext(play: Player, x: Array) -> Array:
    """Xie et al. 2017, section 5.3, with a unit a stage."""
    return resnext(play, relu(play.norm(play.conv(x, 1, 1))), 1, 3, 8)


def se_resnext(play: Player, x: Array) -> Array:
    """Hu et al. 2018, Table 1, with two units a stage; the pool is Caffe's."""
    return resnext(play, play.pool(relu(play.norm(play.conv(x, 2, 3))), 3, 2, "ceil"), 2, 4, 32, True)


def shufflenet(play: Player, x: Array) -> Array:
    """torchvision's ShuffleNetV2, with two units a stage."""
    x = play.pool(relu(play.norm(play.conv(x, 2, 1))), 3, 2, 1)
    for _ in range(3):
        for stride in (2, 1):
            if stride == 2:
                left, right = relu(play.norm(play.conv(play.norm(play.depthwise(x, 2, 1))))), x
            else:
                left, right = np.split(x, 2, -1)
            right = play.norm(play.depthwise(relu(play.norm(play.conv(right))), stride, 1))
            right = relu(play.norm(play.conv(right)))
            x = np.stack([left, right], -1).reshape(*left.shape[:3], -1)  # a channel of each in turn
    return play.dense(mean(relu(play.norm(play.conv(x)))))


def yolov3(play: Player, x: Array) -> list[Array]:
    """Darknet's yolov3.cfg, with a unit a stage; the outputs of the three `[yolo]` layers, the coarsest first."""

    def unit(x: Array, size: int, stride: int = 1) -> Array:
        return leaky(play.norm(play.conv(x, stride, size // 2)), 0.1)

    x, maps, outputs = unit(x, 3), [], []
    for _ in range(5):
        x = unit(x, 3, 2)
        x = x + unit(unit(x, 1), 3)
        maps.append(x)
    maps.pop()
    for scale in range(3):
        if scale:
            x = unit(x, 1).repeat(2, 1).repeat(2, 2)
            x = np.concatenate([x, maps.pop()], -1)
        for size in (1, 3, 1, 3, 1):
            x = unit(x, size)
        outputs.append(play.conv(unit(x, 3)))
    return outputs


def c3d(play: Player, x: Array) -> Array:
    """The authors' C3D: frames, rows, columns; the pool of the first stage leaves the frames."""
    for stage, convolutions in enumerate((1, 1, 2, 2, 2)):
        for _ in range(convolutions):
            kernel, bias = next(play.weights)
            x = np.pad(x, [(0, 0), *[(1, 1)] * 3, (0, 0)])
            x = relu(np.asarray(tf.nn.conv3d(x, kernel, [1] * 5, "VALID")) + bias)
        window = (2 if stage else 1, 2, 2)
        x = np.pad(x, [(0, 0), *((0, -n % size) for n, size in zip(x.shape[1:4], window, strict=True)), (0, 0)])
        shape = [n for size, of in zip(x.shape[1:4], window, strict=True) for n in (size // of, of)]
        x = x.reshape(len(x), *shape, -1).max((2, 4, 6))  # after a ReLU, zeros never win
    return play.dense(relu(play.dense(relu(play.dense(x)))))


def unetpp(play: Player, x: Array) -> list[Array]:
    """Nest_Net of the authors' UNetPlusPlus, with deep supervision."""

    def unit(x: Array) -> Array:
        return elu(play.conv(elu(play.conv(x, 1, 1)), 1, 1))

    levels = [[unit(x)]]
    for _ in range(4):
        levels.append([unit(play.pool(levels[-1][0], 2, 2))])
    for before in range(4):
        for level in range(4 - before):
            below = play.deconv(levels[level + 1][before], 2)
            levels[level].append(unit(np.concatenate([below, *levels[level]], -1)))
    return [sigmoid(play.conv(x)) for x in levels[0][:0:-1]][::-1]


def fcn8s(play: Player, x: Array) -> Array:
    """voc-fcn8s of the authors' fcn.berkeleyvision.org, whose `Crop` layers begin at 5, 9 and 31."""

    def cut(x: Array, begin: int, size: int) -> Array:
        return x[:, begin : begin + size, begin : begin + size]

    size, pools = x.shape[1], []
    for stage, convolutions in enumerate((2, 2, 3, 3, 3)):
        for number in range(convolutions):
            x = relu(play.conv(x, 1, 1 if stage or number else 100))
        x = play.pool(x, 2, 2, "ceil")
        pools.append(x)
    x = play.deconv(play.conv(relu(play.conv(relu(play.conv(x))))), 2, 0)
    x = play.deconv(x + cut(play.conv(pools[3]), 5, x.shape[1]), 2, 0)
    x = play.deconv(x + cut(play.conv(pools[2]), 9, x.shape[1]), 8, 0)
    return cut(x, 31, size)


def dcgan_generator(play: Player, x: Array) -> Array:
    """gen of the authors' train_uncond_dcgan.py; where Theano drops the odd pixel is left open."""
    x = relu(play.norm(play.dense(x))).reshape(len(x), 4, 4, -1)
    for _ in range(3):
        x = relu(play.norm(play.deconv(x, 2)))
    return np.tanh(play.deconv(x, 2))


def dcgan_discriminator(play: Player, x: Array) -> Array:
    """discrim of the authors' train_uncond_dcgan.py"""
    x = leaky(play.conv(x, 2, 2), 0.2)
    for _ in range(3):
        x = leaky(play.norm(play.conv(x, 2, 2)), 0.2)
    return sigmoid(play.dense(x))
