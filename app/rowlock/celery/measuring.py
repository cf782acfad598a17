"""Counting and timing tasks in their worker's parent process, which sees each start and end whatever the pool is."""

import time
from typing import Any

from billiard.einfo import ExceptionInfo, ExceptionWithTraceback
from celery import bootsteps
from celery.exceptions import (
    Ignore,
    Reject,
    Retry,
    SoftTimeLimitExceeded,
    Terminated,
    TimeLimitExceeded,
    WorkerLostError,
)
from celery.signals import task_rejected, task_unknown
from celery.utils.serialization import UnpickleableExceptionWrapper
from celery.worker import request as celery_request

from rowlock.celery import stamp
from rowlock.celery.queues import queue_of
from rowlock.conf import pool_name, settings
from rowlock.metrics.tasks import UNKNOWN, Outcome, Series, TaskMetrics

#: Outcomes of attempts whose exception is counted too.
COUNTED_BY_EXCEPTION = ("failed", "retried", "timed_out")


class Measured(celery_request.Request):
    """A request that tells how long its task waited and ran, and what became of it: once, whatever happens later."""

    #: Monotonic seconds; None while it has not been started.
    _began: float | None = None
    _waited: float | None = None
    _outcome: Outcome | None = None
    #: The class of what the task raised.
    _exception = ""
    _is_counted = False
    #: Found once, at the start or, without one, at the end.
    _series: Series | None = None
    #: Was it handed to the pool only to ask whether it may be executed?
    _was_claimed = False

    def on_accepted(self, pid: int, time_accepted: float) -> None:
        if self._find_series():
            # The pool's process has the same clock, and took the message a little before its word of that got here.
            started = time.time() - (time.monotonic() - time_accepted)
            self._began, self._waited = time_accepted, stamp.waited(self._request_dict, started)
            if not self._was_claimed:
                self._tell_wait()
        super().on_accepted(pid, time_accepted)

    def on_success(self, failed__retval__runtime: tuple[int, Any, float], **kwargs: Any) -> Any:
        if not failed__retval__runtime[0]:
            self.count("succeeded")
        return super().on_success(failed__retval__runtime, **kwargs)

    def on_failure(self, exc_info: ExceptionInfo, *args: Any, **kwargs: Any) -> Any:
        self._outcome, self._exception = _outcome(exc_info), _class_name(exc_info)
        try:
            return super().on_failure(exc_info, *args, **kwargs)
        finally:
            if self._outcome is not None:
                self.count(self._outcome)

    def on_timeout(self, soft: bool, timeout: float) -> None:
        if not soft:
            self._exception = TimeLimitExceeded.__name__
            self.count("timed_out")
        super().on_timeout(soft, timeout)

    def reject(self, requeue: bool = False) -> None:
        # On the way out of a failure, that is what is counted.
        if self._outcome is None:
            self.count("requeued" if requeue else "rejected")
        super().reject(requeue)

    def _announce_revoked(self, reason: str, terminated: bool, signum: Any, expired: bool) -> None:
        self.count("expired" if expired else "revoked")
        super()._announce_revoked(reason, terminated, signum, expired)

    def _announce_cancelled(self, *args: Any, **kwargs: Any) -> None:
        # Its connection to the broker is lost, so the broker delivers it again.
        self.count("requeued")
        super()._announce_cancelled(*args, **kwargs)

    def _success_was_stored(self) -> Any:
        meta = super()._success_was_stored()
        if meta:
            self._outcome = "succeeded"
        return meta

    def count(self, outcome: Outcome) -> None:
        """This is what became of the message; only the first word counts."""
        if self._is_counted:
            return
        self._is_counted = True
        series = self._find_series()
        if series is None:
            return
        self._tell_wait()
        if self._began is not None:
            series.ran(time.monotonic() - self._began, self.id)
        series.ended(outcome, self.id)
        if self._exception and outcome in COUNTED_BY_EXCEPTION:
            self._app.rowlock_metrics.raised(self._task.name, self._exception, self.id)

    def count_unstarted(self, outcome: Outcome | None) -> None:
        """It was handed to the pool and not executed. None where it is not to be counted at all: a second message."""
        self._began = self._waited = None
        if outcome is None:
            self._is_counted = True
        else:
            self.count(outcome)

    def _tell_wait(self) -> None:
        waited, self._waited = self._waited, None
        if waited is not None and self._series is not None:
            self._series.waited(waited, self.id)

    def _find_series(self) -> Series | None:
        if self._series is None:
            metrics: TaskMetrics | None = getattr(self._app, "rowlock_metrics", None)
            if metrics is not None:
                self._series = self._series_in(metrics)
        return self._series

    def _series_in(self, metrics: TaskMetrics) -> Series:
        # Celery's own way to the queues that are consumed takes as long as an observation.
        name, queue = self._task.name, queue_of(self.delivery_info)
        return metrics.known(name, queue) or metrics.series(name, _queue_label(self._app, self.delivery_info))


class Metrics(bootsteps.StartStopStep):
    """Has the tasks of this worker measured, and its state told at every scrape."""

    requires = ("celery.worker.components:Pool", "rowlock.celery.slots:WorkerSlots")

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        worker.app.rowlock_metrics = TaskMetrics(pool_name()) if settings().metrics else None

    def start(self, worker: Any) -> None:
        metrics: TaskMetrics | None = worker.app.rowlock_metrics
        if metrics is None:
            return
        slots = worker.rowlock_slots
        metrics.watch(
            running=lambda: slots.running,
            prefetched=lambda: slots.prefetched,
            slots=lambda: slots.limit,
            consuming=lambda: worker.rowlock_health.report().ready,
        )

        def count_unknown(sender: Any, message: Any = None, **kwargs: Any) -> None:
            info = getattr(message, "delivery_info", None)
            task_id = str((getattr(message, "headers", None) or {}).get("id", ""))
            metrics.series(UNKNOWN, _queue_label(worker.app, info)).ended("rejected", task_id)

        # Celery itself rejects what is no task's message, and what no task is registered for.
        task_rejected.connect(count_unknown, weak=False, dispatch_uid="rowlock counts rejected messages")
        task_unknown.connect(count_unknown, weak=False, dispatch_uid="rowlock counts unknown tasks")


def _outcome(exc_info: ExceptionInfo) -> Outcome | None:  # noqa: PLR0911 - one for each way to end
    error = exc_info.exception
    if isinstance(error, ExceptionWithTraceback):
        error = error.exc
    match error:
        case Terminated():
            # Celery says next whether it was revoked, or was already put back.
            return None
        case WorkerLostError() | SystemExit() | KeyboardInterrupt():
            return "lost"
        case TimeLimitExceeded() | SoftTimeLimitExceeded():
            return "timed_out"
        case Retry():
            return "retried"
        case Reject():
            return "requeued" if error.requeue else "rejected"
        case Ignore():
            return "succeeded"
    return "failed"


def _class_name(exc_info: ExceptionInfo) -> str:
    """The class of what a task raised, or of why it asked for another attempt."""
    error = exc_info.exception
    if isinstance(error, ExceptionWithTraceback):
        error = error.exc
    if isinstance(error, Retry) and error.exc is not None:
        error = error.exc
    if isinstance(error, UnpickleableExceptionWrapper):
        return str(error.exc_cls_name)
    return type(error).__name__


def _queue_label(app: Any, delivery_info: Any) -> str:
    queue = queue_of(delivery_info)
    # Through a topic or a fan-out exchange a message may bear any routing key; the exchange is one of a few.
    return queue if queue in app.amqp.queues.consume_from else (delivery_info or {}).get("exchange") or ""
