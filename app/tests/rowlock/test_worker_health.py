"""What a worker says of itself, with a clock that the test sets and a main loop that turns when the test says."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from rowlock.celery import health, watch
from rowlock.celery.health import WorkerHealth
from rowlock.conf import Ceilings, ConfigurationError, ceilings

CEILINGS = Ceilings(loop=60, reconnect=3600)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Consumer:
    """A consumer of one queue, whose broker is not RabbitMQ."""

    pool = object()
    connection_errors = ()

    def __init__(self) -> None:
        self.pending: list[Callable[[], None]] = []
        self.timer = self.connection = self.transport = self.app = self.amqp = self.queues = self.controller = self
        self.rowlock_pauses = SimpleNamespace(queues=frozenset())
        self.driver_type = "embedded"
        self.consume_from = {"celery": type("Queue", (), {"name": "celery", "queue_arguments": None})}
        self.task_consumer = self.channel = self
        self._active_tags = {"celery": "tag"}

    def call_soon(self, call: Callable[..., None], *args: Any) -> None:
        self.pending.append(lambda: call(*args))

    def call_after(self, seconds: float, call: Callable[..., None], args: tuple[Any, ...]) -> None:
        """Looks again when the test says so."""

    def turn(self) -> None:
        while self.pending:
            self.pending.pop()()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(health, "time", clock)
    monkeypatch.setattr(watch, "time", clock)
    return clock


@pytest.fixture
def consumer() -> Consumer:
    return Consumer()


@pytest.fixture
def consuming(clock: Clock, consumer: Consumer) -> WorkerHealth:
    consuming = WorkerHealth(CEILINGS)
    consuming.consuming(consumer)
    consumer.turn()
    return consuming


def test_a_worker_is_not_ready_before_its_main_loop_has_turned(clock: Clock, consumer: Consumer) -> None:
    health = WorkerHealth(CEILINGS)
    health.consuming(consumer)

    assert (health.report().alive, health.report().ready) == (True, False)


def test_a_worker_that_nobody_asked_for_long_is_alive(consuming: WorkerHealth, clock: Clock) -> None:
    clock.now += 10 * CEILINGS.loop

    assert (consuming.report().alive, consuming.report().ready) == (True, True)


def test_a_main_loop_that_does_not_turn_is_dead_after_the_ceiling(consuming: WorkerHealth, clock: Clock) -> None:
    consuming.report()

    clock.now += CEILINGS.loop

    assert (consuming.report().alive, consuming.report().ready) == (False, False)


def test_a_main_loop_that_turns_again_is_alive(consuming: WorkerHealth, consumer: Consumer, clock: Clock) -> None:
    consuming.report()
    clock.now += CEILINGS.loop

    consumer.turn()

    assert consuming.report().alive


def test_a_worker_that_is_told_to_consume_nothing_is_alive_and_not_ready(clock: Clock, consumer: Consumer) -> None:
    health = WorkerHealth(CEILINGS)
    consumer.consume_from.clear()
    health.consuming(consumer)
    consumer.turn()
    clock.now += 10 * CEILINGS.loop

    report = health.report()

    assert (report.alive, report.ready, report.detail) == (
        True,
        False,
        "told to consume no queue; main loop silent for 0 s",
    )


def test_a_worker_that_reconnects_is_alive_and_not_ready(consuming: WorkerHealth, clock: Clock) -> None:
    consuming.reconnecting()
    clock.now += CEILINGS.reconnect - 1
    consuming.trying()

    assert (consuming.report().alive, consuming.report().ready) == (True, False)


def test_a_worker_that_never_reconnects_is_dead_in_the_end(consuming: WorkerHealth, clock: Clock) -> None:
    consuming.reconnecting()

    clock.now += CEILINGS.reconnect
    consuming.trying()

    assert not consuming.report().alive


def test_an_attempt_to_connect_that_hangs_is_dead_long_before(consuming: WorkerHealth, clock: Clock) -> None:
    consuming.reconnecting()
    consuming.trying()

    clock.now += 5 * CEILINGS.loop

    assert not consuming.report().alive


def test_a_worker_that_drains_is_alive_and_not_ready(consuming: WorkerHealth, clock: Clock) -> None:
    consuming.draining()
    clock.now += 10 * CEILINGS.loop

    assert (consuming.report().alive, consuming.report().ready) == (True, False)


@pytest.mark.parametrize("given", ["soon", "0", "-1", "9", "nan", "inf"])
def test_a_ceiling_that_makes_no_sense_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWLOCK_LOOP_CEILING", given)

    with pytest.raises(
        ConfigurationError, match=r"ROWLOCK_LOOP_CEILING is .* it must be a number of seconds, 10 or more"
    ):
        ceilings()
