"""A run whose message RabbitMQ gives up: its history says so."""

import json
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from example.celery import app
from rowlock.broker import policies
from rowlock.broker.management import Management
from rowlock.broker.policies import QueueLimits
from rowlock.models import Run, State
from tests.processes import running, wait_until
from tests.worker.submitting import becomes, submitted

pytestmark = pytest.mark.django_db(transaction=True)


def give_up(run: Run, management: Management) -> None:
    """Take the message of `run` as often as a worker that dies before it can begin."""
    policies.apply(management, [QueueLimits(queue=run.queue, delivery_limit=1, consumer_timeout=600)])
    there = partial(management.get, "queues", management.address.vhost, run.queue)
    wait_until("the policy applies", lambda: (there() or {}).get("policy") == f"rowlock.{run.queue}")
    with app.connection_for_write() as connection:
        queue = app.amqp.queues[run.queue](connection.default_channel)
        for _ in range(2):
            message = wait_until("its message", queue.get)
            message.requeue()
        wait_until("it is given up", lambda: queue.queue_declare(passive=True).message_count == 0)


def test_it_has_failed(tmp_path: Path, management: Management) -> None:
    run = submitted("basic.add", 1, 1, queue=f"fatal-{uuid4().hex}")
    queues = json.dumps({run.queue: {"pool": "default", "consumerTimeout": 600, "deliveryLimit": 1}})
    give_up(run, management)

    with running(["rowlock.collector"], tmp_path / "log", ROWLOCK_QUEUES=queues):
        becomes(run, State.FAILED)

    assert run.error_type == "DeliveryLimitExceeded"
    assert "rowlock.dead" in run.error_message


def test_what_was_published_again_since_is_let_be(tmp_path: Path, management: Management) -> None:
    from rowlock.collector.dead import deaths
    from rowlock.runs import given_up

    run = submitted("basic.add", 1, 1, queue=f"fatal-{uuid4().hex}")
    give_up(run, management)
    found = wait_until("the dead letter", lambda: [death for death in deaths(management) if death.id == str(run.id)])
    Run.objects.filter(id=run.id).update(attempts=2)

    letters = [given_up.DeadLetter(id=death.id, reason=death.reason, at=death.at) for death in found]
    assert given_up.fail(letters) == 0
