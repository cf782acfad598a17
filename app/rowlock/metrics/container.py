"""How much memory the container of this process uses and may use, as its cgroup tells."""

from collections.abc import Iterator
from pathlib import Path

from prometheus_client import REGISTRY
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from rowlock.conf import pool_name

CGROUP = Path("/sys/fs/cgroup")
#: Bytes from which on a limit of cgroup v1 means none: it says the largest number of pages that there can be.
UNLIMITED = 1 << 60

_registered = False


def register() -> None:
    """Serve the memory of this process's container from now on; once is enough, and more does no harm."""
    global _registered  # noqa: PLW0603 - a process has one container and one registry
    if not _registered:
        _registered = True
        REGISTRY.register(ContainerCollector(pool_name()))


class ContainerCollector(Collector):
    """Reads the cgroup at every scrape; tells nothing outside of a container."""

    def __init__(self, pool: str, folder: Path = CGROUP) -> None:
        self._pool = pool
        self._folder = folder

    def describe(self) -> list[Metric]:
        """Nothing, so that registering reads nothing."""
        return []

    def collect(self) -> Iterator[Metric]:
        used = working_set(self._folder)
        if used is None:
            return
        yield self._gauge("rowlock_container_memory_bytes", "Memory in use, without files that can be dropped.", used)
        limit = memory_limit(self._folder)
        if limit is not None:
            yield self._gauge(
                "rowlock_container_memory_limit_bytes", "Memory above which the kernel kills processes.", limit
            )

    def _gauge(self, name: str, help_text: str, value: int) -> Metric:
        gauge = GaugeMetricFamily(name, help_text, labels=["pool"])
        gauge.add_metric([self._pool], value)
        return gauge


def working_set(folder: Path = CGROUP) -> int | None:
    """Bytes that the kernel counts when it decides whom to kill: all but inactive files. None without a cgroup."""
    used = _number(folder / "memory.current")
    if used is not None:
        return max(0, used - _inactive_files(folder / "memory.stat", "inactive_file"))
    used = _number(folder / "memory" / "memory.usage_in_bytes")
    if used is None:
        return None
    return max(0, used - _inactive_files(folder / "memory" / "memory.stat", "total_inactive_file"))


def memory_limit(folder: Path = CGROUP) -> int | None:
    """Bytes that the container may use; None without a limit."""
    limit = _number(folder / "memory.max")
    if limit is None:
        limit = _number(folder / "memory" / "memory.limit_in_bytes")
    return None if limit is None or limit >= UNLIMITED else limit


def _inactive_files(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(value) for key, _, value in (line.partition(" ") for line in lines) if key == name), 0)


def _number(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except OSError:
        return None
    # Without a limit cgroup v2 says `max`.
    return int(text) if text.isdecimal() else None
