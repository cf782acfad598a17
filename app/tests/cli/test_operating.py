"""Operating from a shell: queues, workers, roles and the audit log."""

import json
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.management import CommandError
from kombu import Queue
from pytest_django import Settings

from example.celery import app
from rowlock import runs
from rowlock.models import AuditEntry, PausedQueue, Run, RunLog, State, Worker
from rowlock.outbox.relay import relay_once
from rowlock.queues import depths
from tests.cli.conftest import Cli
from tests.processes import wait_until
from tests.runs.factory import make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer of the broker is kept from the test before."""
    monkeypatch.setattr(depths, "FRESH", 0.0)


@pytest.fixture
def queue(settings: Settings) -> Iterator[str]:
    name = f"operating-{uuid4().hex}"
    settings.ROWLOCK = {**settings.ROWLOCK, "QUEUES": [name]}
    yield name
    with app.connection_for_write() as connection:
        Queue(name)(connection.default_channel).delete()


def test_queues_are_listed_with_what_waits(rowlock: Cli, queue: str) -> None:
    runs.submit("example.tasks.basic.add", [1, 2], queue=queue)
    relay_once()

    def listed() -> dict[str, object] | None:
        [found] = [found for found in json.loads(rowlock("queue", "list", "--json")) if found["name"] == queue]
        return found if found["ready"] == 1 else None

    # RabbitMQ counts every five seconds.
    found = wait_until("the message is told", listed, seconds=30)
    assert (found["unfinished"], found["paused"]) == (1, None)
    assert queue in rowlock("queue", "list")


def test_a_queue_is_paused_and_resumed(rowlock: Cli, queue: str) -> None:
    rowlock("queue", "pause", queue, "--reason", "the printer burns")
    paused = PausedQueue.objects.get()

    said = rowlock("queue", "resume", queue)

    assert (paused.queue, paused.reason) == (queue, "the printer burns")
    assert said == f"{queue} is resumed.\n"
    assert [entry.action for entry in AuditEntry.objects.order_by("id")] == ["pause", "resume"]


def test_a_queue_is_purged(rowlock: Cli, queue: str) -> None:
    run = runs.submit("example.tasks.basic.add", [1, 2], queue=queue)
    relay_once()

    said = rowlock("queue", "purge", queue, "--yes")

    run.refresh_from_db()
    assert said == "1 message purged: 1 run cancelled, 0 of no run.\n"
    assert run.state == State.CANCELLED


def test_an_unknown_queue_is_told(rowlock: Cli) -> None:
    with pytest.raises(CommandError, match="Did you mean 'email'"):
        rowlock("queue", "pause", "emial")


def test_workers_are_listed(rowlock: Cli) -> None:
    Worker.objects.create(name="w1", pool="default", queues='["celery","email"]', slots=2, running=1)
    make_run(task="shop.pack", state=State.STARTED, worker="w1")

    said = rowlock("worker", "list")

    assert "w1" in said
    assert "celery,email" in said
    assert "shop.pack" in said


@pytest.mark.parametrize("role", ["viewer", "submitter", "operator", "none"])
def test_a_role_is_given_and_shown(rowlock: Cli, role: str) -> None:
    User.objects.create_user("anna")

    rowlock("role", "anna", role)

    assert rowlock("role", "anna") == f"{role}\n"
    assert AuditEntry.objects.get().details == {"from": "none", "to": role}


def test_a_role_that_a_group_gives_cannot_be_taken_from_one_member(rowlock: Cli) -> None:
    group = Group.objects.create(name="operators")
    group.permissions.set(Permission.objects.filter(codename="operate_run"))
    User.objects.create_user("anna").groups.add(group)

    with pytest.raises(CommandError, match="anna would still be operator: the user has it by a group"):
        rowlock("role", "anna", "viewer")

    assert not User.objects.get().user_permissions.exists()


def test_the_log_of_a_run_is_shown(rowlock: Cli) -> None:
    run = make_run()
    RunLog.objects.create(run_id=run.id, text="first\nsecond\n")

    said = rowlock("show", str(run.id), "--log")

    assert said == "first\nsecond\n"


def test_what_is_done_here_is_on_record_without_arguments(rowlock: Cli) -> None:
    rowlock("submit", "example.tasks.basic.add", "--args", "[2, 31337]")
    run = Run.objects.get()
    rowlock("cancel", str(run.id))
    rowlock("retry", "--query", "state:cancelled", "--yes")

    said = rowlock("audit")

    actions = [(entry["action"], entry["kind"]) for entry in json.loads(rowlock("audit", "--json"))]
    assert actions == [("retry", "runs"), ("cancel", "run"), ("submit", "run")]
    assert "example.tasks.basic.add" in said
    assert "31337" not in said
