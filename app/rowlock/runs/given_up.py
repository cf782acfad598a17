"""Runs whose message RabbitMQ gave up, which no worker was left to say."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Now

from rowlock.announce import announce
from rowlock.models import Run, State
from rowlock.models.run import parse_id

_REASONS = {
    "delivery_limit": (
        "DeliveryLimitExceeded",
        "RabbitMQ delivered its message again and again, and each time the worker was gone before it began.",
    ),
    "rejected": ("Rejected", "A worker rejected its message: it could not read it, or knows no such task."),
}


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """A message in rowlock.dead that RabbitMQ put there: its task's id, RabbitMQ's reason, and when that was."""

    id: str
    reason: str
    at: datetime


def fail(letters: Iterable[DeadLetter]) -> int:
    """Mark the runs of `letters` as failed that still count as waiting; returns how many. Raises DatabaseErrors.

    Those that were published again since, or may have a second message, are let be.
    """
    failed = 0
    for letter in letters:
        run_id = parse_id(letter.id)
        if run_id is None or letter.reason not in _REASONS:
            continue
        error, message = _REASONS[letter.reason]
        # RabbitMQ tells the time in whole seconds.
        before = Q(published__isnull=True) | Q(published__lte=letter.at + timedelta(seconds=1))
        waiting = Run.objects.filter(before, id=run_id, attempts__lte=1, state__in=(State.PUBLISHED, State.RETRYING))
        failed += waiting.update(
            state=State.FAILED,
            error_type=error,
            error_message=f"{message} It is in the queue rowlock.dead.",
            finished=Now(),
            changed=Now(),
        )
    if failed:
        announce()
    return failed
