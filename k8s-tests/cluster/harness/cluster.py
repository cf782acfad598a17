"""A kind cluster and the namespaces in it."""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.harness.shell import CommandError, eventually, run

Manifest = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Cluster:
    name: str
    kubeconfig: Path

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 120) -> str:
        return run("kubectl", "--kubeconfig", str(self.kubeconfig), *arguments, stdin=stdin, timeout=timeout)

    def load(self, *images: str) -> None:
        """Copy `images` from the local engine into the nodes."""
        run("kind", "load", "docker-image", "--name", self.name, *images)

    def fresh_namespace(self, name: str) -> "Namespace":
        """An empty namespace under Pod Security `restricted`, instead of any that an earlier run left."""
        self.kubectl("delete", "namespace", name, "--ignore-not-found", "--wait", timeout=600)
        labels = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
        manifest = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": labels},
        }
        self.kubectl("apply", "-f", "-", stdin=json.dumps(manifest))
        namespace = Namespace(cluster=self, name=name)
        eventually(
            lambda: namespace.kubectl("get", "serviceaccount", "default", "--ignore-not-found"),
            within=60,
            what=f"the default ServiceAccount of {name}, without which no pod is admitted",
        )
        return namespace


@dataclass(frozen=True, kw_only=True)
class Namespace:
    cluster: Cluster
    name: str

    def kubectl(self, *arguments: str, stdin: str | None = None, timeout: float = 120) -> str:
        return self.cluster.kubectl("--namespace", self.name, *arguments, stdin=stdin, timeout=timeout)

    def apply(self, *manifests: Manifest) -> None:
        items = {"apiVersion": "v1", "kind": "List", "items": list(manifests)}
        self.kubectl("apply", "-f", "-", stdin=json.dumps(items))

    def get(self, kind: str, **labels: str) -> list[Manifest]:
        """All objects of `kind` with `app.kubernetes.io/<label>` as given."""
        selector = ",".join(f"app.kubernetes.io/{label}={value}" for label, value in labels.items())
        items: list[Manifest] = json.loads(self.kubectl("get", kind, "--output", "json", "--selector", selector))[
            "items"
        ]
        return items

    def execute(self, target: str, *command: str, timeout: float = 120) -> str:
        return self.kubectl("exec", target, "--", *command, timeout=timeout)

    def logs(self, target: str) -> str:
        return self.kubectl("logs", target, "--all-containers", "--tail=-1")

    def delete(self) -> None:
        self.cluster.kubectl("delete", "namespace", self.name, "--wait=false")


def existing_clusters() -> Sequence[str]:
    return run("kind", "get", "clusters").split()


def create(name: str, kubeconfig: Path) -> Cluster:
    """A one-node cluster; KIND_NODE_IMAGE chooses its Kubernetes."""
    image = os.environ.get("KIND_NODE_IMAGE")
    chosen = ("--image", image) if image else ()
    command = ("kind", "create", "cluster", "--name", name, "--kubeconfig", str(kubeconfig), "--wait", "180s")
    run(*command, *chosen)
    return Cluster(name=name, kubeconfig=kubeconfig)


def reuse(name: str, kubeconfig: Path) -> Cluster:
    kubeconfig.touch(mode=0o600)
    kubeconfig.write_text(run("kind", "get", "kubeconfig", "--name", name))
    cluster = Cluster(name=name, kubeconfig=kubeconfig)
    try:
        cluster.kubectl("get", "nodes", timeout=30)
    except CommandError as error:
        raise CommandError(
            f"the kept cluster {name} does not answer; delete it: kind delete cluster --name {name}\n{error}"
        ) from error
    return cluster


def delete(name: str) -> None:
    run("kind", "delete", "cluster", "--name", name)
