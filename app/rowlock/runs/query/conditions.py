"""What each qualifier asks of the table of runs."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from difflib import get_close_matches

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual

from rowlock.models import FINAL, UNFINISHED, State
from rowlock.models.run import parse_id
from rowlock.runs.query import values
from rowlock.runs.query.facts import Facts

Condition = Callable[[Facts], Q]
#: Makes the condition of one value; raises ValueError with what it expected.
Reader = Callable[[str], Condition]

_COMPARISONS = {"gt": GreaterThan, "gte": GreaterThanOrEqual, "lt": LessThan, "lte": LessThanOrEqual}
_SCHEDULED = "scheduled"
_GROUPS: dict[str, tuple[State, ...]] = {"unfinished": UNFINISHED, "finished": FINAL}
_STATES = [*(state.label for state in State), _SCHEDULED, *_GROUPS]
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


def _always(matches: Q) -> Condition:
    return lambda _facts: matches


def state(value: str) -> Condition:
    name = value.lower()
    if name == _SCHEDULED:
        return lambda facts: Q(state=State.QUEUED, due__gt=facts.now)
    if name in _GROUPS:
        return _always(Q(state__in=_GROUPS[name]))
    for state in State:
        if state.label == name:
            return _always(Q(state=state))
    near = [_SYNONYMS[name]] if name in _SYNONYMS else get_close_matches(name, _STATES, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_STATES)}"
    raise ValueError(f"there is no state {value!r}; {hint}")


def task(value: str) -> Condition:
    pattern = re.compile(_last_parts(value))

    def condition(facts: Facts) -> Q:
        # Names instead of a pattern, so that the database can use the index on them.
        return Q(task__in=[name for name in facts.task_names if pattern.fullmatch(name)])

    return condition


def error(value: str) -> Condition:
    matches = Q(error_type__gt="") if value == "*" else Q(error_type__regex=f"^({_last_parts(value)})$")
    # Most runs succeed: the states lead to the few that have an error at all.
    return _always(Q(state__in=[state for state in State if state != State.SUCCEEDED]) & matches)


def _last_parts(value: str) -> str:
    return rf"(.*\.)?{values.glob_pattern(value)}"


def text_column(column: str) -> Reader:
    def read(value: str) -> Condition:
        if value == "*":
            return _always(Q(**{f"{column}__gt": ""}))
        if "*" in value:
            return _always(Q(**{f"{column}__regex": f"^{values.glob_pattern(value)}$"}))
        return _always(Q(**{column: value}))

    return read


def id_column(column: str) -> Reader:
    def read(value: str) -> Condition:
        if value == "*":
            return _always(Q(**{f"{column}__isnull": False}))
        found = parse_id(value)
        if found is None:
            raise ValueError(f"expected the whole id of a run (8-4-4-4-12 hexadecimal digits), not {value!r}")
        return _always(Q(**{column: found}))

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
        return lambda facts: Q(created__gte=facts.now - moment)
    return _always(Q(created__gte=moment if isinstance(moment, datetime) else values.start_of(moment)))


def until(value: str) -> Condition:
    moment = values.ago_or_moment(value)
    if isinstance(moment, timedelta):
        return lambda facts: Q(created__lte=facts.now - moment)
    if isinstance(moment, datetime):
        return _always(Q(created__lte=moment))
    return _always(Q(created__lt=values.start_of(moment + timedelta(days=1))))


def _duration_comparison(value: str) -> tuple[str, timedelta]:
    lookup, text = values.comparison(value)
    if lookup is None or lookup == "exact":
        raise ValueError(f"expected >, >=, < or <= and a duration (as in >5s), not {value!r}")
    return lookup, values.duration(text)


def took(value: str) -> Condition:
    lookup, length = _duration_comparison(value)

    def condition(facts: Facts) -> Q:
        end = Coalesce(F("finished"), Value(facts.now))
        return Q(started__isnull=False) & Q(_COMPARISONS[lookup](end, F("started") + length))

    return condition


def waited(value: str) -> Condition:
    lookup, length = _duration_comparison(value)

    def condition(facts: Facts) -> Q:
        end = Coalesce(F("started"), F("finished"), Value(facts.now))
        return Q(_COMPARISONS[lookup](end, Coalesce(F("due"), F("created")) + length))

    return condition
