"""The metrics of the release in its cluster: its pods, its pools' ceilings, its queues that are paused."""

from collections.abc import Iterator, Mapping, Set

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rowlock.collector.cluster import Cluster
from rowlock.collector.watching import Watcher

_LABELS = ("component", "pool")


class ClusterCollector(Collector):
    """Tells the last answer of the API server, or only that there is none."""

    def __init__(self, watcher: Watcher[Cluster]) -> None:
        self._watcher = watcher

    def describe(self) -> list[Metric]:
        """Nothing, as there is nothing yet when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        answer = self._watcher.last()
        if answer is None:
            return
        found = answer.found
        yield GaugeMetricFamily(
            "rowlock_kubernetes_up", "1 if the API server answered last, else 0.", value=float(found is not None)
        )
        if found is not None:
            yield from _of_cluster(found)


class PoolCollector(Collector):
    """Tells how many pods the autoscaler of each pool may make, as the chart said."""

    def __init__(self, pods_max: Mapping[str, int]) -> None:
        self._pods_max = pods_max

    def describe(self) -> list[Metric]:
        """Nothing, as of the other collectors."""
        return []

    def collect(self) -> Iterator[Metric]:
        gauge = GaugeMetricFamily("rowlock_pool_pods_max", "Pods that the pool may grow to.", labels=["pool"])
        for pool, most in self._pods_max.items():
            gauge.add_metric([pool], most)
        yield gauge


class PausedCollector(Collector):
    """Tells which of the queues of the pools are paused; nothing while the database does not say."""

    def __init__(self, watcher: Watcher[Set[str]], pools: Mapping[str, str]) -> None:
        self._watcher = watcher
        self._pools = pools

    def describe(self) -> list[Metric]:
        """Nothing, as there is nothing yet when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        answer = self._watcher.last()
        if answer is None or answer.found is None:
            return
        gauge = GaugeMetricFamily(
            "rowlock_queue_paused", "1 while the queue is paused, else 0.", labels=["queue", "pool"]
        )
        for queue, pool in self._pools.items():
            gauge.add_metric([queue, pool], float(queue in answer.found))
        yield gauge


def _of_cluster(found: Cluster) -> Iterator[Metric]:
    for name, help_text, counts in (
        ("rowlock_pods_wanted", "Pods that the Deployments of the release ask for.", found.pods_wanted),
        ("rowlock_pods_ready", "Those of them that are ready.", found.pods_ready),
    ):
        gauge = GaugeMetricFamily(name, help_text, labels=_LABELS)
        for part, count in counts.items():
            gauge.add_metric(part, count)
        yield gauge
    restarts = CounterMetricFamily(
        "rowlock_container_restarts", "Restarts of containers that the collector has seen.", labels=_LABELS
    )
    for part, count in found.restarts.items():
        restarts.add_metric(part, count)
    yield restarts
    yield GaugeMetricFamily(
        "rowlock_migration_failed",
        "1 if the newest migration of the release failed, else 0.",
        value=float(found.migration_failed),
    )
