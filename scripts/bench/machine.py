"""On what the figures were taken: machine, commit, versions."""

import importlib.metadata
import os
import platform
import re
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pika
import psycopg
from redis import Redis

import apart
import environment

#: What is compared, and what it runs on: their versions belong to the figures.
PACKAGES = (
    "amqp", "billiard", "celery", "django", "django-celery-results", "dramatiq", "gunicorn", "huey", "kombu", "pika",
    "procrastinate", "psycopg", "redis", "rq",
)  # fmt: skip


def facts(environments: Iterable[str]) -> dict[str, Any]:
    """JSON of the machine now; `environments` are the ones apart that take part."""
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain")),
        "cores": len(os.sched_getaffinity(0)),
        "processor": _found(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo")) or platform.machine(),
        "memory in GiB": round(int(_found(r"MemTotal:\s*(\d+)", Path("/proc/meminfo"))) / 2**20, 1),
        "load average before": os.getloadavg(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "versions apart": {name: apart.versions(name) for name in sorted(environments)},
        "services": _services(),
    }


def _services() -> dict[str, str]:
    with pika.BlockingConnection(pika.URLParameters(os.environ["BROKER_URL"])) as connection:
        rabbitmq = connection._impl.server_properties["version"]
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        postgres = connection.execute("SHOW server_version").fetchone()
    with Redis.from_url(os.environ["REDIS_URL"]) as client:
        redis = client.info("server")["redis_version"]
    return {"RabbitMQ": rabbitmq, "Postgres": postgres[0] if postgres else "", "Redis": redis}


def _git(*arguments: str) -> str:
    try:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=environment.ROOT, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def _found(pattern: str, path: Path) -> str:
    match = re.search(pattern, path.read_text())
    return match[1].strip() if match else ""
