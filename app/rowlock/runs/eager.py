"""Runs under CELERY_TASK_ALWAYS_EAGER: in the process that submits, for a project's own tests."""

from collections.abc import Iterable

from celery import states
from django.utils import timezone

from rowlock.models import Run, RunLog, State
from rowlock.runs import log_capture
from rowlock.runs.bounded_text import text_of
from rowlock.runs.registry import find_task
from rowlock.runs.results import encoded


def execute(runs: Iterable[Run]) -> None:
    """Execute each of `runs` now and keep its outcome."""
    for run in runs:
        started = timezone.now()
        log_capture.begin(str(run.id), run.task, retries=0)
        try:
            result = find_task(run.task).apply(args=run.args, kwargs=run.kwargs, task_id=str(run.id))
        finally:
            _keep(log_capture.end())
        succeeded = result.state == states.SUCCESS
        value, note = encoded(result.result) if succeeded else (None, "")
        Run.objects.filter(id=run.id).update(
            state=State.SUCCEEDED if succeeded else State.FAILED,
            published=started,
            started=started,
            finished=timezone.now(),
            changed=timezone.now(),
            attempts=1,
            deliveries=1,
            result=value,
            result_note=note,
            error_type="" if succeeded else type(result.result).__name__,
            error_message="" if succeeded else str(result.result),
            traceback=result.traceback or "",
        )


def _keep(log: log_capture.Piece | None) -> None:
    if log is not None:
        text, cut = text_of(log.parts)
        RunLog.objects.create(id=log.execution, run_id=log.run, attempt=log.attempt, text=text, cut=cut)
