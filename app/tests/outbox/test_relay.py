"""Publishing what was accepted."""

from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from kombu import Exchange, Queue
from kombu.exceptions import OperationalError

from example.celery import app
from rowlock import runs
from rowlock.models import Run, State
from rowlock.outbox import relay, table
from rowlock.outbox.publisher import Publisher
from rowlock.outbox.relay import relay_once
from rowlock.runs.accepting import Submission, runs_of
from rowlock.runs.inserting import insert
from tests.brokers import use_broker
from tests.outbox.conftest import Broker

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "example.tasks.basic.add"


def test_a_run_is_published_once_under_its_id(broker: Broker) -> None:
    run = runs.submit(ADD, [2, 3], owner="ann")

    assert (relay_once(), relay_once()) == (1, 0)

    [headers] = broker()
    assert (headers["id"], headers["task"], headers["rowlock"]) == (str(run.id), ADD, {"attempt": 1, "owner": "ann"})
    run.refresh_from_db()
    assert (run.state, run.published is not None) == (State.PUBLISHED, True)


def test_a_transaction_that_is_rolled_back_publishes_nothing(broker: Broker) -> None:
    with transaction.atomic():
        runs.submit(ADD, [2, 3])
        runs.submit_many([runs.Submission(task=ADD, args=[n, n]) for n in range(3)])
        transaction.set_rollback(True)

    assert (relay_once(), broker()) == (0, [])


def test_a_run_that_is_not_due_is_not_published(broker: Broker) -> None:
    runs.submit(ADD, [2, 3], countdown=60)

    assert relay_once() == 0

    assert broker() == []


def test_a_run_is_published_when_it_is_due(broker: Broker) -> None:
    run = runs.submit(ADD, [2, 3], countdown=60)
    Run.objects.filter(id=run.id).update(publish_after=timezone.now() - timedelta(seconds=1))

    assert relay_once() == 1

    [headers] = broker()
    assert headers["eta"] is None, "a due message must not wait once more"


def test_an_expired_run_is_not_published_and_says_so(broker: Broker) -> None:
    run = runs.submit(ADD, [2, 3], expires=1)
    Run.objects.filter(id=run.id).update(expires=timezone.now() - timedelta(seconds=10))

    relay_once()

    run.refresh_from_db()
    assert (broker(), State(run.state)) == ([], State.EXPIRED)


def test_a_cancelled_run_is_not_published(broker: Broker) -> None:
    run = runs.submit(ADD, [2, 3])
    runs.cancel(run)

    assert (relay_once(), broker()) == (0, [])


def test_older_runs_are_published_first(broker: Broker) -> None:
    submitted = [str(runs.submit(ADD, [n, n]).id) for n in range(5)]

    relay_once()

    assert [headers["id"] for headers in broker()] == submitted


@pytest.mark.usefixtures("no_broker")
def test_without_a_broker_runs_are_accepted_and_wait() -> None:
    run = runs.submit(ADD, [2, 3])

    with pytest.raises((OperationalError, OSError)):
        relay_once()

    run.refresh_from_db()
    assert (run.state, run.attempts) == (State.QUEUED, 0)


def test_what_waited_for_the_broker_is_published_when_it_is_back(
    no_broker: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    runs.submit(ADD, [2, 3])
    with pytest.raises((OperationalError, OSError)):
        relay_once()

    use_broker(f"embedded://localhost{tmp_path}/broker", monkeypatch)

    assert relay_once() == 1


def test_a_relay_that_died_with_a_run_leaves_it_to_the_next_which_first_warns_the_workers(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.submit(ADD, [2, 3])
    assert len(table.take(10)) == 1
    assert relay_once() == 0, "a taken run belongs to who took it"
    Run.objects.filter(id=run.id).update(publish_after=timezone.now())

    assert relay_once() == 0
    run.refresh_from_db()
    assert run.check_first, "workers must hear of it before there are two messages"

    Run.objects.filter(id=run.id).update(publish_after=timezone.now())
    assert relay_once() == 1
    assert broker()[0]["rowlock"]["attempt"] == 2


def test_a_publish_of_which_nothing_was_heard_is_repeated_with_a_warning(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.submit(ADD, [2, 3])

    def send_and_lose_the_connection(self: Publisher, producer: Any, run: Run) -> None:
        send(self, producer, run)
        raise ConnectionResetError("gone before the confirm")

    send = Publisher._send
    with monkeypatch.context() as patch:
        patch.setattr(Publisher, "_send", send_and_lose_the_connection)
        with pytest.raises(OperationalError):
            relay_once()
    Run.objects.filter(id=run.id).update(publish_after=timezone.now())

    assert relay_once() == 1

    assert [headers["rowlock"]["attempt"] for headers in broker()] == [1, 2]


def test_one_run_that_cannot_be_published_holds_up_no_other(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    bad, good = runs.submit(ADD, [1, 1]), runs.submit(ADD, [2, 2])
    send = Publisher._send

    def send_unless_bad(self: Publisher, producer: Any, run: Run) -> None:
        if run.id == bad.id:
            raise ValueError("not today")
        send(self, producer, run)

    monkeypatch.setattr(Publisher, "_send", send_unless_bad)

    relay_once()

    bad.refresh_from_db()
    good.refresh_from_db()
    assert (State(bad.state), bad.result_note) == (State.QUEUED, "ValueError: not today")
    assert State(good.state) == State.PUBLISHED


@pytest.fixture
def one() -> Iterator[relay.Relay]:
    """A relay that keeps its connection from turn to turn, as those of processes do."""
    with closing(relay.Relay(app)) as made:
        yield made


def messages_in(queue: str) -> int:
    with app.connection_for_write() as connection:
        return int(connection.default_channel.queue_declare(queue, passive=True).message_count)


@pytest.mark.usefixtures("real_services")
def test_rabbitmq_confirms_a_thousand_at_once(queue: str, one: relay.Relay) -> None:
    runs.submit_many([runs.Submission(task=ADD, args=[n, n], queue=queue) for n in range(1000)])

    while one.turn():
        pass

    assert Run.objects.filter(state=State.PUBLISHED).count() == 1000
    assert messages_in(queue) == 1000


@pytest.mark.usefixtures("real_services")
def test_two_relays_at_once_publish_nothing_twice(queue: str) -> None:
    runs.submit_many([runs.Submission(task=ADD, args=[n, n], queue=queue) for n in range(3000)])
    relays = [relay.Relay(app), relay.Relay(app)]

    for one in relays:
        one.start()
    for one in relays:
        one.stop(seconds=60)

    assert Run.objects.filter(state=State.PUBLISHED, attempts=1).count() == 3000
    assert messages_in(queue) == 3000


@pytest.mark.usefixtures("real_services")
def test_a_queue_that_somebody_deleted_is_declared_again(queue: str, one: relay.Relay) -> None:
    runs.submit(ADD, [1, 1], queue=queue)
    one.turn()
    with app.connection_for_write() as connection:
        connection.default_channel.queue_delete(queue)
    run = runs.submit(ADD, [2, 2], queue=queue)
    one.turn()
    run.refresh_from_db()
    assert (State(run.state), run.result_note) == (State.QUEUED, "The broker has no queue for it.")

    Run.objects.filter(id=run.id).update(publish_after=timezone.now(), check_first=True)
    one.turn()

    assert messages_in(queue) == 1


@pytest.mark.usefixtures("real_services")
def test_a_queue_that_is_declared_otherwise_is_refused_alone(queue: str, one: relay.Relay) -> None:
    with app.connection_for_write() as connection:
        connection.default_channel.queue_declare(queue, durable=False, auto_delete=False, exclusive=False)
    bad, good = runs.submit(ADD, [1, 1], queue=queue), runs.submit(ADD, [2, 2])

    one.turn()
    one.turn()

    bad.refresh_from_db()
    good.refresh_from_db()
    assert "PreconditionFailed" in bad.result_note, bad.result_note
    assert State(good.state) == State.PUBLISHED


@pytest.mark.usefixtures("real_services")
def test_what_a_full_queue_does_not_take_stays_in_the_outbox(
    queue: str, one: relay.Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = {"x-max-length": 1, "x-overflow": "reject-publish"}
    monkeypatch.setitem(app.amqp.queues, queue, Queue(queue, Exchange(""), queue, queue_arguments=full))
    runs.submit_many([runs.Submission(task=ADD, args=[n, n], queue=queue) for n in range(20)])
    other = runs.submit(ADD, [2, 2])

    one.turn()

    refused = Run.objects.filter(queue=queue, state=State.QUEUED)
    assert set(refused.values_list("result_note", flat=True)) == {"The broker did not take it; its queue may be full."}
    assert refused.count() + messages_in(queue) == 20, "a run is neither in the queue nor in the outbox, or in both"
    other.refresh_from_db()
    assert State(other.state) == State.PUBLISHED


def claimed() -> Run:
    """A run that was accepted and belongs to whoever accepted it, to be published from its memory."""
    [run] = runs_of([Submission(task=ADD, args=[1, 1])])
    run.attempts = 1
    insert([run], connection, claimed_for=relay.CLAIM)
    return run


@pytest.mark.usefixtures("real_services")
def test_a_claimed_run_is_published_from_memory_and_by_nobody_else(broker: Broker, one: relay.Relay) -> None:
    run = claimed()
    assert relay_once() == 0, "another relay has taken it"

    one.publish_soon([run])
    one.start()
    one.stop(seconds=60)

    run.refresh_from_db()
    assert (State(run.state), run.attempts) == (State.PUBLISHED, 1)
    assert [headers["id"] for headers in broker()] == [str(run.id)]


@pytest.mark.usefixtures("real_services", "no_broker")
def test_without_a_broker_what_was_claimed_waits_as_if_it_never_was(one: relay.Relay) -> None:
    run = claimed()

    one.publish_soon([run])
    one.start()
    one.stop(seconds=60)

    run.refresh_from_db()
    assert (State(run.state), run.attempts, run.check_first) == (State.QUEUED, 0, False)
    assert not one.has_room()


@pytest.mark.usefixtures("real_services")
def test_a_claimed_run_that_was_lost_with_its_process_is_published_with_a_warning(broker: Broker) -> None:
    run = claimed()

    for _ in range(2):
        # As if the time had passed.
        Run.objects.filter(id=run.id).update(publish_after=timezone.now())
        relay_once()

    run.refresh_from_db()
    assert (State(run.state), run.check_first) == (State.PUBLISHED, True)
    assert [headers["id"] for headers in broker()] == [str(run.id)]
