"""The inputs of a form by which a task is run, from its signature, and the arguments that they spell.

Arguments are JSON: what has no JSON of its own (dates, UUIDs, members of enumerations) is given as its text or value.
"""

import inspect
import json
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

from celery import Task
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime, parse_time

from rowlock.runs import strict_json
from rowlock.runs.arguments import signature_of

#: What the names of inputs begin with, apart from those of the options.
PREFIX = "arg-"

Kind = Literal["int", "float", "bool", "text", "date", "datetime", "time", "select", "json"]

_OF_TYPES: dict[Any, Kind] = {
    bool: "bool",
    int: "int",
    float: "float",
    str: "text",
    datetime: "datetime",
    date: "date",
    time: "time",
    Decimal: "text",
    UUID: "text",
}
_EMPTY = inspect.Parameter.empty


@dataclass(frozen=True, kw_only=True)
class Input:
    """One parameter of a task as an input of a form.

    `default` is the text that the input shows first, `hint` what its annotation says. `choices` of a select are pairs
    of JSON and a label.
    """

    name: str
    kind: Kind
    required: bool
    default: str
    hint: str
    choices: tuple[tuple[str, str], ...]
    parameter: inspect.Parameter

    @property
    def field(self) -> str:
        """The name of the input."""
        return PREFIX + self.name

    @property
    def has_default(self) -> bool:
        return self.parameter.default is not _EMPTY


class InputError(ValueError):
    """Inputs that spell no arguments: what is wrong, by the name of the input."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__("; ".join(fields.values()))
        self.fields = dict(fields)


def inputs_of(task: Task) -> tuple[Input, ...] | None:
    """An input for each parameter of `task`; None where it takes anything, so that only JSON can say what."""
    parameters = tuple(signature_of(task).parameters.values())
    if parameters and all(_is_variable(parameter) for parameter in parameters):
        return None
    hints = _hints(task)
    return tuple(_input(parameter, hints.get(parameter.name, parameter.annotation)) for parameter in parameters)


def arguments(inputs: tuple[Input, ...], given: Mapping[str, str]) -> tuple[list[Any], dict[str, Any]]:
    """The args and kwargs that the texts in `given` spell, without those left to their defaults; raises InputError."""
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for one in inputs:
        try:
            found = _value(one, given.get(one.field))
        except ValueError as error:
            wrong[one.field] = str(error)
        else:
            if found is not _EMPTY:
                values[one.name] = found
    if wrong:
        raise InputError(wrong)
    return _placed(inputs, values)


def json_arguments(args: str, kwargs: str) -> tuple[list[Any], dict[str, Any]]:
    """The args and kwargs of the raw form, where empty texts are none; raises InputError."""
    wrong: dict[str, str] = {}
    found: list[Any] = []
    for field, text, kind, what in (
        ("args", args, list, 'a list, as in [1, "two"]'),
        ("kwargs", kwargs, dict, 'an object, as in {"name": 1}'),
    ):
        try:
            found.append(_json(text, kind, what) if text.strip() else kind())
        except ValueError as error:
            wrong[field] = str(error)
    if wrong:
        raise InputError(wrong)
    return found[0], found[1]


def _hints(task: Task) -> dict[str, Any]:
    try:
        return get_type_hints(inspect.unwrap(task.run))
    except Exception:  # an annotation may name what is only there for type checkers, or be any expression
        return {}


def _is_variable(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def _input(parameter: inspect.Parameter, annotation: Any) -> Input:
    kind, choices = ("json", ()) if _is_variable(parameter) else _kind(annotation, parameter.default)
    required = parameter.default is _EMPTY and not _is_variable(parameter)
    if choices and not required:
        choices = _with_default(choices, parameter.default)
    return Input(
        name=parameter.name,
        kind=kind,
        required=required,
        default=_default(kind, parameter),
        hint=_hint(parameter),
        choices=choices,
        parameter=parameter,
    )


def _hint(parameter: inspect.Parameter) -> str:
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return "any number of further values, as a list"
    if parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return "any further names, as an object"
    if parameter.annotation is _EMPTY:
        return ""
    return inspect.formatannotation(parameter.annotation).strip("'\"")


def _kind(annotation: Any, default: Any) -> tuple[Kind, tuple[tuple[str, str], ...]]:
    found = _plain(annotation)
    if found is _EMPTY or isinstance(found, str):
        # What is not annotated, or in a way that cannot be read, says by its default what it is.
        return (_OF_TYPES.get(type(default), "json"), ())
    if get_origin(found) is Literal:
        return _select([(value, str(value)) for value in get_args(found)])
    if isinstance(found, type) and issubclass(found, Enum):
        return _select([(member.value, member.name) for member in found])
    return _OF_TYPES.get(found, "json"), ()


def _plain(annotation: Any) -> Any:
    """`annotation` without what makes it optional, and without metadata."""
    if get_origin(annotation) is Annotated:
        return _plain(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        members = [_plain(member) for member in get_args(annotation) if member is not type(None)]
        if len(members) == 1:
            return members[0]
        if set(members) == {int, float}:
            return float
        return object
    return annotation


def _select(members: list[tuple[Any, str]]) -> tuple[Kind, tuple[tuple[str, str], ...]]:
    try:
        return "select", tuple((json.dumps(value, ensure_ascii=False), label) for value, label in members)
    except TypeError:
        return "json", ()


def _with_default(choices: tuple[tuple[str, str], ...], default: Any) -> tuple[tuple[str, str], ...]:
    value = default.value if isinstance(default, Enum) else default
    if any(choice == json.dumps(value, ensure_ascii=False, default=str) for choice, _ in choices):
        return choices
    return (("", f"default ({default!r})"), *choices)


def _default(kind: Kind, parameter: inspect.Parameter) -> str:
    value = parameter.default
    if value is _EMPTY or value is None:
        return ""
    if isinstance(value, Enum):
        value = value.value
    if kind == "datetime" and isinstance(value, datetime):
        return (timezone.localtime(value) if value.tzinfo else value).strftime("%Y-%m-%dT%H:%M:%S")
    if kind in ("date", "time"):
        return str(value)
    if kind == "text":
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False, indent=2 if kind == "json" and value else None)
    except (TypeError, ValueError):
        # The task itself knows it.
        return ""


def _value(one: Input, text: str | None) -> Any:
    """The argument that `text` spells; the empty marker where it is left to the default. Raises ValueError."""
    if one.kind == "bool":
        return _chosen(one, text)
    if text is None or (one.has_default and text.strip() == one.default.strip()):
        return _missing(one)
    if not text.strip():
        # A text may be cleared; all else that is cleared is left to its default.
        return "" if one.kind == "text" and one.default else _missing(one)
    return text if one.kind == "text" else _READERS[one.kind](text.strip(), one)


def _missing(one: Input) -> Any:
    if one.required:
        raise ValueError(f"Give {_WANTED[one.kind]}; the task has no default for it.")
    return _EMPTY


_WANTED: dict[str, str] = {
    "int": "a whole number",
    "float": "a number",
    "text": "a text",
    "date": "a date",
    "datetime": "a date and time",
    "time": "a time",
    "select": "one of the choices",
    "json": "a JSON value",
}


def _chosen(one: Input, text: str | None) -> Any:
    # A checkbox that is not checked sends nothing.
    value = text is not None
    return _EMPTY if one.has_default and value is bool(one.parameter.default) else value


def _int(text: str, one: Input) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("This must be a whole number, as in 42.") from None


def _float(text: str, one: Input) -> float:
    try:
        value = strict_json.read(text.encode())
    except ValueError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("This must be a number, as in 2.5.")  # noqa: TRY004 - the text is wrong, not a type
    return value


def _date(text: str, one: Input) -> str:
    return _iso(text, parse_date, "a date, as in 2026-12-01")


def _time(text: str, one: Input) -> str:
    return _iso(text, parse_time, "a time, as in 14:30")


def _datetime(text: str, one: Input) -> str:
    return moment_of(text).isoformat()


def moment_of(text: str) -> datetime:
    """The moment that a date and time says, in this server's zone unless it names another; raises ValueError."""
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise ValueError("This must be a date and time, as in 2026-12-01T14:30.")
    return found if found.tzinfo else timezone.make_aware(found)


def _iso(text: str, read: Callable[[str], Any], what: str) -> str:
    try:
        found = read(text)
    except ValueError:
        found = None
    if found is None:
        raise ValueError(f"This must be {what}.")
    return str(found.isoformat())


def _choice(text: str, one: Input) -> Any:
    if text not in {value for value, _ in one.choices}:
        raise ValueError(f"This must be one of {', '.join(label for value, label in one.choices if value)}.")
    return json.loads(text)


def _any_json(text: str, one: Input) -> Any:
    if one.parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        return _json(text, list, "a list, as in [1, 2]")
    if one.parameter.kind is inspect.Parameter.VAR_KEYWORD:
        return _json(text, dict, 'an object, as in {"name": 1}')
    return _json(text, object, "a value")


def _json(text: str, kind: type, what: str) -> Any:
    try:
        value = strict_json.read(text.encode())
    except ValueError as error:
        hint = "" if text.lstrip()[:1] in '[{"' else ' A text stands in quotes: "like this".'
        raise ValueError(f"This is not JSON: {error}.{hint}") from None
    if not isinstance(value, kind):
        raise ValueError(f"This must be {what}.")  # noqa: TRY004 - as above
    return value


_READERS: dict[str, Callable[[str, Input], Any]] = {
    "int": _int,
    "float": _float,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "select": _choice,
    "json": _any_json,
}


def _placed(inputs: tuple[Input, ...], values: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    further = next((one for one in inputs if one.parameter.kind is inspect.Parameter.VAR_POSITIONAL), None)
    rest = values.pop(further.name, []) if further is not None else []
    args: list[Any] = []
    kwargs: dict[str, Any] = {}
    gap = ""
    for one in inputs:
        kind = one.parameter.kind
        is_positional = kind is inspect.Parameter.POSITIONAL_ONLY or (
            rest and kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
        )
        if is_positional and one.name not in values:
            gap = gap or one.field
        elif is_positional and gap:
            raise InputError({gap: "Give this too: values that come after it are given by their place."})
        elif is_positional:
            args.append(values[one.name])
        elif kind is inspect.Parameter.VAR_KEYWORD:
            kwargs.update(values.get(one.name, {}))
        elif one.name in values:
            kwargs[one.name] = values[one.name]
    if rest and gap:
        raise InputError({gap: "Give this too: further values come after it."})
    return [*args, *rest], kwargs
