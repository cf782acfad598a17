"""The cost of deleting a worker's pod, against a real HTTP server in the place of the API server."""

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from rowlock.celery.deletion_cost import ANNOTATION, CALM, PAUSE, DeletionCost, cost_of, keep, patch
from rowlock.conf import ConfigurationError, Pod, pod_with_deletion_cost
from rowlock.kubernetes import ClusterError
from tests.processes import wait_until

POD = Pod(namespace="shop", name="worker-0")
IDLE, BUSY = (0, 0.0, 0), (1, 0.5, 1)


class ApiServer(ThreadingHTTPServer):
    """Answers PATCH with `status` and keeps what it was told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.status = 200
        self.patches: list[tuple[str, str, str, str]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def costs(self) -> list[int]:
        return [int(json.loads(body)["metadata"]["annotations"][ANNOTATION]) for *_, body in self.patches]


class Handler(BaseHTTPRequestHandler):
    server: ApiServer

    def do_PATCH(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.patches.append((self.path, self.headers["Content-Type"], self.headers["Authorization"], body))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with ApiServer() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("secret\n")
    return tmp_path


def test_the_pod_is_patched_with_its_own_token(server: ApiServer, account: Path) -> None:
    patch(POD, 100, server=server.url, account=account)

    path, kind, authorization, body = server.patches[0]
    assert (path, kind) == ("/api/v1/namespaces/shop/pods/worker-0", "application/merge-patch+json")
    assert authorization == "Bearer secret"
    assert json.loads(body) == {"metadata": {"annotations": {ANNOTATION: "100"}}}


def test_a_thread_follows_what_the_worker_does(server: ApiServer, account: Path) -> None:
    ended, load = threading.Event(), IDLE
    thread = threading.Thread(
        target=lambda: keep(POD, lambda: load, ended=ended, poll=0.01, server=server.url, account=account)
    )
    thread.start()

    load = BUSY
    wait_until("it is told to be busy", lambda: server.costs == [100])
    load = (0, 0.0, 1)
    wait_until("it is told to be idle", lambda: server.costs == [100, 0])

    ended.set()
    thread.join()


@pytest.mark.parametrize(
    ("running", "seconds", "cost"), [(0, 0, 0), (1, 0, 100), (1, 9, 100), (1, 10, 200), (4, 1000, 400)]
)
def test_the_cost_grows_with_what_would_be_lost(running: int, seconds: float, cost: int) -> None:
    assert cost_of(running, seconds) == cost


def test_a_worker_is_idle_only_when_it_has_been_for_a_while() -> None:
    told: list[int] = []
    cost = DeletionCost(told.append)
    cost.look((1, 0.0, 1), 0)
    for second in range(1, 60):
        # A short task between any two looks.
        cost.look((0, 0.0, 1 + second), second)
    assert told == [100]

    cost.look((0, 0.0, 60), 59 + CALM - 0.1)
    assert told == [100]
    cost.look((0, 0.0, 60), 59 + CALM)
    assert told == [100, 0]


def test_the_api_server_is_asked_at_most_every_few_seconds() -> None:
    told: list[int] = []
    cost = DeletionCost(told.append)
    cost.look((1, 1.0, 1), 0)

    cost.look((2, 20.0, 2), PAUSE - 0.1)
    assert told == [100]
    cost.look((2, 20.0, 2), PAUSE)
    assert told == [100, 200]


def test_failures_are_warned_of_once_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    attempts: list[int] = []

    def refuse(value: int) -> None:
        attempts.append(value)
        raise ClusterError(403, "the API server says 403")

    cost = DeletionCost(refuse)
    with caplog.at_level(logging.WARNING):
        for second in range(60):
            cost.look(BUSY, second)

    assert len(attempts) == 4
    assert len(caplog.records) == 1
    assert "403" in caplog.text


def test_a_pod_without_a_name_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWLOCK_DELETION_COST", "true")
    monkeypatch.delenv("ROWLOCK_POD_NAME", raising=False)

    with pytest.raises(ConfigurationError, match="ROWLOCK_POD_NAME"):
        pod_with_deletion_cost()


def test_without_the_variable_no_pod_is_patched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROWLOCK_DELETION_COST", raising=False)

    assert pod_with_deletion_cost() is None
