"""What the broker says of the queues at one moment."""

import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rowlock.broker.management import Forbidden, Management
from rowlock.broker.topology import DEAD_QUEUE, DELAYED_QUEUES
from rowlock.collector.age import AgeEstimate

_COLUMNS = "name,policy,consumers,messages,messages_ready,messages_unacknowledged,message_stats"
ALARMS = {"memory": "mem_alarm", "disk": "disk_free_alarm"}

_NODE_COLUMNS = "running,mem_alarm,disk_free_alarm,mem_used,mem_limit,disk_free,disk_free_limit"

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
class Nodes:
    """The broker's nodes; bytes are of the node that is nearest to its alarm, None where RabbitMQ does not measure."""

    #: How many have an alarm, by kind.
    alarms: Mapping[str, int]
    memory: int | None = None
    memory_limit: int | None = None
    disk_free: int | None = None
    disk_free_limit: int | None = None


@dataclass(frozen=True, kw_only=True)
class Clients:
    """Connections and channels that this user may see, of all vhosts."""

    connections: int
    channels: int


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All queues, at `taken` in monotonic seconds."""

    taken: float
    queues: tuple[QueueState, ...]
    dead: int
    #: Messages that wait for their countdown or ETA, whatever their queue.
    delayed: int
    #: None where this user may not know.
    nodes: Nodes | None
    clients: Clients
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
        """Two or three questions to the broker; raises ManagementErrors."""
        answers = self._management.queues(self._pattern, _COLUMNS)
        now = time.monotonic()
        found = {queue["name"]: queue for queue in answers}
        delayed = [queue for name, queue in found.items() if name not in self._pools and name != DEAD_QUEUE]
        return Snapshot(
            taken=now,
            queues=self._states(found, now),
            dead=int(found.get(DEAD_QUEUE, {}).get("messages", 0)),
            delayed=sum(int(queue.get("messages", 0)) for queue in delayed),
            nodes=self._nodes(),
            clients=self._clients(),
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

    def _nodes(self) -> Nodes | None:
        if not self._may_see_nodes:
            return None
        try:
            nodes = self._management.get("nodes", columns=_NODE_COLUMNS) or []
        except Forbidden:
            # It takes the tag `monitoring`, and all else does not.
            self._may_see_nodes = False
            return None
        alarms = {kind: sum(bool(node.get(key)) for node in nodes) for kind, key in ALARMS.items()}
        memory, memory_limit = _tightest(nodes, "mem_used", "mem_limit", lambda used, limit: limit - used)
        disk_free, disk_free_limit = _tightest(nodes, "disk_free", "disk_free_limit", lambda free, limit: free - limit)
        return Nodes(
            alarms=alarms,
            memory=memory,
            memory_limit=memory_limit,
            disk_free=disk_free,
            disk_free_limit=disk_free_limit,
        )

    def _clients(self) -> Clients:
        totals = (self._management.get("overview", columns="object_totals") or {}).get("object_totals") or {}
        return Clients(connections=int(totals.get("connections", 0)), channels=int(totals.get("channels", 0)))


def _tightest(
    nodes: Iterable[Mapping[str, Any]], key: str, limit_key: str, room: Callable[[int, int], int]
) -> tuple[int | None, int | None]:
    # A node that is down has no numbers, and one whose disk is not watched has words.
    pairs = [(node.get(key), node.get(limit_key)) for node in nodes]
    numbers = [(value, limit) for value, limit in pairs if isinstance(value, int) and isinstance(limit, int)]
    return min(numbers, key=lambda pair: room(*pair), default=(None, None))
