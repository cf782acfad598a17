"""Seeds the database of the environment, starts web and two workers, and takes the pictures."""

import os
import tempfile
from pathlib import Path

import django

django.setup()
# Playwright keeps an event loop in this thread, where Django would refuse to ask the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

import history  # noqa: E402 - models exist only after Django is set up
from django.contrib.auth.models import User  # noqa: E402
from django.test import Client  # noqa: E402
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask  # noqa: E402
from PIL import Image  # noqa: E402
from playwright.sync_api import Page  # noqa: E402

from rowlock import runs  # noqa: E402
from rowlock.models import PausedQueue, Run, State  # noqa: E402
from rowlock.outbox.relay import relay_once  # noqa: E402
from tests.browser.chromium import running_browser  # noqa: E402
from tests.processes import running_worker, wait_until  # noqa: E402
from tests.web.test_serving import serving  # noqa: E402

OUT = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
SIZE = {"width": 1280, "height": 860}
_UNSAFE = {"DJANGO_ALLOW_ASYNC_UNSAFE": ""}


def main() -> None:
    history.make()
    User.objects.create_superuser("ada")
    _schedule()
    PausedQueue.objects.create(queue="report", by="grace", reason="the printer is out of paper")
    OUT.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Path(folder) / "web", **_UNSAFE) as web,
        running_worker(
            Path(folder) / "default",
            "--concurrency",
            "3",
            "--queues",
            "celery,email,text,page",
            ROWLOCK_POOL="default",
            **_UNSAFE,
        ),
        running_worker(
            Path(folder) / "heavy",
            "--concurrency",
            "2",
            "--queues",
            "image,report,model",
            ROWLOCK_POOL="heavy",
            **_UNSAFE,
        ),
    ):
        running = _submit()
        failed = Run.objects.filter(state=State.FAILED).order_by("-created").first()
        assert failed is not None
        pages = {
            "overview": "/console/",
            "runs": "/console/runs/",
            "search": "/console/runs/?q=state:failed",
            "run": f"/console/runs/{running.id}/",
            "failed": f"/console/runs/{failed.id}/",
            "queues": "/console/queues/",
            "schedules": "/console/schedules/",
            "tasks": "/console/tasks/",
        }
        _take(f"http://127.0.0.1:{web.port}", pages)


def _schedule() -> None:
    ten, _ = IntervalSchedule.objects.get_or_create(every=10, period="minutes")
    nightly, _ = CrontabSchedule.objects.get_or_create(minute="30", hour="3")
    weekdays, _ = CrontabSchedule.objects.get_or_create(minute="0", hour="8", day_of_week="1-5")
    PeriodicTask.objects.create(name="fetch-status", task="example.tasks.page.fetch", interval=ten)
    PeriodicTask.objects.create(name="delete-old-files", task="example.tasks.files.delete_old", crontab=nightly)
    PeriodicTask.objects.create(name="morning-report", task="example.tasks.report.summarise", crontab=weekdays)
    PeriodicTask.objects.create(name="retrain", task="example.tasks.model.train", crontab=nightly, enabled=False)


def _submit() -> Run:
    """Real tasks, of which some still run when the pictures are taken; returns one of those."""
    for number in range(4):
        runs.submit("example.tasks.basic.add", [number, 40], owner="shop")
    runs.submit("example.tasks.basic.flaky", [2], owner="grace")
    runs.submit("example.tasks.basic.add", [1, "two"], owner="grace")
    waiting = runs.submit("example.tasks.basic.wait", [240], owner="ada", key="nightly-import")
    runs.submit("example.tasks.basic.wait", [180], owner="shop")
    for _ in range(2):
        runs.submit("example.tasks.model.train", [5], owner="ada")
    relay_once()
    wait_until(
        "a run has come some way",
        lambda: Run.objects.filter(id=waiting.id, state=State.STARTED, progress_done__gt=12).exists(),
    )
    return waiting


def _take(base: str, pages: dict[str, str]) -> None:
    client = Client()
    client.force_login(User.objects.get(username="ada"))
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": base}
    with running_browser() as browser:
        for scheme in ("light", "dark"):
            context = browser.new_context(base_url=base, viewport=SIZE, color_scheme=scheme)  # type: ignore[arg-type]
            context.add_cookies([cookie])  # type: ignore[list-item]
            page = context.new_page()
            for name, path in pages.items():
                page.goto(path)
                _settle(page)
                _save(page.screenshot(), OUT / f"{name}-{scheme}.png")
            context.close()


def _settle(page: Page) -> None:
    # Not by wait_for_function, which compiles a script in the page: its policy forbids that.
    if page.locator("#live:visible").count():
        page.locator("#live[data-state=live], #live[data-state=polling]").wait_for()


def _save(picture: bytes, path: Path) -> None:
    path.write_bytes(picture)
    # A page has few colours: a palette keeps them, at a third of the size.
    with Image.open(path) as image:
        image.convert("RGB").quantize(255, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
