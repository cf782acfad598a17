"""/console/queues/"""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from kombu import Queue
from pytest_django import DjangoAssertNumQueries, Settings

from example.celery import app
from rowlock import runs
from rowlock.models import AuditEntry, PausedQueue, QueueSample, Run, State, Worker
from rowlock.outbox.relay import relay_once
from rowlock.queues import depths
from tests.console.people import client_of
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def queue(settings: Settings) -> Iterator[str]:
    """A queue of the project that no worker consumes."""
    name = f"console-{uuid4().hex[:8]}"
    settings.ROWLOCK = {**settings.ROWLOCK, "QUEUES": [name]}
    depths._known.until = 0.0
    yield name
    depths._known.until = 0.0
    with app.connection_for_write() as connection:
        bound = Queue(name)(connection.default_channel)
        bound.delete()


def publish(queue: str, count: int) -> list[Run]:
    made = [runs.submit("example.tasks.basic.add", [1, number], queue=queue) for number in range(count)]
    relay_once()
    depths._known.until = 0.0
    return made


def text_of(role: str, name: str, *args: object) -> str:
    response = client_of(role).get(reverse(f"rowlock-console:{name}", args=args))
    assert response.status_code == 200, response.content
    return response.content.decode()


def post(role: str, name: str, queue: str, **data: object) -> int:
    return client_of(role).post(reverse(f"rowlock-console:{name}", args=[queue]), data).status_code


def test_a_queue_shows_what_waits_in_it(queue: str) -> None:
    publish(queue, 3)

    def row() -> str:
        depths._known.until = 0.0
        return text_of("viewer", "queues").split(f'id="queue-{queue}"')[1].split("</tr>")[0]

    wait_until("all three are counted", lambda: 'data-label="Ready">3</td>' in row())
    assert f"Nobody works on {queue}" in text_of("viewer", "queues")


def test_looking_keeps_a_sample_of_the_depth(queue: str) -> None:
    publish(queue, 2)

    def sampled() -> int:
        depths._known.until = 0.0
        QueueSample.objects.all().delete()
        text_of("viewer", "queues")
        return QueueSample.objects.get(queue=queue).ready

    wait_until("a sample of both", lambda: sampled() == 2)


def test_the_list_costs_few_statements(queue: str, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client = client_of("viewer")
    text_of("viewer", "queues")

    with django_assert_max_num_queries(9):
        client.get(reverse("rowlock-console:queues"))


def test_a_queues_page_shows_its_workers_and_who_waits_longest(queue: str) -> None:
    [run] = publish(queue, 1)
    Worker.objects.create(name="w@one", queues=f'["{queue}"]', slots=4, running=1)

    text = text_of("viewer", "queue", queue)

    assert "w@one" in text
    assert "1 of 4" in text
    assert reverse("rowlock-console:run", args=[run.id]) in text


def test_a_queue_is_paused_with_a_reason_that_everybody_sees(queue: str) -> None:
    assert post("operator", "queue-pause", queue, reason="mail server is down") == 302

    paused = PausedQueue.objects.get()
    assert (paused.queue, paused.by, paused.reason) == (queue, "operator", "mail server is down")
    assert "mail server is down" in text_of("viewer", "queues")
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target, entry.via) == ("operator", "pause", queue, "console")


def test_a_paused_queue_is_resumed(queue: str) -> None:
    post("operator", "queue-pause", queue)

    assert post("operator", "queue-resume", queue) == 302

    assert not PausedQueue.objects.exists()
    assert AuditEntry.objects.first().action == "resume"  # type: ignore[union-attr]


def test_purging_asks_with_the_number_of_messages(queue: str) -> None:
    publish(queue, 2)

    text = text_of("operator", "queue-purge", queue)

    assert "Purge 2 messages" in text
    assert 'name="expect" value="2"' in text


def test_purging_takes_the_messages_and_cancels_their_runs(queue: str) -> None:
    publish(queue, 2)

    assert post("operator", "queue-purge", queue, expect=2) == 302

    assert set(Run.objects.values_list("state", flat=True)) == {State.CANCELLED}
    with app.connection_for_write() as connection:
        bound = Queue(queue)(connection.default_channel)
        assert list(iter(partial(bound.get, no_ack=True), None)) == []
    assert AuditEntry.objects.get().details["messages"] == 2


def test_no_more_is_purged_than_was_agreed_on(queue: str) -> None:
    publish(queue, 3)

    response = client_of("operator").post(reverse("rowlock-console:queue-purge", args=[queue]), {"expect": 2})

    assert response.status_code == 409
    assert "3 messages now" in response.content.decode()
    assert not Run.objects.filter(state=State.CANCELLED).exists()


def test_a_browser_with_scripts_stays_on_the_page_and_hears_of_the_change(queue: str) -> None:
    response = client_of("operator").post(
        reverse("rowlock-console:queue-pause", args=[queue]), headers={"HX-Request": "true"}
    )

    assert response.headers["HX-Trigger"] == "rowlock:done"
    assert f"{queue} is paused." in response.content.decode()


@pytest.mark.parametrize("name", ["queue-pause", "queue-resume", "queue-purge"])
def test_only_operators_change_queues(queue: str, name: str) -> None:
    assert post("viewer", name, queue, expect=1) == 403

    assert not AuditEntry.objects.exists()


def test_who_may_not_act_sees_no_buttons(queue: str) -> None:
    publish(queue, 1)

    assert f'id="pause-{queue}"' in text_of("operator", "queues")
    assert f'id="pause-{queue}"' not in text_of("viewer", "queues")


def test_an_action_without_the_csrf_token_is_refused(queue: str) -> None:
    client = client_of("operator", enforce_csrf_checks=True)

    assert client.post(reverse("rowlock-console:queue-pause", args=[queue])).status_code == 403
    assert not PausedQueue.objects.exists()


def test_a_queue_that_nobody_knows_is_not_found() -> None:
    assert client_of("viewer").get(reverse("rowlock-console:queue", args=["nope"])).status_code == 404


def test_runs_that_are_due_later_do_not_wait(queue: str) -> None:
    runs.submit("example.tasks.basic.add", [1, 2], queue=queue, eta=timezone.now() + timedelta(hours=1))

    assert "Nothing waits here" in text_of("viewer", "queue", queue)
