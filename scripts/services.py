"""Postgres, Redis and RabbitMQ in Docker for one test run, published on ports of this machine's loopback only."""

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
def real_services(*, direct: bool = False) -> Iterator[dict[str, str] | None]:
    """The variables of real services: those of the environment if it names them, else of containers made for the block.

    None where there are neither. `direct`: containers are reached at addresses of their own where this machine has a
    route to them (Docker on Linux), else like others through ports of 127.0.0.1. Each of those belongs to a process
    that copies every byte, docker-proxy, whose processor time would be part of what is measured.
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
        # Each is greeted in its own protocol from outside. A rabbitmqctl in the container, started too early, makes the
        # Erlang cookie as root and so keeps the server from starting.
        # An idle worker keeps two connections: fifty need more than the hundred there are by default.
        many = ("-c", "max_connections=300") if direct else ()
        _start(f"{run}-postgres", [5432], "postgres:17", f"POSTGRES_PASSWORD={password}", command=many)
        _start(f"{run}-redis", [6379], "redis:8")
        _start(
            f"{run}-rabbitmq",
            [5672, 15672],
            "rabbitmq:4-management",
            f"RABBITMQ_DEFAULT_PASS={password}",
            "RABBITMQ_DEFAULT_USER=rowlock",
        )
        postgres = _address(f"{run}-postgres", 5432, struct.pack("!ii", 8, 80877103), direct=direct)
        redis = _address(f"{run}-redis", 6379, b"PING\r\n", direct=direct)
        rabbitmq = _address(f"{run}-rabbitmq", 5672, b"AMQP\x00\x00\x09\x01", direct=direct)
        management = _address(f"{run}-rabbitmq", 15672, b"GET / HTTP/1.0\r\n\r\n", direct=direct)
        yield {
            "DATABASE_URL": f"postgres://postgres:{password}@{postgres}/postgres",
            "BROKER_URL": f"amqp://rowlock:{password}@{rabbitmq}//",
            "REDIS_URL": f"redis://{redis}/0",
            "RABBITMQ_MANAGEMENT_URL": f"http://rowlock:{password}@{management}",
        }
    finally:
        for name in ("postgres", "redis", "rabbitmq"):
            _docker("rm", "--force", "--volumes", f"{run}-{name}")


def _start(name: str, ports: list[int], image: str, *variables: str, command: tuple[str, ...] = ()) -> None:
    settings = [argument for variable in variables for argument in ("--env", variable)]
    settings += [argument for port in ports for argument in ("--publish", f"127.0.0.1::{port}")]
    # A broker looks up its own host name, which must stay the same while it runs.
    started = _docker("run", "--detach", "--name", name, "--hostname", "service", *settings, image, *command)
    if started.returncode:
        sys.exit(f"cannot start {image}: {started.stderr.strip()}")


def _address(name: str, port: int, greeting: bytes, *, direct: bool) -> str:
    """Host and port at which a container's port answers the greeting; waits until it does."""
    published = _docker("port", name, str(port)).stdout.strip()
    deadline = time.monotonic() + 120
    while not _answers(published, greeting):
        if time.monotonic() > deadline:
            sys.exit(f"{name} does not answer:\n{_docker('logs', '--tail', '30', name).stdout}")
        time.sleep(0.5)
    address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    own = f"{_docker('inspect', '--format', address, name).stdout.strip()}:{port}"
    # Docker in a virtual machine or without root has addresses that lead nowhere here.
    return own if direct and _answers(own, greeting) else published


def _answers(address: str, greeting: bytes) -> bool:
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=2) as connection:
            connection.sendall(greeting)
            return bool(connection.recv(1))
    except OSError:
        return False


def _docker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
