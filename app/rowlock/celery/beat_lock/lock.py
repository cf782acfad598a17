from typing import Protocol


class LockError(Exception):
    """Whoever keeps the lock does not answer or refuses to: nobody here knows who holds it."""


class Lock(Protocol):
    """A lock that one process holds at a time, and loses within seconds if it dies, is cut off or stands still."""

    def hold(self) -> bool:
        """Take the lock or confirm it; returns whether it is this process's now. Raises LockError."""
        ...

    def release(self) -> None:
        """Give the lock up at once, if it is held; raises nothing."""
        ...
