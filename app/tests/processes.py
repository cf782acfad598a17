"""Real processes of the example for tests: a worker, beat or a command, on the services the test run has."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from django.conf import settings
from django.db import connection

APP = Path(__file__).resolve().parent.parent
QUEUES = "celery,email,image,text,report,page,model"

T = TypeVar("T")


def wait_until(what: str, look: Callable[[], T | None], *, seconds: float = 120) -> T:
    """Poll `look` until it returns something true; fails naming `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}; last seen: {found!r}")
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def variables_of_the_test_database() -> dict[str, str]:
    """The environment under which another process uses the same test database as this one."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        return {"DATABASE_URL": f"sqlite:///{name}"}
    base, _, _ = str(settings.ENV.DATABASE_URL).rpartition("/")
    return {"DATABASE_URL": f"{base}/{name}"}


@dataclass(frozen=True, kw_only=True)
class Running:
    process: subprocess.Popen[bytes]
    port: int
    log: Path

    def probe(self, path: str) -> int:
        """The HTTP status of a health path, 0 where nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def read(self, path: str) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as response:
            return str(response.read().decode())

    def kill(self) -> None:
        """As the kernel does when memory runs out: the process and all its children at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@contextmanager
def running(command: list[str], log: Path, **variables: str) -> Iterator[Running]:
    """Run `command` in a session of its own until the block ends; then it gets TERM and has a minute to finish."""
    port = free_port()
    environment = {**os.environ, **variables_of_the_test_database(), "ROWLOCK_PORT": str(port), **variables}
    with log.open("ab") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=APP, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield Running(process=process, port=port, log=log)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@contextmanager
def running_worker(log: Path, *arguments: str, app: str = "example.celery:app", **variables: str) -> Iterator[Running]:
    """A worker that consumes; its log is in the message if it never does."""
    command = ["celery", "-A", app, "worker", "--loglevel", "INFO", *arguments]
    # A node name of its own: RabbitMQ locks a worker's control queue to the one connection that made it.
    command += ["--hostname", f"{uuid4().hex}@%h", "--without-mingle", "--without-gossip"]
    if "--queues" not in arguments:
        command += ["--queues", QUEUES]
    with running(command, log, **variables) as worker:
        try:
            wait_until(
                "the worker is ready", lambda: worker.probe("/readyz") == 200 or worker.process.poll() is not None
            )
            assert worker.process.poll() is None, f"the worker ended with {worker.process.returncode}"
        except AssertionError as error:
            raise AssertionError(f"{error}\n{log.read_text()}") from None
        yield worker
