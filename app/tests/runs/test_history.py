"""What the writer of the history does with reports, whatever is in them."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from rowlock.celery.history import HistoryWriter
from rowlock.models import Run, State
from rowlock.models.identifier import new_id
from rowlock.runs.history import merge, report, write

pytestmark = pytest.mark.django_db(transaction=True)


def made(state: State, **values: Any) -> dict[str, Any]:
    return report(values.pop("id", None) or new_id(), state, task="tests.any", queue="celery", **values)


def test_a_report_that_comes_too_late_only_counts_its_delivery() -> None:
    ended = made(State.SUCCEEDED, finished=timezone.now(), result="5")
    write([ended], {})

    write([made(State.STARTED, id=ended["id"], started=timezone.now(), deliveries=1)], {})

    run = Run.objects.get()
    assert (State(run.state), run.result_value, run.deliveries) == (State.SUCCEEDED, 5, 1)


@pytest.mark.parametrize("together", [True, False])
def test_the_word_of_an_attempt_that_comes_after_the_end_of_the_next_is_not_the_last(together: bool) -> None:
    ended = made(State.SUCCEEDED, retries=1, finished=timezone.now(), result="5")
    retrying = made(State.RETRYING, id=ended["id"], retries=1, error_type="ValueError", error_message="at first")

    for one in [merge(ended, retrying)] if together else [ended, retrying]:
        write([one], {})

    run = Run.objects.get()
    assert (State(run.state), run.result_value, run.error_type) == (State.SUCCEEDED, 5, "")


@pytest.mark.parametrize("together", [True, False])
def test_a_run_that_succeeds_at_last_has_no_error(together: bool) -> None:
    retrying = made(State.RETRYING, retries=1, error_type="ValueError", error_message="at first")
    ended = made(State.SUCCEEDED, id=retrying["id"], retries=1, finished=timezone.now(), result="5")

    for one in [merge(retrying, ended)] if together else [retrying, ended]:
        write([one], {})

    run = Run.objects.get()
    assert (State(run.state), run.error_type, run.error_message) == (State.SUCCEEDED, "", "")


def test_times_are_kept_to_the_microsecond() -> None:
    times = [datetime(2026, 7, 1, 23, 59, 59, microsecond, tzinfo=UTC) for microsecond in (0, 1, 499_999, 999_999)]

    write([made(State.SUCCEEDED, started=time, finished=time) for time in times], {})

    kept = Run.objects.order_by("started").values_list("started", "finished")
    assert list(kept) == [(time, time) for time in times]


def test_text_that_no_database_takes_is_made_fit() -> None:
    write([made(State.FAILED, error_message="zero\0 and \ud800", traceback="x" * 200_000, worker="w" * 300)], {})

    run = Run.objects.get()
    assert (run.error_message, len(run.worker)) == ("zero\N{REPLACEMENT CHARACTER} and ?", 255)
    assert "134,464 characters left out" in run.traceback


@pytest.mark.usefixtures("real_services")
def test_a_report_that_cannot_be_written_holds_up_no_other() -> None:
    acked: list[str] = []
    both = threading.Event()
    writer = HistoryWriter(cancel=acked.append)
    bad, good = made(State.FAILED, retries=99_999), made(State.SUCCEEDED)
    writer.add(bad, then=lambda: acked.append("bad"))
    writer.add(good, then=both.set)

    writer._write_batch()

    assert (acked, both.is_set()) == (["bad"], True)
    assert State(Run.objects.get(id=good["id"]).state) == State.SUCCEEDED
    left = Run.objects.get(id=bad["id"])
    assert (State(left.state), left.result_note[:26]) == (State.FAILED, "The report was not written")
