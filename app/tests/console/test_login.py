"""/console/login/, and what those see who may not in."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tests.console.people import client_of, user_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(settings: Settings) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    user = user_of("operator")
    user.set_password("secret")
    user.save()
    return user


def log_in(next: str = "", password: str = "secret") -> str:
    """Where it leads; the page's text where it does not."""
    response = Client().post(
        reverse("rowlock-console:login"), {"username": "operator", "password": password, "next": next}
    )
    return response.headers.get("Location", "") or response.content.decode()


def test_who_is_not_logged_in_comes_to_the_page_and_back() -> None:
    response = Client().get(reverse("rowlock-console:queues"))

    assert response.headers["Location"] == "/console/login/?next=%2Fconsole%2Fqueues%2F"


def test_the_projects_own_login_page_is_used_where_it_has_one(settings: Settings) -> None:
    settings.LOGIN_URL = "/admin/login/"

    assert Client().get(reverse("rowlock-console:queues")).headers["Location"].startswith("/admin/login/?next=")


def test_logging_in_leads_to_where_one_wanted_to(ada: User) -> None:
    assert log_in(next="/console/queues/") == "/console/queues/"
    assert log_in() == "/console/"


@pytest.mark.parametrize("next", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_no_page_of_another_site_is_led_to(ada: User, next: str) -> None:
    assert log_in(next=next) == "/console/"


def test_a_wrong_password_is_said(ada: User) -> None:
    assert "Please enter a correct username and password" in log_in(password="wrong")


def test_the_page_has_the_headers_of_the_console() -> None:
    response = Client().get(reverse("rowlock-console:login"))

    assert "default-src 'none'" in response.headers["Content-Security-Policy"]


def test_logging_out_takes_a_post(ada: User) -> None:
    client = client_of("operator")

    assert client.get(reverse("rowlock-console:logout")).status_code == 405
    assert client.post(reverse("rowlock-console:logout")).headers["Location"] == "/console/login/"
    assert client.get(reverse("rowlock-console:queues")).status_code == 302


def test_who_has_no_role_reads_which_permission_is_missing_and_how_to_get_it() -> None:
    response = client_of("nobody").get(reverse("rowlock-console:queues"))

    text = response.content.decode()
    assert response.status_code == 403
    assert "rowlock.view_run" in text
    assert "manage.py rowlock role nobody viewer" in text


def test_who_lacks_a_permission_reads_the_role_that_has_it() -> None:
    text = client_of("viewer").get(reverse("rowlock-console:audit")).content.decode()

    assert "rowlock.operate_run" in text
    assert "manage.py rowlock role viewer operator" in text


@pytest.mark.parametrize(
    ("role", "pages"),
    [
        ("viewer", "Overview Runs Queues Schedules Tasks"),
        ("submitter", "Overview Runs Tasks"),
        ("operator", "Overview Runs Queues Schedules Tasks Audit"),
    ],
)
def test_everybody_is_led_only_to_what_they_may_see(role: str, pages: str) -> None:
    text = client_of(role).get(reverse("rowlock-console:tasks")).content.decode()

    navigation = text.split('<nav aria-label="Console">')[1].split("</nav>")[0]
    assert [part.split("<")[0] for part in navigation.split("<span>")[1:]] == pages.split()
