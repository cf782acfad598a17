"""Every page of the console: accessible in light and dark, and as wide as a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from rowlock.models import State
from tests.browser.conftest import PATIENCE, OpenAs
from tests.runs.factory import ago, make_run

pytestmark = pytest.mark.django_db(transaction=True)
expect.set_options(timeout=PATIENCE)

PAGES = ("", "runs/", "runs/?q=state:faild", "queues/", "schedules/", "tasks/", "audit/")


def everything() -> list[str]:
    """Something on every page; returns their addresses."""
    failed = make_run(
        state=State.FAILED,
        owner="otto",
        started=ago(seconds=20),
        finished=ago(seconds=9),
        error_type="builtins.ValueError",
        error_message="no such thing",
        traceback="Traceback (most recent call last):\n" + "  File x\n" * 40,
    )
    running = make_run(state=State.STARTED, started=ago(seconds=9), progress_done=3, progress_total=10)
    make_run(state=State.SUCCEEDED, retry_of=failed.id, started=ago(seconds=8), finished=ago(seconds=7), result="[1]")
    make_run(state=State.QUEUED, due=ago(hours=-1))
    return [f"/console/{page}" for page in (*PAGES, f"runs/{failed.id}/", f"runs/{running.id}/")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible(open_as: OpenAs, scheme: str) -> None:
    page = open_as("otto", "operate_run", viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    axe = Axe()
    found = {}
    for address in everything():
        page.goto(address)
        assert page.url.endswith(address), f"{address} led to {page.url}"
        page.evaluate("document.getAnimations().forEach((animation) => animation.finish())")
        results = axe.run(page)
        if results.violations_count:
            found[address] = results.generate_report()

    assert not found, "\n".join(f"{address}: {report}" for address, report in found.items())


def test_every_page_fits_a_phone(open_as: OpenAs) -> None:
    page = open_as("otto", "operate_run", viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    widths = {}
    for address in everything():
        page.goto(address)
        widths[address] = page.evaluate("document.documentElement.scrollWidth")

    too_wide = {address: width for address, width in widths.items() if width > 360}
    assert not too_wide, f"pages are wider than a phone: {too_wide}"


def test_the_colours_are_the_systems_until_somebody_chooses_and_are_remembered(open_as: OpenAs) -> None:
    page = open_as("otto", "operate_run", color_scheme="dark")
    page.goto("/console/runs/")
    dark = background(page)

    page.get_by_title("Switch between the system's colours, light and dark").click()
    light = background(page)
    page.reload()

    assert dark != light, "the colours did not change"
    assert background(page) == light, "the choice was forgotten"


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))
