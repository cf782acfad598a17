"""A hundred wrong ways to submit: each is refused with its own reason, and leaves no run."""

import json
from typing import Any

import pytest
from pytest_django import Settings

from rowlock.models import Run
from tests.api.conftest import ApiClient

ADD = '"task":"example.tasks.basic.add"'
A_RUN = "01980000-0000-7000-8000-000000000000"


def add(**fields: Any) -> str:
    """A body that would be accepted without `fields`."""
    return json.dumps({"task": "example.tasks.basic.add", "args": [2, 3], **fields})


NOT_JSON = [
    # body, what the answer says
    ("{", "Expecting property name"),
    ("}", "Expecting value: line 1 column 1"),
    ('{"task"', "Expecting ':'"),
    ('{"task":', "Expecting value: line 1 column 9"),
    (f"{{{ADD},}}", "The body is not JSON"),
    (f"{{{ADD} {ADD}}}", "Expecting ',' delimiter"),
    (f"{{{ADD}}} {{}}", "Extra data"),
    ("{'task': 'a'}", "double quotes: line 1 column 2"),
    ('{"task": add}', "Expecting value: line 1 column 10"),
    ('{"task": "a', "Unterminated string"),
    ('{"task": "a\nb"}', "Invalid control character"),
    ('{"task": "\\x"}', "Invalid \\escape"),
    ('{"task": "\\u12"}', "Invalid \\uXXXX escape"),
    ("task=example.tasks.basic.add", "Expecting value"),
    ("<task/>", "Expecting value"),
    (" ", "Expecting value: line 1 column 2"),
    ("\ufeff{}", "Unexpected UTF-8 BOM"),
    (b"\xff\xfe{\x00}\x00", "byte 0 is not UTF-8"),
    (b'{"task": "\xe4"}', "byte 10 is not UTF-8"),
    (b'{"task": "\xed\xa0\x80"}', "is not UTF-8"),
    (b"\x1f\x8b\x08\x00", "byte 1 is not UTF-8"),
    (b"\x00", "Expecting value"),
    (f'{{{ADD},"args":[NaN,1]}}', "NaN is not a JSON number"),
    (f'{{{ADD},"args":[Infinity,1]}}', "Infinity is not a JSON number"),
    (f'{{{ADD},"args":[-Infinity,1]}}', "-Infinity is not a JSON number"),
    (f'{{{ADD},"args":[1e999,1]}}', "1e999 is too large a number"),
    (f'{{{ADD},"args":[{"9" * 5000},1]}}', "a number has 5000 digits"),
    (f'{{{ADD},"args":[01,1]}}', "Expecting ',' delimiter"),
    (f'{{{ADD},"args":[0x1,1]}}', "Expecting ',' delimiter"),
    (f'{{{ADD},"args":["\\ud800",1]}}', "half of a surrogate pair"),
    (f'{{{ADD},"kwargs":{{"\\udfff":1}}}}', "half of a surrogate pair"),
    (f'{{{ADD},"key":"\\uDC00"}}', "half of a surrogate pair"),
    (f'{{{ADD},"args":{"[" * 101}{"]" * 101}}}', "nested more than 100 deep"),
    (f'{{{ADD},"args":{"[" * 200_000}', "nested more than 100 deep"),
    ('{"a":' * 200_000, "nested more than 100 deep"),
    (f'{{{ADD},"task":"example.tasks.basic.wait"}}', "an object has the name 'task' twice"),
    (f'{{{ADD},"kwargs":{{"x":1,"y":2,"x":3}}}}', "an object has the name 'x' twice"),
]

INVALID = [
    ("", "the body is missing"),
    ("null", "the body must be an object"),
    ("true", "the body must be an object"),
    ("1", "the body must be an object"),
    ('"example.tasks.basic.add"', "the body must be an object"),
    ("[]", "the body must be an object"),
    (f"[{{{ADD}}}]", "the body must be an object"),
    ("{}", "task is missing"),
    ('{"args":[2,3]}', "task is missing"),
    ('{"tsak":"example.tasks.basic.add"}', "has no 'tsak'; did you mean 'task'?"),
    (add(name="x"), "has no 'name'; it can have task, args"),
    (add(owner="ben"), "has no 'owner'"),
    (add(id=A_RUN), "has no 'id'"),
    (add(state="succeeded"), "has no 'state'"),
    (add(ETA="2080-01-01T00:00:00Z"), "has no 'ETA'"),
    (add(**{"": 1}), "has no ''"),
    (add(**{"{0}": 1}), "has no '{0}'"),
    (add(task=None), "task must be a string"),
    (add(task=1), "task must be a string"),
    (add(task=["example.tasks.basic.add"]), "task must be a string"),
    (add(args=None), "args must be a list"),
    (add(args={}), "args must be a list"),
    (add(args="23"), "args must be a list"),
    (add(kwargs=None), "kwargs must be an object"),
    (add(kwargs=[]), "kwargs must be an object"),
    (add(kwargs=[["x", 1]]), "kwargs must be an object"),
    (add(key=1), "key must be a string"),
    (add(key=["a"]), "key must be a string"),
    (add(queue=1), "queue must be a string"),
    (add(countdown="5"), "countdown must be a number of seconds"),
    (add(countdown=True), "countdown must be a number of seconds"),
    (add(countdown=[1]), "countdown must be a number of seconds"),
    (add(countdown=10**400), "countdown is too large a number"),
    (add(eta=1), 'eta must be a time like "2026-12-01T10:00:00Z"'),
    (add(eta="tomorrow"), "eta must be a time like"),
    (add(eta="2080-01-01"), "eta needs a time zone"),
    (add(eta="2080-02-30T00:00:00Z"), "eta must be a time like"),
    (add(eta="2080-01-01T25:00:00Z"), "eta must be a time like"),
    (add(eta="2080-01-01T00:00:00"), "eta needs a time zone"),
    (add(eta="0001-01-01T00:00:00+10:00"), "eta is a time that the calendar does not have"),
    (add(eta="9999-12-31T23:59:59-10:00"), "eta is a time that the calendar does not have"),
    (add(expires=[]), "expires must be a number of seconds, or a time"),
    (add(expires=False), "expires must be a number of seconds, or a time"),
    (add(expires=10**400), "expires is too large a number"),
    (add(expires="soon"), "expires must be a time like"),
    (add(expires="2080-01-01T00:00:00"), "expires needs a time zone"),
    (add(priority="5"), "priority must be a whole number"),
    (add(priority=1.5), "priority must be a whole number"),
    (add(priority=True), "priority must be a whole number"),
    (add(parent=1), "parent must be the id of a run"),
    (add(parent="x"), "parent must be the id of a run"),
    (add(parent=A_RUN), f"parent: there is no run {A_RUN}"),
    # What only the registry of tasks and the options' meaning tell.
    (add(task=""), "There is no task ''"),
    (add(task="add"), "Did you mean example.tasks.basic.add"),
    (add(task="example.tasks.basic.ad"), "Did you mean example.tasks.basic.add"),
    (add(task="example.tasks.basic.add\0"), "There is no task 'example.tasks.basic.add\\x00'"),
    (add(task="celery.backend_cleanup"), "There is no task 'celery.backend_cleanup'"),
    (add(task="x" * 10_000), f"There is no task '{'x' * 200}'"),
    (add(args=[]), "missing a required argument: 'x'"),
    (add(args=[1]), "missing a required argument: 'y'"),
    (add(args=[1, 2, 3]), "too many positional arguments"),
    (add(kwargs={"x": 1}), "multiple values for argument 'x'"),
    (add(kwargs={"z": 1}), "unexpected keyword argument 'z'"),
    (add(task="example.tasks.basic.debug_task", args=["self"]), "too many positional arguments"),
    (add(args=["x" * 300_000, 1]), "262,144 are the most"),
    (add(key=""), "key must not be empty"),
    (add(key="k" * 201), "key must be text of at most 200 characters"),
    (add(key="a\0b"), "key must be text"),
    (add(queue=""), "There is no queue ''"),
    (add(queue="emial"), "Did you mean 'email'?"),
    (add(queue="e\0"), "There is no queue 'e\\x00'"),
    (add(queue="q" * 300), "There is no queue"),
    (add(countdown=-1), "countdown must be a number of seconds, 0 or more"),
    (add(countdown=1e12), "countdown is more than a hundred years"),
    (add(countdown=1, eta="2080-01-01T00:00:00Z"), "either countdown or eta, not both"),
    (add(eta="2999-01-01T00:00:00Z"), "eta is more than a hundred years ahead"),
    (add(expires=-5), "expires must be a number of seconds, 0 or more"),
    (add(expires=0), "must be after the time at which the task is due"),
    (add(expires=1e300), "expires is more than a hundred years"),
    (add(expires="2001-01-01T00:00:00Z"), "must be after the time at which the task is due"),
    (add(expires=10, countdown=20), "must be after the time at which the task is due"),
    (add(priority=-1), "priority must be a whole number from 0 to 255, not -1"),
    (add(priority=256), "priority must be a whole number from 0 to 255, not 256"),
    (add(priority=10**30), "priority must be"),
]

IN_A_BATCH = [
    ("{}", "runs is missing"),
    ("[]", "the body must be an object"),
    ('{"runs":{}}', "runs must be a list"),
    ('{"runs":null}', "runs must be a list"),
    ('{"runs":[]}', "runs list should have at least 1 item"),
    ('{"runs":[null]}', "runs/0 must be an object"),
    (f'{{"runs":[{{{ADD},"args":[2,3]}}, 7]}}', "runs/1 must be an object"),
    (f'{{"runs":[{{{ADD},"args":[2,3]}}, {{}}]}}', "runs/1/task is missing"),
    (f'{{"runs":[{{{ADD},"args":[2,3]}}, {{{ADD},"args":7}}]}}', "runs/1/args must be a list"),
    (f'{{"runs":[{{{ADD},"args":[2,3]}}, {{{ADD},"arg":[]}}]}}', "runs/1 has no 'arg'; did you mean 'args'?"),
    (f'{{"runs":[{{{ADD},"args":[2,3]}}, {{"task":"nope"}}]}}', "runs/1: There is no task 'nope'"),
    (f'{{"runs":[{{{ADD},"args":[2,3]}}, {{{ADD},"args":[2]}}]}}', "runs/1: "),
    (f'{{"runs":[{{{ADD},"args":[2,3]}}, {{{ADD},"queue":"nope"}}]}}', "runs/1: There is no queue 'nope'"),
    (f'{{"runs":[{{{ADD},"args":[2,3]}}, {{{ADD},"parent":"{A_RUN}"}}]}}', "runs/1: parent: there is no run"),
    (f'{{"runs":[{{{ADD},"args":[2,3],"key":"k"}}, {{{ADD},"args":[3,4],"key":"k"}}]}}', "runs/1: The key 'k'"),
    (f'{{"runs":[{",".join(["{}"] * 50)}]}}', "and 30 more mistakes."),
]


def _short(value: str | bytes) -> str:
    return ascii(value)[:60]


def test_there_are_a_hundred_of_them() -> None:
    assert len(NOT_JSON) + len(INVALID) + len(IN_A_BATCH) >= 100


@pytest.mark.parametrize(("body", "reason"), NOT_JSON, ids=_short)
def test_what_is_not_json_is_refused(anna: ApiClient, body: str | bytes, reason: str) -> None:
    response = anna.send("POST", "runs/", body)

    assert response.status_code == 400, response.content
    assert reason in response.json()["detail"]
    assert not Run.objects.exists()


@pytest.mark.parametrize(("body", "reason"), INVALID, ids=_short)
def test_what_is_no_submission_is_refused(anna: ApiClient, body: str, reason: str) -> None:
    response = anna.send("POST", "runs/", body)

    assert response.status_code == 422, response.content
    assert reason in response.json()["detail"]
    assert not Run.objects.exists()


@pytest.mark.parametrize(("body", "reason"), IN_A_BATCH, ids=_short)
def test_a_batch_with_a_mistake_is_refused(anna: ApiClient, body: str, reason: str) -> None:
    response = anna.send("POST", "runs/batch", body)

    assert response.status_code in (409, 422), response.content
    assert reason in response.json()["detail"]
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json", ""],
)
def test_a_body_of_another_type_is_refused(anna: ApiClient, content_type: str) -> None:
    response = anna.send("POST", "runs/", add(), content_type=content_type)

    assert response.status_code == 415
    assert "application/json" in response.json()["detail"]
    assert not Run.objects.exists()


def test_a_body_over_the_limit_of_the_server_is_refused(anna: ApiClient, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100

    response = anna.send("POST", "runs/", add(args=["x" * 200, 1]))

    assert response.status_code == 413
    assert "send less at once" in response.json()["detail"]


def test_a_parameter_in_the_url_is_refused(anna: ApiClient) -> None:
    response = anna.send("POST", "runs/?key=a", add())

    assert response.status_code == 422
    assert "has no parameter 'key'" in response.json()["detail"]
    assert not Run.objects.exists()


def test_mistakes_are_told_all_at_once_with_their_places(anna: ApiClient) -> None:
    response = anna.send("POST", "runs/", add(args=1, priority="high"))

    assert response.json()["errors"] == [
        {"pointer": "#/args", "detail": "must be a list"},
        {"pointer": "#/priority", "detail": "must be a whole number"},
    ]
    assert response.json()["detail"] == "args must be a list; priority must be a whole number."
