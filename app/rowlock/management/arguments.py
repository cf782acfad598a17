"""The types of command line arguments."""

import json
from argparse import ArgumentTypeError
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from rowlock.models.run import parse_id
from rowlock.runs.query import values

T = TypeVar("T")


def json_list(text: str) -> list[Any]:
    return _json(text, list, "a list, as in '[1, \"two\"]'")


def json_object(text: str) -> dict[str, Any]:
    return _json(text, dict, "an object, as in '{\"name\": 1}'")


def duration(text: str) -> timedelta:
    return _told(values.duration, text)


def moment(text: str) -> datetime:
    found = _told(values.moment, text)
    return found if isinstance(found, datetime) else values.start_of(found)


def duration_or_moment(text: str) -> timedelta | datetime:
    return duration(text) if text[-1:].isalpha() and text[-1:] != "Z" else moment(text)


def run_id(text: str) -> UUID:
    found = parse_id(text)
    if found is None:
        raise ArgumentTypeError(f"expected the whole id of a run (8-4-4-4-12 hexadecimal digits), not {text!r}")
    return found


def positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"expected a whole number, 1 or more, not {text!r}")
    return int(text)


def _json(text: str, expected: type[T], form: str) -> T:
    try:
        value = json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"this is not JSON ({error}); write {form}") from error
    if not isinstance(value, expected):
        raise ArgumentTypeError(f"this is JSON, but not what is needed: write {form}")
    return value


def _told(read: Callable[[str], T], text: str) -> T:
    try:
        return read(text)
    except ValueError as error:
        # argparse shows the message of this error only.
        raise ArgumentTypeError(str(error)) from error
