"""What an atomic task does in the database, and its success, are one."""

import threading
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from example.models import Counter
from example.tasks.basic import count
from rowlock.models import Run, State
from rowlock.runs.once import once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> Run:
    made = Run(task="example.tasks.basic.count", queue="celery", state=State.STARTED)
    made.save()
    return made


def add_one(key: str) -> str:
    Counter.objects.get_or_create(key=key)
    Counter.objects.filter(key=key).update(count=F("count") + 1)
    return f"{key} counted"


def test_success_is_committed_with_the_effect(run: Run) -> None:
    assert once(str(run.id), add_one, ["a"], {}) == "a counted"

    run.refresh_from_db()
    assert (State(run.state), run.result_value, Counter.objects.get().count) == (State.SUCCEEDED, "a counted", 1)


def test_an_error_leaves_neither(run: Run) -> None:
    def fail() -> None:
        add_one("a")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        once(str(run.id), fail, [], {})

    run.refresh_from_db()
    assert (State(run.state), Counter.objects.count()) == (State.STARTED, 0)


def test_a_second_delivery_returns_the_first_ones_result(run: Run) -> None:
    once(str(run.id), add_one, ["a"], {})

    assert once(str(run.id), add_one, ["a"], {}) == "a counted"

    assert Counter.objects.get().count == 1


@pytest.mark.usefixtures("real_services")
def test_of_two_deliveries_at_the_same_time_one_takes_effect(run: Run) -> None:
    both_have_begun = threading.Barrier(2, timeout=30)
    results: list[Any] = []

    def slow(key: str) -> str:
        both_have_begun.wait()
        return add_one(key)

    def deliver() -> None:
        try:
            results.append(once(str(run.id), slow, ["a"], {}))
        finally:
            connection.close()

    Counter.objects.create(key="a")
    deliveries = [threading.Thread(target=deliver) for _ in range(2)]
    for delivery in deliveries:
        delivery.start()
    for delivery in deliveries:
        delivery.join()

    assert (results, Counter.objects.get().count) == (["a counted", "a counted"], 1)


def test_called_as_a_function_it_is_a_plain_call() -> None:
    assert count("a") == 1
