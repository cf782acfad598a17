"""A queue of a peer that was filled before its worker started, and how long it takes to empty it."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
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


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """Tasks of one kind in a queue: those that come first, so that all is up and warm, and those that are counted."""

    kind: Kind
    warming: int
    counted: int

    @property
    def tasks(self) -> int:
        return self.warming + self.counted


@dataclass(frozen=True, kw_only=True)
class Moment:
    """How many tasks had ended at a time, and the processor seconds that the worker had used."""

    ended: int
    time: float
    cpu: float


@dataclass(frozen=True, kw_only=True)
class Execution:
    """Tasks a second, and processor seconds of the worker and its children for a thousand of them."""

    kind: Kind
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
    return fill_all(bench, peer, [Stretch(kind=kind, warming=0, counted=count)], part)


def fill_all(bench: Bench, peer: Peer, stretches: Sequence[Stretch], part: str = "") -> Filled:
    """One kind after the other."""
    variables = variables_of(bench, peer, part)
    path = Path(variables["FINISHED"])
    path.touch()
    before = path.stat().st_size
    counts = [f"{stretch.kind}={stretch.tasks}" for stretch in stretches]
    publish = ["python", str(HERE / "publish.py"), peer.module, *counts]
    subprocess.run(publish, env={**os.environ, **variables}, check=True)
    return Filled(path=path, before=before, tasks=sum(stretch.tasks for stretch in stretches))


@contextmanager
def worker_of(bench: Bench, peer: Peer, part: str = "") -> Iterator[Group]:
    log = bench.out / f"{slug(f'{peer.name} {part}')}.log"
    with running(peer.worker, log, copies=peer.copies, variables=variables_of(bench, peer, part)) as group:
        yield group


def execute(bench: Bench, peer: Peer, stretches: Sequence[Stretch], part: str = "") -> list[Execution]:
    """Fill the queue, start the worker, and time each stretch from the end of its warming tasks to that of its last."""
    filled = fill_all(bench, peer, stretches, part)
    done: list[Execution] = []
    before = 0
    with worker_of(bench, peer, part) as worker:
        for stretch in stretches:
            first = filled.wait(worker, before + stretch.warming)
            before += stretch.tasks
            last = filled.wait(worker, before)
            done.append(_execution(peer, stretch, first, last))
    return done


def _execution(peer: Peer, stretch: Stretch, first: Moment, last: Moment) -> Execution:
    ended = last.ended - first.ended
    if ended <= 0:
        sys.exit(f"{peer.name}: {stretch.counted} tasks are over too soon to be measured; give it more --seconds")
    return Execution(
        kind=stretch.kind, rate=ended / (last.time - first.time), cpu=(last.cpu - first.cpu) * 1000 / ended
    )


def slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
