"""How long a task may take: the message's own limits, else the task's own, else the pool's.

Celery copies the settings `task_time_limit` and `task_soft_time_limit` into every task, and from there into every
message (celery/app/task.py `from_config`), where they would win over the `--time-limit` of the pool that executes it. A
limit that is that setting's is nobody's own.
"""

from typing import Any, NamedTuple


class Limits(NamedTuple):
    """Seconds; None for no limit."""

    hard: float | None
    soft: float | None


def limits_of(request: Any, pool: Any) -> Limits:
    """The limits of `request` in `pool`."""
    task = request.task
    hard, soft = request.time_limits or (None, None)
    inherited_hard, inherited_soft = _inherited(request)
    hard = _own(hard, inherited_hard) or _own(task.time_limit, inherited_hard) or pool.options.get("timeout")
    soft = _own(soft, inherited_soft) or _own(task.soft_time_limit, inherited_soft) or pool.options.get("soft_timeout")
    if hard and soft and soft > hard:
        # Prefork begins to count the hard limit when the soft one is over (celery/concurrency/asynpool.py).
        soft = hard
    return Limits(hard, soft)


def _inherited(request: Any) -> Limits:
    # Celery makes a class for each task when its worker begins to consume; to look into its settings for each message
    # would cost more than all else here.
    of_class = type(request)
    found: Limits | None = of_class.__dict__.get("rowlock_inherited_limits")
    if found is None:
        conf = request.app.conf
        found = of_class.rowlock_inherited_limits = Limits(conf.task_time_limit, conf.task_soft_time_limit)
    return found


def _own(limit: float | None, inherited: float | None) -> float | None:
    return None if limit == inherited else limit
