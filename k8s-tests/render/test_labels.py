"""Labels and selectors come from one source: they agree, and never mean somebody else's pods."""

from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from render.chart import EXAMPLES, Manifest, Pod, render

LABELS = {
    "app.kubernetes.io/name",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/component",
    "app.kubernetes.io/version",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/part-of",
    "helm.sh/chart",
}
SERVICES = {"postgresql", "rabbitmq", "redis"}
MONITORS = {"collector", "celery-exporter", "flower"}
COMPONENTS = {"web", "worker", "beat", "migrate", "secrets", "test"} | MONITORS | SERVICES

every_example = pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)


def selects(selector: dict[str, str], pod: Pod) -> bool:
    return selector.items() <= pod.labels.items()


def selector_of(found: Manifest) -> dict[str, str] | None:
    spec: Any = found.get("spec", {})
    match found["kind"]:
        case "Deployment" | "StatefulSet" | "PodDisruptionBudget":
            selector: dict[str, str] = spec["selector"]["matchLabels"]
        case "Service":
            selector = spec["selector"]
        case "NetworkPolicy":
            selector = spec["podSelector"]["matchLabels"]
        case _:
            return None
    return selector


@every_example
def test_every_object_has_the_seven_labels(example: Path) -> None:
    for found in render(example=example).objects:
        missing = LABELS - found["metadata"]["labels"].keys()
        assert not missing, f"{found['kind']} {found['metadata']['name']} lacks {missing}"


@every_example
def test_a_workload_selects_its_own_pods(example: Path) -> None:
    for pod in render(example=example).pods():
        selector = selector_of(pod.owner)
        assert selector is None or selects(selector, pod), f"{pod.name} does not select its own pods"


@every_example
def test_no_selector_of_a_workload_means_pods_of_another(example: Path) -> None:
    for one, other in combinations(render(example=example).pods(), 2):
        for owner, stranger in ((one, other), (other, one)):
            selector = selector_of(owner.owner)
            assert selector is None or not selects(selector, stranger), f"{owner.name} selects pods of {stranger.name}"


@every_example
def test_whatever_selects_pods_finds_some_of_one_component(example: Path) -> None:
    rendered = render(example=example)
    for found in rendered.objects:
        if (selector := selector_of(found)) is not None:
            components = {
                pod.labels["app.kubernetes.io/component"] for pod in rendered.pods() if selects(selector, pod)
            }
            assert len(components) == 1, (
                f"{found['kind']} {found['metadata']['name']} selects {components or 'nothing'}"
            )


@every_example
def test_every_pod_is_of_a_known_component(example: Path) -> None:
    for pod in render(example=example).pods():
        assert pod.labels["app.kubernetes.io/component"] in COMPONENTS, pod.name


def test_workers_carry_the_name_of_their_pool() -> None:
    rendered = render({"workers": {"mail": {"queues": ["mail"]}}})

    pod = rendered.pod("worker", "mail")

    assert pod.owner["metadata"]["name"] == "rowlock-worker-mail"
    assert pod.owner["spec"]["selector"]["matchLabels"]["rowlock.dev/pool"] == "mail"


def test_pods_are_spread_by_the_labels_that_select_them() -> None:
    for pod in render().pods():
        for constraint in pod.spec.get("topologySpreadConstraints", []):
            assert constraint["labelSelector"]["matchLabels"] == selector_of(pod.owner), pod.name


def test_a_new_version_of_the_chart_alone_replaces_no_pod() -> None:
    for pod in render().pods():
        if pod.owner["kind"] != "Pod":
            assert "helm.sh/chart" not in pod.labels, pod.name


def test_own_labels_of_pods_cannot_change_the_selectors() -> None:
    rendered = render({"web": {"podLabels": {"app.kubernetes.io/component": "worker", "team": "rowing"}}})

    pod = rendered.pod("web")

    assert pod.labels["team"] == "rowing"


def test_a_long_release_name_gives_names_that_fit() -> None:
    release = "a" * 53

    for found in render(release=release, values={"fullnameOverride": ""}).objects:
        name = found["metadata"]["name"]
        # A StatefulSet's and a Job's name becomes a label of their pods, with a suffix.
        limit = 52 if found["kind"] == "StatefulSet" else 63
        assert len(name) <= limit, f"{found['kind']} {name} is {len(name)} characters long"
