"""The list of runs, the page of one, and what can be done there."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from rowlock.console.completion import QUALIFIERS
from rowlock.models import AuditEntry, Run, RunLog, State
from rowlock.runs.query.query import QUALIFIERS as KNOWN
from tests.console.people import client_of
from tests.runs.factory import ago, make_run

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def text_of(client: Client, path: str, **headers: str) -> str:
    return client.get(path, headers=headers).content.decode()


def failed_run(**fields: Any) -> Run:
    times = {"started": ago(seconds=9), "finished": ago(seconds=4)}
    error = {"error_type": "builtins.ValueError", "error_message": "no such thing", "traceback": "Traceback: line 7"}
    return make_run(state=State.FAILED, **{**times, **error, **fields})


def test_a_search_finds_and_can_be_shared() -> None:
    failed, other = failed_run(), make_run()

    found = text_of(client_of("viewer"), "/console/runs/?q=state:failed")

    assert f"r-{failed.id}" in found
    assert f"r-{other.id}" not in found


def test_a_mistake_in_a_query_is_told_with_what_was_typed() -> None:
    response = client_of("viewer").get("/console/runs/?q=state:faild")

    assert response.status_code == 422
    assert b"did you mean failed?" in response.content
    assert b'value="state:faild"' in response.content, "what was typed is lost"


def test_pages_go_on_where_the_one_before_ended() -> None:
    runs = [make_run(created=ago(minutes=number)) for number in range(60)]
    client = client_of("viewer")

    first = client.get("/console/runs/")
    second = client.get(first.context["next"])

    assert len(first.context["rows"]) == 50
    assert [row.run.id for row in second.context["rows"]] == [run.id for run in runs[50:]]


@pytest.mark.parametrize("number", [3, 40])
def test_a_list_costs_the_same_whatever_it_shows(
    number: int, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(number):
        failed_run(owner="ada")
    client = client_of("operator")

    # The session, its user, two for permissions, and the runs.
    with django_assert_max_num_queries(6):
        client.get("/console/runs/")


def test_the_page_of_a_run_takes_few_queries(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    run = failed_run()
    for _ in range(20):
        make_run(parent_id=run.id)
    client = client_of("operator")

    with django_assert_max_num_queries(8):
        client.get(f"/console/runs/{run.id}/")


def test_an_unchanged_list_is_not_sent_again() -> None:
    make_run()
    client = client_of("viewer")
    etag = client.get("/console/runs/?part=rows").headers["ETag"]

    again = client.get("/console/runs/?part=rows", headers={"If-None-Match": etag})
    make_run()
    changed = client.get("/console/runs/?part=rows", headers={"If-None-Match": etag})

    assert again.status_code == 304
    assert changed.status_code == 200, "the new run is not shown"


def test_a_run_shows_its_error_its_log_and_its_relatives() -> None:
    run = failed_run()
    child, retry = make_run(parent_id=run.id), make_run(retry_of=run.id)
    RunLog.objects.create(run_id=run.id, attempt=1, text="looked everywhere")

    shown = text_of(client_of("viewer"), f"/console/runs/{run.id}/")

    for what in ("Traceback: line 7", "looked everywhere", f"/console/runs/{child.id}/", f"/console/runs/{retry.id}/"):
        assert what in shown, f"the page does not show {what}"


def test_what_rules_redact_is_nowhere_on_the_pages(settings: Settings) -> None:
    settings.ROWLOCK = {**settings.ROWLOCK, "REDACT_ARGUMENTS": ["*.add"], "REDACT_RESULTS": ["*.add"]}
    run = failed_run(
        error_message="secret", traceback="secret", arguments=json.dumps({"args": ["secret"], "kwargs": {}})
    )
    client = client_of("operator")

    pages = [text_of(client, path) for path in ("/console/runs/", f"/console/runs/{run.id}/")]

    assert not any("secret" in page for page in pages)
    assert all("ValueError" in page for page in pages), "the type of the error is not hidden"


def test_a_hostile_text_stays_a_text() -> None:
    run = failed_run(error_message="<script>alert(1)</script>", key='"><img src=x>')

    shown = text_of(client_of("viewer"), f"/console/runs/{run.id}/")

    assert "<script>alert" not in shown
    assert "<img src=x>" not in shown


def test_a_retry_leads_to_the_new_run_and_is_on_record() -> None:
    run = failed_run(owner="ada")

    response = client_of("operator").post(f"/console/runs/{run.id}/retry/", headers=HTMX)

    again = Run.objects.get(retry_of=run.id)
    assert response.headers["HX-Redirect"] == f"/console/runs/{again.id}/"
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.action, entry.target, entry.via) == ("operator", "retry", str(run.id), "console")


def test_a_run_that_has_ended_cannot_be_cancelled() -> None:
    response = client_of("operator").post(f"/console/runs/{failed_run().id}/cancel/", headers=HTMX)

    assert response.status_code == 409
    assert b"has failed already" in response.content
    assert not AuditEntry.objects.exists(), "what was not done is on record"


def test_bulk_asks_with_the_number_and_then_does_it() -> None:
    runs = [failed_run(owner="ada") for _ in range(3)]
    client = client_of("operator")

    asked = text_of(client, "/console/runs/bulk/?do=retry&q=state:failed")
    client.post("/console/runs/bulk/", {"do": "retry", "q": "state:failed", "expect": "3"}, headers=HTMX)

    assert "Retry 3 runs?" in asked
    assert Run.objects.filter(retry_of__in=[run.id for run in runs]).count() == 3
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.details["count"]) == ("retry", "state:failed", 3)


def test_bulk_does_nothing_where_there_are_more_than_were_confirmed() -> None:
    for _ in range(3):
        failed_run()

    response = client_of("operator").post(
        "/console/runs/bulk/", {"do": "retry", "q": "state:failed", "expect": "2"}, headers=HTMX
    )

    assert response.status_code == 409
    assert Run.objects.count() == 3, "something was retried"


def test_bulk_refuses_every_run_there_is() -> None:
    response = client_of("operator").get("/console/runs/bulk/?do=cancel&q=", headers=HTMX)

    assert response.status_code == 409
    assert b"every run there is" in response.content


def test_a_submitter_cannot_touch_others_runs_in_bulk() -> None:
    others = make_run(owner="ada")

    client_of("submitter").post(
        "/console/runs/bulk/", {"do": "cancel", "id": str(others.id), "expect": "1"}, headers=HTMX
    )

    others.refresh_from_db()
    assert others.state == State.QUEUED


def test_every_qualifier_of_queries_is_completed() -> None:
    assert QUALIFIERS.keys() == KNOWN.keys()


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("stat", "state:"),
        ("state:fai", "state:failed"),
        ("-state:succeeded,exp", "-state:succeeded,expired"),
        ("task:flak", "task:example.tasks.basic.flaky"),
        ("queue:ema", "queue:email"),
        ("since:", "since:1h"),
    ],
)
def test_words_are_completed(typed: str, expected: str) -> None:
    found = client_of("viewer").get("/console/runs/completions/", {"q": typed}).context["found"]

    assert expected in [one.text for one in found]
