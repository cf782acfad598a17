"""Words without a qualifier."""

import re

from django.db.models import Q

from rowlock.models import State
from rowlock.models.run import parse_id
from rowlock.runs.query.conditions import Condition
from rowlock.runs.query.facts import Facts
from rowlock.runs.query.match import Match, Way
from rowlock.runs.query.values import has_trigram

_WITH_ERRORS = [state for state in State if state != State.SUCCEEDED]


def anywhere(word: str) -> Condition:
    """Looks for `word` in task names, keys, owners and error messages; a whole id finds the run and its relatives."""
    if found := parse_id(word):
        relatives = Match(q=Q(id=found) | Q(parent_id=found) | Q(retry_of=found) | Q(key=word), way=Way.FEW)
        return lambda _facts: relatives

    # Postgres is faster at this than at `icontains`, and SQLite knows more than the letters a to z.
    pattern = re.escape(word)

    def condition(facts: Facts) -> Match:
        lowered = word.lower()
        tasks = Q(task__in=[name for name in facts.task_names if lowered in name.lower()])
        others = Q(key__iregex=pattern) | _error_message(pattern, facts)
        q = tasks | Q(owner__iregex=pattern) | others
        if not has_trigram(word) or not facts.has_text_indexes:
            return Match(q=q, is_slow=True)

        def indexed() -> Q:
            # Where there are too many to list, this finds the one of just this name.
            owners = [word] if facts.owners is None else [name for name in facts.owners if lowered in name.lower()]
            return tasks | Q(owner__in=owners) | others

        return Match(q=q, way=Way.TEXT, is_slow=True, indexed=indexed)

    return condition


def _error_message(pattern: str, facts: Facts) -> Q:
    # In this order: most runs have no error whose message would have to be read.
    matches = Q(state__in=_WITH_ERRORS) & Q(error_message__gt="") & Q(error_message__iregex=pattern)
    searchable = facts.tasks_with_open_errors
    return matches if searchable is None else matches & Q(task__in=searchable)
