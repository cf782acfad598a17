"""Tells Kubernetes how much is lost when it deletes this pod, so that a scale-in takes idle workers first.

A ReplicaSet that shrinks deletes the pods with the lowest `controller.kubernetes.io/pod-deletion-cost` first
(https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost). That is best effort, and
each patch is work for the API server: so only the order of magnitude is told, and not at every task.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from celery import bootsteps
from celery.utils.log import get_logger

from rowlock.conf import Pod, pod_with_deletion_cost
from rowlock.kubernetes import ClusterError, call

logger = get_logger(__name__)

ANNOTATION = "controller.kubernetes.io/pod-deletion-cost"
#: Seconds between two looks at what runs, and for which a worker must be idle or less busy before it says so.
POLL = 0.5
CALM = 5.0
#: Seconds between two patches at the least, and after one that failed.
PAUSE = 2.0
RETRY = 15.0
COST = 100

#: What runs: how many tasks, for how many seconds altogether, and how many were started ever.
Load = tuple[int, float, int]


def cost_of(running: int, seconds: float) -> int:
    """0 for an idle worker; 100 for a busy one, and 100 more for each power of ten seconds that it would lose."""
    if not running:
        return 0
    return COST * (1 + int(math.log10(max(seconds, 1.0))))


class DeletionCost:
    """The cost of one pod as it should be and as it was told last; `tell` is called with each new one."""

    def __init__(self, tell: Callable[[int], None]) -> None:
        self._tell = tell
        #: A new pod has none, which counts as 0.
        self._told = 0
        self._last_started = 0
        self._since = self._not_before = 0.0
        self._has_warned = False

    def look(self, load: Load, now: float) -> None:
        """Tell the cost of `load` if it is time to; `now` in monotonic seconds."""
        running, seconds, started = load
        # A task that came and went between two looks.
        wanted = cost_of(running or int(started != self._last_started), seconds)
        self._last_started = started
        if wanted >= self._told:
            self._since = now
        if wanted == self._told or now < self._not_before or (wanted < self._told and now - self._since < CALM):
            return
        try:
            self._tell(wanted)
        except ClusterError as error:
            self._not_before = now + RETRY
            if not self._has_warned:
                self._has_warned = True
                logger.warning("the deletion cost of this pod cannot be told, so scale-ins choose blindly: %s", error)
        else:
            self._told, self._not_before, self._has_warned = wanted, now + PAUSE, False


def patch(pod: Pod, cost: int, **server: Any) -> None:
    """Set the deletion cost of `pod`; `server` as of rowlock.kubernetes.call. Raises ClusterError."""
    path = f"/api/v1/namespaces/{pod.namespace}/pods/{pod.name}"
    body = {"metadata": {"annotations": {ANNOTATION: str(cost)}}}
    call("PATCH", path, body, kind="application/merge-patch+json", **server)


def keep(pod: Pod, load: Callable[[], Load], *, ended: threading.Event, poll: float = POLL, **server: Any) -> None:
    """Keep the cost of `pod` what `load` makes it until `ended` is set."""
    cost = DeletionCost(lambda value: patch(pod, value, **server))
    while not ended.wait(poll):
        cost.look(load(), time.monotonic())


class PodDeletionCost(bootsteps.StartStopStep):
    """Keeps the deletion cost of this worker's pod, where it is told to, from a thread of its own."""

    requires = ("rowlock.celery.slots:WorkerSlots",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        super().__init__(worker, **kwargs)
        self._ended = threading.Event()

    def start(self, worker: Any) -> None:
        pod = pod_with_deletion_cost()
        if pod is None:
            return
        slots = worker.rowlock_slots

        def load() -> Load:
            return slots.running, slots.seconds_running, slots.started

        threading.Thread(
            target=keep, args=(pod, load), kwargs={"ended": self._ended}, name="rowlock deletion cost", daemon=True
        ).start()

    def stop(self, worker: Any) -> None:
        self._ended.set()
