"""Task: how often the chosen tasks run, how long, and how they fail."""

from functools import partial

from grafana_foundation_sdk.models.dashboard import Dashboard

from dashboards import colours, frame, links
from dashboards.panels import (
    COUNT,
    NO_TASK,
    PER_SECOND,
    PERCENTILES,
    SECONDS,
    SHARE,
    AnyPanel,
    heatmap,
    plot,
    ranking,
    stat,
)
from dashboards.queries import FAILURES, TASKS, Query, nothing_yet, quantiles, rate

UID = "rowlock-task"

_SELECTED = f'{TASKS},pool=~"$pool"'
#: A message that is put back, or retried, is not an end.
_ENDED = 'outcome!~"retried|requeued"'
_ROW_TASK = "${__data.fields.task}"

_stat = partial(stat, empty=NO_TASK)
_plot = partial(plot, empty=NO_TASK)


def dashboard() -> Dashboard:
    """The dashboard of the chosen tasks."""
    return frame.build(
        UID,
        "Task",
        "By task: rate, waiting and run time, failures by exception, retries, and which cost most.",
        {
            "Now": _state(),
            "Rate and outcome": _rates(),
            "Waiting and running": _times(),
            "Failures and retries": _failures(),
            "All chosen tasks": [_table()],
        },
        variables=(frame.POOL, frame.TASK),
    )


def _over_range(outcome: str) -> str:
    return f"sum(increase(rowlock_tasks_total{{{_SELECTED},{outcome}}}[$__range]))"


def _state() -> list[AnyPanel]:
    return [
        _stat(
            "Ended",
            "Tasks that came to an end in the time that is shown.",
            Query(expr=_over_range(_ENDED)),
            width=4,
            decimals=0,
        ),
        _stat(
            "Failed",
            "Tasks that failed, timed out, were lost or rejected in the time that is shown.",
            Query(expr=_over_range(FAILURES)),
            thresholds=colours.above(1, None),
            links=[links.FAILED_RUNS],
            width=4,
            decimals=0,
        ),
        _stat(
            "Failed, share",
            "The same, of those that came to an end.",
            Query(expr=f"{_over_range(FAILURES)} / {_over_range(_ENDED)}"),
            unit=SHARE,
            thresholds=colours.above(0.01, 0.05),
            links=[links.FAILED_RUNS],
            width=4,
        ),
        _stat(
            "Retried",
            "Attempts that asked for another one, in the time that is shown.",
            Query(expr=_over_range('outcome="retried"')),
            links=[links.runs("Runs with retries", "retries:>0")],
            width=4,
            decimals=0,
        ),
        _stat(
            "Waiting time (p95)",
            "How long 95 of 100 tasks waited at most, in the time that is shown.",
            Query(
                expr="histogram_quantile(0.95, sum by (le) "
                f"(increase(rowlock_task_wait_seconds_bucket{{{_SELECTED}}}[$__range])))"
            ),
            unit=SECONDS,
            width=4,
        ),
        _stat(
            "Run time (p95)",
            "How long 95 of 100 tasks ran at most, in the time that is shown.",
            Query(
                expr="histogram_quantile(0.95, sum by (le) "
                f"(increase(rowlock_task_run_seconds_bucket{{{_SELECTED}}}[$__range])))"
            ),
            unit=SECONDS,
            width=4,
        ),
    ]


def _rates() -> list[AnyPanel]:
    return [
        _plot(
            "By outcome",
            "What became of the messages of the chosen tasks.",
            Query(
                expr=rate("rowlock_tasks_total", _SELECTED, "outcome"),
                legend="{{outcome}}",
                exemplars=True,
            ),
            unit=PER_SECOND,
            fixed=colours.OUTCOMES,
            stacked=True,
            links=[links.FAILED_RUNS],
        ),
        _plot(
            "By task",
            "Ends and attempts of each task; the fifteen busiest.",
            Query(expr=f"topk(15, {rate('rowlock_tasks_total', _SELECTED, 'task')})", legend="{{task}}"),
            unit=PER_SECOND,
            links=[links.TASK_OF_SERIES, links.RUNS_OF_TASK],
        ),
    ]


def _times() -> list[AnyPanel]:
    return [
        _plot(
            "Waiting time, percentiles",
            "From when a task was due until it started, of the chosen tasks together. Dots are single runs.",
            *quantiles("rowlock_task_wait_seconds", _SELECTED),
            unit=SECONDS,
            fixed=PERCENTILES,
            links=[links.runs("Runs that waited over a minute", "waited:>1m")],
        ),
        _plot(
            "Run time, percentiles",
            "From start to end, of the chosen tasks together. Dots are single runs.",
            *quantiles("rowlock_task_run_seconds", _SELECTED),
            unit=SECONDS,
            fixed=PERCENTILES,
            links=[links.runs("Runs that took over a minute", "took:>1m")],
        ),
        heatmap(
            "Run time",
            "Tasks by how long they ran. Two bands mean two kinds of work in one task. Dots are single runs.",
            f"sum by (le) (increase(rowlock_task_run_seconds_bucket{{{_SELECTED}}}[$__rate_interval]))",
        ),
        _plot(
            "Slowest (p95)",
            "The tasks whose slowest five in a hundred run longest, in five minutes; the ten slowest.",
            Query(expr=f"topk(10, max by (task) (rowlock:task:run_seconds:p95_5m{{{TASKS}}}))", legend="{{task}}"),
            unit=SECONDS,
            links=[links.TASK_OF_SERIES, links.RUNS_OF_TASK],
            height=9,
        ),
    ]


def _failures() -> list[AnyPanel]:
    return [
        _plot(
            "Failures by exception",
            "Attempts that failed, were retried or timed out, by the class of their exception; the most frequent ones.",
            Query(
                expr=nothing_yet(
                    f"topk(15, {rate('rowlock_task_exceptions_total', TASKS, 'task, exception')})",
                    f"rowlock_tasks_total{{{_SELECTED}}}",
                    exception="none",
                    task="any task",
                ),
                legend="{{exception}} in {{task}}",
            ),
            unit=PER_SECOND,
            links=[
                links.runs(
                    "Runs with ${__field.labels.exception}",
                    f"task:{links.FIELD_TASK}",
                    "error:${__field.labels.exception}",
                )
            ],
        ),
        _plot(
            "Failures by task",
            "Tasks that failed, timed out, were lost or rejected.",
            Query(
                expr=rate("rowlock_tasks_total", f"{_SELECTED},{FAILURES}", "task"), legend="{{task}}", exemplars=True
            ),
            unit=PER_SECOND,
            links=[links.FAILED_RUNS_OF_TASK],
        ),
        _plot(
            "Retries by task",
            "Attempts that asked for another one.",
            Query(expr=rate("rowlock_tasks_total", f'{_SELECTED},outcome="retried"', "task"), legend="{{task}}"),
            unit=PER_SECOND,
            links=[links.runs(f"Runs of {links.FIELD_TASK} with retries", f"task:{links.FIELD_TASK}", "retries:>0")],
        ),
        _plot(
            "Put back, expired, revoked",
            "Messages that were put back by workers that end or lose the broker, waited beyond their `expires`, or "
            "were cancelled.",
            Query(
                expr=rate("rowlock_tasks_total", f'{_SELECTED},outcome=~"requeued|expired|revoked|lost"', "outcome"),
                legend="{{outcome}}",
            ),
            unit=PER_SECOND,
            fixed=colours.OUTCOMES,
        ),
    ]


def _table() -> AnyPanel:
    def over_range(selector: str) -> str:
        return f"sum by (task) (increase(rowlock_tasks_total{{{_SELECTED},{selector}}}[$__range]))"

    def p95(histogram: str) -> str:
        buckets = f"increase({histogram}_bucket{{{_SELECTED}}}[$__range])"
        return f"histogram_quantile(0.95, sum by (task, le) ({buckets}))"

    return ranking(
        "Where the time goes",
        "Each task in the time that is shown. Total time is what it kept slots busy for. A click on a task leads to "
        "its runs.",
        "task",
        {
            "Total time": (
                Query(expr=f"sum by (task) (increase(rowlock_task_run_seconds_sum{{{_SELECTED}}}[$__range]))"),
                SECONDS,
            ),
            "Ended": (Query(expr=over_range(_ENDED)), COUNT),
            "Run time (p95)": (Query(expr=p95("rowlock_task_run_seconds")), SECONDS),
            "Waiting time (p95)": (Query(expr=p95("rowlock_task_wait_seconds")), SECONDS),
            "Failed": (Query(expr=over_range(FAILURES)), COUNT),
            "Retried": (Query(expr=over_range('outcome="retried"')), COUNT),
        },
        first="Total time",
        links=[
            links.runs(f"Runs of {_ROW_TASK}", f"task:{_ROW_TASK}"),
            links.runs(f"Failed runs of {_ROW_TASK}", "state:failed", f"task:{_ROW_TASK}"),
            links.dashboard(f"Only {_ROW_TASK}", UID, task=_ROW_TASK),
        ],
        height=12,
    )
