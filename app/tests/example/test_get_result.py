"""GET /get_result/<task_id>/"""

from typing import Any
from uuid import uuid4

import pytest
from celery.exceptions import TaskRevokedError
from django.db import OperationalError
from django.test import Client

from example.celery import app
from example.tasks.errors import BadInput

pytestmark = pytest.mark.django_db


def stored(result: object, state: str) -> str:
    """The id of a task that has this result."""
    task_id = str(uuid4())
    app.backend.store_result(task_id, result, state)
    return task_id


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
def test_every_state_is_shown_as_json(client: Client, result: object, state: str, shown: Any) -> None:
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


def test_without_a_result_backend_the_answer_is_to_try_again(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object) -> None:
        raise OperationalError("the database is away")

    monkeypatch.setattr(type(app.backend), "get_task_meta", fail)

    response = client.get(f"/get_result/{uuid4()}/")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
