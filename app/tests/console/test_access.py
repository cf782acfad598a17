"""Who may come in, and what pages let a browser do."""

import pytest
from django.test import Client

from rowlock.models import State
from tests.console.people import client_of
from tests.runs.factory import ago, make_run

pytestmark = pytest.mark.django_db

PAGES = ["/console/", "/console/runs/", "/console/runs/completions/?q=sta", "/console/runs/bulk/?do=retry"]


@pytest.mark.parametrize("path", PAGES)
def test_strangers_are_led_to_the_login(path: str) -> None:
    response = Client().get(path)

    assert response.status_code == 302, "the page is open to everybody"
    assert response.headers["Location"].startswith("/console/login/?next=")


@pytest.mark.parametrize("path", PAGES)
def test_who_has_no_role_hears_which_permission_is_missing(path: str) -> None:
    response = client_of("nobody").get(path)

    assert response.status_code == 403
    assert b"rowlock.view_run" in response.content, "the answer does not name the permission"


def test_what_a_page_fetches_leads_strangers_to_the_login_too() -> None:
    response = Client().get("/console/runs/?part=rows", headers={"HX-Request": "true"})

    assert response.headers["HX-Redirect"].startswith("/console/login/")


def test_a_submitter_sees_only_their_own_runs() -> None:
    own, other = make_run(owner="submitter"), make_run(owner="ada")
    client = client_of("submitter")

    listed = client.get("/console/runs/").content.decode()

    assert f"r-{own.id}" in listed, "their own run is missing"
    assert f"r-{other.id}" not in listed, "somebody else's run is shown"
    assert client.get(f"/console/runs/{other.id}/").status_code == 404
    assert b"Throughput" not in client.get("/console/").content, "the numbers of all runs are shown"


@pytest.mark.parametrize("what", ["retry", "cancel"])
def test_a_viewer_is_refused_what_only_operators_may(what: str) -> None:
    run = make_run(state=State.FAILED if what == "retry" else State.QUEUED, owner="ada", finished=ago(seconds=1))

    response = client_of("viewer").post(f"/console/runs/{run.id}/{what}/")

    assert response.status_code == 403
    assert b"rowlock.operate_run" in response.content, "the answer does not name the permission"


def test_a_browser_runs_no_script_but_the_consoles() -> None:
    policy = client_of("viewer").get("/console/").headers["Content-Security-Policy"]

    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


def test_another_sites_page_cannot_press_a_button() -> None:
    run = make_run(state=State.FAILED)

    response = client_of("operator", enforce_csrf_checks=True).post(f"/console/runs/{run.id}/retry/")

    assert response.status_code == 403
