import json
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from pytest_django import Settings

from rowlock.models import Run, State
from rowlock.models.run import canonical_arguments
from rowlock.runs.presentation import MESSAGE_LIMIT, detail, summary
from tests.runs.factory import NOON

ID = UUID("01990000-0000-7000-8000-000000000001")
PARENT = UUID("01990000-0000-7000-8000-000000000002")


def a_run(**fields: object) -> Run:
    return Run(**{"id": ID, "task": "example.tasks.basic.add", "queue": "celery", "created": NOON, **fields})


def a_failed_run() -> Run:
    return a_run(
        state=State.FAILED,
        arguments=canonical_arguments(["secret"], {"pin": 1234}),
        error_type="ValueError",
        error_message="1234 is no pin",
        traceback="Traceback: 1234",
    )


def test_a_summary_says_where_a_run_is() -> None:
    run = a_run(
        state=State.STARTED,
        changed=NOON,
        owner="ada",
        key="k",
        parent_id=PARENT,
        priority=3,
        started=NOON + timedelta(milliseconds=1500),
        attempts=1,
        deliveries=1,
        worker="celery@one",
        progress_done=1,
        progress_total=4,
        progress_message="reading",
    )

    assert summary(run) == {
        "id": str(ID),
        "task": "example.tasks.basic.add",
        "queue": "celery",
        "state": "started",
        "scheduled": False,
        "owner": "ada",
        "key": "k",
        "parent": str(PARENT),
        "retry_of": None,
        "priority": 3,
        "created": "2026-11-01T12:00:00Z",
        "due": None,
        "expires": None,
        "published": None,
        "started": "2026-11-01T12:00:01.500000Z",
        "finished": None,
        "cancel_requested": None,
        "changed": "2026-11-01T12:00:00Z",
        "attempts": 1,
        "deliveries": 1,
        "retries": 0,
        "worker": "celery@one",
        "progress": {"done": 1, "total": 4, "message": "reading"},
        "error": None,
    }


def test_times_are_utc_whatever_zone_they_come_in() -> None:
    run = a_run(created=datetime(2026, 11, 1, 14, tzinfo=timezone(timedelta(hours=2))))

    assert summary(run)["created"] == "2026-11-01T12:00:00Z"


def test_a_run_that_is_due_later_is_scheduled() -> None:
    shown = summary(a_run(due=datetime.now(UTC) + timedelta(hours=1)))

    assert (shown["state"], shown["scheduled"]) == ("queued", True)


def test_the_error_of_an_earlier_try_is_not_one_of_a_run_that_succeeded() -> None:
    run = a_run(state=State.SUCCEEDED, error_type="ValueError", error_message="at first")

    assert summary(run)["error"] is None
    assert detail(run)["error"] is None


def test_a_summary_shortens_what_an_error_says_and_the_detail_does_not() -> None:
    run = a_run(state=State.FAILED, error_type="ValueError", error_message="x" * (MESSAGE_LIMIT + 1))

    assert summary(run)["error"]["message"] == "x" * MESSAGE_LIMIT + "…"
    assert detail(run)["error"]["message"] == run.error_message


def test_a_detail_has_arguments_result_and_traceback() -> None:
    run = a_run(
        state=State.SUCCEEDED, arguments=canonical_arguments([1, "ä"], {"b": None}), result='{"sum": 3}', result_note=""
    )

    shown = detail(run)

    assert (shown["args"], shown["kwargs"], shown["result"]) == ([1, "ä"], {"b": None}, {"sum": 3})
    assert (shown["arguments_redacted"], shown["result_redacted"]) == (False, False)
    assert detail(a_failed_run())["error"] == {
        "type": "ValueError",
        "message": "1234 is no pin",
        "traceback": "Traceback: 1234",
    }
    json.dumps(shown)


def test_arguments_that_were_never_json_are_null_and_not_redacted() -> None:
    shown = detail(a_run(arguments=""))

    assert (shown["args"], shown["kwargs"], shown["arguments_redacted"]) == (None, None, False)


def test_redacted_arguments_are_nowhere_in_what_is_shown(settings: Settings) -> None:
    settings.ROWLOCK = {"REDACT_ARGUMENTS": ["*.add"]}

    shown = detail(a_failed_run())

    assert (shown["args"], shown["kwargs"], shown["arguments_redacted"]) == (None, None, True)
    assert shown["result_redacted"] is False
    assert shown["error"]["message"] == "1234 is no pin"


def test_of_redacted_results_only_the_type_of_the_error_is_shown(settings: Settings) -> None:
    settings.ROWLOCK = {"REDACT_RESULTS": ["example.tasks.*"]}
    run = a_failed_run()
    run.result = '"1234"'

    assert summary(run)["error"] == {"type": "ValueError", "message": None}
    shown = detail(run)
    assert shown["error"] == {"type": "ValueError", "message": None, "traceback": None}
    assert (shown["result"], shown["result_redacted"], shown["arguments_redacted"]) == (None, True, False)


def test_other_tasks_are_not_redacted(settings: Settings) -> None:
    settings.ROWLOCK = {"REDACT_RESULTS": ["example.tasks.secret"], "REDACT_ARGUMENTS": ["example.tasks.secret"]}

    shown = detail(a_failed_run())

    assert shown["kwargs"] == {"pin": 1234}
    assert shown["error"]["traceback"] == "Traceback: 1234"
