"""The browser of these tests and of the README's pictures."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

#: It may be run by root in a container, and asks nobody on the internet for anything.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
)


def executable() -> str | None:
    """ROWLOCK_CHROMIUM, else Chromium or Chrome on PATH, else the one that Playwright has; None for none of them."""
    if named := os.environ.get("ROWLOCK_CHROMIUM"):
        return named
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


@contextmanager
def running_browser() -> Iterator[Browser]:
    """A browser without a window; raises LookupError where there is none."""
    path = executable()
    if path is None:
        raise LookupError(
            "There is no Chromium. Install Debian's (apt-get install chromium), name one in ROWLOCK_CHROMIUM, or run "
            "`playwright install chromium`."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            browser.close()
