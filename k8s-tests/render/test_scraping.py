"""How a Prometheus finds the processes: by monitors of its operator, or by annotations; and who may come."""

from typing import Any

import pytest

from render.chart import Manifest, RefusedError, Rendered, Values, render

PEER = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
OPEN: Values = {"networkPolicy": {"metrics": {"from": [PEER]}}}
PROCESSES = ("web", "worker", "beat", "collector")


def monitored(kind: str, **monitor: Any) -> Rendered:
    values: dict[str, Any] = {"metrics": {kind: {"enabled": True, **monitor}}, **OPEN}
    return render({**values, "flower": {"enabled": True}, "celeryExporter": {"enabled": True}})


def ports_in(rendered: Rendered, component: str) -> set[int]:
    """The ports of a component that Prometheus reaches."""
    policies = [
        policy
        for policy in rendered.kind("NetworkPolicy")
        if policy["metadata"]["labels"]["app.kubernetes.io/component"] == component
    ]
    rules = [rule for policy in policies for rule in policy["spec"]["ingress"] if PEER in rule.get("from", [])]
    return {port["port"] for rule in rules for port in rule["ports"]}


def test_nothing_is_monitored_before_somebody_asks() -> None:
    rendered = render()

    assert not rendered.kind("PodMonitor") + rendered.kind("ServiceMonitor")
    assert not any("prometheus.io/scrape" in pod.annotations for pod in rendered.pods())


def test_one_pod_monitor_is_for_every_process_on_the_health_port() -> None:
    rendered = monitored("podMonitor")

    spec = rendered.one("PodMonitor", "rowlock")["spec"]

    assert spec["podMetricsEndpoints"] == [{"port": "health", "path": "/metrics"}]
    wanted = spec["selector"]["matchLabels"].items()
    chosen = {
        pod.labels["app.kubernetes.io/component"]
        for pod in rendered.pods()
        if wanted <= pod.labels.items() and "health" in [port["name"] for port in pod.main.get("ports", [])]
    }
    assert chosen == {*PROCESSES}
    for component in PROCESSES:
        assert ports_in(rendered, component) == {9540}, component


def test_a_service_monitor_is_for_what_has_metrics_behind_a_service() -> None:
    rendered = monitored("serviceMonitor")

    for component, port in {"rabbitmq": 15692, "celery-exporter": 9808, "flower": 5555}.items():
        monitor = rendered.component("ServiceMonitor", component)
        service = rendered.one("Service", monitor["metadata"]["name"])
        endpoint = monitor["spec"]["endpoints"][0]
        assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items(), component
        assert {one["name"]: one["port"] for one in service["spec"]["ports"]}[endpoint["port"]] == port
        assert endpoint["relabelings"][0]["regex"] == service["metadata"]["name"], "two Services would count twice"
        assert port in ports_in(rendered, component), component


def test_flower_is_open_to_prometheus_only_where_it_is_monitored() -> None:
    rendered = render({**OPEN, "flower": {"enabled": True}})

    assert ports_in(rendered, "flower") == set()


@pytest.mark.parametrize("kind", ["podMonitor", "serviceMonitor"])
def test_a_monitor_is_as_the_operator_s_users_want_it(kind: str) -> None:
    drop: Manifest = {"action": "drop", "sourceLabels": ["__name__"], "regex": "python_.*"}
    rendered = monitored(
        kind, labels={"release": "prometheus"}, interval="15s", scrapeTimeout="10s", metricRelabelings=[drop]
    )

    for monitor in rendered.kind(kind[0].upper() + kind[1:]):
        endpoint = (monitor["spec"].get("podMetricsEndpoints") or monitor["spec"]["endpoints"])[0]
        assert monitor["metadata"]["labels"]["release"] == "prometheus"
        assert (endpoint["interval"], endpoint["scrapeTimeout"]) == ("15s", "10s")
        assert endpoint["metricRelabelings"] == [drop]


def test_annotations_are_the_other_way() -> None:
    rendered = render({**OPEN, "metrics": {"scrapeAnnotations": True}})

    annotated = {
        pod.labels["app.kubernetes.io/component"]: pod.annotations["prometheus.io/port"]
        for pod in rendered.pods()
        if pod.annotations.get("prometheus.io/scrape") == "true"
    }
    assert annotated == dict.fromkeys(PROCESSES, "9540")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"metrics": {"podMonitor": {"enabled": True}}}, r"name your Prometheus in networkPolicy\.metrics\.from"),
        ({"metrics": {"serviceMonitor": {"enabled": True}}}, r"name your Prometheus in networkPolicy\.metrics\.from"),
        ({"metrics": {"podMonitor": {"enabled": True}, "scrapeAnnotations": True}, **OPEN}, "counted twice"),
        ({"metrics": {"podMonitor": {"interval": "often"}}}, "/metrics/podMonitor/interval"),
    ],
)
def test_what_would_not_be_scraped_or_twice_is_refused(values: Values, message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        render(values)


def test_without_network_policies_nobody_needs_to_be_named() -> None:
    values: Values = {"metrics": {"podMonitor": {"enabled": True}}, "networkPolicy": {"enabled": False}}

    assert render(values).names("PodMonitor") == {"rowlock"}
