"""Searching runs in the console, also without a mouse."""

import pytest
from playwright.sync_api import Page, expect

from rowlock.models import State
from tests.browser.conftest import PATIENCE
from tests.runs.factory import make_run

pytestmark = pytest.mark.django_db(transaction=True)
expect.set_options(timeout=PATIENCE)


def test_a_query_is_completed_by_the_keyboard_and_is_in_the_address(operator: Page) -> None:
    failed, succeeded = make_run(state=State.FAILED), make_run(state=State.SUCCEEDED)
    operator.goto("/console/runs/")
    operator.keyboard.press("/")
    field = operator.get_by_role("combobox", name="Search runs")
    expect(field).to_be_focused()

    for typed in ("sta", "fai"):
        operator.keyboard.type(typed)
        expect(operator.get_by_role("option").first).to_contain_text(typed)
        operator.keyboard.press("ArrowDown")
        operator.keyboard.press("Enter")
    expect(field).to_have_value("state:failed ")
    operator.keyboard.press("Enter")

    operator.wait_for_url("**/console/runs/?q=state*")
    expect(operator.locator(f"#r-{failed.id}")).to_be_visible()
    expect(operator.locator(f"#r-{succeeded.id}")).to_have_count(0)


def test_values_are_completed_from_what_there_is(operator: Page) -> None:
    operator.goto("/console/runs/")

    operator.get_by_role("combobox").press_sequentially("task:flak")

    expect(operator.get_by_role("option")).to_have_text("example.tasks.basic.flaky")


def test_a_mistake_is_told_beside_the_field(operator: Page) -> None:
    operator.goto("/console/runs/")

    operator.get_by_role("combobox").fill("state:faild")
    operator.keyboard.press("Enter")

    expect(operator.get_by_role("alert")).to_contain_text("did you mean failed?")
    expect(operator.get_by_role("combobox")).to_have_attribute("aria-invalid", "true")


def test_the_keyboard_alone_reaches_a_run_and_a_dialog(operator: Page) -> None:
    run = make_run(state=State.STARTED, owner="otto")
    operator.goto("/console/runs/")
    link = operator.locator(f"#r-{run.id} a")

    for _ in range(40):
        operator.keyboard.press("Tab")
        if link.evaluate("link => link === document.activeElement"):
            break
    operator.keyboard.press("Enter")
    operator.wait_for_url(f"**/{run.id}/")
    operator.get_by_role("button", name="Cancel").focus()
    operator.keyboard.press("Enter")

    dialog = operator.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Back")).to_be_focused()
    operator.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(operator.get_by_role("button", name="Cancel")).to_be_focused()
