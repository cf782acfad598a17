"""A worker that is told to wait for its migrations does so in its own process."""

import signal
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.processes import APP, Running, running, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def worker(folder: Path, **variables: str) -> tuple[list[str], Path, dict[str, str]]:
    """What `running` takes for a worker with an empty database in `folder`."""
    command = ["celery", "-A", "example.celery:app", "worker", "--loglevel", "INFO", "--concurrency", "1"]
    names = ["--hostname", f"{uuid4().hex}@%h", "--queues", f"waiting-{uuid4().hex}"]
    return [*command, *names], folder / "log", {**database(folder), **variables}


def database(folder: Path) -> dict[str, str]:
    return {"DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}"}


def waits(process: Running) -> bool:
    return "waiting for the migrations: " in process.log.read_text()


def test_a_worker_begins_when_its_database_is_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command, log, variables = worker(tmp_path, ROWLOCK_WAIT_FOR_MIGRATIONS="true")
    with running(command, log, **variables) as process:
        wait_until("the worker waits", lambda: waits(process))
        assert process.probe("/readyz") != 200, "ready without a table"
        for name, value in database(tmp_path).items():
            monkeypatch.setenv(name, value)

        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], cwd=APP, check=True)

        wait_until(f"the worker is ready, see {log}", lambda: process.probe("/readyz") == 200)


def test_a_worker_that_waits_ends_when_it_is_told(tmp_path: Path) -> None:
    command, log, variables = worker(tmp_path, ROWLOCK_WAIT_FOR_MIGRATIONS="true")
    with running(command, log, **variables) as process:
        wait_until("the worker waits", lambda: waits(process))

        process.process.send_signal(signal.SIGTERM)

        assert process.process.wait(timeout=120) == 0


def test_a_value_that_says_neither_is_refused(tmp_path: Path) -> None:
    command, log, variables = worker(tmp_path, ROWLOCK_WAIT_FOR_MIGRATIONS="yes")
    with running(command, log, **variables) as process:
        assert process.process.wait(timeout=120) == 1

    assert "ROWLOCK_WAIT_FOR_MIGRATIONS is 'yes'; it must be true or false." in log.read_text()
