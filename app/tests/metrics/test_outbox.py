import threading
from pathlib import Path

import pytest
from celery import Celery

from example.celery import app
from rowlock import runs
from rowlock.metrics import outbox as metrics
from rowlock.metrics.outbox import Backlog, OutboxCollector
from rowlock.models import State
from rowlock.outbox.backlog import look
from rowlock.outbox.relay import Relay, relay_once
from tests.brokers import use_broker
from tests.runs.factory import ago, make_run


def told(collector: OutboxCollector) -> dict[str, float]:
    return {family.name: family.samples[0].value for family in collector.collect()}


@pytest.mark.django_db(transaction=True)
class TestBacklog:
    def test_what_is_due_and_not_published_is_pending(self) -> None:
        make_run(created=ago(seconds=100), publish_after=ago(seconds=100))
        make_run(state=State.PUBLISHED, created=ago(hours=1), publish_after=ago(hours=1))

        backlog = look()

        assert (backlog.pending, int(backlog.oldest)) == (1, 100)

    def test_what_is_scheduled_for_later_is_not(self) -> None:
        later = ago(seconds=-100)
        make_run(created=ago(hours=1), due=later, publish_after=later)

        assert look() == Backlog(pending=0, oldest=0)

    def test_what_was_scheduled_is_as_old_as_it_is_due(self) -> None:
        make_run(created=ago(hours=1), due=ago(seconds=10), publish_after=ago(seconds=10))

        assert int(look().oldest) == 10

    def test_what_a_relay_has_taken_or_the_broker_refused_is_pending(self) -> None:
        make_run(created=ago(seconds=50), publish_after=ago(seconds=-290), attempts=9)

        backlog = look()

        assert (backlog.pending, int(backlog.oldest)) == (1, 50)


class TestCollector:
    def test_a_backlog_is_told(self) -> None:
        collector = OutboxCollector(lambda: Backlog(pending=3, oldest=1.5))

        assert told(collector) == {
            "rowlock_outbox_up": 1,
            "rowlock_outbox_pending": 3,
            "rowlock_outbox_oldest_seconds": 1.5,
        }

    def test_of_a_database_that_is_away_only_that_is_told(self) -> None:
        def look() -> Backlog:
            raise OSError("connection refused")

        assert told(OutboxCollector(look)) == {"rowlock_outbox_up": 0}

    def test_a_scrape_does_not_wait_for_a_database_that_is_silent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(metrics, "PATIENCE", 0.05)
        answer, asked = threading.Event(), []

        def look() -> Backlog:
            asked.append(1)
            answer.wait(60)
            return Backlog(pending=1, oldest=1)

        collector = OutboxCollector(look)
        first, second = told(collector), told(collector)
        answer.set()
        monkeypatch.setattr(metrics, "PATIENCE", 60)
        later = told(collector)

        assert (first, second) == ({"rowlock_outbox_up": 0}, {"rowlock_outbox_up": 0})
        assert later["rowlock_outbox_up"] == 1
        assert len(asked) <= 2, "a second question was asked before the first was answered"

    def test_registering_it_asks_nothing(self) -> None:
        asked: list[int] = []

        def look() -> Backlog:
            asked.append(1)
            return Backlog(pending=0, oldest=0)

        collector = OutboxCollector(look)

        assert not collector.describe()
        assert not asked


@pytest.mark.django_db(transaction=True)
class TestRelay:
    def test_published_runs_are_counted(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        use_broker(f"embedded://localhost{tmp_path}", monkeypatch)
        runs.submit("example.tasks.basic.add", [1, 2])
        runs.submit("example.tasks.basic.add", [3, 4])
        before = counted()

        relay_once()

        assert counted() == (before[0] + 2, before[1])

    def test_a_turn_without_a_broker_is_counted_as_a_failure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        use_broker("amqp://127.0.0.1:1//", monkeypatch)
        runs.submit("example.tasks.basic.add", [1, 2])
        before = counted()

        turn_that_ends(app)

        assert counted() == (before[0], before[1] + 1)


def counted() -> tuple[float, float]:
    return metrics.PUBLISHED._value.get(), metrics.FAILURES._value.get()


def turn_that_ends(app: Celery) -> None:
    relay = Relay(app)
    relay.wake()
    relay.stop(seconds=0)
    relay.run()
