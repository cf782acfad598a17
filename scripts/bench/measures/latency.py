"""From submitting over HTTP to the start of the task, and to its result at a client; idle, and at half load.

Half load: the two slots of the worker are busy for half of the time, with tasks of 10 ms that come evenly, or for less
where the machine is too slow for it: no more tasks are sent than leave one for each slot unfinished. A page of a
Celery tutorial polls, at once and then every second; Rowlock's may too, or open the run's live view.
"""

import contextlib
import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from cases import Bench, Case, Figure, Quantity
from filled import fill, slug, variables_of, worker_of
from peers import Peer, find
from processes import running
from servers import ROWLOCK, TUTORIAL, Server, serving, token
from work import BRIEF

HERE = Path(__file__).resolve().parent.parent
POLLED = "celery with redis results, polled every second"
SLOTS = 2
#: Its queues are its own: it leaves tasks in them.
PART = "latency"


@dataclass(frozen=True, kw_only=True)
class Side:
    """Who executes, who accepts, and how a client sees the result."""

    subject: str
    peer: str
    server: Server
    way: Literal["poll", "websocket"]


SIDES = (
    Side(subject=POLLED, peer="celery with redis results, prefork 2", server=TUTORIAL, way="poll"),
    Side(subject="rowlock, polled every second", peer="rowlock, prefork 2", server=ROWLOCK, way="poll"),
    Side(subject="rowlock, over WebSocket", peer="rowlock, prefork 2", server=ROWLOCK, way="websocket"),
)


def cases(bench: Bench) -> list[Case]:
    return [Case(run=partial(_measure, bench, side, load), is_warm=True) for load in (0.0, 0.5) for side in SIDES]


def _measure(bench: Bench, side: Side, load: float) -> Iterable[Figure]:
    peer = find(side.peer)
    filled = fill(bench, peer, "nothing", SLOTS, PART)
    variables = variables_of(bench, peer, PART)
    with worker_of(bench, peer, PART) as worker, serving(bench, side.server, variables) as port:
        filled.wait(worker, SLOTS)
        with _loaded(bench, peer, load):
            # What is only made by the first requests.
            _watch(port, 2, side.way)
            samples = _watch(port, bench.samples, side.way)
    at = "at half load" if load else "idle"
    for index, step in enumerate(("submitted to started", "submitted to result seen")):
        taken = [sample[index] for sample in samples]
        for word, value in (("median", statistics.median(taken)), ("longest", max(taken))):
            quantity = Quantity(title=f"{step}, {at}, {word}", unit="ms", base=POLLED, digits=1)
            yield Figure(quantity=quantity, subject=side.subject, value=value)


@contextlib.contextmanager
def _loaded(bench: Bench, peer: Peer, load: float) -> Iterator[None]:
    if not load:
        yield
        return
    command = [sys.executable, str(HERE / "pace.py"), peer.module, str(load * SLOTS / BRIEF), str(SLOTS)]
    with running(command, bench.out / f"pace-{slug(peer.name)}.log", variables=variables_of(bench, peer, PART)):
        yield


def _watch(port: int, samples: int, way: str) -> list[tuple[float, float]]:
    command = [sys.executable, str(HERE / "watcher.py"), str(port), token(), str(samples), way]
    taken: list[tuple[float, float]] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return taken
