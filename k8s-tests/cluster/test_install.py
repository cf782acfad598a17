"""A fresh install is whole, and every service in it is used."""

import json

import httpx
import pytest

from cluster.harness.release import Release, is_ready, restarts
from cluster.harness.shell import eventually
from cluster.harness.web import Web, forwarded

COMPONENTS = ("web", "worker", "beat", "collector", "postgresql", "rabbitmq", "redis")


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_pod_is_ready_and_never_restarted(release: Release, component: str) -> None:
    pods = release.pods(component)

    assert pods, f"no pod of {component}"
    for pod in pods:
        name = pod["metadata"]["name"]
        assert is_ready(pod), f"{name} is not Ready: {pod['status'].get('conditions')}"
        assert restarts(pod) == 0, f"{name} has restarted {restarts(pod)} times"


def test_the_services_are_reached_by_their_own_passwords(release: Release) -> None:
    secret = json.loads(release.namespace.kubectl("get", "secret", f"{release.fullname}-generated", "--output", "json"))

    passwords = [value for key, value in secret["data"].items() if key.endswith("-password")]

    assert len(passwords) == 3, f"the generated Secret has {sorted(secret['data'])}"
    assert len(set(passwords)) == 3, "two services share a password"


def test_a_result_is_in_redis_and_in_the_history_in_postgres(release: Release, web: Web) -> None:
    task_id = web.start("example.tasks.basic.add", 20, 22)
    web.wait(task_id)

    def in_history() -> str:
        return release.python(
            "from rowlock.models import Run, State\n"
            f"run = Run.objects.filter(id='{task_id}', state=State.SUCCEEDED).first()\n"
            "print(f'{run.task} = {run.result}' if run else '')"
        )

    history = eventually(in_history, within=30, what=f"{task_id} in the history")
    in_redis = release.python(
        f"from example.celery import app\nprint(app.backend.client.exists('celery-task-meta-{task_id}'))"
    )

    assert history == "example.tasks.basic.add = 42"
    assert in_redis == "1", f"Redis does not hold the result of {task_id}"


def test_cache_and_sessions_are_shared_between_processes_through_redis(release: Release) -> None:
    release.python("from django.core.cache import cache; cache.set('from-web', 'kept', 60)")

    seen = release.namespace.execute(
        f"deployment/{release.fullname}-worker-default",
        "python",
        "manage.py",
        "shell",
        "--verbosity=0",
        "--command",
        "from django.core.cache import cache; print(cache.get('from-web'))",
    )

    assert seen.strip() == "kept"


@pytest.mark.parametrize("component", ["web", "worker", "beat", "collector"])
def test_every_process_serves_health_and_metrics(release: Release, component: str) -> None:
    pod = release.pods(component)[0]["metadata"]["name"]

    with forwarded(release, f"pod/{pod}", "health") as address:
        health = {path: httpx.get(address + path).status_code for path in ("/livez", "/readyz", "/startupz")}
        metrics = httpx.get(f"{address}/metrics")

    assert health == {"/livez": 200, "/readyz": 200, "/startupz": 200}
    assert metrics.status_code == 200, metrics.text
    assert "# TYPE" in metrics.text


def test_the_chart_s_own_test_sends_a_task_to_every_pool(release: Release) -> None:
    report = release.test()

    for queue in ("celery", "email", "text", "page", "image", "report", "model"):
        assert f"queue {queue}: returned" in report, f"helm test says nothing of the queue {queue}:\n{report}"
