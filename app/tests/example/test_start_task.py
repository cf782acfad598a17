"""POST /start_task/"""

import json
from http import HTTPStatus
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from kombu.exceptions import OperationalError
from pytest_django import Settings

from example.celery import app
from rowlock.models import Run, State
from rowlock.outbox.relay import relay_once

pytestmark = pytest.mark.django_db(transaction=True)

ADD = {"task": "example.tasks.basic.add", "args": [2, 3]}


def start(client: Client, body: object, **headers: str) -> tuple[int, dict[str, object]]:
    response = client.post("/start_task/", json.dumps(body), content_type="application/json", headers=headers)
    return response.status_code, response.json()


def published(queue: str) -> dict[str, object]:
    """The oldest message in `queue` after what was accepted is published: its task, arguments and id."""
    relay_once()
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
        ({"args": [1]}, "missing a required argument: 'y'"),
        ({"args": [1, 2, 3]}, "too many positional arguments"),
        ({"kwargs": {"x": 1, "y": 2, "z": 3}}, "unexpected keyword argument 'z'"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_with_the_reason(
    client: Client, arguments: dict[str, object], reason: str
) -> None:
    status, answer = start(client, {"task": "example.tasks.basic.add", **arguments})

    assert status == 422
    assert reason in str(answer["detail"])


def test_the_task_itself_is_not_an_argument_of_a_bound_task(client: Client) -> None:
    status, answer = start(client, {"task": "example.tasks.basic.debug_task", "args": [1]})

    assert status == 422, answer


def test_without_a_broker_a_task_is_accepted(client: Client, no_broker: None) -> None:
    status, answer = start(client, ADD)

    with pytest.raises((OperationalError, OSError)):
        relay_once()

    assert status == 202, answer
    assert Run.objects.get(id=str(answer["task_id"])).state == State.QUEUED


def test_what_was_accepted_without_a_broker_is_published_when_it_is_back(
    client: Client, no_broker: None, request: pytest.FixtureRequest
) -> None:
    _, answer = start(client, ADD)
    with pytest.raises((OperationalError, OSError)):
        relay_once()

    request.getfixturevalue("broker")

    assert published("celery")["id"] == answer["task_id"]
    assert Run.objects.get(id=str(answer["task_id"])).state == State.PUBLISHED


def test_without_a_database_the_answer_is_to_try_again(client: Client, no_database: None) -> None:
    response = client.generic("POST", "/start_task/")

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "the database does not answer" in response.json()["detail"]


def test_the_owner_is_who_is_logged_in(client: Client) -> None:
    client.force_login(User.objects.create_user("ann"))

    _, answer = start(client, ADD)

    assert Run.objects.get(id=str(answer["task_id"])).owner == "ann"


def test_a_task_of_somebody_unknown_has_no_owner(client: Client) -> None:
    _, answer = start(client, ADD)

    assert Run.objects.get(id=str(answer["task_id"])).owner == ""


def test_the_same_idempotency_key_gives_the_same_task(client: Client) -> None:
    first, second = (start(client, ADD, **{"Idempotency-Key": "order-7"}) for _ in range(2))

    assert (first[0], second[0]) == (202, 200)
    assert second[1] == first[1]
    assert Run.objects.count() == 1


def test_the_same_idempotency_key_for_other_arguments_is_a_conflict(client: Client) -> None:
    start(client, ADD, **{"Idempotency-Key": "order-7"})

    status, answer = start(client, {**ADD, "args": [2, 4]}, **{"Idempotency-Key": "order-7"})

    assert status == 409, answer
    assert "'order-7'" in str(answer["detail"])


def test_an_idempotency_key_that_is_too_long_is_refused(client: Client) -> None:
    status, answer = start(client, ADD, **{"Idempotency-Key": "x" * 201})

    assert status == 422, answer
    assert "at most 200 characters" in str(answer["detail"])


def test_arguments_over_the_limit_are_refused(client: Client, settings: Settings) -> None:
    settings.ROWLOCK = {**settings.ROWLOCK, "PAYLOAD_LIMIT": 100}

    status, answer = start(client, {**ADD, "args": ["x" * 100, 3]})

    assert status == 422, answer
    assert "100 are the most" in str(answer["detail"])


def test_other_methods_are_refused_by_name(client: Client) -> None:
    response = client.get("/start_task/")

    assert (response.status_code, response.headers["Allow"]) == (405, "POST")
    assert response.json()["detail"] == "/start_task/ takes POST, not GET."


def test_no_csrf_token_is_needed() -> None:
    response = Client(enforce_csrf_checks=True).generic("POST", "/start_task/")

    assert response.status_code == 202
