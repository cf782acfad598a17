"""Retrying and cancelling runs."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone

from rowlock.announce import announce
from rowlock.models import FINAL, UNFINISHED, Run, State
from rowlock.outbox import relay
from rowlock.outbox.table import DOUBT
from rowlock.runs.errors import ArgumentsError, FinishedError, NoSuchRunError
from rowlock.runs.registry import find_task

Was = Literal["queued", "scheduled", "published", "retrying", "started"]

#: Runs that one transaction changes.
CHUNK = 1000


@dataclass(frozen=True, kw_only=True)
class Cancellation:
    """A run that was cancelled, and where it was then.

    `queued`, `scheduled`, `published` and `retrying` runs are cancelled at once and will not start. A `started` one is
    stopped by its worker within seconds and then cancelled; only a prefork pool can stop one, and a task that ends
    meanwhile has ended.
    """

    run: Run
    was: Was


def retry(run: Run, *, owner: str | None = None) -> Run:
    """A new run with the arguments of `run`, linked to it; as its owner unless `owner` says whose.

    Raises FinishedError while `run` has not finished, UnknownTaskError if its task is gone, and ArgumentsError where
    the arguments were never known as JSON.
    """
    return _retry_all([run], owner)[0]


def retry_all(runs: QuerySet[Run], *, owner: str | None = None) -> int:
    """Retry every finished run of `runs`; returns how many. All in one transaction, or none."""
    with transaction.atomic():
        found = list(runs.filter(state__in=FINAL))
        return len(_retry_all(found, owner))


def cancel(run: Run) -> Cancellation:
    """Cancel `run`; raises FinishedError when it has ended already, NoSuchRunError when it is no more."""
    with transaction.atomic():
        locked = _locked(Run.objects.filter(id=run.id)).first()
        if locked is None:
            raise NoSuchRunError(f"There is no run {run.id}.")
        if State(locked.state).is_final:
            raise FinishedError(f"The run {run.id} has {State(locked.state).label} already.")
        was = _place_of(locked)
        _cancel([locked.id])
    _announce_on_commit()
    return Cancellation(run=Run.objects.get(id=run.id), was=was)


def cancel_all(runs: QuerySet[Run]) -> dict[str, int]:
    """Cancel every unfinished run of `runs`; returns how many there were of each kind (see Cancellation)."""
    counts: dict[str, int] = {}
    unfinished = runs.filter(state__in=UNFINISHED).order_by("id")
    last: UUID | None = None
    while True:
        with transaction.atomic():
            rest = unfinished if last is None else unfinished.filter(id__gt=last)
            chunk = list(_locked(rest)[:CHUNK])
            for run in chunk:
                was = _place_of(run)
                counts[was] = counts.get(was, 0) + 1
            _cancel([run.id for run in chunk])
        if len(chunk) < CHUNK:
            _announce_on_commit()
            return counts
        last = chunk[-1].id


def republish(runs: QuerySet[Run]) -> int:
    """Queue again those of `runs` that were published and have not started, after the broker has lost its messages.

    Where it has not, no run is executed twice for it: workers check such runs before they start them.
    """
    # Workers hear of it before there can be a second message.
    later = timezone.now() + timedelta(seconds=DOUBT)
    changed = 0
    while True:
        with transaction.atomic():
            lost = _locked(runs.filter(state__in=(State.PUBLISHED, State.RETRYING)).order_by("id"))
            ids = list(lost.values_list("id", flat=True)[:CHUNK])
            changed += Run.objects.filter(id__in=ids).update(
                state=State.QUEUED, publish_after=later, check_first=True, changed=Now()
            )
        if len(ids) < CHUNK:
            return changed


def _retry_all(runs: list[Run], owner: str | None) -> list[Run]:
    now = timezone.now()
    again = []
    for run in runs:
        if not State(run.state).is_final:
            raise FinishedError(
                f"The run {run.id} is {State(run.state).label}; only a finished one can be retried. Cancel it first."
            )
        if not run.arguments:
            raise ArgumentsError(
                f"The run {run.id} was started by other code with arguments that are not JSON; it cannot be retried."
            )
        find_task(run.task)
        again.append(
            Run(
                task=run.task,
                queue=run.queue,
                arguments=run.arguments,
                priority=run.priority,
                options=run.options,
                owner=run.owner if owner is None else owner,
                parent_id=run.parent_id,
                retry_of=run.id,
                created=now,
                changed=now,
                publish_after=now,
            )
        )
    Run.objects.bulk_create(again, batch_size=CHUNK)
    for run in again:
        run.is_new = True
    if again:
        transaction.on_commit(relay.wake)
    return again


def _cancel(ids: list[UUID]) -> None:
    chosen = Run.objects.filter(id__in=ids)
    # What was never published needs nobody's attention any more; all else, that of the worker which has or will get it.
    chosen.filter(state=State.QUEUED, attempts=0).update(
        state=State.CANCELLED, cancel_requested=Now(), finished=Now(), changed=Now()
    )
    chosen.filter(state__in=(State.QUEUED, State.PUBLISHED, State.RETRYING)).update(
        state=State.CANCELLED, cancel_requested=Now(), check_first=True, finished=Now(), changed=Now()
    )
    chosen.filter(state=State.STARTED).update(cancel_requested=Now(), check_first=True, changed=Now())


def _place_of(run: Run) -> Was:
    if run.is_scheduled:
        return "scheduled"
    was: Was = State(run.state).label  # type: ignore[assignment]  # the labels of unfinished states are these
    return was


def _locked(runs: QuerySet[Run]) -> QuerySet[Run]:
    return runs.select_for_update() if connection.features.has_select_for_update else runs


def _announce_on_commit() -> None:
    transaction.on_commit(announce)
