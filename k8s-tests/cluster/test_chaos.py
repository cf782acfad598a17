"""Ten thousand runs while everything around them dies: each takes effect once, none is lost, none is stuck."""

import json
import os
import random
import time
from collections.abc import Callable

import pytest

from cluster.harness import submitter
from cluster.harness.cluster import Namespace
from cluster.harness.release import Release, is_ready
from cluster.harness.shell import CommandError, eventually

RUNS = int(os.environ.get("ROWLOCK_CHAOS_RUNS", "10000"))
#: Seconds for which RabbitMQ is away, and between two kills of a pod.
OUTAGE = 30
KILL_EVERY = 15
#: Seconds that all of it takes.
TROUBLE = 120

SETTINGS = {
    "web.replicas": 2,
    "workers.default.replicas": 2,
    "workers.default.prefetch": 4,
    "workers.heavy.enabled": False,
    "workers.default.queues": ["celery", "email", "text", "page", "image", "report", "model"],
}

MAKE_TOKEN = """
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from rowlock.models import ApiToken
from rowlock.models.token import hash_of, new_secret
user = get_user_model().objects.create_user("chaos")
user.user_permissions.add(Permission.objects.get(codename="submit_run"))
secret = new_secret()
ApiToken.objects.create(user=user, name="chaos", hash=hash_of(secret))
print(secret)
"""

UNFINISHED = """
from rowlock.models import FINAL, Run
print(Run.objects.filter(owner="chaos").exclude(state__in=FINAL).count())
"""

SUMMARY = """
import json
from django.db.models import Count, F, Max, Sum
from example.models import Counter
from rowlock.models import Run, State
runs = Run.objects.filter(owner="chaos")
by_state = runs.order_by().values("state").annotate(count=Count("id"))
states = {State(row["state"]).label: row["count"] for row in by_state}
counters = Counter.objects.filter(key__startswith="chaos-")
wait = runs.aggregate(longest=Max(F("started") - F("created")))["longest"]
print(json.dumps({
    "submitted": runs.count(),
    "states": states,
    "counters": counters.count(),
    "counted_twice": counters.filter(count__gt=1).count(),
    "duplicated": runs.aggregate(sum=Sum(F("deliveries") - 1))["sum"],
    "published_again": runs.filter(attempts__gt=1).count(),
    "longest_wait": wait.total_seconds() if wait else None,
}))
"""


@pytest.fixture(scope="module")
def own(namespace: Namespace) -> Release:
    release = Release(namespace=namespace)
    release.install(SETTINGS)
    return release


def test_every_accepted_run_takes_effect_once_whatever_dies(own: Release, capsys: pytest.CaptureFixture[str]) -> None:
    token = own.python(MAKE_TOKEN).splitlines()[-1]
    submitter.start(own.namespace, f"http://{own.fullname}-web", token, count=RUNS)

    killed = _make_trouble(own)
    told = submitter.report(own.namespace, within=600)
    _everything_is_finished(own)

    found = json.loads(own.python(SUMMARY).splitlines()[-1])
    with capsys.disabled():
        print(
            f"\nchaos: {found['submitted']} submitted in {told['seconds']:.0f} s ({told['repeated']} requests "
            f"repeated, the slowest took {told['slowest']:.1f} s), finished: {found['states']}, "
            f"{found['counted_twice']} took effect twice, {found['duplicated']} duplicated deliveries, "
            f"{found['published_again']} published again, longest wait {found['longest_wait']:.1f} s; "
            f"killed: {', '.join(killed)}"
        )
    assert found["submitted"] == RUNS
    assert found["states"] == {"succeeded": RUNS}
    assert (found["counters"], found["counted_twice"]) == (RUNS, 0)


def _make_trouble(own: Release) -> list[str]:
    """Stop RabbitMQ, restart Redis, and kill web and worker pods meanwhile."""
    chance = random.Random(20261121)
    killed: list[str] = []
    began = time.monotonic()
    rabbitmq, redis = f"statefulset/{own.fullname}-rabbitmq", f"{own.fullname}-redis-0"
    steps: list[tuple[float, Callable[[], str], str]] = [
        (10, lambda: own.namespace.kubectl("scale", rabbitmq, "--replicas", "0"), "rabbitmq for 30 s"),
        (10 + OUTAGE, lambda: own.namespace.kubectl("scale", rabbitmq, "--replicas", "1"), ""),
        (60, lambda: own.namespace.kubectl("delete", "pod", redis, "--wait=false"), "redis"),
    ]
    next_kill = KILL_EVERY
    while (elapsed := time.monotonic() - began) < TROUBLE:
        if steps and elapsed >= steps[0][0]:
            _, act, name = steps.pop(0)
            act()
            killed += [name] if name else []
        if elapsed >= next_kill:
            next_kill += KILL_EVERY
            killed += _kill_one(own, chance)
        time.sleep(0.5)
    return killed


def _kill_one(own: Release, chance: random.Random) -> list[str]:
    component = chance.choice(["web", "worker"])
    ready = [pod["metadata"]["name"] for pod in own.pods(component) if is_ready(pod)]
    if not ready:
        return []
    victim = chance.choice(ready)
    try:
        own.namespace.kubectl("delete", "pod", victim, "--grace-period=0", "--force", "--wait=false")
    except CommandError:
        return []
    return [component]


def _everything_is_finished(own: Release) -> None:
    def unfinished() -> str | None:
        try:
            left = own.python(UNFINISHED).splitlines()[-1]
        except CommandError:
            return None
        return left if left == "0" else None

    eventually(unfinished, within=420, what="every accepted run has finished", every=5)
