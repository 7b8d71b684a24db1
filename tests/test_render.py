"""How findings look in each format, and what becomes of hostile text in them."""

import json
import re

import pytest

from netc.diagnostics import (
    CODES,
    Diagnostic,
    Diagnostics,
    Edit,
    Fix,
    Frame,
    Label,
    Severity,
    render_concise,
    render_json,
    render_sarif,
    render_text,
)
from netc.diagnostics.fixes import apply_fixes, fix
from netc.diagnostics.levels import Level, LevelError, Levels, apply, find_code
from netc.syntax.source import Source, Span
from netc.syntax.tree import Comment, File

POOLS = "input 32x32x3\n" + "conv 512x3\n" * 2 + "pool 2\n" * 6


def at(source: Source, part: str, count: int = 0) -> Span:
    """The span of the count-th occurrence of a part."""
    start = -1
    for _ in range(count + 1):
        start = source.text.index(part, start + 1)
    return Span(source, start, start + len(part))


def only(code: str, message: str, span: Span | None = None, **more: object) -> Diagnostic:
    return Diagnostics().add(code, message, span, **more)


def underlined(text: str) -> list[str]:
    """The rows below the first source line of a rendered finding."""
    return text.split("\n")[4:]


def test_text_looks_as_the_language_says() -> None:
    source = Source("resnet.net", POOLS)
    found = only(
        "NET204",
        "`pool 2` needs at least 2x2, but its input is 1x1",
        at(source, "pool 2", 5),
        label="1x1x512 here",
        secondary=[Label(at(source, "pool 2", 4), "-> 1x1x512")],
        notes=["the input 32x32 has been halved 5 times already (lines 4, 5, 6, 7, 8)"],
        help=["remove this pool, or start from an input of at least 64x64"],
    )
    assert render_text.render([found]) == (
        "error[NET204]: `pool 2` needs at least 2x2, but its input is 1x1\n"
        "  --> resnet.net:9:1\n"
        "   |\n"
        " 8 | pool 2            -> 1x1x512\n"
        " 9 | pool 2\n"
        "   | ^^^^^^ 1x1x512 here\n"
        "   = note: the input 32x32 has been halved 5 times already (lines 4, 5, 6, 7, 8)\n"
        "   = help: remove this pool, or start from an input of at least 64x64\n"
    )


def test_text_puts_several_labels_of_a_line_on_rows_of_their_own() -> None:
    source = Source("a.net", "add left right\n")
    found = only(
        "NET201",
        "shapes differ",
        at(source, "add"),
        label="joined here",
        secondary=[Label(at(source, "left"), "8x8x4"), Label(at(source, "right"), "8x8x1")],
    )
    assert underlined(render_text.render([found])) == [
        "   | ^^^ ---- ----- 8x8x1",
        "   | |   |",
        "   | |   8x8x4",
        "   | joined here",
        "",
    ]


def test_text_underlines_first_and_last_line_of_a_long_span() -> None:
    source = Source("a.net", "repeat 2 {\n  conv 8x3\n  }\n")
    text = render_text.render([only("NET001", "m", Span(source, 0, source.text.rindex("}") + 1), label="never closed")])
    assert text.split("\n")[3:] == [
        " 1 | repeat 2 {",
        "   | ^^^^^^^^^^",
        "...",
        " 3 |   }",
        "   |   ^ never closed",
        "",
    ]


def test_text_shows_other_files_and_the_chain() -> None:
    main, other = Source("main.net", 'use "b.net"\nblock\n'), Source("b.net", "def block() {\n  pool 9\n}\n")
    frame = Frame("copy 3 of 5 of `block`", at(main, "block"))
    label = Label(at(main, "use"), "brought in here")
    text = render_text.render([only("NET204", "m", at(other, "pool 9"), secondary=[label], frame=frame)])
    assert "  --> b.net:2:3\n" in text
    assert "  ::: main.net:1:1\n" in text
    assert "   = note: in copy 3 of 5 of `block`, used at main.net:2:1\n" in text


def test_text_shortens_a_long_chain() -> None:
    source = Source("a.net", "x\n")
    frame = None
    for depth in range(100):
        frame = Frame(f"`d{depth}`", Span(source, 0, 1), frame)
    steps = render_text.chain(frame)
    assert len(steps) == 2 * render_text.CHAIN + 1
    assert steps[render_text.CHAIN] == "(88 more steps)"
    assert steps[0].startswith("in `d99`")


@pytest.mark.parametrize(
    ("line", "part", "row"),
    [
        ("\tpool 2", "pool", "    ^^^^"),
        ("a\tpool", "pool", "    ^^^^"),
        ("漢字 pool", "pool", "     ^^^^"),
        ("漢字 pool", "漢字", "^^^^"),
        ("e\u0301 pool", "pool", "  ^^^^"),
        ("\x1b[2J pool", "pool", "        ^^^^"),
        ("\u202epool", "pool", "      ^^^^"),
        ("pool", "", "^"),
    ],
)
def test_text_underlines_what_a_terminal_shows(line: str, part: str, row: str) -> None:
    source = Source("a.net", line + "\r\n")
    text = render_text.render([only("NET001", "m", at(source, part))])
    assert underlined(text)[0] == "   | " + row


def test_text_shortens_long_lines_around_the_span() -> None:
    source = Source("a.net", "x" * 100_000 + "pool 2" + "y" * 100_000 + " end")
    far = [Label(at(source, "end"), "right"), Label(Span(source, 3, 5), "left")]
    lines = render_text.render([only("NET001", "m", at(source, "pool 2"), label="here", secondary=far)]).split("\n")
    assert max(map(len, lines)) < render_text.WIDTH + 40
    assert lines[3].startswith(" 1 | ...x")
    assert lines[3].endswith("y...")
    column = lines[3].index("pool 2")
    assert lines[4][column : column + 6] == "^^^^^^"
    assert [line.split()[-1] for line in lines[6:8]] == ["here", "left"]


HOSTILE = "\x1b]0;owned\x07\x9b31m\u202e\u2028\x7f\udcff"


def test_nothing_hostile_reaches_a_terminal() -> None:
    source = Source("bad\x1b[31m.net", f'net "{HOSTILE}"\n')
    found = only(
        "NET001",
        HOSTILE,
        Span(source, 0, 3),
        label=HOSTILE,
        secondary=[Label(Span(source, 4, 9), HOSTILE), Label(Span(source, 4, 9), "-> " + HOSTILE)],
        notes=[HOSTILE],
        help=[HOSTILE],
        fix=Fix(HOSTILE, ()),
        frame=Frame(HOSTILE, Span(source, 0, 3)),
    )
    shown = [render_text.render([found]), render_text.summary([found], [source.name]), render_concise.render([found])]
    shown += [render_json.render([found]), render_sarif.render([found])]
    for text in shown:
        assert all(character == "\n" or character.isprintable() for character in text)
    coloured = render_text.render([found], colour=True)
    assert set(re.findall("\x1b[^m]*m", coloured)) <= {f"\x1b[{code}m" for code in ("0", "1", "1;31", "1;34", "36")}


def test_colour_changes_nothing_but_colour() -> None:
    source = Source("a.net", "add left right\n")
    found = only("NET201", "m", at(source, "add"), label="l", secondary=[Label(at(source, "left"), "k")], notes=["n"])
    coloured = render_text.render([found], colour=True)
    assert coloured != render_text.render([found])
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == render_text.render([found])


def test_text_shows_no_line_of_a_file_that_was_not_read() -> None:
    found = only("NET005", "cannot read a.net", Span(Source("a.net", ""), 0, 0))
    assert render_text.render([found]) == "error[NET005]: cannot read a.net\n  --> a.net:1:1\n"


def test_summary_counts() -> None:
    error, warning = only("NET001", "m"), only("NET301", "m")
    assert render_text.summary([error, error, warning], ["resnet.net"]) == "2 errors, 1 warning in resnet.net"
    assert render_text.summary([warning] * 2, ["a", "b"]) == "2 warnings in 2 files"
    assert render_text.summary([], ["a.net"]) == "no errors or warnings in a.net"


def test_concise_is_one_line_a_finding() -> None:
    source = Source("a.net", "input 3\npool 2\n")
    text = render_concise.render([only("NET204", "too\nlarge", at(source, "pool")), only("NET125", "no layer")])
    assert text == "a.net:2:1: error[NET204] too\\nlarge\nnetc: error[NET125] no layer\n"


def test_json_holds_everything() -> None:
    source = Source("a.net", "input 漢\npool 2\n")
    span = at(source, "pool 2")
    mend = Fix("use `pool 3`", (Edit(at(source, "2"), "3"),), safe=True)
    label = Label(at(source, "漢"), "seen")
    more = {"label": "l", "secondary": [label], "notes": ["n"], "help": ["h"]}
    found = only("NET301", "m", span, fix=mend, frame=Frame("t", span), **more)
    place = {"file": "a.net", "start": {"line": 2, "column": 1}, "end": {"line": 2, "column": 7}}
    assert json.loads(render_json.render([found])) == [
        {
            "code": "NET301",
            "name": "window-under-stride",
            "severity": "warning",
            "message": "m",
            **place,
            "label": "l",
            "labels": [
                {"file": "a.net", "start": {"line": 1, "column": 7}, "end": {"line": 1, "column": 8}, "text": "seen"}
            ],
            "notes": ["n"],
            "help": ["h"],
            "fix": {
                "title": "use `pool 3`",
                "safe": True,
                "edits": [
                    {
                        "file": "a.net",
                        "start": {"line": 2, "column": 6},
                        "end": {"line": 2, "column": 7},
                        "replacement": "3",
                    }
                ],
            },
            "chain": [{"title": "t", **place}],
        }
    ]
    assert json.loads(render_json.render([])) == []


def test_sarif_names_rules_places_and_fixes() -> None:
    source = Source("dir/a b.net", "input 8x8x3\npool 1/2\npool 1/2\n")
    mend = Fix("subsample", (Edit(at(source, "pool 1/2"), "subsample 2"),), safe=True)
    found = [only("NET301", "m", at(source, "pool 1/2", n), notes=["n"], fix=mend) for n in range(2)]
    found.append(only("NET125", "no layer"))
    log = json.loads(render_sarif.render(found))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert run["columnKind"] == "unicodeCodePoints"
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["NET125", "NET301"]
    assert "stride" in run["tool"]["driver"]["rules"][1]["help"]["markdown"]
    first, _, third = run["results"]
    assert first["ruleIndex"] == 1
    assert first["level"] == "warning"
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "dir/a%20b.net"
    assert place["region"] == {"startLine": 2, "startColumn": 1, "endLine": 2, "endColumn": 9}
    change = first["fixes"][0]["artifactChanges"][0]["replacements"][0]
    assert change["insertedContent"]["text"] == "subsample 2"
    assert "locations" not in third
    assert len({result["partialFingerprints"]["netcFinding/v1"] for result in run["results"]}) == 3


def test_sarif_fingerprint_stays_when_lines_above_change() -> None:
    def fingerprint(text: str) -> str:
        source = Source("a.net", text)
        log = json.loads(render_sarif.render([only("NET301", "m", at(source, "pool"))]))
        return log["runs"][0]["results"][0]["partialFingerprints"]["netcFinding/v1"]

    assert fingerprint("pool 1/2\n") == fingerprint("# more\n\n  pool 1/2\n") != fingerprint("pool 1/3\n")


# -- levels --------------------------------------------------------------------------------------------------


def commented(text: str) -> File:
    """A file of which only the comments matter."""
    source = Source("a.net", text)
    comments = [
        Comment(match[2], not match[1].strip(), Span(source, match.start(2) - 1, match.end()))
        for match in re.finditer(r"^([^#\n]*)#(.*)", text, re.MULTILINE)
    ]
    return File(source, (), tuple(comments))


def judged(text: str, *found: tuple[str, str], levels: Levels | None = None) -> list[tuple[str, str]]:
    """Codes and severities after comments and levels, with findings given by code and underlined part."""
    file, report = commented(text), Diagnostics()
    for code, part in found:
        report.add(code, "m", at(file.source, part))
    return [(shown.code, shown.severity.value) for shown in apply(report, levels or Levels(), [file])]


def test_levels_later_wins() -> None:
    levels = Levels.of([(Level.DENY, "warnings"), (Level.ALLOW, "net503"), (Level.WARN, "bias-before-norm")])
    text = "a\nb\nc\nd\n"
    found = [("NET301", "a"), ("NET503", "b"), ("NET501", "c"), ("NET204", "d")]
    assert judged(text, *found, levels=levels) == [("NET301", "error"), ("NET501", "warning"), ("NET204", "error")]


def test_errors_have_no_level() -> None:
    with pytest.raises(LevelError, match="is an error"):
        Levels.of([(Level.ALLOW, "NET204")])
    allowed = judged("pool 2 # netc: allow NET204\n", ("NET204", "pool"))
    assert ("NET204", "error") in allowed
    assert ("NET009", "error") in allowed


@pytest.mark.parametrize("text", ["NET301", "net301", "301", "window-under-stride", " 301 "])
def test_codes_are_found_by_number_and_name(text: str) -> None:
    assert find_code(text) == "NET301"


@pytest.mark.parametrize(("text", "close"), [("NET31", "NET301"), ("window-under-strid", "window-under-stride")])
def test_unknown_code_names_the_nearest(text: str, close: str) -> None:
    with pytest.raises(LevelError, match=f"did you mean `{close}`"):
        find_code(text)


@pytest.mark.parametrize(
    "text",
    [
        "pool 1/2  # netc: allow NET301\n",
        "pool 1/2  #netc:allow NET503, NET301 # as in the paper\n",
        "# netc: allow window-under-stride\npool 1/2\n",
        "# netc: allow NET301\n# more\npool 1/2\n",
    ],
)
def test_comment_accepts_a_lint(text: str) -> None:
    extra = [("NET503", "pool")] if "503" in text else []
    assert judged(text, ("NET301", "pool"), *extra) == []


def test_comment_at_a_call_accepts_the_lints_of_its_copy() -> None:
    file, report = commented("def b() { pool 1/2 }\nb # netc: allow NET301\n"), Diagnostics()
    report.add("NET301", "m", at(file.source, "pool 1/2"), frame=Frame("`b`", Span(file.source, 21, 22)))
    assert apply(report, Levels(), [file]) == []


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("conv # netc: allow NET301\n", "NET516"),
        ("conv # netc: allow NET999\n", "NET009"),
        ("conv # netc: alow NET301\n", "NET009"),
        ("conv # netc: allow\n", "NET009"),
        ("conv # netc: allow warnings\n", "NET009"),
    ],
)
def test_comment_that_does_nothing_is_reported(text: str, code: str) -> None:
    assert [found for found, _ in judged(text)] == [code]


def test_useless_comment_is_not_reported_where_errors_kept_lints_from_running() -> None:
    assert judged("conv # netc: allow NET301\n", ("NET204", "conv")) == [("NET204", "error")]


def test_findings_are_sorted_by_place() -> None:
    assert [code for code, _ in judged("a\nb\n", ("NET204", "b"), ("NET301", "a"))] == ["NET301", "NET204"]


# -- fixes ---------------------------------------------------------------------------------------------------


def test_fixes_apply_safe_and_disjoint_edits() -> None:
    source = Source("a.net", "aa bb cc dd\n")

    def replaced(part: str, text: str, safe: bool = True) -> Diagnostic:
        return only("NET001", part, at(source, part), fix=Fix("t", (Edit(at(source, part), text),), safe))

    found = [replaced("cc", "C"), replaced("aa", "A"), replaced("aa bb", "X"), replaced("dd", "D", safe=False)]
    assert apply_fixes(source, found) == "A bb C dd\n"


def test_fix_leaves_other_files_alone() -> None:
    source, other = Source("a.net", "aa\n"), Source("b.net", "aa\n")
    mend = Fix("t", (Edit(at(other, "aa"), "b"),), safe=True)
    assert apply_fixes(source, [only("NET001", "m", at(other, "aa"), fix=mend)]) == "aa\n"


def bad(source: Source) -> list[Diagnostic]:
    """A finding for each `x`, whose fix removes one character of it."""
    spans = [Span(source, match.start(), match.end()) for match in re.finditer("x+", source.text)]
    return [only("NET001", "m", span, fix=Fix("t", (Edit(span, ""),), safe=True)) for span in spans]


def test_fix_goes_on_while_it_gets_better() -> None:
    fixed, left, _ = fix(Source("a.net", "x a xx b"), bad)
    assert (fixed.text, left) == (" a  b", [])


def test_fix_that_makes_it_worse_is_not_kept() -> None:
    def worse(source: Source) -> list[Diagnostic]:
        mend = Fix("t", (Edit(Span(source, 0, 1), "zz"),), safe=True)
        return [only("NET204", f"{n}", Span(source, 0, 1), fix=mend) for n in range(len(source.text))]

    fixed, left, _ = fix(Source("a.net", "y"), worse)
    assert (fixed.text, len(left)) == ("y", 1)


def test_mending_a_syntax_error_may_uncover_later_ones() -> None:
    def stages(source: Source) -> list[Diagnostic]:
        if source.text == "ok":
            return [only("NET204", f"{n}", Span(source, 0, 1)) for n in range(3)]
        return [only("NET001", "m", Span(source, 0, 2), fix=Fix("t", (Edit(Span(source, 0, 2), "ok"),), safe=True))]

    fixed, left, _ = fix(Source("a.net", "no"), stages)
    assert (fixed.text, len(left)) == ("ok", 3)


def test_codes_are_in_order_and_names_unique() -> None:
    assert list(CODES) == sorted(CODES)
    assert len({code.name for code in CODES.values()}) == len(CODES)
    assert {code.severity for code in CODES.values() if code.code[3] in "35"} == {Severity.WARNING}
