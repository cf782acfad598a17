"""Memory of a worker after some no-op tasks, and of the other processes when idle; and how long each takes to start.

Private is what a process shares with no other. Memory in all is the sum over a worker's processes, each page divided by
the number of those that share it. A worker's cold start ends with the first task, that of the others with /readyz.
"""

import os
import statistics
import time
from collections.abc import Iterable
from functools import partial
from http import HTTPStatus
from pathlib import Path

from cases import Bench, Case, Figure, Quantity
from filled import fill, slug, worker_of
from peers import BARE, Peer
from processes import Group, descendants, free_port, memory, running, until
from servers import ROWLOCK, answers

#: Tasks after which a worker has all that it will have.
TASKS = 500

PRIVATE = Quantity(title="private memory of a process that executes tasks", unit="MiB", base=BARE.name, digits=1)
IN_ALL = Quantity(title="memory of a worker in all", unit="MiB", base=BARE.name, digits=1)
COLD = Quantity(title="cold start of a worker, to its first task", unit="s", base=BARE.name, digits=2)
IDLE = Quantity(title="memory of an idle pod", unit="MiB", digits=1)
READY = Quantity(title="cold start of a pod, until it is ready", unit="s", digits=2)

PODS = {
    "rowlock web, 2 processes": ROWLOCK.command,
    "rowlock beat": ("celery", "-A", "peers.rowlock_full", "beat", "--loglevel", "ERROR", "--pidfile="),
}


def cases(bench: Bench) -> list[Case]:
    workers = [Case(run=partial(_worker, bench, peer)) for peer in bench.peers]
    return [*workers, *(Case(run=partial(_pod, bench, name)) for name in PODS)]


def _worker(bench: Bench, peer: Peer) -> Iterable[Figure]:
    filled = fill(bench, peer, "nothing", min(bench.tasks, TASKS))
    began = time.time()
    with worker_of(bench, peer) as worker:
        cold = filled.wait(worker, 1).time - began
        filled.wait(worker, filled.tasks)
        private = statistics.median(memory(pid)[0] for pid in _executing(worker))
        in_all = sum(memory(pid)[1] for pid in worker.pids)
    for quantity, value in ((PRIVATE, private), (IN_ALL, in_all), (COLD, cold)):
        yield Figure(quantity=quantity, subject=peer.name, value=value)


def _pod(bench: Bench, name: str) -> Iterable[Figure]:
    port = free_port()
    binding = ("--bind", f"127.0.0.1:{port}", "--no-control-socket") if PODS[name] is ROWLOCK.command else ()
    variables = {**ROWLOCK.variables, "ROWLOCK_PORT": str(port)}
    began = time.time()
    with running((*PODS[name], *binding), bench.out / f"{slug(name)}.log", variables=variables) as pod:
        until(lambda: answers(port, "/readyz", HTTPStatus.OK), pod, f"{name} is ready")
        ready = time.time() - began
        in_all = sum(memory(pid)[1] for pid in pod.pids)
    yield Figure(quantity=READY, subject=name, value=ready)
    yield Figure(quantity=IDLE, subject=name, value=in_all)


def _executing(worker: Group) -> list[int]:
    """The processes at the bottom, but those of multiprocessing that only keep watch over its resources."""
    return [pid for pid in worker.pids if not _below(pid) and "tracker" not in _command(pid)]


def _below(pid: int) -> list[int]:
    return [child for child in descendants(pid) if "tracker" not in _command(child)]


def _command(pid: int) -> str:
    try:
        return os.fsdecode(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return ""
