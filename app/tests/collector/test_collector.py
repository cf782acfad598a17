"""The collector as a process of its own, on the real RabbitMQ."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings
from kombu import Connection, Queue
from prometheus_client.parser import text_string_to_metric_families

from rowlock.broker.management import Management
from tests.processes import APP, Running, running, wait_until
from tests.proxy import proxied

pytestmark = pytest.mark.usefixtures("real_services")


@pytest.fixture
def queue(management: Management) -> Iterator[str]:
    name = f"watched-{uuid4().hex}"
    yield name
    management.delete("queues", management.address.vhost, name)
    management.delete("policies", management.address.vhost, f"rowlock.{name}")


@contextmanager
def collector(queue: str, log: Path, **variables: str) -> Iterator[Running]:
    queues = json.dumps({queue: {"pool": "heavy", "consumerTimeout": 600}})
    # Without Django's settings: the broker needs none.
    environment = {"DJANGO_SETTINGS_MODULE": "", "ROWLOCK_QUEUES": queues, **variables}
    with running(["rowlock.collector"], log, **environment) as process:
        wait_until("the collector answers", lambda: process.probe("/livez") == 200)
        yield process


def value(process: Running, name: str, **labels: str) -> float | None:
    for family in text_string_to_metric_families(process.read("/metrics")):
        for sample in family.samples:
            if sample.name == name and labels.items() <= sample.labels.items():
                return sample.value
    return None


def publish(queue: str, messages: int) -> None:
    with Connection(str(settings.ENV.BROKER_URL), transport_options={"confirm_publish": True}) as connection:
        of_queue = Queue(queue, queue_arguments={"x-queue-type": "quorum"})
        of_queue(connection.default_channel).queue_declare()
        for _ in range(messages):
            connection.Producer().publish("body", routing_key=queue)


def test_queues_are_told_with_no_worker_and_before_they_exist(queue: str, tmp_path: Path) -> None:
    with collector(queue, tmp_path / "log") as process:
        wait_until("it is ready", lambda: process.probe("/readyz") == 200)
        series = {"queue": queue, "pool": "heavy"}
        before = [value(process, "rowlock_queue_messages", **series, state=state) for state in ("ready", "unacked")]
        before += [value(process, f"rowlock_queue_{name}", **series) for name in ("oldest_seconds", "consumers")]
        assert before == [0, 0, 0, 0]

        publish(queue, 3)

        wait_until("three are ready", lambda: value(process, "rowlock_queue_messages", **series, state="ready") == 3)
        wait_until("they age", lambda: (value(process, "rowlock_queue_oldest_seconds", **series) or 0) > 1)
        assert value(process, "rowlock_broker_up") == 1
        assert value(process, "rowlock_dead_letters") is not None
        assert value(process, "rowlock_broker_alarms", kind="memory") == 0
        assert "rowlock_queue_published_total" in process.read("/metrics")


def test_it_keeps_the_policies(queue: str, tmp_path: Path, management: Management) -> None:
    with collector(queue, tmp_path / "log"):
        there = wait_until(
            "the policy", lambda: management.get("policies", management.address.vhost, f"rowlock.{queue}")
        )

    assert there["definition"]["consumer-timeout"] == 600_000


def test_it_leaves_policies_to_others_where_it_is_told_to(queue: str, tmp_path: Path, management: Management) -> None:
    with collector(queue, tmp_path / "log", ROWLOCK_POLICIES="false") as process:
        wait_until("it is ready", lambda: process.probe("/readyz") == 200)

    assert management.get("policies", management.address.vhost, f"rowlock.{queue}") is None


def test_a_broker_that_is_away_makes_it_unready_and_never_dead(
    queue: str, tmp_path: Path, management: Management
) -> None:
    url = management.address.url.replace("://", f"://{management.address.username}:{management.address.password}@")
    with proxied(url) as (proxy, behind), collector(queue, tmp_path / "log", RABBITMQ_MANAGEMENT_URL=behind) as process:
        wait_until("it is ready", lambda: process.probe("/readyz") == 200)
        proxy.cut()
        wait_until("it is unready", lambda: process.probe("/readyz") == 503)

        assert process.probe("/livez") == 200
        assert value(process, "rowlock_broker_up") == 0

        proxy.mend()
        wait_until("it is ready again", lambda: process.probe("/readyz") == 200)
        assert value(process, "rowlock_queue_consumers", queue=queue) == 0


def test_without_the_permission_it_measures_and_says_what_to_do(
    queue: str, tmp_path: Path, management: Management
) -> None:
    user, vhost = f"user-{uuid4().hex}", management.address.vhost
    management.put("users", user, body={"password": "secret", "tags": "management"})
    management.put("permissions", vhost, user, body={"configure": ".*", "write": ".*", "read": ".*"})
    url = management.address.url.replace("://", f"://{user}:secret@")
    log = tmp_path / "log"
    try:
        with collector(queue, log, RABBITMQ_MANAGEMENT_URL=url) as process:
            wait_until("it is ready", lambda: process.probe("/readyz") == 200)
            wait_until("it says what to do", lambda: "rabbitmqctl set_policy" in log.read_text())
            assert value(process, "rowlock_queue_consumers", queue=queue) == 0
            assert value(process, "rowlock_broker_alarms", kind="memory") is None
    finally:
        management.delete("users", user)

    assert f"rabbitmqctl set_user_tags {user} policymaker monitoring" in log.read_text()
    assert "secret" not in log.read_text()


def test_it_serves_the_outbox_where_it_has_the_settings_of_a_project(queue: str, tmp_path: Path) -> None:
    with collector(queue, tmp_path / "log", DJANGO_SETTINGS_MODULE="example.settings") as process:
        wait_until("it tells of the outbox", lambda: "rowlock_outbox_up" in process.read("/metrics"))


def test_a_project_that_cannot_be_set_up_is_done_without(queue: str, tmp_path: Path) -> None:
    with collector(queue, tmp_path / "log", DJANGO_SETTINGS_MODULE="no.such.settings") as process:
        wait_until("it is ready", lambda: process.probe("/readyz") == 200)

    assert "no outbox metrics" in (tmp_path / "log").read_text()


def test_a_configuration_that_cannot_be_used_ends_it_with_a_sentence() -> None:
    environment = {**os.environ, "ROWLOCK_QUEUES": "[]"}

    ended = subprocess.run(
        [sys.executable, "-m", "rowlock.collector"],
        cwd=APP, env=environment, capture_output=True, text=True, timeout=180, check=False,
    )  # fmt: skip

    assert ended.returncode == 2
    assert ended.stderr.startswith("rowlock.collector: ROWLOCK_QUEUES must name the queues to watch")
    assert "Traceback" not in ended.stderr


def test_term_ends_it_at_once(queue: str, tmp_path: Path) -> None:
    with collector(queue, tmp_path / "log") as process:
        wait_until("it is ready", lambda: process.probe("/readyz") == 200)
        process.process.terminate()

        assert process.process.wait(timeout=30) == 0
