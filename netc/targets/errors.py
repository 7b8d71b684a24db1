"""What targets refuse."""


class ExportError(Exception):
    """What cannot be written, or would not be the network. The text is for the user."""


class Unproved(ExportError):
    """Where nothing shows whether two programs are the same."""
