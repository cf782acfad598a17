from typing import Any

import pytest

from example.models import Counter, Tick
from example.tasks.basic import add, count, debug_task, flaky, tick, wait
from example.tasks.errors import BadInput
from rowlock import runs
from tests.example.conftest import Run

pytestmark = pytest.mark.django_db


def test_numbers_are_added(run: Run) -> None:
    assert run(add, 2, 3.5) == 5.5


@pytest.mark.parametrize("bad", ["3", None, True, [1], float("nan"), float("inf")])
def test_what_is_no_number_is_named(run: Run, bad: Any) -> None:
    with pytest.raises(BadInput, match=r"^y must be a number, not "):
        run(add, 1, bad)


def test_a_task_tells_its_id() -> None:
    result = debug_task.apply(task_id="known")

    assert result.get()["task_id"] == "known"


def test_a_tick_that_is_delivered_twice_is_one_tick() -> None:
    tick.apply(task_id="same")
    tick.apply(task_id="same")
    tick.apply(task_id="other")

    assert Tick.objects.count() == 2


def test_waiting_no_time_is_done_at_once(run: Run) -> None:
    assert run(wait, 0) == 0


@pytest.mark.parametrize("seconds", [-1, 241, "1"])
def test_a_wait_out_of_bounds_is_refused(run: Run, seconds: Any) -> None:
    with pytest.raises(BadInput, match=r"^seconds must be "):
        run(wait, seconds)


def test_counting_counts_by_key(run: Run) -> None:
    assert [run(count, key) for key in ("one", "two", "one")] == [1, 1, 2]


def test_a_run_that_is_delivered_twice_counts_once() -> None:
    accepted = runs.submit(count, ["key"])

    results = [count.apply(args=["key"], task_id=str(accepted.id)).get() for _ in range(2)]

    assert results == [1, 1]
    assert Counter.objects.get(key="key").count == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "\0", 7, None])
def test_a_key_that_cannot_be_counted_is_refused(run: Run, key: Any) -> None:
    with pytest.raises(BadInput, match=r"^key must be "):
        run(count, key)
    assert not Counter.objects.exists()


def test_a_flaky_task_succeeds_after_its_failures(run: Run) -> None:
    assert run(flaky, 2) == "attempt 3 succeeded"


@pytest.mark.parametrize("failures", [-1, 11, "1", True])
def test_failures_out_of_bounds_are_refused(run: Run, failures: Any) -> None:
    with pytest.raises(BadInput, match=r"^failures must be "):
        run(flaky, failures)
