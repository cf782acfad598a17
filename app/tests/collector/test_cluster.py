"""What the API server's objects of a release come to."""

from typing import Any

import pytest

from rowlock.collector.cluster import ClusterWatch

HEAVY = {"app.kubernetes.io/component": "worker", "rowlock.dev/pool": "heavy"}
BEAT = {"app.kubernetes.io/component": "beat"}
MIGRATE = {"app.kubernetes.io/component": "migrate"}


class ApiServer:
    """Answers with what the test has put there."""

    def __init__(self) -> None:
        self.objects: dict[str, list[dict[str, Any]]] = {"deployments": [], "pods": [], "jobs": []}
        self.asked: list[str] = []

    def call(self, method: str, path: str) -> dict[str, Any]:
        self.asked.append(f"{method} {path}")
        return {"items": self.objects[path.partition("?")[0].rpartition("/")[2]]}


@pytest.fixture
def server() -> ApiServer:
    return ApiServer()


@pytest.fixture
def watch(server: ApiServer) -> ClusterWatch:
    return ClusterWatch("oars", "shop", server.call)


def deployment(labels: dict[str, str], wanted: int, **status: int) -> dict[str, Any]:
    return {"metadata": {"labels": labels}, "spec": {"replicas": wanted}, "status": status}


def pod(uid: str, restarts: int, labels: dict[str, str] = HEAVY) -> dict[str, Any]:
    statuses = [{"name": "worker", "restartCount": restarts}]
    return {"metadata": {"uid": uid, "labels": labels}, "status": {"containerStatuses": statuses}}


def job(created: str, **conditions: str) -> dict[str, Any]:
    told = [{"type": kind, "status": status} for kind, status in conditions.items()]
    return {"metadata": {"labels": MIGRATE, "creationTimestamp": created}, "status": {"conditions": told}}


def test_pods_are_told_by_component_and_pool(server: ApiServer, watch: ClusterWatch) -> None:
    server.objects["deployments"] = [deployment(HEAVY, 3, readyReplicas=2), deployment(BEAT, 1)]

    found = watch.look()

    assert found.pods_wanted == {("worker", "heavy"): 3, ("beat", ""): 1}
    assert found.pods_ready == {("worker", "heavy"): 2, ("beat", ""): 0}


def test_only_the_release_is_asked_for(server: ApiServer, watch: ClusterWatch) -> None:
    watch.look()

    assert all("%2Finstance%3Doars" in asked and "/namespaces/shop/" in asked for asked in server.asked)


def test_restarts_count_from_the_first_look_and_outlive_their_pods(server: ApiServer, watch: ClusterWatch) -> None:
    counts = []
    for pods in ([pod("a", 5)], [pod("a", 6)], [pod("a", 6), pod("b", 1)], [pod("c", 0)], []):
        server.objects["pods"] = pods
        counts.append(watch.look().restarts[("worker", "heavy")])

    assert counts == [0, 1, 2, 2, 2]


@pytest.mark.parametrize(
    ("jobs", "failed"),
    [
        ([], False),
        ([job("2026-01-01T00:00:00Z", Complete="True")], False),
        ([job("2026-01-01T00:00:00Z", Failed="True")], True),
        ([job("2026-01-01T00:00:00Z", Failed="True"), job("2026-01-02T00:00:00Z")], False),
        ([job("2026-01-02T00:00:00Z", Failed="True"), job("2026-01-01T00:00:00Z", Complete="True")], True),
    ],
    ids=["none", "done", "failed", "tried again", "the new one failed"],
)
def test_the_newest_migration_counts(
    server: ApiServer, watch: ClusterWatch, jobs: list[dict[str, Any]], failed: bool
) -> None:
    server.objects["jobs"] = jobs

    assert watch.look().migration_failed is failed
