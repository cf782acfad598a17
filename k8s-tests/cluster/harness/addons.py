"""What a cluster needs for autoscaling (KEDA and the metrics server) and for monitoring (the Prometheus operator).

They stay: KEDA alone ends a ScaledObject, and the others are wanted again by the next run.
"""

import os
import re
from pathlib import Path

import httpx

from cluster.harness.cluster import Cluster
from cluster.harness.shell import eventually, succeeds

#: Manifests of one's own: a path or a URL.
KEDA = os.environ.get("KEDA_MANIFEST", "https://github.com/kedacore/keda/releases/download/v2.21.0/keda-2.21.0.yaml")
METRICS_SERVER = os.environ.get(
    "METRICS_SERVER_MANIFEST",
    "https://github.com/kubernetes-sigs/metrics-server/releases/download/v0.9.0/components.yaml",
)
PROMETHEUS_OPERATOR = os.environ.get(
    "PROMETHEUS_OPERATOR_MANIFEST",
    "https://github.com/prometheus-operator/prometheus-operator/releases/download/v0.85.0/bundle.yaml",
)

INSECURE = "--kubelet-insecure-tls"


def install_keda(cluster: Cluster) -> None:
    _apply(cluster, _text(KEDA), "keda")
    _answers_for(cluster, "external.metrics.k8s.io")


def install_metrics_server(cluster: Cluster) -> None:
    manifest = _text(METRICS_SERVER)
    if INSECURE not in manifest:
        # The kubelets of kind sign their own certificates.
        manifest = re.sub(r"^( *)- --secure-port=", rf"\1- {INSECURE}\n\g<0>", manifest, flags=re.MULTILINE)
    _apply(cluster, manifest, "kube-system")
    _answers_for(cluster, "metrics.k8s.io")


def install_prometheus_operator(cluster: Cluster) -> None:
    _apply(cluster, _text(PROMETHEUS_OPERATOR), "default")


def _apply(cluster: Cluster, manifest: str, namespace: str) -> None:
    """Apply a manifest, its images loaded where they are here, and register its API when somebody answers for it.

    An API server that meets nobody behind an address may hold on to whatever else answers there.
    """
    documents = manifest.split("\n---\n")
    registrations = [document for document in documents if re.search(r"^kind: APIService$", document, re.MULTILINE)]
    others = [document for document in documents if document not in registrations]
    # An operator is told by an argument which image it gives to the pods that it makes.
    images = sorted(set(re.findall(r"^\s*(?:image: |- --\S+=)(\S+:\S+)$", "\n".join(others), re.MULTILINE)))
    cluster.load(*(image for image in images if succeeds("docker", "image", "inspect", image)))
    for part in (others, registrations):
        text = "\n---\n".join(part)
        if not text:
            continue
        cluster.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", stdin=text, timeout=300)
        cluster.kubectl("rollout", "status", "--namespace", namespace, "deployment", "--timeout=300s", timeout=400)


def _text(manifest: str) -> str:
    if manifest.startswith("http"):
        return httpx.get(manifest, follow_redirects=True, timeout=60).raise_for_status().text
    return Path(manifest).read_text()


def _answers_for(cluster: Cluster, group: str) -> None:
    def answers() -> bool:
        return succeeds("kubectl", "--kubeconfig", str(cluster.kubeconfig), "get", "--raw", f"/apis/{group}/v1beta1")

    eventually(answers, within=120, what=f"somebody answers for {group}")
