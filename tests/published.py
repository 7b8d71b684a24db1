"""Networks as they were published, in plain arithmetic: what the specs are compared with where no program gives the
truth. Nothing of netc is used, and of TensorFlow only a convolution without padding."""

from __future__ import annotations

import math
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


def attention_unet(play: Player, x: Array) -> Array:
    """AttU_Net of LeeJunHyun/Image_Segmentation."""

    def unit(x: Array, size: int) -> Array:
        return relu(play.norm(play.conv(x, 1, size // 2)))

    skips = []
    for level in range(5):
        x = unit(unit(play.pool(x, 2, 2) if level else x, 3), 3)
        skips.append(x)
    for skip in skips[3::-1]:
        x = unit(x.repeat(2, 1).repeat(2, 2), 3)
        gate = relu(play.norm(play.conv(x)) + play.norm(play.conv(skip)))
        x = np.concatenate([skip * sigmoid(play.norm(play.conv(gate))), x], -1)
        x = unit(unit(x, 3), 3)
    return sigmoid(play.conv(x))


def hrnet(play: Player, x: Array) -> Array:
    """The authors' HRNet-Image-Classification, with one unit a branch and module."""

    def unit(x: Array, stride: int = 1) -> Array:
        return relu(play.norm(play.conv(x, stride, 1)))

    def bottleneck(x: Array, projected: bool = True) -> Array:
        shortcut = play.norm(play.conv(x)) if projected else x
        x = unit(relu(play.norm(play.conv(x))))
        return relu(shortcut + play.norm(play.conv(x)))

    def basic(x: Array) -> Array:
        return relu(x + play.norm(play.conv(unit(x), 1, 1)))

    def moved(x: Array, levels: int) -> Array:
        if levels < 0:
            return play.norm(play.conv(x)).repeat(2**-levels, 1).repeat(2**-levels, 2)
        for more in reversed(range(levels)):
            x = unit(x, 2) if more else play.norm(play.conv(x, 2, 1))
        return x

    x = unit(unit(x, 2), 2)
    for number in range(4):
        x = bottleneck(x, not number)
    maps = [unit(x), unit(x, 2)]
    for modules in (1, 4, 3):
        if modules > 1:
            maps.append(unit(maps[-1], 2))
        for _ in range(modules):
            maps = [basic(x) for x in maps]
            levels = range(len(maps))
            maps = [relu(sum(moved(maps[other], level - other) for other in levels)) for level in levels]
    x = bottleneck(maps[0])
    for wider in maps[1:]:
        x = unit(x, 2) + bottleneck(wider)
    return play.dense(mean(relu(play.norm(play.conv(x)))))


def wavenet(play: Player, x: Array, layers: int = 12) -> Array:
    """ibab/tensorflow-wavenet, without the softmax."""

    def conv(x: Array, dilation: int = 1) -> Array:
        kernel, *bias = next(play.weights)
        shifts = [dilation * more for more in reversed(range(len(kernel)))]
        taps = (np.pad(x, [(0, 0), (shift, 0), (0, 0)])[:, : x.shape[1]] for shift in shifts)
        return sum(tap @ weight for tap, weight in zip(taps, kernel, strict=True)) + (bias[0] if bias else 0)

    x, skips = conv(x), 0
    for layer in range(layers):
        dilation = 2 ** (layer % 10)
        gated = np.tanh(conv(x, dilation)) * sigmoid(conv(x, dilation))
        skips = skips + conv(gated)
        if layer < layers - 1:
            x = conv(gated) + x
    return conv(relu(conv(relu(skips))))


def ssd300(play: Player, x: Array) -> list[Array]:
    """The authors' SSD300 for PASCAL VOC, without the softmax: offsets, then classes, box after box."""
    maps = []
    for stage, convolutions in enumerate((2, 2, 3, 3, 3)):
        for _ in range(convolutions):
            x = relu(play.conv(x, 1, 1))
        if stage == 3:
            maps.append(x)
        x = play.pool(x, 2, 2, "ceil") if stage < 4 else play.pool(x, 3, 1, 1)
    kernel, bias = next(play.weights)
    padded = np.pad(x, [(0, 0), (6, 6), (6, 6), (0, 0)])
    x = relu(np.asarray(tf.nn.conv2d(padded, kernel, 1, "VALID", dilations=6)) + bias)
    maps.append(relu(play.conv(x)))
    for stride, pad in ((2, 1), (2, 1), (1, 0), (1, 0)):
        maps.append(relu(play.conv(relu(play.conv(maps[-1])), stride, pad)))
    (scale,) = next(play.weights)
    maps[0] = scale * maps[0] / np.sqrt((maps[0] ** 2).sum(-1, keepdims=True))
    return [np.concatenate([play.conv(x, 1, 1).reshape(len(x), -1, values) for x in maps], 1) for values in (4, 21)]


def facenet(play: Player, x: Array) -> Array:
    """NN1 of Schroff et al. 2015, Table 1."""
    x = play.lrn(play.pool(relu(play.conv(x, 2, 3)), 3, 2, "ceil"), 2, 2.0, 1e-4, 0.75)
    x = play.lrn(relu(play.conv(relu(play.conv(x)), 1, 1)), 2, 2.0, 1e-4, 0.75)
    x = relu(play.conv(relu(play.conv(play.pool(x, 3, 2, "ceil"))), 1, 1))
    x = play.pool(x, 3, 2, "ceil")
    for _ in range(3):
        x = relu(play.conv(relu(play.conv(x)), 1, 1))
    x = play.pool(x, 3, 2, "ceil")
    for _ in range(2):
        x = np.maximum(play.dense(x), play.dense(x))
    x = play.dense(x)
    return x / np.sqrt((x**2).sum(-1, keepdims=True))


def vae(play: Player, x: Array) -> list[Array]:
    """Kingma & Welling 2014, appendix C, at the mean; and equation 10 for each latent unit, without its sign."""
    x = np.tanh(play.dense(x))
    mean, logvar = play.dense(x), play.dense(x)
    image = sigmoid(play.dense(np.tanh(play.dense(mean)))).reshape(-1, 28, 28, 1)
    return [image, (np.exp(logvar) + mean**2 - logvar - 1) / 2]


def gelu(x: Array) -> Array:
    return x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def patches(play: Player, x: Array) -> Array:
    """Words of 16x16 pixels, and what a matrix makes of each."""
    kernel, bias = next(play.weights)
    count = x.shape[1] // 16
    x = x.reshape(len(x), count, 16, count, 16, 3).swapaxes(2, 3).reshape(len(x), count * count, -1)
    return x @ kernel.reshape(-1, kernel.shape[-1]) + bias


def over_channels(play: Player, x: Array, epsilon: float = 1e-6) -> Array:
    gamma, beta = next(play.weights)
    x = x - x.mean(-1, keepdims=True)
    return gamma * x / np.sqrt((x**2).mean(-1, keepdims=True) + epsilon) + beta


def perceptron(play: Player, x: Array) -> Array:
    for last in (False, True):
        kernel, bias = next(play.weights)
        x = x @ kernel[0] + bias
        x = x if last else gelu(x)
    return x


def vit(play: Player, x: Array, blocks: int = 2, heads: int = 12) -> Array:
    """Dosovitskiy et al. 2021, equations 1 to 4 and appendix A."""
    x = patches(play, x)
    (token,), (position,) = next(play.weights), next(play.weights)
    x = np.concatenate([np.broadcast_to(token, (len(x), 1, token.shape[-1])), x], 1) + position
    for _ in range(blocks):
        y = over_channels(play, x)
        wq, bq, wk, bk, wv, bv, wo, bo = next(play.weights)
        query, key, value = (np.einsum("bpc,chd->bhpd", y, w) + b[:, None] for w, b in ((wq, bq), (wk, bk), (wv, bv)))
        scores = np.exp(query @ key.swapaxes(2, 3) / math.sqrt(query.shape[-1]))
        seen = scores / scores.sum(-1, keepdims=True) @ value
        assert seen.shape[1] == heads
        x = x + np.einsum("bhpd,hdc->bpc", seen, wo) + bo
        x = x + perceptron(play, over_channels(play, x))
    return play.dense(over_channels(play, x)[:, 0])


def mixer(play: Player, x: Array, blocks: int = 2) -> Array:
    """Tolstikhin et al. 2021, equation 1."""
    x = patches(play, x)
    for _ in range(blocks):
        x = x + perceptron(play, over_channels(play, x).swapaxes(1, 2)).swapaxes(1, 2)
        x = x + perceptron(play, over_channels(play, x))
    return play.dense(over_channels(play, x).mean(1))


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
