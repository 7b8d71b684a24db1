"""How a command ends: exit codes, and what ends one from within."""

from collections.abc import Iterator
from contextlib import contextmanager

CLEAN, ERRORS, USAGE, BUG = 0, 1, 2, 3
INTERRUPTED, READER_LEFT = 130, 141  # 128 and the number of the signal, as shells count


class UsageError(Exception):
    """The command line asks for something that cannot be; the text, of one line, is for the user. Ends with `USAGE`."""


@contextmanager
def refusing(*errors: type[Exception], option: str = "") -> Iterator[None]:
    """Errors that say what cannot be, as `UsageError` with the same words, after the `option` at fault."""
    try:
        yield
    except errors as error:
        raise UsageError(f"{option}: {error}" if option else str(error)) from None


class Failed(Exception):
    """What is wrong has been said. Ends with `ERRORS`."""


class ReaderLeft(Exception):
    """Whoever reads standard output has closed it: nothing is left to be done, and nothing to be said."""
