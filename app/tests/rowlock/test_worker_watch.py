"""When a worker that is connected to RabbitMQ takes itself for forgotten; the test sets its clock and its queue."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from rowlock.celery import watch
from rowlock.celery.watch import PERIOD, STARVED_AFTER, Watch


class Worker:
    """A consumer of the queue `celery`, as far as a watch asks it."""

    connection_errors = (OSError,)

    def __init__(self) -> None:
        self.now = 1000.0
        self.ready = 0
        self.connections = 1
        self.running = 0
        self.paused: set[str] = set()
        self.queue = SimpleNamespace(name="celery", queue_arguments={})
        self.callbacks: dict[str, Any] = {"tag": object()}
        self.controller = SimpleNamespace(rowlock_slots=self, rowlock_pauses=SimpleNamespace(queues=self.paused))
        self.prefetched = 0
        self.task_buckets: dict[str, Any] = {}
        self.task_consumer = SimpleNamespace(channel=self, _active_tags={"celery": "tag"})
        self.app = SimpleNamespace(amqp=SimpleNamespace(queues=self), rowlock_history=None)
        self.consume_from = {"celery": self.queue}
        self.connection = self.transport = self.timer = self
        self.driver_type = "amqp"
        self._next: Callable[[], None] = self.nothing
        self.watch = Watch()

    def nothing(self) -> None:
        """What is left to do once a look was the last."""

    def monotonic(self) -> float:
        return self.now

    def call_soon(self, call: Callable[..., None], *args: Any) -> None:
        self._next = lambda: call(*args)

    def call_after(self, seconds: float, call: Callable[..., None], args: tuple[Any, ...]) -> None:
        self._next = lambda: args[0](*args[1:])

    def channel(self) -> "Worker":
        return self

    @contextmanager
    def having_timeout(self, seconds: float) -> Iterator[None]:
        yield

    def queue_declare(self, name: str, *, passive: bool) -> Any:
        return SimpleNamespace(message_count=self.ready)

    def looks(self, *, seconds: float = 0) -> None:
        """Let that much time pass, with all the looks in it."""
        self._next()
        for _ in range(int(seconds / PERIOD)):
            self.now += PERIOD
            self._next()

    def breaks(self, consumer: "Worker") -> None:
        self.connections += 1
        self.watch.end()
        self.watch.begin(self)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Worker:
    worker = Worker()
    monkeypatch.setattr(watch, "time", worker)
    monkeypatch.setattr(watch, "break_connection", worker.breaks)
    worker.watch = Watch()
    worker.watch.begin(worker)
    return worker


def test_a_worker_that_starts_with_a_backlog_is_well(worker: Worker) -> None:
    worker.ready = 1000

    worker.looks()

    assert (worker.watch.trouble, worker.connections) == ("", 1)


def test_an_idle_worker_that_is_given_nothing_connects_again_once(worker: Worker) -> None:
    worker.ready = 1000

    worker.looks(seconds=STARVED_AFTER + 10 * PERIOD)

    assert worker.watch.trouble == "queue celery has messages, and this idle worker is given none"
    assert worker.connections == 2


def test_a_worker_that_is_given_messages_again_is_well(worker: Worker) -> None:
    worker.ready = 1000
    worker.looks(seconds=STARVED_AFTER + 2 * PERIOD)

    worker.running = 1
    worker.looks(seconds=PERIOD)

    assert worker.watch.trouble == ""


def test_a_worker_that_holds_all_it_may_is_well(worker: Worker) -> None:
    worker.ready, worker.running = 1000, 1

    worker.looks(seconds=10 * STARVED_AFTER)

    assert (worker.watch.trouble, worker.connections) == ("", 1)


def test_a_worker_whose_history_cannot_be_written_is_well(worker: Worker) -> None:
    worker.ready = 1000
    worker.app.rowlock_history = SimpleNamespace(flush=lambda **_: False)

    worker.looks(seconds=10 * STARVED_AFTER)

    assert (worker.watch.trouble, worker.connections) == ("", 1)


def test_one_of_several_consumers_of_which_one_is_active_is_well(worker: Worker) -> None:
    worker.ready = 1000
    worker.queue.queue_arguments = {"x-single-active-consumer": True}

    worker.looks(seconds=10 * STARVED_AFTER)

    assert (worker.watch.trouble, worker.connections) == ("", 1)


def test_a_consumer_that_the_broker_cancelled_is_missed_at_the_next_look(worker: Worker) -> None:
    worker.looks()
    worker.callbacks.clear()

    worker.looks(seconds=PERIOD)

    assert worker.watch.trouble == "queue celery has no consumer"
    assert worker.connections == 2


def test_a_broker_that_does_not_answer_is_left_to_the_heartbeats(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(name: str, *, passive: bool) -> Any:
        raise TimeoutError

    monkeypatch.setattr(worker, "queue_declare", silent)

    worker.looks(seconds=10 * STARVED_AFTER)

    assert (worker.watch.trouble, worker.connections) == ("", 1)


def test_a_worker_that_ends_does_not_connect_again(worker: Worker) -> None:
    worker.watch.end()
    worker.callbacks.clear()

    worker.looks(seconds=PERIOD)

    assert worker.connections == 1


def test_a_paused_queue_is_not_missed(worker: Worker) -> None:
    worker.looks()
    worker.paused.add("celery")
    worker.task_consumer._active_tags.clear()
    worker.ready = 10

    worker.looks(seconds=10 * STARVED_AFTER)

    assert (worker.watch.trouble, worker.connections) == ("", 1)
    assert worker.watch.has_queues
    assert worker.watch.is_paused
