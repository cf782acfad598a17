"""Pool: do the chosen pools keep up, and what limits them."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import colours, frame, links
from dashboards.panels import (
    BYTES,
    COUNT,
    NO_TASK,
    PER_SECOND,
    PERCENTILES,
    SECONDS,
    SHARE,
    AnyPanel,
    heatmap,
    plot,
    stat,
)
from dashboards.queries import FAILURES, POOLS, QUEUES_BY_POOL, Query, nothing_yet, once, quantiles, quiet, rate

UID = "rowlock-pool"

_WORKERS = f'{POOLS},component="worker"'
_QUEUES = f'{POOLS},queue=~"$queue"'


def dashboard() -> Dashboard:
    """The dashboard of the chosen pools."""
    return frame.build(
        UID,
        "Pool",
        "By pool of workers: waiting, running, saturation, scaling, memory, and the queues it consumes.",
        {
            "Does it keep up?": _state(),
            "Waiting and running": _times(),
            "Scaling": _scaling(),
            "Pods": _pods(),
            "Queues": _queues(),
        },
        variables=(frame.POOL, frame.QUEUE),
    )


def _state() -> list[AnyPanel]:
    return [
        stat(
            "Workers",
            "Pods that are ready, that are wanted, and that the autoscaler may reach.",
            Query(expr=f"sum({once('rowlock_pods_ready', 'pool', _WORKERS)})", legend="ready"),
            Query(expr=f"sum({once('rowlock_pods_wanted', 'pool', _WORKERS)})", legend="wanted"),
            Query(expr=f"sum({once('rowlock_pool_pods_max', 'pool', POOLS)})", legend="max"),
            width=6,
        ),
        stat(
            "Saturation",
            "Share of slots that execute a task; the busiest pool.",
            Query(expr=quiet(f"max(rowlock:pool:saturation{{{POOLS}}} >= 0)", f"max({QUEUES_BY_POOL})")),
            unit=SHARE,
            thresholds=colours.above(0.9, None),
            decimals=0,
        ),
        stat(
            "Backlog",
            "Messages in the pools' queues, those that are being executed among them.",
            Query(expr=f"sum(rowlock:pool:backlog{{{POOLS}}})"),
            links=[links.runs("Unfinished runs", "state:unfinished")],
        ),
        stat(
            "Oldest message",
            "How long the first message of any of the queues has waited.",
            Query(expr=once("rowlock_queue_oldest_seconds", "", POOLS)),
            unit=SECONDS,
            thresholds=colours.above(60, 600),
        ),
        stat(
            "Restarts in an hour",
            "Containers of the workers that ended and were started again: killed for memory, by a probe, or crashed.",
            Query(expr=f"sum(increase(rowlock_container_restarts_total{{{_WORKERS}}}[1h]))"),
            thresholds=colours.above(1, 5),
            decimals=0,
        ),
        stat(
            "Memory, of limit",
            "The pod that is closest to its limit. At 100 % it is killed, and its task delivered again.",
            Query(
                expr=f"max(rowlock_container_memory_bytes{{{POOLS}}} / rowlock_container_memory_limit_bytes{{{POOLS}}})"
            ),
            unit=SHARE,
            thresholds=colours.above(0.8, 0.95),
            decimals=0,
            empty="no worker, or no limit",
        ),
        stat(
            "Paused queues",
            "Queues of the pools that somebody has paused.",
            Query(expr=f"sum({once('rowlock_queue_paused', 'queue, pool', POOLS)})"),
            thresholds=colours.above(1, None),
        ),
    ]


def _times() -> list[AnyPanel]:
    return [
        heatmap(
            "Waiting time",
            "Tasks by how long they waited from when they were due until they started. Dots are single runs.",
            f"sum by (le) (increase(rowlock_task_wait_seconds_bucket{{{_QUEUES}}}[$__rate_interval]))",
        ),
        heatmap(
            "Run time",
            "Tasks by how long they ran. Dots are single runs.",
            f"sum by (le) (increase(rowlock_task_run_seconds_bucket{{{_QUEUES}}}[$__rate_interval]))",
        ),
        plot(
            "Waiting time, percentiles",
            "Waiting time of the chosen pools together, and the strictest of their goals.",
            *quantiles("rowlock_task_wait_seconds", _QUEUES),
            Query(expr=f"min(rowlock:pool:wait_goal_seconds{{{POOLS}}})", legend="goal"),
            unit=SECONDS,
            fixed={**PERCENTILES, "goal": colours.GREY},
            dashed="goal",
            links=[links.runs("Runs that waited over a minute", "waited:>1m")],
        ),
        plot(
            "Run time, percentiles",
            "How long tasks of the chosen pools ran, however they ended.",
            *quantiles("rowlock_task_run_seconds", _QUEUES),
            unit=SECONDS,
            fixed=PERCENTILES,
            links=[links.runs("Runs that took over a minute", "took:>1m")],
            empty=NO_TASK,
        ),
        plot(
            "Waiting time by pool (p95)",
            "How long 95 of 100 tasks waited at most, in five minutes. A pool without starts has no line.",
            Query(expr=f"max by (pool) (rowlock:pool:wait_seconds:p95_5m{{{POOLS}}})", legend="{{pool}}"),
            unit=SECONDS,
            links=[links.POOL_OF_SERIES],
            empty=NO_TASK,
        ),
        plot(
            "Outcomes",
            "What became of the messages that the pools received.",
            Query(
                expr=nothing_yet(
                    f"sum by (outcome) (rowlock:pool:tasks:rate5m{{{POOLS}}})", QUEUES_BY_POOL, outcome="succeeded"
                ),
                legend="{{outcome}}",
            ),
            unit=PER_SECOND,
            fixed=colours.OUTCOMES,
            stacked=True,
            links=[links.FAILED_RUNS],
        ),
    ]


def _scaling() -> list[AnyPanel]:
    return [
        plot(
            "Workers: ready, wanted, max",
            "Pods by pool. Ready below wanted for long: pods cannot start. Wanted at max with a backlog: raise max.",
            Query(expr=once("rowlock_pods_ready", "pool", _WORKERS), legend="{{pool}} ready"),
            Query(expr=once("rowlock_pods_wanted", "pool", _WORKERS), legend="{{pool}} wanted"),
            Query(expr=once("rowlock_pool_pods_max", "pool", POOLS), legend="{{pool}} max"),
            dashed="wanted|max",
        ),
        plot(
            "Saturation",
            "Share of a pool's slots that execute a task. A pool that sleeps shows 0.",
            Query(
                expr=quiet(f"max by (pool) (rowlock:pool:saturation{{{POOLS}}} >= 0)", QUEUES_BY_POOL),
                legend="{{pool}}",
            ),
            unit=SHARE,
            most=1,
        ),
        plot(
            "Slots",
            "Tasks that execute, messages that were delivered and are not started (prefetched), and slots, by pool.",
            Query(
                expr=quiet(f"sum by (pool) (rowlock_tasks_running{{{POOLS}}})", QUEUES_BY_POOL),
                legend="{{pool}} running",
            ),
            Query(
                expr=quiet(f"sum by (pool) (rowlock_tasks_prefetched{{{POOLS}}})", QUEUES_BY_POOL),
                legend="{{pool}} prefetched",
            ),
            Query(
                expr=quiet(f"sum by (pool) (rowlock_worker_slots{{{POOLS}}})", QUEUES_BY_POOL),
                legend="{{pool}} slots",
            ),
            dashed="slots",
        ),
        plot(
            "Backlog",
            "Messages by pool, those that are being executed among them.",
            Query(expr=f"sum by (pool) (rowlock:pool:backlog{{{POOLS}}})", legend="{{pool}}"),
        ),
    ]


def _pods() -> list[AnyPanel]:
    return [
        plot(
            "Memory",
            "The largest and the average pod of each pool, and the limit (dashed) at which it is killed.",
            Query(expr=f"max by (pool) (rowlock_container_memory_bytes{{{POOLS}}})", legend="{{pool}} largest"),
            Query(expr=f"avg by (pool) (rowlock_container_memory_bytes{{{POOLS}}})", legend="{{pool}} average"),
            Query(expr=f"max by (pool) (rowlock_container_memory_limit_bytes{{{POOLS}}})", legend="{{pool}} limit"),
            unit=BYTES,
            dashed="limit",
            width=8,
            empty="no worker",
        ),
        plot(
            "Restarts",
            "Containers that ended and were started again, in the last 15 minutes.",
            Query(
                expr=f"sum by (pool) (increase(rowlock_container_restarts_total{{{_WORKERS}}}[15m]))", legend="{{pool}}"
            ),
            width=8,
        ),
        plot(
            "Workers that consume",
            "Workers that take messages from RabbitMQ, and those that are up.",
            Query(
                expr=quiet(f"sum by (pool) (rowlock_worker_consuming{{{POOLS}}})", QUEUES_BY_POOL),
                legend="{{pool}} consuming",
            ),
            Query(
                expr=quiet(f"count by (pool) (rowlock_worker_consuming{{{POOLS}}})", QUEUES_BY_POOL),
                legend="{{pool}} up",
            ),
            dashed=" up",
            width=8,
        ),
    ]


def _queues() -> list[AnyPanel]:
    queue = [links.RUNS_OF_QUEUE]
    return [
        plot(
            "Messages that wait",
            "Messages that are ready to be delivered, by queue.",
            Query(
                expr=once("rowlock_queue_messages", "queue", f'{_QUEUES},state="ready"'),
                legend="{{queue}}",
            ),
            links=queue,
            width=8,
        ),
        plot(
            "Oldest message",
            "How long the first message of each queue has waited.",
            Query(expr=once("rowlock_queue_oldest_seconds", "queue", _QUEUES), legend="{{queue}}"),
            unit=SECONDS,
            links=queue,
            width=8,
        ),
        plot(
            "Consumers",
            "Workers that consume each queue. 0 with messages that wait: nobody will take them.",
            Query(expr=once("rowlock_queue_consumers", "queue", _QUEUES), legend="{{queue}}"),
            links=queue,
            width=8,
        ),
        plot(
            "In and out",
            "Messages published to the queues, and acknowledged by workers.",
            Query(expr=rate("rowlock_queue_published_total", _QUEUES), legend="published"),
            Query(expr=rate("rowlock_queue_acknowledged_total", _QUEUES), legend="acknowledged"),
            Query(expr=rate("rowlock_queue_delivered_total", _QUEUES), legend="delivered"),
            unit=PER_SECOND,
            fixed={"published": colours.ORANGE, "acknowledged": colours.BLUE, "delivered": colours.SKY},
            width=8,
        ),
        plot(
            "Failures by queue",
            "Tasks that failed, timed out, were lost or rejected, by the queue that they came from.",
            Query(
                expr=quiet(
                    rate("rowlock_tasks_total", f"{_QUEUES},{FAILURES}", "queue"),
                    f"sum by (queue) (rowlock_queue_consumers{{{_QUEUES}}})",
                ),
                legend="{{queue}}",
            ),
            unit=PER_SECOND,
            links=[links.runs("Failed runs in this queue", "state:failed", "queue:${__field.labels.queue}")],
            width=8,
        ),
        plot(
            "Paused",
            "1 while a queue is paused: its messages wait on purpose.",
            Query(expr=once("rowlock_queue_paused", "queue", _QUEUES), legend="{{queue}}"),
            unit=COUNT,
            most=1,
            width=8,
        ),
    ]
