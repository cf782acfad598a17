"""/console/tasks/"""

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from rowlock.models import AuditEntry, Run, State
from tests.console.people import client_of
from tests.runs.factory import make_run

pytestmark = pytest.mark.django_db

ADD = "example.tasks.basic.add"


def page(role: str, name: str = ADD, **query: str) -> str:
    response = client_of(role).get(reverse("rowlock-console:task", args=[name]), query)
    assert response.status_code == 200
    return response.content.decode()


def wrong(role: str = "operator", name: str = ADD, **given: str) -> str:
    """What the page says when the form was not taken."""
    response = client_of(role).post(reverse("rowlock-console:task", args=[name]), given)
    assert response.status_code == 422
    assert not Run.objects.exists()
    return response.content.decode()


def test_tasks_are_listed_with_what_they_say_of_themselves() -> None:
    text = client_of("viewer").get(reverse("rowlock-console:tasks")).content.decode()

    assert "Tells where it ran." in text
    assert "(x: float, y: float)" in text


def test_the_list_costs_the_same_for_many_tasks(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    client = client_of("viewer")
    client.get(reverse("rowlock-console:tasks"))

    with django_assert_max_num_queries(10):
        client.get(reverse("rowlock-console:tasks"))


def test_what_ran_lately_is_counted() -> None:
    now = timezone.now()
    make_run(ADD, State.FAILED, started=now, finished=now, changed=now)

    assert "0 succeeded, 1 failed" in page("viewer")


def test_a_form_is_made_of_the_signature() -> None:
    text = page("submitter")

    assert 'type="number" step="any" id="arg-x"' in text


def test_posting_it_submits_a_run_and_leads_there() -> None:
    response = client_of("submitter").post(
        reverse("rowlock-console:task", args=[ADD]), {"arg-x": "2", "arg-y": "3.5", "priority": "4", "key": "k"}
    )

    run = Run.objects.get()
    assert (run.args, run.kwargs, run.owner) == ([], {"x": 2, "y": 3.5}, "submitter")
    assert (run.priority, run.key) == (4, "k")
    assert response.headers["Location"] == reverse("rowlock-console:run", args=[run.id])
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.details["task"]) == ("submit", str(run.id), ADD)


def test_a_delay_is_kept() -> None:
    client_of("operator").post(
        reverse("rowlock-console:task", args=[ADD]), {"arg-x": "2", "arg-y": "3", "countdown": "3600", "queue": "email"}
    )

    run = Run.objects.get()
    assert run.is_scheduled
    assert run.queue == "email"


def test_the_same_key_leads_to_the_same_run() -> None:
    for _ in range(2):
        client_of("operator").post(
            reverse("rowlock-console:task", args=[ADD]), {"arg-x": "2", "arg-y": "3", "key": "k"}
        )

    assert Run.objects.count() == 1
    assert AuditEntry.objects.count() == 1


def test_raw_json_is_taken() -> None:
    client_of("operator").post(
        reverse("rowlock-console:task", args=[ADD]), {"mode": "json", "args": "[2]", "kwargs": '{"y": 3}'}
    )

    assert (Run.objects.get().args, Run.objects.get().kwargs) == ([2], {"y": 3})


@pytest.mark.parametrize(
    ("given", "id", "reason"),
    [
        ({"arg-x": "two"}, "arg-x-error", "This must be a number"),
        ({"arg-x": ""}, "arg-x-error", "Give a number"),
        ({"mode": "json", "args": "{"}, "args-error", "not JSON"),
        ({"priority": "256"}, "priority-error", "from 0 to 255"),
        ({"countdown": "-1"}, "countdown-error", "0 or more"),
        ({"eta": "soon"}, "eta-error", "a date and time"),
        ({"countdown": "1", "eta": "2080-01-01T00:00"}, "eta-error", "not both"),
        ({"queue": "nope"}, "queue-error", "There is no queue"),
    ],
)
def test_what_is_wrong_is_said_beside_the_field(given: dict[str, str], id: str, reason: str) -> None:
    text = wrong(**{"arg-x": "1", "arg-y": "2", **given})

    assert reason in text.split(f'id="{id}"')[1].split("</p>")[0]


def test_what_was_written_stays_in_the_form() -> None:
    assert 'value="two"' in wrong(**{"arg-x": "two", "arg-y": "2"})


def test_arguments_that_do_not_fit_are_told() -> None:
    assert "missing a required argument" in wrong(mode="json", args="[1]")


def test_a_key_with_other_arguments_is_a_conflict() -> None:
    client = client_of("operator")
    address = reverse("rowlock-console:task", args=[ADD])
    client.post(address, {"arg-x": "2", "arg-y": "3", "key": "k"})

    response = client.post(address, {"arg-x": "2", "arg-y": "4", "key": "k"})

    assert response.status_code == 422
    assert "Use a new key" in response.content.decode().split('id="key-error"')[1]


def test_viewers_see_no_form_and_may_not_post() -> None:
    assert 'id="task-form"' not in page("viewer")

    response = client_of("viewer").post(reverse("rowlock-console:task", args=[ADD]), {"arg-x": "1", "arg-y": "2"})

    assert response.status_code == 403
    assert "rowlock.submit_run" in response.content.decode()


def test_submitters_see_no_numbers_of_others() -> None:
    assert "Last 24 hours" not in page("submitter")


def test_a_task_that_is_not_there_is_not_found() -> None:
    response = client_of("operator").get(reverse("rowlock-console:task", args=["example.tasks.basic.ad"]))

    assert response.status_code == 404
    assert "Did you mean example.tasks.basic.add" in response.content.decode()
