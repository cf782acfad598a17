"""Retrying and cancelling many runs: those ticked, or all that a query finds; counted and confirmed first."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.urls import reverse

from rowlock import audit, runs
from rowlock.console import toasts
from rowlock.console.access import ConflictError, ConsoleRequest, form
from rowlock.console.rendering import done, render_fragment
from rowlock.models import FINAL, UNFINISHED, Run, State
from rowlock.models.run import parse_id
from rowlock.runs import RunError, query
from rowlock.runs.bulk import MOST_RETRIES, steerable
from rowlock.runs.errors import QueryError


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What is done to runs in `states`; returns how many it was done to."""

    name: str
    verb: str
    past: str
    states: tuple[State, ...]
    explained: str
    act: Callable[[QuerySet[Run]], int]
    most: int | None = None


_DEEDS = {
    "retry": Deed(
        name="retry",
        verb="Retry",
        past="Retried",
        states=FINAL,
        explained="Each becomes a new run with the same arguments and owner.",
        act=runs.retry_all,
        most=MOST_RETRIES,
    ),
    "cancel": Deed(
        name="cancel",
        verb="Cancel",
        past="Cancelled",
        states=UNFINISHED,
        explained="What waits will not start. What runs is stopped by its worker within seconds.",
        act=lambda found: sum(runs.cancel_all(found).values()),
    ),
}


@form
def bulk(request: ConsoleRequest) -> HttpResponse:
    """GET asks for confirmation, with the count; POST does it, unless there are more than were counted."""
    given = request.POST if request.method == "POST" else request.GET
    name = given.get("do", "")
    deed = _DEEDS.get(name)
    if deed is None:
        raise Http404(f"Runs can be retried and cancelled; there is no {name[:50]!r}.")
    text, ticked = given.get("q", ""), given.getlist("id")
    try:
        found = _found(request, text, ticked).filter(state__in=deed.states)
        if request.method == "POST":
            return _done(request, deed, found, text, ticked)
    except RunError as error:
        raise ConflictError(str(error)) from error
    return _asked(request, deed, found, text, ticked)


def _found(request: ConsoleRequest, text: str, ticked: list[str]) -> QuerySet[Run]:
    if ticked:
        return steerable(request.viewer).filter(id__in=[known for one in ticked if (known := parse_id(one))])
    wanted = query.parse(text)
    if not wanted:
        raise QueryError("Tick some runs, or search for some first: without words it would be every run there is.")
    return wanted.filter(steerable(request.viewer))


def _asked(request: ConsoleRequest, deed: Deed, found: QuerySet[Run], text: str, ticked: list[str]) -> HttpResponse:
    count = found.count() if deed.most is None else found.order_by()[: deed.most + 1].count()
    if deed.most is not None and count > deed.most:
        raise ConflictError(
            f"{deed.most:,} runs can be retried at once, and the query finds more. Narrow it, for example with since:."
        )
    runs_of = f"{count:,} run{'' if count == 1 else 's'}"
    fields: list[tuple[str, Any]] = [("do", deed.name), ("expect", count)]
    fields += [("id", one) for one in ticked] if ticked else [("q", text)]
    return render_fragment(
        request,
        "rowlock/console/parts/bulk.html",
        title=f"{deed.verb} {runs_of}?" if count else f"There is nothing to {deed.name}",
        label=f"{deed.verb} {runs_of}",
        explained=deed.explained,
        count=count,
        q="" if ticked else text,
        states=", ".join(state.label for state in deed.states),
        danger=deed.name == "cancel",
        action=reverse("rowlock-console:bulk"),
        fields=fields,
    )


def _done(request: ConsoleRequest, deed: Deed, found: QuerySet[Run], text: str, ticked: list[str]) -> HttpResponse:
    expected = request.POST.get("expect", "")
    limit = int(expected) if expected.isdecimal() and len(expected) < 10 else 0
    with transaction.atomic():
        count = found.count()
        if count > limit:
            toasts.add(
                request,
                f"There are {count:,} runs now, more than the {limit:,} that you confirmed. Nothing was changed.",
                kind="bad",
            )
            response = done(request)
            response.status_code = HTTPStatus.CONFLICT
            return response
        changed = deed.act(found)
        audit.record(
            actor=request.viewer.name,
            action=deed.name,
            kind="runs",
            target=f"{len(ticked)} ticked" if ticked else text,
            detail={"count": changed, **({"ids": ticked} if ticked else {})},
            via="console",
        )
    toasts.add(request, f"{deed.past} {changed:,} run{'' if changed == 1 else 's'}.")
    return done(request)
