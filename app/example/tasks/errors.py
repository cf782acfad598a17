class BadInput(Exception):  # noqa: N818 - results show this name to people
    """What a task was given cannot be worked with; the message says why and what is expected.

    Tasks declare it in `throws`: it is the caller's mistake, and no traceback for the log.
    """
