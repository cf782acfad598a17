"""The page of one run: what became of it when, what it was given and returned, what it logged, and its relatives."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from rowlock import audit, runs
from rowlock.console import toasts
from rowlock.console.access import OPERATE, ConflictError, ConsoleRequest, action, page, require
from rowlock.console.rendering import done, render_fragment, render_page
from rowlock.console.runs import Row, rows
from rowlock.models import Run, State
from rowlock.redaction import hides_logs
from rowlock.runs import RunError
from rowlock.runs.logs import logs_of
from rowlock.runs.presentation import HEAVY_COLUMNS, detail
from rowlock.runs.viewer import visible

#: Parents, children and retries that are shown; the rest is a search away.
MOST_RELATIVES = 40
#: What a run logged last may come after its end.
_LOG_COMES_LATE = timedelta(seconds=30)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing that happened to a run; `after` is since the step before it."""

    name: str
    symbol: str
    moment: datetime
    after: timedelta | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of the picture of a run: `x` and `width` of 100."""

    kind: str
    name: str
    x: float
    width: float
    length: timedelta


@page
def run(request: ConsoleRequest, id: UUID) -> HttpResponse:
    """`part=run` is all that changes of the page, `part=log` what the run logged."""
    found = _find(request, id, Run.objects.all())
    part = request.GET.get("part")
    if part == "log":
        return render_fragment(request, "rowlock/console/parts/run_log.html", **_log(found))
    context = _context(request, found)
    if part == "run":
        return render_fragment(request, "rowlock/console/parts/run.html", **context)
    return render_page(request, "rowlock/console/run.html", here="runs", **{**context, **_log(found)})


@action
def retry(request: ConsoleRequest, id: UUID) -> HttpResponse:
    found = _find_to_steer(request, id, "retry")
    try:
        with transaction.atomic():
            again = runs.retry(found)
            _record(request, "retry", found, {"new_run": str(again.id)})
    except RunError as error:
        raise ConflictError(str(error)) from error
    toasts.add(request, "This is the retry, a new run with the same arguments.")
    return HttpResponseClientRedirect(reverse("rowlock-console:run", args=[again.id]))


@action
def cancel(request: ConsoleRequest, id: UUID) -> HttpResponse:
    found = _find_to_steer(request, id, "cancel")
    try:
        with transaction.atomic():
            cancellation = runs.cancel(found)
            _record(request, "cancel", found, {"was": cancellation.was})
    except RunError as error:
        raise ConflictError(str(error)) from error
    stopping = cancellation.was == "started"
    toasts.add(request, "Its worker was told to stop it." if stopping else f"Cancelled; it was {cancellation.was}.")
    return done(request)


def _find(request: ConsoleRequest, id: UUID, among: QuerySet[Run]) -> Run:
    found = visible(among, request.viewer).filter(id=id).first()
    if found is None:
        raise Http404(f"There is no run {id}, or it is not yours to see. Runs are deleted some time after they end.")
    return found


def _find_to_steer(request: ConsoleRequest, id: UUID, what: str) -> Run:
    found = _find(request, id, Run.objects.all())
    require(request.viewer.may_steer(found), OPERATE, f"{what} somebody else's run")
    return found


def _record(request: ConsoleRequest, verb: str, found: Run, more: dict[str, str]) -> None:
    details = {"task": found.task, **more}
    audit.record(
        actor=request.viewer.name, action=verb, kind="run", target=str(found.id), detail=details, via="console"
    )


def _context(request: ConsoleRequest, found: Run) -> dict[str, Any]:
    shown = detail(found)
    is_final = State(found.state).is_final
    may_steer = request.viewer.may_steer(found)
    return {
        "run": found,
        "shown": shown,
        "arguments": [] if shown["args"] is None else _arguments(shown["args"], shown["kwargs"]),
        "result": None if found.result is None or shown["result_redacted"] else _pretty(shown["result"]),
        "steps": steps(found),
        "pieces": pieces(found, timezone.now()),
        "relatives": _relatives(request, found),
        "may_retry": may_steer and is_final and bool(found.arguments),
        "may_cancel": may_steer and not is_final,
        "json_url": _json_url(found),
    }


def _log(found: Run) -> dict[str, Any]:
    is_fresh = found.finished is None or timezone.now() - found.finished < _LOG_COMES_LATE
    return {
        "run": found,
        "logs": logs_of(found),
        "log_hidden": hides_logs(found.task),
        "is_fresh": is_fresh and found.started is not None,
    }


def steps(run: Run) -> list[Step]:
    """What happened to `run`, in order."""
    known: list[tuple[str, str, datetime | None, str]] = [
        ("Accepted", "queued", run.created, f"by {run.owner}" if run.owner else ""),
        ("Due", "scheduled", run.due, ""),
        ("Published", "published", run.published, f"to {run.queue}"),
        ("Started", "started", run.started, f"on {run.worker}" if run.worker else ""),
        ("Cancel requested", "cancelled", run.cancel_requested if run.state != State.CANCELLED else None, ""),
        (State(run.state).label.capitalize(), State(run.state).label, run.finished, ""),
    ]
    told: list[Step] = []
    # Clocks of different machines differ by a little; the order of what a run goes through does not.
    for name, symbol, moment, note in known:
        if moment is not None:
            after = max(moment - told[-1].moment, timedelta()) if told else None
            told.append(Step(name=name, symbol=symbol, moment=moment, after=after, note=note))
    return told


def pieces(run: Run, now: datetime) -> list[Piece]:
    """The run as a bar: how long it waited to be due, in the outbox and in its queue, and ran."""
    end = run.finished or now
    begin = run.created
    due = run.due if run.due and run.due > begin else begin
    marks = [
        ("scheduled", "waited until it was due", begin, min(due, end)),
        ("queued", "waited to be published", due, run.published or run.started or end),
        ("published", "waited in the queue", run.published, run.started or end),
        ("retrying" if run.state == State.RETRYING else "started", "ran", run.started, end),
    ]
    whole = (end - begin) / timedelta(seconds=1)
    found: list[Piece] = []
    for kind, name, since, until in marks:
        if since is None or until <= since or whole <= 0:
            continue
        x = (since - begin) / timedelta(seconds=1) / whole * 100
        width = (until - since) / timedelta(seconds=1) / whole * 100
        found.append(Piece(kind=kind, name=name, x=x, width=max(0.4, width), length=until - since))
    return found


def _relatives(request: ConsoleRequest, found: Run) -> list[tuple[str, list[Row]]]:
    above = [one for one in (found.parent_id, found.retry_of) if one]
    near = visible(Run.objects.filter(Q(id__in=above) | Q(parent_id=found.id) | Q(retry_of=found.id)), request.viewer)
    known = list(near.defer(*HEAVY_COLUMNS).order_by("-created", "-id")[:MOST_RELATIVES])
    groups = (
        ("Submitted by", [one for one in known if one.id == found.parent_id]),
        ("Retry of", [one for one in known if one.id == found.retry_of]),
        ("Retried as", [one for one in known if one.retry_of == found.id]),
        ("Submitted", [one for one in known if one.parent_id == found.id]),
    )
    return [(title, rows(group, request.viewer)) for title, group in groups if group]


def _arguments(args: list[Any], kwargs: dict[str, Any]) -> list[tuple[str, str]]:
    return [(str(index), _pretty(value)) for index, value in enumerate(args)] + [
        (name, _pretty(value)) for name, value in kwargs.items()
    ]


def _pretty(value: Any) -> str:
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= 80 else json.dumps(value, ensure_ascii=False, indent=2)


def _json_url(found: Run) -> str:
    try:
        return reverse("rowlock-api:get_run", args=[found.id])
    except NoReverseMatch:
        return ""
