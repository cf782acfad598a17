"""SQL for the database's own time. Processes' clocks differ; the database has one."""

from django.db.backends.base.base import BaseDatabaseWrapper


def now(connection: BaseDatabaseWrapper, *, plus: float = 0) -> str:
    """An SQL expression for the present time, `plus` seconds added; to be used in a statement with parameters."""
    if connection.vendor == "postgresql":
        return f"(clock_timestamp() + interval '{plus:.3f} seconds')" if plus else "clock_timestamp()"
    # As Django writes times on SQLite, where they are text.
    shift = f", '{plus:+.3f} seconds'" if plus else ""
    return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f000', 'now'{shift})"
