"""The console's pages, as its navigation names them."""

from collections.abc import Callable
from dataclasses import dataclass

from django.urls import reverse

from rowlock.runs.viewer import Viewer


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One page; `name` is that of its URL, and of its icon."""

    name: str
    title: str
    url: str


def _anybody(viewer: Viewer) -> bool:
    return True


def _sees_all(viewer: Viewer) -> bool:
    return viewer.sees_all


def _operates(viewer: Viewer) -> bool:
    return viewer.may_operate


_PAGES: tuple[tuple[str, str, Callable[[Viewer], bool]], ...] = (
    ("overview", "Overview", _anybody),
    ("runs", "Runs", _anybody),
    ("queues", "Queues", _sees_all),
    ("schedules", "Schedules", _sees_all),
    ("tasks", "Tasks", _anybody),
    ("audit", "Audit", _operates),
)


def navigation(viewer: Viewer | None) -> list[Entry]:
    """The pages that `viewer` may see."""
    return [
        Entry(name=name, title=title, url=reverse(f"rowlock-console:{name}"))
        for name, title, may_see in _PAGES
        if viewer is not None and may_see(viewer)
    ]
