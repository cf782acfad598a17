"""What a task costs as the backlog grows, and as the history does; and an idle pool, as there are more. Flat curves are
the aim.

However many messages wait, as many tasks are executed: the first ones, while the others wait behind them. A history is
made in a database of its own beside that of DATABASE_URL, and dropped. An idle pool is a worker of one process that
consumes a queue of its own, beside as many others: on one machine fifty cannot all be busy, but what they keep doing
without work can be told.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pika
import psycopg
from pika.exceptions import ChannelClosedByBroker
from psycopg import sql

import containers
from cases import Bench, Case, Figure, Point, Quantity
from filled import Stretch, fill_all, variables_of, worker_of
from forgetting import forget
from learning import learn
from paced import Pace
from peers import IDLE, Peer, find
from processes import Group, running, until

HERE = Path(__file__).resolve().parent.parent
#: Seconds of quiet after the last pool is there, and over which they are watched: heartbeats come every few seconds.
SETTLING, WATCHED = 3.0, 15.0
#: Processor seconds a second below which the services rest, and seconds after which nobody waits for that any more.
QUIET, LONGEST = 0.1, 60.0
#: Seconds for all of them to start.
BOOTING = 900.0
WORKERS = "the workers"


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What grows along it; the titles of its quantities end in `title`."""

    along: str
    title: str = ""


BACKLOG = Curve(along="messages that wait", title=", as the backlog grows")
HISTORY = Curve(along="runs in the history", title=", as the history grows")
POOLS = Curve(along="idle pools")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A subject on the curve of `whose`; without `at` it is on none."""

    curve: Curve
    subject: str
    at: int | None = None
    whose: str = "rowlock"

    def figure(self, title: str, unit: str, value: float, *, digits: int) -> Figure:
        quantity = Quantity(title=f"{title}{self.curve.title}", unit=unit, digits=digits, along=self.curve.along)
        point = None if self.at is None else Point(curve=self.whose, at=self.at)
        return Figure(quantity=quantity, subject=self.subject, value=value, point=point)


def cases(bench: Bench) -> list[Case]:
    rowlock = find("rowlock, prefork 2")
    pace = Pace(slots=rowlock.slots)
    return [
        *(Case(run=partial(_backlog, bench, rowlock, pace, waiting), once=True) for waiting in bench.backlogs),
        *(Case(run=partial(_history, bench, rowlock, pace, runs), once=True) for runs in bench.histories),
        Case(run=_no_pools, once=True),
        *(Case(run=partial(_pools, bench, peer, pools), once=True) for peer in IDLE for pools in bench.pools),
    ]


def _backlog(bench: Bench, peer: Peer, pace: Pace, waiting: int) -> Iterable[Figure]:
    place = Place(curve=BACKLOG, subject=f"rowlock, {waiting:,} waiting", at=waiting)
    return _execute(bench, peer, _stretch(bench, peer, pace), place, waiting)


def _history(bench: Bench, peer: Peer, pace: Pace, runs: int) -> Iterable[Figure]:
    stretch = _stretch(bench, peer, pace)
    with _database(f"{bench.run}_{runs}") as url:
        seed = [sys.executable, str(HERE / "seed_history.py"), str(runs)]
        subprocess.run(seed, env={**os.environ, "DATABASE_URL": url}, check=True)
        seeded = replace(peer, variables={**peer.variables, "DATABASE_URL": url})
        place = Place(curve=HISTORY, subject=f"rowlock, {runs:,} runs kept", at=runs)
        yield from _execute(bench, seeded, stretch, place, waiting=0)


def _stretch(bench: Bench, peer: Peer, pace: Pace) -> Stretch:
    """The same for every point of the curves."""
    if not bench.tasks and not pace.rates:
        pace.rates["nothing"] = learn(bench, peer, "scale at first")
    return pace.stretch(bench, "nothing")


def _execute(bench: Bench, peer: Peer, stretch: Stretch, place: Place, waiting: int) -> Iterable[Figure]:
    """The tasks of the stretch, before `waiting` further ones that are then thrown away."""
    filled = fill_all(bench, peer, [stretch], place.subject)
    variables = variables_of(bench, peer, place.subject)
    try:
        if waiting:
            deepen = [sys.executable, str(HERE / "deepen.py"), str(waiting)]
            subprocess.run(deepen, env={**os.environ, **variables}, check=True)
            _settle()
        with worker_of(bench, peer, place.subject) as worker:
            first, before = filled.wait(worker, stretch.warming), containers.used()
            last, after = filled.wait(worker, stretch.tasks), containers.used()
    finally:
        forget(variables["QUEUE"])
    done = last.ended - first.ended
    yield place.figure("no-op tasks executed", "a second", done / (last.time - first.time), digits=0)
    spent = {"the worker": last.cpu - first.cpu, **{name: after[name] - before[name] for name in before}}
    for name, seconds in spent.items():
        title = f"processor time of {name} for a no-op task"
        yield place.figure(title, "µs", seconds * 1e6 / done, digits=0)


def _settle() -> None:
    """Wait until the services rest: RabbitMQ goes on writing to disk long after it has confirmed."""
    deadline, before = time.monotonic() + LONGEST, containers.used()
    while before and time.monotonic() < deadline:
        time.sleep(1)
        after = containers.used()
        if sum(after.values()) - sum(before.values()) < QUIET:
            return
        before = after


def _no_pools() -> Iterable[Figure]:
    return _beside(Place(curve=POOLS, subject="no pools"), _spent(None))


def _pools(bench: Bench, peer: Peer, pools: int) -> Iterable[Figure]:
    queue = f"bench-{bench.run}-{peer.module}-{pools}"
    place = Place(curve=POOLS, subject=f"{peer.name}, {pools} of them", at=pools, whose=peer.name)
    variables = {**variables_of(bench, peer, "idle"), "QUEUE": queue}
    command = (*peer.worker, "--queues", f"{queue}-{{copy}}")
    try:
        with running(command, bench.out / "idle.log", copies=pools, variables=variables) as workers:
            until(lambda: _are_consumed(queue, pools), workers, f"{pools} pools consume", seconds=BOOTING, pause=1)
            time.sleep(SETTLING)
            spent = _spent(workers)
    finally:
        for number in range(pools):
            forget(f"{queue}-{number}")
    own = spent.pop(WORKERS) / pools
    yield place.figure("processor time of an idle pool of one process", "ms/s", own, digits=2)
    yield from _beside(place, spent)


def _beside(place: Place, spent: Mapping[str, float]) -> Iterable[Figure]:
    for name, used in spent.items():
        yield place.figure(f"processor time of {name} beside idle pools", "ms/s", used, digits=1)


def _spent(workers: Group | None) -> dict[str, float]:
    """Milliseconds of processor time a second of the workers together, and of each service."""
    began, before, own = time.monotonic(), containers.used(), workers.cpu() if workers else 0.0
    time.sleep(WATCHED)
    seconds, after = time.monotonic() - began, containers.used()
    spent = {name: (after[name] - before[name]) * 1000 / seconds for name in before}
    return {WORKERS: (workers.cpu() - own) * 1000 / seconds, **spent} if workers else spent


def _are_consumed(queue: str, pools: int) -> bool:
    with pika.BlockingConnection(pika.URLParameters(os.environ["BROKER_URL"])) as connection:
        channel = connection.channel()
        try:
            found = [channel.queue_declare(f"{queue}-{number}", passive=True).method for number in range(pools)]
        except ChannelClosedByBroker:
            return False
        return all(one.consumer_count for one in found)


@contextmanager
def _database(name: str) -> Iterator[str]:
    """The URL of a new database for the block."""
    name = f"rowlock_bench_{name}"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield urlunsplit(urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}"))
        finally:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
