"""What the messages of runs look like to workers, and to whoever watches what Celery publishes."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from celery.signals import before_task_publish
from kombu import Exchange, Queue

from example.celery import app
from rowlock.outbox.publisher import Publisher
from rowlock.runs.accepting import Submission, runs_of
from tests.outbox.conftest import Broker

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "example.tasks.basic.add"


@contextmanager
def closing_publisher() -> Iterator[Publisher]:
    publisher = Publisher(app)
    publisher.connect()
    try:
        yield publisher
    finally:
        publisher.close()


@pytest.mark.parametrize("options", [{}, {"priority": 3}, {"queue": "email"}, {"expires": 3600}, {"parent": uuid4()}])
def test_messages_are_those_that_celery_itself_sends(
    broker: Broker, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    submission = Submission(task=ADD, args=[1], kwargs={"y": 2}, owner="anna", **options)
    run, again = runs_of([submission, submission])
    with closing_publisher() as publisher:
        publisher.publish([run])
        monkeypatch.setattr(Publisher, "_send", Publisher._send_by_celery)
        publisher.publish([again])

    ours, celerys = broker()

    own = {"id", "rowlock_due", "expires", *({"root_id"} if run.parent_id is None else ())}
    assert {name: value for name, value in ours.items() if name not in own} == {
        name: value for name, value in celerys.items() if name not in own
    }
    assert ours.keys() == celerys.keys()


def taken_from(queue: str) -> list[Any]:
    """The messages of a queue of RabbitMQ, oldest first, which are gone from it then."""
    with app.connection_for_write() as connection:
        return list(iter(lambda: connection.default_channel.basic_get(queue, no_ack=True), None))


@pytest.mark.usefixtures("real_services")
@pytest.mark.parametrize(
    ("task", "arguments"),
    [
        ("example.tasks.basic.flaky", {}),
        (ADD, {"args": [1, 2]}),
        (ADD, {"args": ["ü\u2028"], "kwargs": {"y": "longer than a frame" * 8_000}}),
    ],
    ids=["none", "some", "long"],
)
@pytest.mark.parametrize("options", [{}, {"priority": 3}, {"expires": 3600}, {"parent": uuid4()}])
def test_all_messages_to_rabbitmq_are_those_that_celery_itself_sends(
    queue: str, monkeypatch: pytest.MonkeyPatch, task: str, arguments: dict[str, Any], options: dict[str, Any]
) -> None:
    submission = Submission(task=task, owner="anna", queue=queue, **arguments, **options)
    published = runs_of([submission] * 4)
    with closing_publisher() as publisher:
        publisher.publish(published[:3])
        monkeypatch.setattr(Publisher, "_send", Publisher._send_by_celery)
        publisher.publish(published[3:])

    *ours, celerys = [_compared(message) for message in taken_from(queue)]

    assert ours == [celerys] * 3


def _compared(message: Any) -> dict[str, Any]:
    properties = dict(message.properties)
    headers, own = properties.pop("application_headers"), properties.pop("correlation_id")
    assert headers["id"] == own, "it is not published under its id"
    headers = {name: "its own" if value == own else value for name, value in headers.items()}
    for name in ("rowlock_due", "expires"):
        headers[name] = type(headers[name])
    properties.pop("expiration", None)
    return {"headers": headers, "body": json.loads(message.body), "properties": properties}


@pytest.mark.usefixtures("real_services")
def test_a_project_that_changes_messages_by_celerys_signal_changes_all(queue: str) -> None:
    def add(properties: dict[str, Any], **kwargs: Any) -> None:
        properties["app_id"] = "the project"

    published = runs_of([Submission(task=ADD, args=[1, 1], queue=queue)] * 3)
    with closing_publisher() as publisher:
        publisher.publish(published[:2])
        before_task_publish.connect(add)
        try:
            publisher.publish(published[2:])
        finally:
            before_task_publish.disconnect(add)

    assert [message.properties.get("app_id") for message in taken_from(queue)] == [None, None, "the project"]


@pytest.mark.usefixtures("real_services")
def test_a_project_that_wants_an_event_for_each_message_gets_all(queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before, *published = runs_of([Submission(task=ADD, args=[1, 1], queue=queue)] * 3)
    with app.connection_for_write() as connection, closing_publisher() as publisher:
        events = Queue(f"{queue}-events", Exchange("celeryev", type="topic"), "task.sent")(connection.default_channel)
        events.declare()
        publisher.publish([before])
        monkeypatch.setitem(app.conf, "task_send_sent_event", True)
        publisher.publish(published)
        sent = list(iter(lambda: connection.default_channel.basic_get(events.name, no_ack=True), None))
        events.delete()

    assert {json.loads(message.body)["uuid"] for message in sent} == {str(run.id) for run in published}
