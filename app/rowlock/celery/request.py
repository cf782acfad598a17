"""What a worker's parent process does with each message: Celery's Request, which reports to the history and acks after.

The parent sees every message arrive, start and end, whatever the pool and also when a child dies, so this is where
history is made. Celery acks when a task has ended; here the ack waits until the history has it, a few milliseconds,
for what is acked is never delivered again.
"""

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any
from weakref import ref

from billiard.einfo import ExceptionInfo, ExceptionWithTraceback
from celery import states
from celery.exceptions import Ignore, Reject, Retry, Terminated, TimeLimitExceeded, WorkerLostError
from celery.worker import request as celery_request
from celery.worker.request import TaskRevokedError

from rowlock.celery.limits import limits_of
from rowlock.celery.measuring import Measured
from rowlock.celery.outcome import Outcome, received, trace
from rowlock.celery.queues import is_fan_out, note_queue, queue_of
from rowlock.celery.requeue import requeue
from rowlock.celery.results import Stored, is_for_parent, stored
from rowlock.models import State
from rowlock.models.run import canonical_arguments, parse_id
from rowlock.runs.history import report

NO_ARGUMENTS = canonical_arguments([], {})
#: Where kombu's decoder makes dates and the like of what a message has; they go back into a message as they came.
KOMBUS_MARK = '"__type__"'


class DeliveryLimitExceeded(Exception):  # noqa: N818 - as Celery's TimeLimitExceeded
    """A run was started so often without ever ending that its worker must have died of it each time."""


class Request(Measured):
    """One message and the run it stands for."""

    #: Has the broker been told what becomes of the message?
    acknowledged: bool = False
    #: When the pool told that it had started, in monotonic seconds; 0 when its start is told, or will be with its end.
    began = 0.0
    #: Of its start, where that is told with its end.
    _start: Mapping[str, Any] = MappingProxyType({})
    _ending: dict[str, Any] | None = None
    #: Has the pool told its outcome?
    has_left_pool = False
    #: Is its process being stopped so that another worker executes it?
    is_interrupted = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # Celery makes a class for each task, whose two quicker methods would pass by those here
        # (celery/worker/request.py `create_request_cls`).
        for name in ("execute_using_pool", "on_success"):
            if name in cls.__dict__:
                delattr(cls, name)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        note_queue(self._app, self.delivery_info, self._message)
        if is_fan_out(self.delivery_info):
            # It is this worker's alone, and nobody else's once this worker is gone.
            celery_request.Request.acknowledge(self)

    def execute_using_pool(self, pool: Any, **kwargs: Any) -> Any:
        slots = self._slots()
        return self.start_in(pool) if slots is None else slots.run(self)

    def start_in(self, pool: Any) -> Any:
        """Give the message to `pool`; raises TaskRevokedError."""
        if self.revoked():
            raise TaskRevokedError(self.id)
        self._was_claimed = self._is_doubtful()
        request = {**self._request_dict, "rowlock_worker": self._hostname} if self._was_claimed else self._request_dict
        limits = limits_of(self, pool)
        result: Any = pool.apply_async(
            trace,
            args=(
                self._was_claimed,
                self._type,
                self.id,
                request,
                self._body,
                self._content_type,
                self._content_encoding,
            ),
            accept_callback=self.on_accepted,
            timeout_callback=self.on_timeout,
            callback=self.on_success,
            error_callback=self.on_failure,
            soft_timeout=limits.soft,
            timeout=limits.hard,
            correlation_id=self.id,
        )
        # Pools that have nothing to give cannot be referred to weakly.
        self._apply_result = None if result is None else ref(result)
        return result

    def put_back(self) -> None:
        """Give the message back for another worker; nothing is wrong with it."""
        celery_request.task_ready(self)
        slots = self._slots()
        if slots is not None and not self.acknowledged:
            self.acknowledged = True
            self.count("requeued")
            slots.call_in_loop(requeue, self._message, self._connection_errors)

    def tell_interruption(self) -> None:
        """Its process ends before it, and the broker, which misses the ack, delivers it again."""
        if not self.acknowledged:
            self.count("requeued")
            self._put_back_what_had_started(then=_nothing)
        elif history := self._history():
            lost = "Its worker had to end before it did, and its message had been acked before it started."
            self.count("lost")
            history.add(
                self._report(State.FAILED, finished=_now(), error_type="WorkerLostError", error_message=lost),
                then=_nothing,
            )

    def on_accepted(self, pid: int, time_accepted: float) -> None:
        if slots := self._slots():
            slots.accepted(self)
        super().on_accepted(pid, time_accepted)
        # A run that was doubtful says itself that it has started, once it knows that it may.
        if not self._was_claimed and (history := self._history()):
            self.began = time.monotonic()
            history.begins(self)

    def start(self) -> tuple[dict[str, Any] | None, Stored | None]:
        """What there is to tell of a task that has started and goes on: to the history, and to Celery's results."""
        report = self._report(State.STARTED, **self._start_fields())
        backend, task = self._app.backend, self.task
        is_told = task.track_started and not task.ignore_result and not self._request_dict.get("ignore_result")
        if not is_told or not is_for_parent(backend):
            return report, None
        meta = {"pid": self.worker_pid, "hostname": self._hostname}
        told = stored(backend, self.id, meta, states.STARTED, request=self._context)
        # What the task says of itself meanwhile stays, but not what became of its last attempt.
        return report, told._replace(is_first=not self._request_dict.get("retries"))

    def on_success(self, failed__retval__runtime: tuple[int, Any, float], **kwargs: Any) -> Any:
        try:
            return self._on_success(failed__retval__runtime, **kwargs)
        finally:
            self._leave_pool()

    def _on_success(self, failed__retval__runtime: tuple[int, Any, float], **kwargs: Any) -> Any:
        failed, answer, runtime = failed__retval__runtime
        outcome = received(answer)
        if outcome is None:
            # An error in the pool itself.
            self._end_log(None)
            return super().on_success(failed__retval__runtime, **kwargs)
        self._take_back_start()
        if outcome.log is not None:
            self._end_log(outcome.log)
        if outcome.stored and (history := self._history()):
            history.store(outcome.stored)
        if outcome.verdict == "give up":
            self._exception = DeliveryLimitExceeded.__name__
            self.count_unstarted("failed")
            return self._give_up()
        if outcome.verdict != "execute":
            self.count_unstarted("revoked" if outcome.verdict == "cancelled" else None)
        extra = _progress_fields(outcome)
        if failed:
            self._ending = self._failure(outcome.value, **extra)
        elif outcome.verdict == "execute":
            self._ending = self._report(
                State.SUCCEEDED, finished=_now(), result=outcome.result, result_note=outcome.note, **extra
            )
        try:
            return super().on_success((failed, outcome.value, runtime), **kwargs)
        finally:
            self._settle()

    def on_failure(self, exc_info: ExceptionInfo, *args: Any, **kwargs: Any) -> Any:
        # Its process may be gone, and says nothing more.
        self._end_log(None)
        if self.is_interrupted and _lost_its_process(exc_info):
            if not self.acknowledged:
                celery_request.task_ready(self)
                self._put_back_what_had_started(then=self.put_back)
                self._leave_pool()
                return None
            # Acked before it started, so nobody gets it again; Celery would call it revoked.
            exc_info = self._worker_lost_info(_error_of(exc_info))
        if self._ending is None:
            self._ending = self._failure(exc_info)
        try:
            return super().on_failure(exc_info, *args, **kwargs)
        finally:
            self._settle()
            self._leave_pool()

    def on_timeout(self, soft: bool, timeout: float) -> None:
        if not soft:
            error = TimeLimitExceeded(timeout)
            self._ending = self._report(
                State.FAILED, finished=_now(), error_type="TimeLimitExceeded", error_message=str(error)
            )
        try:
            super().on_timeout(soft, timeout)
        finally:
            self._settle()

    def acknowledge(self) -> None:
        self._after_history(self._ack)

    def _ack(self) -> None:
        acks = getattr(self._app, "rowlock_acks", None)
        if self.acknowledged or acks is None or not acks.takes(self._message):
            super().acknowledge()
        else:
            self.acknowledged = True
            acks.add(self._message)

    def reject(self, requeue: bool = False) -> None:
        if requeue:
            # It is not over: whoever gets the message next goes on.
            self._ending = None
            self._tell_start()
            super().reject(requeue=True)
        else:
            self._after_history(super().reject)

    def _announce_revoked(self, reason: str, terminated: bool, signum: Any, expired: bool) -> None:
        self._ending = self._report(State.EXPIRED if expired else State.CANCELLED, finished=_now())
        try:
            super()._announce_revoked(reason, terminated, signum, expired)
        finally:
            self._settle()

    def _success_was_stored(self) -> Any:
        meta = super()._success_was_stored()
        if meta:
            note = "its process was lost after the task had ended"
            self._ending = self._report(State.SUCCEEDED, finished=_now(), result_note=note)
        return meta

    def _give_up(self) -> None:
        error = DeliveryLimitExceeded(
            "The run was started again and again, and each time its worker died before it ended: out of memory, "
            "killed, or crashed."
        )
        self._ending = self._report(
            State.FAILED, finished=_now(), error_type="DeliveryLimitExceeded", error_message=str(error)
        )
        celery_request.task_ready(self)
        self.task.backend.mark_as_failure(self.id, error, request=self._context, store_result=self.store_errors)
        self.acknowledge()
        self._settle()

    def _failure(self, exc_info: ExceptionInfo, **extra: Any) -> dict[str, Any] | None:
        error = _error_of(exc_info)
        if isinstance(error, Terminated | SystemExit | KeyboardInterrupt):
            # Not an end by itself: Celery says next whether it was revoked, lost or put back.
            return None
        if isinstance(error, Ignore) and not isinstance(error, Reject):
            return self._report(State.SUCCEEDED, finished=_now(), result_note="the task raised Ignore", **extra)
        if isinstance(error, Retry):
            cause = error.exc if error.exc is not None else error
            return self._report(
                State.RETRYING,
                retries=(self._request_dict.get("retries") or 0) + 1,
                error_type=_type_name(cause),
                error_message=str(cause),
                traceback=str(exc_info.traceback),
                **extra,
            )
        return self._report(
            State.FAILED,
            finished=_now(),
            error_type=_type_name(error),
            error_message=str(error),
            traceback=str(exc_info.traceback),
            **extra,
        )

    def _after_history(self, settle: Callable[[], None]) -> None:
        ending, self._ending = self._ending, None
        if self.acknowledged or (history := self._history()) is None:
            settle()
        else:
            self._start = {}
            history.add(ending, then=settle)

    def _settle(self) -> None:
        # What Celery neither acks nor rejects now was acked before it started.
        ending, self._ending = self._ending, None
        if ending is not None and self.acknowledged and (history := self._history()):
            self._start = {}
            history.add(ending)

    def _put_back_what_had_started(self, then: Callable[[], None]) -> None:
        self._ending = None
        if (history := self._history()) is None:
            then()
        else:
            self._tell_start()
            history.put_back(self.id, worker=self._hostname, then=then)

    def _take_back_start(self) -> None:
        if self.began and (history := self._history()):
            if history.takes_back(self):
                self._start = self._start_fields()
            self.began = 0.0

    def _tell_start(self) -> None:
        self._take_back_start()
        start, self._start = self._start, {}
        if start and (history := self._history()):
            history.add(self._report(State.STARTED, **start))

    def _start_fields(self) -> dict[str, Any]:
        return {"started": datetime.fromtimestamp(self.time_start or time.time(), UTC), "deliveries": 1}

    def _leave_pool(self) -> None:
        if slots := self._slots():
            slots.ended(self)

    def _end_log(self, last: Any) -> None:
        if history := self._history():
            history.end_log(self.id, last)

    def _history(self) -> Any:
        return getattr(self._app, "rowlock_history", None)

    def _slots(self) -> Any:
        return getattr(self._app, "rowlock_slots", None)

    def _is_doubtful(self) -> bool:
        history = self._history()
        if history is None:
            return False
        return bool(self.delivery_info.get("redelivered") or self._attempt() > 1 or history.is_doubtful(self.id))

    def _attempt(self) -> int:
        mark = self._request_dict.get("rowlock")
        return int(mark.get("attempt", 1)) if isinstance(mark, dict) else 0

    def _report(self, state: State, **values: Any) -> dict[str, Any] | None:
        if state != State.STARTED:
            self._take_back_start()
        run_id = parse_id(self.id)
        if run_id is None:
            return None
        return report(
            run_id,
            state,
            **{
                "task": self.task_name,
                "queue": queue_of(self.delivery_info),
                "arguments": self._arguments(),
                "parent_id": parse_id(self.parent_id),
                "retries": self._request_dict.get("retries") or 0,
                "worker": self._hostname,
                **self._start,
                **values,
            },
        )

    def _arguments(self) -> str:
        # A run that was submitted has its arguments in its row.
        if self._attempt() or self._content_type != "application/json":
            return ""
        args, kwargs = self._args, self._kwargs
        if args == [] and kwargs == {}:
            return NO_ARGUMENTS
        try:
            if not isinstance(self._body, str) or KOMBUS_MARK in self._body:
                args, kwargs, *_ = json.loads(self._body)
            return canonical_arguments(args, kwargs)
        except (TypeError, ValueError, RecursionError):
            return ""


def _nothing() -> None:
    pass


def _error_of(exc_info: ExceptionInfo) -> Any:
    error = exc_info.exception
    return error.exc if isinstance(error, ExceptionWithTraceback) else error


def _lost_its_process(exc_info: ExceptionInfo) -> bool:
    return isinstance(_error_of(exc_info), Terminated | SystemExit | KeyboardInterrupt | WorkerLostError)


def _progress_fields(outcome: Outcome) -> dict[str, Any]:
    if outcome.progress is None:
        return {}
    done, total, message = outcome.progress
    return {"progress_done": done, "progress_total": total, "progress_message": message}


def _type_name(error: BaseException) -> str:
    return type(error).__name__


def _now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)
