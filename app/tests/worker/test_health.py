from pathlib import Path
from uuid import uuid4

import pytest

from tests.processes import Running, free_port, running, running_worker, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("path", ["/startupz", "/readyz", "/livez"])
def test_a_consuming_worker_is_started_ready_and_alive(worker: Running, path: str) -> None:
    assert worker.probe(path) == 200, f"{path} of a consuming worker"


def test_an_unknown_path_is_not_found(worker: Running) -> None:
    assert worker.probe("/healthz") == 404


def test_a_worker_serves_metrics(worker: Running) -> None:
    assert "process_resident_memory_bytes" in worker.read("/metrics")


@pytest.mark.parametrize("pool", ["solo", "threads"])
def test_other_pools_are_ready_too(tmp_path: Path, pool: str) -> None:
    with running_worker(tmp_path / "log", "--pool", pool, "--queues", f"idle-{uuid4().hex}") as worker:
        assert [worker.probe(path) for path in ("/startupz", "/readyz", "/livez")] == [200, 200, 200]


def test_a_worker_without_its_broker_is_alive_and_not_ready(tmp_path: Path) -> None:
    nobody = f"amqp://guest:guest@127.0.0.1:{free_port()}//"
    command = ["celery", "-A", "example.celery:app", "worker", "--pool", "solo"]
    with running(command, tmp_path / "log", BROKER_URL=nobody) as worker:
        wait_until("the worker answers", lambda: worker.probe("/startupz") == 200)

        assert (worker.probe("/livez"), worker.probe("/readyz")) == (200, 503), worker.log.read_text()
        worker.kill()


def test_a_ticking_beat_is_started_ready_and_alive(tmp_path: Path) -> None:
    command = ["celery", "-A", "example.celery:app", "beat", "--pidfile="]
    with running(command, tmp_path / "log") as beat:
        wait_until(f"beat is ready: {tmp_path / 'log'}", lambda: beat.probe("/readyz") == 200)

        assert (beat.probe("/startupz"), beat.probe("/livez")) == (200, 200)
        assert "rowlock_beat_last_tick_timestamp_seconds" in beat.read("/metrics")
