"""What the writer of the history does with reports, whatever is in them."""

import threading
from typing import Any

import pytest
from django.utils import timezone

from rowlock.celery.history import HistoryWriter
from rowlock.models import Run, State
from rowlock.models.identifier import new_id
from rowlock.runs.history import report, write

pytestmark = pytest.mark.django_db(transaction=True)


def made(state: State, **values: Any) -> dict[str, Any]:
    return report(values.pop("id", None) or new_id(), state, task="tests.any", queue="celery", **values)


def test_a_report_that_comes_too_late_only_counts_its_delivery() -> None:
    ended = made(State.SUCCEEDED, finished=timezone.now(), result="5")
    write([ended], {})

    write([made(State.STARTED, id=ended["id"], started=timezone.now(), deliveries=1)], {})

    run = Run.objects.get()
    assert (State(run.state), run.result_value, run.deliveries) == (State.SUCCEEDED, 5, 1)


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
