"""/feedback/ and the home page"""

import re
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client

from example.celery import app
from example.demos import DEMOS, Demo
from rowlock.models import Run, State
from rowlock.outbox.relay import relay_once
from rowlock.runs.arguments import checked_arguments
from rowlock.runs.registry import find_task

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = {"address": "ann@example.com", "message": "Very nice."}


def test_a_message_is_confirmed_by_a_task_and_leads_to_thanks(client: Client, broker: Path) -> None:
    response = client.post("/feedback/", GOOD)

    relay_once()
    with app.connection_for_write() as connection, connection.SimpleQueue(app.amqp.queues["email"]) as queue:
        message = queue.get(timeout=5)
    assert message.headers["task"] == "example.tasks.email.send_confirmation"
    assert message.payload[1] == GOOD
    assert response.status_code == 302
    assert response.headers["Location"] == f"/feedback/thanks/{message.headers['id']}/"


def test_the_thanks_name_the_task(client: Client) -> None:
    response = client.get("/feedback/thanks/0e3a3b9e-6b1a-4f6b-9d3c-0c5f3a2b1d00/")

    assert "0e3a3b9e-6b1a-4f6b-9d3c-0c5f3a2b1d00" in response.content.decode()


@pytest.mark.parametrize(
    ("field", "value", "complaint"),
    [
        ("address", "ann", "Enter a valid email address."),
        ("address", "", "This field is required."),
        ("message", "", "This field is required."),
        ("message", "x" * 5001, "at most 5000 characters"),
    ],
)
def test_a_mistake_is_told_and_the_rest_is_kept(client: Client, field: str, value: str, complaint: str) -> None:
    response = client.post("/feedback/", {**GOOD, field: value})

    page = response.content.decode()
    assert response.status_code == 422
    assert complaint in page
    kept = next(other for name, other in GOOD.items() if name != field)
    assert kept in page


def test_without_a_broker_the_message_is_accepted(client: Client, no_broker: None) -> None:
    response = client.post("/feedback/", GOOD)

    run = Run.objects.get()
    assert (response.status_code, response.headers["Location"]) == (302, f"/feedback/thanks/{run.id}/")
    assert (run.state, run.kwargs) == (State.QUEUED, GOOD)


def test_the_owner_is_who_is_logged_in(client: Client) -> None:
    client.force_login(User.objects.create_user("ann"))

    client.post("/feedback/", GOOD)

    assert Run.objects.get().owner == "ann"


def test_without_a_database_the_message_is_kept_in_the_form(client: Client, no_database: None) -> None:
    response = client.post("/feedback/", GOOD)

    page = response.content.decode()
    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert "try again in a minute" in page
    assert GOOD["message"] in page


def test_the_form_is_protected_against_other_sites() -> None:
    response = Client(enforce_csrf_checks=True).post("/feedback/", GOOD)

    assert response.status_code == 403


@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.slug)
def test_every_form_of_the_home_page_fits_its_task(demo: Demo) -> None:
    task = find_task(demo.task)

    checked_arguments(task, [], {field.name: field.value for field in demo.fields})


def test_the_home_page_has_a_labelled_form_for_every_demo(client: Client) -> None:
    page = client.get("/").content.decode()

    for demo in DEMOS:
        assert f'data-task="{demo.task}"' in page, f"no form for {demo.task}"
    ids = set(re.findall(r'<(?:input|textarea|select) id="([^"]+)"', page))
    assert ids == set(re.findall(r'<label for="([^"]+)"', page))


def test_pages_load_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/").content.decode() + client.get("/feedback/").content.decode()

    sources = re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="([^"]+)"', page)
    assert sources
    for source in sources:
        assert source.startswith("/static/"), source
        assert finders.find(source.removeprefix("/static/")), f"{source} is missing"
