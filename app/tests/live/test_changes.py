"""Which changes are seen, in whatever order they are committed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, connections, transaction
from django.db.models.functions import Now

from rowlock.live import changes, order
from rowlock.live.changes import Changes
from rowlock.models import Run, State
from tests.runs.factory import ago, make_run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def no_tolerance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the overlap, that alone finds what is committed late which is meant to."""
    monkeypatch.setattr(order, "OVERLAP", {"postgresql": timedelta(0), "sqlite": timedelta(0)})


@contextmanager
def transaction_of_somebody_else(run: Run) -> Iterator[None]:
    """Within the block, another connection has changed `run` and not committed that."""
    written, may_commit = threading.Event(), threading.Event()

    def change() -> None:
        with transaction.atomic():
            Run.objects.filter(id=run.id).update(state=State.STARTED, changed=Now())
            written.set()
            may_commit.wait(60)
        connections.close_all()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        assert written.wait(60), "the other transaction has written"
        yield
    finally:
        may_commit.set()
        thread.join()


def touch(run: Run) -> None:
    Run.objects.filter(id=run.id).update(changed=Now())


def ids_after_a_while(reader: Changes) -> set[UUID]:
    """What several looks find; what is younger than some milliseconds is found more than once."""
    return {run_id for _ in range(3) for run_id in reader.look().ids}


def test_what_was_there_before_is_no_news() -> None:
    make_run(changed=ago(seconds=1))
    reader = Changes()

    reader.look()

    assert reader.look().ids == ()


def test_a_new_and_a_changed_run_are_news() -> None:
    old = make_run(changed=ago(hours=1))
    reader = Changes()
    reader.look()

    touch(old)
    new = make_run()

    assert ids_after_a_while(reader) == {old.id, new.id}


def test_a_change_is_not_told_for_ever() -> None:
    reader = Changes()
    reader.look()
    run = make_run(changed=ago(seconds=0.5))
    assert reader.look().ids == (run.id,), "the first look finds it"

    assert reader.look().ids == ()


def test_a_second_change_within_the_clock_s_resolution_is_told() -> None:
    reader = Changes()
    reader.look()
    run = make_run()
    reader.look()

    Run.objects.filter(id=run.id).update(state=State.STARTED)

    assert reader.look().ids == (run.id,)


@pytest.mark.usefixtures("no_tolerance")
def test_a_change_that_is_committed_late_is_told() -> None:
    late = make_run(changed=ago(hours=1))
    reader = Changes()
    reader.look()

    with transaction_of_somebody_else(late):
        before = ids_after_a_while(reader)

    assert late.id not in before, "nobody can see it before the commit"
    assert late.id in ids_after_a_while(reader)


@pytest.mark.usefixtures("no_tolerance")
@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="SQLite lets one write at a time")
def test_a_change_that_is_overtaken_by_later_ones_is_told() -> None:
    late, quick = make_run(changed=ago(hours=1)), make_run(changed=ago(hours=1))
    reader = Changes()
    reader.look()

    with transaction_of_somebody_else(late):
        touch(quick)
        before = ids_after_a_while(reader)

    assert before == {quick.id}
    assert late.id in ids_after_a_while(reader)


@pytest.mark.usefixtures("no_tolerance")
def test_the_horizon_waits_for_open_transactions() -> None:
    late = make_run(changed=ago(hours=1))
    reader = Changes()
    with transaction_of_somebody_else(late):
        reader.look()
        horizon = reader.look().horizon

    late.refresh_from_db()

    assert horizon <= late.changed, "who comes back with it as `since` is told of the change"


def test_more_changes_than_can_be_listed_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_CHANGES", 3)
    reader = Changes()
    reader.look()
    for _ in range(4):
        make_run(changed=ago(seconds=0.1))

    first, second = reader.look(), reader.look()

    assert (first.too_many, first.ids) == (True, ())
    assert (second.too_many, second.ids) == (False, ())


def test_a_flood_is_not_read_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_ROWS", 3)
    reader = Changes()
    reader.look()
    for _ in range(5):
        make_run(changed=ago(seconds=0.1))

    first, second = reader.look(), reader.look()
    after = make_run(changed=ago(seconds=0.05))
    third = reader.look()

    assert first.too_many
    assert (second.too_many, second.ids) == (False, ())
    assert third.ids == (after.id,)


def test_after_a_flood_everybody_begins_anew_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_ROWS", 3)
    reader = Changes()
    reader.look()
    for _ in range(5):
        make_run(changed=ago(seconds=0.1))
    assert reader.look().too_many, "the flood"

    monkeypatch.setattr(order, "overlap", timedelta)
    reader._tell_again = ago(seconds=0)

    assert [reader.look().too_many for _ in range(2)] == [True, False]


@pytest.mark.usefixtures("real_services")
def test_looking_leaves_no_transaction_open() -> None:
    Changes().look()

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id_if_assigned()")
        assert cursor.fetchone() == (None,)
    assert not connection.in_atomic_block
