"""What comes again in a network: runs of any period, dense chains, equal branches, and what must stay apart."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

import netc
from netc.analysis.repetition import Runs
from netc.analysis.structure import Group, Least, Series, fold, names_of, structure
from tests.effort import effort


def squares(numbers: Sequence[int], end: int) -> dict[int, int]:
    """Periods and counts of the blocks that end at a place, by trying all of them."""
    found = {}
    for period in range(1, end // 2 + 1):
        block = numbers[end - period : end]
        count = 1
        while end >= (count + 1) * period and numbers[end - (count + 1) * period : end - count * period] == block:
            count += 1
        parts = (p for p in range(1, period) if period % p == 0)
        if count > 1 and not any(block == block[:part] * (period // part) for part in parts):
            found[period] = count
    return found


@effort(300)
@given(st.integers(1, 4).flatmap(lambda k: st.lists(st.integers(1, k), max_size=40)), st.integers(1, 6))
def test_runs_are_all_blocks_that_come_again(numbers: list[int], times: int) -> None:
    numbers = (numbers[:7] * times + numbers)[:50]
    runs = Runs(numbers)
    for end in range(len(numbers), 0, -1):
        found = [(period, length // period) for period, length in runs.ending(end)]
        assert dict(found) == squares(numbers, end)
        assert len(found) == len(dict(found))


def folded(text: str, least: Least = Least()) -> tuple[netc.Network, Series]:  # noqa: B008 - frozen
    network = netc.loads(text)
    series = fold(network.net, structure(network.program), lambda node: node.layer, least=least, modules=True)
    return network, series


def counts(series: Series) -> list[tuple[int, int]]:
    """How often each run's block comes and how many layers it has, outermost runs only."""
    groups = [item for item in series.items if isinstance(item, Group)]
    return [(len(group.passes), len(names_of(group.passes[0]))) for group in groups if len(group.passes) > 1]


@pytest.mark.parametrize("period", [2, 7, 13, 50])
def test_a_period_of_any_length_is_found(period: int) -> None:
    block = "".join(f"conv 8x{1 + 2 * (number % 3)} relu\n" for number in range(period - 1)) + "conv 8x1 bias=false\n"
    _, series = folded("input 9x9x8\n" + block * 20 + "gap; fc 2")
    assert counts(series) == [(20, period)]


def test_what_saves_no_more_than_the_frame_takes_is_written_out() -> None:
    """Six equal layers are one, five are not; the same holds for what they leave out in longer blocks."""
    for text, found in {
        "conv 8x3 relu\n" * 6: [(6, 1)],
        "conv 8x3 relu\n" * 5: [],
        "conv 8x3; bn; relu\n" * 6: [(6, 3)],
        "conv 8x3\nconv 8x1\n" * 3: [],
        "conv 8x3\nconv 8x1\n" * 4: [(4, 2)],
        "add { | identity | conv 8x3; conv 8x3 }\n" * 2: [],
        "add { | identity | conv 8x3; conv 8x3 }\n" * 3: [(3, 3)],
        "def unit() { add { | identity | conv 8x3; conv 8x3 } }\n" + "unit\n" * 2: [(2, 3)],
    }.items():
        _, series = folded(f"input 9x9x8\n{text}gap; fc 2")
        assert counts(series) == found, text


def test_what_comes_again_in_a_block_is_told_there() -> None:
    _, series = folded("input 9x9x8\n" + ("conv 8x3 relu\n" * 8 + "conv 8x1\n") * 5 + "gap; fc 2")
    (group,) = [item for item in series.items if isinstance(item, Group)]
    assert (len(group.passes), counts(group.passes[0])) == (5, [(8, 1)])


@pytest.mark.parametrize("newest", ["first", "last"])
def test_dense_chains_with_all_layers_before_each_are_repeats(newest: str) -> None:
    """As Huang et al. (2017) write them: every layer reads a concatenation of all that came before."""
    lines, known = ["x0: conv 8x3"], ["x0"]
    for number in range(1, 7):
        lines.append(f"bn; relu; conv 16x1; bn; relu; u{number}: conv 4x3")
        if newest == "last":
            lines.append(f"from x0; concat {' '.join([*known[1:], f'u{number}'])}")
        else:
            lines.append(f"concat {' '.join(known)}")
        known.append(f"u{number}")
    network, series = folded("input 9x9x3\n" + "\n".join(lines) + "\nbn; relu; gap; fc 2")
    assert len(network.net.operands("concat6")) == 7
    assert counts(series) == [(6, 7)]
    (group,) = [item for item in series.items if isinstance(item, Group) and len(item.passes) > 1]
    assert [names_of(one)[-1] for one in group.passes] == [f"concat{number}" for number in range(1, 7)]


def test_a_block_begins_where_one_tensor_enters_it() -> None:
    """Pre-activation written out, with one more normalisation at the end: the blocks end with their sums all the same."""
    unit = "bn; relu; conv 8x3; bn; relu; conv 8x3"
    _, series = folded("input 9x9x8\n" + f"add {{ | identity | {unit} }}\n" * 1 + "".join(
        f"x{n}: identity\n{unit}\nadd x{n}\n" for n in range(8)) + "bn; relu; gap; fc 2")  # fmt: skip
    (group,) = [item for item in series.items if isinstance(item, Group)]
    assert [names_of(one)[-1][:3] for one in group.passes] == ["add"] * 8


def test_a_block_that_is_read_from_afar_ends_its_run() -> None:
    """A tap after the fourth of ten blocks: four, and six after it, which nothing reads but the next."""
    blocks = [f"b{n}: add {{ | identity | conv 8x3 relu; conv 8x3 }}" for n in range(10)]
    _, series = folded("input 9x9x8\n" + "\n".join(blocks) + "\nconv 8x1; add b3; gap; fc 2", Least(found=True))
    assert counts(series) == [(4, 3), (6, 3)]
    _, inside = folded(
        "input 9x9x8\n"
        + "conv 8x3 relu\n" * 3
        + "x: conv 8x3 relu\n"
        + "conv 8x3 relu\n" * 6
        + "a: gap\nfrom x; b: gap\noutput a b"
    )
    assert counts(inside) == [(6, 1)]


def test_equal_branches_are_one() -> None:
    branch = "| conv 4x1 relu; conv 4x3 relu; conv 32x1\n"
    _, series = folded("input 9x9x32\nadd {\n" + branch * 32 + "| identity\n}\ngap; fc 2")
    (merge,) = [item for item in series.items if not isinstance(item, Group) and item.branches]
    (group,) = [item for part in merge.branches for item in part.items]
    assert isinstance(group, Group)
    assert (group.beside, len(group.passes), len(merge.branches)) == (True, 32, 2)


def test_branches_that_are_read_from_elsewhere_stay() -> None:
    branches = "".join(f"| c{n}: conv 8x1 relu; conv 8x3 relu; conv 8x1\n" for n in range(8))
    _, series = folded(f"input 9x9x8\nadd {{\n{branches}}}\nadd c3; gap; fc 2")
    merge = next(item for item in series.items if not isinstance(item, Group) and item.branches)
    assert len(merge.branches) == 8
