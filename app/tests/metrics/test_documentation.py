"""docs/metrics.md and what the code exports say the same."""

import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from prometheus_client import REGISTRY
from prometheus_client.core import Metric

import rowlock.metrics.beat
import rowlock.metrics.tasks
from rowlock.collector.cluster import Cluster
from rowlock.collector.exposition import BrokerCollector
from rowlock.collector.parts import ClusterCollector, PausedCollector, PoolCollector
from rowlock.collector.postgres import STATES, Postgres
from rowlock.collector.redis_server import Redis
from rowlock.collector.services import ServicesCollector, State
from rowlock.collector.snapshot import ALARMS, Clients, Nodes, QueueState, Snapshot
from rowlock.collector.watching import Watcher
from rowlock.metrics.container import ContainerCollector
from rowlock.metrics.outbox import Backlog, OutboxCollector
from tests.processes import APP, wait_until

PAGE = (APP.parent / "docs" / "metrics.md").read_text()
OF_THE_PROCESS = (rowlock.metrics.beat, rowlock.metrics.tasks)


def families() -> Iterator[Metric]:
    queue = QueueState(
        name="q", pool="p", ready=1, unacked=1, consumers=1, oldest=1, published=1, delivered=1, acknowledged=1
    )
    nodes = Nodes(alarms=dict.fromkeys(ALARMS, 0), memory=1, memory_limit=1, disk_free=1, disk_free_limit=1)
    clients = Clients(connections=1, channels=1)
    snapshot = Snapshot(
        taken=time.monotonic(), queues=(queue,), dead=0, delayed=0, nodes=nodes, clients=clients, raw=()
    )
    yield from REGISTRY.collect()
    yield from BrokerCollector(lambda: snapshot, lambda: True).collect()
    yield from OutboxCollector(lambda: Backlog(pending=0, oldest=0)).collect()
    yield from of_services()
    yield from of_the_cluster()
    yield from of_a_container()


def of_services() -> Iterator[Metric]:
    postgres = Postgres(
        connections=dict.fromkeys(STATES, 0),
        connections_max=1,
        locks_waiting=0,
        oldest_transaction_seconds=0,
        database_bytes=1,
        commits=1,
        rollbacks=0,
        deadlocks=0,
        certificate_expires=1.0,
    )
    redis = Redis(
        memory_bytes=1,
        memory_limit_bytes=0,
        clients=1,
        commands=1,
        hits=0,
        misses=0,
        evicted_keys=0,
        certificate_expires=None,
    )
    broker = State(is_up=True)
    yield from ServicesCollector(broker=lambda: broker, postgres=answering(postgres), redis=answering(redis)).collect()


def of_the_cluster() -> Iterator[Metric]:
    part = ("worker", "p")
    cluster = Cluster(pods_wanted={part: 1}, pods_ready={part: 1}, restarts={part: 0}, migration_failed=False)
    yield from ClusterCollector(answering(cluster)).collect()
    yield from PoolCollector({"p": 1}).collect()
    yield from PausedCollector(answering({"q"}), {"q": "p"}).collect()


def of_a_container() -> Iterator[Metric]:
    with TemporaryDirectory() as folder:
        for name in ("memory.current", "memory.max"):
            (Path(folder) / name).write_text("1\n")
        yield from ContainerCollector("p", Path(folder)).collect()


def answering(found: Any) -> Any:
    """A watcher of which the first question is answered."""
    watcher = Watcher("test", lambda: found, interval=3600).start()
    wait_until("its answer", watcher.last)
    return watcher


def exported() -> dict[str, Metric]:
    ours = (family for family in families() if family.name.startswith("rowlock_"))
    return {family.name + "_total" * (family.type == "counter"): family for family in ours}


def rows() -> dict[str, list[str]]:
    """The cells of each table row that defines a metric: those whose second cell is a type."""
    cells = ([cell.strip() for cell in line.strip("| ").split(" | ")] for line in PAGE.splitlines())
    return {row[0].strip("`"): row for row in cells if len(row) > 2 and {"gauge", "counter", "histogram"} & {*row[1:3]}}


def missing(names: Iterable[str], among: Iterable[str]) -> list[str]:
    return sorted({*names} - {*among})


def test_every_metric_that_is_exported_is_documented() -> None:
    assert not missing(exported(), rows())


def test_every_metric_that_is_documented_is_exported() -> None:
    assert not missing(rows(), exported())


@pytest.mark.parametrize("name", sorted(rows()))
def test_a_metric_has_the_documented_type_and_labels(name: str) -> None:
    row, family = rows()[name], exported()[name]

    assert family.type in row, f"{name} is a {family.type}"
    for sample in family.samples:
        for label in sample.labels.keys() - {"le"}:
            assert f"`{label}`" in PAGE, f"{name} has a label {label}"


def test_every_name_in_queries_and_mappings_exists() -> None:
    used = set(re.findall(r"\browlock_[a-z_]+", PAGE)) - {"rowlock_due"}
    parts = {name + suffix for name in exported() for suffix in ("", "_bucket", "_count", "_sum")}

    assert not missing(used, parts)


def test_metrics_are_defined_in_one_place_only() -> None:
    folder = APP / "rowlock"
    homes = {folder / "metrics", folder / "collector"}
    text = re.compile(r"^from prometheus_client(\.core)? import .*(Counter|Gauge|Histogram)", re.MULTILINE)
    astray = [path for path in folder.rglob("*.py") if not homes & {*path.parents} and text.search(path.read_text())]

    assert not astray, [str(Path(path).relative_to(folder)) for path in astray]
