"""The time from which a message counts as waiting, in a header: every process publishes it, the worker subtracts."""

import time
from datetime import UTC, datetime
from typing import Any

from rowlock.conf import settings

#: Unix seconds: when the message was published, or when its countdown or ETA is over.
HEADER = "rowlock_due"


def stamp(headers: dict[str, Any] | None = None, **kwargs: Any) -> None:
    """Write the header; a handler of Celery's before_task_publish signal, which all ways of publishing send.

    A retry has the headers of the message before it, so what is there is overwritten.
    """
    if headers is not None and settings().metrics:
        headers[HEADER] = max(time.time(), _due(headers.get("eta")))


def waited(headers: dict[str, Any], started: float) -> float | None:
    """Seconds that a message had waited when it was `started` (Unix time).

    None for a message of a producer that does not stamp. Never negative, though clocks differ: then it is 0.
    """
    due = headers.get(HEADER)
    return max(0.0, started - due) if isinstance(due, int | float) else None


def _due(eta: object) -> float:
    if not isinstance(eta, str):
        return 0.0
    try:
        due = datetime.fromisoformat(eta)
    except ValueError:
        return 0.0
    # Without a zone it is UTC (celery/worker/request.py).
    return (due if due.tzinfo else due.replace(tzinfo=UTC)).timestamp()
