"""Tasks accepted over HTTP a second, and how long an answer takes, at rising load; with the broker, and without.

Load rises by the number of connections, each of which waits for its answer. Rowlock accepts durably, into Postgres, and
checks a token; the tutorial's view does neither.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psycopg

from cases import Bench, Case, Figure, Quantity
from filled import slug
from servers import ROWLOCK, TUTORIAL, Server, serving, token

CONNECTIONS = (1, 8, 32)
#: The address of a broker that is not there: nobody listens on port 1.
NO_BROKER = {"BROKER_URL": "amqp://127.0.0.1:1//"}
CLIENT = Path(__file__).resolve().parent.parent / "load.py"
#: Requests that take most of a second, as those that the tutorial's view refuses; and what a server is warmed up with.
FEW = 20
#: Requests at the least that each of the most connections sends.
EACH = 3


@dataclass(frozen=True, kw_only=True)
class Side:
    """What accepts, `tasks` in each request."""

    subject: str
    server: Server
    tasks: int = 1
    has_broker: bool = True

    @property
    def path(self) -> str:
        return "/api/runs/" if self.tasks == 1 else "/api/runs/batch"

    @property
    def body(self) -> bytes:
        one = {"task": "nothing"}
        return json.dumps(one if self.tasks == 1 else {"runs": [one] * self.tasks}).encode()


SIDES = (
    Side(subject=TUTORIAL.name, server=TUTORIAL),
    Side(subject=f"{TUTORIAL.name}, no broker", server=TUTORIAL, has_broker=False),
    Side(subject="rowlock, one run a request", server=ROWLOCK),
    Side(subject="rowlock, one run a request, no broker", server=ROWLOCK, has_broker=False),
    Side(subject="rowlock, 100 runs a request", server=ROWLOCK, tasks=100),
    Side(subject="rowlock, 100 runs a request, no broker", server=ROWLOCK, tasks=100, has_broker=False),
)


def cases(bench: Bench) -> list[Case]:
    return [Case(run=partial(_measure, bench, side), is_warm=True) for side in SIDES]


def _measure(bench: Bench, side: Side) -> Iterable[Figure]:
    is_refused = side.server is TUTORIAL and not side.has_broker
    requests = FEW if is_refused else max(EACH * max(CONNECTIONS), bench.requests // side.tasks)
    # One for each side: they declare theirs differently, and a broker refuses the second.
    queue = f"bench-{bench.run}-{slug(side.server.name)}-{'accepted' if side.has_broker else 'unpublished'}"
    variables = {"QUEUE": queue, **({} if side.has_broker else NO_BROKER)}
    try:
        with serving(bench, side.server, variables) as port:
            # What is only made by the first requests of each process.
            _send(port, side, connections=8, requests=FEW)
            for connections in CONNECTIONS:
                yield from _figures(side, connections, _send(port, side, connections=connections, requests=requests))
    finally:
        # Else whatever runs next would publish what could not be.
        _forget(queue)


def _figures(side: Side, connections: int, sent: dict[str, float]) -> Iterable[Figure]:
    at = f"{connections} at a time" if connections > 1 else "one after another"
    accepted = Quantity(title=f"tasks accepted over HTTP, {at}", unit="a second", base=TUTORIAL.name)
    yield Figure(quantity=accepted, subject=side.subject, value=sent["accepted"] * side.tasks / sent["seconds"])
    for percentile in ("p50", "p99"):
        title = f"answers of accepting over HTTP, {at}, {percentile}"
        quantity = Quantity(title=title, unit="ms", base=TUTORIAL.name, digits=1)
        yield Figure(quantity=quantity, subject=side.subject, value=sent[percentile])


def _send(port: int, side: Side, *, connections: int, requests: int) -> dict[str, float]:
    command = [sys.executable, str(CLIENT), str(port), side.path, str(connections), str(requests), token()]
    done = subprocess.run(command, input=side.body, stdout=subprocess.PIPE, check=True)
    sent: dict[str, float] = json.loads(done.stdout)
    return sent


def _forget(queue: str) -> None:
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        connection.execute("DELETE FROM rowlock_run WHERE queue = %s", [queue])
