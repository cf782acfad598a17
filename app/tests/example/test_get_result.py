"""GET /get_result/<task_id>/: from the run, else from Celery's result backend."""

from typing import Any
from uuid import uuid4

import pytest
from celery.exceptions import TaskRevokedError
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from example.celery import app
from example.tasks.errors import BadInput
from rowlock.models import Run, State

pytestmark = pytest.mark.django_db


def stored(result: object, state: str, task_id: str = "") -> str:
    """The id of a task whose result only the result backend has."""
    task_id = task_id or str(uuid4())
    app.backend.store_result(task_id, result, state)
    return task_id


def run(state: State, **fields: Any) -> str:
    return str(Run.objects.create(task="example.tasks.basic.add", queue="celery", state=state, **fields).id)


def look(client: Client, task_id: str) -> dict[str, Any]:
    response = client.get(f"/get_result/{task_id}/")
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = response.json()
    assert answer.pop("task_id") == task_id
    return answer


@pytest.fixture
def no_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise OperationalError("the result backend is away")

    monkeypatch.setattr(type(app.backend), "get_task_meta", fail)


ERROR = {"error_type": "BadInput", "error_message": "x must be a number."}
PROGRESS = {"progress_done": 1, "progress_total": 3, "progress_message": "fold 1"}


@pytest.mark.parametrize(
    ("state", "fields", "status", "result"),
    [
        (State.QUEUED, {}, "PENDING", None),
        (State.PUBLISHED, {}, "PENDING", None),
        (State.STARTED, {}, "STARTED", None),
        (State.STARTED, PROGRESS, "PROGRESS", {"done": 1, "total": 3, "message": "fold 1"}),
        (State.STARTED, {"progress_done": 7}, "PROGRESS", {"done": 7, "total": None, "message": ""}),
        (State.RETRYING, {**ERROR, **PROGRESS}, "RETRY", "BadInput: x must be a number."),
        (State.SUCCEEDED, {"result": '{"a":[1,null]}', **PROGRESS}, "SUCCESS", {"a": [1, None]}),
        (State.SUCCEEDED, {"result": "null"}, "SUCCESS", None),
        (State.FAILED, ERROR, "FAILURE", "BadInput: x must be a number."),
        (State.FAILED, {"error_type": "KeyError"}, "FAILURE", "KeyError"),
        (State.CANCELLED, {}, "REVOKED", "TaskRevokedError: revoked"),
        (State.EXPIRED, {}, "REVOKED", "TaskRevokedError: expired"),
    ],
)
def test_every_state_of_a_run_has_its_name_in_celery(
    client: Client, state: State, fields: dict[str, Any], status: str, result: Any
) -> None:
    assert look(client, run(state, **fields)) == {"status": status, "result": result}


def test_a_run_is_shown_while_the_result_backend_is_down(client: Client, no_backend: None) -> None:
    assert look(client, run(State.SUCCEEDED, result="5")) == {"status": "SUCCESS", "result": 5}


def test_a_result_that_the_history_did_not_keep_is_read_from_the_backend(client: Client) -> None:
    task_id = stored(list(range(5)), "SUCCESS", run(State.SUCCEEDED, result_note="too large"))

    assert look(client, task_id) == {"status": "SUCCESS", "result": [0, 1, 2, 3, 4]}


def test_a_result_that_nobody_kept_says_why(client: Client) -> None:
    task_id = run(State.SUCCEEDED, result_note="The result is not JSON.")

    assert look(client, task_id) == {"status": "SUCCESS", "result": None, "result_note": "The result is not JSON."}


def test_a_result_that_cannot_be_read_from_the_backend_says_why_it_is_not_kept(
    client: Client, no_backend: None
) -> None:
    task_id = run(State.SUCCEEDED, result_note="too large")

    assert look(client, task_id) == {"status": "SUCCESS", "result": None, "result_note": "too large"}


def test_a_redacted_result_is_not_shown(client: Client, settings: Settings) -> None:
    settings.ROWLOCK = {**settings.ROWLOCK, "REDACT_RESULTS": ["*.add"]}
    task_id = stored("secret", "SUCCESS", run(State.SUCCEEDED, result='"secret"'))

    answer = look(client, task_id)

    assert (answer["status"], answer["result"]) == ("SUCCESS", None)
    assert "not shown" in answer["result_note"]


def test_the_error_of_a_redacted_task_is_its_type(client: Client, settings: Settings) -> None:
    settings.ROWLOCK = {**settings.ROWLOCK, "REDACT_RESULTS": ["*.add"]}

    assert look(client, run(State.FAILED, **ERROR)) == {"status": "FAILURE", "result": "BadInput"}


@pytest.mark.parametrize(
    ("result", "state", "shown"),
    [
        (5, "SUCCESS", 5),
        (None, "SUCCESS", None),
        ({"a": [1, {"b": True}]}, "SUCCESS", {"a": [1, {"b": True}]}),
        (float("inf"), "SUCCESS", "inf"),
        (BadInput("x must be a number."), "FAILURE", "BadInput: x must be a number."),
        (KeyError(), "FAILURE", "KeyError"),
        ({"done": 1, "total": 3, "message": "fold 1"}, "PROGRESS", {"done": 1, "total": 3, "message": "fold 1"}),
        ({"pid": 7, "hostname": "default@secret-pod"}, "STARTED", None),
        (ConnectionRefusedError("the mail server is away"), "RETRY", "ConnectionRefusedError: the mail server is away"),
        (TaskRevokedError("revoked"), "REVOKED", "TaskRevokedError: revoked"),
    ],
)
def test_every_state_of_a_task_without_a_run_is_shown_as_json(
    client: Client, result: object, state: str, shown: Any
) -> None:
    task_id = stored(result, state)

    response = client.get(f"/get_result/{task_id}/")

    assert response.status_code == 200, response.content
    assert response.json() == {"task_id": task_id, "status": state, "result": shown}


def test_the_exception_of_another_program_is_shown_by_name(client: Client) -> None:
    error = type("OutOfTea", (Exception,), {"__module__": "kitchen"})("no leaves")
    task_id = stored(error, "FAILURE")

    answer = client.get(f"/get_result/{task_id}/").json()

    assert answer["result"] == "OutOfTea: no leaves"


def test_a_task_that_nobody_heard_of_is_pending(client: Client) -> None:
    task_id = str(uuid4())

    answer = client.get(f"/get_result/{task_id}/").json()

    assert answer == {"task_id": task_id, "status": "PENDING", "result": None}


def test_answers_are_not_cached(client: Client) -> None:
    response = client.get(f"/get_result/{uuid4()}/")

    assert "no-store" in response.headers["Cache-Control"]


@pytest.mark.parametrize("task_id", ["7", "{00000000-0000-0000-0000-000000000000}", "0" * 32, "x" * 500])
def test_what_is_not_a_uuid_is_refused(client: Client, task_id: str) -> None:
    response = client.get(f"/get_result/{task_id}/")

    assert response.status_code == 400
    assert "which is a UUID" in response.json()["detail"]


def test_without_a_result_backend_the_answer_on_an_unknown_task_is_to_try_again(
    client: Client, no_backend: None
) -> None:
    response = client.get(f"/get_result/{uuid4()}/")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "the result backend does not answer" in response.json()["detail"]


def test_without_a_database_the_answer_is_to_try_again(client: Client, no_database: None) -> None:
    response = client.get(f"/get_result/{uuid4()}/")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "the database does not answer" in response.json()["detail"]
