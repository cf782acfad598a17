"""What a task has come to, in Celery's words: from its run, and from the result backend where no run tells."""

import logging
import math
from typing import Any
from uuid import UUID

from celery import states

from example.celery import app
from rowlock.models import Run, State
from rowlock.runs.presentation import detail

logger = logging.getLogger(__name__)

PROGRESS = "PROGRESS"

_STATUS = {
    State.QUEUED: states.PENDING,
    State.PUBLISHED: states.PENDING,
    State.RETRYING: states.RETRY,
    State.STARTED: states.STARTED,
    State.CANCELLED: states.REVOKED,
    State.EXPIRED: states.REVOKED,
    State.FAILED: states.FAILURE,
    State.SUCCEEDED: states.SUCCESS,
}


class BackendDownError(Exception):
    """The result backend does not answer."""


def outcome_of(task_id: UUID) -> dict[str, Any]:
    """`status` and `result`, and a `result_note` where there should be a result and is none.

    A task that nobody has heard of is PENDING, as Celery has it. Raises BackendDownError only for a task without a run.
    """
    run = Run.objects.filter(id=task_id).first()
    if run is None:
        status, result = _in_backend(task_id)
        return {"status": status, "result": result}
    return _of_run(run)


def _of_run(run: Run) -> dict[str, Any]:
    state, shown = State(run.state), detail(run)
    status, result = _STATUS[state], shown["result"]
    if state == State.STARTED and shown["progress"]:
        status, result = PROGRESS, shown["progress"]
    elif state in {State.RETRYING, State.FAILED} and shown["error"]:
        result = _error(shown["error"]["type"], shown["error"]["message"] or "")
    elif state in {State.CANCELLED, State.EXPIRED}:
        result = _error("TaskRevokedError", "expired" if state == State.EXPIRED else "revoked")
    elif state == State.SUCCEEDED and shown["result_redacted"]:
        return {"status": status, "result": None, "result_note": f"Results of {run.task} are not shown."}
    elif state == State.SUCCEEDED and run.result is None and run.result_note:
        return _kept_elsewhere(run)
    return {"status": status, "result": result}


def _kept_elsewhere(run: Run) -> dict[str, Any]:
    # The history keeps neither large results nor what is not JSON; the result backend may.
    try:
        status, result = _in_backend(run.id)
    except BackendDownError:
        status, result = states.PENDING, None
    if status == states.SUCCESS and result is not None:
        return {"status": status, "result": result}
    return {"status": states.SUCCESS, "result": None, "result_note": run.result_note}


def _in_backend(task_id: UUID) -> tuple[str, Any]:
    result = app.AsyncResult(str(task_id))
    try:
        # One read for both: between two a task may end, and the result would not be that of the state.
        meta = result.backend.get_task_meta(result.id)
    except Exception as error:  # each backend has its own errors for being down
        logger.warning("the result of %s cannot be read: %r", result.id, error)
        raise BackendDownError from error
    status, value = meta["status"], meta["result"]
    if isinstance(value, BaseException):
        return status, _error(type(value).__name__, str(value))
    # While a task runs Celery keeps there which process runs it, which is nobody's business outside.
    return status, None if status == states.STARTED else _json_safe(value)


def _error(kind: str, message: str) -> str:
    return f"{kind}: {message}".removesuffix(": ")


def _json_safe(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _json_safe(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_json_safe(inner) for inner in value]
    if isinstance(value, float):
        # JSON has no word for infinity.
        return value if math.isfinite(value) else str(value)
    return value if value is None or isinstance(value, str | int) else str(value)
