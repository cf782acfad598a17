"""The images that the tests run, built in the local engine."""

from pathlib import Path

from cluster.harness.shell import run, succeeds

ROOT = Path(__file__).resolve().parents[3]
APPLICATION = "rowlock:test"
NEXT_APPLICATION = "rowlock:test2"
PLAIN = "rowlock-plain:test"
SERVICES = ("postgres:17", "redis:8", "rabbitmq:4-management")


def build() -> None:
    """The application under two tags, as of before and after an upgrade, and a project without the rowlock app."""
    _docker_build("--file", "docker/Dockerfile", "--tag", APPLICATION, ".")
    run("docker", "tag", APPLICATION, NEXT_APPLICATION)
    _docker_build("--build-arg", f"BASE_IMAGE={APPLICATION}", "--tag", PLAIN, "k8s-tests/cluster/plain_project")


def services_here() -> list[str]:
    """The service images that the local engine has; the nodes pull the others."""
    return [image for image in SERVICES if succeeds("docker", "image", "inspect", image)]


def _docker_build(*arguments: str) -> None:
    # kind cannot load the image indexes that attestations make.
    environment = {"DOCKER_BUILDKIT": "1", "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
    run("docker", "build", "--quiet", *arguments, timeout=1800, environment=environment, folder=ROOT)
