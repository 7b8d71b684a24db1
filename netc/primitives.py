"""What operations are made of: the few functions in which each class says what it computes (`Layer.compute`).

A target implements them once, and every operation runs there: NumPy computes with them (`netc/targets/numpy`), ONNX
writes nodes (`netc/targets/onnx`). Tensors have the batch first and the channels last, whatever the target does
underneath: an image is batch x rows x columns x channels, a vector batch x channels.

What is computed is inference. What differs in training stays in the target that trains.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from netc.layers.base import Layer

# A tensor of the target, or a weight. It has `+ - * / > <`, with numbers and with others of its kind (shapes are
# brought together from the last axis backwards), and `shape`, where None stands for a size that is not known.
Tensor = Any
Tensors = Sequence[Tensor]
Weighted = Mapping[str, Any]  # the weights of one layer by their names, arrays of NumPy; `reshape` may be used

Pad = str | Sequence[tuple[int, int]]  # "same", or zeros before and after along each spatial axis
Sizes = Sequence[int]  # one a spatial axis


class Primitives(Protocol):
    """The functions of a target. `x` is a tensor; each gives one.

    Element by element they take weights and numbers too, and then give what NumPy would.
    """

    def layer(self, layer: Layer, xs: Tensors, w: Weighted) -> Tensor:
        """What a layer makes of its inputs: its `compute`, or what says the same in this target in a better way."""

    # -- element by element ----------------------------------------------------------------------------------

    def exp(self, x: Tensor) -> Tensor:
        """e ** x."""

    def log(self, x: Tensor) -> Tensor:
        """Natural logarithm."""

    def sqrt(self, x: Tensor) -> Tensor:
        """Square root."""

    def tanh(self, x: Tensor) -> Tensor:
        """Hyperbolic tangent."""

    def erf(self, x: Tensor) -> Tensor:
        """The error function, 2 / sqrt(pi) * the integral of exp(-t ** 2) from 0 to x."""

    def sigmoid(self, x: Tensor) -> Tensor:
        """1 / (1 + exp(-x)), for large negative x too."""

    def abs(self, x: Tensor) -> Tensor:
        """Absolute value."""

    def pow(self, x: Tensor, exponent: float) -> Tensor:
        """x ** exponent, of a positive x."""

    def maximum(self, x: Tensor, other: Tensor | float) -> Tensor:
        """The larger of two."""

    def clip(self, x: Tensor, low: float, high: float) -> Tensor:
        """x, but at least `low` and at most `high`."""

    def where(self, condition: Tensor, x: Tensor | float, other: Tensor | float) -> Tensor:
        """`x` where a comparison holds, `other` elsewhere."""

    # -- along axes ------------------------------------------------------------------------------------------

    def sum(self, x: Tensor, axes: Sequence[int], keep: bool = False) -> Tensor:
        """The sum over axes, counted with the batch as 0 or from the last one as -1; `keep` leaves them with size 1."""

    def mean(self, x: Tensor, axes: Sequence[int], keep: bool = False) -> Tensor:
        """The mean over axes, as `sum`."""

    def max(self, x: Tensor, axes: Sequence[int], keep: bool = False) -> Tensor:
        """The largest element over axes, as `sum`."""

    def softmax(self, x: Tensor) -> Tensor:
        """exp(x) / sum(exp(x)) over the channels, for large x too."""

    def standardize_channels(self, x: Tensor, epsilon: float) -> Tensor:
        """The channels of each position to mean 0 and variance 1: (x - mean) / sqrt(variance + epsilon)."""

    def standardize_groups(self, x: Tensor, groups: int, epsilon: float) -> Tensor:
        """Each of `groups` equal shares of the channels, over all positions of a sample, to mean 0 and variance 1."""

    def sort_descending(self, x: Tensor) -> Tensor:
        """The channels of each position, the largest first."""

    def cumsum(self, x: Tensor) -> Tensor:
        """Sums of the channels up to each of them, itself included."""

    def arange(self, count: int) -> Tensor:
        """The numbers from 1 to `count`, a vector without a batch."""

    # -- shapes ----------------------------------------------------------------------------------------------

    def flatten(self, x: Tensor) -> Tensor:
        """All elements of a sample as one vector, the channels of a position beside each other."""

    def reshape(self, x: Tensor, shape: Sizes) -> Tensor:
        """The elements of a sample in another shape, whose sizes are all known."""

    def concat(self, xs: Tensors, axis: int = -1) -> Tensor:
        """The channels of all tensors, in order; or what they have along another axis."""

    def prepend(self, x: Tensor, rows: Any) -> Tensor:
        """Positions of a weight before those of x, the same for every sample."""

    def transpose(self, x: Tensor, axes: Sequence[int]) -> Tensor:
        """The axes in another order, the batch among them as 0."""

    def pad(self, x: Tensor, sides: Sequence[tuple[int, int]], mode: str = "zeros") -> Tensor:
        """Before and after along every axis but the batch: zeros, or what is there, mirrored at the outermost element
        (`reflect`) or with it (`symmetric`)."""

    def crop(self, x: Tensor, like: Tensor, offsets: Sequence[int | None]) -> Tensor:
        """The positions of x from an offset on, as many as another tensor has; with None from the middle."""

    def space_to_depth(self, x: Tensor, factor: int) -> Tensor:
        """Blocks of positions as one position each, with their channels one after the other, row by row."""

    def depth_to_space(self, x: Tensor, factor: int) -> Tensor:
        """`space_to_depth` turned round."""

    def slice(self, x: Tensor, slices: Sequence[slice]) -> Tensor:
        """A part: one slice for every axis but the batch, with steps forward."""

    def gather(self, x: Tensor, order: Sequence[int]) -> Tensor:
        """Channels by their numbers, from 0."""

    def resize(self, x: Tensor, factors: Sizes, method: str) -> Tensor:
        """Each pixel as many as its factors (`nearest`), or pixels between them, their centres half a pixel from the
        border and nothing beyond the outermost ones (`bilinear`)."""

    def interpolate(self, x: Tensor, like: Sizes | Tensor, method: str) -> Tensor:
        """An image of other sizes, or of those of another tensor, by a method of `netc.ir.resampling`; where it becomes
        smaller, pixels between are left out."""

    def resample(self, x: Tensor, sizes: Sizes, method: str) -> Tensor:
        """An image of other sizes, by a method of `netc.ir.resampling`; the sizes of `x` are known."""

    # -- sums of products, and windows -----------------------------------------------------------------------

    def matmul(self, x: Tensor, kernel: Any) -> Tensor:
        """The channels of each position by a weight of inputs x units."""

    def lookup(self, ids: Tensor, table: Any) -> Tensor:
        """A row of a weight for each element of a vector, which are whole numbers from 0 to before its rows."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, heads: int, causal: bool) -> Tensor:
        """Means of `value` for each position of `query`, weighed by the softmax over the positions of `key` of query ·
        key / sqrt(channels); the channels are those of `heads` heads one after the other, each computed by itself.
        `causal` leaves out positions after the query's own."""

    def recur(self, cell: str, x: Tensor, ways: Sequence[tuple[Any, Any, Any]], every: bool) -> Tensor:
        """The last state of a cell that goes over the positions, or the state at `every` one, in their order. Of two
        `ways` the second begins at the end, and its state comes after that of the first. States are 0 at first.

        A way is weights of inputs x gates and of units x gates, and biases or None, the gates of all units one after
        the other: "lstm" has input, forget, memory and output (Gers et al. 2000), "gru" update, reset and state, with a
        row of biases for either product (Cho et al. 2014; the reset gate after the product), "rnn" the state.
        """

    def conv(self, x: Tensor, kernel: Any, stride: Sizes, dilation: Sizes, pad: Pad, groups: int = 1) -> Tensor:
        """Convolution by a weight of window x (channels / groups) x filters; the filters of a group stand together.

        Windows go forward without being mirrored. "same" gives ceil(size / stride), with the odd zero after.
        """

    def conv_transpose(
        self, x: Tensor, kernel: Any, stride: Sizes, dilation: Sizes, cut: Sequence[tuple[int, int]], more: Sizes
    ) -> Tensor:
        """The gradient of a convolution, by a weight of window x filters x channels: each pixel adds a window of the
        output, (size - 1) * stride + dilated window in all. `cut` pixels are taken off each side, and `more` zeros come
        after."""

    def max_pool(self, x: Tensor, kernel: Sizes, stride: Sizes, pad: Pad) -> Tensor:
        """The largest element of each window; padding never wins."""

    def avg_pool(self, x: Tensor, kernel: Sizes, stride: Sizes, pad: Pad, count_padding: bool) -> Tensor:
        """The mean of each window, padding counted as zeros or left out."""
