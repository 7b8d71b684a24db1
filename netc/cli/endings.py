"""How a command ends: exit codes, and what ends one from within."""

CLEAN, ERRORS, USAGE, BUG = 0, 1, 2, 3
INTERRUPTED, READER_LEFT = 130, 141  # 128 and the number of the signal, as shells count


class UsageError(Exception):
    """The command line asks for something that cannot be; the text, of one line, is for the user. Ends with `USAGE`."""


class Failed(Exception):
    """What is wrong has been said. Ends with `ERRORS`."""


class ReaderLeft(Exception):
    """Whoever reads standard output has closed it: nothing is left to be done, and nothing to be said."""
