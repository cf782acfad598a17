"""What the broker says of the queues at one moment."""

import re
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rowlock.broker.management import Forbidden, Management
from rowlock.broker.topology import DEAD_QUEUE, DELAYED_QUEUES
from rowlock.collector.age import AgeEstimate

_COLUMNS = "name,policy,consumers,messages,messages_ready,messages_unacknowledged,message_stats"
ALARMS = {"memory": "mem_alarm", "disk": "disk_free_alarm"}

#: Seconds that the first message of some queues has waited at least, from elsewhere.
Elsewhere = Callable[[Collection[str]], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class QueueState:
    """One queue; all zero while the broker does not have it."""

    name: str
    pool: str
    ready: int
    unacked: int
    consumers: int
    #: Seconds that its first message has waited.
    oldest: float
    published: int
    delivered: int
    acknowledged: int


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All queues, at `taken` in monotonic seconds."""

    taken: float
    queues: tuple[QueueState, ...]
    dead: int
    #: Messages that wait for their countdown or ETA, whatever their queue.
    delayed: int
    #: Nodes with an alarm, by kind; None where this user may not know.
    alarms: Mapping[str, int] | None
    #: What the broker answered, a queue each.
    raw: tuple[Mapping[str, Any], ...]


class Watch:
    """Asks the broker again and again, and remembers what ages need."""

    def __init__(self, management: Management, pools: Mapping[str, str]) -> None:
        self._management = management
        self._pools = pools
        self.elsewhere: Elsewhere | None = None
        self._ages = {queue: AgeEstimate() for queue in pools}
        names = "|".join(re.escape(queue) for queue in {*pools, DEAD_QUEUE})
        self._pattern = f"{names}|{DELAYED_QUEUES}"
        self._may_see_nodes = True

    def look(self) -> Snapshot:
        """One or two questions to the broker; raises ManagementErrors."""
        answers = self._management.queues(self._pattern, _COLUMNS)
        now = time.monotonic()
        found = {queue["name"]: queue for queue in answers}
        delayed = [queue for name, queue in found.items() if name not in self._pools and name != DEAD_QUEUE]
        return Snapshot(
            taken=now,
            queues=self._states(found, now),
            dead=int(found.get(DEAD_QUEUE, {}).get("messages", 0)),
            delayed=sum(int(queue.get("messages", 0)) for queue in delayed),
            alarms=self._alarms(),
            raw=tuple(answers),
        )

    def _states(self, found: Mapping[str, Mapping[str, Any]], now: float) -> tuple[QueueState, ...]:
        unsure: dict[str, float] = {}
        states = []
        for name, pool in self._pools.items():
            queue = found.get(name, {})
            # A queue that nothing has happened to yet has no statistics.
            counts = queue.get("message_stats", {})
            ready, unacked = int(queue.get("messages_ready", 0)), int(queue.get("messages_unacknowledged", 0))
            acked = int(counts.get("ack", 0))
            age = self._ages[name].observe(now, ready=ready, unacked=unacked, acked=acked)
            if not age.exact:
                unsure[name] = age.seconds
            states.append(
                QueueState(
                    name=name,
                    pool=pool,
                    ready=ready,
                    unacked=unacked,
                    consumers=int(queue.get("consumers", 0)),
                    oldest=age.seconds,
                    published=int(counts.get("publish", 0)),
                    delivered=int(counts.get("deliver_get", 0)),
                    acknowledged=acked,
                )
            )
        if not unsure or self.elsewhere is None:
            return tuple(states)
        better = self.elsewhere(unsure.keys())
        return tuple(
            replace(state, oldest=max(state.oldest, better.get(state.name, 0.0))) if state.name in unsure else state
            for state in states
        )

    def _alarms(self) -> dict[str, int] | None:
        if not self._may_see_nodes:
            return None
        try:
            nodes = self._management.get("nodes", columns="running,mem_alarm,disk_free_alarm") or []
        except Forbidden:
            # It takes the tag `monitoring`, and all else does not.
            self._may_see_nodes = False
            return None
        return {kind: sum(bool(node.get(key)) for node in nodes) for kind, key in ALARMS.items()}
