"""A project that knows nothing of Rowlock, in an image of its own, under the same chart."""

from collections.abc import Iterator

import pytest

from cluster.harness.cluster import Namespace
from cluster.harness.release import Release, is_ready, restarts
from cluster.harness.shell import eventually
from cluster.harness.web import web_of

SETTINGS = {
    "image": {"repository": "rowlock-plain", "tag": "test"},
    "app": {
        "celery": "plain.celery:app",
        "asgi": "",
        "wsgi": "plain.wsgi:application",
        "settings": "plain.settings",
        "rowlock": False,
    },
    "workers": {"default": {"queues": ["celery"]}, "heavy": None},
}


@pytest.fixture(scope="module")
def plain(namespace: Namespace) -> Iterator[Release]:
    release = Release(namespace=namespace, name="plain")
    release.install(SETTINGS)
    yield release
    release.uninstall()


@pytest.mark.parametrize("component", ["web", "worker", "beat", "collector"])
def test_every_pod_of_a_plain_project_runs(plain: Release, component: str) -> None:
    pods = plain.pods(component)

    assert len(pods) == 1, f"{len(pods)} pods of {component}"
    assert is_ready(pods[0]), f"{component} is not Ready: {pods[0]['status']}"
    assert restarts(pods[0]) == 0, f"{component} has restarted"


def test_a_plain_project_is_migrated_and_served(plain: Release) -> None:
    with web_of(plain) as web:
        answer = web.client.get("/")

    assert answer.text == "plain, with 0 users"


def test_the_workers_of_a_plain_project_do_what_its_beat_sends(plain: Release) -> None:
    def done() -> bool:
        return "succeeded" in plain.namespace.logs(f"deployment/{plain.fullname}-worker-default")

    eventually(done, within=60, what="a scheduled task in the log of the plain project's worker")


def test_the_chart_s_own_test_passes_for_a_plain_project(plain: Release) -> None:
    report = plain.test()

    assert "pool default, queue celery: returned" in report, report
