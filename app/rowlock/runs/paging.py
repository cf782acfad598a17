"""Lists in pages, newest first, that stay where they are while runs are added."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from rowlock.models import Run
from rowlock.runs.errors import QueryError
from rowlock.runs.presentation import HEAVY_COLUMNS

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_BYTES = 8
_CURSOR = re.compile(r"[A-Za-z0-9_-]{32}")


@dataclass(frozen=True, kw_only=True)
class Page:
    """Some runs without their heavy columns, and the cursor of the next page; None when this is the last one."""

    runs: list[Run]
    next: str | None
    #: Where a search was given up for this page though it is not full: it has looked at what was accepted since then,
    #: and `next` goes on with what is older. None where nothing was left out.
    searched_until: datetime | None = None


def page(queryset: QuerySet[Run], *, cursor: str | None, limit: int) -> Page:
    """The first `limit` runs of `queryset` after `cursor`; raises QueryError on a cursor that is none."""
    if limit < 1:
        raise QueryError(f"A page has at least 1 run, not {limit}.")
    ordered = queryset.order_by("-created", "-id").defer(*HEAVY_COLUMNS)
    if cursor:
        ordered = ordered.filter(position_filter(cursor))
    found = list(ordered[: limit + 1])
    more = len(found) > limit
    return Page(runs=found[:limit], next=cursor_at(found[limit - 1].created, found[limit - 1].id) if more else None)


def position_filter(cursor: str) -> Q:
    """What comes after `cursor`; raises QueryError on a cursor that is none."""
    created, run_id = _position(cursor)
    # The first condition alone bounds the index; the second breaks ties.
    return Q(created__lte=created) & (Q(created__lt=created) | Q(id__lt=run_id))


def cursor_at(created: datetime, run_id: UUID) -> str:
    """The cursor of what comes after such a run."""
    microseconds = (created - _EPOCH) // timedelta(microseconds=1)
    return urlsafe_b64encode(microseconds.to_bytes(_TIME_BYTES) + run_id.bytes).decode()


def _position(cursor: str) -> tuple[datetime, UUID]:
    data = urlsafe_b64decode(cursor) if _CURSOR.fullmatch(cursor) else b""
    try:
        created = _EPOCH + timedelta(microseconds=int.from_bytes(data[:_TIME_BYTES]))
        return created, UUID(bytes=data[_TIME_BYTES:])
    except (ValueError, OverflowError) as error:
        raise QueryError(
            "The cursor is not one that a page gave; leave it out to begin with the newest runs."
        ) from error
