from collections.abc import Iterator
from functools import partial
from uuid import uuid4

import pytest
from django.core.management import CommandError
from kombu import Queue

from example.celery import app
from rowlock.broker.topology import DEAD_QUEUE
from rowlock.celery import dead_letters
from rowlock.models import Run, State
from tests.cli.conftest import Cli
from tests.runs.factory import make_run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_dead_letters() -> Iterator[None]:
    with app.connection_for_write() as connection:
        queue = dead_letters.QUEUE(connection.default_channel)
        queue.declare()
        queue.purge()
        yield
        queue.purge()


@pytest.fixture
def queue() -> str:
    return f"revived-{uuid4().hex}"


def bury(id: str, queue: str) -> None:
    request = {
        "id": id,
        "task": "example.tasks.basic.add",
        "argsrepr": "(2, 3)",
        "kwargsrepr": "{}",
        "delivery_info": {"routing_key": queue},
    }
    dead_letters.publish(id, request, "[[2, 3], {}, {}]", "application/json", "utf-8")


def found_in(queue: str) -> list[str]:
    with app.connection_for_write() as connection:
        bound = Queue(queue, queue_arguments={"x-queue-type": "quorum"})(connection.default_channel)
        bound.queue_declare()
        return [message.headers["id"] for message in iter(partial(bound.get, no_ack=True), None)]


def test_dead_letters_are_listed_and_stay(rowlock: Cli, queue: str) -> None:
    bury("first", queue)

    assert [line.split() for line in rowlock("dead", "list").splitlines()][1][:3] == [
        "first", "example.tasks.basic.add", queue,
    ]  # fmt: skip
    assert '"id": "first"' in rowlock("dead", "list", "--json")


def test_a_message_that_is_no_run_goes_back_into_its_queue(rowlock: Cli, queue: str) -> None:
    bury("first", queue)
    bury("second", queue)
    found_in(queue)

    assert rowlock("dead", "retry", "second") == "1 dead letter retried.\n"

    assert found_in(queue) == ["second"]
    assert found_in(DEAD_QUEUE) == ["first"]


def test_a_run_is_retried_as_a_run(rowlock: Cli, queue: str) -> None:
    run = make_run(state=State.FAILED, task="example.tasks.basic.add", queue=queue)
    bury(str(run.id), queue)

    rowlock("dead", "retry", str(run.id))

    assert Run.objects.filter(retry_of=run.id).count() == 1
    assert found_in(DEAD_QUEUE) == []


def test_all_are_dropped_after_a_question(rowlock: Cli, queue: str) -> None:
    bury("first", queue)
    bury("second", queue)

    assert rowlock("dead", "drop", "--all", "--yes") == "2 dead letters dropped.\n"

    assert found_in(DEAD_QUEUE) == []


@pytest.mark.parametrize("words", [("dead", "retry"), ("dead", "drop", "one", "--all")])
def test_which_ones_must_be_said_in_one_way(words: tuple[str, ...], rowlock: Cli) -> None:
    with pytest.raises(CommandError, match="either by the ids of their tasks or by --all"):
        rowlock(*words)
