"""Looking at runs, and steering them."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from rowlock.api import bulk
from rowlock.models import Run, State
from rowlock.runs.presentation import detail, summary
from tests.api.conftest import ApiClient, MakeRun


def test_a_run_is_shown_whole(anna: ApiClient, make_run: MakeRun) -> None:
    run = make_run(state=State.SUCCEEDED, result='{"sum":5}', worker="w1", finished=timezone.now())

    answer = anna.ask(f"runs/{run.id}")

    assert answer == detail(run)
    assert (answer["state"], answer["args"], answer["result"]) == ("succeeded", [2, 3], {"sum": 5})


def test_redacted_arguments_and_results_are_not_shown(anna: ApiClient, make_run: MakeRun, settings: Settings) -> None:
    settings.ROWLOCK = {"REDACT_ARGUMENTS": ["example.*"], "REDACT_RESULTS": ["example.*"]}
    run = make_run(state=State.SUCCEEDED, result='"secret"')

    shown, result = anna.ask(f"runs/{run.id}"), anna.ask(f"runs/{run.id}/result")

    assert (shown["args"], shown["kwargs"], shown["result"], shown["arguments_redacted"]) == (None, None, None, True)
    assert (result["result"], result["result_redacted"]) == (None, True)


def test_progress_is_shown(anna: ApiClient, make_run: MakeRun) -> None:
    run = make_run(state=State.STARTED, progress_done=3, progress_total=10, progress_message="three")

    answer = anna.ask(f"runs/{run.id}/progress")

    assert (answer["state"], answer["finished"]) == ("started", None)
    assert answer["progress"] == {"done": 3, "total": 10, "message": "three"}


def test_progress_costs_one_statement(
    anna: ApiClient, make_run: MakeRun, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run = make_run()

    with django_assert_num_queries(4):
        anna.ask(f"runs/{run.id}/progress")


def test_the_result_of_a_run_that_has_not_finished_is_asked_for_later(anna: ApiClient, make_run: MakeRun) -> None:
    response = anna.send("GET", f"runs/{make_run(state=State.STARTED).id}/result")

    assert (response.status_code, response.headers["Retry-After"]) == (202, "1")
    assert (response.json()["state"], response.json()["result"]) == ("started", None)


def test_the_result_of_a_finished_run(anna: ApiClient, make_run: MakeRun) -> None:
    run = make_run(state=State.SUCCEEDED, result="5", finished=timezone.now())

    answer = anna.ask(f"runs/{run.id}/result")

    assert (answer["state"], answer["result"], answer["error"]) == ("succeeded", 5, None)


def test_the_error_of_a_failed_run(anna: ApiClient, make_run: MakeRun) -> None:
    run = make_run(state=State.FAILED, error_type="ValueError", error_message="no", traceback="Traceback …")

    answer = anna.ask(f"runs/{run.id}/result")

    assert answer["error"] == {"type": "ValueError", "message": "no", "traceback": "Traceback …"}


def test_a_list_is_filtered_by_a_query(anna: ApiClient, make_run: MakeRun) -> None:
    make_run()
    failed = make_run(state=State.FAILED)

    assert [run["id"] for run in anna.ask("runs/", q="state:failed")["runs"]] == [str(failed.id)]


def test_a_list_has_summaries_newest_first(anna: ApiClient, make_run: MakeRun) -> None:
    runs = [make_run(created=timezone.now() + timedelta(seconds=age)) for age in range(3)]

    assert anna.ask("runs/") == {
        "runs": [summary(run) for run in reversed(runs)],
        "next": None,
        "searched_until": None,
    }


def test_pages_follow_one_another_while_runs_are_added(anna: ApiClient, make_run: MakeRun) -> None:
    runs = [make_run(created=timezone.now() + timedelta(seconds=age)) for age in range(5)]
    seen: list[str] = []
    cursor: dict[str, str] = {}
    for _ in range(3):
        page = anna.ask("runs/", limit="2", **cursor)
        seen += [run["id"] for run in page["runs"]]
        cursor = {"cursor": page["next"]}
        make_run(created=timezone.now() + timedelta(hours=1))

    assert seen == [str(run.id) for run in reversed(runs)]


def test_a_list_costs_few_statements_however_long_it_is(
    anna: ApiClient, make_run: MakeRun, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(30):
        make_run()

    # Session, user, one for permissions; on Postgres from where on to read, which runs, and those.
    with django_assert_max_num_queries(6):
        anna.ask("runs/", q="state:queued")


def test_a_finished_run_is_retried_as_a_new_one_of_the_same_owner(operator: ApiClient, make_run: MakeRun) -> None:
    old = make_run(state=State.FAILED)

    response = operator.send("POST", f"runs/{old.id}/retry")

    assert response.status_code == 202, response.content
    new = Run.objects.get(retry_of=old.id)
    assert (response.json()["id"], response.json()["retry_of"]) == (str(new.id), str(old.id))
    assert (new.owner, new.args) == ("anna", [2, 3])
    assert response.headers["Location"] == f"/api/runs/{new.id}"


def test_a_run_that_has_not_finished_cannot_be_retried(anna: ApiClient, make_run: MakeRun) -> None:
    response = anna.send("POST", f"runs/{make_run().id}/retry")

    assert (response.status_code, response.json()["type"]) == (409, "urn:rowlock:problem:finished")


def test_a_run_is_cancelled_and_the_answer_says_what_it_was(anna: ApiClient, make_run: MakeRun) -> None:
    run = make_run(due=timezone.now() + timedelta(hours=1))

    answer = anna.send("POST", f"runs/{run.id}/cancel").json()

    assert (answer["was"], answer["run"]["state"]) == ("scheduled", "cancelled")


def test_a_finished_run_cannot_be_cancelled(anna: ApiClient, make_run: MakeRun) -> None:
    response = anna.send("POST", f"runs/{make_run(state=State.SUCCEEDED).id}/cancel")

    assert response.status_code == 409
    assert "succeeded already" in response.json()["detail"]


def states() -> list[str]:
    return sorted(State(state).label for state in Run.objects.values_list("state", flat=True))


def test_cancelling_by_a_query_counts_first(anna: ApiClient, make_run: MakeRun) -> None:
    make_run()
    make_run(state=State.SUCCEEDED)

    assert anna.send("POST", "runs/cancel", {"q": "task:add"}).json() == {"count": 1}
    assert states() == ["queued", "succeeded"]


def test_cancelling_by_a_query_acts_with_the_count(anna: ApiClient, make_run: MakeRun) -> None:
    make_run()
    make_run(due=timezone.now() + timedelta(hours=1))
    make_run(state=State.SUCCEEDED)

    answer = anna.send("POST", "runs/cancel", {"q": "task:add", "expect": 2}).json()

    assert answer == {"cancelled": 2, "by_state": {"queued": 1, "scheduled": 1}}
    assert states() == ["cancelled", "cancelled", "succeeded"]


def test_nothing_is_cancelled_when_there_are_more_than_expected(anna: ApiClient, make_run: MakeRun) -> None:
    make_run()
    make_run()

    response = anna.send("POST", "runs/cancel", {"q": "task:add", "expect": 1})

    assert (response.status_code, response.json()["count"]) == (409, 2)
    assert states() == ["queued", "queued"]


def test_fewer_than_expected_are_cancelled(anna: ApiClient, make_run: MakeRun) -> None:
    make_run()

    assert anna.send("POST", "runs/cancel", {"q": "task:add", "expect": 9}).json()["cancelled"] == 1


def test_the_runs_of_others_are_not_cancelled(anna: ApiClient, make_run: MakeRun) -> None:
    make_run(owner="ben")
    make_run(owner="")

    assert anna.send("POST", "runs/cancel", {"q": "task:add", "expect": 5}).json()["cancelled"] == 0


def test_an_operator_cancels_everybodys(operator: ApiClient, make_run: MakeRun) -> None:
    make_run(owner="ben")
    make_run(owner="")

    assert operator.send("POST", "runs/cancel", {"q": "task:add", "expect": 2}).json()["cancelled"] == 2


def test_retrying_by_a_query(anna: ApiClient, make_run: MakeRun) -> None:
    failed = make_run(state=State.FAILED)
    make_run()

    assert anna.send("POST", "runs/retry", {"q": "task:add"}).json() == {"count": 1}
    assert anna.send("POST", "runs/retry", {"q": "task:add", "expect": 1}).json() == {"retried": 1}
    assert Run.objects.get(retry_of=failed.id).state == State.QUEUED


def test_too_many_are_not_retried_at_once(anna: ApiClient, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_RETRIES", 1)
    make_run(state=State.FAILED)
    make_run(state=State.FAILED)

    response = anna.send("POST", "runs/retry", {"q": "task:add", "expect": 2})

    assert response.status_code == 422
    assert "narrow the query" in response.json()["detail"]
    assert states() == ["failed", "failed"]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "q is missing"),
        ({"q": ""}, "q is empty, which is every run"),
        ({"q": "  "}, "q is empty, which is every run"),
        ({"q": 1}, "q must be a string"),
        ({"q": "a\0"}, "q must not contain a zero byte"),
        ({"q": "nope:x"}, "nope:x"),
        ({"q": "task:add", "expect": -1}, "expect input should be greater than or equal to 0"),
        ({"q": "task:add", "expect": "2"}, "expect must be a whole number"),
        ({"q": "task:add", "expct": 2}, "did you mean 'expect'?"),
    ],
)
@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_a_query_that_cannot_be_used_is_refused(
    operator: ApiClient, make_run: MakeRun, action: str, body: object, reason: str
) -> None:
    make_run()
    make_run(state=State.FAILED)

    response = operator.send("POST", f"runs/{action}", body)

    assert response.status_code == 422
    assert reason in response.json()["detail"]
    assert states() == ["failed", "queued"]
