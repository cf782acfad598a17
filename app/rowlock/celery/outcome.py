"""What comes back from executing a message: Celery's outcome and, beside it, what only the executing process knows."""

import time
from typing import Any, NamedTuple

from celery import current_app
from celery.app.trace import fast_trace_task, trace_task_ret
from celery.utils.log import get_logger
from django.db import Error as DatabaseError
from django.db import connection

from rowlock.celery import results
from rowlock.celery.connections import after_execution, before_execution
from rowlock.celery.dead_letters import publish
from rowlock.celery.results import Stored
from rowlock.models.run import parse_id
from rowlock.runs import log_capture
from rowlock.runs.claims import claim
from rowlock.runs.reporting import last_progress
from rowlock.runs.results import encoded

logger = get_logger(__name__)

#: Seconds between attempts to ask a database that does not answer whether a run may be executed.
PATIENCE = 2.0


class Outcome(NamedTuple):
    """What a child process passes to its worker as a plain tuple of plain values, which is the quickest to pickle."""

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


def received(answer: Any) -> Outcome | None:
    """The Outcome that `trace` has given; None if it is the pool that has answered."""
    if type(answer) is not tuple:
        return None
    outcome = Outcome(*answer)
    return outcome._replace(stored=tuple([Stored(*one) for one in outcome.stored])) if outcome.stored else outcome


def trace(  # noqa: PLR0917 - pools pass what they are given by position
    check: bool, name: Any, id: str, request: dict[str, Any], body: Any, content_type: Any, content_encoding: Any
) -> tuple[int, tuple[Any, ...], float]:
    """Execute a message as Celery does, unless (`check`) the run turns out to have ended or to run elsewhere."""
    if check:
        verdict = _verdict(id, request)
        if verdict != "execute":
            if verdict == "give up":
                publish(id, request, body, content_type, content_encoding)
            return 0, (verdict, None, None, "", None), 0.0
    app = current_app._get_current_object()
    # There is one a thread, made when it is first asked for.
    backend = app.tasks[name].backend
    results.watch(backend)
    results.begin(id, is_kept=backend is app.backend and results.is_for_parent(backend))
    log_capture.begin(id, name, request.get("retries") or 0)
    execute = fast_trace_task if app.use_fast_trace_task else trace_task_ret
    before_execution()
    try:
        ended = execute(name, id, request, body, content_type, content_encoding)
    finally:
        after_execution()
        log, (has_result, returned, stored) = log_capture.end(), results.end()
    failed, value, runtime = ended
    result, note = None, ""
    if has_result and not failed:
        ignored = request.get("ignore_result")
        result, note = (None, "The task's result is ignored.") if ignored else encoded(returned)
    progress = last_progress(id)
    told = (progress.done, progress.total, progress.message) if progress else None
    return failed, ("execute", value, result, note, told, log, stored), runtime


def _verdict(id: str, request: dict[str, Any]) -> str:
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
