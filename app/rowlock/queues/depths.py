"""What each queue holds: as the broker tells it, and as the history does.

RabbitMQ's management API tells most. Where it does not answer, AMQP tells what is ready and who consumes; and where the
broker does not answer at all, what it holds is unknown, not zero.
"""

import contextlib
import os
import re
import threading
import time
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from kombu.exceptions import KombuError

from rowlock.broker.management import Management, ManagementError, address
from rowlock.models import UNFINISHED, PausedQueue, Run, State, Worker
from rowlock.queues.pausing import paused_queues
from rowlock.runs import registry
from rowlock.runs.viewer import EVERYBODY, Viewer, visible

#: Seconds for which what the broker said is not asked again in this process.
FRESH = 2.0
#: Seconds that one answer may take.
PATIENCE = 1.5
#: Seconds for which a management API, and a broker, that did not answer is left alone.
PAUSE = 10.0
#: Seconds after which a worker that gives no sign of life is not counted as a consumer.
ALIVE = 60

_COLUMNS = (
    "name,messages_ready,messages_unacknowledged,consumers,"
    "message_stats.publish_details.rate,message_stats.ack_details.rate"
)


@dataclass(frozen=True, kw_only=True)
class Depth:
    """What the broker holds of a queue; None is what it did not tell."""

    ready: int
    unacked: int | None
    consumers: int | None
    #: Messages that came, and that were done with, a second.
    rate_in: float | None
    rate_out: float | None


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """One queue."""

    name: str
    #: False: it has runs, but no route and no setting names it any more.
    known: bool
    #: None while the broker does not answer.
    depth: Depth | None
    #: Unfinished runs by state, and `scheduled`: queued for later.
    counts: Mapping[str, int]
    #: Seconds that the run which waits longest has waited; None where none does.
    oldest_seconds: float | None
    paused: PausedQueue | None

    @property
    def unfinished(self) -> int:
        return sum(self.counts.values())


def queue_states(viewer: Viewer = EVERYBODY) -> list[QueueState]:
    """All queues by name, with the runs that `viewer` may see in `counts` and `oldest_seconds`."""
    known = set(registry.queue_names())
    waiting = _waiting(visible(Run.objects.all(), viewer))
    paused = paused_queues()
    names = sorted({*known, *waiting, *paused})
    held = depths(names)
    nothing = _Waiting(counts={}, oldest=None)
    return [
        QueueState(
            name=name,
            known=name in known,
            depth=None if held is None else held.get(name, _EMPTY),
            counts=waiting.get(name, nothing).counts,
            oldest_seconds=_age(waiting.get(name, nothing).oldest),
            paused=paused.get(name),
        )
        for name in names
    ]


def depths(names: Collection[str]) -> dict[str, Depth] | None:
    """What the broker holds of the queues `names`, those left out that it does not have; None if it does not answer.

    Takes up to a few seconds where it does not, and next to nothing where this process asked within 2 seconds.
    """
    with _lock:
        return _asked(tuple(sorted(set(names))))


@dataclass(frozen=True, kw_only=True)
class _Waiting:
    counts: Mapping[str, int]
    oldest: datetime | None


@dataclass(kw_only=True)
class _Known:
    """What this process has learnt, for a while."""

    names: tuple[str, ...] = ()
    depths: dict[str, Depth] | None = None
    until: float = 0.0
    without_management_until: float = 0.0


_EMPTY = Depth(ready=0, unacked=0, consumers=0, rate_in=0.0, rate_out=0.0)
_lock = threading.Lock()
_known = _Known()


def _asked(names: tuple[str, ...]) -> dict[str, Depth] | None:
    now = time.monotonic()
    if _known.names == names and now < _known.until:
        return _known.depths
    found = _by_management(names) if now >= _known.without_management_until else None
    if found is None:
        found = _by_broker(names)
    _known.names, _known.depths = names, found
    _known.until = time.monotonic() + (PAUSE if found is None else FRESH)
    return found


def _by_management(names: Collection[str]) -> dict[str, Depth] | None:
    url = str(registry.celery_app().conf.broker_url or "")
    try:
        where = address(url, os.environ.get("RABBITMQ_MANAGEMENT_URL", ""))
        answers = Management(where, timeout=PATIENCE).queues("|".join(re.escape(name) for name in names), _COLUMNS)
    except (ValueError, ManagementError):
        _known.without_management_until = time.monotonic() + PAUSE
        return None
    return {str(answer["name"]): _depth(answer) for answer in answers}


def _depth(answer: Mapping[str, Any]) -> Depth:
    # A queue that nothing has happened to yet has no statistics.
    statistics = answer.get("message_stats") or {}
    return Depth(
        ready=int(answer.get("messages_ready", 0)),
        unacked=int(answer.get("messages_unacknowledged", 0)),
        consumers=int(answer.get("consumers", 0)),
        rate_in=float((statistics.get("publish_details") or {}).get("rate", 0.0)),
        rate_out=float((statistics.get("ack_details") or {}).get("rate", 0.0)),
    )


def _by_broker(names: Collection[str]) -> dict[str, Depth] | None:
    broker = registry.celery_app().connection_for_read(connect_timeout=PATIENCE)
    try:
        broker.connect()
        found = {name: depth for name in names if (depth := _declared(broker, name)) is not None}
    except (KombuError, OSError, *broker.connection_errors, *broker.channel_errors):
        return None
    finally:
        # Taking leave of a broker that is silent takes long.
        broker.collect(socket_timeout=PATIENCE)
    if all(depth.consumers is not None for depth in found.values()):
        return found
    consumers = _workers_by_queue()
    return {name: replace(depth, consumers=consumers.get(name, 0)) for name, depth in found.items()}


def _declared(broker: Any, name: str) -> Depth | None:
    """What a passive declaration tells of a queue; None where there is no such queue."""
    is_amqp = broker.transport.driver_type == "amqp"
    # An error closes the channel.
    channel = broker.channel()
    try:
        if is_amqp:
            with broker.connection.transport.having_timeout(PATIENCE):
                told = channel.queue_declare(name, passive=True)
        else:
            told = channel.queue_declare(name, passive=True)
    except broker.channel_errors:
        return None
    else:
        count_unacked = getattr(channel, "count_unacked", None)
        return Depth(
            ready=int(told.message_count),
            unacked=count_unacked(name) if count_unacked else None,
            # kombu's own transports tell of none.
            consumers=int(told.consumer_count) if is_amqp else None,
            rate_in=None,
            rate_out=None,
        )
    finally:
        with contextlib.suppress(OSError, *broker.connection_errors, *broker.channel_errors):
            channel.close()


def _workers_by_queue() -> dict[str, int]:
    """How many workers there are for each queue that is not paused, by what they tell themselves."""
    paused = set(PausedQueue.objects.values_list("queue", flat=True))
    alive = Worker.objects.filter(seen__gte=Now() - timedelta(seconds=ALIVE), draining=False)
    return Counter(name for worker in alive for name in worker.queue_names if name not in paused)


def _waiting(runs: QuerySet[Run]) -> dict[str, _Waiting]:
    later = Q(state=State.QUEUED, due__gt=timezone.now())
    unfinished = runs.filter(state__in=UNFINISHED).order_by().values("queue", "state")
    counts: dict[str, dict[str, int]] = {}
    oldest: dict[str, datetime] = {}
    for row in unfinished.annotate(all=Count("id"), later=Count("id", filter=later), oldest=Min("published")):
        of_queue = counts.setdefault(row["queue"], {})
        of_queue[State(row["state"]).label] = row["all"] - row["later"]
        of_queue["scheduled"] = of_queue.get("scheduled", 0) + row["later"]
        if row["state"] == State.PUBLISHED and row["oldest"] is not None:
            oldest[row["queue"]] = row["oldest"]
    return {queue: _Waiting(counts=of_queue, oldest=oldest.get(queue)) for queue, of_queue in counts.items()}


def _age(since: datetime | None) -> float | None:
    return None if since is None else max(0.0, (timezone.now() - since).total_seconds())
