"""Live updates by gunicorn's ASGI worker, over real sockets."""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from pytest_django import DjangoDbBlocker
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from rowlock.live.feed import BATCH
from rowlock.live.messages import Code
from rowlock.models import Run, State
from tests.processes import Running, free_port, running, wait_until
from tests.runs.factory import make_run

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True, kw_only=True)
class Web:
    process: Running
    port: int

    def socket(self, token: str, parameters: str, **options: Any) -> ClientConnection:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        uri = f"ws://127.0.0.1:{self.port}/ws/runs/?{parameters}"
        opened: ClientConnection = connect(uri, additional_headers=headers, max_size=None, **options)
        return opened

    def slow_socket(self, token: str, parameters: str) -> ClientConnection:
        """A WebSocket that takes next to nothing from the network before it is asked to."""
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect(("127.0.0.1", self.port))
        return self.socket(token, parameters, sock=slow, max_queue=1, ping_interval=None)

    def kept(self) -> dict[str, int]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            connection.request("GET", "/kept")
            kept: dict[str, int] = json.load(connection.getresponse())
            return kept


@pytest.fixture(scope="module")
def web(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    with django_db_blocker.unblock(), serving(tmp_path_factory.mktemp("web") / "log") as web:
        yield web


@contextmanager
def serving(log: Path) -> Iterator[Web]:
    port, health = free_port(), free_port()
    command = ["gunicorn", "tests.live.asgi:application", "--worker-class", "asgi", "--workers", "1"]
    command += ["--bind", f"127.0.0.1:{port}", "--bind", f"127.0.0.1:{health}", "--no-control-socket"]
    # Whoever waits for connections to end waits long.
    command += ["--graceful-timeout", "600"]
    with running(command, log, ROWLOCK_PORT=str(health)) as process:
        served = Running(process=process.process, port=health, log=log)
        wait_until(f"web is ready, see {log}", lambda: served.probe("/readyz") == 200)
        yield Web(process=served, port=port)


def message(opened: ClientConnection) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(opened.recv(timeout=60))
    return found


def until_progress(opened: ClientConnection, done: int) -> dict[str, Any]:
    """The first message in which a run has come so far."""
    while True:
        found = message(opened)
        for told in found.get("runs", []):
            if told["progress"] and told["progress"]["done"] == done:
                return found


@contextmanager
def event_stream(web: Web, token: str, parameters: str) -> Iterator[http.client.HTTPResponse]:
    with closing(http.client.HTTPConnection("127.0.0.1", web.port, timeout=60)) as connection:
        connection.request("GET", f"/api/live/?{parameters}", headers={"Authorization": f"Bearer {token}"})
        yield connection.getresponse()


def next_data(response: http.client.HTTPResponse) -> dict[str, Any]:
    while not (line := response.readline()).startswith(b"data: "):
        assert line, "the stream ended"
    found: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
    return found


def test_a_websocket_has_a_snapshot_and_deltas(web: Web, reader: str) -> None:
    with web.socket(reader, "q=") as opened:
        first = message(opened)
        made = make_run()
        second = message(opened)

    assert (first["type"], first["runs"]) == ("snapshot", [])
    assert (second["type"], second["runs"][0]["id"]) == ("delta", str(made.id))


def test_an_event_stream_has_a_snapshot_and_deltas(web: Web, reader: str) -> None:
    with event_stream(web, reader, "q=") as response:
        first = next_data(response)
        made = make_run()
        second = next_data(response)

    assert (first["type"], first["runs"]) == ("snapshot", [])
    assert (second["type"], second["runs"][0]["id"]) == ("delta", str(made.id))


def test_a_websocket_without_login_is_told_why(web: Web) -> None:
    with web.socket("", "q=") as opened, pytest.raises(ConnectionClosed) as raised:
        opened.recv(timeout=60)

    assert raised.value.rcvd is not None
    assert raised.value.rcvd.code == Code.UNAUTHENTICATED
    assert "Log in" in raised.value.rcvd.reason


def test_open_connections_do_not_hold_up_the_end_of_the_process(reader: str, tmp_path: Path) -> None:
    with (
        serving(tmp_path / "log") as web,
        web.socket(reader, "q=") as opened,
        event_stream(web, reader, "q=") as response,
    ):
        message(opened)
        next_data(response)

        web.process.process.terminate()
        with pytest.raises(ConnectionClosed) as raised:
            message(opened)
        last = next_data(response)
        status = wait_until(f"web has ended, see {web.process.log}", lambda: [web.process.process.poll()] != [None])

    assert raised.value.rcvd is not None
    assert raised.value.rcvd.code == Code.RESTARTING
    assert (last["type"], last["code"]) == ("closed", Code.RESTARTING)
    assert status
    assert web.process.process.returncode == 0
    assert "Forcing close" not in web.process.log.read_text()


def test_a_client_that_does_not_read_costs_no_memory_and_begins_anew(web: Web, reader: str) -> None:
    runs, rounds, most_kept = 1000, 12, 1000
    Run.objects.bulk_create(Run(task="example.tasks.basic.add", queue="celery") for _ in range(runs))

    with web.slow_socket(reader, "q=&limit=500") as slow, web.socket(reader, "q=&limit=1") as quick:
        message(quick)
        for done in range(1, rounds + 1):
            Run.objects.update(state=State.STARTED, progress_done=done, progress_message="x" * 500, changed=Now())
            until_progress(quick, done)
        kept = web.kept()
        caught_up = until_progress(slow, rounds)
        while caught_up["type"] != "snapshot":
            caught_up = message(slow)

    assert kept["changes"] <= most_kept + BATCH, kept
    assert kept["rows"] <= 2 * BATCH, kept
    assert kept["messages"] <= 4, kept
    # What a server takes before it lets the sender wait, and one message each.
    assert kept["unsent_bytes"] <= 2 * (2**16 + BATCH * 2000), kept
    assert len(caught_up["runs"]) == 500


def test_clients_that_go_leave_nothing_behind(web: Web, reader: str) -> None:
    make_run()
    for _ in range(3):
        with web.socket(reader, "q=") as opened, event_stream(web, reader, "q=") as response:
            message(opened)
            next_data(response)

    kept = wait_until("everything is let go", lambda: not any(web.kept().values()))

    assert kept


@pytest.mark.usefixtures("real_services")
def test_many_clients_share_few_database_connections(web: Web, reader: str) -> None:
    with ExitStack() as stack, connection.cursor() as cursor:
        for opened in [stack.enter_context(web.socket(reader, "counts=1")) for _ in range(30)]:
            message(opened)
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )
        [number] = cursor.fetchone()

    assert number <= 6, "four threads, the feed and the health check"
