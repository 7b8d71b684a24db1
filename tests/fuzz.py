"""Whatever text comes, every command answers with diagnostics or with what it is for.

python -m tests.fuzz --minutes 10        prints what fails, as short as it gets, and how to have it again
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from random import Random

from netc.compiler import compile_source, judge
from netc.diagnostics import render_concise, render_github, render_json, render_sarif, render_text
from netc.diagnostics.fixes import apply_fixes, fix, weight
from netc.diagnostics.model import Diagnostic, Diagnostics
from netc.figures import dot
from netc.figures.drawing import Drawing
from netc.figures.styles import STYLES, FigureError
from netc.limits import Limits
from netc.program import Program
from netc.report.summary import FORMATS, render
from netc.syntax.format import format_file
from netc.syntax.parser import parse
from netc.syntax.source import Source
from netc.targets import json
from netc.targets.keras.source import emit
from tests.emit_samples import SAMPLES
from tests.syntax_samples import EVERYTHING

ROOT = Path(__file__).parents[1]
LIMITS = Limits(layers=300, steps=3000, repeat=500, includes=10)
SECONDS = 20  # of the processor, for all commands on one text
WHOLE = 120  # layers of networks that are drawn and emitted

_TOKEN = re.compile(r'"[^"\n]*"|#[^\n]*|\w+|\n[ ]*|[ ]+|[^\w\s]')
HOSTILE = (
    *('"""', "'''", "\\", "{name!r}", '"; import os', "__import__('os')", "\u2028import os", "]]>", "<script>", "%s"),
    *("\x00", "\ufeff", "\u202e", "\r", "\x0c", "🙂", "9" * 25, "-1", "1e400", "0", "1e-320", "0.1", "2**62", "?"),
    *("64 x 3", "(n) x3/2", "3x3", "?x?x3", "1/2", "x3", "0x0", "(channels)", "channels", "identity", "from", "output"),
    *("{", "}", "|", "(", ")", ";", "=", ":", "if", "else", "repeat 3 {", "def f(a) {", "shared def", "param", "as"),
    *("default", "use", "net", "language=1", "data", "train", "input", "# netc: allow NET501", "loss", "true", "none"),
)


def texts() -> list[str]:
    """All specs, blocks and cases there are, and samples of every feature of the language."""
    folders = (ROOT / "specs", ROOT / "netc" / "std", ROOT / "tests" / "cases")
    files = [path.read_text(encoding="utf-8") for folder in folders for path in sorted(folder.rglob("*.net"))]
    return [*files, EVERYTHING, *SAMPLES.values()]


def mutated(random: Random, corpus: Sequence[str]) -> str:
    """A text of the corpus with some tokens, lines or bytes changed, moved, or taken from another one."""
    text = random.choice(corpus)
    for _ in range(random.choice((0, 1, 1, 2, 3, 6))):
        text = random.choice((_tokens, _tokens, _tokens, _lines, _bytes))(random, text, corpus)
    return text


def _tokens(random: Random, text: str, corpus: Sequence[str]) -> str:
    parts = _TOKEN.findall(text) or [""]
    at = random.randrange(len(parts))
    other = random.choice(_TOKEN.findall(random.choice(corpus)) or [""])
    new = random.choice(([], [parts[at]] * 2, [random.choice(parts)], [other], [random.choice(HOSTILE)], ["5"]))
    parts[at : at + random.choice((0, 1, 1, 2))] = new
    return "".join(parts)


def _lines(random: Random, text: str, corpus: Sequence[str]) -> str:
    lines = text.split("\n")
    at, other = random.randrange(len(lines)), random.choice(corpus).split("\n")
    lines[at : at + random.choice((0, 0, 1, 3))] = random.choice(([], [random.choice(lines)], [random.choice(other)]))
    return "\n".join(lines)


def _bytes(random: Random, text: str, corpus: Sequence[str]) -> str:
    data = bytearray(text.encode("utf-8", "replace"))
    at = random.randrange(len(data) + 1)
    data[at : at + random.choice((0, 1, 1, 4))] = random.randbytes(random.choice((0, 1, 2)))
    return data.decode("utf-8", "replace")


# -- what holds for every text -------------------------------------------------------------------------------


def check(text: str) -> None:
    """Raises where a command fails on a text, is wrong about it, or takes too long."""
    start = time.process_time()
    source = Source("fuzz.net", text)
    program, findings = compiled(source)
    for found in findings:
        in_text(found, source)
    for renderer in (render_text, render_concise, render_json, render_sarif, render_github):
        assert isinstance(renderer.render(findings), str)
    formatted(source)
    mended(source, findings)
    if not program.report.failed and program.net.outputs:
        put_out(program)
    taken = time.process_time() - start
    assert taken < SECONDS, f"took {taken:.0f} s"


def compiled(source: Source) -> tuple[Program, list[Diagnostic]]:
    program = compile_source(source, {}, LIMITS, speculate=True)
    return program, judge(program)


def in_text(found: Diagnostic, source: Source) -> None:
    assert found.message
    spans = [found.span, *(label.span for label in found.secondary)]
    spans += [edit.span for edit in (found.fix.edits if found.fix else ())]
    for span in spans:
        assert span is None or 0 <= span.start <= span.end <= len(span.source.text), span
    assert found.span is not None or found.code[3] in "14", found


def formatted(source: Source) -> None:
    """What can be read has a canonical form, which proves itself, and is its own."""
    report = Diagnostics()
    file = parse(source, LIMITS, report)
    if report.failed:
        return
    once = format_file(file)
    again = Diagnostics()
    assert format_file(parse(Source("again.net", once), LIMITS, again)) == once
    assert not again.failed


def mended(source: Source, findings: Sequence[Diagnostic]) -> None:
    """Each safe fix makes it better by itself, and so do all together."""
    for found in [found for found in findings if found.fix is not None and found.fix.safe][:5]:
        text = apply_fixes(source, [found])
        assert text != source.text, found
        left = compiled(Source(source.name, text))[1]
        better = weight(left) < weight(findings)
        uncovered = (
            found.code[3] == "0" and kinds(left)[found.code, found.message] < kinds(findings)[found.code, found.message]
        )
        assert better or uncovered, (found, [(one.code, one.message) for one in left])
    for unsafe in (False, True):
        left = fix(source, lambda changed: compiled(changed)[1], unsafe=unsafe).findings
        assert weight(left) <= weight(findings)


def kinds(findings: Sequence[Diagnostic]) -> Counter[tuple[str, str]]:
    return Counter((found.code, found.message) for found in findings)


def put_out(program: Program) -> None:
    for name in FORMATS:
        assert render(program, name)
    assert json.dump(program)
    assert dot.dump(program)
    if len(program.net) > WHOLE:
        return
    for flat in (False, True):
        ast.parse(emit(program, flat=flat))
    for style in STYLES:
        with suppress(FigureError):  # says which style can
            assert Drawing((program,), style).svg


# -- the long run --------------------------------------------------------------------------------------------


def shortened(text: str, fails: Callable[[str], bool]) -> str:
    """A text of fewer lines, then of fewer tokens, that fails too."""
    for split in (lambda whole: re.split(r"(?<=[\n;])", whole), _TOKEN.findall):
        parts = split(text)
        size = max(len(parts) // 2, 1)
        while size:
            at = 0
            while at < len(parts):
                rest = parts[:at] + parts[at + size :]
                if fails("".join(rest)):
                    parts = rest
                else:
                    at += size
            size //= 2
        text = "".join(parts)
    return text


def failure(text: str) -> str:
    """Where and how a text fails, or nothing."""
    try:
        check(text)
    except (Exception, RecursionError) as error:
        places = [f"{Path(at.filename).name}:{at.lineno}" for at in traceback.extract_tb(error.__traceback__)]
        return f"{type(error).__name__} at {' '.join(places[-3:])}"
    return ""


def main() -> int:
    """Fuzz for some minutes; 1 if anything failed."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--minutes", type=float, default=10)
    command.add_argument("--seed", type=int, default=time.time_ns() % 10**6)
    options = command.parse_args()
    corpus, end, count = texts(), time.monotonic() + 60 * options.minutes, 0
    known: set[str] = set()
    print(f"seed {options.seed}", flush=True)
    random = Random(options.seed)
    while time.monotonic() < end:
        text, count = mutated(random, corpus), count + 1
        how = failure(text)
        if how and how not in known:
            known.add(how)
            short = shortened(text, lambda candidate, how=how: failure(candidate) == how)
            print(f"== {how}\n{short!r}", flush=True)
            try:
                check(short)
            except Exception as error:
                print(f"{type(error).__name__}: {str(error)[:1500]}", flush=True)
    print(f"{count} texts, {len(known)} kinds of failures")
    return 1 if known else 0


if __name__ == "__main__":
    sys.exit(main())
