"""What tasks waited, how long they ran and what became of them, counted in the parent process of their worker."""

import time
from collections.abc import Callable
from typing import Literal, get_args

from prometheus_client import Counter, Gauge, Histogram

from rowlock.metrics.buckets import BUCKETS

#: succeeded: also by raising Ignore. retried: another attempt follows. rejected: by the task, or because nobody knows
#: it. revoked: cancelled, before or while it ran. expired: it had waited beyond its `expires`. timed_out: by the soft
#: or the hard time limit. lost: the process that executed it died. requeued: put back, started or not.
Outcome = Literal["succeeded", "failed", "retried", "rejected", "revoked", "expired", "timed_out", "lost", "requeued"]

#: The task of a message that no task is registered for: names from outside must not make series without end.
UNKNOWN = "(unknown)"
#: The exception of a task that has raised `MOST_EXCEPTIONS` other classes: some make classes as they go.
OTHER = "(other)"
MOST_EXCEPTIONS = 50
#: Characters of labels that OpenMetrics allows an exemplar are 128, its name included.
LONGEST_ID = 100
#: Seconds between two exemplars of a task that is quick, and from which on one is not: of those each has one.
BETWEEN_EXEMPLARS = 0.1
SLOW = 0.1

_LABELS = ("task", "queue", "pool")
WAIT = Histogram(
    "rowlock_task_wait_seconds",
    "From when a task was published, or due, to when it was started.",
    _LABELS,
    buckets=BUCKETS,
)
RUN = Histogram(
    "rowlock_task_run_seconds",
    "From when a task was started to when its worker heard of its end.",
    _LABELS,
    buckets=BUCKETS,
)
OUTCOMES = Counter("rowlock_tasks_total", "What became of the messages that workers received.", (*_LABELS, "outcome"))
EXCEPTIONS = Counter(
    "rowlock_task_exceptions_total",
    "Attempts that failed, are retried or ran out of time, by the class of what was raised.",
    ("task", "exception"),
)
RUNNING = Gauge("rowlock_tasks_running", "Tasks that are being executed.", ("pool",))
PREFETCHED = Gauge("rowlock_tasks_prefetched", "Messages that were delivered and are not started.", ("pool",))
SLOTS = Gauge("rowlock_worker_slots", "Tasks that may be executed at a time.", ("pool",))
CONSUMING = Gauge("rowlock_worker_consuming", "1 while the worker consumes from the broker, else 0.", ("pool",))


class Series:
    """The series of one task in one queue. All are there from its first message on, so that rates see the first 1."""

    __slots__ = ("_exemplars_of_outcomes", "_exemplars_of_run", "_exemplars_of_wait", "_outcomes", "_run", "_wait")

    def __init__(self, task: str, queue: str, pool: str) -> None:
        self._wait = WAIT.labels(task, queue, pool)
        self._run = RUN.labels(task, queue, pool)
        self._outcomes = {outcome: OUTCOMES.labels(task, queue, pool, outcome) for outcome in get_args(Outcome)}
        self._exemplars_of_wait, self._exemplars_of_run, self._exemplars_of_outcomes = (_Exemplars() for _ in range(3))

    def waited(self, seconds: float, id: str) -> None:
        self._wait.observe(max(0.0, seconds), self._exemplars_of_wait.pick(id, always=seconds > SLOW))

    def ran(self, seconds: float, id: str) -> None:
        self._run.observe(max(0.0, seconds), self._exemplars_of_run.pick(id, always=seconds > SLOW))

    def ended(self, outcome: Outcome, id: str) -> None:
        exemplar = self._exemplars_of_outcomes.pick(id, always=outcome != "succeeded")
        self._outcomes[outcome].inc(1, exemplar)


class _Exemplars:
    """Of quick tasks only some are exemplars: only the last one is shown, and each costs as much as the observation."""

    __slots__ = ("_next",)

    def __init__(self) -> None:
        self._next = 0.0

    def pick(self, id: str, *, always: bool) -> dict[str, str] | None:
        now = time.monotonic()
        if now < self._next and not always:
            return None
        self._next = now + BETWEEN_EXEMPLARS
        return _exemplar(id)


class TaskMetrics:
    """The series of one worker; making some takes time, so they are kept."""

    def __init__(self, pool: str) -> None:
        self._pool = pool
        self._series: dict[tuple[str, str], Series] = {}
        self._exceptions: dict[str, dict[str, Counter]] = {}

    def series(self, task: str, queue: str) -> Series:
        """`task` and `queue` must be from a bounded set: a registered task, a queue that is consumed."""
        key = task, queue
        found = self._series.get(key)
        if found is None:
            found = self._series[key] = Series(task, queue, self._pool)
        return found

    def known(self, task: str, queue: str) -> Series | None:
        """The series that `series` has already made for both, if it has."""
        return self._series.get((task, queue))

    def raised(self, task: str, exception: str, id: str) -> None:
        """An attempt at `task` ended by an exception of that class."""
        known = self._exceptions.setdefault(task, {})
        if exception not in known:
            if len(known) >= MOST_EXCEPTIONS:
                exception = OTHER
            known[exception] = EXCEPTIONS.labels(task, exception)
        known[exception].inc(1, _exemplar(id))

    def watch(
        self,
        *,
        running: Callable[[], float],
        prefetched: Callable[[], float],
        slots: Callable[[], float],
        consuming: Callable[[], float],
    ) -> None:
        """Ask these four at every scrape."""
        for gauge, ask in ((RUNNING, running), (PREFETCHED, prefetched), (SLOTS, slots), (CONSUMING, consuming)):
            gauge.labels(self._pool).set_function(ask)


def _exemplar(id: str) -> dict[str, str] | None:
    return {"run_id": id} if len(id) <= LONGEST_ID else None
