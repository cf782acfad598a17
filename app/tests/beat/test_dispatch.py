"""What becomes of slots: runs, accepted with the word that they were."""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django_celery_beat.models import ClockedSchedule, PeriodicTask
from pytest_django import DjangoAssertNumQueries

from rowlock.models import Missed, Run, Schedule
from rowlock.runs import registry
from rowlock.runs.errors import ArgumentsError, OptionsError, RunError
from rowlock.schedules import dispatch as dispatching
from rowlock.schedules.dispatch import dispatch, key_of
from rowlock.schedules.followed import Followed, load
from tests.beat.making import ADD, due_times, every, made_at

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def after(**time: float) -> datetime:
    return NOON + timedelta(**time)


def followed(now: datetime) -> Followed:
    """The one schedule, as beat reads it at `now`."""
    [schedule], broken = load(now)
    assert not broken
    return schedule


def dispatch_all(now: datetime) -> Followed:
    schedule = followed(now)
    while dispatch(schedule, now).submitted:
        pass
    return schedule


def test_a_slot_is_a_run_that_is_due_at_it() -> None:
    task = made_at(every(10), NOON)

    outcome = dispatch(followed(NOON), after(seconds=12))

    run = Run.objects.get()
    assert outcome.submitted == 1
    assert (run.task, run.args, run.due, run.owner) == (ADD, [1, 2], after(seconds=10), "")
    assert run.key == f"schedule-{task.pk}@2026-03-01T12:00:10+00:00"
    task.refresh_from_db()
    assert (task.last_run_at, task.total_run_count) == (after(seconds=10), 1)


def test_nothing_is_run_before_its_slot() -> None:
    made_at(every(10), NOON)

    dispatch(followed(NOON), after(seconds=9.9))

    assert not Run.objects.exists()


def test_of_missed_slots_the_latest_is_run() -> None:
    made_at(every(10), NOON)
    dispatch_all(after(seconds=10))

    schedule = followed(after(seconds=55))
    outcome = dispatch(schedule, after(seconds=55))

    assert due_times() == [after(seconds=10), after(seconds=50)]
    assert (outcome.submitted, outcome.dropped) == (1, 3)
    assert schedule.next == after(seconds=60)


def test_missed_slots_are_caught_up_in_order() -> None:
    made_at(every(10, missed=Missed.CATCH_UP), NOON)
    dispatch_all(after(seconds=10))

    dispatch_all(after(seconds=55))

    assert due_times() == [after(seconds=seconds) for seconds in (10, 20, 30, 40, 50)]
    assert PeriodicTask.objects.get().total_run_count == 5


def test_catching_up_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatching, "MOST_MISSED", 25)
    monkeypatch.setattr(dispatching, "CHUNK", 10)
    made_at(every(1, missed=Missed.CATCH_UP), NOON)

    outcome = dispatch(followed(NOON), after(seconds=40))
    dispatch_all(after(seconds=40))

    assert (outcome.submitted, outcome.dropped) == (10, 15)
    assert due_times() == [after(seconds=seconds) for seconds in range(16, 41)]


def test_a_hundred_missed_slots_cost_a_handful_of_statements(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    made_at(every(1, missed=Missed.CATCH_UP), NOON)
    schedule = followed(NOON)

    # SQLite takes a few dozen rows at a time.
    with django_assert_max_num_queries(10):
        dispatch(schedule, after(seconds=100))

    assert Run.objects.count() == 100


def test_a_slot_costs_three_statements_in_a_transaction(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    made_at(every(10), NOON)
    schedule = followed(NOON)

    # The row of the schedule, the run, and whose it is; the test's transaction makes this one a savepoint.
    with django_assert_num_queries(3 + 2):
        dispatch(schedule, after(seconds=10))


def test_reading_the_schedules_costs_three_statements(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for seconds in range(1, 5):
        every(seconds)
    load(NOON)

    with django_assert_num_queries(3):
        load(NOON)


def test_what_is_rolled_back_was_never_run() -> None:
    task = made_at(every(10), NOON)
    schedule = followed(NOON)

    with transaction.atomic():
        dispatch(schedule, after(seconds=10))
        transaction.set_rollback(True)

    task.refresh_from_db()
    assert not Run.objects.exists()
    assert (task.last_run_at, task.total_run_count) == (None, 0)

    dispatch_all(after(seconds=11))

    assert due_times() == [after(seconds=10)]


def test_a_slot_that_is_not_accepted_stays_due() -> None:
    task = made_at(every(10, args="[1]"), NOON)

    with pytest.raises(ArgumentsError, match="missing a required argument"):
        dispatch(followed(NOON), after(seconds=10))

    task.refresh_from_db()
    assert (task.last_run_at, task.total_run_count) == (None, 0)


def test_who_comes_second_finds_the_slot_taken() -> None:
    made_at(every(10), NOON)
    first, second = followed(NOON), followed(NOON)
    dispatch(first, after(seconds=10))

    outcome = dispatch(second, after(seconds=10))

    assert outcome.is_stale
    assert (Run.objects.count(), PeriodicTask.objects.get().total_run_count) == (1, 1)


def test_a_slot_whose_run_exists_is_not_run_again_though_the_schedule_forgot() -> None:
    """The admin saves what it has read a moment before, the time of the last run with it."""
    task = made_at(every(10), NOON)
    dispatch_all(after(seconds=10))
    PeriodicTask.objects.update(last_run_at=after(seconds=0), args="[5, 5]")

    dispatch_all(after(seconds=22))

    keys = list(Run.objects.order_by("due").values_list("key", flat=True))
    assert keys == [key_of(task, after(seconds=10)), key_of(task, after(seconds=20))]


def test_the_options_of_a_schedule_reach_its_run() -> None:
    options: dict[str, Any] = {"queue": "email", "priority": 7, "expire_seconds": 90, "headers": '{"tenant": "blue"}'}
    made_at(every(10, exchange="events", routing_key="ticks", **options), NOON)

    dispatch_all(after(seconds=10))

    run = Run.objects.get()
    assert (run.queue, run.priority) == ("email", 7)
    assert run.expires is not None
    assert timedelta(seconds=80) < run.expires - run.created <= timedelta(seconds=90)
    assert json.loads(run.options) == {
        "exchange": "events",
        "routing_key": "ticks",
        "headers": {"tenant": "blue", "periodic_task_name": "every 10 seconds", "celery_beat_task": True},
    }


@pytest.mark.parametrize(
    ("fields", "error", "reason"),
    [
        ({"args": "[1, 2"}, ArgumentsError, "args of the schedule are not JSON"),
        ({"args": '{"x": 1}'}, ArgumentsError, "args of the schedule must be a list"),
        ({"kwargs": "[]"}, ArgumentsError, "kwargs of the schedule must be an object"),
        ({"headers": "x"}, ArgumentsError, "headers of the schedule are not JSON"),
        ({"args": "[1, 2, 3]"}, ArgumentsError, "too many positional arguments"),
        ({"priority": 300}, OptionsError, "priority must be"),
    ],
)
def test_what_cannot_be_submitted_says_why(fields: dict[str, Any], error: type[RunError], reason: str) -> None:
    made_at(every(10, **fields), NOON)

    with pytest.raises(error, match=reason):
        dispatch(followed(NOON), after(seconds=10))


def test_a_task_that_only_another_service_has_is_published(caplog: pytest.LogCaptureFixture) -> None:
    made_at(every(10, task="example.tasks.basic.addd", args='[{"any": "thing"}]', queue="theirs"), NOON)
    dispatching._foreign.cache_clear()
    # Loading the tasks sets up Django's logging anew, without pytest's part in it.
    registry.task_names()

    with caplog.at_level(logging.WARNING):
        dispatch_all(after(seconds=10))

    run = Run.objects.get()
    assert (run.task, run.queue, run.args) == ("example.tasks.basic.addd", "theirs", [{"any": "thing"}])
    assert run.expires is not None, "it would stay in the history for ever"
    assert "did you mean 'example.tasks.basic.add'?" in caplog.text


def test_a_task_of_another_service_goes_where_the_routes_say() -> None:
    made_at(every(10, task="example.tasks.email.another"), NOON)

    dispatch_all(after(seconds=10))

    assert Run.objects.get().queue == "email"


def test_celerys_own_tasks_are_run() -> None:
    made_at(every(10, task="celery.backend_cleanup", args="[]"), NOON)

    dispatch_all(after(seconds=10))

    assert Run.objects.get().task == "celery.backend_cleanup"


def test_a_disabled_schedule_is_not_followed() -> None:
    every(10, enabled=False)

    assert load(NOON) == ([], [])


def test_what_is_disabled_meanwhile_is_not_run() -> None:
    made_at(every(10), NOON)
    schedule = followed(NOON)
    PeriodicTask.objects.update(enabled=False)

    assert dispatch(schedule, after(seconds=10)).is_stale
    assert not Run.objects.exists()


def test_a_one_off_is_run_once_and_disabled() -> None:
    made_at(every(10, one_off=True, missed=Missed.CATCH_UP), NOON)

    schedule = dispatch_all(after(seconds=35))

    task = PeriodicTask.objects.get()
    assert due_times() == [after(seconds=30)]
    assert (task.enabled, task.last_run_at, task.total_run_count, schedule.next) == (False, None, 1, None)


def test_a_one_off_that_is_enabled_again_is_run_again() -> None:
    task = made_at(every(10, one_off=True), NOON)
    dispatch_all(after(seconds=10))
    PeriodicTask.objects.update(enabled=True, date_changed=after(seconds=31))

    dispatch_all(after(seconds=32))
    assert due_times() == [after(seconds=10)], "it has no slot since"
    dispatch_all(after(seconds=41))

    assert due_times() == [after(seconds=10), after(seconds=40)]
    task.refresh_from_db()
    assert not task.enabled


def test_a_clocked_schedule_is_run_once_also_when_its_time_has_passed() -> None:
    clocked = ClockedSchedule.objects.create(clocked_time=after(hours=-1))
    task = PeriodicTask.objects.create(clocked=clocked, name="once", task=ADD, args="[1, 2]", one_off=True)
    made_at(task, NOON)

    dispatch_all(after(seconds=1))

    assert due_times() == [after(hours=-1)]
    task.refresh_from_db()
    assert not task.enabled


def test_a_clocked_schedule_is_not_run_before_its_time() -> None:
    clocked = ClockedSchedule.objects.create(clocked_time=after(hours=1))
    PeriodicTask.objects.create(clocked=clocked, name="once", task=ADD, args="[1, 2]", one_off=True)

    dispatch_all(after(minutes=59))

    assert not Run.objects.exists()


def test_a_schedule_longer_than_beat_ever_runs_is_due_all_the_same() -> None:
    """django-celery-beat counts from the last run or change, and its start is a change (its issue 634)."""
    made_at(every(1, "days"), after(hours=1))
    for hour in range(2, 12):
        dispatch_all(after(hours=hour))
    assert not Run.objects.exists()

    dispatch_all(after(hours=12))

    assert due_times() == [datetime(2026, 3, 2, tzinfo=UTC)]


def test_missed_slots_of_a_new_schedule_begin_when_it_was_made() -> None:
    made_at(every(10, missed=Missed.CATCH_UP), NOON)

    dispatch_all(after(seconds=35))

    assert due_times() == [after(seconds=10), after(seconds=20), after(seconds=30)]


def test_a_schedule_of_another_scheduler_goes_on_where_that_one_stopped() -> None:
    made_at(every(10, last_run_at=after(seconds=7)), after(days=-9))

    dispatch_all(after(seconds=35))

    assert due_times() == [after(seconds=30)]


def test_what_passed_while_a_schedule_was_disabled_is_not_caught_up() -> None:
    task = made_at(every(10, missed=Missed.CATCH_UP), NOON)
    dispatch_all(after(seconds=10))
    task.refresh_from_db()
    task.enabled = False
    task.save()
    load(after(hours=1))
    # As the admin's action does it: the row does not tell when it was enabled.
    PeriodicTask.objects.update(enabled=True, date_changed=after(seconds=15))

    assert followed(after(hours=2)).next == after(hours=2, seconds=10)


def test_what_passed_while_a_schedule_was_disabled_and_beat_away_is_not_caught_up() -> None:
    made_at(every(10, missed=Missed.CATCH_UP), NOON)
    dispatch_all(after(seconds=10))
    PeriodicTask.objects.update(enabled=True, last_run_at=None, date_changed=after(hours=1))

    assert followed(after(hours=2)).next == after(hours=1, seconds=10)


def test_a_schedule_that_is_switched_off_and_on_without_its_last_run_being_reset_begins_anew() -> None:
    made_at(every(10, missed=Missed.CATCH_UP), NOON)
    dispatch_all(after(seconds=10))
    PeriodicTask.objects.update(enabled=False)
    load(after(hours=1))
    PeriodicTask.objects.update(enabled=True)

    dispatch_all(after(hours=2, seconds=11))
    schedule = followed(after(hours=2, seconds=12))

    assert due_times() == [after(seconds=10)]
    assert schedule.next == after(hours=2, seconds=20)


def test_slots_of_new_times_begin_with_the_change() -> None:
    task = made_at(every(1, "hours", missed=Missed.CATCH_UP), after(minutes=-1))
    dispatch_all(NOON)
    task.interval.every, task.interval.period = 1, "seconds"
    task.interval.save()

    dispatch_all(after(minutes=50))
    dispatch_all(after(minutes=50, seconds=2))

    assert due_times() == [NOON, after(minutes=50, seconds=1), after(minutes=50, seconds=2)]


def test_another_description_drops_no_slot() -> None:
    task = made_at(every(10, missed=Missed.CATCH_UP), NOON)
    dispatch_all(after(seconds=10))
    task.refresh_from_db()
    task.description = "adds"
    task.save()
    made_at(task, after(seconds=35))

    dispatch_all(after(seconds=41))

    assert due_times() == [after(seconds=seconds) for seconds in (10, 20, 30, 40)]


def test_a_clock_that_was_wrong_does_not_stop_a_schedule() -> None:
    made_at(every(10), NOON)
    dispatch_all(after(days=300))

    schedule = followed(after(days=1))

    assert schedule.next == after(days=1, seconds=10)


def test_an_unreadable_schedule_does_not_stop_the_others() -> None:
    made_at(every(10), NOON)
    every(0, name="broken")

    [schedule], [(task, error)] = load(after(seconds=1))

    assert (schedule.task.name, task.name) == ("every 10 seconds", "broken")
    assert "longer than nothing" in str(error)


def test_how_a_schedule_misses_is_forgotten_with_it() -> None:
    task = every(10, missed=Missed.CATCH_UP)

    task.delete()

    assert not Schedule.objects.exists()
