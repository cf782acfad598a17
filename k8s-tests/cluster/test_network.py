"""Who may reach what: the test cluster enforces NetworkPolicies."""

from collections.abc import Iterator

import pytest

from cluster.harness.cluster import Manifest, Namespace
from cluster.harness.release import Release
from cluster.harness.visitor import Address, reached_from

SERVICES = {"postgresql": 5432, "rabbitmq": 5672, "redis": 6379}
APPLICATION = ("web", "worker", "beat", "collector")


@pytest.fixture(scope="module")
def addresses(release: Release) -> dict[str, Address]:
    """Every port of the release by pod address, so that no name has to be resolved."""

    def ip(component: str) -> str:
        return str(release.pods(component)[0]["status"]["podIP"])

    private = {name: Address(ip(name), port) for name, port in SERVICES.items()}
    health = {f"health of {name}": Address(ip(name), 9540) for name in APPLICATION}
    management = {"rabbitmq management": Address(ip("rabbitmq"), 15672)}
    return {**private, **health, **management, "web": Address(ip("web"), 8000)}


def labels_of(release: Release, component: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "rowlock",
        "app.kubernetes.io/instance": release.name,
        "app.kubernetes.io/component": component,
        "app.kubernetes.io/part-of": "rowlock",
    }


@pytest.fixture
def open_door(release: Release) -> Iterator[None]:
    """A policy that lets a marked visitor in everywhere, beside those of the chart."""
    name = "let-the-marked-visitor-in"
    peer = {"podSelector": {"matchLabels": {"visitor": "marked"}}}
    policy: Manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name},
        "spec": {"podSelector": {}, "policyTypes": ["Ingress"], "ingress": [{"from": [peer]}]},
    }
    release.namespace.apply(policy)
    yield
    release.namespace.kubectl("delete", "networkpolicy", name)


def test_a_stranger_in_the_namespace_reaches_only_the_web_server(
    release: Release, addresses: dict[str, Address]
) -> None:
    reached = reached_from(release.namespace, "stranger", addresses)

    assert reached == {"web"}


def test_a_stranger_in_another_namespace_reaches_only_the_web_server(
    namespace: Namespace, addresses: dict[str, Address]
) -> None:
    reached = reached_from(namespace, "stranger", addresses)

    assert reached == {"web"}


@pytest.mark.usefixtures("open_door")
def test_it_is_the_policies_that_keep_the_stranger_out(release: Release, addresses: dict[str, Address]) -> None:
    reached = reached_from(release.namespace, "marked", addresses, {"visitor": "marked"})

    # Every one of them listens, or the refusals above would show nothing.
    assert reached >= addresses.keys() - {"rabbitmq management"}


def test_pods_of_the_application_reach_the_services_and_not_each_other(
    release: Release, addresses: dict[str, Address]
) -> None:
    # A pod that helm test makes: no Service or Deployment takes it for its own.
    reached = reached_from(release.namespace, "like-a-test", addresses, labels_of(release, "test"))

    assert reached == SERVICES.keys()


def test_the_collector_alone_reaches_all_that_it_watches(release: Release, addresses: dict[str, Address]) -> None:
    reached = reached_from(release.namespace, "like-a-collector", addresses, labels_of(release, "collector"))

    assert reached == {"postgresql", "redis", "rabbitmq management"}
