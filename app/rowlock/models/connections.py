"""Database connections of background threads, which no request and no task looks after."""

from django.db import connection


def rest() -> None:
    """Give the connection back to its pool, where there is one, before waiting."""
    if connection.settings_dict.get("OPTIONS", {}).get("pool"):
        connection.close()


def drop() -> None:
    """Close the connection after an error; the next query opens a new one."""
    connection.close()
