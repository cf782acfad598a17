"""What a task logs is with its run, while it runs and when it has ended, however it ends."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from pytest_django import DjangoDbBlocker, Settings

from rowlock import runs
from rowlock.models import Run, RunLog, State
from rowlock.outbox.relay import relay_once
from tests.processes import Running, running_worker, wait_until
from tests.worker import talking  # noqa: F401 - has this process know the tasks
from tests.worker.submitting import becomes

pytestmark = [pytest.mark.django_db(transaction=True)]

INCLUDE = ("--include", "tests.worker.talking")


@pytest.fixture(scope="module", params=["prefork", "threads", "gevent"])
def worker(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Running]:
    log: Path = tmp_path_factory.mktemp("worker") / "log"
    pool = ("--pool", request.param, "--concurrency", "2")
    with django_db_blocker.unblock(), running_worker(log, *pool, *INCLUDE) as process:
        yield process


@pytest.fixture
def queue(settings: Settings) -> str:
    """A queue that no worker of another test takes from."""
    name = f"logs-{uuid4().hex}"
    settings.ROWLOCK = {**settings.ROWLOCK, "QUEUES": [name]}
    return name


def submitted(task: str, *args: object, queue: str | None = None) -> Run:
    run = runs.submit(task, args, queue=queue)
    relay_once()
    return run


def log_of(run: Run, *, containing: str = "") -> str:
    """The one log of `run`, once it has that."""
    found = wait_until(
        f"a log of {run} with {containing!r}", RunLog.objects.filter(run_id=run.id, text__contains=containing).first
    )
    return found.text


@pytest.mark.usefixtures("worker")
def test_what_a_task_logs_is_kept_a_line_each_with_its_time_and_level() -> None:
    run = becomes(submitted("tests.talk", 2), State.SUCCEEDED)

    lines = log_of(run).splitlines()

    assert [line.split(" ", 1)[1] for line in lines] == ["INFO talking: line 0", "INFO talking: line 1"]
    assert lines[0][:10] == f"{run.started:%Y-%m-%d}"


@pytest.mark.usefixtures("worker")
def test_what_a_task_logs_is_seen_while_it_runs(tmp_path: Path) -> None:
    run = submitted("tests.talk_and_hold", str(tmp_path / "file"))

    text = log_of(run, containing="waiting for a file")

    assert "there it is" not in text
    (tmp_path / "file").touch()
    becomes(run, State.SUCCEEDED)
    assert log_of(run, containing="there it is").count("\n") == 2


@pytest.mark.usefixtures("worker")
def test_of_too_much_the_beginning_and_the_end_are_kept() -> None:
    run = becomes(submitted("tests.talk", 3000, "x" * 100), State.SUCCEEDED)

    text = log_of(run)

    log = RunLog.objects.get(run_id=run.id)
    assert "x 0\n" in text
    assert text.endswith("x 2999\n")
    assert len(text) < 66_000
    assert f"[{log.cut:,} bytes left out]" in text
    assert log.cut > 300_000


@pytest.mark.usefixtures("worker")
def test_a_task_that_logs_nothing_has_no_log() -> None:
    run = becomes(submitted("example.tasks.basic.add", 2, 3), State.SUCCEEDED)

    logged = becomes(submitted("tests.talk"), State.SUCCEEDED)
    log_of(logged)

    assert not RunLog.objects.filter(run_id=run.id).exists()


@pytest.mark.usefixtures("worker")
def test_a_task_that_fails_keeps_its_log() -> None:
    run = becomes(submitted("tests.talk_and_fail"), State.FAILED)

    text = log_of(run)

    assert "ERROR talking: about to fail\nTraceback" in text
    assert "ValueError: invalid literal" in text


@pytest.mark.usefixtures("worker")
def test_each_attempt_has_a_log_of_its_own() -> None:
    run = becomes(submitted("tests.talk_and_retry"), State.SUCCEEDED)

    log_of(run, containing="try 1")

    attempts = {log.attempt: log.text.split()[-1] for log in RunLog.objects.filter(run_id=run.id)}
    assert attempts == {1: "0", 2: "1"}


def test_a_task_whose_process_dies_keeps_what_it_logged(tmp_path: Path, queue: str) -> None:
    with running_worker(tmp_path / "log", "--concurrency", "1", "--queues", queue, *INCLUDE):
        run = becomes(submitted("tests.talk_and_die", queue=queue), State.FAILED)

        assert "last words" in log_of(run)


def test_loggers_of_celery_and_what_is_printed_are_captured_at_their_level(tmp_path: Path, queue: str) -> None:
    with running_worker(tmp_path / "log", "--concurrency", "1", "--queues", queue, *INCLUDE):
        run = becomes(submitted("tests.talk_through_celery", queue=queue), State.SUCCEEDED)

        lines = [line.split(" ", 1)[1] for line in log_of(run).splitlines()]

    assert lines == ["INFO talking: by the task's logger", "WARNING celery.redirected: printed"]


def test_nothing_is_kept_of_a_task_whose_arguments_are_hidden(tmp_path: Path, queue: str) -> None:
    with running_worker(
        tmp_path / "log", "--concurrency", "1", "--queues", queue, *INCLUDE, app="tests.worker.secretive:app"
    ):
        run = becomes(submitted("tests.talk_secretly", "hunter2", queue=queue), State.SUCCEEDED)
        log_of(becomes(submitted("tests.talk", queue=queue), State.SUCCEEDED))

    assert not RunLog.objects.filter(run_id=run.id).exists()
