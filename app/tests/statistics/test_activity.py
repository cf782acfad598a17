from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from rowlock import statistics
from rowlock.models import Minute, Run, State
from rowlock.statistics import Period, minutes
from tests.runs.factory import make_run

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 1, 12, 30, 30, tzinfo=UTC)
Clock = Callable[[datetime], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets the time that it is."""
    return lambda now: monkeypatch.setattr(timezone, "now", lambda: now)


def ended(before: timedelta, *, waited: float = 1, ran: float = 2, state: State = State.SUCCEEDED, **more: Any) -> Run:
    """A run that ended so long before NOW."""
    finished = NOW - before
    started = finished - timedelta(seconds=ran)
    created = started - timedelta(seconds=waited)
    return make_run(state=state, created=created, started=started, finished=finished, changed=finished, **more)


def test_a_minute_tells_what_started_and_ended_in_it(at: Clock) -> None:
    at(NOW)
    ended(timedelta(minutes=10))
    ended(timedelta(minutes=10), state=State.FAILED)

    seen = statistics.activity(Period.HOUR)

    [step] = [step for step in seen.steps if step.numbers.finished]
    assert step.start == datetime(2026, 11, 1, 12, 20, tzinfo=UTC)
    assert (step.numbers.started, step.numbers.succeeded, step.numbers.failed) == (2, 1, 1)
    assert step.numbers.failure_share == 0.5
    assert step.numbers.per_minute(step.numbers.finished) == 2


def test_the_current_minute_counts_before_it_is_over(at: Clock) -> None:
    at(NOW)
    ended(timedelta(seconds=5))

    seen = statistics.activity(Period.HOUR)

    last = seen.steps[-1]
    assert (last.start, last.numbers.seconds, last.numbers.succeeded) == (NOW.replace(second=0), 30, 1)
    assert seen.total.succeeded == 1


@pytest.mark.parametrize("period", Period)
def test_no_run_is_counted_twice_when_its_minute_is_over(at: Clock, period: Period) -> None:
    ended(timedelta(seconds=5))

    for seconds in (0, 30, 50, 90, 3000):
        at(NOW + timedelta(seconds=seconds))
        assert statistics.activity(period).total.succeeded == 1, f"{seconds} s later"


def test_quantiles_are_of_waiting_and_running(at: Clock) -> None:
    at(NOW)
    for number in range(20):
        ended(timedelta(minutes=5), waited=50 if number == 19 else 0.9, ran=0.02)

    total = statistics.activity(Period.HOUR).total

    assert 0.5 <= (total.waited.quantile(0.5) or 0) <= 1
    assert 30 <= (total.waited.quantile(0.99) or 0) <= 60
    assert 0.01 <= (total.ran.quantile(0.95) or 0) <= 0.025


def test_the_wait_of_a_scheduled_run_begins_when_it_is_due(at: Clock) -> None:
    at(NOW)
    run = ended(timedelta(minutes=5), waited=3000)
    Run.objects.filter(id=run.id).update(due=run.started)

    assert (statistics.activity(Period.HOUR).total.waited.quantile(1) or 0) <= 0.005


def test_retries_start_but_do_not_wait(at: Clock) -> None:
    at(NOW)
    ended(timedelta(minutes=5), retries=1)

    total = statistics.activity(Period.HOUR).total

    assert (total.started, total.waited.count, total.ran.count) == (1, 0, 1)
    assert total.waited.quantile(0.5) is None


def test_a_task_and_a_queue_have_their_own_numbers(at: Clock) -> None:
    at(NOW)
    ended(timedelta(minutes=5), task="add", queue="light")
    ended(timedelta(minutes=5), task="add", queue="heavy")
    ended(timedelta(seconds=5), task="resize", queue="heavy", state=State.FAILED)

    tasks = {part.name: part.numbers.finished for part in statistics.by_task(Period.HOUR)}
    queues = {part.name: part.numbers.finished for part in statistics.by_queue(Period.HOUR)}

    assert (tasks, queues) == ({"add": 2, "resize": 1}, {"heavy": 2, "light": 1})
    assert statistics.activity(Period.HOUR, task="add").total.finished == 2
    assert statistics.activity(Period.HOUR, queue="heavy").total.failed == 1
    assert statistics.activity(Period.HOUR, queue="nobody's").total.finished == 0
    with pytest.raises(ValueError, match="a task and of a queue"):
        statistics.activity(Period.HOUR, task="add", queue="heavy")


def test_a_time_when_nobody_counted_is_unknown_and_one_without_runs_is_zero(at: Clock) -> None:
    at(NOW)

    steps = statistics.activity(Period.SIX_HOURS).steps

    assert not steps[0].numbers.is_known
    assert steps[0].numbers.per_minute(0) is None
    assert steps[-1].numbers.is_known
    assert steps[-1].numbers.per_minute(steps[-1].numbers.finished) == 0


def test_minutes_that_were_missed_are_caught_up_with_for_an_hour(at: Clock) -> None:
    at(NOW)
    ended(timedelta(minutes=59))
    ended(timedelta(minutes=70))

    written = minutes.keep()

    assert written == 60
    assert sum(row.succeeded for row in Minute.objects.filter(task="", queue="")) == 1


def test_counting_again_changes_nothing(at: Clock) -> None:
    at(NOW)
    ended(timedelta(minutes=5))
    minutes.keep()
    before = list(Minute.objects.order_by("id").values())

    again = minutes.keep()

    assert again == 0
    assert list(Minute.objects.order_by("id").values()) == before


def test_with_too_many_changes_to_read_the_older_minutes_stay_unknown(at: Clock) -> None:
    at(NOW)
    for number in range(10):
        ended(timedelta(minutes=number + 2))

    written = minutes.keep(most_rows=5)

    assert 3 <= written <= 6
    steps = statistics.activity(Period.HOUR).steps
    assert [step.numbers.is_known for step in steps[-3:]] == [True] * 3, "the newest minutes must be known"


def test_with_too_many_changes_in_the_last_minute_it_is_known_in_part(
    at: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(NOW)
    for number in range(30):
        ended(timedelta(seconds=number))
    monkeypatch.setattr("rowlock.statistics.reading.MOST_LIVE_ROWS", 10)

    last = statistics.activity(Period.HOUR).steps[-1].numbers

    assert last.seconds == 10
    assert 55 <= (last.per_minute(last.finished) or 0) <= 70


def test_old_minutes_are_forgotten(at: Clock) -> None:
    at(NOW)
    minutes.keep()

    at(NOW + minutes.KEPT + timedelta(hours=3))
    minutes.keep()

    assert Minute.objects.count() == 60
