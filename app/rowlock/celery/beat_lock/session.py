"""A lock that a session of Postgres holds: gone with its connection, and that with whoever had it."""

from typing import Any

from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import load_backend

from rowlock.celery.beat_lock.lock import LockError

#: Identifies the lock among the advisory locks of the database.
KEY = int.from_bytes(b"rl-beat")

#: The client's side of the connection: an answer that does not come is an error within seconds.
CLIENT = {
    "application_name": "rowlock beat lock",
    "connect_timeout": 3,
    "keepalives": 1,
    "keepalives_idle": 3,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "tcp_user_timeout": 5000,
}
#: The server's side: it ends the session of a beat whose node has vanished, and by the last line that of one which
#: stands still while its kernel answers for it.
SERVER = """
    SET tcp_keepalives_idle = 3; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3;
    SET tcp_user_timeout = '5s'; SET idle_session_timeout = '8s'
"""


class SessionLock:
    """An advisory lock on a connection of its own, outside of any pool."""

    def __init__(self, settings: dict[str, Any]) -> None:
        options = {name: value for name, value in settings.get("OPTIONS", {}).items() if name != "pool"}
        self._settings = {**settings, "OPTIONS": {**options, **CLIENT}}
        self._connection: BaseDatabaseWrapper | None = None
        self._session: int | None = None

    def hold(self) -> bool:
        try:
            return self._hold()
        except DatabaseError as error:
            self.release()
            raise LockError(f"Postgres, which keeps the lock: {error}") from error

    def release(self) -> None:
        self._session = None
        if self._connection is not None:
            connection, self._connection = self._connection, None
            connection.close()

    def _hold(self) -> bool:
        if self._connection is None:
            self._connection = self._connect()
        with self._connection.cursor() as cursor:
            if self._session is None:
                cursor.execute("SELECT pg_try_advisory_lock(%s), pg_backend_pid()", [KEY])
                is_mine, session = cursor.fetchone()
                if is_mine:
                    self._session = session
                return bool(is_mine)
            cursor.execute("SELECT pg_backend_pid()")
            (session,) = cursor.fetchone()
        if session != self._session:
            self.release()
            raise LockError(
                "DATABASE_URL leads to a pooler that shares sessions between transactions, and a lock is a session's: "
                "use ROWLOCK_BEAT_LOCK=lease (beat.lock of the chart), or connect beat to Postgres itself."
            )
        return True

    def _connect(self) -> BaseDatabaseWrapper:
        connection: BaseDatabaseWrapper = load_backend(self._settings["ENGINE"]).DatabaseWrapper(
            self._settings, "rowlock beat lock"
        )
        with connection.cursor() as cursor:
            cursor.execute(SERVER)
        return connection
