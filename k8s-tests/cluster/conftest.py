"""A kind cluster, the images in it, and releases of the chart.

The modules that only look at a running release share one, in a namespace of its own, because an install costs a
minute; those that change their release have one to themselves.
"""

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from cluster.harness import cluster as kind
from cluster.harness import images
from cluster.harness.cluster import Cluster, Namespace
from cluster.harness.evidence import evidence
from cluster.harness.release import Release
from cluster.harness.shell import succeeds
from cluster.harness.volumes import provisioned
from cluster.harness.web import Web, web_of

PROGRAMS = {
    "docker": "https://docs.docker.com/engine/install/",
    "kind": "https://kind.sigs.k8s.io/",
    "kubectl": "https://kubernetes.io/docs/tasks/tools/",
    "helm": "https://helm.sh/docs/intro/install/",
}
IN_USE = pytest.StashKey[list[Namespace]]()
MISSING = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("cluster")
    group.addoption("--cluster-name", default="rowlock-test", help="the kind cluster that is kept (rowlock-test)")
    group.addoption("--keep-cluster", action="store_true", help="use the cluster if it is there, and leave it there")
    group.addoption(
        "--require-cluster", action="store_true", help="fail, rather than skip, where docker or kind is missing"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[IN_USE] = []
    absent = [f"{name} ({where})" for name, where in PROGRAMS.items() if not shutil.which(name)]
    if absent:
        config.stash[MISSING] = f"not on PATH: {', '.join(absent)}"
    elif not succeeds("docker", "info"):
        config.stash[MISSING] = "no Docker engine answers (docker info)"
    else:
        config.stash[MISSING] = ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    if missing := config.stash[MISSING]:
        terminalreporter.section("CLUSTER TESTS NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.line(missing)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and call.excinfo is not None and not call.excinfo.errisinstance(KeyboardInterrupt):
        for namespace in item.config.stash[IN_USE]:
            report.sections.append((f"namespace {namespace.name}", evidence(namespace)))
    return report


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The cluster, with all images loaded."""
    config = request.config
    if missing := config.stash[MISSING]:
        if config.getoption("require_cluster"):
            pytest.fail(missing, pytrace=False)
        pytest.skip(missing)
    keep = config.getoption("keep_cluster")
    # A cluster that is not kept has a name of its own, so that two runs at once do not delete each other's.
    name = config.getoption("cluster_name") + ("" if keep else f"-{os.getpid()}")
    kubeconfig = tmp_path_factory.mktemp("kind") / "kubeconfig"
    images.build()
    try:
        made = _cluster(name, kubeconfig)
        made.load(images.APPLICATION, images.NEXT_APPLICATION, images.PLAIN, *images.services_here())
        with provisioned(made):
            yield made
    finally:
        if not keep:
            kind.delete(name)


def _cluster(name: str, kubeconfig: Path) -> Cluster:
    return (kind.reuse if name in kind.existing_clusters() else kind.create)(name, kubeconfig)


@pytest.fixture(scope="module")
def namespace(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Namespace]:
    """A namespace of this module alone."""
    yield from _namespace(request.config, cluster, Path(request.path).stem.replace("_", "-"))


def _namespace(config: pytest.Config, cluster: Cluster, name: str) -> Iterator[Namespace]:
    namespace = cluster.fresh_namespace(name)
    config.stash[IN_USE].append(namespace)
    yield namespace
    config.stash[IN_USE].remove(namespace)
    namespace.delete()


@pytest.fixture(scope="session")
def release(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Release]:
    """A release that tests use and leave as it is."""
    for namespace in _namespace(request.config, cluster, "shared"):
        release = Release(namespace=namespace)
        release.install()
        yield release


@pytest.fixture(scope="module")
def web(release: Release) -> Iterator[Web]:
    with web_of(release) as web:
        yield web
