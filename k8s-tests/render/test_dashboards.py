"""The dashboards are what their code makes, ask for what is exported, and get to Grafana by its sidecar or operator."""

import json
import re
import sys
from functools import cache
from typing import Any

import pytest
import yaml

from render import promtool
from render.chart import ROOT, RefusedError, Rendered, Values, notes, render
from render.panels import FOLDER, NAMES, Panel, dashboard, filled, metrics, panels

sys.path.insert(0, str(ROOT / "scripts"))
from dashboards.written import texts

PANELS = list(panels())
SIDECAR: Values = {"metrics": {"dashboards": {"enabled": True}}}
GRAFANAS = {"matchLabels": {"dashboards": "grafana"}}
OPERATOR: Values = {
    "metrics": {"dashboards": {"enabled": True, "kind": "grafanaDashboard", "instanceSelector": GRAFANAS}}
}
#: What a ConfigMap may hold, and what `kubectl apply` may remember of an object.
LARGEST = 1024 * 1024
LARGEST_ANNOTATION = 256 * 1024

every_dashboard = pytest.mark.parametrize("name", NAMES)
every_panel = pytest.mark.parametrize("panel", PANELS, ids=str)


@cache
def by_sidecar() -> Rendered:
    return render(SIDECAR)


def with_values(base: Values, **more: Any) -> Values:
    return {"metrics": {"dashboards": {**base["metrics"]["dashboards"], **more}}}


@cache
def documented() -> set[str]:
    """The metrics of docs/metrics.md, and the series that they are exported as."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) ", (ROOT / "docs" / "metrics.md").read_text(), re.MULTILINE)
    histograms = {name for name, kind in rows if kind == "histogram"}
    return {name for name, _ in rows} | {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}


@cache
def recorded() -> set[str]:
    """The names of the recording rules."""
    [rules] = render({"metrics": {"rules": {"enabled": True}}}).kind("PrometheusRule")
    return {rule["record"] for group in rules["spec"]["groups"] for rule in group["rules"] if "record" in rule}


def links_of(model: Any) -> list[str]:
    """Every URL in a dashboard or a panel."""
    if isinstance(model, dict):
        own = [model["url"]] if isinstance(model.get("url"), str) else []
        return own + [url for value in model.values() for url in links_of(value)]
    return [url for value in model for url in links_of(value)] if isinstance(model, list) else []


def shipped(values: Values, name: str) -> Any:
    [data] = render(values).one("ConfigMap", f"rowlock-dashboard-{name}")["data"].values()
    return json.loads(data)


@every_dashboard
def test_a_dashboard_is_what_its_code_makes(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text() == texts()[f"{name}.json"], "run scripts/dashboards/run"


def test_there_is_no_other_dashboard() -> None:
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(NAMES)


def test_prometheus_understands_every_query() -> None:
    command = promtool.found()
    if command is None:
        pytest.skip(f"NEITHER PROMTOOL NOR {promtool.IMAGE} IN DOCKER HERE: queries are run on a cluster only")
    rules = [
        {"record": f"query:{number}", "expr": filled(query, namespace="demo")}
        for number, query in enumerate(query for panel in PANELS for query in panel.queries)
    ]

    assert promtool.complaints(command, yaml.dump({"groups": [{"name": "queries", "rules": rules}]})) == ""


@every_panel
def test_a_panel_asks_for_what_is_exported(panel: Panel) -> None:
    known = documented() | recorded() | {"ALERTS"}
    asked = {name for query in panel.queries for name in metrics(query) if not name.startswith("django_http_")}

    assert asked <= known, f"{panel} asks for {sorted(asked - known)}, which nothing exports"


@every_panel
def test_a_panel_asks_for_one_namespace(panel: Panel) -> None:
    for query in panel.queries:
        for found in re.finditer(r"\b(?:rowlock[_:]|django_http_|ALERTS)[\w:]*", query):
            assert query.startswith('{namespace="$namespace"', found.end()), f"{panel} counts all namespaces: {query}"


@every_panel
def test_a_panel_hides_no_metric_that_is_missing(panel: Panel) -> None:
    for query in panel.queries:
        # Of alerts that do not fire there is nothing to stand in for.
        assert "vector(" not in query or metrics(query) == {"ALERTS"}, f"{panel} is 0 also without metrics: {query}"


@every_panel
def test_a_panel_uses_variables_that_its_dashboard_has(panel: Panel) -> None:
    known = {variable["name"] for variable in dashboard(panel.dashboard)["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", " ".join([*panel.queries, *links_of(panel.model)])))

    assert {name for name in used if not name.startswith("__")} <= known, str(panel)
    assert all(filled(query, namespace="demo") for query in panel.queries)


@every_panel
def test_a_panel_tells_what_it_is_about(panel: Panel) -> None:
    assert panel.model["description"].endswith("."), f"{panel} has no description"


@every_panel
def test_a_panel_has_a_unit_or_words_for_its_values(panel: Panel) -> None:
    defaults = panel.model["fieldConfig"]["defaults"]
    units = [one["value"] for rule in panel.model["fieldConfig"]["overrides"] for one in rule["properties"]]
    axis = panel.model["options"].get("yAxis", {}).get("unit")

    assert defaults.get("unit") or axis or defaults.get("mappings") or "s" in units, str(panel)


@every_dashboard
def test_panels_do_not_overlap(name: str) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in dashboard(name)["panels"]:
        position = panel["gridPos"]
        for x in range(position["x"], position["x"] + position["w"]):
            for y in range(position["y"], position["y"] + position["h"]):
                other = taken.setdefault((x, y), panel["title"])
                assert other == panel["title"], f"{panel['title']} covers {other}"
        assert position["x"] + position["w"] <= 24, f"{panel['title']} is wider than the page"


@every_dashboard
def test_a_dashboard_can_be_found_and_linked_to(name: str) -> None:
    model = dashboard(name)

    assert (model["uid"], model["timezone"], model["refresh"]) == (f"rowlock-{name}", "browser", "30s")
    assert "rowlock" in model["tags"]
    assert len({panel["id"] for panel in model["panels"]}) == len(model["panels"])


@every_dashboard
def test_links_lead_to_dashboards_that_there_are_and_to_the_console(name: str) -> None:
    for url in links_of(dashboard(name)):
        known = re.match(r"/d/rowlock-(\w+)\?", url)
        assert (known and known[1] in NAMES) or url.startswith("${console:raw}/console/"), url


@every_dashboard
def test_a_dashboard_can_be_imported_by_hand(name: str) -> None:
    assert (FOLDER / f"{name}.json").read_text().count("http://localhost:8000") == 3, "what the chart replaces"


def test_there_are_no_dashboards_by_default() -> None:
    assert not [name for name in render().names("ConfigMap") if "dashboard" in name]


@every_dashboard
def test_the_sidecar_finds_a_dashboard(name: str) -> None:
    found = by_sidecar().one("ConfigMap", f"rowlock-dashboard-{name}")

    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert found["metadata"]["annotations"]["grafana_folder"] == "Rowlock"
    assert list(found["data"]) == [f"rowlock-{name}.json"]


@every_dashboard
def test_helm_leaves_a_dashboard_as_it_is(name: str) -> None:
    [data] = by_sidecar().one("ConfigMap", f"rowlock-dashboard-{name}")["data"].values()

    assert json.loads(data) == dashboard(name)


@every_dashboard
def test_a_dashboard_is_small_enough(name: str) -> None:
    size = len(yaml.dump(by_sidecar().one("ConfigMap", f"rowlock-dashboard-{name}")))

    assert size < min(LARGEST, LARGEST_ANNOTATION)


def test_the_sidecar_may_want_other_labels_and_another_folder() -> None:
    rendered = render(with_values(SIDECAR, labels={"grafana_dashboard": "yes", "team": "a"}, folder="", namespace="m"))

    metadata = rendered.one("ConfigMap", "rowlock-dashboard-overview")["metadata"]

    assert (metadata["labels"]["grafana_dashboard"], metadata["labels"]["team"]) == ("yes", "a")
    assert metadata["namespace"] == "m"
    assert "annotations" not in metadata


@every_dashboard
def test_the_operator_takes_a_dashboard(name: str) -> None:
    rendered = render(OPERATOR)

    spec = rendered.one("GrafanaDashboard", f"rowlock-dashboard-{name}")["spec"]

    assert json.loads(spec["json"]) == dashboard(name)
    assert (spec["folder"], spec["instanceSelector"]) == ("Rowlock", GRAFANAS)
    assert not [found for found in rendered.names("ConfigMap") if "dashboard" in found]


@pytest.mark.parametrize(
    ("web", "url"),
    [
        ({}, "http://localhost:8000"),
        ({"ingress": {"enabled": True, "hosts": ["a.example", "b.example"]}}, "http://a.example"),
        ({"ingress": {"enabled": True, "hosts": ["*.example", "b.example"]}, "https": True}, "https://b.example"),
        (
            {
                "ingress": {
                    "enabled": True,
                    "hosts": ["a.example"],
                    "tls": [{"secretName": "tls"}],
                }
            },
            "https://a.example",
        ),
        (
            {"httpRoute": {"enabled": True, "hostnames": ["r.example"], "parentRefs": [{"name": "gateway"}]}},
            "http://r.example",
        ),
    ],
)
def test_links_lead_to_where_browsers_reach_web(web: Values, url: str) -> None:
    model = shipped({**SIDECAR, "web": web}, "task")

    [console] = [one for one in model["templating"]["list"] if one["name"] == "console"]

    assert (console["query"], console["current"]["value"]) == (url, url)


def test_links_lead_where_the_values_say() -> None:
    model = shipped(with_values(SIDECAR, consoleUrl="https://oars.example.com/tasks/"), "pool")

    [console] = [one for one in model["templating"]["list"] if one["name"] == "console"]

    assert console["query"] == "https://oars.example.com/tasks"


def test_the_notes_miss_the_recording_rules() -> None:
    with_rules: Values = {"metrics": {**SIDECAR["metrics"], "rules": {"enabled": True}}}

    assert "The dashboards need recording rules: metrics.rules.enabled" in notes(SIDECAR)
    assert "recording rules" not in notes(with_rules)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (with_values(OPERATOR, instanceSelector={}), "set metrics.dashboards.instanceSelector"),
        (with_values(SIDECAR, instanceSelector=GRAFANAS), "set metrics.dashboards.kind to grafanaDashboard"),
        ({"metrics": {**SIDECAR["metrics"], "collector": {"enabled": False}}}, "set metrics.collector.enabled to true"),
        (with_values(SIDECAR, kind="sidecar"), "/metrics/dashboards/kind"),
        (with_values(SIDECAR, consoleUrl="oars.example.com"), "/metrics/dashboards/consoleUrl"),
        (with_values(SIDECAR, labels={"team": 1}), "/metrics/dashboards/labels/team"),
    ],
)
def test_a_mistake_is_refused_and_told(values: Values, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        render(values)
