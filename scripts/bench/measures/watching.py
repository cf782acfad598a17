"""What it costs to watch: throughput and processor time with Rowlock's metrics, and with the events of Celery that
exporters of others count by; and what a probe costs, on both sides, over HTTP and as `celery inspect ping`.
"""

import http.client
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable
from functools import partial
from http import HTTPStatus

from cases import Bench, Case, Figure, Quantity
from filled import execute, variables_of
from peers import NODE, WATCHED, Peer, find
from processes import Group, free_port, running, until
from servers import answers

BASE = WATCHED[0].name
GET, PING = "GET /readyz", "celery inspect ping"
GETS, PINGS = 500, 3


def cases(bench: Bench) -> list[Case]:
    return [*(Case(run=partial(_execute, bench, peer)) for peer in WATCHED), Case(run=partial(_probe, bench))]


def _execute(bench: Bench, peer: Peer) -> Iterable[Figure]:
    done = execute(bench, peer, "nothing", bench.tasks)
    rate = Quantity(title="no-op tasks executed, watched", unit="a second", base=BASE)
    cpu = Quantity(title="processor seconds of the worker for 1000 no-op tasks, watched", unit="s", base=BASE, digits=2)
    yield Figure(quantity=rate, subject=peer.name, value=done.rate)
    yield Figure(quantity=cpu, subject=peer.name, value=done.cpu)


def _probe(bench: Bench) -> Iterable[Figure]:
    peer = find("rowlock, prefork 2")
    port = free_port()
    variables = {**variables_of(bench, peer), "ROWLOCK_PORT": str(port)}
    with running(peer.worker, bench.out / "probed.log", variables=variables) as worker:
        until(lambda: answers(port, "/readyz", HTTPStatus.OK), worker, "the worker is ready", pause=0.2)
        ping = (
            "celery",
            "-A",
            f"peers.{peer.module}",
            "inspect",
            "ping",
            "--destination",
            f"0@{NODE}",
            "--timeout",
            "10",
        )
        yield from _cost(GET, worker, lambda: _get(port), GETS)
        yield from _cost(PING, worker, lambda: _run(ping, variables), PINGS)


def _cost(subject: str, worker: Group, probe: Callable[[], None], times: int) -> Iterable[Figure]:
    walls = []
    before = worker.cpu() + _own_cpu()
    for _ in range(times):
        began = time.perf_counter()
        probe()
        walls.append(time.perf_counter() - began)
    cpu = (worker.cpu() + _own_cpu() - before) / times
    wall = Quantity(title="a probe", unit="ms", base=GET, digits=2)
    yield Figure(quantity=wall, subject=subject, value=statistics.median(walls) * 1000)
    spent = Quantity(title="processor time of a probe, both sides", unit="ms", base=GET, digits=2)
    yield Figure(quantity=spent, subject=subject, value=cpu * 1000)


def _get(port: int) -> None:
    # As kubelet does: a connection for each probe. Its client costs less than Python's.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", "/readyz")
    connection.getresponse().read()
    connection.close()


def _run(command: tuple[str, ...], variables: dict[str, str]) -> None:
    subprocess.run(command, env={**os.environ, **variables}, check=True, stdout=subprocess.DEVNULL)


def _own_cpu() -> float:
    """Seconds of processor time of this process and of the children that have ended."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, whose))
