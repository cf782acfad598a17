from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from example.models import Tick
from example.tasks.basic import add
from rowlock.models import Run, State
from tests.processes import running, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("worker")]
BEAT = ["celery", "-A", "example.celery:app", "beat", "--pidfile="]


def test_beat_runs_what_the_settings_schedule(tmp_path: Path) -> None:
    with running(BEAT, tmp_path / "log"):
        wait_until("a tick of the schedule in the settings", Tick.objects.exists)


def test_beat_runs_what_the_database_schedules(tmp_path: Path) -> None:
    every_second = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.SECONDS)

    with running(BEAT, tmp_path / "log"):
        PeriodicTask.objects.create(
            name="made in the admin", interval=every_second, task="example.tasks.basic.add", args="[20, 22]"
        )

        wait_until(
            "its result",
            lambda: Run.objects.filter(
                task="example.tasks.basic.add", arguments__contains="[20,22]", state=State.SUCCEEDED
            ).exists(),
        )


def test_the_admin_lists_tasks_that_other_code_started() -> None:
    staff = User.objects.create_superuser("staff")
    result = add.delay(20, 22)
    result.get(timeout=60)
    wait_until("the history", lambda: Run.objects.filter(id=result.id, state=State.SUCCEEDED).exists())
    client = Client()
    client.force_login(staff)

    page = client.get("/admin/rowlock/run/").content.decode()

    assert result.id in page
    assert "example.tasks.basic.add" in page
