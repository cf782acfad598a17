"""What a failed test needs to be understood without the cluster."""

from cluster.harness.cluster import Manifest, Namespace
from cluster.harness.release import is_ready, restarts
from cluster.harness.shell import CommandError

TAIL = "--tail=60"


def evidence(namespace: Namespace) -> str:
    """Events, pods, and of every pod its logs (previous ones too) and, where it is not well, its description."""
    parts = [
        _section("pods", namespace, "get", "pods,jobs,pvc", "--output", "wide"),
        _section("events", namespace, "get", "events", "--sort-by", ".lastTimestamp"),
    ]
    try:
        pods = namespace.get("pods")
    except CommandError as error:
        return "\n".join([*parts, str(error)])
    for pod in pods:
        name = pod["metadata"]["name"]
        if not _is_well(pod):
            parts.append(_section(f"describe {name}", namespace, "describe", "pod", name))
        parts.append(_section(f"logs {name}", namespace, "logs", name, "--all-containers", "--prefix", TAIL))
        for container in pod["spec"]["containers"] if restarts(pod) else ():
            previous = ("logs", name, "--container", container["name"], "--previous", TAIL)
            parts.append(_section(f"previous logs {name}", namespace, *previous))
    return "\n".join(parts)


def _is_well(pod: Manifest) -> bool:
    return pod["status"].get("phase") == "Succeeded" or (is_ready(pod) and not restarts(pod))


def _section(title: str, namespace: Namespace, *arguments: str) -> str:
    try:
        text = namespace.kubectl(*arguments, timeout=30)
    except CommandError as error:
        text = str(error)
    return f"----- {namespace.name}: {title}\n{text.rstrip()}"
