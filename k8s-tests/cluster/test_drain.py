"""Scale-in, rollout and eviction: busy workers go last, and what they do is finished."""

import json
import os
import time
from collections.abc import Sequence

import pytest

from cluster.harness.cluster import Manifest, Namespace
from cluster.harness.release import Release, is_ready
from cluster.harness.shell import CommandError, eventually

#: The issue asks for eight pods and a hundred tasks; on two cores that takes ten minutes.
PODS = int(os.environ.get("ROWLOCK_DRAIN_PODS", "3"))
TASKS = int(os.environ.get("ROWLOCK_DRAIN_TASKS", "15"))
#: Seconds that a task takes.
LENGTH = int(os.environ.get("ROWLOCK_DRAIN_SECONDS", "5"))

SETTINGS = {
    "web.replicas": 1,
    "beat.enabled": False,
    "workers.default.replicas": PODS,
    "workers.default.concurrency": 1,
    "workers.default.prefetch": 4,
    "workers.heavy.enabled": False,
    "workers.default.queues": ["celery", "email", "text", "page", "image", "report", "model"],
}
COST = "controller.kubernetes.io/pod-deletion-cost"

SUBMIT = """
from rowlock import runs
for _ in range({count}):
    run = runs.submit("example.tasks.basic.wait", [{seconds}])
print(run.id)
"""

STATES = """
import json
from django.db.models import F, Max, Sum
from rowlock.models import Run, State
runs = Run.objects.filter(task="example.tasks.basic.wait")
print(json.dumps({
    "states": {state.label: n for state in State if (n := runs.filter(state=state).count())},
    "started_again": runs.aggregate(sum=Sum(F("deliveries") - 1))["sum"] or 0,
    "workers": runs.filter(state=State.SUCCEEDED).values("worker").distinct().count(),
    "longest": runs.aggregate(longest=Max(F("finished") - F("started")))["longest"].total_seconds()
        if runs.filter(finished__isnull=False) else 0,
    "running_on": sorted(runs.filter(state=State.STARTED).values_list("worker", flat=True)),
}))
"""
CLEAR = "from rowlock.models import Run; Run.objects.all().delete(); print('cleared')"


@pytest.fixture(scope="module")
def own(namespace: Namespace) -> Release:
    release = Release(namespace=namespace)
    release.install(SETTINGS)
    return release


@pytest.fixture(autouse=True)
def no_runs(own: Release) -> None:
    own.python(CLEAR)


def test_a_smaller_pool_loses_its_idle_pods_first(own: Release) -> None:
    own.python(SUBMIT.format(count=1, seconds=60))
    (busy,) = eventually(lambda: _running_on(own), within=60, what="the task runs")
    eventually(lambda: _costs(own).get(busy, 0) > 0, within=60, what=f"{busy} says that it is busy")
    began = time.monotonic()

    _scale(own, 1)

    eventually(lambda: [_name(pod) for pod in own.pods("worker")] == [busy], within=60, what=f"only {busy} is left")
    assert time.monotonic() - began < 60, "the idle pods did not end at once"
    found = _ends(own, {"succeeded": 1})
    assert found["started_again"] == 0


def test_an_evicted_pod_finishes_what_it_does(own: Release) -> None:
    _scale(own, 2)
    eventually(lambda: len(_ready(own)) == 2, within=180, what="two workers are ready")
    own.python(SUBMIT.format(count=1, seconds=30))
    (busy,) = eventually(lambda: _running_on(own), within=60, what="the task runs")

    eventually(lambda: _evict(own, busy), within=60, what=f"the disruption budget allows {busy} to be evicted")

    found = _ends(own, {"succeeded": 1})
    assert found["started_again"] == 0


def test_nothing_is_lost_or_started_twice_while_a_pool_shrinks_and_rolls(
    own: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    _scale(own, PODS)
    eventually(lambda: len(_ready(own)) == PODS, within=420, what=f"{PODS} workers are ready")
    began = time.monotonic()
    own.python(SUBMIT.format(count=TASKS, seconds=LENGTH))

    eventually(lambda: _done(own) >= TASKS // 5, within=300, what="a fifth is done")
    own.namespace.kubectl("rollout", "restart", _deployment(own))
    eventually(lambda: _done(own) >= TASKS // 2, within=600, what="half is done")
    _scale(own, 1)

    found = _ends(own, {"succeeded": TASKS}, within=120 + TASKS * LENGTH * 2)
    with capsys.disabled():
        print(
            f"\ndrain: {TASKS} tasks of {LENGTH} s, from {PODS} pods to 1 with a rollout in the middle, in "
            f"{time.monotonic() - began:.0f} s on {found['workers']} pods: {found['states']}, "
            f"{found['started_again']} started again, the longest ran {found['longest']:.1f} s"
        )
    assert found["started_again"] == 0


def _deployment(own: Release) -> str:
    return f"deployment/{own.fullname}-worker-default"


def _scale(own: Release, replicas: int) -> None:
    own.namespace.kubectl("scale", _deployment(own), "--replicas", str(replicas))


def _states(own: Release) -> Manifest:
    found: Manifest = json.loads(own.python(STATES).splitlines()[-1])
    return found


def _done(own: Release) -> int:
    return int(_states(own)["states"].get("succeeded", 0))


def _running_on(own: Release) -> Sequence[str]:
    # A worker is named after its pod.
    return [worker.partition("@")[2] for worker in _states(own)["running_on"]]


def _ends(own: Release, wanted: dict[str, int], *, within: float = 120) -> Manifest:
    eventually(lambda: _states(own)["states"] == wanted, within=within, what=f"runs are {wanted}", every=3)
    return _states(own)


def _costs(own: Release) -> dict[str, int]:
    pods = own.pods("worker")
    return {_name(pod): int(pod["metadata"].get("annotations", {}).get(COST, 0)) for pod in pods}


def _ready(own: Release) -> list[Manifest]:
    return [pod for pod in own.pods("worker") if is_ready(pod)]


def _name(pod: Manifest) -> str:
    return str(pod["metadata"]["name"])


def _evict(own: Release, pod: str) -> bool:
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
    path = f"/api/v1/namespaces/{own.namespace.name}/pods/{pod}/eviction"
    try:
        own.namespace.kubectl("create", "--raw", path, "-f", "-", stdin=json.dumps(eviction))
    except CommandError as error:
        if "TooManyRequests" in str(error) or "disruption budget" in str(error):
            return False
        raise
    return True
