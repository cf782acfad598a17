"""What a task costs as the backlog grows, and as the history does. Flat curves are the aim.

A history is made in a database of its own beside that of DATABASE_URL, and dropped.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

from cases import Bench, Case, Figure, Quantity
from filled import execute
from peers import Peer, find

HERE = Path(__file__).resolve().parent.parent


def cases(bench: Bench) -> list[Case]:
    rowlock = find("rowlock, prefork 2")
    return [
        *(Case(run=partial(_backlog, bench, rowlock, waiting), once=True) for waiting in bench.backlogs),
        *(Case(run=partial(_history, bench, rowlock, runs), once=True) for runs in bench.histories),
    ]


def _backlog(bench: Bench, peer: Peer, waiting: int) -> Iterable[Figure]:
    return _figures(bench, peer, waiting, f"rowlock, {waiting:,} waiting", "as the backlog grows")


def _history(bench: Bench, peer: Peer, runs: int) -> Iterable[Figure]:
    with _database(f"{bench.run}_{runs}") as url:
        subprocess.run(
            [sys.executable, str(HERE / "seed_history.py"), str(runs)],
            env={**os.environ, "DATABASE_URL": url},
            check=True,
        )
        seeded = replace(peer, variables={**peer.variables, "DATABASE_URL": url})
        yield from _figures(bench, seeded, bench.tasks, f"rowlock, {runs:,} runs kept", "as the history grows")


def _figures(bench: Bench, peer: Peer, tasks: int, subject: str, title: str) -> Iterable[Figure]:
    done = execute(bench, peer, "nothing", tasks)
    rate = Quantity(title=f"no-op tasks executed, {title}", unit="a second")
    cpu = Quantity(title=f"processor seconds of the worker for 1000 no-op tasks, {title}", unit="s", digits=2)
    yield Figure(quantity=rate, subject=subject, value=done.rate)
    yield Figure(quantity=cpu, subject=subject, value=done.cpu)


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
