"""A worker that waits for its migrations by itself: an init container would start Django a second time."""

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from celery.utils.log import get_logger
from django.db import DatabaseError, connections
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.executor import MigrationExecutor

logger = get_logger(__name__)

#: Seconds between two looks.
PAUSE = 1.0


def wait_for_migrations() -> None:
    """Return once the default database has every migration; says in the log what it is waiting for.

    As `manage.py migrate --check` sees it. TERM ends the process meanwhile.
    """
    said = None
    with _term_ends_the_process():
        while (missing := _missing()) is not None:
            if missing != said:
                logger.warning("waiting for the migrations: %s", missing)
                said = missing
            time.sleep(PAUSE)


def _missing() -> str | None:
    connection = connections["default"]
    try:
        executor = MigrationExecutor(connection)
        plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, InconsistentMigrationHistory) as error:
        return str(error).strip() or type(error).__name__
    finally:
        # The processes of a pool are forked from this one, and must not share its connection.
        connection.close()
    if not plan:
        return None
    names = [f"{migration.app_label}.{migration.name}" for migration, _ in plan]
    return f"{len(names)} to go, next {names[0]}"


@contextmanager
def _term_ends_the_process() -> Iterator[None]:
    """The kernel keeps TERM from process 1 of a container as long as nobody handles it."""

    def leave(number: int, frame: FrameType | None) -> None:
        sys.exit(0)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
