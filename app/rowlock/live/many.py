"""The live view of the runs that a query finds."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from rowlock.live.feed import Batch, Feed
from rowlock.live.messages import Message, dumps, joined, message
from rowlock.live.threads import in_database
from rowlock.live.view import NEVER, View
from rowlock.models import Run
from rowlock.runs.presentation import HEAVY_COLUMNS, summary
from rowlock.runs.query import Query
from rowlock.runs.search import find
from rowlock.runs.viewer import Viewer, visible

#: Runs of which a view remembers that it told them. After more of them it names all that changed and do not match as
#: having left, which a client that never heard of them ignores.
REMEMBERED = 1000
#: With more changes than this a client that comes back gets a snapshot.
MOST_RESUMED = 1000


@dataclass(frozen=True, kw_only=True)
class _Row:
    run_id: UUID
    changed: datetime
    text: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class ManyRuns:
    """The subject `q=query`: at first the `limit` newest, then every one that changes."""

    query: Query
    limit: int

    async def check(self, viewer: Viewer) -> None:
        """Whoever may log in may see a list, if only an empty one."""

    def open(self, feed: Feed, viewer: Viewer) -> View:
        return _View(self, feed, viewer)


class _View:
    def __init__(self, subject: ManyRuns, feed: Feed, viewer: Viewer) -> None:
        self._query = subject.query
        self._limit = subject.limit
        self._feed = feed
        self._viewer = viewer
        self._scope = None if viewer.sees_all else viewer.name
        self._told: dict[UUID, tuple[datetime, int]] = {}
        self._has_forgotten = False

    async def snapshot(self, token: datetime) -> Message:
        # Whoever stands at the same place may see the same; what was asked before that may be older.
        key = ("newest", self._feed.last, self._query.text, self._scope, self._limit)
        rows, cursor = await self._feed.answers.once(key, lambda: in_database(self._newest))
        self._told = {}
        self._has_forgotten = False
        self._remember(rows)
        return message("snapshot", token, runs=joined(row.text for row in rows), next=dumps(cursor))

    async def resume(self, since: datetime, token: datetime) -> Message | None:
        changed = await in_database(lambda: self._changed_since(since))
        if changed is None:
            return None
        ids, rows = changed
        self._has_forgotten = True
        self._remember(rows)
        return _delta(rows, ids - {row.run_id for row in rows}, token)

    async def delta(self, batch: Batch) -> Message | None:
        key = ("rows", self._query.text, self._scope)
        rows = await batch.once(key, lambda: self._matching(batch.ids), self._feed.thread)
        left = batch.ids - {row.run_id for row in rows}
        if self._has_forgotten:
            left = await batch.once(("ids", self._scope), lambda: self._visible(batch.ids), self._feed.thread) & left
        else:
            left &= self._told.keys()
        rows = tuple(row for row in rows if self._is_news(row))
        for run_id in left:
            self._told.pop(run_id, None)
        self._remember(rows)
        return _delta(rows, left, batch.token) if rows or left else None

    def due(self) -> float:
        return NEVER

    async def tick(self, token: datetime) -> Message | None:
        return None

    def _is_news(self, row: _Row) -> bool:
        # A snapshot may be newer than what was read for others a moment before.
        changed, text = self._told.get(row.run_id, (row.changed, 0))
        return row.changed >= changed and hash(row.text) != text

    def _remember(self, rows: Iterable[_Row]) -> None:
        for row in rows:
            self._told.pop(row.run_id, None)
            self._told[row.run_id] = (row.changed, hash(row.text))
        while len(self._told) > REMEMBERED:
            del self._told[next(iter(self._told))]
            self._has_forgotten = True

    def _newest(self) -> tuple[list[_Row], str | None]:
        found = find(self._query, self._viewer, cursor=None, limit=self._limit)
        return [_row(run) for run in found.runs], found.next

    def _changed_since(self, since: datetime) -> tuple[frozenset[UUID], tuple[_Row, ...]] | None:
        changed = visible(Run.objects.filter(changed__gte=since), self._viewer).order_by("-changed")
        ids = frozenset(changed.values_list("id", flat=True)[: MOST_RESUMED + 1])
        return None if len(ids) > MOST_RESUMED else (ids, self._matching(ids))

    def _matching(self, ids: frozenset[UUID]) -> tuple[_Row, ...]:
        runs = self._query.filter(visible(Run.objects.filter(id__in=ids), self._viewer))
        return tuple(_row(run) for run in runs.order_by("created", "id").defer(*HEAVY_COLUMNS))

    def _visible(self, ids: frozenset[UUID]) -> frozenset[UUID]:
        if self._viewer.sees_all:
            return ids
        return frozenset(visible(Run.objects.filter(id__in=ids), self._viewer).values_list("id", flat=True))


def _row(run: Run) -> _Row:
    return _Row(run_id=run.id, changed=run.changed, text=dumps(summary(run)))


def _delta(rows: Iterable[_Row], left: Iterable[UUID], token: datetime) -> Message:
    texts = joined(row.text for row in rows)
    return message("delta", token, runs=texts, left=dumps(sorted(str(run_id) for run_id in left)))
