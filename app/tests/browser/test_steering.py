"""Runs in the console, with a worker: submitted, watched, failed, retried, cancelled."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from rowlock import runs
from rowlock.models import AuditEntry, Run, State
from rowlock.outbox.relay import relay_once
from tests.browser.conftest import PATIENCE, OpenAs
from tests.processes import wait_until
from tests.runs.factory import ago, make_run

pytestmark = pytest.mark.django_db(transaction=True)
expect.set_options(timeout=PATIENCE)


@pytest.fixture(autouse=True)
def nothing_left_to_the_worker(transactional_db: None) -> Iterator[None]:
    """A run that ends after its test would be written again, into the next test's empty history."""
    yield
    wait_until("the worker has ended all runs", lambda: not Run.objects.filter(finished=None, due=None).exists())


def submit(task: str, *args: object) -> Run:
    run = runs.submit(f"example.tasks.basic.{task}", list(args), owner="otto")
    relay_once()
    return run


def test_a_run_appears_by_itself_and_ends(operator: Page) -> None:
    operator.goto("/console/runs/")
    expect(operator.get_by_text("No runs yet")).to_be_visible()

    run = submit("add", 2, 3)

    expect(operator.locator(f"#r-{run.id}")).to_contain_text("succeeded")


def test_progress_moves(operator: Page) -> None:
    run = submit("wait", 6)
    operator.goto(f"/console/runs/{run.id}/")
    bar = operator.get_by_role("progressbar", name="Progress")
    expect(bar).to_be_visible()
    first = float(bar.get_attribute("value") or 0)

    moved = wait_until("the bar moves", lambda: float(bar.get_attribute("value") or 0) > first)

    assert moved
    expect(operator.locator("#run-top")).to_contain_text("succeeded")
    expect(operator.locator("#run-result")).to_contain_text("6")


def test_a_failed_run_shows_its_traceback_and_can_be_retried(operator: Page) -> None:
    run = submit("add", 2, "three")
    operator.goto(f"/console/runs/{run.id}/")
    expect(operator.locator("#run-error")).to_contain_text("must be a number")
    expect(operator.get_by_label("Traceback", exact=True)).to_contain_text("Traceback (most recent call last)")

    operator.get_by_role("button", name="Retry").click()

    operator.wait_for_url(re.compile(rf"/console/runs/(?!{run.id})"))
    expect(operator.get_by_role("status")).to_contain_text("This is the retry")
    again = wait_until("the retry is there", lambda: Run.objects.filter(retry_of=run.id).first())
    expect(operator.locator("#run-relatives")).to_contain_text("Retry of")
    assert AuditEntry.objects.get(action="retry").target == str(run.id), "the audit log does not name the run"
    assert str(again.id) in operator.url


def test_a_running_run_is_cancelled_after_a_confirmation(operator: Page) -> None:
    run = submit("wait", 120)
    operator.goto(f"/console/runs/{run.id}/")
    expect(operator.locator("#run-top")).to_contain_text("started")

    operator.get_by_role("button", name="Cancel").click()
    operator.get_by_role("dialog").get_by_role("button", name="Cancel the run").click()

    expect(operator.get_by_role("status")).to_contain_text("told to stop")
    expect(operator.locator("#run-top")).to_contain_text("cancelled")
    assert AuditEntry.objects.get(action="cancel").via == "console"


def test_all_that_a_search_finds_are_retried_after_a_confirmation_with_their_number(operator: Page) -> None:
    for _ in range(3):
        make_run("example.tasks.basic.add", State.FAILED, owner="otto", finished=ago(seconds=5))
    make_run("example.tasks.basic.add", State.SUCCEEDED, owner="otto", finished=ago(seconds=5))
    operator.goto("/console/runs/?q=state:failed")

    operator.get_by_role("button", name="Retry all found").click()
    operator.get_by_role("dialog").get_by_role("button", name="Retry 3 runs").click()

    expect(operator.get_by_role("status")).to_contain_text("Retried 3 runs.")
    assert Run.objects.filter(retry_of__isnull=False).count() == 3, "not those that were found"


def test_ticked_runs_are_cancelled_alone(operator: Page) -> None:
    first, second, third = [
        make_run(state=State.QUEUED, publish_after=ago(hours=-1), due=ago(hours=-1)) for _ in range(3)
    ]
    operator.goto("/console/runs/")
    for run in (first, third):
        operator.locator(f"#r-{run.id} input").check()

    operator.get_by_role("button", name="Cancel ticked").click()
    operator.get_by_role("dialog").get_by_role("button", name="Cancel 2 runs").click()

    expect(operator.locator(f"#r-{first.id}")).to_contain_text("cancelled")
    expect(operator.locator(f"#r-{third.id}")).to_contain_text("cancelled")
    expect(operator.locator(f"#r-{second.id}")).to_contain_text("scheduled")


def test_a_reader_sees_no_button_that_changes_something(open_as: OpenAs) -> None:
    run = make_run(state=State.FAILED, finished=ago(seconds=5))
    page = open_as("rita", "view_run")

    page.goto(f"/console/runs/{run.id}/")

    expect(page.get_by_role("heading", name="add")).to_be_visible()
    expect(page.get_by_role("button", name="Retry")).to_have_count(0)
