"""The form of a task, and the arguments that it spells."""

from collections.abc import Callable
from datetime import date, datetime
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from celery import Task

from rowlock.console.task_inputs import PREFIX, InputError, arguments, inputs_of, json_arguments


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


def task_of(function: Callable[..., Any]) -> Task:
    task = type("Anonymous", (Task,), {"name": "anonymous", "run": staticmethod(function)})()
    assert isinstance(task, Task)
    return task


def spelled(function: Callable[..., Any], **texts: str) -> tuple[list[Any], dict[str, Any]]:
    inputs = inputs_of(task_of(function))
    assert inputs is not None
    return arguments(inputs, {PREFIX + name: text for name, text in texts.items()})


def kinds(function: Callable[..., Any]) -> dict[str, str]:
    return {one.name: one.kind for one in inputs_of(task_of(function)) or ()}


def typed(  # noqa: PLR0917
    a: int,
    b: float,
    c: bool,
    d: str,
    e: date,
    f: datetime,
    g: Literal["x", 2],
    h: Colour,
    i: list[int],
    j: dict[str, Any],
    k: int | None,
    l: Annotated[int, "metres"],  # noqa: E741
    m: UUID,
    n: int | str,
) -> None: ...


def test_every_annotation_has_its_input() -> None:
    assert list(kinds(typed).values()) == [
        "int", "float", "bool", "text", "date", "datetime", "select", "select", "json", "json", "int", "int", "text",
        "json",
    ]  # fmt: skip


def test_texts_become_values_of_json() -> None:
    def task(*, a: int, b: float, c: bool, e: date, g: Literal["x", 2], h: Colour, i: list[int]) -> None: ...

    _, kwargs = spelled(task, a="4", b="2", c="true", e="2026-12-01", g="2", h='"red"', i="[1, 2]")

    assert kwargs == {"a": 4, "b": 2, "c": True, "e": "2026-12-01", "g": 2, "h": "red", "i": [1, 2]}


def test_a_moment_is_given_with_its_time_zone() -> None:
    def task(at: datetime) -> None: ...

    _, kwargs = spelled(task, at="2026-12-01T10:00")

    assert datetime.fromisoformat(kwargs["at"]).tzinfo is not None


def test_what_is_left_to_its_default_is_not_given() -> None:
    def task(a: int = 3, b: str = "x", c: str | None = None, d: bool = True, e: Colour = Colour.RED) -> None: ...

    assert spelled(task, a="3", b="x", c="", d="true", e='"red"') == ([], {})
    assert spelled(task, a="", b="", c="y", e='"blue"') == ([], {"b": "", "c": "y", "d": False, "e": "blue"})


def test_defaults_are_filled_in() -> None:
    def task(a: int = 3, b: list[int] | None = None, c: dict[str, int] = {"x": 1}, d: str = "hi") -> None: ...  # noqa: B006

    assert [one.default for one in inputs_of(task_of(task)) or ()] == ["3", "", '{\n  "x": 1\n}', "hi"]


def test_without_annotations_defaults_say_what_is_taken() -> None:
    def task(a, b=3, c="x", d=None):  # type: ignore[no-untyped-def]
        ...

    assert list(kinds(task).values()) == ["json", "int", "text", "json"]


def test_annotations_that_cannot_be_read_take_json() -> None:
    def task(a: "Missing") -> None: ...  # type: ignore[name-defined]  # noqa: F821

    assert kinds(task) == {"a": "json"}


def test_a_task_that_takes_anything_has_no_form() -> None:
    def task(*args: Any, **kwargs: Any) -> None: ...

    assert inputs_of(task_of(task)) is None


def test_places_and_further_values_keep_their_order() -> None:
    def task(a: int, /, b: int, *rest: int, c: int, **more: int) -> None: ...

    assert spelled(task, a="1", b="2", c="3") == ([1], {"b": 2, "c": 3})
    assert spelled(task, a="1", b="2", rest="[8, 9]", c="3", more='{"d": 4}') == ([1, 2, 8, 9], {"c": 3, "d": 4})


def test_a_gap_before_further_values_is_refused() -> None:
    def task(a: int, b: int = 2, *rest: int) -> None: ...

    with pytest.raises(InputError, match="Give this too"):
        spelled(task, a="1", rest="[8]")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a", "", "Give a whole number"),
        ("a", "2.5", "a whole number"),
        ("b", "many", "a number"),
        ("b", "NaN", "a number"),
        ("e", "soon", "a date"),
        ("f", "2026-13-01T10:00", "a date and time"),
        ("g", '"y"', "one of x, 2"),
        ("i", "[1", "not JSON"),
        ("i", "hello", 'in quotes: "like this"'),
        ("i", '{"a": 1, "a": 2}', "twice"),
    ],
)
def test_what_is_wrong_is_told_of_the_input(name: str, text: str, reason: str) -> None:
    inputs = inputs_of(task_of(typed)) or ()

    with pytest.raises(InputError) as caught:
        arguments(inputs, {PREFIX + name: text})

    assert reason in caught.value.fields[PREFIX + name]


def test_raw_arguments_are_lists_and_objects() -> None:
    assert json_arguments("[1]", '{"a": 2}') == ([1], {"a": 2})
    assert json_arguments("", " ") == ([], {})
    with pytest.raises(InputError) as caught:
        json_arguments("{}", "[]")
    assert set(caught.value.fields) == {"args", "kwargs"}
