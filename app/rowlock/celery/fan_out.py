"""Tasks that every worker of a pool executes once: dropping a cache, reloading a model.

Each worker has a queue of its own for them, which lives as long as its connection: who is away misses what is sent
meanwhile. Nothing of it is in the history, and there is no result.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from kombu import Exchange, Queue

from rowlock.celery.queues import FAN_OUT

#: Pool of a worker that nobody told its pool, and of a fan-out that names none.
DEFAULT_POOL = "default"


def publish(
    task: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None, *, pool: str = DEFAULT_POOL
) -> None:
    """Have every worker of `pool` that is connected now execute `task` once, in one of its processes.

    Raises kombu's OperationalError where the broker does not take it.
    """
    exchange = exchange_of(pool)
    task.apply_async(
        args,
        kwargs,
        # Not the id of a run, so that the history knows nothing of it.
        task_id=f"{exchange.name}.{uuid4()}",
        queue=Queue(exchange.name, exchange, no_declare=True),
        declare=[exchange],
        ignore_result=True,
        add_to_parent=False,
    )


def exchange_of(pool: str) -> Exchange:
    """The exchange of `pool` from which every worker gets a copy."""
    return Exchange(FAN_OUT + pool, type="fanout")
