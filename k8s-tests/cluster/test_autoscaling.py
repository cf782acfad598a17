"""Workers follow the work, with the real KEDA: none without it, as many as it needs, and none of them killed at it.

The tests are steps, and each starts where the one before it ended.
"""

import json
import os
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cluster.harness.addons import install_keda, install_metrics_server
from cluster.harness.cluster import Cluster, Namespace
from cluster.harness.release import Release
from cluster.harness.replicas import Trace, traced
from cluster.harness.shell import eventually
from cluster.harness.web import Web, web_of

#: Seconds of steady load; ten minutes show more than the half that fits into every run.
STEADY = int(os.environ.get("ROWLOCK_STEADY_SECONDS", "30"))
#: Pods that a sleeping pool wakes with.
WAKE = int(os.environ.get("ROWLOCK_WAKE", "1"))
#: A file for what was measured, as scripts/simulate/measured.json has it.
TRACE = os.environ.get("ROWLOCK_TRACE", "")
BURST = 4
TASK_SECONDS = 30

# Shorter than the defaults, so that the way down fits into a test.
DOWN = {"stabilizationWindowSeconds": 15, "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}
AUTOSCALING = {
    "enabled": True,
    "engine": "keda",
    "min": 0,
    "max": 6,
    "wake": WAKE,
    "cooldown": 10,
    "behavior": {"scaleDown": DOWN},
}
SETTINGS = {
    # The ticks of its schedules would keep the pool awake.
    "beat.enabled": False,
    "workers.heavy.enabled": False,
    "workers.default.queues": ["celery", "email", "text", "page", "image", "report", "model"],
    "workers.default.concurrency": 1,
    "workers.default.autoscaling": AUTOSCALING,
}

RUNS = """
import json
from rowlock.models import Run, State
runs = Run.objects.filter(task="example.tasks.basic.wait").order_by("created")
print(json.dumps([{
    "state": State(run.state).label, "deliveries": run.deliveries, "worker": run.worker,
    **{moment: getattr(run, moment).timestamp() for moment in ("created", "started", "finished")},
} for run in runs]))
"""


@pytest.fixture(scope="module")
def own(cluster: Cluster, namespace: Namespace) -> Release:
    install_keda(cluster)
    release = Release(namespace=namespace)
    release.install(SETTINGS)
    return release


@pytest.fixture(scope="module")
def web(own: Release) -> Iterator[Web]:
    with web_of(own) as web:
        yield web


@pytest.fixture(scope="module")
def trace(own: Release) -> Iterator[Trace]:
    with traced(own.namespace, f"{own.fullname}-worker-default") as trace:
        yield trace


def test_a_pool_without_work_sleeps(own: Release, trace: Trace) -> None:
    _sleeps(trace, within=120)

    assert own.pods("worker") == []


def test_a_burst_wakes_as_many_workers_as_it_needs_and_an_upgrade_leaves_them(
    own: Release, web: Web, trace: Trace, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.time()
    tasks = [web.start("example.tasks.basic.wait", TASK_SECONDS) for _ in range(BURST)]
    eventually(lambda: trace.since(began).when(ready=BURST), within=120, what=f"{BURST} ready workers", every=0.2)

    own.upgrade({**SETTINGS, "web.service.annotations": {"example.com/changed": "yes"}})

    for task in tasks:
        assert web.wait(task)["status"] == "SUCCESS", f"task {task} did not succeed"
    runs = _runs(own)
    _tell(trace.since(began), runs, capsys)
    working = trace.since(began, until=min(run["finished"] for run in runs))
    assert max(working.wanted()) == BURST, f"{BURST} tasks of one slot each wanted {working.wanted()} workers"
    assert _rises(working.wanted()), f"the number of workers went back while there was work: {working.wanted()}"


def test_the_pool_goes_back_to_sleep_and_nothing_was_killed(own: Release, trace: Trace) -> None:
    _sleeps(trace, within=180)

    runs = _runs(own)
    if TRACE:
        Path(TRACE).write_text(json.dumps(_measured(trace, runs), indent=1) + "\n")
    assert [run["state"] for run in runs] == ["succeeded"] * BURST
    assert [run["deliveries"] for run in runs] == [1] * BURST, "a task was started twice"


def test_a_steady_load_keeps_a_steady_number_of_workers(
    own: Release, web: Web, trace: Trace, capsys: pytest.CaptureFixture[str]
) -> None:
    # At the chart's own pace.
    own.upgrade({**SETTINGS, "workers.default.autoscaling": {**AUTOSCALING, "behavior": {}}})
    began = time.time()
    tasks = []
    while time.time() < began + STEADY:
        tasks.append(web.start("example.tasks.basic.wait", 4))
        # The pause is the load: two slots are busy at any time.
        time.sleep(2)
    ended = time.time()

    wanted = trace.since(began).wanted()
    with capsys.disabled():
        moments = [(round(sample.time - began), sample.wanted, sample.ready) for sample in trace.since(began).samples]
        print(f"\nautoscaling: {len(tasks)} tasks in {ended - began:.0f} s wanted {wanted} workers; {moments}")
    assert _turns(wanted) <= 1, f"the number of workers flapped: {wanted}"
    for task in tasks:
        assert web.wait(task)["status"] == "SUCCESS", f"task {task} did not succeed"
    runs = _runs(own)
    assert {run["deliveries"] for run in runs} == {1}, "a task was started twice"


def test_web_follows_its_cpu(own: Release, cluster: Cluster) -> None:
    install_metrics_server(cluster)
    web = {"enabled": True, "min": 1, "max": 2, "cpu": 1}

    own.upgrade({**SETTINGS, "web.replicas": None, "web.autoscaling": web})

    # One percent of a hundredth of a CPU: an idle server takes more.
    eventually(lambda: len(own.pods("web")) == 2, within=180, what="a second web pod", every=2)


def _sleeps(trace: Trace, *, within: float) -> None:
    def asleep() -> bool:
        now = trace.now
        return now is not None and now.wanted == now.made == 0

    eventually(asleep, within=within, what="a pool without pods")


def _rises(wanted: list[int]) -> bool:
    return wanted == sorted(wanted)


def _turns(wanted: list[int]) -> int:
    """How often workers were taken away and wanted again."""
    changes = [after - before for before, after in pairwise(wanted)]
    return sum(before < 0 < after for before, after in pairwise(changes))


def _runs(own: Release) -> list[dict[str, Any]]:
    runs: list[dict[str, Any]] = json.loads(own.python(RUNS).splitlines()[-1])
    return runs


def _measured(trace: Trace, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """A burst for scripts/simulate, with the seconds that the first pod took to work, and to be seen as ready."""
    first, started = (min(run[moment] for run in runs) for moment in ("created", "started"))
    since = trace.since(first)
    wanted, ready = since.when(wanted=1), since.when(ready=1)
    assert wanted is not None
    assert ready is not None
    return {
        "settings": {
            "max": AUTOSCALING["max"],
            "concurrency": 1,
            "wake": WAKE,
            "cooldown": AUTOSCALING["cooldown"],
            "stabilisation": DOWN["stabilizationWindowSeconds"],
            "down_percent": 100,
        },
        "cluster": {"start": round(started - wanted, 1), "probe": round(max(0.0, ready - started), 1)},
        "tasks": [{"arrives": round(run["created"] - first, 2), "seconds": TASK_SECONDS} for run in runs],
        "samples": [(round(max(0.0, s.time - first), 1), s.wanted, s.ready) for s in since.samples],
    }


def _tell(trace: Trace, runs: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    submitted, started = (min(run[moment] for run in runs) for moment in ("created", "started"))
    seen = "; ".join(f"{s.time - submitted:.1f} s {s.wanted} {s.made} {s.ready}" for s in trace.samples)
    ready = trace.when(ready=BURST)
    assert ready is not None
    with capsys.disabled():
        print(
            f"\nautoscaling: from the first submit {started - submitted:.1f} s to the first start and "
            f"{ready - submitted:.1f} s to {BURST} ready workers; wanted, made, ready: {seen}"
        )
