"""What can stand next in a query: qualifiers, and the values that there are for each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.db import DEFAULT_DB_ALIAS

from rowlock.models import Run, State, Worker
from rowlock.runs import registry
from rowlock.runs.query.conditions import STATES
from rowlock.runs.query.facts import Facts
from rowlock.runs.viewer import Viewer, visible

MOST = 12
#: Failed runs whose types of errors are offered.
_RECENT = 500

#: What each qualifier asks, in a few words.
QUALIFIERS = {
    "state": "where it is",
    "task": "name, or the last parts of it",
    "queue": "where it waits",
    "owner": "who submitted it",
    "error": "type of the error",
    "since": "accepted in the last …",
    "until": "accepted … ago or earlier",
    "took": "ran longer or shorter than",
    "waited": "waited longer or shorter than",
    "retries": "asked for so many retries",
    "deliveries": "was delivered so often",
    "worker": "last started by",
    "key": "idempotency key",
    "id": "whole id",
    "parent": "submitted by this run",
    "retry-of": "retry this run",
}
_AGES = ("15m", "1h", "24h", "7d")
_LENGTHS = (">1s", ">10s", ">1m", ">10m")
_NUMBERS = (">0", ">1", ">2")


@dataclass(frozen=True, kw_only=True)
class Suggestion:
    """`text` takes the place of the word; it is finished unless more has to follow, as after a colon."""

    text: str
    shown: str
    hint: str = ""
    is_finished: bool = True


def suggestions(word: str, viewer: Viewer) -> list[Suggestion]:
    """What `word`, which somebody is typing, can become."""
    sign, rest = ("-", word[1:]) if word.startswith("-") else ("", word)
    qualifier, colon, value = rest.partition(":")
    if not colon:
        begun = [name for name in QUALIFIERS if name.startswith(rest.lower())]
        return [
            Suggestion(text=f"{sign}{name}:", shown=f"{name}:", hint=QUALIFIERS[name], is_finished=False)
            for name in begun
        ]
    find = _VALUES.get(qualifier.lower())
    if find is None or '"' in value:
        return []
    before, comma, last = value.rpartition(",")
    return [
        Suggestion(text=f"{sign}{qualifier}:{before}{comma}{_quoted(found)}", shown=found)
        for found in _fitting(find(viewer), last)
    ]


def _fitting(values: Iterable[str], typed: str) -> list[str]:
    """Those that begin like that first, then those that have it anywhere."""
    low = typed.lower()
    having = [value for value in dict.fromkeys(values) if low in value.lower() and value != typed]
    return sorted(having, key=lambda value: not any(part.startswith(low) for part in _parts(value.lower())))[:MOST]


def _parts(value: str) -> list[str]:
    steps = value.split(".")
    return [".".join(steps[index:]) for index in range(len(steps))]


def _quoted(value: str) -> str:
    if not any(character in value for character in ' ,"\\'):
        return value
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _tasks(viewer: Viewer) -> list[str]:
    if not viewer.sees_all:
        return registry.task_names()
    return sorted({*registry.task_names(), *Facts(DEFAULT_DB_ALIAS).task_names})


def _errors(viewer: Viewer) -> list[str]:
    failed = visible(Run.objects.filter(state=State.FAILED), viewer).order_by("-created", "-id")
    return sorted(set(failed.values_list("error_type", flat=True)[:_RECENT]) - {""})


def _owners(viewer: Viewer) -> list[str]:
    if not viewer.sees_all:
        return [viewer.name]
    recent = Run.objects.exclude(owner="").order_by("-created", "-id").values_list("owner", flat=True)
    return [*sorted(set(recent[:_RECENT])), "*"]


def _workers(viewer: Viewer) -> list[str]:
    return list(Worker.objects.values_list("name", flat=True)[:_RECENT])


_VALUES: dict[str, Callable[[Viewer], Iterable[str]]] = {
    "state": lambda _: STATES,
    "task": _tasks,
    "queue": lambda _: registry.queue_names(),
    "owner": _owners,
    "error": _errors,
    "worker": _workers,
    "since": lambda _: _AGES,
    "until": lambda _: _AGES,
    "took": lambda _: _LENGTHS,
    "waited": lambda _: _LENGTHS,
    "retries": lambda _: _NUMBERS,
    "deliveries": lambda _: _NUMBERS,
    "key": lambda _: ("*",),
    "parent": lambda _: ("*",),
    "retry-of": lambda _: ("*",),
}
