from dataclasses import dataclass, field
from difflib import get_close_matches

from django.db.models import QuerySet

from rowlock.models import Run
from rowlock.runs.errors import QueryError
from rowlock.runs.query import conditions
from rowlock.runs.query.conditions import Condition
from rowlock.runs.query.facts import Facts
from rowlock.runs.query.match import Match, any_of
from rowlock.runs.query.text import anywhere
from rowlock.runs.query.words import Word, split

LONGEST = 2000
MOST_VALUES = 100

QUALIFIERS: dict[str, conditions.Reader] = {
    "state": conditions.state,
    "task": conditions.task,
    "queue": conditions.queue,
    "owner": conditions.owner,
    "key": conditions.key,
    "id": conditions.id_column("id"),
    "parent": conditions.id_column("parent_id"),
    "retry-of": conditions.id_column("retry_of"),
    "worker": conditions.worker,
    "error": conditions.error,
    "since": conditions.since,
    "until": conditions.until,
    "retries": conditions.number_column("retries"),
    "deliveries": conditions.number_column("deliveries"),
    "took": conditions.took,
    "waited": conditions.waited,
}


@dataclass(frozen=True, kw_only=True)
class Query:
    """A query that was read: it can be asked any number of times, `since:1h` meaning the last hour of each time."""

    text: str
    conditions: tuple[Condition, ...] = field(compare=False, repr=False)

    def __bool__(self) -> bool:
        return bool(self.conditions)

    def filter(self, queryset: QuerySet[Run]) -> QuerySet[Run]:
        """Those of `queryset` that match; asks the database for the names of tasks when a word needs them."""
        return queryset.filter(*(match.q for match in self.matches(Facts(queryset.db))))

    def matches(self, facts: Facts) -> list[Match]:
        """What each word finds, and how."""
        return [condition(facts) for condition in self.conditions]


def parse(query: str) -> Query:
    """Reads `query`; raises QueryError with the word that cannot be read, what it expects and what is near."""
    if len(query) > LONGEST:
        raise QueryError(f"The query has {len(query)} characters; it can have {LONGEST}.")
    if not _is_storable(query):
        raise QueryError("The query has a character that is no text (a zero byte or half of a pair); leave it out.")
    words = split(query)
    if sum(len(word.values) for word in words) > MOST_VALUES:
        raise QueryError(f"The query has more than {MOST_VALUES} words and values; ask for less at once.")
    return Query(text=" ".join(word.source for word in words), conditions=tuple(_condition(word) for word in words))


def _is_storable(query: str) -> bool:
    return "\0" not in query and not any("\ud800" <= character <= "\udfff" for character in query)


def _condition(word: Word) -> Condition:
    parts = [_read(word, value) for value in word.values]

    def condition(facts: Facts) -> Match:
        match = any_of([part(facts) for part in parts])
        return Match(q=~match.q, is_slow=match.is_slow) if word.negated else match

    return condition


def _read(word: Word, value: str) -> Condition:
    if word.qualifier is None:
        return anywhere(value)
    reader = QUALIFIERS.get(word.qualifier)
    if reader is None:
        near = get_close_matches(word.qualifier, QUALIFIERS, n=1)
        hint = f"did you mean {near[0]}:?" if near else f"there are {', '.join(QUALIFIERS)}."
        raise QueryError(
            f'{word.source}: there is no {word.qualifier}:; {hint} (To look for the text, put it in quotes: "…".)'
        )
    if not value:
        raise QueryError(f"{word.source}: nothing stands after {word.qualifier}: or beside a comma; write a value.")
    try:
        return reader(value)
    except ValueError as error:
        told = str(error)
        raise QueryError(f"{word.source}: {told}{'' if told.endswith('?') else '.'}") from error
