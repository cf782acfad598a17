"""Runs of many requests, accepted by one commit."""

from collections.abc import Iterator

import pytest
from django.db import DataError, connection, transaction
from pytest_django import DjangoAssertNumQueries

from rowlock.models import Run
from rowlock.runs import group_commit
from rowlock.runs.accepting import Submission, runs_of
from rowlock.runs.group_commit import Group

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("real_services")]

ADD = "example.tasks.basic.add"


def new(count: int = 1, **options: object) -> list[Run]:
    return runs_of([Submission(task=ADD, args=[n, n], **options) for n in range(count)])  # type: ignore[arg-type]


def ids(*lists: list[Run]) -> set[object]:
    return {run.id for runs in lists for run in runs}


def stored() -> set[object]:
    return set(Run.objects.values_list("id", flat=True))


@pytest.fixture
def group() -> Iterator[Group]:
    """The group of this thread, begun."""
    made = Group()
    made.begin()
    yield made
    made.end()
    made.close()


def test_nothing_is_written_before_the_commit_and_all_by_it(group: Group) -> None:
    lists = [group_commit.accept(new()), group_commit.accept(new(3))]
    assert group.end() == lists
    assert stored() == set()

    errors = group.commit(lists)

    assert errors == [None, None]
    assert stored() == ids(*lists)


def test_what_the_database_does_not_take_of_one_request_is_its_own_error_and_no_others(group: Group) -> None:
    good, bad, fine = new(), new(2), new()
    bad[1].task = "x" * 1000

    errors = group.commit([good, bad, fine])

    assert [type(error) for error in errors] == [type(None), DataError, type(None)]
    assert stored() == ids(good, fine)


def test_runs_with_a_key_are_written_at_once(group: Group) -> None:
    [first] = group_commit.accept(new(key="k"))
    [second] = group_commit.accept(new(key="k"))

    assert group.end() == []
    assert (first.is_new, second.is_new, second.id) == (True, False, first.id)


def test_in_a_transaction_runs_are_part_of_it(group: Group) -> None:
    with transaction.atomic():
        group_commit.accept(new())
        transaction.set_rollback(True)

    assert (group.end(), stored()) == ([], set())


def test_a_connection_that_the_server_has_closed_is_made_again(group: Group) -> None:
    group.commit([new()])
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%INSERT INTO rowlock_run%'"
        )

        assert cursor.fetchone() == (1,), "the group has no connection of its own"

    errors = group.commit([new()])

    assert errors == [None]
    assert len(stored()) == 2


def test_a_thousand_runs_are_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    runs = new(1000)

    with django_assert_num_queries(1):
        group_commit.accept(runs)

    assert stored() == ids(runs)
