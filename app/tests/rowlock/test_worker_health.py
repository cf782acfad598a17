"""What a worker says of itself, with a clock that the test sets and a main loop that turns when the test says."""

from collections.abc import Callable

import pytest

from rowlock.celery import steps
from rowlock.celery.steps import LOOP_CEILING, RECONNECT_CEILING, WorkerHealth


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Consumer:
    pool = object()

    def __init__(self) -> None:
        self.pending: list[Callable[[], None]] = []

    def call_soon(self, call: Callable[[], None]) -> None:
        self.pending.append(call)

    def turn(self) -> None:
        while self.pending:
            self.pending.pop()()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(steps, "time", clock)
    return clock


def test_a_worker_that_nobody_asked_for_long_is_alive(clock: Clock) -> None:
    health = WorkerHealth()
    health.consuming(Consumer())

    clock.now += 10 * LOOP_CEILING

    assert health.report().alive


def test_a_main_loop_that_does_not_turn_is_dead_after_the_ceiling(clock: Clock) -> None:
    health = WorkerHealth()
    health.consuming(Consumer())
    health.report()

    clock.now += LOOP_CEILING

    assert (health.report().alive, health.report().ready) == (False, False)


def test_a_main_loop_that_turns_again_is_alive(clock: Clock) -> None:
    health, consumer = WorkerHealth(), Consumer()
    health.consuming(consumer)
    health.report()
    clock.now += LOOP_CEILING

    consumer.turn()

    assert health.report().alive


def test_a_worker_that_reconnects_is_alive_and_not_ready(clock: Clock) -> None:
    health = WorkerHealth()
    health.consuming(Consumer())

    health.reconnecting()
    clock.now += RECONNECT_CEILING - 1

    assert (health.report().alive, health.report().ready) == (True, False)


def test_a_worker_that_never_reconnects_is_dead_in_the_end(clock: Clock) -> None:
    health = WorkerHealth()
    health.reconnecting()

    clock.now += RECONNECT_CEILING

    assert not health.report().alive
