"""What RabbitMQ does with the queues of a worker: order, prefetch, delay."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from celery.result import AsyncResult
from django.conf import settings
from django.utils import timezone

from example.tasks.basic import add, wait
from rowlock.broker.management import Management
from rowlock.broker.topology import DELAYED_QUEUES
from rowlock.models import Run, State
from tests.processes import running_worker, wait_until
from tests.worker.submitting import submitted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("real_services")]


def in_order_of_start(ids: list[str]) -> list[str]:
    def look() -> list[str] | None:
        found = Run.objects.filter(id__in=ids, state=State.SUCCEEDED).order_by("started", "changed")
        return [str(run.id) for run in found] if len(found) == len(ids) else None

    return wait_until("all have run", look)


@pytest.mark.parametrize("way", ["submit", "apply_async"])
def test_high_priorities_overtake(way: str, tmp_path: Path) -> None:
    queue = f"urgent-{uuid4().hex}"

    def send(priority: int | None) -> str:
        if way == "submit":
            return str(submitted("basic.add", 1, 1, queue=queue, priority=priority).id)
        return str(add.apply_async((1, 1), queue=queue, priority=priority).id)

    # The worker that declares the queue has it before anything is in it.
    low = [send(priority) for priority in (None, 0, 4, None, 0, 4)]
    high = [send(5), send(9)]
    with running_worker(tmp_path / "log", "--queues", queue, "--pool", "solo"):
        order = in_order_of_start(low + high)

    # RabbitMQ gives two of the high ones for each of the others, so that these do not starve.
    assert max(map(order.index, high)) < len(high) + 2, f"they came as {list(map(order.index, high))}"


def test_a_worker_holds_as_many_messages_as_its_prefetch_says(tmp_path: Path, management: Management) -> None:
    queue = f"fetched-{uuid4().hex}"
    arguments = ("--queues", queue, "--concurrency", "3", "--prefetch-multiplier", "2")
    with running_worker(tmp_path / "log", *arguments):
        for _ in range(9):
            wait.apply_async((20,), queue=queue)

        def told() -> dict[str, int] | None:
            details = management.get("queues", management.address.vhost, queue) or {}
            found = {name: details.get(name, 0) for name in ("messages_unacknowledged", "messages_ready")}
            return found if sum(found.values()) == 9 else None

        assert wait_until("RabbitMQ tells of all", told) == {"messages_unacknowledged": 6, "messages_ready": 3}
        consumers = management.get("consumers", management.address.vhost)
        assert [each["prefetch_count"] for each in consumers if each["queue"]["name"] == queue] == [6]
        for result in Run.objects.filter(queue=queue):
            AsyncResult(str(result.id)).revoke(terminate=True)
        management.delete("queues", management.address.vhost, queue)


def test_a_countdown_is_waited_for_in_the_broker_and_outlives_the_worker(
    tmp_path: Path, management: Management
) -> None:
    queue = f"delayed-{uuid4().hex}"
    arguments = ("--queues", queue, "--pool", "solo")
    with running_worker(tmp_path / "first", *arguments):
        due = timezone.now() + timedelta(seconds=20)
        result = add.apply_async((2, 3), queue=queue, countdown=20)

    waiting = management.queues(DELAYED_QUEUES, "name,messages")
    assert waiting, "there are no queues for what is delayed"
    with running_worker(tmp_path / "second", *arguments) as second:
        assert f"[{result.id}] received" not in second.log.read_text()
        run = wait_until("it has run", Run.objects.filter(id=result.id, state=State.SUCCEEDED).first)

    assert run.started is not None
    assert run.started >= due - timedelta(seconds=1), "it started before its time"
    assert run.queue == queue


def test_a_worker_of_other_queues_than_the_default_delays_on_a_fresh_broker(
    management: Management, tmp_path: Path
) -> None:
    queue, fresh = f"delayed-{uuid4().hex}", f"fresh-{uuid4().hex}"
    url = urlsplit(str(settings.ENV.BROKER_URL))
    management.put("vhosts", fresh, body={})
    management.put("permissions", fresh, url.username or "guest", body={"configure": ".*", "write": ".*", "read": ".*"})

    try:
        arguments = ("--queues", queue, "--concurrency", "1")
        with running_worker(tmp_path / "log", *arguments, BROKER_URL=url._replace(path=f"/{fresh}").geturl()):
            bound = management.get("exchanges", fresh, queue, "bindings", "destination")
    finally:
        management.delete("vhosts", fresh)

    assert "celery_delayed_delivery" in {binding["source"] for binding in bound}, bound
    assert "CRITICAL" not in (tmp_path / "log").read_text()
