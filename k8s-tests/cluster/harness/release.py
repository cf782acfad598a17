"""A release of the chart."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cluster.harness.cluster import Manifest, Namespace
from cluster.harness.images import ROOT
from cluster.harness.shell import run

CHART = ROOT / "charts" / "rowlock"
VALUES = ROOT / "k8s-tests" / "cluster" / "values.yaml"
PATIENCE = "6m"


@dataclass(frozen=True, kw_only=True)
class Release:
    namespace: Namespace
    name: str = "rowlock"
    program: str = "helm"

    @property
    def fullname(self) -> str:
        return self.name if "rowlock" in self.name else f"{self.name}-rowlock"

    def helm(self, *arguments: str) -> str:
        return run(
            self.program,
            "--kubeconfig",
            str(self.namespace.cluster.kubeconfig),
            "--namespace",
            self.namespace.name,
            *arguments,
            timeout=900,
        )

    def install(self, settings: Mapping[str, Any] | None = None) -> str:
        return self.helm("install", self.name, *self._chart(settings))

    def upgrade(self, settings: Mapping[str, Any] | None = None) -> str:
        """To the values of the tests with `settings` over them, whatever the release had before."""
        return self.helm("upgrade", self.name, *self._chart(settings))

    def rollback(self, revision: int) -> str:
        return self.helm("rollback", self.name, str(revision), "--wait", "--timeout", PATIENCE)

    def test(self) -> str:
        return self.helm("test", self.name, "--logs", "--timeout", PATIENCE)

    def uninstall(self) -> str:
        return self.helm("uninstall", self.name, "--wait", "--timeout", PATIENCE)

    def pods(self, component: str) -> list[Manifest]:
        """The pods of a component that are there to stay."""
        pods = self.namespace.get("pods", instance=self.name, component=component)
        return [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]

    def python(self, code: str, *, timeout: float = 120) -> str:
        """What `code` prints in the web server's Django."""
        target = f"deployment/{self.fullname}-web"
        return self.namespace.execute(
            target, "python", "manage.py", "shell", "--verbosity=0", "--command", code, timeout=timeout
        ).strip()

    def _chart(self, settings: Mapping[str, Any] | None) -> list[str]:
        arguments = [str(CHART), "--values", str(VALUES), "--wait", "--timeout", PATIENCE]
        for key, value in (settings or {}).items():
            arguments += ["--set-json", f"{key}={json.dumps(value)}"]
        return arguments


def restarts(pod: Manifest) -> int:
    statuses = pod["status"].get("initContainerStatuses", []) + pod["status"].get("containerStatuses", [])
    return sum(int(status["restartCount"]) for status in statuses)


def is_ready(pod: Manifest) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions)
