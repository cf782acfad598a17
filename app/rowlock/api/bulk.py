"""Cancelling and retrying by a query, with a count first."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from ninja import Router

from rowlock import audit, runs
from rowlock.api.answers import answer, only_parameters
from rowlock.api.authentication import viewer_in
from rowlock.api.problems import ProblemError
from rowlock.api.run_schemas import BulkCancelled, BulkCount, BulkIn, BulkRetried
from rowlock.models import FINAL, UNFINISHED, Run, State
from rowlock.runs import query
from rowlock.runs.bulk import MOST_RETRIES, steerable
from rowlock.runs.errors import QueryError

#: Does it to the runs, of which there were so many, and gives the answer.
Act = Callable[[HttpRequest, QuerySet[Run], str, int], Any]

router = Router(tags=["runs"])


@router.post("/cancel", response={200: BulkCount | BulkCancelled})
def cancel_runs(request: HttpRequest, bulk: BulkIn) -> HttpResponse:
    """Cancel the unfinished runs that a query finds: ask for their count, then send it as `expect`.

    Runs that finish in between make it fewer, which is fine. Are there more, the answer is 409 with the new `count`.
    """
    return _counted_first(request, bulk, UNFINISHED, _cancel)


@router.post("/retry", response={200: BulkCount | BulkRetried})
def retry_runs(request: HttpRequest, bulk: BulkIn) -> HttpResponse:
    """Run again the finished runs that a query finds: ask for their count, then send it as `expect`."""
    return _counted_first(request, bulk, FINAL, _retry)


def _counted_first(request: HttpRequest, bulk: BulkIn, states: tuple[State, ...], act: Act) -> HttpResponse:
    only_parameters(request)
    wanted = query.parse(bulk.q)
    if not wanted:
        raise QueryError("q is empty, which is every run; say which ones, as in `state:failed since:1h`.")
    found = wanted.filter(steerable(viewer_in(request))).filter(state__in=states)
    count = found.count()
    if bulk.expect is None:
        return answer({"count": count})
    if count > bulk.expect:
        raise ProblemError(
            HTTPStatus.CONFLICT,
            f"The query finds {count:,} runs now, more than the {bulk.expect:,} expected. Nothing was changed.",
            kind="count",
            count=count,
        )
    return answer(act(request, found, bulk.q, count))


def _cancel(request: HttpRequest, found: QuerySet[Run], q: str, count: int) -> dict[str, Any]:
    # Before it, for it is many transactions.
    _record(request, "cancel", q, count)
    by_state = runs.cancel_all(found)
    return {"cancelled": sum(by_state.values()), "by_state": by_state}


def _retry(request: HttpRequest, found: QuerySet[Run], q: str, count: int) -> dict[str, Any]:
    if count > MOST_RETRIES:
        raise QueryError(
            f"{MOST_RETRIES:,} runs can be retried at once; narrow the query, for example with since: and until:."
        )
    with transaction.atomic():
        retried = runs.retry_all(found)
        _record(request, "retry", q, retried)
    return {"retried": retried}


def _record(request: HttpRequest, action: str, q: str, count: int) -> None:
    audit.record(
        actor=viewer_in(request).name, action=action, kind="runs", target=q, detail={"count": count}, via="api"
    )
