"""PromQL that several panels share.

A counter of what has not happened yet may have no series at all, and a panel of it says "No data" on a healthy system.
`quiet` gives it a zero, but only where another metric of the same origin is there, so that what is not exported, or not
scraped, still shows as missing.
"""

from dataclasses import dataclass
from typing import Final

#: Selectors of the release, of the chosen pools, and of the chosen tasks.
RELEASE: Final = 'namespace="$namespace"'
POOLS: Final = f'{RELEASE},pool=~"$pool"'
TASKS: Final = f'{RELEASE},task=~"$task"'

#: Every queue of a pool, told by the collector even while the pool sleeps.
QUEUES_BY_POOL: Final = f"sum by (pool) (rowlock_queue_consumers{{{POOLS}}})"
#: What is there wherever the recording rules are.
RULES: Final = f"max(rowlock:pool:failure_goal_share{{{RELEASE}}})"
#: The outcomes that users call a failure.
FAILURES: Final = 'outcome=~"failed|timed_out|lost|rejected"'
#: No rule needs to have run for this one to be right: Prometheus has `ALERTS` only while an alert is pending or firing.
FIRING: Final = f'ALERTS{{{RELEASE},alertstate="firing",alertname=~"Rowlock.*"}}'


@dataclass(frozen=True, kw_only=True)
class Query:
    """An expression, and the legend of each series that it returns.

    `exemplars` are asked for where the expression reads histograms or counters of tasks, as recorded series have none.
    """

    expr: str
    legend: str = ""
    exemplars: bool = False


def quiet(expr: str, like: str) -> str:
    """`expr`, and 0 for every series of `like` that it says nothing about. Both must have the same labels."""
    return f"{expr} or 0 * {like}"


def nothing_yet(expr: str, like: str, **labels: str) -> str:
    """`expr`, or where it has no series at all one of 0 with `labels`, if there is any series of `like`."""
    zero = f"0 * max({like})"
    for name, value in labels.items():
        zero = f'label_replace({zero}, "{name}", "{value}", "", "")'
    return f"{expr} or on () {zero}"


def rate(metric: str, selector: str, by: str = "") -> str:
    """Summed rate per second of a counter, over the window that Grafana finds right for the resolution."""
    return f"sum{_by(by)} (rate({metric}{{{selector}}}[$__rate_interval]))"


def quantile(share: float, histogram: str, selector: str, by: str = "") -> str:
    """Quantile of a histogram's observations; not a number while there are none."""
    labels = ", ".join(filter(None, (by, "le")))
    return f"histogram_quantile({share}, {rate(f'{histogram}_bucket', selector, labels)})"


def quantiles(histogram: str, selector: str) -> list[Query]:
    """Median, 95th and 99th percentile, with exemplars on the last."""
    return [
        Query(expr=quantile(share, histogram, selector), legend=legend, exemplars=share == 0.99)
        for share, legend in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
    ]


def once(metric: str, by: str = "", selector: str = RELEASE) -> str:
    """A gauge of the collector, of which two may be scraped while one replaces the other."""
    return f"max{_by(by)} ({metric}{{{selector}}})"


def _by(labels: str) -> str:
    return f" by ({labels})" if labels else ""
