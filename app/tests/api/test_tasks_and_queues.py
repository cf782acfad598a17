"""GET /api/tasks/ and /api/queues/"""

from datetime import timedelta

from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from rowlock.models import State
from tests.api.conftest import ApiClient, MakeRun


def test_tasks_are_listed_with_what_they_take(anna: ApiClient) -> None:
    tasks = {task["name"]: task for task in anna.ask("tasks/")["tasks"]}

    debug_task = tasks["example.tasks.basic.debug_task"]
    assert (debug_task["doc"], debug_task["parameters"]) == ("Tells where it ran.", [])
    assert [parameter["name"] for parameter in tasks["example.tasks.basic.add"]["parameters"]] == ["x", "y"]
    assert not [name for name in tasks if name.startswith("celery.")]


def test_one_task(anna: ApiClient) -> None:
    task = anna.ask("tasks/example.tasks.basic.add")

    assert task["queue"] == "celery"
    assert task["parameters"][0] == {
        "name": "x",
        "kind": "any",
        "required": True,
        "default": None,
        "annotation": "float",
    }


def test_an_unknown_task_is_not_found_with_a_hint(anna: ApiClient) -> None:
    response = anna.send("GET", "tasks/add")

    assert response.status_code == 404
    assert "Did you mean example.tasks.basic.add" in response.json()["detail"]


def test_queues_are_listed_with_what_has_not_finished(anna: ApiClient, make_run: MakeRun) -> None:
    make_run(queue="email")
    make_run(queue="email", due=timezone.now() + timedelta(hours=1))
    make_run(queue="email", state=State.STARTED)
    make_run(queue="email", state=State.SUCCEEDED)

    queues = {queue["name"]: queue for queue in anna.ask("queues/")["queues"]}

    counts = {name: value for name, value in queues["email"].items() if isinstance(value, int)}
    assert (
        counts.items()
        >= {
            "known": True,
            "scheduled": 1,
            "queued": 1,
            "published": 0,
            "retrying": 0,
            "started": 1,
            "unfinished": 3,
        }.items()
    )
    assert queues["celery"]["unfinished"] == 0


def test_a_queue_that_nothing_names_any_more_is_listed_while_it_has_runs(anna: ApiClient, make_run: MakeRun) -> None:
    make_run(queue="forgotten")

    queues = {queue["name"]: queue["known"] for queue in anna.ask("queues/")["queues"]}

    assert queues["forgotten"] is False


def test_the_runs_of_others_are_not_counted(ben: ApiClient, make_run: MakeRun) -> None:
    make_run(queue="email", owner="anna")

    assert sum(queue["unfinished"] for queue in ben.ask("queues/")["queues"]) == 0


def test_queues_cost_few_statements_however_many_there_are(
    anna: ApiClient, make_run: MakeRun, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(10):
        make_run(queue=f"queue-{number}")

    with django_assert_max_num_queries(7):
        anna.ask("queues/")
