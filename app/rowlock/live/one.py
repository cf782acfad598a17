"""The live view of one run."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rowlock.live.feed import Batch, Feed
from rowlock.live.messages import Code, EndedError, Message, dumps, message
from rowlock.live.threads import in_database
from rowlock.live.view import NEVER, View
from rowlock.models import Run
from rowlock.runs.presentation import detail
from rowlock.runs.viewer import Viewer, visible


@dataclass(frozen=True, kw_only=True)
class OneRun:
    """The subject `run=ID`."""

    run_id: UUID

    async def check(self, viewer: Viewer) -> None:
        if not await in_database(visible(Run.objects.filter(id=self.run_id), viewer).exists):
            raise self._missing()

    def open(self, feed: Feed, viewer: Viewer) -> View:
        return _View(self, feed, viewer)

    async def read(self, viewer: Viewer) -> Run:
        run = await in_database(visible(Run.objects.filter(id=self.run_id), viewer).first)
        if run is None:
            raise self._missing()
        return run

    def _missing(self) -> EndedError:
        return EndedError(Code.NOT_FOUND, f"There is no run {self.run_id} that you may see.")


class _View:
    def __init__(self, subject: OneRun, feed: Feed, viewer: Viewer) -> None:
        self._subject = subject
        self._feed = feed
        self._viewer = viewer

    async def snapshot(self, token: datetime) -> Message:
        return message("snapshot", token, run=dumps(detail(await self._subject.read(self._viewer))))

    async def resume(self, since: datetime, token: datetime) -> Message | None:
        return None

    async def delta(self, batch: Batch) -> Message | None:
        run_id = self._subject.run_id
        if run_id not in batch.ids:
            return None
        # May they see it? They did, and its owner never changes.
        text = await batch.once(run_id, lambda: _without_arguments(run_id), self._feed.thread)
        return None if text is None else message("delta", batch.token, run=text)

    def due(self) -> float:
        return NEVER

    async def tick(self, token: datetime) -> Message | None:
        return None


def _without_arguments(run_id: UUID) -> str | None:
    run = Run.objects.filter(id=run_id).first()
    if run is None:
        return None
    # They never change, and may be large.
    return dumps({name: value for name, value in detail(run).items() if name not in ("args", "kwargs")})
