"""Runs and tokens in Django's admin."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from rowlock.models import ApiToken, Run, State
from rowlock.models.token import hash_of

pytestmark = pytest.mark.django_db

RUNS = "/admin/rowlock/run/"
TOKENS = "/admin/rowlock/apitoken/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def make_run(**fields: Any) -> Run:
    return Run.objects.create(**{"task": "example.tasks.basic.add", "queue": "celery", **fields})


def listed(client: Client, query: str = "") -> set[str]:
    page = client.get(f"{RUNS}?{query}").content.decode()
    return set(re.findall(rf'href="{RUNS}([0-9a-f-]{{36}})/change/', page))


def detail(client: Client, run: Run) -> str:
    response = client.get(f"{RUNS}{run.id}/change/")
    assert response.status_code == 200, response.content
    return response.content.decode()


@pytest.mark.parametrize(
    "query", ["q=state:failed", "q=somebody", "state__exact=7", "task=example.tasks.basic.wait", "q=-task:add"]
)
def test_runs_are_found_by_query_state_and_task(staff: Client, query: str) -> None:
    make_run()
    wanted = make_run(task="example.tasks.basic.wait", state=State.FAILED, owner="somebody", error_type="ValueError")

    assert listed(staff, query) == {str(wanted.id)}


def test_a_query_that_cannot_be_read_is_told(staff: Client) -> None:
    make_run()

    page = staff.get(f"{RUNS}?q=stat:failed").content.decode()

    assert "did you mean state:?" in page
    assert listed(staff, "q=stat:failed") == set()


def test_a_run_is_shown_with_its_arguments_result_and_progress(staff: Client) -> None:
    run = make_run(
        arguments='{"args":["<left>"],"kwargs":{}}',
        result='"a-result"',
        state=State.SUCCEEDED,
        progress_done=1.0,
        progress_total=3.0,
        progress_message="fold one",
    )

    page = detail(staff, run)

    for text in ("&lt;left&gt;", "a-result", "1 of 3 fold one"):
        assert text in page, f"{text} is not shown"


def test_a_failed_run_is_shown_with_its_traceback(staff: Client) -> None:
    run = make_run(state=State.FAILED, error_type="ValueError", error_message="no", traceback="in line 7")

    page = detail(staff, run)

    assert "ValueError: no" in page
    assert "in line 7" in page


def test_a_run_of_other_code_with_unknown_arguments_is_shown(staff: Client) -> None:
    assert "not known" in detail(staff, make_run(arguments=""))


def test_what_is_redacted_is_on_no_page(staff: Client, settings: Settings) -> None:
    settings.ROWLOCK = {**settings.ROWLOCK, "REDACT_ARGUMENTS": ["*.add"], "REDACT_RESULTS": ["*.add"]}
    hidden = {"arguments": '{"args":["hush-1"],"kwargs":{}}', "result": '"hush-2"'}
    error = {"error_type": "ValueError", "error_message": "hush-3", "traceback": "hush-4"}
    runs = [make_run(state=State.SUCCEEDED, **hidden), make_run(state=State.FAILED, **hidden, **error)]

    pages = [staff.get(RUNS).content.decode(), *(detail(staff, run) for run in runs)]

    assert "hush" not in "".join(pages)
    assert "ValueError, the rest is redacted" in pages[-1]


@pytest.mark.parametrize("path", ["add/", "{id}/delete/"])
def test_runs_are_neither_made_nor_deleted(staff: Client, path: str) -> None:
    run = make_run()

    assert staff.post(RUNS + path.format(id=run.id), {"post": "yes"}).status_code == 403


def test_runs_are_not_changed(staff: Client) -> None:
    run = make_run()

    response = staff.post(f"{RUNS}{run.id}/change/", {"task": "other", "state": 8})

    run.refresh_from_db()
    assert (response.status_code, run.task, run.state) == (403, "example.tasks.basic.add", State.QUEUED)


def test_the_list_asks_for_no_run_by_itself(staff: Client) -> None:
    make_run()
    with CaptureQueriesContext(connection) as with_one:
        listed(staff)
    for _ in range(3):
        make_run()

    with CaptureQueriesContext(connection) as with_four:
        listed(staff)

    assert len(with_four) == len(with_one)
    assert "traceback" not in str(with_four.captured_queries)


def test_the_secret_of_a_new_token_is_shown_once_and_only_its_hash_kept(staff: Client) -> None:
    owner = User.objects.get()

    page = staff.post(f"{TOKENS}add/", {"user": owner.pk, "name": "ci"}, follow=True).content.decode()

    secret = re.search(r"rowlock_[\w-]{43}", page)
    assert secret, page
    token = ApiToken.objects.get()
    assert (token.name, token.user, token.hash) == ("ci", owner, hash_of(secret[0]))
    assert secret[0] not in staff.get(TOKENS).content.decode()


def test_the_hash_of_a_token_is_on_no_page(staff: Client) -> None:
    token = ApiToken.objects.create(user=User.objects.get(), name="ci", hash=hash_of("secret"))

    pages = [staff.get(TOKENS).content, staff.get(f"{TOKENS}{token.pk}/change/").content]

    assert token.hash not in str(pages)


def test_a_token_keeps_its_secret_and_its_user_when_it_is_changed(staff: Client) -> None:
    owner, other = User.objects.get(), User.objects.create_user("other")
    token = ApiToken.objects.create(user=owner, name="ci", hash=hash_of("secret"))

    staff.post(f"{TOKENS}{token.pk}/change/", {"name": "renamed", "user": other.pk})

    token.refresh_from_db()
    assert (token.name, token.user, token.hash) == ("renamed", owner, hash_of("secret"))


def test_only_superusers_make_tokens_for_others(client: Client) -> None:
    root = User.objects.create_superuser("root")
    staff = User.objects.create_user("staff", is_staff=True)
    staff.user_permissions.set(Permission.objects.filter(content_type__model="apitoken"))
    client.force_login(staff)

    refused = client.post(f"{TOKENS}add/", {"user": root.pk, "name": "ci"})
    client.post(f"{TOKENS}add/", {"user": staff.pk, "name": "own"})

    assert "Select a valid choice" in refused.content.decode()
    assert [token.user for token in ApiToken.objects.all()] == [staff]
