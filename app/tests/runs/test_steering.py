"""Retrying, cancelling and forgetting runs."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from rowlock import runs
from rowlock.models import Run, State
from rowlock.runs.errors import ArgumentsError, FinishedError
from rowlock.runs.pruning import prune

pytestmark = pytest.mark.django_db

ADD = "example.tasks.basic.add"


def made(state: State, **fields: Any) -> Run:
    run = Run(task=ADD, queue="celery", arguments='{"args":[1,2],"kwargs":{}}', state=state, **fields)
    run.save()
    return run


def test_a_retry_is_a_new_run_with_the_same_arguments() -> None:
    failed = made(State.FAILED, owner="ann", key="k")

    again = runs.retry(failed)

    assert (again.retry_of, again.args, again.owner, again.key) == (failed.id, [1, 2], "ann", None)
    assert again.state == State.QUEUED


def test_a_run_that_has_not_finished_cannot_be_retried() -> None:
    with pytest.raises(FinishedError, match="is started; only a finished one can be retried"):
        runs.retry(made(State.STARTED))


def test_a_run_whose_arguments_are_unknown_cannot_be_retried() -> None:
    run = made(State.FAILED)
    run.arguments = ""

    with pytest.raises(ArgumentsError, match="cannot be retried"):
        runs.retry(run)


def test_all_finished_runs_of_a_filter_are_retried() -> None:
    for state in (State.FAILED, State.FAILED, State.STARTED):
        made(state)

    count = runs.retry_all(Run.objects.all())

    assert count == 2
    assert Run.objects.filter(retry_of__isnull=False).count() == 2


@pytest.mark.parametrize(
    ("state", "due_in", "was"),
    [
        (State.QUEUED, None, "queued"),
        (State.QUEUED, 60, "scheduled"),
        (State.PUBLISHED, None, "published"),
        (State.RETRYING, None, "retrying"),
    ],
)
def test_a_run_that_has_not_started_is_cancelled_at_once(state: State, due_in: int | None, was: str) -> None:
    due = timezone.now() + timedelta(seconds=due_in) if due_in else None
    run = made(state, due=due)

    cancellation = runs.cancel(run)

    assert (cancellation.was, State(cancellation.run.state)) == (was, State.CANCELLED)


def test_workers_are_told_of_a_cancelled_run_only_where_there_may_be_a_message() -> None:
    queued, published = made(State.QUEUED), made(State.PUBLISHED, attempts=1)

    runs.cancel_all(Run.objects.all())

    assert list(Run.objects.filter(check_first=True)) == [published]
    assert Run.objects.get(id=queued.id).state == State.CANCELLED


def test_a_running_run_is_marked_for_its_worker() -> None:
    cancellation = runs.cancel(made(State.STARTED))

    assert (cancellation.was, State(cancellation.run.state)) == ("started", State.STARTED)
    assert cancellation.run.cancel_requested is not None


def test_a_finished_run_cannot_be_cancelled() -> None:
    with pytest.raises(FinishedError, match="has succeeded already"):
        runs.cancel(made(State.SUCCEEDED))


def test_cancelling_all_counts_what_they_were() -> None:
    for state in (State.QUEUED, State.QUEUED, State.STARTED, State.FAILED):
        made(state)

    assert runs.cancel_all(Run.objects.all()) == {"queued": 2, "started": 1}


def test_pruning_deletes_finished_runs_that_are_too_old(settings: Settings) -> None:
    settings.ROWLOCK = {**settings.ROWLOCK, "RETENTION_DAYS": 7}
    long_ago = timezone.now() - timedelta(days=8)
    made(State.SUCCEEDED, created=long_ago)
    kept = [made(State.STARTED, created=long_ago), made(State.SUCCEEDED)]

    assert prune() == 1

    assert set(Run.objects.all()) == set(kept)


def test_pruning_keeps_no_more_finished_runs_than_allowed(settings: Settings) -> None:
    settings.ROWLOCK = {**settings.ROWLOCK, "RETENTION_COUNT": 2}
    now = timezone.now()
    finished = [made(State.SUCCEEDED, created=now - timedelta(minutes=age)) for age in range(5)]

    assert prune() == 3

    assert set(Run.objects.all()) == set(finished[:2])


def test_republishing_queues_again_what_was_published() -> None:
    published = made(State.PUBLISHED, attempts=1)
    made(State.STARTED)

    assert runs.republish(Run.objects.all()) == 1

    published.refresh_from_db()
    assert (published.state, published.check_first) == (State.QUEUED, True)
