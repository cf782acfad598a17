"""POST /api/runs/ and /api/runs/batch"""

from uuid import UUID

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from rowlock.models import Run
from tests.api.conftest import ApiClient, MakeRun

ADD = {"task": "example.tasks.basic.add", "args": [2, 3]}


def test_a_task_is_accepted_as_a_run_of_who_submits_it(anna: ApiClient) -> None:
    response = anna.send("POST", "runs/", ADD)

    assert response.status_code == 202, response.content
    answer = response.json()
    run = Run.objects.get()
    assert (answer["id"], answer["state"], answer["owner"]) == (str(run.id), "queued", "anna")
    assert (run.task, run.args, run.owner) == ("example.tasks.basic.add", [2, 3], "anna")


def test_the_answer_says_where_the_run_is(anna: ApiClient) -> None:
    response = anna.send("POST", "runs/", ADD)

    assert anna.get(response.headers["Location"]).json()["id"] == response.json()["id"]


def test_the_last_slash_may_be_left_out(anna: ApiClient) -> None:
    assert anna.send("POST", "runs", ADD).status_code == 202


def test_all_options_are_kept(anna: ApiClient, make_run: MakeRun) -> None:
    parent = make_run()
    options = {
        "key": "k1",
        "queue": "email",
        "eta": "2080-01-01T10:00:00+02:00",
        "expires": "2080-01-02T10:00:00Z",
        "priority": 7,
        "parent": str(parent.id),
    }

    answer = anna.send("POST", "runs/", {**ADD, **options}).json()

    assert answer["scheduled"] is True
    assert {name: answer[name] for name in ("key", "queue", "due", "expires", "priority", "parent")} == {
        "key": "k1",
        "queue": "email",
        "due": "2080-01-01T08:00:00Z",
        "expires": "2080-01-02T10:00:00Z",
        "priority": 7,
        "parent": str(parent.id),
    }


def test_the_same_key_gives_the_same_run(anna: ApiClient) -> None:
    first = anna.send("POST", "runs/", {**ADD, "key": "once"})
    second = anna.send("POST", "runs/", {**ADD, "key": "once"})

    assert (first.status_code, second.status_code) == (202, 200)
    assert first.json()["id"] == second.json()["id"]


def test_the_same_key_with_other_arguments_is_a_conflict(anna: ApiClient) -> None:
    anna.send("POST", "runs/", {**ADD, "key": "once"})
    response = anna.send("POST", "runs/", {**ADD, "args": [1, 1], "key": "once"})

    assert response.status_code == 409
    assert response.json()["type"] == "urn:rowlock:problem:key-conflict"
    assert Run.objects.count() == 1


def test_the_keys_of_others_are_not_in_the_way(anna: ApiClient, ben: ApiClient) -> None:
    first = anna.send("POST", "runs/", {**ADD, "key": "once"}).json()
    second = ben.send("POST", "runs/", {**ADD, "key": "once"}).json()

    assert first["id"] != second["id"]


def test_a_parent_that_is_not_yours_is_refused(ben: ApiClient, make_run: MakeRun) -> None:
    response = ben.send("POST", "runs/", {**ADD, "parent": str(make_run(owner="anna").id)})

    assert response.status_code == 422
    assert "not yours to see" in response.json()["detail"]


def test_who_may_not_submit_is_told_the_permission(reader: ApiClient) -> None:
    response = reader.send("POST", "runs/", ADD)

    assert response.status_code == 403
    assert "rowlock.submit_run" in response.json()["detail"]
    assert not Run.objects.exists()


def test_submitting_costs_one_insert(anna: ApiClient, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    # The token with its user, the user's permissions, those of its groups, and the run.
    with django_assert_num_queries(4) as queries:
        anna.send("POST", "runs/", ADD)

    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "SELECT", "SELECT", "INSERT"]


@pytest.mark.django_db
def test_nobody_submits_without_a_login(client: Client) -> None:
    response = client.post("/api/runs/", ADD, content_type="application/json")

    assert response.status_code == 401
    assert not Run.objects.exists()


def test_a_batch_is_accepted_in_its_order(anna: ApiClient) -> None:
    batch = {"runs": [{**ADD, "key": key} for key in ("a", "b", "a")]}

    answer = anna.send("POST", "runs/batch", batch).json()["runs"]

    assert [(run["key"], run["is_new"]) for run in answer] == [("a", True), ("b", True), ("a", False)]
    assert {UUID(run["id"]) for run in answer} == set(Run.objects.values_list("id", flat=True))


def test_a_batch_with_one_mistake_is_refused_whole_and_names_it(anna: ApiClient) -> None:
    response = anna.send("POST", "runs/batch", {"runs": [ADD, {**ADD, "args": [1]}]})

    assert response.status_code == 422
    assert response.json()["index"] == 1
    assert response.json()["detail"].startswith("runs/1: ")
    assert not Run.objects.exists()


def test_a_batch_whose_key_is_in_conflict_is_refused_whole(anna: ApiClient, make_run: MakeRun) -> None:
    make_run(key="taken", arguments='{"args":[9,9],"kwargs":{}}')

    response = anna.send("POST", "runs/batch", {"runs": [ADD, {**ADD, "key": "taken"}]})

    assert (response.status_code, response.json()["index"]) == (409, 1)
    assert Run.objects.count() == 1


def test_ten_thousand_runs_fit_in_a_batch_and_cost_few_statements(
    anna: ApiClient, django_assert_max_num_queries: DjangoAssertNumQueries, settings: object
) -> None:
    with django_assert_max_num_queries(2000):
        response = anna.send("POST", "runs/batch", {"runs": [ADD] * 10_000})

    assert response.status_code == 202, response.content
    assert Run.objects.count() == 10_000


def test_a_batch_over_ten_thousand_is_refused(anna: ApiClient) -> None:
    response = anna.send("POST", "runs/batch", {"runs": [{}] * 10_001})

    assert response.status_code == 422
    assert "at most 10000 items" in response.json()["detail"]
