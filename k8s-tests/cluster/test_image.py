"""The image by itself, as restricted as a pod is: no root, no capabilities, and nothing to write to but /tmp."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from cluster.harness.cluster import Cluster
from cluster.harness.images import APPLICATION
from cluster.harness.shell import CommandError, eventually, run

RESTRICTED = ("--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--network", "none")
COMPLETE = {
    "SECRET_KEY": "kM3vQ9xW2pL7rT5yB8nC4dF6gH1jZ0sAeUiOqPwXtYbVmNcRaB3dE6",
    "ALLOWED_HOSTS": "example.com",
    "DATABASE_URL": "postgres://user:password@postgres:5432/database",
    "BROKER_URL": "amqp://user:password@rabbitmq:5672/vhost",
    "REDIS_URL": "redis://:password@redis:6379/0",
}
WORKER = ("celery", "-A", "example.celery:app", "worker", "--loglevel", "INFO")
PROCESSES = {
    "web": (),
    "worker": WORKER,
    "beat": ("celery", "-A", "example.celery:app", "beat", "--pidfile=", "--schedule", "/tmp/schedule"),
    "migrate": ("python", "manage.py", "migrate"),
}

pytestmark = pytest.mark.usefixtures("cluster")


def in_container(*command: str, **variables: str) -> str:
    given = [argument for name, value in variables.items() for argument in ("--env", f"{name}={value}")]
    return run("docker", "run", "--rm", *RESTRICTED, *given, APPLICATION, *command, timeout=120)


@pytest.fixture
def worker(cluster: Cluster) -> Iterator[str]:
    """A container with a worker on the embedded default."""
    name = f"rowlock-test-{uuid4().hex}"
    run("docker", "run", "--detach", "--name", name, *RESTRICTED, "--env", "DEBUG=true", APPLICATION, *WORKER)
    yield name
    run("docker", "rm", "--force", name)


def test_the_deployment_checks_are_clean() -> None:
    printed = in_container("python", "manage.py", "check", "--deploy", "--fail-level", "WARNING", **COMPLETE)

    assert "no issues" in printed


@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_without_a_variable_ends_and_names_it(process: str) -> None:
    incomplete = {name: value for name, value in COMPLETE.items() if name != "REDIS_URL"}

    with pytest.raises(CommandError, match="REDIS_URL is missing"):
        in_container(*PROCESSES[process], **incomplete)


def test_nobody_is_root() -> None:
    assert in_container("id", "-u").strip() == "1000"


@pytest.mark.parametrize("program", ["uv", "gcc", "cc"])
def test_what_only_building_needs_is_not_there(program: str) -> None:
    with pytest.raises(CommandError):
        in_container("sh", "-c", f"command -v {program}")


def test_a_worker_is_process_one_and_ends_on_term(worker: str) -> None:
    eventually(lambda: " ready." in logs(worker), within=60, what="the worker is ready")

    first = run("docker", "exec", worker, "cat", "/proc/1/cmdline")
    run("docker", "stop", "--time", "30", worker)

    assert "celery" in first
    assert run("docker", "inspect", "--format", "{{.State.ExitCode}}", worker).strip() == "0", logs(worker)


def logs(container: str) -> str:
    return run("sh", "-c", f"docker logs {container} 2>&1")
