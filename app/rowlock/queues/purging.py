"""Emptying a queue: its messages are taken off the broker one by one, and their runs are cancelled.

A blind purge would leave runs that wait for ever. Here nothing is gone before the history says so: who dies in between
leaves cancelled runs whose messages workers drop.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now
from kombu import Queue

from rowlock import audit
from rowlock.announce import announce
from rowlock.models import UNFINISHED, Run, State
from rowlock.models.run import parse_id
from rowlock.queues.names import check_known
from rowlock.runs.errors import RunError
from rowlock.runs.registry import celery_app

#: Messages in one transaction, the seconds after which no more are gathered for it, and those that one call takes.
CHUNK = 1000
GATHERING = 2.0
LONGEST = 10.0


class CountError(RunError):
    """There is more in the queue than whoever purges it has seen."""

    def __init__(self, queue: str, *, count: int, expect: int) -> None:
        self.count = count
        super().__init__(
            f"The queue {queue} has {count:,} messages now, more than the {expect:,} expected. Nothing was purged; "
            "pause the queue first if it keeps growing, or expect more."
        )


@dataclass(frozen=True, kw_only=True)
class Purged:
    """What one call did; call again, expecting `left`, until that is 0."""

    messages: int
    #: Runs that were cancelled.
    cancelled: int
    #: Messages of which the history knows no run: of other programs, or of tasks that other code has started.
    foreign: int
    #: Messages that are still ready of those that were at the beginning, for want of time. Those that workers hold are
    #: not touched and not counted.
    left: int


def count_ready(queue: str) -> int:
    """How many messages of `queue` wait now; what the management API tells is some seconds old.

    Raises OptionsError on an unknown queue, and kombu's OperationalError.
    """
    check_known(queue)
    with celery_app().connection_for_write() as broker:
        channel = broker.channel()
        try:
            return _ready(channel, queue)
        except broker.channel_errors:
            # Nobody has made it yet.
            return 0
        finally:
            channel.close()


def purge(queue: str, *, expect: int, actor: str, via: audit.Way) -> Purged:
    """Take the first `expect` messages out of `queue` and cancel their runs, on record as `actor`'s.

    For ten seconds at the most. Raises CountError where more than `expect` are ready before it begins, OptionsError on
    an unknown queue, and kombu's OperationalError. Messages that workers have taken are theirs, and those that wait for
    a countdown or an ETA are not in the queue yet.
    """
    check_known(queue)
    until = time.monotonic() + LONGEST
    messages = cancelled = foreign = 0
    with celery_app().connection_for_write() as broker:
        # What is not acked when the channel is closed is back in its place.
        channel = broker.channel()
        try:
            try:
                ready = _ready(channel, queue)
            except broker.channel_errors:
                # Nobody has made it yet.
                return Purged(messages=0, cancelled=0, foreign=0, left=0)
            if ready > expect:
                raise CountError(queue, count=ready, expect=expect)
            while messages < ready and time.monotonic() < until:
                taken = _take(channel, queue, min(ready - messages, CHUNK))
                if not taken:
                    break
                more_cancelled, more_foreign = _cancel(taken, queue, actor, via)
                for message in taken:
                    message.ack()
                messages, cancelled = messages + len(taken), cancelled + more_cancelled
                foreign += more_foreign
            # What came meanwhile was not agreed on.
            left = min(ready - messages, _ready(channel, queue))
            return Purged(messages=messages, cancelled=cancelled, foreign=foreign, left=left)
        finally:
            channel.close()


def _ready(channel: Any, queue: str) -> int:
    return int(Queue(queue)(channel).queue_declare(passive=True).message_count)


def _take(channel: Any, queue: str, most: int) -> list[Any]:
    taking = Queue(queue)(channel)
    until = time.monotonic() + GATHERING
    messages: list[Any] = []
    while len(messages) < most and time.monotonic() < until:
        message = taking.get()
        if message is None:
            break
        messages.append(message)
    return messages


def _cancel(messages: Sequence[Any], queue: str, actor: str, via: audit.Way) -> tuple[int, int]:
    """Cancel the runs of `messages`; returns how many were, and how many messages are nobody's."""
    ids = [run_id for message in messages if (run_id := parse_id((message.headers or {}).get("id")))]
    with transaction.atomic():
        # Whoever changes many runs locks them in the order of their ids.
        runs = Run.objects.filter(id__in=ids).order_by("id")
        if connection.features.has_select_for_update:
            runs = runs.select_for_update()
        states: dict[UUID, int] = dict(runs.values_list("id", "state"))
        waiting = Run.objects.filter(id__in=[run_id for run_id, state in states.items() if state in UNFINISHED])
        # There may be a second message, or a worker that executes it.
        waiting.filter(Q(attempts__gt=1) | Q(state=State.STARTED)).update(check_first=True)
        cancelled = waiting.update(
            state=State.CANCELLED,
            cancel_requested=Now(),
            finished=Now(),
            changed=Now(),
            result_note=f"Purged from its queue by {actor}."[:255],
        )
        foreign = len(messages) - sum(run_id in states for run_id in ids)
        audit.record(
            actor=actor,
            action="purge",
            kind="queue",
            target=queue,
            detail={"messages": len(messages), "cancelled": cancelled, "foreign": foreign},
            via=via,
        )
        transaction.on_commit(announce)
    return cancelled, foreign
