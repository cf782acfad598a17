"""Who may talk to whom."""

from collections.abc import Iterator

import pytest

from render.chart import Manifest, Pod, Rendered, Values, render

APPLICATION = [
    ("web", None),
    ("worker", "default"),
    ("worker", "heavy"),
    ("beat", None),
    ("migrate", None),
    ("test", None),
]
SERVICES = {"postgresql": 5432, "rabbitmq": 5672, "redis": 6379}
MANAGEMENT = {"rabbitmq": {15672}}
PEER = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}

every_service = pytest.mark.parametrize("service", SERVICES)


def policies_for(rendered: Rendered, pod: Pod) -> list[Manifest]:
    return [
        policy["spec"]
        for policy in rendered.kind("NetworkPolicy")
        if policy["spec"]["podSelector"]["matchLabels"].items() <= pod.labels.items()
    ]


def matches(selector: Manifest, labels: dict[str, str]) -> bool:
    expressions = selector.get("matchExpressions", [])
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(expression["key"]) in expression["values"] for expression in expressions
    )


def peers(rule: Manifest, direction: str) -> Iterator[Manifest]:
    yield from rule.get(direction, [])


def may_come(rendered: Rendered, source: Pod, target: Pod, port: int) -> bool:
    (policy,) = policies_for(rendered, target)
    return any(
        port in {one["port"] for one in rule["ports"]}
        and ("from" not in rule or any(matches(peer["podSelector"], source.labels) for peer in peers(rule, "from")))
        for rule in policy["ingress"]
    )


def may_go(rendered: Rendered, source: Pod, target: Pod, port: int) -> bool:
    (policy,) = policies_for(rendered, source)
    return any(
        port in {one["port"] for one in rule["ports"]}
        and any(matches(peer["podSelector"], target.labels) for peer in peers(rule, "to") if "podSelector" in peer)
        for rule in policy["egress"]
    )


def ingress_ports(rendered: Rendered, component: str) -> dict[int, object]:
    (policy,) = policies_for(
        rendered, next(pod for pod in rendered.pods() if pod.labels["app.kubernetes.io/component"] == component)
    )
    return {port["port"]: rule.get("from", "anyone") for rule in policy["ingress"] for port in rule["ports"]}


def test_every_pod_is_under_exactly_one_policy_in_both_directions() -> None:
    rendered = render()
    for pod in rendered.pods():
        found = policies_for(rendered, pod)
        assert len(found) == 1, f"{pod.name} is under {len(found)} policies"
        assert found[0]["policyTypes"] == ["Ingress", "Egress"], pod.name


@every_service
@pytest.mark.parametrize(("component", "pool"), APPLICATION)
def test_the_application_reaches_its_services(service: str, component: str, pool: str | None) -> None:
    rendered = render()
    source, target = rendered.pod(component, pool), rendered.pod(service)

    assert may_go(rendered, source, target, SERVICES[service])
    assert may_come(rendered, source, target, SERVICES[service])


@every_service
def test_nobody_else_reaches_a_service(service: str) -> None:
    rendered = render()
    target = rendered.pod(service)
    others = [rendered.pod(name) for name in ("secrets", *SERVICES)]
    others += [pod for pod in render(release="other").pods() if pod.name]

    for source in others:
        assert not may_come(rendered, source, target, SERVICES[service]), f"{source.name} reaches {service}"


@every_service
def test_a_service_is_open_for_what_it_is_asked_and_calls_nobody(service: str) -> None:
    rendered = render()
    (policy,) = policies_for(rendered, rendered.pod(service))

    assert set(ingress_ports(rendered, service)) == {SERVICES[service]} | MANAGEMENT.get(service, set())
    assert policy["egress"] == []


def test_anyone_reaches_the_web_port_and_nobody_the_metrics() -> None:
    rendered = render()

    assert ingress_ports(rendered, "web") == {8000: "anyone"}
    assert ingress_ports(rendered, "worker") == ingress_ports(rendered, "beat") == {}


def test_the_named_ones_reach_web_and_metrics() -> None:
    rendered = render({"networkPolicy": {"web": {"from": [PEER]}, "metrics": {"from": [PEER]}}})

    assert ingress_ports(rendered, "web") == {8000: [PEER], 9540: [PEER]}
    assert ingress_ports(rendered, "worker") == ingress_ports(rendered, "beat") == {9540: [PEER]}
    assert ingress_ports(rendered, "migrate") == {}


def test_without_the_rowlock_app_no_metrics_port_is_open() -> None:
    rendered = render({"app": {"rowlock": False}, "networkPolicy": {"metrics": {"from": [PEER]}}})

    assert ingress_ports(rendered, "web") == {8000: "anyone"}
    assert ingress_ports(rendered, "worker") == {}


def test_workers_alone_reach_the_internet_and_no_private_network() -> None:
    rendered = render()
    blocks = {
        policy["metadata"]["name"]: [
            peer["ipBlock"] for rule in policy["spec"]["egress"] for peer in rule.get("to", []) if "ipBlock" in peer
        ]
        for policy in rendered.kind("NetworkPolicy")
    }

    assert {name for name, found in blocks.items() if found} == {"rowlock-worker"}
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= set(
        blocks["rowlock-worker"][0]["except"]
    )


def test_extra_egress_is_for_every_pod_of_the_application() -> None:
    rule = {"ports": [{"protocol": "TCP", "port": 4317}]}
    rendered = render({"networkPolicy": {"extraEgress": [rule]}})

    for component, pool in APPLICATION:
        (policy,) = policies_for(rendered, rendered.pod(component, pool))
        assert rule in policy["egress"], component


def test_an_external_service_is_let_through_by_its_port() -> None:
    values: Values = {"redis": {"enabled": False}, "externalRedis": {"url": "rediss://cache:6380", "port": 6380}}
    rendered = render(values)
    (policy,) = policies_for(rendered, rendered.pod("web"))

    assert {"ports": [{"protocol": "TCP", "port": 6380}]} in policy["egress"]


def test_the_pod_that_makes_secrets_reaches_the_api_server() -> None:
    rendered = render()
    (policy,) = policies_for(rendered, rendered.pod("secrets"))

    ports = {port["port"] for rule in policy["egress"] for port in rule["ports"]}

    assert ports == {53, 5353, 443, 6443}


def test_the_api_server_can_be_told_by_its_addresses() -> None:
    peer = {"ipBlock": {"cidr": "10.96.0.1/32"}}
    rendered = render({"networkPolicy": {"apiServer": {"to": [peer], "ports": [8443]}}})

    for component, pool in (("secrets", None), ("worker", "default")):
        (policy,) = policies_for(rendered, rendered.pod(component, pool))
        rule = {"ports": [{"protocol": "TCP", "port": 8443}], "to": [peer]}
        assert rule in policy["egress"], component


def test_policies_can_be_left_out() -> None:
    assert render({"networkPolicy": {"enabled": False}}).kind("NetworkPolicy") == []
