"""What all dashboards have in common: variables, links, annotations, and panels in rows."""

from collections.abc import Iterable, Mapping
from typing import Final

from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
    Dashboard,
    DatasourceVariable,
    QueryVariable,
    Row,
    TextBoxVariable,
)
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.dashboard import Dashboard as Model
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards import colours, links
from dashboards.panels import DATASOURCE, AnyPanel
from dashboards.queries import FIRING, RELEASE

#: Series that are there with every release, busy or not, and with which pools, tasks and queues are found.
_RELEASES: Final = "label_values(rowlock_broker_up, namespace)"

POOL: Final = ("pool", f'label_values(rowlock_queue_consumers{{{RELEASE},pool!=""}}, pool)')
TASK: Final = ("task", f"label_values(rowlock_tasks_total{{{RELEASE}}}, task)")
QUEUE: Final = ("queue", f'label_values(rowlock_queue_consumers{{{RELEASE},pool=~"$pool"}}, queue)')

_ALL: Final = VariableOption(selected=True, text=["All"], value=["$__all"])

Rows = Mapping[str, Iterable[AnyPanel]]


def build(
    uid: str,
    title: str,
    description: str,
    rows: Rows,
    *,
    variables: Iterable[tuple[str, str]] = (),
) -> Model:
    """A dashboard of `rows`, panels by the row's title. `variables` are names and where their values come from."""
    builder = (
        Dashboard(f"Rowlock / {title}")
        .uid(uid)
        .description(description)
        .tags([links.TAG, "celery", "django"])
        .timezone("browser")
        .refresh("30s")
        .time("now-3h", "now")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .editable()
        .links(links.top())
        .annotation(_firing())
        .with_variable(DatasourceVariable("datasource").label("Data source").type("prometheus"))
        .with_variable(_values("namespace", _RELEASES))
    )
    for name, query in variables:
        # Not `.*`: what is outside the chart has no pool.
        some = _values(name, query).multi(True).include_all(True).all_value(".+").current(_ALL)
        builder = builder.with_variable(some)
    builder = builder.with_variable(_console())
    for name, panels in rows.items():
        builder = builder.with_row(Row(name))
        for panel in panels:
            builder = builder.with_panel(panel)
    return _numbered(builder.build())


def _values(name: str, query: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(name.capitalize())
        .datasource(DATASOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )


def _console() -> TextBoxVariable:
    return (
        TextBoxVariable("console")
        .label("Console")
        .description("Where the web pods are reached, for the links to runs.")
        .default_value(links.CONSOLE)
        .current(VariableOption(selected=True, text=links.CONSOLE, value=links.CONSOLE))
    )


def _firing() -> AnnotationQuery:
    target = Dataquery().ref_id("Anno").datasource(DATASOURCE).expr(FIRING)
    return (
        AnnotationQuery()
        .name("Firing alerts")
        .datasource(DATASOURCE)
        .enable(True)
        .icon_color(colours.RED)
        .expr(FIRING)
        .target(target)
        .step("60s")
        .title_format("{{alertname}}")
        .text_format("{{severity}} {{pool}}{{service}}")
    )


def _numbered(model: Model) -> Model:
    """Links to a panel hold its number, which Grafana would otherwise give anew."""
    for number, panel in enumerate(model.panels or [], start=1):
        panel.id_val = number
    return model
