"""What Redis tells of itself."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from rowlock.collector import certificate
from rowlock.collector.refreshing import Refreshed

#: Seconds for a connection and for an answer.
TIMEOUT = 3.0


@dataclass(frozen=True, kw_only=True)
class Redis:
    """One look at the server."""

    memory_bytes: int
    #: 0: none.
    memory_limit_bytes: int
    clients: int
    commands: int
    hits: int
    misses: int
    evicted_keys: int
    #: Unix time; None without TLS.
    certificate_expires: float | None


def watched(url: str) -> Callable[[], Redis] | None:
    """What asks the server at `url`; None without redis-py, or where nothing is at `url`."""
    if not url:
        return None
    try:
        import redis
    except ImportError:
        return None
    client: Any = redis.Redis.from_url(url, socket_timeout=TIMEOUT, socket_connect_timeout=TIMEOUT)
    certificates: Refreshed[float | None] = Refreshed()
    return lambda: look(client, certificates, url)


def look(client: Any, certificates: Refreshed[float | None], url: str) -> Redis:
    """Ask once. Raises redis-py's errors."""
    told: dict[str, Any] = client.info()
    return Redis(
        memory_bytes=told["used_memory"],
        memory_limit_bytes=told.get("maxmemory", 0),
        clients=told["connected_clients"],
        commands=told["total_commands_processed"],
        hits=told["keyspace_hits"],
        misses=told["keyspace_misses"],
        evicted_keys=told["evicted_keys"],
        certificate_expires=certificates.get(lambda: _certificate(url)),
    )


def _certificate(url: str) -> float | None:
    parts = urlsplit(url)
    with suppress(OSError, ValueError):
        if parts.scheme == "rediss" and parts.hostname:
            return certificate.expires(parts.hostname, parts.port or 6379)
    return None
