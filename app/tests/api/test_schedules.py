"""/api/schedules/"""

import sys
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks, SolarSchedule
from pytest_django import DjangoAssertNumQueries, Settings

from example.celery import app
from rowlock.models import Run
from rowlock.schedules import editing, times
from tests.api.conftest import ApiClient
from tests.api.test_documentation import assert_documented

EVERY_MINUTE = {"type": "interval", "every": 1, "period": "minutes"}
SUNRISE = {"type": "solar", "event": "sunrise", "latitude": 52.5, "longitude": 13.4}


def given(**fields: Any) -> dict[str, Any]:
    return {"name": "adding", "task": "example.tasks.basic.add", "args": [2, 3], "schedule": EVERY_MINUTE, **fields}


def create(client: ApiClient, **fields: Any) -> Any:
    response = client.send("POST", "schedules/", given(**fields))
    assert response.status_code == 201, response.content
    return response.json()


@pytest.fixture
def ephem(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the package is installed; whether beat can follow the sun is Celery's to test."""
    monkeypatch.setattr(times, "has_ephem", lambda: True)
    monkeypatch.setattr(editing, "has_ephem", lambda: True)
    monkeypatch.setitem(sys.modules, "ephem", ModuleType("ephem"))
    monkeypatch.setattr(SolarSchedule, "schedule", IntervalSchedule(every=1, period="days").schedule)


def test_a_schedule_is_made_as_beat_reads_it(operator: ApiClient) -> None:
    answer = create(operator, kwargs={}, queue="email", priority=3, expire_seconds=60, description="adds")

    task = PeriodicTask.objects.get()
    assert (task.name, task.task, task.args, task.queue) == ("adding", "example.tasks.basic.add", "[2, 3]", "email")
    assert task.schedule.run_every == timedelta(minutes=1)
    assert (answer["id"], answer["schedule"], answer["when"]) == (task.id, EVERY_MINUTE, "every minute")
    assert (answer["args"], answer["enabled"], answer["run_count"]) == ([2, 3], True, 0)


def test_beat_hears_of_a_new_schedule(operator: ApiClient) -> None:
    before = timezone.now()

    create(operator)

    assert PeriodicTasks.last_change() >= before


@pytest.mark.parametrize(
    "schedule",
    [
        EVERY_MINUTE,
        {"type": "interval", "every": 500_000, "period": "microseconds"},
        {
            "type": "crontab",
            "minute": "*/5",
            "hour": "8-17",
            "day_of_month": "*",
            "month_of_year": "*",
            "day_of_week": "mon-fri",
            "timezone": "Europe/Berlin",
        },
        {"type": "clocked", "at": "2080-01-01T10:00:00Z"},
        SUNRISE,
    ],
    ids=lambda schedule: f"{schedule['type']}-{schedule.get('period', '')}",
)
def test_each_kind_is_given_back_as_it_came(operator: ApiClient, ephem: None, schedule: dict[str, object]) -> None:
    answer = create(operator, schedule=schedule)

    assert answer["schedule"] == schedule
    assert operator.ask(f"schedules/{answer['id']}") | {"next": None} == answer | {"next": None}
    assert_documented(operator.ask("openapi.json"), answer, "/api/schedules/{id}")


def test_a_crontab_is_in_celerys_time_zone_unless_it_names_one(operator: ApiClient, settings: Settings) -> None:
    settings.CELERY_TIMEZONE = "Asia/Tokyo"

    assert create(operator, schedule={"type": "crontab"})["schedule"]["timezone"] == "Asia/Tokyo"


def test_the_next_time_of_a_crontab_is_in_its_time_zone(operator: ApiClient) -> None:
    schedule = {"type": "crontab", "minute": "30", "hour": "10", "timezone": "Asia/Tokyo"}

    due = datetime.fromisoformat(create(operator, schedule=schedule)["next"])

    assert (due.astimezone(UTC).hour, due.minute) == (1, 30)
    assert timedelta() < due - timezone.now() <= timedelta(days=1)


def test_a_time_with_an_offset_is_kept_as_that_moment(operator: ApiClient) -> None:
    answer = create(operator, schedule={"type": "clocked", "at": "2080-01-01T10:00:00+02:00"})

    assert answer["schedule"]["at"] == answer["next"] == "2080-01-01T08:00:00Z"


def test_a_clocked_schedule_runs_once(operator: ApiClient) -> None:
    assert create(operator, schedule={"type": "clocked", "at": "2080-01-01T10:00:00Z"})["one_off"] is True


def test_equal_times_share_a_row(operator: ApiClient) -> None:
    create(operator, name="a", schedule={"type": "crontab", "minute": "5"})
    create(operator, name="b", schedule={"type": "crontab", "minute": " 5 "})

    assert CrontabSchedule.objects.count() == 1


def test_the_next_time_of_an_interval_is_a_multiple_of_it(operator: ApiClient) -> None:
    answer = create(operator, schedule={"type": "interval", "every": 6, "period": "hours"})

    due = datetime.fromisoformat(answer["next"])

    assert (due.hour % 6, due.minute, due.second) == (0, 0, 0)
    assert timedelta() < due - timezone.now() <= timedelta(hours=6)


def test_missed_times_are_skipped_unless_they_are_to_be_caught_up(operator: ApiClient) -> None:
    skipping, catching = create(operator, name="a"), create(operator, name="b", missed="catch_up")

    assert (skipping["missed"], catching["missed"]) == ("skip", "catch_up")
    assert operator.ask(f"schedules/{catching['id']}")["missed"] == "catch_up"


def test_what_becomes_of_missed_times_is_changed_and_beat_hears_of_it(operator: ApiClient) -> None:
    path = f"schedules/{create(operator)['id']}"
    before = timezone.now()

    changed = operator.send("PATCH", path, {"missed": "catch_up"}).json()

    assert (changed["missed"], changed["args"]) == ("catch_up", [2, 3])
    assert PeriodicTasks.last_change() >= before


def test_a_disabled_schedule_has_no_next_time(operator: ApiClient) -> None:
    assert create(operator, enabled=False)["next"] is None


MALFORMED = [
    ({"name": ""}, "name string should have at least 1 character"),
    ({"name": "n" * 201}, "name string should have at most 200 characters"),
    ({"name": "a\0"}, "name must not contain a zero byte"),
    ({"name": None}, "name must be a string"),
    ({"task": "nope"}, "There is no task 'nope'"),
    ({"task": "celery.chord"}, "There is no task"),
    ({"args": [1]}, "missing a required argument: 'y'"),
    ({"kwargs": {"z": 1}}, "unexpected keyword argument 'z'"),
    ({"args": {}}, "args must be a list"),
    ({"queue": "nope"}, "There is no queue 'nope'"),
    ({"queue": ""}, "queue string should have at least 1 character"),
    ({"priority": 256}, "priority input should be less than or equal to 255"),
    ({"priority": "1"}, "priority must be a whole number"),
    ({"enabled": "yes"}, "enabled must be true or false"),
    ({"enabled": None}, "enabled must be true or false"),
    ({"starts": "2080-01-01T00:00:00"}, "starts needs a time zone"),
    ({"ends": 5}, "ends must be a time like"),
    ({"starts": "2080-01-01T00:00:00Z", "ends": "2079-01-01T00:00:00Z"}, "ends must be after starts"),
    ({"ends": "2080-01-01T00:00:00Z", "expire_seconds": 5}, "either ends or expire_seconds"),
    ({"expire_seconds": 0}, "expire_seconds input should be greater than or equal to 1"),
    ({"expire_seconds": 2**31}, "expire_seconds input should be less than or equal to 2147483647"),
    ({"description": "\0"}, "description must not contain a zero byte"),
    ({"missed": "always"}, "missed input should be 'skip' or 'catch_up'"),
    ({"last_run": "2020-01-01T00:00:00Z"}, "has no 'last_run'"),
    ({"schedule": None}, "schedule must be an object"),
    ({"schedule": "every minute"}, "schedule must be an object"),
    ({"schedule": 60}, "schedule must be an object"),
    ({"schedule": {}}, "schedule needs a 'type'"),
    ({"schedule": {"type": "yearly"}}, "schedule has the type yearly"),
    ({"schedule": {"type": "interval"}}, "schedule/interval/every is missing"),
    ({"schedule": {**EVERY_MINUTE, "every": 0}}, "every input should be greater than or equal to 1"),
    ({"schedule": {**EVERY_MINUTE, "every": 1.5}}, "every must be a whole number"),
    ({"schedule": {**EVERY_MINUTE, "every": 2**31}}, "a tenth of a second to ten years"),
    ({"schedule": {**EVERY_MINUTE, "every": 10**30}}, "a tenth of a second to ten years"),
    ({"schedule": {**EVERY_MINUTE, "every": 10, "period": "microseconds"}}, "a tenth of a second to ten years"),
    ({"schedule": {**EVERY_MINUTE, "period": "weeks"}}, "period input should be 'days', 'hours'"),
    ({"schedule": {**EVERY_MINUTE, "minute": "5"}}, "has no 'minute'"),
    ({"schedule": {"type": "crontab", "minute": "60"}}, "minute: "),
    ({"schedule": {"type": "crontab", "minute": "x"}}, "minute: "),
    ({"schedule": {"type": "crontab", "minute": 5}}, "minute must be a string"),
    ({"schedule": {"type": "crontab", "hour": "*/0"}}, "hour: "),
    ({"schedule": {"type": "crontab", "day_of_week": "someday"}}, "day_of_week: "),
    ({"schedule": {"type": "crontab", "day_of_month": "30", "month_of_year": "2"}}, "never occurs"),
    ({"schedule": {"type": "crontab", "timezone": "Mars/Base"}}, "There is no time zone 'Mars/Base'"),
    ({"schedule": {"type": "crontab", "timezone": "../etc/passwd"}}, "There is no time zone"),
    ({"schedule": {"type": "clocked"}}, "at is missing"),
    ({"schedule": {"type": "clocked", "at": "2080-01-01T10:00:00"}}, "at needs a time zone"),
    ({"schedule": {"type": "clocked", "at": "2001-01-01T10:00:00Z"}}, "has passed"),
    ({"schedule": {**SUNRISE, "event": "eclipse"}}, "event input should be"),
    ({"schedule": {**SUNRISE, "latitude": 91}}, "latitude input should be less than or equal to 90"),
    ({"schedule": {**SUNRISE, "longitude": "13"}}, "longitude must be a number"),
]


@pytest.mark.parametrize(("fields", "reason"), MALFORMED, ids=lambda value: ascii(value)[:60])
def test_what_beat_could_not_follow_is_refused(operator: ApiClient, fields: dict[str, object], reason: str) -> None:
    response = operator.send("POST", "schedules/", given(**fields))

    assert response.status_code == 422, response.content
    assert reason in response.json()["detail"]
    assert not PeriodicTask.objects.exists()


def test_following_the_sun_needs_its_package(operator: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(times, "has_ephem", lambda: False)

    response = operator.send("POST", "schedules/", given(schedule=SUNRISE))

    assert response.status_code == 422
    assert "celery[solar]" in response.json()["detail"]


def test_a_schedule_of_the_sun_is_shown_without_its_package(
    operator: ApiClient, ephem: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create(operator, schedule=SUNRISE, enabled=False)
    monkeypatch.setattr(times, "has_ephem", lambda: False)
    monkeypatch.setattr(editing, "has_ephem", lambda: False)

    assert operator.ask(f"schedules/{made['id']}")["schedule"] == SUNRISE
    assert operator.send("POST", f"schedules/{made['id']}/enable").status_code == 422


def test_a_name_that_is_taken_is_a_conflict(operator: ApiClient) -> None:
    create(operator)

    response = operator.send("POST", "schedules/", given())

    assert response.status_code == 409
    assert "names are unique" in response.json()["detail"]


def test_only_what_is_given_is_changed(operator: ApiClient) -> None:
    made = create(operator, queue="email", description="adds", priority=3)

    changed = operator.send("PATCH", f"schedules/{made['id']}", {"description": "sums", "priority": None}).json()

    assert {**made, "description": "sums", "priority": None} == {
        **changed,
        "changed": made["changed"],
        "next": made["next"],
    }


def test_the_kind_of_a_schedule_is_changed(operator: ApiClient) -> None:
    made = create(operator)

    operator.send("PATCH", f"schedules/{made['id']}", {"schedule": {"type": "crontab", "minute": "5"}})

    task = PeriodicTask.objects.get()
    assert (task.interval, task.crontab.minute) == (None, "5")


def test_a_schedule_that_shares_a_row_is_changed_alone(operator: ApiClient) -> None:
    first, second = create(operator, name="a"), create(operator, name="b")

    operator.send("PATCH", f"schedules/{first['id']}", {"schedule": {**EVERY_MINUTE, "every": 9}})

    assert operator.ask(f"schedules/{second['id']}")["schedule"]["every"] == 1


def test_a_change_leaves_what_beat_counts(operator: ApiClient) -> None:
    made = create(operator)
    last = timezone.now()
    PeriodicTask.objects.update(total_run_count=7, last_run_at=last)

    changed = operator.send("PATCH", f"schedules/{made['id']}", {"args": [1, 1]}).json()

    assert (changed["run_count"], changed["args"]) == (7, [1, 1])
    assert PeriodicTask.objects.get().last_run_at == last


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"args": [1]}, "missing a required argument"),
        ({"task": "example.tasks.basic.debug_task"}, "too many positional arguments"),
        ({"schedule": None}, "schedule must be an object"),
        ({"name": None}, "name must be a string"),
        ({"task": None}, "task must be a string"),
        ({"nme": "x"}, "did you mean 'name'?"),
        ([], "the body must be an object"),
    ],
)
def test_a_change_that_beat_could_not_follow_is_refused(operator: ApiClient, change: object, reason: str) -> None:
    made = create(operator)

    response = operator.send("PATCH", f"schedules/{made['id']}", change)

    assert response.status_code == 422
    assert reason in response.json()["detail"]
    assert operator.ask(f"schedules/{made['id']}") | {"next": None} == made | {"next": None}


def test_a_change_to_a_name_that_is_taken_is_a_conflict(operator: ApiClient) -> None:
    create(operator, name="a")
    made = create(operator, name="b")

    assert operator.send("PATCH", f"schedules/{made['id']}", {"name": "a"}).status_code == 409


def test_a_schedule_is_disabled_and_enabled(operator: ApiClient) -> None:
    path = f"schedules/{create(operator)['id']}"

    assert operator.send("POST", f"{path}/disable").json()["enabled"] is False
    assert PeriodicTask.objects.get().enabled is False
    assert operator.send("POST", f"{path}/enable").json()["enabled"] is True


def test_a_schedule_is_deleted(operator: ApiClient) -> None:
    path = f"schedules/{create(operator)['id']}"

    assert operator.send("DELETE", path).status_code == 204
    assert operator.send("GET", path).status_code == 404


def test_a_schedule_is_run_now(operator: ApiClient) -> None:
    made = create(operator, queue="email", priority=3, expire_seconds=60, enabled=False)

    response = operator.send("POST", f"schedules/{made['id']}/run")

    assert response.status_code == 202, response.content
    run = Run.objects.get()
    assert (response.json()["id"], run.task, run.args) == (str(run.id), "example.tasks.basic.add", [2, 3])
    assert (run.queue, run.priority, run.owner, run.expires is not None) == ("email", 3, "operator", True)


def test_a_schedule_whose_stored_arguments_are_broken_is_shown_and_not_run(operator: ApiClient) -> None:
    made = create(operator)
    PeriodicTask.objects.update(args="{")

    assert operator.ask(f"schedules/{made['id']}")["args"] is None
    response = operator.send("POST", f"schedules/{made['id']}/run")
    assert response.status_code == 422
    assert "not JSON" in response.json()["detail"]


def test_a_schedule_of_the_settings_can_only_be_switched(operator: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.conf.beat_schedule, "adding", {"task": "example.tasks.basic.add", "schedule": 60.0})
    made = create(operator)
    path = f"schedules/{made['id']}"

    assert made["from_settings"] is True
    assert operator.send("DELETE", path).status_code == 409
    assert operator.send("PATCH", path, {"args": [1, 1]}).status_code == 409
    assert operator.send("PATCH", path, {"enabled": False}).json()["enabled"] is False


def test_redacted_arguments_are_not_shown(operator: ApiClient, settings: Settings) -> None:
    settings.ROWLOCK = {"REDACT_ARGUMENTS": ["example.*"]}

    answer = create(operator)

    assert (answer["args"], answer["arguments_redacted"]) == (None, True)
    assert PeriodicTask.objects.get().args == "[2, 3]"


@pytest.mark.parametrize("id", ["0", "x", "-1", "1.0", "%00", "9" * 40, "\u0661"])
def test_an_id_that_is_none_is_not_found(operator: ApiClient, id: str) -> None:
    assert operator.send("GET", f"schedules/{id}").status_code == 404


def test_schedules_are_listed_by_name_in_pages(operator: ApiClient) -> None:
    for name in ("c", "a", "b"):
        create(operator, name=name, enabled=name != "b")

    first = operator.ask("schedules/", limit="2")
    second = operator.ask("schedules/", limit="2", after=first["next"])

    assert [task["name"] for task in first["schedules"]] == ["a", "b"]
    assert ([task["name"] for task in second["schedules"]], second["next"]) == (["c"], None)
    assert_documented(operator.ask("openapi.json"), first, "/api/schedules/")


def test_schedules_are_found_by_a_part_of_their_name_or_task(operator: ApiClient) -> None:
    create(operator, name="nightly")
    create(operator, name="other", task="example.tasks.basic.debug_task", args=[])

    assert [task["name"] for task in operator.ask("schedules/", q="NIGHT")["schedules"]] == ["nightly"]
    assert [task["name"] for task in operator.ask("schedules/", q="debug")["schedules"]] == ["other"]


def test_a_list_costs_one_statement(operator: ApiClient, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for name in ("a", "b", "c"):
        create(operator, name=name)

    # Who asks is known from before.
    with django_assert_num_queries(1):
        operator.ask("schedules/")


def test_who_sees_all_runs_reads_schedules(operator: ApiClient, reader: ApiClient, anna: ApiClient) -> None:
    path = f"schedules/{create(operator)['id']}"

    assert [client.send("GET", path).status_code for client in (reader, anna)] == [200, 403]
    assert [client.send("GET", "schedules/").status_code for client in (reader, anna)] == [200, 403]


@pytest.mark.parametrize(
    ("method", "action"), [("PATCH", ""), ("DELETE", ""), ("POST", "/run"), ("POST", "/enable"), ("POST", "/disable")]
)
def test_only_operators_change_schedules(operator: ApiClient, reader: ApiClient, method: str, action: str) -> None:
    path = f"schedules/{create(operator)['id']}"

    response = reader.send(method, f"{path}{action}", {})

    assert response.status_code == 403
    assert "rowlock.operate_run" in response.json()["detail"]
    assert not Run.objects.exists()


def test_only_operators_make_schedules(reader: ApiClient) -> None:
    assert reader.send("POST", "schedules/", given()).status_code == 403
