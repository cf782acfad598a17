import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.test import Client
from playwright.sync_api import Browser, Page
from pytest_django import DjangoDbBlocker

from tests.browser.chromium import executable, running_browser
from tests.processes import running_worker
from tests.web.test_serving import Web, serving

# Playwright keeps an event loop in the thread of the tests, where Django would refuse to ask the database.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
_SAFE = {"DJANGO_ALLOW_ASYNC_UNSAFE": ""}

#: What a page may take to show what became true, in milliseconds; a busy machine needs it.
PATIENCE = 20_000

OpenAs = Callable[..., Page]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if executable() is None:
        pytest.skip("needs Chromium: apt-get install chromium, or name one in ROWLOCK_CHROMIUM")
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="session")
def web(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """The example as it is deployed, with one worker. It takes the sessions that tests make."""
    logs: Path = tmp_path_factory.mktemp("logs")
    with (
        django_db_blocker.unblock(),
        running_worker(logs / "worker", "--concurrency", "3", **_SAFE),
        serving(logs / "web", **_SAFE, SECRET_KEY=settings.SECRET_KEY) as web,
    ):
        yield web


@pytest.fixture
def open_as(browser: Browser, web: Web, transactional_db: None) -> Iterator[OpenAs]:
    """A tab of somebody with these permissions of rowlock's; what its page logs as an error fails the test."""
    contexts = []
    mistakes: list[str] = []

    def open_page(name: str, *permissions: str, **options: object) -> Page:
        user, _ = User.objects.get_or_create(username=name)
        user.user_permissions.set(
            Permission.objects.filter(content_type__app_label="rowlock", codename__in=permissions)
        )
        client = Client()
        client.force_login(user)
        address = f"http://127.0.0.1:{web.port}"
        context = browser.new_context(base_url=address, **options)  # type: ignore[arg-type]
        contexts.append(context)
        context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": address}])
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.on("console", lambda told: mistakes.append(told.text) if "Security Policy" in told.text else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not mistakes, f"pages had errors: {mistakes}"


@pytest.fixture
def operator(open_as: OpenAs) -> Page:
    """May do everything."""
    return open_as("otto", "operate_run", viewport={"width": 1280, "height": 900})
