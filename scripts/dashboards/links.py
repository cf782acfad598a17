"""Ways from a panel to the runs behind it, and to the dashboard that says more."""

from typing import Final

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import DashboardLink as Model
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

TAG: Final = "rowlock"
#: Until the chart or the user says where the console is: where `scripts/run` and a port-forward have it.
CONSOLE: Final = "http://localhost:8000"
#: The runs that were accepted in the time that the dashboard shows.
_SHOWN: Final = "since:${__from:date:iso}+until:${__to:date:iso}"


def runs(title: str, *words: str) -> DashboardLink:
    """A search in the console for `words` of the query language (docs/queries.md), in the time that is shown."""
    query = "+".join((*words, _SHOWN)).replace(">", "%3E")
    return DashboardLink(title).url(f"${{console:raw}}/console/runs/?q={query}").target_blank(True)


def dashboard(title: str, uid: str, **variables: str) -> DashboardLink:
    """Another dashboard, with the same time and namespace, and `variables` set."""
    more = "".join(f"&var-{name}={value}" for name, value in variables.items())
    kept = "${datasource:queryparam}&${namespace:queryparam}&${console:queryparam}&${__url_time_range}"
    return DashboardLink(title).url(f"/d/{uid}?{kept}{more}")


def top() -> list[Builder[Model]]:
    """The links in the head of every dashboard."""
    return [
        DashboardLink("Rowlock").type(DashboardLinkType.DASHBOARDS).tags([TAG]).include_vars(True).keep_time(True),
        DashboardLink("Console")
        .type(DashboardLinkType.LINK)
        .icon("external link")
        .url("${console:raw}/console/")
        .tooltip("What runs now, run by run")
        .target_blank(True),
    ]


FIELD_POOL: Final = "${__field.labels.pool}"
FIELD_TASK: Final = "${__field.labels.task}"
POOL_OF_SERIES: Final = dashboard("Pool ${__field.labels.pool}", "rowlock-pool", pool=FIELD_POOL)
TASK_OF_SERIES: Final = dashboard("Task ${__field.labels.task}", "rowlock-task", task=FIELD_TASK)
FAILED_RUNS: Final = runs("Failed runs", "state:failed")
FAILED_RUNS_OF_TASK: Final = runs("Failed runs of ${__field.labels.task}", "state:failed", f"task:{FIELD_TASK}")
RUNS_OF_TASK: Final = runs("Runs of ${__field.labels.task}", f"task:{FIELD_TASK}")
RUNS_OF_QUEUE: Final = runs("Unfinished runs in this queue", "state:unfinished", "queue:${__field.labels.queue}")
