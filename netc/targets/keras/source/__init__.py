"""Keras source code of a program: a module that reads as if written by hand and needs nothing of netc."""

from __future__ import annotations

from netc.program import Program

LINE_LENGTH = 88


def emit(program: Program, *, flat: bool = False) -> str:
    """The text of a Keras 3 module with `build_model`, and `train` where the spec says how to train.

    With `flat`, every layer is one statement. Otherwise the program must have been expanded with `speculate`, or
    arms that did not run are emitted as errors. Raises `UnexpectedCode` where the text is not what a printer may
    write, which would be a bug.
    """
    import black  # noqa: PLC0415 - slow to import, and only this needs it

    from netc.targets.keras.source.inspection import inspect  # noqa: PLC0415
    from netc.targets.keras.source.module import Emitter  # noqa: PLC0415
    from netc.targets.keras.source.text import lines  # noqa: PLC0415
    from netc.targets.keras.source.tree import carried  # noqa: PLC0415

    emitter = Emitter(program)
    module = emitter.flat() if flat else emitter.structured()
    text = black.format_str("\n".join(lines(module)) + "\n", mode=black.Mode(line_length=LINE_LENGTH))
    inspect(text, carried(module))
    return text
