"""The first page."""

import pytest
from django.db.models.functions import Now
from pytest_django import DjangoAssertNumQueries

from rowlock.models import PausedQueue, Run, State, Worker
from tests.console.people import client_of
from tests.runs.factory import ago, make_run

pytestmark = pytest.mark.django_db


def overview(role: str = "viewer") -> str:
    return client_of(role).get("/console/").content.decode()


def test_it_counts_runs_by_state() -> None:
    for state in (State.STARTED, State.STARTED, State.FAILED):
        make_run(state=state, finished=ago(minutes=1) if state.is_final else None)

    counts = client_of("viewer").get("/console/").context["counts"]

    assert {one.state: one.number for one in counts["now"]}["started"] == 2
    assert {one.state: one.number for one in counts["hour"]}["failed"] == 1


def test_it_tells_what_a_worker_does_now() -> None:
    Worker.objects.create(name="celery@host", slots=2, queues='["celery"]')
    run = make_run(state=State.STARTED, worker="celery@host", started=ago(seconds=5))

    assert f"/console/runs/{run.id}/" in overview()


def test_it_says_that_no_worker_runs() -> None:
    assert "No worker is running." in overview()


def test_it_says_that_a_queue_is_paused() -> None:
    PausedQueue.objects.create(queue="email", by="ada")

    assert "Queues are paused." in overview()


def test_it_says_that_the_outbox_lags() -> None:
    make_run(created=ago(minutes=5), publish_after=ago(minutes=5))

    assert "The outbox lags." in overview()


def test_its_queries_do_not_grow(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(10):
        Worker.objects.create(name=f"celery@{number}", slots=2, queues='["celery"]')
        make_run(state=State.STARTED, worker=f"celery@{number}", started=ago(seconds=5))
    client = client_of("viewer")
    client.get("/console/")

    with django_assert_max_num_queries(36):
        client.get("/console/")
    assert Run.objects.filter(changed__lte=Now()).exists()
