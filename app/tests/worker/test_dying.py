"""SIGKILL at each step of the way of a task: it takes effect once, and is neither lost nor stuck."""

import os
import subprocess
import sys
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest

from example.celery import app
from example.models import Counter
from rowlock.celery import dead_letters
from rowlock.conf import settings as settings_of_rowlock
from rowlock.models import Run, State
from tests.processes import APP, Running, running, running_worker, variables_of_the_test_database, wait_until
from tests.worker.submitting import becomes, submitted

pytestmark = pytest.mark.django_db(transaction=True)

#: What a process that submits does, and where it is killed.
SUBMITTER = """
import os, signal, sys
import django
django.setup()
from rowlock import runs
from rowlock.outbox import relay
from rowlock.outbox.publisher import Publisher

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

publish = Publisher.publish
def die_after_publishing(self, taken):
    publish(self, taken)
    die()

moment, key, queue = sys.argv[1:]
if moment == "committed":
    relay.wake = die
elif moment == "taken":
    Publisher.publish = die
elif moment == "published":
    Publisher.publish = die_after_publishing
runs.submit("example.tasks.basic.count", [key], queue=queue)
signal.pause()
"""


@pytest.mark.parametrize("moment", ["committed", "taken", "published"])
def test_a_submitter_that_is_killed_has_its_run_done_once(moment: str, tmp_path: Path) -> None:
    key, queue = uuid4().hex, f"killed-{uuid4().hex}"
    environment = {**os.environ, **variables_of_the_test_database(), "DJANGO_SETTINGS_MODULE": "example.settings"}
    environment["PYTHONPATH"] = str(APP)
    submitter = subprocess.run(
        [sys.executable, "-c", SUBMITTER, moment, key, queue], cwd=APP, env=environment, check=False, timeout=60
    )
    assert submitter.returncode == -9, f"the submitter was not killed at {moment}"
    run = Run.objects.get()
    # The lease of the relay that died ends a minute later.
    Run.objects.filter(attempts=1).update(publish_after=run.created)

    with running_worker(tmp_path / "log", "--queues", queue, "--concurrency", "1"):
        becomes(run, State.SUCCEEDED)

    assert Counter.objects.get(key=key).count == 1


@pytest.mark.parametrize("moment", ["started", "ended", "written"])
def test_a_worker_that_is_killed_has_its_run_done_once(moment: str, tmp_path: Path) -> None:
    key, queue = uuid4().hex, f"killed-{uuid4().hex}"
    run = submitted("basic.count", key, queue=queue)
    with dying_worker(tmp_path / "first", queue, moment) as first:
        wait_until(f"the worker is killed at {moment}", lambda: first.process.poll() is not None)
        assert first.process.returncode == -9, first.log.read_text()

    with running_worker(tmp_path / "second", "--queues", queue, "--concurrency", "1") as second:
        becomes(run, State.SUCCEEDED)
        wait_until("the message comes again", lambda: str(run.id) in second.log.read_text())

    assert Counter.objects.get(key=key).count == 1


def test_a_run_whose_worker_dies_each_time_is_given_up(tmp_path: Path) -> None:
    queue = f"poison-{uuid4().hex}"
    _forget_dead_letters()
    run = submitted("basic.count", "poison", queue=queue)
    for number in range(settings_of_rowlock().delivery_limit + 2):
        with dying_worker(tmp_path / str(number), queue, "started") as worker:
            wait_until("the worker dies or gives up", partial(_has_died_or_given_up, worker))
            assert worker.process.returncode in (None, -9), worker.log.read_text()
        run.refresh_from_db()
        if run.state == State.FAILED:
            break

    assert (State(run.state), run.error_type) == (State.FAILED, "DeliveryLimitExceeded")
    assert not Counter.objects.exists()
    assert _dead_letters() == [str(run.id)]


def _forget_dead_letters() -> None:
    with app.connection_for_write() as connection:
        dead_letters.QUEUE(connection.default_channel).declare()
        dead_letters.QUEUE(connection.default_channel).purge()


def _dead_letters() -> list[str]:
    with app.connection_for_write() as connection:
        found = iter(partial(dead_letters.QUEUE(connection.default_channel).get, no_ack=True), None)
        return [message.headers["id"] for message in found]


def _has_died_or_given_up(worker: Running) -> bool:
    return worker.process.poll() is not None or Run.objects.get().state == State.FAILED


def dying_worker(log: Path, queue: str, moment: str) -> AbstractContextManager[Running]:
    command = ["celery", "-A", "tests.worker.dying:app", "worker", "--loglevel", "INFO", "--queues", queue]
    command += ["--concurrency", "1", "--hostname", f"{uuid4().hex}@%h", "--without-mingle", "--without-gossip"]
    return running(command, log, ROWLOCK_TEST_DIE_AT=moment)
