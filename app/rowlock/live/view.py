"""What all kinds of live views have in common."""

from datetime import datetime
from typing import Protocol

from rowlock.live.feed import Batch, Feed
from rowlock.live.messages import Message
from rowlock.runs.viewer import Viewer

NEVER = float("inf")


class View(Protocol):
    """One client's view. What it remembers is bounded, whatever the client reads."""

    async def snapshot(self, token: datetime) -> Message:
        """Everything, as it is now."""

    async def resume(self, since: datetime, token: datetime) -> Message | None:
        """What has changed since the client was here last; None where only a snapshot can tell."""

    async def delta(self, batch: Batch) -> Message | None:
        """What `batch` changes in the view, if anything."""

    def due(self) -> float:
        """When, by the event loop's clock, `tick` wants to be asked without a change; NEVER for no such time."""

    async def tick(self, token: datetime) -> Message | None:
        """What has changed with time."""


class Subject(Protocol):
    """What a client asked to see."""

    async def check(self, viewer: Viewer) -> None:
        """Raises EndedError where `viewer` cannot have a view of it."""

    def open(self, feed: Feed, viewer: Viewer) -> View:
        """A view that has told nothing yet."""
