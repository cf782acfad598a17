"""The record of who did what."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.test import Client
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from pytest_django import Settings

from rowlock import audit, upkeep
from rowlock.models import AuditEntry, Run, RunLog, State
from tests.runs.factory import ago, make_run

pytestmark = pytest.mark.django_db


def test_an_entry_is_gone_with_the_action_that_was_not_done() -> None:
    with transaction.atomic():
        audit.record(actor="ada", action="pause", kind="queue", target="email", via="api")
        transaction.set_rollback(True)

    assert not AuditEntry.objects.exists()


def test_texts_that_are_too_long_or_no_texts_are_made_fit() -> None:
    audit.record(actor="ada\0", action="cancel", kind="runs", target="x" * 1000, detail={"a": "\0b"}, via="api")

    entry = AuditEntry.objects.get()
    assert (entry.actor, len(entry.target), entry.details) == ("ada", 255, {"a": "b"})


def test_old_entries_are_deleted_and_logs_with_their_runs(settings: Settings) -> None:
    settings.ROWLOCK = {**settings.ROWLOCK, "AUDIT_DAYS": 10, "RETENTION_DAYS": 10}
    for days in (11, 9):
        audit.record(actor="ada", action="pause", kind="queue", target=f"{days}", via="api")
        AuditEntry.objects.filter(target=f"{days}").update(moment=ago(days=days))
        run = make_run(state=State.SUCCEEDED, created=ago(days=days))
        RunLog.objects.create(run_id=run.id, text="line\n")

    upkeep.prune()

    assert AuditEntry.objects.get().target == "9"
    assert RunLog.objects.get().run_id == Run.objects.get().id


def test_what_is_done_in_the_admin_is_on_record(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    every = IntervalSchedule.objects.create(every=1, period="hours")
    task = PeriodicTask.objects.create(name="hourly", task="example.tasks.basic.debug_task", interval=every)
    listing = "/admin/django_celery_beat/periodictask/"

    client.post(listing, {"action": "disable_tasks", "_selected_action": [task.pk]})
    client.post(f"{listing}{task.pk}/delete/", {"post": "yes"})

    told = [
        (entry.actor, entry.action, entry.kind, entry.target, entry.via) for entry in AuditEntry.objects.order_by("id")
    ]
    assert told == [
        ("root", "disable", "schedule", "hourly", "admin"),
        ("root", "delete", "schedule", "hourly", "admin"),
    ]
