"""One release through its life: changed values, a new image, back again, gone, and installed over what it left.

The tests are steps, and each starts where the one before it ended.
"""

import json
from datetime import datetime

import pytest

from cluster.harness.cluster import Namespace
from cluster.harness.images import NEXT_APPLICATION
from cluster.harness.release import Release, is_ready, restarts
from cluster.harness.shell import eventually
from cluster.harness.web import Web, web_of

# Longer than a rollout takes, shorter than a worker's grace period.
TASK_SECONDS = 45

ANYWHERE_INSIDE = [{"to": [{"podSelector": {}}], "ports": [{"protocol": "TCP", "port": 8000}]}]
CHANGED = {"env": {"PAGE_ALLOW_PRIVATE": "true"}, "networkPolicy.extraEgress": ANYWHERE_INSIDE}


@pytest.fixture(scope="module")
def own(namespace: Namespace) -> Release:
    release = Release(namespace=namespace)
    release.install()
    return release


def test_a_changed_value_takes_effect_and_running_tasks_end_where_they_run(own: Release) -> None:
    passwords = _passwords(own)
    with web_of(own) as web:
        refused = web.failure("example.tasks.page.fetch", f"http://{own.fullname}-web/")
        task_id, worker = _start_long_task(own, web)

    own.upgrade(CHANGED)

    assert "not a public address" in refused
    assert _passwords(own) == passwords
    with web_of(own) as web:
        assert web.wait(task_id)["result"] == TASK_SECONDS
        _assert_ended_on_its_way_out(own, task_id, worker)
        page = web.do("example.tasks.page.fetch", f"http://{own.fullname}-web/")
        assert page["title"], page


def test_a_new_image_replaces_the_pods_and_running_tasks_end_where_they_run(own: Release) -> None:
    passwords, migration = _passwords(own), _migration(own)
    with web_of(own) as web:
        task_id, worker = _start_long_task(own, web)

    own.upgrade({**CHANGED, "image.tag": NEXT_APPLICATION.partition(":")[2]})

    assert _images(own) == {NEXT_APPLICATION}
    assert _passwords(own) == passwords
    assert _migration(own) != migration, "another image migrates under the same name"
    with web_of(own) as web:
        assert web.wait(task_id)["result"] == TASK_SECONDS
        _assert_ended_on_its_way_out(own, task_id, worker)


def test_values_of_other_components_leave_the_migration_as_it_is(own: Release) -> None:
    migration = _migration(own)

    own.upgrade({**CHANGED, "image.tag": NEXT_APPLICATION.partition(":")[2], "beat.logLevel": "WARNING"})

    assert _migration(own) == migration


def test_rollback_brings_the_first_revision_back(own: Release) -> None:
    passwords = _passwords(own)

    own.rollback(1)

    assert _images(own) == {"rowlock:test"}
    assert _passwords(own) == passwords
    with web_of(own) as web:
        assert web.do("example.tasks.basic.add", 1, 1) == 2
        assert "not a public address" in web.failure("example.tasks.page.fetch", f"http://{own.fullname}-web/")


def test_uninstall_leaves_the_passwords_and_the_data_and_says_so(own: Release) -> None:
    notes = own.helm("get", "notes", own.name)

    own.uninstall()

    secret = f"secret/{own.fullname}-generated"
    left = eventually(lambda: _left(own) if _only_volumes(own, secret) else None, within=120, what="its end")
    volumes = [name for name in left if name.startswith("persistentvolumeclaim/")]
    assert len(volumes) == 3, left
    assert secret.partition("/")[2] in notes, f"the notes do not say that {secret} stays:\n{notes}"
    assert "pvc" in notes.lower() or "persistentvolumeclaim" in notes.lower(), notes


def test_a_new_install_finds_its_passwords_and_data(own: Release) -> None:
    own.install()

    with web_of(own) as web:
        assert web.do("example.tasks.basic.add", 2, 2) == 4
    results = own.python(
        "from rowlock.models import Run, State\n"
        "print(Run.objects.filter(task='example.tasks.basic.wait', state=State.SUCCEEDED).count())"
    )
    assert results == "2", "the history of before is gone"
    for pod in own.namespace.get("pods", instance=own.name):
        if pod["status"]["phase"] == "Running":
            assert is_ready(pod), f"{pod['metadata']['name']} is not Ready"
            assert restarts(pod) == 0, f"{pod['metadata']['name']} has restarted"


def _start_long_task(release: Release, web: Web) -> tuple[str, str]:
    """A task that runs, and the worker that runs it."""
    task_id = web.start("example.tasks.basic.wait", TASK_SECONDS)
    eventually(lambda: web.look(task_id)["status"] == "PROGRESS", within=60, what=f"the start of {task_id}")
    return task_id, _ran_on(release, task_id)


def _ran_on(release: Release, task_id: str) -> str:
    return _history(release, task_id, "worker")


def _history(release: Release, task_id: str, attribute: str) -> str:
    return release.python(f"from rowlock.models import Run\nprint(Run.objects.get(id='{task_id}').{attribute})")


def _assert_ended_on_its_way_out(release: Release, task_id: str, worker: str) -> None:
    """The task ended where it had begun, on a worker that was being replaced meanwhile."""
    assert _ran_on(release, task_id) == worker, "the task was started again on another worker"
    host = worker.partition("@")[2]
    ended = datetime.fromisoformat(_history(release, task_id, "finished.isoformat()"))
    now = {pod["metadata"]["name"]: pod["metadata"]["creationTimestamp"] for pod in release.pods("worker")}
    assert host not in now, f"{host} was not replaced"
    assert any(datetime.fromisoformat(created) < ended for created in now.values()), (
        f"the task ended at {ended}, before any of the new workers: {now}"
    )


def _passwords(release: Release) -> dict[str, str]:
    name = f"{release.fullname}-generated"
    data: dict[str, str] = json.loads(release.namespace.kubectl("get", "secret", name, "--output", "json"))["data"]
    return data


def _migration(release: Release) -> list[str]:
    return sorted(
        job["metadata"]["name"] for job in release.namespace.get("jobs", instance=release.name, component="migrate")
    )


def _images(release: Release) -> set[str]:
    pods = [pod for component in ("web", "worker", "beat") for pod in release.pods(component)]
    return {container["image"] for pod in pods for container in pod["spec"]["containers"]}


def _left(release: Release) -> list[str]:
    """All objects of the namespace that carry the release's labels."""
    kinds = "all,configmap,secret,serviceaccount,role,rolebinding,networkpolicy,poddisruptionbudget,pvc,ingress"
    selector = f"app.kubernetes.io/instance={release.name}"
    return release.namespace.kubectl("get", kinds, "--output", "name", "--selector", selector).split()


def _only_volumes(release: Release, secret: str) -> bool:
    return all(name == secret or name.startswith("persistentvolumeclaim/") for name in _left(release))
