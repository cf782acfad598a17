import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from celery import group
from prometheus_client import REGISTRY
from prometheus_client.openmetrics.exposition import generate_latest
from pytest_django import Settings

from example.celery import app
from example.tasks.basic import add
from rowlock.celery.stamp import stamp, waited
from rowlock.metrics.tasks import LONGEST_ID, MOST_EXCEPTIONS, OTHER, TaskMetrics
from tests.brokers import use_broker


@pytest.fixture
def pool() -> str:
    """One that no other test counts for."""
    return uuid4().hex


def lines(pool: str) -> list[str]:
    text: bytes = generate_latest(REGISTRY)  # type: ignore[no-untyped-call]
    return [line for line in text.decode().splitlines() if pool in line]


def test_all_outcomes_of_a_task_are_there_before_the_first_has_happened(pool: str) -> None:
    TaskMetrics(pool).series("task", "queue")

    assert sum(line.startswith("rowlock_tasks_total{") and line.endswith(" 0.0") for line in lines(pool)) == 9


def test_an_id_that_is_too_long_for_an_exemplar_is_counted_without_one(pool: str) -> None:
    series = TaskMetrics(pool).series("task", "queue")

    series.ended("failed", "x" * (LONGEST_ID + 1))

    counted = next(line for line in lines(pool) if 'outcome="failed"' in line)
    assert counted.endswith("} 1.0")


def test_a_task_that_makes_classes_as_it_goes_makes_no_series_without_end() -> None:
    task, metrics = uuid4().hex, TaskMetrics("")

    for number in range(MOST_EXCEPTIONS + 10):
        metrics.raised(task, f"Class{number}", "id")

    counted = [line for line in lines(task) if line.startswith("rowlock_task_exceptions_total{")]
    assert len(counted) == MOST_EXCEPTIONS + 1
    assert any(f'exception="{OTHER}"' in line and "} 10.0" in line for line in counted)


def test_an_id_of_any_characters_leaves_the_scrape_readable(pool: str) -> None:
    series = TaskMetrics(pool).series("task", "queue")

    series.ended("failed", 'a"b\\c\nd')

    counted = next(line for line in lines(pool) if 'outcome="failed"' in line)
    assert r'# {run_id="a\"b\\c\nd"}' in counted


def test_a_message_is_stamped_with_the_time_of_publishing() -> None:
    headers: dict[str, object] = {"eta": None}

    before = time.time()
    stamp(headers=headers)

    assert before <= headers["rowlock_due"] <= time.time()  # type: ignore[operator]


@pytest.mark.parametrize("zone", ["aware", "naive, which is UTC"])
def test_a_message_with_an_eta_is_stamped_with_that(zone: str) -> None:
    eta = datetime.now(UTC) + timedelta(hours=1)
    headers: dict[str, object] = {"eta": (eta if zone == "aware" else eta.replace(tzinfo=None)).isoformat()}

    stamp(headers=headers)

    assert headers["rowlock_due"] == eta.timestamp()


@pytest.mark.parametrize("eta", [datetime(2020, 1, 1, tzinfo=UTC).isoformat(), "soon"])
def test_an_eta_that_is_past_or_unreadable_counts_as_now(eta: str) -> None:
    headers: dict[str, object] = {"eta": eta}

    before = time.time()
    stamp(headers=headers)

    assert headers["rowlock_due"] >= before  # type: ignore[operator]


def test_a_retry_is_stamped_anew() -> None:
    headers: dict[str, object] = {"rowlock_due": 1.0, "retries": 1}

    stamp(headers=headers)

    assert headers["rowlock_due"] != 1.0


def test_nothing_is_stamped_with_metrics_switched_off(settings: Settings) -> None:
    settings.ROWLOCK = {**settings.ROWLOCK, "METRICS": False}
    headers: dict[str, object] = {}

    stamp(headers=headers)

    assert not headers


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"rowlock_due": 90.0}, 10.0),
        # The publisher's clock is ahead.
        ({"rowlock_due": 130.0}, 0.0),
        # Another producer.
        ({}, None),
        ({"rowlock_due": "yesterday"}, None),
        ({"rowlock_due": None}, None),
    ],
)
def test_waiting_is_from_the_stamp_to_the_start(headers: dict[str, object], expected: float | None) -> None:
    assert waited(headers, 100.0) == expected


def test_whatever_publishes_stamps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_broker(f"embedded://localhost{tmp_path}", monkeypatch)

    add.delay(1, 2)
    app.send_task("somebody.elses", queue="others")
    group(add.s(1, 2), add.s(3, 4)).apply_async(countdown=60)

    headers = [json.loads(file.read_text())["headers"] for file in tmp_path.glob("queues/*/*")]
    later = [header["rowlock_due"] > time.time() + 30 for header in headers]
    assert sorted(later) == [False, False, True, True]
