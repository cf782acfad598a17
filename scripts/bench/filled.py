"""A queue of a peer that was filled before its worker started, and how long it takes to empty it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import apart
from cases import Bench
from peers import Peer
from processes import Group, running, until
from work import Kind

HERE = Path(__file__).resolve().parent
#: Seconds for which the end of the last task is waited for, and between two looks.
LONGEST, PAUSE = 3600.0, 0.005
#: Share of the tasks that come first and are not counted, so that every process of a worker is up and warm by then.
WARMING = 0.2


@dataclass(frozen=True, kw_only=True)
class Moment:
    """How many tasks had ended at a time, and the processor seconds that the worker had used."""

    ended: int
    time: float
    cpu: float


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Tasks a second, and processor seconds of the worker and its children for a thousand of them."""

    rate: float
    cpu: float


@dataclass(frozen=True, kw_only=True)
class Filled:
    """A queue with tasks; `path` is the file whose size says how many have ended, of the earlier `before` too."""

    path: Path
    before: int
    tasks: int

    def ended(self) -> int:
        return self.path.stat().st_size - self.before

    def wait(self, worker: Group, count: int) -> Moment:
        """Until at least `count` of the tasks have ended."""
        until(lambda: self.ended() >= count, worker, f"{count} tasks", seconds=LONGEST, pause=PAUSE)
        return Moment(ended=self.ended(), time=time.time(), cpu=worker.cpu())


def variables_of(bench: Bench, peer: Peer, part: str = "") -> dict[str, str]:
    """Its own, the name of its queue in this part of the benchmark, and where its tasks tell of their end."""
    name = slug(f"{peer.name} {part}")
    return {
        "PATH": apart.path(peer.apart),
        "QUEUE": f"bench-{bench.run}-{name}",
        "FINISHED": str(bench.out / f"{name}.finished"),
        **peer.variables,
    }


def fill(bench: Bench, peer: Peer, kind: Kind, count: int, part: str = "") -> Filled:
    variables = variables_of(bench, peer, part)
    path = Path(variables["FINISHED"])
    path.touch()
    before = path.stat().st_size
    publish = ["python", str(HERE / "publish.py"), peer.module, kind, str(count)]
    subprocess.run(publish, env={**os.environ, **variables}, check=True)
    return Filled(path=path, before=before, tasks=count)


@contextmanager
def worker_of(bench: Bench, peer: Peer, part: str = "") -> Iterator[Group]:
    log = bench.out / f"{slug(f'{peer.name} {part}')}.log"
    with running(peer.worker, log, copies=peer.copies, variables=variables_of(bench, peer, part)) as group:
        yield group


def execute(bench: Bench, peer: Peer, kind: Kind, count: int) -> Execution:
    """Fill the queue, start the worker, and take the time from the end of the warming tasks to that of the last."""
    warming = max(1, int(count * WARMING))
    filled = fill(bench, peer, kind, warming + count)
    with worker_of(bench, peer) as worker:
        first = filled.wait(worker, warming)
        last = filled.wait(worker, warming + count)
    done = last.ended - first.ended
    if not done:
        sys.exit(f"{peer.name}: {count} tasks are over too soon to be measured; give it more by --tasks")
    return Execution(rate=done / (last.time - first.time), cpu=(last.cpu - first.cpu) * 1000 / done)


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
