"""Postgres, Redis and RabbitMQ in Docker for one test run, on ports of this machine's loopback only."""

import os
import secrets
import shutil
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

VARIABLES = ("DATABASE_URL", "BROKER_URL", "REDIS_URL")
OPTIONAL = ("RABBITMQ_MANAGEMENT_URL",)


def docker_works() -> bool:
    return shutil.which("docker") is not None and not _docker("info").returncode


@contextmanager
def real_services() -> Iterator[dict[str, str] | None]:
    """The variables of real services: those of the environment if it names them, else of containers made for the block.

    None where there are neither.
    """
    if all(os.environ.get(name) for name in VARIABLES):
        yield {name: os.environ[name] for name in (*VARIABLES, *OPTIONAL) if os.environ.get(name)}
        return
    if not docker_works():
        yield None
        return
    password = secrets.token_hex(16)
    run = f"rowlock-test-{secrets.token_hex(4)}"
    try:
        (postgres,) = _start(f"{run}-postgres", [5432], "postgres:17", f"POSTGRES_PASSWORD={password}")
        (redis,) = _start(f"{run}-redis", [6379], "redis:8")
        rabbitmq, management = _start(
            f"{run}-rabbitmq",
            [5672, 15672],
            "rabbitmq:4-management",
            f"RABBITMQ_DEFAULT_PASS={password}",
            "RABBITMQ_DEFAULT_USER=rowlock",
        )
        # Each is greeted in its own protocol from outside. A rabbitmqctl in the container, started too early, makes the
        # Erlang cookie as root and so keeps the server from starting.
        _wait_for_answer(f"{run}-postgres", postgres, struct.pack("!ii", 8, 80877103))
        _wait_for_answer(f"{run}-redis", redis, b"PING\r\n")
        _wait_for_answer(f"{run}-rabbitmq", rabbitmq, b"AMQP\x00\x00\x09\x01")
        _wait_for_answer(f"{run}-rabbitmq", management, b"GET / HTTP/1.0\r\n\r\n")
        yield {
            "DATABASE_URL": f"postgres://postgres:{password}@127.0.0.1:{postgres}/postgres",
            "BROKER_URL": f"amqp://rowlock:{password}@127.0.0.1:{rabbitmq}//",
            "REDIS_URL": f"redis://127.0.0.1:{redis}/0",
            "RABBITMQ_MANAGEMENT_URL": f"http://rowlock:{password}@127.0.0.1:{management}",
        }
    finally:
        for name in ("postgres", "redis", "rabbitmq"):
            _docker("rm", "--force", "--volumes", f"{run}-{name}")


def _start(name: str, ports: list[int], image: str, *variables: str) -> list[int]:
    settings = [argument for variable in variables for argument in ("--env", variable)]
    settings += [argument for port in ports for argument in ("--publish", f"127.0.0.1::{port}")]
    # A broker looks up its own host name, which must stay the same while it runs.
    started = _docker("run", "--detach", "--name", name, "--hostname", "service", *settings, image)
    if started.returncode:
        sys.exit(f"cannot start {image}: {started.stderr.strip()}")
    return [int(_docker("port", name, str(port)).stdout.strip().rpartition(":")[2]) for port in ports]


def _wait_for_answer(name: str, port: int, greeting: bytes) -> None:
    deadline = time.monotonic() + 120
    while not _answers(port, greeting):
        if time.monotonic() > deadline:
            sys.exit(f"{name} does not answer:\n{_docker('logs', '--tail', '30', name).stdout}")
        time.sleep(0.5)


def _answers(port: int, greeting: bytes) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(greeting)
            return bool(connection.recv(1))
    except OSError:
        return False


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
