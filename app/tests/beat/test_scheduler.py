"""The scheduler of beat, turn by turn."""

import logging
import threading
from datetime import timedelta
from typing import Any

import pytest
from celery.schedules import crontab
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from example.celery import app
from rowlock.celery import scheduler as scheduling
from rowlock.celery.beat import report_of
from rowlock.celery.beat_lock import Lock, LockError
from rowlock.celery.scheduler import Scheduler
from rowlock.metrics.beat import FAILURES, LATE, TICKS
from rowlock.models import Missed, Run, Schedule
from tests.beat.making import ADD, due_times, every
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


class Hand:
    """A lock that is in the test's hand."""

    def __init__(self) -> None:
        self.is_mine = True
        self.error = ""
        self.is_released = False

    def hold(self) -> bool:
        if self.error:
            raise LockError(self.error)
        return self.is_mine

    def release(self) -> None:
        self.is_released = True


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.conf, "beat_schedule", {})
    monkeypatch.setitem(app.conf, "result_expires", None)


def beat(lock: Lock | None = None) -> Scheduler:
    return Scheduler(app, lock=lock or Hand())


def let_time_pass(task: PeriodicTask, **time: float) -> None:
    """As if `task` had last run, and nobody changed it since, that long ago."""
    then = timezone.now() - timedelta(**time)
    PeriodicTask.objects.filter(pk=task.pk).update(last_run_at=then, date_changed=then)
    Schedule.objects.filter(task=task).update(since=then)


def test_a_due_schedule_is_submitted() -> None:
    task = every(1)
    scheduler = beat()
    before = TICKS._value.get()
    scheduler.tick()

    wait_until("a run", lambda: scheduler.tick() is not None and Run.objects.exists())

    run = Run.objects.get()
    assert run.due is not None
    assert run.due.microsecond == 0
    assert (run.key or "").startswith(f"schedule-{task.pk}@")
    assert TICKS._value.get() - before == 1


def test_it_wakes_when_the_next_slot_comes() -> None:
    every(1, "days")
    scheduler = beat()
    assert scheduler.tick() == scheduling.POLL

    every(250_000, "microseconds")

    assert 0 <= scheduler.tick() <= 0.25


def test_an_idle_turn_costs_one_statement() -> None:
    every(1, "days")
    scheduler = beat()
    scheduler.tick()

    with CaptureQueriesContext(connection) as statements:
        scheduler.tick()

    assert len(statements) == 1, statements.captured_queries


def test_a_turn_with_a_due_slot_costs_four_statements_and_a_transaction() -> None:
    let_time_pass(every(1), seconds=10)
    scheduler = beat()
    scheduler.tick()

    def turn() -> CaptureQueriesContext | None:
        before = Run.objects.count()
        with CaptureQueriesContext(connection) as statements:
            scheduler.tick()
        return statements if Run.objects.count() > before else None

    statements = wait_until("the next slot", turn)

    asked = [query["sql"] for query in statements if query["sql"].split()[0] in ("SELECT", "UPDATE", "INSERT")]
    assert len(asked) == 4, asked


def test_changes_are_noticed_in_the_next_turn() -> None:
    scheduler = beat()
    scheduler.tick()

    task = every(1, "days")
    scheduler.tick()
    assert list(scheduler._schedules) == [task.pk]

    task.enabled = False
    task.save()
    scheduler.tick()
    assert not scheduler._schedules


def test_a_change_of_what_is_missed_is_noticed() -> None:
    task = every(1, "days")
    scheduler = beat()
    scheduler.tick()

    Schedule.objects.get(task=task).save()
    kept = Schedule.objects.get(task=task)
    kept.missed = Missed.CATCH_UP
    kept.save()
    scheduler.tick()

    assert scheduler._schedules[task.pk].missed == Missed.CATCH_UP
    assert Schedule.objects.get().since is not None


def test_a_schedule_whose_end_has_come_is_disabled() -> None:
    task = every(1, expires=timezone.now() - timedelta(seconds=1))
    scheduler = beat()

    scheduler.tick()

    task.refresh_from_db()
    assert not task.enabled
    assert not Run.objects.exists()


def test_a_schedule_that_cannot_be_submitted_rests_and_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    broken = [every(1, name="signature", args="[1]"), every(1, name="json", args="[")]
    good = every(1, name="good")
    for task in (*broken, good):
        let_time_pass(task, seconds=10)
    scheduler = beat()
    failures = FAILURES._value.get()

    with caplog.at_level(logging.ERROR):
        delays = [scheduler.tick() for _ in range(5)]

    assert set(Run.objects.values_list("task", flat=True)) == {ADD}
    assert {(run.key or "").partition("@")[0] for run in Run.objects.all()} == {f"schedule-{good.pk}"}
    assert FAILURES._value.get() - failures == 2, "each was tried once in five turns"
    assert "'signature' cannot be submitted, next try in 5 s" in caplog.text
    assert "'json' cannot be submitted" in caplog.text
    assert min(delays[1:]) > 0, f"beat turns without rest: {delays}"


def test_a_schedule_that_was_mended_runs_at_once() -> None:
    task = every(1, "hours", args="[")
    let_time_pass(task, hours=2)
    scheduler = beat()
    scheduler.tick()
    assert not Run.objects.exists()

    task.refresh_from_db()
    task.args = "[1, 2]"
    task.save()
    scheduler.tick()

    assert Run.objects.count() == 1


def test_lateness_is_that_of_the_most_overdue_schedule() -> None:
    task = every(1, "hours", args="[")
    let_time_pass(task, hours=3)
    scheduler = beat()

    scheduler.tick()

    late = next(sample.value for metric in LATE.collect() for sample in metric.samples)
    assert late == pytest.approx(scheduler.late(), abs=5)
    assert 2 * 3600 <= late <= 3 * 3600


def test_who_has_not_the_lock_submits_nothing_and_is_ready() -> None:
    let_time_pass(every(1), seconds=10)
    hand = Hand()
    hand.is_mine = False
    scheduler = beat(hand)

    scheduler.tick()

    report = report_of(scheduler)
    assert not Run.objects.exists()
    assert (report.started, report.ready, report.alive) == (True, True, True)
    assert "standing by" in report.detail


def test_who_gets_the_lock_ticks_and_who_loses_it_stops() -> None:
    let_time_pass(every(1), seconds=10)
    hand = Hand()
    hand.is_mine = False
    scheduler = beat(hand)
    scheduler.tick()

    hand.is_mine = True
    scheduler.tick()
    assert Run.objects.count() == 1

    hand.is_mine = False
    PeriodicTask.objects.update(last_run_at=timezone.now() - timedelta(seconds=20))
    scheduler.tick()
    assert Run.objects.count() == 1
    assert report_of(scheduler).detail.startswith("standing by")


def test_who_does_not_know_whose_the_lock_is_neither_ticks_nor_is_ready() -> None:
    let_time_pass(every(1), seconds=10)
    hand = Hand()
    hand.error = "nobody answers"
    scheduler = beat(hand)

    delay = scheduler.tick()

    report = report_of(scheduler)
    assert not Run.objects.exists()
    assert (report.started, report.ready, report.alive) == (True, False, True)
    assert "nobody answers" in report.detail
    assert delay == scheduling.POLL


def test_without_a_database_beat_lives_and_ticks_when_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    let_time_pass(every(1), seconds=10)
    scheduler = beat()

    def away(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "ensure_connection", away)
        connection.close()
        scheduler.tick()
        report = report_of(scheduler)
    assert (report.ready, report.alive) == (False, True)

    scheduler.tick()

    assert report_of(scheduler).ready
    assert Run.objects.count() == 1


def test_a_beat_that_stands_still_is_dead() -> None:
    scheduler = beat()
    scheduler.tick()

    scheduler.moved -= 30
    assert (report_of(scheduler).ready, report_of(scheduler).alive) == (False, True)

    scheduler.moved -= 100
    assert not report_of(scheduler).alive


def test_a_beat_that_ends_gives_the_lock_up() -> None:
    hand = Hand()
    scheduler = beat(hand)
    scheduler.tick()

    scheduler.close()

    assert hand.is_released


def test_two_beats_at_once_run_each_slot_once() -> None:
    """As if the lock had failed."""
    tasks = [every(1, name=name, missed=Missed.CATCH_UP) for name in ("a", "b", "c")]
    for task in tasks:
        let_time_pass(task, seconds=300)
    first, second = beat(), beat()
    begin = timezone.now()

    def turn(scheduler: Scheduler) -> None:
        while timezone.now() < begin + timedelta(seconds=4):
            scheduler.tick()
        connection.close()

    threads = [threading.Thread(target=turn, args=[scheduler]) for scheduler in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for task in tasks:
        dues = [due for due in due_times(key__startswith=f"schedule-{task.pk}@") if due]
        task.refresh_from_db()
        assert task.total_run_count == len(dues)
        assert len(set(dues)) == len(dues), "a slot was run twice"
        assert len(dues) == (dues[-1] - dues[0]).total_seconds() + 1, "a slot was not run"


SETTINGS: dict[str, Any] = {
    "ten": {"task": ADD, "schedule": 10.0, "args": [1, 2], "options": {"missed": "catch_up", "expires": 30.5}},
    "half": {"task": ADD, "schedule": 0.5, "args": [1, 2], "options": {"queue": "email"}},
    "numbers": {"task": ADD, "schedule": crontab(minute={30, 5}, hour=4), "args": [1, 2]},
    "nonsense": {"task": ADD, "schedule": "yearly"},
    "misspelt": {"task": ADD, "schedule": 10.0, "options": {"missed": "always"}},
}


@pytest.fixture
def from_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.conf, "beat_schedule", SETTINGS)


def test_schedules_of_the_settings_are_followed(from_settings: None, caplog: pytest.LogCaptureFixture) -> None:
    beat().tick()

    ten, half, numbers = PeriodicTask.objects.order_by("id")
    assert (ten.schedule.run_every, ten.expire_seconds, ten.rowlock.missed) == (timedelta(seconds=10), 31, "catch_up")
    assert (half.schedule.run_every, half.queue, half.rowlock.missed) == (timedelta(seconds=0.5), "email", "skip")
    assert (numbers.crontab.minute, numbers.crontab.hour) == ("5,30", "4")
    assert "'nonsense' of beat_schedule cannot be used" in caplog.text
    assert "the option missed must be one of skip, catch_up, not 'always'" in caplog.text


def test_starting_again_with_the_same_settings_changes_nothing(from_settings: None) -> None:
    beat().tick()
    changed, rows = PeriodicTasks.last_change(), list(PeriodicTask.objects.order_by("id").values())

    beat().tick()

    assert PeriodicTasks.last_change() == changed
    for before, now in zip(rows, PeriodicTask.objects.order_by("id").values(), strict=True):
        assert now["date_changed"] == before["date_changed"]
    assert IntervalSchedule.objects.count() == 2


def test_new_settings_win_and_leave_what_beat_counts(from_settings: None, monkeypatch: pytest.MonkeyPatch) -> None:
    beat().tick()
    PeriodicTask.objects.filter(name="ten").update(total_run_count=7, enabled=False)
    changed = {"ten": {"task": ADD, "schedule": 20.0, "args": [2, 2]}}
    monkeypatch.setitem(app.conf, "beat_schedule", changed)

    beat().tick()

    ten = PeriodicTask.objects.get(name="ten")
    assert (ten.schedule.run_every, ten.args, ten.expire_seconds) == (timedelta(seconds=20), "[2, 2]", None)
    assert (ten.total_run_count, ten.enabled, ten.rowlock.missed) == (7, False, "skip")


def test_the_admin_asks_what_becomes_of_missed_ticks() -> None:
    task = every(1, "days")
    client = Client()
    client.force_login(User.objects.create_superuser("staff"))
    page = f"/admin/django_celery_beat/periodictask/{task.pk}/change/"
    assert "run every one, in order" in client.get(page).content.decode()

    form = {
        "name": task.name, "task": ADD, "interval": task.interval_id, "args": "[1, 2]", "kwargs": "{}", "headers": "{}",
        "enabled": "on", "rowlock-TOTAL_FORMS": "1", "rowlock-INITIAL_FORMS": "0", "rowlock-MIN_NUM_FORMS": "0",
        "rowlock-MAX_NUM_FORMS": "1", "rowlock-0-task": task.pk, "rowlock-0-missed": "catch_up",
    }  # fmt: skip
    assert client.post(page, form).status_code == 302

    assert Schedule.objects.get(task=task).missed == "catch_up"
