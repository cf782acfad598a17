"""Doing what a run does once, however often it is delivered."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models.functions import Coalesce, Now

from rowlock.models import Run, State
from rowlock.models.run import parse_id
from rowlock.runs.results import encoded


def once(id: str | None, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Call `function` in a transaction that also marks the run `id` as succeeded.

    Of several deliveries, also at the same time, one commits; the others are rolled back, or do not begin, and return
    its result. The run's row is locked only at the end, so that it can be looked at and cancelled meanwhile. Called
    without a run, it is a plain call in a transaction.
    """
    run_id = parse_id(id)
    if run_id is None:
        with transaction.atomic():
            return function(*args, **kwargs)
    with transaction.atomic():
        if _has_succeeded(run_id):
            return _result(run_id)
        value = function(*args, **kwargs)
        result, note = encoded(value)
        marked = (
            Run.objects.filter(id=run_id)
            .exclude(state=State.SUCCEEDED)
            .update(
                state=State.SUCCEEDED,
                started=Coalesce("started", Now()),
                finished=Now(),
                changed=Now(),
                result=result,
                result_note=note,
            )
        )
        if marked or not _has_succeeded(run_id):
            return value
        # Another delivery was quicker.
        transaction.set_rollback(True)
    return _result(run_id)


def _result(run_id: UUID) -> Any:
    return Run.objects.get(id=run_id).result_value


def _has_succeeded(run_id: UUID) -> bool:
    return Run.objects.filter(id=run_id, state=State.SUCCEEDED).exists()
