"""Forgetting what is old."""

from rowlock import audit
from rowlock.runs import pruning
from rowlock.workers import presence


def prune() -> int:
    """Delete what is older, or more, than ROWLOCK allows; returns how many runs that were."""
    deleted = pruning.prune()
    audit.prune()
    presence.prune()
    return deleted
