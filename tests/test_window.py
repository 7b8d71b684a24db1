"""Window arithmetic against windows that are laid out one by one."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from netc.ir.window import Window, cropping, output_size, read_share, same_padding, skips, transposed_size
from netc.layers import LAYERS
from netc.layers.sliding import pad_of, slide_windows

SIZES = st.integers(1, 40)
TAPS = st.integers(1, 9)
STEPS = st.integers(1, 7)


def starts(size: int, window: Window) -> list[int]:
    """Where each window's first tap lies, counted while the window fits into the padded input."""
    found, start = [], -window.before
    while start + window.extent <= size + window.after:
        found.append(start)
        start += window.stride
    return found


def read(size: int, window: Window) -> set[int]:
    """Pixels under any tap of any window."""
    taps = range(0, window.extent, window.dilation)
    return {start + tap for start in starts(size, window) for tap in taps} & set(range(size))


@given(SIZES, TAPS, STEPS, STEPS)
def test_same_crops_a_transposed_convolution_to_a_multiple_of_its_input(
    size: int, taps: int, stride: int, dilation: int
) -> None:
    before, after = cropping(taps, stride, dilation)
    whole = transposed_size(size, taps, stride, dilation, "valid")
    assert whole is not None
    assert whole - before - after == size * stride
    assert after - before in (0, 1)


@given(SIZES, TAPS, STEPS, STEPS, st.integers(0, 6), st.integers(0, 6))
def test_explicit_padding_counts_whole_windows(
    size: int, taps: int, stride: int, dilation: int, before: int, after: int
) -> None:
    window = Window(taps, stride, dilation, before, after)
    counted = len(starts(size, window))
    assert max(output_size(size, taps, stride, dilation, (before, after)) or 0, 0) == counted
    if before == after == 0:
        assert max(output_size(size, taps, stride, dilation, "valid") or 0, 0) == counted


@given(SIZES, TAPS, STEPS, STEPS, st.integers(0, 6), st.integers(0, 6), st.integers(0, 6))
def test_paddings_are_one_where_windows_stand_the_same(
    size: int, taps: int, stride: int, dilation: int, before: int, after: int, other: int
) -> None:
    one = Window(taps, stride, dilation, before, after)
    two = replace(one, after=other)
    if found := starts(size, one):
        assert one.beyond(size, len(found)) == found[-1] + one.extent - size
        assert one.stands_as(two, size) == (found == starts(size, two))
        assert not one.stands_as(replace(two, before=before + 1), size)
    assert one.stands_as(two, None) == (after == other)
    pad = pad_of([size], [two], ("same", "valid"))
    if pad is not None:
        assert two.stands_as(slide_windows((size, 1), taps, stride, dilation, pad)[0], size)
    own = slide_windows((size, 1), taps, stride, dilation, "same")
    assert pad_of([size], own, ("valid", "same")) in ("same", "valid")


@given(SIZES, TAPS, STEPS, STEPS)
def test_same_padding_gives_a_window_for_each_stride(size: int, taps: int, stride: int, dilation: int) -> None:
    before, after = same_padding(size, taps, stride, dilation)
    count = output_size(size, taps, stride, dilation, "same")
    assert count == len(range(0, size, stride))
    assert after - before in (0, 1)
    assert count == output_size(size, taps, stride, dilation, (before, after))
    if before + after:  # and not a zero more than needed
        assert count != output_size(size, taps, stride, dilation, (0, before + after - 1))


@pytest.mark.parametrize(
    ("size", "window", "stride", "pads"),
    [(32, 3, 1, (1, 1)), (32, 2, 1, (0, 1)), (32, 3, 2, (0, 1)), (31, 3, 2, (1, 1)), (224, 7, 2, (2, 3))],
)
def test_same_padding_is_as_the_language_says(size: int, window: int, stride: int, pads: tuple[int, int]) -> None:
    assert same_padding(size, window, stride) == pads


@given(SIZES, TAPS, STEPS, STEPS, st.integers(0, 6), st.integers(0, 6))
def test_read_share_counts_pixels(size: int, taps: int, stride: int, dilation: int, before: int, after: int) -> None:
    window = Window(taps, stride, dilation, before, after)
    assert read_share(size, window) == pytest.approx(len(read(size, window)) / size)


@given(TAPS, STEPS, STEPS)
def test_skipping_windows_leave_out_inner_pixels(taps: int, stride: int, dilation: int) -> None:
    window = Window(taps, stride, dilation)
    size = 40 * stride + 20 * dilation + window.extent
    inner = set(range(window.extent, size - window.extent - stride))
    assert skips(window) == bool(inner - read(size, window))


def test_read_share_of_enormous_windows_is_quick() -> None:
    assert read_share(2**31, Window(10**9, 10**9)) == pytest.approx(2 * 10**9 / 2**31)
    assert 0 < read_share(2**31, Window(10**8, 2, 3)) <= 1
    assert read_share(None, Window(1, 2)) == 0.5


@given(SIZES, TAPS, STEPS, STEPS)
def test_causal_windows_end_at_their_own_step(size: int, taps: int, stride: int, dilation: int) -> None:
    (window,) = slide_windows((size, 1), taps, stride, dilation, "causal")
    assert len(starts(size, window)) == output_size(size, taps, stride, dilation, "causal")
    assert all(start + window.extent - 1 == index * stride for index, start in enumerate(starts(size, window)))


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "padding", "expected"),
    [(8, 3, 2, "same", 16), (8, 3, 2, "valid", 17), (8, 2, 3, "same", 24), (8, 2, 3, "valid", 24)],
)
def test_transposed_sizes_of_keras(size: int, kernel: int, stride: int, padding: str, expected: int) -> None:
    assert transposed_size(size, kernel, stride, 1, padding) == expected


def spread_reads(size: int, count: int, window: Window) -> list[set[int]]:
    """The input pixels that each output of a window on a spread-out input reads."""
    taps = range(0, window.extent, window.dilation)
    places = [[index * window.stride - window.before + tap for tap in taps] for index in range(count)]
    return [{place // window.up for place in row if place % window.up == 0} & set(range(size)) for row in places]


@settings(deadline=None)
@given(st.integers(1, 12), TAPS, STEPS, STEPS, st.sampled_from(["same", "valid"]))
def test_transposed_windows_are_the_windows_turned_round(
    size: int, kernel: int, stride: int, dilation: int, pad: str
) -> None:
    """Output o of a transposed convolution reads input i exactly when window i of the convolution reads pixel o."""
    if stride > 1:
        dilation = 1
    layer = LAYERS["deconv"](filters=1, kernel=(kernel,), stride=(stride,), dilation=(dilation,), pad=pad)
    count = layer.infer([(size, 1)])[0]
    windows = layer.windows([(size, 1)])
    assert windows is not None
    assert count is not None
    before = same_padding(count, kernel, stride, dilation)[0] if pad == "same" else 0
    turned: list[set[int]] = [set() for _ in range(count)]
    for index, tap in product(range(size), range(kernel)):
        place = index * stride + tap * dilation - before
        if 0 <= place < count:
            turned[place].add(index)
    assert spread_reads(size, count, windows[0]) == turned


@given(st.integers(1, 9), st.integers(1, 6))
def test_nearest_upsampling_reads_the_pixel_it_repeats(size: int, factor: int) -> None:
    windows = LAYERS["upsample"](factor=factor).windows([(size, 1)])
    assert windows is not None
    assert spread_reads(size, size * factor, windows[0]) == [{index // factor} for index in range(size * factor)]


@given(st.integers(2, 9), st.integers(1, 6))
def test_bilinear_upsampling_reads_the_neighbours(size: int, factor: int) -> None:
    windows = LAYERS["upsample"](factor=factor, method="bilinear").windows([(size, size, 1)])
    assert windows is not None
    expected = []
    for index in range(size * factor):
        twice = 2 * index + 1 - factor  # 2 * factor times the place in the input
        low = twice // (2 * factor)
        near = {low} if twice % (2 * factor) == 0 else {low, low + 1}
        expected.append(near & set(range(size)))
    assert spread_reads(size, size * factor, windows[0]) == expected
