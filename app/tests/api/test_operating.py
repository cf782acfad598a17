"""Operating over the API: pausing, resuming and purging queues, dead letters, workers, and the audit log."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from kombu import Queue
from pytest_django import Settings

from example.celery import app
from rowlock import runs
from rowlock.models import AuditEntry, PausedQueue, Run, RunLog, State, Worker
from rowlock.outbox.relay import relay_once
from rowlock.queues import depths
from rowlock.queues.purging import count_ready
from tests.api.conftest import ApiClient, MakeRun
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer of the broker is kept from the test before."""
    monkeypatch.setattr(depths, "FRESH", 0.0)
    monkeypatch.setattr(depths, "_known", depths._Known())


@pytest.fixture
def queue(settings: Settings) -> Iterator[str]:
    """A queue of this test's own, for which there is no worker."""
    name = f"operating-{uuid4().hex}"
    settings.ROWLOCK = {**settings.ROWLOCK, "QUEUES": [name]}
    yield name
    with app.connection_for_write() as connection:
        Queue(name)(connection.default_channel).delete()


def published(queue: str, number: int) -> list[Run]:
    found = [runs.submit("example.tasks.basic.add", [1, number], queue=queue) for number in range(number)]
    relay_once()
    return found


def shown(client: ApiClient, queue: str, *, ready: int | None = None) -> dict[str, object]:
    """The queue, once that many messages are told to be ready: RabbitMQ counts them every five seconds."""

    def look() -> dict[str, object] | None:
        [found] = [found for found in client.ask("queues/")["queues"] if found["name"] == queue]
        return found if ready is None or found["ready"] == ready else None

    return wait_until(f"{ready} messages ready in {queue}", look, seconds=30)


def recorded() -> list[tuple[str, str, str, str, str]]:
    return [
        (entry.actor, entry.action, entry.kind, entry.target, entry.via) for entry in AuditEntry.objects.order_by("id")
    ]


def test_a_queue_is_shown_with_what_the_broker_holds(operator: ApiClient, queue: str) -> None:
    published(queue, 3)

    found = shown(operator, queue, ready=3)

    assert (found["unacked"], found["consumers"], found["published"]) == (0, 0, 3)
    assert found["paused"] is None
    assert found["oldest_seconds"] is not None


def test_a_queue_is_paused_and_resumed_and_both_are_on_record(operator: ApiClient, queue: str) -> None:
    operator.send("POST", f"queues/{queue}/pause", {"reason": "the printer burns"})

    paused = shown(operator, queue)["paused"]
    resumed = operator.send("POST", f"queues/{queue}/resume").json()

    assert paused is not None
    assert (paused["by"], paused["reason"]) == ("operator", "the printer burns")  # type: ignore[index]
    assert resumed == {"was_paused": True}
    assert not PausedQueue.objects.exists()
    assert recorded() == [
        ("operator", "pause", "queue", queue, "api"),
        ("operator", "resume", "queue", queue, "api"),
    ]


def test_only_operators_pause_resume_and_purge(reader: ApiClient, anna: ApiClient, queue: str) -> None:
    for client in (reader, anna):
        for what in ("pause", "resume", "purge"):
            body = {"expect": 1} if what == "purge" else None
            assert client.send("POST", f"queues/{queue}/{what}", body).status_code == 403, what


def test_a_queue_that_nobody_knows_cannot_be_paused(operator: ApiClient) -> None:
    response = operator.send("POST", "queues/emial/pause")

    assert response.status_code == 422
    assert "Did you mean 'email'?" in response.json()["detail"]


def test_purging_takes_the_messages_and_cancels_their_runs(operator: ApiClient, queue: str) -> None:
    waiting = published(queue, 3)
    with app.producer_or_acquire() as producer:
        producer.publish("not a task", exchange="", routing_key=queue)

    purged = operator.send("POST", f"queues/{queue}/purge", {"expect": 4}).json()

    assert purged == {"messages": 4, "cancelled": 3, "foreign": 1, "left": 0}
    assert count_ready(queue) == 0
    run = Run.objects.get(id=waiting[0].id)
    assert (State(run.state), run.result_note) == (State.CANCELLED, "Purged from its queue by operator.")
    assert run.finished is not None
    [entry] = AuditEntry.objects.all()
    assert (entry.action, entry.target, entry.details) == (
        "purge",
        queue,
        {"messages": 4, "cancelled": 3, "foreign": 1},
    )


def test_more_than_was_seen_is_not_purged(operator: ApiClient, queue: str) -> None:
    published(queue, 3)

    response = operator.send("POST", f"queues/{queue}/purge", {"expect": 2})

    assert (response.status_code, response.json()["count"]) == (409, 3)
    assert count_ready(queue) == 3
    assert not AuditEntry.objects.exists()


def test_what_a_worker_holds_is_not_purged(operator: ApiClient, queue: str) -> None:
    [held, _] = published(queue, 2)
    with app.connection_for_read() as connection:
        channel = connection.channel()
        assert Queue(queue)(channel).get() is not None

        purged = operator.send("POST", f"queues/{queue}/purge", {"expect": 2}).json()

        assert (purged["messages"], purged["cancelled"]) == (1, 1)
        channel.close()
    held.refresh_from_db()
    assert held.state == State.PUBLISHED
    assert count_ready(queue) == 1


def test_a_broker_that_does_not_answer_is_told_as_unknown(operator: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.conf, "broker_url", "amqp://guest:guest@127.0.0.1:1//")
    monkeypatch.delenv("RABBITMQ_MANAGEMENT_URL", raising=False)
    monkeypatch.setitem(app.conf, "broker_read_url", "amqp://guest:guest@127.0.0.1:1//")

    queues = operator.ask("queues/")["queues"]

    assert {found["ready"] for found in queues} == {None}


def test_the_log_of_a_run_is_shown_to_whoever_sees_it(anna: ApiClient, ben: ApiClient, make_run: MakeRun) -> None:
    run = make_run()
    RunLog.objects.create(run_id=run.id, attempt=1, worker="w1", text="a line\n")

    shown = anna.ask(f"runs/{run.id}/log/")

    assert not shown["redacted"]
    assert [(one["attempt"], one["text"]) for one in shown["executions"]] == [(1, "a line\n")]
    assert ben.send("GET", f"runs/{run.id}/log/").status_code == 404


def test_the_log_of_a_task_with_hidden_arguments_is_not_shown(
    anna: ApiClient, make_run: MakeRun, settings: Settings
) -> None:
    run = make_run()
    RunLog.objects.create(run_id=run.id, attempt=1, text="hunter2\n")
    settings.ROWLOCK = {**settings.ROWLOCK, "REDACT_ARGUMENTS": ["*.add"]}

    shown = anna.ask(f"runs/{run.id}/log/")

    assert shown == {"id": str(run.id), "redacted": True, "executions": []}


def test_workers_are_shown_with_what_they_execute(reader: ApiClient, anna: ApiClient, make_run: MakeRun) -> None:
    Worker.objects.create(name="w1", pool="default", queues='["celery"]', slots=2, running=1)
    run = make_run(state=State.STARTED, worker="w1")

    [worker] = reader.ask("workers/")["workers"]

    assert (worker["name"], worker["queues"], worker["gone"]) == ("w1", ["celery"], False)
    assert [one["id"] for one in worker["runs"]] == [str(run.id)]
    assert anna.send("GET", "workers/").status_code == 403


def test_retrying_and_cancelling_are_on_record(operator: ApiClient, make_run: MakeRun) -> None:
    failed, waiting = make_run(state=State.FAILED), make_run()

    again = operator.send("POST", f"runs/{failed.id}/retry").json()["id"]
    operator.send("POST", f"runs/{waiting.id}/cancel")
    operator.send("POST", "runs/cancel", {"q": "task:example.*", "expect": 10})

    assert recorded() == [
        ("operator", "retry", "run", str(failed.id), "api"),
        ("operator", "cancel", "run", str(waiting.id), "api"),
        ("operator", "cancel", "runs", "task:example.*", "api"),
    ]
    assert AuditEntry.objects.order_by("id")[0].details == {"task": failed.task, "new_run": again}


def test_the_audit_log_is_read_page_by_page_and_by_operators_only(
    operator: ApiClient, reader: ApiClient, queue: str
) -> None:
    for _ in range(2):
        operator.send("POST", f"queues/{queue}/pause")
        operator.send("POST", f"queues/{queue}/resume")

    first = operator.ask("audit/", kind="queue", limit="3")
    second = operator.ask("audit/", kind="queue", limit="3", cursor=first["next"])

    actions = [entry["action"] for page in (first, second) for entry in page["entries"]]
    assert actions == ["resume", "pause", "resume", "pause"]
    assert second["next"] is None
    assert reader.send("GET", "audit/").status_code == 403
    assert operator.send("GET", "audit/?cursor=x").status_code == 422
