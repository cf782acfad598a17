from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from rowlock.models import Run, State
from rowlock.runs.errors import QueryError
from rowlock.runs.paging import page
from rowlock.runs.presentation import summary
from tests.runs.factory import NOON, make_run

pytestmark = pytest.mark.django_db


def keys_of_all_pages(limit: int) -> list[str | None]:
    keys: list[str | None] = []
    cursor = None
    while True:
        found = page(Run.objects.all(), cursor=cursor, limit=limit)
        keys += [run.key for run in found.runs]
        if found.next is None:
            return keys
        cursor = found.next


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 100])
def test_pages_have_each_run_once_with_the_newest_first(limit: int) -> None:
    for number in range(7):
        make_run(key=str(number), created=NOON + timedelta(microseconds=number))

    assert keys_of_all_pages(limit) == ["6", "5", "4", "3", "2", "1", "0"]


def test_runs_of_the_same_moment_are_on_one_page_or_another_once() -> None:
    for number in range(7):
        make_run(key=str(number), created=NOON)

    assert sorted(filter(None, keys_of_all_pages(2))) == [str(number) for number in range(7)]


def test_a_run_added_meanwhile_moves_no_page() -> None:
    for number in range(4):
        make_run(key=str(number), created=NOON + timedelta(seconds=number))
    first = page(Run.objects.all(), cursor=None, limit=2)
    make_run(key="new", created=NOON + timedelta(hours=1))

    second = page(Run.objects.all(), cursor=first.next, limit=2)

    assert [run.key for run in second.runs] == ["1", "0"]


def test_a_page_goes_on_after_its_last_run_was_deleted() -> None:
    for number in range(4):
        make_run(key=str(number), created=NOON + timedelta(seconds=number))
    first = page(Run.objects.all(), cursor=None, limit=2)
    first.runs[-1].delete()

    second = page(Run.objects.all(), cursor=first.next, limit=2)

    assert [run.key for run in second.runs] == ["1", "0"]


def test_the_last_page_has_no_next() -> None:
    make_run()

    assert page(Run.objects.all(), cursor=None, limit=1).next is None
    assert page(Run.objects.filter(state=State.FAILED), cursor=None, limit=1).runs == []


def test_a_page_is_one_question_that_loads_what_summaries_need(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_run(state=State.FAILED, error_type="ValueError", error_message="bad", traceback="long", result="1")

    with django_assert_num_queries(1):
        runs = page(Run.objects.all(), cursor=None, limit=10).runs
        assert summary(runs[0])["error"] == {"type": "ValueError", "message": "bad"}


@pytest.mark.parametrize("cursor", ["x", "2", "A" * 31, "_" * 32, "ä" * 32, "=" * 32, "A" * 31 + "\n", "A" * 33, "\0"])
def test_a_cursor_that_no_page_gave_is_refused(cursor: str) -> None:
    with pytest.raises(QueryError, match=r"^The cursor is not one that a page gave"):
        page(Run.objects.all(), cursor=cursor, limit=10)


@pytest.mark.parametrize("limit", [0, -1])
def test_a_page_without_runs_is_refused(limit: int) -> None:
    with pytest.raises(QueryError, match=rf"^A page has at least 1 run, not {limit}\.$"):
        page(Run.objects.all(), cursor=None, limit=limit)
