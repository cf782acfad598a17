"""What can be wrong with a request about runs. Each message is for the person who made it and says what to do."""


class RunError(Exception):
    """The base of all errors here."""

    #: Of many submissions, which one is at fault.
    index: int | None = None


class UnknownTaskError(RunError):
    """There is no task of this name; the message names similar ones."""


class ArgumentsError(RunError):
    """The arguments are not JSON, do not fit the task's signature, or are too many bytes."""


class OptionsError(RunError):
    """A queue, time, priority, key or owner cannot be used."""


class KeyConflictError(RunError):
    """The key belongs to a run with another task or other arguments."""


class NoSuchRunError(RunError):
    """There is no run of this id, or whoever asks may not see it."""


class NotAllowedError(RunError):
    """Whoever asks may see the run but not do this."""


class FinishedError(RunError):
    """The run has finished, so it cannot be cancelled, or has not, so it cannot be retried."""


class QueryError(RunError):
    """The query cannot be read; the message says which word and what it expects."""
