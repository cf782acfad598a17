"""A lock on a file beside a SQLite database, for the processes of one machine."""

import fcntl
import os

from rowlock.celery.beat_lock.lock import LockError


class FileLock:
    """The kernel gives the lock back when the process that holds it ends, however it does."""

    def __init__(self, database: str) -> None:
        """`database` is the path of a SQLite database; one in memory has nobody to share with."""
        self._path = "" if ":memory:" in database or "mode=memory" in database else f"{database}.beat-lock"
        self._descriptor: int | None = None

    def hold(self) -> bool:
        if not self._path:
            return True
        try:
            return self._hold()
        except OSError as error:
            self.release()
            raise LockError(f"the lock's file: {error}") from error

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _hold(self) -> bool:
        if self._descriptor is not None and self._is_there(self._descriptor):
            return True
        self.release()
        descriptor = os.open(self._path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return self._is_there(descriptor)

    def _is_there(self, descriptor: int) -> bool:
        # Whoever finds the file deleted makes a new one, and locks that.
        try:
            return os.path.samestat(os.fstat(descriptor), os.stat(self._path))  # noqa: PTH116 - beside fstat
        except FileNotFoundError:
            return False
