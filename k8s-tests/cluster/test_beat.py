"""Two beats, killed at random: each slot of a schedule is run once, whichever lock keeps them apart."""

import json
import os
import random
import time
from typing import Any

import pytest

from cluster.harness.cluster import Manifest, Namespace
from cluster.harness.release import Release, is_ready
from cluster.harness.shell import CommandError, eventually

#: Seconds for which pods are killed under each lock; `ROWLOCK_BEAT_SECONDS=600` for a long show.
SECONDS = float(os.environ.get("ROWLOCK_BEAT_SECONDS", "25"))
#: Seconds between two kills, at most: long enough that there is a standby again, mostly.
KILL_EVERY = 12

SETTINGS: dict[str, Any] = {
    "beat.replicas": 2,
    "beat.lock": "database",
    "workers.heavy.enabled": False,
    "workers.default.queues": ["celery", "email", "text", "page", "image", "report", "model"],
}

MAKE_SCHEDULE = """
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from rowlock.models import Schedule
every_second, _ = IntervalSchedule.objects.get_or_create(every=1, period="seconds")
task = PeriodicTask.objects.create(
    name="every second", interval=every_second, task="example.tasks.basic.add", args="[20, 22]"
)
Schedule.objects.create(task=task, missed="catch_up")
"""

#: What became of all slots so far, once beat has caught up with the present.
SUMMARY = """
import json
from datetime import timedelta
from itertools import pairwise
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from rowlock.models import Run, State
task = PeriodicTask.objects.get(name="every second")
runs = Run.objects.filter(key__startswith=f"schedule-{task.pk}@")
dues = list(runs.order_by("due").values_list("due", flat=True))
created = list(runs.order_by("created").values_list("created", flat=True))
print(json.dumps({
    "behind": (timezone.now() - task.last_run_at).total_seconds(),
    "slots": len(dues),
    "missing": round((dues[-1] - dues[0]).total_seconds()) + 1 - len(set(dues)),
    "doubled": len(dues) - len(set(dues)),
    "counted": task.total_run_count,
    "longest_gap": max((later - earlier).total_seconds() for earlier, later in pairwise(created)),
    "unfinished": runs.exclude(state=State.SUCCEEDED).filter(due__lt=timezone.now() - timedelta(seconds=20)).count(),
}))
"""


@pytest.fixture(scope="module")
def own(namespace: Namespace) -> Release:
    release = Release(namespace=namespace)
    # Ready, or this would fail: also the one that stands by.
    release.install(SETTINGS)
    release.python(MAKE_SCHEDULE)
    return release


def test_every_slot_is_run_once_under_the_lock_of_the_database(
    own: Release, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = _kill_beats(own)

    _every_slot_was_run_once(own, f"database, {killed} pods killed", capsys)


def test_every_slot_is_run_once_under_a_lease(own: Release, capsys: pytest.CaptureFixture[str]) -> None:
    own.upgrade({**SETTINGS, "beat.lock": "lease"})

    killed = _kill_beats(own)

    _every_slot_was_run_once(own, f"lease, {killed} pods killed", capsys)
    lease = json.loads(own.namespace.kubectl("get", "lease", f"{own.fullname}-beat", "--output", "json"))
    holder = lease["spec"]["holderIdentity"]
    assert holder in {_name(pod) for pod in own.pods("beat")}, f"the Lease is held by {holder}"


def test_both_beats_are_ready_and_one_of_them_ticks(own: Release) -> None:
    pods = eventually(lambda: _ready_beats(own), within=120, what="two beats are ready")

    active = eventually(lambda: _active(own, pods), within=60, what="one of them ticks")

    assert len(active) == 1, f"these tick: {active}"


def _kill_beats(own: Release) -> int:
    chance = random.Random(20261121)
    killed, end = 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(chance.uniform(1, KILL_EVERY))
        pods = own.pods("beat")
        if pods:
            pod = _name(chance.choice(pods))
            own.namespace.kubectl("delete", "pod", pod, "--grace-period=0", "--force", "--ignore-not-found")
            killed += 1
    return killed


def _every_slot_was_run_once(own: Release, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = eventually(lambda: _caught_up(own), within=180, what="beat has caught up, and workers with it", every=3)
    with capsys.disabled():
        print(
            f"\nbeat, {what}: {found['slots']} slots, {found['missing']} missing, {found['doubled']} doubled, longest "
            f"gap {found['longest_gap']:.1f} s"
        )
    assert (found["missing"], found["doubled"]) == (0, 0)
    assert found["counted"] == found["slots"]


def _caught_up(own: Release) -> dict[str, Any] | None:
    found: dict[str, Any] = json.loads(own.python(SUMMARY).splitlines()[-1])
    return found if found["behind"] < 3 and not found["unfinished"] else None


def _ready_beats(own: Release) -> list[str] | None:
    pods = [_name(pod) for pod in own.pods("beat") if is_ready(pod)]
    return pods if len(pods) == 2 else None


def _active(own: Release, pods: list[str]) -> list[str]:
    code = "import urllib.request as u; print(u.urlopen('http://localhost:9540/metrics').read().decode())"
    active = []
    for pod in pods:
        try:
            metrics = own.namespace.execute(f"pod/{pod}", "python", "-c", code)
        except CommandError:
            continue
        if "rowlock_beat_active 1.0" in metrics:
            active.append(pod)
    return active


def _name(pod: Manifest) -> str:
    return str(pod["metadata"]["name"])
