"""Runs as JSON, the same for the API, live views, the command line and the page."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rowlock.models import Run, State
from rowlock.redaction import hides_arguments, hides_results

#: Characters of an error message in a summary; the whole one is in the detail.
MESSAGE_LIMIT = 500
#: What a summary does not need and lists need not load.
HEAVY_COLUMNS = ("arguments", "result", "traceback")


def summary(run: Run) -> dict[str, Any]:
    """What a list says of `run`; reads none of HEAVY_COLUMNS."""
    return {
        "id": str(run.id),
        "task": run.task,
        "queue": run.queue,
        "state": State(run.state).label,
        "scheduled": run.is_scheduled,
        "owner": run.owner,
        "key": run.key,
        "parent": _id(run.parent_id),
        "retry_of": _id(run.retry_of),
        "priority": run.priority,
        "created": moment(run.created),
        "due": moment(run.due),
        "expires": moment(run.expires),
        "published": moment(run.published),
        "started": moment(run.started),
        "finished": moment(run.finished),
        "cancel_requested": moment(run.cancel_requested),
        "changed": moment(run.changed),
        "attempts": run.attempts,
        "deliveries": run.deliveries,
        "retries": run.retries,
        "worker": run.worker,
        "progress": _progress(run),
        "error": _error(run),
    }


def detail(run: Run) -> dict[str, Any]:
    """All that is shown of `run`: the summary, its arguments, result and traceback, save what is redacted."""
    arguments_hidden, results_hidden = hides_arguments(run.task), hides_results(run.task)
    # Other code can start tasks with arguments that were never JSON.
    no_arguments = arguments_hidden or not run.arguments
    error = _error(run)
    if error is not None:
        message = None if results_hidden else run.error_message
        error = {"type": run.error_type, "message": message, "traceback": None if results_hidden else run.traceback}
    return {
        **summary(run),
        "args": None if no_arguments else run.args,
        "kwargs": None if no_arguments else run.kwargs,
        "result": None if results_hidden else run.result_value,
        "result_note": run.result_note,
        "error": error,
        "arguments_redacted": arguments_hidden,
        "result_redacted": results_hidden,
    }


def moment(time: datetime | None) -> str | None:
    """A time as JSON has it everywhere here: ISO 8601, UTC."""
    return None if time is None else time.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def _id(value: UUID | None) -> str | None:
    return None if value is None else str(value)


def _progress(run: Run) -> dict[str, Any] | None:
    if run.progress_done is None:
        return None
    return {"done": run.progress_done, "total": run.progress_total, "message": run.progress_message}


def _error(run: Run) -> dict[str, Any] | None:
    # A run that succeeded in the end may still have the error of an earlier try.
    if not run.error_type or run.state == State.SUCCEEDED:
        return None
    message = run.error_message
    if len(message) > MESSAGE_LIMIT:
        message = message[:MESSAGE_LIMIT] + "…"
    return {"type": run.error_type, "message": None if hides_results(run.task) else message}
