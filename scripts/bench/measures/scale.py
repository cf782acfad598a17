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
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pika
import psycopg
from pika.exceptions import ChannelClosedByBroker
from psycopg import sql

import containers
from cases import Bench, Case, Figure, Quantity
from filled import WARMING, fill, variables_of, worker_of
from peers import IDLE, Peer, find
from processes import Group, running, until

HERE = Path(__file__).resolve().parent.parent
#: Seconds of quiet after the last pool is there, and over which they are watched: heartbeats come every few seconds.
SETTLING, WATCHED = 5.0, 20.0
#: Seconds for all of them to start.
BOOTING = 900.0
WORKERS = "the workers"


def cases(bench: Bench) -> list[Case]:
    rowlock = find("rowlock, prefork 2")
    return [
        *(Case(run=partial(_backlog, bench, rowlock, waiting), once=True) for waiting in bench.backlogs),
        *(Case(run=partial(_history, bench, rowlock, runs), once=True) for runs in bench.histories),
        Case(run=_no_pools, once=True),
        *(Case(run=partial(_pools, bench, peer, pools), once=True) for peer in IDLE for pools in bench.pools),
    ]


def _backlog(bench: Bench, peer: Peer, waiting: int) -> Iterable[Figure]:
    return _execute(bench, peer, waiting, f"rowlock, {waiting:,} waiting", "as the backlog grows")


def _history(bench: Bench, peer: Peer, runs: int) -> Iterable[Figure]:
    with _database(f"{bench.run}_{runs}") as url:
        seed = [sys.executable, str(HERE / "seed_history.py"), str(runs)]
        subprocess.run(seed, env={**os.environ, "DATABASE_URL": url}, check=True)
        seeded = replace(peer, variables={**peer.variables, "DATABASE_URL": url})
        yield from _execute(bench, seeded, 0, f"rowlock, {runs:,} runs kept", "as the history grows")


def _execute(bench: Bench, peer: Peer, waiting: int, subject: str, title: str) -> Iterable[Figure]:
    """As many tasks as in every other part, before `waiting` further ones that are then thrown away."""
    warming = max(1, int(bench.tasks * WARMING))
    filled = fill(bench, peer, "nothing", warming + bench.tasks, subject)
    variables = variables_of(bench, peer, subject)
    try:
        if waiting:
            deepen = [sys.executable, str(HERE / "deepen.py"), str(waiting)]
            subprocess.run(deepen, env={**os.environ, **variables}, check=True)
        with worker_of(bench, peer, subject) as worker:
            first, before = filled.wait(worker, warming), containers.used()
            last, after = filled.wait(worker, warming + bench.tasks), containers.used()
    finally:
        _delete(variables["QUEUE"])
    done = last.ended - first.ended
    rate = Quantity(title=f"no-op tasks executed, {title}", unit="a second")
    yield Figure(quantity=rate, subject=subject, value=done / (last.time - first.time))
    spent = {"the worker": last.cpu - first.cpu, **{name: after[name] - before[name] for name in before}}
    for name, seconds in spent.items():
        cpu = Quantity(title=f"processor seconds of {name} for 1000 no-op tasks, {title}", unit="s", digits=2)
        yield Figure(quantity=cpu, subject=subject, value=seconds * 1000 / done)


def _no_pools() -> Iterable[Figure]:
    return _beside("no pools", _spent(None))


def _pools(bench: Bench, peer: Peer, pools: int) -> Iterable[Figure]:
    queue, subject = f"bench-{bench.run}-{peer.module}-{pools}", f"{peer.name}, {pools} of them"
    variables = {**variables_of(bench, peer, "idle"), "QUEUE": queue}
    command = (*peer.worker, "--queues", f"{queue}-{{copy}}")
    try:
        with running(command, bench.out / "idle.log", copies=pools, variables=variables) as workers:
            until(lambda: _are_consumed(queue, pools), workers, f"{pools} pools consume", seconds=BOOTING, pause=1)
            time.sleep(SETTLING)
            spent = _spent(workers)
    finally:
        for number in range(pools):
            _delete(f"{queue}-{number}")
    own = Quantity(title="processor time of an idle pool of one process", unit="ms/s", digits=2)
    yield Figure(quantity=own, subject=subject, value=spent.pop(WORKERS) / pools)
    yield from _beside(subject, spent)


def _beside(subject: str, spent: Mapping[str, float]) -> Iterable[Figure]:
    for name, used in spent.items():
        quantity = Quantity(title=f"processor time of {name} beside idle pools", unit="ms/s", digits=1)
        yield Figure(quantity=quantity, subject=subject, value=used)


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


def _delete(queue: str) -> None:
    with pika.BlockingConnection(pika.URLParameters(os.environ["BROKER_URL"])) as connection:
        connection.channel().queue_delete(queue)


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
