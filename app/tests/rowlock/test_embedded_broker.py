"""The broker of files: what RabbitMQ would do, with the process of a consumer dying in between."""

import subprocess
import sys
from pathlib import Path

import pytest
from kombu import Connection, Exchange, Queue

from rowlock.celery import embedded

embedded.register()

TAKE_AND_DIE = """
import os, sys
from kombu import Connection
from rowlock.celery import embedded
embedded.register()
taken = Connection(sys.argv[1]).SimpleQueue("work").get(timeout=5)
print(taken.payload, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"embedded://{tmp_path / 'broker'}"


def test_a_message_is_delivered_once(url: str) -> None:
    with Connection(url) as connection, connection.SimpleQueue("work") as queue:
        queue.put({"n": 1})

        message = queue.get(timeout=5)
        message.ack()

        assert message.payload == {"n": 1}
        with pytest.raises(queue.Empty):
            queue.get(block=False)


def test_messages_keep_their_order(url: str) -> None:
    with Connection(url) as connection, connection.SimpleQueue("work") as queue:
        for n in range(20):
            queue.put(n)

        taken = [queue.get(timeout=5).payload for _ in range(20)]

    assert taken == list(range(20))


def test_a_message_that_was_not_acked_is_back_after_closing(url: str) -> None:
    with Connection(url) as connection, connection.SimpleQueue("work") as queue:
        queue.put("again")
        queue.get(timeout=5)

    with Connection(url) as connection, connection.SimpleQueue("work") as queue:
        assert queue.get(timeout=5).payload == "again"


def test_what_a_killed_consumer_had_taken_is_delivered_again(url: str) -> None:
    with Connection(url) as connection, connection.SimpleQueue("work") as queue:
        queue.put("fragile")
    killed = subprocess.run(
        [sys.executable, "-c", TAKE_AND_DIE, url],
        cwd=Path(embedded.__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert killed.stdout == "fragile\n", killed.stderr

    with Connection(url) as connection, connection.SimpleQueue("work") as queue:
        assert queue.get(timeout=5).payload == "fragile"


def test_a_living_consumer_keeps_what_it_has_taken(url: str) -> None:
    with Connection(url) as first, first.SimpleQueue("work") as queue:
        queue.put("mine")
        queue.get(timeout=5)

        with Connection(url) as second, second.SimpleQueue("work") as other, pytest.raises(other.Empty):
            other.get(block=False)


def test_a_fanout_exchange_reaches_every_queue(url: str) -> None:
    news = Exchange("news", "fanout")
    with Connection(url) as connection:
        for name in ("one", "two"):
            Queue(name, news)(connection.default_channel).declare()

        connection.Producer(exchange=news).publish("hear")

        payloads = [connection.SimpleQueue(name).get(timeout=5).payload for name in ("one", "two")]
    assert payloads == ["hear", "hear"]


def test_purge_says_how_many_messages_it_dropped(url: str) -> None:
    with Connection(url) as connection, connection.SimpleQueue("work") as queue:
        queue.put(1)
        queue.put(2)

        assert queue.clear() == 2
