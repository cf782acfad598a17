"""Beat as real processes: killed, doubled, and without what it needs."""

import os
import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, pairwise
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from example.models import Tick
from example.tasks.basic import add
from rowlock.models import Missed, Run, State
from tests.beat.making import ADD, every
from tests.processes import Running, running, running_worker, variables_of_the_test_database, wait_until
from tests.proxy import proxied

pytestmark = pytest.mark.django_db(transaction=True)
BEAT = ["celery", "-A", "example.celery:app", "beat", "--pidfile=", "--loglevel", "INFO"]
#: How long beat is killed at random, in seconds; `ROWLOCK_BEAT_SECONDS=600` for a long show.
SECONDS = float(os.environ.get("ROWLOCK_BEAT_SECONDS", "20"))
SCHEDULES = 3


def beat(log: Path) -> list[str]:
    """A beat whose own files are beside `log`."""
    return [*BEAT, "--schedule", str(log.with_suffix(".schedule"))]


@contextmanager
def beating(log: Path, **variables: str) -> Iterator[Running]:
    with running(beat(log), log, **variables) as process:
        yield process


def is_ticking(process: Running) -> bool:
    return process.probe("/readyz") == 200 and "rowlock_beat_active 1.0" in process.read("/metrics")


def stands_by(process: Running) -> bool:
    return process.probe("/readyz") == 200 and "rowlock_beat_active 0.0" in process.read("/metrics")


@dataclass(frozen=True, kw_only=True)
class Slots:
    """The runs of a schedule, in the order of their slots."""

    dues: list[datetime]
    created: list[datetime]

    def missing(self) -> int:
        seconds = (self.dues[-1] - self.dues[0]).total_seconds()
        return round(seconds) + 1 - len(set(self.dues))

    def doubled(self) -> int:
        return len(self.dues) - len(set(self.dues))

    def longest_gap(self) -> float:
        moments = sorted(self.created)
        return max((later - earlier).total_seconds() for earlier, later in pairwise(moments))


def slots_of(task: PeriodicTask) -> Slots:
    rows = Run.objects.filter(key__startswith=f"schedule-{task.pk}@").order_by("due").values_list("due", "created")
    return Slots(dues=[due for due, _ in rows if due], created=[created for _, created in rows])


def caught_up(tasks: list[PeriodicTask], until: datetime) -> bool:
    for task in tasks:
        task.refresh_from_db()
    return all(task.last_run_at is not None and task.last_run_at >= until for task in tasks)


@pytest.mark.usefixtures("worker")
def test_beat_runs_what_the_settings_schedule(tmp_path: Path) -> None:
    with beating(tmp_path / "log"):
        wait_until("a tick of the schedule in the settings", Tick.objects.exists)


@pytest.mark.usefixtures("worker")
def test_beat_runs_what_the_database_schedules(tmp_path: Path) -> None:
    every_second = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.SECONDS)

    with beating(tmp_path / "log"):
        PeriodicTask.objects.create(name="made in the admin", interval=every_second, task=ADD, args="[20, 22]")

        wait_until(
            "its result",
            lambda: Run.objects.filter(task=ADD, arguments__contains="[20,22]", state=State.SUCCEEDED).exists(),
        )


@pytest.mark.usefixtures("worker")
def test_the_admin_lists_tasks_that_other_code_started() -> None:
    staff = User.objects.create_superuser("staff")
    result = add.delay(20, 22)
    result.get(timeout=120)
    wait_until("the history", lambda: Run.objects.filter(id=result.id, state=State.SUCCEEDED).exists())
    client = Client()
    client.force_login(staff)

    page = client.get("/admin/rowlock/run/").content.decode()

    assert result.id in page
    assert "example.tasks.basic.add" in page


def test_of_two_beats_one_ticks_and_the_other_takes_over_when_it_is_killed(tmp_path: Path) -> None:
    task = every(1, missed=Missed.CATCH_UP)
    with beating(tmp_path / "first.log") as first, beating(tmp_path / "second.log") as second:
        wait_until("one ticks", lambda: is_ticking(first) or is_ticking(second))
        active, waiting = (first, second) if is_ticking(first) else (second, first)
        wait_until("the other stands by", lambda: stands_by(waiting))

        active.kill()
        killed = time.monotonic()
        wait_until("the other ticks", lambda: is_ticking(waiting), seconds=10)
        taken = time.monotonic() - killed

        until = timezone.now() + timedelta(seconds=2)
        wait_until("it goes on", lambda: caught_up([task], until))

    slots = slots_of(task)
    print(f"taken over after {taken:.1f} s")
    assert (slots.missing(), slots.doubled()) == (0, 0)


def test_a_beat_that_ends_hands_over_at_once(tmp_path: Path) -> None:
    with beating(tmp_path / "first.log") as first:
        wait_until("it ticks", lambda: is_ticking(first))
        with beating(tmp_path / "second.log") as second:
            wait_until("the other stands by", lambda: stands_by(second))

            first.process.terminate()
            assert first.process.wait(timeout=30) == 0, first.log.read_text()

            wait_until("the other ticks", lambda: is_ticking(second), seconds=5)


def test_a_beat_that_stood_still_does_not_tick_beside_the_one_that_took_over(postgres: str, tmp_path: Path) -> None:
    """A file beside SQLite is locked by who stands still, too."""
    task = every(1, missed=Missed.CATCH_UP)
    with beating(tmp_path / "first.log") as first:
        wait_until("it ticks", lambda: is_ticking(first))
        with beating(tmp_path / "second.log") as second:
            wait_until("the other stands by", lambda: stands_by(second))
            first.process.send_signal(signal.SIGSTOP)
            try:
                wait_until("the other ticks", lambda: is_ticking(second), seconds=12)
            finally:
                first.process.send_signal(signal.SIGCONT)
            wait_until("the first stands by", lambda: stands_by(first))
            until = timezone.now() + timedelta(seconds=2)
            wait_until("all slots are run", lambda: caught_up([task], until))

    assert (slots_of(task).missing(), slots_of(task).doubled()) == (0, 0)


@pytest.fixture
def postgres() -> str:
    """The URL of the test's database."""
    if connection.vendor != "postgresql":
        pytest.skip("needs DATABASE_URL of a Postgres")
    return variables_of_the_test_database()["DATABASE_URL"]


def test_without_postgres_beat_is_unready_and_alive_and_goes_on_when_it_is_back(postgres: str, tmp_path: Path) -> None:
    task = every(1, missed=Missed.CATCH_UP)
    with proxied(postgres) as (proxy, url):
        proxy.cut()
        with beating(tmp_path / "log", DATABASE_URL=url) as process:
            wait_until("it has started in vain", lambda: process.probe("/startupz") == 200)
            assert (process.probe("/readyz"), process.probe("/livez")) == (503, 200)
            proxy.mend()
            wait_until("it ticks", lambda: is_ticking(process), seconds=10)

            proxy.cut()
            wait_until("it is unready", lambda: process.probe("/readyz") == 503, seconds=10)
            assert process.probe("/livez") == 200
            proxy.mend()
            wait_until("it ticks again", lambda: is_ticking(process), seconds=10)
            until = timezone.now()
            wait_until("all slots are run", lambda: caught_up([task], until))

    assert (slots_of(task).missing(), slots_of(task).doubled()) == (0, 0)


def test_a_beat_whose_network_fell_silent_is_replaced(postgres: str, tmp_path: Path) -> None:
    task = every(1, missed=Missed.CATCH_UP)
    with proxied(postgres) as (proxy, url), beating(tmp_path / "first.log", DATABASE_URL=url) as first:
        wait_until("it ticks", lambda: is_ticking(first))
        with beating(tmp_path / "second.log") as second:
            wait_until("the other stands by", lambda: stands_by(second))

            proxy.fall_silent()

            wait_until("the other ticks", lambda: is_ticking(second), seconds=12)
            wait_until("the first is unready", lambda: first.probe("/readyz") == 503)
            assert first.probe("/livez") == 200
            until = timezone.now()
            wait_until("all slots are run", lambda: caught_up([task], until))
            first.kill()

    assert (slots_of(task).missing(), slots_of(task).doubled()) == (0, 0)


def test_every_slot_is_run_once_though_beats_are_killed_at_random(tmp_path: Path) -> None:
    """Two beats at once, one of them killed every few seconds, and publishing beside them."""
    tasks = [every(1, name=f"every second, {name}", missed=Missed.CATCH_UP) for name in range(SCHEDULES)]
    chance, names, kills = random.Random(SECONDS), count(), 0
    end = time.monotonic() + SECONDS
    with ExitStack() as stack:
        stack.enter_context(running_worker(tmp_path / "worker.log", "--concurrency", "2"))

        def another() -> Running:
            return stack.enter_context(beating(tmp_path / f"beat-{next(names)}.log"))

        beats = [another(), another()]
        wait_until("one ticks", lambda: any(is_ticking(process) for process in beats))
        while time.monotonic() < end or kills < 2:
            time.sleep(chance.uniform(0.1, 5))
            if chance.random() < 0.8:
                # Else there may be none for long: a beat takes seconds to start.
                wait_until("one ticks", lambda: any(is_ticking(process) for process in beats))
            active = next((index for index, process in enumerate(beats) if is_ticking(process)), 0)
            # The one that ticks, mostly: the other's death changes nothing.
            index = active if chance.random() < 0.8 else 1 - active
            beats[index].kill()
            beats[index] = another()
            kills += 1
        until = timezone.now()
        wait_until("all slots are run", lambda: caught_up(tasks, until), seconds=60)
        wait_until("all were executed", lambda: not unfinished(until), seconds=180)

    for task in tasks:
        task.refresh_from_db()
        slots = slots_of(task)
        # A figure to report.
        print(
            f"{task.name}: {len(slots.dues)} slots, {kills} kills, {slots.missing()} missing, {slots.doubled()} "
            f"doubled, longest gap {slots.longest_gap():.1f} s, {task.total_run_count} counted"
        )
        assert (slots.missing(), slots.doubled()) == (0, 0)
        assert task.total_run_count == len(slots.dues)


def unfinished(until: datetime) -> int:
    # A tick of the settings' own schedule expires while the relay that had taken it is dead.
    return Run.objects.filter(task=ADD, due__lt=until).exclude(state=State.SUCCEEDED).count()
