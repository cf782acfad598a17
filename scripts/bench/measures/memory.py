"""Memory of a worker after some no-op tasks, and of other processes when idle; how long each takes to start; and the
size of the image.

Private is what a process shares with no other. Memory in all is the sum over a worker's processes, each page divided by
the number of those that share it. A worker's cold start ends with the first task, Rowlock's others' with /readyz, the
tutorial's server's with an answer.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from pathlib import Path

from cases import Bench, Case, Figure, Quantity
from filled import fill, slug, worker_of
from peers import BARE, Peer
from processes import Group, descendants, free_port, memory, running, until
from servers import ROWLOCK, TUTORIAL, Server, answers

#: Tasks after which a worker has all that it will have.
TASKS = 200

PRIVATE = Quantity(title="private memory of a process that executes tasks", unit="MiB", base=BARE.name, digits=1)
IN_ALL = Quantity(title="memory of a worker in all", unit="MiB", base=BARE.name, digits=1)
COLD = Quantity(title="cold start of a worker, to its first task", unit="s", base=BARE.name, digits=2)
IDLE = Quantity(title="memory of an idle pod", unit="MiB", digits=1)
READY = Quantity(title="cold start of a pod, until it is ready", unit="s", digits=2)
IMAGE = Quantity(title="size of the image", unit="MB")

#: The first is what the others are compared with: what the Dockerfile starts from.
IMAGES = ("python:3.13-slim", "rowlock:dev")


@dataclass(frozen=True, kw_only=True)
class Pod:
    """{port} in the command becomes the port on which `path` is answered with `status` once it is ready."""

    name: str
    command: tuple[str, ...]
    path: str = "/readyz"
    status: HTTPStatus = HTTPStatus.OK
    variables: Mapping[str, str] = field(default_factory=dict)


def _web(server: Server) -> tuple[str, ...]:
    return (*server.command, "--bind", "127.0.0.1:{port}", "--no-control-socket", "--log-level", "warning")


QUEUES = json.dumps({"bench-idle": {"pool": "default", "consumerTimeout": 3600}})
# As the chart starts them.
BEAT = ("celery", "-A", "peers.rowlock_full", "beat", "--loglevel", "INFO", "--schedule", "{out}/beat", "--pidfile=")
PODS = (
    Pod(
        name="tutorial web, 2 processes",
        command=_web(TUTORIAL),
        path="/",
        status=HTTPStatus.NOT_FOUND,
        variables=TUTORIAL.variables,
    ),
    Pod(name="rowlock web, 2 processes", command=_web(ROWLOCK), variables=ROWLOCK.variables),
    Pod(name="rowlock beat", command=BEAT),
    Pod(name="rowlock collector", command=("python", "-m", "rowlock.collector"), variables={"ROWLOCK_QUEUES": QUEUES}),
)


def cases(bench: Bench) -> list[Case]:
    # How far a worker prefetches makes no difference here.
    workers = [peer for peer in bench.peers if "prefetch" not in peer.name]
    return [
        *(Case(run=partial(_worker, bench, peer), is_warm=True) for peer in workers),
        *(Case(run=partial(_pod, bench, pod), is_warm=True) for pod in PODS),
        *(Case(run=partial(_image, name), once=True) for name in IMAGES),
    ]


def _worker(bench: Bench, peer: Peer) -> Iterable[Figure]:
    filled = fill(bench, peer, "nothing", min(bench.tasks or TASKS, TASKS))
    began = time.time()
    with worker_of(bench, peer) as worker:
        cold = filled.wait(worker, 1).time - began
        filled.wait(worker, filled.tasks)
        private = statistics.median(memory(pid)[0] for pid in _executing(worker))
        in_all = sum(memory(pid)[1] for pid in worker.pids)
    for quantity, value in ((PRIVATE, private), (IN_ALL, in_all), (COLD, cold)):
        yield Figure(quantity=quantity, subject=peer.name, value=value)


def _pod(bench: Bench, pod: Pod) -> Iterable[Figure]:
    if pod.command[-1] == "rowlock.collector" and not os.environ.get("RABBITMQ_MANAGEMENT_URL"):
        print(f"left out: {pod.name}: it needs RABBITMQ_MANAGEMENT_URL", file=sys.stderr)
        return
    port = free_port()
    command = [part.replace("{port}", str(port)).replace("{out}", str(bench.out)) for part in pod.command]
    # Web answers on the port it is given, the others on this.
    variables = {"ROWLOCK_PORT": str(port), **pod.variables}
    began = time.time()
    with running(command, bench.out / f"{slug(pod.name)}.log", variables=variables) as group:
        until(lambda: answers(port, pod.path, pod.status), group, f"{pod.name} is ready")
        ready = time.time() - began
        in_all = sum(memory(pid)[1] for pid in group.pids)
    yield Figure(quantity=READY, subject=pod.name, value=ready)
    yield Figure(quantity=IDLE, subject=pod.name, value=in_all)


def _image(name: str) -> Iterable[Figure]:
    asked = ["docker", "image", "inspect", "--format", "{{.Size}}", name]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        print(
            f"left out: size of {name}: Docker has no such image (docker/Dockerfile says how to build)", file=sys.stderr
        )
        return
    yield Figure(quantity=IMAGE, subject=name, value=int(told) / 1e6)


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
