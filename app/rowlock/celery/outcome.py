"""What comes back from executing a message: Celery's outcome and, beside it, what only the executing process knows."""

import threading
import time
from typing import Any, NamedTuple

from celery import current_app
from celery.app.trace import fast_trace_task, trace_task_ret
from celery.signals import task_success
from celery.utils.log import get_logger
from django.db import Error as DatabaseError
from django.db import connection

from rowlock.celery.results import Stored, forgive, keep, kept

logger = get_logger(__name__)

#: Seconds between attempts to ask a database that does not answer whether a run may be executed.
PATIENCE = 2.0


class Outcome(NamedTuple):
    """Passed from a child process to its worker, so it is small and made of plain values."""

    #: A value of rowlock.runs.claims.Verdict.
    verdict: str
    #: What Celery's trace gave: the text of a result, or the ExceptionInfo of an error.
    value: Any
    #: JSON of the result; None without one, `note` says why.
    result: str | None
    note: str
    progress: tuple[float, float | None, str] | None
    #: What it has logged that was not sent yet, a rowlock.runs.log_capture.Piece; None if nothing.
    log: Any = None
    #: What is to be stored as Celery's result of it.
    stored: tuple[Stored, ...] = ()


class _Returned(threading.local):
    """The result of the task that has just run in this thread."""

    value: Any = None
    is_set = False


_returned = _Returned()


def watch_results() -> None:
    """Have every result pass by here before Celery makes a text of it."""
    task_success.connect(_note_result, weak=False)


def _note_result(result: Any = None, **kwargs: Any) -> None:
    _returned.value, _returned.is_set = result, True


def trace(  # noqa: PLR0917 - pools pass what they are given by position
    check: bool, name: Any, id: str, request: dict[str, Any], body: Any, content_type: str, content_encoding: str
) -> tuple[int, Outcome, float]:
    """Execute a message as Celery does, unless (`check`) the run turns out to have ended or to run elsewhere."""
    if check:
        verdict = _verdict(id, request)
        if verdict != "execute":
            if verdict == "give up":
                _dead_letter(id, request, body, content_type, content_encoding)
            return 0, Outcome(verdict, None, None, "", None), 0.0
    # Imported late: models need Django's apps.
    from rowlock.runs import log_capture

    # There is one a thread, made when it is first asked for.
    backend = current_app.backend
    forgive(backend)
    keep(id, request, backend)
    _returned.is_set = False
    log_capture.begin(id, name, request.get("retries") or 0)
    execute = fast_trace_task if current_app.use_fast_trace_task else trace_task_ret
    try:
        failed, value, runtime = execute(name, id, request, body, content_type, content_encoding)
    finally:
        log, stored = log_capture.end(), kept()
    result, note = _encoded(request) if _returned.is_set and not failed else (None, "")
    _returned.value = None
    return failed, Outcome("execute", value, result, note, _progress(id), log, stored), runtime


def _verdict(id: str, request: dict[str, Any]) -> str:
    from rowlock.models.run import parse_id
    from rowlock.runs.claims import claim

    parsed = parse_id(id)
    if parsed is None:
        return "execute"
    redelivered = bool((request.get("delivery_info") or {}).get("redelivered"))
    while True:
        try:
            worker = request.get("rowlock_worker", "")
            return claim(parsed, redelivered=redelivered, retries=request.get("retries") or 0, worker=worker).value
        except DatabaseError as error:
            # Neither executing it nor giving it back would be better: without the database nobody can know.
            logger.warning("may %s be executed? The database does not answer: %s", id, error)
            connection.close()
            time.sleep(PATIENCE)


def _encoded(request: dict[str, Any]) -> tuple[str | None, str]:
    from rowlock.runs.results import encoded

    return (None, "The task's result is ignored.") if request.get("ignore_result") else encoded(_returned.value)


def _progress(id: str) -> tuple[float, float | None, str] | None:
    from rowlock.runs.reporting import last_progress

    last = last_progress(id)
    return (last.done, last.total, last.message) if last else None


def _dead_letter(id: str, request: dict[str, Any], body: Any, content_type: str, content_encoding: str) -> None:
    from rowlock.celery.dead_letters import publish

    publish(id, request, body, content_type, content_encoding)
