"""Types of fields in bodies: strict, and safe to give to the database."""

from collections.abc import Mapping
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Annotated, Any
from uuid import UUID

from django.utils.dateparse import parse_datetime
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from rowlock.models.run import parse_id


class Body(BaseModel):
    """An object in a request. Strict: numbers are not strings, and a name that is not known is a mistake."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _refuse_unknown_names(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise PydanticCustomError("model_type", "must be an object")
        unknown = [name for name in data if name not in cls.model_fields]
        if unknown:
            near = get_close_matches(unknown[0], cls.model_fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it can have {', '.join(cls.model_fields)}"
            raise PydanticCustomError("unknown_name", "{problem}", {"problem": f"has no {unknown[0][:100]!r}; {hint}"})
        return data


def _mistake(text: str) -> PydanticCustomError:
    return PydanticCustomError("value", "{problem}", {"problem": text})


def storable(text: str) -> str:
    """`text`, which Postgres takes."""
    if "\0" in text:
        raise _mistake("must not contain a zero byte")
    return text


def _time(value: Any) -> datetime:
    try:
        found = parse_datetime(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    if found is None:
        raise _mistake('must be a time like "2026-12-01T10:00:00Z"')
    if found.tzinfo is None:
        raise _mistake('needs a time zone, as in "2026-12-01T10:00:00Z" or "2026-12-01T10:00:00+01:00"')
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise _mistake("is a time that the calendar does not have") from None


def _seconds(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mistake("must be a number of seconds")
    try:
        return float(value)
    except OverflowError:
        raise _mistake("is too large a number") from None


def _time_or_seconds(value: Any) -> datetime | float:
    if isinstance(value, str):
        return _time(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _mistake('must be a number of seconds, or a time like "2026-12-01T10:00:00Z"')
    return _seconds(value)


def _run_id(value: Any) -> UUID:
    found = parse_id(value)
    if found is None:
        raise _mistake("must be the id of a run, which is a UUID")
    return found


Text = Annotated[str, AfterValidator(storable)]
Seconds = Annotated[float, BeforeValidator(_seconds)]
Time = Annotated[datetime, BeforeValidator(_time)]
TimeOrSeconds = Annotated[
    datetime | float,
    BeforeValidator(_time_or_seconds),
    WithJsonSchema({"anyOf": [{"type": "number"}, {"type": "string", "format": "date-time"}]}),
]
RunId = Annotated[UUID, BeforeValidator(_run_id), WithJsonSchema({"type": "string", "format": "uuid"})]
#: In answers.
Moment = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
Name = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(storable)]
