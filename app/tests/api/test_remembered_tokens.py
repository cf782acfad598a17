"""A token that was found good is not looked up for each request; how soon its end is noticed."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from rowlock.models import ApiToken
from rowlock.runs import authentication
from tests.api.conftest import ApiClient, MakeClient, MakeUser
from tests.processes import wait_until

ADD = {"task": "example.tasks.basic.add", "args": [2, 3]}


def test_a_token_is_looked_up_once_for_many_requests(
    anna: ApiClient, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    anna.send("POST", "runs/", ADD)

    with django_assert_num_queries(1) as queries:
        anna.send("POST", "runs/", ADD)

    assert queries[0]["sql"].split()[0] == "INSERT"


def test_a_token_that_is_deleted_here_ends_at_once(anna: ApiClient) -> None:
    assert anna.get("/api/runs/").status_code == 200

    ApiToken.objects.all().delete()

    assert anna.send("GET", "runs/").status_code == 401


def test_a_user_who_is_deactivated_here_is_refused_at_once(make_user: MakeUser, client_of: MakeClient) -> None:
    user = make_user("carl", "view_run")
    client = client_of(user)
    assert client.get("/api/runs/").status_code == 200

    user.is_active = False
    user.save()

    assert client.send("GET", "runs/").status_code == 401


def test_a_right_that_is_taken_here_is_gone_at_once(make_user: MakeUser, client_of: MakeClient) -> None:
    user = make_user("carl", "submit_run")
    client = client_of(user)
    assert client.send("POST", "runs/", ADD).status_code == 202

    user.user_permissions.remove(Permission.objects.get(codename="submit_run"))

    assert client.send("POST", "runs/", ADD).status_code == 403


def test_a_token_that_is_deleted_elsewhere_ends_when_it_is_forgotten(
    anna: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authentication, "REMEMBERED", 0.1)
    assert anna.get("/api/runs/").status_code == 200

    # As from another process, without Django's signals here.
    ApiToken.objects.all()._raw_delete("default")

    wait_until("the token is refused", lambda: anna.get("/api/runs/").status_code == 401)


def test_a_token_ends_at_its_time_though_it_is_remembered(make_user: MakeUser, client_of: MakeClient) -> None:
    client = client_of(make_user("carl", "view_run"), expires=timezone.now() + timedelta(seconds=1))
    assert client.get("/api/runs/").status_code == 200

    wait_until("the token is refused", lambda: client.get("/api/runs/").status_code == 401, seconds=4)
