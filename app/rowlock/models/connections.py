"""Database connections of background threads, which no request and no task looks after."""

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper


def rest(of: BaseDatabaseWrapper | None = None) -> None:
    """Give the connection, the thread's own without another, back to its pool, where there is one, before waiting."""
    resting = connection if of is None else of
    if resting.settings_dict.get("OPTIONS", {}).get("pool"):
        resting.close()


def drop() -> None:
    """Close the connection after an error; the next query opens a new one."""
    connection.close()
