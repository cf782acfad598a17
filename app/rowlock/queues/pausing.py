"""Pausing queues: no worker takes anything from a paused one until it is resumed, whatever restarts meanwhile.

What is accepted for a paused queue waits in the broker, what runs goes on. Workers look here every second
(rowlock.celery.pausing).
"""

from django.db import IntegrityError, transaction

from rowlock import audit
from rowlock.models import PausedQueue
from rowlock.queues.names import check_known
from rowlock.runs.errors import OptionsError

LONGEST_REASON = 500


def paused_queues() -> dict[str, PausedQueue]:
    """Those that are paused, by name."""
    return {paused.queue: paused for paused in PausedQueue.objects.all()}


def pause(queue: str, *, actor: str, via: audit.Way, reason: str = "") -> PausedQueue:
    """Pause `queue`, on record as `actor`'s; one that is paused already stays as it was.

    Raises OptionsError on a queue that nobody knows, and on a reason of more than 500 characters.
    """
    check_known(queue)
    if len(reason) > LONGEST_REASON or "\0" in reason:
        raise OptionsError(f"A reason has {LONGEST_REASON} characters at the most, none of them a zero byte.")
    there = PausedQueue.objects.filter(queue=queue).first()
    if there is not None:
        return there
    try:
        with transaction.atomic():
            made = PausedQueue.objects.create(queue=queue, by=actor[:150], reason=reason)
            audit.record(actor=actor, action="pause", kind="queue", target=queue, detail={"reason": reason}, via=via)
    except IntegrityError:
        # Somebody else was faster.
        return PausedQueue.objects.get(queue=queue)
    return made


def resume(queue: str, *, actor: str, via: audit.Way) -> bool:
    """Have workers take from `queue` again; returns whether it was paused. Raises OptionsError on an unknown queue."""
    with transaction.atomic():
        was_paused = bool(PausedQueue.objects.filter(queue=queue).delete()[0])
        if was_paused:
            audit.record(actor=actor, action="resume", kind="queue", target=queue, via=via)
    if not was_paused:
        check_known(queue)
    return was_paused
