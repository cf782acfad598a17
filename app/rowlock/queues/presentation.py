"""Queues as JSON, the same for the API and the command line."""

from typing import Any

from rowlock.models import UNFINISHED, PausedQueue
from rowlock.queues.depths import QueueState
from rowlock.runs.presentation import moment

_DEPTH = ("ready", "unacked", "consumers", "rate_in", "rate_out")
_STATES = ("scheduled", *(state.label for state in UNFINISHED))


def presented(state: QueueState) -> dict[str, Any]:
    """All that is shown of a queue; what is not known is None."""
    return {
        "name": state.name,
        "known": state.known,
        "paused": None if state.paused is None else presented_pause(state.paused),
        **{name: getattr(state.depth, name, None) for name in _DEPTH},
        "oldest_seconds": state.oldest_seconds,
        **{label: state.counts.get(label, 0) for label in _STATES},
        "unfinished": state.unfinished,
    }


def presented_pause(paused: PausedQueue) -> dict[str, Any]:
    """Who paused a queue, and why."""
    return {"by": paused.by, "since": moment(paused.since), "reason": paused.reason}
