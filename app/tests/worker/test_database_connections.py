import pytest
from django.db import connection

from example.models import Tick
from example.tasks.basic import tick, wait
from example.tasks.text import count_words
from rowlock.models import Run, State
from tests.processes import wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("real_services", "worker")]

TASKS = 20


def backends_of_others() -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return {pid for (pid,) in cursor.fetchall()}


def cut_all_connections_of_others() -> None:
    with connection.cursor() as cursor:
        for pid in backends_of_others():
            cursor.execute("SELECT pg_terminate_backend(%s)", [pid])


def revoke_a_running_task() -> str:
    """The worker's parent process reports the state of such a task, for its child is killed."""
    result = wait.delay(200)
    wait_until("the task runs", lambda: result.status == "STARTED")
    result.revoke(terminate=True)
    wait_until("the task is revoked", lambda: result.status == "REVOKED")
    return str(result.id)


def run_tasks_that_use_the_database() -> None:
    for result in [count_words.delay("00000000-0000-0000-0000-000000000000") for _ in range(TASKS)]:
        result.get(timeout=120, propagate=False)


def test_a_worker_keeps_its_database_connections_between_tasks() -> None:
    run_tasks_that_use_the_database()
    before = backends_of_others()

    run_tasks_that_use_the_database()

    assert before, "no connection of the worker was open between two tasks"
    assert before <= backends_of_others(), "the worker has closed a connection after a task"


def test_a_worker_recovers_from_connections_that_postgres_has_cut() -> None:
    run_tasks_that_use_the_database()
    cut_all_connections_of_others()

    for _ in range(TASKS):
        tick.delay()

    wait_until("every tick is written", lambda: Tick.objects.count() == TASKS)


def test_the_history_goes_on_after_connections_were_cut() -> None:
    revoke_a_running_task()
    cut_all_connections_of_others()
    revoke_a_running_task()

    task_id = revoke_a_running_task()

    wait_until("its history", lambda: Run.objects.filter(id=task_id, state=State.CANCELLED).exists())
