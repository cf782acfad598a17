"""What a real worker answers to probes, in each pool: during long tasks, wedged, and when it stops consuming."""

import subprocess
import sys
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from example.celery import app
from rowlock.models import Run, State
from tests.processes import APP, Running, free_port, running, running_worker, wait_until
from tests.worker.submitting import becomes, submitted

pytestmark = pytest.mark.django_db(transaction=True)

POOLS = ["prefork", "threads", "solo", "gevent"]
#: The least that a worker may be told; a test waits so long for its end.
CEILING = "10"


@pytest.mark.parametrize("path", ["/startupz", "/readyz", "/livez"])
def test_a_consuming_worker_is_started_ready_and_alive(worker: Running, path: str) -> None:
    assert worker.probe(path) == 200, f"{path} of a consuming worker"


def test_an_unknown_path_is_not_found(worker: Running) -> None:
    assert worker.probe("/healthz") == 404


def test_a_worker_serves_metrics(worker: Running) -> None:
    assert "process_resident_memory_bytes" in worker.read("/metrics")


def test_a_worker_without_its_broker_is_alive_and_not_ready(tmp_path: Path) -> None:
    nobody = f"amqp://guest:guest@127.0.0.1:{free_port()}//"
    command = ["celery", "-A", "example.celery:app", "worker", "--pool", "solo"]
    with running(command, tmp_path / "log", BROKER_URL=nobody) as worker:
        wait_until("the worker answers", lambda: worker.probe("/startupz") == 200)

        assert (worker.probe("/livez"), worker.probe("/readyz")) == (200, 503), worker.log.read_text()
        worker.kill()


def test_a_ceiling_that_is_no_number_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "celery", "-A", "example.celery:app", "worker", "--pool", "solo"]
    done = subprocess.run(
        ["env", "ROWLOCK_LOOP_CEILING=soon", *command],
        cwd=APP,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert done.returncode == 1
    assert "ROWLOCK_LOOP_CEILING is 'soon'; it must be a number of seconds, 10 or more" in done.stderr


@pytest.mark.parametrize("pool", POOLS)
def test_a_worker_is_ready_and_alive_during_a_task_longer_than_its_ceiling(pool: str, tmp_path: Path) -> None:
    queue = f"long-{uuid4().hex}"
    with _worker(tmp_path, pool, queue) as worker:
        run = becomes(submitted("basic.wait", 14, queue=queue), State.STARTED)

        seen: set[tuple[int, int]] = set()

        def has_ended() -> bool:
            seen.add((worker.probe("/livez"), worker.probe("/readyz")))
            return _has_ended(run)

        wait_until("the task has ended", has_ended)

    assert seen == {(200, 200)}, f"(/livez, /readyz) during the task: {seen}\n{worker.log.read_text()}"
    becomes(run, State.SUCCEEDED)
    assert run.deliveries == 1


@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_a_wedged_main_loop_is_not_alive_after_the_ceiling(pool: str, tmp_path: Path) -> None:
    with _worker(tmp_path, pool, f"wedged-{uuid4().hex}") as worker:
        _order(tmp_path, "wedge")

        wait_until("the worker is not alive", lambda: worker.probe("/livez") == 503)

        assert worker.probe("/readyz") == 503
        worker.kill()


def test_a_solo_task_that_outlasts_its_time_limit_by_the_ceiling_is_dead(tmp_path: Path) -> None:
    queue = f"stuck-{uuid4().hex}"
    with _worker(tmp_path, "solo", queue, TASK_TIME_LIMIT="2", TASK_SOFT_TIME_LIMIT="1") as worker:
        becomes(submitted("basic.wait", 60, queue=queue), State.STARTED)

        wait_until("the worker is not alive", lambda: worker.probe("/livez") == 503)

        worker.kill()


@pytest.mark.usefixtures("real_services")
@pytest.mark.parametrize("pool", ["prefork", "gevent"])
def test_a_worker_whose_queue_is_deleted_declares_it_again_and_consumes(pool: str, tmp_path: Path) -> None:
    queue = f"deleted-{uuid4().hex}"
    with _worker(tmp_path, pool, queue) as worker:
        with app.connection_for_write() as connection:
            connection.default_channel.queue_delete(queue)
        wait_until("it is ready again", lambda: _has_connected_again(worker) and worker.probe("/readyz") == 200)

        becomes(submitted("basic.add", 1, 1, queue=queue), State.SUCCEEDED)


@pytest.mark.usefixtures("real_services")
@pytest.mark.parametrize("pool", ["prefork", "gevent"])
def test_a_worker_whose_consumer_is_gone_connects_again_and_consumes(pool: str, tmp_path: Path) -> None:
    queue = f"gone-{uuid4().hex}"
    with _worker(tmp_path, pool, queue) as worker:
        _order(tmp_path, "cancel")
        run = submitted("basic.add", 1, 1, queue=queue)

        becomes(run, State.SUCCEEDED)

        assert f"reconnecting: queue {queue} has no consumer" in worker.log.read_text()


@pytest.mark.usefixtures("real_services")
@pytest.mark.parametrize("pool", ["prefork", "gevent"])
def test_an_idle_worker_that_the_broker_has_forgotten_connects_again(pool: str, tmp_path: Path) -> None:
    queue = f"forgotten-{uuid4().hex}"
    with _worker(tmp_path, pool, queue) as worker:
        _order(tmp_path, "forget")
        run = submitted("basic.add", 1, 1, queue=queue)

        becomes(run, State.SUCCEEDED, seconds=90)

        assert f"reconnecting: queue {queue} has messages" in worker.log.read_text()


@pytest.mark.usefixtures("real_services")
def test_a_worker_that_is_told_to_consume_nothing_is_alive_and_not_ready(tmp_path: Path) -> None:
    queue = f"paused-{uuid4().hex}"
    with _worker(tmp_path, "prefork", queue) as worker:
        app.control.cancel_consumer(queue)
        submitted("basic.add", 1, 1, queue=queue)

        wait_until("it is not ready", lambda: worker.probe("/readyz") == 503)

        assert "told to consume no queue" in _detail(worker)
        assert worker.probe("/livez") == 200
        assert not _has_connected_again(worker)


@contextmanager
def _worker(folder: Path, pool: str, queue: str, **variables: str) -> Iterator[Running]:
    variables |= {"ROWLOCK_TEST_BREAK": str(folder / "order"), "ROWLOCK_LOOP_CEILING": CEILING}
    command = ("--pool", pool, "--concurrency", "1", "--queues", queue)
    with running_worker(folder / "log", *command, app="tests.worker.wedging:app", **variables) as worker:
        yield worker


def _order(folder: Path, what: str) -> None:
    (folder / "new").write_text(what)
    (folder / "new").rename(folder / "order")
    if what != "wedge":
        wait_until(f"{what}: done", (folder / "order.done").exists)


def _has_ended(run: Run) -> bool:
    run.refresh_from_db()
    return State(run.state).is_final


def _has_connected_again(worker: Running) -> bool:
    return worker.log.read_text().count("Connected to ") > 1


def _detail(worker: Running) -> str:
    """What /readyz says when it is not."""
    try:
        return worker.read("/readyz")
    except urllib.error.HTTPError as error:
        return error.read().decode()
