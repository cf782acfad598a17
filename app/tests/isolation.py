"""A pytest plugin: when tests run in several processes (pytest-xdist), each has services of its own.

It is loaded by name (`-p app.tests.isolation`), before Django's settings read the environment. pytest-django gives each
process its database; here they get a virtual host of RabbitMQ, a pair of Redis databases, and an embedded folder.
"""

import os
import urllib.request
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote, urlsplit

#: Redis databases that one process takes: results, and the cache beside them.
DATABASES = 2


def isolate(process: str) -> None:
    """Point the environment at what is `process`'s alone; RABBITMQ_MANAGEMENT_URL is needed to make a virtual host."""
    if folder := os.environ.get("ROWLOCK_EMBEDDED_DIR"):
        own = Path(folder) / process
        own.mkdir(parents=True, exist_ok=True)
        os.environ["ROWLOCK_EMBEDDED_DIR"] = str(own)
    if url := os.environ.get("REDIS_URL"):
        number = int(process.removeprefix("gw")) * DATABASES
        os.environ["REDIS_URL"] = urlsplit(url)._replace(path=f"/{number}").geturl()
    if url := os.environ.get("BROKER_URL"):
        _make_virtual_host(process, user=urlsplit(url).username or "guest")
        os.environ["BROKER_URL"] = urlsplit(url)._replace(path=f"/{process}").geturl()


def _make_virtual_host(name: str, *, user: str) -> None:
    _put(f"vhosts/{quote(name)}", b"{}")
    _put(f"permissions/{quote(name)}/{quote(user)}", b'{"configure": ".*", "write": ".*", "read": ".*"}')


def _put(path: str, body: bytes) -> None:
    server = urlsplit(os.environ["RABBITMQ_MANAGEMENT_URL"])
    secret = b64encode(f"{server.username}:{server.password}".encode()).decode()
    request = urllib.request.Request(
        f"{server.scheme}://{server.hostname}:{server.port}/api/{path}",
        method="PUT",
        data=body,
        headers={"Authorization": f"Basic {secret}", "Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=30).close()


if process := os.environ.get("PYTEST_XDIST_WORKER"):
    isolate(process)
