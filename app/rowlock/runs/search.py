"""Lists of what a query finds, for which the database never has to read more than a page is worth.

Every list is ordered by when runs were accepted, and Postgres reads it by one of the indexes that end with that. Left
to itself, it chooses by how many runs it expects to match, which is wrong for values that are rare or only old: then it
reads a million runs to find that there is none. So here it is told from where to where to read: a page looks at no more
than `MOST` runs, and where that is not enough to fill it, it says so and goes on with the next cursor.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

from django.db import connections, transaction
from django.db.models import QuerySet

from rowlock.models import Run
from rowlock.runs.errors import QueryError
from rowlock.runs.paging import Page, cursor_at, page, position_filter
from rowlock.runs.presentation import HEAVY_COLUMNS
from rowlock.runs.query import Query
from rowlock.runs.query.facts import Facts
from rowlock.runs.query.match import Match, Way, of_column
from rowlock.runs.viewer import Viewer, visible

#: Runs that one page looks at, of those that an index leads to: comparing them takes Postgres 10 to 30 ms.
MOST = 30_000
#: The same where texts are compared, which takes several times as long.
MOST_TEXTS = 10_000
#: A condition with more values than this is not looked up value by value.
MOST_VALUES = 100


def find(query: Query, viewer: Viewer, *, cursor: str | None, limit: int) -> Page:
    """A page of the runs that `query` finds and `viewer` may see, newest first; raises QueryError on a wrong cursor.

    A page may have fewer than `limit` runs and a `next` all the same: see `Page.searched_until`.
    """
    if limit < 1:
        raise QueryError(f"A page has at least 1 run, not {limit}.")
    runs = visible(Run.objects.all(), viewer)
    if connections[runs.db].vendor != "postgresql":
        return page(query.filter(runs), cursor=cursor, limit=limit)
    facts = Facts(runs.db)
    matches = query.matches(facts)
    if not viewer.sees_all:
        # First, because it is most likely to lead to few.
        matches.insert(0, of_column("owner", [viewer.name]))
    times = [match.q for match in matches if match.way is Way.TIME]
    search = _Search(
        among=Run.objects.filter(*times, *([position_filter(cursor)] if cursor else [])),
        matches=[match for match in matches if match.way is not Way.TIME],
        limit=limit,
    )
    return search.page()


@contextmanager
def _without_whole_reads(database: str) -> Iterator[None]:
    """Has Postgres use the indexes of texts also where it expects to find so much that reading all seems cheaper."""
    with transaction.atomic(using=database), connections[database].cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan TO off")
        yield
        # The transaction may be one of whoever asks, and go on.
        cursor.execute("SET LOCAL enable_seqscan TO DEFAULT")


class _Search:
    def __init__(self, *, among: QuerySet[Run], matches: Sequence[Match], limit: int) -> None:
        self._among = among
        self._matches = matches
        self._limit = limit
        self._most = MOST_TEXTS if any(match.is_slow for match in matches) else MOST
        self._found = among.filter(*(match.q for match in matches))

    def page(self) -> Page:
        columns = [m for m in self._matches if m.way in (Way.COLUMN, Way.AMONG_COLUMN) and len(m.values) <= MOST_VALUES]
        if any(not match.values for match in columns):
            return Page(runs=[], next=None)
        ways = [match.way for match in self._matches]
        if not self._matches or Way.FEW in ways:
            return page(self._found, cursor=None, limit=self._limit)
        if Way.TEXT in ways:
            return self._by_text()
        if ways == [Way.COLUMN] and columns:
            return self._page(self._by_column(columns[0], since=None), since=None)
        if columns:
            return self._within_column(columns)
        since = self._end_of(self._among, self._most)
        return self._page(self._newest(self._found, since), since)

    def _by_text(self) -> Page:
        """What is found often is found among the newest runs; the index of texts is for the rest."""
        since = self._end_of(self._among, self._most)
        ids = self._newest(self._found, since)
        if since is not None and len(ids) <= self._limit:
            q = [match.indexed() if match.indexed else match.q for match in self._matches]
            with _without_whole_reads(self._among.db):
                ids = self._newest(self._among.filter(*q), None)
        return self._page(ids, None)

    def _within_column(self, columns: Sequence[Match]) -> Page:
        """By the column that leads furthest into the past with the same number of runs."""
        ends: list[tuple[datetime, Match]] = []
        for match in columns:
            end = self._end_of_column(match, self._most // len(columns))
            if end is None:
                return self._page(self._by_column(match, since=None), since=None)
            ends.append((end, match))
        since, best = min(ends, key=lambda one: one[0])
        return self._page(self._by_column(best, since=since), since=since)

    def _end_of_column(self, match: Match, most: int) -> datetime | None:
        """The time down to which about `most` runs have one of its values."""
        among = self._among.filter(match.within)
        each = max(1, most // len(match.values))
        ends = [self._end_of(among.filter(**{match.column: value}), each) for value in match.values]
        return max((end for end in ends if end is not None), default=None)

    def _end_of(self, runs: QuerySet[Run], most: int) -> datetime | None:
        """The time down to which there are `most` of `runs`; None where there are fewer."""
        return runs.order_by("-created", "-id").values_list("created", flat=True)[most : most + 1].first()

    def _by_column(self, match: Match, since: datetime | None) -> list[UUID]:
        """The newest of each value, and the newest of those: Postgres reads no index in order for several values."""
        found = self._found if since is None else self._found.filter(created__gte=since)
        each = [
            found.filter(**{match.column: value}).order_by("-created", "-id").values_list("created", "id")
            for value in match.values
        ]
        parts = [part[: self._limit + 1] for part in each]
        union = parts[0] if len(parts) == 1 else parts[0].union(*parts[1:], all=True)
        newest = sorted(union, reverse=True)
        return [run_id for _, run_id in newest[: self._limit + 1]]

    def _newest(self, runs: QuerySet[Run], since: datetime | None) -> list[UUID]:
        if since is not None:
            runs = runs.filter(created__gte=since)
        return list(runs.order_by("-created", "-id").values_list("id", flat=True)[: self._limit + 1])

    def _page(self, ids: Sequence[UUID], since: datetime | None) -> Page:
        found = list(Run.objects.filter(id__in=ids).order_by("-created", "-id").defer(*HEAVY_COLUMNS)) if ids else []
        if len(ids) > self._limit:
            runs = found[: self._limit]
            # One may have been deleted just now.
            return Page(runs=runs, next=cursor_at(runs[-1].created, runs[-1].id) if runs else None)
        if since is None:
            return Page(runs=found, next=None)
        return Page(runs=found, next=cursor_at(since, UUID(int=0)), searched_until=since)
