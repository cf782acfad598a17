"""A pod that tries to connect to addresses, and tells which it reached."""

import json
from collections.abc import Mapping
from typing import NamedTuple

from cluster.harness.cluster import Manifest, Namespace
from cluster.harness.images import APPLICATION
from cluster.harness.shell import eventually


class Address(NamedTuple):
    host: str
    port: int


PROGRAM = """
import json, socket, sys
reached = []
for name, (host, port) in json.loads(sys.argv[1]).items():
    try:
        socket.create_connection((host, port), timeout=3).close()
        reached.append(name)
    except OSError:
        pass
print(json.dumps(reached))
"""


def reached_from(
    namespace: Namespace,
    name: str,
    addresses: Mapping[str, Address],
    labels: Mapping[str, str] | None = None,
) -> set[str]:
    """The names of those `addresses` that a new pod called `name` can connect to."""
    namespace.kubectl("delete", "pod", name, "--ignore-not-found", "--wait")
    namespace.apply(_pod(name, addresses, labels or {}))

    def ended() -> str | None:
        phase = namespace.kubectl("get", "pod", name, "--output", "jsonpath={.status.phase}")
        assert phase != "Failed", f"{name} failed: {namespace.logs(f'pod/{name}')}"
        return namespace.logs(f"pod/{name}") if phase == "Succeeded" else None

    try:
        return set(json.loads(eventually(ended, within=120, what=f"the end of pod {name}")))
    finally:
        # Its labels may be those of a component, whose pods other tests look at.
        namespace.kubectl("delete", "pod", name, "--ignore-not-found", "--wait=false")


def _pod(name: str, addresses: Mapping[str, Address], labels: Mapping[str, str]) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": dict(labels)},
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "visitor",
                    "image": APPLICATION,
                    "imagePullPolicy": "IfNotPresent",
                    "command": ["python3", "-c", PROGRAM, json.dumps(addresses)],
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                }
            ],
        },
    }
