"""The release's own pods, Deployments and migrations, as the API server of Kubernetes tells."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from rowlock import kubernetes

COMPONENT, POOL = "app.kubernetes.io/component", "rowlock.dev/pool"

#: Component and pool; the pool is empty but for workers.
Part = tuple[str, str]
Call = Callable[[str, str], dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """One look at the release."""

    pods_wanted: dict[Part, int]
    pods_ready: dict[Part, int]
    #: Of containers, since the collector has looked; never less than before.
    restarts: dict[Part, int]
    migration_failed: bool


class ClusterWatch:
    """Looks at the objects of one release, and remembers what has restarted."""

    def __init__(self, release: str, namespace: str, call: Call = kubernetes.call) -> None:
        self._namespace = namespace
        # From the API server's memory: numbers of a moment ago do.
        selector = f"app.kubernetes.io/instance={release},app.kubernetes.io/part-of=rowlock"
        self._query = urlencode({"labelSelector": selector, "resourceVersion": "0"})
        self._call = call
        self._restarts: dict[Part, int] = {}
        #: Restarts of each container that is there, by its pod's uid and its name.
        self._seen: dict[tuple[str, str], int] | None = None

    def look(self) -> Cluster:
        """Three questions to the API server; raises ClusterErrors."""
        deployments = self._list("apps/v1", "deployments")
        return Cluster(
            pods_wanted=_sum((_part(found), found["spec"].get("replicas", 1)) for found in deployments),
            pods_ready=_sum((_part(found), found["status"].get("readyReplicas", 0)) for found in deployments),
            restarts=self._count_restarts(self._list("v1", "pods")),
            migration_failed=_newest_failed(self._list("batch/v1", "jobs")),
        )

    def _count_restarts(self, pods: list[dict[str, Any]]) -> dict[Part, int]:
        before, now = self._seen, {}
        for pod in pods:
            part = _part(pod)
            self._restarts.setdefault(part, 0)
            for status in pod["status"].get("containerStatuses", []):
                key = pod["metadata"]["uid"], status["name"]
                now[key] = count = int(status["restartCount"])
                # What was there before the first look is over; a pod that has come since began at none.
                known = count if before is None else before.get(key, 0)
                self._restarts[part] += max(0, count - known)
        self._seen = now
        return dict(self._restarts)

    def _list(self, group: str, kind: str) -> list[dict[str, Any]]:
        root = "/api/v1" if group == "v1" else f"/apis/{group}"
        answer = self._call("GET", f"{root}/namespaces/{self._namespace}/{kind}?{self._query}")
        items: list[dict[str, Any]] = answer.get("items") or []
        return items


def _part(found: dict[str, Any]) -> Part:
    labels = found["metadata"].get("labels", {})
    return labels.get(COMPONENT, ""), labels.get(POOL, "")


def _sum(counts: Iterable[tuple[Part, int]]) -> dict[Part, int]:
    total: dict[Part, int] = {}
    for part, count in counts:
        total[part] = total.get(part, 0) + int(count)
    return total


def _newest_failed(jobs: list[dict[str, Any]]) -> bool:
    migrations = [job for job in jobs if _part(job)[0] == "migrate"]
    if not migrations:
        return False
    newest = max(migrations, key=lambda job: str(job["metadata"]["creationTimestamp"]))
    conditions = newest["status"].get("conditions") or []
    return any(condition["type"] == "Failed" and condition["status"] == "True" for condition in conditions)
