"""Every case file, and the harness that reads them."""

from pathlib import Path

import pytest

from netc.diagnostics.codes import CODES
from tests.cases import ROOT, Expected, paths, read_case, update


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_case(path: Path) -> None:
    assert not (told := read_case(path).differences()), "\n".join(told)


def test_expected_codes_exist() -> None:
    wanted = {one.code for path in paths() for there in read_case(path).expected.values() for one in there}
    assert wanted <= set(CODES)


def test_harness_tells_missing_and_unexpected(tmp_path: Path) -> None:
    path = tmp_path / "case.net"
    path.write_text('input 8x8x3\nconv 64 x 3\npool 2 #! NET204 @1-6 "larger"\n')
    told = read_case(path).differences()
    assert [line.split(":", 2)[2].split()[:2] for line in told] == [["unexpected", "NET004"], ["missing", "NET204"]]


def test_update_makes_a_case_pass_and_keeps_the_part_of_the_message(tmp_path: Path) -> None:
    path = tmp_path / "case.net"
    path.write_text('#! options: --deny NET509\ninput 8x8x3\nconv 64 x 3  #! NET004 "64"\nconv 3x3\n#! NET204\n')
    assert update(path)
    case = read_case(path)
    assert not case.differences()
    assert case.expected[2][0].text == "64"
    assert [one.code for one in case.expected[3]] == ["NET509"]
    assert not update(path)


def test_comment_that_says_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="expected `#! NET204"):
        Expected.read("NET20")
