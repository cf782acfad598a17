"""Queues, schedules, tasks and the audit log in the console."""

import re
from uuid import uuid4

import pytest
from axe_playwright_python.sync_playwright import Axe
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import Locator, Page, expect

from rowlock import audit, runs
from rowlock.models import AuditEntry, PausedQueue, Run, State
from tests.beat.making import every
from tests.browser.conftest import PATIENCE, OpenAs
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)
expect.set_options(timeout=PATIENCE)

QUEUE = "report"


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def test_a_queue_is_paused_with_a_reason_and_resumed(operator: Page) -> None:
    operator.goto("/console/queues/")
    row = operator.locator(f"#queue-{QUEUE}")

    row.get_by_role("link", name=f"Pause {QUEUE}").click()
    dialog(operator).get_by_label("Why").fill("the printer burns")
    dialog(operator).get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("the printer burns")
    assert PausedQueue.objects.get().by == "otto"

    row.get_by_role("button", name=f"Resume {QUEUE}").click()
    expect(row.get_by_role("link", name=f"Pause {QUEUE}")).to_be_visible()
    assert not PausedQueue.objects.exists()


def test_a_queue_is_purged_after_a_confirmation_with_the_number_of_messages(operator: Page) -> None:
    queue = f"left-{uuid4().hex[:8]}"
    runs.submit_many(
        runs.Submission(task="example.tasks.basic.add", args=[1, number], queue=queue) for number in range(3)
    )
    operator.goto("/console/queues/")

    operator.get_by_role("link", name=f"Purge {queue}").click()
    dialog(operator).get_by_role("button", name="Purge 3 messages").click()

    expect(operator.get_by_role("status")).to_contain_text("3 runs were cancelled")
    assert Run.objects.filter(state=State.CANCELLED).count() == 3, "purged messages left their runs waiting"


def test_a_schedule_is_edited_with_a_preview(operator: Page) -> None:
    task = every(10)
    operator.goto("/console/schedules/")
    operator.get_by_role("link", name=f"Edit {task.name}").click()

    operator.get_by_label("At times of the clock and calendar").check()
    operator.get_by_label("Minute", exact=True).fill("0")
    operator.get_by_label("Hour", exact=True).fill("3")
    operator.get_by_label("Day of week").fill("mon-fri")
    expect(operator.locator("#preview")).to_contain_text("at 03:00 on weekdays")
    expect(operator.locator("#preview li")).to_have_count(5)
    operator.get_by_role("button", name="Save").click()

    expect(operator.locator(f"#schedule-{task.pk}")).to_contain_text("at 03:00 on weekdays")
    assert PeriodicTask.objects.get().crontab.hour == "3"


def test_a_mistake_in_a_schedule_is_said_beside_its_field(operator: Page) -> None:
    task = every(10)
    operator.goto(f"/console/schedules/{task.pk}/")

    operator.get_by_label("Arguments by place").fill("[1,")
    operator.get_by_role("button", name="Save").click()

    expect(operator.get_by_role("alert")).to_contain_text("Not saved yet")
    expect(operator.get_by_label("Arguments by place")).to_have_accessible_description(re.compile("This is not JSON"))


def test_a_schedule_is_switched_off_in_its_row(operator: Page) -> None:
    task = every(10)
    operator.goto("/console/schedules/")
    switch = operator.get_by_role("switch", name=task.name)
    expect(switch).to_be_checked()

    switch.click()

    expect(switch).not_to_be_checked()
    assert not PeriodicTask.objects.get().enabled


def test_a_schedule_is_run_now(operator: Page) -> None:
    task = every(10, enabled=False)
    operator.goto("/console/schedules/")

    operator.get_by_role("button", name=f"Run {task.name} now").click()

    operator.wait_for_url(re.compile("/console/runs/"))
    expect(operator.locator("#run-top")).to_contain_text("succeeded")
    assert Run.objects.get().owner == "otto"


def test_a_task_is_run_by_its_form(operator: Page) -> None:
    operator.goto("/console/tasks/example.tasks.basic.add/")
    operator.locator("#arg-y").fill("3")
    operator.get_by_role("button", name="Run").click()
    expect(operator.locator("#arg-x")).to_have_accessible_description(re.compile("Give a number"))

    operator.locator("#arg-x").fill("2")
    operator.get_by_role("button", name="Run").click()

    operator.wait_for_url(re.compile("/console/runs/"))
    expect(operator.locator("#run-result")).to_contain_text("5")


def test_the_audit_log_tells_what_was_done_and_is_filtered(operator: Page) -> None:
    task = every(10)
    audit.record(actor="ada", action="pause", kind="queue", target="email", via="cli")
    operator.goto("/console/schedules/")
    operator.get_by_role("switch", name=task.name).click()
    wait_until("it is on record", lambda: AuditEntry.objects.filter(action="disable").exists())

    operator.goto("/console/audit/")
    expect(operator.locator("#audit")).to_contain_text("ada")
    operator.get_by_label("Who").fill("otto")
    operator.get_by_role("button", name="Filter").click()

    expect(operator.locator("#audit")).to_contain_text("disable")
    expect(operator.locator("#audit")).not_to_contain_text("ada")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_one_thing_are_accessible_and_fit_a_phone(open_as: OpenAs, scheme: str) -> None:
    task = every(10)
    page = open_as("otto", "operate_run", viewport={"width": 360, "height": 740}, color_scheme=scheme)
    found = {}
    for address in (
        f"queues/{QUEUE}/",
        "dead-letters/",
        f"queues/{QUEUE}/pause/",
        f"schedules/{task.pk}/",
        "schedules/new/",
        "tasks/example.tasks.basic.count/",
        "tasks/example.tasks.basic.count/?mode=json",
        "login/",
        "queues/nope/",
    ):
        page.goto(f"/console/{address}")
        if page.evaluate("document.documentElement.scrollWidth") > 360:
            found[address] = "is wider than a phone"
        results = Axe().run(page)
        if results.violations_count:
            found[address] = results.generate_report()

    assert not found, "\n".join(f"{address}: {report}" for address, report in found.items())
