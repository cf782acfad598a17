"""The first page: how everything is, and what needs attention."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import NoReverseMatch, reverse

from rowlock import statistics
from rowlock.broker.topology import DEAD_QUEUE
from rowlock.console import words
from rowlock.console.access import ConsoleRequest, page
from rowlock.console.plots import Series
from rowlock.console.rendering import render_fragment, render_page
from rowlock.live.counts import count
from rowlock.models import FINAL, UNFINISHED, PausedQueue
from rowlock.outbox.backlog import waiting
from rowlock.queues.depths import Depth, depths
from rowlock.queues.pausing import paused_queues
from rowlock.runs import registry
from rowlock.statistics import Activity, Period, Sampled
from rowlock.workers.presence import Present, list_workers

#: Seconds that what is due may wait to be published before it is told.
OUTBOX_LAG = 15.0
#: Queues that the plot of depths shows, the deepest ones; tasks that the table shows, the busiest ones.
MOST_QUEUES = 5
MOST_TASKS = 6


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that needs attention, and where something can be done about it."""

    kind: Literal["bad", "warn"]
    title: str
    text: str
    url: str = ""
    label: str = ""

    @property
    def id(self) -> str:
        return "notice-" + "-".join(word for word in self.title.lower().split() if word.isalpha())


@dataclass(frozen=True, kw_only=True)
class Count:
    """How many runs are in a state; `hour` says that only those of the last hour are counted."""

    state: str
    number: int
    url: str


@dataclass(frozen=True, kw_only=True)
class QueueRow:
    """A queue now: `depth` is None where the broker does not answer."""

    name: str
    depth: Depth | None
    paused: PausedQueue | None
    history: Sequence[float | None]
    url: str


@page
def overview(request: ConsoleRequest) -> HttpResponse:
    """`part=overview` is all that changes of it."""
    context = {"counts": _counts(request), "periods": _periods(request), **_everybodys(request)}
    if request.GET.get("part") == "overview":
        return render_fragment(request, "rowlock/console/parts/overview.html", **context)
    return render_page(request, "rowlock/console/overview.html", here="overview", **context)


def _counts(request: ConsoleRequest) -> dict[str, list[Count]]:
    numbers = count(request.viewer)
    waiting = ("scheduled", *(state.label for state in UNFINISHED))
    now = dict(numbers["counts"])
    # What is scheduled is queued too.
    now["queued"] -= now["scheduled"]
    ended = [state.label for state in reversed(FINAL)]
    return {
        "now": [Count(state=state, number=now[state], url=_runs(f"state:{state}")) for state in waiting],
        "hour": [
            Count(state=state, number=numbers["last_hour"][state], url=_runs(f"state:{state} since:1h"))
            for state in ended
        ],
    }


def _everybodys(request: ConsoleRequest) -> dict[str, Any]:
    """What is of all runs, and shown only to who may see them all."""
    if not request.viewer.sees_all:
        return {}
    period = _period(request)
    names = registry.queue_names()
    held = depths([*names, DEAD_QUEUE])
    _sample(held)
    history = statistics.depths(period, queues=names)
    activity = statistics.activity(period)
    workers = list_workers()
    paused = paused_queues()
    return {
        "notices": _notices(held, workers, paused),
        "workers": workers,
        "queues": _queue_rows(names, held, paused, history, activity),
        "total": activity.total,
        "plots": _plots(activity, history),
        "parts": statistics.by_task(period)[:MOST_TASKS],
        "period": period,
    }


def _period(request: ConsoleRequest) -> Period:
    try:
        return Period.of(request.GET.get("period", Period.HOUR.label))
    except ValueError:
        return Period.HOUR


def _periods(request: ConsoleRequest) -> list[dict[str, Any]]:
    chosen = _period(request)
    return [{"label": period.label, "current": period is chosen} for period in Period]


def _sample(held: Mapping[str, Depth] | None) -> None:
    """Keep what the queues hold, where no collector does."""
    if held is None or not statistics.is_due():
        return
    statistics.sample(
        {
            name: statistics.Depth(ready=depth.ready, unacked=depth.unacked or 0, consumers=depth.consumers or 0)
            for name, depth in held.items()
        }
    )


def _plots(activity: Activity, history: Mapping[str, list[Sampled]]) -> dict[str, Any]:
    moments = [step.start for step in activity.steps]
    numbers = [step.numbers for step in activity.steps]
    known = [one if one.is_known else None for one in numbers]
    outcomes = [
        Series(name=state.label, kind=state.label, values=[getattr(one, state.label) if one else None for one in known])
        for state in reversed(FINAL)
    ]
    waits = [
        Series(name=name, kind=kind, values=[one.waited.quantile(share) if one else None for one in known])
        for name, kind, share in (("half of them within", "k-0", 0.5), ("95% within", "k-2", 0.95))
    ]
    return {
        "moments": moments,
        "throughput": [one for one in outcomes if one.name in ("succeeded", "failed") or any(one.values)],
        "waits": waits,
        "failures": [
            Series(
                name="failed", kind="failed", values=[(one.failure_share or 0) * 100 if one else None for one in known]
            )
        ],
        "depths": _depth_series(moments, history),
    }


def _depth_series(moments: Sequence[datetime], history: Mapping[str, list[Sampled]]) -> list[Series]:
    deepest = sorted(history, key=lambda name: -max(one.depth.ready for one in history[name]))[:MOST_QUEUES]
    return [
        Series(name=name, kind=f"k-{index}", values=_by_moment(moments, history[name]))
        for index, name in enumerate(sorted(deepest))
    ]


def _by_moment(moments: Sequence[datetime], samples: Sequence[Sampled]) -> list[float | None]:
    known = {sampled.start: sampled.depth.ready for sampled in samples}
    return [known.get(moment) for moment in moments]


def _queue_rows(
    names: Sequence[str],
    held: Mapping[str, Depth] | None,
    paused: Mapping[str, PausedQueue],
    history: Mapping[str, list[Sampled]],
    activity: Activity,
) -> list[QueueRow]:
    moments = [step.start for step in activity.steps]
    nothing = Depth(ready=0, unacked=0, consumers=0, rate_in=None, rate_out=None)
    return [
        QueueRow(
            name=name,
            depth=None if held is None else held.get(name, nothing),
            paused=paused.get(name),
            history=_by_moment(moments, history.get(name, [])),
            url=_runs(f"queue:{name} state:unfinished"),
        )
        for name in names
    ]


def _notices(
    held: Mapping[str, Depth] | None, workers: Sequence[Present], paused: Mapping[str, PausedQueue]
) -> list[Notice]:
    return [*_about_the_broker(held, paused), *_about_workers(workers), *_about_the_outbox()]


def _about_the_broker(held: Mapping[str, Depth] | None, paused: Mapping[str, PausedQueue]) -> list[Notice]:
    if held is None:
        text = "What is submitted is kept in the database, and published when the broker answers again."
        return [Notice(kind="bad", title="The broker does not answer.", text=text)]
    found = []
    dead = held[DEAD_QUEUE].ready if DEAD_QUEUE in held else 0
    if dead:
        text = f"Waiting for somebody to look at them: {dead:,}."
        found.append(Notice(kind="warn", title="There are dead letters.", text=text, url=_page("queues"), label="Look"))
    stuck = [
        name
        for name, depth in held.items()
        if depth.ready and depth.consumers == 0 and name not in paused and name != DEAD_QUEUE
    ]
    if stuck:
        text = f"Nothing takes from {_listed(stuck)}."
        found.append(
            Notice(kind="bad", title="Queues without workers.", text=text, url=_page("queues"), label="Queues")
        )
    if paused:
        text = f"{_listed(paused)}: what is submitted for them waits until somebody resumes them."
        found.append(Notice(kind="warn", title="Queues are paused.", text=text, url=_page("queues"), label="Queues"))
    return found


def _about_workers(workers: Sequence[Present]) -> list[Notice]:
    gone = [present.worker.name for present in workers if present.is_gone]
    if len(gone) == len(workers):
        return [Notice(kind="bad", title="No worker is running.", text="What is submitted waits until one does.")]
    busy = [present.worker.name for present in workers if present.is_gone and present.runs]
    if busy:
        text = f"{_listed(busy)} said nothing for a minute, and had not finished its runs. Another one will take them."
        return [Notice(kind="warn", title="A worker is gone.", text=text)]
    return []


def _about_the_outbox() -> list[Notice]:
    backlog = waiting()
    if backlog.oldest < OUTBOX_LAG:
        return []
    age = words.duration(timedelta(seconds=backlog.oldest))
    text = f"Accepted and not published yet: {backlog.pending:,}, the oldest for {age}."
    return [
        Notice(
            kind="bad", title="The outbox lags.", text=text, url=_runs("state:queued -state:scheduled"), label="Runs"
        )
    ]


def _listed(names: Any) -> str:
    known = sorted(names)
    return ", ".join(known[:4]) + (f" and {len(known) - 4} more" if len(known) > 4 else "")


def _runs(text: str) -> str:
    return f"{reverse('rowlock-console:runs')}?{urlencode({'q': text})}"


def _page(name: str) -> str:
    try:
        return reverse(f"rowlock-console:{name}")
    except NoReverseMatch:
        return ""
