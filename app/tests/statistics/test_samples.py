from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from rowlock import statistics
from rowlock.models import QueueSample
from rowlock.statistics import Depth, Period, samples

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 1, 12, 30, 30, tzinfo=UTC)


def sample_at(now: datetime, monkeypatch: pytest.MonkeyPatch, **ready: int) -> bool:
    monkeypatch.setattr(timezone, "now", lambda: now)
    return statistics.sample({name: Depth(ready=number, unacked=1, consumers=2) for name, number in ready.items()})


def test_the_deepest_of_each_step_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds, ready in [(0, 5), (15, 9), (60, 3)]:
        sample_at(NOW + timedelta(seconds=seconds), monkeypatch, celery=ready)

    [first, second] = statistics.depths(Period.HOUR)["celery"]

    assert (first.start, first.depth) == (NOW.replace(second=0), Depth(ready=9, unacked=1, consumers=2))
    assert second.depth.ready == 3


def test_of_all_who_look_one_takes_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    first = sample_at(NOW, monkeypatch, celery=5)
    second = sample_at(NOW + timedelta(seconds=5), monkeypatch, celery=6)

    assert (first, second, statistics.is_due()) == (True, False, False)
    assert statistics.depths(Period.HOUR)["celery"][0].depth.ready == 5


def test_queues_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    sample_at(NOW, monkeypatch, celery=5, heavy=7)

    assert set(statistics.depths(Period.DAY)) == {"celery", "heavy"}
    assert set(statistics.depths(Period.DAY, queues=["heavy"])) == {"heavy"}


def test_old_samples_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    sample_at(NOW, monkeypatch, celery=5)
    sample_at(NOW + samples.KEPT + timedelta(minutes=1), monkeypatch, celery=6)

    assert [row.ready for row in QueueSample.objects.all()] == [6]
