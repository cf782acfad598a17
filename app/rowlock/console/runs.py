"""The list of runs: searched, live, and in pages."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse

from rowlock.console.access import ConsoleRequest, page
from rowlock.console.completion import suggestions
from rowlock.console.rendering import render_fragment, render_page
from rowlock.models import Run
from rowlock.runs import paging, query, search
from rowlock.runs.errors import QueryError
from rowlock.runs.presentation import summary
from rowlock.runs.query.words import split
from rowlock.runs.viewer import Viewer

LIMIT = 50
LONGEST_MESSAGE = 200
#: Queries that are one click away: their words for `state:`, and what they are called.
_FILTERS = (
    ("", "All"),
    ("unfinished", "Unfinished"),
    ("started", "Started"),
    ("scheduled", "Scheduled"),
    ("retrying", "Retrying"),
    ("failed", "Failed"),
    ("succeeded", "Succeeded"),
    ("cancelled", "Cancelled"),
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A run as the list shows it; `error` is the first line of what went wrong, unless it is redacted."""

    run: Run
    error_type: str
    error: str
    progress: dict[str, Any] | None
    may_steer: bool


@page
def listing(request: ConsoleRequest) -> HttpResponse:
    """The runs that `q` finds, from `cursor` on; `part=rows` is what changes of it."""
    text, cursor = request.GET.get("q", ""), request.GET.get("cursor", "")
    mistake, found = "", paging.Page(runs=[], next=None)
    try:
        found = search.find(query.parse(text), request.viewer, cursor=cursor or None, limit=LIMIT)
    except QueryError as error:
        mistake = str(error)
    here = {"q": text} if text else {}
    context: dict[str, Any] = {
        "q": text,
        "mistake": mistake,
        "rows": rows(found.runs, request.viewer),
        "searched_until": found.searched_until,
        "first": address(here) if cursor else "",
        "next": address({**here, "cursor": found.next}) if found.next else "",
        "part": address({**here, **({"cursor": cursor} if cursor else {}), "part": "rows"}),
    }
    if request.GET.get("part") == "rows":
        return render_fragment(request, "rowlock/console/parts/runs.html", **context)
    return render_page(
        request,
        "rowlock/console/runs.html",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if mistake else HTTPStatus.OK,
        here="runs",
        filters=[] if mistake else _filters(text),
        live=f"{reverse('rowlock-console:live')}?{urlencode({'q': text, 'limit': 1})}",
        may_steer=request.viewer.may_operate or request.viewer.may_submit,
        **context,
    )


@page
def completions(request: ConsoleRequest) -> HttpResponse:
    """What can stand where the word `q` ends, as options of a list box."""
    return render_fragment(
        request, "rowlock/console/parts/completions.html", found=suggestions(request.GET.get("q", ""), request.viewer)
    )


def rows(runs: list[Run], viewer: Viewer) -> list[Row]:
    return [_row(run, viewer) for run in runs]


def address(parameters: dict[str, Any]) -> str:
    """The list of runs with these parameters."""
    where = reverse("rowlock-console:runs")
    return f"{where}?{urlencode(parameters)}" if parameters else where


def _row(run: Run, viewer: Viewer) -> Row:
    told = summary(run)
    error = told["error"] or {"type": "", "message": ""}
    lines = (error["message"] or "").strip().splitlines() or [""]
    message = lines[0][:LONGEST_MESSAGE] + ("…" if len(lines) > 1 or len(lines[0]) > LONGEST_MESSAGE else "")
    return Row(
        run=run,
        error_type=error["type"].rpartition(".")[2],
        error=message,
        progress=None if run.finished else told["progress"],
        may_steer=viewer.may_steer(run),
    )


def _filters(text: str) -> list[dict[str, Any]]:
    """The query `text` with another `state:` each, and which of them it is now."""
    words = split(text)
    others = [word.source for word in words if word.qualifier != "state"]
    states = [word.source for word in words if word.qualifier == "state"]
    found = []
    for state, title in _FILTERS:
        own = [f"state:{state}"] if state else []
        changed = " ".join([*own, *others])
        found.append({"title": title, "url": address({"q": changed} if changed else {}), "current": states == own})
    return found
