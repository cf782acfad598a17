"""Policies that the real RabbitMQ keeps, and what it does by them."""

import json
import os
import shlex
from functools import partial
from uuid import uuid4

import pytest
from kombu import Connection, Exchange, Queue

from example.celery import app
from rowlock.broker import policies
from rowlock.broker.management import Address, Forbidden, Management, ManagementError, Unreachable
from rowlock.broker.policies import QueueLimits
from rowlock.broker.topology import DEAD_QUEUE
from rowlock.celery import dead_letters
from tests.processes import wait_until

pytestmark = pytest.mark.usefixtures("without_policies")


def limits(queue: str, *, delivery_limit: int = 2, consumer_timeout: float = 3600) -> QueueLimits:
    return QueueLimits(queue=queue, delivery_limit=delivery_limit, consumer_timeout=consumer_timeout)


@pytest.fixture
def queue() -> str:
    return f"limited.{uuid4().hex}"


def declared(name: str, connection: Connection) -> Queue:
    queue = Queue(name, Exchange(name, type="topic"), routing_key=name, queue_arguments={"x-queue-type": "quorum"})
    bound: Queue = queue(connection.default_channel)
    bound.declare()
    return bound


def publish(connection: Connection, queue: str, **options: object) -> None:
    connection.Producer().publish("body", exchange=queue, routing_key=queue, headers={"id": queue}, **options)


def dead_letters_of(queue: str, connection: Connection) -> list[str]:
    """The reasons for which messages of `queue` are in the dead letters."""
    dead = dead_letters.QUEUE(connection.default_channel)
    found = list(iter(partial(dead.get, no_ack=True), None))
    return [letter.headers["x-last-death-reason"] for letter in found if letter.headers.get("id") == queue]


def is_applied(management: Management, queue: str) -> bool:
    found = management.get("queues", management.address.vhost, queue) or {}
    return bool(found.get("policy") == f"rowlock.{queue}")


def test_the_limits_of_a_queue_that_is_already_there_change_without_declaring_it_anew(
    management: Management, queue: str
) -> None:
    with app.connection_for_write() as connection:
        declared(queue, connection)
        policies.apply(management, [limits(queue, consumer_timeout=60)])
        policies.apply(management, [limits(queue, consumer_timeout=7200, delivery_limit=7)])
        declared(queue, connection)

    wait_until("the policy applies", lambda: is_applied(management, queue))
    effective = management.get("queues", management.address.vhost, queue)["effective_policy_definition"]
    assert (effective["consumer-timeout"], effective["delivery-limit"]) == (7_200_000, 7)


def test_applying_the_same_policies_again_changes_nothing(management: Management, queue: str) -> None:
    assert f"rowlock.{queue}" in policies.apply(management, [limits(queue)])

    assert policies.apply(management, [limits(queue)]) == []


def test_a_message_that_comes_back_too_often_is_a_dead_letter(management: Management, queue: str) -> None:
    with app.connection_for_write() as connection:
        source = declared(queue, connection)
        policies.apply(management, [limits(queue, delivery_limit=2)])
        wait_until("the policy applies", lambda: is_applied(management, queue))
        publish(connection, queue)
        for delivery in range(3):
            message = wait_until(f"delivery {delivery + 1}", source.get)
            message.requeue()

        assert wait_until("the dead letter", lambda: dead_letters_of(queue, connection)) == ["delivery_limit"]


def test_a_rejected_message_is_a_dead_letter_and_an_expired_one_is_gone(management: Management, queue: str) -> None:
    with app.connection_for_write() as connection:
        source = declared(queue, connection)
        policies.apply(management, [limits(queue)])
        wait_until("the policy applies", lambda: is_applied(management, queue))
        publish(connection, queue, expiration=0.05)
        wait_until("it has expired", lambda: source.queue_declare(passive=True).message_count == 0)
        publish(connection, queue)
        message = wait_until("the delivery", source.get)
        message.reject()

        assert wait_until("the dead letter", lambda: dead_letters_of(queue, connection)) == ["rejected"]


@pytest.mark.skipif("ROWLOCK_LONG_TESTS" not in os.environ, reason="RabbitMQ looks once a minute; ROWLOCK_LONG_TESTS=1")
def test_a_message_that_is_held_for_too_long_is_taken_away(management: Management, queue: str) -> None:
    with app.connection_for_write() as connection:
        source = declared(queue, connection)
        policies.apply(management, [limits(queue, consumer_timeout=1)])
        wait_until("the policy applies", lambda: is_applied(management, queue))
        publish(connection, queue)
        source.consume("holder", callback=lambda _: None)
        connection.drain_events(timeout=30)

        with pytest.raises(connection.channel_errors, match="delivery acknowledgement"):
            connection.drain_events(timeout=120)

    with app.connection_for_write() as connection:
        assert wait_until("the message", declared(queue, connection).get).delivery_info["redelivered"]


def test_policies_of_queues_that_are_no_more_are_removed_and_those_of_people_kept(
    management: Management, queue: str
) -> None:
    vhost, mine = management.address.vhost, f"mine-{uuid4().hex}"
    policies.apply(management, [limits(queue), limits(f"{queue}.other")])
    body = {"pattern": f"^{mine}$", "apply-to": "queues", "definition": {"max-length": 5}, "priority": 0}
    management.put("policies", vhost, mine, body=body)
    management.put("policies", vhost, f"rowlock.{mine}", body=body)

    policies.apply(management, [limits(f"{queue}.other")])

    names = {policy["name"] for policy in management.get("policies", vhost)}
    assert f"rowlock.{queue}" not in names
    assert {f"rowlock.{queue}.other", mine, f"rowlock.{mine}"} <= names


def test_the_policy_of_a_queue_that_still_has_messages_stays(management: Management, queue: str) -> None:
    with app.connection_for_write() as connection:
        declared(queue, connection)
        policies.apply(management, [limits(queue)])
        publish(connection, queue)
    there = partial(management.get, "queues", management.address.vhost, queue)
    wait_until("RabbitMQ tells of the message", lambda: there().get("messages"))

    policies.apply(management, [])

    assert management.get("policies", management.address.vhost, f"rowlock.{queue}") is not None


def test_a_policy_of_somebody_else_on_the_queue_is_noticed(management: Management, queue: str) -> None:
    told = [{"name": queue, "policy": "theirs"}, {"name": f"{queue}.2", "policy": f"rowlock.{queue}.2"}]

    found = policies.overruled(told, policies.wanted([limits(queue), limits(f"{queue}.2")]))

    assert found == {queue: "theirs"}


def test_a_user_without_the_permission_is_named_in_the_error(management: Management, queue: str) -> None:
    name = f"user-{uuid4().hex}"
    management.put("users", name, body={"password": "secret", "tags": "management"})
    address = Address(url=management.address.url, username=name, password="secret", vhost=management.address.vhost)

    try:
        with pytest.raises(Forbidden, match=name) as raised:
            policies.apply(Management(address), [limits(queue)])
    finally:
        management.delete("users", name)

    assert "secret" not in str(raised.value)


def test_a_management_api_that_is_not_there_is_named_in_the_error(management: Management) -> None:
    address = Address(url="http://127.0.0.1:9", username="user", password="secret", vhost="/")

    with pytest.raises(Unreachable, match=r"http://127\.0\.0\.1:9 does not answer"):
        Management(address).get("overview")


def test_what_rabbitmq_refuses_is_told_with_its_reason(management: Management) -> None:
    with pytest.raises(ManagementError, match="not recognised"):
        management.put(
            "policies",
            management.address.vhost,
            "wrong",
            body={"pattern": "^x$", "apply-to": "queues", "definition": {"no-such-key": 1}},
        )


def test_the_commands_for_doing_it_by_hand_say_the_same(management: Management, queue: str) -> None:
    command = shlex.split(policies.commands("/", [limits(queue)])[0])

    policy = policies.wanted([limits(queue)])[f"rowlock.{queue}"]
    assert command[-3:-1] == [f"rowlock.{queue}", policy["pattern"]]
    assert json.loads(command[-1]) == policy["definition"]


def test_dead_letters_may_be_looked_at_any_number_of_times(management: Management) -> None:
    policies.apply(management, [])

    there = management.get("policies", management.address.vhost, f"rowlock.{DEAD_QUEUE}")

    assert there["definition"] == {"delivery-limit": -1}
