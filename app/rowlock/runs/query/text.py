"""Words without a qualifier."""

import re

from django.db.models import Q

from rowlock.models import State
from rowlock.models.run import parse_id
from rowlock.runs.query.conditions import Condition
from rowlock.runs.query.facts import Facts

_WITH_ERRORS = [state for state in State if state != State.SUCCEEDED]


def anywhere(word: str) -> Condition:
    """Looks for `word` in task names, keys, owners and error messages; a whole id finds the run and its relatives."""
    if found := parse_id(word):
        relatives = Q(id=found) | Q(parent_id=found) | Q(retry_of=found) | Q(key=word)
        return lambda _facts: relatives

    # Postgres is faster at this than at `icontains`, and SQLite knows more than the letters a to z.
    pattern = re.escape(word)

    def condition(facts: Facts) -> Q:
        lowered = word.lower()
        tasks = Q(task__in=[name for name in facts.task_names if lowered in name.lower()])
        return tasks | Q(owner__iregex=pattern) | Q(key__iregex=pattern) | _error_message(pattern, facts)

    return condition


def _error_message(pattern: str, facts: Facts) -> Q:
    # In this order: most runs have no error whose message would have to be read.
    matches = Q(state__in=_WITH_ERRORS) & Q(error_message__iregex=pattern)
    searchable = facts.tasks_with_open_errors
    return matches if searchable is None else matches & Q(task__in=searchable)
