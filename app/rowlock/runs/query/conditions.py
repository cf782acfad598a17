"""What each qualifier asks of the table of runs."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from difflib import get_close_matches
from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

from rowlock.models import FINAL, UNFINISHED, State
from rowlock.models.run import parse_id
from rowlock.runs.query import values
from rowlock.runs.query.facts import Facts
from rowlock.runs.query.match import Match, Way, of_column

Condition = Callable[[Facts], Match]
#: Makes the condition of one value; raises ValueError with what it expected.
Reader = Callable[[str], Condition]

_COMPARISONS = {"gt": GreaterThan, "gte": GreaterThanOrEqual, "lt": LessThan, "lte": LessThanOrEqual}
_SCHEDULED = "scheduled"
_GROUPS: dict[str, tuple[State, ...]] = {"unfinished": UNFINISHED, "finished": FINAL}
#: The words for `state:`.
STATES = [*(state.label for state in State), _SCHEDULED, *_GROUPS]
#: Celery's words and other near ones.
_SYNONYMS = {
    "pending": "queued",
    "waiting": "queued",
    "running": "started",
    "active": "started",
    "success": "succeeded",
    "done": "finished",
    "failure": "failed",
    "error": "failed",
    "revoked": "cancelled",
    "retry": "retrying",
}


def _always(q: Q, way: Way = Way.NONE) -> Condition:
    match = Match(q=q, way=way)
    return lambda _facts: match


def _in(column: str, *values: Any) -> Condition:
    match = of_column(column, values)
    return lambda _facts: match


def state(value: str) -> Condition:
    name = value.lower()
    if name == _SCHEDULED:
        return lambda facts: of_column("state", [State.QUEUED], Q(state=State.QUEUED, due__gt=facts.now))
    if name in _GROUPS:
        return _in("state", *_GROUPS[name])
    for state in State:
        if state.label == name:
            return _in("state", state)
    near = [_SYNONYMS[name]] if name in _SYNONYMS else get_close_matches(name, STATES, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(STATES)}"
    raise ValueError(f"there is no state {value!r}; {hint}")


def task(value: str) -> Condition:
    pattern = re.compile(_last_parts(value))

    def condition(facts: Facts) -> Match:
        # Names instead of a pattern, so that the database can use the index on them.
        return of_column("task", [name for name in facts.task_names if pattern.fullmatch(name)])

    return condition


def queue(value: str) -> Condition:
    if "*" not in value:
        return _in("queue", value)
    pattern = re.compile(values.glob_pattern(value))
    return lambda facts: of_column("queue", [name for name in facts.queue_names if pattern.fullmatch(name)])


def error(value: str) -> Condition:
    # A run that succeeded in the end may still have the error of an earlier try; the index has no such runs.
    unsuccessful = Q(state__in=[state for state in State if state != State.SUCCEEDED])
    if value == "*":
        return _always(unsuccessful & Q(error_type__gt=""))
    pattern = re.compile(_last_parts(value))

    def condition(facts: Facts) -> Match:
        names = [name for name in facts.error_types if pattern.fullmatch(name)]
        match = of_column("error_type", names)
        return replace(match, q=unsuccessful & match.q, within=unsuccessful)

    return condition


def _last_parts(value: str) -> str:
    return rf"(.*\.)?{values.glob_pattern(value)}"


def key(value: str) -> Condition:
    if value == "*":
        return _always(Q(key__gt=""))
    if "*" in value:
        q = Q(key__regex=f"^{values.glob_pattern(value)}$")
        as_text = Match(q=q, way=Way.TEXT, indexed=lambda: q)
        return lambda facts: as_text if values.has_trigram(value) and facts.has_text_indexes else Match(q=q)
    return _always(Q(key=value), Way.FEW)


def owner(value: str) -> Condition:
    return _text("owner", value) if "*" in value else _in("owner", value)


def worker(value: str) -> Condition:
    # Without an index, which each report of a worker would have to write: who asks, asks for what is new.
    return _text("worker", value)


def _text(column: str, value: str) -> Condition:
    if value == "*":
        return _always(Q(**{f"{column}__gt": ""}))
    if "*" in value:
        return _always(Q(**{f"{column}__regex": f"^{values.glob_pattern(value)}$"}))
    return _always(Q(**{column: value}))


def id_column(column: str) -> Reader:
    def read(value: str) -> Condition:
        if value == "*":
            return _always(Q(**{f"{column}__isnull": False}))
        found = parse_id(value)
        if found is None:
            raise ValueError(f"expected the whole id of a run (8-4-4-4-12 hexadecimal digits), not {value!r}")
        return _always(Q(**{column: found}), Way.FEW)

    return read


def number_column(column: str) -> Reader:
    def read(value: str) -> Condition:
        lookup, number = values.comparison(value)
        if not re.fullmatch(r"[0-9]{1,4}", number):
            raise ValueError(f"expected a number up to 9999, alone or after >, >=, < or <=, not {value!r}")
        return _always(Q(**{f"{column}__{lookup or 'exact'}": int(number)}))

    return read


def since(value: str) -> Condition:
    moment = values.ago_or_moment(value)
    if isinstance(moment, timedelta):
        return lambda facts: Match(q=Q(created__gte=facts.now - moment), way=Way.TIME)
    return _always(Q(created__gte=moment if isinstance(moment, datetime) else values.start_of(moment)), Way.TIME)


def until(value: str) -> Condition:
    moment = values.ago_or_moment(value)
    if isinstance(moment, timedelta):
        return lambda facts: Match(q=Q(created__lte=facts.now - moment), way=Way.TIME)
    if isinstance(moment, datetime):
        return _always(Q(created__lte=moment), Way.TIME)
    return _always(Q(created__lt=values.start_of(moment + timedelta(days=1))), Way.TIME)


def _duration_comparison(value: str) -> tuple[str, timedelta]:
    lookup, text = values.comparison(value)
    if lookup is None or lookup == "exact":
        raise ValueError(f"expected >, >=, < or <= and a duration (as in >5s), not {value!r}")
    return lookup, values.duration(text)


def took(value: str) -> Condition:
    lookup, length = _duration_comparison(value)

    def condition(facts: Facts) -> Match:
        end = Coalesce(F("finished"), Value(facts.now))
        return Match(q=Q(started__isnull=False) & Q(_COMPARISONS[lookup](end, F("started") + length)))

    return condition


def waited(value: str) -> Condition:
    lookup, length = _duration_comparison(value)

    def condition(facts: Facts) -> Match:
        end = Coalesce(F("started"), F("finished"), Value(facts.now))
        return Match(q=Q(_COMPARISONS[lookup](end, Coalesce(F("due"), F("created")) + length)))

    return condition
