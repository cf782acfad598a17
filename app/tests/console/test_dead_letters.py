"""/console/dead-letters/"""

import pytest
from django.urls import reverse
from pytest_django import Settings

from rowlock.models import AuditEntry, Run, State
from tests.cli.test_dead import bury, found_in, no_dead_letters, queue
from tests.console.people import client_of
from tests.runs.factory import make_run

pytestmark = pytest.mark.django_db

__all__ = ["no_dead_letters", "queue"]


def text() -> str:
    return client_of("viewer").get(reverse("rowlock-console:dead-letters")).content.decode()


def post(verb: str, role: str = "operator", **data: object) -> int:
    return client_of(role).post(reverse(f"rowlock-console:dead-letters-{verb}"), data).status_code


def test_dead_letters_are_listed_with_their_queue_and_reason(queue: str) -> None:
    bury("first", queue)

    found = text()

    assert queue in found
    assert "started too often" in found
    assert "(2, 3)" in found


def test_arguments_that_are_redacted_are_not_shown(queue: str, settings: Settings) -> None:
    settings.ROWLOCK = {**settings.ROWLOCK, "REDACT_ARGUMENTS": ["example.*"]}
    bury("first", queue)

    assert "(2, 3)" not in text()


def test_without_any_the_page_says_so() -> None:
    assert "No dead letters" in text()


def test_one_is_dropped_and_the_others_stay(queue: str) -> None:
    bury("first", queue)
    bury("second", queue)

    assert post("drop", id="first") == 302

    found = text()
    assert ("letter-first" in found, "letter-second" in found) == (False, True)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.target, entry.details) == ("drop", "first", {"count": 1})


def test_one_of_another_program_goes_back_to_its_queue(queue: str) -> None:
    bury("first", queue)
    found_in(queue)

    assert post("retry", id="first") == 302

    assert found_in(queue) == ["first"]


def test_all_are_retried_and_runs_of_the_history_as_new_runs(queue: str) -> None:
    run = make_run(state=State.FAILED)
    bury(str(run.id), queue)

    assert post("retry", all="yes") == 302

    assert Run.objects.get(retry_of=run.id).state == State.QUEUED
    assert "No dead letters" in text()


def test_it_is_asked_first_with_their_number(queue: str) -> None:
    bury("first", queue)
    bury("second", queue)

    response = client_of("operator").get(reverse("rowlock-console:dead-letters-drop"), {"all": "yes"})

    assert "Drop 2 dead letters?" in response.content.decode()


@pytest.mark.parametrize("verb", ["retry", "drop"])
def test_only_operators_settle_them(queue: str, verb: str) -> None:
    bury("first", queue)

    assert post(verb, "viewer", all="yes") == 403

    assert "letter-first" in text()
