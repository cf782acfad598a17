"""Whatever goes wrong below /api/ is answered with problem+json."""

import json
import logging

import pytest
from django.db import InterfaceError, OperationalError
from pytest_django import Settings

from rowlock.api import runs as api_runs
from rowlock.models import ApiToken, Run
from rowlock.runs import Submission, accepting
from tests.api.conftest import ApiClient, MakeRun

ADD = {"task": "example.tasks.basic.add", "args": [2, 3]}


@pytest.mark.parametrize("path", ["nothing", "runs/x/y/z", "run", "tasks//", "runs/\0/progress", "%FF", "schedule"])
def test_an_unknown_path_is_a_problem(anna: ApiClient, path: str) -> None:
    response = anna.send("GET", path)

    assert response.status_code == 404


@pytest.mark.parametrize("id", ["x", "1", "%00", "0" * 1000, "{}", "01980000-0000-7000-8000-00000000000g"])
def test_an_id_that_is_none_is_not_found(anna: ApiClient, id: str) -> None:
    response = anna.send("GET", f"runs/{id}")

    assert response.status_code == 404
    assert response.json()["type"] == "urn:rowlock:problem:no-such-run"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "runs/", "GET, POST"),
        ("DELETE", "runs/", "GET, POST"),
        ("GET", "runs/batch", "POST"),
        ("GET", "runs/cancel", "POST"),
        ("POST", "tasks/", "GET"),
        ("PATCH", "runs/01980000-0000-7000-8000-000000000000", "GET"),
        ("PUT", "schedules/1", "DELETE, GET, PATCH"),
        ("BREW", "runs/", "GET, POST"),
    ],
)
def test_another_method_is_refused_by_name(anna: ApiClient, method: str, path: str, allowed: str) -> None:
    response = anna.send(method, path)

    assert (response.status_code, response.headers["Allow"]) == (405, allowed)
    assert response.json()["detail"] == f"/api/{path} takes {allowed}, not {method}."


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("state=failed", "/api/runs/ has no parameter 'state'; it can have q, cursor, limit."),
        ("limit=0", "limit input should be greater than or equal to 1"),
        ("limit=501", "limit input should be less than or equal to 500"),
        ("limit=many", "limit must be a whole number"),
        ("limit=" + "9" * 5000, "limit"),
        ("limit=1.5", "limit must be a whole number"),
        ("cursor=x", "cursor"),
        ("q=%00", "q must not contain a zero byte"),
        ("cursor=%00", "cursor must not contain a zero byte"),
        ("q=state:nonsense", "state:nonsense"),
        ("q=%22open", "never closed"),
        ("q=" + "x" * 3000, "3000 characters"),
        ("q=since:tomorrow", "since:tomorrow"),
        ("q=retries:%3E99999999999999999999", "retries"),
    ],
)
def test_a_parameter_that_cannot_be_used_is_refused(anna: ApiClient, query: str, reason: str) -> None:
    response = anna.send("GET", f"runs/?{query}")

    assert response.status_code == 422
    assert reason in response.json()["detail"]


def test_an_unforeseen_error_is_logged_and_tells_nothing(
    anna: ApiClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(submission: Submission) -> None:
        raise ZeroDivisionError("a secret")

    # Before the project's tasks are loaded, which sets up logging anew where this is the first test.
    monkeypatch.setattr(api_runs, "run_of", fail)
    anna.raise_request_exception = False

    response = anna.send("POST", "runs/", ADD)

    assert response.status_code == 500
    assert b"secret" not in response.content
    assert "a secret" in caplog.text


@pytest.mark.parametrize("error", [OperationalError("connection refused"), InterfaceError("connection already closed")])
def test_without_the_database_the_answer_is_to_try_again(
    anna: ApiClient, monkeypatch: pytest.MonkeyPatch, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(runs: list[Run]) -> None:
        raise error

    monkeypatch.setattr(accepting, "accept_many", fail)
    with caplog.at_level(logging.WARNING):
        response = anna.send("POST", "runs/", ADD)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert str(error) not in response.json()["detail"]


def test_without_the_database_the_login_says_to_try_again(anna: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(ApiToken.objects, "select_related", fail)

    assert anna.send("GET", "runs/").status_code == 503
    assert anna.send("GET", "docs").status_code == 503


def test_a_failure_is_rolled_back_with_atomic_requests(
    anna: ApiClient, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    from django.db import connection

    real = accepting.accept_many

    def fail(runs: list[Run]) -> None:
        real(runs)
        raise ZeroDivisionError

    monkeypatch.setattr(accepting, "accept_many", fail)
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    anna.raise_request_exception = False

    assert anna.send("POST", "runs/", ADD).status_code == 500
    assert not Run.objects.exists()


def test_the_home_of_the_api_leads_to_its_page(anna: ApiClient) -> None:
    response = anna.get("/api/")

    assert (response.status_code, response.headers["Location"]) == (302, "/api/docs")


def test_details_have_whole_sentences_for_names_with_slashes(anna: ApiClient) -> None:
    response = anna.send("POST", "runs/", json.dumps({**ADD, "a/b~c": 1}))

    assert "has no 'a/b~c'" in response.json()["detail"]


def test_a_run_whose_arguments_are_not_known_is_shown(operator: ApiClient, make_run: MakeRun) -> None:
    run = make_run(arguments="")

    assert operator.ask(f"runs/{run.id}")["task"] == run.task
