"""Accepting a task, before anything is published."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import shared_task
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from rowlock import runs
from rowlock.models import Run, State
from rowlock.runs.errors import ArgumentsError, KeyConflictError, OptionsError, UnknownTaskError

pytestmark = pytest.mark.django_db

ADD = "example.tasks.basic.add"


@shared_task(name="tests.anything")
def anything(*args: Any, **kwargs: Any) -> str:
    return "done"


def test_a_submitted_run_is_queued_with_its_whole_arguments() -> None:
    long = "x" * 10_000

    run = runs.submit(anything, [1, {"text": long}], {"flag": None})

    stored = Run.objects.get(id=run.id)
    assert (stored.state, stored.task, stored.queue) == (State.QUEUED, "tests.anything", "celery")
    assert (stored.args, stored.kwargs) == ([1, {"text": long}], {"flag": None})


def test_a_task_of_a_route_gets_the_queue_of_the_route() -> None:
    run = runs.submit("example.tasks.email.send_confirmation", ["a@example.com", "hello"])

    assert run.queue == "email"


def test_a_transaction_that_is_rolled_back_leaves_no_run() -> None:
    with transaction.atomic():
        runs.submit(ADD, [1, 2])
        transaction.set_rollback(True)

    assert not Run.objects.exists()


def test_submitting_is_one_query(django_assert_num_queries: Callable[[int], Any]) -> None:
    runs.submit(ADD, [1, 2])

    with django_assert_num_queries(1):
        runs.submit(ADD, [1, 2])


def test_an_unknown_task_is_refused_with_similar_names() -> None:
    with pytest.raises(UnknownTaskError, match=r"no task 'example\.tasks\.basic\.ad'\. Did you mean .*basic\.add"):
        runs.submit("example.tasks.basic.ad", [1, 2])


def cyclic() -> list[Any]:
    inner: list[Any] = []
    inner.append(inner)
    return inner


@pytest.mark.parametrize(
    ("args", "kwargs", "says"),
    [
        ([datetime(2026, 1, 1, tzinfo=UTC)], {}, r"args\[0\] is a datetime, which is not JSON"),
        ([[1, {"a": {1, 2}}]], {}, r"args\[0\]\[1\]\.a is a set"),
        ([b"bytes"], {}, r"args\[0\] is a bytes"),
        ([], {"x": float("nan")}, r"kwargs\.x is nan"),
        ([{1: 2}], {}, r"args\[0\] has the key 1; keys of JSON are strings"),
        (["\ud800"], {}, "text that is not Unicode"),
        ([cyclic()], {}, "nested too deeply"),
        ("text", {}, "args must be a list"),
        ([], ["list"], "kwargs must be a mapping"),
        (["x" * 300_000], {}, r"bytes of JSON; 262,144 are the most .*PAYLOAD_LIMIT"),
    ],
)
def test_arguments_that_are_not_json_are_refused_where_they_are_wrong(args: Any, kwargs: Any, says: str) -> None:
    with pytest.raises(ArgumentsError, match=says):
        runs.submit(anything, args, kwargs)

    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("args", "kwargs", "says"),
    [
        ([1], {}, r"basic\.add\(x: float, y: float\) -> float cannot be called so: missing a required argument: 'y'"),
        ([1, 2, 3], {}, "too many positional arguments"),
        ([1, 2], {"z": 3}, "unexpected keyword argument 'z'"),
        ([1, 2], {"x": 3}, "multiple values for argument 'x'"),
    ],
)
def test_arguments_that_do_not_fit_the_signature_are_refused(args: Any, kwargs: Any, says: str) -> None:
    with pytest.raises(ArgumentsError, match=says):
        runs.submit(ADD, args, kwargs)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"countdown": -1}, "countdown must be a number of seconds, 0 or more"),
        ({"countdown": True}, "countdown must be a number"),
        ({"countdown": 1e12}, "more than a hundred years"),
        ({"countdown": 1, "eta": datetime(2030, 1, 1, tzinfo=UTC)}, "either countdown or eta"),
        ({"eta": datetime(2030, 1, 1)}, "eta must be a datetime with a time zone"),  # noqa: DTZ001
        ({"expires": 0}, "must be after the time"),
        ({"expires": 5, "countdown": 10}, "must be after the time"),
        ({"priority": 256}, "priority must be a whole number from 0 to 255"),
        ({"priority": "high"}, "priority must be a whole number"),
        ({"key": ""}, "key must not be empty"),
        ({"key": "k" * 201}, "key must be text of at most 200 characters"),
        ({"key": "zero\0"}, "key must be text"),
        ({"queue": 7}, "queue must be text"),
        ({"owner": "o" * 151}, "owner must be text of at most 150"),
        ({"parent": "nobody"}, "parent must be a run"),
    ],
)
def test_an_option_that_cannot_be_used_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionsError, match=says):
        runs.submit(ADD, [1, 2], **options)

    assert not Run.objects.exists()


def test_the_same_key_gives_the_same_run() -> None:
    first = runs.submit(ADD, [1, 2], key="order-1", owner="ann")

    again = runs.submit(ADD, [1, 2], key="order-1", owner="ann")

    assert (again.id, again.is_new, first.is_new) == (first.id, False, True)


def test_the_same_key_with_other_arguments_is_a_conflict() -> None:
    first = runs.submit(ADD, [1, 2], key="order-1")

    with pytest.raises(KeyConflictError, match=f"belongs to the run {first.id}"):
        runs.submit(ADD, [1, 3], key="order-1")


def test_two_owners_may_use_the_same_key() -> None:
    first = runs.submit(ADD, [1, 2], key="order-1", owner="ann")

    second = runs.submit(ADD, [3, 4], key="order-1", owner="ben")

    assert first.id != second.id


def test_thousands_are_accepted_in_one_statement(django_assert_max_num_queries: Callable[[int], Any]) -> None:
    # SQLite takes a thousand parameters in a statement, as Django has it; Postgres takes all of them.
    count = 3000 if connection.vendor == "postgresql" else 30
    many = [runs.Submission(task=ADD, args=[n, n]) for n in range(count)]
    runs.submit(ADD, [0, 0])

    # Two savepoints, each begun and released, because the test is a transaction itself, and the statement.
    with django_assert_max_num_queries(5):
        accepted = runs.submit_many(many)

    assert [run.args for run in accepted] == [[n, n] for n in range(count)]
    assert Run.objects.count() == count + 1


def test_of_many_all_are_accepted_or_none() -> None:
    many = [runs.Submission(task=ADD, args=[1, 2]), runs.Submission(task=ADD, args=[1])]

    with pytest.raises(ArgumentsError) as raised:
        runs.submit_many(many)

    assert raised.value.index == 1
    assert not Run.objects.exists()


def test_many_with_keys_give_back_the_runs_that_there_are() -> None:
    known = runs.submit(ADD, [1, 2], key="a")

    accepted = runs.submit_many(
        [
            runs.Submission(task=ADD, args=[1, 2], key="a"),
            runs.Submission(task=ADD, args=[3, 4], key="b"),
            runs.Submission(task=ADD, args=[3, 4], key="b"),
        ]
    )

    assert [run.is_new for run in accepted] == [False, True, False]
    assert (accepted[0].id, accepted[2].id) == (known.id, accepted[1].id)


def test_a_conflict_among_many_accepts_none_of_them() -> None:
    with pytest.raises(KeyConflictError) as raised:
        runs.submit_many([runs.Submission(task=ADD, args=[n, n], key="same") for n in range(2)])

    assert raised.value.index == 1
    assert not Run.objects.exists()


def test_a_countdown_makes_a_run_due_later() -> None:
    run = runs.submit(ADD, [1, 2], countdown=60)

    assert run.due is not None
    assert run.due > timezone.now() + timedelta(seconds=55)
    assert run.is_scheduled


def test_an_eager_project_has_the_outcome_at_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    from example.celery import app

    monkeypatch.setitem(app.conf, "task_always_eager", True)

    with django_capture_on_commit_callbacks(execute=True):
        run = runs.submit(ADD, [1, 2])

    run.refresh_from_db()
    assert (State(run.state), run.result_value) == (State.SUCCEEDED, 3)
