"""Keeps kind's volume provisioner going."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from cluster.harness.cluster import Cluster
from cluster.harness.shell import CommandError

#: Written when a pod that wants the volume has its node: from then on the provisioner has all that it needs.
_NODE = "volume.kubernetes.io/selected-node"
_INTERVAL = 20.0
_LONGEST_WAIT = timedelta(seconds=60)


@contextmanager
def provisioned(cluster: Cluster) -> Iterator[None]:
    """Restart the provisioner whenever a claim waits for long.

    kind's local-path-provisioner stops for ever, if rarely: it takes a lock for reading while it has it, and in between
    another thread, which reads its configuration anew, asks for it for writing.
    """
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_INTERVAL):
            try:
                if _waits_for_long(cluster):
                    cluster.kubectl("rollout", "restart", "--namespace", "local-path-storage", "deployment")
                    over.wait(_LONGEST_WAIT.total_seconds())
            except CommandError:
                # A busy API server; the next look will do.
                continue

    thread = threading.Thread(target=watch, name="volumes", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _waits_for_long(cluster: Cluster) -> bool:
    claims = json.loads(cluster.kubectl("get", "persistentvolumeclaims", "--all-namespaces", "--output", "json"))
    long_ago = datetime.now(UTC) - _LONGEST_WAIT
    return any(
        claim["status"].get("phase") == "Pending"
        and _NODE in claim["metadata"].get("annotations", {})
        and datetime.fromisoformat(claim["metadata"]["creationTimestamp"]) < long_ago
        for claim in claims["items"]
    )
