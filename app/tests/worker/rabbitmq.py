"""A RabbitMQ server in Docker that a test may stop, pause and restart."""

import json
import secrets
import shutil
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.processes import free_port, wait_until

IMAGE = "rabbitmq:4-management"


def docker_works() -> bool:
    return shutil.which("docker") is not None and not _docker("info").returncode


@dataclass(frozen=True, kw_only=True)
class RabbitMQ:
    container: str
    password: str
    port: int
    management_port: int

    @property
    def url(self) -> str:
        return f"amqp://rowlock:{self.password}@127.0.0.1:{self.port}//"

    def docker(self, command: str) -> None:
        """Let Docker `stop`, `start`, `pause` or `unpause` it."""
        done = _docker(command, self.container)
        assert not done.returncode, f"docker {command}: {done.stderr}"

    def control(self, *command: str) -> None:
        done = _docker("exec", "--user", "rabbitmq", self.container, "rabbitmqctl", *command)
        assert not done.returncode, f"rabbitmqctl {' '.join(command)}: {done.stderr}{done.stdout}"

    def end_connections(self) -> int:
        """End all that the management API knows of; returns how many. It learns of new ones every few seconds."""
        names = [connection["name"] for connection in self._call("GET", "/api/connections")]
        for name in names:
            self._call("DELETE", f"/api/connections/{urllib.parse.quote(name)}")
        return len(names)

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
                connection.sendall(b"AMQP\x00\x00\x09\x01")
                return bool(connection.recv(1))
        except OSError:
            return False

    def _call(self, method: str, path: str) -> Any:
        url = f"http://127.0.0.1:{self.management_port}{path}"
        credentials = b64encode(f"rowlock:{self.password}".encode()).decode()
        request = urllib.request.Request(url, method=method, headers={"Authorization": f"Basic {credentials}"})
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return json.loads(response.read() or "null")
        except urllib.error.HTTPError as error:
            # What was to be deleted may have gone by itself.
            if error.code != 404:
                raise AssertionError(f"{method} {path}: {error.code} {error.read().decode()}") from error
            return None


@contextmanager
def rabbitmq() -> Iterator[RabbitMQ]:
    """A server that keeps its ports when it is stopped and started."""
    password, port, management_port = secrets.token_hex(16), free_port(), free_port()
    broker = RabbitMQ(
        container=f"rowlock-test-cuts-{secrets.token_hex(4)}",
        password=password,
        port=port,
        management_port=management_port,
    )
    settings = ["--env", f"RABBITMQ_DEFAULT_PASS={password}", "--env", "RABBITMQ_DEFAULT_USER=rowlock"]
    ports = ["--publish", f"127.0.0.1:{port}:5672", "--publish", f"127.0.0.1:{management_port}:15672"]
    try:
        started = _docker(
            "run", "--detach", "--name", broker.container, "--hostname", "service", *settings, *ports, IMAGE
        )
        assert not started.returncode, f"cannot start {IMAGE}: {started.stderr}"
        # Looked at from outside: a rabbitmqctl that runs too early keeps the server from starting.
        wait_until("RabbitMQ answers", broker.answers, seconds=120)
        yield broker
    finally:
        _docker("rm", "--force", "--volumes", broker.container)


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False, timeout=120)
