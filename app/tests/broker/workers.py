"""Workers of tests/broker/project.py, and an app that publishes to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from celery import Celery
from django.conf import settings

from rowlock.celery import install
from tests.broker.topic import add_tasks, topic_queues
from tests.processes import Running, running, wait_until


def publisher(suffix: str = "") -> Celery:
    """An app of its own, so that the example's has none of its queues."""
    app = Celery("publisher", broker=settings.CELERY_BROKER_URL, set_as_current=False)
    install(app)
    if suffix:
        app.conf.task_queues = topic_queues(suffix)
    add_tasks(app)
    return app


@contextmanager
def noting_worker(folder: Path, *arguments: str, **variables: str) -> Iterator[Running]:
    """A worker that consumes, and writes down in `folder`/notes what it executes."""
    command = ["celery", "-A", "tests.broker.project:app", "worker", "--loglevel", "INFO", *arguments]
    command += ["--hostname", f"{uuid4().hex}@%h", "--without-mingle", "--without-gossip"]
    log = folder / f"{uuid4().hex}.log"
    with running(command, log, ROWLOCK_TEST_NOTES=str(folder / "notes"), **variables) as worker:
        wait_until("the worker is ready", lambda: worker.probe("/readyz") == 200 or worker.process.poll() is not None)
        assert worker.process.poll() is None, log.read_text()
        yield worker
