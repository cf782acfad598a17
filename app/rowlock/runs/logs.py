"""What runs logged, for showing."""

from collections.abc import Sequence
from typing import Any

from rowlock.models import Run, RunLog
from rowlock.redaction import hides_logs
from rowlock.runs.presentation import moment


def logs_of(run: Run) -> Sequence[RunLog]:
    """One log for each execution of `run` that logged, the first one first; none where they are hidden."""
    if hides_logs(run.task):
        return ()
    return list(RunLog.objects.filter(run_id=run.id))


def shown_log(run: Run) -> dict[str, Any]:
    """The logs of `run` as JSON."""
    return {
        "id": str(run.id),
        "redacted": hides_logs(run.task),
        "executions": [
            {
                "attempt": log.attempt,
                "worker": log.worker,
                "text": log.text,
                "cut": log.cut,
                "changed": moment(log.changed),
            }
            for log in logs_of(run)
        ],
    }
