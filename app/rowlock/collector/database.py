"""What the collector has from Postgres, where it is given Django's settings and rowlock is installed."""

import logging
import os
from collections.abc import Collection, Iterable, Set

from rowlock.collector.dead import Death

logger = logging.getLogger(__name__)

#: Runs that are looked at for the oldest of a queue.
MOST = 1000


def set_up() -> "Database | None":
    """Serve the outbox's metrics, and return what else there is to ask; None without Django.

    A project that cannot be set up here is told of and done without: the broker's metrics need nothing of it.
    """
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        return None
    try:
        import django
        from django.apps import apps

        django.setup()
        if not apps.is_installed("rowlock"):
            return None
        from rowlock.outbox import backlog

        backlog.register()
    except Exception:
        logger.exception(
            "no outbox metrics: Django cannot be set up with DJANGO_SETTINGS_MODULE=%s. Give the collector the same "
            "environment as the web pods, or none of Django's.",
            os.environ["DJANGO_SETTINGS_MODULE"],
        )
        return None
    return Database()


class Database:
    """Asked for what RabbitMQ does not know, and told what it alone knows."""

    def oldest_published(self, queues: Collection[str]) -> dict[str, float]:
        """Seconds since the oldest run that is not started was published, for those of `queues` that have one.

        Among the oldest `MOST` of all queues, by their index; nothing where the database does not answer.
        """
        from django.db import DatabaseError, connection, transaction
        from django.utils import timezone

        from rowlock.models import Run, State

        published = Run.objects.filter(state=State.PUBLISHED).order_by("created", "id")
        found: dict[str, float] = {}
        try:
            with transaction.atomic():
                if connection.vendor == "postgresql":
                    with connection.cursor() as cursor:
                        cursor.execute("SET LOCAL statement_timeout = 2000")
                rows = list(published.values_list("queue", "published")[:MOST])
        except DatabaseError as error:
            logger.debug("the database does not tell the oldest runs: %s", error)
            return {}
        finally:
            connection.close()
        for queue, since in rows:
            if queue in queues and since is not None:
                found[queue] = max(found.get(queue, 0.0), (timezone.now() - since).total_seconds())
        return found

    def paused(self) -> Set[str]:
        """The queues that are paused; raises DatabaseErrors."""
        from django.db import connection, transaction

        from rowlock.models import PausedQueue

        try:
            with transaction.atomic():
                if connection.vendor == "postgresql":
                    with connection.cursor() as cursor:
                        cursor.execute("SET LOCAL statement_timeout = 2000")
                return set(PausedQueue.objects.values_list("queue", flat=True))
        finally:
            connection.close()

    def fail(self, found: Iterable[Death]) -> None:
        """Mark the runs of messages that RabbitMQ gave up as failed. A database that does not answer is asked later."""
        from django.db import DatabaseError, connection

        from rowlock.runs import given_up

        try:
            letters = [given_up.DeadLetter(id=death.id, reason=death.reason, at=death.at) for death in found]
            failed = given_up.fail(letters)
        except DatabaseError as error:
            raise DatabaseUnavailable(str(error)) from error
        finally:
            connection.close()
        if failed:
            logger.warning("%d runs whose message RabbitMQ gave up have failed", failed)


class DatabaseUnavailable(Exception):  # noqa: N818 - reads as a sentence
    """The database did not answer."""
