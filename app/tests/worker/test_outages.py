"""A worker whose services go away while it works, and come back."""

from pathlib import Path
from uuid import uuid4

import pytest
from django.conf import settings

from rowlock.models import Run, State
from tests.processes import running_worker, variables_of_the_test_database, wait_until
from tests.proxy import proxied
from tests.worker.submitting import becomes, submitted

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("real_services")]


def test_what_ends_while_postgres_is_away_is_written_when_it_is_back(tmp_path: Path) -> None:
    queue = f"outage-{uuid4().hex}"
    with (
        proxied(variables_of_the_test_database()["DATABASE_URL"]) as (postgres, url),
        running_worker(tmp_path / "log", "--queues", queue, "--concurrency", "1", DATABASE_URL=url) as worker,
    ):
        run = becomes(submitted("basic.wait", 3, queue=queue), State.STARTED)
        postgres.cut()
        wait_until("the task has ended", lambda: f"[{run.id}] succeeded" in worker.log.read_text())
        run.refresh_from_db()
        assert State(run.state) == State.STARTED, "nothing can have been written"
        postgres.mend()

        becomes(run, State.SUCCEEDED)

        becomes(submitted("basic.add", 1, 1, queue=queue), State.SUCCEEDED)
    assert Run.objects.get(id=run.id).deliveries == 1, "it was executed again"


def test_without_redis_tasks_run_and_the_history_has_their_results(tmp_path: Path) -> None:
    queue = f"outage-{uuid4().hex}"
    with (
        proxied(str(settings.ENV.REDIS_URL)) as (redis, url),
        running_worker(tmp_path / "log", "--queues", queue, "--concurrency", "1", REDIS_URL=url),
    ):
        redis.cut()

        run = becomes(submitted("basic.add", 2, 3, queue=queue), State.SUCCEEDED, seconds=120)

    assert (run.result_value, run.deliveries) == (5, 1)
