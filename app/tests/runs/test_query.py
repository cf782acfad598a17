import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from rowlock.models import Run, State
from rowlock.runs.errors import QueryError
from rowlock.runs.query import parse
from rowlock.runs.query.query import QUALIFIERS
from tests.runs.factory import ago, make_run

pytestmark = pytest.mark.django_db

ID = UUID("01990000-0000-7000-8000-000000000001")
Find = Callable[[str], set[str]]


@pytest.fixture
def find() -> Find:
    """The keys of the runs that a query finds."""
    return lambda query: {str(run.key) for run in parse(query).filter(Run.objects.all())}


def runs_in_all_states() -> None:
    for state in State:
        make_run(state=state, key=state.label)
    make_run(key="scheduled", due=datetime.now(UTC) + timedelta(hours=1))


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("state:failed", {"failed"}),
        ("state:failed,expired", {"failed", "expired"}),
        ("state:FAILED", {"failed"}),
        ("STATE:failed", {"failed"}),
        ("state:scheduled", {"scheduled"}),
        ("state:queued", {"queued", "scheduled"}),  # a scheduled run is a queued one
        ("state:queued -state:scheduled", {"queued"}),
        ("state:finished", {"cancelled", "expired", "failed", "succeeded"}),
        ("state:unfinished", {"queued", "published", "retrying", "started", "scheduled"}),
        ("-state:unfinished,failed", {"cancelled", "expired", "succeeded"}),
        ("state:failed state:expired", set()),  # words are joined by "and"
    ],
)
def test_runs_are_found_by_state(find: Find, query: str, keys: set[str]) -> None:
    runs_in_all_states()

    assert find(query) == keys


def test_an_empty_query_finds_every_run(find: Find) -> None:
    runs_in_all_states()

    assert len(find("  ")) == len(State) + 1
    assert not parse("  ")


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("task:example.tasks.basic.add", {"add"}),
        ("task:add", {"add"}),
        ("task:basic.add", {"add"}),
        ("task:example.tasks.*", {"add", "resize"}),
        ("task:example.*.resize", {"resize"}),
        ("task:re*", {"resize"}),
        ("task:add,resize", {"add", "resize"}),
        ("task:ad", set()),
        ("task:e.ample.tasks.basic.add", set()),  # only * stands for something
        ("-task:example.*", {"other", "percent"}),
        ("task:*_%*", {"percent"}),
    ],
)
def test_runs_are_found_by_task(find: Find, query: str, keys: set[str]) -> None:
    make_run("example.tasks.basic.add", key="add")
    make_run("example.tasks.image.resize", key="resize")
    make_run("other.address", key="other")
    make_run("odd_%name", key="percent")

    assert find(query) == keys


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("queue:mail", {"import-1"}),
        ("owner:ada", {"import-1"}),
        ("owner:ad", set()),
        ("owner:A*", set()),  # names are told apart by case
        ("owner:*", {"import-1"}),
        ("-owner:*", {"import 2, the second"}),
        ("key:import*", {"import-1", "import 2, the second"}),
        ('key:"import 2, the second"', {"import 2, the second"}),
        ('key:"import 2"*', {"import 2, the second"}),
        ("worker:celery@*", {"import-1"}),
        ("worker:celery", set()),
        ("worker:celery@one", {"import-1"}),
        ("-worker:celery@one", {"import 2, the second"}),
    ],
)
def test_runs_are_found_by_names(find: Find, query: str, keys: set[str]) -> None:
    make_run(queue="mail", owner="ada", key="import-1", worker="celery@one")
    make_run(key="import 2, the second")

    assert find(query) == keys


def test_a_run_without_key_does_not_have_another_key() -> None:
    make_run()

    assert parse("-key:other").filter(Run.objects.all()).count() == 1


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        (f"id:{ID}", {"first"}),
        (f"id:{ID.hex.upper()}", {"first"}),
        (f"parent:{ID}", {"child"}),
        ("parent:*", {"child"}),
        ("-parent:*", {"first", "again"}),
        (f"retry-of:{ID}", {"again"}),
        (f"retry_of:{ID}", {"again"}),
        (str(ID), {"first", "child", "again"}),
    ],
)
def test_runs_are_found_by_ids(find: Find, query: str, keys: set[str]) -> None:
    make_run(id=ID, key="first")
    make_run(parent_id=ID, key="child")
    make_run(retry_of=ID, key="again")

    assert find(query) == keys


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("error:ValueError", {"builtin"}),
        ("error:BadInput", {"own"}),
        ("error:example.*", {"own"}),
        ("error:*", {"builtin", "own"}),
        ("-error:*", {"fine", "late"}),
        ("error:Value", set()),
    ],
)
def test_runs_are_found_by_the_type_of_their_error(find: Find, query: str, keys: set[str]) -> None:
    make_run(state=State.FAILED, key="builtin", error_type="ValueError")
    make_run(state=State.FAILED, key="own", error_type="example.errors.BadInput")
    make_run(state=State.SUCCEEDED, key="fine")
    make_run(state=State.SUCCEEDED, key="late", error_type="ValueError")

    assert find(query) == keys


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("since:1h", {"now", "half"}),
        ("since:1h30m", {"now", "half"}),
        ("until:1h", {"day", "old"}),
        ("since:2d until:20m", {"half", "day"}),
        ("since:2020-06-15", {"now", "half", "day", "old"}),
        ("since:2020-06-16", {"now", "half", "day"}),
        ("until:2020-06-15", {"old"}),  # the whole of that day
        ("until:2020-06-14", set()),
        ("until:2020-06-15T10:00", {"old"}),
        ("until:2020-06-15T09:59", set()),
        ("until:2020-06-15T11:59+02:00", set()),
        ("until:2020-06-15T10:00Z", {"old"}),
        ('since:"2020-06-15 10:00" until:1w', {"old"}),
    ],
)
def test_runs_are_found_by_when_they_were_accepted(find: Find, query: str, keys: set[str]) -> None:
    make_run(key="now")
    make_run(key="half", created=ago(minutes=30))
    make_run(key="day", created=ago(hours=24))
    make_run(key="old", created=datetime(2020, 6, 15, 10, tzinfo=UTC))

    assert find(query) == keys


def test_a_day_is_one_of_the_time_zone_of_the_project(find: Find, settings: Settings) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    make_run(key="evening", created=datetime(2020, 6, 14, 20, tzinfo=UTC))

    assert find("since:2020-06-15 until:2020-06-15") == {"evening"}


def test_the_last_hour_is_that_before_each_use_of_a_query(find: Find, monkeypatch: pytest.MonkeyPatch) -> None:
    make_run(key="now")
    query = parse("since:1h")
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime.now(UTC) + timedelta(hours=2))

    assert not query.filter(Run.objects.all()).exists()


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("retries:2", {"two"}),
        ("retries:=2", {"two"}),
        ("retries:>1", {"two"}),
        ("retries:>=0", {"none", "two"}),
        ("retries:<2", {"none"}),
        ("retries:0,2", {"none", "two"}),
        ("-retries:0", {"two"}),
        ("deliveries:>1", {"two"}),
        ("deliveries:<=9999", {"none", "two"}),
    ],
)
def test_runs_are_found_by_numbers(find: Find, query: str, keys: set[str]) -> None:
    make_run(key="none")
    make_run(key="two", retries=2, deliveries=3)

    assert find(query) == keys


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("took:>5s", {"slow", "running"}),
        ("took:>=500ms", {"quick", "slow", "running"}),
        ("took:<5s", {"quick"}),
        ("took:>1h", {"running"}),  # so far
        ("-took:>5s", {"quick", "waiting", "later"}),
        ("waited:>1m", {"waiting", "slow"}),
        ("waited:<1m", {"quick", "running", "later"}),
    ],
)
def test_runs_are_found_by_how_long_they_took_and_waited(find: Find, query: str, keys: set[str]) -> None:
    start = ago(days=1)
    second = timedelta(seconds=1)
    make_run(state=State.SUCCEEDED, key="quick", created=start, started=start, finished=start + second)
    make_run(state=State.FAILED, key="slow", created=start - 90 * second, started=start, finished=start + 9 * second)
    make_run(state=State.STARTED, key="running", created=start, started=start)
    make_run(key="waiting", created=start)
    make_run(key="later", created=start, due=datetime.now(UTC) + timedelta(hours=1))

    assert find(query) == keys


@pytest.mark.parametrize(
    ("query", "keys"),
    [
        ("resize", {"photo-1"}),
        ("RESIZE", {"photo-1"}),
        ("photo", {"photo-1", "photo-2"}),
        ("photo ada", {"photo-2"}),  # each word must match, each where it likes
        ("full", {"photo-2"}),
        ("ÜBERALL", {"photo-2"}),
        ('"disk is full"', {"photo-2"}),
        ('"is disk"', set()),
        ("-full", {"photo-1"}),
        ("100%", {"photo-2"}),
        ("1_0%", set()),
        ("10:30", {"photo-2"}),  # a colon after digits is text
        ('"at:" photo', {"photo-2"}),
        ("photo,2", set()),
        (r'"the \"disk\""', {"photo-2"}),
    ],
)
def test_runs_are_found_by_text(find: Find, query: str, keys: set[str]) -> None:
    make_run("example.tasks.image.resize", key="photo-1")
    message = 'At: 10:30 the disk is full, 100% of the "disk" überall'
    make_run(state=State.FAILED, key="photo-2", owner="Ada", error_message=message)

    assert find(query) == keys


def test_text_does_not_find_what_is_redacted(find: Find, settings: Settings) -> None:
    settings.ROWLOCK = {"REDACT_RESULTS": ["*.secret"]}
    make_run("example.tasks.secret", State.FAILED, key="hidden", error_type="ValueError", error_message="pin 1234")
    make_run("example.tasks.open", State.FAILED, key="open", error_type="ValueError", error_message="pin 1234")

    assert find("1234") == {"open"}
    assert find("-1234") == {"hidden"}
    assert find("error:ValueError") == {"hidden", "open"}


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("state:faild", "state:faild: there is no state 'faild'; did you mean failed?"),
        ("state:running", "state:running: there is no state 'running'; did you mean started?"),
        ("state:failed,", "state:failed,: nothing stands after state: or beside a comma; write a value."),
        ("-owner:", "-owner:: nothing stands after owner: or beside a comma; write a value."),
        ("stat:failed", "stat:failed: there is no stat:; did you mean state:?"),
        ("http://a", "http://a: there is no http:; there are state, task"),
        ("id:12", "id:12: expected the whole id of a run"),
        ("since:yesterday", "since:yesterday: expected how long ago, a day or a time (1h, 2026-11-01"),
        ("since:2026-02-30", "since:2026-02-30: expected how long ago, a day or a time"),
        ("until:0001-01-01", "until:0001-01-01: expected how long ago, a day or a time"),
        ("since:999999999w", "since:999999999w: '999999999w' is longer than a hundred years."),
        ("retries:many", "retries:many: expected a number up to 9999, alone or after >"),
        ("retries:>-1", "retries:>-1: expected a number up to 9999"),
        ("deliveries:99999999999999999999", "expected a number up to 9999"),
        ("took:5s", "took:5s: expected >, >=, < or <= and a duration (as in >5s), not '5s'."),
        ("waited:>5", "waited:>5: expected a number with ms, s, m, h, d or w (90s, 5m, 1h30m, 7d), not '5'."),
        ('key:"half', 'The quote that opens at "half is never closed; add a ".'),
        ("-", "- has nothing to look for"),
        ('""', '"" has nothing to look for'),
        ("zero\0byte", "The query has a character that is no text"),
        ("half \ud800", "The query has a character that is no text"),
        ("a" * 2001, "The query has 2001 characters; it can have 2000."),
        ("a " * 101, "The query has more than 100 words and values"),
    ],
)
def test_a_query_that_cannot_be_read_is_told_by_its_word(query: str, message: str) -> None:
    with pytest.raises(QueryError) as raised:
        parse(query)

    assert message in str(raised.value)


@pytest.mark.parametrize(
    "value", ["(", "[a-", "a{2}", "\\", "a|b", "^$", "+", "?", "ä*", "*" * 50, "a*b*c*d*e*f", "'; --", "%", "_"]
)
@pytest.mark.parametrize("qualifier", ["task:", "queue:", "key:", "error:", ""])
def test_no_character_is_special_to_the_database(find: Find, qualifier: str, value: str) -> None:
    make_run(key="k" if value.strip("*") else None)

    assert find(f"{qualifier}{value}") <= {"None"}, "something was found by a name that nothing has"


def test_names_of_tasks_cost_one_question_however_many_words_ask(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    make_run()

    # The names; of Postgres, whether it has an index of texts; and the runs.
    with django_assert_max_num_queries(3):
        assert len(parse("task:add,wait basic example -other").filter(Run.objects.all())) == 1


DOCUMENT = Path(__file__).parents[3] / "docs" / "queries.md"


def test_the_document_tells_of_every_qualifier_and_all_that_it_writes_can_be_read() -> None:
    written = re.findall(r"`(-?[a-z-]+:[^`\s]+)`", DOCUMENT.read_text())

    told = {word.lstrip("-").partition(":")[0] for word in written}
    assert told == set(QUALIFIERS)
    for word in written:
        if "…" not in word and "faild" not in word:
            parse(word)
