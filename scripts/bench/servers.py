"""The two web servers that accept tasks: the tutorial's, and Rowlock's."""

import http.client
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cases import Bench
from filled import slug
from processes import free_port, running, until

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, kw_only=True)
class Server:
    name: str
    command: tuple[str, ...]
    variables: Mapping[str, str]


#: Two processes on both sides. Threads let gunicorn keep connections open, which its default workers do not.
#: https://docs.gunicorn.org/en/stable/design.html
TUTORIAL = Server(
    name="tutorial view, delay()",
    command=("gunicorn", "web.tutorial_wsgi", "--worker-class", "gthread", "--workers", "2", "--threads", "8"),
    variables={"BENCH_URLS": "web.tutorial_urls"},
)
ROWLOCK = Server(
    name="rowlock",
    command=("gunicorn", "web.rowlock_asgi", "--worker-class", "asgi", "--workers", "2"),
    # Threads of an ASGI server share connections, as in the example: https://docs.djangoproject.com/en/5.2/ref/databases/
    variables={"BENCH_URLS": "web.rowlock_urls", "BENCH_POOL": "10"},
)


@contextmanager
def serving(bench: Bench, server: Server, variables: Mapping[str, str]) -> Iterator[int]:
    """The port on which it answers, for the block."""
    port = free_port()
    command = (*server.command, "--bind", f"127.0.0.1:{port}", "--no-control-socket", "--log-level", "warning")
    log = bench.out / f"{slug(server.name)}.log"
    # A port of its own for health, so that this machine may have another Rowlock.
    own = {**server.variables, "ROWLOCK_PORT": str(free_port()), **variables}
    with running(command, log, variables=own) as group:
        until(lambda: answers(port), group, f"{server.name} answers", pause=0.1)
        yield port


@cache
def token() -> str:
    """Of a superuser, made for this run of the benchmark."""
    made = subprocess.run([sys.executable, str(HERE / "account.py")], check=True, stdout=subprocess.PIPE, text=True)
    return made.stdout.strip()


def answers(port: int, path: str = "/", expected: int | None = None) -> bool:
    """Is there an HTTP answer, whatever it is, or the `expected` one?"""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return expected is None or status == expected
