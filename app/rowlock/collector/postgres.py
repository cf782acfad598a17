"""What Postgres tells of itself, to the user that the project has anyway."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rowlock.collector import certificate
from rowlock.collector.refreshing import Refreshed

#: Milliseconds after which Postgres gives the question up, and seconds for a new connection.
STATEMENT_TIMEOUT = 2000
CONNECT_TIMEOUT = 5

#: States of connections, of the whole server, as its limit is. Other users' are only seen by those who may see them.
STATES = ("active", "idle", "idle_in_transaction", "other")

_QUESTION = """
WITH clients AS (
    SELECT *, CASE
        WHEN state = 'active' THEN 'active'
        WHEN state = 'idle' THEN 'idle'
        WHEN state LIKE 'idle in transaction%' THEN 'idle_in_transaction'
        ELSE 'other'
    END AS kind
    FROM pg_stat_activity WHERE datname IS NOT NULL AND pid <> pg_backend_pid()
)
SELECT
    (SELECT count(*) FROM clients WHERE kind = 'active'),
    (SELECT count(*) FROM clients WHERE kind = 'idle'),
    (SELECT count(*) FROM clients WHERE kind = 'idle_in_transaction'),
    (SELECT count(*) FROM clients WHERE kind = 'other'),
    current_setting('max_connections')::int,
    (SELECT count(DISTINCT pid) FROM pg_locks JOIN clients USING (pid)
        WHERE NOT granted AND datname = current_database()),
    (SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) FROM clients
        WHERE datname = current_database()),
    pg_database_size(current_database()),
    xact_commit, xact_rollback, deadlocks
FROM pg_stat_database WHERE datname = current_database()
"""


@dataclass(frozen=True, kw_only=True)
class Postgres:
    """One look at the server, and at the database that the project has in it."""

    connections: dict[str, int]
    connections_max: int
    #: Connections that wait for a lock of another.
    locks_waiting: int
    oldest_transaction_seconds: float
    database_bytes: int
    commits: int
    rollbacks: int
    deadlocks: int
    #: Unix time; None without TLS.
    certificate_expires: float | None


def watched() -> Callable[[], Postgres] | None:
    """What asks the project's Postgres; None where it has another database. Needs Django's settings."""
    from django.db import connections

    if connections["default"].vendor != "postgresql":
        return None
    options = connections.settings["default"].setdefault("OPTIONS", {})
    # Nobody waits for this connection for as long as libpq would.
    options.setdefault("connect_timeout", CONNECT_TIMEOUT)
    refreshed: Refreshed[float | None] = Refreshed()
    return lambda: look(refreshed)


def look(certificates: Refreshed[float | None]) -> Postgres:
    """Ask once; closes the thread's database connection. Raises DatabaseErrors."""
    from django.db import connection, transaction

    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL statement_timeout = {STATEMENT_TIMEOUT}")
            cursor.execute(_QUESTION)
            row = cursor.fetchone()
            driver: Any = connection.connection
            expires = certificates.get(lambda: _certificate(driver))
    finally:
        connection.close()
    return Postgres(
        connections=dict(zip(STATES, row[:4], strict=True)),
        connections_max=row[4],
        locks_waiting=row[5],
        oldest_transaction_seconds=float(row[6]),
        database_bytes=row[7],
        commits=row[8],
        rollbacks=row[9],
        deadlocks=row[10],
        certificate_expires=expires,
    )


def _certificate(driver: Any) -> float | None:
    # psycopg 2 says neither; then there is no date.
    with suppress(AttributeError, OSError, ValueError):
        if driver.pgconn.ssl_in_use:
            return certificate.expires(driver.info.host, driver.info.port, prepare=certificate.postgres)
    return None
