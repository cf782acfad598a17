"""Workers that lose their broker are let be and come back by themselves; one whose main loop hangs is restarted."""

import os
import time
from collections.abc import Callable, Sequence
from datetime import datetime

import pytest

from cluster.harness.cluster import Manifest, Namespace
from cluster.harness.release import Release, is_ready, restarts
from cluster.harness.shell import eventually

#: Seconds for which RabbitMQ is away; 300 for the long show.
OUTAGE = int(os.environ.get("ROWLOCK_OUTAGE_SECONDS", "60"))
LOOP_CEILING = 20
#: Seconds from a dead worker to its restart: up to two probes until it is asked, three that fail, the KILL.
RESTART = 20 + 30 + 15

#: In a module that Python loads by itself: USR2 blocks the main thread for ever.
WEDGE = """
import signal, time
signal.signal(signal.SIGUSR2, lambda *_: time.sleep(3600))
"""

SETTINGS = {
    "workers.heavy.enabled": False,
    "workers.default.replicas": 2,
    "workers.default.env": {"PYTHONPATH": "/wedge"},
    "workerDefaults.health.loopCeiling": LOOP_CEILING,
    "extraVolumes": [{"name": "wedge", "configMap": {"name": "wedge"}}],
    "extraVolumeMounts": [{"name": "wedge", "mountPath": "/wedge", "readOnly": True}],
}

SUBMIT = "from rowlock import runs; print(runs.submit('example.tasks.basic.add', [2, 3]).id)"
FINISHED = """
from rowlock.models import Run, State
run = Run.objects.get(id="{id}")
print(run.finished.timestamp() if run.state == State.SUCCEEDED else "")
"""


@pytest.fixture(scope="module")
def own(namespace: Namespace) -> Release:
    namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "wedge"},
            "data": {"sitecustomize.py": WEDGE},
        }
    )
    release = Release(namespace=namespace)
    release.install(SETTINGS)
    return release


def test_workers_outlive_a_broker_that_is_away_and_consume_after_it(
    own: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {pod["metadata"]["name"]: restarts(pod) for pod in own.pods("worker")}
    rabbitmq = f"statefulset/{own.fullname}-rabbitmq"

    own.namespace.kubectl("scale", rabbitmq, "--replicas", "0")
    began = time.monotonic()
    unready = _seconds_until("no worker is ready", own, lambda pods: not any(map(is_ready, pods)))
    accepted = _submit(own)
    time.sleep(max(0.0, began + OUTAGE - time.monotonic()))
    assert not any(map(is_ready, own.pods("worker"))), "a worker is ready without a broker"
    own.namespace.kubectl("scale", rabbitmq, "--replicas", "1")
    _seconds_until("every worker is ready", own, lambda pods: all(map(is_ready, pods)))
    fresh = _submit(own)

    finished = [_finished(own, run) for run in (accepted, fresh)]
    back = _became_ready(own.pods("rabbitmq"))
    ready = _became_ready(own.pods("worker"))
    after = {pod["metadata"]["name"]: restarts(pod) for pod in own.pods("worker")}
    with capsys.disabled():
        print(
            f"\nhealth: RabbitMQ away for {OUTAGE} s; no worker ready after {unready:.0f} s; from its return to all "
            f"workers ready {ready - back:.0f} s, to the end of a task accepted meanwhile {finished[0] - back:.1f} s"
        )
    assert after == before, "a worker was restarted or replaced"


def test_a_worker_whose_main_loop_hangs_is_restarted_in_time(own: Release, capsys: pytest.CaptureFixture[str]) -> None:
    victim = own.pods("worker")[0]
    name, before = victim["metadata"]["name"], restarts(victim)
    own.namespace.execute(name, "sh", "-c", "kill -USR2 1")

    within = LOOP_CEILING + RESTART
    took = _seconds_until(
        f"{name} is restarted", own, lambda pods: restarts(_named(name, pods)) > before, within=within + 30
    )
    _seconds_until(f"{name} is ready again", own, lambda pods: is_ready(_named(name, pods)))

    with capsys.disabled():
        print(f"\nhealth: a main loop that hangs: restarted after {took:.0f} s (configured: {within} s at the most)")
    assert _finished(own, _submit(own))


def _submit(own: Release) -> str:
    return own.python(SUBMIT).splitlines()[-1]


def _finished(own: Release, run: str) -> float:
    """When the run ended, in seconds since the epoch."""

    def look() -> str:
        return own.python(FINISHED.format(id=run)).strip()

    return float(eventually(look, within=60, what=f"run {run} has succeeded"))


def _seconds_until(
    what: str, own: Release, look: Callable[[Sequence[Manifest]], bool], *, within: float = 120
) -> float:
    began = time.monotonic()
    eventually(lambda: look(own.pods("worker")), within=within, what=what)
    return time.monotonic() - began


def _became_ready(pods: Sequence[Manifest]) -> float:
    """When the last of `pods` became ready, in seconds since the epoch."""
    conditions = [condition for pod in pods for condition in pod["status"]["conditions"]]
    times = [condition["lastTransitionTime"] for condition in conditions if condition["type"] == "Ready"]
    return max(datetime.fromisoformat(moment).timestamp() for moment in times)


def _named(name: str, pods: Sequence[Manifest]) -> Manifest:
    return next(pod for pod in pods if pod["metadata"]["name"] == name)
