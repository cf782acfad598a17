"""The metrics of the broker, made anew from the last snapshot at every scrape."""

import time
from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rowlock.collector.snapshot import Nodes, QueueState, Snapshot

#: Seconds for which a snapshot is told when no newer one could be had. An autoscaler must not act on what may be long
#: over, and alerts have `rowlock_broker_up`.
LONGEST_AGE = 30.0

_LABELS = ("queue", "pool")
_GAUGES: tuple[tuple[str, str, Callable[[QueueState], float]], ...] = (
    ("rowlock_queue_oldest_seconds", "How long the first message of the queue has waited.", lambda queue: queue.oldest),
    ("rowlock_queue_consumers", "Consumers of the queue.", lambda queue: queue.consumers),
)
_COUNTERS: tuple[tuple[str, str, Callable[[QueueState], float]], ...] = (
    (
        "rowlock_queue_published",
        "Messages that were published to the queue; not those that came out of a delay.",
        lambda queue: queue.published,
    ),
    ("rowlock_queue_delivered", "Messages that were given to consumers.", lambda queue: queue.delivered),
    ("rowlock_queue_acknowledged", "Messages that consumers were done with.", lambda queue: queue.acknowledged),
)
_OF_NODES: tuple[tuple[str, str, Callable[[Nodes], int | None]], ...] = (
    ("rowlock_broker_memory_bytes", "Memory that RabbitMQ uses.", lambda nodes: nodes.memory),
    (
        "rowlock_broker_memory_limit_bytes",
        "Memory from which on it takes no messages.",
        lambda nodes: nodes.memory_limit,
    ),
    ("rowlock_broker_disk_free_bytes", "What is free on RabbitMQ's disk.", lambda nodes: nodes.disk_free),
    (
        "rowlock_broker_disk_free_limit_bytes",
        "Free space below which it takes no messages.",
        lambda nodes: nodes.disk_free_limit,
    ),
)


class BrokerCollector(Collector):
    """Tells the last snapshot, or only that there is none."""

    def __init__(self, last: Callable[[], Snapshot | None], answers: Callable[[], bool]) -> None:
        self._last = last
        self._answers = answers

    def describe(self) -> list[Metric]:
        """Nothing, as there is nothing yet when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily(
            "rowlock_broker_up", "1 if RabbitMQ's management API answered last, else 0.", value=float(self._answers())
        )
        snapshot = self._last()
        if snapshot is None or time.monotonic() - snapshot.taken > LONGEST_AGE:
            return
        yield GaugeMetricFamily("rowlock_dead_letters", "Messages in the queue rowlock.dead.", value=snapshot.dead)
        yield GaugeMetricFamily(
            "rowlock_delayed_messages",
            "Messages that wait in RabbitMQ for their time.",
            value=snapshot.delayed,
        )
        if snapshot.nodes is not None:
            yield from _of_nodes(snapshot.nodes)
        yield GaugeMetricFamily(
            "rowlock_broker_connections", "Connections to RabbitMQ.", value=snapshot.clients.connections
        )
        yield GaugeMetricFamily("rowlock_broker_channels", "Channels in them.", value=snapshot.clients.channels)
        yield from _of_queues(snapshot)


def _of_nodes(nodes: Nodes) -> Iterator[Metric]:
    alarms = GaugeMetricFamily(
        "rowlock_broker_alarms", "Nodes that are out of memory or disk and take no messages.", labels=["kind"]
    )
    for kind, number in nodes.alarms.items():
        alarms.add_metric([kind], number)
    yield alarms
    for name, help_text, of in _OF_NODES:
        value = of(nodes)
        if value is not None:
            yield GaugeMetricFamily(name, help_text, value=value)


def _of_queues(snapshot: Snapshot) -> Iterator[Metric]:
    messages = GaugeMetricFamily(
        "rowlock_queue_messages",
        "Messages that are ready, or with a worker (unacked).",
        labels=[*_LABELS, "state"],
    )
    for queue in snapshot.queues:
        messages.add_metric([queue.name, queue.pool, "ready"], queue.ready)
        messages.add_metric([queue.name, queue.pool, "unacked"], queue.unacked)
    yield messages
    for name, help_text, value in _GAUGES:
        gauge = GaugeMetricFamily(name, help_text, labels=_LABELS)
        for queue in snapshot.queues:
            gauge.add_metric([queue.name, queue.pool], value(queue))
        yield gauge
    for name, help_text, value in _COUNTERS:
        counter = CounterMetricFamily(name, help_text, labels=_LABELS)
        for queue in snapshot.queues:
            counter.add_metric([queue.name, queue.pool], value(queue))
        yield counter
