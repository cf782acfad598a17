"""Which runs have changed since the last time, each change at least once, however late it became visible."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from rowlock.live import order
from rowlock.models import Run

#: More changed runs than this in one look are not listed: who shows runs reads them anew.
MOST_CHANGES = 5000
#: Rows that one look reads at the most, those among them that were seen before.
MOST_ROWS = 20_000
#: A time may come twice while it is this young: SQLite's has milliseconds.
YOUNG = timedelta(milliseconds=20)

_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class News:
    """The ids of runs that changed, oldest change first; or `too_many` to list.

    Whoever knows everything up to this news misses nothing by asking for changes since `horizon`.
    """

    ids: tuple[UUID, ...] = ()
    too_many: bool = False
    horizon: datetime


class Changes:
    """A reader of changes. It keeps the times of recent ones, because it reads those again and again."""

    def __init__(self) -> None:
        self._seen: dict[UUID, datetime] = {}
        self._last: order.Moment | None = None
        self._newest = _LONG_AGO
        #: Everything up to here was too much to list, and is left out once it has been told.
        self._given_up = _LONG_AGO
        self._tell_again: datetime | None = None

    def look(self) -> News:
        """Read once; the first time there is no news, only a beginning."""
        now = order.moment()
        rows = self._rows_since(self._floor(now))
        fresh = [run_id for run_id, changed in reversed(rows) if self._seen.get(run_id) != changed]
        is_first, self._last = self._last is None, now
        if rows:
            self._newest = max(self._newest, rows[0][1])
        flooded = len(rows) > MOST_ROWS
        if flooded:
            # Reading them again at every look would cost more than they are worth. One more time, when the last of
            # them must be visible, everybody begins anew.
            self._given_up, self._tell_again = self._newest, now.now + order.overlap()
            self._seen = {}
        else:
            self._remember(rows, now)
        late = self._tell_again is not None and now.now >= self._tell_again and not flooded
        if late:
            self._tell_again = None
        horizon = self._horizon()
        if is_first:
            return News(horizon=horizon)
        if flooded or late or len(fresh) > MOST_CHANGES:
            return News(too_many=True, horizon=horizon)
        return News(ids=tuple(fresh), horizon=horizon)

    def _rows_since(self, floor: datetime) -> list[tuple[UUID, datetime]]:
        rows = Run.objects.filter(changed__gt=floor).order_by("-changed").values_list("id", "changed")
        return list(rows[: MOST_ROWS + 1])

    def _floor(self, now: order.Moment) -> datetime:
        if self._last is None:
            self._newest = Run.objects.order_by("-changed").values_list("changed", flat=True).first() or _LONG_AGO
            return (now.now if order.goes_by_clock() else self._newest) - order.overlap()
        floor = max(self._bound() - order.overlap(), self._given_up)
        ended = [start for transaction, start in self._last.writing.items() if transaction not in now.writing]
        return min([floor, *(start - order.overlap() for start in ended)])

    def _bound(self) -> datetime:
        assert self._last is not None
        return self._last.now if order.goes_by_clock() else min(self._last.now, self._newest)

    def _horizon(self) -> datetime:
        assert self._last is not None
        return min([self._bound(), *self._last.writing.values()]) - order.overlap()

    def _remember(self, rows: list[tuple[UUID, datetime]], now: order.Moment) -> None:
        horizon, young = self._horizon(), now.now - YOUNG
        kept = [*self._seen.items(), *((run_id, changed) for run_id, changed in reversed(rows) if changed < young)]
        # Forgetting some that a long transaction may bring back only tells a change twice.
        self._seen = {run_id: changed for run_id, changed in kept[-MOST_ROWS:] if changed >= horizon}
