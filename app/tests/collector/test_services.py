"""What the collector tells of the services themselves, and that one which is away or silent holds nothing up."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection

from tests.collector.test_collector import collector, value
from tests.processes import Running, variables_of_the_test_database, wait_until
from tests.proxy import Proxy, proxied

pytestmark = [pytest.mark.usefixtures("real_services"), pytest.mark.django_db(transaction=True)]

REASONS = ("credentials", "certificate", "unreachable", "other")


@contextmanager
def watching(log: Path, **variables: str) -> Iterator[Running]:
    queue = f"watched-{uuid4().hex}"
    given = {"DJANGO_SETTINGS_MODULE": "example.settings", "ROWLOCK_POLICIES": "false", **variables}
    with collector(queue, log, **given) as process:
        yield process


def is_up(process: Running, service: str) -> float | None:
    return value(process, "rowlock_service_up", service=service)


def reason(process: Running, service: str) -> str | None:
    told = {each: value(process, "rowlock_service_failing", service=service, reason=each) for each in REASONS}
    return next((each for each, number in told.items() if number), None)


def test_every_service_tells_of_itself(tmp_path: Path) -> None:
    with watching(tmp_path / "log") as process:
        for service in ("postgresql", "rabbitmq", "redis"):
            wait_until(f"{service} is up", lambda name=service: is_up(process, name) == 1)  # type: ignore[misc]
            assert reason(process, service) is None

        states = ("active", "idle", "idle_in_transaction", "other")
        assert sum(value(process, "rowlock_postgres_connections", state=state) or 0 for state in states) >= 1
        assert (value(process, "rowlock_postgres_connections_max") or 0) > 10
        assert (value(process, "rowlock_postgres_database_bytes") or 0) > 1_000_000
        assert (value(process, "rowlock_redis_memory_bytes") or 0) > 10_000
        assert (value(process, "rowlock_broker_memory_bytes") or 0) > 1_000_000
        assert (value(process, "rowlock_broker_disk_free_bytes") or 0) > 1_000_000
        assert value(process, "rowlock_service_certificate_expires_timestamp_seconds") is None


def test_a_lock_that_is_waited_for_is_told(tmp_path: Path) -> None:
    # The session of another program would do the same.
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(4711)")
    other = connection.copy()
    try:
        with watching(tmp_path / "log") as process, other.cursor() as cursor:
            cursor.execute("SET lock_timeout = '60s'")
            waiting = cursor.connection.pgconn
            waiting.send_query(b"SELECT pg_advisory_lock(4711)")
            wait_until("one waits", lambda: value(process, "rowlock_postgres_locks_waiting") == 1)
            assert (value(process, "rowlock_postgres_oldest_transaction_seconds") or 0) > 0
    finally:
        other.close()
        connection.close()


def test_wrong_passwords_are_told_as_such(tmp_path: Path) -> None:
    user, _, rest = variables_of_the_test_database()["DATABASE_URL"].partition("@")
    wrong = {
        "DATABASE_URL": f"{user.rpartition(':')[0]}:incorrect@{rest}",
        "REDIS_URL": str(settings.ENV.REDIS_URL).rpartition("@")[2].replace("redis://", "redis://nobody:incorrect@"),
    }
    with watching(tmp_path / "log", **wrong) as process:
        for service in ("postgresql", "redis"):
            wait_until(f"{service} refuses", lambda name=service: reason(process, name) == "credentials")  # type: ignore[misc]
            assert is_up(process, service) == 0

    assert "incorrect" not in (tmp_path / "log").read_text()


@contextmanager
def behind_proxies(log: Path) -> Iterator[tuple[Running, dict[str, Proxy]]]:
    with (
        proxied(variables_of_the_test_database()["DATABASE_URL"]) as (postgres, database_url),
        proxied(str(settings.ENV.REDIS_URL)) as (redis, redis_url),
        watching(log, DATABASE_URL=database_url, REDIS_URL=redis_url) as process,
    ):
        yield process, {"postgresql": postgres, "redis": redis}


def test_services_that_fall_silent_are_away_and_hold_no_scrape_up(tmp_path: Path) -> None:
    with behind_proxies(tmp_path / "log") as (process, proxies):
        for service in proxies:
            wait_until(f"{service} is up", lambda name=service: is_up(process, name) == 1)  # type: ignore[misc]

        for proxy in proxies.values():
            proxy.fall_silent()
        # The outbox has its own three seconds; all others have none.
        for service in proxies:
            wait_until(f"{service} is away", lambda name=service: is_up(process, name) == 0)  # type: ignore[misc]
            assert reason(process, service) == "unreachable"
        began = time.monotonic()
        told = process.read("/metrics")

        assert time.monotonic() - began < 4.5, "a scrape waited for more than the outbox"
        assert "rowlock_postgres_connections_max" not in told
        assert value(process, "rowlock_broker_up") == 1

        for proxy in proxies.values():
            proxy.cut()
            proxy.mend()
        for service in proxies:
            wait_until(f"{service} is back", lambda name=service: is_up(process, name) == 1)  # type: ignore[misc]
