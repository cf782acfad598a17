"""Who may use the API, and who sees what."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client
from django.utils import timezone

from rowlock.models import ApiToken, Run
from tests.api.conftest import ApiClient, MakeClient, MakeRun, MakeUser

ADD = {"task": "example.tasks.basic.add", "args": [2, 3]}
SOME_RUN = "01980000-0000-7000-8000-000000000000"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "runs/"),
        ("POST", "runs/"),
        ("POST", "runs/batch"),
        ("POST", "runs/cancel"),
        ("POST", "runs/retry"),
        ("GET", f"runs/{SOME_RUN}"),
        ("GET", f"runs/{SOME_RUN}/progress"),
        ("GET", f"runs/{SOME_RUN}/result"),
        ("POST", f"runs/{SOME_RUN}/retry"),
        ("POST", f"runs/{SOME_RUN}/cancel"),
        ("GET", "tasks/"),
        ("GET", "tasks/example.tasks.basic.add"),
        ("GET", "queues/"),
        ("GET", "schedules/"),
        ("POST", "schedules/"),
        ("GET", "schedules/1"),
        ("PATCH", "schedules/1"),
        ("DELETE", "schedules/1"),
        ("POST", "schedules/1/run"),
        ("POST", "schedules/1/enable"),
        ("POST", "schedules/1/disable"),
        ("GET", "openapi.json"),
        ("GET", "docs"),
    ],
)
def test_everything_is_closed_without_a_login(method: str, path: str) -> None:
    response = ApiClient().send(method, path)

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Bearer ", "Bearer", "bearer x y", "Bearer \xe4\0", "Basic YTpi", "x"]
)
@pytest.mark.django_db
def test_a_wrong_token_is_refused(header: str) -> None:
    assert ApiClient(headers={"Authorization": header}).send("GET", "runs/").status_code == 401


def test_a_token_that_has_expired_is_refused(make_user: MakeUser, client_of: MakeClient) -> None:
    client = client_of(make_user("anna"), expires=timezone.now() - timedelta(seconds=1))

    assert client.send("GET", "runs/").status_code == 401


def test_a_token_that_expires_later_is_taken(make_user: MakeUser, client_of: MakeClient) -> None:
    client = client_of(make_user("anna"), expires=timezone.now() + timedelta(days=1))

    assert client.send("GET", "runs/").status_code == 200


def test_the_token_of_a_user_who_was_switched_off_is_refused(anna: ApiClient) -> None:
    User.objects.update(is_active=False)

    assert anna.send("GET", "runs/").status_code == 401


def test_a_deleted_token_is_refused_at_once(anna: ApiClient) -> None:
    anna.send("GET", "runs/")
    ApiToken.objects.all().delete()

    assert anna.send("GET", "runs/").status_code == 401


def test_a_wrong_token_is_refused_even_within_a_session(make_user: MakeUser) -> None:
    client = ApiClient(headers={"Authorization": "Bearer wrong"})
    client.force_login(make_user("anna"))

    assert client.send("GET", "runs/").status_code == 401


def test_a_session_reads(make_user: MakeUser) -> None:
    client = ApiClient(enforce_csrf_checks=True)
    client.force_login(make_user("anna"))

    assert client.send("GET", "runs/").status_code == 200


def test_a_session_changes_nothing_without_its_csrf_token(make_user: MakeUser) -> None:
    client = ApiClient(enforce_csrf_checks=True)
    client.force_login(make_user("anna", "submit_run"))

    response = client.send("POST", "runs/", ADD)

    assert response.status_code == 403
    assert "X-CSRFToken" in response.json()["detail"]
    assert not Run.objects.exists()


def test_a_session_submits_with_its_csrf_token(make_user: MakeUser) -> None:
    client = ApiClient(enforce_csrf_checks=True)
    client.force_login(make_user("anna", "submit_run"))
    client.get("/api/docs")
    token = client.cookies["csrftoken"].value

    response = client.send("POST", "runs/", ADD, headers={"X-CSRFToken": token})

    assert response.status_code == 202, response.content


def test_a_token_needs_no_csrf_token(make_user: MakeUser, client_of: MakeClient) -> None:
    client = client_of(make_user("anna", "submit_run"))
    client.handler.enforce_csrf_checks = True

    assert client.send("POST", "runs/", ADD).status_code == 202


def test_answers_are_kept_by_no_cache(anna: ApiClient) -> None:
    assert "no-store" in anna.send("GET", "runs/").headers["Cache-Control"]


@pytest.mark.parametrize("path", ["", "/progress", "/result"])
def test_the_runs_of_others_are_not_there(ben: ApiClient, make_run: MakeRun, path: str) -> None:
    theirs = ben.send("GET", f"runs/{make_run(owner='anna').id}{path}")
    nobodys = ben.send("GET", f"runs/{SOME_RUN}{path}")

    assert (theirs.status_code, nobodys.status_code) == (404, 404)
    assert theirs.json()["title"] == nobodys.json()["title"]


def test_lists_have_only_what_one_may_see(
    anna: ApiClient, ben: ApiClient, reader: ApiClient, operator: ApiClient, make_run: MakeRun
) -> None:
    for owner in ("anna", "ben", ""):
        make_run(owner=owner)

    seen = {
        name: sorted(run["owner"] for run in client.ask("runs/")["runs"])
        for name, client in {"anna": anna, "ben": ben, "reader": reader, "operator": operator}.items()
    }

    everybody = ["", "anna", "ben"]
    assert seen == {"anna": ["anna"], "ben": ["ben"], "reader": everybody, "operator": everybody}


@pytest.mark.parametrize("action", ["cancel", "retry"])
def test_who_only_reads_changes_nothing(reader: ApiClient, make_run: MakeRun, action: str) -> None:
    run = make_run(owner="anna")

    response = reader.send("POST", f"runs/{run.id}/{action}")

    assert response.status_code == 403
    assert "rowlock.operate_run" in response.json()["detail"]
    assert Run.objects.filter(changed=F("changed"), state=run.state).count() == 1


def test_who_only_reads_changes_nothing_by_a_query(reader: ApiClient, make_run: MakeRun) -> None:
    make_run(owner="anna")

    assert reader.send("POST", "runs/cancel", {"q": "owner:anna"}).json() == {"count": 0}


def test_health_of_the_session_does_not_matter_to_a_token(anna: ApiClient) -> None:
    anna.cookies["sessionid"] = "nonsense"

    assert anna.send("GET", "runs/").status_code == 200


@pytest.mark.django_db
def test_a_superuser_may_do_everything(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))

    assert client.get("/api/schedules/").status_code == 200
    assert client.post("/api/runs/", ADD, content_type="application/json").status_code == 202
