"""POST /start_task/"""

import json
from http import HTTPStatus
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from example.celery import app


def start(client: Client, body: object) -> tuple[int, dict[str, object]]:
    response = client.post("/start_task/", json.dumps(body), content_type="application/json")
    return response.status_code, response.json()


def published(queue: str) -> dict[str, object]:
    """The oldest message in `queue`: its task, arguments and id."""
    with app.connection_for_write() as connection, connection.SimpleQueue(app.amqp.queues[queue]) as messages:
        message = messages.get(timeout=5)
        args, kwargs, _ = message.payload
        return {"task": message.headers["task"], "id": message.headers["id"], "args": args, "kwargs": kwargs}


def test_without_a_body_two_and_three_are_added(client: Client, broker: Path) -> None:
    response = client.generic("POST", "/start_task/")

    assert response.status_code == 202, response.content
    assert published("celery") == {
        "task": "example.tasks.basic.add",
        "id": response.json()["task_id"],
        "args": [2, 3],
        "kwargs": {},
    }


def test_a_task_is_published_to_its_queue_with_its_arguments(client: Client, broker: Path) -> None:
    status, answer = start(client, {"task": "example.tasks.page.fetch", "kwargs": {"url": "https://a.example/"}})

    assert status == 202, answer
    assert published("page") == {
        "task": "example.tasks.page.fetch",
        "id": answer["task_id"],
        "args": [],
        "kwargs": {"url": "https://a.example/"},
    }


def test_an_unknown_task_is_answered_with_the_names_that_are_near(client: Client) -> None:
    status, answer = start(client, {"task": "example.tasks.basic.ad"})

    assert status == 404
    assert "Did you mean example.tasks.basic.add" in str(answer["detail"])


def test_the_last_part_of_a_name_is_enough_for_a_hint(client: Client) -> None:
    status, answer = start(client, {"task": "make_thumbnails"})

    assert status == 404
    assert "example.tasks.image.make_thumbnails" in str(answer["detail"])


def test_the_tasks_of_celery_itself_cannot_be_started(client: Client) -> None:
    status, answer = start(client, {"task": "celery.backend_cleanup"})

    assert status == 404
    assert "There is no task 'celery.backend_cleanup'" in str(answer["detail"])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"task": "example.tasks.basic.add", "args": [NaN, 1]}', "NaN is not a JSON number"),
        ("[]", "must be an object like"),
        ('{"args": []}', "must be an object like"),
        ('{"task": 1}', "must be an object like"),
        ('{"task": "example.tasks.basic.add", "args": {}}', "args must be a list"),
        ('{"task": "example.tasks.basic.add", "kwargs": []}', "kwargs an object"),
        ('{"task": "example.tasks.basic.add", "queue": "x"}', "not queue"),
    ],
)
def test_a_body_that_cannot_be_understood_is_refused_with_the_reason(client: Client, body: str, reason: str) -> None:
    response = client.post("/start_task/", body, content_type="application/json")

    assert response.status_code == 400
    assert response.headers["Content-Type"] == "application/problem+json"
    assert reason in response.json()["detail"]


def test_a_body_of_another_type_is_refused(client: Client) -> None:
    response = client.post("/start_task/", '{"task": "example.tasks.basic.add"}', content_type="text/plain")

    assert response.status_code == 415
    assert "application/json" in response.json()["detail"]


def test_a_body_over_the_limit_is_refused(client: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    status, answer = start(client, {"task": "example.tasks.basic.add", "args": ["x" * 200, 1]})

    assert (status, answer["title"]) == (413, HTTPStatus.REQUEST_ENTITY_TOO_LARGE.phrase), answer


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"args": [1]}, "missing 1 required positional argument: 'y'"),
        ({"args": [1, 2, 3]}, "takes 2 positional arguments"),
        ({"kwargs": {"x": 1, "y": 2, "z": 3}}, "unexpected keyword argument 'z'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_the_reason(
    client: Client, arguments: dict[str, object], reason: str
) -> None:
    status, answer = start(client, {"task": "example.tasks.basic.add", **arguments})

    assert status == 422
    assert reason in str(answer["detail"])


def test_the_task_itself_is_not_an_argument_of_a_bound_task(client: Client, broker: Path) -> None:
    status, answer = start(client, {"task": "example.tasks.basic.debug_task", "args": [1]})

    assert status == 422, answer


def test_without_a_broker_the_answer_is_to_try_again(client: Client, no_broker: None) -> None:
    response = client.generic("POST", "/start_task/")

    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert "the broker does not answer" in response.json()["detail"]


def test_other_methods_are_refused_by_name(client: Client) -> None:
    response = client.get("/start_task/")

    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert response.json()["detail"] == "/start_task/ takes POST, not GET."


def test_no_csrf_token_is_needed(broker: Path) -> None:
    response = Client(enforce_csrf_checks=True).generic("POST", "/start_task/")

    assert response.status_code == 202
