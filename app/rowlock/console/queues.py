"""The queues: what each holds, who works on it, pausing, resuming and purging."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.http import Http404, HttpResponse
from django.urls import path, reverse
from django.utils import timezone

from rowlock import statistics
from rowlock.console import plots
from rowlock.console.access import VIEW, ConsoleRequest, action, form, page, require, require_operator
from rowlock.console.answers import BROKER_ERRORS, confirm, done, no_broker, refused
from rowlock.console.dead_letters import letters_shown
from rowlock.console.rendering import render_fragment, render_page
from rowlock.models import Run, State
from rowlock.queues.depths import QueueState, queue_states
from rowlock.queues.pausing import LONGEST_REASON, pause, resume
from rowlock.queues.purging import CountError, Purged, count_ready, purge
from rowlock.runs.errors import RunError
from rowlock.runs.presentation import HEAVY_COLUMNS
from rowlock.statistics import Period, Sampled
from rowlock.workers.presence import list_workers

#: Runs that wait longest, and dead letters, on a queue's page.
SHOWN = 10
#: Seconds that purging one queue may take before it says what is left.
PATIENCE = 20.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """A queue, and how deep it was in the last hour."""

    queue: QueueState
    sampled: Sequence[int | None]

    @property
    def is_sampled(self) -> bool:
        return any(depth is not None for depth in self.sampled)

    @property
    def told(self) -> str:
        """The line of its depth in words."""
        known = [depth for depth in self.sampled if depth is not None]
        return f"{self.queue.name}: {max(known):,} ready at most in the last hour" if known else "no samples yet"

    @property
    def needs_workers(self) -> bool:
        """Does something wait for which nobody is there?"""
        depth = self.queue.depth
        return depth is not None and depth.consumers == 0 and depth.ready > 0 and self.queue.paused is None


@page
def listing(request: ConsoleRequest) -> HttpResponse:
    """All queues."""
    require(request.viewer.sees_all, VIEW, "see the queues")
    queues = _kept(queue_states(request.viewer))
    sampled = statistics.depths(Period.HOUR)
    rows = [Row(queue=queue, sampled=_ready(sampled.get(queue.name, ()))) for queue in queues]
    context: dict[str, Any] = {
        "rows": rows,
        "is_broker_down": any(row.queue.depth is None for row in rows),
        "paused": sum(row.queue.paused is not None for row in rows),
        "unserved": [row.queue.name for row in rows if row.needs_workers],
    }
    if request.htmx:
        return render_fragment(request, "rowlock/console/queues/rows.html", **context)
    return render_page(request, "rowlock/console/queues/list.html", here="queues", **context)


@page
def detail(request: ConsoleRequest, name: str) -> HttpResponse:
    """One queue."""
    require(request.viewer.sees_all, VIEW, "see the queues")
    queue = _find(request, name)
    period = _period(request)
    samples = statistics.depths(period, queues=[name]).get(name, ())
    context = {
        "row": Row(queue=queue, sampled=()),
        "periods": [one.label for one in Period],
        "period": period.label,
        "workers": [one for one in list_workers() if name in one.worker.queue_names],
        "waiting": _waiting(name),
        "shown": SHOWN,
        "letters": letters_shown(SHOWN, queue=name),
        **_plotted(samples, period),
    }
    template = "rowlock/console/queues/parts.html" if request.htmx else "rowlock/console/queues/detail.html"
    if request.htmx:
        return render_fragment(request, template, **context)
    return render_page(request, template, here="queues", **context)


@form
def pausing(request: ConsoleRequest, name: str) -> HttpResponse:
    """Ask why, and pause."""
    require_operator(request, "pause queues")
    if request.method != "POST":
        _find(request, name)
        return confirm(
            request,
            title=f"Pause {name}?",
            text="No worker takes anything from it until it is resumed. What runs goes on; what is accepted waits.",
            label="Pause",
            action=reverse("rowlock-console:queue-pause", args=[name]),
            back=_address(name),
            template="rowlock/console/queues/pause.html",
            longest=LONGEST_REASON,
        )
    try:
        paused = pause(name, actor=request.viewer.name, via="console", reason=request.POST.get("reason", "").strip())
    except RunError as error:
        return refused(request, error)
    return done(request, f"{paused.queue} is paused.", back=_address(name))


@action
def resuming(request: ConsoleRequest, name: str) -> HttpResponse:
    """Let workers go on with it."""
    require_operator(request, "resume queues")
    try:
        was_paused = resume(name, actor=request.viewer.name, via="console")
    except RunError as error:
        return refused(request, error)
    return done(request, f"{name} goes on." if was_paused else f"{name} was not paused.", back=_address(name))


@form
def purging(request: ConsoleRequest, name: str) -> HttpResponse:
    """Say how much there is, and take no more than that out."""
    require_operator(request, "purge queues")
    if request.method != "POST":
        return _ask_to_purge(request, name)
    expected = request.POST.get("expect", "")
    if not (expected.isascii() and expected.isdecimal() and len(expected) < 10):
        return refused(request, "How many messages are expected is missing; begin again from the queue's page.")
    try:
        messages, cancelled, left = _purged(name, int(expected), request.viewer.name)
    except (CountError, RunError) as error:
        return refused(request, error)
    except BROKER_ERRORS as error:
        return no_broker(request, error)
    told = f"Purged {_messages(messages)} from {name}; {cancelled:,} runs were cancelled."
    return done(request, f"{told} {left:,} are left: purge again." if left else told, back=_address(name))


def _ask_to_purge(request: ConsoleRequest, name: str) -> HttpResponse:
    try:
        # Not the depth that the list shows, which is some seconds old: whoever purges agrees to a number.
        ready = count_ready(name)
    except RunError as error:
        return refused(request, error)
    except BROKER_ERRORS as error:
        return no_broker(request, error)
    if not ready:
        return refused(request, f"No message waits in {name}; there is nothing to purge.")
    return confirm(
        request,
        title=f"Purge {name}?",
        text=f"{_messages(ready)} will be taken off the queue, and their runs cancelled. They are not run "
        "afterwards; a cancelled run can be retried. What workers have already is not touched.",
        label=f"Purge {_messages(ready)}",
        action=reverse("rowlock-console:queue-purge", args=[name]),
        back=_address(name),
        danger=True,
        fields=[("expect", ready)],
    )


def _purged(name: str, expected: int, actor: str) -> tuple[int, int, int]:
    """Messages taken, runs cancelled, and messages left."""
    until = time.monotonic() + PATIENCE
    messages = cancelled = 0
    while True:
        once: Purged = purge(name, expect=expected, actor=actor, via="console")
        messages, cancelled = messages + once.messages, cancelled + once.cancelled
        expected -= once.messages
        # What came meanwhile was not agreed on.
        left = min(once.left, max(expected, 0))
        if not once.messages or left == 0 or time.monotonic() >= until:
            return messages, cancelled, left


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"


def _find(request: ConsoleRequest, name: str) -> QueueState:
    found = next((queue for queue in _kept(queue_states(request.viewer)) if queue.name == name), None)
    if found is None:
        raise Http404(f"There is no queue {name[:100]!r}.")
    return found


def _kept(queues: list[QueueState]) -> list[QueueState]:
    """The same, of which a sample is kept where no collector takes one."""
    held = {
        queue.name: statistics.Depth(
            ready=queue.depth.ready, unacked=queue.depth.unacked or 0, consumers=queue.depth.consumers or 0
        )
        for queue in queues
        if queue.depth is not None
    }
    if held:
        statistics.sample(held)
    return queues


def _ready(samples: Sequence[Sampled]) -> list[int | None]:
    by_step = {sampled.start: sampled.depth.ready for sampled in samples}
    return [by_step.get(step) for step in Period.HOUR.steps(timezone.now())]


def _plotted(samples: Sequence[Sampled], period: Period) -> Mapping[str, Any]:
    steps = period.steps(timezone.now())
    by_step = {sampled.start: sampled.depth for sampled in samples}
    depths = [by_step.get(step) for step in steps]
    series = [
        plots.Series(name="ready", kind="k-0", values=[None if depth is None else depth.ready for depth in depths]),
        plots.Series(
            name="with workers", kind="k-1", values=[None if depth is None else depth.unacked for depth in depths]
        ),
    ]
    return {"moments": steps, "series": series, "is_sampled": bool(by_step)}


def _period(request: ConsoleRequest) -> Period:
    try:
        return Period.of(request.GET.get("period", Period.HOUR.label))
    except ValueError:
        return Period.HOUR


def _waiting(name: str) -> list[Run]:
    """The runs that have waited longest."""
    due = Q(due__isnull=True) | Q(due__lte=timezone.now())
    waiting = Run.objects.filter(due, queue=name, state__in=(State.QUEUED, State.PUBLISHED, State.RETRYING))
    return list(waiting.defer(*HEAVY_COLUMNS).order_by("created", "id")[:SHOWN])


def _address(name: str) -> str:
    return reverse("rowlock-console:queue", args=[name])


urlpatterns = [
    path("queues/", listing, name="queues"),
    path("queues/<path:name>/pause/", pausing, name="queue-pause"),
    path("queues/<path:name>/resume/", resuming, name="queue-resume"),
    path("queues/<path:name>/purge/", purging, name="queue-purge"),
    path("queues/<path:name>/", detail, name="queue"),
]
