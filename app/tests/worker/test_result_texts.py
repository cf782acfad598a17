"""What clients of Celery read of a task that has succeeded is the same text, whoever makes it."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from celery import Celery, states
from celery.app.task import Context
from celery.result import AsyncResult

from rowlock.celery.plain_results import encoder_for
from rowlock.celery.results import stored

ID = "4c9b2c52-2f1d-4d38-9d1c-4e7a5d1f2a10"
VALUES: list[Any] = [
    None,
    True,
    0,
    -1.5e300,
    float("nan"),
    "",
    'quoted "text", ümläuts, \U0001f600, \x7f, \\ and\n',
    [1, [2, {"a": None}]],
    (1, 2),
    {"b": 1, "a": [True], 3: "key"},
    {"at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "day": date(2026, 1, 2), "id": UUID(ID)},
    Decimal("1.50"),
    b"bytes",
]


def app_with(**settings: Any) -> Celery:
    app = Celery("texts", backend="redis://127.0.0.1:1/0", set_as_current=False)
    app.conf.update(settings)
    return app


def without_date(text: str) -> str:
    return re.sub(r'"date_done": "[^"]+"', '"date_done": "-"', text)


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_the_text_is_celerys_own(value: Any) -> None:
    backend = app_with().backend
    encode = encoder_for(backend)
    assert encode is not None, "plain settings are not taken for plain"

    text = encode(ID, value, Context({"id": ID}))

    assert text is not None, f"{value!r} is not taken for plain"
    celerys = stored(backend, ID, value, states.SUCCESS, request=Context({"id": ID})).value
    assert without_date(text) == without_date(str(celerys))


@pytest.mark.parametrize("given", [{}, {"timezone": "Asia/Kathmandu"}, {"enable_utc": False}], ids=repr)
def test_the_date_is_written_as_celery_writes_it(given: dict[str, Any]) -> None:
    app = app_with(**given)
    encode = encoder_for(app.backend)
    assert encode is not None, "a time zone is not taken for plain"

    text = encode(ID, None, Context({"id": ID}))

    told = datetime.fromisoformat(json.loads(text or "{}")["date_done"])
    assert told.utcoffset() == app.now().utcoffset(), f"{told} is not in the time zone of {given}"
    assert abs(app.now() - told) < timedelta(hours=1), f"{told} is not now"


@pytest.mark.parametrize(
    "given",
    [{"result_extended": True}, {"result_compression": "gzip"}, {"result_serializer": "pickle"}],
    ids=repr,
)
def test_settings_that_ask_for_more_are_left_to_celery(given: dict[str, Any]) -> None:
    assert encoder_for(app_with(**given).backend) is None, f"{given} is taken for plain"


def test_results_that_have_relatives_are_left_to_celery() -> None:
    app = app_with()
    encode = encoder_for(app.backend)
    assert encode is not None, "plain settings are not taken for plain"
    of_a_group, of_a_parent, with_children = Context({"group": "g"}), Context({"parent_id": "p"}), Context({})
    with_children.children.append(AsyncResult(ID, app=app))

    for request in (of_a_group, of_a_parent, with_children):
        assert encode(ID, None, request) is None, f"{request} is taken for plain"


def test_what_json_cannot_take_is_left_to_celery() -> None:
    encode = encoder_for(app_with().backend)
    assert encode is not None, "plain settings are not taken for plain"

    for value in (object(), AsyncResult(ID, app=app_with()), SimpleNamespace()):
        assert encode(ID, value, Context({"id": ID})) is None, f"{value!r} is taken for plain"
