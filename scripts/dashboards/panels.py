"""The kinds of panels that the dashboards are made of: sizes, legends and defaults in one place.

Widths and heights are in cells of Grafana's grid, 24 to a row.
"""

from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import heatmap as heatmaps
from grafana_foundation_sdk.builders import stat as stats
from grafana_foundation_sdk.builders import statetimeline, table, timeseries
from grafana_foundation_sdk.builders.common import (
    GraphThresholdsStyleConfig,
    ReduceDataOptions,
    StackingConfig,
    TableSortByFieldState,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import DashboardLink, FieldColor, ThresholdsConfig
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    DataSourceRef,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Panel,
    SpecialValueMap,
    SpecialValueMatch,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards import colours
from dashboards.queries import Query

DATASOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
#: The interval at which the chart's monitors scrape: less makes rates of nothing.
LEAST_INTERVAL: Final = "30s"
#: What a rate of nothing divided by nothing means.
IDLE: Final = SpecialValueMap(
    DashboardSpecialValueMapOptions(match=SpecialValueMatch.NA_N, result=ValueMappingResult(text="idle"))
)
SECONDS: Final = units.Seconds
SHARE: Final = units.PercentUnit
BYTES: Final = units.BytesIEC
PER_SECOND: Final = units.CountsPerSecond
COUNT: Final = units.Short

#: What it means that there are no series of tasks: they begin with a task's first message.
NO_TASK: Final = "no task has run yet"

AnyPanel = Builder[Panel]
_P = TypeVar("_P", stats.Panel, timeseries.Panel, statetimeline.Panel)


def words(meanings: Mapping[int, tuple[str, str]]) -> list[ValueMapping]:
    """Numbers shown as a word in a colour."""
    return [
        ValueMap(
            {str(number): ValueMappingResult(text=text, color=colour) for number, (text, colour) in meanings.items()}
        )
    ]


UP: Final = words({1: ("up", colours.GOOD), 0: ("DOWN", colours.BAD)})


def stat(
    title: str,
    description: str,
    *queries: Query,
    unit: str = COUNT,
    thresholds: ThresholdsConfig | None = None,
    mappings: Sequence[ValueMapping] = (),
    links: Sequence[DashboardLink] = (),
    decimals: int | None = None,
    empty: str | None = None,
    width: int = 3,
    height: int = 4,
) -> stats.Panel:
    """A big number, coloured where it can be good or bad.

    `empty` says what it means when a healthy system has no such number; only such panels may be without data.
    """
    judged = thresholds is not None or mappings
    panel = (
        stats.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .thresholds(thresholds or (colours.above(None, None) if mappings else colours.neither()))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .color_mode(BigValueColorMode.BACKGROUND_SOLID if judged else BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE if mappings else BigValueGraphMode.AREA)
        .text_mode(BigValueTextMode.VALUE_AND_NAME if len(queries) > 1 else BigValueTextMode.AUTO)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]).values(False))
        .mappings([*mappings, IDLE])
        .interval(LEAST_INTERVAL)
        .data_links(list(links))
        .span(width)
        .height(height)
    )
    if decimals is not None:
        panel = panel.decimals(decimals)
    if empty is not None:
        panel = panel.no_value(empty)
    return _with_queries(panel, queries)


def plot(
    title: str,
    description: str,
    *queries: Query,
    unit: str = COUNT,
    thresholds: ThresholdsConfig | None = None,
    fixed: Mapping[str, str] | None = None,
    dashed: str | None = None,
    stacked: bool = False,
    most: float | None = None,
    links: Sequence[DashboardLink] = (),
    empty: str | None = None,
    width: int = 12,
    height: int = 8,
) -> timeseries.Panel:
    """Lines over time, from 0 on. `fixed` colours series by name; names that match `dashed` are limits and goals."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .min(0)
        .line_width(1 if stacked else 2)
        .fill_opacity(60 if stacked else 8)
        .show_points(VisibilityMode.NEVER)
        .span_nulls(False)
        .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .legend(
            VizLegendOptions()
            .show_legend(True)
            .display_mode(LegendDisplayMode.TABLE)
            .placement(LegendPlacement.BOTTOM)
            .calcs(["lastNotNull", "max"])
        )
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .interval(LEAST_INTERVAL)
        .data_links(list(links))
        .span(width)
        .height(height)
    )
    if stacked:
        panel = panel.stacking(StackingConfig().mode(StackingMode.NORMAL))
    if most is not None:
        panel = panel.max(most)
    if thresholds is not None:
        style = GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds(thresholds).thresholds_style(style)
    if empty is not None:
        panel = panel.no_value(empty)
    for name, colour in (fixed or {}).items():
        panel = panel.override_by_name(name, [DynamicConfigValue(id_val="color", value=_fixed(colour))])
    if dashed is not None:
        panel = panel.override_by_regexp(
            f"/{dashed}/",
            [
                DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [10, 10]}),
                DynamicConfigValue(id_val="custom.lineWidth", value=1),
                DynamicConfigValue(id_val="custom.fillOpacity", value=0),
                DynamicConfigValue(id_val="custom.stacking", value={"mode": "none"}),
            ],
        )
    return _with_queries(panel, queries)


#: Percentiles from pale to strong.
PERCENTILES: Final = {"p50": colours.SKY, "p95": colours.ORANGE, "p99": colours.RED}


def heatmap(title: str, description: str, buckets: str, *, width: int = 12, height: int = 9) -> heatmaps.Panel:
    """How many observations fell into each bucket of a histogram; the dots are runs (exemplars)."""
    query = Query(expr=buckets, legend="{{le}}", exemplars=True)
    colour = (
        heatmaps.HeatmapColorOptions()
        .mode(HeatmapColorMode.SCHEME)
        .scheme("Cividis")
        .scale(HeatmapColorScale.EXPONENTIAL)
        .exponent(0.4)
    )
    panel = (
        heatmaps.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .calculate(False)
        .color(colour)
        .y_axis(heatmaps.YAxisConfig().unit(SECONDS))
        .cell_values(heatmaps.CellValues().unit(COUNT).decimals(0))
        .filter_values(heatmaps.FilterValueRange().le(1e-9))
        .exemplars_color(colours.ORANGE)
        .no_value(NO_TASK)
        .show_legend()
        .interval(LEAST_INTERVAL)
        .span(width)
        .height(height)
    )
    return panel.with_target(_dataquery(query, "A").format(PromQueryFormat.HEATMAP).range())


def timeline(
    title: str,
    description: str,
    *queries: Query,
    mappings: Sequence[ValueMapping],
    width: int = 24,
    height: int = 6,
) -> statetimeline.Panel:
    """Which states there were, and from when to when."""
    panel = (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .mappings(list(mappings))
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(colours.above(None, 1))
        .show_value(VisibilityMode.AUTO)
        .merge_values(True)
        .row_height(0.8)
        .legend(VizLegendOptions().show_legend(False).display_mode(LegendDisplayMode.LIST))
        .interval(LEAST_INTERVAL)
        .span(width)
        .height(height)
    )
    return _with_queries(panel, queries)


def ranking(
    title: str,
    description: str,
    by: str,
    columns: Mapping[str, tuple[Query, str]],
    *,
    first: str,
    links: Sequence[DashboardLink] = (),
    height: int = 10,
) -> table.Panel:
    """A row for each value of the label `by`, the columns by name with their query and unit, sorted by `first`."""
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .interval(LEAST_INTERVAL)
        .filterable(True)
        .no_value(NO_TASK)
        .sort_by([TableSortByFieldState().display_name(first).desc(True)])
        .transformations(
            [
                DataTransformerConfig(id_val="merge", options={}),
                DataTransformerConfig(
                    id_val="organize",
                    options={
                        "excludeByName": {"Time": True},
                        "renameByName": {f"Value #{_ref(number)}": name for number, name in enumerate(columns)},
                    },
                ),
            ]
        )
        .mappings([IDLE])
        .override_by_name(by, [_links(links), DynamicConfigValue(id_val="custom.minWidth", value=280)])
        .span(24)
        .height(height)
    )
    for number, (name, (query, unit)) in enumerate(columns.items()):
        panel = panel.with_target(_dataquery(query, _ref(number)).format(PromQueryFormat.TABLE).instant())
        panel = panel.override_by_name(
            name,
            [DynamicConfigValue(id_val="unit", value=unit), DynamicConfigValue(id_val="decimals", value=2)],
        )
    return panel


def _links(links: Sequence[DashboardLink]) -> DynamicConfigValue:
    return DynamicConfigValue(id_val="links", value=[link.build() for link in links])


def _with_queries(panel: _P, queries: Sequence[Query]) -> _P:
    for number, query in enumerate(queries):
        panel = panel.with_target(_dataquery(query, _ref(number)).format(PromQueryFormat.TIME_SERIES).range())
    return panel


def _dataquery(query: Query, ref: str) -> Dataquery:
    return (
        Dataquery()
        .ref_id(ref)
        .datasource(DATASOURCE)
        .expr(query.expr)
        .legend_format(query.legend or "__auto")
        .exemplar(query.exemplars)
    )


def _ref(number: int) -> str:
    return chr(ord("A") + number)


def _fixed(colour: str) -> dict[str, str]:
    return {"mode": "fixed", "fixedColor": colour}
