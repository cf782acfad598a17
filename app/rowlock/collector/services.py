"""The metrics of the services, made anew from the last answers at every scrape."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rowlock.collector.failing import REASONS, Reason
from rowlock.collector.postgres import Postgres
from rowlock.collector.redis_server import Redis
from rowlock.collector.watching import Watcher

_POSTGRES: tuple[tuple[type, str, str, Callable[[Postgres], float]], ...] = (
    (
        GaugeMetricFamily,
        "rowlock_postgres_connections_max",
        "Connections that the server allows.",
        lambda found: found.connections_max,
    ),
    (
        GaugeMetricFamily,
        "rowlock_postgres_locks_waiting",
        "Connections that wait for a lock.",
        lambda found: found.locks_waiting,
    ),
    (
        GaugeMetricFamily,
        "rowlock_postgres_oldest_transaction_seconds",
        "Age of the oldest open transaction; 0 without one.",
        lambda found: found.oldest_transaction_seconds,
    ),
    (
        GaugeMetricFamily,
        "rowlock_postgres_database_bytes",
        "Size of the database.",
        lambda found: found.database_bytes,
    ),
    (CounterMetricFamily, "rowlock_postgres_commits", "Transactions that were committed.", lambda found: found.commits),
    (
        CounterMetricFamily,
        "rowlock_postgres_rollbacks",
        "Transactions that were rolled back.",
        lambda found: found.rollbacks,
    ),
    (CounterMetricFamily, "rowlock_postgres_deadlocks", "Deadlocks that were found.", lambda found: found.deadlocks),
)
_REDIS: tuple[tuple[type, str, str, Callable[[Redis], float]], ...] = (
    (GaugeMetricFamily, "rowlock_redis_memory_bytes", "Memory that Redis uses.", lambda found: found.memory_bytes),
    (
        GaugeMetricFamily,
        "rowlock_redis_memory_limit_bytes",
        "Its maxmemory; 0 for none.",
        lambda found: found.memory_limit_bytes,
    ),
    (GaugeMetricFamily, "rowlock_redis_clients", "Connections to Redis.", lambda found: found.clients),
    (CounterMetricFamily, "rowlock_redis_commands", "Commands that it executed.", lambda found: found.commands),
    (CounterMetricFamily, "rowlock_redis_hits", "Reads that found their key.", lambda found: found.hits),
    (CounterMetricFamily, "rowlock_redis_misses", "Reads that did not.", lambda found: found.misses),
    (CounterMetricFamily, "rowlock_redis_evicted_keys", "Keys dropped for memory.", lambda found: found.evicted_keys),
)


@dataclass(frozen=True, kw_only=True)
class State:
    """What is told of any service."""

    #: None while nobody knows.
    is_up: bool | None
    reason: Reason | None = None
    #: Unix time; None without TLS.
    certificate_expires: float | None = None


class ServicesCollector(Collector):
    """Tells the last answers of those services that this process watches."""

    def __init__(
        self,
        *,
        broker: Callable[[], State],
        postgres: Watcher[Postgres] | None = None,
        redis: Watcher[Redis] | None = None,
    ) -> None:
        self._broker = broker
        self._postgres = postgres
        self._redis = redis

    def describe(self) -> list[Metric]:
        """Nothing, as there is nothing yet when this is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        states = {"rabbitmq": self._broker()}
        postgres = redis = None
        if self._postgres is not None:
            states["postgresql"], postgres = _state(self._postgres)
        if self._redis is not None:
            states["redis"], redis = _state(self._redis)
        yield from _of_all(states)
        if postgres is not None:
            yield from _of_postgres(postgres)
        if redis is not None:
            for kind, name, help_text, value in _REDIS:
                yield kind(name, help_text, value=value(redis))


def _state(watcher: Watcher[Any]) -> tuple[State, Any]:
    answer = watcher.last()
    if answer is None:
        return State(is_up=None), None
    found = answer.found
    expires = None if found is None else found.certificate_expires
    return State(is_up=found is not None, reason=answer.reason, certificate_expires=expires), found


def _of_all(states: Mapping[str, State]) -> Iterator[Metric]:
    up = GaugeMetricFamily("rowlock_service_up", "1 if the service answered last, else 0.", labels=["service"])
    failing = GaugeMetricFamily(
        "rowlock_service_failing", "1 for the reason why the service does not answer.", labels=["service", "reason"]
    )
    expires = GaugeMetricFamily(
        "rowlock_service_certificate_expires_timestamp_seconds",
        "When the certificate of the service expires, Unix time.",
        labels=["service"],
    )
    for service, state in states.items():
        if state.is_up is None:
            continue
        up.add_metric([service], float(state.is_up))
        for reason in REASONS:
            failing.add_metric([service, reason], float(state.reason == reason))
        if state.certificate_expires is not None:
            expires.add_metric([service], state.certificate_expires)
    yield from (up, failing, expires)


def _of_postgres(found: Postgres) -> Iterator[Metric]:
    connections = GaugeMetricFamily("rowlock_postgres_connections", "Connections to the server.", labels=["state"])
    for state, number in found.connections.items():
        connections.add_metric([state], number)
    yield connections
    for kind, name, help_text, value in _POSTGRES:
        yield kind(name, help_text, value=value(found))
