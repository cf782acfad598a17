"""Overview: is it healthy, and if not, where to look."""

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import colours, frame, links
from dashboards.panels import (
    COUNT,
    PER_SECOND,
    SECONDS,
    SHARE,
    UP,
    AnyPanel,
    plot,
    stat,
    timeline,
    words,
)
from dashboards.queries import FIRING, RELEASE, RULES, Query, nothing_yet, once, quiet

UID = "rowlock-overview"

_LATE = f"""rowlock:pool:wait_over_goal:ratio_rate5m{{{RELEASE}}}
  / on (namespace, pool) (1 - rowlock:pool:wait_goal_share{{{RELEASE}}})"""
_FAILED = f"""rowlock:pool:failures:ratio_rate5m{{{RELEASE}}}
  / on (namespace, pool) rowlock:pool:failure_goal_share{{{RELEASE}}}"""
_POOLS = f"max by (pool) (rowlock:pool:failure_goal_share{{{RELEASE}}})"


def dashboard() -> Dashboard:
    """The dashboard of one release."""
    return frame.build(
        UID,
        "Overview",
        "Is it healthy: what users feel on top, the reasons below.",
        {
            "Is it healthy?": _health(),
            "Work": _work(),
            "Waiting": _waiting(),
            "Workers and other pods": _workers(),
            "Accepting and scheduling": _accepting(),
        },
    )


def _health() -> list[AnyPanel]:
    return [
        stat(
            "Firing alerts",
            "Alerts of this release that are firing. The row below says which.",
            # Without an alert there is no ALERTS: that is the healthy case, and nothing else can stand in for it.
            Query(expr=f"count({FIRING}) or vector(0)"),
            thresholds=colours.above(None, 1),
        ),
        stat(
            "Late starts, of allowed",
            "Tasks that waited longer than their pool's goal in the last five minutes, as a share of what the goal "
            "allows; the worst pool. 100 % is just within the goal, 200 % uses it up twice as fast as allowed.",
            Query(expr=quiet(f"max({_LATE} >= 0)", RULES)),
            unit=SHARE,
            thresholds=colours.above(1, 6),
            links=[links.runs("Runs that waited over a minute", "waited:>1m")],
            decimals=0,
        ),
        stat(
            "Failures, of allowed",
            "Tasks that failed in the last five minutes, as a share of what the goal allows; the worst pool.",
            Query(expr=quiet(f"max({_FAILED} >= 0)", RULES)),
            unit=SHARE,
            thresholds=colours.above(1, 2),
            links=[links.FAILED_RUNS],
            decimals=0,
        ),
        stat(
            "Oldest message",
            "How long the first message of any queue has waited. Grows when nobody consumes a queue.",
            Query(expr=once("rowlock_queue_oldest_seconds")),
            unit=SECONDS,
            thresholds=colours.above(60, 600),
            links=[links.runs("Unfinished runs", "state:unfinished")],
        ),
        stat(
            "Pods missing",
            "Pods of all components that are wanted and not ready. While a release or an autoscaler starts pods, a few "
            "for a minute or two.",
            Query(
                expr=f"sum(clamp_min({once('rowlock_pods_wanted', 'component, pool')}"
                f" - {once('rowlock_pods_ready', 'component, pool')}, 0))"
            ),
            thresholds=colours.above(1, 3),
            links=[links.dashboard("Pools", "rowlock-pool")],
        ),
        stat(
            "Services",
            "PostgreSQL, RabbitMQ and Redis, as the collector reaches them.",
            Query(expr=once("rowlock_service_up", "service"), legend="{{service}}"),
            mappings=UP,
            links=[links.dashboard("Services", "rowlock-services")],
            width=6,
        ),
        stat(
            "Beat",
            "Seconds since beat last looked for due schedules. Schedules do not fire while this grows.",
            Query(expr=f"time() - {once('rowlock_beat_last_tick_timestamp_seconds')}"),
            unit=SECONDS,
            thresholds=colours.above(30, 60),
            decimals=0,
            empty="no beat",
        ),
        stat(
            "Backlog",
            "Messages in the queues of all pools, those that are being executed among them.",
            Query(expr=f"sum(rowlock:pool:backlog{{{RELEASE}}})"),
            links=[links.runs("Unfinished runs", "state:unfinished")],
        ),
        stat(
            "Busy",
            "Share of the workers' slots that execute a task. At 100 % for long, tasks wait: see the pool's maximum.",
            Query(
                expr=quiet(
                    f"sum(rowlock_tasks_running{{{RELEASE}}}) / sum(rowlock_worker_slots{{{RELEASE}}})",
                    once("rowlock_broker_up"),
                )
            ),
            unit=SHARE,
            thresholds=colours.above(0.9, None),
            links=[links.dashboard("Pools", "rowlock-pool")],
            decimals=0,
        ),
        stat(
            "Outbox",
            "How long the oldest accepted run has been due without being published. Grows while RabbitMQ is away; "
            "nothing is lost.",
            Query(expr=once("rowlock_outbox_oldest_seconds")),
            unit=SECONDS,
            thresholds=colours.above(15, 60),
            links=[links.runs("Runs that are not published", "state:queued")],
        ),
        stat(
            "Dead letters",
            "Messages that no worker could end. They stay until somebody retries or removes them.",
            Query(expr=once("rowlock_dead_letters")),
            thresholds=colours.above(1, 100),
        ),
        stat(
            "Broker alarms",
            "RabbitMQ's nodes that are out of memory or disk: they take no messages until that ends.",
            Query(expr=f"sum({once('rowlock_broker_alarms', 'kind')})"),
            thresholds=colours.above(None, 1),
            links=[links.dashboard("Services", "rowlock-services")],
        ),
        stat(
            "Paused queues",
            "Queues that somebody has paused: their messages wait on purpose.",
            Query(expr=f"sum({once('rowlock_queue_paused', 'queue, pool')})"),
            thresholds=colours.above(1, None),
        ),
        stat(
            "Migration",
            "The newest migration Job of the release. After a failed one the new pods wait, and the old ones serve.",
            Query(expr=once("rowlock_migration_failed")),
            mappings=words({0: ("fine", colours.GOOD), 1: ("FAILED", colours.BAD)}),
        ),
        stat(
            "Schedules late",
            "How long ago the most overdue slot of any schedule was due.",
            Query(expr=once("rowlock_schedule_late_seconds")),
            unit=SECONDS,
            thresholds=colours.above(30, 300),
            empty="no beat",
        ),
        timeline(
            "Which alerts fired",
            "Each alert from when it fired until it cleared; `none` is the line of a healthy release.",
            Query(
                expr=f'max by (alertname) ({FIRING}) or label_replace(vector(0), "alertname", "none", "", "")',
                legend="{{alertname}}",
            ),
            mappings=words({0: ("none", colours.GOOD), 1: ("firing", colours.BAD)}),
            height=5,
        ),
    ]


def _work() -> list[AnyPanel]:
    return [
        plot(
            "Arriving and ending",
            "Messages published to the queues, and what became of those that workers received. When arriving stays "
            "above, the backlog grows.",
            Query(
                expr=f"sum(rate(rowlock_queue_published_total{{{RELEASE}}}[5m]))",
                legend="arriving",
            ),
            Query(
                expr=nothing_yet(
                    f"sum by (outcome) (rowlock:pool:tasks:rate5m{{{RELEASE}}})", RULES, outcome="succeeded"
                ),
                legend="{{outcome}}",
            ),
            unit=PER_SECOND,
            fixed={"arriving": colours.GREY, **colours.OUTCOMES},
            dashed="arriving",
            stacked=True,
            links=[links.runs("Runs"), links.FAILED_RUNS],
        ),
        plot(
            "Failures against the goal",
            "Share of tasks that failed, timed out, were lost or rejected, by pool, in five minutes; the dashed lines "
            "are the goals.",
            Query(
                expr=quiet(f"max by (pool) (rowlock:pool:failures:ratio_rate5m{{{RELEASE}}} >= 0)", _POOLS),
                legend="{{pool}}",
            ),
            Query(expr=_POOLS, legend="goal of {{pool}}"),
            unit=SHARE,
            dashed="goal of .*",
            links=[links.FAILED_RUNS, links.POOL_OF_SERIES],
        ),
    ]


def _waiting() -> list[AnyPanel]:
    goal = f"max by (pool) (rowlock:pool:wait_goal_seconds{{{RELEASE}}})"
    return [
        plot(
            "Waiting time against the goal (p95)",
            "How long 95 of 100 tasks waited at most from when they were due, by pool, in five minutes; the dashed "
            "lines are the goals. A pool without starts has no line.",
            Query(expr=f"max by (pool) (rowlock:pool:wait_seconds:p95_5m{{{RELEASE}}})", legend="{{pool}}"),
            Query(expr=goal, legend="goal of {{pool}}"),
            unit=SECONDS,
            dashed="goal of .*",
            links=[links.POOL_OF_SERIES],
        ),
        plot(
            "Late starts",
            "Share of starts that waited longer than their pool's goal, in five minutes and in an hour.",
            Query(
                expr=quiet(f"max by (pool) (rowlock:pool:wait_over_goal:ratio_rate5m{{{RELEASE}}} >= 0)", _POOLS),
                legend="{{pool}}, 5 min",
            ),
            Query(
                expr=quiet(f"max by (pool) (rowlock:pool:wait_over_goal:ratio_rate1h{{{RELEASE}}} >= 0)", _POOLS),
                legend="{{pool}}, 1 h",
            ),
            unit=SHARE,
            links=[links.POOL_OF_SERIES],
        ),
    ]


def _workers() -> list[AnyPanel]:
    worker = f'{RELEASE},component="worker"'
    return [
        plot(
            "Backlog",
            "Messages by pool, those that are being executed among them.",
            Query(expr=f"sum by (pool) (rowlock:pool:backlog{{{RELEASE}}})", legend="{{pool}}"),
            unit=COUNT,
            links=[links.POOL_OF_SERIES],
            width=8,
        ),
        plot(
            "Workers",
            "Pods of all pools that are wanted and that are ready, and slots that execute a task.",
            Query(expr=f"sum(max by (pool) (rowlock_pods_wanted{{{worker}}}))", legend="wanted"),
            Query(expr=f"sum(max by (pool) (rowlock_pods_ready{{{worker}}}))", legend="ready"),
            Query(
                expr=quiet(f"sum(rowlock_tasks_running{{{RELEASE}}})", once("rowlock_broker_up")), legend="busy slots"
            ),
            Query(expr=quiet(f"sum(rowlock_worker_slots{{{RELEASE}}})", once("rowlock_broker_up")), legend="slots"),
            fixed={"wanted": colours.GREY, "ready": colours.BLUE, "busy slots": colours.ORANGE, "slots": colours.SKY},
            dashed="wanted|slots",
            width=8,
        ),
        plot(
            "Saturation",
            "Share of a pool's slots that execute a task. A pool that sleeps has no line.",
            Query(
                expr=quiet(
                    f"max by (pool) (rowlock:pool:saturation{{{RELEASE}}} >= 0)",
                    f"sum by (pool) (rowlock_queue_consumers{{{RELEASE}}})",
                ),
                legend="{{pool}}",
            ),
            unit=SHARE,
            most=1,
            links=[links.POOL_OF_SERIES],
            width=8,
        ),
        plot(
            "Pods missing",
            "Pods that are wanted and not ready, by component and pool.",
            Query(
                expr=f"clamp_min({once('rowlock_pods_wanted', 'component, pool')}"
                f" - {once('rowlock_pods_ready', 'component, pool')}, 0)",
                legend="{{component}} {{pool}}",
            ),
        ),
        plot(
            "Restarts",
            "Containers that ended and were started again, in the last 15 minutes, by component and pool.",
            Query(
                expr=f"sum by (component, pool) (increase(rowlock_container_restarts_total{{{RELEASE}}}[15m]))",
                legend="{{component}} {{pool}}",
            ),
        ),
    ]


def _accepting() -> list[AnyPanel]:
    return [
        plot(
            "Outbox",
            "Accepted runs that are due and not yet published: they wait for RabbitMQ, in the database. Counting ends "
            "at 10,000.",
            Query(expr=once("rowlock_outbox_pending"), legend="pending"),
            fixed={"pending": colours.BLUE},
            width=8,
        ),
        plot(
            "Published from the outbox",
            "Runs that any process published from the outbox, and attempts that the broker or the database cut short.",
            Query(expr=f"sum(rate(rowlock_outbox_published_total{{{RELEASE}}}[5m]))", legend="published"),
            Query(expr=f"sum(rate(rowlock_outbox_failures_total{{{RELEASE}}}[5m]))", legend="failures"),
            unit=PER_SECOND,
            fixed={"published": colours.BLUE, "failures": colours.RED},
            width=8,
        ),
        plot(
            "Schedules",
            "Slots of schedules that beat submitted, failed to submit, and dropped because they were too old.",
            Query(expr=f"sum(rate(rowlock_beat_ticks_total{{{RELEASE}}}[5m]))", legend="submitted"),
            Query(expr=f"sum(rate(rowlock_beat_failures_total{{{RELEASE}}}[5m]))", legend="failed"),
            Query(expr=f"sum(rate(rowlock_beat_dropped_total{{{RELEASE}}}[5m]))", legend="dropped"),
            Query(expr=f"sum(rowlock_beat_active{{{RELEASE}}})", legend="beats that tick"),
            unit=PER_SECOND,
            fixed={
                "submitted": colours.BLUE,
                "failed": colours.RED,
                "dropped": colours.ORANGE,
                "beats that tick": colours.GREY,
            },
            width=8,
            empty="no beat",
        ),
    ]
