"""With many runs in Postgres, no list reads the whole table: what EXPLAIN says of the statements that are sent."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from rowlock import statistics
from rowlock.live.changes import Changes
from rowlock.live.counts import count
from rowlock.models import Run
from rowlock.runs import search
from rowlock.runs.query import parse
from rowlock.runs.search import find
from rowlock.runs.viewer import EVERYBODY, Viewer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("many_runs")]

RUNS = 20_000
#: Runs that one page may look at here; ten times as many are there.
MOST = 1000


@dataclass
class Reading:
    """What statements do with the table of runs."""

    scans: list[str] = field(default_factory=list)
    rows: int = 0


@pytest.fixture(scope="module")
def many_runs(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """A month of runs: old ones have values that are rare, and most succeed. Made once, because it takes a second."""
    if connection.vendor != "postgresql":
        pytest.skip("needs DATABASE_URL of a real Postgres")
    with django_db_blocker.unblock():
        insert_many_runs()
        yield
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE rowlock_run")
        connection.close()


@pytest.fixture(autouse=True)
def short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST", MOST)
    monkeypatch.setattr(search, "MOST_TEXTS", MOST)


def insert_many_runs() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO rowlock_run (
                id, task, queue, arguments, options, owner, key, state, created, published, started, finished, changed,
                attempts, publish_after, check_first, deliveries, retries, worker, progress_message, result_note,
                error_type, error_message, traceback
            )
            SELECT
                gen_random_uuid(), CASE WHEN n < 5 THEN 'shop.legacy.once' ELSE 'shop.mail.send_' || n %% 20 END,
                CASE WHEN n < 5 THEN 'forgotten' WHEN n %% 3 = 0 THEN 'heavy' ELSE 'celery' END, '', '',
                'user-' || n %% 50, CASE WHEN n %% 4 = 0 THEN 'import-' || n END, state, moment, moment, moment,
                CASE WHEN state >= 5 THEN moment END, moment, 1, moment, false, 1, 0, 'celery@worker-' || n / 5000, '',
                '', CASE WHEN state = 7 THEN 'ValueError' ELSE '' END,
                CASE WHEN state = 7 THEN 'no such customer c-' || n ELSE '' END, ''
            FROM (
                SELECT n, now() - (%s - n) * interval '80 seconds' AS moment,
                    CASE WHEN n > %s THEN n %% 4 WHEN n %% 25 = 0 THEN 7 WHEN n %% 90 = 0 THEN 5 ELSE 8 END AS state
                FROM generate_series(1, %s) AS n
            ) AS numbered
            """,
            [RUNS, RUNS - 100, RUNS],
        )
        cursor.execute("ANALYZE rowlock_run")


def reading(work: Callable[[], object]) -> Reading:
    """How the statements of `work` read the table of runs."""
    found = Reading()

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if "rowlock_run" in sql and sql.lstrip().upper().startswith(("SELECT", "WITH", "(SELECT")):
            # At once, because settings of the transaction matter; past Django's cursor, which would come back here.
            with connection.cursor() as cursor:
                cursor.cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
                told = cursor.cursor.fetchone()[0]
            for node in nodes((json.loads(told) if isinstance(told, str) else told)[0]["Plan"]):
                look_at(node, found)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        work()
    return found


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


def look_at(node: dict[str, Any], found: Reading) -> None:
    if node.get("Relation Name") != "rowlock_run":
        return
    found.scans.append(node["Node Type"])
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    found.rows += int((node["Actual Rows"] + removed) * node["Actual Loops"])


@pytest.mark.parametrize(
    "query",
    [
        "",
        "state:failed",
        "state:cancelled,failed",
        "state:unfinished",
        "state:scheduled",
        "state:retrying",
        "task:send_7",
        "task:shop.mail.*",
        "task:legacy.once",
        "queue:heavy",
        "queue:forgotten",
        "queue:nosuch",
        "queue:zz*",
        "worker:celery@worker-0",
        "worker:celery@nobody",
        "worker:*nobody*",
        "owner:user-7",
        "owner:nobody",
        "owner:no-*",
        "key:import-400",
        "key:nosuch-*",
        "-key:*",
        "error:ValueError",
        "error:NoSuchError",
        "customer",
        "c-400",
        "zzzzzzzzz",
        "zz",
        "-customer",
        "took:>1000h",
        "waited:>1000h",
        "retries:7",
        "deliveries:>7",
        "since:10d until:9d",
        "until:26d queue:forgotten",
        "queue:forgotten took:>1h",
        "state:failed queue:forgotten",
        "state:failed zzzzzzzzz",
        "state:failed error:ValueError worker:*nobody*",
        "error:ValueError took:>1000h",
        "state:failed task:send_* queue:celery owner:user-7",
        "task:send_7 took:>1000h",
        "state:succeeded took:>1000h",
    ],
)
def test_a_list_reads_no_more_than_a_page_is_worth(query: str) -> None:
    found = reading(lambda: find(parse(query), EVERYBODY, cursor=None, limit=50))

    assert "Seq Scan" not in found.scans, f"{query!r} reads the whole table"
    assert found.rows <= 3 * MOST, f"{query!r} reads {found.rows} of {RUNS} runs"


def test_keys_that_begin_alike_are_told_apart_without_reading_the_whole_table() -> None:
    # A quarter of the runs have keys that share most of their trigrams.
    found = reading(lambda: find(parse("key:import-40*"), EVERYBODY, cursor=None, limit=50))

    assert "Seq Scan" not in found.scans
    assert found.rows <= RUNS / 2


@pytest.mark.parametrize("query", ["", "state:failed", "zzzzzzzzz", "took:>1000h", "queue:forgotten"])
def test_the_list_of_one_owner_reads_no_more_than_a_page_is_worth(query: str) -> None:
    found = reading(lambda: find(parse(query), Viewer(name="user-7"), cursor=None, limit=50))

    assert "Seq Scan" not in found.scans
    assert found.rows <= 3 * MOST


@pytest.mark.parametrize(
    "work",
    [
        lambda: count(EVERYBODY),
        lambda: Changes().look(),
        lambda: statistics.activity(statistics.Period.DAY),
        lambda: statistics.by_task(statistics.Period.HOUR),
    ],
    ids=["live counts", "live changes", "activity", "by task"],
)
def test_what_is_looked_at_again_and_again_reads_few_runs(work: Callable[[], object]) -> None:
    found = reading(work)

    assert "Seq Scan" not in found.scans
    assert found.rows <= MOST


@pytest.mark.parametrize(
    "query", ["took:<1h", "took:>1000h", "owner:*-7", "state:failed took:<1h", "task:shop.mail.* -queue:heavy", "zz"]
)
def test_pages_that_are_given_up_lead_to_every_run_in_the_end(query: str) -> None:
    expected = list(
        parse(query).filter(Run.objects.all()).order_by("-created", "-id").values_list("id", flat=True)[:2000]
    )

    found, cursor, pages = [], None, 0
    while True:
        page = find(parse(query), EVERYBODY, cursor=cursor, limit=500)
        found += [run.id for run in page.runs]
        cursor, pages = page.next, pages + 1
        if cursor is None or len(found) >= len(expected) > 0:
            break
        assert pages < 60, "the cursor leads nowhere"

    assert found[: len(expected)] == expected


def test_a_page_that_is_given_up_says_how_far_it_looked() -> None:
    page = find(parse("took:>1000h"), EVERYBODY, cursor=None, limit=50)

    oldest = Run.objects.order_by("-created").values_list("created", flat=True)[MOST]
    assert (page.runs, page.searched_until) == ([], oldest)
    assert page.next is not None


@pytest.mark.parametrize(("text", "found"), [("c-400", 2), ("legacy", 4), ("import-4000", 1), ("CUSTOMER C-4000", 1)])
def test_text_is_found_however_old_it_is(text: str, found: int) -> None:
    page = find(parse(f'"{text}"'), EVERYBODY, cursor=None, limit=50)

    assert (len(page.runs), page.searched_until) == (found, None)


def test_without_the_indexes_of_texts_the_newest_runs_are_searched() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX rowlock_run_key_text")

    page = find(parse("zzzzzzzzz"), EVERYBODY, cursor=None, limit=50)

    assert page.searched_until is not None
