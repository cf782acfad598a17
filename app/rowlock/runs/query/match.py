"""What a condition asks of the table of runs, and which index leads to the runs that it finds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from django.db.models import Q

from rowlock.models import State


class Way(Enum):
    """How the database gets at the runs that a condition finds."""

    #: By looking at one run after the other.
    NONE = "none"
    #: There are so few of them that any order costs nothing.
    FEW = "few"
    #: By a bound of `created`, in which every list is ordered.
    TIME = "time"
    #: By an index on a column and then on `created`, which has only these runs.
    COLUMN = "column"
    #: By the same; among the runs of these values there are others.
    AMONG_COLUMN = "among column"
    #: By an index of the texts' parts, where the database has one.
    TEXT = "text"


@dataclass(frozen=True, kw_only=True)
class Match:
    q: Q
    way: Way = Way.NONE
    #: Does it compare long texts?
    is_slow: bool = False
    column: str = ""
    values: Sequence[Any] = ()
    #: What the index on the column is limited to, if that does not follow from the values.
    within: Q = field(default_factory=Q)
    #: With TEXT: says the same as `q` so that every part of it has an index. May ask the database.
    indexed: Callable[[], Q] | None = None


def of_column(column: str, values: Sequence[Any], q: Q | None = None) -> Match:
    """Those with one of `values` in `column`; with `q`, some of those."""
    if column == "state" and State.SUCCEEDED in values:
        # Nearly all runs have: the index leaves them out.
        return Match(q=Q(state__in=values) if q is None else q)
    one_of = Q(**{f"{column}__in": values}) if len(values) != 1 else Q(**{column: values[0]})
    way = Way.COLUMN if q is None else Way.AMONG_COLUMN
    return Match(q=one_of if q is None else q, way=way, column=column, values=tuple(values))


def any_of(matches: Sequence[Match]) -> Match:
    """What the values between commas find together."""
    if len(matches) == 1:
        return matches[0]
    q = matches[0].q
    for match in matches[1:]:
        q |= match.q
    ways, columns = {match.way for match in matches}, {match.column for match in matches}
    if ways == {Way.FEW}:
        return Match(q=q, way=Way.FEW)
    if ways <= {Way.COLUMN, Way.AMONG_COLUMN} and len(columns) == 1:
        values = tuple(dict.fromkeys(value for match in matches for value in match.values))
        way = Way.COLUMN if ways == {Way.COLUMN} else Way.AMONG_COLUMN
        return Match(q=q, way=way, column=columns.pop(), values=values, within=matches[0].within)
    return Match(q=q)
