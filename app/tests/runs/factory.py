from datetime import UTC, datetime, timedelta
from typing import Any

from rowlock.models import Run, State

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def make_run(task: str = "example.tasks.basic.add", state: State = State.QUEUED, **fields: Any) -> Run:
    """A row as the history has it, without submitting anything."""
    return Run.objects.create(task=task, state=state, **{"queue": "celery", **fields})


def ago(**length: float) -> datetime:
    return datetime.now(UTC) - timedelta(**length)
