"""The systems that are compared, one module each: how it is set up and why, its tasks, and how they are published.

The module of a peer has `publish(tasks)`, which takes their names; its worker is a command of its own framework, below.
QUEUE, BROKER_URL, REDIS_URL and DATABASE_URL are in the environment. To look into one:

    scripts/bench/run --only throughput --peers dramatiq --rounds 1 --tasks 500
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Peer:
    """`worker` is the command that executes the tasks, `copies` of it at a time; {copy} in it becomes their number."""

    name: str
    module: str
    worker: tuple[str, ...]
    copies: int = 1
    variables: Mapping[str, str] = field(default_factory=dict)


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
    Peer(name="celery bare, threads 2x8", module="celery_bare", worker=_celery("celery_bare", *THREADS), copies=2),
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
    Peer(name="rowlock, threads 2x8", module="rowlock_full", worker=_celery("rowlock_full", *THREADS), copies=2),
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
        name="dramatiq 2x8",
        module="dramatiq_rabbitmq",
        worker=("dramatiq", "peers.dramatiq_rabbitmq", "--processes", "2", "--threads", "8"),
    ),
    Peer(
        name="taskiq 2x100 asyncio",
        module="taskiq_rabbitmq",
        worker=("taskiq", "worker", "peers.taskiq_rabbitmq:broker", "--workers", "2", "--no-parse"),
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
        name="huey 2 processes",
        module="huey_redis",
        worker=("huey_consumer", "peers.huey_redis.huey", *["-w", "2", "-k", "process", "--no-periodic", "--quiet"]),
    ),
    Peer(
        name="procrastinate 2x8 asyncio",
        module="procrastinate_postgres",
        worker=("procrastinate", "--app", "peers.procrastinate_postgres.app", "worker", "--concurrency", "8"),
        copies=2,
    ),
    Peer(name="limit: pika alone, 2 processes", module="limit", worker=("python", "-m", "peers.limit"), copies=2),
)


def find(name: str) -> Peer:
    return next(peer for peer in PEERS if peer.name == name)


#: The cost of watching: the first is what the others are compared with.
WATCHED = tuple(
    Peer(name=name, module="rowlock_full", worker=_celery("rowlock_full", *PREFORK), variables={"ROWLOCK_WITH": parts})
    for name, parts in (
        ("rowlock without metrics", "history"),
        ("rowlock with metrics", "history,metrics"),
        ("rowlock with celery's events for metrics", "history,events"),
        ("rowlock with all of celery's events for metrics", "history,all events"),
    )
)
