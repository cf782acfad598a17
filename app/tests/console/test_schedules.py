"""/console/schedules/"""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask
from pytest_django import DjangoAssertNumQueries, Settings

from example.celery import app
from rowlock.models import AuditEntry, Missed, Run, State
from rowlock.models import Schedule as Kept
from rowlock.schedules.dispatch import key_of
from rowlock.schedules.times import spoken
from tests.beat.making import every
from tests.console.people import client_of
from tests.runs.factory import make_run

pytestmark = pytest.mark.django_db


def fields(**given: object) -> dict[str, object]:
    """What the form sends of a new schedule."""
    return {
        "name": "adding",
        "task": "example.tasks.basic.add",
        "kind": "interval",
        "every": "10",
        "period": "minutes",
        "args": "[2, 3]",
        "missed": "skip",
        "enabled": "on",
        **given,
    }


def create(client: Client, **given: object) -> str:
    response = client.post(reverse("rowlock-console:schedule-new"), fields(**given))
    return "" if response.status_code == 302 else response.content.decode()


def change(schedule: PeriodicTask, client: Client, **given: object) -> str:
    response = client.post(reverse("rowlock-console:schedule", args=[schedule.pk]), given)
    return "" if response.status_code == 302 else response.content.decode()


def listed(role: str = "viewer", **query: str) -> str:
    return client_of(role).get(reverse("rowlock-console:schedules"), query).content.decode()


def post(role: str, name: str, task: PeriodicTask, **data: str) -> int:
    return client_of(role).post(reverse(f"rowlock-console:{name}", args=[task.pk]), data).status_code


@pytest.mark.parametrize(
    ("crontab", "words"),
    [
        ({"minute": "0", "hour": "3", "day_of_week": "1-5"}, "at 03:00 on weekdays, Europe/Berlin"),
        ({"minute": "0", "hour": "0"}, "at midnight, Europe/Berlin"),
        ({"minute": "*/5"}, "every 5 minutes, Europe/Berlin"),
        ({"minute": "30", "hour": "10", "day_of_month": "1"}, "at 10:30 on day 1 of the month, Europe/Berlin"),
        ({"minute": "0", "hour": "9", "day_of_week": "sat,sun"}, "at 09:00 at weekends, Europe/Berlin"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_crontab_is_told_in_plain_english(crontab: dict[str, str], words: str) -> None:
    assert spoken(PeriodicTask(crontab=CrontabSchedule(timezone="Europe/Berlin", **crontab))) == words


def test_schedules_are_listed_with_their_times_and_those_that_are_off() -> None:
    every(10)
    every(3, "minutes", enabled=False)

    text = listed()

    assert "every 10 seconds" in text
    assert "every 3 minutes" in text
    assert 'class="is-off"' in text


def test_the_list_costs_the_same_for_many(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client = client_of("viewer")
    for number in range(1, 8):
        every(number, "hours", missed=Missed.SKIP)
    Kept.objects.update(since=timezone.now() - timedelta(days=2))

    # Session, user, two for permissions, schedules, their latest runs.
    with django_assert_max_num_queries(6):
        client.get(reverse("rowlock-console:schedules"))


def test_the_latest_runs_are_linked_with_their_state() -> None:
    task = every(1, "hours", missed=Missed.SKIP)
    slot = timezone.now().replace(minute=0, second=0, microsecond=0)
    Kept.objects.update(since=slot - timedelta(hours=4))
    PeriodicTask.objects.update(last_run_at=slot)
    run = make_run(key=key_of(task, slot), owner="", state=State.FAILED)

    text = listed()

    assert reverse("rowlock-console:run", args=[run.id]) in text
    assert "failed" in text


def test_a_slot_without_a_run_between_others_was_missed() -> None:
    task = every(1, "hours", missed=Missed.SKIP)
    slot = timezone.now().replace(minute=0, second=0, microsecond=0)
    Kept.objects.update(since=slot - timedelta(hours=4))
    PeriodicTask.objects.update(last_run_at=slot)
    for hours in (0, 2):
        make_run(key=key_of(task, slot - timedelta(hours=hours)), owner="")

    assert "missed times" in listed()


def test_a_schedule_that_beat_does_not_follow_is_late() -> None:
    every(1, "hours", missed=Missed.SKIP)
    Kept.objects.update(since=timezone.now() - timedelta(hours=5), timing="x")

    text = listed()

    assert "1 schedule is late" in text
    assert "Is beat running?" in text


def test_a_new_schedule_is_made_and_on_record() -> None:
    assert create(client_of("operator"), queue="email", priority="3") == ""

    task = PeriodicTask.objects.get()
    assert (task.name, task.task, task.args, task.queue, task.priority) == (
        "adding", "example.tasks.basic.add", "[2, 3]", "email", 3,
    )  # fmt: skip
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target, entry.via) == ("operator", "create", "adding", "console")


@pytest.mark.parametrize(
    "kind",
    [
        {
            "kind": "crontab",
            "minute": "0",
            "hour": "3",
            "day_of_month": "*",
            "month_of_year": "*",
            "day_of_week": "1-5",
        },
        {"kind": "clocked", "at": "2080-01-01T10:00"},
        {"kind": "solar", "event": "sunrise", "latitude": "52.5", "longitude": "13.4"},
    ],
    ids=lambda kind: kind["kind"],
)
def test_each_kind_of_time_can_be_made(kind: dict[str, str]) -> None:
    assert create(client_of("operator"), **kind) == ""

    assert getattr(PeriodicTask.objects.get(), kind["kind"]) is not None


@pytest.mark.parametrize(
    ("given", "field", "reason"),
    [
        ({"name": ""}, "name", "This field is required"),
        ({"task": "nope"}, "task", "Select a valid choice"),
        ({"every": ""}, "every", "Give a whole number"),
        ({"period": "microseconds", "every": "5"}, "every", "a tenth of a second to ten years"),
        ({"args": "[1"}, "args", "This is not JSON"),
        ({"args": '{"x": 1}'}, "args", "This must be a list"),
        ({"args": "[1]"}, "args", "missing a required argument"),
        ({"kind": "crontab", "minute": "60", "hour": "*", "day_of_month": "*", "month_of_year": "*",
          "day_of_week": "*"}, "minute", "not in 0-59"),
        ({"kind": "crontab", "minute": "0", "hour": "*", "day_of_month": "*", "month_of_year": "*",
          "day_of_week": "*", "timezone": "Mars"}, "timezone", "There is no time zone"),
        ({"kind": "clocked", "at": "2001-01-01T10:00"}, "at", "has passed"),
        ({"kind": "clocked", "at": ""}, "at", "Give a date and a time"),
        ({"kind": "solar", "latitude": "91", "longitude": "1", "event": "sunset"}, "latitude", "less than or equal"),
        ({"starts": "2080-01-01T00:00", "ends": "2079-01-01T00:00"}, "ends", "must be after starts"),
        ({"ends": "2080-01-01T00:00", "expire_seconds": "5"}, "expire_seconds", "either ends or expire_seconds"),
        ({"priority": "256"}, "priority", "less than or equal to 255"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_what_is_wrong_is_said_beside_the_field(given: dict[str, str], field: str, reason: str) -> None:
    text = create(client_of("operator"), **given)

    assert f'id="id_{field}_error"' in text
    assert reason in text.split(f'id="id_{field}_error"')[1].split("</p>")[0]
    assert not PeriodicTask.objects.exists()
    assert not AuditEntry.objects.exists()


def test_a_name_that_is_taken_is_said_beside_the_name() -> None:
    client = client_of("operator")
    create(client)

    text = create(client)

    assert "names are unique" in text.split('id="id_name_error"')[1].split("</p>")[0]


def test_what_is_left_alone_in_the_form_stays() -> None:
    client = client_of("operator")
    create(client)
    task = PeriodicTask.objects.get()
    last = timezone.now()
    PeriodicTask.objects.update(last_run_at=last, total_run_count=7)

    assert change(task, client, **fields(description="sums")) == ""

    task.refresh_from_db()
    assert (task.description, task.args, task.total_run_count, task.last_run_at) == ("sums", "[2, 3]", 7, last)
    assert AuditEntry.objects.first().details["changed"] == ["description"]  # type: ignore[union-attr]


def test_a_schedule_gets_other_times() -> None:
    client = client_of("operator")
    create(client)
    task = PeriodicTask.objects.get()

    assert change(task, client, **fields(kind="crontab", minute="5", hour="*", day_of_month="*", month_of_year="*",
                                         day_of_week="*")) == ""  # fmt: skip

    task.refresh_from_db()
    assert (task.interval, task.crontab.minute) == (None, "5")


def test_hidden_arguments_stay_unless_others_are_written(settings: Settings) -> None:
    settings.ROWLOCK = {**settings.ROWLOCK, "REDACT_ARGUMENTS": ["example.*"]}
    client = client_of("operator")
    create(client)
    task = PeriodicTask.objects.get()

    assert "[2, 3]" not in client.get(reverse("rowlock-console:schedule", args=[task.pk])).content.decode()
    change(task, client, **fields(args="", description="sums"))
    task.refresh_from_db()
    assert (task.args, task.description) == ("[2, 3]", "sums")


def test_the_next_five_times_are_shown_before_saving() -> None:
    response = client_of("operator").post(reverse("rowlock-console:schedule-preview"), fields(name=""))

    text = response.content.decode()
    assert "every 10 minutes" in text
    assert text.count("<li>") == 5


def test_a_preview_says_why_there_are_no_times() -> None:
    response = client_of("operator").post(reverse("rowlock-console:schedule-preview"), fields(every="x"))

    assert "Every: Enter a whole number" in response.content.decode()


def test_a_schedule_is_switched_off_and_on() -> None:
    task = every(10)

    assert post("operator", "schedule-switch", task, enabled="no") == 302
    task.refresh_from_db()
    assert not task.enabled
    assert post("operator", "schedule-switch", task, enabled="yes") == 302
    task.refresh_from_db()
    assert task.enabled
    assert [entry.action for entry in AuditEntry.objects.all()] == ["enable", "disable"]


def test_a_schedule_is_run_now_by_who_pressed_the_button() -> None:
    task = every(10, enabled=False)

    response = client_of("operator").post(reverse("rowlock-console:schedule-run", args=[task.pk]))

    run = Run.objects.get()
    assert (run.task, run.args, run.owner) == ("example.tasks.basic.add", [1, 2], "operator")
    assert response.headers["Location"] == reverse("rowlock-console:run", args=[run.id])
    assert AuditEntry.objects.get().details["run"] == str(run.id)


def test_a_schedule_is_deleted_after_a_question() -> None:
    task = every(10)
    asked = client_of("operator").get(reverse("rowlock-console:schedule-delete", args=[task.pk])).content.decode()

    assert "Delete every 10 seconds?" in asked
    assert post("operator", "schedule-delete", task) == 302
    assert not PeriodicTask.objects.exists()


def test_a_schedule_of_the_settings_is_only_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    task = every(10)
    monkeypatch.setitem(app.conf.beat_schedule, task.name, {"task": task.task, "schedule": 10.0})
    client = client_of("operator")

    assert post("operator", "schedule-delete", task) == 409
    assert change(task, client, **fields(args="[9, 9]", description="kept")) == ""
    task.refresh_from_db()
    assert (task.args, task.description) == ("[1, 2]", "kept")
    assert post("operator", "schedule-switch", task, enabled="no") == 302


@pytest.mark.parametrize("name", ["schedule", "schedule-switch", "schedule-run", "schedule-delete"])
def test_only_operators_change_schedules(name: str) -> None:
    task = every(10)

    assert post("viewer", name, task) == 403

    assert not Run.objects.exists()
    assert not AuditEntry.objects.exists()


def test_who_may_not_act_sees_no_buttons() -> None:
    task = every(10)

    assert f'id="run-{task.pk}"' in listed("operator")
    assert f'id="run-{task.pk}"' not in listed("viewer")


def test_schedules_are_found_by_a_part_of_their_name_or_task() -> None:
    every(10, name="nightly")
    every(3, name="other")

    text = listed(q="NIGHT")

    assert ("nightly" in text, "other" in text) == (True, False)


def test_without_any_the_page_says_how_to_make_one() -> None:
    assert reverse("rowlock-console:schedule-new") in listed("operator")
    assert "An operator can make one here" in listed()


def test_a_schedule_that_is_gone_is_not_found() -> None:
    assert client_of("operator").get(reverse("rowlock-console:schedule", args=["99"])).status_code == 404
