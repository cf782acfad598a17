"""The dead letters: messages that were given up, to retry or to drop."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.urls import path, reverse

from rowlock import audit
from rowlock.broker.topology import DEAD_QUEUE
from rowlock.console.access import VIEW, ConsoleRequest, form, page, require, require_operator
from rowlock.console.answers import BROKER_ERRORS, confirm, done, no_broker, refused
from rowlock.console.rendering import render_fragment, render_page
from rowlock.models.run import parse_id
from rowlock.redaction import hides_arguments
from rowlock.runs import dead_letters
from rowlock.runs.dead_letters import DeadLetter
from rowlock.runs.errors import RunError

#: Letters that a page shows.
LIMIT = 200


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A dead letter as it is shown."""

    letter: DeadLetter
    arguments: str

    @property
    def run_url(self) -> str:
        """The page of its run; empty where its id is none."""
        run_id = parse_id(self.letter.id)
        return reverse("rowlock-console:run", args=[run_id]) if run_id else ""


def letters_shown(limit: int, *, queue: str = "") -> list[Letter] | None:
    """The first `limit` letters, of one queue or all; None while the broker does not answer."""
    try:
        found = dead_letters.look(LIMIT)
    except BROKER_ERRORS:
        return None
    chosen = [letter for letter in found if not queue or letter.queue == queue]
    return [
        Letter(letter=letter, arguments="redacted" if hides_arguments(letter.task) else letter.arguments)
        for letter in chosen[:limit]
    ]


@page
def listing(request: ConsoleRequest) -> HttpResponse:
    """All of them."""
    require(request.viewer.sees_all, VIEW, "see the dead letters")
    letters = letters_shown(LIMIT)
    context: dict[str, Any] = {"letters": letters, "is_more": letters is not None and len(letters) == LIMIT}
    if request.htmx:
        return render_fragment(request, "rowlock/console/queues/dead_rows.html", **context)
    return render_page(request, "rowlock/console/queues/dead.html", here="queues", **context)


@form
def retrying(request: ConsoleRequest) -> HttpResponse:
    """Ask, and have them run again."""
    require_operator(request, "retry dead letters")
    return _settle(
        request,
        verb="retry",
        text="Runs of the history are retried by new runs; other messages go back to their queues.",
        done_word="Retried",
    )


@form
def dropping(request: ConsoleRequest) -> HttpResponse:
    """Ask, and forget them."""
    require_operator(request, "drop dead letters")
    return _settle(
        request,
        verb="drop",
        text="Their messages are gone afterwards. What the history knows of their runs stays.",
        done_word="Dropped",
    )


def _settle(request: ConsoleRequest, *, verb: str, text: str, done_word: str) -> HttpResponse:
    given = request.POST if request.method == "POST" else request.GET
    ids = [one for one in given.getlist("id") if one][:LIMIT]
    back = reverse("rowlock-console:dead-letters")
    if not ids and "all" not in given:
        return refused(request, f"Choose the dead letters to {verb}.")
    try:
        if request.method != "POST":
            return _ask(request, ids, verb, text, back)
        settled = _act(verb, ids, request.viewer.name)
    except RunError as error:
        return refused(request, error)
    except BROKER_ERRORS as error:
        return no_broker(request, error)
    return done(request, f"{done_word} {_letters(settled)}.", back=back)


def _ask(request: ConsoleRequest, ids: Sequence[str], verb: str, text: str, back: str) -> HttpResponse:
    count = len(ids) or len(dead_letters.look(LIMIT))
    if not count:
        return refused(request, "There are no dead letters any more.")
    what = _letters(count) if ids or count < LIMIT else "all dead letters"
    return confirm(
        request,
        title=f"{verb.capitalize()} {what}?",
        text=text,
        label=f"{verb.capitalize()} {what}",
        action=reverse(f"rowlock-console:dead-letters-{verb}"),
        back=back,
        danger=verb == "drop",
        fields=[("id", one) for one in ids] or [("all", "yes")],
    )


def _act(verb: str, ids: Sequence[str], actor: str) -> int:
    act = dead_letters.retry if verb == "retry" else dead_letters.drop
    settled = act(set(ids) or None)
    if settled:
        audit.record(
            actor=actor,
            action=verb,
            kind="dead letters",
            target=ids[0] if len(ids) == 1 else DEAD_QUEUE,
            detail={"count": settled},
            via="console",
        )
    return settled


def _letters(count: int) -> str:
    return f"{count:,} dead letter{'' if count == 1 else 's'}"


urlpatterns = [
    path("dead-letters/", listing, name="dead-letters"),
    path("dead-letters/retry/", retrying, name="dead-letters-retry"),
    path("dead-letters/drop/", dropping, name="dead-letters-drop"),
]
