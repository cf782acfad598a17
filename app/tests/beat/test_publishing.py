"""What a schedule's options become in the message."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from kombu import Exchange, Queue

from example.celery import app
from rowlock import runs
from rowlock.outbox.relay import relay_once
from rowlock.runs.errors import OptionsError
from rowlock.schedules.dispatch import dispatch
from rowlock.schedules.followed import load
from tests.beat.making import ADD, every, made_at
from tests.outbox.conftest import Broker, broker
from tests.processes import wait_until

__all__ = ["broker"]

pytestmark = pytest.mark.django_db(transaction=True)


def publish(**fields: Any) -> None:
    now = timezone.now()
    made_at(every(1, **fields), now - timedelta(seconds=5))
    [schedule], _ = load(now)
    assert dispatch(schedule, now).submitted == 1
    assert relay_once() == 1


def test_headers_reach_the_worker(broker: Broker) -> None:
    publish(headers='{"tenant": "blue"}')

    [headers] = broker()
    assert (headers["task"], headers["tenant"], headers["periodic_task_name"]) == (ADD, "blue", "every 1 seconds")
    assert headers["celery_beat_task"] is True


def test_rowlocks_own_headers_win(broker: Broker) -> None:
    publish(headers='{"rowlock": {"owner": "mallory"}}')

    [headers] = broker()
    assert headers["rowlock"] == {"attempt": 1, "owner": ""}


def test_a_task_of_another_service_is_published_under_its_name(broker: Broker) -> None:
    publish(task="elsewhere.task", args='[{"any": 1}]')

    [headers] = broker()
    assert headers["task"] == "elsewhere.task"


def test_an_exchange_and_routing_key_lead_where_they_say(real_services: None) -> None:
    name = f"events-{uuid4().hex}"
    with app.connection_for_write() as connection:
        events = Exchange(name, type="topic", durable=False, auto_delete=True)
        theirs = Queue(name, events, routing_key="ticks.#", exclusive=True, durable=False)(connection.default_channel)
        theirs.declare()

        publish(exchange=name, routing_key="ticks.add")

        message = wait_until("the message", lambda: theirs.get(no_ack=True))
    assert message.headers["task"] == ADD


def test_a_retry_of_a_run_goes_where_it_went(broker: Broker) -> None:
    run = runs.submit(ADD, [1, 2], headers={"tenant": "blue"})
    runs.cancel(run)
    run.refresh_from_db()

    again = runs.retry(run)

    assert again.options == run.options == '{"headers": {"tenant": "blue"}}'


def test_headers_that_are_not_json_are_refused() -> None:
    with pytest.raises(OptionsError, match="headers must be JSON"):
        runs.submit(ADD, [1, 2], headers={"tenant": object()})
