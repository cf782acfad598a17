"""A Prometheus that the operator runs, and what it knows."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from cluster.harness.cluster import Manifest, Namespace
from cluster.harness.release import Release
from cluster.harness.shell import eventually, succeeds
from cluster.harness.web import forwarded

IMAGE = "prom/prometheus:v2.53.3"
NAME = "test"
#: Between scrapes, and between evaluations of rules.
INTERVAL = "5s"


class Prometheus:
    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def get(self, path: str, **parameters: str | float) -> Any:
        answer = self.client.get(f"/api/v1/{path}", params=parameters)
        assert answer.status_code == 200, f"Prometheus refuses {path} {parameters}: {answer.text}"
        return answer.json()["data"]

    def has_data(self, expr: str, *, seconds: int = 120) -> bool:
        """Did `expr` have a number at any time in the last `seconds`?"""
        now = time.time()
        series = self.get("query_range", query=expr, start=now - seconds, end=now, step=10)["result"]
        return any(not math.isnan(float(value)) for found in series for _, value in found["values"])

    def values(self, expr: str) -> list[float]:
        return [float(found["value"][1]) for found in self.get("query", query=expr)["result"]]

    def targets(self) -> dict[str, str]:
        """The health of every target, by its pool of targets and its pod; with why, if it is not up."""
        active = self.get("targets", state="active")["activeTargets"]
        return {
            f"{target['scrapePool']} {target['labels'].get('pod', target['scrapeUrl'])}": (
                target["health"] if target["health"] == "up" else f"{target['health']}: {target['lastError']}"
            )
            for target in active
        }

    def rules(self) -> list[Manifest]:
        return [rule for group in self.get("rules")["groups"] for rule in group["rules"]]

    def firing(self) -> set[str]:
        return {alert["labels"]["alertname"] for alert in self.get("alerts")["alerts"] if alert["state"] == "firing"}


@contextmanager
def prometheus_of(namespace: Namespace, watched: Namespace) -> Iterator[Prometheus]:
    """A Prometheus in `namespace` with all monitors and rules of `watched`; it goes with its namespace."""
    if succeeds("docker", "image", "inspect", IMAGE):
        namespace.cluster.load(IMAGE)
    watched.apply(_role(), _role_binding(namespace.name))
    namespace.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": NAME}}, _prometheus(watched))

    def pod_is_ready() -> bool:
        path = "jsonpath={.status.readyReplicas}"
        found = namespace.kubectl("get", "statefulset", f"prometheus-{NAME}", "--ignore-not-found", "--output", path)
        return found == "1"

    eventually(pod_is_ready, within=180, what="a ready Prometheus", every=2)
    with (
        forwarded(Release(namespace=namespace), f"pod/prometheus-{NAME}-0", "9090") as address,
        httpx.Client(base_url=address, timeout=30) as client,
    ):
        yield Prometheus(client)


def _prometheus(watched: Namespace) -> Manifest:
    here = {"matchLabels": {"kubernetes.io/metadata.name": watched.name}}
    selectors: Manifest = {}
    for kind in ("podMonitor", "serviceMonitor", "rule"):
        selectors |= {f"{kind}NamespaceSelector": here, f"{kind}Selector": {}}
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "Prometheus",
        "metadata": {"name": NAME},
        "spec": {
            "image": IMAGE,
            "version": IMAGE.partition(":")[2],
            "serviceAccountName": NAME,
            "scrapeInterval": INTERVAL,
            "evaluationInterval": INTERVAL,
            "retention": "2h",
            "enableFeatures": ["exemplar-storage"],
            "resources": {"requests": {"cpu": "10m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "fsGroup": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            **selectors,
        },
    }


def _role() -> Manifest:
    reading = ["get", "list", "watch"]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "prometheus"},
        "rules": [
            {"apiGroups": [""], "resources": ["pods", "services", "endpoints"], "verbs": reading},
            {"apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": reading},
        ],
    }


def _role_binding(namespace: str) -> Manifest:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "prometheus"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "prometheus"},
        "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": namespace}],
    }
