"""The systems that are compared, one module each: how it is set up and why, its tasks, and how they are published.

The module of a peer has `publish(tasks)`, which takes their names; its worker is a command of its own framework, below.
QUEUE, BROKER_URL, REDIS_URL and DATABASE_URL are in the environment. To look into one:

    scripts/bench/run --only throughput --peers dramatiq --rounds 1 --tasks 500
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Peer:
    """`worker` is the command that executes the tasks, `copies` of it at a time; {copy} in it becomes their number.

    `slots` is how many tasks run at a time in all. `apart` names the environment of its own that it needs, if it does.
    """

    name: str
    module: str
    worker: tuple[str, ...]
    slots: int = 2
    copies: int = 1
    variables: Mapping[str, str] = field(default_factory=dict)
    apart: str = ""


#: Workers of two benchmarks at a time must not have the same name.
NODE = f"bench-{os.getpid()}"


def _celery(module: str, *options: str) -> tuple[str, ...]:
    # Neither is of use to a lone worker, and both talk to the broker.
    quiet = ("--loglevel", "ERROR", "--without-mingle", "--without-gossip", "--hostname", f"{{copy}}@{NODE}")
    return ("celery", "-A", f"peers.{module}", "worker", *quiet, *options)


PREFORK = ("--concurrency", "2", "--prefetch-multiplier", "4")
THREADS = ("--pool", "threads", "--concurrency", "8", "--prefetch-multiplier", "4")
#: "A large number, 50 or 150" for short tasks: https://docs.celeryq.dev/en/stable/userguide/optimizing.html
FAR = ("--concurrency", "2", "--prefetch-multiplier", "64")

#: What the others are compared with.
BARE = Peer(name="celery bare, prefork 2", module="celery_bare", worker=_celery("celery_bare", *PREFORK))

PEERS = (
    BARE,
    Peer(name="celery bare, prefork 2, prefetch 64", module="celery_bare", worker=_celery("celery_bare", *FAR)),
    Peer(
        name="celery bare, threads 2x8",
        module="celery_bare",
        worker=_celery("celery_bare", *THREADS),
        slots=16,
        copies=2,
    ),
    Peer(
        name="celery with redis results, prefork 2",
        module="celery_redis_results",
        worker=_celery("celery_redis_results", *PREFORK),
    ),
    Peer(
        name="celery with django-db results and events, prefork 2",
        module="celery_django_results",
        worker=_celery("celery_django_results", *PREFORK),
    ),
    Peer(name="rowlock, prefork 2", module="rowlock_full", worker=_celery("rowlock_full", *PREFORK)),
    Peer(name="rowlock, prefork 2, prefetch 64", module="rowlock_full", worker=_celery("rowlock_full", *FAR)),
    Peer(
        name="rowlock, threads 2x8", module="rowlock_full", worker=_celery("rowlock_full", *THREADS), slots=16, copies=2
    ),
    Peer(
        name="rowlock without redis results, prefork 2",
        module="rowlock_full",
        worker=_celery("rowlock_full", *PREFORK),
        variables={"ROWLOCK_WITH": "history,metrics"},
    ),
    Peer(
        name="dramatiq 2x1",
        module="dramatiq_rabbitmq",
        worker=("dramatiq", "peers.dramatiq_rabbitmq", "--processes", "2", "--threads", "1"),
    ),
    Peer(
        name="dramatiq 2x1, prefetch 64",
        module="dramatiq_rabbitmq",
        worker=("dramatiq", "peers.dramatiq_rabbitmq", "--processes", "2", "--threads", "1"),
        variables={"dramatiq_queue_prefetch": "64"},
    ),
    Peer(
        name="dramatiq 2x8",
        slots=16,
        module="dramatiq_rabbitmq",
        worker=("dramatiq", "peers.dramatiq_rabbitmq", "--processes", "2", "--threads", "8"),
    ),
    Peer(
        name="dramatiq 2x8, prefetch 64",
        slots=16,
        module="dramatiq_rabbitmq",
        worker=("dramatiq", "peers.dramatiq_rabbitmq", "--processes", "2", "--threads", "8"),
        variables={"dramatiq_queue_prefetch": "64"},
    ),
    Peer(
        name="taskiq 2x100 asyncio",
        slots=200,
        module="taskiq_rabbitmq",
        worker=("taskiq", "worker", "peers.taskiq_rabbitmq:broker", "--workers", "2", "--no-parse"),
        apart="taskiq",
    ),
    Peer(
        name="rq 2 workers, a fork for each job",
        module="rq_redis",
        worker=("python", "-m", "peers.rq_redis", "rq.worker.Worker"),
    ),
    Peer(
        name="rq 2 simple workers",
        module="rq_redis",
        worker=("python", "-m", "peers.rq_redis", "rq.worker.SimpleWorker"),
    ),
    Peer(
        name="streaq 2x32 asyncio",
        slots=64,
        module="streaq_redis",
        worker=("streaq", "run", "peers.streaq_redis:worker"),
        copies=2,
        apart="streaq",
    ),
    Peer(
        name="arq 2x100 asyncio",
        slots=200,
        module="arq_redis",
        worker=("python", "-m", "peers.arq_redis"),
        copies=2,
        apart="arq",
    ),
    Peer(
        name="huey 2 processes",
        module="huey_redis",
        worker=("huey_consumer", "peers.huey_redis.huey", *["-w", "2", "-k", "process", "--no-periodic", "--quiet"]),
    ),
    Peer(
        name="procrastinate 2x30",
        slots=60,
        module="procrastinate_postgres",
        worker=(
            *("procrastinate", "--app", "peers.procrastinate_postgres.app", "worker"),
            *("--concurrency", "30", "--delete-jobs", "always"),
        ),
        copies=2,
    ),
    Peer(name="limit: pika alone, 2 processes", module="limit", worker=("python", "-m", "peers.limit"), copies=2),
)


def find(name: str) -> Peer:
    return next(peer for peer in PEERS if peer.name == name)


#: Workers of one process that are there many times over: a pool each.
IDLE = tuple(
    Peer(name=f"{name}, solo", module=module, worker=_celery(module, "--pool", "solo"))
    for name, module in (("celery bare", "celery_bare"), ("rowlock", "rowlock_full"))
)


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A worker of one `side`, whose first is what its others are compared with; what listens to it, what probes it."""

    side: Literal["celery", "rowlock"]
    peer: Peer
    has_exporter: bool = False
    probe: Literal["", "http", "ping"] = ""


def _watched_celery(name: str, *options: str) -> Peer:
    return Peer(name=name, module="celery_bare", worker=_celery("celery_bare", *PREFORK, *options))


def _watched_rowlock(name: str, parts: str) -> Peer:
    worker = _celery("rowlock_full", *PREFORK)
    return Peer(name=name, module="rowlock_full", worker=worker, variables={"ROWLOCK_WITH": parts})


WATCHED = (
    Watched(side="celery", peer=_watched_celery("celery without events")),
    Watched(side="celery", peer=_watched_celery("celery with events", "--task-events")),
    Watched(
        side="celery",
        peer=_watched_celery("celery with events and celery-exporter", "--task-events"),
        has_exporter=True,
    ),
    Watched(side="rowlock", peer=_watched_rowlock("rowlock without metrics", "history")),
    Watched(side="rowlock", peer=_watched_rowlock("rowlock with metrics", "history,metrics")),
    Watched(
        side="rowlock",
        peer=_watched_rowlock("rowlock with metrics, both probes over HTTP every second", "history,metrics"),
        probe="http",
    ),
    Watched(
        side="rowlock",
        peer=_watched_rowlock("rowlock with metrics, celery inspect ping again and again", "history,metrics"),
        probe="ping",
    ),
    Watched(side="rowlock", peer=_watched_rowlock("rowlock with events for metrics", "history,events")),
    Watched(side="rowlock", peer=_watched_rowlock("rowlock with all events for metrics", "history,all events")),
    Watched(
        side="rowlock",
        peer=_watched_rowlock("rowlock with all events and celery-exporter for metrics", "history,all events"),
        has_exporter=True,
    ),
)
