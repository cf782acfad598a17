"""What relays have published, in every process that relays; and what waits in the outbox, in the one that looks."""

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from prometheus_client import Counter
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

logger = logging.getLogger(__name__)

#: Seconds that a scrape waits for the database.
PATIENCE = 3.0

PUBLISHED = Counter("rowlock_outbox_published_total", "Runs that this process published and the broker confirmed.")
FAILURES = Counter(
    "rowlock_outbox_failures_total",
    "Runs that the broker or Celery refused, and attempts to publish that the broker or the database cut short.",
)


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """The runs that are accepted and due, and not yet published."""

    pending: int
    #: How long the oldest of them has waited, in seconds; 0 without any.
    oldest: float


class OutboxCollector(Collector):
    """Looks into the outbox at every scrape.

    `look` asks the database. Where it raises, or takes longer than the scrape can wait, `rowlock_outbox_up` is 0 and
    the other two are not told: a number that may be wrong is worse than none.
    """

    def __init__(self, look: Callable[[], Backlog]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._found: Backlog | None = None

    def describe(self) -> list[Metric]:
        """Nothing, so that registering does not ask the database."""
        return []

    def collect(self) -> Iterator[Metric]:
        backlog = self._ask()
        yield GaugeMetricFamily(
            "rowlock_outbox_up", "1 if the database told of the outbox, else 0.", value=float(backlog is not None)
        )
        if backlog is not None:
            yield GaugeMetricFamily(
                "rowlock_outbox_pending", "Runs that are due and not yet published.", value=backlog.pending
            )
            yield GaugeMetricFamily(
                "rowlock_outbox_oldest_seconds", "How long the oldest of them has waited.", value=backlog.oldest
            )

    def _ask(self) -> Backlog | None:
        # In a thread: a database that fell silent is not done with after any number of seconds. There is one at a time.
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._found = None
                self._thread = threading.Thread(target=self._run, name="rowlock outbox", daemon=True)
                self._thread.start()
            thread = self._thread
        thread.join(PATIENCE)
        return None if thread.is_alive() else self._found

    def _run(self) -> None:
        try:
            self._found = self._look()
        except Exception as error:  # whatever a driver raises
            logger.warning("the outbox cannot be looked into: %s", error)
