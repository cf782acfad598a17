"""What it costs to watch: throughput and processor time with Rowlock's metrics, with Celery's events that exporters of
others count by, with celery-exporter that listens to them, and while the worker is probed; and what a probe costs, on
both sides, over HTTP and as `celery inspect ping`.
"""

import contextlib
import http.client
import os
import resource
import statistics
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from http import HTTPStatus

import containers
from cases import Bench, Case, Figure, Quantity
from exporter import Exporter, exporting
from filled import execute, slug, variables_of
from learning import learn
from paced import Pace
from peers import NODE, WATCHED, Peer, Watched, find
from processes import Group, free_port, running, until
from servers import answers

GET, LIVE, PING = "GET /readyz", "GET /livez", "celery inspect ping"
GETS, PINGS = 500, 3
#: Seconds between two probes while tasks are executed; `inspect ping` takes longer, and so comes again at once.
PERIOD = 1.0
PART = "watched"


@dataclass(frozen=True, kw_only=True)
class Spent:
    """Processor seconds of the services, and of what listens."""

    services: float
    listener: float


def cases(bench: Bench) -> list[Case]:
    # A side is given as many tasks whatever watches it.
    paces = {one.side: Pace(slots=one.peer.slots) for one in WATCHED}
    return [
        *(Case(run=partial(_watch, bench, watched, paces[watched.side]), is_warm=True) for watched in WATCHED),
        Case(run=partial(_probe, bench), is_warm=True),
    ]


def _watch(bench: Bench, watched: Watched, pace: Pace) -> Iterable[Figure]:
    first = next(one.peer for one in WATCHED if one.side == watched.side)
    base, subject, about = first.name, watched.peer.name, f"watched, {watched.side}"
    if not bench.tasks and not pace.rates:
        pace.rates["nothing"] = learn(bench, first, f"{PART} at first")
    stretch = pace.stretch(bench, "nothing")
    with contextlib.ExitStack() as stack:
        exporter = None
        if watched.has_exporter:
            exporter = stack.enter_context(exporting(bench.out / f"exporter-{slug(subject)}.log"))
        peer = stack.enter_context(_probed(bench, watched))
        before = _spent(exporter)
        done = execute(bench, peer, [stretch], PART)[0]
        counted = exporter.settle(stretch.tasks) if exporter else 0
        after = _spent(exporter)
    if watched.peer == first:
        pace.learn(done)
    # Published too, which sends events.
    tasks = stretch.tasks

    def cpu_of(whose: str) -> Quantity:
        return Quantity(
            title=f"processor seconds of {whose} for 1000 no-op tasks, {about}", unit="s", base=base, digits=2
        )

    rate = Quantity(title=f"no-op tasks executed, {about}", unit="a second", base=base)
    yield Figure(quantity=rate, subject=subject, value=done.rate)
    yield Figure(quantity=cpu_of("the worker"), subject=subject, value=done.cpu)
    if before.services:
        spent = (after.services - before.services) * 1000 / tasks
        yield Figure(quantity=cpu_of("RabbitMQ, Redis and Postgres"), subject=subject, value=spent)
    if exporter:
        listening = Quantity(title="processor seconds of celery-exporter for 1000 no-op tasks", unit="s", digits=2)
        yield Figure(quantity=listening, subject=subject, value=(after.listener - before.listener) * 1000 / tasks)
        share = Quantity(title="tasks that celery-exporter has counted in the end", unit="of 1000")
        yield Figure(quantity=share, subject=subject, value=counted * 1000 / tasks)


def _spent(exporter: Exporter | None) -> Spent:
    return Spent(
        services=sum(containers.used().values()),
        listener=exporter.group.cpu() if exporter else 0.0,
    )


@contextlib.contextmanager
def _probed(bench: Bench, watched: Watched) -> Iterator[Peer]:
    """Its peer, which is probed for the block as `watched` says."""
    port = free_port()
    peer = replace(watched.peer, variables={**watched.peer.variables, "ROWLOCK_PORT": str(port)})
    if watched.probe == "http":
        with _again(partial(_get, port, "/readyz")), _again(partial(_get, port, "/livez")):
            yield peer
    elif watched.probe == "ping":
        with _again(lambda: _run(_ping(peer), variables_of(bench, peer, PART), must_answer=False)):
            yield peer
    else:
        yield peer


@contextlib.contextmanager
def _again(probe: Callable[[], None]) -> Iterator[None]:
    """Probe again and again for the block, from before the worker is there."""
    ended = threading.Event()

    def loop() -> None:
        while not ended.is_set():
            began = time.monotonic()
            with contextlib.suppress(OSError, http.client.HTTPException):
                probe()
            ended.wait(max(0.0, began + PERIOD - time.monotonic()))

    thread = threading.Thread(target=loop)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _probe(bench: Bench) -> Iterable[Figure]:
    peer = find("rowlock, prefork 2")
    port = free_port()
    variables = {**variables_of(bench, peer), "ROWLOCK_PORT": str(port)}
    with running(peer.worker, bench.out / "probed.log", variables=variables) as worker:
        until(lambda: answers(port, "/readyz", HTTPStatus.OK), worker, "the worker is ready", pause=0.2)
        yield from _cost(GET, worker, lambda: _get(port, "/readyz"), GETS)
        yield from _cost(LIVE, worker, lambda: _get(port, "/livez"), GETS)
        yield from _cost(PING, worker, lambda: _run(_ping(peer), variables, must_answer=True), PINGS)


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


def _get(port: int, path: str) -> None:
    # As kubelet does: a connection for each probe. Its client costs less than Python's.
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        connection.getresponse().read()
    finally:
        connection.close()


def _ping(peer: Peer) -> tuple[str, ...]:
    whose = ("--destination", f"0@{NODE}", "--timeout", "10")
    return ("celery", "-A", f"peers.{peer.module}", "inspect", "ping", *whose)


def _run(command: tuple[str, ...], variables: dict[str, str], *, must_answer: bool) -> None:
    printed = subprocess.DEVNULL
    errors = None if must_answer else printed
    environment = {**os.environ, **variables}
    subprocess.run(command, env=environment, check=must_answer, stdout=printed, stderr=errors)


def _own_cpu() -> float:
    """Seconds of processor time of this process and of the children that have ended."""
    whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in map(resource.getrusage, whose))
